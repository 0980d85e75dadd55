"""An acknowledgement that runs out: the alert comes back, once, and never after a close."""

from __future__ import annotations

import pytest

from monitoring import care
from monitoring.domain import AlertState, CloseReason, Intent, Return
from tests.bedside import CONGESTED, DUSKY, PROTOCOLS, Bed, at


def test_an_arrival_that_passed_by_five_minutes_opens_the_alert_again(bed: Bed) -> None:
    """Dr Diaz said she would come at 10 minutes; at 15 nobody has it, and it pages again."""
    bed.save(1)
    bed.save(31, CONGESTED)
    bed.acknowledge(bed.alert(), 32)  # expected at 42
    bed.watch(46.9)
    assert bed.alert().state is AlertState.ACKNOWLEDGED
    bed.watch(47)
    alert = bed.alert()
    assert (alert.state, alert.acknowledged_by, alert.pages) == (AlertState.OPEN, None, 2)
    assert bed.told()[-1] == "expire"


@pytest.mark.parametrize(("signs", "minutes"), [(CONGESTED, 15), (DUSKY, 30)])
def test_a_far_arrival_does_not_keep_an_alert_quiet(
    bed: Bed, signs: dict[str, object], minutes: float
) -> None:
    """Whatever arrival was said: a red comes back after 15 minutes, an amber after 30."""
    bed.save(1)
    bed.save(31, signs)
    care.acknowledge_alert(
        bed.record, alert_id=bed.alert().id, by="diaz", intent=Intent.COMING,
        expected_at=at(300), now=at(32),
    )  # fmt: skip
    bed.watch(32 + minutes - 0.1)
    assert bed.alert().state is AlertState.ACKNOWLEDGED
    bed.watch(32 + minutes)
    assert bed.alert().state is AlertState.OPEN


def test_it_comes_back_once(bed: Bed) -> None:
    """Two ticks, one page: the second finds nothing to do."""
    bed.save(1)
    bed.save(31, CONGESTED)
    bed.acknowledge(bed.alert(), 32)
    bed.watch(60)
    bed.watch(60.1)
    assert bed.alert().pages == 2
    assert bed.told().count("expire") == 1


def test_a_late_expiry_never_touches_a_closed_alert(bed: Bed) -> None:
    """Closed at minute 40; a watcher that wakes an hour later leaves it closed."""
    bed.save(1)
    bed.save(31, CONGESTED)
    bed.acknowledge(bed.alert(), 32)
    alert = bed.alert()
    care.close_alert(
        bed.record, alert_id=alert.id, by="diaz", reason=CloseReason.POSITION, now=at(40)
    )
    assert not care.expire_acknowledgement(bed.record, alert_id=alert.id, now=at(100))
    assert bed.alert().state is AlertState.CLOSED


def test_no_page_goes_out_while_the_patient_is_in_theatre(bed: Bed) -> None:
    """The surgeon took the patient to theatre: the acknowledgement has been answered."""
    bed.save(1)
    bed.save(31, CONGESTED)
    bed.acknowledge(bed.alert(), 32)
    care.record_return(
        bed.record, PROTOCOLS, flap_id=bed.id, by="diaz", now=at(40),
        value=Return(decided_at=at(38), into_theatre_at=at(40)),
    )  # fmt: skip
    bed.watch(90)
    assert bed.alert().state is AlertState.ACKNOWLEDGED
    assert bed.alert().pages == 1
