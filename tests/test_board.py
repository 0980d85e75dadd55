"""What a tile says: the worst first, unknown never calm, the worst paddle for them all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.board import (
    Bedside,
    SeenCheck,
    Tile,
    TileState,
    surname,
    tile,
    tiles,
)
from monitoring.calls import OpenAlert
from monitoring.clocks import clock
from monitoring.domain import (
    AlertState,
    Flap,
    Hold,
    HoldReason,
    Intent,
    Pattern,
    Return,
    Severity,
    Stream,
)
from monitoring.schedule import Recheck
from tests.bedside import PROTOCOLS, a_look, at, patient
from tests.stays import facts

LONDON = ZoneInfo("Europe/London")
SKIN = PROTOCOLS["skin-paddle@1"]


def seen(
    minutes: float, severity: Severity = Severity.NONE, full: bool = True, unanswered: int = 0,
    **signs: Any,
) -> SeenCheck:  # fmt: skip
    loud = severity is not Severity.NONE
    return SeenCheck(
        a_look("flap", minutes, signs), full, severity, Pattern.VENOUS if loud else None,
        ("Colour dusky.",) if loud else (), unanswered,
    )  # fmt: skip


def alert(severity: Severity, minutes: float = 30, **more: Any) -> OpenAlert:
    told: dict[str, Any] = {
        "id": 1, "flap_id": "flap", "stream": Stream.PERFUSION, "severity": severity,
        "pattern": Pattern.VENOUS, "state": AlertState.OPEN, "raised_at": at(minutes),
        "first_sign_at": at(minutes), "because": "Colour dusky.", "rule": "S1",
        "decisive": frozenset({"colour"}),
    }  # fmt: skip
    return OpenAlert(**(told | more))


def bed(
    *checks: SeenCheck, alerts: tuple[OpenAlert, ...] = (), rechecks: tuple[Recheck, ...] = (),
    holds: tuple[Hold, ...] = (), returns: tuple[Return, ...] = (), who: str = "MBEKI, Thandi",
    mrn: str = "100200", place: str = "4", ward: str = "W", **told: Any,
) -> Bedside:  # fmt: skip
    flap = Flap(f"{mrn}/{told.get('label', '')}", facts(**told), SKIN.key, holds, returns)
    person = patient(name=who, mrn=mrn, bed=place, ward=ward)
    return Bedside(flap, person, SKIN, checks, alerts, rechecks)


def shown(here: Bedside, minutes: float) -> Tile:
    return tile(here, at(minutes), LONDON)


def why(t: Tile) -> str:
    return " ".join(text for text, _ in t.why)


def test_a_well_flap_says_what_was_seen_and_what_is_due() -> None:
    """Bed, two identifiers, flap, hours, last check with its age, next due in words."""
    t = shown(bed(seen(1), seen(30, unanswered=2)), 40)
    assert (t.state, t.word, t.pattern) == (TileState.NONE, "No finding", "2 rules unanswered")
    assert (t.bed, t.name, t.mrn, t.born) == ("Bed 4", "MBEKI, Thandi", "100200", "01 May 1970")
    assert (t.label, t.hours_text) == ("L breast DIEP", "40 min")
    assert (t.last_time, t.last_ago) == ("12:30", "10 min ago")
    assert (t.due_word, t.due_text) == ("due 13:00", "in 20 min")
    assert why(t) == "Matches, refill 2.0 s, gap 0.3 °C, turgor soft, artery strong."


@pytest.mark.parametrize(
    ("here", "minutes", "pattern", "said"),
    [
        (bed(), 1, "no check yet", "No check has been made yet."),
        (bed(seen(1), seen(31, full=False)), 32, "last check incomplete", "was not complete"),
        (bed(seen(1)), 65, "check overdue", "No full check since 12:01; 1 missed."),
        (bed(seen(1), seen(40, full=False)), 65, "check overdue", "No full check since 12:01"),
        (bed(seen(1, full=False)), 65, "check overdue", "No full check yet"),
        (bed(seen(1), holds=(Hold(from_at=at(5), reason=HoldReason.IMAGING),)), 10,
         "not being checked", "On hold: imaging."),
    ],
)  # fmt: skip
def test_unknown_is_never_calm(here: Bedside, minutes: float, pattern: str, said: str) -> None:
    """Without a trustworthy recent check a tile is unknown, says why, and names the last full
    check, not the last attempt."""
    t = shown(here, minutes)
    assert t.state is TileState.UNKNOWN
    assert t.pattern == pattern
    assert said in why(t)
    assert t.word in ("UNKNOWN", "ON HOLD")


def test_a_red_flap_stays_red_while_overdue_or_held() -> None:
    """No hold, no silence and no later normal check takes the red away."""
    red = (alert(Severity.RED),)
    hold = Hold(from_at=at(40), reason=HoldReason.THEATRE)
    for here in (
        bed(seen(1), alerts=red), bed(seen(1), seen(60), alerts=red),
        bed(seen(1), alerts=red, holds=(hold,)), bed(alerts=red),
    ):  # fmt: skip
        assert shown(here, 300).state is TileState.RED


def test_an_overdue_alert_alone_is_unknown_not_amber() -> None:
    """A flap nobody looks at is unknown, whatever the clock has raised."""
    clock = alert(Severity.AMBER, 52, stream=Stream.MONITORING, pattern=Pattern.MONITORING)
    assert shown(bed(seen(1), alerts=(clock,)), 70).state is TileState.UNKNOWN


def test_unable_twice_with_a_check_in_time_is_amber() -> None:
    """The check is recent, but what it could not see calls."""
    clock = alert(Severity.AMBER, 31, stream=Stream.MONITORING, pattern=Pattern.MONITORING)
    here = bed(seen(1), seen(31, Severity.AMBER), alerts=(clock,))
    assert (shown(here, 35).state, shown(here, 35).pattern) == (TileState.AMBER, "checks")


def test_yellow_shows_on_the_tile() -> None:
    """A weak sign, and a check a little late."""
    weak = shown(bed(seen(1), seen(31, Severity.YELLOW)), 33)
    assert (weak.state, weak.pattern) == (TileState.YELLOW, "attention")
    late = shown(bed(seen(1)), 40)
    assert (late.state, late.pattern, late.due_word) == (
        TileState.YELLOW, "check overdue", "overdue",
    )  # fmt: skip


def test_the_worst_alert_speaks_and_says_who_has_it() -> None:
    """Pattern, since when, the reason, the rest of the check, and who is coming when."""
    taken = alert(
        Severity.RED, state=AlertState.ACKNOWLEDGED, acknowledged_by="Dr Diaz",
        acknowledged_at=at(32), intent=Intent.COMING, expected_at=at(42),
    )  # fmt: skip
    t = shown(bed(seen(1), seen(30), alerts=(alert(Severity.AMBER), taken)), 35)
    assert (t.state, t.pattern, t.since) == (TileState.RED, "venous pattern", "since 12:30")
    assert t.plan == "12:32 acknowledged by Dr Diaz: coming, 12:42"
    assert why(t).startswith("Colour dusky. AMBER venous pattern open too: Colour dusky. ")
    assert "Also refill 2.0 s" in why(t)
    alone = shown(bed(seen(1), alerts=(alert(Severity.RED),)), 35)
    assert alone.plan.startswith("open 5 min, nobody has it yet; NOBODY TOLD")


def test_recovered_and_amended_are_said() -> None:
    """Recovered is not closed, and an amended value is mentioned."""
    past = alert(Severity.RED, recovered_at=at(40), amended_at=at(41))
    t = shown(bed(seen(1), alerts=(past,)), 45)
    assert t.state is TileState.RED and t.recovered
    assert "Recovered since, not closed." in why(t)
    assert "amended or struck since" in why(t)


def test_the_worst_comes_first() -> None:
    """Red nobody has, red somebody has, amber, unknown, held and yellow, well; what waits longer
    before what waits shorter."""
    taken = {
        "state": AlertState.ACKNOWLEDGED, "acknowledged_by": "Dr Diaz", "acknowledged_at": at(31),
    }  # fmt: skip
    hold = Hold(from_at=at(5), reason=HoldReason.IMAGING)
    beds = {
        "well": bed(seen(1), seen(30), mrn="well"),
        "held": bed(seen(1), holds=(hold,), mrn="held"),
        "weak": bed(seen(1), seen(31, Severity.YELLOW), mrn="weak"),
        "unknown": bed(mrn="unknown"),
        "amber": bed(seen(30), alerts=(alert(Severity.AMBER),), mrn="amber"),
        "taken": bed(seen(30), alerts=(alert(Severity.RED, **taken),), mrn="taken"),
        "new red": bed(seen(30), alerts=(alert(Severity.RED, 33),), mrn="new red"),
        "old red": bed(seen(30), alerts=(alert(Severity.RED, 20),), mrn="old red"),
    }
    order = [t.mrn for t in tiles(beds.values(), at(35), LONDON)]
    assert order == ["old red", "new red", "taken", "amber", "unknown", "held", "weak", "well"]


_states = st.sampled_from([Severity.RED, Severity.AMBER, None])


@given(st.lists(st.tuples(_states, st.booleans(), st.integers(0, 200)), max_size=8))
def test_no_order_puts_a_calm_flap_above_a_compromised_one(
    told: list[tuple[Severity | None, bool, int]],
) -> None:
    """Whatever the ward, a tile is never above one whose state is worse."""
    beds = [
        bed(
            *([seen(minutes)] if looked else []), mrn=str(number),
            alerts=() if severity is None else (alert(severity, minutes),),
        )
        for number, (severity, looked, minutes) in enumerate(told)
    ]  # fmt: skip
    order = [list(TileState).index(t.state) for t in tiles(beds, at(210), LONDON)]
    assert order == sorted(order)


def test_the_worst_paddle_speaks_for_a_chimeric_flap() -> None:
    """The well paddle's tile names the compromised one; flaps of other operations say nothing."""
    well = bed(seen(1), seen(30), label="Cheek paddle", operation_id="op")
    ill = bed(seen(30), alerts=(alert(Severity.RED),), label="Neck paddle", operation_id="op")
    other = bed(seen(30), label="R breast DIEP", operation_id="else")
    notes = {t.label: t.note for t in tiles([well, ill, other], at(35), LONDON)}
    assert notes["Cheek paddle"] == "Neck paddle is RED; 2 flaps of one operation"
    assert notes["Neck paddle"] == "worst of 2 flaps of one operation"
    assert notes["R breast DIEP"] == ""


