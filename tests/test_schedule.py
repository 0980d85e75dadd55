"""When a flap asks to be looked at, and what became of each look asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.domain import Check, Flap, FlapFacts, Hold, HoldReason, Return, Severity, Unable
from monitoring.protocol import Protocol, read
from monitoring.schedule import (
    ATTEMPTED,
    RELEASED,
    TIMELINESS_DEFINITION,
    Due,
    DueState,
    Filled,
    Look,
    Noticed,
    Recheck,
    SlotState,
    Timeliness,
    due_words,
    extra_looks,
    fill,
    is_full,
    next_due,
    notice,
    open_rechecks,
    slot_holding,
    slots,
    stay_slots,
    timeliness,
)
from monitoring.signs import UnableReason

ARRIVAL = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)

HOURLY = "- {from_hour: 0, every_minutes: 60}"
WARD = """
  - {from_hour: 0, to_hour: 4, every_minutes: 30}
  - {from_hour: 4, to_hour: 48, every_minutes: 60}
  - {from_hour: 48, to_hour: 72, every_minutes: 120}
  - {from_hour: 72, every_minutes: 240}
"""


def protocol(phases: str = HOURLY) -> Protocol:
    """A protocol with the given phases and one rule."""
    text = f"""
id: made-for-tests
version: 1
title: Made for tests
about: Phases only.
author: nobody
checker: nobody
proposed_for: {{buried: false, tissue: [skin]}}
hold_flag_minutes: 240
required: [colour, refill, doppler_artery]
citations: {{local: Local choice}}
phases:
  {phases.strip()}
rules:
  - id: M1
    title: Check overdue
    pattern: monitoring
    why: A late check is a late finding.
    false_alarms: None known.
    citations: [local]
    levels:
      - {{severity: amber, when: {{schedule: overdue_long}}, do_now: Look now.}}
"""
    return read(text, "made-for-tests-1.yaml")


HOURLY_PROTOCOL = protocol()
WARD_PROTOCOL = protocol(WARD)


def flap(arrival: datetime = ARRIVAL, **more: Any) -> Flap:
    facts = FlapFacts.model_validate(
        {
            "label": "L breast DIEP", "kind": "free", "name": "DIEP", "tissue": "skin",
            "recipient": "breast", "buried": more.pop("buried", False), "perfused_at": arrival,
        }
    )  # fmt: skip
    return Flap("f1", facts, "made-for-tests@1", **more)


def after(minutes: float) -> datetime:
    """So many minutes after arrival."""
    return ARRIVAL + timedelta(minutes=minutes)


def look(minutes: float, *, recorded: float | None = None, full: bool = True) -> Look:
    """A check observed so many minutes after arrival, recorded at once unless said."""
    return Look(after(minutes), after(minutes if recorded is None else recorded), full, uuid4())


def hold(start: float, end: float | None, reason: HoldReason = HoldReason.IMAGING) -> Hold:
    return Hold(from_at=after(start), until_at=None if end is None else after(end), reason=reason)


def back(minutes: float) -> Return:
    return Return(decided_at=after(minutes - 120), back_at=after(minutes))


def due(
    looks: Sequence[Look], minutes: float, *, of: Flap | None = None,
    rechecks: Sequence[Recheck] = (), by: Protocol = HOURLY_PROTOCOL,
) -> Due:  # fmt: skip
    return next_due(of or flap(), by, looks, rechecks, after(minutes))


def noticed(
    looks: Sequence[Look], minutes: float, *, of: Flap | None = None,
    rechecks: Sequence[Recheck] = (), since: float | None = None, by: Protocol = HOURLY_PROTOCOL,
) -> list[Noticed]:  # fmt: skip
    """What is noticed, no_baseline aside (it has its own tests)."""
    start = None if since is None else after(since)
    found = notice(of or flap(), by, looks, rechecks, after(minutes), start)
    return [n for n in found if n.fact != "no_baseline"]


def facts_of(found: Sequence[Noticed]) -> list[tuple[str, float]]:
    """Each fact with its deadline in minutes after arrival."""
    return [(n.fact, (n.at - ARRIVAL) / timedelta(minutes=1)) for n in found]


def states(filled: Sequence[Filled]) -> list[SlotState]:
    return [f.state for f in filled]


# Slots


def test_the_first_slot_is_the_arrival_check() -> None:
    """Slots begin with a check on arrival and follow the protocol's hours."""
    found = list(slots(flap(), WARD_PROTOCOL, after(7 * 60)))
    minutes = [(s.at - ARRIVAL) / timedelta(minutes=1) for s in found]
    assert minutes == [0, 30, 60, 90, 120, 150, 180, 210, 240, 300, 360]


@pytest.mark.parametrize(
    ("every", "early_late"), [(30, 7.5), (60, 15), (120, 15), (121, 30), (240, 30), (480, 30)]
)
def test_a_window_is_a_quarter_of_the_interval_with_a_ceiling(
    every: int, early_late: float
) -> None:
    """15 min at most up to two-hourly checks, 30 min above."""
    made = protocol(f"- {{from_hour: 0, every_minutes: {every}}}")
    slot = slot_holding(flap(), made, after(every))
    assert slot is not None
    assert slot.at == after(every)
    assert slot.opens == after(every - early_late)
    assert slot.closes == after(every + early_late)
    assert slot.missed_at == after(2 * every - early_late)


