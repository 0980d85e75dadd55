"""Who has an alert, who was told and who is next, in the words of a tile."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from monitoring.calls import OpenAlert, Told, who_has_it
from monitoring.domain import (
    AlertState,
    BedsideAction,
    Decision,
    Intent,
    Pattern,
    ReviewMode,
    Severity,
    Stream,
)
from monitoring.reviews import Review
from tests.bedside import at

LONDON = ZoneInfo("Europe/London")
RED = OpenAlert(
    id=1, flap_id="f", stream=Stream.PERFUSION, severity=Severity.RED, pattern=Pattern.VENOUS,
    state=AlertState.OPEN, raised_at=at(30), first_sign_at=at(30), because="Dusky.", rule="V1",
    told=(Told("Dr Diaz", at(30), sent_at=at(30.1)),), next_at=at(35),
)  # fmt: skip
TAKEN: dict[str, Any] = {
    "state": AlertState.ACKNOWLEDGED, "acknowledged_by": "Dr Diaz", "acknowledged_at": at(32),
    "intent": Intent.COMING, "expected_at": at(42), "holds_until": at(47),
}  # fmt: skip


def said(minutes: float, **changed: Any) -> tuple[str, bool]:
    return who_has_it(replace(RED, **changed), at(minutes), LONDON)


def test_an_open_alert_says_who_was_told_and_who_is_next() -> None:
    """Open how long, told whom when, next when."""
    assert said(34) == (
        "open 4 min, nobody has it yet; told Dr Diaz 12:30; next 12:35", False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (Told("Dr Diaz", at(30)), "Dr Diaz 12:30 (being sent)"),
        (
            Told("Dr Diaz", at(30), trouble="refused"),
            "Dr Diaz 12:30 (NOT SENT, ring them: refused)",
        ),
        (Told("Dr Diaz", at(30), at(30), at(31)), "Dr Diaz 12:30 (read 12:31)"),
    ],
)
def test_how_far_a_message_came_is_said(told: Told, words: str) -> None:
    """Being sent, not sent and why, read: a nurse sees whether to lift the telephone."""
    assert words in said(34, told=(told,))[0]


def test_a_long_answer_of_a_provider_leaves_room_for_the_flap() -> None:
    """The tile says that it was not sent and begins with why; the whole stands under Messages."""
    words = said(34, told=(Told("Dr Diaz", at(30), trouble="x" * 300),))[0]
    assert "NOT SENT, ring them: xxx" in words
    assert len(words) < 160


def test_nobody_told_is_the_loudest() -> None:
    """No message went to anybody: the tile says so, and what to do."""
    for told in ((), (Told("Dr Diaz", at(30), dropped=True),)):
        assert "NOBODY TOLD: nobody on call can be reached, ring them" in said(34, told=told)[0]


def test_a_ladder_climbed_to_its_end_says_so() -> None:
    """Everybody was told and nobody answered: it begins again, and the tile says how often."""
    assert "everybody was told once without an answer; next" in said(46, rounds=1)[0]
    assert "everybody was told 3 times without an answer" in said(80, rounds=3)[0]


def test_who_is_coming_and_when() -> None:
    """An answer names the person, what they do, and when they will be there."""
    assert said(33, **TAKEN) == ("12:32 acknowledged by Dr Diaz: coming, 12:42", True)
    verbal = said(33, **TAKEN, verbal_by="Ana")[0]
    assert "by Dr Diaz (by telephone, written down by Ana): coming, 12:42" in verbal
    assert said(39, **TAKEN, arrived_at=at(38))[0].endswith("at the bedside since 12:38")


def test_a_plan_speaks_before_the_answer() -> None:
    """What was decided, by whom, whether it was read back, and until when it stands."""
    review = Review(
        key=UUID(int=1), flap_id="f", alert_id=1, by="diaz", recorded_by="diaz",
        reviewed_at=at(40), recorded_at=at(40), mode=ReviewMode.BEDSIDE,
        decision=Decision.BEDSIDE_ACTION, actions=(BedsideAction.LOOSEN,), recheck_minutes=30,
    )  # fmt: skip
    names = {"diaz": "Dr Diaz", "ana": "Ana"}
    planned = TAKEN | {"review": review, "names": names, "holds_until": at(100)}
    words, has = said(41, **planned)
    assert has
    assert words.startswith("12:40 Dr Diaz: loosen")
    assert words.endswith("recheck in 30 min; not read back yet; stands until 13:40")
    back = replace(review, read_back_by="ana", read_back_at=at(44))
    assert "read back by Ana 12:44" in said(45, **planned | {"review": back})[0]


def test_passed_on_is_not_having_it() -> None:
    """The tile stays loud until the other answers."""
    words, has = said(36, passed_by="Dr Diaz", passed_to="Miss Eze", passed_at=at(34))
    assert not has
    assert "passed on by Dr Diaz to Miss Eze 12:34, who has not answered" in words


def test_who_did_not_come_is_named() -> None:
    """After an answer ran out the tile says who had promised."""
    words, has = said(50, lapsed_by="Dr Diaz", lapsed_at=at(47))
    assert not has
    assert words.startswith("open 3 min, nobody has it yet; Dr Diaz had it until 12:47")


def test_a_rest_is_signed() -> None:
    """Until when, by whom and why; what is next is not said while it rests."""
    words, has = said(33, snoozed_by="Ana", snoozed_until=at(50), snooze_reason="dressing is on")
    assert not has
    assert "paging rests until 12:50, said Ana: dressing is on" in words
    assert "next" not in words


def test_an_old_passing_acknowledgement_is_nobody() -> None:
    """A record from before passing named a person: nobody has it."""
    assert not said(33, **TAKEN | {"intent": Intent.PASSING})[1]