def test_namesakes_are_marked() -> None:
    """Two people of one family name on a ward carry a warning; one person's two flaps, and people
    of other wards, do not."""
    beds = [
        bed(mrn="1", who="ADEYEMI, Grace"), bed(mrn="2", who="Adeyemi, Gloria"),
        bed(mrn="3", who="HOLM, Erik", label="a"), bed(mrn="3", who="HOLM, Erik", label="b"),
        bed(mrn="4", who="HOLM, Nina", ward="HDU"),
    ]  # fmt: skip
    marked = {t.mrn for t in tiles(beds, at(1), LONDON) if t.namesake}
    assert marked == {"1", "2"}
    assert surname("Grace Adeyemi") == surname("ADEYEMI, Grace")


def test_hours_count_from_the_last_perfusion() -> None:
    """After a return the hours begin anew, and the tile says so."""
    again = Return(decided_at=at(60), perfused_again_at=at(120), back_at=at(150))
    assert shown(bed(returns=(again,)), 300).hours_text == "3 h since re-perfusion"
    assert shown(bed(), 300).hours_text == "5 h"


def test_the_trend_breaks_where_checks_are_missing() -> None:
    """Two hours without a check are a gap in the line, never a bridge; no gap is not 0 °C."""
    points = shown(bed(seen(1), seen(30), seen(200, flap_temp_c=None)), 210).spark.points
    assert [(round(ago), gap) for ago, gap in points] == [
        (209, 0.3), (180, 0.3), (10, None), (10, None),
    ]  # fmt: skip