def test_a_phase_ends_where_the_next_begins() -> None:
    """When 50-minute checks give way to hourly ones at hour 4, the slot at 240 min is the new
    phase's own, and the windows at the boundary do not overlap."""
    made = protocol(
        "- {from_hour: 0, to_hour: 4, every_minutes: 55}\n  - {from_hour: 4, every_minutes: 60}"
    )
    found = list(slots(flap(), made, after(301)))
    assert [s.at for s in found] == [after(m) for m in (0, 55, 110, 165, 220, 240, 300)]
    last, first = found[4], found[5]
    assert last.closes == after(233.75)
    assert last.missed_at == first.opens == after(233.75)


def test_a_window_never_reaches_into_the_next_phase() -> None:
    """A last slot a minute before the boundary gives up its grace there."""
    made = protocol(
        "- {from_hour: 0, to_hour: 1.05, every_minutes: 60}\n  "
        "- {from_hour: 1.05, every_minutes: 240}"
    )
    last, first = list(slots(flap(), made, after(100)))[1:]
    assert last.at == after(60)
    assert last.closes == last.missed_at == first.opens == first.at == after(63)


def test_denser_checks_after_sparser_ones_leave_no_moment_without_a_slot() -> None:
    """When four-hourly checks give way to hourly ones, the last quarter of an hour before the
    new window opens still belongs to the last four-hourly slot."""
    made = protocol(
        "- {from_hour: 0, to_hour: 8, every_minutes: 240}\n  - {from_hour: 8, every_minutes: 60}"
    )
    for minutes, at in [(455, 240), (464.9, 240), (465, 480)]:
        found = slot_holding(flap(), made, after(minutes))
        assert found is not None
        assert found.at == after(at)


def test_a_return_at_a_phase_boundary_or_at_arrival_lays_the_slots_once() -> None:
    """Back on the ward exactly at hour 4, or at the very arrival: no slot stands twice."""
    for minutes in (0, 240):
        restarted = flap(returns=(back(minutes),))
        found = [s.at for s in stay_slots(restarted, WARD_PROTOCOL, after(360))]
        assert len(found) == len(set(found))
        assert [s.at for s in slots(restarted, WARD_PROTOCOL, after(minutes + 31))] == [
            after(minutes), after(minutes + 30),
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/London", date(2026, 3, 29), 23),
        ("Europe/London", date(2026, 10, 25), 25),
        ("Europe/London", date(2026, 10, 26), 24),
        ("America/New_York", date(2026, 3, 8), 23),
        ("America/New_York", date(2026, 11, 1), 25),
    ],
)
def test_the_clock_change_day_has_its_true_number_of_hourly_slots(
    zone: str, day: date, hours: int
) -> None:
    """A ward day of 25 hours asks for 25 hourly checks, one of 23 hours for 23; each is a true
    hour after the one before, and a check on each leaves nothing overdue."""
    local = ZoneInfo(zone)
    start = datetime.combine(day, time(0), tzinfo=local).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time(0), tzinfo=local).astimezone(UTC)
    arrived = flap(start - timedelta(hours=5))
    that_day = [s for s in slots(arrived, HOURLY_PROTOCOL, end) if s.at >= start]
    assert len(that_day) == hours
    assert {b.at - a.at for a, b in pairwise(that_day)} == {timedelta(hours=1)}
    looks = [Look(s.at, s.at, True) for s in slots(arrived, HOURLY_PROTOCOL, end)]
    assert {n.fact for n in notice(arrived, HOURLY_PROTOCOL, looks, [], end)} == {"no_baseline"}
    assert timeliness(arrived, HOURLY_PROTOCOL, looks, end).longest_gap == timedelta(hours=1)


def test_a_missed_slot_in_the_repeated_hour_is_noticed_at_its_true_time() -> None:
    """In the night when 01:30 happens twice, the second one's missing check is overdue 15 min
    after it and not an hour early or late."""
    arrived = flap(datetime(2026, 10, 24, 23, 30, tzinfo=UTC))  # 00:30 in London, summer time
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert second.astimezone(ZoneInfo("Europe/London")).time() == time(1, 30)
    looks = [Look(s.at, s.at, True) for s in slots(arrived, HOURLY_PROTOCOL, second)]
    grace_over = second + timedelta(minutes=15)
    just_before = grace_over - timedelta(seconds=1)
    assert notice(arrived, HOURLY_PROTOCOL, looks, [], just_before) == []
    (found,) = notice(arrived, HOURLY_PROTOCOL, looks, [], grace_over)
    assert (found.fact, found.at) == ("overdue", grace_over)


def test_slots_stop_when_monitoring_ends() -> None:
    """Nothing is asked of a flap after its monitoring ended."""
    ended = flap(ended_at=after(120))
    assert [s.at for s in slots(ended, HOURLY_PROTOCOL, after(600))] == [after(0), after(60)]
    assert slot_holding(ended, HOURLY_PROTOCOL, after(120)) is None
    found = due([], 120, of=ended)
    assert (found.state, due_words(found, after(120))) == (DueState.ENDED, "monitoring ended")
    assert noticed([], 120, of=ended) == []
    assert noticed([], 119, of=ended) != []


