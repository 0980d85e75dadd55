"""From a finding to a person: the ladder on a real record, through silence, gaps and long sleep."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitoring import care, paging, people, shifts, worker
from monitoring.domain import (
    AlertState,
    ChannelKind,
    CloseReason,
    Intent,
    Level,
    PageKind,
    PageState,
    Return,
    Severity,
    Stream,
)
from monitoring.rota import Shift
from tests.bedside import CONGESTED, DUSKY, PROTOCOLS, SILENT, START, Bed, at, on_call


def red(bed: Bed, minutes: float = 31) -> None:
    """The flap is well at first, and congested then."""
    bed.save(1)
    bed.save(minutes, CONGESTED)


def test_a_red_tells_the_registrar_in_the_same_breath(bed: Bed) -> None:
    """The message stands in the outbox as soon as the check is saved; no watcher is needed."""
    on_call(bed.record)
    red(bed)
    (page,) = bed.outbox()
    assert (page.staff_id, page.level, page.channel) == ("diaz", Level.REGISTRAR, "demo")
    assert (page.kind, page.state, page.severity) == (PageKind.ALERT, PageState.WAITING, "red")
    assert page.key == f"{bed.alert().id}.1.0.diaz.demo"
    assert page.title.startswith("RED venous, bed 4, ")
    assert "MBEKI" not in page.title + page.body
    assert "100200" not in page.title + page.body


def test_silence_climbs(bed: Bed) -> None:
    """Nobody answers: the microsurgeon after 5 min, the consultant after 10, all again from 15."""
    on_call(bed.record)
    red(bed)
    bed.watched(47, since=32, every=0.5)
    assert bed.pages() == [
        ("diaz", 31), ("diaz", 36), ("diop", 36), ("diop", 41), ("eze", 41), ("diaz", 46),
    ]  # fmt: skip
    assert not any(step.late for step in bed.steps())


def test_an_answer_stops_the_climb(bed: Bed) -> None:
    """Once somebody has it nobody else is woken, and what was not sent yet is dropped."""
    on_call(bed.record)
    red(bed)
    bed.acknowledge(bed.alert(), 32)
    bed.watched(41, since=33, every=1)
    assert bed.pages() == [("diaz", 31)]
    (page,) = bed.outbox()
    assert page.state is PageState.DROPPED


def test_nobody_came_tells_everybody_anew(bed: Bed) -> None:
    """The arrival passed by: the ladder begins again, and who was told before is told again."""
    on_call(bed.record)
    red(bed)
    bed.watched(37, since=32, every=1)  # the microsurgeon was told at 36
    bed.acknowledge(bed.alert(), 37)  # expected at 47
    bed.watch(52)
    alert = bed.alert()
    assert (alert.state, alert.lapsed_by, alert.pages) == (AlertState.OPEN, "diaz", 2)
    assert [p for p in bed.pages() if p[1] == 52] == [("diaz", 52), ("diop", 52)]
    assert "Open again: answer now." in bed.outbox()[-1].body


def test_a_watcher_that_slept_sends_the_highest_and_writes_the_others_down(bed: Bed) -> None:
    """Three rungs slept over: one is sent, marked late; the others are late and unsent; each has
    one key."""
    on_call(bed.record)
    red(bed)
    bed.watch(31 + 12)
    assert bed.pages() == [("diaz", 31), ("diop", 43), ("eze", 43)]
    assert [(s.number, s.sent, s.late) for s in bed.steps()] == [
        (0, True, False), (1, False, True), (2, True, True),
    ]  # fmt: skip
    assert "LATE by 2 min" in bed.outbox()[-1].body
    bed.watch(31 + 12.1)
    assert len(bed.steps()) == 3


def test_two_watchers_take_a_rung_once(bed: Bed) -> None:
    """Both saw that the rung is due: the second finds it taken."""
    on_call(bed.record)
    red(bed)
    alert = bed.alert()
    assert care.climb_alert(bed.record, alert_id=alert.id, now=at(36))
    assert not care.climb_alert(bed.record, alert_id=alert.id, now=at(36))
    assert len({p.key for p in bed.outbox()}) == len(bed.outbox()) == 3


def test_worse_tells_from_the_first_rung_of_the_louder_ladder(bed: Bed) -> None:
    """An acknowledged amber turns red: open again, the registrar is told at once."""
    on_call(bed.record)
    bed.save(1)
    bed.save(31, DUSKY)
    bed.acknowledge(bed.alert(), 32)
    bed.save(40, CONGESTED)
    alert = bed.alert()
    assert (alert.state, alert.severity, alert.pages) == (AlertState.OPEN, Severity.RED, 2)
    assert bed.pages()[-1] == ("diaz", 40)
    bed.watched(45, since=40.5, every=0.5)
    assert bed.pages()[-1] == ("diop", 45)


def test_a_level_with_nobody_is_climbed_over_at_once(bed: Bed) -> None:
    """No registrar on the rota: the microsurgeon is told now, and the gap is written down."""
    on_call(bed.record, Level.MICROSURGEON, Level.CONSULTANT)
    red(bed)
    assert bed.pages() == [("diop", 31)]
    assert bed.steps()[0].gaps == (Level.REGISTRAR,)


def test_a_nurse_is_told_of_a_red_when_nobody_else_is_there(bed: Bed) -> None:
    """No surgeon at all: whoever is on call hears of it rather than nobody."""
    on_call(bed.record, Level.CHARGE_NURSE)
    red(bed)
    assert bed.pages() == [("cho", 31)]


def test_with_nobody_at_all_it_is_told_as_soon_as_somebody_is_there(bed: Bed) -> None:
    """An empty rota at 31 min; a registrar is entered at 33: told at the next look, not in two
    minutes' time."""
    on_call(bed.record, Level.NURSE)  # the channel, and nobody who counts
    with bed.record.write() as conn:
        (nobody,) = shifts.shifts_between(conn, ["W"], at(0), at(1))
        shifts.end_shift(conn, nobody.id, by="cho", now=at(0))
    red(bed)
    assert bed.pages() == []
    bed.watch(32)
    assert bed.steps()[0].sent and bed.pages() == []
    with bed.record.write() as conn:
        shift = Shift(0, "W", Level.REGISTRAR, "diaz", at(33), at(999))
        shifts.insert_shift(conn, shift, by="cho", now=at(33))
    bed.watch(33.1)
    assert bed.pages() == [("diaz", pytest.approx(33.1))]
    assert len(bed.steps()) == 1


