"""Who is on call, how each is reached, and whether anyone is: pure, from values and instants.

A shift covers [from, until): at the minute of a handover exactly one side has it. Shifts are
instants in UTC, so a clock-change night is as long as it is; wall times appear only in sentences.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from monitoring.clocks import clock
from monitoring.domain import ChannelKind, Level, Severity

HORIZON = timedelta(hours=12)
"""How far ahead the pre-flight looks: tonight."""

CALLED = (Level.CHARGE_NURSE, Level.REGISTRAR, Level.MICROSURGEON, Level.CONSULTANT)
"""The levels that must have somebody at any time; the bedside nurse is at the bedside."""


class Shift(NamedTuple):
    """Somebody on call for a ward at a level in [from_at, until_at). ``channels`` says how they are
    reached as long as one of these works; empty means every way there is. ``uid`` is a calendar's
    name of it."""

    id: int
    ward: str
    level: Level
    staff_id: str
    from_at: datetime
    until_at: datetime
    channels: tuple[str, ...] = ()
    uid: str | None = None

    def covers(self, at: datetime) -> bool:
        """Whether the person is on call at this moment."""
        return self.from_at <= at < self.until_at


class Duty(NamedTuple):
    """A shift as a calendar file says it; ``title`` names the event in a sentence."""

    level: Level
    staff_id: str
    from_at: datetime
    until_at: datetime
    uid: str
    title: str


class Person(NamedTuple):
    """Somebody of the staff; a disabled account is reached by nothing."""

    staff_id: str
    name: str
    active: bool


class Channel(NamedTuple):
    """A way to reach people as the worker last read it; ``problem`` says why it cannot be used."""

    name: str
    kind: ChannelKind
    problem: str | None = None
    active: bool = True

    @property
    def usable(self) -> bool:
        """Whether a message may be handed to it."""
        return self.active and self.problem is None


class Reach(NamedTuple):
    """One message to be sent: to a person, or to everybody in a shared room (no ``staff_id``).
    ``address`` is the person's own on a personal channel."""

    level: Level
    staff_id: str | None
    channel: str
    address: str | None


class Tried(NamedTuple):
    """The last message that a channel was asked to carry, and what came back."""

    channel: str
    staff_id: str | None
    at: datetime
    failed: bool
    answer: str | None
    test: bool


class Span(NamedTuple):
    """A stretch of time [from_at, until_at)."""

    from_at: datetime
    until_at: datetime


class Problem(NamedTuple):
    """Something that would keep an alert from reaching anybody (red) or some (amber)."""

    severity: Severity
    sentence: str


