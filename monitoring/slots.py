"""The grid of times at which a flap asks for a check, and what became of each.

A protocol's phases, laid from arrival (and anew from each return to the ward), give slots. Every
slot owns a span of time, from its window opening to the next slot's window opening; the spans
follow each other without gap or overlap, so every check belongs to exactly one. Where the
definition leaves a choice:

- A phase (or course) ends where the next begins: a window that would reach over the boundary is
  cut there, and the next window opens no earlier than the one before it closes.
- A held slot vanishes but its span stays: a check in it is extra. A slot before the hold stands,
  and is missed if nobody looked.
- A slot whose window was still open when monitoring ended asks nothing.
- A signed order lays its own slots in (from_at, until_at). Where it asks no less often than the
  protocol, it takes none of the protocol's slots away: its own come between them, counted from
  each of them. Where it lets more time pass, its slots take the place of the protocol's, the first
  one interval after it was given, or where the phase begins.
- A slot that was due when an order was given stands, and so does one whose window was open, with
  that window unless the order asks for a check before it. None of an order's windows opens before
  it was given. From until_at on the protocol's own grid stands again. A later order ends the
  earlier one, and a return to the ward ends every one.

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
from operator import attrgetter
from uuid import UUID

from monitoring.domain import Check, Flap, Order
from monitoring.protocol import Phase, Protocol

ENTRY_GRACE = timedelta(minutes=15)
"""A check recorded within this of being observed was entered in time."""


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
    window opens. A ``held`` slot asks nothing. ``order`` is what asks for it instead of the
    protocol, as far as it is in force.
    """

    at: datetime
    opens: datetime
    closes: datetime
    missed_at: datetime
    every_minutes: float
    held: bool = False
    order: Order | None = None


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


