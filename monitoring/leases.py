"""Who may do a job alone, until when: one row a job, and a number that rises with every holder.

A holder that slept over its lease finds a higher number than its own and writes nothing more:
``require`` is asked inside the transaction that writes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, select, update

from monitoring.call_rows import LeaseRow
from monitoring.rows import table_of
from monitoring.store import RecordUnavailable, insert_once

_lease = table_of(LeaseRow)


class LostLease(RecordUnavailable):
    """Somebody else does this job now; nothing was written."""


class Lease(NamedTuple):
    """Who holds a job, and until when unless it is taken anew."""

    name: str
    owner: str
    fence: int
    until_at: datetime


_columns = [_lease.c[name] for name in Lease._fields]


def lease(conn: Connection, name: str) -> Lease | None:
    """The job's last holder; None before the first."""
    row = conn.execute(select(*_columns).where(_lease.c.name == name)).first()
    return None if row is None else Lease(*row)


def take(
    conn: Connection, name: str, owner: str, now: datetime, holds: timedelta, *,
    gone: frozenset[str] = frozenset(),
) -> Lease | None:  # fmt: skip
    """Take the job, or keep it, until ``now + holds``; None while another has it.

    ``gone`` are owners known to be dead. A lease that would end far later than any could was
    written by a clock that has been set back since, and counts as over.
    """
    until = now + holds
    fresh = {"name": name, "owner": owner, "fence": 1, "until_at": until}
    conn.execute(insert_once(conn, LeaseRow).values(**fresh).on_conflict_do_nothing())
    locked = select(*_columns).where(_lease.c.name == name).with_for_update()
    held = Lease(*conn.execute(locked).one())
    free = held.until_at <= now or held.until_at > now + 4 * holds or held.owner in gone
    if held.owner != owner and not free:
        return None
    fence = held.fence if held.owner == owner else held.fence + 1
    values = {"owner": owner, "fence": fence, "until_at": until}
    conn.execute(update(_lease).where(_lease.c.name == name).values(**values))
    return Lease(name, owner, fence, until)


def require(conn: Connection, mine: Lease) -> None:
    """Raises LostLease when another took the job since. Until this transaction ends nobody can."""
    wanted = select(_lease.c.owner, _lease.c.fence).where(_lease.c.name == mine.name)
    row = conn.execute(wanted.with_for_update(read=True)).first()
    if row is None or (row.owner, row.fence) != (mine.owner, mine.fence):
        raise LostLease("Another worker has taken over: this one writes nothing more.")


def release(conn: Connection, mine: Lease, now: datetime) -> None:
    """Give the job back, so that the next holder need not wait for the lease to run out."""
    chosen = (
        _lease.c.name == mine.name, _lease.c.owner == mine.owner, _lease.c.fence == mine.fence,
    )  # fmt: skip
    conn.execute(update(_lease).where(*chosen).values(until_at=now))
