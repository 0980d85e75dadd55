"""Looks that were asked for: due when, by which check, done by which, or no longer wanted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, bindparam, insert, select, update

from monitoring.domain import Severity
from monitoring.rows import RecheckRow, table_of

_recheck = table_of(RecheckRow)


class Recheck(NamedTuple):
    """A look that was asked for and is neither done nor cancelled."""

    id: int
    flap_id: str
    asked_at: datetime
    due_at: datetime
    rule: str
    if_unmet: Severity | None
    check_key: UUID | None
    round: int
    severity: Severity


_RECHECK = Recheck._fields
_open_rechecks = (
    select(*(_recheck.c[name] for name in _RECHECK))
    .where(_recheck.c.met_by_key.is_(None), _recheck.c.cancelled_at.is_(None))
    .order_by(_recheck.c.due_at, _recheck.c.id)
)
_open_rechecks_of = _open_rechecks.where(_recheck.c.flap_id == bindparam("flap"))
_insert_recheck = insert(_recheck).returning(_recheck.c.id)


def insert_recheck(
    conn: Connection, *, flap_id: str, asked_at: datetime, due_at: datetime, rule: str,
    if_unmet: Severity | None, check_key: UUID | None, severity: Severity, round: int = 1,
) -> int:  # fmt: skip
    """Ask for a look; returns the row's id."""
    row = {
        "flap_id": flap_id, "asked_at": asked_at, "due_at": due_at, "rule": rule,
        "if_unmet": if_unmet, "check_key": None if check_key is None else str(check_key),
        "severity": severity, "round": round,
    }  # fmt: skip
    return int(conn.execute(_insert_recheck, row).scalar_one())


def open_rechecks(conn: Connection, flap_id: str | None = None) -> list[Recheck]:
    """What is asked for and not done, of all flaps or of one, first due first."""
    if flap_id is None:
        rows = conn.execute(_open_rechecks)
    else:
        rows = conn.execute(_open_rechecks_of, {"flap": flap_id})
    return [_read_recheck(*row) for row in rows]


def _read_recheck(
    recheck_id: int, flap_id: str, asked_at: datetime, due_at: datetime, rule: str,
    if_unmet: str | None, check_key: str | None, round: int, severity: str,
) -> Recheck:  # fmt: skip
    louder = None if if_unmet is None else Severity(if_unmet)
    asked_by = None if check_key is None else UUID(check_key)
    return Recheck(
        recheck_id, flap_id, asked_at, due_at, rule, louder, asked_by, round, Severity(severity)
    )


def meet_rechecks(conn: Connection, recheck_ids: Iterable[int], check_key: UUID) -> None:
    """This check did what these asked for."""
    chosen = _recheck.c.id.in_(list(recheck_ids))
    conn.execute(update(_recheck).where(chosen).values(met_by_key=str(check_key)))


_last_recheck = (
    select(*(_recheck.c[name] for name in _RECHECK))
    .where(_recheck.c.flap_id == bindparam("flap"), _recheck.c.cancelled_at.is_(None))
    .order_by(_recheck.c.id.desc())
    .limit(1)
)


def last_recheck(conn: Connection, flap_id: str) -> Recheck | None:
    """The look that was asked for last and not cancelled, done or not; None before one."""
    row = conn.execute(_last_recheck, {"flap": flap_id}).first()
    return None if row is None else _read_recheck(*row)


def reopen_rechecks(conn: Connection, check_key: UUID) -> None:
    """What this check had done is asked for again: the check was replaced or struck through."""
    chosen = _recheck.c.met_by_key == str(check_key)
    conn.execute(update(_recheck).where(chosen).values(met_by_key=None))


def move_recheck(conn: Connection, asked: Recheck) -> None:
    """The check that asked was replaced: another version of it asks now, due when it was."""
    values = {
        "check_key": str(asked.check_key), "asked_at": asked.asked_at, "if_unmet": asked.if_unmet,
    }  # fmt: skip
    conn.execute(update(_recheck).where(_recheck.c.id == asked.id).values(**values))


def cancel_rechecks(conn: Connection, recheck_ids: Iterable[int], at: datetime) -> None:
    """These are asked for no more: a hold, a review or a discharge."""
    chosen = _recheck.c.id.in_(list(recheck_ids))
    conn.execute(update(_recheck).where(chosen).values(cancelled_at=at))
