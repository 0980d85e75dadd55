"""The outbox: which messages are to be sent, who is sending them, and what became of each.

A message is claimed for a short time, sent outside every transaction, and marked afterwards: a
crash between sending and marking means the same message again, with the same key, never silence.
Claims compare and set, so several workers may deliver at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote

from sqlalchemy import ColumnElement, Connection, and_, case, or_, select, update
from sqlalchemy.sql.dml import Update

from monitoring.call_rows import ContactRow, PageRow
from monitoring.domain import PageKind, PageState, Severity
from monitoring.paging import StoredPage, read_page
from monitoring.rows import StaffRow, table_of

LEASE = timedelta(seconds=30)
"""How long a claimed message is left to its claimer. Longer than any provider is waited for."""

LONGEST_PAUSE = timedelta(seconds=60)
"""The longest wait before a message that did not go out is tried again."""

BEHIND_AFTER = timedelta(seconds=60)
"""How long after its time a message may lie untouched before the outbox is called behind."""

LEFT_AFTER = timedelta(seconds=10)
"""How long a message lies before a worker that cannot send it says so: another may be able to,
and takes it in far less, however long messages are gathered."""

_FAR = timedelta(minutes=2)
"""No time written here lies further ahead, unless the clock has been set back since."""

_page = table_of(PageRow)
_staff = table_of(StaffRow)
_contact = table_of(ContactRow)
_columns = [_page.c[name] for name in StoredPage._fields]


@dataclass(frozen=True, slots=True)
class Parcel:
    """Messages that go out together: to one person or one room, on one channel, worst first.

    ``token`` proves the claim. ``address`` is the person's own on the channel, None when there is
    none or the channel is one room.
    """

    token: str
    channel: str
    staff_id: str | None
    address: str | None
    pages: tuple[StoredPage, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(p.key for p in self.pages)


def _due(now: datetime) -> ColumnElement[bool]:
    """Waiting, its time has come, and nobody is at it. A first try waits for no time at all."""
    return and_(
        _page.c.state == PageState.WAITING,
        or_(_page.c.attempts == 0, _page.c.try_at <= now, _page.c.try_at > now + _FAR),
        or_(
            _page.c.leased_until.is_(None), _page.c.leased_until <= now,
            _page.c.leased_until > now + _FAR,
        ),
    )  # fmt: skip


def channels_due(conn: Connection, now: datetime) -> set[str]:
    """The channels that have something to send now."""
    return set(conn.execute(select(_page.c.channel).where(_due(now)).distinct()).scalars())


def _left(now: datetime) -> ColumnElement[bool]:
    """Due since a while, and nobody took it."""
    return and_(_due(now), _page.c.try_at <= now - LEFT_AFTER)


def channels_left(conn: Connection, now: datetime) -> set[str]:
    """The channels with something that nobody took in time."""
    return set(conn.execute(select(_page.c.channel).where(_left(now)).distinct()).scalars())


def claim(
    conn: Connection, channel: str, *, token: str, now: datetime, bundle: timedelta, most: int,
    lease: timedelta = LEASE,
) -> Parcel | None:  # fmt: skip
    """The next messages to send on the channel, now ours until the lease ends; None when there is
    nothing that is ripe.

    Messages to the same person, or room, are ripe ``bundle`` after the oldest was written and go
    together, those of the ``most`` worst alerts at most; a trial goes alone. What was meant for
    somebody who has left the ward is dropped.
    """
    while group := _worst(_groups(conn, channel, now), now, bundle):
        chosen = _of_worst_alerts(group, 1 if _trial(group[0]) else most)
        staff_id = chosen[0].staff_id
        if staff_id is not None and not _works_here(conn, staff_id):
            _drop(conn, [p.id for p in group], "Not sent: this person has left the ward.")
            continue
        taken = _take(conn, [p.id for p in chosen], token, now, lease)
        if taken:
            address = _address(conn, staff_id, channel)
            return Parcel(token, channel, staff_id, address, tuple(sorted(taken, key=_order)))
        return None
    return None


class _Slip(NamedTuple):
    """As much of a message as is needed to choose the next."""

    id: int
    key: str
    kind: str
    alert_id: int | None
    staff_id: str | None
    severity: Severity
    created_at: datetime


Group = list[_Slip]
_slip_columns = [_page.c[name] for name in _Slip._fields]


def _groups(conn: Connection, channel: str, now: datetime) -> Iterable[Group]:
    found: dict[tuple[str | None, bool], Group] = {}
    due = select(*_slip_columns).where(_page.c.channel == channel, _due(now))
    for row in conn.execute(due.order_by(_page.c.id)):
        slip = _Slip(*row)._replace(severity=Severity(row.severity))
        found.setdefault((slip.staff_id, _trial(slip)), []).append(slip)
    return found.values()


def _worst(groups: Iterable[Group], now: datetime, bundle: timedelta) -> Group | None:
    """The ripe group with the worst message, the oldest of those. A message from the future was
    written by another clock: it is not held for longer than any other."""

    def ripe(group: Group) -> bool:
        oldest = min(p.created_at for p in group)
        return oldest <= now - bundle or oldest > now + bundle

    return min(filter(ripe, groups), key=lambda g: min(map(_order, g)), default=None)


def _of_worst_alerts(group: Group, most: int) -> Group:
    """All that is to be said of so many alerts: after an hour without a provider an alert has
    several messages, and they count as one."""
    ordered = sorted(group, key=_order)
    alerts = list(dict.fromkeys(map(_about, ordered)))[:most]
    return [slip for slip in ordered if _about(slip) in alerts]


def _about(page: _Slip | StoredPage) -> int | str:
    """The alert a message is about; a trial is about itself."""
    return page.key if page.alert_id is None else page.alert_id


def _trial(page: _Slip) -> bool:
    return page.kind == PageKind.TEST


def _order(page: _Slip | StoredPage) -> tuple[int, int]:
    """Worst first, then oldest."""
    return -page.severity.rank, page.id


def _works_here(conn: Connection, staff_id: str) -> bool:
    return bool(conn.execute(select(_staff.c.active).where(_staff.c.id == staff_id)).scalar())


def _address(conn: Connection, staff_id: str | None, channel: str) -> str | None:
    if staff_id is None:
        return None
    own = (_contact.c.staff_id == staff_id, _contact.c.channel == channel)
    return conn.execute(select(_contact.c.address).where(*own)).scalar()


def _take(
    conn: Connection, ids: Sequence[int], token: str, now: datetime, lease: timedelta
) -> list[StoredPage]:
    """Compare and set: what another took meanwhile is not among what comes back."""
    claimed = (
        update(_page)
        .where(_page.c.id.in_(ids), _due(now))
        .values(leased_by=token, leased_until=now + lease)
        .returning(*_columns)
    )
    return [read_page(row) for row in conn.execute(claimed)]


def _drop(conn: Connection, ids: Sequence[int], why: str) -> None:
    waiting = (_page.c.id.in_(ids), _page.c.state == PageState.WAITING)
    conn.execute(update(_page).where(*waiting).values(state=PageState.DROPPED, answer=why))


_tried_once = case((_page.c.attempts == 0, 1), else_=_page.c.attempts)

_FREE: dict[str, Any] = {"leased_by": None, "leased_until": None}


def _ours(parcel: Parcel) -> Update:
    ids = [p.id for p in parcel.pages]
    return update(_page).where(_page.c.id.in_(ids), _page.c.leased_by == parcel.token)


def mark_sent(conn: Connection, parcel: Parcel, answer: str, now: datetime) -> int:
    """The provider took them. Returns how many were still ours to mark.

    One that was dropped while it was under way was sent all the same, and is marked so.
    """
    sent = {"state": PageState.SENT, "sent_at": now, "answer": answer}
    unsent = _ours(parcel).where(_page.c.state != PageState.SENT)
    return conn.execute(
        unsent.values(**sent, **_FREE, attempts=_page.c.attempts + 1)
    ).rowcount  # fmt: skip


def mark_failed(conn: Connection, parcel: Parcel, answer: str, now: datetime) -> int:
    """The provider did not take them: each is tried again after a pause that doubles with its
    attempts. Returns how many were still ours to mark."""
    for page in parcel.pages:
        again = {"try_at": now + pause(page.attempts), "answer": answer}
        waiting = _ours(parcel).where(_page.c.id == page.id, _page.c.state == PageState.WAITING)
        conn.execute(waiting.values(**again, attempts=_page.c.attempts + 1))
    return conn.execute(_ours(parcel).values(**_FREE)).rowcount


def pause(attempts: int) -> timedelta:
    """The wait after so many earlier attempts: 1, 2, 4 and so on up to 60 s."""
    return min(timedelta(seconds=2 ** min(attempts, 10)), LONGEST_PAUSE)


def hold_back(conn: Connection, why: Mapping[str, str], now: datetime) -> int:
    """Messages that nobody took, on channels that cannot be used here, stay waiting with the
    reason as their answer. They stay due: another worker that has the channel, or has it again,
    takes them at its next look. Returns how many were left."""
    held = 0
    for channel, reason in why.items():
        told = {"try_at": now, "answer": reason, "attempts": _tried_once}
        left = update(_page).where(_page.c.channel == channel, _left(now))
        held += conn.execute(left.values(**told)).rowcount
    return held


def audit(conn: Connection, now: datetime) -> list[str]:
    """What the outbox is behind with, in sentences without names; empty when with nothing.

    A message is late when its time came over a minute ago and nobody has tried it since (no worker
    delivers, or its channel hangs), or when it was written over a minute ago and its provider has
    refused it ever since.
    """
    untried = and_(
        _page.c.try_at <= now - BEHIND_AFTER,
        or_(_page.c.leased_until.is_(None), _page.c.leased_until <= now - BEHIND_AFTER),
    )
    refused = and_(
        _page.c.attempts > 0, _page.c.leased_by.is_(None), _page.c.created_at <= now - BEHIND_AFTER
    )
    late = (_page.c.state == PageState.WAITING, or_(untried, refused))
    count: dict[str, int] = {}
    for channel in conn.execute(select(_page.c.channel).where(*late)).scalars():
        count[channel] = count.get(channel, 0) + 1
    return [
        f"{number} message{'s' if number > 1 else ''} on {channel} not handed over in time"
        for channel, number in sorted(count.items())
    ]


def text(parcel: Parcel, link_base: str) -> tuple[str, str]:
    """What one parcel says: its title and its body, ending in a link for each alert.

    Several alerts are one message that names each, worst first, before anything else. Of several
    messages about one alert the newest speaks.
    """
    newest: dict[int | str, StoredPage] = {}
    for page in sorted(parcel.pages, key=lambda p: p.id):
        newest[_about(page)] = page
    pages = sorted(newest.values(), key=_order)
    links = [link for p in pages if (link := _link(p, link_base))]
    if len(pages) == 1:
        return pages[0].title, "\n".join([pages[0].body, *links])
    count = [
        f"{number} {severity.name}"
        for severity in (Severity.RED, Severity.AMBER, Severity.YELLOW)
        if (number := sum(p.severity is severity for p in pages))
    ]
    lines = [f"{place}. {p.title}" for place, p in enumerate(pages, start=1)]
    return f"{len(pages)} alerts: {', '.join(count)}", "\n".join([*lines, *links])


def _link(page: StoredPage, base: str) -> str | None:
    if page.alert_id is None:
        return None
    return f"{base}/alerts?alert={page.alert_id}&page={quote(page.key)}"
