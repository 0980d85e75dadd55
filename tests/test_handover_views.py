"""A ward handed over, in words: what each flap owes, what comes, who is on call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

from monitoring import care, handover_views, handovers, paging, shifts, views, ward
from monitoring.board import tiles
from monitoring.components.handover_shapes import HandoverData, HandoverFlap
from monitoring.domain import (
    BedsideAction,
    ChannelKind,
    Decision,
    HoldReason,
    Level,
    Order,
    Outcome,
    OutcomeKind,
    Return,
    ReviewMode,
)
from monitoring.handovers import Beside, Handover, Stood, Unrecorded, read_stood
from monitoring.reviews import Review
from monitoring.rota import Directory, Shift
from monitoring.store import Record
from tests.bedside import BLIND, CONGESTED, DUSKY, PALE, PROTOCOLS, Bed, admit, at, on_call, staff

LONDON = ZoneInfo("Europe/London")
Sheet = Callable[..., HandoverData]


@pytest.fixture
def bed(record: Record) -> Bed:
    """A flap that does well, on a ward with people on call."""
    staff(record)
    on_call(record)
    made = admit(record)
    made.save(1)
    return made


def sheet(record: Record, minutes: float, *, of_ward: str = "W", by: str = "") -> HandoverData:
    """The ward's sheet as it would be read at that time."""
    now = at(minutes)
    found = ward.snapshot(record, PROTOCOLS, now)
    with record.read() as conn:
        directory = shifts.directory(conn, now, (of_ward,), horizon=handover_views.ON_CALL_AHEAD)
        beside = handovers.beside(conn, of_ward)
    return handover_views.handover_data(
        found, tiles(found.beds, now, LONDON), directory, beside, ward=of_ward,
        loud=views.loud_lines(found), by=by, now=now, zone=LONDON,
    )  # fmt: skip


def only(data: HandoverData) -> HandoverFlap:
    (flap,) = data["flaps"]
    return flap


def facts(data: HandoverData, label: str) -> list[tuple[str, str]]:
    """What the one flap's sheet says under a label, with how loud."""
    return [(f["text"], f["tone"]) for f in only(data)["facts"] if f["label"] == label]


def verdict(bed: Bed, minutes: float, decision: Decision, **more: object) -> Review:
    said = {
        "key": uuid4(), "flap_id": bed.id, "by": "diaz", "recorded_by": "diaz",
        "reviewed_at": at(minutes), "recorded_at": at(minutes), "mode": ReviewMode.PHOTO,
        "decision": decision,
    } | more  # fmt: skip
    review = Review(**said)  # type: ignore[arg-type]
    return care.record_review(bed.record, PROTOCOLS, review, now=at(minutes)).review


def test_two_identifiers_and_the_state_stand_on_every_row(bed: Bed) -> None:
    """Bed, name, number, birthday and label, with the state in a word; a namesake is named."""
    admit(bed.record, mrn="2", name="MBEKI, Sipho", bed="9")
    first = sheet(bed.record, 20)["flaps"][0]
    assert (first["bed"], first["name"], first["mrn"]) == ("Bed 9", "MBEKI, Sipho", "2")
    assert (first["born"], first["label"]) == ("born 01 May 1970", "L breast DIEP")
    assert first["word"] == "UNKNOWN"
    assert first["namesake"] == "another MBEKI in bed 4"


def test_an_alert_says_who_has_it_and_is_loud_while_nobody_has(bed: Bed) -> None:
    """Nobody: bold, with who was told; somebody: their name and time."""
    bed.save(30, CONGESTED)
    ((said, tone),) = facts(sheet(bed.record, 32), "RED venous")
    assert tone == "loud" and "nobody has it yet; told Dr Diaz" in said
    bed.acknowledge(bed.alert(), 33)
    ((said, tone),) = facts(sheet(bed.record, 34), "RED venous")
    assert tone == "plain" and "acknowledged by Dr Diaz: coming, 12:43" in said


