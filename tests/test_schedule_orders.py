"""A surgeon's signed order: other times to look, from when it is given until a stated time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.domain import Flap, Order
from monitoring.protocol import Protocol
from monitoring.schedule import (
    DueState,
    Look,
    SlotState,
    extra_looks,
    fill,
    lengthens,
    next_due,
    notice,
    slot_holding,
    slots,
    stay_slots,
    timeliness,
)
from tests.test_schedule import (
    ARRIVAL,
    HOURLY_PROTOCOL,
    WARD_PROTOCOL,
    after,
    back,
    flap,
    flaps,
    hold,
    look,
    looks_of_a_stay,
    minutes_in_stay,
    protocol,
    protocols,
)


def order(every: float, start: float, end: float, by: str = "osei") -> Order:
    """Look every so many minutes, from and until so many minutes after arrival."""
    return Order(every_minutes=every, from_at=after(start), until_at=after(end), by=by)


def ordered(*orders: Order, of: Flap | None = None) -> Flap:
    return replace(of or flap(), orders=orders)


def asked(of: Flap, until: float, by: Protocol = HOURLY_PROTOCOL) -> list[float]:
    """The slots of the stay in minutes after arrival."""
    found = stay_slots(of, by, after(until))
    return [(s.at - ARRIVAL) / timedelta(minutes=1) for s in found]


def test_an_order_lays_its_own_slots_and_then_the_protocol_stands_again() -> None:
    """Every 20 min from 2:05 until 3:10: at 2:20, 2:40 and 3:00; then on the hour as before."""
    assert asked(ordered(order(20, 125, 190)), 330) == [0, 60, 120, 140, 160, 180, 240, 300]


def test_a_shorter_order_takes_no_check_of_the_protocol_away() -> None:
    """Every 45 min of hourly checks: the hours stay, and no time between two grows longer."""
    assert asked(ordered(order(45, 70, 200)), 310) == [0, 60, 105, 120, 165, 180, 240, 300]


def test_an_order_given_again_and_again_puts_nothing_off() -> None:
    """Every 60 min of hourly checks, said anew a minute before each is due: all stand, with the
    window that was open."""
    of = ordered(*(order(60, minutes, 900) for minutes in (59, 119, 179, 239)))
    assert asked(of, 310) == [0, 60, 120, 180, 240, 300]
    for minutes in (60, 120, 180, 240):
        slot = slot_holding(of, HOURLY_PROTOCOL, after(minutes))
        assert slot is not None
        assert (slot.opens, slot.closes) == (after(minutes - 15), after(minutes + 15))
    found = next_due(of, HOURLY_PROTOCOL, [look(0)], [], after(245))
    assert (found.at, found.state, found.missed) == (after(60), DueState.OVERDUE, 3)


def test_a_slot_whose_window_is_open_is_not_ordered_away() -> None:
    """Every 4 h, signed ten minutes before the hour: that hour's check is still asked for, and
    one made just before the order has filled it."""
    of = ordered(order(240, 110, 900))
    assert asked(of, 600) == [0, 60, 120, 350, 590]
    assert next_due(of, HOURLY_PROTOCOL, [look(0), look(60), look(108)], [], after(111)).at == (
        after(350)
    )


def test_a_phase_begins_with_its_check_under_a_longer_order_too() -> None:
    """Every 2 h from 3:10 over half-hourly and hourly checks: at 4:00, and from there on."""
    assert asked(ordered(order(120, 190, 500)), 590, WARD_PROTOCOL) == [
        0, 30, 60, 90, 120, 150, 180, 240, 360, 480, 540,
    ]  # fmt: skip


def test_a_later_phase_keeps_its_checks_under_an_order_that_was_longer_than_the_first() -> None:
    """Every 90 min over hourly and two-hourly checks: where the protocol asks every two hours,
    its checks stay and the order's come between."""
    of = ordered(order(90, 47.6 * 60, 51 * 60))
    start = 48 * 60
    hourly = [m for m in asked(of, 52 * 60 + 1, WARD_PROTOCOL) if m >= start - 60]
    assert [m - start for m in hourly] == [-60, 0, 90, 120, 240]


def test_a_longer_interval_takes_the_slots_between_away() -> None:
    """Every 3 h from 2:10 until 9:00: at 5:10 and 8:10; the next is the protocol's at 9:00."""
    assert asked(ordered(order(180, 130, 540)), 650) == [0, 60, 120, 310, 490, 540, 600]


