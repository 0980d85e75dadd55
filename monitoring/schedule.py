"""What is due next, what is overdue, and what the clock alone shows.

Two kinds of obligation: the slots of the protocol (see ``slots``), and rechecks asked for by a
finding, an alert or a review. Where the definition leaves a choice:

- A release asks for a check at once (rule "release"), unless a slot stands at that very moment.
  Slots from before a hold no longer make the flap overdue after it, and no deadline is noticed
  that falls inside a hold.
- A recheck whose grace would end inside a hold moves to the release; one asked before the flap
  came back from theatre is dropped.
- A slot from before a release is not missed after it: the release's own check is asked for instead.
- A recheck that turns louder when it is not done (``if_unmet``) is answered only by a check with a
  value for what was found. That needs the signs, so whoever asked decides it and leaves out those
  that are answered; any other recheck is met by any later check.
- A recheck asked for by an amber or red check, or by the schedule itself (a release, an incomplete
  check), is amber 30 min after its time.
- An attempted slot stays due until a full check, even after its span: its amber is 30 min after
  the slot, since a slot somebody tried is never "missed".
- Amber is never earlier than the end of the window, whatever grace a protocol sets.

Everything is judged on what was recorded by ``now``; nothing here walks the whole stay.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Literal
from uuid import UUID

from monitoring.conditions import ScheduleFact, lasting
from monitoring.domain import Flap, HoldReason, Order, Severity
from monitoring.protocol import Protocol
from monitoring.slots import (
    ENTRY_GRACE,
    TIMELINESS_DEFINITION,
    Filled,
    Grid,
    Look,
    Place,
    Slot,
    SlotState,
    Timeliness,
    extra_looks,
    fill,
    is_full,
    lengthens,
    recorded_by,
    slot_holding,
    slots,
    stay_slots,
    timeliness,
)

__all__ = [
    "ATTEMPTED", "ATTEMPT_RECHECK", "BASELINE_WITHIN", "ENTRY_GRACE", "LOOKBACK", "OVERDUE_LONG",
    "RECHECK_GRACE", "RECHECK_LONG", "RELEASED", "TIMELINESS_DEFINITION", "Due", "DueState",
    "Filled", "Look", "Noticed", "Recheck", "Slot", "SlotState", "Timeliness", "due_words",
    "extra_looks", "fill", "is_full", "lengthens", "next_due", "notice", "open_rechecks",
    "slot_holding", "slots", "standing_rechecks", "stay_slots", "timeliness",
]  # fmt: skip

RECHECK_GRACE = timedelta(minutes=5)
"""How long after its time a recheck is not yet overdue, and how long before it is due soon."""

ATTEMPT_RECHECK = timedelta(minutes=30)
"""A check that is not full asks for another within this."""

OVERDUE_LONG = timedelta(minutes=30)
"""A slot not filled this long after its time is amber (if it is not missed before)."""

RECHECK_LONG = timedelta(minutes=30)
"""A recheck that a loud check, a release or an incomplete check asked for is amber this long after
its time."""

BASELINE_WITHIN = timedelta(hours=4)
"""A flap without a baseline this long after its slots began is flagged (rule X1)."""

LOOKBACK = timedelta(hours=24)
"""How far back ``next_due`` and ``notice`` look; the looks they are given reach at least so far."""

ATTEMPTED = "attempted"
RELEASED = "release"
"""The rules that the schedule itself asks a recheck for."""


@dataclass(frozen=True, slots=True)
class Recheck:
    """A look asked for by a finding, an alert or a review, apart from the slots.

    ``asked_at`` is when the check that asked was observed, ``severity`` how loud that check was.
    The caller leaves out those that a review or two rechecks without worsening have ended (then
    the slots alone stand again), and of those with ``if_unmet`` the ones that were answered.
    """

    asked_at: datetime
    due_at: datetime
    rule: str
    if_unmet: Severity | None = None
    check_key: UUID | None = None
    severity: Severity = Severity.NONE

    @property
    def overdue_at(self) -> datetime:
        """When its grace is over."""
        return self.due_at + RECHECK_GRACE

    @property
    def long_at(self) -> datetime | None:
        """When its delay calls somebody; None for what a yellow finding asked for."""
        loud = self.severity.rank >= Severity.AMBER.rank or self.rule in (ATTEMPTED, RELEASED)
        return self.due_at + RECHECK_LONG if loud else None


class DueState(StrEnum):
    """How pressing the next obligation is."""

    LATER = "later"
    DUE_SOON = "due_soon"
    DUE = "due"
    OVERDUE = "overdue"
    HELD = "held"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Due:
    """The next look asked for, or the oldest one still owed.

    ``at`` is its time (for a hold: its planned end, if there is one), ``since`` when it became
    overdue, ``rule`` what asked for a recheck, ``missed`` how many slots were missed since the
    last full check (counted over LOOKBACK, from the last release or return on). It is due soon
    from ``opens`` and overdue from ``closes``. ``order`` asks for it where the protocol does not.
    """

    at: datetime | None
    state: DueState
    kind: Literal["slot", "recheck"] = "slot"
    rule: str | None = None
    since: datetime | None = None
    missed: int = 0
    reason: HoldReason | None = None
    opens: datetime | None = None
    closes: datetime | None = None
    order: Order | None = None


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something the clock alone shows, dated at the deadline that passed.

    ``settled_at`` is when it stopped being so (a full check, or a hold); None while it stands.
    A settled one is history for the record and calls nobody.
    """

    fact: ScheduleFact
    at: datetime
    because: str
    recheck: Recheck | None = None
    settled_at: datetime | None = None


