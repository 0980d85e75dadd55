"""What the on-call page and the board say of the rota: who, until when, how reached, what is
wrong. Pure: from a directory and a moment to words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from monitoring import rota
from monitoring.clocks import clock
from monitoring.components.stay_shapes import FactsData, FactSection, FactView
from monitoring.domain import ChannelKind, Level, PageState, Severity
from monitoring.paging import StoredPage
from monitoring.rota import Directory, Problem, Shift, Span

DAYS = 7
"""How many days of the rota the page lists, from today."""
LISTED = 200
"""How many shifts of a file are listed before it is imported."""
SHOWN = 12
"""How many problems of a file are shown at once."""


def words(word: str) -> str:
    """A level, a role or a kind in the ward's words."""
    return word.replace("_", " ")


class Strip(NamedTuple):
    """What the board says of paging in one line: the first red problem, and of how many more."""

    sentence: str
    more: str


def strip(problems: Sequence[Problem]) -> Strip | None:
    """The line above the board; None when nothing is red."""
    red = [p.sentence for p in problems if p.severity is Severity.RED]
    if not red:
        return None
    return Strip(red[0], "" if len(red) == 1 else f"and {len(red) - 1} more")


def reached_by(directory: Directory, shift: Shift) -> str:
    """How somebody on call is reached, in words."""
    ways = directory.of_shift(shift)
    return f"by {', '.join(ways)}" if ways else "cannot be reached"


def now_data(directory: Directory, ward: str, now: datetime, zone: ZoneInfo) -> FactsData:
    """Who is on call at this moment, by level, with how each is reached."""
    facts = [
        FactView(label=words(level).capitalize(), text=_have(directory, ward, level, now, zone))
        for level in Level
        if level is not Level.NURSE or directory.on_call(ward, level, now)
    ]
    rooms = sorted(
        c.name for c in directory.channels.values() if c.usable and c.kind is ChannelKind.SHARED
    )
    note = f"Every page also goes to {', '.join(rooms)}, a shared room." if rooms else ""
    return FactsData(sections=[_section(f"On call now, {clock(now, zone, now)}", facts, note=note)])


def _have(directory: Directory, ward: str, level: Level, now: datetime, zone: ZoneInfo) -> str:
    has = directory.on_call(ward, level, now)
    said = [
        f"{directory.name(s.staff_id)}, until {clock(s.until_at, zone, now)}, "
        f"{reached_by(directory, s)}"
        for s in has
    ]
    return "\n".join(said) or "Nobody"


def week_data(
    directory: Directory, shifts: Iterable[Shift], now: datetime, zone: ZoneInfo
) -> FactsData:
    """Tonight and the coming days: each shift on the day it begins, what runs already today."""
    today = now.astimezone(zone).date()
    by_day: dict[date, list[Shift]] = {today + timedelta(days=n): [] for n in range(DAYS)}
    for shift in shifts:
        day = max(shift.from_at.astimezone(zone).date(), today)
        if day in by_day and shift.until_at > now:
            by_day[day].append(shift)
    return FactsData(
        sections=[
            _section(
                _day(day, today),
                [_row(directory, s, zone) for s in sorted(rows, key=_by_time_and_level)],
                empty="Nobody is entered.",
            )
            for day, rows in by_day.items()
        ]
    )


def preview_data(directory: Directory, coming: Iterable[Shift], gone: Iterable[Shift],
                 zone: ZoneInfo) -> FactsData:  # fmt: skip
    """What a rota file brings, day by day, and what of earlier files it takes away."""
    by_day: dict[date, list[Shift]] = {}
    ordered = sorted(coming, key=_by_time_and_level)
    for shift in ordered[:LISTED]:
        by_day.setdefault(shift.from_at.astimezone(zone).date(), []).append(shift)
    sections = [
        _section(f"{day:%a %d %b}", [_row(directory, s, zone) for s in rows])
        for day, rows in by_day.items()
    ]
    if len(ordered) > LISTED:
        sections.append(_section("Later", [], empty=f"And {len(ordered) - LISTED} more."))
    replaced = sorted(gone, key=_by_time_and_level)[:LISTED]
    if replaced:
        taken = [FactView(label="", text=shift_words(directory, s, zone)) for s in replaced]
        sections.append(_section("Replaced, taken off the rota", taken))
    return FactsData(sections=sections)


def _by_time_and_level(shift: Shift) -> tuple[datetime, int]:
    return shift.from_at, list(Level).index(shift.level)


def _day(day: date, today: date) -> str:
    named = "Today, " if day == today else "Tomorrow, " if day == today + timedelta(days=1) else ""
    return f"{named}{day:%a %d %b}"


def _row(directory: Directory, shift: Shift, zone: ZoneInfo) -> FactView:
    how = f", only by {', '.join(shift.channels)}" if shift.channels else ""
    return FactView(
        label=f"{hours(shift, zone)} · {words(shift.level)}",
        text=f"{directory.name(shift.staff_id)}{how}",
    )


def hours(shift: Shift, zone: ZoneInfo) -> str:
    """From when to when on the ward's clock; the day of the end where it is another."""
    return f"{clock(shift.from_at, zone, shift.from_at)} to " + clock(
        shift.until_at, zone, shift.from_at
    )


