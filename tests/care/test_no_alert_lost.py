"""What must never fall silent: a lost signal nobody confirmed, a flap nobody looks at."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from monitoring import care, queries
from monitoring.domain import (
    SYSTEM,
    Check,
    CloseReason,
    Hold,
    HoldReason,
    Refused,
    Return,
    Severity,
    Stream,
)
from monitoring.episodes import StoredAlert
from monitoring.store import Record
from tests.bedside import PALE, PROTOCOLS, SILENT, Bed, admit, at, staff

LATE_PHASE = {"perfused_at": at(-125 * 60)}
"""Five days on: one check in eight hours, the first of those asked for at 180 min."""


@pytest.fixture
def late_bed(record: Record) -> Bed:
    """A flap that is looked at every eight hours."""
    staff(record)
    return admit(record, **LATE_PHASE)


def glance(bed: Bed, minutes: float, by: str = "ben", **signs: Any) -> None:
    """Only a few signs are looked at."""
    body = {"observed_at": at(minutes), **signs}
    check = Check.parse(body, flap_id=bed.id, by=by, key=uuid4(), recorded_at=at(minutes))
    bed.enter(check, minutes)


def hold(bed: Bed, minutes: float, until: float | None = None) -> None:
    care.hold_flap(
        bed.record, PROTOCOLS, flap_id=bed.id, reason=HoldReason.IMAGING, by="ben",
        now=at(minutes), until_at=None if until is None else at(until),
    )  # fmt: skip


def release(bed: Bed, minutes: float) -> None:
    care.release_flap(bed.record, PROTOCOLS, flap_id=bed.id, by="ben", now=at(minutes))


def returned(bed: Bed, entered: float, **times: float) -> None:
    told = {name: at(minutes) for name, minutes in times.items()}
    care.record_return(
        bed.record, PROTOCOLS, flap_id=bed.id, value=Return.model_validate(told), by="diaz",
        now=at(entered),
    )  # fmt: skip


def close(bed: Bed, alert: StoredAlert, minutes: float, reason: CloseReason) -> None:
    care.close_alert(bed.record, alert_id=alert.id, by="diaz", reason=reason, now=at(minutes))


def monitoring(bed: Bed) -> list[StoredAlert]:
    return [a for a in bed.alerts() if a.stream is Stream.MONITORING]


def holds(bed: Bed) -> list[Hold]:
    """The holds that take any time, in order."""
    with bed.record.read() as conn:
        found = [h.hold for h in queries.holds_of(conn, bed.id)]
    return [h for h in found if h.until_at != h.from_at]


def first_call(bed: Bed, since: float, until: float) -> float | None:
    """When a watcher that looks every minute first finds an open monitoring alert."""
    minutes = since
    while minutes <= until:
        bed.watch(minutes)
        if any(a.closed_at is None for a in monitoring(bed)):
            return minutes
        minutes += 1
    return None


# A lost signal is confirmed or taken as real


@pytest.mark.parametrize("seen", [{"colour": "matches"}, {"colour": "matches", "turgor": "soft"}])
def test_a_look_that_does_not_listen_confirms_nothing(bed: Bed, seen: dict[str, Any]) -> None:
    """The signal is lost at 30 min; at 34 somebody looks at other signs only: red at 40."""
    bed.save(1)
    bed.save(30, SILENT)
    glance(bed, 34, **seen)
    bed.watch(39.9)
    assert bed.alert().severity is Severity.AMBER
    bed.watch(45)
    assert (bed.alert().severity, bed.alert().findings[-1].at) == (Severity.RED, at(40))


def test_a_doppler_that_could_not_be_used_confirms_nothing(bed: Bed) -> None:
    """A second person without a probe has not heard the artery."""
    bed.save(1)
    bed.save(30, SILENT)
    bed.save(36, {"doppler_artery": {"unable": "equipment"}}, by="ben")
    bed.watch(45)
    assert bed.alert().severity is Severity.RED


def test_a_weak_sign_is_looked_at_again_itself(bed: Bed) -> None:
    """Pale at 30 min, a refill at 40: nobody looked at the colour again, so it calls at 45."""
    bed.save(1)
    bed.save(30, PALE)
    glance(bed, 40, refill=2.0)
    bed.watch(46)
    assert bed.alert().severity is Severity.AMBER


def test_the_sign_itself_settles_it_whatever_else_is_left_out(bed: Bed) -> None:
    """Heard again by a second person who looked at nothing else: no red."""
    bed.save(1)
    bed.save(30, SILENT)
    glance(bed, 34, doppler_artery="strong")
    bed.watch(45)
    assert bed.alert().severity is Severity.AMBER


def test_amending_another_value_keeps_the_ten_minutes(bed: Bed) -> None:
    """The temperature of the check that lost the signal is set right: red at the same minute."""
    bed.save(1)
    old = bed.save(30, SILENT)
    new = bed.amend(old.check.key, bed.look(30, SILENT | {"flap_temp_c": 33.7}), 33)
    (asked, *_) = [r for r in bed.rechecks() if r.rule == "D1"]
    assert (asked.check_key, asked.due_at) == (new.check.key, at(40))
    bed.watch(45)
    assert (bed.alert().severity, bed.alert().findings[-1].at) == (Severity.RED, at(40))


def test_amending_the_lost_signal_away_ends_its_ten_minutes(bed: Bed) -> None:
    """It was a slip of the finger: nothing turns red."""
    bed.save(1)
    old = bed.save(30, SILENT)
    bed.amend(old.check.key, bed.look(30), 33)
    assert bed.rechecks() == []
    bed.watch(45)
    assert bed.alert().severity is Severity.AMBER


def test_a_lost_signal_saved_after_a_newer_look_still_counts(bed: Bed) -> None:
    """A colleague glances at 31 min and saves first; the lost signal of 30 min, saved at 33,
    still turns red at 40."""
    bed.save(1)
    glance(bed, 31, colour="matches")
    bed.save(30, SILENT, entered=33)
    bed.watch(39.9)
    assert bed.alert().severity is Severity.AMBER
    bed.watch(41)
    assert (bed.alert().severity, bed.alert().findings[-1].at) == (Severity.RED, at(40))


def test_a_lost_signal_saved_after_it_was_heard_again_asks_nothing(bed: Bed) -> None:
    """At 31 min a colleague heard it: the late entry of 30 min has its answer already."""
    bed.save(1)
    bed.save(31, by="ben")
    bed.save(30, SILENT, entered=33)
    bed.watch(45)
    assert bed.alert().severity is Severity.AMBER


def test_a_lost_signal_closed_as_the_probe_does_not_come_back_red(bed: Bed) -> None:
    """A registrar closes it at 34 min with its reason: its recheck is over with it."""
    bed.save(1)
    bed.save(30, SILENT)
    close(bed, bed.alert(), 34, CloseReason.PROBE)
    assert bed.rechecks() == []
    bed.watch(45)
    assert [a.severity for a in bed.alerts() if a.stream is Stream.PERFUSION] == [Severity.AMBER]


def test_closing_another_alert_keeps_the_ten_minutes(bed: Bed) -> None:
    """A haematoma ruled out says nothing of the artery."""
    bed.save(1)
    bed.save(30, SILENT | {"swelling": "rapid"})
    close(bed, bed.alert(Stream.HAEMATOMA), 34, CloseReason.NO_CAUSE)
    bed.watch(45)
    assert bed.alert().severity is Severity.RED


# A flap nobody looks at


def test_a_released_flap_nobody_looks_at_calls_within_half_an_hour(late_bed: Bed) -> None:
    """Back from three hours of imaging with the next check hours away: amber 30 min later."""
    late_bed.save(1)
    late_bed.save(180)
    hold(late_bed, 190)
    release(late_bed, 370)
    assert first_call(late_bed, 371, 500) == 400


def test_a_red_flap_nobody_looks_at_again_calls(late_bed: Bed) -> None:
    """Congestion at 181 min asks for a look at 196: at 226 the charge nurse is told too."""
    late_bed.save(1)
    late_bed.save(181, {"colour": "dusky", "turgor": "tense"})
    assert first_call(late_bed, 182, 300) == 226


def test_two_taps_do_not_silence_an_overdue_flap(late_bed: Bed) -> None:
    """Overdue since 180 min and amber; held at 217 and released at 218 without a check: amber
    again 30 min later."""
    late_bed.save(1)
    late_bed.watch(216)
    assert monitoring(late_bed)[0].severity is Severity.AMBER
    hold(late_bed, 217)
    release(late_bed, 218)
    assert first_call(late_bed, 219, 400) == 248


@pytest.mark.parametrize("planned", [250, None])
def test_a_missing_baseline_calls_again_after_a_hold(bed: Bed, planned: float | None) -> None:
    """No baseline after 4 h, then imaging: the hold closed the alert, its end raises it again,
    released by somebody or not."""
    for minutes in range(1, 242, 30):
        bed.save(minutes, PALE)
    bed.watch(242)
    assert monitoring(bed)[0].rule == "X1"
    hold(bed, 243, planned)
    bed.watch(246)
    assert [a.closed_by for a in monitoring(bed)] == [SYSTEM]
    if planned is None:
        release(bed, 250)
    bed.watch(250)
    assert [a.rule for a in monitoring(bed) if a.closed_at is None] == ["X1"]


def test_an_overdue_alert_somebody_closed_comes_back(late_bed: Bed) -> None:
    """Closed at 217 min without a check: half an hour later it calls again, once."""
    late_bed.save(1)
    late_bed.watch(216)
    close(late_bed, monitoring(late_bed)[0], 217, CloseReason.NO_CAUSE)
    assert first_call(late_bed, 218, 400) == 247
    late_bed.watched(until=300, since=248)
    assert len(monitoring(late_bed)) == 2
    assert monitoring(late_bed)[1].pages == 1


def test_no_slot_is_missed_just_after_a_release(bed: Bed) -> None:
    """Due at 30 min, in the scanner from 35 to 50: at 53 nothing was missed."""
    bed.save(1)
    hold(bed, 35)
    release(bed, 50)
    bed.watch(53)
    assert monitoring(bed) == []


# Theatre


def test_theatre_goes_on_when_a_planned_hold_runs_out(bed: Bed) -> None:
    """In imaging until 60 min as planned, into theatre from there at 55: on hold at 100 still."""
    bed.save(1)
    hold(bed, 40, 60)
    returned(bed, 55, decided_at=50, into_theatre_at=55)
    assert [(h.from_at, h.until_at, h.reason) for h in holds(bed)] == [
        (at(40), at(55), HoldReason.IMAGING),
        (at(55), None, HoldReason.THEATRE),
    ]
    bed.watch(100)
    assert monitoring(bed) == []
    returned(bed, 200, decided_at=50, back_at=200)
    assert bed.flap().held(at(201)) is None


@pytest.mark.parametrize(("said", "right"), [(200, 100), (100, 195)])
def test_setting_the_time_back_right_moves_the_hold(bed: Bed, said: float, right: float) -> None:
    """The hold of a return ends when the flap was back, whatever was said first."""
    bed.save(1)
    returned(bed, 200, decided_at=40, into_theatre_at=45, back_at=said)
    returned(bed, 205, decided_at=40, back_at=right)
    assert [(h.from_at, h.until_at) for h in holds(bed)] == [(at(45), at(right))]
    assert bed.flap().slots_from == at(right)


def test_setting_the_way_into_theatre_right_moves_the_hold(bed: Bed) -> None:
    """Into theatre at 50 min, not at 45."""
    returned(bed, 60, decided_at=40, into_theatre_at=45)
    returned(bed, 61, decided_at=40, into_theatre_at=50)
    assert [(h.from_at, h.until_at) for h in holds(bed)] == [(at(50), None)]


def test_a_hold_after_the_return_is_left_alone(bed: Bed) -> None:
    """Back at 100 min, told at 200 while the flap is in imaging: still in imaging."""
    hold(bed, 150)
    returned(bed, 200, decided_at=40, into_theatre_at=45, back_at=100)
    assert bed.flap().held(at(201)) is not None


def test_a_return_under_way_changes_no_earlier_judgement(bed: Bed) -> None:
    """A firm flap counts at 30 h after perfusion as it did then, though it was perfused again
    since and a late entry has the stay judged again."""
    bed.save(1)
    firm = bed.save(1800, {"turgor": "firm"})
    before = bed.severity(firm.check.key)
    returned(bed, 1925, decided_at=1820, into_theatre_at=1830, perfused_again_at=1920)
    bed.save(1780, entered=1926)
    assert bed.severity(firm.check.key) == before


def test_a_check_from_before_perfusion_is_refused(record: Record) -> None:
    """Perfused at 12:00 and in recovery at 12:20: a look at 11:59 is a wrong time, 12:05 is not."""
    staff(record)
    bed = admit(record, perfused_at=at(-20))
    with pytest.raises(Refused, match="before the flap was perfused"):
        bed.save(-21, entered=1)
    bed.save(-15, entered=1)


def test_listening_twice_oneself_buys_no_time(bed: Bed) -> None:
    """Lost at 31, the same nurse finds it lost again at 40: unconfirmed at 41 is still red."""
    bed.save(1)
    bed.save(31, SILENT)
    bed.save(40, SILENT)
    assert bed.alert().severity is Severity.AMBER
    bed.watch(41)
    assert bed.alert().severity is Severity.RED
