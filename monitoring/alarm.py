"""An alert's life, as a table: when it is raised, joined, pages again, recovers and ends.

One episode runs per flap and stream. It latches: nothing but a person's reason closes it, save
that a monitoring alert closes itself. Yellow makes none; it shows on the tile.

    state         event         becomes        pages
    (none)        raise         open           yes
    open          join          open           no
    open          worsen        open           yes
    open          recur         open           yes
    open          recover       open           no   (shown "recovered, not closed")
    open          acknowledge   acknowledged   no
    open          review        acknowledged   no   (whoever reviews has it)
    open          pass          open           no   (the person named is told; the ladder goes on)
    open          snooze        open           no   (amber only, 30 min, twice; the ladder rests)
    open          wake          open           yes  (the snooze is over)
    open          again         open           yes  (the clock was set back under the ladder)
    open          close         closed         no
    acknowledged  join          acknowledged   no
    acknowledged  worsen        open           yes
    acknowledged  recur         open           yes
    acknowledged  recover       acknowledged   no
    acknowledged  acknowledge   acknowledged   no   (by the same person, or taken over)
    acknowledged  arrive        acknowledged   no
    acknowledged  review        acknowledged   no   (its plan holds for a time)
    acknowledged  pass          open           yes  (to the person named first)
    acknowledged  expire        open           yes  (nobody came, or the plan is too old)
    acknowledged  close         closed         no

Whatever pages begins the alert's ladder anew (see ``monitoring.escalation``). Recur is the same
finding after a clear full check, and every new concern. A closed alert has no event: a late
expiry finds nothing to do. An amendment and a plan read back are told in the story and change
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol as Protocol_

from monitoring.domain import AlertState, Check, Finding, MonitoringError, Pattern, Severity, Stream
from monitoring.ladder import ladder_of
from monitoring.protocol import Protocol
from monitoring.schedule import Noticed, Recheck
from monitoring.signs import SIGNS


class AlertEvent(StrEnum):
    """What can happen to an alert; the timeline's vocabulary."""

    RAISE = "raise"
    JOIN = "join"
    WORSEN = "worsen"
    RECUR = "recur"
    RECOVER = "recover"
    ACKNOWLEDGE = "acknowledge"
    CLOSE = "close"
    EXPIRE = "expire"
    AMENDED = "amended"
    ARRIVE = "arrive"
    REVIEW = "review"
    READ_BACK = "read_back"
    PASS = "pass"
    SNOOZE = "snooze"
    WAKE = "wake"
    AGAIN = "again"


class WrongMove(MonitoringError):
    """Something an alert in its present state cannot do."""


_OPEN, _ACK, _CLOSED = AlertState.OPEN, AlertState.ACKNOWLEDGED, AlertState.CLOSED
_E = AlertEvent

MOVES: Mapping[tuple[AlertState | None, AlertEvent], tuple[AlertState, bool]] = {
    (None, _E.RAISE): (_OPEN, True),
    (_OPEN, _E.JOIN): (_OPEN, False),
    (_OPEN, _E.WORSEN): (_OPEN, True),
    (_OPEN, _E.RECUR): (_OPEN, True),
    (_OPEN, _E.RECOVER): (_OPEN, False),
    (_OPEN, _E.ACKNOWLEDGE): (_ACK, False),
    (_OPEN, _E.CLOSE): (_CLOSED, False),
    (_OPEN, _E.REVIEW): (_ACK, False),
    (_OPEN, _E.PASS): (_OPEN, False),
    (_OPEN, _E.SNOOZE): (_OPEN, False),
    (_OPEN, _E.WAKE): (_OPEN, True),
    (_OPEN, _E.AGAIN): (_OPEN, True),
    (_OPEN, _E.AMENDED): (_OPEN, False),
    (_OPEN, _E.READ_BACK): (_OPEN, False),
    (_ACK, _E.JOIN): (_ACK, False),
    (_ACK, _E.WORSEN): (_OPEN, True),
    (_ACK, _E.RECUR): (_OPEN, True),
    (_ACK, _E.RECOVER): (_ACK, False),
    (_ACK, _E.ACKNOWLEDGE): (_ACK, False),
    (_ACK, _E.CLOSE): (_CLOSED, False),
    (_ACK, _E.AMENDED): (_ACK, False),
    (_ACK, _E.READ_BACK): (_ACK, False),
    (_ACK, _E.ARRIVE): (_ACK, False),
    (_ACK, _E.REVIEW): (_ACK, False),
    (_ACK, _E.PASS): (_OPEN, True),
    (_ACK, _E.EXPIRE): (_OPEN, True),
}
"""(state, event) to (next state, whether it pages). What is not here cannot happen."""


