"""Histories in which an alert once fell silent, or said what was not so: each found by somebody who
looked for it, each held now."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from monitoring import care, paging, people, shifts, ward
from monitoring.calls import who_has_it
from monitoring.domain import (
    AlertState,
    ChannelKind,
    CloseReason,
    Decision,
    Intent,
    Level,
    Refused,
    Return,
    ReviewMode,
    Role,
    Severity,
    Stream,
)
from monitoring.reviews import Review
from monitoring.rota import Shift
from tests.bedside import CONGESTED, DUSKY, PROTOCOLS, START, Bed, at, on_call

DAY = 24 * 60


def red(bed: Bed) -> None:
    on_call(bed.record)
    bed.save(1)
    bed.save(31, CONGESTED)


def into_theatre(bed: Bed, minutes: float) -> None:
    gone = Return(decided_at=at(minutes - 10), into_theatre_at=at(minutes))
    care.record_return(bed.record, PROTOCOLS, flap_id=bed.id, by="ana", now=at(minutes), value=gone)


def tile(bed: Bed, minutes: float) -> str:
    """Who has the alert, as the board says it."""
    beds = ward.snapshot(bed.record, PROTOCOLS, at(minutes)).beds
    (alert,) = [a for b in beds for a in b.alerts if a.stream is Stream.PERFUSION]
    return who_has_it(alert, at(minutes), ZoneInfo("UTC"))[0]


def test_what_is_found_after_theatre_is_told_though_nobody_wrote_that_it_is_back(bed: Bed) -> None:
    """Into theatre at 30, back unwritten; a red at the bedside at 200 climbs as any other."""
    on_call(bed.record)
    bed.save(1)
    into_theatre(bed, 30)
    bed.save(200, CONGESTED)
    bed.watched(216, since=201, every=1)
    told = [who for who, _ in bed.pages()]
    assert told[:5] == ["diaz", "diaz", "diop", "diop", "eze"]


def test_theatre_excuses_an_alert_for_some_hours_only(bed: Bed) -> None:
    """Nobody wrote for four hours what became of the flap: its red comes back."""
    red(bed)
    into_theatre(bed, 40)
    bed.watched(240, since=41, every=20)
    assert bed.pages() == [("diaz", 31)]
    bed.watch(40 + 4 * 60 + 1)
    assert len(bed.pages()) > 1


def test_checks_that_nobody_makes_are_told_whatever_theatre_says(bed: Bed) -> None:
    """The flap left too long on its way to theatre is told, and climbs."""
    on_call(bed.record)
    bed.save(1)
    into_theatre(bed, 30)
    bed.watched(330, since=31, every=5)
    assert {"ana", "cho", "diaz"} <= {who for who, _ in bed.pages(Stream.MONITORING)}


def test_a_verdict_on_what_was_seen_before_answers_nothing_newer(bed: Bed) -> None:
    """Somebody has the red; it turns black at 40; a telephone verdict of 33 is written at 41: the
    acknowledgement runs out when it would have."""
    red(bed)
    bed.acknowledge(bed.alert(), 32)
    bed.save(40, CONGESTED | {"colour": "black"})
    review = Review(
        key=uuid4(), flap_id=bed.id, alert_id=bed.alert().id, by="diop", recorded_by="ana",
        reviewed_at=at(33), recorded_at=at(41), mode=ReviewMode.TELEPHONE,
        decision=Decision.CONTINUE,
    )  # fmt: skip
    care.record_review(bed.record, PROTOCOLS, review, now=at(41))
    bed.watch(48)
    assert bed.alert().state is AlertState.OPEN


def test_one_tick_of_a_clock_a_day_ahead_silences_nothing(bed: Bed) -> None:
    """A day ahead for one tick, then right again: the ladder begins anew at once."""
    red(bed)
    bed.watch(31 + DAY)
    bed.watched(45, since=32, every=1)
    assert [p for p in bed.pages() if 32 <= p[1] <= 45][:3] == [
        ("diaz", 32), ("diaz", 37), ("diop", 37),
    ]  # fmt: skip
    assert "times without an answer" not in tile(bed, 33)


def test_an_answer_given_by_a_fast_clock_does_not_hold_for_the_error(bed: Bed) -> None:
    """Acknowledged a day ahead; once the clock is right nobody is taken to have it."""
    red(bed)
    bed.acknowledge(bed.alert(), 32 + DAY)
    bed.watch(33)
    assert (bed.alert().state, bed.alert().pages) == (AlertState.OPEN, 2)


def test_a_rest_given_by_a_fast_clock_ends(bed: Bed) -> None:
    """Snoozed a day ahead: paging goes on once the clock is right."""
    on_call(bed.record)
    bed.save(1)
    bed.save(31, DUSKY)
    care.snooze_alert(
        bed.record, alert_id=bed.alert().id, by="ana", until=at(DAY + 60), reason="warm",
        now=at(DAY + 40),
    )  # fmt: skip
    bed.watch(33)
    assert bed.told()[-1] == "wake"
    assert bed.pages()[-1] == ("diaz", 33)


def test_a_round_is_counted_when_everybody_was_told(bed: Bed) -> None:
    """After a day's sleep two people were told once: not ninety-six times."""
    red(bed)
    bed.watch(31 + DAY)
    assert "times without an answer" not in tile(bed, 32 + DAY)