def test_somebody_who_left_in_mid_chain_is_not_waited_for(bed: Bed) -> None:
    """The registrar's account is disabled before the message went out: dropped, and the next is
    told at once."""
    on_call(bed.record)
    red(bed)
    with bed.record.write() as conn:
        people.remove_staff(conn, "diaz")
        paging.drop_pages(conn, bed.alert().id, "their account is disabled")
    bed.watch(32)
    assert bed.pages()[-1] == ("diop", 32)


def test_the_handover_takes_effect_at_its_minute(bed: Bed) -> None:
    """Dr Diaz until 40, Dr Diop from 40 on: the rung of minute 41 finds Dr Diop."""
    on_call(bed.record, Level.CONSULTANT)
    with bed.record.write() as conn:
        for who, since, until in (("diaz", 0, 36), ("diop", 36, 999)):
            shift = Shift(0, "W", Level.REGISTRAR, who, at(since), at(until))
            shifts.insert_shift(conn, shift, by="cho", now=START)
    red(bed)
    bed.watch(36)
    assert bed.pages() == [("diaz", 31), ("diop", 36)]


def test_a_ladder_edited_later_does_not_change_a_running_alert(bed: Bed) -> None:
    """The protocol says another thing now: the alert climbs what it froze, a new one the new."""
    on_call(bed.record)
    key = bed.flap().protocol_id
    now_said = PROTOCOLS[key].escalation
    assert now_said is not None
    slow = now_said.red.model_copy(update={"rungs": now_said.red.rungs[:1], "repeat_minutes": 60})
    slower = now_said.model_copy(update={"red": slow})
    edited = {key: PROTOCOLS[key].model_copy(update={"escalation": slower})}
    care.record_check(bed.record, edited, bed.look(31, CONGESTED), now=at(31))
    bed.watched(60, since=32, every=1)  # the watcher has the quicker ladder of today
    assert bed.pages() == [("diaz", 31)]
    bed.watch(91)
    assert bed.pages() == [("diaz", 31), ("diaz", 91)]


def test_an_overdue_check_climbs_from_the_nurse(bed: Bed) -> None:
    """The nurse who holds the flap, then the charge nurse, then the registrar."""
    on_call(bed.record)
    care.set_mine(bed.record, flap_id=bed.id, nurse="ben", mine=True, now=at(0))
    bed.save(1)
    bed.watched(80, since=30, every=1)
    first = min(m for _, m in bed.pages(Stream.MONITORING))
    told = [(who, m - first) for who, m in bed.pages(Stream.MONITORING)]
    assert [w for w, m in told if m == 0] == ["ana", "ben"]
    assert ("cho", 5) in told
    assert ("diaz", 15) in told
    assert "Make the check" in bed.outbox(Stream.MONITORING)[0].body


def test_a_rest_is_short_and_ends_by_itself(bed: Bed) -> None:
    """An amber rests for 20 min: nobody is told meanwhile, then the ladder begins anew."""
    on_call(bed.record)
    bed.save(1)
    bed.save(31, DUSKY)
    care.snooze_alert(
        bed.record, alert_id=bed.alert().id, by="ana", until=at(52), reason="dressing is on",
        now=at(32),
    )  # fmt: skip
    bed.watched(51.5, since=33, every=0.5)
    assert bed.pages() == [("diaz", 31)]
    bed.watch(52)
    assert bed.pages()[-1] == ("diaz", 52)
    assert bed.told()[-1] == "wake"
    assert bed.alert().snoozed_by is None