@dataclass(frozen=True, slots=True)
class Episode:
    """What the table needs of an alert that is not closed. ``signs`` are those its findings rest
    on, ``last_sign_at`` is the moment the last of them speaks of."""

    id: int
    stream: Stream
    severity: Severity
    state: AlertState
    recovered: bool
    acknowledged_by: str | None = None
    signs: frozenset[str] = frozenset()
    last_sign_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that happens to one episode (or raises it), and what it leads to."""

    event: AlertEvent
    stream: Stream
    state: AlertState
    severity: Severity
    pages: bool
    findings: tuple[Finding, ...] = ()
    episode: Episode | None = None


def after_check(
    episodes: Sequence[Episode], findings: Iterable[Finding], *, full: bool, newest: bool,
    seen: frozenset[str] = frozenset(), cleared_at: datetime | None = None,
) -> list[Move]:  # fmt: skip
    """What a check's findings do to the flap's episodes, worst first.

    ``full`` and ``newest`` say whether the check may show recovery: a partial look and an old
    late entry never do. ``seen`` are the signs that it has a value for: what rests on any other
    does not recover. ``cleared_at`` is when a full check without a finding was last made: what
    speaks again after it has come back, even where not every sign was looked at. An amendment
    passes only the findings that are new.
    """
    by_stream: dict[Stream, list[Finding]] = {}
    every = list(findings)
    for finding in every:
        if finding.severity.rank >= Severity.AMBER.rank:
            by_stream.setdefault(finding.stream, []).append(finding)
    running = {e.stream: e for e in episodes}
    moves = [_heard(running.get(stream), found, cleared_at) for stream, found in by_stream.items()]
    if full and newest:
        moves += recovering(episodes, every, seen)
    return sorted(moves, key=lambda m: -m.severity.rank)


def recovering(
    episodes: Iterable[Episode], findings: Iterable[Finding], seen: frozenset[str]
) -> list[Move]:
    """The episodes that the newest check, a full one with these findings, is silent about, though
    it has a value for every sign they rest on. A concern never recovers: only a person can say
    that it is answered."""
    speaking = {Stream.CONCERN, *(f.stream for f in findings)}
    return [
        _move(_E.RECOVER, e, e.severity)
        for e in episodes
        if e.stream not in speaking and not e.recovered and _looked_for(e.signs) <= seen
    ]


_MADE_OF = {
    "temp_gap_c": ("flap_temp_c", "control_temp_c"),
    "temp_gap_change_c": ("flap_temp_c", "control_temp_c"),
    "glucose_gap_mmol_l": ("flap_glucose_mmol_l", "finger_glucose_mmol_l"),
    "refill_presses": ("refill",),
    "refill_again": ("refill",),
}


def _looked_for(signs: Iterable[str]) -> frozenset[str]:
    """The signs a nurse looks at, for those that follow from them."""
    return frozenset(part for sign in signs for part in _MADE_OF.get(sign, (sign,)))


def _heard(episode: Episode | None, found: list[Finding], cleared_at: datetime | None) -> Move:
    worst = max(found, key=lambda f: f.severity.rank)
    findings = tuple(found)
    if episode is None:
        state, pages = MOVES[None, _E.RAISE]
        return Move(_E.RAISE, worst.stream, state, worst.severity, pages, findings)
    if worst.severity.rank > episode.severity.rank:
        return _move(_E.WORSEN, episode, worst.severity, findings)
    if episode.recovered or episode.stream is Stream.CONCERN or _came_back(episode, cleared_at):
        return _move(_E.RECUR, episode, episode.severity, findings)
    return _move(_E.JOIN, episode, episode.severity, findings)


def _came_back(episode: Episode, cleared_at: datetime | None) -> bool:
    """Whether a clear full check lies between the episode's last sign and now."""
    if cleared_at is None or episode.last_sign_at is None:
        return False
    return cleared_at > episode.last_sign_at


def _move(
    event: AlertEvent, episode: Episode, severity: Severity, findings: tuple[Finding, ...] = ()
) -> Move:
    state, pages = next_state(episode.state, event)
    return Move(event, episode.stream, state, severity, pages, findings, episode)


def next_state(state: AlertState, event: AlertEvent) -> tuple[AlertState, bool]:
    """The state an event leads to, and whether it pages. Raises WrongMove if it cannot happen."""
    try:
        return MOVES[state, event]
    except KeyError:
        raise WrongMove(f"An alert that is {state} cannot {event}.") from None


def watch_findings(protocol: Protocol, noticed: Iterable[Noticed]) -> list[Finding]:
    """What the protocol says of what the watcher noticed, dated at the deadlines that passed."""
    found = []
    for fact in noticed:
        for rule in protocol.rules:
            level = rule.schedule_facts.get(fact.fact)
            if level is None:
                continue
            found.append(
                Finding(
                    rule=rule.id,
                    severity=level.severity,
                    pattern=level.pattern or Pattern.MONITORING,
                    because=fact.because,
                    at=fact.at,
                    citations=rule.citations,
                    do_now=level.do_now.strip(),
                    recheck_minutes=level.recheck_minutes,
                )
            )
    return found


def unmet(finding: Finding, deadline: datetime, protocol: Protocol) -> Finding | None:
    """The finding a recheck that was not done turns into, with what to do at that severity; None
    if the protocol asks for none."""
    if finding.if_unmet is None:
        return None
    levels = [lv for r in protocol.rules if r.id == finding.rule for lv in r.levels]
    asked = (lv.do_now.strip() for lv in levels if lv.severity is finding.if_unmet)
    return Finding(
        rule=finding.rule,
        severity=finding.if_unmet,
        pattern=finding.pattern,
        because=f"{finding.because} The recheck asked for was not done in time.",
        at=deadline,
        evidence=finding.evidence,
        citations=finding.citations,
        do_now=next(asked, finding.do_now),
    )


