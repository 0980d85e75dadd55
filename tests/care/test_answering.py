"""Who answers an alert, in whose name, and what is refused in a sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitoring import care
from monitoring.domain import AlertState, CloseReason, Intent, Level, PageKind, Refused, Stream
from monitoring.episodes import StoredAlert
from tests.bedside import CONGESTED, DUSKY, Bed, at, everything, on_call


def red(bed: Bed) -> StoredAlert:
    on_call(bed.record)
    bed.save(1)
    bed.save(31, CONGESTED)
    return bed.alert()


def rang(bed: Bed, alert: StoredAlert, said: str = "loosen it, I come", by: str = "ana") -> None:
    care.acknowledge_alert(
        bed.record, alert_id=alert.id, by="diaz", intent=Intent.COMING, expected_at=at(42),
        now=at(33), written_by=by, said=said,
    )  # fmt: skip


def test_a_nurse_writes_down_what_a_surgeon_said(bed: Bed) -> None:
    """Dr Diaz has it, marked verbal, with who wrote it and the words."""
    alert = red(bed)
    rang(bed, alert)
    found = bed.alert()
    assert (found.acknowledged_by, found.verbal_by) == ("diaz", "ana")
    assert bed.story()[-1].detail["said"] == "loosen it, I come"


def test_a_nurse_does_not_take_a_red_herself(bed: Bed) -> None:
    """The sentence says who does, and what she can do instead."""
    alert = red(bed)
    before = everything(bed.record)
    with pytest.raises(Refused, match=r"Ana \(nurse\) may not take.*write down what they said"):
        bed.acknowledge(alert, 33, by="ana")
    with pytest.raises(Refused, match="Write down what Dr Diaz said"):
        rang(bed, alert, said=" ")
    with pytest.raises(Refused, match="needs nobody to write it down"):
        rang(bed, alert, by="diaz")
    assert everything(bed.record) == before


def test_a_nurse_answers_for_a_check_that_nobody_made(bed: Bed) -> None:
    """An overdue check is the ward's own."""
    bed.save(1)
    bed.watched(70, since=30)
    taken = bed.acknowledge(bed.alert(Stream.MONITORING), 71, by="ana")
    assert (taken.state, taken.acknowledged_by) == (AlertState.ACKNOWLEDGED, "ana")


def test_two_surgeons_at_once_make_one_owner(bed: Bed) -> None:
    """The second is told who has it."""
    alert = red(bed)
    bed.acknowledge(alert, 32, by="diaz")
    with pytest.raises(Refused, match="Dr Diaz has this alert already"):
        bed.acknowledge(alert, 32, by="eze")
    assert bed.alert().acknowledged_by == "diaz"


def test_passing_on_tells_the_person_and_nobody_has_it_yet(bed: Bed) -> None:
    """Dr Diaz passes an open red to Miss Eze: she is told at once, the ladder goes on."""
    alert = red(bed)
    passed = care.pass_alert(bed.record, alert_id=alert.id, by="diaz", to="eze", now=at(33))
    assert (passed.state, passed.passed_by, passed.passed_to) == (AlertState.OPEN, "diaz", "eze")
    page = bed.outbox()[-1]
    assert (page.staff_id, page.kind) == ("eze", PageKind.PASSED)
    bed.watch(36)
    assert ("diop", 36) in bed.pages()
    bed.acknowledge(bed.alert(), 37, by="eze")
    assert bed.alert().passed_to is None


def test_passing_on_what_one_had_begins_with_the_other(bed: Bed) -> None:
    """Dr Diaz had it and hands it to Dr Diop: open again, Dr Diop first, then the ladder."""
    alert = red(bed)
    bed.acknowledge(alert, 32)
    care.pass_alert(bed.record, alert_id=alert.id, by="diaz", to="diop", now=at(34))
    assert bed.alert().state is AlertState.OPEN
    assert bed.pages()[1:] == [("diop", 34)]
    bed.watch(39)
    assert bed.pages()[2:] == [("diaz", 39), ("diop", 39)]


def test_passing_that_would_reach_nobody_is_refused(bed: Bed) -> None:
    """To oneself, to a nurse, to somebody without a channel, or what another has: nothing done."""
    alert = red(bed)
    before = everything(bed.record)
    pairs = (("diaz", "diaz", "to yourself"), ("diaz", "ana", r"Ana \(nurse\) may not take"))
    for by, to, why in pairs:
        with pytest.raises(Refused, match=why):
            care.pass_alert(bed.record, alert_id=alert.id, by=by, to=to, now=at(33))
    with pytest.raises(Refused, match="Say to whom"):
        care.acknowledge_alert(
            bed.record, alert_id=alert.id, by="diaz", intent=Intent.PASSING, expected_at=at(40),
            now=at(33),
        )  # fmt: skip
    assert everything(bed.record) == before
    bed.acknowledge(alert, 34)
    with pytest.raises(Refused, match="Dr Diaz has this alert: only they"):
        care.pass_alert(bed.record, alert_id=alert.id, by="eze", to="diop", now=at(35))


