"""Setting a check right: the old stays readable, what follows is judged again, alerts say so."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from monitoring import care, episodes
from monitoring.domain import AlertState, Refused, Severity, Stream
from tests.bedside import CONGESTED, DUSKY, PALE, PROTOCOLS, SILENT, Bed, admit, at, everything


def test_the_old_version_stays_readable(bed: Bed) -> None:
    """An amendment is a new version with author and reason; the old one is kept beside it, and
    who looked stays who looked."""
    old = bed.save(1, {"flap_temp_c": 32.1})
    saved = bed.amend(old.check.key, bed.look(1), 5)
    first, second = sorted(bed.checks(), key=lambda c: c.check.recorded_at)
    assert first.check == old.check
    assert first.replaced_by_key == second.check.key and not first.current
    assert second.replaces_key == first.check.key and second.current
    assert (second.amended_by, second.amend_reason) == ("ben", "misread")
    assert (second.check.by, second.first_recorded_at) == ("ana", at(1))
    assert saved.current and not saved.repeated


def test_amending_twice_is_amending_once(bed: Bed) -> None:
    """A retry of an amendment changes nothing and gives the first result; with other values, or
    for another check, the same form is refused."""
    old = bed.save(1, DUSKY)
    other = bed.save(31)
    new = bed.look(1)
    first = bed.amend(old.check.key, new, 40)
    before = everything(bed.record)
    again = bed.amend(old.check.key, new, 41)
    assert again.repeated and again.check == first.check
    with pytest.raises(care.OtherBody):
        bed.amend(old.check.key, replace(bed.look(1, PALE), key=new.key), 41)
    with pytest.raises(care.OtherBody):
        bed.amend(other.check.key, new, 41)
    assert everything(bed.record) == before


def test_only_the_version_that_stands_is_amended(bed: Bed) -> None:
    """Two people amend the same check: the second is told to look at what stands now."""
    old = bed.save(1)
    bed.amend(old.check.key, bed.look(1, PALE), 5)
    with pytest.raises(Refused, match="amend the one that stands"):
        bed.amend(old.check.key, bed.look(1, DUSKY), 6)
    with pytest.raises(Refused, match="retract the one that stands"):
        bed.retract(old.check.key, 6)


def test_an_amendment_needs_a_reason_a_change_and_its_own_flap(bed: Bed) -> None:
    """No reason, no difference, another flap, a time in the future, an unusual value: nothing is
    written."""
    old = bed.save(1)
    other = admit(bed.record, label="R breast DIEP")
    before = everything(bed.record)
    with pytest.raises(Refused, match="Say why"):
        care.amend_check(
            bed.record, PROTOCOLS, key=old.check.key, check=bed.look(1, PALE), by="ben",
            reason="  ", now=at(5),
        )  # fmt: skip
    with pytest.raises(Refused, match="Nothing differs"):
        bed.amend(old.check.key, replace(old.check, key=uuid4()), 5)
    with pytest.raises(Refused, match="stays with its flap"):
        bed.amend(old.check.key, other.look(1, PALE), 5)
    with pytest.raises(Refused, match="in the future"):
        bed.amend(old.check.key, bed.look(30), 5)
    with pytest.raises(Refused, match="before the flap was monitored"):
        bed.amend(old.check.key, bed.look(-60), 5)
    with pytest.raises(care.NeedsConfirmation):
        bed.amend(old.check.key, bed.look(1, {"refill": 9.0}), 5)
    with pytest.raises(care.UnknownPerson):
        bed.amend(old.check.key, bed.look(1, PALE), 5, by="nobody")
    assert everything(bed.record) == before


def test_an_alert_on_an_amended_value_says_so_and_stays(bed: Bed) -> None:
    """A typing error raised a red alert: setting the value right marks the alert, shows it as
    recovered, and leaves closing it to a person."""
    bed.save(1)
    wrong = bed.save(31, CONGESTED)
    saved = bed.amend(wrong.check.key, bed.look(31), 35)
    assert saved.assessment.severity is Severity.NONE
    alert = bed.alert()
    assert alert.state is AlertState.OPEN
    assert alert.severity is Severity.RED
    assert alert.amended_at == at(35)
    assert alert.recovered_at == at(35)
    assert bed.told() == ["raise", "amended", "recover"]


def test_an_amendment_to_worse_alerts_now(bed: Bed) -> None:
    """A check amended to dusky and tense alerts as of now, with its first sign when observed,
    and asks for its recheck."""
    bed.save(1)
    old = bed.save(31)
    bed.amend(old.check.key, bed.look(31, CONGESTED), 40)
    alert = bed.alert()
    assert (alert.severity, alert.raised_at, alert.first_sign_at) == (
        Severity.RED, at(40), at(31),
    )  # fmt: skip
    assert [r.due_at for r in bed.rechecks()] == [at(46)]


def test_an_amendment_pages_only_for_what_is_new(bed: Bed) -> None:
    """Correcting the temperature of a red check does not page again; a concern in it neither."""
    bed.save(1)
    check = replace(bed.look(31, CONGESTED), nurse_concern=True)
    bed.enter(check, 31)
    new = replace(bed.look(31, CONGESTED | {"refill": 2.5}), nurse_concern=True)
    bed.amend(check.key, new, 35)
    assert bed.alert().pages == 1
    assert bed.alert(Stream.CONCERN).pages == 1


def test_amending_the_baseline_judges_what_follows_again(bed: Bed) -> None:
    """The baseline's gap was mistyped: set right, a later gap is a change of 1.9 °C."""
    base = bed.save(1, {"flap_temp_c": 32.8})
    later = bed.save(60, {"flap_temp_c": 32.2})
    assert bed.severity(later.check.key) == Severity.NONE
    new = bed.amend(base.check.key, bed.look(1, {"flap_temp_c": 34.1}), 61)
    assert bed.severity(later.check.key) == Severity.AMBER
    assert bed.alert().severity is Severity.AMBER
    baseline = bed.flap().baseline
    assert baseline is not None and baseline.key == new.check.key


