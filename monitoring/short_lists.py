"""The ward's short lists in one statement: holds, returns, orders, rechecks, names, the beat.

An open board reads the ward every few seconds; each list by itself would be a statement. Every
arm of the union says what it is in its first column.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Integer,
    Select,
    String,
    bindparam,
    cast,
    literal,
    null,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.types import TypeEngine

from monitoring.call_rows import OrderRow, PageRow, PageStepRow
from monitoring.domain import AlertState, PageState, Severity
from monitoring.paging import Reached, Sent
from monitoring.rechecks import Recheck
from monitoring.rows import (
    BROKEN,
    AlertRow,
    FlapReturnRow,
    FlapRow,
    HeartbeatRow,
    HoldRow,
    RecheckRow,
    StaffRow,
    UtcInstant,
    from_micros,
    table_of,
)
from monitoring.watch_log import Heartbeat

T = TypeVar("T")
_alert = table_of(AlertRow)
_flap = table_of(FlapRow)
_page = table_of(PageRow)
_step = table_of(PageStepRow)
_hold = table_of(HoldRow)
_return = table_of(FlapReturnRow)
_order = table_of(OrderRow)
_recheck = table_of(RecheckRow)
_staff = table_of(StaffRow)
_beat = table_of(HeartbeatRow)

_KINDS: dict[str, TypeEngine[Any]] = {
    "moment": BigInteger(),
    "word": String(),
    "number": BigInteger(),
}
_COLUMNS = (
    ("kind", "word"), ("owner", "word"), ("first", "moment"), ("second", "moment"),
    ("third", "moment"), ("fourth", "moment"), ("word", "word"), ("louder", "word"),
    ("severity", "word"), ("key", "word"), ("number", "number"), ("place", "number"),
)  # fmt: skip


class ShortLists(NamedTuple):
    """What is known besides flaps, checks and alerts. Holds, returns and orders by flap, earliest
    first, as ``queries.flap_from_rows`` reads them; ``heartbeat`` is the latest of all watchers,
    None before one; ``sent`` are the messages and ``rungs`` the rungs taken of the paging that
    runs, by alert; ``broken`` are the flaps of which one of these makes no sense any more."""

    holds: dict[str, list[Sequence[Any]]]
    returns: dict[str, list[Sequence[Any]]]
    orders: dict[str, list[Sequence[Any]]]
    rechecks: list[Recheck]
    names: dict[str, str]
    heartbeat: Heartbeat | None
    sent: dict[int, list[Sent]]
    rungs: dict[int, list[Reached]]
    broken: list[str]


def _arm(kind: str, **said: Column[Any] | ColumnElement[Any]) -> Select[Any]:
    columns: list[ColumnElement[Any]] = [literal(kind, String()).label("kind")]
    for name, of_kind in _COLUMNS[1:]:
        column = said.get(name)
        if column is None:
            value: ColumnElement[Any] = cast(null(), _KINDS[of_kind])
        elif isinstance(column.type, UtcInstant):
            value = type_coerce(column, BigInteger())
        else:
            value = column
        columns.append(value.label(name))
    return select(*columns)


_holds = _arm(
    "hold", owner=_hold.c.flap_id, first=_hold.c.from_at, second=_hold.c.until_at,
    word=_hold.c.reason, place=_hold.c.id,
)  # fmt: skip
_returns = _arm(
    "return", owner=_return.c.flap_id, first=_return.c.decided_at,
    second=_return.c.into_theatre_at, third=_return.c.perfused_again_at,
    fourth=_return.c.back_at, word=_return.c.finding,
    number=cast(_return.c.salvaged, Integer), place=_return.c.id,
).where(_return.c.withdrawn_at.is_(None))  # fmt: skip
_orders = _arm(
    "order", owner=_order.c.flap_id, first=_order.c.from_at, second=_order.c.until_at,
    third=_order.c.ended_at, word=cast(_order.c.every_minutes, String()), key=_order.c.by,
    place=_order.c.id,
)  # fmt: skip
_one = union_all(
    _holds.where(_hold.c.flap_id == bindparam("flap")),
    _returns.where(_return.c.flap_id == bindparam("flap")),
    _orders.where(_order.c.flap_id == bindparam("flap")),
)
_active = select(_flap.c.id).where(_flap.c.ended_at.is_(None))
_every = union_all(
    _holds.where(_hold.c.flap_id.in_(_active)),
    _returns.where(_return.c.flap_id.in_(_active)),
    _orders.where(_order.c.flap_id.in_(_active)),
    _arm(
        "recheck", owner=_recheck.c.flap_id, first=_recheck.c.asked_at, second=_recheck.c.due_at,
        word=_recheck.c.rule, louder=_recheck.c.if_unmet, severity=_recheck.c.severity,
        key=_recheck.c.check_key, number=_recheck.c.round, place=_recheck.c.id,
    ).where(_recheck.c.met_by_key.is_(None), _recheck.c.cancelled_at.is_(None)),
    _arm("staff", owner=_staff.c.id, word=_staff.c.name),
    _arm(
        "beat", owner=_beat.c.worker, first=_beat.c.at, number=_beat.c.ticks,
        word=cast(_beat.c.note, String()),
    ),
    _arm(
        "sent", owner=cast(_page.c.alert_id, String()), first=_page.c.created_at,
        second=_page.c.sent_at, third=_page.c.read_at, word=_page.c.channel,
        louder=_page.c.staff_id, severity=_page.c.state, key=_page.c.answer,
        number=_page.c.attempts, place=_page.c.number,
    )
    .join(_alert, _alert.c.id == _page.c.alert_id)
    .where(_alert.c.state != AlertState.CLOSED, _page.c.chain == _alert.c.pages),
    _arm(
        "rung", owner=cast(_step.c.alert_id, String()), first=_step.c.taken_at,
        place=_step.c.number,
    )
    .join(_alert, _alert.c.id == _step.c.alert_id)
    .where(_alert.c.state != AlertState.CLOSED, _step.c.chain == _alert.c.pages, _step.c.sent),
)  # fmt: skip


class ListsOfFlap(NamedTuple):
    """One flap's holds, returns and orders, earliest first."""

    holds: list[Sequence[Any]]
    returns: list[Sequence[Any]]
    orders: list[Sequence[Any]]


