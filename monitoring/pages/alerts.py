"""Every alert that is not closed, the worst first: why, who has it, and the answers to it. A
message's link opens the one alert it speaks of."""

from __future__ import annotations

import streamlit as st

from monitoring import alert_views, care, episodes, photo_views, stay_views, ward
from monitoring.components.stay import alert_cards
from monitoring.components.stay_shapes import AlertsData
from monitoring.domain import MonitoringError, Refused
from monitoring.episodes import StoredAlert
from monitoring.pages import _answering, _session

settings = _session.settings()


def linked() -> StoredAlert | None:
    """The alert that the address names, as it stands; a message's key is marked as read once."""
    key = st.query_params.get("page")
    if key is not None and st.session_state.get("read") != key:
        care.read_page(_session.record(), key=key, now=_session.now())
        _session.opened_with(key)
        st.session_state["read"] = key
    named = st.query_params.get("alert", "")
    if not named:
        return None
    with _session.record().read() as conn:
        number = int(named) if named.isdecimal() and len(named) < 19 else -1
        found = episodes.find_alert(conn, number)
    if found is None:
        raise Refused(f"There is no alert {named}: the link may be of another hospital's record.")
    return found


def one(alert: StoredAlert) -> AlertsData:
    """The one alert, with its photos and its whole story."""
    now, zone = _session.now(), settings.zone
    found, _ = _session.ward_now()
    reds = alert_views.unowned(found.alerts)
    try:
        stay = ward.stay(_session.record(), _session.protocols(), alert.flap_id)
    except MonitoringError:
        card = alert_views.bare_card(alert, found, now=now, zone=zone, acting=_session.acting())
    else:
        label = stay.bed.flap.facts.label
        beside = photo_views.beside(_session.record(), alert.flap_id, label, now=now, zone=zone)
        card = alert_views.alert_card(
            alert, stay.bed, stay.judged, stay.names, now=now, zone=zone, others=found.beds,
            story=stay_views.story_of(alert, stay, now=now, zone=zone),
            pictures=alert_views.pictures(beside), acting=_session.acting(),
        )  # fmt: skip
    return alert_views.alone(
        alert, card, open_reds=reds, now=now, zone=zone, acting=_session.acting()
    )


def every() -> AlertsData:
    """Every alert that is not closed."""
    found, _ = _session.ward_now()
    judged = ward.judgements(_session.record(), found)
    _session.say_loud(found, alerts=False)
    return alert_views.alerts_data(
        found, judged, now=_session.now(), zone=settings.zone, acting=_session.acting()
    )


@st.fragment(run_every=settings.board_refresh_seconds)
def live() -> None:
    """The cards; they run again every few seconds, apart from any form that is open."""
    try:
        alert = linked()
        data = every() if alert is None else one(alert)
    except MonitoringError as error:
        _session.say_error(str(error))
        return
    _answering.pressed(alert_cards(data, key="alerts"))


_answering.answer()
if "alert" in st.query_params:
    st.page_link("alerts.py", label="All open alerts", icon=":material/arrow_back:")
live()
