"""When a flap asks to be looked at, and what became of each look asked for.

A protocol's phases, laid from arrival (and anew from each return to the ward), give slots. Every
slot owns a span of time, from its window opening to the next slot's window opening; the spans
follow each other without gap or overlap, so every check belongs to exactly one. Where the spec
leaves a choice:

- A phase (or course) ends where the next begins: a window that would reach over the boundary is
  cut there, and the next window opens no earlier than the one before it closes.
- A held slot vanishes but its span stays: a check in it is extra. A slot before the hold stands,
  and is missed if nobody looked; but no deadline is noticed that falls inside a hold.
- A release asks for a check at once (rule "release"), unless a slot stands at that very moment.
  Slots from before a hold no longer make the flap overdue after it.
- A recheck whose grace would end inside a hold moves to the release; one asked before the flap
  came back from theatre is dropped.
- An attempted slot stays due until a full check, even after its span: its amber is 30 min after
  the slot, since a slot somebody tried is never "missed".
- Amber is never earlier than the end of the window, whatever grace a protocol sets.
- A slot whose window was still open when monitoring ended asks nothing.

Pure arithmetic on instants: all times are aware, and no local time enters.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from math import ceil
from operator import attrgetter
from typing import Literal
from uuid import UUID

from monitoring.conditions import ScheduleFact, lasting
from monitoring.domain import Check, Flap, Hold, HoldReason, Severity
from monitoring.protocol import Phase, Protocol

RECHECK_GRACE = timedelta(minutes=5)
"""How long after its time a recheck is not yet overdue, and how long before it is due soon."""

ENTRY_GRACE = timedelta(minutes=15)
"""A check recorded within this of being observed was entered in time."""

ATTEMPT_RECHECK = timedelta(minutes=30)
"""A check that is not full asks for another within this."""

OVERDUE_LONG = timedelta(minutes=30)
"""A slot not filled this long after its time is amber (if it is not missed before)."""

BASELINE_WITHIN = timedelta(hours=4)
"""A flap without a baseline this long after its slots began is flagged (rule X1)."""

LOOKBACK = timedelta(hours=24)
"""How far back ``next_due`` and ``notice`` look; the looks they are given reach at least so far."""

ATTEMPTED = "attempted"
RELEASED = "release"
"""The rules that the schedule itself asks a recheck for."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the schedule needs of a check."""

    observed_at: datetime
    recorded_at: datetime
    full: bool
    key: UUID | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """A time at which the protocol asks for a check.

    On time in [opens, closes), late in [closes, missed_at). ``missed_at`` is when the next slot's
    window opens. A ``held`` slot asks nothing.
    """

    at: datetime
    opens: datetime
    closes: datetime
    missed_at: datetime
    every_minutes: float
    held: bool = False


@dataclass(frozen=True, slots=True)
class Recheck:
    """A look asked for by a finding, an alert or a review, apart from the slots.

    ``asked_at`` is when the check that asked was observed. The caller leaves out those that a
    review or two rechecks without worsening have ended: then the slots alone stand again.
    """

    asked_at: datetime
    due_at: datetime
    rule: str
    if_unmet: Severity | None = None
    check_key: UUID | None = None

    @property
    def overdue_at(self) -> datetime:
        """When its grace is over."""
        return self.due_at + RECHECK_GRACE