def test_before_the_first_window_no_slot_holds_the_moment() -> None:
    """A check made long before arrival belongs to no slot."""
    assert slot_holding(flap(), HOURLY_PROTOCOL, after(-15.1)) is None
    first = slot_holding(flap(), HOURLY_PROTOCOL, after(-15))
    assert first is not None
    assert first.at == ARRIVAL


# Filling


@pytest.mark.parametrize(
    ("observed", "state"),
    [
        (44.99, SlotState.MISSED),
        (45, SlotState.ON_TIME),
        (60, SlotState.ON_TIME),
        (74.99, SlotState.ON_TIME),
        (75, SlotState.LATE),
        (104.99, SlotState.LATE),
        (105, SlotState.MISSED),
    ],
)
def test_a_check_fills_the_slot_whose_window_or_late_span_holds_it(
    observed: float, state: SlotState
) -> None:
    """The hourly check of minute 60 is on time from 45 to 75, late until 105, then missed."""
    found = fill(flap(), HOURLY_PROTOCOL, [look(0), look(observed), look(120)], after(180))
    assert found[1].state is state


@pytest.mark.parametrize(
    ("recorded", "state"), [(75, SlotState.ON_TIME), (75.02, SlotState.ENTERED_LATE)]
)
def test_a_check_made_in_time_but_entered_later_is_counted_apart(
    recorded: float, state: SlotState
) -> None:
    """Recorded within 15 min of being observed is on time; later is entered late."""
    found = fill(flap(), HOURLY_PROTOCOL, [look(60, recorded=recorded)], after(200))
    assert found[1].state is state


def test_a_late_entry_counts_only_once_it_is_recorded() -> None:
    """Before the entry the slot is overdue; from the entry on it was made and entered late."""
    entered = look(60, recorded=100)
    assert states(fill(flap(), HOURLY_PROTOCOL, [look(0), entered], after(99)))[1] is (
        SlotState.OVERDUE
    )
    assert states(fill(flap(), HOURLY_PROTOCOL, [look(0), entered], after(100)))[1] is (
        SlotState.ENTERED_LATE
    )


def test_a_second_check_in_the_same_slot_is_extra() -> None:
    """One check fills a slot; another in its span is extra and fills no other."""
    first, second = look(58), look(70)
    looks = [look(0), second, first, look(120)]
    found = fill(flap(), HOURLY_PROTOCOL, looks, after(130))
    assert found[1].look == first
    assert extra_looks(found, looks) == [second]


def test_a_check_that_is_not_full_leaves_its_slot_attempted() -> None:
    """An incomplete check does not fill a slot; a full one after it does, and the incomplete
    one is neither extra nor lost."""
    attempt, full = look(60, full=False), look(70)
    attempted = fill(flap(), HOURLY_PROTOCOL, [look(0), attempt], after(110))
    assert (attempted[1].state, attempted[1].look) == (SlotState.ATTEMPTED, None)
    looks = [look(0), attempt, full]
    filled = fill(flap(), HOURLY_PROTOCOL, looks, after(110))
    assert (filled[1].state, filled[1].look, filled[1].attempts) == (
        SlotState.ON_TIME, full, (attempt,),
    )  # fmt: skip
    assert extra_looks(filled, looks) == []


def test_an_open_slot_is_open_then_overdue_then_missed() -> None:
    """A slot nobody looked at is open until its grace is over, and missed once the next opens."""
    assert len(fill(flap(), HOURLY_PROTOCOL, [look(0)], after(44.9))) == 1
    for minutes, state in [
        (45, "open"),
        (74, "open"),
        (75, "overdue"),
        (104.9, "overdue"),
        (105, "missed"),
    ]:
        assert fill(flap(), HOURLY_PROTOCOL, [look(0)], after(minutes))[1].state == state


@pytest.mark.parametrize(("ended", "expected"), [(74, 1), (75, 2)])
def test_a_slot_open_when_monitoring_ends_asks_nothing(ended: int, expected: int) -> None:
    """Discharge inside a window leaves no miss; after its grace it does."""
    gone = flap(ended_at=after(ended))
    found = timeliness(gone, HOURLY_PROTOCOL, [look(0)], after(300))
    assert (found.expected, found.missed) == (expected, expected - 1)


# Full checks


def made(**signs: Any) -> Check:
    return Check(UUID(int=1), "f1", ARRIVAL, "nurse1", signs, ARRIVAL)


def test_a_check_is_full_when_every_required_sign_is_answered() -> None:
    """Unable with a reason is an answer; a sign nobody looked at is none; context is no family."""
    unable = Unable(UnableReason.EQUIPMENT)
    full = made(colour="matches", refill=2.0, doppler_artery=unable)
    assert is_full(full, flap(), HOURLY_PROTOCOL)
    assert not is_full(made(colour="matches", refill=2.0), flap(), HOURLY_PROTOCOL)
    one_family = made(colour="matches", refill=unable, doppler_artery=unable, map_mmhg=80)
    assert not is_full(one_family, flap(), HOURLY_PROTOCOL)
    assert is_full(one_family, flap(buried=True), HOURLY_PROTOCOL)
    none = made(colour=unable, refill=unable, doppler_artery=unable, light="dim")
    assert not is_full(none, flap(buried=True), HOURLY_PROTOCOL)