def open_rechecks(rechecks: Iterable[Recheck], looks: Iterable[Look]) -> list[Recheck]:
    """The rechecks nobody has made yet. Any other check observed after the one that asked meets
    a recheck, early or late, full or not; one check may meet several, and fill a slot too. One
    that turns louder stands for as long as it is passed here."""
    seen = [(x.observed_at, x.key) for x in looks]
    return [
        r
        for r in rechecks
        if r.if_unmet is not None
        or not any(at > r.asked_at and (key is None or key != r.check_key) for at, key in seen)
    ]


def next_due(
    flap: Flap, protocol: Protocol, looks: Iterable[Look], rechecks: Iterable[Recheck],
    now: datetime,
) -> Due:  # fmt: skip
    """The next look asked for: whatever has been overdue longest, else the earlier of the next
    slot and the next open recheck.

    A slot is due soon from its window's opening, due from its time, overdue once its grace is
    over, and stays so through later slots until a full check. A recheck is due soon 5 min before
    and overdue 5 min after. Cost does not grow with the stay: ``looks`` are those of the last
    24 h (LOOKBACK).
    """
    if flap.ended_at is not None and flap.ended_at <= now:
        return Due(None, DueState.ENDED)
    hold = flap.held(now)
    if hold is not None:
        return Due(hold.until_at, DueState.HELD, reason=hold.reason)
    grid, known = Grid(flap, protocol), recorded_by(looks, now)
    slot = _slot_due(grid, known, now)
    asked = _standing_rechecks(grid, known, rechecks, now)
    dues = [d for d in (slot, *(_recheck_due(r, now) for r in asked)) if d is not None]
    if not dues:
        return Due(None, DueState.LATER)
    overdue = [d for d in dues if d.since is not None]
    first = min(overdue or dues, key=lambda d: d.since or d.at or now)
    missed = 0 if slot is None else slot.missed
    return first if first.missed == missed else replace(first, missed=missed)


def standing_rechecks(
    flap: Flap, protocol: Protocol, looks: Iterable[Look], rechecks: Iterable[Recheck],
    now: datetime,
) -> list[Recheck]:  # fmt: skip
    """The rechecks nobody has made, as they stand now: those from before a return dropped, those
    that fell due inside a hold moved to its end (left out while the hold has no end)."""
    return _standing_rechecks(Grid(flap, protocol), recorded_by(looks, now), rechecks, now)