def test_what_gets_worse_wakes_at_once(bed: Bed) -> None:
    """The rest of an amber does not mute a red, nor another flap's alert."""
    on_call(bed.record)
    bed.save(1)
    bed.save(31, DUSKY)
    care.snooze_alert(
        bed.record, alert_id=bed.alert().id, by="ana", until=at(60), reason="position",
        now=at(32),
    )  # fmt: skip
    bed.save(35, SILENT)
    bed.save(40, CONGESTED)
    alert = bed.alert()
    assert (alert.severity, alert.snoozed_until) == (Severity.RED, None)
    assert ("diaz", 40) in bed.pages()


def test_the_clock_set_back_begins_anew(bed: Bed) -> None:
    """The server's clock jumps ten minutes back under a running ladder: told again at once rather
    than ten minutes of silence."""
    on_call(bed.record)
    red(bed)
    bed.watch(21)
    assert bed.alert().pages == 2
    assert bed.pages()[-1] == ("diaz", 21)
    assert bed.told()[-1] == "again"
    bed.watch(26)
    assert bed.pages()[-1] == ("diop", 26)


def test_the_clock_set_forward_climbs_early_and_loses_nothing(bed: Bed) -> None:
    """Ten minutes too early is loud, not silent."""
    on_call(bed.record)
    red(bed)
    bed.watch(41)
    assert ("eze", 41) in bed.pages()


def test_nobody_is_told_while_the_patient_is_in_theatre(bed: Bed) -> None:
    """The answer is under way: the ladder waits until the flap is back."""
    on_call(bed.record)
    red(bed)
    care.record_return(
        bed.record, PROTOCOLS, flap_id=bed.id, by="diaz", now=at(33),
        value=Return(decided_at=at(32), into_theatre_at=at(33)),
    )  # fmt: skip
    before = bed.pages()
    bed.watched(60, since=34, every=2)
    assert bed.pages() == before


def test_a_closed_alert_tells_nobody(bed: Bed) -> None:
    """Closed between two rungs: the watcher that is late finds nothing to do."""
    on_call(bed.record)
    red(bed)
    alert = bed.alert()
    care.close_alert(
        bed.record, alert_id=alert.id, by="diaz", reason=CloseReason.POSITION, now=at(34)
    )
    assert not care.climb_alert(bed.record, alert_id=alert.id, now=at(36))
    assert not care.expire_acknowledgement(bed.record, alert_id=alert.id, now=at(90))
    assert [p.state for p in bed.outbox()] == [PageState.DROPPED]


def test_acknowledging_races_the_next_rung(bed: Bed) -> None:
    """The watcher saw the rung due; before it wrote, somebody took the alert: nobody is woken."""
    on_call(bed.record)
    red(bed)
    alert = bed.alert()
    bed.acknowledge(alert, 35.9)
    assert not care.climb_alert(bed.record, alert_id=alert.id, now=at(36))
    assert len(bed.pages()) == 1


def test_a_shared_room_is_told_once_and_fills_no_gap(bed: Bed) -> None:
    """The team's room gets one message a rung; the person on call is told besides."""
    on_call(bed.record)
    with bed.record.write() as conn:
        both = [
            paging.Channel("demo", ChannelKind.DEMO, None, True, START),
            paging.Channel("room", ChannelKind.SHARED, None, True, START),
        ]
        paging.write_channels(conn, START, both)
    red(bed)
    assert sorted((p.staff_id or "", p.channel) for p in bed.outbox()) == [
        ("", "room"), ("diaz", "demo"),
    ]  # fmt: skip


def test_a_concern_is_told_without_a_word_that_was_typed(bed: Bed) -> None:
    """Worry is a page of its own; what the nurse typed stays in the record."""
    on_call(bed.record)
    bed.enter(replace(bed.look(1), nurse_concern=True, concern_about="Mrs Mbeki looks grey"), 1)
    (page,) = bed.outbox(Stream.CONCERN)
    assert "nurse concern" in page.title
    assert "Mbeki" not in page.body + page.title


def test_the_auditor_knows_what_is_behind(bed: Bed) -> None:
    """A tick that finds a rung more than a minute late says so; the next one is well again."""
    on_call(bed.record)
    red(bed)
    late = worker.tick(bed.record, PROTOCOLS, now=at(36) + timedelta(minutes=2))
    assert late.behind == (bed.alert().id,)
    assert worker.tick(bed.record, PROTOCOLS, now=at(39)).behind == ()


def test_the_first_sign_is_the_weak_one(bed: Bed) -> None:
    """Pale at 31 (yellow, no alert), dusky and tense at 46: the first sign was seen at 31."""
    bed.save(1)
    bed.save(31, {"colour": "mottled"})
    bed.save(46, CONGESTED)
    assert bed.alert().first_sign_at == at(31)


def test_an_intent_is_told_with_the_answer(bed: Bed) -> None:
    """Advising by telephone is an answer too, and runs out as the others do."""
    on_call(bed.record)
    red(bed)
    care.acknowledge_alert(
        bed.record, alert_id=bed.alert().id, by="eze", intent=Intent.ADVISING,
        expected_at=at(40), now=at(33),
    )  # fmt: skip
    bed.watch(45)
    assert bed.alert().state is AlertState.OPEN
