"""A rota as hospitals export it: an iCalendar file read into duties, strictly.

One VEVENT is one person's duty at one level. What its fields mean here:

- SUMMARY: "Registrar: Dr M. Osei", "Dr M. Osei (registrar)", or the level or the name alone. "on
  call" beside a level is ignored; titles, dots and capitals in a name are.
- CATEGORIES: the level, where the SUMMARY has none. Both must not differ.
- ATTENDEE: the person, by CN, staff id or e-mail, where the SUMMARY names none. Both must not
  differ. ORGANIZER wrote the rota and is never taken for the person on call.
- UID: which duties a later file replaces, also those that it calls off (STATUS:CANCELLED of an
  event or of one day of it, METHOD:CANCEL of the file).
- DTSTART and DTEND: a time with a zone that this system knows or the file describes, or UTC. A
  time without a zone is the ward's, and the result says so.
- RRULE (daily, weekly on named days, monthly), RDATE, EXDATE and RECURRENCE-ID are followed for
  60 days from now. What was over a day ago is passed over.

Everything that cannot be read with certainty is a problem in a sentence: a file with one problem
is not imported at all.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from monitoring import entry
from monitoring.domain import Level, MonitoringError
from monitoring.rota import Duty, Person
from monitoring.signs import BadValue

AHEAD = timedelta(days=60)
"""How far a repeated event is followed."""
LARGEST = 2 * 1024 * 1024
MOST = 5000
"""Occurrences in one file."""
MOST_REPEATED = 500
"""Repeated events in one file: each costs a walk over all its days."""
OLDEST = timedelta(days=5 * 366)
"""How long ago a repeated event may have begun."""

_KINDS = {"DAILY", "WEEKLY", "MONTHLY"}
_PARTS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "WKST"}
_TITLES = {"dr", "mr", "mrs", "ms", "miss", "mx", "prof", "professor", "sir", "sister"}
_LEVEL_FIRST = re.compile(r"^(?P<level>[^:]+):(?P<name>.*)$", re.DOTALL)
_LEVEL_LAST = re.compile(r"^(?P<name>.+)\((?P<level>[^()]+)\)\s*$", re.DOTALL)


class BadRotaFile(MonitoringError):
    """A file that is no calendar, or too much of one."""


@dataclass(frozen=True)
class RotaFile:
    """What a file says: duties that are not over yet, what is wrong with it (then nothing of it
    may be imported), and what was taken for granted.

    ``uids`` names every event of which it gives the whole story, those that are over or called
    off too: what earlier files said of them holds no more. None in a file that has nothing to
    come and calls nothing off.
    """

    duties: tuple[Duty, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    uids: frozenset[str] = frozenset()


class _Wrong(Exception):
    """What is wrong with one event, without saying which."""


@dataclass
class _Reader:
    """Reads events for one ward at one moment."""

    people: dict[str, Person]
    emails: Mapping[str, str]
    zone: ZoneInfo
    now: datetime
    named: dict[str, list[Person]] = field(default_factory=dict)
    floating: int = 0

    def __post_init__(self) -> None:
        for person in self.people.values():
            self.named.setdefault(_plain(person.name), []).append(person)

    def of_name(self, name: str) -> list[Person]:
        """The people of this name; those who left only where nobody of it works here."""
        same = self.named.get(_plain(name), []) if _plain(name) else []
        return [p for p in same if p.active] or same


def read_rota(
    body: bytes, *, people: Iterable[Person], emails: Mapping[str, str], zone: ZoneInfo,
    now: datetime,
) -> RotaFile:  # fmt: skip
    """The duties of an iCalendar file from ``now`` on. ``emails`` are staff ids by address.

    Raises BadRotaFile for a file that is no calendar, larger than 2 MB or of more than 5,000
    occurrences.
    """
    calendar = _calendar(body)
    every = calendar.walk("VEVENT")
    events = [e for e in every if not _passed_over(e, now)]
    reader = _Reader({p.staff_id: p for p in people}, emails, zone, now)
    repeated = sum(1 for e in events if "RRULE" in e)
    if len(events) > MOST or repeated > MOST_REPEATED:
        raise BadRotaFile(
            f"The file holds {len(events)} events, {repeated} of them repeated; at most {MOST} "
            f"and {MOST_REPEATED} can be read. Export a shorter time."
        )
    problems = [p for e in events for p in _event_problems(e, reader)]
    problems += _lone_cancellations(every, reader)
    duties: list[Duty] = []
    if not problems:
        duties, problems = _duties(calendar, events, reader)
    notes = tuple(_notes(reader, events))
    if problems:
        return RotaFile((), tuple(dict.fromkeys(problems)), notes)
    told = duties or any(map(_called_off, every))
    return RotaFile(tuple(duties), (), notes, _whole(every) if told else frozenset())


def _calendar(body: bytes) -> icalendar.Calendar:
    if len(body) > LARGEST:
        raise BadRotaFile("The file is larger than 2 MB. Export a shorter time.")
    try:
        found = icalendar.Calendar.from_ical(body)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise BadRotaFile(
            "The file is not a complete iCalendar file. Export it again as .ics."
        ) from error
    if not isinstance(found, icalendar.Calendar) or not found.walk("VEVENT"):
        raise BadRotaFile("The file holds no calendar event. Export the rota as .ics.")
    # The zone that some programs name for display; the ward's own is what is shown here.
    found.pop("X-WR-TIMEZONE", None)
    for event in found.walk("VEVENT"):
        _settle(event, str(found.get("METHOD", "")))
    return found


def _settle(event: Any, method: str) -> None:
    """One word for every way to call an event off. The rule of one that is off is let go: nobody
    need follow it, and nobody looks whether it can be followed."""
    held = event.get("STATUS", "")
    said = {str(word).strip().upper() for word in (held if isinstance(held, list) else [held])}
    if "CANCELLED" in said or method.strip().upper() == "CANCEL":
        event["STATUS"] = icalendar.vText("CANCELLED")
        if "RECURRENCE-ID" not in event:
            for name in ("RRULE", "RDATE", "EXDATE"):
                event.pop(name, None)


def _called_off(event: Any) -> bool:
    return str(event.get("STATUS", "")) == "CANCELLED"


def _whole(events: list[Any]) -> frozenset[str]:
    """The names of the events that stand in the file themselves, not only one day of them called
    off."""
    return frozenset(
        str(e["UID"]) for e in events
        if "UID" in e and not (_called_off(e) and "RECURRENCE-ID" in e)
    )  # fmt: skip


def _lone_cancellations(events: list[Any], reader: _Reader) -> Iterator[str]:
    """Days called off of which it is not sure which shift they were."""
    whole = _whole(events)
    for event in events:
        day = getattr(event.get("RECURRENCE-ID"), "dt", None)
        if not _called_off(event) or "RECURRENCE-ID" not in event:
            continue
        if not isinstance(day, datetime):
            yield f"{_title(event, reader)}: it calls off a day without saying at what time."
        elif str(event.get("UID", "")) not in whole and not _long_over(day, reader.now):
            yield (
                f"{_title(event, reader)}: it calls off one day of an event that the file does "
                "not hold. Export the whole rota."
            )


def _passed_over(event: Any, now: datetime) -> bool:
    """Whether the event was called off, or was over a day ago and comes never again: who was on
    call then may have left, and what it says changes nothing."""
    if _called_off(event):
        return True
    again = {"RRULE", "RDATE", "RECURRENCE-ID"} & set(event)
    end = None if event.errors or again else getattr(event.get("DTEND"), "dt", None)
    return isinstance(end, datetime) and _long_over(end, now)


def _long_over(moment: datetime, now: datetime) -> bool:
    return _instant(moment) < now - timedelta(days=1)


def _notes(reader: _Reader, events: list[Any]) -> Iterator[str]:
    if reader.floating:
        yield (
            f"{reader.floating} of {len(events)} events have times without a zone: they are taken "
            f"as {reader.zone.key} time."
        )


def _event_problems(event: Any, reader: _Reader) -> list[str]:
    try:
        _check_times(event, reader)
        _who(event, reader)
    except _Wrong as wrong:
        return [f"{_title(event, reader)}: {wrong}"]
    return []


def _title(event: Any, reader: _Reader) -> str:
    """The event by its summary and its date, for a sentence."""
    said = " ".join(str(event.get("SUMMARY", "")).split())[:80] or "An event without a title"
    start = getattr(event.get("DTSTART"), "dt", None) if not event.errors else None
    if isinstance(start, datetime):
        local = start.astimezone(reader.zone) if start.tzinfo is not None else start
        return f"{said}, {local:%a %d %b %Y %H:%M}"
    return f"{said}, {start:%a %d %b %Y}" if isinstance(start, date) else said


def _check_times(event: Any, reader: _Reader) -> None:
    for name, _ in event.errors:
        raise _Wrong(f"its {name or 'content'} cannot be read.")
    if not str(event.get("UID", "")).strip():
        raise _Wrong("it has no UID, so that a later file could not replace it.")
    if "DTSTART" not in event:
        raise _Wrong("it has no beginning (DTSTART).")
    if "DTEND" not in event and "DURATION" not in event:
        raise _Wrong("it has no end (DTEND).")
    kinds = {_zone_kind(event[name]) for name in ("DTSTART", "DTEND") if name in event}
    if len(kinds) > 1:
        raise _Wrong("it begins with a zone and ends without one, or the other way round.")
    begun = event["DTSTART"].dt
    if "DTEND" in event and _instant(event["DTEND"].dt) <= _instant(begun):
        raise _Wrong("it ends before it begins.")
    if "DTEND" not in event and event["DURATION"].dt <= timedelta(0):
        raise _Wrong("it lasts no time.")
    reader.floating += kinds == {"floating"}
    _check_rule(event, reader)


def _zone_kind(value: Any) -> str:
    if isinstance(value, list):
        raise _Wrong("it says twice when it begins or ends.")
    if not isinstance(value.dt, datetime):
        raise _Wrong("it is an all-day event: write from what time to what time.")
    if value.dt.tzinfo is not None:
        return "zoned"
    named = value.params.get("TZID")
    if named is not None:
        raise _Wrong(f"its time zone {str(named)[:60]!r} is not known here.")
    return "floating"


def _check_rule(event: Any, reader: _Reader) -> None:
    rule = event.get("RRULE")
    if rule is None:
        return
    if isinstance(rule, list):
        raise _Wrong("it has two rules of repetition.")
    if not _followed(rule):
        raise _Wrong(
            "it repeats in a way that is not read here: write it as daily, weekly on named days, "
            "or monthly, or without repetition."
        )
    begun = event["DTSTART"].dt
    begun = begun if begun.tzinfo is not None else begun.replace(tzinfo=reader.zone)
    if reader.now - begun.astimezone(UTC) > OLDEST:
        raise _Wrong("it repeats since more than five years: begin it anew.")


def _followed(rule: Mapping[str, Any]) -> bool:
    """Whether the rule surely reaches a next day: others (an interval of nothing, the 30th of
    February) would be searched for ever."""
    said = {str(name).upper(): value for name, value in rule.items()}
    every = [int(n) for n in said.get("INTERVAL", [1])]
    kind = (said.get("FREQ") or [""])[0].upper()
    days = "BYDAY" not in said or kind == "WEEKLY" or (kind == "DAILY" and every == [1])
    return kind in _KINDS and set(said) <= _PARTS and days and all(1 <= n <= 52 for n in every)


def _duties(
    calendar: icalendar.Calendar, events: list[Any], reader: _Reader
) -> tuple[list[Duty], list[str]]:
    """Every occurrence from now on, or what is wrong with them."""
    timed = {str(e["UID"]) for e in events if "DURATION" in e}
    duties, problems = [], []
    for occurrence in _occurrences(calendar, reader.now):
        try:
            duty = _duty(occurrence, reader, str(occurrence["UID"]) in timed)
        except _Wrong as wrong:
            problems.append(f"{_title(occurrence, reader)}: {wrong}")
            continue
        if duty.until_at > reader.now:
            duties.append(duty)
    return duties, problems


def _occurrences(calendar: icalendar.Calendar, now: datetime) -> list[Any]:
    """What the file says of the next 60 days, in order, cancelled ones left out."""
    try:
        found = recurring_ical_events.of(calendar).between(now, now + AHEAD)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise BadRotaFile(
            "A repeated event of the file cannot be followed: its rule or its exceptions do not "
            "fit its beginning. Export it without repetition."
        ) from error
    if len(found) > MOST:
        raise BadRotaFile(
            f"The file holds more than {MOST} shifts in the next 60 days. Export fewer."
        )
    return [e for e in found if not _called_off(e)]


def _instant(moment: datetime) -> datetime:
    """The instant, near enough where no zone is said."""
    return moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _duty(event: Any, reader: _Reader, timed: bool) -> Duty:
    person, level = _who(event, reader)
    start, end = event["DTSTART"].dt, event["DTEND"].dt
    from_at, until_at = _moment(start, reader.zone), _moment(end, reader.zone)
    if timed and until_at - from_at != end.replace(tzinfo=None) - start.replace(tzinfo=None):
        raise _Wrong(
            "the clocks change during it and it says only how long it lasts: write its end."
        )
    return Duty(level, person.staff_id, from_at, until_at, str(event["UID"]), _title(event, reader))


def _moment(said: datetime, ward_zone: ZoneInfo) -> datetime:
    """The instant; a wall time that occurs twice or not at all is never guessed."""
    zone = ward_zone if said.tzinfo is None else said.tzinfo
    if not isinstance(zone, ZoneInfo) or zone.key == "UTC":
        return said.astimezone(UTC)
    try:
        return entry.moment(said.replace(tzinfo=None, fold=0), zone)
    except entry.AskWhich:
        raise _Wrong(f"{said:%H:%M} occurs twice that night: write it in UTC.") from None
    except BadValue as error:
        raise _Wrong(str(error)) from None


def _who(event: Any, reader: _Reader) -> tuple[Person, Level]:
    """Who has the duty, and which."""
    named, level = _read_summary(" ".join(str(event.get("SUMMARY", "")).split()))
    return _person(event, named, reader), _level(event, level)


def _read_summary(summary: str) -> tuple[str, str]:
    """The name and the level that a title holds, either blank."""
    if level_of(summary) is not None:
        return "", summary
    for shape in (_LEVEL_FIRST, _LEVEL_LAST):
        found = shape.match(summary)
        if found is not None:
            return found["name"].strip(), found["level"].strip()
    return summary, ""


def level_of(said: str) -> Level | None:
    """The level that a word or two name; None when they name none."""
    plain = re.sub(r"[\s_-]+", " ", said).strip().lower()
    plain = plain.removeprefix("on call ").removesuffix(" on call")
    return next((level for level in Level if level.replace("_", " ") == plain), None)


def _level(event: Any, said: str) -> Level:
    level = level_of(said) if said else None
    if said and level is None:
        raise _Wrong(f"{said[:60]!r} is no level. The levels are {_levels()}.")
    filed = {found for word in _categories(event) if (found := level_of(word)) is not None}
    if level is None and not filed:
        raise _Wrong(
            f"it names no level. Write it as 'Registrar: name'; the levels are {_levels()}."
        )
    wanted = filed if level is None else filed | {level}
    if len(wanted) > 1:
        raise _Wrong(f"it names {len(wanted)} levels: write one event a level.")
    return wanted.pop()


def _levels() -> str:
    return ", ".join(level.replace("_", " ") for level in Level)


def _categories(event: Any) -> list[str]:
    held = event.get("CATEGORIES", [])
    return [
        str(word) for part in (held if isinstance(held, list) else [held]) for word in part.cats
    ]


def _person(event: Any, named: str, reader: _Reader) -> Person:
    held = event.get("ATTENDEE", [])
    attendees = held if isinstance(held, list) else [held]
    if named:
        person = _known(named, reader)
        found = [p for a in attendees if (p := _attendee(a, reader)) is not None]
        if found and person not in found:
            raise _Wrong(f"its title names {person.name}, its attendee is {found[0].name}.")
        return person
    if len(attendees) != 1:
        raise _Wrong("it does not say who is on call: name one person in its title.")
    one = _attendee(attendees[0], reader)
    if one is None:
        said = str(attendees[0].params.get("CN", attendees[0]))[:60]
        raise _Wrong(f"{said!r} is not on the staff list.")
    return _working(one)


def _attendee(attendee: Any, reader: _Reader) -> Person | None:
    """The member of staff that an attendee is; None when it is nobody of them."""
    address = re.sub(r"^mailto:", "", str(attendee), flags=re.IGNORECASE).strip().lower()
    known = reader.people.get(reader.emails.get(address, address))
    if known is not None:
        return known
    same = reader.of_name(str(attendee.params.get("CN", "")))
    return same[0] if len(same) == 1 else None


def _known(named: str, reader: _Reader) -> Person:
    by_id = reader.people.get(reader.emails.get(named.lower(), named))
    if by_id is not None:
        return _working(by_id)
    same = reader.of_name(named)
    if not same:
        raise _Wrong(f"{named[:60]!r} is not on the staff list.")
    if len(same) > 1:
        ids = " or ".join(p.staff_id for p in same)
        raise _Wrong(f"{named[:60]!r} is the name of several people: write the id, {ids}.")
    return _working(same[0])


def _working(person: Person) -> Person:
    if not person.active:
        raise _Wrong(f"{person.name} is on the staff list no more.")
    return person


def _plain(name: str) -> str:
    """A name without titles, accents, dots and capitals."""
    apart = unicodedata.normalize("NFKD", name).casefold()
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    words = re.sub(r"[\W_]+", " ", bare).split()
    return " ".join(w for w in words if w not in _TITLES)
