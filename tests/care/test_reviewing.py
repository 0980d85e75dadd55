"""What a surgeon decides about a flap, and all that follows from it in one breath."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from monitoring import care, queries, rechecks, schedule, verdicts
from monitoring.care import OtherBody, Refused, UnknownPerson
from monitoring.care.reviewing import REVIEWED
from monitoring.domain import (
    SYSTEM,
    AlertState,
    BedsideAction,
    CloseReason,
    Decision,
    HoldReason,
    Order,
    Outcome,
    OutcomeKind,
    Return,
    ReturnFinding,
    ReviewMode,
    Severity,
    Stream,
)
from monitoring.reviews import Review
from monitoring.schedule import Due, DueState
from tests.bedside import CONGESTED, DUSKY, PALE, PROTOCOLS, Bed, admit, at, everything

RECHECK = {"decision": Decision.RECHECK_IN, "recheck_minutes": 15}


def verdict(bed: Bed, minutes: float, **more: Any) -> Review:
    """Dr Diaz at the bedside: continue, unless said otherwise."""
    told: dict[str, Any] = {
        "key": uuid4(), "flap_id": bed.id, "by": "diaz", "recorded_by": more.get("by", "diaz"),
        "reviewed_at": at(minutes), "recorded_at": at(minutes), "mode": ReviewMode.BEDSIDE,
        "decision": Decision.CONTINUE,
    }  # fmt: skip
    return Review(**told | more)


def write(bed: Bed, review: Review, minutes: float | None = None) -> care.Reviewed:
    now = review.recorded_at if minutes is None else at(minutes)
    return care.record_review(bed.record, PROTOCOLS, review, now=now)


def told(bed: Bed, minutes: float, **more: Any) -> Review:
    """What Dr Diaz said by telephone, as Ana wrote it down."""
    return verdict(bed, minutes, recorded_by="ana", mode=ReviewMode.TELEPHONE, **more)


def order(every: float, start: float, end: float, by: str = "diaz") -> Order:
    return Order(every_minutes=every, from_at=at(start), until_at=at(end), by=by)


def due(bed: Bed, minutes: float) -> Due:
    """What is asked for next, with what the record holds."""
    with bed.record.read() as conn:
        flap = queries.load_flap(conn, bed.id).flap
        asked = [
            schedule.Recheck(r.asked_at, r.due_at, r.rule, r.if_unmet, r.check_key, r.severity)
            for r in rechecks.open_rechecks(conn, bed.id)
        ]
    looks = [
        schedule.Look(c.check.observed_at, c.first_recorded_at, bool(c.is_full), c.check.key)
        for c in bed.checks()
        if c.current
    ]
    protocol = PROTOCOLS[flap.protocol_id]
    return schedule.next_due(flap, protocol, looks, asked, at(minutes))


def asked(bed: Bed) -> list[tuple[str, float]]:
    """Each open recheck by who asked, and when it is due in minutes."""
    return [(r.rule, (r.due_at - at(0)) / timedelta(minutes=1)) for r in bed.rechecks()]


# What a verdict does to its alert --------------------------------------------------------------


def test_a_review_answers_an_alert_that_nobody_had(bed: Bed) -> None:
    """Who looked has it; its plan holds as long as the alert's own ladder says, and the decision
    is in the story."""
    bed.save(0)
    bed.save(30, CONGESTED)
    done = write(bed, verdict(bed, 40, alert_id=bed.alert().id))
    alert = done.alert
    assert alert is not None
    assert (alert.state, alert.acknowledged_by) == (AlertState.ACKNOWLEDGED, "diaz")
    assert alert.arrived_at == at(40)
    assert alert.plan_until == at(100)
    assert bed.told()[-1] == "review"
    bed.watch(99)
    assert bed.alert().state is AlertState.ACKNOWLEDGED
    bed.watch(100)
    assert bed.alert().state is AlertState.OPEN


def test_a_review_takes_the_alert_from_who_had_it(bed: Bed) -> None:
    """A consultant's decision on the registrar's alert makes it the consultant's."""
    bed.save(0)
    bed.save(30, CONGESTED)
    bed.acknowledge(bed.alert(), 32)
    done = write(bed, verdict(bed, 40, by="eze", alert_id=bed.alert().id))
    assert done.alert is not None
    assert (done.alert.acknowledged_by, done.alert.plan_until) == ("eze", at(100))


