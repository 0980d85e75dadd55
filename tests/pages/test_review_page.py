"""The review page: a surgeon's decision on a telephone, or a nurse's hand that writes it down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from streamlit.testing.v1 import AppTest

from monitoring import care, episodes, people, protocol, queries, ward
from monitoring.domain import (
    AlertState,
    CloseReason,
    Decision,
    Order,
    Outcome,
    OutcomeKind,
    Return,
    ReviewMode,
    Role,
    Severity,
)
from monitoring.reviews import Review
from monitoring.store import Record
from monitoring.ward import Stay

Open = Callable[..., AppTest]
Told = Callable[[AppTest, str], Any]
PROTOCOLS = protocol.load()
HOSTILE = "**bold** [x](http://evil) :red[hot] $x$ <b>"


def stay(record: Record, flap_id: str) -> Stay:
    return ward.stay(record, PROTOCOLS, flap_id)


@pytest.fixture
def venous(ward_record: Record) -> str:
    """The flap with the evolving venous congestion."""
    with ward_record.read() as conn:
        found = queries.active_flaps(conn).flaps
    return next(f.flap.id for f in found if f.flap.facts.label == "L breast DIEP")


@pytest.fixture
def surgeon(ward_record: Record) -> str:
    with ward_record.write() as conn:
        return people.add_staff(conn, "Dr Zuma", Role.REGISTRAR, "Ward 7").id


def alert_of(record: Record, flap_id: str) -> episodes.StoredAlert:
    with record.read() as conn:
        (found,) = [a for a in episodes.open_alerts(conn, flap_id) if a.severity is Severity.RED]
    return found


def choice(at: AppTest, label: str) -> Any:
    """A control by the beginning of its label."""
    every = [*at.selectbox, *at.button_group, *at.text_input, *at.text_area, *at.toggle]
    return next(c for c in every if c.label.startswith(label))


def choose(at: AppTest, label: str, value: object) -> AppTest:
    return choice(at, label).set_value(value).run()


def sign(at: AppTest) -> AppTest:
    return next(b for b in at.button if (b.key or "").startswith("sign-")).click().run()


def said(at: AppTest) -> str:
    """Every plain sentence on the page."""
    return "\n".join(t.value for t in at.text)


def filled(at: AppTest, who: str, decision: Decision) -> AppTest:
    at = choose(at, "What is decided?", decision)
    at = choose(at, "Who are you?", who)
    return choose(at, "How was the flap", ReviewMode.BEDSIDE)


def test_nothing_is_chosen_before_somebody_chooses(
    ward_record: Record, open_page: Open, venous: str
) -> None:
    """No decision, no person, no finding; and signing an empty form writes nothing."""
    at = open_page("review.py", alert=str(alert_of(ward_record, venous).id))
    assert not at.exception
    for label in ("What is decided?", "Who are you?", "How was the flap", "Colour", "Refill"):
        assert choice(at, label).value in (None, [])
    at = sign(at)
    assert "Say who you are. Say whose decision you write down." in said(at)
    assert stay(ward_record, venous).reviews == ()


def test_a_surgeon_signs_a_recheck_from_the_alert(
    ward_record: Record, open_page: Open, told: Told, venous: str, surgeon: str
) -> None:
    """Decision, minutes, name, how; the answer is what the record holds."""
    alert = alert_of(ward_record, venous)
    at = open_page("review.py", alert=str(alert.id))
    assert alert.because in said(at) and "MRN 204118" in said(at)
    at = filled(at, surgeon, Decision.RECHECK_IN)
    at = choose(at, "Look again in", 15)
    button = next(b for b in at.button if (b.key or "").startswith("sign-"))
    assert button.label == "Recheck in 15 min\\: ADEYEMI, Grace, L breast DIEP"
    at = sign(at)
    notice = told(at, "notice-")
    assert "Dr Zuma: recheck in 15 min" in notice["text"]
    assert "MRN 204118" in notice["text"] and "The plan holds until" in notice["text"]
    (review,) = stay(ward_record, venous).reviews
    assert (review.by, review.recorded_by, review.alert_id) == (surgeon, surgeon, alert.id)
    assert review.examination == {}


def test_what_was_found_and_ordered_goes_with_it(
    ward_record: Record, open_page: Open, venous: str, surgeon: str
) -> None:
    """Signs as in a check, an action, and an order with its end."""
    at = open_page("review.py", alert=str(alert_of(ward_record, venous).id))
    at = filled(at, surgeon, Decision.BEDSIDE_ACTION)
    at = choose(at, "What is done", ["loosen"])
    at = choose(at, "Colour", "dusky")
    at = choose(choose(at, "Refill", "a number"), "Refill, s", "0,8")
    at = choose(choose(at, "Turgor", "unable"), "Turgor: unable", "dressing")
    at = choose(choose(at, "Order", True), "Look every", 15)
    at = choose(at, "Until", 4)
    at = sign(at)
    (review,) = stay(ward_record, venous).reviews
    assert review.order is not None and review.order.every_minutes == 15
    assert review.order.until_at - review.order.from_at >= timedelta(hours=3, minutes=59)
    assert review.examination["colour"] == "dusky"
    assert review.examination["refill"] == 0.8
    assert str(review.examination["turgor"]) == "unable: dressing"


def test_a_nurse_writes_down_what_was_said_by_telephone(
    ward_record: Record, open_page: Open, venous: str, surgeon: str
) -> None:
    """The nurse's form asks whose decision it is, and never offers the bedside."""
    at = open_page("review.py", alert=str(alert_of(ward_record, venous).id))
    at = choose(at, "What is decided?", Decision.RETURN_TO_THEATRE)
    at = choose(at, "Who are you?", "n-okafor")
    assert "at the bedside" not in choice(at, "How was the flap").options
    at = choose(at, "Whose decision", surgeon)
    at = choose(at, "How was the flap", ReviewMode.TELEPHONE)
    at = sign(at)
    (review,) = stay(ward_record, venous).reviews
    assert (review.by, review.recorded_by) == (surgeon, "n-okafor")
    assert stay(ward_record, venous).bed.flap.returns[-1].decided_at == review.reviewed_at


