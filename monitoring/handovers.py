"""Handovers in the record: what stood when a shift ended, who gave it, and who accepted it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select

from monitoring import verdicts
from monitoring.call_rows import HandoverRow
from monitoring.domain import AlertState, Severity
from monitoring.reviews import Review
from monitoring.rows import FlapRow, OutcomeRow, PatientRow, table_of

LISTED = 6
"""How many of a ward's last handovers are listed."""

_handover = table_of(HandoverRow)
_flap = table_of(FlapRow)
_patient = table_of(PatientRow)
_outcome = table_of(OutcomeRow)


@dataclass(frozen=True, slots=True)
class StoodAlert:
    """An alert as a handover showed it: ``words`` say which and where, ``has`` who had it, and
    ``pages`` how often it had asked for an answer."""

    id: int
    flap_id: str
    severity: Severity
    state: AlertState
    pages: int
    words: str
    has: str


@dataclass(frozen=True, slots=True)
class StoodFlap:
    """A flap as a handover showed it: bed, patient and label, how it was, and what was said."""

    flap_id: str
    words: str
    state: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stood:
    """A ward as somebody read it before they accepted it: the alerts that were not closed, and
    every flap with its plan, in the words that were shown."""

    ward: str
    shown_at: datetime
    alerts: tuple[StoodAlert, ...] = ()
    flaps: tuple[StoodFlap, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """What the record keeps of it."""
        said = asdict(self)
        return {"shown_at": self.shown_at.isoformat(), "alerts": said["alerts"],
                "flaps": said["flaps"]}  # fmt: skip


def read_stood(ward: str, said: Mapping[str, Any]) -> Stood:
    """What the record kept of a ward as it was read."""
    return Stood(
        ward=ward,
        shown_at=datetime.fromisoformat(said["shown_at"]),
        alerts=tuple(
            StoodAlert(**a | {"severity": Severity(a["severity"]), "state": AlertState(a["state"])})
            for a in said["alerts"]
        ),
        flaps=tuple(StoodFlap(**f | {"lines": tuple(f["lines"])}) for f in said["flaps"]),
    )


class Handover(NamedTuple):
    """A shift handed over."""

    id: int
    ward: str
    at: datetime
    given_by: str
    accepted_by: str
    stood: Stood
    note: str | None


_columns = [_handover.c[name] for name in Handover._fields]


def insert_handover(
    conn: Connection, stood: Stood, *, given_by: str, accepted_by: str, note: str | None,
    at: datetime,
) -> int:  # fmt: skip
    """A shift is handed over; returns the row's id."""
    row = {
        "ward": stood.ward, "at": at, "given_by": given_by, "accepted_by": accepted_by,
        "stood": stood.as_json(), "note": note,
    }  # fmt: skip
    made = conn.execute(insert(_handover).values(**row).returning(_handover.c.id))
    return int(made.scalar_one())


def last_handovers(conn: Connection, ward: str, limit: int = LISTED) -> list[Handover]:
    """The ward's last handovers, newest first."""
    chosen = select(*_columns).where(_handover.c.ward == ward).order_by(_handover.c.id.desc())
    return [
        Handover(*row)._replace(stood=read_stood(row.ward, row.stood))
        for row in conn.execute(chosen.limit(limit))
    ]


class Unrecorded(NamedTuple):
    """A flap whose monitoring ended and of which nobody has said how it did."""

    flap_id: str
    label: str
    name: str
    mrn: str
    ended_at: datetime


_ended = (
    select(_flap.c.id, _flap.c.label, _patient.c.name, _patient.c.mrn, _flap.c.ended_at)
    .join(_patient, _patient.c.id == _flap.c.patient_id)
    .outerjoin(_outcome, _outcome.c.flap_id == _flap.c.id)
    .where(_flap.c.ended_at.is_not(None), _outcome.c.id.is_(None))
    .order_by(_flap.c.ended_at.desc())
)


def unrecorded(conn: Connection, ward: str) -> list[Unrecorded]:
    """The ward's flaps without an outcome once monitoring ended, the last ended first."""
    return [Unrecorded(*row) for row in conn.execute(_ended.where(_patient.c.ward == ward))]


class Beside(NamedTuple):
    """What a handover says beside the ward as it stands: the last verdict on each flap, the
    outcomes nobody recorded, and the last handovers."""

    reviews: Mapping[str, Review]
    outcomes: list[Unrecorded]
    last: list[Handover]


def beside(conn: Connection, ward: str) -> Beside:
    """Everything a handover needs besides the ward and its rota, in three statements."""
    return Beside(verdicts.latest_reviews(conn), unrecorded(conn, ward), last_handovers(conn, ward))
