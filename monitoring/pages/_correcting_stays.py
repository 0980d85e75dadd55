"""Setting right what was written of a return to theatre or of the outcome, days later if need be:
both values stay readable, with who, when and why."""

from __future__ import annotations

import streamlit as st

from monitoring import care, stay_facts, ward
from monitoring.domain import Outcome, OutcomeKind, Return, ReturnFinding
from monitoring.pages import _correcting, _session
from monitoring.pages._stay_forms import finish, wall, when, words
from monitoring.signs import BadValue, parse_decimal
from monitoring.ward import Stay


def outcome_given(problems: list[str]) -> dict[str, object]:
    """How it ended, as far as it was said."""
    kind = st.segmented_control(
        "How did it end?", list(OutcomeKind), format_func=words, key="outcome-kind"
    )
    percent = None
    if kind is OutcomeKind.PARTIAL_LOSS:
        typed = st.text_input("How much was lost, percent", key="outcome-percent", max_chars=6)
        try:
            percent = parse_decimal("sto2_percent", typed)
        except BadValue:
            problems.append(f"Percent lost: {typed!r} is not a number between 0 and 100.")
    if kind is OutcomeKind.TOTAL_LOSS:
        st.markdown("A total loss ends monitoring.")
    at = when("When was this seen?", "outcome-at", problems, None)
    if kind is None or at is None:
        problems.append("Say how it ended, and when that was seen.")
    return {"kind": kind, "percent": percent, "closed_at": at}


def correct_outcome(stay: Stay) -> None:
    """Another outcome in the place of a wrong one."""
    problems: list[str] = []
    _recorded(stay, "Outcome")
    told = outcome_given(problems)
    reason = st.text_input("Why was it wrong?", key="outcome-reason", max_chars=300)

    def write(by: str) -> tuple[str, str]:
        care.correct_outcome(
            _session.record(), _session.protocols(), flap_id=stay.bed.flap.id, by=by,
            outcome=_correcting.value(Outcome, told), reason=reason, now=_session.now(),
        )  # fmt: skip
        return "Outcome set right; what stood there stays readable", _corrected(stay)

    finish(stay, "Set it right", problems, write, "correct-outcome")


def _recorded(stay: Stay, section: str) -> None:
    """What the record holds of a section of the stay."""
    data = stay_facts.facts_data(stay, now=_session.now(), zone=_session.settings().zone)
    found = next(s for s in data["sections"] if s["title"] == section)
    for fact in found["facts"]:
        st.text(f"Recorded: {fact['text']}")


def _corrected(stay: Stay) -> str:
    """The newest correction, as the record holds it."""
    again = ward.stay(_session.record(), _session.protocols(), stay.bed.flap.id)
    data = stay_facts.facts_data(again, now=_session.now(), zone=_session.settings().zone)
    found = next(s for s in data["sections"] if s["title"] == "Corrections")
    return f"{found['facts'][0]['label']}: {found['facts'][0]['text']}"


def withdraw_return(stay: Stay) -> None:
    """The flap does not go back to theatre after all."""
    zone = _session.settings().zone
    value = next(r.value for r in stay.returns if r.value.back_at is None)
    st.text(f"Return to theatre, {stay_facts.return_title(value, zone)}")
    st.markdown("For a registrar or consultant. Write a review too: what is done instead.")
    reason = st.text_input("Why is it not done?", key="withdraw-reason", max_chars=300)

    def write(by: str) -> tuple[str, str]:
        care.withdraw_return(
            _session.record(), _session.protocols(), flap_id=stay.bed.flap.id, by=by,
            decided_at=value.decided_at, reason=reason, now=_session.now(),
        )  # fmt: skip
        return "Theatre is not asked for any more", _corrected(stay)

    finish(stay, "Withdraw the return", [], write, "withdraw-return")


def correct_return(stay: Stay) -> None:
    """One fact of a return, and its right value; the recorded one stands beside it."""
    zone, problems = _session.settings().zone, []
    known = [r.value for r in stay.returns]
    chosen = known[-1]
    if len(known) > 1:
        chosen = st.selectbox(
            "Which return?", known, index=None, key="wrong-return", placeholder="Choose",
            format_func=lambda r: stay_facts.return_title(r, zone),
        )  # fmt: skip
    field = st.selectbox(
        "What is wrong?", list(stay_facts.RETURN_FACTS), index=None, placeholder="Choose",
        format_func=lambda n: stay_facts.RETURN_FACTS[n], key="wrong-fact",
    )  # fmt: skip
    right = None
    if chosen is None or field is None:
        problems.append("Choose what is wrong.")
    else:
        st.text(f"Recorded: {stay_facts.said_of(chosen, field, zone)}")
        right = _right(field, problems)
    reason = st.text_input("Why was it wrong?", key="return-reason", max_chars=300)

    def write(by: str) -> tuple[str, str]:
        assert isinstance(chosen, Return)
        care.correct_return(
            _session.record(), _session.protocols(), flap_id=stay.bed.flap.id, by=by,
            decided_at=chosen.decided_at, changes={field: right}, reason=reason,
            now=_session.now(),
        )  # fmt: skip
        return "Return set right; what stood there stays readable", _corrected(stay)

    finish(stay, "Set it right", problems, write, "correct-return")


def _right(field: str, problems: list[str]) -> object:
    label = "What is right?"
    if field == "finding":
        found = st.selectbox(
            label, list(ReturnFinding), index=None, placeholder="Choose", format_func=words,
            key="right-finding",
        )  # fmt: skip
    elif field == "salvaged":
        chosen = st.segmented_control(label, ["yes", "no"], key="right-salvaged")
        found = None if chosen is None else chosen == "yes"
    else:
        return wall(label, f"right-{field}", problems)
    if found is None:
        problems.append("Say what is right.")
    return found