def test_amending_what_changes_nothing_else_adds_no_judgement(bed: Bed) -> None:
    """Checks whose judgement stays the same are not judged a second time in the record."""
    first = bed.save(1)
    second = bed.save(31)
    bed.amend(first.check.key, bed.look(1, {"refill": 2.2}), 35)
    with bed.record.read() as conn:
        assert len(episodes.assessments_of(conn, second.check.key)) == 1


def test_a_retracted_check_is_struck_through_and_counts_no_more(bed: Bed) -> None:
    """Entered on the wrong patient: readable with who, when and why, never deleted, never
    current, and the check before it speaks again."""
    bed.save(1)
    wrong = bed.save(31, CONGESTED)
    stored = bed.retract(wrong.check.key, 35)
    assert (stored.struck_by, stored.struck_at, stored.struck_reason) == (
        "ben", at(35), "wrong patient",
    )  # fmt: skip
    assert stored.check == wrong.check and not stored.current
    alert = bed.alert()
    assert (alert.state, alert.amended_at, alert.recovered_at) == (AlertState.OPEN, at(35), None)
    assert bed.rechecks() == []


def test_a_retracted_lost_signal_turns_no_louder(bed: Bed) -> None:
    """The recheck that a struck check had asked for is asked no more: the watcher stays quiet."""
    bed.save(1)
    wrong = bed.save(31, SILENT)
    assert [r.if_unmet for r in bed.rechecks()] == [Severity.RED]
    bed.retract(wrong.check.key, 35)
    bed.watch(44)
    assert bed.alert().severity is Severity.AMBER


def test_what_a_retracted_check_had_met_is_asked_again(bed: Bed) -> None:
    """Another patient's check answered a lost signal: once it is struck, the signal is still
    unconfirmed and turns red at its own deadline."""
    bed.save(1)
    bed.save(31, SILENT)
    wrong = bed.save(33, by="ben")
    assert bed.rechecks() == []
    bed.retract(wrong.check.key, 36)
    assert [(r.due_at, r.if_unmet) for r in bed.rechecks()] == [(at(41), Severity.RED)]
    bed.watch(41)
    assert bed.alert().severity is Severity.RED


def test_a_slot_only_a_retracted_check_had_filled_is_overdue_again(bed: Bed) -> None:
    """The overdue alert had closed itself for a check of another patient: it stands again as soon
    as that check is struck."""
    bed.save(1)
    bed.watch(65)
    wrong = bed.save(66)
    monitoring = [a for a in bed.alerts() if a.stream is Stream.MONITORING]
    assert [a.state for a in monitoring] == [AlertState.CLOSED]
    bed.retract(wrong.check.key, 70)
    again = [a for a in bed.alerts() if a.state is not AlertState.CLOSED]
    assert [(a.stream, a.severity) for a in again] == [(Stream.MONITORING, Severity.AMBER)]


def test_retracting_the_only_check_leaves_no_baseline(bed: Bed) -> None:
    """With its only check struck the flap has none, and the next full check is the baseline."""
    only = bed.save(1)
    bed.retract(only.check.key, 5)
    assert bed.flap().baseline is None
    after = bed.save(10)
    baseline = bed.flap().baseline
    assert baseline is not None and baseline.key == after.check.key


def test_retracting_needs_a_reason(bed: Bed) -> None:
    """Nothing is struck through without a why."""
    saved = bed.save(1)
    with pytest.raises(Refused, match="Say why"):
        care.retract_check(
            bed.record, PROTOCOLS, key=saved.check.key, by="ben", reason="", now=at(2)
        )
    assert bed.checks()[0].current
