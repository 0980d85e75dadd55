"""A shift handed over: the ward on one sheet, printable, and accepted by name."""

from __future__ import annotations

import streamlit as st

from monitoring import care, handover_views, handovers, shifts, views
from monitoring.components.handover import handover_sheet
from monitoring.components.handover_shapes import HandoverData
from monitoring.components.stay import notice
from monitoring.components.stay_shapes import NoticeData
from monitoring.domain import MonitoringError
from monitoring.handovers import Stood
from monitoring.pages import _session

settings = _session.settings()
zone = settings.zone


def read(ward: str, by: str) -> tuple[HandoverData, Stood]:
    """The sheet of this moment, and the same as the record keeps it."""
    found, every = _session.ward_now()
    now = _session.now()
    with _session.record().read() as conn:
        directory = shifts.directory(conn, now, (ward,), horizon=handover_views.ON_CALL_AHEAD)
        beside = handovers.beside(conn, ward)
    data = handover_views.handover_data(
        found, every, directory, beside, ward=ward, loud=views.loud_lines(found), by=by, now=now,
        zone=zone,
    )  # fmt: skip
    return data, handover_views.stood(found, data, ward=ward, now=now, zone=zone)


@st.fragment(run_every=settings.board_refresh_seconds)
def sheet(ward: str, by: str) -> None:
    """The sheet; read again every few seconds."""
    with _session.sentences():
        data, _ = read(ward, by)
        handover_sheet(data, key="sheet")


def accept(ward: str, giver: str | None) -> None:
    """The second person's name, on what was read when this form was opened."""
    stood: Stood | None = st.session_state.get("handover-stood")
    if stood is None or stood.ward != ward:
        if st.button("Hand over", type="primary", icon=":material/assignment_ind:"):
            if giver is None:
                raise care.Refused("Say who hands over: choose your name first.")
            st.session_state["handover-stood"] = read(ward, "")[1]
            st.rerun()
        return
    st.text(f"As it stood at {stood.shown_at.astimezone(zone):%H:%M:%S}, given by {name(giver)}.")
    taker = _session.person("handover-taker", ward, "Who accepts it?")
    note = st.text_area("Note (optional)", key="handover-note", max_chars=1000, height=80)
    done, back = st.columns(2)
    if back.button("Not now", width="stretch"):
        st.session_state.pop("handover-stood")
        st.rerun()
    if done.button("I accept this ward", type="primary", width="stretch"):
        with _session.sentences():
            finish(stood, giver, taker, note)


def finish(stood: Stood, giver: str | None, taker: str | None, note: str) -> None:
    """Write it down; what changed meanwhile is read again before it may be accepted."""
    if giver is None or taker is None:
        raise care.Refused("Say who hands over and who accepts it.")
    try:
        given = care.hand_over(
            _session.record(), stood=stood, given_by=giver, accepted_by=taker, note=note,
            now=_session.now(),
        )  # fmt: skip
    except care.Refused:
        _session.look_again()
        st.session_state["handover-stood"] = read(stood.ward, "")[1]
        raise
    names = _session.ward_now()[0].names
    st.session_state["handed"] = handover_views.accepted(given, names, _session.now(), zone)
    st.session_state.pop("handover-stood")
    st.rerun()


def name(staff_id: str | None) -> str:
    """Somebody's name from the staff list; empty for nobody."""
    return next((s.name for s in _session.staff() if s.id == staff_id), "")


def page(ward: str) -> None:
    """Who hands over, the form of who accepts, and the sheet."""
    told: tuple[str, str] | None = st.session_state.pop("handed", None)
    with st.container(key="not-printed"):
        if told is not None:
            notice(NoticeData(title=told[0], text=told[1]), key="handed-notice")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            giver = _session.person("handover", ward, "Who hands over, or prints?")
        with _session.sentences():
            accept(ward, giver)
    sheet(ward, name(giver))


with st.container(key="handover-page"):
    chosen = settings.wards[0]
    if len(settings.wards) > 1:
        with st.container(key="not-printed-ward"):
            chosen = st.selectbox("Ward", settings.wards, key="handover-ward", bind="query-params")
    try:
        page(chosen)
    except MonitoringError as error:
        _session.say_error(str(error))