def test_a_photo_review_is_no_arrival(bed: Bed) -> None:
    """Somebody who looked at a photo has not come."""
    bed.save(0)
    bed.save(30, DUSKY)
    done = write(bed, verdict(bed, 40, mode=ReviewMode.PHOTO, alert_id=bed.alert().id))
    assert done.alert is not None and done.alert.arrived_at is None
    assert done.alert.plan_until == at(40 + 240)


def test_a_verdict_written_late_answers_nothing_that_came_after(bed: Bed) -> None:
    """Reviewed at 14:40, worse at 14:50, written down at 14:55: the alert stays open."""
    bed.save(0)
    bed.save(30, DUSKY)
    alert = bed.alert()
    bed.save(50, CONGESTED)
    done = write(bed, told(bed, 40, alert_id=alert.id), 55)
    assert done.alert is not None
    assert (done.alert.state, done.alert.severity) == (AlertState.OPEN, Severity.RED)
    assert bed.told()[-1] == "review"


def test_a_review_of_the_flap_alone_answers_no_alert(bed: Bed) -> None:
    """Whoever looked without the alert in hand has not answered it."""
    bed.save(0)
    bed.save(30, DUSKY)
    assert write(bed, verdict(bed, 40)).alert is None
    assert bed.alert().state is AlertState.OPEN


# What it asks for ------------------------------------------------------------------------------


def test_a_review_ends_what_was_asked_before(bed: Bed) -> None:
    """After a review the schedule alone stands again, with the recheck it asks for, if any."""
    bed.save(0)
    bed.save(30, DUSKY)
    assert asked(bed) != []
    write(bed, verdict(bed, 40, **RECHECK))
    assert asked(bed) == [(REVIEWED, 55)]
    assert (due(bed, 45).rule, due(bed, 45).at) == (REVIEWED, at(55))
    write(bed, verdict(bed, 50))
    assert asked(bed) == []


def test_after_a_review_the_same_finding_asks_for_nothing_more(bed: Bed) -> None:
    """No worse than what the surgeon knew: the schedule alone stands. Worse asks anew."""
    bed.save(0)
    bed.save(30, DUSKY)
    write(bed, verdict(bed, 40))
    bed.save(60, DUSKY)
    assert asked(bed) == []
    bed.save(90, CONGESTED)
    assert asked(bed) != []


def test_a_recheck_asked_after_the_review_stands(bed: Bed) -> None:
    """A verdict written down late takes nothing away that a later check asked for."""
    bed.save(0)
    bed.save(30, PALE)
    bed.save(50, CONGESTED)
    before = asked(bed)
    write(bed, told(bed, 40), 55)
    assert asked(bed) == [a for a in before if a[1] > 60]


def test_a_recheck_that_nobody_makes_is_overdue(bed: Bed) -> None:
    """Asked by a review like by a finding: overdue after five minutes, and the ward hears it."""
    bed.save(0)
    bed.save(30, DUSKY)
    write(bed, verdict(bed, 40, alert_id=bed.alert().id, **RECHECK))
    late = due(bed, 66)
    assert (late.rule, late.state, late.since) == (REVIEWED, DueState.OVERDUE, at(60))
    bed.save(66)
    assert asked(bed) == []


# Orders ----------------------------------------------------------------------------------------