def test_a_slot_at_the_moment_of_the_order_stands() -> None:
    """What is due at the very moment is still asked for: an order takes nothing away that is due
    already, and at its end the protocol's own slot stands."""
    assert asked(ordered(order(30, 120, 240)), 250) == [0, 60, 120, 150, 180, 210, 240]


def test_an_order_shorter_than_its_interval_asks_nothing_of_its_own() -> None:
    """Every 2 h until in an hour and a half: the slots between are gone, and that is all."""
    assert asked(ordered(order(120, 70, 160)), 250) == [0, 60, 180, 240]


def test_an_order_over_a_phase_boundary_leaves_the_later_phase_its_own_grid() -> None:
    """From half-hourly into hourly checks: after the order the hourly grid counts from arrival."""
    assert asked(ordered(order(15, 215, 310)), 490, WARD_PROTOCOL) == [
        0, 30, 60, 90, 120, 150, 180, 210, 225, 240, 255, 270, 285, 300, 360, 420, 480,
    ]  # fmt: skip


def test_a_later_order_ends_the_earlier_one() -> None:
    """Every 30 min, then, an hour later, every 20 min: from then on only the second."""
    of = ordered(order(20, 130, 200), order(30, 70, 600))
    assert asked(of, 310) == [0, 60, 90, 120, 140, 160, 180, 240, 300]


def test_no_order_survives_a_return_to_theatre() -> None:
    """Back on the ward the slots begin anew as the protocol lays them, whatever was ordered."""
    of = ordered(order(15, 70, 900), of=flap(returns=(back(130),)))
    assert asked(of, 260) == [0, 60, 75, 90, 105, 120, 130, 190, 250]
    given_again = ordered(order(15, 70, 900), order(30, 140, 210), of=flap(returns=(back(130),)))
    assert asked(given_again, 260) == [0, 60, 75, 90, 105, 120, 130, 160, 190, 250]


def test_an_order_from_before_arrival_counts_from_arrival() -> None:
    """The arrival check is never ordered away."""
    assert asked(ordered(order(30, -10, 80)), 130) == [0, 30, 60, 120]


def test_slots_of_an_order_vanish_in_a_hold() -> None:
    """Imaging does not care who asked for the check."""
    of = ordered(order(20, 125, 190), of=flap(holds=(hold(150, 180),)))
    assert asked(of, 250) == [0, 60, 120, 140, 180, 240]


@pytest.mark.parametrize(
    ("every", "early", "late"), [(10, 2.5, 2.5), (20, 5, 5), (60, 15, 15), (240, 30, 30)]
)
def test_windows_follow_the_rule_of_the_phases(every: float, early: float, late: float) -> None:
    """A quarter of the interval, at most 15 min up to 2 h and 30 min above."""
    of = ordered(order(every, 130, 130 + 3 * every))
    at = 120 + max(every, 20) if every <= 60 else 130 + every
    slot = slot_holding(of, HOURLY_PROTOCOL, after(at))
    assert slot is not None and slot.order is not None
    assert (slot.every_minutes, slot.order.by) == (every, "osei")
    assert slot.opens == after(max(at - early, 130)), "no window opens before its order"
    assert slot.closes == after(at + late)


def test_a_window_of_an_order_is_no_wider_than_the_protocols() -> None:
    """A protocol that forgives two minutes forgives no more under an order for its own times."""
    tight = protocol("- {from_hour: 0, every_minutes: 60, early_minutes: 5, late_minutes: 2}")
    slot = slot_holding(ordered(order(60, 70, 900)), tight, after(180))
    assert slot is not None
    assert (slot.opens, slot.closes) == (after(175), after(182))


def test_the_window_that_was_open_is_not_cut_short() -> None:
    """A check 13 min after its slot is on time, though an order was given 10 min after the slot."""
    of = ordered(order(30, 70, 240))
    filled = fill(of, HOURLY_PROTOCOL, [look(0), look(73)], after(80))
    assert [f.state for f in filled] == [SlotState.ON_TIME, SlotState.ON_TIME]


def test_what_was_overdue_stays_overdue() -> None:
    """An order given while the flap is overdue does not make it look looked-at."""
    of = ordered(order(240, 80, 600))
    found = next_due(of, HOURLY_PROTOCOL, [look(0)], [], after(90))
    assert (found.state, found.at, found.order) == (DueState.OVERDUE, after(60), None)


def test_the_next_check_says_whose_order_it_follows() -> None:
    """Due by order until its end; after it due by the protocol."""
    of = ordered(order(30, 125, 240))
    by_order = next_due(of, HOURLY_PROTOCOL, [look(0), look(60), look(120)], [], after(126))
    assert (by_order.at, by_order.order) == (after(150), of.orders[0])
    later = next_due(of, HOURLY_PROTOCOL, [look(0), look(215)], [], after(230))
    assert (later.at, later.order) == (after(240), None)


