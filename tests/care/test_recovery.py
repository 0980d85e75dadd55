"""What may be called recovered: only what was looked at again, and found silent."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitoring import care
from monitoring.domain import AlertState, CloseReason, Severity, Stream
from tests.bedside import CONGESTED, DUSKY, Bed, at


def test_swelling_that_nobody_looked_at_again_has_not_recovered(bed: Bed) -> None:
    """A red haematoma, then a full check without a word on swelling: nothing is recovered."""
    bed.save(1)
    bed.save(31, {"swelling": "rapid", "pain": "rising"})
    bed.save(60)
    assert bed.alert(Stream.HAEMATOMA).recovered_at is None
    bed.save(90, {"swelling": "stable", "pain": "usual"})
    assert bed.alert(Stream.HAEMATOMA).recovered_at == at(90)


def test_striking_the_check_that_showed_recovery_takes_it_back(bed: Bed) -> None:
    """The normal check was another patient's: the red stands unrecovered again."""
    bed.save(1)
    bed.save(31, CONGESTED)
    wrong = bed.save(46)
    assert bed.alert().recovered_at is not None
    bed.retract(wrong.check.key, 50)
    assert bed.alert().recovered_at is None


def test_amending_what_a_closed_alert_rested_on_raises_again_if_it_is_still_red(bed: Bed) -> None:
    """Closed as an error in entering, amended, and still red: somebody is told."""
    bed.save(1)
    red = bed.save(31, CONGESTED)
    care.close_alert(
        bed.record, alert_id=bed.alert().id, by="diaz", reason=CloseReason.ENTERED_IN_ERROR,
        now=at(33),
    )  # fmt: skip
    bed.amend(red.check.key, bed.look(31, CONGESTED | {"colour": "purple"}), 35)
    running = [a for a in bed.alerts() if a.state is AlertState.OPEN]
    assert [a.severity for a in running] == [Severity.RED]


def test_a_quieter_recurrence_keeps_the_reason_of_the_red(bed: Bed) -> None:
    """Red, recovered, then one strong sign: the alert is still red, for its red reason."""
    bed.save(1)
    bed.save(31, CONGESTED)
    bed.save(46)
    bed.save(60, DUSKY)
    alert = bed.alert()
    assert alert.severity is Severity.RED
    assert "turgor tense" in alert.because
    assert alert.recovered_at is None


def test_a_normal_check_a_minute_ahead_does_not_recover_a_red_of_now(bed: Bed) -> None:
    """Clocks differ by a minute: what is red now is not recovered by a check from just after."""
    bed.save(1)
    ahead = bed.look(32)
    bed.enter(ahead, 31)
    bed.save(31, CONGESTED, by="ben")
    assert bed.alert().recovered_at is None


@pytest.mark.parametrize("minutes", [46, 47])
def test_recovery_is_dated_when_it_was_recorded(bed: Bed, minutes: float) -> None:
    """Recovered is the moment of the check that showed it."""
    bed.save(1)
    bed.save(31, CONGESTED)
    bed.save(minutes)
    assert bed.alert().recovered_at == at(31) + timedelta(minutes=minutes - 31)


def test_what_comes_back_pages_even_if_one_sign_was_not_looked_at_again(bed: Bed) -> None:
    """A swelling, a clear full check without a word on swelling, a swelling again: it pages."""
    bed.save(1)
    bed.save(31, {"swelling": "rapid", "pain": "rising"})
    bed.save(60)
    bed.save(90, {"swelling": "rapid", "pain": "rising"})
    assert bed.alert(Stream.HAEMATOMA).pages == 2