def test_an_order_lays_the_next_checks(bed: Bed) -> None:
    """Every 15 min from when it is written; the flap carries it wherever it is read."""
    bed.save(0)
    write(bed, verdict(bed, 40, order=order(15, 0, 200)))
    (given,) = bed.flap().orders
    assert (given.every_minutes, given.from_at, given.until_at) == (15, at(40), at(200))
    bed.save(58)
    after = due(bed, 59)
    assert (after.at, after.order) == (at(75), given)
    with bed.record.read() as conn:
        (active,) = queries.active_flaps(conn).flaps
    assert active.flap.orders == (given,)


def test_a_later_order_takes_the_place_of_the_earlier(bed: Bed) -> None:
    """One order stands at a time, and both stay readable."""
    write(bed, verdict(bed, 10, order=order(15, 0, 200)))
    write(bed, verdict(bed, 20, order=order(10, 0, 100)))
    with bed.record.read() as conn:
        first, second = verdicts.orders_of(conn, bed.id)
    assert (first.ended_by, first.ended_at, second.ended_at) == ("diaz", at(20), None)
    assert [(o.from_at, o.until_at) for o in bed.flap().orders] == [
        (at(10), at(20)), (at(20), at(100)),
    ]  # fmt: skip


def test_a_longer_interval_is_refused_while_a_red_is_not_closed(bed: Bed) -> None:
    """Acknowledged or not, reviewed from another alert or none; closed, it may be ordered."""
    bed.save(0)
    bed.save(30, CONGESTED)
    alert = bed.alert()
    before = everything(bed.record)
    with pytest.raises(Refused, match="a red of this flap is not closed"):
        write(bed, verdict(bed, 40, order=order(120, 0, 600)))
    assert everything(bed.record) == before
    write(bed, verdict(bed, 40, order=order(10, 0, 600)))
    care.close_alert(
        bed.record, alert_id=alert.id, by="diaz", reason=CloseReason.DRESSING, now=at(50)
    )
    write(bed, verdict(bed, 55, order=order(120, 0, 600)))
    assert bed.flap().orders[-1].every_minutes == 120


def test_a_red_ends_an_order_for_fewer_checks(bed: Bed) -> None:
    """Every 2 h was ordered for the night; a red at 40 min: the protocol's times stand again, by
    nobody's hand. An order for more checks stays."""
    bed.save(0)
    write(bed, verdict(bed, 10, order=order(120, 0, 600)))
    assert due(bed, 20).at == at(130)
    bed.save(40, CONGESTED)
    with bed.record.read() as conn:
        (ended,) = verdicts.orders_of(conn, bed.id)
    assert (ended.ended_by, ended.ended_at) == (SYSTEM, at(40))
    flap = bed.flap()
    later = schedule.slots(flap, PROTOCOLS[flap.protocol_id], at(120))
    assert list(later)[-1].every_minutes == 30
    write(bed, verdict(bed, 50, order=order(10, 0, 600)))
    bed.save(60, {"swelling": "rapid", "turgor": "tense", "pain": "rising"})
    with bed.record.read() as conn:
        assert verdicts.orders_of(conn, bed.id)[-1].ended_at is None


def test_an_amber_that_turns_red_ends_an_order_for_fewer_checks(bed: Bed) -> None:
    """Every 2 h was ordered while an amber stood; the same alert turns red: it is no new one, and
    the order is over all the same."""
    bed.save(0)
    bed.save(30, DUSKY)
    alert = bed.alert()
    write(bed, verdict(bed, 35, alert_id=alert.id, order=order(120, 0, 600)))
    assert due(bed, 40).at == at(155)
    bed.save(60, CONGESTED)
    assert (bed.alert().id, bed.alert().severity) == (alert.id, Severity.RED)
    assert "worsen" in bed.told()
    with bed.record.read() as conn:
        (ended,) = verdicts.orders_of(conn, bed.id)
    assert (ended.ended_by, ended.ended_at) == (SYSTEM, at(60))