# The next obligation


@pytest.mark.parametrize(
    ("now", "state", "words"),
    [
        (44.99, DueState.LATER, "in 16 min"),
        (45, DueState.DUE_SOON, "in 15 min"),
        (53, DueState.DUE_SOON, "in 7 min"),
        (59.99, DueState.DUE_SOON, "in 1 min"),
        (60, DueState.DUE, "now"),
        (74.99, DueState.DUE, "now"),
        (75, DueState.OVERDUE, "15 min overdue"),
        (93, DueState.OVERDUE, "33 min overdue"),
        (150, DueState.OVERDUE, "1 h 30 min overdue"),
    ],
)
def test_the_next_check_is_due_soon_then_due_then_overdue(
    now: float, state: DueState, words: str
) -> None:
    """Due soon from the window's opening, due from the slot, overdue once the grace is over."""
    found = due([look(0)], now)
    assert (found.at, found.kind, found.state) == (after(60), "slot", state)
    assert due_words(found, after(now)) == words
    assert found.since == (after(75) if state is DueState.OVERDUE else None)


def test_a_check_that_fills_the_slot_early_moves_on_to_the_next() -> None:
    """After the check of 14:50 the next is due at 16:00, not at 15:00 again."""
    assert due([look(0), look(50)], 51).at == after(120)


def test_an_overdue_flap_stays_overdue_when_the_next_window_opens() -> None:
    """Missing a slot does not make a flap merely "due soon" for the next: it counts from the
    first check that was owed, with the number missed."""
    assert due([look(0)], 104.9).missed == 0
    assert due([look(0)], 105).missed == 1
    found = due([look(0)], 110)
    assert (found.state, found.at, found.since, found.missed) == (
        DueState.OVERDUE, after(60), after(75), 1,
    )  # fmt: skip
    assert due([look(0)], 230).missed == 3


def test_a_flap_never_looked_at_is_due_from_arrival() -> None:
    """Nobody has looked at all: the arrival check is what is owed."""
    assert due([], -30).state is DueState.LATER
    found = due([], 200)
    assert (found.at, found.since, found.missed) == (ARRIVAL, after(15), 3)


def test_an_incomplete_check_leaves_the_slot_due() -> None:
    """Due stays until a full check, also after the next window opened; nothing was missed."""
    attempt = look(62, full=False)
    assert due([look(0), attempt], 65).state is DueState.DUE
    found = due([look(0), attempt], 110)
    assert (found.state, found.at, found.missed) == (DueState.OVERDUE, after(60), 0)
    assert due([look(0), attempt, look(111)], 112).at == after(180)


@pytest.mark.parametrize(("tried", "missed"), [(44.9, 1), (45, 0), (104.9, 0), (105, 1)])
def test_an_incomplete_check_speaks_for_its_own_slot_only(tried: float, missed: int) -> None:
    """The slot of minute 60 was tried, not missed, by an incomplete check from 45 to 105."""
    assert due([look(0), look(tried, full=False)], 110).missed == missed


def test_a_check_not_yet_recorded_does_not_count() -> None:
    """Overdue is judged on what was recorded by now."""
    late_entry = look(60, recorded=90)
    assert due([look(0), late_entry], 89).state is DueState.OVERDUE
    assert due([look(0), late_entry], 90).at == after(120)


def recheck(asked: float, to_be_done: float, **more: Any) -> Recheck:
    return Recheck(after(asked), after(to_be_done), "S0", **more)


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (9.99, DueState.LATER),
        (10, DueState.DUE_SOON),
        (15, DueState.DUE),
        (19.99, DueState.DUE),
        (20, DueState.OVERDUE),
    ],
)
def test_a_recheck_brings_the_next_check_forward(now: float, state: DueState) -> None:
    """A recheck in 15 min is due before the next slot, soon from 5 min before, with 5 min grace."""
    found = due([look(0)], now, rechecks=[recheck(0, 15)])
    assert (found.kind, found.rule, found.at, found.state) == ("recheck", "S0", after(15), state)


def test_the_slot_comes_first_when_it_is_earlier() -> None:
    """A recheck asked for after the next slot never puts the slot off."""
    assert due([look(0)], 50, rechecks=[recheck(0, 70)]).kind == "slot"


def test_a_recheck_asked_by_a_check_just_before_arrival_stands() -> None:
    """The arrival check may be made in the window before arrival; what it asks for is asked."""
    assert due([look(-5)], 1, rechecks=[recheck(-5, 10)]).kind == "recheck"


def test_the_longest_overdue_is_named() -> None:
    """Of an overdue recheck and an overdue slot, the one that waits longest is shown, with the
    slots missed either way."""
    found = due([look(0)], 110, rechecks=[recheck(0, 15)])
    assert (found.kind, found.since, found.missed) == ("recheck", after(20), 1)


def test_a_recheck_is_met_by_any_later_check() -> None:
    """An early recheck counts; the check that asked, and one observed before it, do not."""
    asking = look(0)
    asked = recheck(0, 15, check_key=asking.key)
    assert open_rechecks([asked], [asking, look(-10)]) == [asked]
    assert open_rechecks([asked], [asking, look(3, full=False)]) == []


