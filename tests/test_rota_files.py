"""A hospital's rota file: what its fields mean, and each way in which it may not be believed."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring import rota_files
from monitoring.domain import Level
from monitoring.rota import Person
from monitoring.rota_files import BadRotaFile, RotaFile, level_of, read_rota

LONDON = ZoneInfo("Europe/London")
NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PEOPLE = [
    Person("osei", "Dr M. Osei", True), Person("diaz", "Ines Díaz", True),
    Person("twin-1", "A. Twin", True), Person("twin-2", "A Twin", True),
    Person("gone", "Dr Gone", False),
]  # fmt: skip
EMAILS = {"m.osei@ward.org": "osei"}

ODD_ZONE = [
    "BEGIN:VTIMEZONE", "TZID:Ward clock", "BEGIN:STANDARD", "DTSTART:20000101T000000",
    "TZOFFSETFROM:+0300", "TZOFFSETTO:+0300", "TZNAME:WCT", "END:STANDARD", "END:VTIMEZONE",
]  # fmt: skip


def calendar(*events: list[str], before: list[str] | None = None) -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//rota//EN", *(before or [])]
    for event in events:
        lines += ["BEGIN:VEVENT", *event, "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def event(
    summary: str = "Registrar: Dr M. Osei", start: str = "DTSTART:20260302T200000Z",
    end: str = "DTEND:20260303T080000Z", *more: str, uid: str = "UID:1",
) -> list[str]:  # fmt: skip
    return [uid, f"SUMMARY:{summary}", start, end, *more]


def local(zone: str, day: str, until: str) -> tuple[str, str]:
    return f"DTSTART;TZID={zone}:{day}", f"DTEND;TZID={zone}:{until}"


def read(body: bytes, now: datetime = NOW, zone: ZoneInfo = LONDON) -> RotaFile:
    return read_rota(body, people=PEOPLE, emails=EMAILS, zone=zone, now=now)


def problem(body: bytes, now: datetime = NOW) -> str:
    """The one thing that is wrong with a file, of which then nothing is used."""
    found = read(body, now)
    assert found.duties == ()
    (sentence,) = found.problems
    return sentence


@pytest.mark.parametrize(
    ("summary", "more", "who", "level"),
    [
        ("Registrar: Dr M. Osei", (), "osei", Level.REGISTRAR),
        ("Dr M. Osei (registrar)", (), "osei", Level.REGISTRAR),
        ("CHARGE NURSE: m osei", (), "osei", Level.CHARGE_NURSE),
        ("Microsurgeon on call: Ines Diaz", (), "diaz", Level.MICROSURGEON),
        ("On-call consultant: osei", (), "osei", Level.CONSULTANT),
        ("Consultant: m.osei@ward.org", (), "osei", Level.CONSULTANT),
        ("Dr Diaz Ines", ("ATTENDEE;CN=Ines Díaz:mailto:x@y.org",), None, None),
        ("Registrar", ("ATTENDEE;CN=Ines Díaz:mailto:x@y.org",), "diaz", Level.REGISTRAR),
        ("Registrar on call", ("ATTENDEE:MAILTO:M.Osei@ward.org",), "osei", Level.REGISTRAR),
        ("M Osei", ("CATEGORIES:Rota,Registrar",), "osei", Level.REGISTRAR),
        ("Registrar: M Osei", ("CATEGORIES:registrar",), "osei", Level.REGISTRAR),
    ],
)  # fmt: skip
def test_what_the_fields_mean(
    summary: str, more: tuple[str, ...], who: str | None, level: Level | None
) -> None:
    """The level and the person are found in the title, the categories and the attendee."""
    found = read(calendar([*event(summary), *more]))
    if who is None:
        assert found.problems and not found.duties
        return
    (duty,) = found.duties
    assert (duty.staff_id, duty.level, duty.uid) == (who, level, "1")
    assert (duty.from_at, duty.until_at) == (NOW + timedelta(hours=8), NOW + timedelta(hours=20))
    assert found.problems == found.notes == ()


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (event("Plastics SHO: M Osei"), "'Plastics SHO' is no level. The levels are nurse, "),
        (event("M Osei"), "it names no level. Write it as 'Registrar: name'"),
        (event("Registrar: Dr Nobody"), "'Dr Nobody' is not on the staff list."),
        (event("Registrar: Dr"), "'Dr' is not on the staff list."),
        (event("Registrar: Dr Gone"), "Dr Gone is on the staff list no more."),
        (event("Registrar: A. Twin"), "write the id, twin-1 or twin-2."),
        (event("Registrar"), "it does not say who is on call"),
        ([*event("Registrar"), "ORGANIZER;CN=M Osei:mailto:m.osei@ward.org"], "does not say who"),
        ([*event("Registrar"), "ATTENDEE;CN=Z:mailto:z@z.org"], "'Z' is not on the staff list"),
        ([*event("Registrar"), "ATTENDEE:mailto:gone"], "Dr Gone is on the staff list no more"),
        ([*event(), "ATTENDEE:mailto:diaz"], "names Dr M. Osei, its attendee is Ines Díaz"),
        ([*event(), "CATEGORIES:Consultant"], "it names 2 levels"),
        (event(start="DTSTART;VALUE=DATE:20260302", end="DTEND;VALUE=DATE:20260303"), "all-day"),
        (event(start="DTSTART;TZID=Mars/Base:20260302T200000",
               end="DTEND;TZID=Mars/Base:20260303T080000"), "time zone 'Mars/Base' is not known"),
        (event(end="DTEND:20260303T080000"), "begins with a zone and ends without one"),
        (event(end="DTEND:20260302T080000Z"), "it ends before it begins"),
        (event(end="DTEND:20260302T200000Z"), "it ends before it begins"),
        (event(end="DURATION:-PT1H"), "it lasts no time"),
        (event(end="COMMENT:none"), "it has no end"),
        (event(start="COMMENT:none"), "it has no beginning"),
        (event(uid="COMMENT:none"), "it has no UID"),
        (event(start="DTSTART:20260302T99"), "its DTSTART cannot be read"),
        ([*event(), "DTSTART:20260303T200000Z"], "it says twice when"),
        ([*event(), "RRULE:FREQ=BLAH"], "its RRULE cannot be read"),
        ([*event(), "RRULE:FREQ=HOURLY"], "it repeats in a way"),
        ([*event(), "RRULE:FREQ=DAILY;BYHOUR=1,2"], "it repeats in a way"),
        ([*event(), "RRULE:FREQ=DAILY;INTERVAL=0"], "it repeats in a way"),
        ([*event(), "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"], "it repeats in a way"),
        ([*event(), "RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=TU"], "it repeats in a way"),
        ([*event(), "RRULE:FREQ=YEARLY"], "it repeats in a way"),
        ([*event(), "RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"], "two rules of repetition"),
        (event(start="DTSTART:19000302T200000Z", end="RRULE:FREQ=DAILY"), "it has no end"),
        ([*event(start="DTSTART:19000302T200000Z", end="DTEND:19000303T080000Z"),
          "RRULE:FREQ=DAILY"], "more than five years"),
    ],
)  # fmt: skip
def test_what_cannot_be_believed_gets_a_sentence(lines: list[str], sentence: str) -> None:
    """Each kind of wrong event is named by its title, and nothing of its file is used, however
    good the events beside it are."""
    said = problem(calendar(event(uid="UID:good"), lines))
    assert sentence in said
    assert said.startswith(lines[1].removeprefix("SUMMARY:"))


def test_a_problem_names_the_event_and_its_date() -> None:
    """Whoever exports the rota finds the event again: its title, its day, its hour on the wall."""
    said = problem(
        calendar(event("SHO: M Osei", "DTSTART:20260702T190000Z", "DTEND:20260703T070000Z"))
    )
    assert said.startswith("SHO: M Osei, Thu 02 Jul 2026 20:00: 'SHO' is no level.")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"junk", b"\xff\xfe\x00", b"\x89PNG\r\n", calendar(event())[:90],
        calendar(), calendar([]).replace(b"VCALENDAR", b"VCARD"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_whole(body: bytes) -> None:
    """Half a file, another file, an empty calendar: one sentence that says what to export."""
    with pytest.raises(BadRotaFile, match="Export"):
        read(body)


@given(st.binary(max_size=200), st.integers(0, 400))
def test_no_damage_to_a_file_breaks_the_reader(noise: bytes, place: int) -> None:
    """Whatever stands in a file, the answer is a sentence or duties, never a crash."""
    good = calendar([*event(), "RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20260303T200000Z"])
    with suppress(BadRotaFile):
        read(good[:place] + noise + good[place:])


def test_a_file_that_is_too_much_is_refused() -> None:
    """2 MB and 5,000 shifts at most, and nothing that repeats for ever costs for ever."""
    with pytest.raises(BadRotaFile, match="larger than 2 MB"):
        read(b"x" * (rota_files.LARGEST + 1))
    many = [[*event(uid=f"UID:{n}"), "RRULE:FREQ=DAILY"] for n in range(90)]
    with pytest.raises(BadRotaFile, match="more than 5000 shifts"):
        read(calendar(*many))
    more = [[*event(uid=f"UID:{n}"), "RRULE:FREQ=DAILY"] for n in range(501)]
    with pytest.raises(BadRotaFile, match="501 of them repeated"):
        read(calendar(*more))


def test_a_repeated_event_is_followed_for_sixty_days() -> None:
    """RRULE, EXDATE, one moved night and one cancelled; the past is left out, a running one not."""
    nightly = event(
        "Registrar: M Osei", *local("Europe/London", "20260226T200000", "20260227T080000")
    )
    moved = event(
        "Registrar: Ines Diaz", *local("Europe/London", "20260305T210000", "20260306T080000"),
        "RECURRENCE-ID;TZID=Europe/London:20260305T200000",
    )  # fmt: skip
    off = event(
        "Registrar: M Osei", *local("Europe/London", "20260306T200000", "20260307T080000"),
        "RECURRENCE-ID;TZID=Europe/London:20260306T200000", "STATUS:CANCELLED",
    )  # fmt: skip
    rule = ["RRULE:FREQ=DAILY", "EXDATE;TZID=Europe/London:20260304T200000"]
    found = read(calendar([*nightly, *rule], moved, off), now=NOW - timedelta(hours=5))
    days = [(d.from_at.astimezone(LONDON).strftime("%d %H"), d.staff_id) for d in found.duties]
    assert days[:4] == [("01 20", "osei"), ("02 20", "osei"), ("03 20", "osei"), ("05 21", "diaz")]
    assert days[4] == ("07 20", "osei")
    assert all(d.from_at < NOW + rota_files.AHEAD for d in found.duties)
    assert len(found.duties) == 59


@pytest.mark.parametrize(
    ("zone", "saturday", "sunday", "length"),
    [
        ("Europe/London", "20260328T200000", "20260329T080000", 11),
        ("Europe/London", "20261024T200000", "20261025T080000", 13),
        ("America/New_York", "20260307T200000", "20260308T080000", 11),
        ("America/New_York", "20261031T200000", "20261101T080000", 13),
    ],
)
def test_a_night_on_which_the_clocks_change_ends_at_its_wall_time(
    zone: str, saturday: str, sunday: str, length: int
) -> None:
    """20:00 to 08:00 stays 20:00 to 08:00 on the wall, whether written once or repeated weekly."""
    begun = datetime.strptime(saturday, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    week_before = [(begun + timedelta(days=d)).strftime("%Y%m%dT%H0000") for d in (-7, -6)]
    week_before[1] = week_before[1][:9] + "080000"
    now = begun - timedelta(days=1)
    once = read(calendar(event("Registrar: osei", *local(zone, saturday, sunday))), now)
    weekly = event("Registrar: osei", *local(zone, *week_before), "RRULE:FREQ=WEEKLY;COUNT=2")
    (duty,), (again,) = once.duties, read(calendar(weekly), now).duties
    assert duty.until_at - duty.from_at == timedelta(hours=length)
    assert duty[:4] == again[:4]
    assert f"{duty.until_at.astimezone(ZoneInfo(zone)):%H:%M}" == "08:00"


def test_a_weekend_is_one_shift() -> None:
    """Friday evening to Monday morning, over the clock change, is one long row."""
    lines = event("Consultant: osei", *local("Europe/London", "20260327T180000", "20260330T080000"))
    (duty,) = read(calendar(lines)).duties
    assert duty.until_at - duty.from_at == timedelta(hours=61)


@pytest.mark.parametrize(
    ("start", "sentence"),
    [
        ("20261025T013000", "01:30 occurs twice that night: write it in UTC"),
        ("20260329T013000", "01:30 does not occur that night"),
    ],
)
@pytest.mark.parametrize("zone", [";TZID=Europe/London", ""])
def test_a_time_that_the_clock_change_makes_doubtful_is_not_guessed(
    start: str, sentence: str, zone: str
) -> None:
    """A handover in the hour that occurs twice, or not at all, is refused, zone or none."""
    lines = event("Registrar: osei", f"DTSTART{zone}:{start}", f"DTEND{zone}:{start[:9]}080000")
    day_before = datetime.strptime(start[:8], "%Y%m%d").replace(tzinfo=UTC) - timedelta(days=1)
    assert sentence in problem(calendar(lines), day_before)


def test_a_length_across_a_clock_change_is_not_guessed() -> None:
    """An event that says only 'twelve hours' may end at either of two times that night."""
    start, _ = local("Europe/London", "20260328T200000", "")
    assert "write its end" in problem(calendar(event(start=start, end="DURATION:PT12H")))
    (duty,) = read(calendar(event(end="DURATION:PT12H"))).duties
    assert duty.until_at - duty.from_at == timedelta(hours=12)


def test_a_time_without_a_zone_is_the_wards_and_is_said_to_be() -> None:
    """Floating times are read on the ward's clock, and the preview says so."""
    lines = event(start="DTSTART:20260702T200000", end="DTEND:20260703T080000")
    now = datetime(2026, 7, 1, tzinfo=UTC)
    for zone, hour in ((LONDON, 19), (NEW_YORK, 24)):
        found = read(calendar(lines), now, zone)
        assert found.duties[0].from_at == datetime(2026, 7, 2, tzinfo=UTC) + timedelta(hours=hour)
        assert found.notes == (
            f"1 of 1 events have times without a zone: they are taken as {zone.key} time.",
        )