def test_another_day_is_named() -> None:
    """23:50 of yesterday carries its weekday."""
    assert shown(bed(seen(-10), perfused_at=at(-60)), 10 * 60).last_time == "11:50"
    assert shown(bed(seen(-10), perfused_at=at(-60)), 25 * 60).last_time == "Mon 11:50"


def test_a_recheck_is_told_from_a_slot() -> None:
    """What a finding asked for is called a recheck, soon and overdue."""
    asked = (Recheck(at(31), at(46), "S1"),)
    here = bed(seen(1), seen(31, Severity.YELLOW), rechecks=asked)
    assert shown(here, 33).due_word == "recheck"
    assert shown(here, 52).due_word == "recheck overdue"
    assert replace(shown(here, 33), mine=True).mine


def test_a_recovered_red_never_hides_one_that_stands() -> None:
    """Congestion recovered, the haematoma is now: the tile speaks of the haematoma."""
    old = alert(Severity.RED, recovered_at=at(31))
    standing = alert(
        Severity.RED, stream=Stream.HAEMATOMA, pattern=Pattern.HAEMATOMA, because="Swelling rapid."
    )
    t = shown(bed(seen(1), seen(30), alerts=(old, standing)), 35)
    assert t.pattern == "haematoma"
    assert "RED venous pattern recovered, not closed" in why(t)


