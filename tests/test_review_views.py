"""What the review page and the plan on the flap's page say, from a record written by the verbs."""

from __future__ import annotations

from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from monitoring import care, review_views, stay_facts, stay_views, ward
from monitoring.domain import CloseReason, Decision, Order, Return, ReturnFinding, ReviewMode
from monitoring.entry import Wrong
from monitoring.review_views import Filled, Lacking, Plan
from monitoring.reviews import Review
from monitoring.signs import BadValue
from monitoring.store import Record
from monitoring.ward import Stay
from tests.bedside import DUSKY, PROTOCOLS, Bed, admit, at, staff

LONDON = ZoneInfo("Europe/London")


@pytest.fixture
def bed(sqlite_record: Record) -> Bed:
    staff(sqlite_record)
    return admit(sqlite_record)


def stay(bed: Bed) -> Stay:
    return ward.stay(bed.record, PROTOCOLS, bed.id)


def decide(bed: Bed, minutes: float, **more: Any) -> Review:
    """Dr Diaz decides to continue, unless said otherwise."""
    told: dict[str, Any] = {
        "key": uuid4(), "flap_id": bed.id, "by": "diaz", "recorded_by": "diaz",
        "reviewed_at": at(minutes), "recorded_at": at(minutes), "mode": ReviewMode.BEDSIDE,
        "decision": Decision.CONTINUE,
    }  # fmt: skip
    review = Review(**told | more)
    return care.record_review(bed.record, PROTOCOLS, review, now=at(minutes)).review


def order(every: float, start: float, end: float) -> Order:
    return Order(every_minutes=every, from_at=at(start), until_at=at(end), by="diaz")


def plan(bed: Bed, minutes: float) -> Plan:
    return review_views.plan_of(stay(bed), LONDON, at(minutes))


def test_without_a_decision_there_is_no_plan(bed: Bed) -> None:
    """Nothing is made up for a flap that nobody reviewed."""
    assert not plan(bed, 10).anything


def test_the_plan_is_the_last_decision_with_its_order_and_the_way_to_theatre(bed: Bed) -> None:
    """Who, when, what; the order in force; how long theatre has been asked for."""
    decide(bed, 10)
    decide(bed, 12, decision=Decision.RETURN_TO_THEATRE, order=order(10, 12, 200))
    shown = plan(bed, 35)
    assert shown.lines == (
        "12:12 Dr Diaz: return to theatre, asked for 12:12, look every 10 min until 15:20\n"
        "Look every 10 min, by order of Dr Diaz until 15:20."
    )
    assert shown.theatre == "theatre asked for 12:12, 00:23 ago"
    assert (shown.unread, shown.read_back) == (True, "Not read back yet.")
    assert shown.key is not None
    care.confirm_read_back(bed.record, key=shown.key, by="ana", now=at(36))
    again = plan(bed, 37)
    assert (again.unread, again.read_back) == (False, "Read back by Ana, 12:36.")


def test_the_page_is_drawn_anew_once_a_plan_is_made_or_read_back(bed: Bed) -> None:
    """Whoever has the flap's page open sees the decision without asking for it."""
    marks = [stay_views.marker(stay(bed))]
    key = decide(bed, 10).key
    marks.append(stay_views.marker(stay(bed)))
    care.confirm_read_back(bed.record, key=key, by="ana", now=at(11))
    marks.append(stay_views.marker(stay(bed)))
    assert len(set(marks)) == 3


def test_a_plan_ends_when_the_flap_is_back_or_its_day_is_over(bed: Bed) -> None:
    """From before theatre it is history; of a closed alert it stands for a day."""
    bed.save(0)
    bed.save(30, DUSKY)
    alert = bed.alert()
    decide(bed, 40, alert_id=alert.id)
    assert plan(bed, 3000).plan
    care.close_alert(
        bed.record, alert_id=alert.id, by="diaz", reason=CloseReason.DRESSING, now=at(3000)
    )
    assert not plan(bed, 3001).plan
    decide(bed, 3010)
    back = Return(decided_at=at(3020), into_theatre_at=at(3030), back_at=at(3200))
    care.record_return(bed.record, PROTOCOLS, flap_id=bed.id, value=back, by="diaz", now=at(3201))
    assert not plan(bed, 3202).anything


def test_the_next_check_says_by_whose_order_it_is_due(bed: Bed) -> None:
    """On the head of the flap's page, in the check's form and after its save."""
    bed.save(0)
    decide(bed, 10, order=order(10, 10, 200))
    due = stay_views.head_data(stay(bed), (), now=at(15), zone=LONDON)["due"]
    assert due == "check due 12:20, in 5 min, by order of Dr Diaz until 15:20"