def test_a_plan_is_loud_until_it_is_read_back(bed: Bed) -> None:
    """What was decided, by whom, and NOT READ BACK until a nurse has; gone after a day."""
    bed.save(30, DUSKY)
    review = verdict(
        bed, 40, Decision.BEDSIDE_ACTION, alert_id=bed.alert().id,
        actions=(BedsideAction.LOOSEN,), note="Ask for a bair hugger.",
    )  # fmt: skip
    ((said, tone),) = facts(sheet(bed.record, 41), "Plan")
    assert said == "12:40 Dr Diaz: loosen dressings; NOT READ BACK. Note: Ask for a bair hugger."
    assert tone == "loud" and "1 not read back" in sheet(bed.record, 41)["summary"]
    assert "Dr Diaz has it, by the plan until 16:40" in facts(
        sheet(bed.record, 41), "AMBER venous"
    )[0][0]  # fmt: skip
    care.confirm_read_back(bed.record, key=review.key, by="ana", now=at(42))
    ((said, tone),) = facts(sheet(bed.record, 43), "Plan")
    assert "read back by Ana 12:42" in said and tone == "plain"
    assert facts(sheet(bed.record, 41 + 24 * 60), "Plan") == []


def test_a_return_runs_until_the_flap_is_back(bed: Bed) -> None:
    """Asked for since when; in theatre since when; nothing once it is back."""

    def go(**times: datetime) -> None:
        value = Return(decided_at=at(60), **times)
        now = max([at(60), *times.values()])
        care.record_return(bed.record, PROTOCOLS, flap_id=bed.id, value=value, by="diaz", now=now)

    go()
    assert facts(sheet(bed.record, 83), "Return") == [
        ("theatre asked for 13:00, 00:23 ago; not back yet", "loud")
    ]
    go(into_theatre_at=at(90))
    assert "in theatre 13:30 after 00:30" in facts(sheet(bed.record, 95), "Return")[0][0]
    assert facts(sheet(bed.record, 95), "Checks")[0][0].startswith("on hold: theatre since 13:30")
    assert "every" not in facts(sheet(bed.record, 95), "Next 12 h")[0][0]
    go(into_theatre_at=at(90), perfused_again_at=at(150), back_at=at(200))
    assert facts(sheet(bed.record, 201), "Return") == []


def test_an_order_stands_with_whose_it_is(bed: Bed) -> None:
    """Every 15 min until a time, by whose order; and the checks it lays come first."""
    order = Order(every_minutes=15, from_at=at(60), until_at=at(120), by="diaz")
    verdict(bed, 60, Decision.CONTINUE, order=order)
    data = sheet(bed.record, 61)
    assert facts(data, "Order") == [
        ("look every 15 min until 14:00, by order of Dr Diaz until 14:00", "plain")
    ]
    ahead = facts(data, "Next 12 h")[0][0]
    assert "every 15 min: 13:15 13:30 13:45; then every 30 min: 14:00" in ahead
    assert facts(sheet(bed.record, 121), "Order") == []


def test_the_coming_twelve_hours_are_laid_out_by_interval(bed: Bed) -> None:
    """Every check with its time, to the hour the shift ends; one already made is left out."""
    bed.save(28)
    said = facts(sheet(bed.record, 29), "Next 12 h")[0][0]
    assert said == (
        "15 checks, every 30 min: 13:00 13:30 14:00 14:30 15:00 15:30; then every 1 h: 16:00 "
        "17:00 18:00 19:00 20:00 21:00 22:00 23:00 00:00"
    )


def test_what_was_missed_and_is_overdue_is_loud(bed: Bed) -> None:
    """The slots nobody looked at in the last 12 h by their times, and what is overdue now."""
    data = sheet(bed.record, 115)
    ((due, tone),) = facts(data, "Due")
    assert due == "check of 12:30, 1 h 25 min overdue" and tone == "loud"
    assert facts(data, "Missed") == [("3 in the last 12 h: 12:30, 13:00, 13:30", "loud")]
    assert facts(sheet(bed.record, 115 + 14 * 60), "Missed")[0][0].startswith("12 in the last 12 h")


def test_a_long_stay_says_how_far_back_nothing_was_missed(bed: Bed) -> None:
    """The board reads the last 30 checks of a flap: where they do not reach back over the shift,
    the sheet says from when on it speaks, and calls nothing before it missed."""
    for minutes in range(10, 60 * 11, 10):
        bed.save(minutes)
    (row,) = facts(sheet(bed.record, 60 * 11), "Missed")
    assert row == ("none since 18:00; what was missed before is on the flap's page", "plain")


