"""What was sent to whom, and what became of it: the outbox, read again every few seconds."""

from __future__ import annotations

import streamlit as st

from monitoring import message_views, paging, people
from monitoring.components.handover import message_list
from monitoring.pages import _session

settings = _session.settings()


@st.fragment(run_every=3)
def live() -> None:
    """The newest messages."""
    with _session.sentences():
        with _session.record().read() as conn:
            pages = paging.last_pages(conn, message_views.SHOWN)
            staff = people.list_staff(conn, and_those_who_left=True)
            channels = paging.channels(conn)
        data = message_views.messages_data(
            pages, {s.id: s.name for s in staff}, channels,
            demo_file=str(settings.demo_file), now=_session.now(), zone=settings.zone,
        )  # fmt: skip
        message_list(data, key="messages")


live()