def is_full(check: Check, flap: Flap, protocol: Protocol) -> bool:
    """Whether the check answers every required sign, with values from two families (one if the
    flap is buried). Only a full check fills a slot."""
    return protocol.is_full(check, flap.facts)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Slots at start + k × every: ``count`` of them, or without end. A phase of one course, or an
    order."""

    start: datetime
    every: timedelta
    early: timedelta
    late: timedelta
    count: int | None
    minutes: float
    order: Order | None = None


Place = tuple[int, int]
"""Where a slot stands: its stretch and its number in it."""

Starts = tuple[datetime, ...]
"""When each course began: arrival, and every return to the ward."""


def _stretch(
    phase: Phase, start: datetime, end: datetime | None, order: Order | None = None
) -> _Stretch:
    every, early, late = (
        timedelta(minutes=m) for m in (phase.every_minutes, phase.early, phase.late)
    )
    count = None if end is None else -((start - end) // every)
    return _Stretch(start, every, early, late, count, phase.every_minutes, order)


@lru_cache(maxsize=1024)
def _lay(starts: Starts, phases: tuple[Phase, ...]) -> tuple[_Stretch, ...]:
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


@lru_cache(maxsize=1024)
def _lay_ordered(
    starts: Starts, phases: tuple[Phase, ...], orders: tuple[Order, ...]
) -> tuple[_Stretch, ...]:
    """The phases laid from each start, and in the time of each order what stands then."""
    plain = _lay(starts, phases)
    laid = list(plain)
    for order in _in_force(orders, starts):
        laid = [piece for stretch in laid for piece in _outside(stretch, order)]
        for stretch, stop in _with_stops(plain):
            end = order.until_at if stop is None else min(stop, order.until_at)
            laid += _inside(stretch, end, order)
    return tuple(sorted(laid, key=attrgetter("start")))


def _with_stops(laid: Sequence[_Stretch]) -> Iterator[tuple[_Stretch, datetime | None]]:
    """Each stretch of the protocol with when the next begins."""
    return zip(laid, [*(s.start for s in laid[1:]), None], strict=True)


def _inside(stretch: _Stretch, end: datetime, order: Order) -> Iterator[_Stretch]:
    """What stands in the time of an order, as far as a stretch of the protocol reaches."""
    own = _stretch(Phase(from_hour=0, every_minutes=order.every_minutes), end, end, order)
    given, step = order.from_at, stretch.every
    slot = stretch.start + max((given - stretch.start) // step, 0) * step
    coming = slot if slot > given else slot + step
    kept = coming if coming - stretch.early <= given and coming < end else None
    if kept is not None:
        yield replace(stretch, start=kept, count=1)
    if own.every > step:
        begin = slot if slot > given else given + own.every
        yield from _run(own, begin, end, kept)
        return
    # a window never closes later than the protocol's own
    own = replace(own, early=min(own.early, stretch.early), late=min(own.late, stretch.late))
    while slot < end:
        passed = max((given - slot) // own.every + 1, 0)
        yield from _run(own, slot + passed * own.every, min(slot + step, end), kept)
        slot += step


def _run(
    own: _Stretch, start: datetime, end: datetime, kept: datetime | None
) -> Iterator[_Stretch]:
    """An order's slots from a start on, before an end, but for one that the protocol keeps."""
    begin = start + own.every if start == kept else start
    if begin < end:
        yield replace(own, start=begin, count=-((begin - end) // own.every))


def _in_force(orders: Iterable[Order], starts: Starts) -> Iterator[Order]:
    """Each order for as long as it holds: until a later one, or the next return to the ward."""
    given = sorted(orders, key=attrgetter("from_at"))
    for order, later in zip(given, (*given[1:], None), strict=True):
        begin = max(order.from_at, starts[0])
        ends = [s for s in starts if s > begin] + ([] if later is None else [later.from_at])
        end = min(order.until_at, *ends) if ends else order.until_at
        if begin < end:
            yield order.model_copy(update={"from_at": begin, "until_at": end})


def _outside(stretch: _Stretch, order: Order) -> Iterator[_Stretch]:
    """What an order leaves of a stretch: its slots up to the moment it was given, and those from
    its end on."""
    before = max((order.from_at - stretch.start) // stretch.every + 1, 0)
    skipped = max(-((stretch.start - order.until_at) // stretch.every), 0)
    if stretch.count is not None:
        before, skipped = min(before, stretch.count), min(skipped, stretch.count)
    if before:
        yield replace(stretch, count=before)
    left = None if stretch.count is None else stretch.count - skipped
    if left != 0:
        yield replace(stretch, start=stretch.start + skipped * stretch.every, count=left)


def lengthens(flap: Flap, protocol: Protocol, order: Order) -> bool:
    """Whether the order lets more time pass between two checks than the protocol does, anywhere
    in its time."""
    return any(
        order.every_minutes > s.minutes
        for s, end in _with_stops(_lay(_starts(flap), protocol.phases))
        if s.start < order.until_at and (end is None or end > order.from_at)
    )


def _starts(flap: Flap) -> Starts:
    starts: Starts = (flap.facts.monitoring_from,)
    if flap.returns:
        back = {r.back_at for r in flap.returns if r.back_at is not None}
        starts += tuple(sorted(b for b in back if b > starts[0]))
    return starts


class Grid:
    """The slots of one flap, found by arithmetic and never by walking the stay."""

    __slots__ = ("flap", "starts", "stretches")

    def __init__(self, flap: Flap, protocol: Protocol) -> None:
        self.flap = flap
        self.starts = _starts(flap)
        self.stretches = (
            _lay_ordered(self.starts, protocol.phases, flap.orders)
            if flap.orders
            else _lay(self.starts, protocol.phases)
        )

    def slot(self, place: Place) -> Slot:
        """The slot that stands at a place."""
        i, k = place
        this = self.stretches[i]
        at = this.start + k * this.every
        if this.count is not None and k == this.count - 1:
            closes = self._last_closes(i)
            missed_at = self._opens(i + 1)
        else:
            closes, missed_at = at + this.late, at + this.every - this.early
        opens = at - this.early if k else self._opens(i)
        held = bool(self.flap.holds) and self.flap.held(at) is not None
        return Slot(at, opens, closes, missed_at, this.minutes, held, this.order)

    def _opens(self, i: int) -> datetime:
        """When the first window of a stretch opens: not before the last one before it closes, nor
        before its order was given."""
        this = self.stretches[i]
        opens = this.start - this.early
        if this.order is not None:
            opens = max(opens, this.order.from_at)
        return max(opens, self._last_closes(i - 1)) if i else opens

    def _last_closes(self, i: int) -> datetime:
        """When the last window of a stretch that ends closes: not after the next one begins."""
        this = self.stretches[i]
        assert this.count is not None
        last = this.start + (this.count - 1) * this.every
        return min(last + this.late, self.stretches[i + 1].start)

    def holding(self, moment: datetime) -> Place | None:
        """The slot whose span holds the moment; None before the first window opens."""
        i = bisect_right(self.stretches, moment, key=attrgetter("start"))
        if i == len(self.stretches) or moment < self._opens(i):
            i -= 1
        if i < 0:
            return None
        this = self.stretches[i]
        k = max((moment - this.start + this.early) // this.every, 0)
        return i, k if this.count is None else min(k, this.count - 1)

    def after(self, place: Place | None) -> Place:
        """The next slot's place; the first slot's after None."""
        if place is None:
            return 0, 0
        i, k = place
        count = self.stretches[i].count
        return (i, k + 1) if count is None or k + 1 < count else (i + 1, 0)

    def from_on(self, moment: datetime) -> Place:
        """The first slot at or after the moment."""
        place = self.holding(moment)
        if place is None or self.slot(place).at < moment:
            return self.after(place)
        return place

    def walk(self, place: Place) -> Iterator[Slot]:
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
    grid = Grid(flap, protocol)
    return _asked(grid, grid.from_on(flap.slots_from), until)


def stay_slots(flap: Flap, protocol: Protocol, until: datetime) -> Iterator[Slot]:
    """The slots of the whole stay before ``until``, those before a return to theatre included."""
    return _asked(Grid(flap, protocol), (0, 0), until)


def _asked(grid: Grid, place: Place, until: datetime) -> Iterator[Slot]:
    for slot in grid.walk(place):
        if slot.at >= until:
            return
        if not slot.held:
            yield slot


def slot_holding(flap: Flap, protocol: Protocol, moment: datetime) -> Slot | None:
    """The slot whose span [opens, missed_at) holds the moment, without walking the stay.

    None before the first window opens, and where the slot would stand after monitoring ended. A
    held slot is returned with ``held`` set: it asks nothing, yet its span and interval stand.
    """
    grid = Grid(flap, protocol)
    place = grid.holding(moment)
    slot = None if place is None else grid.slot(place)
    if slot is None or (flap.ended_at is not None and slot.at >= flap.ended_at):
        return None
    return slot


def recorded_by(looks: Iterable[Look], now: datetime) -> list[Look]:
    """What was recorded by now, in order of observation."""
    return sorted([x for x in looks if x.recorded_at <= now], key=attrgetter("observed_at"))


def fill(flap: Flap, protocol: Protocol, looks: Iterable[Look], now: datetime) -> list[Filled]:
    """Each slot of the stay whose window has opened by ``now``, with what became of it.

    The first full check of a slot's span fills it. Judged on what was recorded by ``now``.
    """
    known = recorded_by(looks, now)
    times = [x.observed_at for x in known]
    end = now if flap.ended_at is None else min(now, flap.ended_at)
    found = []
    for slot in Grid(flap, protocol).walk((0, 0)):
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
    known = recorded_by(looks, until)
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