def test_one_check_meets_recheck_and_slot() -> None:
    """A check at minute 50 is both the recheck asked for at 45 and the slot of minute 60."""
    found = due([look(0), look(50)], 51, rechecks=[recheck(40, 45)])
    assert (found.kind, found.at) == ("slot", after(120))


def test_an_incomplete_check_asks_for_another_within_half_an_hour() -> None:
    """On a four-hourly schedule an incomplete late check asks for a recheck 30 min on."""
    made_four_hourly = protocol("- {from_hour: 0, every_minutes: 240}")
    looks = [look(0), look(300, full=False)]
    facts = facts_of(noticed(looks, 335, by=made_four_hourly, since=300))
    assert facts == [("recheck_overdue", 335)]
    (found,) = noticed(looks, 335, by=made_four_hourly, since=300)
    assert found.recheck is not None
    assert found.recheck.rule == ATTEMPTED
    assert noticed([*looks, look(320)], 335, by=made_four_hourly, since=300) == []


# Holds and returns


def test_slots_within_a_hold_vanish() -> None:
    """A hold from minute 60 to 180 takes the slots at 60 and 120; the one at 180 stands."""
    held = flap(holds=(hold(60, 180),))
    assert [s.at for s in slots(held, HOURLY_PROTOCOL, after(200))] == [after(0), after(180)]
    inside = slot_holding(held, HOURLY_PROTOCOL, after(130))
    assert inside is not None
    assert inside.held


def test_misses_before_a_hold_stand() -> None:
    """Going to imaging does not erase the check nobody made before it."""
    held = flap(holds=(hold(110, 170),))
    found = timeliness(held, HOURLY_PROTOCOL, [look(0)], after(170))
    assert (found.expected, found.missed) == (2, 1)


def test_a_flap_on_hold_is_not_overdue() -> None:
    """On hold the board says so, with the reason; no deadline inside a hold is noticed."""
    held = flap(holds=(hold(65, None),))
    found = due([look(0)], 100, of=held)
    assert (found.state, due_words(found, after(100))) == (DueState.HELD, "on hold: imaging")
    assert noticed([look(0)], 100, of=held, rechecks=[recheck(50, 65)]) == []


def test_an_overdue_check_is_settled_by_the_hold_that_follows() -> None:
    """A check overdue before the flap left is still dated, and no longer stands."""
    held = flap(holds=(hold(80, None),))
    (found,) = noticed([look(0)], 100, of=held)
    assert (found.fact, found.at, found.settled_at) == ("overdue", after(75), after(80))


def test_releasing_makes_a_check_due_at_once() -> None:
    """Back from imaging at minute 130, a check is due then, not at the next slot of 180."""
    held = flap(holds=(hold(65, 130),))
    found = due([look(0)], 131, of=held)
    assert (found.kind, found.rule, found.at, found.state) == (
        "recheck", RELEASED, after(130), DueState.DUE,
    )  # fmt: skip
    assert due([look(0)], 130, of=held).at == after(130)
    assert due([look(0)], 135, of=held).state is DueState.OVERDUE
    assert facts_of(noticed([look(0)], 136, of=held)) == [("recheck_overdue", 135)]
    assert due([look(0), look(130)], 131, of=held).at == after(180)


def test_a_slot_from_before_a_short_hold_is_owed_no_more() -> None:
    """Ten minutes of imaging inside a slot's span: what is owed then is the release's check, and
    an earlier release asks nothing once a check was made or the flap came back from theatre."""
    held = flap(holds=(hold(62, 70),))
    found = due([look(0)], 80, of=held)
    assert (found.kind, found.at, found.since) == ("recheck", after(70), after(75))
    returned = flap(holds=(hold(62, 70), hold(80, 117)), returns=(back(120),))
    assert due([look(0)], 121, of=returned).kind == "slot"


def test_a_release_a_day_ago_asks_nothing_more() -> None:
    """The slots since then speak for themselves."""
    held = flap(holds=(hold(62, 70),))
    assert due([look(0)], 70 + 24 * 60, of=held).kind == "recheck"
    assert due([look(0)], 71 + 24 * 60, of=held).kind == "slot"


def test_a_release_on_the_slot_asks_once() -> None:
    """A hold released at the very time of a slot leaves that slot, with its own grace."""
    found = due([look(0)], 121, of=flap(holds=(hold(65, 120),)))
    assert (found.kind, found.at, found.missed) == ("slot", after(120), 0)
    assert noticed([look(0)], 126, of=flap(holds=(hold(65, 120),))) == []


def test_the_last_release_counts() -> None:
    """Imaging, then theatre: the check is due from the last release; a hold entered and ended in
    the same minute asks nothing."""
    found = due([look(0)], 52, of=flap(holds=(hold(10, 20), hold(30, 50))))
    assert (found.rule, found.at) == (RELEASED, after(50))
    assert due([look(0)], 41, of=flap(holds=(hold(40, 40),))).at == after(60)


def test_a_recheck_that_falls_into_a_hold_moves_to_the_release() -> None:
    """A recheck due in theatre is due, with its grace, when the flap is back."""
    held = flap(holds=(hold(10, 50),))
    found = due([look(0)], 52, of=held, rechecks=[recheck(0, 15, if_unmet=Severity.AMBER)])
    assert (found.at, found.state) == (after(50), DueState.DUE)
    late = noticed([look(0)], 55, of=held, rechecks=[recheck(0, 15, if_unmet=Severity.AMBER)])
    assert ("recheck_overdue", 55) in facts_of(late)
    assert any(n.recheck and n.recheck.if_unmet is Severity.AMBER for n in late)