def test_a_missed_slot_of_an_order_is_noticed_like_any_other() -> None:
    """The grace of a 20-minute order is 5 min, and the sentence names its interval."""
    of = ordered(order(20, 65, 130))
    (found,) = notice(of, HOURLY_PROTOCOL, [look(0), look(60)], [], after(86))
    assert (found.fact, found.at) == ("overdue", after(85))
    assert "one every 20 min" in found.because


def test_the_stay_is_counted_against_what_was_ordered() -> None:
    """Four hours apart is on time when a surgeon ordered it so, and nothing was missed."""
    of = ordered(order(240, 65, 310))
    done = timeliness(of, HOURLY_PROTOCOL, [look(0), look(60), look(305), look(360)], after(406))
    assert (done.expected, done.on_time, done.missed) == (4, 4, 0)
    without = timeliness(flap(), HOURLY_PROTOCOL, [look(0), look(60), look(305)], after(400))
    assert without.missed == 3


@pytest.mark.parametrize(
    ("every", "start", "end", "longer"),
    [
        (30, 10, 100, False), (31, 10, 100, True), (60, 10, 300, True), (60, 240, 300, False),
        (61, 240, 300, True), (240, 72 * 60, 100 * 60, False), (120, 60, 61, True),
    ],
)  # fmt: skip
def test_an_order_lengthens_if_it_does_so_anywhere(
    every: float, start: float, end: float, longer: bool
) -> None:
    """Against half-hourly, then hourly, later four-hourly checks: longer than any of the phases
    it reaches over is longer."""
    assert lengthens(flap(), WARD_PROTOCOL, order(every, start, end)) is longer


@pytest.mark.parametrize(
    ("zone", "day", "count"),
    [
        ("Europe/London", date(2026, 10, 25), 14),
        ("Europe/London", date(2026, 3, 29), 10),
        ("America/New_York", date(2026, 11, 1), 14),
        ("America/New_York", date(2026, 3, 8), 10),
    ],
)
def test_an_order_over_the_clock_change_keeps_true_half_hours(
    zone: str, day: date, count: int
) -> None:
    """Half-hourly from midnight to six on the wall: 14 checks in the long night's seven hours, 10
    in the short one's five, each a true half hour apart, and a check on each is on time."""
    local = ZoneInfo(zone)
    start = datetime.combine(day, time(0), tzinfo=local).astimezone(UTC)
    end = datetime.combine(day, time(6), tzinfo=local).astimezone(UTC)
    arrived = flap(start - timedelta(hours=5))
    of = ordered(Order(every_minutes=30, from_at=start, until_at=end, by="osei"), of=arrived)
    night = [s for s in slots(of, HOURLY_PROTOCOL, end) if s.at >= start]
    assert len(night) == count
    assert {b.at - a.at for a, b in pairwise(night)} == {timedelta(minutes=30)}
    looks = [Look(s.at, s.at, True) for s in slots(of, HOURLY_PROTOCOL, end)]
    assert {n.fact for n in notice(of, HOURLY_PROTOCOL, looks, [], end)} == {"no_baseline"}


# Properties

several = settings(max_examples=120, deadline=None)


@st.composite
def some_orders(draw: st.DrawFn) -> tuple[Order, ...]:
    """Up to three orders, overlapping as they like."""
    found = []
    for _ in range(draw(st.integers(0, 3))):
        start = draw(minutes_in_stay)
        length = draw(st.integers(1, 900))
        found.append(order(draw(st.integers(5, 400)), start, start + length))
    return tuple(found)


@several
@given(protocols(), flaps(), some_orders())
def test_spans_still_partition_the_stay(
    made_up: Protocol, any_flap: Flap, orders: tuple[Order, ...]
) -> None:
    """Whatever is ordered, every moment from the first window on lies in exactly one span, and
    every window inside its span."""
    of = replace(any_flap, holds=(), ended_at=None, orders=orders)
    found = list(stay_slots(of, made_up, after(4000)))
    assert found[0].at == ARRIVAL
    assert all(s.opens <= s.at <= s.closes <= s.missed_at for s in found)
    assert all(a.missed_at == b.opens and a.at < b.at for a, b in pairwise(found))