def test_a_rota_that_ends_in_mid_chain_is_said(bed: Bed) -> None:
    """The only shift ended at 32: from the next rung on the tile says that nobody is told."""
    on_call(bed.record, until=32)
    red_at = 31
    bed.save(1)
    bed.save(red_at, CONGESTED)
    bed.watched(60, since=32, every=1)
    said = tile(bed, 60)
    assert "told Dr Diaz 12:31" in said
    assert "NOBODY TOLD since 12:36" in said
    assert "next 12:36" not in said


def test_a_ward_without_a_rota_tells_the_doctors_of_another(bed: Bed) -> None:
    """Better a stranger than nobody: the microsurgeon on call next door is told."""
    on_call(bed.record, Level.NURSE)
    with bed.record.write() as conn:
        (nurse,) = shifts.shifts_between(conn, ["W"], at(0), at(1))
        shifts.end_shift(conn, nurse.id, by="cho", now=at(0))
        other = Shift(0, "Next door", Level.MICROSURGEON, "diop", at(0), at(999))
        shifts.insert_shift(conn, other, by="cho", now=START)
    bed.save(1)
    bed.save(31, CONGESTED)
    assert bed.pages() == [("diop", 31)]


def test_who_was_passed_an_alert_is_told_on_any_way_there_is(bed: Bed) -> None:
    """The first rung wants text messages, Miss Eze has none: told on what she has."""
    on_call(bed.record)
    with bed.record.write() as conn:
        sms = paging.Channel("sms", ChannelKind.PERSONAL, None, True, START)
        demo = paging.Channel("demo", ChannelKind.DEMO, None, True, START)
        paging.write_channels(conn, START, [demo, sms])
        paging.set_contact(conn, paging.Contact("diaz", "sms", "1"), by="cho", at=START)
    key = bed.flap().protocol_id
    said = PROTOCOLS[key].escalation
    assert said is not None
    first, *rest = said.red.rungs
    by_sms = (first.model_copy(update={"channels": ("sms",)}), *rest)
    ladder = said.model_copy(update={"red": said.red.model_copy(update={"rungs": by_sms})})
    edited = {key: PROTOCOLS[key].model_copy(update={"escalation": ladder})}
    care.record_check(bed.record, edited, bed.look(31, CONGESTED), now=at(31))
    alert = bed.alert()
    bed.acknowledge(alert, 32)
    care.pass_alert(bed.record, alert_id=alert.id, by="diaz", to="eze", now=at(33))
    assert bed.pages()[-1] == ("eze", 33)


def test_only_a_nurse_or_a_surgeon_writes_an_answer_down(bed: Bed) -> None:
    """An auditor reads; they answer for nobody."""
    red(bed)
    with bed.record.write() as conn:
        people.add_staff(conn, "Aud", Role.AUDITOR, "W", staff_id="aud")
    with pytest.raises(Refused, match=r"Aud \(auditor\) may not write down"):
        care.acknowledge_alert(
            bed.record, alert_id=bed.alert().id, by="eze", said="ok", intent=Intent.COMING,
            expected_at=at(40), now=at(32), written_by="aud",
        )  # fmt: skip


def test_saying_it_again_buys_no_time(bed: Bed) -> None:
    """Dr Diaz says "ten minutes" every ten minutes: a red still comes back after fifteen."""
    red(bed)
    for minutes in (32, 41):
        bed.acknowledge(bed.alert(), minutes)
    bed.watch(47)
    assert bed.alert().state is AlertState.OPEN


def test_an_amended_check_lets_no_nurse_close_what_another_check_says(bed: Bed) -> None:
    """One of two congested checks was amended in a detail: the red is not entered in error."""
    red(bed)
    check = bed.save(36, CONGESTED, by="ben").check
    bed.amend(check.key, bed.look(36, CONGESTED | {"refill": 1.9}, by="ben"), 37)
    with pytest.raises(Refused, match="may not close"):
        care.close_alert(
            bed.record, alert_id=bed.alert().id, by="ana", now=at(38),
            reason=CloseReason.ENTERED_IN_ERROR,
        )  # fmt: skip