def _slot_due(grid: Grid, known: Sequence[Look], now: datetime) -> Due | None:
    """The first slot not filled since the last full check, release or return."""
    first: Slot | None = None
    missed = 0
    for slot in grid.walk(_unfilled_from(grid, known, now)):
        if slot.held:
            continue
        first = first or slot
        if now < slot.missed_at:
            break
        missed += not any(slot.opens <= x.observed_at < slot.missed_at for x in known)
    if first is None:
        return None
    since = first.closes if now >= first.closes else None
    return Due(
        first.at, _slot_state(first, now), since=since, missed=missed, opens=first.opens,
        closes=first.closes, order=first.order,
    )  # fmt: skip


def _slot_state(slot: Slot, now: datetime) -> DueState:
    if now < slot.opens:
        return DueState.LATER
    if now < slot.at:
        return DueState.DUE_SOON
    return DueState.DUE if now < slot.closes else DueState.OVERDUE


def _unfilled_from(grid: Grid, known: Sequence[Look], now: datetime) -> Place:
    """Where the slots begin that may still be owed. Only full checks move it on."""
    floor = grid.course_start(now)
    released = _released_at(grid.flap, now)
    if released is not None:
        floor = max(floor, released)
    last = next((x.observed_at for x in reversed(known) if x.full), None)
    if last is not None and last >= max(floor, now - LOOKBACK):
        return grid.after(grid.holding(last))
    place = max(grid.from_on(floor), grid.holding(now - LOOKBACK) or (0, 0))
    return place if last is None else max(place, grid.after(grid.holding(last)))


def _released_at(flap: Flap, now: datetime) -> datetime | None:
    """When the last hold ended, if one has."""
    if not flap.holds:
        return None
    ends = [h.until_at for h in flap.holds if h.until_at is not None and h.from_at < h.until_at]
    return max((e for e in ends if e <= now), default=None)


def _recheck_due(recheck: Recheck, now: datetime) -> Due:
    if now >= recheck.overdue_at:
        state = DueState.OVERDUE
    elif now >= recheck.due_at:
        state = DueState.DUE
    else:
        soon = now >= recheck.due_at - RECHECK_GRACE
        state = DueState.DUE_SOON if soon else DueState.LATER
    since = recheck.overdue_at if state is DueState.OVERDUE else None
    return Due(
        recheck.due_at, state, "recheck", recheck.rule, since,
        opens=recheck.due_at - RECHECK_GRACE, closes=recheck.overdue_at,
    )  # fmt: skip


def _standing_rechecks(
    grid: Grid, known: Sequence[Look], rechecks: Iterable[Recheck], now: datetime
) -> list[Recheck]:
    """The open rechecks of the present course, the schedule's own included, moved past holds."""
    start = grid.course_start(now)
    restarted = start > grid.starts[0]
    asked = [r for r in rechecks if not (restarted and r.asked_at < start)]
    asked += _release_recheck(grid, known, now)
    attempts = _attempts(grid, known, now)
    if attempts:
        last = attempts[-1]
        due_at = last.observed_at + ATTEMPT_RECHECK
        asked.append(Recheck(last.observed_at, due_at, ATTEMPTED, check_key=last.key))
    if not asked:
        return []
    moved = (_past_holds(grid.flap, r) for r in open_rechecks(asked, known))
    return [r for r in moved if r is not None]


def _release_recheck(grid: Grid, known: Sequence[Look], now: datetime) -> list[Recheck]:
    """A release makes a check due at once, unless a slot does so at that very moment."""
    at = _released_at(grid.flap, now)
    if at is None or at < max(grid.course_start(now), now - LOOKBACK):
        return []
    place = grid.holding(at)
    if place is None or grid.slot(place).at == at or any(x.observed_at >= at for x in known):
        return []
    return [Recheck(at, at, RELEASED)]


def _past_holds(flap: Flap, recheck: Recheck) -> Recheck | None:
    """The recheck, moved to the release if its grace would end inside a hold; None while that
    hold has no end."""
    for hold in sorted(flap.holds, key=lambda h: h.from_at):
        if hold.covers(recheck.overdue_at):
            if hold.until_at is None:
                return None
            recheck = replace(recheck, due_at=max(recheck.due_at, hold.until_at))
    return recheck


