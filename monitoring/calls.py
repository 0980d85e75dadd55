"""Who has an alert, who was told, and what comes next: in the words of a tile or a card."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from monitoring.clocks import clock
from monitoring.conditions import lasting
from monitoring.domain import AlertState, Intent, Pattern, Severity, Stream
from monitoring.reviews import Review, plan_words

INTENT_WORDS: Mapping[Intent, str] = {
    Intent.COMING: "coming",
    Intent.REVIEWING: "reviewing photo and chart",
    Intent.ADVISING: "advising by telephone",
    Intent.PASSING: "passing on",
}


TROUBLE = 48
"""How much of a provider's answer a tile has room for; the whole stands under Messages."""


@dataclass(frozen=True, slots=True)
class Told:
    """One person (or a shared room) that a rung of the ladder told, by all its messages: when it
    was written, when the first was sent and opened, and what the last failure said."""

    name: str
    at: datetime
    sent_at: datetime | None = None
    read_at: datetime | None = None
    trouble: str = ""
    dropped: bool = False


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert that is not closed, as the board shows it; ``decisive`` are the signs it rests on.

    ``paged_at`` is when its ladder began, ``told`` who was told since, ``silent_since`` from when
    on rungs found nobody to tell, ``next_at`` when the next is due, ``rounds`` how often everybody
    was told, ``review`` the last one while its plan holds.
    Names, not ids; ``names`` for those of the review.
    """

    id: int
    flap_id: str
    stream: Stream
    severity: Severity
    pattern: Pattern
    state: AlertState
    raised_at: datetime
    first_sign_at: datetime
    because: str
    rule: str
    do_now: str = ""
    decisive: frozenset[str] = frozenset()
    recovered_at: datetime | None = None
    amended_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    intent: Intent | None = None
    expected_at: datetime | None = None
    verbal_by: str | None = None
    arrived_at: datetime | None = None
    holds_until: datetime | None = None
    review: Review | None = None
    passed_by: str | None = None
    passed_to: str | None = None
    passed_at: datetime | None = None
    lapsed_by: str | None = None
    lapsed_at: datetime | None = None
    snoozed_by: str | None = None
    snoozed_until: datetime | None = None
    snooze_reason: str = ""
    paged_at: datetime | None = None
    told: Sequence[Told] = ()
    next_at: datetime | None = None
    silent_since: datetime | None = None
    rounds: int = 0
    names: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def owned(self) -> bool:
        """Whether somebody has it: a review of the alert, or an acknowledgement that holds."""
        taken = self.state is AlertState.ACKNOWLEDGED and self.acknowledged_by is not None
        return taken and self.intent is not Intent.PASSING


def who_has_it(alert: OpenAlert, now: datetime, zone: ZoneInfo) -> tuple[str, bool]:
    """Who has the alert and by when; or why nobody has, who was told, and who is next. True when
    somebody has it."""
    if alert.owned:
        return _answered(alert, now, zone), True
    since = alert.lapsed_at or alert.raised_at
    said = [_why_nobody(alert, now, zone)]
    said += [_resting(alert, now, zone)] if alert.snoozed_until is not None else []
    said.append(_told(alert, now, zone))
    open_for = lasting(max(now - since, timedelta(0)))
    return f"open {open_for}, nobody has it yet{''.join(said)}", False


def _answered(alert: OpenAlert, now: datetime, zone: ZoneInfo) -> str:
    if alert.review is not None:
        return _plan(alert, alert.review, now, zone)
    assert alert.acknowledged_at is not None
    text = f"{clock(alert.acknowledged_at, zone, now)} acknowledged by {alert.acknowledged_by}"
    if alert.verbal_by is not None:
        text += f" (by telephone, written down by {alert.verbal_by})"
    if alert.intent is not None:
        text += f": {INTENT_WORDS[alert.intent]}"
    if alert.arrived_at is not None:
        return f"{text}, at the bedside since {clock(alert.arrived_at, zone, now)}"
    if alert.expected_at is not None:
        text += f", {clock(alert.expected_at, zone, now)}"
    return text


def _plan(alert: OpenAlert, review: Review, now: datetime, zone: ZoneInfo) -> str:
    """The plan by whom at what time, whether it was read back, and until when it stands."""
    said = plan_words(review, alert.names, zone, now)
    if review.read_back_at is None or review.read_back_by is None:
        said += "; not read back yet"
    else:
        who = alert.names.get(review.read_back_by, review.read_back_by)
        said += f"; read back by {who} {clock(review.read_back_at, zone, now)}"
    if alert.holds_until is None:
        return said
    return f"{said}; stands until {clock(alert.holds_until, zone, now)}"


def _why_nobody(alert: OpenAlert, now: datetime, zone: ZoneInfo) -> str:
    if alert.passed_to is not None and alert.passed_at is not None:
        at = clock(alert.passed_at, zone, now)
        return f"; passed on by {alert.passed_by} to {alert.passed_to} {at}, who has not answered"
    if alert.lapsed_by is not None and alert.lapsed_at is not None:
        return f"; {alert.lapsed_by} had it until {clock(alert.lapsed_at, zone, now)}"
    return ""


def _resting(alert: OpenAlert, now: datetime, zone: ZoneInfo) -> str:
    assert alert.snoozed_until is not None
    until = clock(alert.snoozed_until, zone, now)
    return f"; paging rests until {until}, said {alert.snoozed_by}: {alert.snooze_reason}"


def _told(alert: OpenAlert, now: datetime, zone: ZoneInfo) -> str:
    told = [t for t in alert.told if not t.dropped]
    if not told:
        return "; NOBODY TOLD: nobody on call can be reached, ring them"
    said = f"; told {', '.join(told_words(told, now, zone))}"
    if alert.silent_since is not None:
        since = clock(alert.silent_since, zone, now)
        return f"{said}; NOBODY TOLD since {since}: nobody on call can be reached, ring them"
    if alert.rounds:
        said += f"; everybody was told {'once' if alert.rounds == 1 else f'{alert.rounds} times'}"
        said += " without an answer"
    if alert.next_at is not None and alert.snoozed_until is None:
        said += f"; next {clock(alert.next_at, zone, now)}"
    return said


def told_words(told: Iterable[Told], now: datetime, zone: ZoneInfo) -> list[str]:
    """The last time each was told: "Dr Osei 02:14 (not sent yet: no answer)"."""
    latest = {t.name: t for t in told}
    return [f"{t.name} {clock(t.at, zone, now)}{_how(t, now, zone)}" for t in latest.values()]


def _how(told: Told, now: datetime, zone: ZoneInfo) -> str:
    if told.read_at is not None:
        return f" (read {clock(told.read_at, zone, now)})"
    if told.sent_at is not None:
        return ""
    if not told.trouble:
        return " (being sent)"
    trouble = told.trouble if len(told.trouble) <= TROUBLE else f"{told.trouble[:TROUBLE]}.."
    return f" (NOT SENT, ring them: {trouble})"