def test_zones_are_known_by_name_or_by_the_file() -> None:
    """A Windows name is known, and a zone that nobody knows counts when the file describes it."""
    windows = event(
        "Registrar: osei", *local("GMT Standard Time", "20260702T200000", "20260703T080000")
    )
    now = datetime(2026, 7, 1, tzinfo=UTC)
    (duty,) = read(calendar(windows), now).duties
    assert duty.from_at == datetime(2026, 7, 2, 19, tzinfo=UTC)
    own = event("Registrar: osei", *local("Ward clock", "20260702T200000", "20260703T080000"))
    (duty,) = read(calendar(own, before=ODD_ZONE), now).duties
    assert duty.from_at == datetime(2026, 7, 2, 17, tzinfo=UTC)


def test_named_days_of_a_week_are_followed() -> None:
    """Weekday nights of every second week, as a rota of two teams is written."""
    lines = event("Registrar: osei", *local("Europe/London", "20260302T200000", "20260303T080000"))
    found = read(calendar([*lines, "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE,FR;COUNT=7"]))
    days = [f"{d.from_at:%d %b}" for d in found.duties]
    assert days == ["02 Mar", "04 Mar", "06 Mar", "16 Mar", "18 Mar", "20 Mar", "30 Mar"]


def test_years_of_nights_are_read_in_a_moment() -> None:
    """Eighty nightly events that began five years ago take seconds, not minutes: a file cannot
    hold up the ward."""
    started = time.monotonic()
    lines = event("Registrar: osei", *local("Europe/London", "20220101T200000", "20220102T080000"))
    many = [[f"UID:{n}", *lines[1:], "RRULE:FREQ=DAILY"] for n in range(80)]
    assert len(read(calendar(*many)).duties) > 4700
    assert time.monotonic() - started < 30


