"""Navigation, the engine light, and nothing else: each page is its own file."""

from __future__ import annotations

import streamlit as st

from monitoring.components import ICON, page_style
from monitoring.pages import _session

st.set_page_config(page_title="Flaps", page_icon=ICON, layout="wide")
page_style()

PAGES = {
    "board": st.Page("board.py", title="Ward board", icon=":material/view_list:", default=True),
    "check": st.Page("check.py", title="Record check", icon=":material/edit_note:"),
    "flap": st.Page("flap.py", title="Flap", icon=":material/show_chart:"),
    "alerts": st.Page("alerts.py", title="Alerts", icon=":material/notifications:"),
    "handover": st.Page("handover.py", title="Handover", icon=":material/assignment_ind:"),
    "review": st.Page(
        "review.py", title="Review", icon=":material/stethoscope:", visibility="hidden"
    ),
    "oncall": st.Page("oncall.py", title="On call", icon=":material/call:"),
    "messages": st.Page("messages.py", title="Messages", icon=":material/outgoing_mail:"),
    "admit": st.Page("admit.py", title="Admit", icon=":material/person_add:"),
    "protocols": st.Page("protocols.py", title="Protocols", icon=":material/rule:"),
}

page = st.navigation(list(PAGES.values()), position="top")
if page is not PAGES["board"]:  # the board carries its own light
    _session.engine_light()
page.run()