def test_a_hold_open_too_long_is_flagged() -> None:
    """A hold of four hours is flagged at its fourth hour, and not once released."""
    held = flap(holds=(hold(65, None),))
    assert noticed([look(0)], 65 + 239, of=held) == []
    assert facts_of(noticed([look(0)], 65 + 240, of=held)) == [("hold_long", 305)]
    released = flap(holds=(hold(65, 320),))
    assert noticed([look(0)], 321, of=released) == []


def test_a_return_to_the_ward_restarts_the_slots() -> None:
    """Back from theatre the dense first phase begins again with an arrival check; the misses
    before it stand, and rechecks asked before it are dropped."""
    restarted = flap(holds=(hold(310, 407, HoldReason.THEATRE),), returns=(back(407),))
    found = list(slots(restarted, WARD_PROTOCOL, after(470)))
    assert [s.at for s in found] == [after(407), after(437), after(467)]
    whole = list(stay_slots(restarted, WARD_PROTOCOL, after(470)))
    assert [s.at for s in whole] == [
        *(after(m) for m in (0, 30, 60, 90, 120, 150, 180, 210, 240, 300, 407, 437, 467))
    ]
    arrival = due([look(300)], 408, of=restarted, by=WARD_PROTOCOL, rechecks=[recheck(300, 305)])
    assert (arrival.kind, arrival.at, arrival.state) == ("slot", after(407), DueState.DUE)
    on_return = due([look(300)], 408, of=restarted, by=WARD_PROTOCOL, rechecks=[recheck(407, 407)])
    assert on_return.at == after(407)
    later = noticed([look(300)], 413, of=restarted, by=WARD_PROTOCOL, rechecks=[recheck(407, 408)])
    assert ("recheck_overdue", 413) in facts_of(later)
    counted = timeliness(restarted, WARD_PROTOCOL, [look(300)], after(430))
    assert (counted.expected, counted.missed, counted.on_time) == (11, 10, 1)


# What the watcher notices


def test_overdue_is_dated_at_the_end_of_the_grace() -> None:
    """Yellow at slot + 15 min, amber at slot + 30 min, whenever the watcher happens to look."""
    assert noticed([look(0)], 74.99) == []
    assert facts_of(noticed([look(0)], 75)) == [("overdue", 75)]
    assert facts_of(noticed([look(0)], 89.99)) == [("overdue", 75)]
    assert facts_of(noticed([look(0)], 104)) == [("overdue", 75), ("overdue_long", 90)]


def test_amber_comes_when_the_slot_is_missed_if_that_is_sooner() -> None:
    """With half-hourly checks the slot is missed 22.5 min after its time: amber then."""
    found = noticed([look(0)], 52.5, by=WARD_PROTOCOL)
    assert facts_of(found) == [("overdue", 37.5), ("overdue_long", 52.5)]
    assert "Slot missed" in found[1].because


def test_an_attempted_slot_is_not_missed() -> None:
    """With half-hourly checks an incomplete one puts the amber off to 30 min after the slot."""
    looks = [look(0), look(32, full=False)]
    assert facts_of(noticed(looks, 59, by=WARD_PROTOCOL)) == [("overdue", 37.5)]
    found = noticed(looks, 60, by=WARD_PROTOCOL)
    assert facts_of(found) == [("overdue", 37.5), ("overdue_long", 60)]
    assert noticed([*looks, look(53)], 60, by=WARD_PROTOCOL)[0].settled_at == after(53)


def test_a_sentence_says_how_late_and_since_when() -> None:
    """The reason speaks in durations: clock times would need the ward's zone."""
    (found,) = noticed([look(0)], 76)
    assert found.because == (
        "No check 15 min after a full one was due (one every 1 h); "
        "the last full check was 1 h 15 min before."
    )


def test_a_check_made_but_entered_later_is_not_noticed_any_more() -> None:
    """Until it is entered the check is overdue; then nothing is."""
    entered = look(60, recorded=95)
    assert facts_of(noticed([look(0), entered], 94)) == [("overdue", 75), ("overdue_long", 90)]
    assert noticed([look(0), entered], 95) == []


def test_a_slot_filled_late_was_answered() -> None:
    """A check 25 min late ends the matter."""
    assert noticed([look(0), look(85)], 90) == []


def test_a_watcher_that_slept_finds_each_missed_slot_at_its_deadline() -> None:
    """Asleep over three slots, it dates each as if it had been awake, also when a check was
    made before it woke."""
    three = [
        ("overdue", 75), ("overdue_long", 90), ("overdue", 135), ("overdue_long", 150),
        ("overdue", 195), ("overdue_long", 210),
    ]  # fmt: skip
    asleep = noticed([look(0)], 230)
    assert facts_of(asleep) == three
    assert {n.settled_at for n in asleep} == {None}
    awake = [n for minute in range(231) for n in noticed([look(0)], minute, since=minute - 1)]
    assert facts_of(awake) == three
    checked = noticed([look(0), look(230)], 240)
    assert facts_of(checked) == three
    assert {n.settled_at for n in checked} == {after(230)}