def test_the_missed_checks_of_an_order_are_counted_as_far_as_was_read(bed: Bed) -> None:
    """Every 10 min by order for seven hours, four of its checks made by nobody: three since the
    oldest check that was read are named with that time, the first lies before it. With fewer
    checks the whole twelve hours are told."""
    order = Order(every_minutes=10, from_at=at(60), until_at=at(540), by="diaz")
    verdict(bed, 60, Decision.CONTINUE, order=order)
    left_out = (70, 400, 410, 450)
    for minutes in range(30, 461, 10):
        if minutes not in left_out and minutes <= 200:
            bed.save(minutes)
    early = facts(sheet(bed.record, 205), "Missed")
    assert early == [("1 in the last 12 h: 13:10", "loud")]
    for minutes in range(210, 461, 10):
        if minutes not in left_out:
            bed.save(minutes)
    (row,) = facts(sheet(bed.record, 465), "Missed")
    assert row == (
        "3 since 14:20: 18:40, 18:50, 19:30; what was missed before is on the flap's page", "loud",
    )  # fmt: skip


def test_what_could_not_be_looked_at_is_named(bed: Bed) -> None:
    """Unable with its reason, and apart from it what nobody looked at; the recheck says why."""
    bed.save(30, BLIND | {"refill": None})
    data = sheet(bed.record, 31)
    assert facts(data, "Unable") == [("turgor (dressing)", "loud")]
    assert facts(data, "Not looked at") == [("refill", "loud")]
    assert facts(data, "Recheck") == [("due 13:00: the last check was not complete", "plain")]


def test_a_recheck_says_who_asked_and_what_becomes_of_it(bed: Bed) -> None:
    """A weak sign is looked at again within 15 min, and is amber if nobody does."""
    bed.save(30, PALE)
    assert facts(sheet(bed.record, 31), "Recheck") == [
        ("due 12:45: asked for by rule S0; amber if it is not made", "plain")
    ]


def test_a_hold_says_since_when_and_asks_for_nothing(bed: Bed) -> None:
    """At imaging: no check is laid down, and that is loud."""
    care.hold_flap(
        bed.record, PROTOCOLS, flap_id=bed.id, reason=HoldReason.IMAGING, by="ana", now=at(40)
    )
    data = sheet(bed.record, 50)
    assert facts(data, "Checks") == [
        ("on hold: imaging since 12:40: due at once on release", "loud")
    ]
    assert facts(data, "Next 12 h") == [("no check is laid down", "loud")]
    assert "1 on hold" in data["summary"]


def test_who_is_on_call_now_and_next(record: Record) -> None:
    """By level, until when and how reached, and who follows; a level with nobody is a gap."""
    staff(record)
    on_call(record, Level.REGISTRAR, Level.CONSULTANT, until=600)
    with record.write() as conn:
        after = Shift(0, "W", Level.REGISTRAR, "diop", at(600), at(1200))
        shifts.insert_shift(conn, after, by="cho", now=at(0))
    duties = {d["level"]: d for d in sheet(record, 10)["duties"]}
    assert list(duties) == ["Charge nurse", "Registrar", "Microsurgeon", "Consultant"]
    assert duties["Registrar"]["now"] == "Dr Diaz until 22:00 (demonstration)"
    assert duties["Registrar"]["next"] == "Dr Diop from 22:00"
    assert (duties["Microsurgeon"]["now"], duties["Microsurgeon"]["gap"]) == ("NOBODY", True)
    assert duties["Consultant"]["next"] == "nobody entered"
    with record.write() as conn:
        sms = paging.Channel("sms", ChannelKind.PERSONAL, None, True, at(11))
        paging.write_channels(conn, at(11), [sms])
    duties = {d["level"]: d for d in sheet(record, 12)["duties"]}
    assert duties["Registrar"]["now"] == "Dr Diaz until 22:00, CANNOT BE REACHED"
    assert duties["Registrar"]["gap"]


def test_outcomes_nobody_recorded_are_handed_on(bed: Bed) -> None:
    """A flap that left without an outcome stays on the sheet until somebody says."""
    care.discharge_flap(bed.record, PROTOCOLS, flap_id=bed.id, by="diop", now=at(600))
    data = sheet(bed.record, 700)
    assert data["flaps"] == [] and data["empty_text"]
    assert data["outcomes"] == [
        "MBEKI, Thandi · MRN 100200 · L breast DIEP: monitoring ended 02 Mar 2026 22:00"
    ]
    outcome = Outcome(kind=OutcomeKind.SURVIVED, closed_at=at(600))
    care.record_outcome(
        bed.record, PROTOCOLS, flap_id=bed.id, outcome=outcome, by="diop", now=at(701)
    )
    assert sheet(bed.record, 702)["outcomes"] == []


