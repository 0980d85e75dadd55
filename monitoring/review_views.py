"""A review in the words of its page: whose flap, why, the last readings, what was filled in, and
what came of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from monitoring import entry, reviews
from monitoring.board import Bedside
from monitoring.care import Reviewed
from monitoring.clocks import clock
from monitoring.conditions import lasting
from monitoring.domain import SURGEONS, AlertState, BedsideAction, Decision, Order, ReviewMode, Role
from monitoring.episodes import StoredAlert
from monitoring.people import Staff
from monitoring.reviews import (
    Review,
    by_order_words,
    decision_words,
    newest,
    plan_words,
    theatre_clock,
    under_way,
)
from monitoring.signs import SIGNS, BadValue, MonitoringError, SignValue
from monitoring.ward import Stay

LAST = 3
"""How many of the last checks stand above a review."""

RECHECKS = (10, 15, 20, 30, 60)
"""Minutes that are offered for a recheck; any other is typed."""

INTERVALS = (10, 15, 20, 30, 60, 120, 240)
"""Minutes that are offered for an order; any other is typed."""

DECISIONS = {
    Decision.CONTINUE: "Continue",
    Decision.RECHECK_IN: "Recheck",
    Decision.BEDSIDE_ACTION: "Bedside action",
    Decision.RETURN_TO_THEATRE: "Return to theatre",
}
"""The decisions as big choices."""


_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!~:$|])")


def plain(text: str) -> str:
    """A text that somebody wrote, for a button: shown letter by letter, never as markup."""
    return _MARKS.sub(r"\\\1", text)


class Lacking(MonitoringError):
    """What a filled form still lacks, in sentences."""


def title_words(bed: Bedside) -> str:
    """Two identifiers, the flap and where it lies."""
    patient = bed.patient
    return (
        f"{patient.name} · MRN {patient.mrn} · {bed.flap.facts.label}\n"
        f"{patient.ward}, bed {patient.bed} · born {patient.born_on:%d %b %Y}"
    )


def alert_words(alert: StoredAlert, zone: ZoneInfo, now: datetime) -> str:
    """An alert in a line, for choosing among several."""
    pattern = "" if alert.pattern is None else f" {alert.pattern.replace('_', ' ')}"
    first = alert.first_sign_at or alert.raised_at
    return (
        f"{alert.severity.upper()}{pattern}, first sign {clock(first, zone, now)}, "
        f"{lasting(now - first)} ago"
    )


def open_alerts(stay: Stay) -> list[StoredAlert]:
    """The alerts a review may answer, the worst first."""
    running = (a for a in stay.alerts if a.state is not AlertState.CLOSED)
    return sorted(running, key=lambda a: (-a.severity.rank, a.raised_at))


def last_readings(stay: Stay, zone: ZoneInfo, now: datetime) -> list[str]:
    """The last checks, newest first, a line each: when, who, and every sign that was answered."""
    lines = []
    for seen in reversed(stay.bed.seen[-LAST:]):
        check = seen.check
        said = [f"{SIGNS[n].said} {SIGNS[n].show(v)}" for n, v in check.signs.items()]
        by = stay.names.get(check.by, check.by)
        word = "" if seen.severity.rank == 0 else f" {seen.severity.upper()}"
        readings = ", ".join(said) or "nothing answered"
        lines.append(f"{clock(check.observed_at, zone, now)}{word}, {by}: {readings}")
    return lines


def surgeons(staff: Iterable[Staff]) -> dict[str, str]:
    """Who may decide, by id."""
    return {s.id: f"{s.name} · {s.role}" for s in staff if s.role in SURGEONS}


def role_of(staff: Iterable[Staff], staff_id: str | None) -> Role | None:
    """The role of whoever fills the form; None while nobody is chosen."""
    return next((s.role for s in staff if s.id == staff_id), None)


def asked_signs(bed: Bedside) -> list[str]:
    """The signs a review of this flap offers first: those its checks answer."""
    return list(bed.protocol.required_for(bed.flap.facts))


def examination(raw: Mapping[str, object], now: datetime) -> dict[str, SignValue]:
    """What was found, from raw answers of the form, read exactly like a check's.

    Raises Wrong with a sentence by sign.
    """
    if not raw:
        return {}
    form = {"signs": dict(raw), "by": "reader", "form_key": str(UUID(int=0))}
    check, _ = entry.read_check(form, flap_id="", zone=ZoneInfo("UTC"), now=now)
    return dict(check.signs)


def minutes(chosen: int | str | None, typed: str, what: str) -> int | None:
    """A number of minutes that was chosen, or typed. Raises Lacking."""
    if isinstance(chosen, int) or chosen is None:
        return chosen
    text = typed.strip()
    if not text.isdecimal():
        raise Lacking(f"{what}: give whole minutes, {typed!r} is none.")
    return int(text)


@dataclass(frozen=True, slots=True)
class Filled:
    """What was filled in so far; None is not said yet."""

    key: UUID
    flap_id: str
    alert_id: int | None
    writer: str | None
    by: str | None
    mode: ReviewMode | None
    reviewed_at: datetime | None
    decision: Decision | None
    recheck_minutes: int | None
    actions: Sequence[BedsideAction]
    every_minutes: int | None
    until_at: datetime | None
    ordering: bool
    signs: Mapping[str, object]
    note: str


def read_review(filled: Filled, now: datetime) -> Review:
    """The review a filled form stands for. Raises Lacking, BadValue or Wrong, in sentences."""
    lacking = [
        sentence
        for missing, sentence in (
            (filled.writer is None, "Say who you are."),
            (filled.by is None, "Say whose decision you write down."),
            (filled.mode is None, "Say how the flap was looked at."),
            (filled.reviewed_at is None, "Say when."),
            (filled.decision is None, "Say what is decided."),
        )
        if missing
    ]
    if lacking:
        raise Lacking(" ".join(lacking))
    told: dict[str, Any] = {
        "key": filled.key, "flap_id": filled.flap_id, "alert_id": filled.alert_id,
        "by": filled.by, "recorded_by": filled.writer, "reviewed_at": filled.reviewed_at,
        "recorded_at": now, "mode": filled.mode, "decision": filled.decision,
        "recheck_minutes": filled.recheck_minutes, "actions": tuple(filled.actions),
        "examination": examination(filled.signs, now), "note": filled.note or None,
        "order": _order(filled, now),
    }  # fmt: skip
    return Review(**told)


def _order(filled: Filled, now: datetime) -> Order | None:
    if not filled.ordering:
        return None
    if filled.every_minutes is None or filled.until_at is None:
        raise Lacking("An order says how often to look, and until when.")
    given = {
        "every_minutes": filled.every_minutes, "from_at": now, "until_at": filled.until_at,
        "by": filled.by,
    }  # fmt: skip
    if filled.until_at <= now:
        raise BadValue("order", "The order ends in the past: look at the time.")
    return reviews.read_order(given)


def until_words(until: datetime, zone: ZoneInfo) -> str:
    """When an order ends, with its day: "Tue 24 Nov 06:00"."""
    return f"{until.astimezone(zone):%a %d %b} {clock(until, zone)}"


def confirm_words(filled: Filled, bed: Bedside) -> str:
    """The button that signs: the decision, and whose flap it is."""
    if filled.decision is None:
        return plain(f"Decide for {bed.patient.name}")
    said = DECISIONS[filled.decision]
    if filled.decision is Decision.RECHECK_IN and filled.recheck_minutes is not None:
        said = f"Recheck in {filled.recheck_minutes} min"
    return plain(f"{said}: {bed.patient.name}, {bed.flap.facts.label}")


def done_words(
    done: Reviewed, bed: Bedside, names: Mapping[str, str], zone: ZoneInfo, now: datetime
) -> tuple[str, str]:
    """What was written, read back from the record: a title and the plan."""
    review = done.review
    title = f"Written down {clock(review.recorded_at, zone, now)}"
    if done.repeated:
        title = f"Already written down {clock(review.recorded_at, zone, now)}"
    whose = f"{bed.patient.name}, MRN {bed.patient.mrn}, {bed.flap.facts.label}"
    said = f"{whose}. {plan_words(review, names, zone, now)}."
    alert = done.alert
    if alert is not None and alert.acknowledged_by is None:
        said += " The alert stays open: it became worse after this review."
    elif alert is not None and alert.plan_until is not None:
        said += f" The plan holds until {clock(alert.plan_until, zone, now)}; then the alert is "
        said += "loud again."
    return title, said


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan that stands, for the flap page: what a clinician decided, whether it was read
    back, the order in force and the way to theatre, each in words; empty where there is none."""

    key: UUID | None
    plan: str
    read_back: str
    unread: bool
    order: str
    theatre: str

    @property
    def anything(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.plan or self.order or self.theatre)

    @property
    def lines(self) -> str:
        """The decision, and the order that goes with it or came before."""
        return "\n".join(filter(None, (self.plan, self.order)))