@dataclass(frozen=True)
class Directory:
    """The rota, the people, their addresses and the channels as they stood at one moment.

    ``contacts`` are addresses by (staff id, channel). Shifts that were ended are not in it.
    """

    shifts: tuple[Shift, ...] = ()
    people: Mapping[str, Person] = field(default_factory=dict)
    contacts: Mapping[tuple[str, str], str] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)

    @cached_property
    def _by_level(self) -> dict[tuple[str, Level], list[Shift]]:
        found: dict[tuple[str, Level], list[Shift]] = {}
        for shift in sorted(self.shifts, key=lambda s: (s.from_at, s.id)):
            found.setdefault((shift.ward, shift.level), []).append(shift)
        return found

    def of_level(self, ward: str, level: Level) -> tuple[Shift, ...]:
        """Every known shift of the ward at the level, earliest first."""
        return tuple(self._by_level.get((ward, level), ()))

    def on_call(self, ward: str, level: Level, at: datetime) -> tuple[Shift, ...]:
        """Who is on call at the moment, longest on first."""
        return tuple(s for s in self._by_level.get((ward, level), ()) if s.covers(at))

    def name(self, staff_id: str) -> str:
        """What the person is called; the id where nobody knows."""
        person = self.people.get(staff_id)
        return staff_id if person is None else person.name

    def ways(
        self, staff_id: str, shift_channels: Sequence[str] = (), wanted: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """The channels on which the person can be reached now, by name.

        A shared room is no way to a person. ``shift_channels`` and ``wanted`` narrow; empty
        narrows nothing.
        """
        person = self.people.get(staff_id)
        if person is None or not person.active:
            return ()
        return tuple(
            name
            for name in sorted(self.channels)
            if (not shift_channels or name in shift_channels)
            and (not wanted or name in wanted)
            and self._carries(self.channels[name], staff_id)
        )

    def _carries(self, channel: Channel, staff_id: str) -> bool:
        if not channel.usable or channel.kind is ChannelKind.SHARED:
            return False
        return channel.kind is ChannelKind.DEMO or (staff_id, channel.name) in self.contacts

    def of_shift(self, shift: Shift, wanted: Sequence[str] = ()) -> tuple[str, ...]:
        """How somebody on call is reached. Where none of the wanted channels reaches them every
        way of the shift is taken, and where none of the shift's does every way of the person:
        telling somebody outranks how."""
        return (
            self.ways(shift.staff_id, shift.channels, wanted)
            or self.ways(shift.staff_id, shift.channels)
            or self.ways(shift.staff_id)
        )

    def reached(
        self, ward: str, levels: Sequence[Level], at: datetime, channels: Sequence[str] = ()
    ) -> list[Reach]:
        """Every message that telling these levels takes: one a person and channel, however many
        levels they hold, and one a shared room, whether or not anybody is on call."""
        found: dict[tuple[str | None, str], Reach] = {}
        for level in levels:
            for shift in self.on_call(ward, level, at):
                for name in self.of_shift(shift, channels):
                    found.setdefault(
                        (shift.staff_id, name), self._reach(level, shift.staff_id, name)
                    )
        for room in self._rooms(channels) if levels else ():
            found[None, room] = Reach(levels[0], None, room, None)
        return list(found.values())

    def to_person(self, staff_id: str, level: Level, channels: Sequence[str] = ()) -> list[Reach]:
        """Every message that telling this person takes, on call or not."""
        return [self._reach(level, staff_id, name) for name in self.ways(staff_id, channels)]

    def _reach(self, level: Level, staff_id: str, channel: str) -> Reach:
        return Reach(level, staff_id, channel, self.contacts.get((staff_id, channel)))

    def _rooms(self, wanted: Sequence[str]) -> list[str]:
        shared = (c for c in self.channels.values() if c.kind is ChannelKind.SHARED and c.usable)
        return sorted(c.name for c in shared if not wanted or c.name in wanted)

    def gaps(
        self, ward: str, levels: Sequence[Level], at: datetime, channels: Sequence[str] = ()
    ) -> tuple[Level, ...]:
        """The levels with nobody on call, or nobody of them reachable. A shared room fills no
        gap: nobody in it is bound to look."""
        return tuple(
            level
            for level in levels
            if not any(self.of_shift(s, channels) for s in self.on_call(ward, level, at))
        )


def uncovered(shifts: Iterable[Shift], within: Span) -> list[Span]:
    """The stretches of ``within`` in which none of the shifts runs, earliest first."""
    found, at = [], within.from_at
    for shift in sorted(shifts, key=lambda s: s.from_at):
        if shift.from_at > at:
            found.append(Span(at, min(shift.from_at, within.until_at)))
        at = max(at, shift.until_at)
        if at >= within.until_at:
            return found
    return [*found, Span(at, within.until_at)]


def overlapping(shifts: Iterable[Shift]) -> list[tuple[Shift, Shift]]:
    """Pairs of shifts of one ward and level that run at the same time, earliest first: both are
    told."""
    ordered = sorted(shifts, key=lambda s: (s.ward, s.level, s.from_at, s.id))
    return [
        (one, other)
        for n, one in enumerate(ordered)
        for other in ordered[n + 1 :]
        if (one.ward, one.level) == (other.ward, other.level) and other.from_at < one.until_at
    ]


def same_person_twice(shift: Shift, others: Iterable[Shift]) -> Shift | None:
    """Another shift of the person for the same ward and level that runs at the same time."""
    return next(
        (
            o
            for o in others
            if _same_duty(o, shift) and o.from_at < shift.until_at and shift.from_at < o.until_at
        ),
        None,
    )


def _same_duty(one: Shift, other: Shift) -> bool:
    return (one.ward, one.level, one.staff_id) == (other.ward, other.level, other.staff_id)


def preflight(
    directory: Directory, wards: Sequence[str], now: datetime, zone: ZoneInfo, *,
    horizon: timedelta = HORIZON, tried: Iterable[Tried] = (),
) -> list[Problem]:  # fmt: skip
    """What would keep tonight's alerts from reaching somebody, red first."""
    tonight = Span(now, now + horizon)
    found: list[Problem] = []
    if not any(channel.usable for channel in directory.channels.values()):
        found.append(_red("No channel works: nobody can be paged. Name one in the settings."))
    for ward in wards:
        found += _nobody(directory, ward, tonight, zone)
        found += _not_reached(directory, ward, tonight, zone)
    found += _channel_problems(directory, tried, zone, now)
    return sorted(dict.fromkeys(found), key=lambda p: -p.severity.rank)


def _nobody(directory: Directory, ward: str, tonight: Span, zone: ZoneInfo) -> Iterable[Problem]:
    """Levels without anybody, those with the same hours in one sentence."""
    empty: dict[Span, list[Level]] = {}
    for level in CALLED:
        for span in uncovered(directory.of_level(ward, level), tonight):
            empty.setdefault(span, []).append(level)
    for span, levels in sorted(empty.items(), key=lambda e: e[0]):
        when = spoken(span, tonight, zone)
        as_what = _listed([_said(level) for level in levels])
        yield _red(f"{ward}: nobody is on call as {as_what} {when}. Enter a shift.")


def _not_reached(
    directory: Directory, ward: str, tonight: Span, zone: ZoneInfo
) -> Iterable[Problem]:
    for level in CALLED:
        running = [
            s for s in directory.of_level(ward, level)
            if s.from_at < tonight.until_at and tonight.from_at < s.until_at
        ]  # fmt: skip
        reachable = [s for s in running if directory.of_shift(s)]
        for shift in running:
            shared = Span(
                max(shift.from_at, tonight.from_at), min(shift.until_at, tonight.until_at)
            )
            where = f"{ward}: {_said(level)} {spoken(shared, tonight, zone)}"
            if shift not in reachable:
                alone = bool(uncovered(reachable, shared))
                yield _unreached(directory, shift, where, alone)
            elif not directory.ways(shift.staff_id, shift.channels):
                yield _reached_otherwise(directory, shift, where)


def _reached_otherwise(directory: Directory, shift: Shift, where: str) -> Problem:
    """The shift's own channels are dead; the person is told all the same, in another way."""
    instead, meant = directory.of_shift(shift), shift.channels
    sentence = (
        f"{where}: {directory.name(shift.staff_id)} is reached by {_and(instead)} instead of "
        f"{_and(meant)}. Enter a contact on {_listed(meant)}, or mend it."
    )
    return Problem(Severity.AMBER, sentence)


def _unreached(directory: Directory, shift: Shift, where: str, alone: bool) -> Problem:
    """Why somebody on call would hear nothing, and what to do."""
    name, person = directory.name(shift.staff_id), directory.people.get(shift.staff_id)
    if person is None or not person.active:
        return _red(f"{where}: the account of {name} is disabled. Put somebody else on call.")
    sentence = (
        f"{where}: {name} cannot be reached on any channel. Enter a contact or another person."
    )
    return Problem(Severity.RED if alone else Severity.AMBER, sentence)


def _channel_problems(
    directory: Directory, tried: Iterable[Tried], zone: ZoneInfo, now: datetime
) -> Iterable[Problem]:
    used = [c for c in directory.channels.values() if c.active]
    for channel in used:
        if channel.problem is not None:
            yield _red(f"Channel {channel.name} cannot be used{_answer(channel.problem)}")
    for last in tried:
        channel_of = directory.channels.get(last.channel)
        if last.failed and channel_of is not None and channel_of.usable:
            what = "test" if last.test else "message"
            yield _red(
                f"Channel {last.channel} failed its last {what} at {clock(last.at, zone, now)}"
                f"{_answer(last.answer)} Send a test page once it is mended."
            )
    if {c.kind for c in used if c.usable} == {ChannelKind.DEMO}:
        yield Problem(Severity.AMBER, "Only the demo channel is set up: nobody is really paged.")


def _answer(answer: str | None) -> str:
    said = (answer or "").strip().rstrip(".")
    return f": {said}." if said else "."


def _red(sentence: str) -> Problem:
    return Problem(Severity.RED, sentence)


def _said(level: Level) -> str:
    return level.replace("_", " ")


def _listed(words: Sequence[str], last: str = "or") -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def _and(channels: Sequence[str]) -> str:
    return _listed(channels, "and")


def spoken(span: Span, within: Span, zone: ZoneInfo) -> str:
    """From when to when in words, on the ward's clock."""
    until = clock(span.until_at, zone, within.from_at)
    if span.from_at > within.from_at:
        return f"from {clock(span.from_at, zone, within.from_at)} to {until}"
    if span.until_at >= within.until_at:
        return f"now and until {until} at least"
    return f"now, until {until}"