def test_a_cancelled_event_is_passed_over() -> None:
    """A shift that was called off is nobody's, and is no problem either."""
    found = read(calendar(event(), [*event("SHO: x", uid="UID:2"), "STATUS:CANCELLED"]))
    assert len(found.duties) == 1 and found.problems == ()


WEEK = event(
    "Registrar: osei", *local("Europe/London", "20260302T200000", "20260303T080000"),
    "RRULE:FREQ=DAILY;COUNT=4",
)  # fmt: skip
"""Four nights from today on."""


def called_off(status: str, *day: str, uid: str = "UID:1") -> list[str]:
    """One night of the four, or the event itself, called off."""
    hours = local("Europe/London", "20260304T200000", "20260305T080000")
    return [uid, "SUMMARY:Registrar: osei", *hours, status, *day]


@pytest.mark.parametrize("status", ["CANCELLED", "Cancelled", "cancelled"])
def test_an_event_called_off_is_no_duty_but_named(status: str) -> None:
    """However it is spelt, what the hospital called off is nobody's duty; the file still speaks of
    it, so that an earlier file's word on it falls."""
    found = read(calendar(called_off(f"STATUS:{status}"), event(uid="UID:2")))
    assert [d.uid for d in found.duties] == ["2"]
    assert found.uids == {"1", "2"} and found.problems == ()