def test_a_review_is_among_the_facts_of_the_stay(bed: Bed) -> None:
    """With what was found, the note, and whether it was read back."""
    decide(bed, 10, note="ring me", examination={"colour": "dusky"})
    sections = stay_facts.facts_data(stay(bed), now=at(20), zone=LONDON)["sections"]
    (fact,) = next(s for s in sections if s["title"] == "Reviews")["facts"]
    assert fact["label"] == "12:10 Dr Diaz at the bedside"
    assert fact["text"] == "continue as before\nfound: Colour dusky\nnote: ring me\nnot read back"


def filled(**more: Any) -> Filled:
    told: dict[str, Any] = {
        "key": uuid4(), "flap_id": "f1", "alert_id": None, "writer": "diaz", "by": "diaz",
        "mode": ReviewMode.BEDSIDE, "reviewed_at": at(0), "decision": Decision.CONTINUE,
        "recheck_minutes": None, "actions": (), "every_minutes": None, "until_at": None,
        "ordering": False, "signs": {}, "note": "",
    }  # fmt: skip
    return Filled(**told | more)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"writer": None}, "Say who you are"),
        ({"by": None}, "whose decision"),
        ({"mode": None}, "looked at"),
        ({"reviewed_at": None}, "Say when"),
        ({"decision": None}, "what is decided"),
        ({"ordering": True}, "until when"),
        ({"ordering": True, "every_minutes": 15}, "until when"),
        ({"ordering": True, "every_minutes": 15, "until_at": at(-1)}, "in the past"),
        ({"ordering": True, "every_minutes": 2, "until_at": at(60)}, "5 to 1440"),
        ({"signs": {"refill": {"typed": "92"}}}, "92"),
        ({"signs": {"colour": {"unable": ""}}}, "Colour"),
        ({"decision": Decision.RECHECK_IN}, "how many minutes"),
    ],
)
def test_what_a_form_lacks_is_said(more: dict[str, Any], said: str) -> None:
    """Each gap is a sentence, and nothing is filled in for anybody."""
    with pytest.raises((Lacking, BadValue, Wrong), match=said):
        review_views.read_review(filled(**more), at(0))


def test_a_filled_form_is_a_review() -> None:
    """A decimal comma, an unable sign and an order come through as they were meant."""
    review = review_views.read_review(
        filled(
            signs={"refill": {"typed": "0,8"}, "turgor": {"unable": "dressing", "text": ""}},
            ordering=True, every_minutes=15, until_at=at(60), note="tight",
        ),
        at(0),
    )  # fmt: skip
    assert review.examination["refill"] == 0.8
    assert str(review.examination["turgor"]) == "unable: dressing"
    assert review.order == Order(every_minutes=15, from_at=at(0), until_at=at(60), by="diaz")
    assert review.note == "tight"


@pytest.mark.parametrize("typed", ["", "ten", "-5", "7.5", "1e2"])
def test_minutes_are_whole_numbers(typed: str) -> None:
    """What is typed as minutes is a number, or asked for again."""
    with pytest.raises(Lacking, match="whole minutes"):
        review_views.minutes("other", typed, "Look again in")
    assert review_views.minutes("other", " 25 ", "Look again in") == 25
    assert review_views.minutes(15, "", "Look again in") == 15


def test_a_name_on_a_button_is_letters(bed: Bed) -> None:
    """Whatever somebody is called, the button shows it and formats nothing."""
    assert review_views.plain("**A** :red[x] $1$") == r"\*\*A\*\* \:red\[x\] \$1\$"
    said = review_views.confirm_words(filled(decision=None), stay(bed).bed)
    assert said == "Decide for MBEKI, Thandi"


def test_which_returns_can_still_be_filled_in(bed: Bed) -> None:
    """The one under way first; once all is known of it, only a new one; after discharge none."""
    assert stay_facts.fillable(stay(bed)) == [None]
    first = Return(decided_at=at(10), into_theatre_at=at(20))
    told: dict[str, Any] = {"flap_id": bed.id, "by": "diaz", "now": at(300)}
    care.record_return(bed.record, PROTOCOLS, value=first, **told)
    assert stay_facts.fillable(stay(bed)) == [first]
    back = first.model_copy(update={"back_at": at(200)})
    care.record_return(bed.record, PROTOCOLS, value=back, **told)
    assert stay_facts.fillable(stay(bed)) == [None, back]
    care.discharge_flap(bed.record, PROTOCOLS, **told)
    assert stay_facts.fillable(stay(bed)) == [back]
    whole = back.model_copy(
        update={"perfused_again_at": at(100), "finding": ReturnFinding.KINK, "salvaged": True}
    )
    care.record_return(bed.record, PROTOCOLS, value=whole, **told)
    assert stay_facts.fillable(stay(bed)) == []