def lists_of_flap(conn: Connection, flap_id: str) -> ListsOfFlap:
    """One flap's holds, returns and orders, in one statement."""
    found = _by_kind(conn.execute(_one, {"flap": flap_id}).all())
    orders = [_an_order(row) for row in _ordered(found.get("order", ()), 1)]
    return ListsOfFlap(
        [_a_hold(row) for row in _ordered(found.get("hold", ()), 1)],
        [_a_return(row) for row in _ordered(found.get("return", ()), 1)],
        [row for row in orders if row is not None],
    )


def _by_kind(rows: Iterable[Sequence[Any]]) -> dict[str, list[Sequence[Any]]]:
    found: dict[str, list[Sequence[Any]]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row[1:])
    return found


def short_lists(conn: Connection) -> ShortLists:
    """The short lists of every active flap, in one statement."""
    found = _by_kind(conn.execute(_every).all())
    broken: list[str] = []
    beats = _each(found.get("beat", ()), _heartbeat, [])
    orders = _each(_ordered(found.get("order", ()), 1), _an_order, broken)
    return ShortLists(
        holds=_by_flap(_each(_ordered(found.get("hold", ()), 1), _a_hold, broken)),
        returns=_by_flap(_each(_ordered(found.get("return", ()), 1), _a_return, broken)),
        orders=_by_flap(row for row in orders if row is not None),
        rechecks=_each(_ordered(found.get("recheck", ()), 2), _a_recheck, broken),
        names={row[0]: row[5] for row in found.get("staff", ())},
        heartbeat=max(beats, key=lambda beat: beat.at, default=None),
        sent=_by_alert(found.get("sent", ())),
        rungs=_rungs(found.get("rung", ())),
        broken=broken,
    )


def _rungs(rows: Iterable[Sequence[Any]]) -> dict[int, list[Reached]]:
    """The rungs that each alert took, first first."""
    found: dict[int, list[Reached]] = {}
    for row in sorted(rows, key=lambda row: row[10]):
        found.setdefault(int(row[0]), []).append(Reached(row[10], from_micros(row[1])))
    return found


def _by_alert(rows: Iterable[Sequence[Any]]) -> dict[int, list[Sent]]:
    """The messages of each alert, first written first."""
    found: dict[int, list[Sent]] = {}
    for row in sorted(rows, key=lambda row: (row[1], row[10])):
        alert_id, created, sent_at, read_at, _, channel, staff_id, state, answer, tries, rung = row
        sent = Sent(
            rung, staff_id, channel, from_micros(created), _moment(sent_at), _moment(read_at),
            PageState(state), tries, answer,
        )  # fmt: skip
        found.setdefault(int(alert_id), []).append(sent)
    return found


def _each(
    rows: Iterable[Sequence[Any]], make: Callable[[Sequence[Any]], T], broken: list[str]
) -> list[T]:
    """What is made of each row; the owner of one that makes no sense is named as broken."""
    made = []
    for row in rows:
        try:
            made.append(make(row))
        except BROKEN:
            broken.append(row[0])
    return made


def _ordered(rows: Iterable[Sequence[Any]], moment: int) -> list[Sequence[Any]]:
    return sorted(rows, key=lambda row: (row[moment], row[10]))


def _by_flap(rows: Iterable[Sequence[Any]]) -> dict[str, list[Sequence[Any]]]:
    found: dict[str, list[Sequence[Any]]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    return found


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


def _a_hold(row: Sequence[Any]) -> Sequence[Any]:
    """Flap, from, until, reason: the fields of ``domain.Hold`` after the flap."""
    return row[0], from_micros(row[1]), _moment(row[2]), row[5]


def _a_return(row: Sequence[Any]) -> Sequence[Any]:
    """Flap, four moments, finding, salvaged: the fields of ``domain.Return`` after the flap."""
    salvaged = None if row[9] is None else bool(row[9])
    return row[0], *(_moment(micros) for micros in row[1:5]), row[5], salvaged


def _an_order(row: Sequence[Any]) -> Sequence[Any] | None:
    """Flap, interval, from, until, who: the fields of ``domain.Order`` after the flap. One that
    was ended holds until then; None for one that was ended before it began."""
    begins, until, ended = row[1:4]
    until = until if ended is None else min(until, ended)
    if until <= begins:
        return None
    return row[0], float(row[5]), from_micros(begins), from_micros(until), row[8]


def _a_recheck(row: Sequence[Any]) -> Recheck:
    flap_id, asked_at, due_at, _, _, rule, louder, severity, key, number, place = row
    return Recheck(
        place, flap_id, from_micros(asked_at), from_micros(due_at), rule,
        None if louder is None else Severity(louder), None if key is None else UUID(key),
        number, Severity(severity),
    )  # fmt: skip


def _heartbeat(row: Sequence[Any]) -> Heartbeat:
    return Heartbeat(row[0], from_micros(row[1]), row[9], json.loads(row[5]))
