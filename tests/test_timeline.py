"""The conversation about an alert as one story, and how long each step of it took."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from monitoring.domain import (
    SYSTEM,
    AlertState,
    BedsideAction,
    Decision,
    Order,
    PageKind,
    PageState,
    Return,
    ReviewMode,
    Severity,
    Stream,
)
from monitoring.episodes import AlertEvent, StoredAlert
from monitoring.paging import StoredPage
from monitoring.reviews import Review
from monitoring.timeline import Interval, Line, interval_words, intervals, story_lines, timeline

RAISED = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")
NAMES = {"osei": "Dr Osei", "eze": "Miss Eze", "ana": "N. Okafor"}


def at(minutes: float) -> datetime:
    """So many minutes after the alert was raised."""
    return RAISED + timedelta(minutes=minutes)


NOW = at(120)


def alert(**more: Any) -> StoredAlert:
    """A red venous alert of 14:00, its first sign at 13:50."""
    told: dict[str, Any] = {
        "id": 7, "flap_id": "f1", "stream": Stream.PERFUSION, "severity": Severity.RED,
        "pattern": None, "state": AlertState.OPEN, "raised_at": RAISED, "because": "Dusky.",
        "rule": "V1", "findings": (), "first_sign_at": at(-10), "recovered_at": None,
        "amended_at": None, "acknowledged_by": None, "acknowledged_at": None, "intent": None,
        "expected_at": None, "closed_by": None, "closed_at": None, "close_reason": None,
        "paged_at": RAISED, "pages": 1,
    }  # fmt: skip
    return StoredAlert(**told | more)


def event(minutes: float, kind: str, by: str = "ana", **detail: Any) -> AlertEvent:
    return AlertEvent(7, at(minutes), by, kind, detail)


def page(minutes: float, state: PageState = PageState.SENT, **more: Any) -> StoredPage:
    sent = at(minutes + 1) if state is PageState.SENT else None
    told: dict[str, Any] = {
        "id": 1, "key": f"{uuid4()}", "kind": PageKind.ALERT, "alert_id": 7, "chain": 1,
        "number": 0, "level": None, "staff_id": "osei", "channel": "sms",
        "severity": Severity.RED, "title": "t", "body": "b", "late": False,
        "created_at": at(minutes), "state": state, "try_at": at(minutes), "attempts": 1,
        "sent_at": sent, "answer": None, "read_at": None,
    }  # fmt: skip
    return StoredPage(**told | more)


def review(minutes: float, decision: Decision = Decision.CONTINUE, **more: Any) -> Review:
    told: dict[str, Any] = {
        "key": uuid4(), "flap_id": "f1", "by": "osei", "recorded_by": "osei", "alert_id": 7,
        "reviewed_at": at(minutes), "recorded_at": at(minutes), "mode": ReviewMode.BEDSIDE,
        "decision": decision,
    }  # fmt: skip
    return Review(**told | more)


def told(
    *, of: StoredAlert | None = None, events: tuple[AlertEvent, ...] = (),
    pages: tuple[StoredPage, ...] = (), reviews: tuple[Review, ...] = (),
    returns: tuple[Return, ...] = (),
) -> list[Line]:  # fmt: skip
    return timeline(of or alert(), events, pages, reviews, returns, NAMES, LONDON, NOW)


def words(lines: list[Line]) -> list[str]:
    return story_lines(lines, LONDON, NOW)


def test_the_whole_story_stands_in_one_order() -> None:
    """Seen, told, read, acknowledged, arrived, decided, read back, theatre, closed: whatever
    table it comes from, in the order it happened."""
    act = (BedsideAction.LOOSEN,)
    lines = told(
        of=alert(state=AlertState.CLOSED, closed_at=at(110)),
        events=(
            event(0, "raise", because=["Dusky, tense."]), event(6, "acknowledge", "osei",
                intent="coming", expected_at=at(15).isoformat()),
            event(14, "arrive", "osei"), event(110, "close", "osei", reason="true_compromise"),
            event(16, "review", "osei"), event(18, "read_back"),
        ),
        pages=(page(0, read_at=at(4)),),
        reviews=(
            review(16, Decision.BEDSIDE_ACTION, actions=act, recheck_minutes=10,
                   read_back_by="ana", read_back_at=at(18)),
            review(30, Decision.RETURN_TO_THEATRE),
        ),
        returns=(Return(decided_at=at(30), into_theatre_at=at(70), perfused_again_at=at(100)),),
    )  # fmt: skip
    assert [line.word for line in lines] == [
        "first sign", "raised", "told", "read", "acknowledged", "arrived", "decided", "read back",
        "decided", "into theatre", "perfused again", "closed",
    ]  # fmt: skip
    assert words(lines) == [
        "13:50 first sign",
        "14:00 raised check of N. Okafor: Dusky, tense.",
        "14:00 told Dr Osei by sms, sent 14:01",
        "14:04 read by Dr Osei (sms)",
        "14:06 acknowledged by Dr Osei: coming, by 14:15",
        "14:14 arrived Dr Osei is at the bedside",
        "14:16 decided by Dr Osei at the bedside: loosen dressings, recheck in 10 min",
        "14:18 read back by N. Okafor: loosen dressings, recheck in 10 min",
        "14:30 decided by Dr Osei at the bedside: return to theatre",
        "15:10 into theatre",
        "15:40 perfused again",
        "15:50 closed by Dr Osei: true compromise",
    ]


def test_an_answer_by_telephone_is_told_as_one() -> None:
    """Who rang, what was said, and who wrote it down."""
    (line,) = told(
        of=alert(first_sign_at=RAISED),
        events=(
            event(14, "acknowledge", "osei", intent="coming", expected_at=at(30).isoformat(),
                  written_by="ana", said="elevate, I am coming"),
        ),
    )  # fmt: skip
    assert line.text == (
        'by telephone: rang Dr Osei, said "elevate, I am coming"; written down by N. Okafor '
        "(coming, by 14:30)"
    )


def test_a_message_that_did_not_go_out_says_what_the_provider_answered() -> None:
    """One line a person and moment, each channel with what became of it."""
    waiting = page(0, PageState.WAITING, attempts=3, answer="503 busy", channel="sms")
    dropped = page(5, PageState.DROPPED, answer="answered before it was sent", channel="mail")
    fresh = page(9, PageState.WAITING, attempts=0, staff_id=None, channel="room")
    sent = page(0, channel="mail")
    lines = told(of=alert(first_sign_at=None), pages=(waiting, dropped, fresh))
    assert [(x.text, x.tone) for x in lines] == [
        ("Dr Osei by sms, NOT SENT, tried 3 times: 503 busy", "trouble"),
        ("Dr Osei by mail, not sent: answered before it was sent", "plain"),
        ("everybody by room, being sent", "plain"),
    ]
    (both,) = told(of=alert(first_sign_at=None), pages=(waiting, sent))
    assert both.text.endswith("NOT SENT, tried 3 times: 503 busy; mail, sent 14:01")
    assert both.tone == "plain"


def test_passing_lapsing_resting_and_coming_back_are_told() -> None:
    """Nothing that keeps an alert from being answered is left out."""
    lines = told(
        of=alert(first_sign_at=RAISED),
        events=(
            event(1, "pass", "osei", to="eze"), event(20, "expire", SYSTEM, was="osei"),
            event(21, "snooze", "ana", until=at(40).isoformat(), why="turned"),
            event(40, "wake", SYSTEM), event(41, "again", SYSTEM),
            event(45, "worsen", because=["Black."]), event(46, "recur", SYSTEM, because=["Late."]),
            event(50, "recover"), event(60, "amended", "ana", why="misread"),
            event(70, "close", SYSTEM, reason="check_made"), event(71, "something_new", "ana"),
        ),
    )  # fmt: skip
    assert [line.partition(" ")[2] for line in words(lines)] == [
        "passed on by Dr Osei to Miss Eze",
        "lapsed Dr Osei had it; open again and loud",
        "snoozed paging rests until 14:40, said N. Okafor: turned",
        "loud again the snooze is over",
        "loud again the clock was set back",
        "worse again check of N. Okafor: Black.",
        "back again Late.",
        "recovered check of N. Okafor",
        "check behind it changed by N. Okafor: misread",
        "closed by itself: check made",
        "something new by N. Okafor",
    ]


def test_only_what_belongs_to_the_alert_is_in_its_story() -> None:
    """Another alert's verdict, one from before or after, and an older return are not; a verdict
    on the flap while the alert ran is."""
    closed = alert(state=AlertState.CLOSED, closed_at=at(60), first_sign_at=RAISED)
    lines = told(
        of=closed,
        events=(AlertEvent(8, at(1), "ana", "raise", {}),),
        reviews=(review(5, alert_id=8), review(-20, alert_id=None), review(90, alert_id=None),
                 review(30, alert_id=None)),
        returns=(Return(decided_at=at(-300)), Return(decided_at=at(70))),
    )  # fmt: skip
    assert [line.at for line in lines] == [at(30)]


def test_a_verdict_says_what_was_found_and_ordered() -> None:
    """Findings, order and note stand with the decision; told by telephone it says so."""
    order = Order(every_minutes=30, from_at=at(20), until_at=at(200), by="osei")
    (line,) = told(
        of=alert(first_sign_at=RAISED),
        reviews=(review(20, order=order, note="ring me", recorded_by="ana",
                        mode=ReviewMode.TELEPHONE,
                        examination={"refill": 0.8, "turgor": {"unable": "dressing"}}),),
    )  # fmt: skip
    assert line.text == (
        "by Dr Osei by telephone, written down by N. Okafor: continue as before, look every 30 "
        "min until 17:20. Found: Refill 0.8 s, Turgor unable: dressing. Note: ring me"
    )


def measured(**told: Any) -> dict[str, Interval]:
    parts: dict[str, Any] = {"events": (), "reviews": (), "returns": ()} | told
    of = parts.pop("of", alert())
    return {i.name: i for i in intervals(of, parts["events"], parts["reviews"], parts["returns"])}


def test_each_interval_counts_from_the_first_sign() -> None:
    """Acknowledged after 16 min, reviewed after 26, decided after 40, in theatre after 80, which
    is 40 after the decision."""
    found = measured(
        events=(event(6, "acknowledge", "osei"), event(9, "acknowledge", "osei")),
        reviews=(review(16, Decision.RECHECK_IN, recheck_minutes=10),
                 review(30, Decision.RETURN_TO_THEATRE)),
        returns=(Return(decided_at=at(30), into_theatre_at=at(70)),),
    )  # fmt: skip
    assert {n: i.minutes for n, i in found.items()} == {
        "acknowledged": 16, "reviewed": 26, "decided": 40, "theatre": 80, "asked": 40,
    }  # fmt: skip
    assert {n: i.target for n, i in found.items()} == {
        "acknowledged": 5, "reviewed": 15, "decided": 30, "theatre": 150, "asked": 60,
    }  # fmt: skip


def test_a_review_is_an_answer_and_a_recheck_is_no_decision() -> None:
    """Who looked without saying so before has answered; waiting for another look decides
    nothing."""
    found = measured(reviews=(review(16, Decision.RECHECK_IN, recheck_minutes=10),))
    assert found["acknowledged"].minutes == found["reviewed"].minutes == 26
    assert found["decided"].minutes is None
    assert set(found) == {"acknowledged", "reviewed", "decided"}


def test_a_verdict_from_the_flaps_page_counts_where_the_story_tells_it() -> None:
    """Decided without the alert in hand: the story says decided, and so does the clock; who has
    the alert is another question, and nobody has acknowledged it. One of another alert, from
    before this one or after it was closed is neither told nor counted."""
    of = alert(state=AlertState.CLOSED, closed_at=at(60))
    flaps_own = review(20, alert_id=None)
    others = (review(5, alert_id=8), review(-5, alert_id=None), review(70, alert_id=None))
    story = [line for line in told(of=of, reviews=(*others, flaps_own)) if line.word == "decided"]
    assert [line.at for line in story] == [at(20)]
    found = measured(of=of, reviews=(*others, flaps_own))
    assert (found["decided"].minutes, found["reviewed"].minutes) == (30, 30)
    assert found["acknowledged"].minutes is None
    assert measured(of=of, reviews=others)["decided"].minutes is None


def test_what_is_not_reached_runs_until_the_alert_is_closed() -> None:
    """Running with its target while the alert is open; not reached once it is closed."""
    asked = (Return(decided_at=at(97)),)
    running = measured(returns=asked)
    assert interval_words(running["asked"], NOW) == (
        "Decision to theatre running 00:23 (target 01:00)"
    )
    decided = interval_words(running["decided"], NOW)
    assert decided == "First sign to decision 01:47 (target 00:30)"
    over = measured(of=alert(closed_at=at(60), state=AlertState.CLOSED))
    assert interval_words(over["reviewed"], NOW) == (
        "First sign to review not reached (target 00:15)"
    )
    amber = measured(of=alert(severity=Severity.AMBER))
    assert (amber["acknowledged"].target, amber["reviewed"].target) == (15, 30)