def test_the_look_back_is_bounded() -> None:
    """Without ``since`` a day is looked back over; with it as far as asked."""
    days = 3 * 24 * 60
    assert min(m for _, m in facts_of(noticed([look(0)], days))) > days - 24 * 60
    assert facts_of(noticed([look(0)], days, since=0))[0] == ("overdue", 75)


def test_the_second_incomplete_check_in_a_row_is_noticed() -> None:
    """Two incomplete checks running, in one slot or two, until a full one; an incomplete extra
    look in a slot already filled is no attempt."""
    first, second = look(60, full=False), look(118, full=False)

    def twice(looks: Sequence[Look], minutes: float) -> list[tuple[str, float]]:
        found = facts_of(noticed(looks, minutes))
        return [f for f in found if f[0] == "attempted_twice"]

    assert twice([look(0), first], 117) == []
    assert twice([look(0), first, second], 119) == [("attempted_twice", 118)]
    assert twice([look(0), first, second, look(125)], 126) == []
    assert twice([look(0), look(5, full=False), look(10, full=False)], 20) == []
    assert twice([look(0, full=False), look(5, full=False)], 6) == [("attempted_twice", 5)]


def test_incomplete_checks_in_theatre_or_before_a_return_are_not_counted() -> None:
    """On hold nothing was asked; and a return begins a new count."""
    tries = [look(60, full=False), look(118, full=False)]
    in_hold = noticed([look(0), *tries], 130, of=flap(holds=(hold(110, 125),)))
    assert "attempted_twice" not in {n.fact for n in in_hold}
    returned = flap(holds=(hold(119, 200),), returns=(back(200),))
    found = noticed([look(0), *tries], 201, of=returned)
    assert "attempted_twice" not in {n.fact for n in found}
    again = noticed([look(0), *tries, look(190, full=False)], 201, of=returned)
    assert "attempted_twice" not in {n.fact for n in again}


def test_an_unmet_recheck_is_noticed_after_its_grace() -> None:
    """Five minutes after its time, with the recheck itself; not once it was made."""
    asked = recheck(0, 15)
    assert noticed([look(0)], 19.99, rechecks=[asked]) == []
    assert noticed([look(0)], 30, rechecks=[asked], since=20) == []
    (found,) = noticed([look(0)], 20, rechecks=[asked])
    assert (found.fact, found.at, found.recheck) == ("recheck_overdue", after(20), asked)
    assert noticed([look(0), look(14)], 20, rechecks=[asked]) == []


def test_a_flap_without_a_baseline_is_noticed_after_four_hours() -> None:
    """Four hours after arrival, counted anew from each return to the ward."""
    looks = [look(60 * n) for n in range(9)]

    def without(of: Flap, minutes: float) -> list[datetime]:
        found = notice(of, HOURLY_PROTOCOL, looks, [], after(minutes))
        return [n.at for n in found if n.fact == "no_baseline"]

    assert without(flap(), 239.9) == []
    assert without(flap(), 240) == [after(240)]
    assert without(flap(baseline=made(colour="matches")), 240) == []
    assert without(flap(returns=(back(130),)), 369) == []
    assert without(flap(returns=(back(130),)), 370) == [after(370)]


# Counting


def test_a_stay_is_counted_in_one_breath() -> None:
    """On time, entered late, late, attempted and missed add up to expected; extras apart."""
    looks = [
        look(0), look(60, recorded=80), look(140), look(180, full=False), look(300), look(301),
    ]  # fmt: skip
    assert timeliness(flap(), HOURLY_PROTOCOL, looks, after(345)) == Timeliness(
        expected=6, on_time=2, late=1, entered_late=1, attempted=1, missed=1, extra=1,
        longest_gap=timedelta(minutes=160),
    )  # fmt: skip
    assert "add up to expected" in TIMELINESS_DEFINITION


def test_time_on_hold_is_no_gap() -> None:
    """Three hours in theatre do not count as three hours unwatched."""
    held = flap(holds=(hold(30, 210), hold(60, 120)))
    found = timeliness(held, HOURLY_PROTOCOL, [look(0), look(215)], after(230))
    assert found.longest_gap == timedelta(minutes=35)


def test_before_arrival_there_is_no_gap_to_tell() -> None:
    """A stay that has not begun has no longest gap, which is not a gap of nothing."""
    assert timeliness(flap(), HOURLY_PROTOCOL, [], ARRIVAL).longest_gap is None


# Properties


@st.composite
def protocols(draw: st.DrawFn) -> Protocol:
    """Phases of odd lengths and intervals, as a ward might write them or worse."""
    lines, start = [], 0.0
    for _ in range(draw(st.integers(0, 3))):
        end = start + draw(st.integers(1, 40)) / 4
        every = draw(st.integers(10, 300))
        lines.append(f"- {{from_hour: {start}, to_hour: {end}, every_minutes: {every}}}")
        start = end
    lines.append(f"- {{from_hour: {start}, every_minutes: {draw(st.integers(10, 300))}}}")
    return protocol("\n  ".join(lines))


minutes_in_stay = st.integers(-60, 2400)


