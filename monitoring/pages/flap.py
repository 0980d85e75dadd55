"""One flap: who, how now, the whole stay on one axis, every check and alert, and the facts."""

from __future__ import annotations

import streamlit as st

from monitoring import charts, review_views, stay_facts, stay_views, ward
from monitoring.components.stay import alert_cards, check_table, flap_head
from monitoring.components.stay import stay_facts as facts
from monitoring.domain import MonitoringError
from monitoring.pages import _answering, _photos, _reviewing, _session, _stay_acts
from monitoring.ward import Stay

settings = _session.settings()


def read() -> Stay | None:
    """The stay that the address names, or the choice of one."""
    flap_id = st.query_params.get("flap")
    try:
        if flap_id is not None:
            return ward.stay(_session.record(), _session.protocols(), flap_id)
        choose()
    except MonitoringError as error:
        _session.say_error(str(error))
        if flap_id is not None:
            choose()
    return None


def choose() -> None:
    """Which flap, when the page was opened without one."""
    st.title("Flap")
    known = {b.flap.id: b for b in _session.ward_now()[0].beds}
    chosen = st.selectbox(
        "Which flap?", list(known), index=None, placeholder="Choose a flap",
        format_func=lambda i: f"Bed {known[i].patient.bed} · {known[i].patient.name} · "
        f"MRN {known[i].patient.mrn} · {known[i].flap.facts.label}",
    )  # fmt: skip
    if chosen is not None:
        st.query_params["flap"] = chosen
        st.rerun()


@st.fragment(run_every=settings.board_refresh_seconds)
def now_line(flap_id: str, drawn_from: tuple[object, ...]) -> None:
    """Who and how now; runs again every few seconds, and draws the page anew on news."""
    with _session.sentences():
        found, _ = _session.ward_now()
        stay = ward.stay(_session.record(), _session.protocols(), flap_id)
        data = stay_views.head_data(stay, found.beds, now=_session.now(), zone=settings.zone)
        narrow = flap_head(data, key=f"head-{flap_id}")
        filling = "doing" in st.session_state or "answering" in st.session_state
        news = stay_views.marker(stay) != drawn_from and not filling
        if news or narrow != st.session_state.get("narrow", False):
            st.session_state["narrow"] = narrow
            st.rerun()


def drawn(stay: Stay) -> None:
    """The stay on one time axis, with its words for those who cannot see it."""
    shown = stay_views.picture(stay, now=_session.now(), zone=settings.zone)
    tables = (shown.checks, shown.slots, shown.events)
    figure = charts.stay(
        *tables, facts=shown.facts, compact=st.session_state.get("narrow", False),
        theme="light" if st.context.theme.type == "light" else "dark",
    )  # fmt: skip
    st.plotly_chart(
        figure, theme=None, config={"displayModeBar": False}, key="stay",
        alt=charts.stay_summary(*tables, shown.facts),
    )  # fmt: skip


def page(stay: Stay) -> None:
    """The whole page of one stay."""
    flap_id, now, zone = stay.bed.flap.id, _session.now(), settings.zone
    _answering.answer()
    now_line(flap_id, stay_views.marker(stay))
    _reviewing.plan(stay, review_views.plan_of(stay, zone, now))
    _stay_acts.buttons(stay)
    drawn(stay)
    facts(stay_facts.timeliness_data(stay, now=now), key=f"watched-{flap_id}")
    st.subheader("Photos")
    _photos.of_stay(stay)
    st.subheader("Alerts")
    cards = stay_views.alerts_of_stay(stay, now=now, zone=zone)
    _answering.pressed(alert_cards(cards, key=f"alerts-{flap_id}"))
    st.subheader("Checks")
    check_table(stay_views.check_table_data(stay, now=now, zone=zone), key=f"checks-{flap_id}")
    st.subheader("The stay in facts")
    facts(stay_facts.facts_data(stay, now=now, zone=zone), key=f"facts-{flap_id}")


found = read()
if found is not None:
    with _session.sentences():
        page(found)
