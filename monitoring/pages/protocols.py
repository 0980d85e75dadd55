"""Each protocol in plain words, with its sources and its cases."""

from __future__ import annotations

import streamlit as st

from monitoring import cases, protocol
from monitoring.pages import _session

st.title("Protocols")
found = _session.protocols()
key = st.selectbox("Protocol", sorted(found), format_func=lambda k: f"{found[k].title} ({k})")
chosen = found[key]
if protocol.AWAITING in (chosen.author, chosen.checker):
    st.warning(
        "Proposed, awaiting local clinical sign-off. Not validated: judge it before you use it.",
        icon=":material/gavel:",
    )
words, examples = st.tabs(["In words", "Cases"])
with words:
    st.markdown(protocol.describe(chosen))
with examples:
    st.markdown("What the protocol must say of these checks; the program runs them all.")
    for case in cases.described(key):
        st.markdown(f"- {case}")