def louder(standing: Iterable[Recheck], held: bool, now: datetime) -> list[Recheck]:
    """Those of the standing rechecks (see ``schedule.standing_rechecks``) that were not done in
    time and whose finding turns louder; none while the flap is on hold."""
    return [r for r in standing if r.if_unmet is not None and r.due_at <= now and not held]


def answers(check: Check, finding: Finding) -> bool:
    """Whether a later check is what the finding's recheck asked for. Any check is, but where the
    finding turns louder without one: then it needs a value for every sign that was found."""
    if finding.if_unmet is None:
        return True
    return _looked_for(e.sign for e in finding.evidence) & SIGNS.keys() <= check.seen


ARRIVAL_GRACE = timedelta(minutes=5)
"""How long after the stated arrival an acknowledgement still holds."""

LONGEST_SNOOZE = timedelta(minutes=30)
"""How long the paging of an amber may rest at most. A local choice: one review interval."""

SNOOZES = 2
"""How often the paging of one amber may rest at all."""


class Answered(Protocol_):
    """An alert as far as the answers to it go."""

    @property
    def stream(self) -> Stream: ...
    @property
    def severity(self) -> Severity: ...
    @property
    def state(self) -> AlertState: ...
    @property
    def acknowledged_at(self) -> datetime | None: ...
    @property
    def expected_at(self) -> datetime | None: ...
    @property
    def plan_until(self) -> datetime | None: ...
    @property
    def snoozed_until(self) -> datetime | None: ...
    @property
    def snoozes(self) -> int: ...
    @property
    def ladder(self) -> str | None: ...


CLOCK_BACK = timedelta(minutes=2)
"""A moment of the record that lies further ahead than this shows that the clock was set back: what
was written under the fast clock is not waited for."""

THEATRE = timedelta(hours=4)
"""How long a flap that went into theatre excuses an alert from paging. After that somebody forgot
to write that it is back, and everybody would wait for ever."""


def in_theatre(
    stream: Stream, paged_at: datetime, into_theatre_at: datetime | None, now: datetime
) -> bool:
    """Whether theatre is the answer to an alert: it paged before the flap went in, and the flap is
    not there for too long. What is found later was found at a bedside, and checks that nobody
    makes are no answer."""
    if into_theatre_at is None or stream is Stream.MONITORING or paged_at > into_theatre_at:
        return False
    return into_theatre_at <= now <= into_theatre_at + THEATRE


def holds_until(alert: Answered) -> datetime | None:
    """When an acknowledgement runs out: the plan of a review holds its time; without a review the
    earliest of five minutes after the stated arrival and what the alert's own ladder allows.
    None for an alert that nobody has."""
    if alert.state is not AlertState.ACKNOWLEDGED or alert.acknowledged_at is None:
        return None
    if alert.plan_until is not None:
        return alert.plan_until
    ladder = ladder_of(alert.ladder, alert.severity, alert.stream)
    longest = alert.acknowledged_at + timedelta(minutes=ladder.answer_minutes)
    return min((alert.expected_at or alert.acknowledged_at) + ARRIVAL_GRACE, longest)


def has_expired(alert: Answered, now: datetime) -> bool:
    """Whether an acknowledgement has run out: nobody has the alert any more."""
    until = holds_until(alert)
    if until is None or alert.acknowledged_at is None:
        return False
    ladder = ladder_of(alert.ladder, alert.severity, alert.stream)
    longest = timedelta(minutes=max(ladder.plan_minutes, ladder.answer_minutes))
    ahead = alert.acknowledged_at - now > CLOCK_BACK or until - now > longest + CLOCK_BACK
    return ahead or now >= until


def rests(alert: Answered, now: datetime) -> bool:
    """Whether somebody let the paging rest, and it still does; never longer than it may."""
    if alert.snoozed_until is None:
        return False
    return now < alert.snoozed_until <= now + LONGEST_SNOOZE + CLOCK_BACK


def wakes(alert: Answered, now: datetime) -> bool:
    """Whether a rest is over: the paging begins anew."""
    over = alert.snoozed_until is not None and not rests(alert, now)
    return over and alert.state is AlertState.OPEN


def why_not_snoozed(alert: Answered) -> str | None:
    """Why the paging of this alert cannot rest, in a sentence; None when it can."""
    if alert.severity is Severity.RED:
        return "A red is never snoozed: acknowledge it, or put the flap on hold."
    if alert.stream is Stream.CONCERN:
        return "A nurse's concern is never snoozed: acknowledge it, or close it with a reason."
    if alert.state is not AlertState.OPEN:
        return "Somebody has this alert already: there is nothing to snooze."
    if alert.snoozes >= SNOOZES:
        return f"This alert was snoozed {SNOOZES} times already: acknowledge it or close it."
    return None