def test_said_by_telephone_again_and_again_an_order_hides_no_missed_check(bed: Bed) -> None:
    """A red, and "every 30 min", the protocol's own, written down just before each is due: the
    checks that nobody makes are missed, and the ward hears it."""
    bed.save(1)
    bed.save(31, CONGESTED)
    for minutes in (58, 87, 116):
        told_again = told(bed, minutes, alert_id=bed.alert().id, order=order(30, 0, 900))
        write(bed, told_again)
    assert (due(bed, 91).at, due(bed, 91).state) == (at(60), DueState.OVERDUE)
    bed.watched(140, since=117, every=1)
    assert any(a.stream is Stream.MONITORING for a in bed.alerts())


def test_an_order_holds_for_three_days_at_most(bed: Bed) -> None:
    """Until next year is a slip of the finger; 72 h to the minute is an order."""
    bed.save(0)
    before = everything(bed.record)
    with pytest.raises(Refused, match="72 h at most"):
        write(bed, verdict(bed, 40, order=order(15, 0, 40 + 72 * 60 + 1)))
    assert everything(bed.record) == before
    write(bed, verdict(bed, 40, order=order(15, 0, 40 + 72 * 60)))


@pytest.mark.parametrize(
    ("minutes", "protocol_asks", "longest"),
    [(40, 30, 120), (5 * 60, 60, 240), (50 * 60, 120, 480), (125 * 60, 480, 480)],
)
def test_an_order_leaves_no_flap_alone_for_long(
    bed: Bed, minutes: float, protocol_asks: float, longest: float
) -> None:
    """Four times what the protocol asks at the time, and eight hours: a minute more is refused,
    with the number that may be ordered."""
    bed.save(0)
    before = everything(bed.record)
    said = f"asks every {protocol_asks:g} min now, and an order may ask for every {longest:g} min"
    for every in (longest + 1, 1440):
        with pytest.raises(Refused, match=said):
            write(bed, verdict(bed, minutes, order=order(every, 0, minutes + 600)))
    assert everything(bed.record) == before
    write(bed, verdict(bed, minutes, order=order(longest, 0, minutes + 600)))


def test_after_a_return_an_order_is_measured_by_the_new_course(bed: Bed) -> None:
    """Back from theatre on the third day the protocol asks every half hour again."""
    back = Return(decided_at=at(3000), into_theatre_at=at(3010), back_at=at(3200))
    care.record_return(bed.record, PROTOCOLS, flap_id=bed.id, value=back, by="diaz", now=at(3201))
    with pytest.raises(Refused, match="every 120 min at most"):
        write(bed, verdict(bed, 3210, order=order(240, 0, 4000)))


def test_a_withdrawn_return_brings_its_alert_back(bed: Bed) -> None:
    """Theatre was the plan; it is not done: the red is open again at the next look at the clock,
    not in an hour."""
    bed.save(0)
    bed.save(30, CONGESTED)
    alert = bed.alert()
    plan = verdict(bed, 35, alert_id=alert.id, decision=Decision.RETURN_TO_THEATRE)
    write(bed, plan)
    care.withdraw_return(
        bed.record, PROTOCOLS, flap_id=bed.id, decided_at=at(35), by="eze", reason="pink again",
        now=at(40),
    )  # fmt: skip
    bed.watch(40.1)
    assert (bed.alert().state, bed.alert().lapsed_by) == (AlertState.OPEN, "diaz")


def test_a_longer_interval_is_never_ordered_by_telephone(bed: Bed) -> None:
    """What a nurse wrote down can bring checks forward, not put them off."""
    with pytest.raises(Refused, match="signs that themself"):
        write(bed, told(bed, 40, order=order(120, 0, 600)))
    write(bed, told(bed, 40, order=order(10, 0, 600)))


def test_an_order_that_is_over_already_is_refused(bed: Bed) -> None:
    """Until half an hour ago is a slip of the clock."""
    with pytest.raises(Refused, match="ends before it begins"):
        write(bed, verdict(bed, 40, order=order(15, 0, 30)))


