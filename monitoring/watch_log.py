"""What the watchers wrote down: deadlines that passed, and when each last made its round."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from monitoring.domain import Severity
from monitoring.rows import HeartbeatRow, WatchFindingRow, table_of
from monitoring.store import insert_once

_watch = table_of(WatchFindingRow)
_heartbeat = table_of(HeartbeatRow)


class WatchFinding(NamedTuple):
    """A deadline that passed: dated at the deadline, found when the watcher looked."""

    flap_id: str
    rule: str
    severity: Severity
    due_at: datetime
    found_at: datetime
    because: str


def insert_watch_finding(conn: Connection, finding: WatchFinding) -> bool:
    """Write it once; False when this deadline was found before, and nothing changes."""
    statement = insert_once(conn, WatchFindingRow).values(**finding._asdict())
    new = statement.on_conflict_do_nothing().returning(_watch.c.id)
    return conn.execute(new).first() is not None


def watch_findings_of(
    conn: Connection, flap_id: str, since: datetime | None = None
) -> list[WatchFinding]:
    """The deadlines of this flap that passed, from ``since`` on, first due first."""
    columns = [_watch.c[name] for name in WatchFinding._fields]
    chosen = select(*columns).where(_watch.c.flap_id == flap_id)
    if since is not None:
        chosen = chosen.where(_watch.c.due_at >= since)
    return [
        WatchFinding(*row)._replace(severity=Severity(row[2]))
        for row in conn.execute(chosen.order_by(_watch.c.due_at, _watch.c.id))
    ]


def known_deadlines(conn: Connection, since: datetime) -> frozenset[tuple[str, str, str, datetime]]:
    """(flap, rule, severity, deadline) of every deadline written down, from ``since`` on."""
    columns = (_watch.c.flap_id, _watch.c.rule, _watch.c.severity, _watch.c.due_at)
    rows = conn.execute(select(*columns).where(_watch.c.due_at >= since))
    return frozenset((row[0], row[1], row[2], row[3]) for row in rows)


class Heartbeat(NamedTuple):
    """When a watcher last finished a round, and how many it has made."""

    worker: str
    at: datetime
    ticks: int
    note: dict[str, Any]

    @property
    def late(self) -> list[str]:
        """Who or what should have been told and was not, in sentences without names."""
        alerts = [f"alert {i} was told to nobody in time" for i in self.note.get("behind", [])]
        return alerts + list(self.note.get("unsent", []))


def beat(conn: Connection, worker: str, at: datetime, note: Mapping[str, Any]) -> None:
    """The watcher finished a round."""
    first = insert_once(conn, HeartbeatRow).values(worker=worker, at=at, ticks=1, note=dict(note))
    again = {"at": at, "ticks": _heartbeat.c.ticks + 1, "note": dict(note)}
    conn.execute(first.on_conflict_do_update(index_elements=["worker"], set_=again))


def heartbeats(conn: Connection) -> list[Heartbeat]:
    """Every watcher that ever worked on this record, the latest first."""
    columns = [_heartbeat.c[name] for name in Heartbeat._fields]
    rows = conn.execute(select(*columns).order_by(_heartbeat.c.at.desc()))
    return [Heartbeat(*row) for row in rows]