def test_an_unreadable_entry_is_a_sentence_and_nothing_is_written(
    ward_record: Record, open_page: Open, venous: str, surgeon: str
) -> None:
    """Letters for minutes, a refill of 92 and an order without an end are each said."""
    at = open_page("review.py", alert=str(alert_of(ward_record, venous).id))
    at = filled(at, surgeon, Decision.RECHECK_IN)
    at = choose(choose(at, "Look again in", 15), "Refill", "a number")
    at = sign(choose(at, "Refill, s", "92"))
    assert "Refill" in said(at)
    at = sign(choose(choose(at, "Refill", None), "Order", True))
    assert "until when" in said(at)
    assert stay(ward_record, venous).reviews == ()


def test_a_link_to_nothing_or_to_a_closed_alert_says_so(
    ward_record: Record, open_page: Open, venous: str
) -> None:
    """No page breaks on a stale or a wrong address."""
    for query in ({"alert": "99999"}, {"flap": "nothing"}, {}, {"alert": "x"}):
        at = open_page("review.py", **query)
        assert not at.exception
        assert any("Nothing to review" in m.value for m in at.markdown)
    alert = alert_of(ward_record, venous)
    care.close_alert(
        ward_record, alert_id=alert.id, by="dr-m-osei", reason=CloseReason.DRESSING,
        now=datetime.now(UTC),
    )  # fmt: skip
    at = open_page("review.py", alert=str(alert.id))
    assert "This alert was closed" in said(at)


def a_review(flap_id: str, by: str, now: datetime, **more: Any) -> Review:
    told: dict[str, Any] = {
        "key": uuid4(), "flap_id": flap_id, "by": by, "recorded_by": by, "reviewed_at": now,
        "recorded_at": now, "mode": ReviewMode.BEDSIDE, "decision": Decision.CONTINUE,
    }  # fmt: skip
    return Review(**told | more)


def press(at: AppTest, label: str) -> AppTest:
    return [b for b in at.button if b.label == label][-1].click().run()


def test_the_plan_stands_on_the_flap_page_until_it_is_read_back(
    ward_record: Record, open_page: Open, venous: str, surgeon: str
) -> None:
    """Who decided what, the order, and one button for the nurse; then who read it back."""
    now = datetime.now(UTC)
    order = Order(every_minutes=10, from_at=now, until_at=now + timedelta(hours=3), by=surgeon)
    care.record_review(
        ward_record, PROTOCOLS, a_review(venous, surgeon, now, order=order, note=HOSTILE), now=now
    )
    at = open_page("flap.py", flap=venous)
    assert "Dr Zuma: continue as before, look every 10 min until" in said(at)
    assert "Look every 10 min, by order of Dr Zuma until" in said(at)
    assert any("Not read back yet." in m.value for m in at.markdown)
    at = press(at, "Read it back")
    at = press(choose(at, "Who are you?", "n-okafor"), "I read it back")
    assert not at.exception
    assert stay(ward_record, venous).reviews[-1].read_back_by == "n-okafor"
    assert "Read back by N. Okafor" in said(at)
    at = press(at, "End the order")
    at = choose(at, "Who are you?", surgeon)
    at = press(at, "End the order")
    assert stay(ward_record, venous).bed.flap.orders[0].until_at <= datetime.now(UTC)