@st.composite
def flaps(draw: st.DrawFn) -> Flap:
    holds = []
    for _ in range(draw(st.integers(0, 2))):
        start = draw(minutes_in_stay)
        length = draw(st.none() | st.integers(0, 300))
        holds.append(hold(start, None if length is None else start + length))
    returns = tuple(back(m) for m in draw(st.lists(st.integers(121, 2000), max_size=2)))
    ended = draw(st.none() | st.integers(500, 3000))
    return flap(
        holds=tuple(holds), returns=returns, ended_at=None if ended is None else after(ended)
    )


looks_of_a_stay = st.lists(
    st.builds(
        lambda at, wait, full: look(at, recorded=at + wait, full=full),
        minutes_in_stay,
        st.sampled_from([0, 0, 0, 15, 16, 200]),
        st.booleans(),
    ),
    max_size=40,
)

several = settings(max_examples=150, deadline=None)


@several
@given(protocols(), flaps())
def test_spans_of_slots_partition_the_stay(made_up: Protocol, any_flap: Flap) -> None:
    """Every moment from the first window on lies in the span of exactly one slot, and the
    windows lie inside their spans."""
    no_holds = flap(returns=any_flap.returns)
    found = list(stay_slots(no_holds, made_up, after(2600)))
    assert all(s.opens <= s.at <= s.closes <= s.missed_at for s in found)
    assert all(a.missed_at == b.opens and a.at < b.at for a, b in pairwise(found))


@several
@given(protocols(), flaps(), minutes_in_stay)
def test_finding_a_slot_by_arithmetic_agrees_with_walking(
    made_up: Protocol, any_flap: Flap, minutes: int
) -> None:
    """The slot of a moment is the one that a walk over the whole stay would find."""
    moment = after(minutes)
    holding = slot_holding(any_flap, made_up, moment)
    walked = [
        s for s in stay_slots(any_flap, made_up, after(3500)) if s.opens <= moment < s.missed_at
    ]
    if holding is None or holding.held:
        assert walked == []
        return
    never = any(h.until_at is None and h.covers(holding.at) for h in any_flap.holds)
    assert walked == ([] if never else [holding])


@several
@given(protocols(), flaps(), looks_of_a_stay, minutes_in_stay)
def test_each_check_is_used_once_and_the_counts_add_up(
    made_up: Protocol, any_flap: Flap, looks: list[Look], minutes: int
) -> None:
    """A check fills or attempts at most one slot or is extra; nothing is counted twice or lost;
    a filled slot is filled by a full check of its own span."""
    now = after(minutes)
    known = [x for x in looks if x.recorded_at <= now]
    filled = fill(any_flap, made_up, looks, now)
    used = [x for f in filled for x in (*f.attempts, f.look) if x is not None]
    assert len({x.key for x in used}) == len(used)
    assert len(used) + len(extra_looks(filled, known)) == len(known)
    for f in filled:
        if f.look is not None:
            assert f.look.full
            assert f.slot.opens <= f.look.observed_at < f.slot.missed_at
    t = timeliness(any_flap, made_up, looks, now)
    assert t.expected == t.on_time + t.late + t.entered_late + t.attempted + t.missed
    assert t.expected + t.extra <= len(filled) + len(known)
    assert t.longest_gap is None or t.longest_gap >= timedelta(0)


@several
@given(protocols(), flaps(), looks_of_a_stay, minutes_in_stay)
def test_overdue_on_the_board_and_in_the_watch_agree(
    made_up: Protocol, any_flap: Flap, looks: list[Look], minutes: int
) -> None:
    """A slot the board calls overdue for less than a day is one the watcher has noticed, at the
    same moment, unless that moment fell into a hold; and what is noticed is never in the
    future."""
    now = after(minutes)
    found = notice(any_flap, made_up, looks, [], now)
    assert all(n.at <= now for n in found)
    shown = next_due(any_flap, made_up, looks, [], now)
    recent = shown.since is not None and now - shown.since < timedelta(hours=24)
    if shown.kind == "slot" and recent and any_flap.held(shown.since or now) is None:
        assert ("overdue", shown.since) in {(n.fact, n.at) for n in found}


@several
@given(protocols(), flaps(), looks_of_a_stay, st.integers(0, 1400), st.integers(1, 600))
def test_sleeping_changes_nothing_that_still_stands(
    made_up: Protocol, any_flap: Flap, looks: list[Look], start: int, slept: int
) -> None:
    """What a watcher that slept finds on waking is what one look back over the day finds."""
    now = after(start + slept)
    waking = notice(any_flap, made_up, looks, [], now, after(start))
    day = notice(any_flap, made_up, looks, [], now)
    assert waking == [n for n in day if n.at > after(start)]


@several
@given(protocols(), flaps(), looks_of_a_stay, minutes_in_stay)
def test_a_full_check_now_clears_what_was_due(
    made_up: Protocol, any_flap: Flap, looks: list[Look], minutes: int
) -> None:
    """Right after a full check nothing is overdue, whatever came before."""
    now = after(minutes)
    asked = [Recheck(now - timedelta(minutes=40), now - timedelta(minutes=20), "S0")]
    shown = next_due(any_flap, made_up, [*looks, Look(now, now, True)], asked, now)
    first = slot_holding(any_flap, made_up, now)
    if first is not None:
        assert shown.state is not DueState.OVERDUE
