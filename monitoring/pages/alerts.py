"""Every alert that is not closed, the worst first: why, who has it, and the answers to it."""

from __future__ import annotations

import streamlit as st

from monitoring import alert_views, ward
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
        judged = ward.judgements(_session.record(), found)
    except MonitoringError as error:
        _session.say_error(str(error))
        return
    _session.say_loud(found, alerts=False)
    data = alert_views.alerts_data(found, judged, now=now, zone=settings.zone)
    _answering.pressed(alert_cards(data, key="alerts"))


_answering.answer()
live()
