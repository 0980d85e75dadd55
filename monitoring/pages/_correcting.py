"""Setting the record right: amend a check sign by sign, strike one, correct a fact.

Nothing is carried over in silence: every old value stands in words beside a control that says
"keep" until somebody chooses otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID, uuid4

import streamlit as st

from monitoring import care, stay_views, ward
from monitoring.amending import Changes, amendment
from monitoring.clocks import clock
from monitoring.domain import (
    Check,
    FlapKind,
    FlapName,
    Monitor,
    Outcome,
    Recipient,
    Return,
    RiskFactor,
    Side,
    SkinType,
    Tissue,
)
from monitoring.pages import _session
from monitoring.pages._stay_forms import finish, wall, words
from monitoring.signs import SIGNS, UnableReason
from monitoring.stay_facts import FACT_NAMES
from monitoring.ward import Stay

V = TypeVar("V", Return, Outcome)
KEEP, OTHER, UNABLE, REMOVE = "keep", "another value", "unable", "not looked at"


def value(kind: type[V], given: Mapping[str, Any]) -> V:
    """The value that was entered. Raises Refused with the sentence of what cannot be."""
    try:
        return kind.model_validate(dict(given))
    except ValueError as error:
        first = getattr(error, "errors", list)()
        said = str(first[0]["msg"]) if first else str(error)
        raise care.Refused(said.removeprefix("Value error, ")) from None


def _chosen(stay: Stay, verb: str) -> Check | None:
    known = stay_views.standing_checks(stay, now=_session.now(), zone=_session.settings().zone)
    key = st.selectbox(
        f"Which check is {verb}?", list(known), index=None, placeholder="Choose a check",
        format_func=lambda k: known[k], key=f"which-{verb}",
    )  # fmt: skip
    return next((v.check for v in stay.versions if v.check.key == key), None)


def strike(stay: Stay) -> None:
    """Strike a check through: it was entered on the wrong patient."""
    check = _chosen(stay, "struck through")
    st.markdown("It stays readable and counts no more. Enter it again on the right patient.")
    reason = st.text_input("Why?", key="strike-reason", max_chars=300)
    problems = [] if check is not None else ["Choose the check."]

    def write(by: str) -> tuple[str, str]:
        assert check is not None
        struck = care.retract_check(
            _session.record(), _session.protocols(), key=check.key, by=by, reason=reason,
            now=_session.now(),
        )  # fmt: skip
        at = clock(struck.check.observed_at, _session.settings().zone, _session.now())
        return "Struck through; what followed was judged again", (
            f"Check of {at}: {struck.struck_reason}"
        )

    finish(stay, "Strike it through", problems, write, "strike")


def baseline(stay: Stay) -> None:
    """A surgeon chooses the check that change is measured from."""
    check = _chosen(stay, "the baseline")
    st.markdown("For a registrar or consultant. Every check is judged again from it.")
    problems = [] if check is not None else ["Choose the check."]

    def write(by: str) -> tuple[str, str]:
        assert check is not None
        flap_id, zone = stay.bed.flap.id, _session.settings().zone
        care.set_baseline(
            _session.record(), _session.protocols(), flap_id=flap_id, key=check.key, by=by,
            now=_session.now(),
        )  # fmt: skip
        now_set = ward.stay(_session.record(), _session.protocols(), flap_id).bed.flap.baseline
        assert now_set is not None
        at = clock(now_set.observed_at, zone, _session.now())
        return "Baseline set; every check was judged again", f"Baseline: the check of {at}"

    finish(stay, "Set the baseline", problems, write, "baseline")


def amend(stay: Stay) -> None:
    """Put a new version in the place of a check."""
    old = _chosen(stay, "amended")
    if old is None:
        return
    st.markdown("Every value is kept as it was unless you choose otherwise.")
    problems: list[str] = []
    changes = _changes(old, problems)
    reason = st.text_input("Why is it amended?", key=f"why-{old.key}", max_chars=300)
    confirmed = _confirmed(old.key)

    def write(by: str) -> tuple[str, str]:
        new_key = UUID(st.session_state.setdefault(f"amend-{old.key}", str(uuid4())))
        now = _session.now()
        new = amendment(old, changes, key=new_key, now=now)
        try:
            saved = care.amend_check(
                _session.record(), _session.protocols(), key=old.key, check=new, by=by,
                reason=reason, now=now, confirmed=confirmed,
            )  # fmt: skip
        except care.NeedsConfirmation as error:
            st.session_state[f"asked-{old.key}"] = error.questions
            st.rerun()
        worst = saved.assessment.findings[:1]
        said = f"{worst[0].severity.upper()}: {worst[0].because}" if worst else "No finding."
        return "Amended; the old version stays readable, what followed was judged again", said

    finish(stay, "Amend this check", problems, write, "amend")


def _confirmed(key: UUID) -> frozenset[str]:
    """The unusual values that were asked about and are right."""
    asked: dict[str, str] = st.session_state.get(f"asked-{key}", {})
    if asked:
        st.markdown(":orange[:material/help: **Not saved yet:** say whether these are right.]")
    return frozenset(
        sign for sign, question in asked.items() if st.checkbox(question, key=f"ok-{key}-{sign}")
    )


def _changes(old: Check, problems: list[str]) -> Changes:
    zone, key = _session.settings().zone, str(old.key)
    at = clock(old.observed_at, zone, _session.now())
    observed = None
    if st.segmented_control(
        "Observed", [KEEP, OTHER], default=KEEP, key=f"at-{key}",
        format_func=lambda w: f"keep: {at}" if w == KEEP else "another time",
    ) == OTHER:  # fmt: skip
        observed = wall("Observed", f"amend-{key}", problems)
    signs: dict[str, object] = {}
    removed: list[str] = []
    more = st.multiselect(
        "Signs that were left out", [n for n in SIGNS if n not in old.signs],
        format_func=lambda n: SIGNS[n].label, key=f"more-{key}", placeholder="Add a sign",
    )  # fmt: skip
    shown = [*(n for n in SIGNS if n in old.signs), *more]
    rows = [column for _ in shown[::2] for column in st.columns(2)]
    for name, column in zip(shown, rows, strict=False):
        with column:
            answer = _sign(name, old, key, problems)
        if answer == REMOVE:
            removed.append(name)
        elif answer is not None:
            signs[name] = answer
    note = _rewritten("Note", old.note, f"note-{key}")
    concern = st.segmented_control(
        "Nurse concern", [KEEP, "yes", "no"], default=KEEP, key=f"worried-{key}",
        format_func=lambda w: f"keep: {'yes' if old.nurse_concern else 'no'}" if w == KEEP else w,
    )  # fmt: skip
    return Changes(signs, removed, observed, note, {"yes": True, "no": False}.get(str(concern)))


def _rewritten(label: str, old: str | None, key: str) -> str | None:
    """A text that is kept, or written anew from a blank field."""
    st.text(f"{label}: {old or 'none'}")
    if not st.checkbox(f"Write another {label.lower()}", key=f"anew-{key}"):
        return None
    return st.text_area(label, key=key, max_chars=2000, label_visibility="collapsed")


def _sign(name: str, old: Check, key: str, problems: list[str]) -> object:
    """What becomes of one sign: None to keep it, REMOVE, or a raw answer."""
    sign, had = SIGNS[name], name in old.signs
    plain = sign.words if sign.kind in ("words", "refill") else ()
    plain = ("yes", "no") if sign.kind == "yes_no" else plain
    typed = (OTHER,) if sign.kind in ("number", "refill") else ()
    options = [*([KEEP] if had else []), *typed, *plain, UNABLE, *([REMOVE] if had else [])]
    chosen = st.selectbox(
        sign.label, options, index=0 if had else None, key=f"{name}-{key}", placeholder="Choose",
        format_func=lambda w: f"keep: {sign.show(old.signs[name])}" if w == KEEP else words(w),
    )  # fmt: skip
    if chosen is None:
        problems.append(f"{sign.label}: choose what was seen, or take the sign off the list.")
    if chosen in (None, KEEP):
        return None
    if chosen == OTHER:
        text = st.text_input(f"{sign.label}, {sign.unit}", key=f"typed-{name}-{key}", max_chars=8)
        if not text.strip():
            problems.append(f"{sign.label}: give the value, or keep the old one.")
        return {"typed": text}
    if chosen == UNABLE:
        return _unable(name, key)
    return {"yes": True, "no": False}[chosen] if sign.kind == "yes_no" else chosen


def _unable(name: str, key: str) -> object:
    reason = st.selectbox(
        f"{SIGNS[name].label}: unable, why?", list(UnableReason), index=None, format_func=words,
        key=f"unable-{name}-{key}", placeholder="Choose the reason",
    )  # fmt: skip
    if reason is None:
        return {"unable": ""}
    text = ""
    if reason is UnableReason.OTHER:
        text = st.text_input("Which reason?", key=f"other-{name}-{key}", max_chars=120)
    return {"unable": reason.value, "text": text}


# Facts ----------------------------------------------------------------------------------------

_CHOICES: dict[str, type[StrEnum]] = {
    "kind": FlapKind, "name": FlapName, "tissue": Tissue, "recipient": Recipient, "side": Side,
    "skin_type": SkinType,
}  # fmt: skip
_SEVERAL: dict[str, type[StrEnum]] = {"risk_factors": RiskFactor, "monitors": Monitor}
_MOMENTS = ("perfused_at", "monitoring_from")


def changed_fact(stay: Stay, problems: list[str]) -> dict[str, object]:
    """One fact and its right value, the recorded one standing beside it."""
    patient, facts = stay.bed.patient, stay.bed.flap.facts
    recorded = {n: getattr(patient, n) for n in ("mrn", "name", "born_on")}
    recorded |= {n: getattr(facts, n) for n in type(facts).model_fields if n != "name"}
    name = st.selectbox(
        "Which fact is wrong?", list(recorded), index=None, placeholder="Choose",
        format_func=lambda n: FACT_NAMES.get(n, words(n)), key="fact",
    )  # fmt: skip
    if name is None:
        problems.append("Choose the fact that is wrong.")
        return {}
    st.text(f"Recorded: {_said(recorded[name])}")
    right = _right(name, problems)
    if right is None:
        problems.append(f"Say what is right: {FACT_NAMES.get(name, name)}.")
    return {name: right}


def _said(recorded: object) -> str:
    if recorded is None or recorded == frozenset():
        return "nothing"
    if isinstance(recorded, frozenset):
        return ", ".join(sorted(map(words, recorded)))
    if isinstance(recorded, bool):
        return "yes" if recorded else "no"
    if hasattr(recorded, "astimezone"):
        return f"{recorded.astimezone(_session.settings().zone):%d %b %Y %H:%M %Z}"
    return f"{recorded:%d %b %Y}" if isinstance(recorded, date) else words(recorded)


def _right(name: str, problems: list[str]) -> object:
    label = "What is right?"
    if name in _MOMENTS:
        return wall(label, f"fact-{name}", problems)
    if name in _CHOICES:
        return st.selectbox(
            label, list(_CHOICES[name]), index=None, placeholder="Choose", format_func=words,
            key=f"fact-{name}",
        )  # fmt: skip
    if name in _SEVERAL:
        return frozenset(
            st.pills(label, list(_SEVERAL[name]), selection_mode="multi", format_func=words,
                     key=f"fact-{name}", wrap=True)
        )  # fmt: skip
    if name == "buried":
        chosen = st.segmented_control(label, ["yes", "no"], key="fact-buried")
        return None if chosen is None else chosen == "yes"
    if name == "born_on":
        return st.date_input(
            label, value=None, format="DD/MM/YYYY", min_value=date(1900, 1, 1),
            max_value=_session.now().date(), key="fact-born",
        )  # fmt: skip
    text = st.text_area(label, key=f"fact-{name}", max_chars=2000) if name == "anastomosis" else (
        st.text_input(label, key=f"fact-{name}", max_chars=120))  # fmt: skip
    return text.strip() or None
