"""Being put on call: what is refused, what a rota file replaces, and a page sent to try."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, update

from monitoring import care, paging, people, shifts
from monitoring.call_rows import PageRow
from monitoring.care.rostering import read_address
from monitoring.domain import ChannelKind, Level, PageKind, PageState, Role
from monitoring.paging import Channel
from monitoring.rota import Duty, Person, Shift
from monitoring.rota_files import RotaFile, read_rota
from monitoring.rows import table_of
from monitoring.store import Record
from tests.bedside import everything

NOW = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
KEY = UUID("00000000-0000-4000-8000-000000000001")


def hours(number: float) -> datetime:
    return NOW + timedelta(hours=number)


@pytest.fixture
def record(record: Record) -> Record:
    """A ward with its people and three channels."""
    with record.write() as conn:
        for staff_id, role in (
            ("ana", Role.NURSE), ("diaz", Role.REGISTRAR), ("osei", Role.CONSULTANT),
            ("gone", Role.REGISTRAR),
        ):  # fmt: skip
            people.add_staff(conn, f"Dr {staff_id.title()}", role, "W", staff_id=staff_id)
        people.remove_staff(conn, "gone")
        paging.write_channels(
            conn, NOW,
            [
                Channel("sms", ChannelKind.PERSONAL, None, True, NOW),
                Channel("mail", ChannelKind.PERSONAL, None, True, NOW),
                Channel("room", ChannelKind.SHARED, None, True, NOW),
            ],
        )  # fmt: skip
    return record


def enter(record: Record, since: float = 0, until: float = 12, **changed: Any) -> Shift:
    told: dict[str, Any] = {
        "ward": "W", "level": Level.REGISTRAR, "staff_id": "diaz", "by": "ana", "now": NOW,
    }  # fmt: skip
    return care.enter_shift(
        record, from_at=hours(since), until_at=hours(until), **(told | changed)
    )  # fmt: skip


def on_call(record: Record, at: datetime = NOW, level: Level = Level.REGISTRAR) -> list[str]:
    with record.read() as conn:
        found = shifts.directory(conn, at).on_call("W", level, at)
    return [s.staff_id for s in found]


def rota_of(record: Record) -> list[tuple[str, float, float]]:
    with record.read() as conn:
        rows = shifts.shifts_between(conn, ["W"], hours(-500), hours(500))
    return [(s.staff_id, (s.from_at - NOW) / timedelta(hours=1),
             (s.until_at - NOW) / timedelta(hours=1)) for s in rows]  # fmt: skip


def duty(
    who: str = "diaz", since: float = 1, until: float = 9, uid: str = "a",
    level: Level = Level.REGISTRAR,
) -> Duty:  # fmt: skip
    return Duty(level, who, hours(since), hours(until), uid, f"{level}: {who}")


def test_somebody_is_on_call_from_the_minute_to_the_minute(record: Record) -> None:
    """A shift is read back as it was entered, and covers its first minute but not its last."""
    made = enter(record, 0, 8, channels=["sms"])
    with record.read() as conn:
        assert shifts.shifts_between(conn, ["W"], NOW, hours(1)) == [made]
        assert shifts.shifts_between(conn, None, hours(8), hours(9)) == []
    assert on_call(record) == ["diaz"] and on_call(record, hours(8)) == []


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"until": 0}, "A shift ends after it begins"),
        ({"until": -1, "since": -2}, "over already"),
        ({"until": 24 * 7 + 1}, "7 days at most"),
        ({"staff_id": "nobody"}, "Nobody on the staff list"),
        ({"staff_id": "gone"}, "staff list no more"),
        ({"by": "gone"}, "staff list no more"),
        (
            {"staff_id": "ana"},
            "Dr Ana is on the staff list as nurse: on call as registrar goes a registrar or",
        ),
        ({"level": Level.CONSULTANT}, "on call as consultant goes a consultant"),
        ({"level": Level.CHARGE_NURSE}, "on call as charge nurse goes a nurse or charge nurse"),
        ({"channels": ["pager"]}, "no channel 'pager'"),
        ({"channels": ["room"]}, "shared room"),
    ],
)
def test_a_shift_that_cannot_be_is_refused(
    record: Record, changed: dict[str, Any], sentence: str
) -> None:
    """Hours that cannot be, people who left, a role that does not fit the level, a channel that
    nobody knows: a sentence, and nothing is written."""
    before = everything(record)
    with pytest.raises(care.Refused, match=sentence):
        enter(record, **changed)
    assert everything(record) == before


@pytest.mark.parametrize(
    ("level", "who"),
    [
        (Level.REGISTRAR, "osei"), (Level.MICROSURGEON, "diaz"), (Level.MICROSURGEON, "osei"),
        (Level.CONSULTANT, "osei"), (Level.NURSE, "ana"), (Level.CHARGE_NURSE, "ana"),
    ],
)  # fmt: skip
def test_whose_role_fits_may_be_on_call(record: Record, level: Level, who: str) -> None:
    """A consultant covers a registrar, a registrar is the microsurgeon on call, a nurse leads."""
    enter(record, level=level, staff_id=who)
    assert on_call(record, level=level) == [who]


def test_two_people_may_share_a_level_but_nobody_twice(record: Record) -> None:
    """An overlap of two people is allowed and both are told; of one person it is refused."""
    enter(record, 0, 8)
    enter(record, 4, 12, staff_id="osei")
    with pytest.raises(care.Refused, match="Dr Diaz is on call as registrar at that time already"):
        enter(record, 7, 9)
    enter(record, 8, 12)
    assert on_call(record, hours(5)) == ["diaz", "osei"]


def test_an_ended_shift_ends_at_once_and_once(record: Record) -> None:
    """From the moment somebody is taken off, nobody asks for them; the row keeps who did it."""
    made = enter(record)
    care.end_shift(record, shift_id=made.id, by="ana", now=hours(1))
    assert on_call(record, hours(1)) == []
    for shift_id, sentence in ((made.id, "over already"), (99, "no shift 99")):
        with pytest.raises(care.Refused, match=sentence):
            care.end_shift(record, shift_id=shift_id, by="ana", now=hours(2))
    (row,) = everything(record)["shift"]
    assert "ana" in row and str(hours(1)) in row


def test_an_address_is_kept_for_a_person_and_changed(record: Record) -> None:
    """The newest address of a person on a channel stands; it can be taken away."""
    for address in ("+44 7700 900001", "+44 7700 900 002"):
        care.set_contact(
            record, staff_id="diaz", channel="sms", address=address, by="ana", now=NOW
        )  # fmt: skip
    with record.read() as conn:
        assert paging.contacts(conn) == [paging.Contact("diaz", "sms", "+447700900002")]
    care.remove_contact(record, staff_id="diaz", channel="sms", by="ana")
    with pytest.raises(care.Refused, match="no contact on sms"):
        care.remove_contact(record, staff_id="diaz", channel="sms", by="ana")


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("+44 (0)7700-900.001", "+4407700900001"),
        (" dr.osei+flaps@ward.example.org ", "dr.osei+flaps@ward.example.org"),
        ("U02AB.osei", "U02AB.osei"),
        ("@osei", "@osei"),
    ],
)
def test_addresses_are_read_as_channels_want_them(said: str, read: str) -> None:
    """A number without its spacing, a mail address or id as it is."""
    assert read_address(said) == read


@pytest.mark.parametrize(
    "said",
    [
        "", " ", "+", "a b", "x\n", "o\x00sei", "osei@", "a@b", "a@b?to=c.org", "a/b", "json://x",
        "a%2Fb", "a&b", "\u202eosei", "x" * 65, "a@" + "b" * 120 + ".org",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(record: Record, said: str) -> None:
    """Control characters, URLs and parts of URLs are no address: nothing is written."""
    if said == "x\n":
        assert read_address(said) == "x"  # white space around it is dropped
        return
    with pytest.raises(care.Refused, match="That is no address"):
        care.set_contact(record, staff_id="diaz", channel="sms", address=said, by="ana", now=NOW)
    with record.read() as conn:
        assert paging.contacts(conn) == []


@pytest.mark.parametrize(
    ("channel", "sentence"), [("pager", "no channel 'pager'"), ("room", "needs no address")]
)
def test_an_address_belongs_to_a_channel_that_wants_one(
    record: Record, channel: str, sentence: str
) -> None:
    """An unknown channel and a shared room have no place for an address."""
    with pytest.raises(care.Refused, match=sentence):
        care.set_contact(
            record, staff_id="diaz", channel=channel, address="123", by="ana", now=NOW
        )  # fmt: skip


def bring(
    record: Record, *duties: Duty, now: datetime = NOW, uids: Sequence[str] = ()
) -> care.Rostered:
    return care.import_shifts(record, ward="W", duties=duties, uids=uids, by="ana", now=now)


def test_a_rota_file_read_twice_changes_nothing(record: Record) -> None:
    """The same file again leaves every row as it is, also while one of its shifts runs."""
    first = bring(record, duty(since=-1), duty("osei", 9, 20, "b"))
    assert (len(first.new), first.same) == (2, 0)
    before = everything(record)
    again = bring(record, duty(since=-1), duty("osei", 9, 20, "b"), now=hours(2))
    assert (again.new, again.replaced, again.same) == ((), (), 2)
    assert everything(record) == before


def test_a_newer_file_replaces_what_lies_ahead_and_leaves_the_past(record: Record) -> None:
    """Of the same event, later hours are replaced; the night that is over stays as it was, a
    shift that runs is handed over now, and what was entered by hand is not touched."""
    enter(record, 30, 40, staff_id="osei")
    bring(record, duty(since=-3, until=2), duty(since=20, until=28))
    after = bring(
        record, duty(since=-3, until=2), duty("osei", 2, 20), duty("osei", 20, 28), now=hours(10)
    )
    assert (len(after.new), len(after.replaced), after.same) == (2, 1, 0)
    assert rota_of(record) == [
        ("diaz", 0, 2), ("osei", 10, 20), ("osei", 20, 28), ("osei", 30, 40),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ([duty("nobody", 1, 2, "x")], "Nobody on the staff list is 'nobody'"),
        ([duty("gone", 1, 2, "x")], "Nobody on the staff list is 'gone'"),
        ([duty("ana", 1, 2, "x")], "registrar: ana: Dr Ana is on the staff list as nurse"),
        ([duty(since=3, until=2, uid="x")], "ends after it begins"),
        ([duty(since=1, until=24 * 8, uid="x")], "7 days at most"),
        ([duty(since=8, until=12, uid="x")], "stands twice in the file"),
        ([duty(since=30, until=32, uid="x")], "stands twice on the rota"),
        ([duty("ana", 1, 2, "x"), duty("gone", 3, 4, "y")], "And 1 more. Nothing was imported"),
    ],
)
def test_a_rota_file_with_one_wrong_event_changes_nothing(
    record: Record, bad: Sequence[Duty], sentence: str
) -> None:
    """All or nothing: the preview says the same sentence before anything is written."""
    enter(record, 31, 40)
    before = everything(record)
    with pytest.raises(care.Refused, match=sentence):
        bring(record, duty(), *bad)
    seen = care.preview_rota(record, ward="W", duties=[duty(), *bad], now=NOW)
    assert seen.problems and everything(record) == before


@pytest.mark.parametrize("status", ["CANCELLED", "Cancelled"])
def test_a_shift_that_the_hospital_called_off_is_on_the_rota_no_more(
    record: Record, status: str
) -> None:
    """The file is imported, the hospital calls one event off and puts somebody else on, and the
    file is imported again: nobody stays on call by the event that is off."""
    first = in_file(vevent("a", "Diaz", 1, 12), vevent("b", "Osei", 12, 20))
    bring(record, *first.duties, uids=tuple(first.uids))
    assert rota_of(record) == [("diaz", 1, 12), ("osei", 12, 20)]
    newer = in_file(vevent("a", "Diaz", 1, 12, f"STATUS:{status}"), vevent("b", "Osei", 12, 20))
    seen = care.preview_rota(record, ward="W", duties=newer.duties, uids=newer.uids, now=NOW)
    assert [s.staff_id for s in seen.replaced] == ["diaz"]
    done = bring(record, *newer.duties, uids=tuple(newer.uids))
    assert (len(done.new), len(done.replaced), done.same) == (0, 1, 1)
    assert rota_of(record) == [("osei", 12, 20)]


def test_one_night_called_off_takes_that_night_alone(record: Record) -> None:
    """Of three nights the hospital calls the second off: the first and the third stay."""
    nights = vevent("a", "Diaz", 1, 12, "RRULE:FREQ=DAILY;COUNT=3")
    first = in_file(nights)
    bring(record, *first.duties, uids=tuple(first.uids))
    off = vevent("a", "Diaz", 25, 36, "STATUS:Cancelled", f"RECURRENCE-ID:{stamp(25)}")
    newer = in_file(nights, off)
    done = bring(record, *newer.duties, uids=tuple(newer.uids))
    assert (len(done.new), len(done.replaced), done.same) == (0, 1, 2)
    assert rota_of(record) == [("diaz", 1, 12), ("diaz", 49, 60)]


def test_a_file_that_only_calls_off_is_imported(record: Record) -> None:
    """The last shift is called off: the file has nothing to come, and ends what stood there."""
    bring(record, duty(since=1, until=12, uid="a"))
    off = in_file(vevent("a", "Diaz", 1, 12, "STATUS:CANCELLED"))
    assert len(bring(record, uids=tuple(off.uids)).replaced) == 1
    assert rota_of(record) == []
    with pytest.raises(care.Refused, match="no shift that is still to come"):
        bring(record, uids=tuple(off.uids))


def test_a_file_may_name_years_of_events(record: Record) -> None:
    """More names than a database takes at once are asked for in parts."""
    bring(record, duty(since=1, until=12, uid="x39999"))
    done = bring(record, duty("osei", 1, 12, "b"), uids=[f"x{n}" for n in range(40_000)])
    assert (len(done.new), len(done.replaced)) == (1, 1)


def stamp(since: float) -> str:
    return f"{hours(since):%Y%m%dT%H%M%SZ}"


def vevent(uid: str, who: str, since: float, until: float, *more: str) -> list[str]:
    return [
        "BEGIN:VEVENT", f"UID:{uid}", f"SUMMARY:Registrar: Dr {who}", f"DTSTART:{stamp(since)}",
        f"DTEND:{stamp(until)}", *more, "END:VEVENT",
    ]  # fmt: skip


def in_file(*events: list[str]) -> RotaFile:
    """What a hospital's file says to this ward."""
    lines = [line for event in events for line in event]
    body = "\r\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR", ""]).encode()
    staff = [Person("diaz", "Dr Diaz", True), Person("osei", "Dr Osei", True)]
    found = read_rota(body, people=staff, emails={}, zone=ZoneInfo("Europe/London"), now=NOW)
    assert found.problems == ()
    return found


