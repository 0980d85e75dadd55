"""Every alert that is not closed, the worst first: why, who has it, and the answers to it."""

from __future__ import annotations

import streamlit as st

from monitoring import alert_views, episodes
from monitoring.components.stay import alert_cards
from monitoring.domain import MonitoringError
from monitoring.pages import _answering, _session

settings = _session.settings()


@st.fragment(run_every=settings.board_refresh_seconds)
def live() -> None:
    """The cards; they run again every few seconds, apart from any form that is open."""
    now = _session.now()
    try:
        found, _ = _session.ward_now()
        with _session.record().read() as conn:
            running = episodes.open_alerts(conn)
            flaps = {a.flap_id for a in running}
            keys = [b.seen[-1].check.key for b in found.beds if b.seen and b.flap.id in flaps]
            judged = episodes.current_assessments(conn, keys)
    except MonitoringError as error:
        _session.say_error(str(error))
        return
    for flap_id in found.unreadable:
        _session.say_error(f"UNKNOWN: the record of flap {flap_id} cannot be read. Check by hand.")
    data = alert_views.alerts_data(
        running, found.beds, judged, found.names, now=now, zone=settings.zone
    )
    _answering.pressed(alert_cards(data, key="alerts"))


_answering.answer()
live()