class SlotState(StrEnum):
    """What became of a slot. Open and overdue may still change."""

    OPEN = "open"
    OVERDUE = "overdue"
    ON_TIME = "on_time"
    ENTERED_LATE = "entered_late"
    LATE = "late"
    ATTEMPTED = "attempted"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Filled:
    """A slot, the full check that filled it, and the checks before it that were not full."""

    slot: Slot
    state: SlotState
    look: Look | None = None
    attempts: tuple[Look, ...] = ()


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
    last full check (counted over LOOKBACK, from the last release or return on).
    """

    at: datetime | None
    state: DueState
    kind: Literal["slot", "recheck"] = "slot"
    rule: str | None = None
    since: datetime | None = None
    missed: int = 0
    reason: HoldReason | None = None


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


def is_full(check: Check, flap: Flap, protocol: Protocol) -> bool:
    """Whether the check answers every required sign, with values from two families (one if the
    flap is buried). Only a full check fills a slot."""
    return protocol.is_full(check, flap.facts)


# The grid of slots ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Stretch:
    """One phase of one course in time: slots at start + k × every, before end."""

    start: datetime
    end: datetime | None
    every: timedelta
    early: timedelta
    late: timedelta
    count: int | None
    minutes: float


_Place = tuple[int, int]
"""Where a slot stands: its stretch and its number in it."""


def _stretch(phase: Phase, start: datetime, end: datetime | None) -> _Stretch:
    every, early, late = (
        timedelta(minutes=m) for m in (phase.every_minutes, phase.early, phase.late)
    )
    count = None if end is None else -((start - end) // every)
    return _Stretch(start, end, every, early, late, count, phase.every_minutes)


@lru_cache(maxsize=1024)
def _lay(starts: tuple[datetime, ...], phases: tuple[Phase, ...]) -> tuple[_Stretch, ...]:
    """The phases laid from each start until the next start."""
    laid = []
    for start, stop in zip(starts, (*starts[1:], None), strict=True):
        for phase in phases:
            begin = start + timedelta(hours=phase.from_hour)
            end = None if phase.to_hour is None else start + timedelta(hours=phase.to_hour)
            if stop is not None:
                end = stop if end is None else min(end, stop)
            if end is None or begin < end:
                laid.append(_stretch(phase, begin, end))
    return tuple(laid)


class _Grid:
    """The slots of one flap, found by arithmetic and never by walking the stay."""

    __slots__ = ("flap", "starts", "stretches")

    def __init__(self, flap: Flap, protocol: Protocol) -> None:
        self.flap = flap
        self.starts: tuple[datetime, ...] = (flap.facts.monitoring_from,)
        if flap.returns:
            back = {r.back_at for r in flap.returns if r.back_at is not None}
            self.starts += tuple(sorted(b for b in back if b > self.starts[0]))
        self.stretches = _lay(self.starts, protocol.phases)

    def slot(self, place: _Place) -> Slot:
        i, k = place
        this = self.stretches[i]
        at = this.start + k * this.every
        following = at + this.every
        if this.end is not None and following >= this.end:
            closes = self._last_closes(i)
            missed_at = self._opens(i + 1)
        else:
            closes, missed_at = at + this.late, following - this.early
        opens = at - this.early if k else self._opens(i)
        return Slot(at, opens, closes, missed_at, this.minutes, self._holder(at) is not None)

    def _opens(self, i: int) -> datetime:
        """When the first window of a stretch opens: not before the last one before it closes."""
        opens = self.stretches[i].start - self.stretches[i].early
        return max(opens, self._last_closes(i - 1)) if i else opens

    def _last_closes(self, i: int) -> datetime:
        """When the last window of a stretch that ends closes: not after the stretch."""
        this = self.stretches[i]
        assert this.end is not None and this.count is not None
        return min(this.start + (this.count - 1) * this.every + this.late, this.end)

    def _holder(self, at: datetime) -> Hold | None:
        return self.flap.held(at) if self.flap.holds else None

    def holding(self, moment: datetime) -> _Place | None:
        """The slot whose span holds the moment; None before the first window opens."""
        for i in range(len(self.stretches) - 1, -1, -1):
            if moment >= self._opens(i):
                this = self.stretches[i]
                k = (moment - this.start + this.early) // this.every
                return i, k if this.count is None else min(k, this.count - 1)
        return None

    def after(self, place: _Place | None) -> _Place:
        """The next slot's place; the first slot's after None."""
        if place is None:
            return 0, 0
        i, k = place
        count = self.stretches[i].count
        return (i, k + 1) if count is None or k + 1 < count else (i + 1, 0)

    def from_on(self, moment: datetime) -> _Place:
        """The first slot at or after the moment."""
        place = self.holding(moment)
        if place is None or self.slot(place).at < moment:
            return self.after(place)
        return place

    def walk(self, place: _Place) -> Iterator[Slot]:
        """The slots from a place on, held ones too, until monitoring or every slot ends."""
        ended = self.flap.ended_at
        while True:
            slot = self.slot(place)
            if ended is not None and slot.at >= ended:
                return
            if slot.held and any(h.until_at is None and h.covers(slot.at) for h in self.flap.holds):
                return
            yield slot
            place = self.after(place)

    def course_start(self, moment: datetime) -> datetime:
        """When the course of the moment began: arrival, or the last return to the ward."""
        return self.starts[max(bisect_right(self.starts, moment) - 1, 0)]


def slots(flap: Flap, protocol: Protocol, until: datetime) -> Iterator[Slot]:
    """The slots of the present course before ``until``: from arrival or the last return on,
    without held ones, none after monitoring ended."""
    grid = _Grid(flap, protocol)
    return _asked(grid, grid.from_on(flap.slots_from), until)


def stay_slots(flap: Flap, protocol: Protocol, until: datetime) -> Iterator[Slot]:
    """The slots of the whole stay before ``until``, those before a return to theatre included."""
    return _asked(_Grid(flap, protocol), (0, 0), until)


def _asked(grid: _Grid, place: _Place, until: datetime) -> Iterator[Slot]:
    for slot in grid.walk(place):
        if slot.at >= until:
            return
        if not slot.held:
            yield slot


def slot_holding(flap: Flap, protocol: Protocol, moment: datetime) -> Slot | None:
    """The slot whose span [opens, missed_at) holds the moment, in time that grows with the
    number of phases and returns only.

    None before the first window opens, and where the slot would stand after monitoring ended. A
    held slot is returned with ``held`` set: it asks nothing, yet its span and interval stand.
    """
    grid = _Grid(flap, protocol)
    place = grid.holding(moment)
    slot = None if place is None else grid.slot(place)
    if slot is None or (flap.ended_at is not None and slot.at >= flap.ended_at):
        return None
    return slot


# What became of each slot --------------------------------------------------------------------


def _known(looks: Iterable[Look], now: datetime) -> list[Look]:
    """What was recorded by now, in order of observation."""
    return sorted([x for x in looks if x.recorded_at <= now], key=attrgetter("observed_at"))


def fill(flap: Flap, protocol: Protocol, looks: Iterable[Look], now: datetime) -> list[Filled]:
    """Each slot of the stay whose window has opened by ``now``, with what became of it.

    The first full check of a slot's span fills it. Judged on what was recorded by ``now``.
    """
    known = _known(looks, now)
    times = [x.observed_at for x in known]
    end = now if flap.ended_at is None else min(now, flap.ended_at)
    found = []
    for slot in _Grid(flap, protocol).walk((0, 0)):
        if slot.opens > now:
            break
        here = known[bisect_left(times, slot.opens) : bisect_left(times, slot.missed_at)]
        if not slot.held:
            found.append(_became(slot, here, end, flap.ended_at))
    return [f for f in found if not (f.state is SlotState.OPEN and end == flap.ended_at)]


def _became(slot: Slot, here: Sequence[Look], end: datetime, ended: datetime | None) -> Filled:
    first = next((n for n, look in enumerate(here) if look.full), None)
    if first is not None:
        return Filled(slot, _filled_state(slot, here[first]), here[first], tuple(here[:first]))
    if here:
        return Filled(slot, SlotState.ATTEMPTED, None, tuple(here))
    if end >= slot.missed_at or (end == ended and end >= slot.closes):
        return Filled(slot, SlotState.MISSED)
    return Filled(slot, SlotState.OPEN if end < slot.closes else SlotState.OVERDUE)


def _filled_state(slot: Slot, look: Look) -> SlotState:
    if look.observed_at >= slot.closes:
        return SlotState.LATE
    prompt = look.recorded_at - look.observed_at <= ENTRY_GRACE
    return SlotState.ON_TIME if prompt else SlotState.ENTERED_LATE


def extra_looks(filled: Iterable[Filled], looks: Iterable[Look]) -> list[Look]:
    """The checks that neither filled a slot nor attempted one."""
    used = {id(x) for f in filled for x in (f.look, *f.attempts)}
    return [x for x in looks if id(x) not in used]


@dataclass(frozen=True, slots=True)
class Timeliness:
    """How a stay was watched; always shown whole, with TIMELINESS_DEFINITION."""

    expected: int
    on_time: int
    late: int
    entered_late: int
    attempted: int
    missed: int
    extra: int
    longest_gap: timedelta | None


TIMELINESS_DEFINITION = (
    "Expected: slots of the protocol whose time is over, without those on hold. "
    "On time: a full check observed in the slot's window and recorded within 15 min of being "
    "observed. Entered late: observed in the window, recorded later. Late: observed after the "
    "window and before the next one opened. Attempted: only checks that were not full. Missed: "
    "no check. These five add up to expected. Extra: checks that neither filled nor attempted a "
    "slot. Longest gap: the longest time without a full check, hold time left out."
)


def timeliness(
    flap: Flap, protocol: Protocol, looks: Iterable[Look], until: datetime
) -> Timeliness:
    """How the stay was watched until then, as TIMELINESS_DEFINITION says."""
    known = _known(looks, until)
    filled = fill(flap, protocol, known, until)
    end = until if flap.ended_at is None else min(until, flap.ended_at)
    over = [f.state for f in filled if f.slot.missed_at <= until or end == flap.ended_at]
    counts = {state: over.count(state) for state in SlotState}
    return Timeliness(
        expected=len(over),
        on_time=counts[SlotState.ON_TIME],
        late=counts[SlotState.LATE],
        entered_late=counts[SlotState.ENTERED_LATE],
        attempted=counts[SlotState.ATTEMPTED],
        missed=counts[SlotState.MISSED],
        extra=len(extra_looks(filled, known)),
        longest_gap=_longest_gap(flap, known, end),
    )


def _longest_gap(flap: Flap, known: Iterable[Look], end: datetime) -> timedelta | None:
    begin = flap.facts.monitoring_from
    if end <= begin:
        return None
    seen = [x.observed_at for x in known if x.full and begin < x.observed_at < end]
    points = [begin, *seen, end]
    return max(b - a - _held_time(flap, a, b) for a, b in pairwise(points))


def _held_time(flap: Flap, start: datetime, end: datetime) -> timedelta:
    """How much of [start, end) was on hold; overlapping holds count once."""
    total, upto = timedelta(0), start
    for hold in sorted(flap.holds, key=lambda h: h.from_at):
        begin = max(hold.from_at, upto)
        stop = end if hold.until_at is None else min(hold.until_at, end)
        if stop > begin:
            total, upto = total + (stop - begin), stop
    return total


# The next obligation -------------------------------------------------------------------------


def open_rechecks(rechecks: Iterable[Recheck], looks: Iterable[Look]) -> list[Recheck]:
    """The rechecks nobody has made yet. Any other check observed after the one that asked meets
    a recheck, early or late, full or not; one check may meet several, and fill a slot too."""
    seen = [(x.observed_at, x.key) for x in looks]
    return [
        r
        for r in rechecks
        if not any(at > r.asked_at and (key is None or key != r.check_key) for at, key in seen)
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
    grid, known = _Grid(flap, protocol), _known(looks, now)
    slot = _slot_due(grid, known, now)
    asked = _standing_rechecks(grid, known, rechecks, now)
    dues = [d for d in (slot, *(_recheck_due(r, now) for r in asked)) if d is not None]
    if not dues:
        return Due(None, DueState.LATER)
    overdue = [d for d in dues if d.since is not None]
    first = min(overdue or dues, key=lambda d: d.since or d.at or now)
    missed = 0 if slot is None else slot.missed
    return first if first.missed == missed else replace(first, missed=missed)


def _slot_due(grid: _Grid, known: Sequence[Look], now: datetime) -> Due | None:
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
    return Due(first.at, _slot_state(first, now), since=since, missed=missed)


def _slot_state(slot: Slot, now: datetime) -> DueState:
    if now < slot.opens:
        return DueState.LATER
    if now < slot.at:
        return DueState.DUE_SOON
    return DueState.DUE if now < slot.closes else DueState.OVERDUE


def _unfilled_from(grid: _Grid, known: Sequence[Look], now: datetime) -> _Place:
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
    return Due(recheck.due_at, state, "recheck", recheck.rule, since)


def _standing_rechecks(
    grid: _Grid, known: Sequence[Look], rechecks: Iterable[Recheck], now: datetime
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


def _release_recheck(grid: _Grid, known: Sequence[Look], now: datetime) -> list[Recheck]:
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


def _attempts(grid: _Grid, known: Sequence[Look], now: datetime) -> list[Look]:
    """The checks since the last full one that left a slot (or a release) attempted."""
    last = next((n for n in range(len(known) - 1, -1, -1) if known[n].full), -1)
    if last == len(known) - 1:
        return []
    done = None if last < 0 else known[last].observed_at
    course = grid.holding(grid.course_start(now)) or (0, 0)
    return [x for x in known[last + 1 :] if _attempted(grid, x.observed_at, done, course)]


def _attempted(grid: _Grid, at: datetime, done: datetime | None, course: _Place) -> bool:
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


# What the watcher notices --------------------------------------------------------------------


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
    grid, known = _Grid(flap, protocol), _known(looks, now)
    found = [
        *_unfilled_slots(grid, known, now, now - LOOKBACK if since is None else since),
        *_twice_attempted(_attempts(grid, known, now)),
        *_late_rechecks(_standing_rechecks(grid, known, rechecks, now), now),
        *_no_baseline(flap, now),
        *_long_holds(flap, protocol, now),
    ]
    return sorted((n for n in found if since is None or n.at > since), key=lambda n: n.at)


def _unfilled_slots(
    grid: _Grid, known: Sequence[Look], now: datetime, horizon: datetime
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
            if met is not None and met < at:
                continue
            because = _overdue_words(slot, fact, at, tried, before)
            yield Noticed(fact, at, because, settled_at=_settled(grid.flap, at, met, now))


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


def _twice_attempted(attempts: Sequence[Look]) -> Iterator[Noticed]:
    for number, look in enumerate(attempts[1:], start=2):
        apart = lasting(look.observed_at - attempts[0].observed_at)
        because = f"{number} incomplete checks in a row, {apart} from first to last."
        yield Noticed("attempted_twice", look.observed_at, because)


def _late_rechecks(asked: Iterable[Recheck], now: datetime) -> Iterator[Noticed]:
    for recheck in asked:
        if recheck.overdue_at <= now:
            within = lasting(recheck.due_at - recheck.asked_at)
            because = f"Recheck asked for by {recheck.rule} within {within} was not made."
            if recheck.rule == RELEASED:
                because = f"No check within {lasting(RECHECK_GRACE)} of the hold's release."
            yield Noticed("recheck_overdue", recheck.overdue_at, because, recheck)


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
