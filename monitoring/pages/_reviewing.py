"""Pieces of a review: who decides, what each decision needs, what was found; and, on the flap's
page, the plan that stands, its read-back and the end of an order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import streamlit as st

from monitoring import care, review_views
from monitoring.domain import BedsideAction, Decision, ReviewMode
from monitoring.pages import _session
from monitoring.pages._stay_forms import finish, wall, when, whose, words
from monitoring.review_views import Filled, Plan
from monitoring.reviews import ACTION_WORDS, MODE_WORDS, by_order_words
from monitoring.signs import SIGNS, UnableReason
from monitoring.ward import Stay

NUMBER, UNABLE, OTHER = "a number", "unable", "other"
HOURS = (2, 4, 8, 12, 24)


def who(stay: Stay, key: str) -> tuple[str | None, str | None]:
    """Who fills the form, and whose decision it is: a nurse writes one down for a surgeon."""
    me = st.query_params.get("me")
    staff = _session.staff(stay.bed.patient.ward)
    if me is not None and f"who-{key}" not in st.session_state:
        st.session_state[f"who-{key}"] = me if me in {s.id for s in staff} else None
    writer = _session.person(key, stay.bed.patient.ward)
    surgeons = review_views.surgeons(staff)
    if writer is None or writer in surgeons:
        return writer, writer
    return writer, st.selectbox(
        "Whose decision do you write down?", list(surgeons), index=None, key=f"for-{key}",
        placeholder="Choose the surgeon", format_func=lambda i: surgeons[i],
    )  # fmt: skip


def mode(key: str, verbal: bool) -> ReviewMode | None:
    """How the flap was looked at; what is written down for somebody was said by telephone."""
    offered = [m for m in ReviewMode if not verbal or m is not ReviewMode.BEDSIDE]
    chosen: ReviewMode | None = st.segmented_control(
        "How was the flap looked at?", offered, key=f"mode-{key}-{verbal}",
        format_func=lambda m: MODE_WORDS[m], wrap=True,
    )  # fmt: skip
    return chosen


def decision(key: str) -> tuple[Decision | None, int | None, list[BedsideAction]]:
    """What is decided, and what that needs."""
    chosen = st.segmented_control(
        "What is decided?", list(Decision), key=f"decision-{key}", width="stretch", wrap=True,
        format_func=lambda d: review_views.DECISIONS[d],
    )  # fmt: skip
    actions: list[BedsideAction] = []
    if chosen in (Decision.BEDSIDE_ACTION, Decision.RETURN_TO_THEATRE):
        actions = st.pills(
            "What is done at the bedside?", list(BedsideAction), selection_mode="multi",
            format_func=lambda a: ACTION_WORDS[a], key=f"actions-{key}", wrap=True,
        )  # fmt: skip
    minutes = None
    if chosen is not None and chosen is not Decision.CONTINUE:
        label = "Look again in" if chosen is Decision.RECHECK_IN else "Look again in, if at all"
        minutes = several_minutes(label, review_views.RECHECKS, f"recheck-{key}")
    return chosen, minutes, actions


def several_minutes(label: str, offered: tuple[int, ...], key: str) -> int | None:
    """Minutes: a few to choose from, any other typed."""
    chosen = st.segmented_control(
        label, [*offered, OTHER], key=key, wrap=True,
        format_func=lambda m: "other" if m == OTHER else f"{m} min",
    )  # fmt: skip
    typed = ""
    if chosen == OTHER:
        typed = st.text_input("Minutes", key=f"typed-{key}", max_chars=4)
        if not typed.strip():
            return None
    return review_views.minutes(chosen, typed, label)


def order(key: str, problems: list[str]) -> tuple[bool, int | None, datetime | None]:
    """Another interval until a stated time, signed with the review."""
    if not st.toggle("Order another interval", key=f"order-{key}"):
        return False, None, None
    every = several_minutes("Look every", review_views.INTERVALS, f"every-{key}")
    chosen = st.segmented_control(
        "Until", [*HOURS, OTHER], key=f"until-{key}", wrap=True,
        format_func=lambda h: "another time" if h == OTHER else f"in {h} h",
    )  # fmt: skip
    until = None
    if chosen == OTHER:
        until = wall("Until", f"until-{key}", problems)
    elif chosen is not None:  # counted once, from when it was chosen
        ahead = _session.now() + timedelta(hours=int(chosen))
        until = st.session_state.setdefault(f"until-at-{key}-{chosen}", ahead)
    if until is not None:
        zone = _session.settings().zone
        st.text(f"The order holds until {review_views.until_words(until, zone)}.")
    return True, every, until


def findings(stay: Stay, key: str) -> dict[str, object]:
    """What the clinician found, sign by sign; nothing is chosen before somebody chooses."""
    offered = review_views.asked_signs(stay.bed)
    with st.expander("What was found", icon=":material/stethoscope:"):
        more = st.multiselect(
            "Other signs", [n for n in SIGNS if n not in offered], key=f"more-{key}",
            format_func=lambda n: SIGNS[n].label, placeholder="Add a sign",
        )  # fmt: skip
        raw = {name: _sign(name, key) for name in [*offered, *more]}
    return {name: value for name, value in raw.items() if value is not None}


def _sign(name: str, key: str) -> object:
    sign = SIGNS[name]
    plain = sign.words if sign.kind in ("words", "refill") else ()
    plain = ("yes", "no") if sign.kind == "yes_no" else plain
    number = (NUMBER,) if sign.kind in ("number", "refill") else ()
    chosen = st.selectbox(
        sign.label, [*number, *plain, UNABLE], index=None, key=f"{name}-{key}",
        placeholder="Not looked at", format_func=words,
    )  # fmt: skip
    if chosen == NUMBER:
        return {"typed": st.text_input(f"{sign.label}, {sign.unit}", key=f"n-{name}-{key}",
                                       max_chars=8)}  # fmt: skip
    if chosen == UNABLE:
        why = st.selectbox(
            f"{sign.label}: unable, why?", list(UnableReason), index=None, format_func=words,
            key=f"why-{name}-{key}", placeholder="Choose the reason",
        )  # fmt: skip
        text = ""
        if why is UnableReason.OTHER:
            text = st.text_input("Which reason?", key=f"other-{name}-{key}", max_chars=120)
        return {"unable": "" if why is None else why.value, "text": text}
    return {"yes": True, "no": False}[chosen] if sign.kind == "yes_no" and chosen else chosen


def fill(stay: Stay, alert_id: int | None, key: str, problems: list[str]) -> Filled:
    """The whole form, as far as it is filled."""
    decided, minutes, actions = decision(key)
    writer, by = who(stay, key)
    looked = mode(key, verbal=by != writer)
    st.session_state.setdefault(f"when-at-{key}", "now")
    at = when("When?", f"at-{key}", problems, None)
    found = findings(stay, key)
    ordering, every, until = order(key, problems)
    note = st.text_area("Note", key=f"note-{key}", max_chars=2000, height=80)
    form_key = st.session_state.setdefault(f"form-{key}", str(uuid4()))
    return Filled(
        key=UUID(form_key), flap_id=stay.bed.flap.id, alert_id=alert_id, writer=writer, by=by,
        mode=looked, reviewed_at=at, decision=decided, recheck_minutes=minutes, actions=actions,
        every_minutes=every, until_at=until, ordering=ordering, signs=found, note=note.strip(),
    )  # fmt: skip


# On the flap's page ---------------------------------------------------------------------------


def plan(stay: Stay, shown: Plan) -> None:
    """The plan that stands, above everything else, with its read-back and the end of its order."""
    flap_id = stay.bed.flap.id
    if shown.anything:
        with st.container(border=True, key="plan"):
            st.markdown(f"#### {'Plan' if not shown.theatre else f'Plan: {shown.theatre}'}")
            if shown.lines:
                st.text(shown.lines)
            if shown.unread:
                st.markdown(":orange[:material/record_voice_over: **Not read back yet.**]")
            elif shown.read_back:
                st.text(shown.read_back)
            with st.container(horizontal=True):
                if shown.unread:
                    _begin(flap_id, "read-back", "Read it back", primary=True)
                if shown.order:
                    _begin(flap_id, "end-order", "End the order")
    doing = st.session_state.get("doing")
    if doing is not None and doing[0] == flap_id and doing[1] in _FORMS:
        label, form = _FORMS[doing[1]]
        st.dialog(label, on_dismiss=_forget)(_with_identity)(form, stay, shown)


def _begin(flap_id: str, name: str, label: str, *, primary: bool = False) -> None:
    st.button(
        label, type="primary" if primary else "secondary", key=f"act-{name}", on_click=_start,
        args=(flap_id, name),
    )  # fmt: skip


def _start(flap_id: str, name: str) -> None:
    """A form is opened. As a callback it is not lost when the page is drawn anew meanwhile."""
    st.session_state["doing"] = (flap_id, name)
    st.session_state.pop("done", None)


def _forget() -> None:
    st.session_state.pop("doing", None)


Form = Callable[[Stay, Plan], None]


def _with_identity(form: Form, stay: Stay, shown: Plan) -> None:
    whose(stay)
    with _session.sentences():
        form(stay, shown)


def _confirm(stay: Stay, shown: Plan) -> None:
    st.text(shown.plan)
    st.markdown("For the flap's nurse: this is what I understood, and what I will do.")

    def write(by: str) -> tuple[str, str]:
        assert shown.key is not None
        now, zone = _session.now(), _session.settings().zone
        told = care.confirm_read_back(_session.record(), key=shown.key, by=by, now=now)
        return "Read back", review_views.told_back(told, stay.names, zone, now)

    finish(stay, "I read it back", [], write, "read-back")


def _end_order(stay: Stay, shown: Plan) -> None:
    st.text(shown.order)
    st.markdown("From now on the checks are due as the protocol asks.")

    def write(by: str) -> tuple[str, str]:
        now, zone = _session.now(), _session.settings().zone
        ended = care.end_order(
            _session.record(), _session.protocols(), flap_id=stay.bed.flap.id, by=by, now=now
        )
        said = by_order_words(ended.order, stay.names, zone, now)
        return "Order ended; the protocol stands", f"Every {ended.order.every_minutes:g} min {said}"

    finish(stay, "End the order", [], write, "end-order")


_FORMS: dict[str, tuple[str, Form]] = {
    "read-back": ("Read the plan back", _confirm),
    "end-order": ("End the order", _end_order),
}
