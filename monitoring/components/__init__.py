"""The packaged browser components: the ward board and the bedside check form.

Both are told everything in one JSON value (``monitoring.components.shapes``), set it as text and
never as markup, and answer with raw events; judging and parsing stay in Python.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import streamlit as st

from monitoring.components.shapes import (
    BoardAction,
    BoardData,
    CheckFormData,
    CheckFormSave,
)

__all__ = ["SWATCHES", "check_form", "page_style", "ward_board"]

SWATCHES: dict[str, str] = {
    "matches": "#c98f74",
    "pale": "#e6cdbd",
    "white": "#f3ece6",
    "mottled": "repeating-linear-gradient(45deg, #b98a86 0 4px, #8d6f7d 4px 8px)",
    "dusky": "#86616f",
    "blue": "#5f6a94",
    "purple": "#69456f",
    "black": "#26222a",
    "bruised": "#8a7a55",
}
"""A hint of each colour word on lighter skin; the word, not the swatch, is what is recorded."""

_HERE = Path(__file__).parent


def _source(*names: str) -> str:
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


_board = st.components.v2.component(
    "flap_ward_board",
    html='<div class="root board"></div>',
    css=_source("tokens.css", "board.css"),
    js=_source("dom.js", "spark.js", "tile.js", "board.js"),
)

_form = st.components.v2.component(
    "flap_check_form",
    html='<div class="root form"></div>',
    css=_source("tokens.css", "check_form.css"),
    js=_source(
        "dom.js", "check_fields.js", "check_rows.js", "check_draft.js", "check_frame.js", "check_form.js"
    ),
)


def page_style() -> None:
    """Fit Streamlit's own page to the bedside; once a run, before anything is drawn."""
    st.html(f"<style>{_source('page.css')}</style>")


def ward_board(
    data: BoardData, *, key: str, on_action: Callable[[], None] | None = None
) -> BoardAction | None:
    """Draw the board; return what was pressed on it since the last run, or None.

    Call it again every 5 s with a new ``server_time_iso``: after 12 s without one the board
    declares itself not live. A callback reads ``st.session_state[key].action``.
    """
    result = _board(data=data, key=key, on_action_change=on_action or _nothing)
    return cast("BoardAction | None", result.action)


def check_form(
    data: CheckFormData, *, key: str, on_save: Callable[[], None] | None = None
) -> CheckFormSave | None:
    """Draw the check form; return the raw values of a press of Save, or None.

    Answer each press by drawing the form again with ``server.nonce`` equal to the press's
    nonce, within 10 s: without an answer the form says NOT SAVED and keeps the draft. The same
    ``form_key`` comes with every attempt of one form. A callback reads
    ``st.session_state[key].save``.
    """
    result = _form(data=data, key=key, on_save_change=on_save or _nothing)
    return cast("CheckFormSave | None", result.save)


def _nothing() -> None:
    """Declares the trigger, so that the result always carries it."""
