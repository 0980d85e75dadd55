"""The whole conversation about an alert in one order: what was seen, who was told and how, who
answered, what was decided, and how long each step took.

Intervals count from the first sign, which is never later than the alert. The targets are local
working figures (clinical sources, section 9; theatre within 2.5 h of the first sign: Erol25): they
are shown as targets and judge nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from monitoring.calls import INTENT_WORDS
from monitoring.clocks import clock
from monitoring.domain import SYSTEM, Decision, Intent, PageState, Return, Severity
from monitoring.episodes import AlertEvent, StoredAlert
from monitoring.paging import StoredPage
from monitoring.reviews import Review, decision_words, minutes_words, order_words, signed_words
from monitoring.signs import SIGNS

Tone = Literal["plain", "loud", "answer", "trouble"]


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened, when, in a word, and with what was said."""

    at: datetime
    word: str
    text: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class _Teller:
    """Whose names and which clock the story is told with."""

    names: Mapping[str, str]
    zone: ZoneInfo
    now: datetime

    def name(self, staff_id: object) -> str:
        if staff_id is None:
            return "nobody"
        if staff_id == SYSTEM:
            return "the alert engine"
        return self.names.get(str(staff_id), str(staff_id))

    def clock(self, moment: datetime) -> str:
        return clock(moment, self.zone, self.now)


def timeline(
    alert: StoredAlert, events: Iterable[AlertEvent], pages: Iterable[StoredPage],
    reviews: Iterable[Review], returns: Iterable[Return], names: Mapping[str, str],
    zone: ZoneInfo, now: datetime,
) -> list[Line]:  # fmt: skip
    """Everything that happened about the alert, first first.

    ``reviews`` and ``returns`` are the flap's; those of another time are left out.
    """
    teller = _Teller(names, zone, now)
    own = [r for r in reviews if _about(r, alert)]
    lines = [
        *_first_sign(alert),
        *_events(alert, events, teller),
        *_pages(pages, teller),
        *(line for r in own for line in _review(r, teller)),
        *_returns(alert, returns, own),
    ]
    return sorted(lines, key=lambda line: line.at)


def story_lines(lines: Iterable[Line], zone: ZoneInfo, now: datetime) -> list[str]:
    """The story as plain lines: "14:02 told Dr Osei by sms, sent"."""
    return [f"{clock(x.at, zone, now)} {x.word}{f' {x.text}' if x.text else ''}" for x in lines]


def _about(review: Review, alert: StoredAlert) -> bool:
    """Whether a verdict was given on the alert, or on its flap while the alert ran."""
    if review.alert_id is not None:
        return review.alert_id == alert.id
    over = alert.closed_at is not None and review.reviewed_at > alert.closed_at
    return review.reviewed_at >= alert.raised_at and not over


def _first_sign(alert: StoredAlert) -> Iterator[Line]:
    first = alert.first_sign_at
    if first is not None and first < alert.raised_at:
        said = next((f.because for f in alert.findings if f.at == first), "")
        yield Line(first, "first sign", said)


# The alert's own events -----------------------------------------------------------------------


def _events(alert: StoredAlert, events: Iterable[AlertEvent], teller: _Teller) -> Iterator[Line]:
    for event in events:
        tell = _TELL.get(event.kind)
        if event.alert_id != alert.id or event.kind in ("review", "read_back"):
            continue
        if tell is None:
            yield Line(event.at, event.kind.replace("_", " "), f"by {teller.name(event.by)}")
        else:
            yield tell(event, teller)


def _seen(word: str, tone: Tone) -> Callable[[AlertEvent, _Teller], Line]:
    def tell(event: AlertEvent, teller: _Teller) -> Line:
        because = [str(b) for b in event.detail.get("because") or ()]
        whose = "" if event.by == SYSTEM else f"check of {teller.name(event.by)}"
        said = " ".join(filter(None, [f"{whose}:" if whose and because else whose, *because[:1]]))
        return Line(event.at, word, said, tone)

    return tell


def _acknowledged(event: AlertEvent, teller: _Teller) -> Line:
    detail, who = event.detail, teller.name(event.by)
    said = INTENT_WORDS[Intent(str(detail["intent"]))]
    by = detail.get("expected_at")
    expected = "" if by is None else f", by {teller.clock(datetime.fromisoformat(str(by)))}"
    before = detail.get("from")
    over = "" if before is None else f", taken over from {teller.name(before)}"
    if detail.get("written_by") is None:
        return Line(event.at, "acknowledged", f"by {who}{over}: {said}{expected}", "answer")
    writer = teller.name(detail["written_by"])
    rang = f'by telephone: rang {who}, said "{detail.get("said", "")}"; written down by {writer}'
    return Line(event.at, "acknowledged", f"{rang} ({said}{expected})", "answer")