def test_who_has_no_channel_is_rung_not_passed_to(bed: Bed) -> None:
    """No channel reaches anybody: ring them, says the sentence; the alert is as it was."""
    bed.save(1)
    bed.save(31, CONGESTED)
    before = everything(bed.record)
    with pytest.raises(Refused, match="Miss Eze cannot be reached on any channel: ring them"):
        care.pass_alert(bed.record, alert_id=bed.alert().id, by="diaz", to="eze", now=at(33))
    assert everything(bed.record) == before


def snooze(
    bed: Bed, minutes: float, until: float, by: str = "ana", why: str = "warm",
    stream: Stream = Stream.PERFUSION,
) -> None:  # fmt: skip
    care.snooze_alert(
        bed.record, alert_id=bed.alert(stream).id, by=by, until=at(until), reason=why,
        now=at(minutes),
    )  # fmt: skip


def test_a_red_is_never_snoozed(bed: Bed) -> None:
    """Nor for a minute."""
    red(bed)
    with pytest.raises(Refused, match="A red is never snoozed"):
        snooze(bed, 32, 33)


def test_a_worry_is_never_snoozed(bed: Bed) -> None:
    """A nurse who is worried is heard."""
    on_call(bed.record)
    bed.enter(replace(bed.look(1), nurse_concern=True, concern_about="it looks wrong"), 1)
    with pytest.raises(Refused, match="concern is never snoozed"):
        snooze(bed, 2, 10, stream=Stream.CONCERN)


def test_a_rest_is_capped(bed: Bed) -> None:
    """At most 30 min, at most twice, never without a reason, never of what somebody has."""
    on_call(bed.record)
    bed.save(1)
    bed.save(31, DUSKY)
    for until in (62.1, 32, 20):
        with pytest.raises(Refused, match="at most 30 min"):
            snooze(bed, 32, until)
    with pytest.raises(Refused, match="Say why"):
        snooze(bed, 32, 40, why=" ")
    snooze(bed, 32, 62)
    bed.watch(62)
    snooze(bed, 63, 80)
    bed.watch(80)
    with pytest.raises(Refused, match="snoozed 2 times already"):
        snooze(bed, 81, 90)
    bed.acknowledge(bed.alert(), 82)
    with pytest.raises(Refused, match="Somebody has this alert"):
        snooze(bed, 83, 90)


def test_arriving_is_said_by_who_has_it(bed: Bed) -> None:
    """Dr Diaz is at the bedside; Miss Eze, who does not have it, cannot say so."""
    alert = red(bed)
    bed.acknowledge(alert, 32)
    with pytest.raises(Refused, match="Miss Eze does not have this alert"):
        care.arrive(bed.record, alert_id=alert.id, by="eze", now=at(36))
    assert care.arrive(bed.record, alert_id=alert.id, by="diaz", now=at(36)).arrived_at == at(36)
    assert bed.told()[-1] == "arrive"


def test_arriving_alone_is_no_decision(bed: Bed) -> None:
    """At the bedside at 36, nothing decided by 47: the alert comes back."""
    alert = red(bed)
    bed.acknowledge(alert, 32)
    care.arrive(bed.record, alert_id=alert.id, by="diaz", now=at(36))
    bed.watch(47)
    assert bed.alert().state is AlertState.OPEN


def close(bed: Bed, by: str, reason: CloseReason = CloseReason.NO_CAUSE) -> None:
    care.close_alert(bed.record, alert_id=bed.alert().id, by=by, reason=reason, now=at(50))


def test_a_nurse_closes_only_what_was_entered_in_error(bed: Bed) -> None:
    """Not a finding; but once the check on the wrong patient is struck, its alert."""
    on_call(bed.record)
    bed.save(1)
    saved = bed.save(31, CONGESTED)
    for reason in (CloseReason.NO_CAUSE, CloseReason.ENTERED_IN_ERROR):
        with pytest.raises(Refused, match=r"Ana \(nurse\) may not close this alert"):
            close(bed, "ana", reason)
    bed.retract(saved.check.key, 40)
    with pytest.raises(Refused, match="may not close"):
        close(bed, "ana", CloseReason.POSITION)
    close(bed, "ana", CloseReason.ENTERED_IN_ERROR)
    assert bed.alert().state is AlertState.CLOSED


def test_opening_the_link_is_remembered_once(bed: Bed) -> None:
    """The first time the message was opened counts; a strange key leads nowhere."""
    alert = red(bed)
    (page,) = bed.outbox()
    assert care.read_page(bed.record, key=page.key, now=at(33)) == alert.id
    assert care.read_page(bed.record, key=page.key, now=at(40)) == alert.id
    assert bed.outbox()[0].read_at == at(33)
    assert care.read_page(bed.record, key="nothing", now=at(33)) is None


def test_levels_of_the_rota_are_not_roles(bed: Bed) -> None:
    """A registrar on call as microsurgeon takes what a registrar takes."""
    on_call(bed.record, Level.MICROSURGEON)
    bed.save(1)
    bed.save(31, CONGESTED)
    assert bed.acknowledge(bed.alert(), 32, by="diop").acknowledged_by == "diop"
