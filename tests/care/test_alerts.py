"""Alerts at the bedside: raised, joined, paged again, answered and closed by people only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitoring import care
from monitoring.domain import SYSTEM, AlertState, CloseReason, Intent, Refused, Severity, Stream
from tests.bedside import BLIND, CONGESTED, DUSKY, PALE, SILENT, Bed, at, everything


def close(bed: Bed, minutes: float, stream: Stream = Stream.PERFUSION) -> None:
    running = [a for a in bed.alerts() if a.stream is stream and a.state is not AlertState.CLOSED]
    care.close_alert(
        bed.record, alert_id=running[0].id, by="diaz", reason=CloseReason.NO_CAUSE,
        now=at(minutes),
    )  # fmt: skip


def worried(bed: Bed, minutes: float) -> None:
    check = replace(bed.look(minutes), nurse_concern=True, concern_about="it looks wrong")
    bed.enter(check, minutes)


def test_yellow_makes_no_alert(bed: Bed) -> None:
    """One weak sign shows on the tile and asks for a second look; nobody is called."""
    bed.save(1)
    bed.save(31, PALE)
    assert bed.alerts() == []
    assert [r.due_at for r in bed.rechecks()] == [at(46)]


def test_a_normal_check_never_closes_an_alert(bed: Bed) -> None:
    """After congestion a clear full check shows recovered, not closed; severity stays."""
    bed.save(1)
    bed.save(31, CONGESTED)
    for minutes in (46, 60, 90):
        bed.save(minutes)
    alert = bed.alert()
    assert (alert.state, alert.severity) == (AlertState.OPEN, Severity.RED)
    assert alert.recovered_at == at(46)
    assert bed.told() == ["raise", "recover"]


def test_what_could_not_be_looked_at_has_not_recovered(bed: Bed) -> None:
    """The signal was lost; a check that could not listen is no sign that it is back."""
    bed.save(1)
    bed.save(31, SILENT)
    bed.save(40, {"doppler_artery": {"unable": "equipment"}})
    assert bed.alert().recovered_at is None
    bed.save(50)
    assert bed.alert().recovered_at == at(50)


def test_a_partial_check_shows_no_recovery(bed: Bed) -> None:
    """Colour alone does not end congestion."""
    bed.save(1)
    bed.save(31, CONGESTED)
    bed.save(46, {"turgor": None})
    assert bed.alert().recovered_at is None


def test_a_worse_finding_opens_what_was_acknowledged(bed: Bed) -> None:
    """Amber was taken by the registrar; red takes it back to open and pages again."""
    bed.save(1)
    bed.save(31, DUSKY)
    bed.acknowledge(bed.alert(), 33)
    bed.save(46, CONGESTED)
    alert = bed.alert()
    assert (alert.state, alert.severity, alert.pages) == (AlertState.OPEN, Severity.RED, 2)
    assert alert.acknowledged_by is None


def test_the_same_finding_joins_what_was_acknowledged(bed: Bed) -> None:
    """The registrar has it: the same finding adds evidence and leaves them to work."""
    bed.save(1)
    bed.save(31, CONGESTED)
    bed.acknowledge(bed.alert(), 33)
    bed.save(46, CONGESTED)
    alert = bed.alert()
    assert (alert.state, alert.pages) == (AlertState.ACKNOWLEDGED, 1)
    assert len({f.at for f in alert.findings}) == 2


def test_what_comes_back_after_a_clear_check_pages_again(bed: Bed) -> None:
    """Recovered, then congested again: the acknowledged alert opens and pages."""
    bed.save(1)
    bed.save(31, CONGESTED)
    bed.acknowledge(bed.alert(), 33)
    bed.save(46)
    bed.save(60, CONGESTED)
    alert = bed.alert()
    assert (alert.state, alert.pages, alert.recovered_at) == (AlertState.OPEN, 2, None)


def test_every_concern_pages(bed: Bed) -> None:
    """A nurse who is worried twice is heard twice, whatever the signs and whoever has it."""
    worried(bed, 1)
    bed.acknowledge(bed.alert(Stream.CONCERN), 2)
    worried(bed, 31)
    alert = bed.alert(Stream.CONCERN)
    assert (alert.pages, alert.state) == (2, AlertState.OPEN)
    bed.save(60)
    assert bed.alert(Stream.CONCERN).recovered_at is None


def test_one_episode_runs_per_stream(bed: Bed) -> None:
    """Congestion and a haematoma are two alerts; more of each joins its own."""
    bed.save(1)
    for minutes in (31, 46, 60):
        bed.save(minutes, CONGESTED | {"swelling": "rapid"})
    assert sorted(a.stream for a in bed.alerts()) == [Stream.HAEMATOMA, Stream.PERFUSION]


def test_after_closing_a_new_finding_is_a_new_alert(bed: Bed) -> None:
    """A person closed it with a reason; the next finding begins a new episode."""
    bed.save(1)
    bed.save(31, CONGESTED)
    close(bed, 35)
    bed.save(46, CONGESTED)
    first, second = bed.alerts()
    assert (first.state, first.closed_by, first.close_reason) == (
        AlertState.CLOSED, "diaz", CloseReason.NO_CAUSE,
    )  # fmt: skip
    assert (second.state, second.pages) == (AlertState.OPEN, 1)


def test_an_acknowledgement_carries_who_what_and_by_when(bed: Bed) -> None:
    """Who has it, what they are going to do and when they will be there is written down."""
    bed.save(1, DUSKY)
    alert = bed.acknowledge(bed.alert(), 3)
    assert (alert.state, alert.acknowledged_by, alert.acknowledged_at) == (
        AlertState.ACKNOWLEDGED, "diaz", at(3),
    )  # fmt: skip
    assert (alert.intent, alert.expected_at) == (Intent.COMING, at(13))


def test_answers_that_cannot_be_are_refused(bed: Bed) -> None:
    """Another's alert, a closed one, one that does not exist, a time that has passed, a stranger:
    a sentence says why, and nothing changes."""
    bed.save(1, DUSKY)
    alert = bed.acknowledge(bed.alert(), 3)
    before = everything(bed.record)
    with pytest.raises(Refused, match="Dr Diaz has this alert already"):
        bed.acknowledge(alert, 4, by="eze")
    with pytest.raises(Refused, match="There is no alert 999"):
        bed.acknowledge(alert._replace(id=999), 4)
    with pytest.raises(care.UnknownPerson):
        bed.acknowledge(alert, 4, by="nobody")
    with pytest.raises(Refused, match="in the past"):
        care.acknowledge_alert(
            bed.record, alert_id=alert.id, by="diaz", intent=Intent.COMING, expected_at=at(3),
            now=at(4),
        )  # fmt: skip
    with pytest.raises(Refused, match="more than 12 h ahead"):
        care.acknowledge_alert(
            bed.record, alert_id=alert.id, by="diaz", intent=Intent.COMING,
            expected_at=at(4 + 12 * 60 + 1), now=at(4),
        )  # fmt: skip
    assert everything(bed.record) == before
    close(bed, 5)
    with pytest.raises(Refused, match="was closed at 12:05 UTC: nothing to acknowledge"):
        bed.acknowledge(alert, 6)
    with pytest.raises(Refused, match="nothing to close"):
        care.close_alert(
            bed.record, alert_id=alert.id, by="diaz", reason=CloseReason.PROBE, now=at(6)
        )


def test_unable_twice_is_an_alert_that_a_full_look_ends(bed: Bed) -> None:
    """A flap whose turgor cannot be felt twice calls; seeing it ends that by itself, half a look
    does not."""
    bed.save(1)
    bed.save(30, BLIND)
    bed.save(45, BLIND)
    assert bed.alert(Stream.MONITORING).state is AlertState.OPEN
    bed.save(50, {"turgor": None})
    assert bed.alert(Stream.MONITORING).state is AlertState.OPEN
    bed.save(60)
    alert = bed.alert(Stream.MONITORING)
    assert (alert.state, alert.closed_by, alert.close_reason) == (
        AlertState.CLOSED, SYSTEM, "check_made",
    )  # fmt: skip


def test_a_late_entry_does_not_end_what_a_newer_check_found(bed: Bed) -> None:
    """The newest check could not feel the turgor; an older one entered late changes nothing."""
    bed.save(1)
    bed.save(31, BLIND)
    bed.save(60, BLIND)
    bed.save(20, entered=61)
    assert bed.alert(Stream.MONITORING).state is AlertState.OPEN


def test_two_rechecks_without_worsening_then_the_schedule_alone(bed: Bed) -> None:
    """Dusky and no worse: two rechecks are asked for, then none, not even after the next
    scheduled check; a worse look asks again."""
    bed.save(1)
    asked = []
    for minutes in (31, 46, 60, 91):
        bed.save(minutes, DUSKY)
        asked.append([r.due_at for r in bed.rechecks()])
    assert asked == [[at(46)], [at(61)], [], []]
    bed.save(121, CONGESTED)
    assert [r.due_at for r in bed.rechecks()] == [at(136)]


def test_rechecks_begin_anew_after_a_clear_check_or_for_another_stream(bed: Bed) -> None:
    """What comes back after a clear look is asked about again, and so is what is of another
    kind."""
    bed.save(1)
    for minutes in (31, 46, 60):
        bed.save(minutes, DUSKY)
    bed.save(90)
    bed.save(120, DUSKY)
    assert [r.round for r in bed.rechecks()] == [1]
    bed.save(135, DUSKY)
    bed.save(150, DUSKY)
    assert bed.rechecks() == []
    bed.save(165, DUSKY | {"swelling": "rapid"})
    assert [r.round for r in bed.rechecks()] == [1]


def test_a_lost_signal_is_asked_about_until_somebody_hears(bed: Bed) -> None:
    """A recheck that turns red when it is not done is never dropped for having been asked."""
    bed.save(1)
    for minutes in (31, 33, 35, 37):
        bed.save(minutes, SILENT)
    assert [(r.due_at, r.if_unmet) for r in bed.rechecks()] == [(at(41), Severity.RED)]