def plan_of(stay: Stay, zone: ZoneInfo, now: datetime) -> Plan:
    """The plan of a stay as it stands now (see ``_standing``)."""
    last = _standing(stay, now)
    order = next((o for o in stay.bed.flap.orders if o.from_at <= now < o.until_at), None)
    back = under_way(stay.bed.flap.returns)
    return Plan(
        key=None if last is None else last.key,
        plan="" if last is None else plan_words(last, stay.names, zone, now),
        read_back=_read_back(last, stay.names, zone, now),
        unread=last is not None and last.read_back_at is None,
        order="" if order is None else _ordered(order, stay.names, zone, now),
        theatre="" if back is None else theatre_clock(back, zone, now),
    )


PLAN_FOR = timedelta(hours=24)
"""How long a decision is shown as the plan once its alert is closed."""


def _standing(stay: Stay, now: datetime) -> Review | None:
    """The last decision, for as long as it is the plan: the flap is monitored, was not back from
    theatre since, theatre was not withdrawn, and the alert is not closed or the decision is of
    the last day."""
    last = newest(stay.reviews)
    if last is None or stay.bed.flap.ended_at is not None:
        return None
    back = [r.back_at for r in stay.bed.flap.returns if r.back_at is not None]
    to_theatre = last.decision is Decision.RETURN_TO_THEATRE
    withdrawn = to_theatre and under_way(stay.bed.flap.returns) is None
    if withdrawn or any(at > last.reviewed_at for at in back):
        return None
    running = any(a.id == last.alert_id for a in open_alerts(stay))
    return last if running or now - last.reviewed_at < PLAN_FOR else None


def _ordered(order: Order, names: Mapping[str, str], zone: ZoneInfo, now: datetime) -> str:
    return f"Look every {order.every_minutes:g} min, {by_order_words(order, names, zone, now)}."


def _read_back(
    review: Review | None, names: Mapping[str, str], zone: ZoneInfo, now: datetime
) -> str:
    if review is None:
        return ""
    if review.read_back_at is None:
        return "Not read back yet."
    by = names.get(review.read_back_by or "", review.read_back_by or "")
    return f"Read back by {by}, {clock(review.read_back_at, zone, now)}."


def told_back(review: Review, names: Mapping[str, str], zone: ZoneInfo, now: datetime) -> str:
    """What a nurse confirmed, as the record holds it."""
    return f"{decision_words(review)}. {_read_back(review, names, zone, now)}"