def test_a_file_that_calls_everything_off_is_read() -> None:
    """Nothing to come, but something called off, and the same by the file's own word."""
    off = read(calendar(called_off("STATUS:CANCELLED")))
    assert (off.duties, off.problems, off.uids) == ((), (), {"1"})
    by_method = read(calendar(event(), before=["METHOD:Cancel"]))
    assert (by_method.duties, by_method.uids) == ((), {"1"})


def test_a_file_of_the_past_speaks_of_nothing() -> None:
    """An old export names events that go on in newer ones: it takes nobody off the rota."""
    old = event("Registrar: osei", "DTSTART:20260101T200000Z", "DTEND:20260102T080000Z")
    assert read(calendar(old)).uids == frozenset()
    assert read(calendar(old, event(uid="UID:2"))).uids == {"1", "2"}


@pytest.mark.parametrize("status", ["STATUS:CANCELLED", "STATUS:Cancelled"])
@pytest.mark.parametrize(
    ("day", "left"),
    [
        ("RECURRENCE-ID;TZID=Europe/London:20260304T200000", [2, 3, 5]),
        ("RECURRENCE-ID:20260304T200000Z", [2, 3, 5]),
        ("RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/London:20260304T200000", [2, 3]),
    ],
)
def test_one_night_called_off_leaves_the_others(status: str, day: str, left: list[int]) -> None:
    """Of a repeated event one night, or all from one night on, is called off."""
    found = read(calendar(WEEK, called_off(status, day)))
    assert [d.from_at.day for d in found.duties] == left
    assert found.uids == {"1"} and found.problems == ()