def test_a_file_of_the_past_is_no_rota(record: Record) -> None:
    """A file with nothing to come is refused instead of being taken for an empty rota."""
    with pytest.raises(care.Refused, match="no shift that is still to come"):
        bring(record, duty(since=-9, until=-1))


def test_a_test_page_goes_out_on_every_way_of_a_person(record: Record) -> None:
    """One message a way, each with a key of its own; the same press twice writes it once."""
    for channel, address in (("sms", "123456"), ("mail", "a@b.org")):
        care.set_contact(
            record, staff_id="diaz", channel=channel, address=address, by="ana", now=NOW
        )  # fmt: skip
    for _ in range(2):
        keys = care.send_test_page(record, by="ana", now=NOW, staff_id="diaz", key=KEY)
    assert keys == [f"test.{KEY}.diaz.mail", f"test.{KEY}.diaz.sms"]
    with record.read() as conn:
        pages = paging.last_pages(conn)
    assert {p.key for p in pages} == set(keys) and len(pages) == 2
    assert {(p.kind, p.state, p.severity, p.alert_id) for p in pages} == {
        (PageKind.TEST, PageState.WAITING, "none", None)
    }
    assert all("asked for by Dr Ana" in p.body and len(p.body) <= 160 for p in pages)


def test_a_room_is_tried_by_itself(record: Record) -> None:
    """A shared room gets one message that belongs to nobody."""
    (key,) = care.send_test_page(record, by="ana", now=NOW, channel="room", key=KEY)
    assert key == f"test.{KEY}.all.room"


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"staff_id": "diaz"}, "Dr Diaz cannot be reached on any channel"),
        ({"staff_id": "gone"}, "staff list no more"),
        ({"channel": "sms"}, "say whom"),
        ({"channel": "pager"}, "no channel 'pager'"),
        ({}, "no channel None"),
    ],
)
def test_a_test_page_to_nobody_is_refused(
    record: Record, asked: dict[str, str], sentence: str
) -> None:
    """Where nothing would be reached, the page says so at once."""
    with pytest.raises(care.Refused, match=sentence):
        care.send_test_page(record, by="ana", now=NOW, **asked)


