"""A stay from admission to discharge: holds, returns, corrections, and who may be whom."""

from __future__ import annotations

from typing import Any

import pytest

from monitoring import care, people, queries, ward
from monitoring.domain import (
    AlertState,
    CloseReason,
    HoldReason,
    MonitoringError,
    Outcome,
    Refused,
    Return,
    ReturnFinding,
    Severity,
    Stream,
)
from monitoring.schedule import DueState, next_due
from monitoring.store import Record
from tests.bedside import (
    CONGESTED,
    DUSKY,
    PROTOCOLS,
    SILENT,
    Bed,
    admit,
    at,
    everything,
    patient,
    staff,
)
from tests.stays import START, facts


def hold(bed: Bed, minutes: float, until: float | None = None) -> None:
    care.hold_flap(
        bed.record, PROTOCOLS, flap_id=bed.id, reason=HoldReason.IMAGING, by="ben",
        now=at(minutes), until_at=None if until is None else at(until),
    )  # fmt: skip


def release(bed: Bed, minutes: float) -> None:
    care.release_flap(bed.record, PROTOCOLS, flap_id=bed.id, by="ben", now=at(minutes))


def back(bed: Bed, minutes: float, entered: float | None = None, **more: Any) -> None:
    value = Return(decided_at=at(100), into_theatre_at=at(110), **more)
    if minutes > 110:
        value = Return(
            decided_at=at(100), into_theatre_at=at(110), perfused_again_at=at(minutes - 60),
            back_at=at(minutes), **more,
        )  # fmt: skip
    care.record_return(
        bed.record, PROTOCOLS, flap_id=bed.id, value=value, by="diaz",
        now=at(minutes if entered is None else entered),
    )  # fmt: skip


def correct(bed: Bed, minutes: float, **changes: object) -> None:
    care.correct_flap(
        bed.record, PROTOCOLS, flap_id=bed.id, changes=changes, by="ben", reason="wristband",
        now=at(minutes),
    )  # fmt: skip


def discharge(bed: Bed, minutes: float) -> None:
    care.discharge_flap(bed.record, PROTOCOLS, flap_id=bed.id, by="diaz", now=at(minutes))


def outcome(bed: Bed, kind: str, minutes: float, entered: float | None = None) -> None:
    care.record_outcome(
        bed.record, PROTOCOLS, flap_id=bed.id, by="diaz",
        outcome=Outcome.model_validate({"kind": kind, "closed_at": at(minutes)}),
        now=at(minutes if entered is None else entered),
    )  # fmt: skip


def test_an_mrn_belongs_to_one_person(bed: Bed) -> None:
    """Admitting somebody under another's MRN, or correcting an MRN to another's, is refused by
    the other's name."""
    with pytest.raises(Refused, match=r"MRN 100200 belongs to MBEKI, Thandi, born 01 May 1970"):
        admit(bed.record, name="FOGG, Ann", label="R breast DIEP")
    other = admit(bed.record, mrn="100300", name="FOGG, Ann")
    with pytest.raises(Refused, match=r"MRN 100200 belongs to MBEKI, Thandi"):
        correct(other, 5, mrn="100200")
    with bed.record.read() as conn:
        assert queries.load_flap(conn, other.id).patient.mrn == "100300"


def test_the_same_flap_is_not_admitted_twice(bed: Bed) -> None:
    """A second tap on Admit, or a colleague's, finds the flap monitored; a second flap of the
    same person is another label."""
    with pytest.raises(Refused, match="L breast DIEP of MBEKI, Thandi is monitored already"):
        admit(bed.record)
    other = admit(bed.record, label="R breast DIEP")
    assert other.id != bed.id


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"perfused_at": at(3)}, "perfusion"), ({"monitoring_from": at(3)}, "start of monitoring")],
)
def test_a_flap_is_not_admitted_from_the_future(
    record: Record, changed: dict[str, object], said: str
) -> None:
    """A time of perfusion or arrival ahead of the clock is a wrong date."""
    staff(record)
    with pytest.raises(Refused, match=said):
        care.admit_flap(
            record, PROTOCOLS, patient=patient(), facts=facts(**changed), by="ana", now=START
        )
    with record.read() as conn:
        assert queries.is_empty(conn)


def test_an_admission_needs_a_known_person(record: Record) -> None:
    """Nobody on the staff list, nobody admitted."""
    with pytest.raises(care.UnknownPerson, match="Nobody on the staff list is 'ana'"):
        admit(record)
    staff(record)
    with record.write() as conn:
        people.remove_staff(conn, "ana")
    with pytest.raises(care.UnknownPerson, match="Ana is on the staff list no more"):
        admit(record)


def test_a_hold_asks_nothing_and_a_release_asks_at_once(bed: Bed) -> None:
    """While the flap is away no check is due and its overdue alert has closed itself; back again,
    one is due now."""
    bed.save(1)
    bed.watch(65)
    hold(bed, 66)
    alert = bed.alert(Stream.MONITORING)
    assert (alert.state, alert.close_reason) == (AlertState.CLOSED, "hold")
    bed.watch(180)
    assert len(bed.alerts()) == 1
    release(bed, 185)
    with bed.record.read() as conn:
        flap = queries.load_flap(conn, bed.id).flap
    due = next_due(flap, PROTOCOLS["skin-paddle@1"], [], [], at(185))
    assert (due.state, due.at) == (DueState.DUE, at(185))


