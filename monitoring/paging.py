"""What was sent to whom: the rungs that alerts reached, and the messages written for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, select, update

from monitoring.call_rows import ChannelRow, ContactRow, PageRow, PageStepRow
from monitoring.domain import ChannelKind, Level, PageKind, PageState, Severity
from monitoring.rows import table_of
from monitoring.store import insert_once

_page = table_of(PageRow)
_step = table_of(PageStepRow)
_channel = table_of(ChannelRow)
_contact = table_of(ContactRow)


class NewPage(NamedTuple):
    """A message to write into the outbox. ``staff_id`` is None for a shared channel."""

    key: str
    kind: PageKind
    channel: str
    severity: Severity
    title: str
    body: str
    alert_id: int | None = None
    chain: int = 0
    number: int = 0
    level: Level | None = None
    staff_id: str | None = None
    late: bool = False


def page_key(alert_id: int, chain: int, number: int | str, to: str | None, channel: str) -> str:
    """The stable name of a message: sent twice, it is known as the same."""
    return f"{alert_id}.{chain}.{number}.{to or 'all'}.{channel}"


def insert_pages(conn: Connection, pages: Iterable[NewPage], now: datetime) -> int:
    """Write messages to be sent from ``now`` on; one whose key is known stays as it is. Returns
    how many are new."""
    new = 0
    for page in pages:
        row = page._asdict() | {
            "created_at": now, "try_at": now, "state": PageState.WAITING, "attempts": 0,
        }  # fmt: skip
        once = insert_once(conn, PageRow).values(**row).on_conflict_do_nothing()
        new += conn.execute(once.returning(_page.c.id)).first() is not None
    return new


class StoredPage(NamedTuple):
    """One message as it stands: waiting (with its attempts and the last answer), sent, or dropped
    because it was not needed any more."""

    id: int
    key: str
    kind: PageKind
    alert_id: int | None
    chain: int
    number: int
    level: Level | None
    staff_id: str | None
    channel: str
    severity: Severity
    title: str
    body: str
    late: bool
    created_at: datetime
    state: PageState
    try_at: datetime
    attempts: int
    sent_at: datetime | None
    answer: str | None
    read_at: datetime | None


_columns = [_page.c[name] for name in StoredPage._fields]
_WORDS: dict[str, Any] = {
    "kind": PageKind, "level": Level, "severity": Severity, "state": PageState,
}  # fmt: skip


def read_page(row: Sequence[Any]) -> StoredPage:
    """A message from the columns of ``StoredPage``, in its order."""
    said = dict(zip(StoredPage._fields, row, strict=True))
    for name, words in _WORDS.items():
        if said[name] is not None:
            said[name] = words(said[name])
    return StoredPage(**said)


def pages_of(conn: Connection, alert_ids: Iterable[int]) -> dict[int, list[StoredPage]]:
    """The messages about these alerts, first written first, in one statement."""
    wanted = list(alert_ids)
    found: dict[int, list[StoredPage]] = {}
    if wanted:
        chosen = select(*_columns).where(_page.c.alert_id.in_(wanted)).order_by(_page.c.id)
        for page in map(read_page, conn.execute(chosen)):
            found.setdefault(page.alert_id or 0, []).append(page)
    return found


def last_pages(conn: Connection, limit: int = 200) -> list[StoredPage]:
    """The newest messages of all, newest first."""
    chosen = select(*_columns).order_by(_page.c.id.desc()).limit(limit)
    return [read_page(row) for row in conn.execute(chosen)]


def page_by_key(conn: Connection, key: str) -> StoredPage | None:
    """The message with this key; None when there is none."""
    row = conn.execute(select(*_columns).where(_page.c.key == key)).first()
    return None if row is None else read_page(row)


def drop_pages(conn: Connection, alert_id: int, why: str) -> None:
    """What was not sent about the alert is not needed any more: somebody has it."""
    waiting = (_page.c.alert_id == alert_id, _page.c.state == PageState.WAITING)
    conn.execute(update(_page).where(*waiting).values(state=PageState.DROPPED, answer=why))


def mark_read(conn: Connection, key: str, at: datetime) -> bool:
    """The link of a message was opened; only the first time counts."""
    unread = (_page.c.key == key, _page.c.read_at.is_(None))
    return conn.execute(update(_page).where(*unread).values(read_at=at)).rowcount == 1


class Step(NamedTuple):
    """A rung that an alert reached. ``sent`` is false for one that a later rung overtook while
    nobody watched; ``gaps`` are the levels that had nobody who could be reached."""

    alert_id: int
    chain: int
    number: int
    levels: tuple[Level, ...]
    gaps: tuple[Level, ...]
    due_at: datetime
    taken_at: datetime
    late: bool
    sent: bool


def insert_step(conn: Connection, step: Step) -> bool:
    """Write a rung once; False when it was taken before, and nothing changes."""
    row = step._asdict() | {"levels": list(step.levels), "gaps": list(step.gaps)}
    once = insert_once(conn, PageStepRow).values(**row).on_conflict_do_nothing()
    return conn.execute(once.returning(_step.c.id)).first() is not None


def update_step(conn: Connection, step: Step) -> None:
    """The rung is taken again: somebody can be reached now."""
    same = (
        _step.c.alert_id == step.alert_id, _step.c.chain == step.chain,
        _step.c.number == step.number,
    )  # fmt: skip
    values = {
        "levels": list(step.levels), "gaps": list(step.gaps), "taken_at": step.taken_at,
        "late": step.late, "sent": step.sent,
    }  # fmt: skip
    conn.execute(update(_step).where(*same).values(**values))


_step_columns = [_step.c[name] for name in Step._fields]


def steps_of(conn: Connection, alert_ids: Iterable[int]) -> dict[int, list[Step]]:
    """The rungs that these alerts reached, first first, in one statement."""
    wanted = list(alert_ids)
    found: dict[int, list[Step]] = {}
    if wanted:
        chosen = select(*_step_columns).where(_step.c.alert_id.in_(wanted)).order_by(_step.c.id)
        for row in conn.execute(chosen):
            step = Step(*row)._replace(
                levels=tuple(map(Level, row.levels)), gaps=tuple(map(Level, row.gaps))
            )
            found.setdefault(step.alert_id, []).append(step)
    return found


class Sent(NamedTuple):
    """A message as far as it shows who was told."""

    number: int
    staff_id: str | None
    channel: str
    created_at: datetime
    sent_at: datetime | None
    read_at: datetime | None
    state: PageState
    attempts: int
    answer: str | None


_highest = (
    select(_step.c.alert_id, _step.c.chain, func.max(_step.c.number), func.max(_step.c.taken_at))
    .where(_step.c.alert_id.in_(bindparam("wanted", expanding=True)))
    .group_by(_step.c.alert_id, _step.c.chain)
)


class Reached(NamedTuple):
    """The highest rung that a paging reached, and when its last one was taken."""

    number: int
    taken_at: datetime | None


NOWHERE = Reached(-1, None)
"""A paging of which no rung was taken yet."""


def highest_steps(conn: Connection, alert_ids: Iterable[int]) -> dict[tuple[int, int], Reached]:
    """The highest rung that each paging of these alerts reached, by (alert, chain)."""
    wanted = list(alert_ids)
    if not wanted:
        return {}
    rows = conn.execute(_highest, {"wanted": wanted})
    return {(row[0], row[1]): Reached(row[2], row[3]) for row in rows}


_told = (
    select(_page.c.alert_id, _page.c.chain, _page.c.number, func.count())
    .where(_page.c.alert_id.in_(bindparam("wanted", expanding=True)))
    .where(_page.c.state != PageState.DROPPED)
    .group_by(_page.c.alert_id, _page.c.chain, _page.c.number)
)


def told(conn: Connection, alert_ids: Iterable[int]) -> dict[tuple[int, int, int], int]:
    """How many messages each rung of these alerts sent or is sending, by (alert, chain, number);
    one that was dropped told nobody."""
    wanted = list(alert_ids)
    if not wanted:
        return {}
    return {(r[0], r[1], r[2]): r[3] for r in conn.execute(_told, {"wanted": wanted})}


class Channel(NamedTuple):
    """A way to reach people as the worker last read it from the settings; never its address."""

    name: str
    kind: ChannelKind
    problem: str | None
    active: bool
    read_at: datetime


def channels(conn: Connection) -> list[Channel]:
    """Every channel that the worker knows, in use or not, by name."""
    columns = [_channel.c[name] for name in Channel._fields]
    rows = conn.execute(select(*columns).order_by(_channel.c.name))
    return [Channel(*row)._replace(kind=ChannelKind(row.kind)) for row in rows]


def write_channels(conn: Connection, now: datetime, read: Iterable[Channel]) -> None:
    """What the settings name now; a channel that they name no more is kept as not in use."""
    found = list(read)
    for channel in found:
        row = channel._asdict()
        once = insert_once(conn, ChannelRow).values(**row)
        conn.execute(once.on_conflict_do_update(index_elements=["name"], set_=row))
    gone = _channel.c.name.not_in([c.name for c in found])
    conn.execute(update(_channel).where(gone).values(active=False, read_at=now))


class Contact(NamedTuple):
    """Where a person is reached on a channel."""

    staff_id: str
    channel: str
    address: str


def contacts(conn: Connection) -> list[Contact]:
    """Where everybody is reached."""
    columns = [_contact.c[name] for name in Contact._fields]
    rows = conn.execute(select(*columns).order_by(_contact.c.staff_id, _contact.c.channel))
    return [Contact(*row) for row in rows]


def set_contact(conn: Connection, contact: Contact, *, by: str, at: datetime) -> None:
    """Where the person is reached on the channel from now on."""
    row = contact._asdict() | {"by": by, "at": at}
    once = insert_once(conn, ContactRow).values(**row)
    conn.execute(once.on_conflict_do_update(index_elements=["staff_id", "channel"], set_=row))


def remove_contact(conn: Connection, staff_id: str, channel: str) -> None:
    """The person is reached on the channel no more."""
    chosen = (_contact.c.staff_id == staff_id, _contact.c.channel == channel)
    conn.execute(_contact.delete().where(*chosen))