def test_the_story_of_an_alert_holds_the_decision_and_how_long_it_took(
    ward_record: Record, open_page: Open, told: Told, venous: str, surgeon: str
) -> None:
    """Under the alert on the flap's page: decided, and the intervals with their targets."""
    alert, now = alert_of(ward_record, venous), datetime.now(UTC)
    care.record_review(
        ward_record, PROTOCOLS, a_review(venous, surgeon, now, alert_id=alert.id), now=now
    )
    cards = told(open_page("flap.py", flap=venous), "alerts-")["cards"]
    story = next(c["story"] for c in cards if c["id"] == alert.id)
    assert any("decided by Dr Zuma at the bedside: continue as before" in x for x in story)
    assert any(x.startswith("First sign to review") and "target 00:15" in x for x in story)


def begin(at: AppTest, flap_id: str, name: str) -> AppTest:
    at.session_state["doing"] = (flap_id, name)
    return at.run()


def test_a_return_is_filled_in_and_set_right_after_discharge(
    ward_record: Record, open_page: Open, told: Told, venous: str
) -> None:
    """What was found days ago is written then; a wrong stage is set right with a reason, and both
    values stay on the page."""
    record, now = ward_record, datetime.now(UTC)
    value = Return(
        decided_at=now - timedelta(hours=2), into_theatre_at=now - timedelta(hours=1),
        back_at=now - timedelta(minutes=5),
    )  # fmt: skip
    care.record_return(record, PROTOCOLS, flap_id=venous, value=value, by="dr-m-osei", now=now)
    for alert in stay(record, venous).alerts:
        if alert.state is not AlertState.CLOSED:
            care.close_alert(record, alert_id=alert.id, by="dr-m-osei",
                             reason=CloseReason.TRUE_COMPROMISE, now=now)  # fmt: skip
    care.discharge_flap(record, PROTOCOLS, flap_id=venous, by="dr-m-osei", now=now)
    at = begin(open_page("flap.py", flap=venous), venous, "return")
    at = choose(at, "What was found", "venous_thrombosis")
    at = press(choose(at, "Who are you?", "dr-m-osei"), "Write it down")
    assert stay(record, venous).returns[-1].value.finding == "venous_thrombosis"
    at = begin(open_page("flap.py", flap=venous), venous, "correct-return")
    at = choose(at, "What is wrong?", "finding")
    at = choose(at, "What is right?", "kink")
    at = choose(at, "Why was it wrong?", "operation note")
    at = press(choose(at, "Who are you?", "dr-m-osei"), "Set it right")
    assert not at.exception
    assert stay(record, venous).returns[-1].value.finding == "kink"
    (kept,) = stay(record, venous).corrections
    assert (kept.old, kept.new, kept.reason) == ("venous_thrombosis", "kink", "operation note")


def test_theatre_that_is_not_needed_is_withdrawn_with_a_reason(
    ward_record: Record, open_page: Open, venous: str, surgeon: str
) -> None:
    """The clock of the way to theatre stops, and the facts keep why."""
    now = datetime.now(UTC)
    back = a_review(venous, surgeon, now, decision=Decision.RETURN_TO_THEATRE)
    care.record_review(ward_record, PROTOCOLS, back, now=now)
    at = begin(open_page("flap.py", flap=venous), venous, "withdraw-return")
    assert any("theatre asked for" in m.value for m in at.markdown)
    at = choose(at, "Why is it not done?", "pink again")
    at = press(choose(at, "Who are you?", surgeon), "Withdraw the return")
    assert not at.exception
    assert stay(ward_record, venous).returns == ()
    assert not any("theatre asked for" in m.value for m in at.markdown)
    assert stay(ward_record, venous).corrections[-1].reason == "pink again"


def test_an_outcome_is_set_right_with_a_reason(
    ward_record: Record, open_page: Open, venous: str
) -> None:
    """Survived was a partial loss after all."""
    record, now = ward_record, datetime.now(UTC)
    survived = Outcome(kind=OutcomeKind.SURVIVED, closed_at=now)
    care.record_outcome(
        record, PROTOCOLS, flap_id=venous, outcome=survived, by="dr-m-osei", now=now
    )
    at = begin(open_page("flap.py", flap=venous), venous, "correct-outcome")
    at = choose(at, "How did it end?", OutcomeKind.PARTIAL_LOSS)
    at = choose(at, "How much was lost", "15")
    at = choose(at, "When was this seen?", "now")
    at = choose(at, "Why was it wrong?", "seen in clinic")
    at = press(choose(at, "Who are you?", "dr-m-osei"), "Set it right")
    assert not at.exception
    outcome = stay(record, venous).outcome
    assert outcome is not None and (outcome.kind, outcome.percent) == ("partial_loss", 15)