def test_who_may_end_an_order(bed: Bed) -> None:
    """A surgeon any; a nurse one that asks for fewer checks than the protocol, never one that
    asks for more."""

    def end(by: str, minutes: float) -> verdicts.StoredOrder:
        return care.end_order(bed.record, PROTOCOLS, flap_id=bed.id, by=by, now=at(minutes))

    with pytest.raises(Refused, match="No order stands"):
        end("diaz", 5)
    write(bed, verdict(bed, 10, order=order(10, 0, 300)))
    with pytest.raises(Refused, match="more checks than the protocol"):
        end("ana", 20)
    assert end("eze", 30).ended_by == "eze"
    assert bed.flap().orders[0].until_at == at(30)
    write(bed, verdict(bed, 40, order=order(120, 0, 900)))
    assert end("ana", 60).ended_at == at(60)
    with pytest.raises(Refused, match="No order stands"):
        end("diaz", 61)


# Theatre ---------------------------------------------------------------------------------------


def test_the_decision_for_theatre_opens_the_return(bed: Bed) -> None:
    """Decided when the surgeon said so, in the same breath, and once only."""
    bed.save(0)
    bed.save(30, CONGESTED)
    alert = bed.alert().id
    write(bed, told(bed, 38, alert_id=alert, decision=Decision.RETURN_TO_THEATRE), 40)
    assert bed.flap().returns == (Return(decided_at=at(38)),)
    again = verdict(bed, 45, by="eze", alert_id=alert, decision=Decision.RETURN_TO_THEATRE)
    write(bed, again)
    assert bed.flap().returns == (Return(decided_at=at(38)),)


def test_no_order_survives_theatre(bed: Bed) -> None:
    """Back on the ward the slots begin anew, as the protocol lays them."""
    write(bed, verdict(bed, 10, order=order(10, 0, 1000)))
    back = Return(decided_at=at(20), into_theatre_at=at(30), back_at=at(200))
    care.record_return(bed.record, PROTOCOLS, flap_id=bed.id, value=back, by="diaz", now=at(201))
    bed.save(201)
    assert (due(bed, 202).at, due(bed, 202).order) == (at(230), None)


# Who, when, which ------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["ana", "cho"])
def test_a_nurse_decides_nothing(bed: Bed, who: str) -> None:
    """The sentence says what a nurse can do instead; nothing is written."""
    before = everything(bed.record)
    with pytest.raises(Refused, match="Write down what one of them said"):
        write(bed, verdict(bed, 40, by=who))
    assert everything(bed.record) == before


def test_nobody_unknown_decides_or_writes(bed: Bed) -> None:
    """Neither whose verdict it is nor who writes it may be nobody."""
    for more in ({"by": "nobody"}, {"recorded_by": "nobody", "mode": ReviewMode.TELEPHONE}):
        with pytest.raises(UnknownPerson):
            write(bed, verdict(bed, 40, **more))


def test_the_same_form_twice_is_one_review(bed: Bed) -> None:
    """A double tap writes once and reads the first back; other content under its key is
    refused."""
    bed.save(0)
    bed.save(30, DUSKY)
    review = verdict(bed, 40, alert_id=bed.alert().id, order=order(15, 0, 300), **RECHECK)
    first = write(bed, review)
    before = everything(bed.record)
    again = write(bed, replace(review, reviewed_at=at(41)), 42)
    assert (first.repeated, again.repeated) == (False, True)
    assert again.review == first.review
    assert everything(bed.record) == before
    with pytest.raises(OtherBody):
        write(bed, replace(review, recheck_minutes=40), 43)
    assert write(bed, review, 301).review == first.review


def test_one_form_never_serves_two_flaps(bed: Bed) -> None:
    """A key that was saved for another flap is refused."""
    other = admit(bed.record, label="R breast DIEP")
    review = verdict(bed, 40)
    write(bed, review)
    with pytest.raises(OtherBody):
        write(bed, replace(review, flap_id=other.id))