def _attempts(grid: Grid, known: Sequence[Look], now: datetime) -> list[Look]:
    """The checks since the last full one that left a slot (or a release) attempted."""
    last = next((n for n in range(len(known) - 1, -1, -1) if known[n].full), -1)
    if last == len(known) - 1:
        return []
    done = None if last < 0 else known[last].observed_at
    course = grid.holding(grid.course_start(now)) or (0, 0)
    return [x for x in known[last + 1 :] if _attempted(grid, x.observed_at, done, course)]


def _attempted(grid: Grid, at: datetime, done: datetime | None, course: Place) -> bool:
    """Whether a check that is not full, made at a time, was asked for by a slot of the present
    course (which begins at a place) or a release, that the last full check had not met."""
    place = grid.holding(at)
    if place is None or place < course or grid.flap.held(at) is not None:
        return False
    if done is None or grid.holding(done) != place:
        return True
    released = _released_at(grid.flap, at)
    return released is not None and released > done


def due_words(due: Due, now: datetime) -> str:
    """How far off it is, as the board says it: in 7 min, now, 33 min overdue, on hold: imaging."""
    if due.state is DueState.HELD:
        return "on hold" if due.reason is None else f"on hold: {due.reason.value}"
    if due.state is DueState.ENDED:
        return "monitoring ended"
    if due.at is None:
        return "nothing due"
    if due.state is DueState.OVERDUE:
        return f"{lasting(timedelta(minutes=(now - due.at) // timedelta(minutes=1)))} overdue"
    if due.state is DueState.DUE:
        return "now"
    return f"in {lasting(timedelta(minutes=ceil((due.at - now) / timedelta(minutes=1))))}"


def notice(
    flap: Flap, protocol: Protocol, looks: Iterable[Look], rechecks: Iterable[Recheck],
    now: datetime, since: datetime | None = None,
) -> list[Noticed]:  # fmt: skip
    """What the clock shows at ``now``, judged only on what was recorded by then, oldest first.

    Each is dated at its deadline, so a watcher that slept finds the same as one that did not:
    every slot of the last 24 h that got no full check is there, though a later one was filled
    (then ``settled_at`` says since when). A slot filled late is not: it was answered. Facts that
    no longer stand (a hold released, a recheck made, a baseline set) are not. ``since`` leaves
    out deadlines up to it, and lets slots reach back to it instead of 24 h.
    """
    if flap.ended_at is not None and flap.ended_at <= now:
        return []
    grid, known = Grid(flap, protocol), recorded_by(looks, now)
    found = [
        *_unfilled_slots(grid, known, now, now - LOOKBACK if since is None else since),
        *_twice_attempted(flap, _attempts(grid, known, now), now),
        *_late_rechecks(flap, _standing_rechecks(grid, known, rechecks, now), now),
        *_no_baseline(flap, now),
        *_long_holds(flap, protocol, now),
    ]
    return sorted((n for n in found if since is None or n.at > since), key=lambda n: n.at)


def _unfilled_slots(
    grid: Grid, known: Sequence[Look], now: datetime, horizon: datetime
) -> Iterator[Noticed]:
    times = [x.observed_at for x in known]
    full = [x.observed_at for x in known if x.full]
    for slot in grid.walk(grid.holding(horizon - OVERDUE_LONG) or (0, 0)):
        if slot.closes > now:
            return
        if slot.held:
            continue
        place = bisect_left(full, slot.opens)
        met = full[place] if place < len(full) else None
        if met is not None and met < slot.missed_at:
            continue
        before = full[place - 1] if place else None
        tried = bisect_left(times, slot.opens) < bisect_left(times, slot.missed_at)
        for fact, at in _deadlines(slot, tried):
            if not horizon < at <= now or grid.flap.held(at) is not None:
                continue
            if (met is not None and met < at) or _released_between(grid.flap, slot.at, at):
                continue
            because = _overdue_words(slot, fact, at, tried, before)
            yield Noticed(fact, at, because, settled_at=_settled(grid.flap, at, met, now))


