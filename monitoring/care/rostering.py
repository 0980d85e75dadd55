"""The verbs of being on call: shifts, where people are reached, rota files, and test pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Connection

from monitoring import paging, people, rota, shifts, store
from monitoring.care.bedside import UnknownPerson, known_person
from monitoring.domain import SURGEONS, ChannelKind, Level, PageKind, Refused, Role, Severity
from monitoring.paging import Contact, NewPage
from monitoring.rota import Duty, Shift

LONGEST = timedelta(days=7)
"""A shift longer than this is a slip of the date."""

AT_ONCE = 5000
"""Names of events asked for in one statement: a file may hold years."""

FITS: dict[Level, frozenset[Role]] = {
    Level.NURSE: frozenset({Role.NURSE, Role.CHARGE_NURSE}),
    Level.CHARGE_NURSE: frozenset({Role.NURSE, Role.CHARGE_NURSE}),
    Level.REGISTRAR: SURGEONS,
    Level.MICROSURGEON: SURGEONS,
    Level.CONSULTANT: frozenset({Role.CONSULTANT}),
}
"""Who may be on call at a level."""

_TELEPHONE = re.compile(r"\+?[0-9]{3,20}")
_EMAIL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_PLAIN = re.compile(r"@?[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SPACING = re.compile(r"[ ().\-/]")


@dataclass(frozen=True, slots=True)
class Rostered:
    """What a rota file changes: shifts that are new, shifts of earlier files that it replaces,
    shifts that stay as they are; and why it may not be imported, if so."""

    new: tuple[Shift, ...]
    replaced: tuple[Shift, ...]
    same: int
    problems: tuple[str, ...] = ()


def enter_shift(
    record: store.Record, *, ward: str, level: Level, staff_id: str, from_at: datetime,
    until_at: datetime, by: str, now: datetime, channels: Sequence[str] = (),
) -> Shift:  # fmt: skip
    """Put somebody on call for the ward at a level in [from_at, until_at).

    Two people at one level are both told. Raises Refused for hours that cannot be, somebody whose
    role does not fit the level, the same person twice, or a channel that nobody knows;
    UnknownPerson.
    """
    with record.write() as conn:
        known_person(conn, by)
        shifts.lock_person(conn, staff_id)
        wanted = Shift(0, ward, level, staff_id, from_at, until_at, tuple(channels))
        who = known_person(conn, staff_id)
        _check_hours(wanted, now)
        _check_fits(who, level)
        _check_channels(conn, channels)
        near = shifts.shifts_between(conn, [ward], from_at, until_at)
        other = rota.same_person_twice(wanted, near)
        if other is not None:
            raise Refused(
                f"{who.name} is on call as {_said(level)} at that time already: end that shift, "
                "or enter the hours beside it."
            )
        made = shifts.insert_shift(conn, wanted, by=by, now=now)
    return wanted._replace(id=made)


def end_shift(record: store.Record, *, shift_id: int, by: str, now: datetime) -> Shift:
    """The person is on call no more, from now on. Raises Refused for a shift that is over."""
    with record.write() as conn:
        known_person(conn, by)
        found = shifts.shift_by_id(conn, shift_id)
        if found is None:
            raise Refused(f"There is no shift {shift_id}.")
        shift, ended_at = found
        if ended_at is not None or shift.until_at <= now:
            raise Refused("That shift is over already.")
        shifts.end_shift(conn, shift_id, by=by, now=now)
    return shift


def set_contact(
    record: store.Record, *, staff_id: str, channel: str, address: str, by: str, now: datetime
) -> Contact:
    """Where the person is reached on a channel from now on: a telephone number, an e-mail address
    or a plain id. Raises Refused for anything else; UnknownPerson."""
    with record.write() as conn:
        known_person(conn, by)
        known_person(conn, staff_id)
        _personal(conn, channel)
        contact = Contact(staff_id, channel, read_address(address))
        paging.set_contact(conn, contact, by=by, at=now)
    return contact


def remove_contact(record: store.Record, *, staff_id: str, channel: str, by: str) -> None:
    """The person is reached on the channel no more. Raises Refused where they were not."""
    with record.write() as conn:
        known_person(conn, by)
        if not any((c.staff_id, c.channel) == (staff_id, channel) for c in paging.contacts(conn)):
            raise Refused(f"There is no contact on {channel} to remove.")
        paging.remove_contact(conn, staff_id, channel)


def read_address(said: str) -> str:
    """An address as channels want it: a telephone number without its spacing. Raises Refused."""
    stripped = said.strip()
    number = _SPACING.sub("", stripped)
    if _TELEPHONE.fullmatch(number):
        return number
    if len(stripped) <= 120 and (_EMAIL.fullmatch(stripped) or _PLAIN.fullmatch(stripped)):
        return stripped
    raise Refused(
        "That is no address: give a telephone number such as +44 7700 900123, an e-mail address, "
        "or the person's id on the channel in letters and digits."
    )


def preview_rota(
    record: store.Record, *, ward: str, duties: Iterable[Duty], now: datetime,
    uids: Iterable[str] = (),
) -> Rostered:  # fmt: skip
    """What importing these duties would change, and what stands against it; nothing is written."""
    with record.read() as conn:
        return _plan(conn, ward, list(duties), uids, now)


def import_shifts(
    record: store.Record, *, ward: str, duties: Iterable[Duty], by: str, now: datetime,
    uids: Iterable[str] = (),
) -> Rostered:  # fmt: skip
    """The duties of a rota file, all or none. Of an event that was imported before, what lies
    ahead is replaced and what is past stays; a duty that runs begins now.

    ``uids`` names the file's events that have no duty any more: called off, or moved into the
    past. Whoever was on call by them is so no more. Raises Refused with the first problem and how
    many more there are.
    """
    coming = list(duties)
    with record.write() as conn:
        known_person(conn, by)
        for staff_id in sorted({d.staff_id for d in coming}):
            shifts.lock_person(conn, staff_id)
        plan = _plan(conn, ward, coming, uids, now)
        if plan.problems:
            more = len(plan.problems) - 1
            rest = f" And {more} more." if more else ""
            raise Refused(f"{plan.problems[0]}{rest} Nothing was imported.")
        for shift in plan.replaced:
            shifts.end_shift(conn, shift.id, by=by, now=now)
        for shift in plan.new:
            shifts.insert_shift(conn, shift, by=by, now=now)
    return plan


def _plan(
    conn: Connection, ward: str, duties: list[Duty], uids: Iterable[str], now: datetime
) -> Rostered:
    coming = [d for d in duties if d.until_at > now]
    named = sorted({d.uid for d in duties} | set(uids))
    known = [
        shift for n in range(0, len(named), AT_ONCE)
        for shift in shifts.imported_after(conn, ward, named[n : n + AT_ONCE], now)
    ]  # fmt: skip
    kept = {_ahead(s, now): s for s in known}
    wanted = [_shift_of(ward, d, now) for d in coming if _ahead(d, now) not in kept]
    same = {s.id for d in coming if (s := kept.get(_ahead(d, now))) is not None}
    replaced = [s for s in known if s.id not in same]
    problems = _import_problems(conn, ward, coming, wanted, replaced, now)
    return Rostered(tuple(wanted), tuple(replaced), len(same), tuple(dict.fromkeys(problems)))


def _ahead(of: Shift | Duty, now: datetime) -> tuple[object, ...]:
    """What of a shift lies ahead, by which it is known as the same."""
    return of.level, of.staff_id, max(of.from_at, now), of.until_at, of.uid


def _shift_of(ward: str, duty: Duty, now: datetime) -> Shift:
    """The shift that a duty makes; what of it is past is left alone."""
    return Shift(
        0, ward, duty.level, duty.staff_id, max(duty.from_at, now), duty.until_at, (), duty.uid
    )


def _import_problems(
    conn: Connection, ward: str, duties: list[Duty], wanted: list[Shift], replaced: list[Shift],
    now: datetime,
) -> list[str]:  # fmt: skip
    if not duties and not replaced:
        return ["The file holds no shift that is still to come."]
    staff = {s.id: s for s in people.list_staff(conn)}
    found = []
    for duty in duties:
        try:
            _check_hours(_shift_of(ward, duty, now)._replace(from_at=duty.from_at), now)
            if duty.staff_id not in staff:
                raise UnknownPerson(f"Nobody on the staff list is {duty.staff_id!r}.")
            _check_fits(staff[duty.staff_id], duty.level)
        except Refused as error:
            found.append(f"{duty.title}: {error}")
    return found or _twice(conn, ward, wanted, replaced, staff)


def _twice(
    conn: Connection, ward: str, wanted: list[Shift], replaced: list[Shift],
    staff: dict[str, people.Staff],
) -> list[str]:  # fmt: skip
    """The same person twice at one level, within the file or with what is entered already."""
    if not wanted:
        return []
    span = min(s.from_at for s in wanted), max(s.until_at for s in wanted)
    gone = {s.id for s in replaced}
    stand = [s for s in shifts.shifts_between(conn, [ward], *span) if s.id not in gone]
    entered: dict[tuple[str, Level], list[Shift]] = {}
    for shift in stand:
        entered.setdefault((shift.staff_id, shift.level), []).append(shift)
    found = []
    for shift in wanted:
        mine = entered.setdefault((shift.staff_id, shift.level), [])
        other = rota.same_person_twice(shift, mine)
        if other is not None:
            where = "in the file" if other.id == 0 else "on the rota"
            found.append(
                f"{staff[shift.staff_id].name} as {_said(shift.level)} stands twice {where} at "
                f"{shift.from_at:%d %b %Y %H:%M} UTC: correct the file or end the other shift."
            )
        mine.append(shift)
    return found


def send_test_page(
    record: store.Record, *, by: str, now: datetime, staff_id: str | None = None,
    channel: str | None = None, key: UUID | None = None,
) -> list[str]:  # fmt: skip
    """Write a test page to a person on every way that reaches them (or on the one channel), or to
    a shared room. Returns the keys of the pages; the same ``key`` again writes nothing new.

    Raises Refused where nothing would be reached; UnknownPerson.
    """
    with record.write() as conn:
        asked = known_person(conn, by)
        directory = shifts.directory(conn, now)
        if staff_id is not None:
            who = known_person(conn, staff_id)
            wanted = () if channel is None else (channel,)
            ways = directory.ways(staff_id, (), wanted)
            if not ways:
                raise Refused(
                    f"{who.name} cannot be reached on {channel or 'any channel'}: enter a contact "
                    "on a channel that works."
                )
        else:
            ways = (_room(directory, channel),)
        about = f"test.{uuid4() if key is None else key}.{staff_id or 'all'}"
        pages = [_test_page(f"{about}.{way}", way, staff_id, asked.name) for way in ways]
        paging.insert_pages(conn, pages, now)
    return [page.key for page in pages]


def _room(directory: rota.Directory, channel: str | None) -> str:
    found = None if channel is None else directory.channels.get(channel)
    if found is None or not found.usable:
        raise Refused(f"There is no channel {channel!r} in use: choose one of the list.")
    if found.kind is ChannelKind.PERSONAL:
        raise Refused(f"Channel {channel} reaches people one by one: say whom.")
    return found.name


def _test_page(key: str, channel: str, staff_id: str | None, asked: str) -> NewPage:
    body = f"Test of paging, asked for by {asked}. No flap is meant, nothing is to be done."
    return NewPage(
        key, PageKind.TEST, channel, Severity.NONE, "Test page", body, staff_id=staff_id
    )  # fmt: skip


def _check_hours(shift: Shift, now: datetime) -> None:
    if shift.until_at <= shift.from_at:
        raise Refused("A shift ends after it begins: look at the dates.")
    if shift.until_at - shift.from_at > LONGEST:
        raise Refused("A shift lasts 7 days at most: look at the dates, or enter several.")
    if shift.until_at <= now:
        raise Refused("That shift is over already: look at the dates.")


def _check_fits(who: people.Staff, level: Level) -> None:
    if who.role not in FITS[level]:
        wanted = " or ".join(r.replace("_", " ") for r in Role if r in FITS[level])
        raise Refused(
            f"{who.name} is on the staff list as {_said(who.role)}: on call as {_said(level)} "
            f"goes a {wanted}."
        )


def _check_channels(conn: Connection, wanted: Sequence[str]) -> None:
    known = {c.name: c for c in paging.channels(conn) if c.active}
    for name in wanted:
        if name not in known:
            raise Refused(f"There is no channel {name!r} in use: choose one of the list.")
        if known[name].kind is ChannelKind.SHARED:
            raise Refused(f"Channel {name} is a shared room and no way to one person.")


def _personal(conn: Connection, channel: str) -> None:
    kinds = {c.name: c.kind for c in paging.channels(conn) if c.active}
    if channel not in kinds:
        raise Refused(f"There is no channel {channel!r} in use: choose one of the list.")
    if kinds[channel] is not ChannelKind.PERSONAL:
        raise Refused(f"Channel {channel} needs no address of a person.")


def _said(word: Level | Role) -> str:
    return word.replace("_", " ")
