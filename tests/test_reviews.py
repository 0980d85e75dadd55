"""A clinician's verdict as a value: what it needs, what it may not hold, and how it is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from monitoring.domain import BedsideAction, Decision, Order, Return, ReviewMode, Unable
from monitoring.reviews import (
    Review,
    by_order_words,
    decision_words,
    minutes_words,
    newest,
    plan_words,
    read_order,
    signed_words,
    theatre_clock,
    under_way,
)
from monitoring.signs import BadValue, UnableReason

AT = datetime(2026, 3, 2, 14, 12, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")
NAMES = {"osei": "Dr Osei", "ana": "N. Okafor"}


def review(decision: Decision = Decision.CONTINUE, **more: Any) -> Review:
    """A verdict of Dr Osei's at the bedside, unless said otherwise."""
    told: dict[str, Any] = {
        "key": uuid4(), "flap_id": "f1", "by": "osei", "recorded_by": "osei", "reviewed_at": AT,
        "recorded_at": AT, "mode": ReviewMode.BEDSIDE, "decision": decision,
    }  # fmt: skip
    return Review(**told | more)


def order(every: float = 30, hours: float = 4, by: str = "osei") -> Order:
    return Order(every_minutes=every, from_at=AT, until_at=AT + timedelta(hours=hours), by=by)


LOOSEN = (BedsideAction.LOOSEN,)


@pytest.mark.parametrize(
    ("field", "made"),
    [
        ("decision", {"decision": None}),
        ("mode", {"mode": None}),
        ("recheck_minutes", {"decision": Decision.RECHECK_IN}),
        ("recheck_minutes", {"decision": Decision.RECHECK_IN, "recheck_minutes": 0}),
        ("recheck_minutes", {"decision": Decision.RECHECK_IN, "recheck_minutes": 481}),
        ("recheck_minutes", {"decision": Decision.RECHECK_IN, "recheck_minutes": True}),
        ("recheck_minutes", {"decision": Decision.RECHECK_IN, "recheck_minutes": 12.5}),
        ("recheck_minutes", {"decision": Decision.CONTINUE, "recheck_minutes": 30}),
        ("actions", {"decision": Decision.BEDSIDE_ACTION}),
        ("actions", {"decision": Decision.CONTINUE, "actions": LOOSEN}),
        ("actions", {"decision": Decision.RECHECK_IN, "recheck_minutes": 9, "actions": LOOSEN}),
        ("note", {"decision": Decision.BEDSIDE_ACTION, "actions": (BedsideAction.OTHER,)}),
        ("note", {"note": "x" * 2001}),
        ("note", {"note": "a\0b"}),
        ("by", {"by": " ", "recorded_by": " "}),
        ("mode", {"recorded_by": "ana"}),
        ("order", {"order": order(by="ana")}),
        ("glow", {"examination": {"glow": "bright"}}),
        ("colour", {"examination": {"colour": "mauve"}}),
        ("refill", {"examination": {"refill": 334}}),
        ("refill_again", {"examination": {"refill_again": 2.0}}),
        ("time", {"reviewed_at": AT.replace(tzinfo=None)}),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(field: str, made: dict[str, Any]) -> None:
    """Nothing is defaulted, guessed or dropped: each gap and contradiction names its field."""
    with pytest.raises(BadValue) as refused:
        review(**made)
    assert refused.value.sign == field
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"decision": Decision.CONTINUE}, "continue as before"),
        ({"decision": Decision.RECHECK_IN, "recheck_minutes": 20}, "recheck in 20 min"),
        (
            {"decision": Decision.BEDSIDE_ACTION, "actions": LOOSEN, "recheck_minutes": 30},
            "loosen dressings, recheck in 30 min",
        ),
        (
            {"decision": Decision.BEDSIDE_ACTION,
             "actions": (*LOOSEN, BedsideAction.WARM, *LOOSEN)},
            "loosen dressings, warm",
        ),
        (
            {"decision": Decision.RETURN_TO_THEATRE,
             "actions": (BedsideAction.RELEASE_SUTURES,), "recheck_minutes": 10},
            "return to theatre, release sutures, recheck in 10 min",
        ),
    ],
)  # fmt: skip
def test_a_decision_in_words(made: dict[str, Any], said: str) -> None:
    """What was decided, as a nurse would say it back."""
    assert decision_words(review(**made)) == said


