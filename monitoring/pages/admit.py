"""Admit a flap: two identifiers, the flap's own facts, when it was perfused, and its protocol."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import uuid4

import streamlit as st

from monitoring import care, entry, protocol
from monitoring.domain import (
    FlapKind,
    FlapName,
    Monitor,
    Recipient,
    RiskFactor,
    Side,
    SkinType,
    Tissue,
)
from monitoring.pages import _session
from monitoring.signs import BadValue

settings = _session.settings()


def choice(label: str, words: type[StrEnum], help_text: str | None = None) -> str | None:
    """A closed choice in the ward's words, with nothing chosen."""
    return st.selectbox(
        label, list(words), index=None, placeholder="Choose", help=help_text,
        format_func=lambda w: w.replace("_", " "), key=f"admit-{label}",
    )  # fmt: skip


def several(label: str, words: type[StrEnum]) -> list[str]:
    """Any number of words."""
    return st.pills(
        label, list(words), selection_mode="multi", wrap=True, key=f"admit-{label}",
        format_func=lambda w: w.replace("_", " "),
    )  # fmt: skip


def moment(label: str, problems: list[str]) -> datetime | None:
    """A moment on the ward's clock; asks which one when the wall time occurs twice that night."""
    left, right = st.columns(2)
    day = left.date_input(f"{label}: date", value=None, format="DD/MM/YYYY", key=f"d-{label}")
    at = right.time_input(f"{label}: time", value=None, step=300, key=f"t-{label}")
    if day is None or at is None:
        return None
    wall, which = datetime.combine(day, at), None
    if entry.twice(wall, settings.zone):
        named = dict(entry.folds(wall, settings.zone))
        which = st.segmented_control(
            f"{label}: this time occurs twice that night, which one?", list(named),
            format_func=lambda w: named[w], key=f"w-{label}",
        )  # fmt: skip
    try:
        return entry.moment(wall, settings.zone, which)
    except BadValue as error:
        problems.append(f"{label}: {error}")
        return None


def patient() -> dict[str, object]:
    """Who it is: MRN and name; the bed never identifies anyone."""
    st.subheader("Patient")
    today = _session.now().astimezone(settings.zone).date()
    return {
        "mrn": st.text_input("MRN", max_chars=40),
        "name": st.text_input("Name", placeholder="SURNAME, First name", max_chars=120),
        "born_on": st.date_input(
            "Born on", value=None, format="DD/MM/YYYY", min_value=date(1900, 1, 1), max_value=today
        ),
        "ward": st.selectbox("Ward", settings.wards),
        "bed": st.text_input("Bed", max_chars=20),
    }


def tissue() -> dict[str, object]:
    """What was joined, and how it can be watched."""
    st.subheader("Flap")
    facts: dict[str, object] = {
        "label": st.text_input("Called on the ward", placeholder="L breast DIEP", max_chars=80),
        "kind": choice("Kind", FlapKind),
        "name": choice("Name of the flap", FlapName),
        "tissue": choice("Tissue that is watched", Tissue),
        "recipient": choice("Recipient site", Recipient),
        "side": choice("Side", Side),
    }
    seen = st.segmented_control("Can it be seen?", ["can be seen", "buried"], key="admit-seen")
    return facts | {
        "buried": None if seen is None else seen == "buried",
        "skin_type": choice(
            "Skin type of the flap (Fitzpatrick)", SkinType,
            "For V and VI colour and refill alone are not enough: a second way is asked for.",
        ),
        "monitors": several("Monitors", Monitor),
    }  # fmt: skip


def surgery() -> dict[str, object]:
    """What the surgeon leaves for the ward."""
    st.subheader("Surgery")
    minutes = st.text_input("Ischaemia, minutes", max_chars=4)
    return {
        "surgeon": st.text_input("Surgeon", max_chars=80),
        "operation_id": st.text_input(
            "Operation", max_chars=64,
            help="The same word for every flap or paddle of one operation.",
        ),
        "anastomosis": st.text_area(
            "Anastomosis and notes", max_chars=2000,
            placeholder="Vessels, coupler, where the Doppler mark is",
        ),
        "ischaemia_minutes": minutes.strip() or None,
        "risk_factors": several("Risk factors", RiskFactor),
    }  # fmt: skip


st.title("Admit a flap")
problems: list[str] = []
left, right = st.columns(2, gap="large")
with left:
    who = patient()
    st.subheader("Times")
    times = {
        "perfused_at": moment("Perfusion restored", problems),
        "monitoring_from": moment("Arrived in recovery", problems),
    }
    st.markdown("Checks start at the arrival; without one, when perfusion was restored.")
with right:
    what = tissue()
    about = surgery()

values = None
try:
    values = entry.admission(who, what | about | times)
    proposed = protocol.propose(_session.protocols(), values[1])
    st.info(
        f"Protocol proposed for this flap: **{proposed.title}**, version {proposed.version}. "
        f"It is {proposed.checker}.",
        icon=":material/rule:",
    )
except entry.Wrong as error:
    problems += error.problems.values()
except protocol.UnknownProtocol as error:
    problems.append(str(error))

by = _session.person("admit", settings.wards[0])
if st.button("Admit this flap", type="primary", icon=":material/person_add:"):
    if by is None:
        problems.append("Say who admits this flap.")
    for sentence in problems:
        _session.say_error(sentence)
    if not problems and values is not None and by is not None:
        with _session.sentences():
            flap_id = care.admit_flap(
                _session.record(), _session.protocols(), patient=values[0], facts=values[1],
                by=by, now=_session.now(),
                flap_id=st.session_state.setdefault("admit-id", str(uuid4())),
            )  # fmt: skip
            del st.session_state["admit-id"]
            _session.look_again()
            st.switch_page("check.py", query_params={"flap": flap_id})