def test_what_a_channel_did_last_is_known(record: Record) -> None:
    """The newest message that a channel answered speaks for it; one that is on its way does not,
    and one that nobody needed any more failed if it was tried."""
    page = table_of(PageRow)

    def tried() -> dict[str, bool]:
        with record.read() as conn:
            return {t.channel: t.failed for t in shifts.last_tried(conn)}

    def came_back(key: str, **values: Any) -> None:
        with record.write() as conn:
            conn.execute(update(page).where(page.c.key == key).values(**values))

    (first,) = care.send_test_page(record, by="ana", now=NOW, channel="room")
    assert tried() == {}
    came_back(first, attempts=1, state=PageState.SENT, sent_at=NOW, answer="ok")
    assert tried() == {"room": False}
    (second,) = care.send_test_page(record, by="ana", now=NOW, channel="room")
    came_back(second, attempts=1)
    assert tried() == {"room": False}
    came_back(second, answer="500")
    assert tried() == {"room": True}
    came_back(second, state=PageState.DROPPED, answer="somebody has it")
    assert tried() == {"room": True}


def test_the_directory_is_four_statements(record: Record) -> None:
    """However many shifts there are, asking who is on call costs the same few statements."""
    for day in range(5):
        enter(record, day * 12, day * 12 + 12)
    with record.read() as conn:
        asked: list[str] = []
        event.listen(conn, "before_cursor_execute", lambda *a: asked.append(a[2]))
        rows = shifts.directory(conn, NOW)
    assert len(asked) == 4
    assert len(rows.shifts) == 1 and set(rows.people) >= {"ana", "gone"}
