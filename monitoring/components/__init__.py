"""The packaged browser components: the ward board and the bedside check form.

Both are told everything in one JSON value (``monitoring.components.shapes``), set it as text and
never as markup, and answer with raw events; judging and parsing stay in Python.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import cast

import streamlit as st

from monitoring.components.shapes import (
    BoardAction,
    BoardData,
    CheckFormData,
    CheckFormSave,
    VerdictAction,
    VerdictData,
)

__all__ = ["ICON", "SWATCHES", "check_form", "pack", "page_style", "verdict", "ward_board"]

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

ICON = (_HERE / "icon.svg").read_text(encoding="utf-8")
"""The tab's picture: a Material name would be fetched from the internet."""


def _source(*names: str) -> str:
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


_board = st.components.v2.component(
    "flap_ward_board",
    html='<div class="root board"></div>',
    css=_source("tokens.css", "spark.css", "board.css"),
    js=_source("dom.js", "spark.js", "tile.js", "sound.js", "board.js"),
)

_form = st.components.v2.component(
    "flap_check_form",
    html='<div class="root form"></div>',
    css=_source("tokens.css", "check_form.css"),
    js=_source(
        "dom.js",
        "check_fields.js",
        "check_rows.js",
        "check_draft.js",
        "check_frame.js",
        "check_form.js",
    ),
)

_verdict = st.components.v2.component(
    "flap_verdict",
    html='<div class="root"></div>',
    css=_source("tokens.css", "verdict.css"),
    js=_source("dom.js", "tile.js", "verdict.js"),
)


def page_style() -> None:
    """Fit Streamlit's own page to the bedside; once a run, before anything is drawn.

    Dialogs and menus hang outside Streamlit's themed page, so the theme is told to all of it.
    """
    scheme = st.context.theme.type
    told = "" if scheme is None else f":root {{ color-scheme: {scheme}; }}"
    st.html(f"<style>{_source('page.css', 'print.css')}{told}</style>")


def pack(data: BoardData) -> bytes:
    """What ``ward_board`` draws, written out once for every board that shows the same."""
    return json.dumps(data, separators=(",", ":")).encode()


def ward_board(packed: bytes, *, key: str) -> BoardAction | None:
    """Draw the packed board; return what was pressed on it since the last run, or None.

    Call it again every 5 s with a new ``server_time_iso``: after 12 s without one the board
    declares itself not live. There is no callback, because a callback may not switch pages.
    """
    result = _board(data=packed, key=key, on_action_change=_nothing)
    return cast("BoardAction | None", result.action)


def check_form(data: CheckFormData, *, key: str, on_save: Callable[[CheckFormSave], None]) -> None:
    """Draw the check form and hand each press of Save, raw, to ``on_save`` once.

    ``on_save`` saves and keeps the answer in the session, drawing nothing; the next ``data`` then
    carries it with ``server.nonce`` equal to the press's, within 10 s: without an answer the form
    says NOT SAVED and keeps the draft. Every attempt of one form has the same ``form_key``.
    """
    handled = f"{key}:handled"

    def once(pressed: CheckFormSave | None) -> None:
        if pressed is not None and st.session_state.get(handled) != pressed["nonce"]:
            st.session_state[handled] = pressed["nonce"]
            on_save(pressed)

    # The callback comes first, so that a click elsewhere cannot cut in before the save. A press
    # that opens a new session (the server was restarted) has no callback yet, only the value.
    result = _form(data=data, key=key, on_save_change=lambda: once(st.session_state[key].save))
    pressed = cast("CheckFormSave | None", result.save)
    if pressed is not None and st.session_state.get(handled) != pressed["nonce"]:
        once(pressed)
        st.rerun()


def verdict(data: VerdictData, *, key: str) -> VerdictAction | None:
    """Show what was found in a saved check; return what was pressed below it, or None."""
    result = _verdict(data=data, key=key, on_action_change=_nothing)
    return cast("VerdictAction | None", result.action)


def _nothing() -> None:
    """Declares the trigger, so that the result always carries it."""
