"""The packaged components of the handover and messages pages: a sheet and a list, read-only."""

from __future__ import annotations

import streamlit as st

from monitoring.components import _source
from monitoring.components.handover_shapes import HandoverData, MessagesData

__all__ = ["handover_sheet", "message_list"]

_sheet = st.components.v2.component(
    "flap_handover",
    html='<div class="root handover"></div>',
    css=_source("tokens.css", "handover.css"),
    js=_source("dom.js", "tile.js", "handover.js"),
)

_messages = st.components.v2.component(
    "flap_messages",
    html='<div class="root"></div>',
    css=_source("tokens.css", "messages.css"),
    js=_source("dom.js", "tile.js", "messages.js"),
)


def handover_sheet(data: HandoverData, *, key: str) -> None:
    """Draw a ward's handover; its Print button prints it in black on white, by the page's own
    print style. Call it again within 20 s, or it declares itself not live."""
    _sheet(data=data, key=key)


def message_list(data: MessagesData, *, key: str) -> None:
    """Draw what was sent to whom; each opens the alert as its message does, in a tab of its own."""
    _messages(data=data, key=key)