def test_another_wards_flaps_are_on_its_own_sheet(bed: Bed) -> None:
    """A sheet holds its ward and no other."""
    other = admit(bed.record, mrn="2", name="FOGG, Ann", ward="HDU", bed="1")
    other.save(5, CONGESTED)
    assert [f["flap_id"] for f in sheet(bed.record, 10)["flaps"]] == [bed.id]
    assert [f["flap_id"] for f in sheet(bed.record, 10, of_ward="HDU")["flaps"]] == [other.id]


def test_every_printed_page_says_when_it_is_old(bed: Bed) -> None:
    """When, by whom, and from which minute on it may not be trusted; a line where nobody said."""
    assert sheet(bed.record, 10, by="Ana")["printed"] == (
        "W, Mon 02 Mar 2026. Printed 12:10 by Ana; old after 10 minutes: from 12:20 on go by the "
        "board and the bedside."
    )
    assert "by ____" in sheet(bed.record, 10)["printed"]


def test_what_the_record_keeps_is_what_was_shown(bed: Bed) -> None:
    """The alerts with their state, and every flap with its lines, to the letter; also of a flap
    whose monitoring has ended."""
    bed.save(30, CONGESTED)
    gone = admit(bed.record, mrn="2", name="FOGG, Ann", bed="9")
    gone.save(30, CONGESTED)
    lost = Outcome(kind=OutcomeKind.TOTAL_LOSS, closed_at=at(31))
    care.record_outcome(bed.record, PROTOCOLS, flap_id=gone.id, outcome=lost, by="diop", now=at(31))
    now = at(32)
    found, data = ward.snapshot(bed.record, PROTOCOLS, now), sheet(bed.record, 32)
    kept = handover_views.stood(found, data, ward="W", now=now, zone=LONDON)
    assert {a.flap_id for a in kept.alerts} == {bed.id, gone.id}
    assert len(data["loud"]) == 1
    (flap,) = kept.flaps
    assert flap.words == "Bed 4 · MBEKI, Thandi · MRN 100200 · L breast DIEP"
    assert [line for line in flap.lines if line.startswith("RED venous: since 12:30; open 2 min")]
    assert read_stood("W", kept.as_json()) == kept
    done = care.hand_over(
        bed.record, stood=kept, given_by="ana", accepted_by="ben", now=now, note="Rang theatre."
    )
    said = handover_views.accepted(done, found.names, now, LONDON)
    line = "Mon 02 Mar 12:32 accepted by Ben, given by Ana. Note: Rang theatre."
    assert said == ("Handed over", f"{line} 1 flap, 2 open alerts, as read at 12:32.")
    assert sheet(bed.record, 33)["last"] == [line]


def test_a_handover_in_the_hour_that_occurs_twice_says_which() -> None:
    """Accepted at the second half past one of the night on which the clock goes back; a stay that
    ended at the first."""
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    done = Handover(1, "W", second, "ana", "ben", Stood("W", second), None)
    ended = Unrecorded("F1", "L breast DIEP", "FOGG, Ann", "m1", first)
    empty = ward.Snapshot(second, (), (), None)
    data = handover_views.handover_data(
        empty, [], Directory(), Beside({}, [ended], [done]), ward="W", loud=[], by="",
        now=second, zone=LONDON,
    )  # fmt: skip
    assert data["last"] == ["Sun 25 Oct 01:30 GMT accepted by ben, given by ana."]
    assert data["outcomes"][0].endswith("monitoring ended 25 Oct 2026 01:30 BST")


def test_the_sheet_costs_the_same_for_one_flap_and_for_ten(bed: Bed) -> None:
    """The number of statements does not grow with flaps."""
    asked: list[str] = []
    event.listen(
        bed.record.reader, "before_cursor_execute",
        lambda conn, cursor, statement, *rest: asked.append(statement),
    )  # fmt: skip
    bed.save(30, DUSKY)
    verdict(bed, 40, Decision.CONTINUE, alert_id=bed.alert().id)
    sheet(bed.record, 50)
    asked.clear()
    sheet(bed.record, 50)
    alone = len(asked)
    for number in range(9):
        other = admit(bed.record, mrn=f"m{number}", name=f"FOGG{number}, Ann", bed=str(number))
        other.save(30, DUSKY)
        verdict(other, 40, Decision.CONTINUE, alert_id=other.alert().id)
    sheet(bed.record, 50)
    asked.clear()
    assert len(sheet(bed.record, 50)["flaps"]) == 10
    assert len(asked) == alone