def shift_words(directory: Directory, shift: Shift, zone: ZoneInfo) -> str:
    """A shift in one line, to be chosen from a list."""
    begins = f"{shift.from_at.astimezone(zone):%a %d %b}"
    who = directory.name(shift.staff_id)
    return f"{begins} {hours(shift, zone)} · {words(shift.level)} · {who}"


def double_data(directory: Directory, shifts: Iterable[Shift], zone: ZoneInfo) -> FactsData | None:
    """Where two people stand at one level at once, which may be meant; None when nowhere."""
    facts = [_double(directory, one, other, zone) for one, other in rota.overlapping(shifts)]
    if not facts:
        return None
    return FactsData(
        sections=[_section("Two at one level", facts, note="Both are told. Is it meant?")]
    )


def _double(directory: Directory, one: Shift, other: Shift, zone: ZoneInfo) -> FactView:
    shared = other._replace(until_at=min(one.until_at, other.until_at))
    begins = f"{shared.from_at.astimezone(zone):%a %d %b}"
    return FactView(
        label=f"{begins} {hours(shared, zone)} · {words(one.level)}",
        text=f"{directory.name(one.staff_id)} and {directory.name(other.staff_id)}",
    )


def contact_data(directory: Directory) -> FactsData:
    """Where everybody is reached, person by person."""
    by_person: dict[str, list[FactView]] = {}
    for (staff_id, channel), address in sorted(directory.contacts.items()):
        by_person.setdefault(staff_id, []).append(FactView(label=channel, text=address))
    sections = [
        _section(directory.name(staff_id), facts)
        for staff_id, facts in sorted(by_person.items(), key=lambda p: directory.name(p[0]))
    ]
    return FactsData(sections=sections or [_section("Contacts", [], empty="None is entered.")])


def channel_data(directory: Directory) -> FactsData:
    """The channels that the settings name, and what keeps one from being used."""
    used = [c for name, c in sorted(directory.channels.items()) if c.active]
    facts = [
        FactView(label=c.name, text=_KINDS[c.kind] if c.problem is None else c.problem)
        for c in used
    ]
    return FactsData(sections=[_section("Channels", facts, empty="None is set up.")])


_KINDS = {
    ChannelKind.PERSONAL: "reaches each person at their own address",
    ChannelKind.SHARED: "a shared room",
    ChannelKind.DEMO: "a demonstration: nobody is really paged",
}


def personal(directory: Directory) -> list[str]:
    """The channels on which people have an address."""
    return sorted(
        c.name for c in directory.channels.values() if c.active and c.kind is ChannelKind.PERSONAL
    )


def narrowing(directory: Directory) -> list[str]:
    """The channels to which a shift may be narrowed."""
    return sorted(
        c.name for c in directory.channels.values() if c.active and c.kind is not ChannelKind.SHARED
    )


def rooms(directory: Directory) -> list[str]:
    """The shared rooms that can be tried."""
    return sorted(
        c.name for c in directory.channels.values() if c.usable and c.kind is ChannelKind.SHARED
    )


def to_try(directory: Directory, shifts: Iterable[Shift]) -> list[str]:
    """Everybody who may be sent a test page: who stands on the rota or has an address, by name."""
    known = {s.staff_id for s in shifts} | {staff_id for staff_id, _ in directory.contacts}
    working = (directory.people[i] for i in known if i in directory.people)
    return [p.staff_id for p in sorted(working, key=lambda p: (p.name, p.staff_id)) if p.active]


def test_data(pages: Sequence[StoredPage], now: datetime, zone: ZoneInfo) -> FactsData:
    """What became of one person's test page, a line a channel."""
    facts = [FactView(label=page.channel, text=_became(page, now, zone)) for page in pages]
    return FactsData(sections=[_section("What came back", facts)])


def _became(page: StoredPage, now: datetime, zone: ZoneInfo) -> str:
    answer = f": {page.answer}" if page.answer else ""
    if page.sent_at is not None:
        read = "" if page.read_at is None else f", opened {clock(page.read_at, zone, now)}"
        return f"Sent {page.sent_at.astimezone(zone):%H:%M:%S}{answer}{read}"
    if page.state is PageState.DROPPED:
        return f"Not sent{answer}"
    if page.attempts and page.answer:
        times = "once" if page.attempts == 1 else f"{page.attempts} times"
        return f"Failed {times}, is tried again{answer}"
    waited = max(0, int((now - page.created_at).total_seconds()))
    if waited > 15:
        return f"Waiting since {waited} s: does the alert engine run?"
    return "On its way"


def import_words(new: int, replaced: int, same: int) -> str:
    """What importing a file changes, in one sentence."""
    if not new and not replaced:
        return f"Nothing changes: all {same} shifts are on the rota already."
    return (
        f"{new} new, {replaced} of earlier files replaced, {same} as they are. "
        "What is past stays as it was."
    )


def cut(sentences: Sequence[str]) -> list[str]:
    """The first problems of a file, and of how many more."""
    more = len(sentences) - SHOWN
    return list(sentences[:SHOWN]) + ([f"And {more} more."] if more > 0 else [])


def week(now: datetime, zone: ZoneInfo) -> Span:
    """The days that the page lists."""
    ends = now.astimezone(zone).date() + timedelta(days=DAYS)
    return Span(now, datetime.combine(ends, time.min, zone))


def _section(
    title: str, facts: list[FactView], *, empty: str = "", note: str = ""
) -> FactSection:  # fmt: skip
    return FactSection(title=title, facts=facts, empty=empty, note=note)
