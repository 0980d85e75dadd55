"""The on-call page: who has it now, how to put people on, and the red strip on the board."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import streamlit as st
from sqlalchemy import event, update
from streamlit.testing.v1 import AppTest

from monitoring import care, paging, shifts
from monitoring.call_rows import PageRow
from monitoring.domain import ChannelKind, Level, PageState
from monitoring.pages import _session
from monitoring.paging import Channel
from monitoring.rota import Shift
from monitoring.rows import table_of
from monitoring.store import Record

Open = Callable[..., AppTest]
Told = Callable[[AppTest, str], Any]
LONDON = ZoneInfo("Europe/London")
OSEI, SISTER, LINDQVIST = "dr-m-osei", "p-mensah", "miss-r-lindqvist"
FULL = (
    (Level.CHARGE_NURSE, SISTER), (Level.REGISTRAR, OSEI), (Level.MICROSURGEON, LINDQVIST),
    (Level.CONSULTANT, LINDQVIST),
)  # fmt: skip


@pytest.fixture
def now() -> datetime:
    """The page reads the real clock."""
    return datetime.now(UTC).replace(second=0, microsecond=0)


@pytest.fixture
def ward_record(ward_record: Record, now: datetime) -> Record:
    """The demo ward with a personal channel and the demo channel, and nobody on call."""
    with ward_record.write() as conn:
        paging.write_channels(
            conn, now,
            [
                Channel("sms", ChannelKind.PERSONAL, None, True, now),
                Channel("demo", ChannelKind.DEMO, None, True, now),
            ],
        )  # fmt: skip
        conn.exec_driver_sql("UPDATE shift SET ended_at = 0, ended_by = 'p-mensah'")
    return ward_record


def put_on(record: Record, now: datetime, level: Level, who: str) -> Shift:
    return care.enter_shift(
        record, ward="Ward 7", level=level, staff_id=who, from_at=now - timedelta(hours=1),
        until_at=now + timedelta(hours=30), by=SISTER, now=now,
    )  # fmt: skip


def rota(record: Record, now: datetime) -> list[Shift]:
    with record.read() as conn:
        return shifts.shifts_between(conn, ["Ward 7"], now, now + timedelta(days=60))


def text(at: AppTest) -> str:
    return "\n".join(t.value for t in at.text)


def go(at: AppTest, act: str) -> AppTest:
    """Choose what to do, and say who one is."""
    at.session_state["oncall-act"] = act
    at.run()
    return at.selectbox(key="who-oncall").set_value(SISTER).run()


def press(at: AppTest, label: str) -> AppTest:
    return next(b for b in at.button if b.label == label).click().run()


def facts(data: Any) -> dict[str, str]:
    return {f["label"]: f["text"] for s in data["sections"] for f in s["facts"]}


def test_the_page_says_that_nobody_is_on_call(
    ward_record: Record, open_page: Open, told: Told
) -> None:
    """An empty rota is red in one sentence, and every level says nobody."""
    at = open_page("oncall.py")
    assert not at.exception
    assert "Ward 7: nobody is on call as charge nurse, registrar, microsurgeon or" in text(at)
    assert set(facts(told(at, "now")).values()) == {"Nobody"}


def test_the_page_says_who_is_on_call_and_how_each_is_reached(
    ward_record: Record, open_page: Open, told: Told, now: datetime
) -> None:
    """Now by level with the way, and the coming days by day; with all there, nothing is red."""
    for level, who in FULL:
        put_on(ward_record, now, level, who)
    care.set_contact(
        ward_record, staff_id=OSEI, channel="sms", address="07700 900001", by=SISTER, now=now
    )  # fmt: skip
    at = open_page("oncall.py")
    said = facts(told(at, "now"))
    assert said["Registrar"].startswith("Dr M. Osei, until ")
    assert said["Registrar"].endswith("by demo, sms")
    assert said["Consultant"].endswith("by demo")
    assert "nobody is on call" not in text(at) and "cannot be reached" not in text(at)
    days = told(at, "week")["sections"]
    assert len(days) == 7 and days[0]["title"].startswith("Today, ")
    assert [f["text"] for d in days for f in d["facts"]].count("Dr M. Osei") == 1


def test_a_shift_is_entered_in_wall_times(
    ward_record: Record, open_page: Open, told: Told, now: datetime
) -> None:
    """Who, level, from and until as typed on the ward's clock; the page reads it back."""
    at = go(open_page("oncall.py"), "shift")
    at.selectbox(key="shift-who").set_value(OSEI).run()
    at.selectbox(key="shift-level").set_value(Level.REGISTRAR).run()
    day = (now + timedelta(days=2)).astimezone(LONDON).date()
    for part, on, hour in (("from", day, 20), ("until", day + timedelta(days=1), 8)):
        at.date_input(key=f"d-shift-{part}").set_value(on).run()
        at.time_input(key=f"t-shift-{part}").set_value(time(hour, 0)).run()
    press(at, "Put on call")
    assert not at.exception
    (made,) = rota(ward_record, now)
    assert made.from_at.astimezone(LONDON) == datetime.combine(day, time(20), LONDON)
    assert made.until_at.astimezone(LONDON).time() == time(8)
    assert "Dr M. Osei" in told(at, "rota-notice")["text"]