def test_a_closed_or_foreign_alert_is_not_reviewed(bed: Bed) -> None:
    """A stale link and a wrong one are a sentence, and nothing is half done."""
    other = admit(bed.record, label="R breast DIEP")
    other.save(0)
    other.save(30, DUSKY)
    foreign = other.alert().id
    care.close_alert(
        bed.record, alert_id=foreign, by="diaz", reason=CloseReason.NO_CAUSE, now=at(35)
    )
    before = everything(bed.record)
    for flap, alert, said in ((bed, foreign, "not of this flap"), (bed, 999, "not of this flap"),
                              (other, foreign, "closed meanwhile")):  # fmt: skip
        with pytest.raises(Refused, match=said):
            write(flap, verdict(flap, 40, alert_id=alert))
    assert everything(bed.record) == before


@pytest.mark.parametrize(
    ("reviewed", "said"),
    [(45, "in the future"), (30 - 12 * 60 - 1, "more than 12 h before"), (-1, "perfused")],
)
def test_a_time_that_cannot_be_is_refused(bed: Bed, reviewed: float, said: str) -> None:
    """Tomorrow, last week, and before the flap lived."""
    bed.save(0)
    bed.save(30, DUSKY)
    review = replace(verdict(bed, 40, alert_id=bed.alert().id), reviewed_at=at(reviewed))
    with pytest.raises(Refused, match=said):
        write(bed, review, 40)


def test_a_flap_that_is_discharged_is_reviewed_no_more(bed: Bed) -> None:
    """There is nobody left to carry a plan out."""
    care.discharge_flap(bed.record, PROTOCOLS, flap_id=bed.id, by="diaz", now=at(30))
    with pytest.raises(Refused, match="has ended"):
        write(bed, verdict(bed, 40))


# Read back -------------------------------------------------------------------------------------


def test_a_nurse_reads_the_plan_back_once(bed: Bed) -> None:
    """Who and when, in the story of the alert too; a second time changes nothing."""
    bed.save(0)
    bed.save(30, DUSKY)
    key = write(bed, verdict(bed, 40, alert_id=bed.alert().id)).review.key

    def confirm(by: str, minutes: float, which: UUID = key) -> Review:
        return care.confirm_read_back(bed.record, key=which, by=by, now=at(minutes))

    for who in ("diaz", "diop"):
        with pytest.raises(Refused, match="the flap's nurse does"):
            confirm(who, 41)
    with pytest.raises(Refused, match="no such review"):
        confirm("ana", 41, uuid4())
    first = confirm("ana", 42)
    assert (first.read_back_by, first.read_back_at) == ("ana", at(42))
    assert confirm("ben", 43) == first
    assert bed.told()[-2:] == ["review", "read_back"]


def test_the_last_review_of_every_monitored_flap_is_one_question(bed: Bed) -> None:
    """What a board and a handover ask: the newest verdict of each flap, with its order; none of a
    flap that was discharged."""
    quiet, gone = (admit(bed.record, label=name) for name in ("R breast DIEP", "R thigh ALT"))
    write(gone, verdict(gone, 10))
    care.discharge_flap(bed.record, PROTOCOLS, flap_id=gone.id, by="diaz", now=at(20))
    steady = write(quiet, verdict(quiet, 10)).review
    write(bed, verdict(bed, 40))
    last = write(bed, verdict(bed, 45, order=order(15, 0, 300))).review
    with bed.record.read() as conn:
        assert verdicts.latest_reviews(conn) == {bed.id: last, quiet.id: steady}
        assert [r.key for r in verdicts.reviews_of_flap(conn, bed.id)][-1] == last.key
        assert verdicts.last_review(conn, bed.id) == last
        assert verdicts.reviews_of_alerts(conn, []) == {}