def test_a_clinical_alert_outlives_a_hold(bed: Bed) -> None:
    """Going to imaging does not end congestion."""
    bed.save(1, CONGESTED)
    hold(bed, 5)
    assert bed.alert().state is AlertState.OPEN


def test_a_lost_signal_does_not_turn_red_while_away_but_at_the_release(bed: Bed) -> None:
    """Nobody could listen in the scanner: the deadline moves to the release, not into the hold."""
    bed.save(1)
    bed.save(31, SILENT)
    hold(bed, 35)
    bed.watch(60)
    assert bed.alert().severity is Severity.AMBER
    release(bed, 65)
    bed.watch(66)
    alert = bed.alert()
    assert alert.severity is Severity.RED
    assert alert.findings[-1].at == at(65)


def test_holds_that_cannot_be_are_refused(bed: Bed) -> None:
    """Held twice, released twice, an end in the past."""
    with pytest.raises(Refused, match="is not on hold"):
        release(bed, 1)
    with pytest.raises(Refused, match="in the past"):
        hold(bed, 5, until=4)
    hold(bed, 5)
    with pytest.raises(Refused, match="on hold already"):
        hold(bed, 6)


def test_a_return_holds_the_flap_then_begins_a_new_course(bed: Bed) -> None:
    """Into theatre is a hold; back on the ward the slots start anew, the baseline is gone and what
    was asked before is asked no more."""
    bed.save(1)
    bed.save(95, DUSKY)
    back(bed, 110)
    assert bed.flap().held(at(111)) is not None
    back(bed, 240, finding=ReturnFinding.KINK, salvaged=True)
    flap = bed.flap()
    assert flap.held(at(240)) is None
    assert (flap.slots_from, flap.perfused_at, flap.baseline) == (at(240), at(180), None)
    assert bed.rechecks() == []
    assert bed.alert().state is AlertState.OPEN
    first = bed.save(241)
    baseline = bed.flap().baseline
    assert baseline is not None and baseline.key == first.check.key


def test_a_return_told_late_judges_the_checks_since_again(bed: Bed) -> None:
    """The return is written down an hour after the flap came back: the first full check since is
    its baseline, as if it had been told in time."""
    bed.save(1)
    back(bed, 110)
    first = bed.save(241, {"flap_temp_c": 32.0, "control_temp_c": 33.9})
    bed.save(270, {"flap_temp_c": 32.0, "control_temp_c": 33.9})
    back(bed, 240, entered=275)
    baseline = bed.flap().baseline
    assert baseline is not None and baseline.key == first.check.key


def test_a_return_written_twice_is_one_return(bed: Bed) -> None:
    """A retry changes nothing; what is learnt later is filled in, and keeps what was known."""
    back(bed, 110)
    back(bed, 240)
    bed.save(241)
    before = everything(bed.record)
    back(bed, 240, entered=242)
    assert everything(bed.record) == before
    care.record_return(
        bed.record, PROTOCOLS, flap_id=bed.id, by="diaz", now=at(250),
        value=Return(decided_at=at(100), finding=ReturnFinding.KINK),
    )  # fmt: skip
    (value,) = bed.flap().returns
    assert (value.finding, value.back_at) == (ReturnFinding.KINK, at(240))
    assert bed.flap().baseline is not None


def test_returns_that_cannot_be_are_refused(bed: Bed) -> None:
    """A second return while one is under way, and times in the future."""
    back(bed, 110)
    with pytest.raises(Refused, match="Another return is under way"):
        care.record_return(
            bed.record, PROTOCOLS, flap_id=bed.id, by="diaz", now=at(120),
            value=Return(decided_at=at(115)),
        )  # fmt: skip
    with pytest.raises(Refused, match="The time of re-perfusion lies 1 h in the future"):
        back(bed, 240, entered=120)


def test_discharge_waits_for_open_clinical_alerts(bed: Bed) -> None:
    """A flap with an open alert is not discharged: nobody would see it any more."""
    bed.save(1, CONGESTED)
    with pytest.raises(Refused, match=r"an alert that is not closed \(red\)"):
        discharge(bed, 5)
    care.close_alert(
        bed.record, alert_id=bed.alert().id, by="diaz", reason=CloseReason.POSITION, now=at(6)
    )
    discharge(bed, 7)
    assert bed.flap().ended_at == at(7)
    with pytest.raises(Refused, match="has ended"):
        discharge(bed, 8)


def test_discharge_ends_what_only_the_clock_had_raised(bed: Bed) -> None:
    """An overdue alert closes itself at discharge, and the watcher asks no more."""
    bed.watch(65)
    discharge(bed, 66)
    alert = bed.alert(Stream.MONITORING)
    assert (alert.state, alert.close_reason) == (AlertState.CLOSED, "discharged")
    assert bed.watch(300) == 0