def _passed(event: AlertEvent, teller: _Teller) -> Line:
    to = teller.name(event.detail.get("to"))
    return Line(event.at, "passed on", f"by {teller.name(event.by)} to {to}")


def _lapsed(event: AlertEvent, teller: _Teller) -> Line:
    was = teller.name(event.detail.get("was"))
    return Line(event.at, "lapsed", f"{was} had it; open again and loud", "loud")


def _arrived(event: AlertEvent, teller: _Teller) -> Line:
    return Line(event.at, "arrived", f"{teller.name(event.by)} is at the bedside", "answer")


def _snoozed(event: AlertEvent, teller: _Teller) -> Line:
    until = teller.clock(datetime.fromisoformat(str(event.detail["until"])))
    said = f"paging rests until {until}, said {teller.name(event.by)}: {event.detail.get('why')}"
    return Line(event.at, "snoozed", said)


def _closed(event: AlertEvent, teller: _Teller) -> Line:
    reason = str(event.detail.get("reason", "")).replace("_", " ")
    by = "by itself" if event.by == SYSTEM else f"by {teller.name(event.by)}"
    return Line(event.at, "closed", f"{by}: {reason}")


def _amended(event: AlertEvent, teller: _Teller) -> Line:
    said = f"by {teller.name(event.by)}: {event.detail.get('why', '')}"
    return Line(event.at, "check behind it changed", said)


_TELL: Mapping[str, Callable[[AlertEvent, _Teller], Line]] = {
    "raise": _seen("raised", "loud"),
    "join": _seen("also seen", "plain"),
    "worsen": _seen("worse again", "loud"),
    "recur": _seen("back again", "loud"),
    "recover": _seen("recovered", "plain"),
    "acknowledge": _acknowledged,
    "pass": _passed,
    "expire": _lapsed,
    "arrive": _arrived,
    "snooze": _snoozed,
    "wake": lambda e, t: Line(e.at, "loud again", "the snooze is over", "loud"),
    "again": lambda e, t: Line(e.at, "loud again", "the clock was set back", "loud"),
    "close": _closed,
    "amended": _amended,
}


# Messages -------------------------------------------------------------------------------------


def _pages(pages: Iterable[StoredPage], teller: _Teller) -> Iterator[Line]:
    """Each person once for all the messages of one moment; and when they opened one."""
    together: dict[tuple[datetime, str], list[StoredPage]] = {}
    for page in pages:
        to = "everybody" if page.staff_id is None else teller.name(page.staff_id)
        together.setdefault((page.created_at, to), []).append(page)
        if page.read_at is not None:
            yield Line(page.read_at, "read", f"by {to} ({page.channel})", "answer")
    for (at, to), sent in together.items():
        said = "; ".join(f"{p.channel}, {_delivery(p, teller)}" for p in sent)
        states = {p.state for p in sent if p.attempts or p.state is not PageState.WAITING}
        yield Line(at, "told", f"{to} by {said}", _tone(states))


def _tone(states: set[PageState]) -> Tone:
    """Trouble while every channel that was tried has failed so far."""
    return "trouble" if states == {PageState.WAITING} else "plain"


def _delivery(page: StoredPage, teller: _Teller) -> str:
    """Delivered when, waiting since how many tries, or why it was not needed any more; with what
    the provider answered."""
    if page.state is PageState.SENT and page.sent_at is not None:
        return f"sent {teller.clock(page.sent_at)}"
    answer = f": {page.answer}" if page.answer else ""
    if page.state is PageState.DROPPED:
        return f"not sent{answer}"
    tries = "once" if page.attempts == 1 else f"{page.attempts} times"
    return f"NOT SENT, tried {tries}{answer}" if page.attempts else "being sent"


# Verdicts and theatre -------------------------------------------------------------------------


def _review(review: Review, teller: _Teller) -> Iterator[Line]:
    signed = signed_words(review.by, review.mode, review.recorded_by, teller.names)
    said = f"by {signed}: {decision_words(review)}"
    if review.order is not None:
        said += f", {order_words(review.order, teller.zone, teller.now)}"
    found = examination_words(review)
    said += f". Found: {found}" if found else ""
    said += f". Note: {review.note}" if review.note else ""
    yield Line(review.reviewed_at, "decided", said, "answer")
    if review.read_back_at is not None:
        by = teller.name(review.read_back_by)
        yield Line(review.read_back_at, "read back", f"by {by}: {decision_words(review)}", "answer")


