"""Pieces of the forms of the flap page: moments on the ward's clock, and the end of each form."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import streamlit as st

from monitoring import entry
from monitoring.pages import _answering, _session
from monitoring.signs import BadValue
from monitoring.ward import Stay


def whose(stay: Stay) -> None:
    """The patient and the flap, on every form."""
    patient = stay.bed.patient
    st.text(f"{patient.name} · MRN {patient.mrn} · {stay.bed.flap.facts.label}")


def words(code: object) -> str:
    """A code in the ward's words."""
    return str(code).replace("_", " ")


def wall(label: str, key: str, problems: list[str]) -> datetime | None:
    """A date and a time on the ward's clock; asks which when that wall time occurs twice."""
    zone = _session.settings().zone
    left, right = st.columns(2)
    day = left.date_input(f"{label}: date", value=None, format="DD/MM/YYYY", key=f"d-{key}")
    at = right.time_input(f"{label}: time", value=None, step=60, key=f"t-{key}")
    if day is None or at is None:
        problems.append(f"{label}: give a date and a time.")
        return None
    there, which = datetime.combine(day, at), None
    if entry.twice(there, zone):
        named = dict(entry.folds(there, zone))
        which = st.segmented_control(
            f"{label}: this time occurs twice that night, which one?", list(named),
            format_func=lambda w: named[w], key=f"w-{key}",
        )  # fmt: skip
    try:
        return entry.moment(there, zone, which)
    except BadValue as error:
        problems.append(f"{label}: {error}")
        return None


def when(
    label: str, key: str, problems: list[str], nothing: str | None = "not yet"
) -> datetime | None:
    """Now, another time, or ``nothing`` where that is an answer."""
    options = [*([] if nothing is None else [nothing]), "now", "at another time"]
    chosen = st.segmented_control(label, options, key=f"when-{key}")
    if chosen == "now":
        return _session.now()
    return wall(label, key, problems) if chosen == "at another time" else None


def finish(
    stay: Stay, label: str, problems: list[str], write: Callable[[str], tuple[str, str]], key: str
) -> None:
    """Who does it, and the button; ``write`` calls one verb and returns what was read back."""
    by = _session.person(f"{key}-{stay.bed.flap.id}", stay.bed.patient.ward)
    if not st.button(label, type="primary", key=f"do-{key}", width="stretch"):
        return
    lacking = [*problems, *([] if by is not None else ["Say who you are."])]
    for sentence in lacking:
        _session.say_error(sentence)
    if lacking or by is None:
        return
    with _session.sentences():
        _answering.say_done(*write(by))
        _session.look_again()
        st.session_state.pop("doing", None)
        st.rerun()
