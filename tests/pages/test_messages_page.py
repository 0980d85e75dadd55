"""The messages page: who was told what, what became of it, and the way to where they stand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from monitoring import message_views, outbox, paging
from monitoring.call_rows import PageRow
from monitoring.domain import ChannelKind, PageKind, PageState, Severity
from monitoring.paging import Channel, StoredPage
from monitoring.rows import table_of
from monitoring.store import Record

Open = Callable[..., AppTest]
Told = Callable[[AppTest, str], Any]
UTC_ZONE = ZoneInfo("UTC")
NOW = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)


def newest(record: Record) -> StoredPage:
    with record.read() as conn:
        return paging.last_pages(conn, 1)[0]


def page(**changed: object) -> StoredPage:
    """A message about a red, written two seconds ago."""
    said: dict[str, Any] = {
        "id": 1, "key": "41.1.0.diaz.sms", "kind": PageKind.ALERT, "alert_id": 41, "chain": 1,
        "number": 0, "level": None, "staff_id": "diaz", "channel": "sms",
        "severity": Severity.RED, "title": "RED venous, bed 4, L breast DIEP",
        "body": "RED venous, bed 4, L breast DIEP. 14 h after perfusion.", "late": False,
        "created_at": NOW - timedelta(seconds=2), "state": PageState.WAITING, "try_at": NOW,
        "attempts": 0, "sent_at": None, "answer": None, "read_at": None,
    }  # fmt: skip
    return StoredPage(**said | changed)


def test_the_newest_message_stands_first_with_what_it_says(open_page: Open, told: Told) -> None:
    """When, to whom, on which channel, about which bed and flap, in the message's own words."""
    at = open_page("messages.py")
    assert not at.exception
    first = told(at, "messages")["messages"][0]
    assert first["title"] == "RED arterial, bed 7, L leg ALT"
    assert (first["to"], first["how"]) == ("Dr M. Osei", "registrar · by demo (demonstration)")
    assert first["body"].startswith("11 h after perfusion.")
    assert first["state"].startswith("Sent ") and first["state"].endswith("not read")
    assert first["detail"] == "Part of the demonstration's past: nobody was really told."


def test_a_demonstration_says_so_and_where_it_writes(
    ward_record: Record, open_page: Open, told: Told
) -> None:
    """The strip names the file and that no telephone rings; with real channels only it is gone."""
    strip = told(open_page("messages.py"), "messages")["strip"]
    assert "is a demonstration" in strip and "nobody is really paged" in strip
    assert "demo-messages.jsonl" in strip
    now = datetime.now(UTC)
    with ward_record.write() as conn:
        sms = Channel("sms", ChannelKind.PERSONAL, None, True, now)
        paging.write_channels(conn, now, [sms])
    assert told(open_page("messages.py"), "messages")["strip"] == ""


def test_a_newcomer_stands_where_the_surgeon_would(
    ward_record: Record, open_page: Open, told: Told
) -> None:
    """The link is the one the telephone got: it opens that alert, in the surgeon's name, and
    counts as read."""
    first = told(open_page("messages.py"), "messages")["messages"][0]
    assert first["open"] == "Open as Dr M. Osei"
    named = {k: v[0] for k, v in parse_qs(urlsplit(first["link"]).query).items()}
    assert named["page"] == newest(ward_record).key
    at = open_page("alerts.py", **named)
    (card,) = told(at, "alerts")["cards"]
    assert str(card["id"]) == named["alert"] and told(at, "alerts")["acting"] == "Dr M. Osei"
    shown = told(open_page("messages.py"), "messages")["messages"][0]
    assert ", read " in shown["state"]


def test_the_link_is_the_one_that_was_sent() -> None:
    """Word for word what the outbox writes into the message, below the dashboard's address."""
    one = page(channel="demo", key="41.1.0.a b&c.demo")
    parcel = outbox.Parcel("t", "demo", "diaz", None, (one,))
    _, body = outbox.text(parcel, "https://flaps.example.org")
    channels = [Channel("demo", ChannelKind.DEMO, None, True, NOW)]
    data = message_views.messages_data([one], {}, channels, demo_file="x", now=NOW, zone=UTC_ZONE)
    assert body.endswith(f"https://flaps.example.org/{data['messages'][0]['link']}")


def test_looking_at_a_real_message_does_not_read_it_for_anybody() -> None:
    """Opened from this page, a message that went to a telephone does not count as read by its
    owner, and nobody answers in their name."""
    channels = [Channel("sms", ChannelKind.PERSONAL, None, True, NOW)]
    data = message_views.messages_data(
        [page()], {"diaz": "Dr Diaz"}, channels, demo_file="x", now=NOW,
        zone=UTC_ZONE,
    )  # fmt: skip
    (shown,) = data["messages"]
    assert (shown["open"], shown["link"]) == ("Open the alert", "alerts?alert=41")
    assert data["strip"] == ""


@pytest.mark.parametrize(
    ("changed", "tone", "state", "detail"),
    [
        ({}, "waiting", "Being sent", ""),
        (
            {"created_at": NOW - timedelta(seconds=40)},
            "trouble", "WAITING since 40 s", "Does the alert engine run?",
        ),
        (
            {"attempts": 1, "answer": "503 busy", "try_at": NOW + timedelta(seconds=4)},
            "trouble", "NOT SENT", "Tried once, again at 14:00:04: 503 busy",
        ),
        (
            {"attempts": 7, "answer": "503 busy"},
            "trouble", "NOT SENT", "Tried 7 times, again at 14:00:00: 503 busy",
        ),
        (
            {"state": PageState.SENT, "sent_at": NOW, "answer": "Taken.", "attempts": 1},
            "sent", "Sent 14:00:00, not read", "Taken.",
        ),
        (
            {"state": PageState.SENT, "sent_at": NOW, "read_at": NOW, "attempts": 3},
            "sent", "Sent 14:00:00, read 14:00:00", "",
        ),
        (
            {"state": PageState.DROPPED, "answer": "answered before it was sent"},
            "dropped", "Not sent, not needed", "answered before it was sent",
        ),
    ],
)  # fmt: skip
def test_what_became_of_a_message_is_in_words(
    changed: dict[str, object], tone: str, state: str, detail: str
) -> None:
    """Being sent, sent, read, not needed; what was refused says NOT SENT with the provider's
    answer and the attempts, what nobody tried asks for the engine."""
    found = message_views.became(page(**changed), NOW, UTC_ZONE)
    assert found == (tone, state, detail)


def test_a_refused_message_is_loud_on_the_page(
    ward_record: Record, open_page: Open, told: Told
) -> None:
    """The summary counts it and the row says NOT SENT."""
    pages = table_of(PageRow)
    with ward_record.write() as conn:
        refused = {"state": "waiting", "sent_at": None, "attempts": 2, "answer": "gateway says 503"}
        key = paging.last_pages(conn, 1)[0].key
        conn.execute(update(pages).where(pages.c.key == key).values(**refused))
    data = told(open_page("messages.py"), "messages")
    assert data["summary"].startswith("1 NOT SENT, ")
    first = data["messages"][0]
    assert (first["tone"], first["state"]) == ("trouble", "NOT SENT")
    assert "gateway says 503" in first["detail"]


def test_an_empty_outbox_says_when_it_fills(
    ward_record: Record, open_page: Open, told: Told
) -> None:
    """No message yet: a sentence, not a blank."""
    with ward_record.write() as conn:
        conn.exec_driver_sql("DELETE FROM page")
    data = told(open_page("messages.py"), "messages")
    assert data["messages"] == [] and "No message was written yet" in data["empty_text"]