def test_the_plan_says_when_who_and_what() -> None:
    """The line on the nurse's tile."""
    plan = review(Decision.BEDSIDE_ACTION, actions=LOOSEN, recheck_minutes=30)
    assert plan_words(plan, NAMES, LONDON, AT) == (
        "14:12 Dr Osei: loosen dressings, recheck in 30 min"
    )
    tomorrow = AT + timedelta(days=1)
    assert plan_words(plan, {}, LONDON, tomorrow).startswith("Mon 14:12 osei: ")


def test_a_plan_that_was_told_by_telephone_says_so() -> None:
    """The reader knows that a nurse wrote it down."""
    told = review(recorded_by="ana", mode=ReviewMode.TELEPHONE)
    assert told.verbal
    assert plan_words(told, NAMES, LONDON, AT) == (
        "14:12 Dr Osei (told by telephone): continue as before"
    )
    assert signed_words("osei", told.mode, "ana", NAMES) == (
        "Dr Osei by telephone, written down by N. Okafor"
    )


def test_a_return_to_theatre_says_since_when_theatre_is_asked_for() -> None:
    """The clock of a return begins at the decision."""
    back = review(Decision.RETURN_TO_THEATRE)
    assert plan_words(back, NAMES, LONDON, AT) == (
        "14:12 Dr Osei: return to theatre, asked for 14:12"
    )


def test_an_order_is_part_of_the_plan_and_of_the_due_time() -> None:
    """Every so many minutes until when; and on the next check whose order it is."""
    ordering = review(order=order(hours=18))
    assert plan_words(ordering, NAMES, LONDON, AT) == (
        "14:12 Dr Osei: continue as before, look every 30 min until Tue 08:12"
    )
    assert by_order_words(order(), NAMES, LONDON, AT) == "by order of Dr Osei until 18:12"


def test_an_hour_that_occurs_twice_is_said_with_its_zone() -> None:
    """On the night the clock goes back nobody has to guess which 01:30."""
    night = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    twice = review(reviewed_at=night, recorded_at=night)
    assert plan_words(twice, NAMES, LONDON, night).startswith("01:30 BST Dr Osei")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"every_minutes": 4}, "5 to 1440 min"),
        ({"every_minutes": "often"}, "5 to 1440 min"),
        ({"until_at": AT}, "ends after it begins"),
    ],
)
def test_an_order_that_cannot_be_is_a_sentence(given: dict[str, Any], said: str) -> None:
    """A form shows it beside the order."""
    with pytest.raises(BadValue, match=said):
        read_order(order().model_dump() | given)


def test_an_examination_is_read_like_a_check() -> None:
    """A value, or unable with a reason; a sign that nobody looked at is not there."""
    unable = Unable(UnableReason.DRESSING)
    seen = review(examination={"colour": "dusky", "refill": 0.8, "turgor": unable})
    assert seen.examination == {"colour": "dusky", "refill": 0.8, "turgor": unable}
    assert review().examination == {}


def test_theatre_runs_on_screen() -> None:
    """Asked for since when, until it is reached; then how long that took."""
    asked = Return(decided_at=AT)
    there = Return(decided_at=AT, into_theatre_at=AT + timedelta(minutes=75))
    later = AT + timedelta(minutes=23, seconds=59)
    assert theatre_clock(asked, LONDON, later) == "theatre asked for 14:12, 00:23 ago"
    assert theatre_clock(there, LONDON, AT + timedelta(hours=3)) == (
        "theatre asked for 14:12, in theatre 15:27 after 01:15"
    )
    assert minutes_words(timedelta(hours=26, minutes=3)) == "26:03"
    assert under_way([Return(decided_at=AT, back_at=AT)]) is None
    assert under_way([asked]) == asked


def test_the_newest_verdict_counts() -> None:
    """By when the clinician decided, not by when somebody wrote it down."""
    early = review(reviewed_at=AT - timedelta(minutes=5), recorded_at=AT + timedelta(minutes=1))
    late = review()
    assert newest([late, early]) is late
    assert newest([]) is None