def test_what_was_found_and_done_is_read_back_whole(bed: Bed) -> None:
    """Signs, unable signs, actions, order and note come back as they were said."""
    review = verdict(
        bed, 40, decision=Decision.BEDSIDE_ACTION, note="tight tape",
        actions=(BedsideAction.LOOSEN, BedsideAction.WARM), order=order(15, 40, 300),
        examination={"colour": "dusky", "refill": 0.8, "turgor": {"unable": "dressing"},
                     "drain_stopped_suddenly": False},
    )  # fmt: skip
    assert write(bed, review).review == review


# Returns and outcomes set right ----------------------------------------------------------------


def test_a_return_is_filled_in_days_after_discharge(bed: Bed) -> None:
    """What was found may be known from the operation note only; no new return begins then."""
    back = Return(decided_at=at(20), into_theatre_at=at(30), back_at=at(200))
    record = bed.record
    care.record_return(record, PROTOCOLS, flap_id=bed.id, value=back, by="diaz", now=at(201))
    care.discharge_flap(record, PROTOCOLS, flap_id=bed.id, by="diaz", now=at(300))
    found = Return(decided_at=at(20), finding=ReturnFinding.KINK, salvaged=True)
    care.record_return(record, PROTOCOLS, flap_id=bed.id, value=found, by="eze", now=at(5000))
    (stored,) = bed.flap().returns
    assert (stored.finding, stored.salvaged, stored.back_at) == (ReturnFinding.KINK, True, at(200))
    with pytest.raises(Refused, match="has ended"):
        care.record_return(
            record, PROTOCOLS, flap_id=bed.id, value=Return(decided_at=at(4000)), by="eze",
            now=at(5000),
        )  # fmt: skip


def test_a_return_is_set_right_and_both_values_stay(bed: Bed) -> None:
    """The hold and the slots follow the right times; the wrong ones stay readable."""
    back = Return(decided_at=at(20), into_theatre_at=at(30), back_at=at(200))
    record = bed.record
    care.record_return(record, PROTOCOLS, flap_id=bed.id, value=back, by="diaz", now=at(201))

    def correct(minutes: float = 400, **changes: Any) -> None:
        care.correct_return(
            record, PROTOCOLS, flap_id=bed.id, decided_at=at(20), changes=changes, by="eze",
            reason="misread the clock", now=at(minutes),
        )  # fmt: skip

    correct(back_at=at(180), finding="kink")
    flap = bed.flap()
    assert flap.returns[0].back_at == at(180) == flap.slots_from
    assert [(h.from_at, h.until_at, h.reason) for h in flap.holds] == [
        (at(30), at(180), HoldReason.THEATRE)
    ]
    with record.read() as conn:
        kept = queries.corrections_of(conn, bed.id)
    assert [(c.field, c.new) for c in kept] == [
        ("return_1_back_at", str(at(180))), ("return_1_finding", "kink"),
    ]  # fmt: skip
    assert kept[0].old == str(at(200))
    before = everything(record)
    for changes, said in (
        ({"back_at": at(180)}, "Nothing is changed"), ({"back_at": at(500)}, "in the future"),
        ({"into_theatre_at": at(190)}, "the times do not"), ({"back_at": None}, "instead of none"),
        ({"surgeon": "x"}, "not a fact"),
    ):  # fmt: skip
        with pytest.raises(Refused, match=said):
            correct(**changes)
    with pytest.raises(Refused, match="no return to theatre"):
        care.correct_return(
            record, PROTOCOLS, flap_id=bed.id, decided_at=at(21), changes={}, by="eze",
            reason="x", now=at(400),
        )  # fmt: skip
    assert everything(record) == before