def test_another_worry_is_a_new_one(bed: Bed) -> None:
    """Smell becomes bleeding: it pages again."""
    on_call(bed.record)
    bed.save(1)
    worry = replace(bed.look(31), nurse_concern=True, concern_about="smell")
    bed.enter(worry, 31)
    bed.acknowledge(bed.alert(Stream.CONCERN), 32)
    worse = replace(bed.look(31), nurse_concern=True, concern_about="bleeding")
    bed.amend(worry.key, worse, 33)
    assert bed.alert(Stream.CONCERN).pages == 2


def test_a_ladder_that_makes_no_sense_any_more_stops_nobody(bed: Bed) -> None:
    """Its alert climbs the standard ladder; board and watcher go on."""
    red(bed)
    with bed.record.write() as conn:
        conn.execute(text("UPDATE alert SET ladder = '{\"red\": 1}'"))
    bed.watch(36)
    assert bed.pages()[-1] == ("diop", 36)
    assert "told" in tile(bed, 37)
    assert bed.alert().severity is Severity.RED


def test_whoever_decides_has_it(bed: Bed) -> None:
    """Dr Diaz said that she comes; Miss Eze decides from the photo: the alert is hers, and comes
    back when her plan is over."""
    red(bed)
    bed.acknowledge(bed.alert(), 32)
    plan = Review(
        key=uuid4(), flap_id=bed.id, alert_id=bed.alert().id, by="eze", recorded_by="eze",
        reviewed_at=at(34), recorded_at=at(34), mode=ReviewMode.PHOTO,
        decision=Decision.RECHECK_IN, recheck_minutes=10,
    )  # fmt: skip
    care.record_review(bed.record, PROTOCOLS, plan, now=at(34))
    alert = bed.alert()
    assert alert.acknowledged_by == "eze"
    assert alert.plan_until == at(34 + 10 + 15), "the recheck has to be looked at"
    care.arrive(bed.record, alert_id=alert.id, by="eze", now=at(36))
    bed.watch(59)
    assert (bed.alert().state, bed.alert().lapsed_by) == (AlertState.OPEN, "eze")


def test_an_alert_is_taken_over_in_so_many_words(bed: Bed) -> None:
    """Dr Diaz comes in ten minutes, Miss Eze is there: she takes it over, and her time begins."""
    red(bed)
    bed.acknowledge(bed.alert(), 32)
    with pytest.raises(Refused, match="take it over"):
        bed.acknowledge(bed.alert(), 34, by="eze")
    taken = care.acknowledge_alert(
        bed.record, alert_id=bed.alert().id, by="eze", intent=Intent.COMING,
        expected_at=at(35), now=at(34), take_over=True,
    )  # fmt: skip
    assert (taken.acknowledged_by, taken.acknowledged_at) == ("eze", at(34))
    assert bed.story()[-1].detail["from"] == "diaz"


def test_who_did_not_come_is_not_waited_for_again(bed: Bed) -> None:
    """Dr Diaz alone was told and did not come: the next rung is told with her at once."""
    red(bed)
    bed.acknowledge(bed.alert(), 32)
    bed.watch(47)
    assert {who for who, m in bed.pages() if m == 47} == {"diaz", "diop"}


def test_a_later_rung_says_that_nobody_answered(bed: Bed) -> None:
    """The second message does not read like the first."""
    red(bed)
    bed.watch(36)
    assert "Answer within 15 min." in bed.outbox()[0].body
    assert "Unanswered 5 min: answer now." in bed.outbox()[-1].body


def test_back_from_theatre_the_alert_waits_to_be_closed(bed: Bed) -> None:
    """The plan was carried out; a red that nobody closes half an hour later comes back."""
    red(bed)
    plan = Review(
        key=uuid4(), flap_id=bed.id, alert_id=bed.alert().id, by="eze", recorded_by="eze",
        reviewed_at=at(34), recorded_at=at(34), mode=ReviewMode.BEDSIDE,
        decision=Decision.RETURN_TO_THEATRE,
    )  # fmt: skip
    care.record_review(bed.record, PROTOCOLS, plan, now=at(34))
    done = Return(decided_at=at(34), into_theatre_at=at(50), back_at=at(150))
    care.record_return(bed.record, PROTOCOLS, flap_id=bed.id, value=done, by="ana", now=at(150))
    bed.watch(160)
    assert bed.alert().state is AlertState.ACKNOWLEDGED
    bed.watch(181)
    assert bed.alert().state is AlertState.OPEN