@several
@given(protocols(), flaps(), some_orders(), minutes_in_stay)
def test_finding_a_slot_agrees_with_walking(
    made_up: Protocol, any_flap: Flap, orders: tuple[Order, ...], minutes: int
) -> None:
    """The slot of a moment is the one that a walk over the whole stay would find."""
    of, moment = replace(any_flap, orders=orders), after(minutes)
    holding = slot_holding(of, made_up, moment)
    walked = [s for s in stay_slots(of, made_up, after(4500)) if s.opens <= moment < s.missed_at]
    if holding is None or holding.held:
        assert walked == []
        return
    never = any(h.until_at is None and h.covers(holding.at) for h in of.holds)
    assert walked == ([] if never else [holding])


@several
@given(protocols(), flaps(), some_orders())
def test_an_order_changes_nothing_outside_its_time(
    made_up: Protocol, any_flap: Flap, orders: tuple[Order, ...]
) -> None:
    """Up to the first order and from the last order's end on, the slots are the protocol's."""
    of = replace(any_flap, orders=orders)
    if not orders:
        return
    first, last = min(o.from_at for o in orders), max(o.until_at for o in orders)
    plain = {s.at for s in stay_slots(any_flap, made_up, after(4000))}
    changed = {s.at for s in stay_slots(of, made_up, after(4000))}
    assert all(first < at < last for at in plain ^ changed)


@several
@given(protocols(), flaps(), some_orders(), looks_of_a_stay, minutes_in_stay)
def test_the_counts_still_add_up(
    made_up: Protocol, any_flap: Flap, orders: tuple[Order, ...], looks: list[Look], minutes: int
) -> None:
    """Each check is used once, each slot ends in one state, and the board and the watcher agree
    on what is overdue."""
    of, now = replace(any_flap, orders=orders), after(minutes)
    known = [x for x in looks if x.recorded_at <= now]
    filled = fill(of, made_up, looks, now)
    used = [x for f in filled for x in (*f.attempts, f.look) if x is not None]
    assert len({x.key for x in used}) == len(used)
    assert len(used) + len(extra_looks(filled, known)) == len(known)
    t = timeliness(of, made_up, looks, now)
    assert t.expected == t.on_time + t.late + t.entered_late + t.attempted + t.missed
    shown = next_due(of, made_up, looks, [], now)
    recent = shown.since is not None and now - shown.since < timedelta(hours=24)
    if shown.kind == "slot" and recent and of.held(shown.since or now) is None:
        found = notice(of, made_up, looks, [], now)
        assert ("overdue", shown.since) in {(n.fact, n.at) for n in found}


@several
@given(protocols(), flaps(), st.data())
def test_no_orders_for_more_checks_leave_a_longer_gap(
    made_up: Protocol, any_flap: Flap, data: st.DataObject
) -> None:
    """However many orders follow each other, given when they like: as long as none asks less
    often than the protocol, every check of the protocol is asked for, so no time between two is
    longer than without them."""
    given_ones: list[Order] = []
    for _ in range(data.draw(st.integers(1, 8))):
        start = data.draw(minutes_in_stay)
        every, length = data.draw(st.integers(5, 240)), data.draw(st.integers(1, 1500))
        one = order(every, start, start + length)
        shortest = min(p.every_minutes for p in made_up.phases)
        if lengthens(any_flap, made_up, one):
            one = one.model_copy(update={"every_minutes": max(shortest, 5)})
        if not lengthens(any_flap, made_up, one):
            given_ones.append(one)
    of = replace(any_flap, holds=(), ended_at=None)
    plain = [s.at for s in stay_slots(of, made_up, after(4500))]
    changed = [
        s.at for s in stay_slots(replace(of, orders=tuple(given_ones)), made_up, after(4500))
    ]
    assert set(plain) <= set(changed)
    for first, second in pairwise(changed):
        before = max(at for at in plain if at <= first)
        assert second - first <= min((at for at in plain if at > before), default=second) - before


@several
@given(protocols(), flaps(), minutes_in_stay, st.integers(5, 480), st.integers(1, 1500))
def test_no_order_makes_a_check_from_before_it_count_for_more(
    made_up: Protocol, any_flap: Flap, start: int, every: int, length: int
) -> None:
    """A check made before the order belongs to the slot it belonged to, or an earlier one if the
    order asks for one of its own sooner: it never fills what the order lays."""
    of = replace(any_flap, holds=(), ended_at=None)
    changed = replace(of, orders=(order(every, start, start + length),))
    for back_then in (0.5, 1, 4, 11, 14.5, 29, 60, 300):
        with_it = slot_holding(changed, made_up, after(start - back_then))
        without = slot_holding(of, made_up, after(start - back_then))
        assert (with_it is None) is (without is None)
        assert with_it is None or without is None or with_it.at <= without.at
        assert with_it is None or with_it.order is None
