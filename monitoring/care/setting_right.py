"""What setting something right needs wherever it is done: both values kept, and a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from pydantic import ValidationError
from sqlalchemy import Connection

from monitoring import queries, rechecks
from monitoring.care.bedside import (
    Bed,
    at_bed,
    known_person,
    still_monitored,
)
from monitoring.domain import (
    FlapFacts,
    Outcome,
    Patient,
    Refused,
    Return,
)
from monitoring.protocol import Protocol
from monitoring.queries import Correction

Protocols = Mapping[str, Protocol]
Value = Patient | FlapFacts | Return | Outcome
V = TypeVar("V", Patient, FlapFacts, Return)


def cancel_rechecks(conn: Connection, flap_id: str, now: datetime) -> None:
    """Nothing that was asked for is asked any more."""
    owed = [r.id for r in rechecks.open_rechecks(conn, flap_id)]
    if owed:
        rechecks.cancel_rechecks(conn, owed, now)


def changed_by(kind: type[V], before: V, changes: Mapping[str, object]) -> V:
    """The value with these facts changed. Raises Refused, in a sentence, for what cannot be."""
    unknown = sorted(set(changes) - set(kind.model_fields))
    if unknown:
        raise Refused(f"{unknown[0]!r} is not a fact of a patient or a flap.")
    try:
        return kind.model_validate(before.model_dump() | dict(changes))
    except ValidationError as error:
        first = error.errors()[0]
        where = f"{str(first['loc'][0]).replace('_', ' ').capitalize()}: " if first["loc"] else ""
        said = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise Refused(f"{where}{said}.") from None


def keep_both(
    conn: Connection, flap_id: str, field: str, before: Value, after: Value, why: str, by: str,
    now: datetime, *, named: str | None = None,
) -> None:  # fmt: skip
    """Write the correction of one field, the old value beside the new; nothing where both are
    the same."""
    old, new = getattr(before, field), getattr(after, field)
    if old != new:
        correction = Correction(named or field, in_words(old), in_words(new), why, by, now)
        queries.insert_correction(conn, flap_id, correction)


def in_words(value: object) -> str | None:
    """A value as a correction keeps it."""
    if isinstance(value, frozenset):
        return ", ".join(sorted(map(str, value)))
    return None if value is None else str(value)


def acting(conn: Connection, protocols: Protocols, flap_id: str, by: str, now: datetime) -> Bed:
    """The flap that somebody on the staff does something to, while it is monitored."""
    bed = at_bed(conn, protocols, flap_id, now)
    known_person(conn, by)
    still_monitored(bed)
    return bed