def test_after_a_hold_nothing_is_known_until_somebody_looks() -> None:
    """Three hours in imaging, just released: the check from before says nothing any more."""
    held = Hold(from_at=at(35), until_at=at(215), reason=HoldReason.IMAGING)
    t = shown(bed(seen(1), seen(30), holds=(held,)), 216)
    assert t.state is TileState.UNKNOWN
    assert "Not looked at since 12:30." in why(t)
    assert shown(bed(seen(1), seen(30), seen(216), holds=(held,)), 217).state is TileState.NONE


def test_what_was_asked_and_unable_is_said_on_a_calm_tile() -> None:
    """No finding, but turgor could not be felt: the tile says so."""
    t = shown(bed(seen(1), seen(30, turgor={"unable": "dressing"})), 31)
    assert "Unable: turgor." in why(t)


def test_two_operations_of_the_same_word_are_not_one() -> None:
    """Two patients whose operation was called "1": neither tile speaks of the other."""
    first, second = (bed(seen(1), mrn=m, operation_id="1") for m in ("100200", "999"))
    assert [t.note for t in tiles([first, second], at(10), LONDON)] == ["", ""]


def test_the_hour_that_occurs_twice_is_named() -> None:
    """On the night the clock goes back 01:30 is said with its zone; other times are not."""
    twice = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert clock(twice, LONDON) == "01:30 GMT"
    assert clock(twice - timedelta(hours=1), LONDON) == "01:30 BST"
    assert clock(twice + timedelta(hours=1), LONDON) == "02:30"


def test_hours_are_never_rounded_up() -> None:
    """Ninety minutes after perfusion is hour 1, not hour 2."""
    assert shown(bed(seen(1)), 90).hours_text == "1 h"


def test_one_flap_that_cannot_be_drawn_does_not_blank_the_board() -> None:
    """A tile that cannot be made is named; the other flaps stay on the board."""
    well = bed(seen(1))
    spoilt = replace(bed(seen(1), mrn="999"), seen=("not a check",))  # type: ignore[arg-type]
    broken: list[str] = []
    found = tiles([spoilt, well], at(10), LONDON, broken)
    assert [t.mrn for t in found] == ["100200"]
    assert broken == [spoilt.flap.id]


def test_before_a_return_the_trend_asks_for_the_checks_of_that_time() -> None:
    """Hourly checks on the second day are no gaps because the flap was in theatre later."""
    checks = [seen(60 * h) for h in range(5, 10)]
    went = Return(decided_at=at(600), into_theatre_at=at(610), back_at=at(800))
    t = shown(bed(*checks, returns=(went,)), 700)
    assert all(gap is not None for _, gap in t.spark.points)


def test_passing_on_is_not_having_it() -> None:
    """Passed on, not yet taken: the red stays unowned, and stands before one that is owned."""
    said: dict[str, Any] = {
        "state": AlertState.ACKNOWLEDGED, "acknowledged_by": "J. Marsh", "acknowledged_at": at(32),
        "expected_at": at(42),
    }  # fmt: skip
    passed = bed(seen(1), alerts=(alert(Severity.RED, intent=Intent.PASSING, **said),), mrn="2")
    owned = bed(seen(1), alerts=(alert(Severity.RED, 20, intent=Intent.COMING, **said),), mrn="1")
    found = tiles([owned, passed], at(35), LONDON)
    assert [t.mrn for t in found] == ["2", "1"]
    assert not found[0].plan_has
    assert "nobody has it yet" in found[0].plan


def test_theatre_that_is_only_asked_for_hides_nobody() -> None:
    """The clock since theatre was asked for runs on the tile; an alert that nobody has stays loud
    beside it, until the flap is in theatre."""
    red = (alert(Severity.RED),)
    asked = Return(decided_at=at(40))
    t = shown(bed(seen(1), seen(30), alerts=red, returns=(asked,)), 63)
    assert t.plan.startswith("theatre asked for 12:40, 00:23 ago; open 33 min, nobody has it yet")
    assert not t.plan_has
    gone = Return(decided_at=at(40), into_theatre_at=at(60))
    t = shown(bed(seen(1), seen(30), alerts=red, returns=(gone,)), 63)
    assert (t.plan, t.plan_has) == ("in theatre since 13:00", True)