def examination_words(review: Review) -> str:
    """What the clinician found, sign by sign."""
    return ", ".join(f"{SIGNS[n].label} {SIGNS[n].show(v)}" for n, v in review.examination.items())


def _own_returns(alert: StoredAlert, returns: Iterable[Return]) -> list[Return]:
    """The returns decided while the alert ran, first first."""
    first = alert.first_sign_at or alert.raised_at
    end = alert.closed_at
    own = [r for r in returns if r.decided_at >= first and (end is None or r.decided_at <= end)]
    return sorted(own, key=lambda r: r.decided_at)


def _returns(
    alert: StoredAlert, returns: Iterable[Return], reviews: Sequence[Review]
) -> Iterator[Line]:
    said = {r.reviewed_at for r in reviews if r.decision is Decision.RETURN_TO_THEATRE}
    for value in _own_returns(alert, returns):
        if value.decided_at not in said:
            yield Line(value.decided_at, "decided", "return to theatre", "answer")
        for at, word in (
            (value.into_theatre_at, "into theatre"), (value.perfused_again_at, "perfused again"),
            (value.back_at, "back on the ward"),
        ):  # fmt: skip
            if at is not None:
                yield Line(at, word, "", "answer")


# How long each step took ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Interval:
    """How long a step took since ``since``; ``at`` is None while it is not reached. ``target`` in
    minutes, where there is one; ``over`` when the alert was closed without the step."""

    name: str
    label: str
    since: datetime
    at: datetime | None
    target: float | None
    over: bool = False

    @property
    def minutes(self) -> float | None:
        """The minutes it took; None while it is not reached."""
        return None if self.at is None else (self.at - self.since) / timedelta(minutes=1)


ACKNOWLEDGE = {Severity.RED: 5.0, Severity.AMBER: 15.0}
REVIEW = {Severity.RED: 15.0, Severity.AMBER: 30.0}
DECIDE = 30.0
THEATRE_FROM_DECISION = 60.0
THEATRE_FROM_SIGN = 150.0
"""Minutes: local working targets, and the limit of Erol25. Awaiting local sign-off."""


def intervals(
    alert: StoredAlert, events: Iterable[AlertEvent], reviews: Iterable[Review],
    returns: Iterable[Return],
) -> list[Interval]:  # fmt: skip
    """First sign to acknowledgement, to review, to decision, and, once a return is decided, to
    theatre and from the decision to theatre.

    ``reviews`` and ``returns`` are the flap's, as for the story, and the same of them count: a
    verdict given from the flap's own page too. A review is an acknowledgement as well, unless it
    was given on the flap alone. The decision is the first verdict other than "recheck", or the
    return, whichever came first.
    """
    first = alert.first_sign_at or alert.raised_at
    own = [r for r in reviews if _about(r, alert) and r.reviewed_at >= first]
    answered = [e.at for e in events if e.alert_id == alert.id and e.kind == "acknowledge"]
    answered += [r.reviewed_at for r in own if r.alert_id is not None]
    looked = [r.reviewed_at for r in own]
    theatre = _own_returns(alert, returns)
    decided = [r.reviewed_at for r in own if r.decision is not Decision.RECHECK_IN]
    decided += [r.decided_at for r in theatre]
    over = alert.closed_at is not None
    steps = [
        ("acknowledged", "acknowledgement", answered, ACKNOWLEDGE.get(alert.severity)),
        ("reviewed", "review", looked, REVIEW.get(alert.severity)),
        ("decided", "decision", decided, DECIDE),
    ]
    found = [
        Interval(name, f"First sign to {label}", first, min(at, default=None), target, over)
        for name, label, at, target in steps
    ]
    return found + _to_theatre(first, theatre, over)


def _to_theatre(first: datetime, theatre: Sequence[Return], over: bool) -> list[Interval]:
    if not theatre:
        return []
    into = min((r.into_theatre_at for r in theatre if r.into_theatre_at is not None), default=None)
    asked = theatre[0].decided_at
    return [
        Interval("theatre", "First sign to theatre", first, into, THEATRE_FROM_SIGN, over),
        Interval("asked", "Decision to theatre", asked, into, THEATRE_FROM_DECISION, over),
    ]


def interval_words(interval: Interval, now: datetime) -> str:
    """As "First sign to review 00:12 (target 00:15)"; "running 00:23" while it is not reached."""
    target = ""
    if interval.target is not None:
        target = f" (target {minutes_words(timedelta(minutes=interval.target))})"
    if interval.at is not None:
        took = minutes_words(interval.at - interval.since)
    elif interval.over:
        took = "not reached"
    else:
        took = f"running {minutes_words(now - interval.since)}"
    return f"{interval.label} {took}{target}"
