"""What a release and a loud check ask for, and when their delay calls somebody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitoring.domain import Return, Severity
from monitoring.schedule import ATTEMPTED, RELEASED, Recheck, notice, open_rechecks
from tests.test_schedule import after, flap, hold, look, protocol

EIGHT_HOURLY = protocol("- {from_hour: 0, every_minutes: 480}")


def asked(severity: Severity, if_unmet: Severity | None = None) -> Recheck:
    """Asked for at minute 10, due at 25."""
    return Recheck(after(10), after(25), "V1", if_unmet, severity=severity)


@pytest.mark.parametrize("severity", list(Severity))
def test_what_a_loud_check_asked_for_is_long_overdue_after_half_an_hour(severity: Severity) -> None:
    """Amber and red: 30 min after its time, to the minute. A yellow check's recheck calls nobody
    by itself."""
    before, at_last = (
        {n.fact for n in notice(flap(), EIGHT_HOURLY, [look(0)], [asked(severity)], after(minutes))}
        for minutes in (54.99, 55)
    )
    assert before == {"recheck_overdue"}
    assert ("recheck_long" in at_last) == (severity in (Severity.AMBER, Severity.RED))


def test_any_later_check_meets_a_recheck_that_does_not_turn_louder() -> None:
    """Looked at before it was long overdue, full or not: nothing to say."""
    looks = [look(0), look(50)]
    assert notice(flap(), EIGHT_HOURLY, looks, [asked(Severity.RED)], after(56)) == []


def test_whoever_asked_says_whether_a_recheck_that_turns_louder_is_met() -> None:
    """The schedule sees no signs: what is passed stands, whatever check follows."""
    louder = asked(Severity.AMBER, if_unmet=Severity.RED)
    assert open_rechecks([louder], [look(20)]) == [louder]
    assert open_rechecks([replace(louder, if_unmet=None)], [look(20)]) == []


def test_a_release_is_long_overdue_after_half_an_hour() -> None:
    """Back at minute 200 with the next slot at 480; an incomplete check puts it off once, and is
    itself long overdue an hour after it was made."""
    held = flap(holds=(hold(65, 200),))
    found = notice(held, EIGHT_HOURLY, [look(0)], [], after(230))
    assert [(n.fact, n.at, n.recheck and n.recheck.rule) for n in found] == [
        ("recheck_overdue", after(205), RELEASED),
        ("recheck_long", after(230), RELEASED),
    ]
    assert found[1].because == "No check within 30 min of the hold's release."
    tried = notice(held, EIGHT_HOURLY, [look(0), look(210, full=False)], [], after(270))
    asking = [(n.fact, n.at, n.recheck.rule) for n in tried if n.recheck is not None]
    assert asking == [
        ("recheck_overdue", after(245), ATTEMPTED),
        ("recheck_long", after(270), ATTEMPTED),
    ]


def test_a_hold_settles_what_was_long_overdue_before_it() -> None:
    """What waited before the flap left is history: its release asks anew."""
    held = flap(holds=(hold(60, 61),))
    found = notice(held, EIGHT_HOURLY, [look(0)], [asked(Severity.RED)], after(62))
    assert {(n.fact, n.settled_at) for n in found} == {
        ("recheck_overdue", after(60)), ("recheck_long", after(60)),
    }  # fmt: skip


def test_nothing_becomes_long_overdue_inside_a_hold() -> None:
    """Due at 25, in the scanner from 40 to 70, where its half hour ran out."""
    held = flap(holds=(hold(40, 70),))
    found = notice(held, EIGHT_HOURLY, [look(0)], [asked(Severity.RED)], after(71))
    assert [n.fact for n in found] == ["recheck_overdue"]


def test_a_slot_before_a_release_is_not_missed_after_it() -> None:
    """Due at 30 and missed from 52.5 on: a release at 50, or at that very moment, asks for the
    check instead. A release before the slot changes nothing of it."""
    half_hourly = protocol("- {from_hour: 0, every_minutes: 30}")
    for end, missed in ((50, False), (52.5, False), (25, True)):
        held = flap(holds=(hold(10 if missed else 35, end),))
        facts = [n.fact for n in notice(held, half_hourly, [look(0)], [], after(52.6))]
        assert ("overdue_long" in facts) == missed


def test_a_return_counts_only_as_far_as_it_had_gone() -> None:
    """Decided at 100, perfused again at 200, back at 260: at 150 the flap still counts from its
    first perfusion, at 220 from the second, and the new course begins at 260."""
    back = Return(
        decided_at=after(100), into_theatre_at=after(110), perfused_again_at=after(200),
        back_at=after(260),
    )  # fmt: skip
    of = flap(returns=(back,))
    assert of.as_of(after(99)).returns == ()
    assert [of.hours(after(m)) for m in (150, 200, 260)] == [2.5, 0, 1]
    assert [of.as_of(after(m)).slots_from for m in (259, 260)] == [after(0), after(260)]
    assert [of.as_of(after(m)).perfused_at for m in (199, 200)] == [after(0), after(200)]