def test_a_night_called_off_of_an_event_that_is_not_there_is_no_guess() -> None:
    """The file holds the exception alone, or no time of day: taken as it stands it would end every
    night, or none. One that is long over stands in nobody's way."""
    night = "RECURRENCE-ID;TZID=Europe/London:{}"
    lone = called_off("STATUS:CANCELLED", night.format("20260304T200000"))
    assert "one day of an event that the file does not hold" in problem(
        calendar(lone, event(uid="UID:2"))
    )
    dated = called_off("STATUS:CANCELLED", "RECURRENCE-ID;VALUE=DATE:20260304")
    assert "a day without saying at what time" in problem(calendar(WEEK, dated))
    old = called_off("STATUS:CANCELLED", night.format("20260204T200000"))
    found = read(calendar(old, event(uid="UID:2")))
    assert found.problems == () and found.uids == {"2"}


def test_the_rule_of_an_event_called_off_is_not_followed() -> None:
    """A rule that no calendar reaches the end of holds nobody up once its event is called off."""
    started = time.monotonic()
    endless = [*event(uid="UID:1"), "RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30"]
    found = read(calendar([*endless, "STATUS:CANCELLED"], event(uid="UID:2")))
    assert [d.uid for d in found.duties] == ["2"] and found.uids == {"1", "2"}
    assert time.monotonic() - started < 5


def test_who_left_long_ago_does_not_stand_in_the_way() -> None:
    """An export that reaches back to people who have left is read for what is still to come."""
    old = event("Registrar: Dr Gone", "DTSTART:20260101T200000Z", "DTEND:20260102T080000Z")
    found = read(calendar(old, event(uid="UID:2")))
    assert [d.staff_id for d in found.duties] == ["osei"] and found.problems == ()


def test_a_zone_for_display_changes_nothing() -> None:
    """Some programs name a zone for the whole calendar; times in UTC stay what they are."""
    found = read(calendar(event(), before=["X-WR-TIMEZONE:America/New_York"]))
    assert found.duties[0].from_at == NOW + timedelta(hours=8)


@pytest.mark.parametrize("level", Level)
def test_every_level_has_its_words(level: Level) -> None:
    """Each level is known by its own words, in capitals, with 'on call' before or after."""
    words = level.replace("_", " ")
    for said in (words, words.upper(), f"{words} on call", f"On-call {words}", str(level)):
        assert level_of(said) is level
    assert level_of("senior " + words) is None