def _released_between(flap: Flap, after: datetime, until: datetime) -> bool:
    """Whether a hold ended in (after, until]: then its release asks, and the slot no more."""
    ends = (h.until_at for h in flap.holds if h.until_at is not None and h.from_at < h.until_at)
    return any(after < end <= until for end in ends)


def _deadlines(slot: Slot, tried: bool) -> tuple[tuple[ScheduleFact, datetime], ...]:
    long = slot.at + OVERDUE_LONG
    if not tried:
        long = min(long, slot.missed_at)
    return ("overdue", slot.closes), ("overdue_long", max(long, slot.closes))


def _settled(flap: Flap, at: datetime, met: datetime | None, now: datetime) -> datetime | None:
    """When a deadline that passed stopped mattering: a full check, or a hold."""
    ends = [h.from_at for h in flap.holds if at < h.from_at <= now]
    return min([*ends, *([] if met is None else [met])], default=None)


def _overdue_words(
    slot: Slot, fact: ScheduleFact, at: datetime, tried: bool, before: datetime | None
) -> str:
    every = lasting(timedelta(minutes=slot.every_minutes))
    what = "An incomplete check" if tried else "No check"
    late = lasting(at - slot.at)
    if fact == "overdue_long" and at == slot.missed_at and not tried:
        text = f"Slot missed: no check until the next was due to begin, {late} after its time"
    else:
        text = f"{what} {late} after a full one was due"
    last = "" if before is None else f"; the last full check was {lasting(at - before)} before"
    return f"{text} (one every {every}){last}."


def _twice_attempted(flap: Flap, attempts: Sequence[Look], now: datetime) -> Iterator[Noticed]:
    for number, look in enumerate(attempts[1:], start=2):
        apart = lasting(look.observed_at - attempts[0].observed_at)
        because = f"{number} incomplete checks in a row, {apart} from first to last."
        settled = _settled(flap, look.observed_at, None, now)
        yield Noticed("attempted_twice", look.observed_at, because, settled_at=settled)


def _late_rechecks(flap: Flap, asked: Iterable[Recheck], now: datetime) -> Iterator[Noticed]:
    for recheck in asked:
        deadlines: list[tuple[ScheduleFact, datetime]] = [("recheck_overdue", recheck.overdue_at)]
        if recheck.long_at is not None:
            deadlines.append(("recheck_long", recheck.long_at))
        for fact, at in deadlines:
            if at <= now and flap.held(at) is None:
                settled = _settled(flap, at, None, now)
                yield Noticed(fact, at, _not_made(recheck, at), recheck, settled)


def _not_made(recheck: Recheck, at: datetime) -> str:
    late = lasting(at - recheck.due_at)
    if recheck.rule == RELEASED:
        return f"No check within {late} of the hold's release."
    within = lasting(recheck.due_at - recheck.asked_at)
    if recheck.rule == ATTEMPTED:
        said = f"No other check within {within} of an incomplete one"
    else:
        said = f"Recheck asked for by {recheck.rule} within {within} was not made"
    return f"{said}." if at == recheck.overdue_at else f"{said}, nor {late} later."


def _no_baseline(flap: Flap, now: datetime) -> Iterator[Noticed]:
    """Not while on hold: nobody can make the check that would be the baseline."""
    at = flap.slots_from + BASELINE_WITHIN
    if flap.baseline is None and at <= now and flap.held(now) is None:
        because = f"No baseline {lasting(BASELINE_WITHIN)} after monitoring began."
        yield Noticed("no_baseline", at, because)


def _long_holds(flap: Flap, protocol: Protocol, now: datetime) -> Iterator[Noticed]:
    longest = timedelta(minutes=protocol.hold_flag_minutes)
    for hold in flap.holds:
        if hold.covers(now) and hold.from_at + longest <= now:
            because = f"On hold ({hold.reason.value}) for longer than {lasting(longest)}."
            yield Noticed("hold_long", hold.from_at + longest, because)