def test_a_return_that_is_not_done_is_withdrawn(bed: Bed) -> None:
    """By a surgeon, with a reason, before theatre only; who decided it stays readable, and another
    may be decided."""
    write(bed, verdict(bed, 10, decision=Decision.RETURN_TO_THEATRE))

    def withdraw(by: str = "eze", decided: float = 10, minutes: float = 30) -> None:
        care.withdraw_return(
            bed.record, PROTOCOLS, flap_id=bed.id, decided_at=at(decided), by=by,
            reason="pink again", now=at(minutes),
        )  # fmt: skip

    for more, said in (({"by": "ana"}, "A surgeon"), ({"decided": 11}, "no return to theatre")):
        with pytest.raises(Refused, match=said):
            withdraw(**more)  # type: ignore[arg-type]
    withdraw()
    assert bed.flap().returns == ()
    with bed.record.read() as conn:
        (kept,) = queries.corrections_of(conn, bed.id)
        (active,) = queries.active_flaps(conn).flaps
    assert (kept.new, kept.reason, kept.by) == ("withdrawn", "pink again", "eze")
    assert active.flap.returns == ()
    write(bed, verdict(bed, 40, decision=Decision.RETURN_TO_THEATRE))
    gone = Return(decided_at=at(40), into_theatre_at=at(50))
    care.record_return(bed.record, PROTOCOLS, flap_id=bed.id, value=gone, by="ana", now=at(51))
    with pytest.raises(Refused, match="in theatre already"):
        withdraw(decided=40, minutes=60)


def outcome(kind: OutcomeKind, minutes: float, percent: float | None = None) -> Outcome:
    return Outcome(kind=kind, percent=percent, closed_at=at(minutes))


def test_an_outcome_is_set_right_and_both_values_stay(bed: Bed) -> None:
    """Survived was a partial loss after all; without a reason nothing is changed."""
    record = bed.record
    first = outcome(OutcomeKind.SURVIVED, 100)
    right = outcome(OutcomeKind.PARTIAL_LOSS, 100, 15)
    told: dict[str, Any] = {"flap_id": bed.id, "by": "diaz"}
    with pytest.raises(Refused, match="No outcome is recorded"):
        care.correct_outcome(record, PROTOCOLS, outcome=right, reason="seen", now=at(110), **told)
    care.record_outcome(record, PROTOCOLS, outcome=first, now=at(110), **told)
    with pytest.raises(Refused, match="Say why"):
        care.correct_outcome(record, PROTOCOLS, outcome=right, reason=" ", now=at(120), **told)
    care.correct_outcome(record, PROTOCOLS, outcome=right, reason="seen", now=at(120), **told)
    with record.read() as conn:
        assert queries.outcome_of(conn, bed.id) == right
        kept = queries.corrections_of(conn, bed.id)
    assert [(c.field, c.old, c.new) for c in kept] == [
        ("outcome_kind", "survived", "partial_loss"), ("outcome_percent", None, "15.0"),
    ]  # fmt: skip
    with pytest.raises(Refused, match="Nothing is changed"):
        care.correct_outcome(record, PROTOCOLS, outcome=right, reason="x", now=at(120), **told)


def test_a_total_loss_that_was_none_lets_monitoring_go_on(bed: Bed) -> None:
    """A flap that lives is watched again at once; one that was lost after all is not."""
    record = bed.record
    told: dict[str, Any] = {"flap_id": bed.id, "by": "diaz", "now": at(200)}
    lost, alive = outcome(OutcomeKind.TOTAL_LOSS, 100), outcome(OutcomeKind.SURVIVED, 100)
    care.record_outcome(record, PROTOCOLS, outcome=lost, **told)
    assert bed.flap().ended_at == at(100)
    care.correct_outcome(record, PROTOCOLS, outcome=alive, reason="wrong flap", **told)
    assert bed.flap().ended_at is None
    assert due(bed, 200).state is DueState.OVERDUE
    later = outcome(OutcomeKind.TOTAL_LOSS, 150)
    care.correct_outcome(record, PROTOCOLS, outcome=later, reason="lost now", **told)
    assert bed.flap().ended_at == at(150)