def test_what_lacks_is_said_and_nothing_is_written(
    ward_record: Record, open_page: Open, now: datetime
) -> None:
    """Pressed without a word, the form says all it lacks."""
    at = open_page("oncall.py")
    at.session_state["oncall-act"] = "shift"
    press(at.run(), "Put on call")
    for sentence in ("Say who you are.", "From: give a date", "Until: give", "at which level"):
        assert sentence in text(at)
    assert rota(ward_record, now) == []


def test_an_hour_that_occurs_twice_is_asked_for(ward_record: Record, open_page: Open) -> None:
    """On the night the clock goes back a handover at 01:30 is asked for, never guessed."""
    at = go(open_page("oncall.py"), "shift")
    at.date_input(key="d-shift-from").set_value(datetime(2030, 10, 27, tzinfo=LONDON).date()).run()
    at.time_input(key="t-shift-from").set_value(time(1, 30)).run()
    press(at, "Put on call")
    assert "From: 01:30 occurs twice that night: say which one." in text(at)
    (which,) = [g for g in at.button_group if "twice" in g.label]
    assert which.options == ["01:30 BST (+0100)", "01:30 GMT (+0000)"]


def test_a_refused_shift_is_a_sentence(ward_record: Record, open_page: Open, now: datetime) -> None:
    """A nurse as registrar: the page says who may, and nothing is written."""
    at = go(open_page("oncall.py"), "shift")
    at.selectbox(key="shift-who").set_value("n-okafor").run()
    at.selectbox(key="shift-level").set_value(Level.REGISTRAR).run()
    day = (now + timedelta(days=2)).date()
    for part, hour in (("from", 8), ("until", 20)):
        at.date_input(key=f"d-shift-{part}").set_value(day).run()
        at.time_input(key=f"t-shift-{part}").set_value(time(hour, 0)).run()
    press(at, "Put on call")
    assert "on call as registrar goes a registrar or consultant" in text(at)
    assert rota(ward_record, now) == []


def test_a_shift_is_ended(ward_record: Record, open_page: Open, now: datetime) -> None:
    """Chosen from the list, somebody is taken off at once."""
    made = put_on(ward_record, now, Level.REGISTRAR, OSEI)
    at = go(open_page("oncall.py"), "end")
    at.selectbox(key="end-shift").set_value(made.id).run()
    press(at, "End the shift")
    assert not at.exception and rota(ward_record, now) == []


def test_a_contact_is_saved_and_removed(ward_record: Record, open_page: Open) -> None:
    """The address is read back as the channel wants it; a wrong one is a sentence."""
    at = go(open_page("oncall.py"), "contacts")
    at.selectbox(key="contact-who").set_value(OSEI).run()
    at.selectbox(key="contact-channel").set_value("sms").run()
    at.text_input(key="contact-address").set_value("json://x").run()
    assert "That is no address" in text(press(at, "Save the contact"))
    at.text_input(key="contact-address").set_value("+44 7700 900001").run()
    press(at, "Save the contact")
    with ward_record.read() as conn:
        assert paging.contacts(conn) == [paging.Contact(OSEI, "sms", "+447700900001")]
    press(at, "Remove the contact")
    with ward_record.read() as conn:
        assert paging.contacts(conn) == []


def test_a_test_page_says_what_came_back(
    ward_record: Record, open_page: Open, told: Told, now: datetime
) -> None:
    """The button writes a test page; the line below follows it to the channel's answer, and a
    failure turns red on the page."""
    for level, who in FULL:
        put_on(ward_record, now, level, who)
    at = go(open_page("oncall.py"), "test")
    at.button(key=f"test-{OSEI}").click().run()
    assert facts(told(at, f"came-back-{OSEI}")) == {"demo": "On its way"}
    page = table_of(PageRow)
    with ward_record.write() as conn:
        conn.execute(update(page).values(attempts=2, answer="500 from the gateway"))
    at.run()
    assert facts(told(at, f"came-back-{OSEI}")) == {
        "demo": "Failed 2 times, is tried again: 500 from the gateway"
    }
    with ward_record.write() as conn:
        went = {"state": PageState.SENT, "sent_at": now, "answer": "200 OK", "read_at": now}
        conn.execute(update(page).values(**went))
    at.run()
    clock = f"{now.astimezone(LONDON):%H:%M}"
    assert facts(told(at, f"came-back-{OSEI}")) == {
        "demo": f"Sent {clock}:00: 200 OK, opened {clock}"
    }


