"""What the clock raises: dated at the deadline, once, and closed by itself only where nobody was
called about the flap."""

from __future__ import annotations

import pytest

from monitoring import care, watch_log
from monitoring.domain import SYSTEM, AlertState, Severity, Stream
from monitoring.watch_log import WatchFinding
from tests.bedside import CONGESTED, PALE, PROTOCOLS, SILENT, Bed, at, everything


def passed(bed: Bed) -> list[WatchFinding]:
    with bed.record.read() as conn:
        return watch_log.watch_findings_of(conn, bed.id)


def test_a_missed_check_is_dated_at_its_deadline(bed: Bed) -> None:
    """Due at 30 min, yellow from 37 min 30 s; at 52 min 30 s the next slot opens and it is
    missed: amber. A watcher that looks at 57 min says so of those times, not of its own."""
    bed.save(1)
    bed.watch(57)
    assert [(w.severity, w.due_at, w.found_at) for w in passed(bed)] == [
        (Severity.YELLOW, at(37.5), at(57)),
        (Severity.AMBER, at(52.5), at(57)),
    ]
    alert = bed.alert(Stream.MONITORING)
    assert (alert.severity, alert.first_sign_at, alert.raised_at) == (
        Severity.AMBER, at(52.5), at(57),
    )  # fmt: skip


def test_a_deadline_is_written_once(bed: Bed) -> None:
    """Ticking again, or two watchers at once, changes nothing and pages nobody."""
    bed.watch(57)
    before = everything(bed.record)
    assert care.raise_overdue(bed.record, PROTOCOLS, flap_id=bed.id, now=at(57)) == 0
    assert everything(bed.record) == before


def test_both_sides_of_the_grace(bed: Bed) -> None:
    """A second before the window closes nothing is said; at its end it is."""
    bed.save(1)
    bed.watch(37.49)
    assert passed(bed) == []
    bed.watch(37.5)
    assert [w.severity for w in passed(bed)] == [Severity.YELLOW]
    assert bed.alerts() == []


def test_an_overdue_alert_closes_itself_for_a_full_check_only(bed: Bed) -> None:
    """Half a check leaves the flap unknown; a full one closes the alert, by the system, with its
    reason."""
    bed.save(1)
    bed.watch(57)
    bed.save(58, {"turgor": None})
    assert bed.alert(Stream.MONITORING).state is AlertState.OPEN
    bed.save(59)
    alert = bed.alert(Stream.MONITORING)
    assert (alert.state, alert.closed_by, alert.close_reason) == (
        AlertState.CLOSED, SYSTEM, "check_made",
    )  # fmt: skip


@pytest.mark.parametrize("signs", [CONGESTED, SILENT, {"swelling": "rapid"}])
def test_the_clock_never_closes_a_clinical_alert(bed: Bed, signs: dict[str, object]) -> None:
    """Hours of silence, holds and checks leave what a nurse saw standing."""
    bed.save(1)
    bed.save(30, signs)
    for minutes in (60, 120, 400):
        bed.watch(minutes)
    bed.save(401)
    assert AlertState.CLOSED not in {
        a.state for a in bed.alerts() if a.stream is not Stream.MONITORING
    }


def test_an_unconfirmed_lost_signal_turns_red_at_ten_minutes(bed: Bed) -> None:
    """The arterial signal is lost at 31 min and nobody else listens: amber until 41 min, red from
    then, dated then, paged once more, and once only."""
    bed.save(1)
    bed.save(31, SILENT)
    bed.acknowledge(bed.alert(), 32)
    bed.watch(40.99)
    assert bed.alert().severity is Severity.AMBER
    bed.watch(43)
    alert = bed.alert()
    assert (alert.severity, alert.state, alert.pages) == (Severity.RED, AlertState.OPEN, 2)
    assert alert.findings[-1].at == at(41)
    assert "was not done in time" in alert.because
    bed.watch(44)
    bed.watch(50)
    assert bed.alert().pages == 2


def test_a_second_person_who_hears_it_keeps_it_amber(bed: Bed) -> None:
    """Heard by somebody else in time: no red, and the alert shows recovered."""
    bed.save(1)
    bed.save(31, SILENT)
    bed.save(39, by="ben")
    bed.watch(45)
    alert = bed.alert()
    assert (alert.severity, alert.recovered_at) == (Severity.AMBER, at(39))


def test_a_weak_sign_nobody_looks_at_again_becomes_amber(bed: Bed) -> None:
    """Pale once is yellow; without the second look within 15 min it calls."""
    bed.save(1)
    bed.save(31, PALE)
    bed.watch(46)
    assert bed.alert().severity is Severity.AMBER


def test_a_late_entry_settles_what_the_clock_had_raised(bed: Bed) -> None:
    """The check was made in time and entered late: the overdue alert closes itself."""
    bed.save(1)
    bed.watch(57)
    bed.save(30, entered=58)
    assert bed.alert(Stream.MONITORING).state is AlertState.CLOSED


def test_a_flap_nobody_looked_at_pages_once_for_all_its_slots(bed: Bed) -> None:
    """Slot after slot missed joins the one alert as evidence."""
    bed.watched(until=240)
    alert = bed.alert(Stream.MONITORING)
    assert (alert.state, alert.pages) == (AlertState.OPEN, 1)
    assert len(alert.findings) > 3


def test_a_missed_recheck_keeps_the_reasons_of_the_red(bed: Bed) -> None:
    """White, no refill, no artery: when nobody looks again the alert still says so, and what to
    do is still the red's."""
    bed.save(1)
    white = {"colour": "white", "refill": "absent", "doppler_artery": "absent"}
    bed.save(31, white)
    before = bed.alert()
    bed.watch(43)
    assert bed.alert().because == before.because
    assert "white" in bed.alert().because
