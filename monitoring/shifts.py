"""The rota on the record: who was put on call, who ended it, and the directory of one moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, bindparam, insert, or_, select, update

from monitoring.call_rows import ChannelRow, ContactRow, PageRow, ShiftRow
from monitoring.domain import ChannelKind, Level, PageKind, PageState
from monitoring.rota import HORIZON, Channel, Directory, Person, Shift, Tried
from monitoring.rows import StaffRow, table_of

_shift = table_of(ShiftRow)
_staff = table_of(StaffRow)
_contact = table_of(ContactRow)
_channel = table_of(ChannelRow)
_page = table_of(PageRow)

BEFORE = timedelta(hours=1)
"""How far back the directory still knows who was on call."""

_columns = [_shift.c[name] for name in Shift._fields]
_within = (
    select(*_columns)
    .where(
        _shift.c.until_at > bindparam("since"),
        _shift.c.from_at < bindparam("before"),
        _shift.c.ended_at.is_(None),
    )
    .order_by(_shift.c.from_at, _shift.c.id)
)
_within_wards = _within.where(_shift.c.ward.in_(bindparam("wards", expanding=True)))
_people = select(_staff.c.id, _staff.c.name, _staff.c.active)
_contacts = select(_contact.c.staff_id, _contact.c.channel, _contact.c.address)
_channels = select(*(_channel.c[name] for name in Channel._fields))


def _read(row: Any) -> Shift:
    return Shift(*row)._replace(level=Level(row.level), channels=tuple(row.channels))


def insert_shift(conn: Connection, shift: Shift, *, by: str, now: datetime) -> int:
    """Put somebody on call; the shift's own ``id`` is not used. Returns the new one."""
    row = shift._asdict() | {"channels": list(shift.channels), "by": by, "recorded_at": now}
    del row["id"]
    made: int = conn.execute(insert(_shift).values(**row).returning(_shift.c.id)).scalar_one()
    return made


def lock_person(conn: Connection, staff_id: str) -> None:
    """Make every other writer of this person's shifts wait until this transaction ends, so that
    nobody is put on call twice at once. SQLite lets only one writer in at all."""
    if conn.dialect.name == "postgresql":
        conn.execute(select(_staff.c.id).where(_staff.c.id == staff_id).with_for_update())


def end_shift(conn: Connection, shift_id: int, *, by: str, now: datetime) -> bool:
    """The person is on call no more from ``now`` on; False when that was so already."""
    running = (_shift.c.id == shift_id, _shift.c.ended_at.is_(None))
    ended = update(_shift).where(*running).values(ended_by=by, ended_at=now)
    return conn.execute(ended).rowcount == 1


def shift_by_id(conn: Connection, shift_id: int) -> tuple[Shift, datetime | None] | None:
    """The shift and when it was ended, if it was; None when there is none."""
    chosen = select(*_columns, _shift.c.ended_at).where(_shift.c.id == shift_id)
    row = conn.execute(chosen).first()
    if row is None:
        return None
    *said, ended_at = row
    shift = Shift(*said)
    return shift._replace(level=Level(shift.level), channels=tuple(shift.channels)), ended_at


def shifts_between(
    conn: Connection, wards: Sequence[str] | None, since: datetime, before: datetime
) -> list[Shift]:
    """The shifts that were not ended and run at some time in [since, before), earliest first; of
    every ward when none is named."""
    bounds: dict[str, Any] = {"since": since, "before": before}
    if wards is None:
        return [_read(row) for row in conn.execute(_within, bounds)]
    rows = conn.execute(_within_wards, bounds | {"wards": list(wards)})
    return [_read(row) for row in rows]


def imported_after(conn: Connection, ward: str, uids: Iterable[str], now: datetime) -> list[Shift]:
    """The shifts of these calendar names that are not over and were not ended, earliest first."""
    named = (
        select(*_columns)
        .where(_shift.c.ward == ward, _shift.c.uid.in_(list(uids)), _shift.c.until_at > now)
        .where(_shift.c.ended_at.is_(None))
        .order_by(_shift.c.from_at, _shift.c.id)
    )
    return [_read(row) for row in conn.execute(named)]


def directory(
    conn: Connection, now: datetime, wards: Sequence[str] | None = None, *,
    horizon: timedelta = HORIZON,
) -> Directory:  # fmt: skip
    """Who is on call around ``now`` and how everybody is reached, in four statements however many
    flaps there are: shifts of [now - 1 h, now + horizon], people, contacts, channels."""
    people = [Person(*row) for row in conn.execute(_people)]
    addresses = {(row[0], row[1]): row[2] for row in conn.execute(_contacts)}
    return Directory(
        shifts=tuple(shifts_between(conn, wards, now - BEFORE, now + horizon)),
        people={p.staff_id: p for p in people},
        contacts=addresses,
        channels={c.name: c for c in map(_a_channel, conn.execute(_channels))},
    )


def _a_channel(row: Any) -> Channel:
    return Channel(*row)._replace(kind=ChannelKind(row.kind))


# A message that waits with attempts but without an answer is on its way at this moment.
_answered = or_(
    _page.c.state == PageState.SENT,
    and_(_page.c.state == PageState.WAITING, _page.c.attempts > 0, _page.c.answer.is_not(None)),
    and_(_page.c.state == PageState.DROPPED, _page.c.attempts > 0),
)
_newest = (
    select(_page.c.id).where(_page.c.channel == _channel.c.name, _answered)
    .order_by(_page.c.id.desc()).limit(1)
    .correlate(_channel).scalar_subquery()
)  # fmt: skip
_last_tried = (
    select(
        _page.c.channel, _page.c.staff_id, _page.c.created_at, _page.c.state, _page.c.answer,
        _page.c.kind,
    )
    .where(_page.c.id.in_(select(_newest).select_from(_channel)))
    .order_by(_page.c.channel)
)  # fmt: skip


def last_tried(conn: Connection) -> list[Tried]:
    """What each channel did with the newest message it was asked to carry, in one statement."""
    return [_a_try(row) for row in conn.execute(_last_tried)]


def _a_try(row: Any) -> Tried:
    # The answer of a dropped message says why it was not needed, not what the channel said.
    answer = None if row.state == PageState.DROPPED else row.answer
    failed, test = row.state != PageState.SENT, row.kind == PageKind.TEST
    return Tried(row.channel, row.staff_id, row.created_at, failed, answer, test)