def test_a_test_page_needs_somebody_who_asks(ward_record: Record, open_page: Open) -> None:
    """Nobody is paged by nobody."""
    put_on(ward_record, datetime.now(UTC), Level.REGISTRAR, OSEI)
    at = open_page("oncall.py")
    at.session_state["oncall-act"] = "test"
    at.run().button(key=f"test-{OSEI}").click().run()
    assert "Say who you are." in text(at)
    with ward_record.read() as conn:
        assert all(p.kind != "test" for p in paging.last_pages(conn))


def test_the_board_shows_in_red_that_nobody_would_be_paged(
    ward_record: Record, open_page: Open, now: datetime
) -> None:
    """One strip above the tiles with the first problem alone; gone when all is well."""
    at = open_page("board.py")
    assert not at.exception
    told = [line.value for line in at.text if "nobody is on call" in line.value]
    assert len(told) == 1 and told[0].startswith("Ward 7: nobody is on call as charge nurse")
    for level, who in FULL:
        put_on(ward_record, now, level, who)
    st.cache_resource.clear()  # as ten seconds later
    assert "nobody is on call" not in text(open_page("board.py"))


def test_many_open_boards_read_the_rota_once(ward_record: Record, open_page: Open) -> None:
    """A board that was opened a moment after another asks the record nothing more about the
    rota; what the page itself changes is in the very next look."""
    asked: list[str] = []
    open_page("board.py")
    event.listen(
        _session.record().reader, "before_cursor_execute",
        lambda conn, cursor, statement, *rest: asked.append(statement),
    )  # fmt: skip
    open_page("board.py").run()
    assert [one for one in asked if "FROM shift" in one] == []
    _session.look_again()
    open_page("board.py")
    assert len([one for one in asked if "FROM shift" in one]) == 1


ICS = """BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//rota//EN\r
BEGIN:VEVENT\r
UID:night\r
SUMMARY:{summary}\r
DTSTART;TZID=Europe/London:{day:%Y%m%d}T200000\r
DTEND;TZID=Europe/London:{after:%Y%m%d}T080000\r
RRULE:FREQ=DAILY;COUNT=3\r
END:VEVENT\r
END:VCALENDAR\r
"""


def upload(at: AppTest, now: datetime, summary: str) -> AppTest:
    day = (now + timedelta(days=1)).astimezone(LONDON).date()
    body = ICS.format(summary=summary, day=day, after=day + timedelta(days=1))
    (uploader,) = at.get("file_uploader")
    return uploader.set_value(("rota.ics", body.encode(), "text/calendar")).run()


def test_a_rota_file_is_shown_before_it_is_imported(
    ward_record: Record, open_page: Open, told: Told, now: datetime
) -> None:
    """What the file would bring stands on the page; only Import writes it."""
    at = upload(go(open_page("oncall.py"), "file"), now, "Registrar: Dr M. Osei")
    assert not at.exception
    assert "3 new, 0 of earlier files replaced" in text(at)
    assert len(told(at, "preview")["sections"]) == 3 and rota(ward_record, now) == []
    press(at, "Import")
    assert [s.staff_id for s in rota(ward_record, now)] == [OSEI] * 3
    assert told(at, "rota-notice")["title"] == "Rota imported"


def test_a_rota_file_that_calls_a_shift_off_takes_it_away(
    ward_record: Record, open_page: Open, told: Told, now: datetime
) -> None:
    """The hospital called the nights off: the page shows what goes, and Import takes it away."""
    press(upload(go(open_page("oncall.py"), "file"), now, "Registrar: Dr M. Osei"), "Import")
    off = "Registrar: Dr M. Osei\r\nSTATUS:Cancelled"
    at = upload(go(open_page("oncall.py"), "file"), now, off)
    assert not at.exception
    assert "0 new, 3 of earlier files replaced" in text(at)
    assert "Replaced, taken off the rota" in str(told(at, "preview"))
    press(at, "Import")
    assert rota(ward_record, now) == []


@pytest.mark.parametrize(
    ("summary", "sentence"),
    [
        ("SHO: Dr M. Osei", "'SHO' is no level"),
        ("Registrar: N. Okafor", "N. Okafor is on the staff list as nurse"),
    ],
)
def test_a_rota_file_with_a_problem_offers_no_import(
    ward_record: Record, open_page: Open, now: datetime, summary: str, sentence: str
) -> None:
    """What the reader or the ward's own rules refuse is said with the event; there is no button."""
    at = upload(go(open_page("oncall.py"), "file"), now, summary)
    assert sentence in text(at) and f"{summary}, " in text(at)
    assert all(b.label != "Import" for b in at.button)