def test_total_loss_ends_monitoring(bed: Bed) -> None:
    """A lost flap is watched no more; a flap that survived is, until discharge. Alerts of a lost
    flap stay until a person closes them."""
    bed.save(1, CONGESTED)
    outcome(bed, "total_loss", 30)
    assert bed.flap().ended_at == at(30)
    assert bed.alert().state is AlertState.OPEN
    with pytest.raises(Refused, match="has ended"):
        bed.save(31)
    other = admit(bed.record, label="R breast DIEP")
    outcome(other, "survived", 30)
    assert other.flap().ended_at is None


def test_outcomes_that_cannot_be_are_refused(bed: Bed) -> None:
    """A second outcome, one from the future, one from before the flap was perfused."""
    with pytest.raises(Refused, match="in the future"):
        outcome(bed, "survived", 60, entered=5)
    with pytest.raises(Refused, match="before the flap was perfused"):
        outcome(bed, "total_loss", -5)
    outcome(bed, "survived", 10)
    with pytest.raises(Refused, match="recorded already: survived"):
        outcome(bed, "total_loss", 20)


def test_a_transfer_moves_the_patient_and_keeps_where_they_were(bed: Bed) -> None:
    """Every flap of the patient moves along; both beds stay readable."""
    other = admit(bed.record, label="R breast DIEP")
    care.transfer_bed(
        bed.record, PROTOCOLS, flap_id=bed.id, ward="HDU", bed="2", by="ben", now=at(5)
    )
    with bed.record.read() as conn:
        there = queries.load_flap(conn, other.id).patient
        kept = queries.corrections_of(conn, bed.id)
    assert (there.ward, there.bed) == ("HDU", "2")
    assert [(c.field, c.old, c.new) for c in kept] == [("ward", "W", "HDU"), ("bed", "4", "2")]


def test_a_correction_judges_again_and_keeps_both_values(bed: Bed) -> None:
    """Skin type V was missed: checks of colour and refill alone now ask for a second modality;
    old and new value, who and why stay readable."""
    seen = bed.save(
        1, {"flap_temp_c": None, "control_temp_c": None, "turgor": None, "doppler_artery": None}
    )
    assert bed.severity(seen.check.key) == Severity.NONE
    correct(bed, 5, skin_type="V")
    assert bed.severity(seen.check.key) == Severity.YELLOW
    with bed.record.read() as conn:
        (kept,) = queries.corrections_of(conn, bed.id)
    assert (kept.field, kept.old, kept.new, kept.by, kept.reason) == (
        "skin_type", "II", "V", "ben", "wristband",
    )  # fmt: skip


def test_patient_and_flap_names_are_told_apart(bed: Bed) -> None:
    """A misspelt patient and a wrong kind of flap are corrected apart."""
    correct(bed, 5, name="MBEKI, Tandi", flap_name="TRAM")
    with bed.record.read() as conn:
        found = queries.load_flap(conn, bed.id)
    assert (found.patient.name, found.flap.facts.name) == ("MBEKI, Tandi", "TRAM")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"skin_type": "II"}, "Nothing differs"),
        ({"skin_type": "VII"}, "Skin type: Input should be"),
        ({"perfused_at": at(10)}, "monitoring_from is before perfused_at"),
        ({"perfused_at": at(90), "monitoring_from": at(90)}, "perfusion lies .* in the future"),
        ({"mood": "good"}, "'mood' is not a fact"),
        ({"mrn": " "}, "Mrn: String should have at least 1 character"),
    ],
)
def test_corrections_that_cannot_be_are_refused(
    bed: Bed, changes: dict[str, object], said: str
) -> None:
    """No difference, an unknown word, perfusion after monitoring or in the future, no such fact, a
    blank: refused with the fact's name."""
    with pytest.raises(Refused, match=said):
        correct(bed, 5, **changes)


def test_a_nurse_keeps_a_list_of_their_flaps(bed: Bed) -> None:
    """Taken twice is taken once; an unknown flap is refused with a sentence."""
    for mine in (True, True):
        care.set_mine(bed.record, flap_id=bed.id, nurse="ana", mine=mine, now=at(1))
    with bed.record.read() as conn:
        assert people.care_list(conn, "ana", at(0)) == {bed.id}
    care.set_mine(bed.record, flap_id=bed.id, nurse="ana", mine=False, now=at(2))
    with bed.record.read() as conn:
        assert people.care_list(conn, "ana", at(0)) == frozenset()
    with pytest.raises(MonitoringError, match="There is no flap"):
        care.set_mine(bed.record, flap_id="nowhere", nurse="ana", mine=True, now=at(1))


def test_the_ward_shows_the_flap_as_the_verbs_left_it(bed: Bed) -> None:
    """The board's read finds the flap, its checks and its alert."""
    bed.save(1, CONGESTED)
    (seen,) = ward.snapshot(bed.record, PROTOCOLS, at(2)).beds
    assert seen.flap.id == bed.id
    assert [a.severity for a in seen.alerts] == [Severity.RED]
