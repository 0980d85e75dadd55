"""Navigation, the engine light, and nothing else: each page is its own file."""

from __future__ import annotations

import streamlit as st

from monitoring.pages import _session

st.set_page_config(
    page_title="Flaps", page_icon=":material/monitor_heart:", layout="wide",
    initial_sidebar_state="collapsed",
)  # fmt: skip

PAGES = [
    st.Page("board.py", title="Ward board", icon=":material/view_list:", default=True),
    st.Page("check.py", title="Record check", icon=":material/edit_note:", url_path="check"),
    st.Page("flap.py", title="Flap", icon=":material/show_chart:", url_path="flap"),
    st.Page("alerts.py", title="Alerts", icon=":material/notifications:", url_path="alerts"),
    st.Page("admit.py", title="Admit a flap", icon=":material/person_add:", url_path="admit"),
    st.Page("protocols.py", title="Protocols", icon=":material/rule:", url_path="protocols"),
]

page = st.navigation(PAGES, position="top")
_session.engine_light()
page.run()
