"""What may be done to a stay from its page: each a form of its own, each ending in one verb."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from monitoring import care, stay_facts, stay_views, ward
from monitoring.domain import HoldReason, Outcome, Return, ReturnFinding
from monitoring.pages import _correcting, _correcting_stays, _photos, _session
from monitoring.pages._stay_forms import finish, when, whose, words
from monitoring.ward import Stay

Form = Callable[[Stay], None]


def buttons(stay: Stay) -> None:
    """Record a check first; then everything else, as the stay allows it now."""
    flap_id = stay.bed.flap.id
    narrow = st.session_state.get("narrow", False)
    left = [name for name in ACTS if _fits(name, stay)]
    with st.container(horizontal=True, key="acts"):
        if stay_views.monitored(stay) and st.button(
            "Record check", type="primary", icon=":material/edit_note:",
            width="stretch" if narrow else 240,
        ):  # fmt: skip
            st.switch_page("check.py", query_params={"flap": flap_id})
        if stay_views.monitored(stay) and st.button("Review", icon=":material/stethoscope:"):
            st.switch_page("review.py", query_params={"flap": flap_id})
        for name in [n for n in left if n in OFTEN]:
            _button(flap_id, name)
        pressed = st.session_state.get("more-pressed", 0)  # a new key closes the menu
        with st.popover("More", icon=":material/more_horiz:", key=f"more-{pressed}"):
            for name in [n for n in left if n not in OFTEN]:
                if _button(flap_id, name, "stretch"):
                    st.session_state["more-pressed"] = pressed + 1
                    st.rerun()
    doing = st.session_state.get("doing")
    if doing is not None and doing[0] == flap_id and doing[1] in left:
        label, form, _ = ACTS[doing[1]]
        wide = "large" if doing[1] == "amend" else "small"
        st.dialog(label, width=wide, on_dismiss=_forget)(_with_identity)(form, stay)


def _fits(name: str, stay: Stay) -> bool:
    if name in ("hold", "release") and (name == "release") != stay_views.held(stay, _session.now()):
        return False
    fits = {
        "return": bool(stay_facts.fillable(stay)), "correct-return": bool(stay.returns),
        "withdraw-return": stay_facts.may_be_withdrawn(stay),
        "outcome": stay.outcome is None, "correct-outcome": stay.outcome is not None,
    }  # fmt: skip
    return fits.get(name, stay_views.monitored(stay) or not ACTS[name][2])


def _button(flap_id: str, name: str, width: str = "content") -> bool:
    pressed = st.button(ACTS[name][0], key=f"act-{name}", width=width)
    if pressed:
        st.session_state["doing"] = (flap_id, name)
        st.session_state.pop("done", None)
    return pressed


def _forget() -> None:
    st.session_state.pop("doing", None)


def _with_identity(form: Form, stay: Stay) -> None:
    whose(stay)
    with _session.sentences():
        form(stay)


def read_back(stay: Stay, section: str) -> str:
    """What the record holds of a section of the stay after a verb, in words."""
    again = ward.stay(_session.record(), _session.protocols(), stay.bed.flap.id)
    data = stay_facts.facts_data(again, now=_session.now(), zone=_session.settings().zone)
    found = next(s for s in data["sections"] if s["title"] == section)
    lines = [f"{f['label']}: {f['text']}" for f in found["facts"]]
    return lines[0 if section == "Corrections" else -1].replace("\n", ", ") if lines else ""


def _hold(stay: Stay) -> None:
    problems: list[str] = []
    reason = st.segmented_control("Why?", list(HoldReason), format_func=words, key="hold-reason")
    until = when("Until", "hold-until", problems, "not known") if reason is not None else None
    if reason is None:
        problems.append("Say why the flap is on hold.")

    def write(by: str) -> tuple[str, str]:
        assert reason is not None
        care.hold_flap(
            _session.record(), _session.protocols(), flap_id=stay.bed.flap.id, reason=reason,
            by=by, until_at=until, now=_session.now(),
        )  # fmt: skip
        return "On hold: no check is asked for", read_back(stay, "Holds")

    finish(stay, "Put on hold", problems, write, "hold")


def _release(stay: Stay) -> None:
    st.markdown("A check is due at once.")

    def write(by: str) -> tuple[str, str]:
        care.release_flap(
            _session.record(), _session.protocols(), flap_id=stay.bed.flap.id, by=by,
            now=_session.now(),
        )  # fmt: skip
        return "Released: a check is due now", read_back(stay, "Holds")

    finish(stay, "Release from hold", [], write, "release")


def _return(stay: Stay) -> None:
    """Fills in a return that is under way or not all known, or begins one; what is known is not
    asked again."""
    zone = _session.settings().zone
    offered = stay_facts.fillable(stay)
    chosen = offered[0]
    if len(offered) > 1:
        chosen = st.selectbox(
            "Which return?", offered, format_func=lambda r: stay_facts.return_title(r, zone),
            key="which-return",
        )  # fmt: skip
    known = {} if chosen is None else chosen.model_dump(exclude_none=True)
    problems: list[str] = []
    given = dict(known)
    for name, label in stay_views.RETURN_STAGES.items():
        if name in known:
            st.text(f"{label}: {stay_facts.local(known[name], zone)}")
            continue
        nothing = None if name == "decided_at" else "not yet"
        at = when(label.capitalize(), f"return-{name}", problems, nothing)
        given |= {} if at is None else {name: at}
    if "decided_at" not in given:
        problems.append("Say when the return was decided.")
    if "finding" not in known:
        finding = st.selectbox(
            "What was found", list(ReturnFinding), index=None, placeholder="Not recorded",
            format_func=words, key="return-finding",
        )  # fmt: skip
        given |= {} if finding is None else {"finding": finding}
    if "salvaged" not in known:
        salvaged = st.segmented_control("Was the flap salvaged?", ["yes", "no"], key="return-saved")
        given |= {} if salvaged is None else {"salvaged": salvaged == "yes"}

    def write(by: str) -> tuple[str, str]:
        care.record_return(
            _session.record(), _session.protocols(), flap_id=stay.bed.flap.id, by=by,
            value=_correcting.value(Return, given), now=_session.now(),
        )  # fmt: skip
        return "Return to theatre written down", read_back(stay, "Returns to theatre")

    finish(stay, "Write it down", problems, write, "return")


def _outcome(stay: Stay) -> None:
    problems: list[str] = []
    told = _correcting_stays.outcome_given(problems)

    def write(by: str) -> tuple[str, str]:
        care.record_outcome(
            _session.record(), _session.protocols(), flap_id=stay.bed.flap.id, by=by,
            outcome=_correcting.value(Outcome, told), now=_session.now(),
        )  # fmt: skip
        return "Outcome written down", read_back(stay, "Outcome")

    finish(stay, "Write it down", problems, write, "outcome")


def _discharge(stay: Stay) -> None:
    st.markdown("Monitoring ends: no check is asked for any more, and the flap leaves the board.")

    def write(by: str) -> tuple[str, str]:
        care.discharge_flap(
            _session.record(), _session.protocols(), flap_id=stay.bed.flap.id, by=by,
            now=_session.now(),
        )  # fmt: skip
        again = ward.stay(_session.record(), _session.protocols(), stay.bed.flap.id)
        zone = _session.settings().zone
        return "Discharged", stay_views.head_data(again, (), now=_session.now(), zone=zone)["word"]

    finish(stay, "End monitoring", [], write, "discharge")


def _transfer(stay: Stay) -> None:
    known = list(dict.fromkeys([*_session.settings().wards, stay.bed.patient.ward]))
    st.text(f"Now: {stay.bed.patient.ward}, bed {stay.bed.patient.bed}")
    of_ward = st.selectbox("Ward", known, index=None, placeholder="Choose", key="move-ward")
    bed = st.text_input("Bed", max_chars=20, key="move-bed")
    problems = [] if of_ward and bed.strip() else ["Say the ward and the bed."]

    def write(by: str) -> tuple[str, str]:
        care.transfer_bed(
            _session.record(), _session.protocols(), flap_id=stay.bed.flap.id, by=by,
            ward=str(of_ward), bed=bed, now=_session.now(),
        )  # fmt: skip
        return "Moved, with every flap of this patient", read_back(stay, "Corrections")

    finish(stay, "Move", problems, write, "move")


def _correct(stay: Stay) -> None:
    problems: list[str] = []
    changes = _correcting.changed_fact(stay, problems)
    reason = st.text_input("Why was it wrong?", key="correct-reason", max_chars=300)

    def write(by: str) -> tuple[str, str]:
        care.correct_flap(
            _session.record(), _session.protocols(), flap_id=stay.bed.flap.id, by=by,
            changes=changes, reason=reason, now=_session.now(),
        )  # fmt: skip
        return "Set right; every check was judged again", read_back(stay, "Corrections")

    finish(stay, "Set it right", problems, write, "correct")


ACTS: dict[str, tuple[str, Form, bool]] = {
    "amend": ("Amend a check", _correcting.amend, False),
    "strike": ("Strike a check", _correcting.strike, False),
    "photo": ("Add a photo", _photos.add, False),
    "strike-photo": ("Strike a photo", _photos.strike, False),
    "baseline": ("Set baseline", _correcting.baseline, True),
    "hold": ("Put on hold", _hold, True),
    "release": ("Release from hold", _release, True),
    "return": ("Return to theatre", _return, False),
    "move": ("Move bed", _transfer, True),
    "correct": ("Correct a fact", _correct, False),
    "withdraw-return": ("Theatre not needed", _correcting_stays.withdraw_return, False),
    "correct-return": ("Correct a return", _correcting_stays.correct_return, False),
    "outcome": ("Outcome", _outcome, False),
    "correct-outcome": ("Correct the outcome", _correcting_stays.correct_outcome, False),
    "discharge": ("Discharge", _discharge, True),
}
"""Name to label, form, and whether it needs a flap that is still monitored."""

OFTEN = ("amend", "hold", "release", "return")
