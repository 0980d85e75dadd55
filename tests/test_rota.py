"""Who is on call at a moment, how each is reached, and what the pre-flight says of tonight."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from monitoring import rota
from monitoring.clocks import clock
from monitoring.domain import ChannelKind, Level, Severity
from monitoring.rota import Channel, Directory, Person, Problem, Shift, Span, Tried

LONDON = ZoneInfo("Europe/London")
NEW_YORK = ZoneInfo("America/New_York")
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
EVERY = (Level.CHARGE_NURSE, Level.REGISTRAR, Level.MICROSURGEON, Level.CONSULTANT)
PEOPLE = {
    "osei": Person("osei", "Dr M. Osei", True),
    "diaz": Person("diaz", "Dr Diaz", True),
    "gone": Person("gone", "Dr Gone", False),
}
CHANNELS = {
    "sms": Channel("sms", ChannelKind.PERSONAL),
    "mail": Channel("mail", ChannelKind.PERSONAL),
    "room": Channel("room", ChannelKind.SHARED),
}
CONTACTS = {("osei", "sms"): "+447700900001", ("osei", "mail"): "osei@example.org"}
CONTACTS |= {("diaz", "sms"): "+447700900002"}


def hours(number: float) -> datetime:
    return NOON + timedelta(hours=number)


def shift(
    who: str = "osei", since: float = -1, until: float = 20, *, level: Level = Level.REGISTRAR,
    channels: Sequence[str] = (), ward: str = "W",
) -> Shift:  # fmt: skip
    return Shift(int(since * 60), ward, level, who, hours(since), hours(until), tuple(channels))


def directory(*shifts: Shift, channels: dict[str, Channel] | None = None) -> Directory:
    return Directory(shifts, PEOPLE, CONTACTS, CHANNELS if channels is None else channels)


def all_levels(who: str = "osei") -> list[Shift]:
    return [shift(who, level=level) for level in EVERY]


def said(*shifts: Shift, tried: Sequence[Tried] = (), **more: dict[str, Channel]) -> list[Problem]:
    found = directory(*shifts, **more)
    return rota.preflight(found, ["W"], NOON, LONDON, tried=tried)


@given(st.integers(1, 60 * 24), st.integers(1, 60 * 24), st.data())
def test_exactly_one_minute_belongs_to_exactly_one_side(
    before: int, after: int, data: st.DataObject
) -> None:
    """At every minute and microsecond around a handover one side has it, never both, never none."""
    turn = hours(0)
    day = shift("osei")._replace(from_at=turn - timedelta(minutes=before), until_at=turn)
    night = shift("diaz")._replace(from_at=turn, until_at=turn + timedelta(minutes=after))
    at = data.draw(st.datetimes(
        (day.from_at).replace(tzinfo=None),
        (night.until_at - timedelta(microseconds=1)).replace(tzinfo=None),
    )).replace(tzinfo=UTC)  # fmt: skip
    has = [s.staff_id for s in directory(day, night).on_call("W", Level.REGISTRAR, at)]
    assert has == (["osei"] if at < turn else ["diaz"])
    assert rota.uncovered([day, night], Span(day.from_at, night.until_at)) == []


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(1, 20)).map(
            lambda t: shift("osei", t[0], sum(t))
        ),
        max_size=8,
    )
)
def test_a_gap_is_where_nobody_is_on_call(shifts: list[Shift]) -> None:
    """The gaps of a stretch are exactly the moments at which asking finds nobody."""
    within = Span(hours(0), hours(48))
    found = rota.uncovered(shifts, within)
    rows = directory(*shifts)
    for half in range(96):
        at = hours(half / 2)
        empty = not rows.on_call("W", Level.REGISTRAR, at)
        assert empty == any(gap.from_at <= at < gap.until_at for gap in found)
    assert all(a.until_at < b.from_at for a, b in pairwise(found))


def test_the_people_of_another_ward_or_level_are_not_told() -> None:
    """A rung tells the level of its own ward, and nobody else."""
    rows = directory(shift(ward="V"), shift(level=Level.CONSULTANT))
    assert rows.on_call("W", Level.REGISTRAR, NOON) == ()
    assert rows.gaps("W", (Level.REGISTRAR, Level.CONSULTANT), NOON) == (Level.REGISTRAR,)


def test_two_people_at_one_level_are_both_told() -> None:
    """A double rota is no mistake: everybody of the level is told on every way."""
    told = directory(shift("osei"), shift("diaz")).reached("W", (Level.REGISTRAR,), NOON)
    assert [(r.staff_id, r.channel, r.address) for r in told] == [
        ("osei", "mail", "osei@example.org"),
        ("osei", "sms", "+447700900001"),
        ("diaz", "sms", "+447700900002"),
        (None, "room", None),
    ]


def test_who_holds_two_levels_is_told_once() -> None:
    """One person on call twice over gets one message a channel, and a room one in all."""
    rows = directory(shift(), shift(level=Level.MICROSURGEON))
    told = rows.reached("W", (Level.REGISTRAR, Level.MICROSURGEON), NOON)
    assert [(r.staff_id, r.channel) for r in told] == [
        ("osei", "mail"), ("osei", "sms"), (None, "room"),
    ]  # fmt: skip


def test_a_shift_says_how_its_person_is_reached() -> None:
    """A shift that names channels is told on these alone while one of them works; a rung's wish
    narrows further."""
    rows = directory(shift(channels=["sms"]))
    assert rows.ways("osei", ("sms",)) == ("sms",)
    assert rows.ways("osei", (), ("mail",)) == ("mail",)
    assert [r.channel for r in rows.reached("W", (Level.REGISTRAR,), NOON)] == ["sms", "room"]


def test_telling_somebody_outranks_how() -> None:
    """A rung that asks for a channel on which the person is not reached takes the ways there
    are: a wish for a channel never leaves a red with nobody told."""
    rows = directory(shift("diaz"))
    assert rows.ways("diaz", (), ("mail",)) == ()
    assert [r.channel for r in rows.reached("W", (Level.REGISTRAR,), NOON, ("mail",))] == ["sms"]
    assert rows.gaps("W", (Level.REGISTRAR,), NOON, ("mail",)) == ()


def test_a_shift_on_a_dead_channel_is_told_another_way() -> None:
    """The shift names channels of which none works any more, or on which the person has no
    address: every other way is taken, and the level is no gap. Without any way it is."""
    dead = CHANNELS | {"sms": Channel("sms", ChannelKind.PERSONAL, "its address cannot be read")}
    narrowed = shift(channels=["sms"])
    rows = directory(narrowed, channels=dead)
    assert rows.of_shift(narrowed) == rows.of_shift(narrowed, ("sms",)) == ("mail",)
    assert [(r.staff_id, r.channel, r.address) for r in rows.reached(
        "W", (Level.REGISTRAR,), NOON
    )] == [("osei", "mail", "osei@example.org"), (None, "room", None)]  # fmt: skip
    assert rows.gaps("W", (Level.REGISTRAR,), NOON) == ()
    unknown = shift("diaz", channels=["mail", "pager"])
    assert directory(unknown).of_shift(unknown) == ("sms",)
    alone = shift("diaz", channels=["sms"])
    assert directory(alone, channels=dead).gaps("W", (Level.REGISTRAR,), NOON) == (
        Level.REGISTRAR,
    )  # fmt: skip


def test_preflight_says_who_is_reached_another_way_than_was_chosen() -> None:
    """In amber, by what instead of what: somebody is told, but not how they meant to be."""
    others = [shift(level=level) for level in EVERY if level is not Level.REGISTRAR]
    (one,) = said(*others, shift("diaz", channels=["mail"]))
    assert one == Problem(
        Severity.AMBER,
        "W: registrar now and until Tue 00:00 at least: Dr Diaz is reached by sms instead of mail. "
        "Enter a contact on mail, or mend it.",
    )
    pager = Channel("pager", ChannelKind.PERSONAL, None, False)
    (both,) = said(
        *others, shift(channels=["pager", "fax"]), channels=CHANNELS | {"pager": pager}
    )  # fmt: skip
    assert both.severity is Severity.AMBER
    assert "Dr M. Osei is reached by mail and sms instead of pager and fax." in both.sentence
    assert said(*others, shift(channels=["sms", "pager"])) == []


def test_a_disabled_person_or_channel_reaches_nobody() -> None:
    """An account that is disabled, a channel with a problem or out of use, a missing address: no
    way; and a shared room is no way to one person."""
    off = {
        "sms": Channel("sms", ChannelKind.PERSONAL, "its address cannot be read"),
        "mail": Channel("mail", ChannelKind.PERSONAL, None, False),
        "room": Channel("room", ChannelKind.SHARED),
    }
    assert directory(channels=off).ways("osei") == ()
    assert directory().ways("gone") == directory().ways("nobody") == ()
    assert directory(shift("gone")).gaps("W", (Level.REGISTRAR,), NOON) == (Level.REGISTRAR,)


def test_the_demo_channel_reaches_everybody_without_an_address() -> None:
    """A newcomer sees paging work with nothing configured."""
    rows = directory(channels={"demo": Channel("demo", ChannelKind.DEMO)})
    assert rows.ways("diaz") == ("demo",)


def test_a_room_hears_of_it_even_when_nobody_is_on_call() -> None:
    """With nobody on call the shared room is still told, and the level is still a gap."""
    rows = directory()
    told = rows.reached("W", (Level.REGISTRAR,), NOON)
    assert [(r.staff_id, r.channel) for r in told] == [(None, "room")]
    assert rows.gaps("W", (Level.REGISTRAR,), NOON) == (Level.REGISTRAR,)
    assert rows.reached("W", (Level.REGISTRAR,), NOON, ("sms",)) == []


def test_a_full_and_reachable_rota_has_no_problem() -> None:
    """With everybody there and everything working the pre-flight says nothing."""
    assert said(*all_levels()) == []


def test_preflight_says_from_when_to_when_nobody_is_on_call() -> None:
    """Levels that have nobody are named in red with their hours, those alike in one sentence."""
    problems = said(
        shift(level=Level.CHARGE_NURSE), shift(level=Level.REGISTRAR, until=3),
        shift(level=Level.MICROSURGEON, until=3), shift("diaz", 5, 20, level=Level.MICROSURGEON),
    )  # fmt: skip
    assert [p.severity for p in problems] == [Severity.RED] * 3
    assert [p.sentence for p in problems] == [
        "W: nobody is on call as consultant now and until Tue 00:00 at least. Enter a shift.",
        "W: nobody is on call as microsurgeon from 15:00 to 17:00. Enter a shift.",
        "W: nobody is on call as registrar from 15:00 to Tue 00:00. Enter a shift.",
    ]


def test_preflight_says_who_cannot_be_reached() -> None:
    """A disabled account and a person without any way are named; in red where nobody else of the
    level is reached, in amber beside somebody who is."""
    others = [shift(level=level) for level in EVERY if level is not Level.REGISTRAR]
    (gone,) = said(*others, shift("gone"), shift("diaz"))
    assert gone.severity is Severity.RED and "account of Dr Gone is disabled" in gone.sentence
    mail = {n: c for n, c in CHANNELS.items() if n != "sms"}
    for channels in ([], ["mail"]):
        (alone,) = said(*others, shift("diaz", channels=channels), channels=mail)
        assert alone.severity is Severity.RED
        assert "Dr Diaz cannot be reached on any channel" in alone.sentence
    (beside,) = said(*others, shift("diaz"), shift("osei"), channels=mail)
    assert beside.severity is Severity.AMBER


def test_preflight_says_which_channel_is_broken_or_failed_last() -> None:
    """A channel that cannot be used, and one that failed its last message or test, are red until
    something goes through again."""
    broken = CHANNELS | {"pager": Channel("pager", ChannelKind.SHARED, "The address is no URL.")}
    assert [p.sentence for p in said(*all_levels(), channels=broken)] == [
        "Channel pager cannot be used: The address is no URL."
    ]
    failed = Tried("sms", "osei", hours(-1), True, "500 from the gateway", True)
    (problem,) = said(*all_levels(), tried=[failed])
    assert problem.severity is Severity.RED
    assert problem.sentence.startswith("Channel sms failed its last test at 11:00: 500 from the")
    assert said(*all_levels(), tried=[failed._replace(failed=False)]) == []


def test_preflight_says_that_nobody_is_really_paged() -> None:
    """Only the demo channel: amber. No channel at all: red."""
    demo = {"demo": Channel("demo", ChannelKind.DEMO)}
    (only,) = said(*all_levels(), channels=demo)
    assert only == Problem(
        Severity.AMBER, "Only the demo channel is set up: nobody is really paged."
    )
    assert "No channel works" in said(*all_levels(), channels={})[0].sentence


def test_a_night_of_a_clock_change_is_as_long_as_it_is() -> None:
    """20:00 to 08:00 on the wall is 11 or 13 hours on these nights, in London and New York, and
    in the hour that occurs twice the sentence says which."""
    for zone, month, day, length in (
        (LONDON, 3, 28, 11), (LONDON, 10, 24, 13), (NEW_YORK, 3, 7, 11), (NEW_YORK, 10, 31, 13),
    ):  # fmt: skip
        evening = datetime(2026, month, day, 20, tzinfo=zone)
        start = evening.astimezone(UTC)
        end = (evening + timedelta(hours=12)).astimezone(UTC)  # on the wall
        night = Shift(1, "W", Level.REGISTRAR, "osei", start, end)
        assert end - start == timedelta(hours=length)
        rows = directory(night)
        covered = [start + timedelta(minutes=m) for m in range(0, length * 60, 15)]
        assert all(rows.on_call("W", Level.REGISTRAR, at) for at in covered)
        assert rows.on_call("W", Level.REGISTRAR, end) == ()
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    noon = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
    assert clock(first, LONDON, noon) == "01:30 BST"
    assert clock(first + timedelta(hours=1), LONDON, noon) == "01:30 GMT"


def test_shifts_that_run_at_the_same_time_are_found() -> None:
    """Two at one level are shown as both told; the same person twice is found as such."""
    one, other, later = shift("osei", 0, 8), shift("diaz", 4, 12), shift("osei", 8, 12)
    assert rota.overlapping([later, other, one]) == [(one, other), (other, later)]
    assert rota.same_person_twice(later, [one, other]) is None
    assert rota.same_person_twice(shift("osei", 7, 9), [one, other]) == one
