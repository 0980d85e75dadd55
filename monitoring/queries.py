"""Patients and flaps in the record: who lies where, what is monitored, and how it ended.

Reads return values of ``domain``; writes take them. Nothing here decides anything: the verbs do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, and_, bindparam, insert, select, update

from monitoring.checks import BODY_WIDTH, body_columns, check_from_row, is_current
from monitoring.domain import (
    Check,
    Flap,
    FlapFacts,
    Hold,
    MonitoringError,
    Order,
    Outcome,
    Patient,
    Return,
)
from monitoring.rows import (
    BROKEN,
    FlapCheckRow,
    FlapCorrectionRow,
    FlapReturnRow,
    FlapRow,
    HoldRow,
    OutcomeRow,
    PatientRow,
    table_of,
)
from monitoring.short_lists import ShortLists, lists_of_flap, short_lists

_patient = table_of(PatientRow)
_flap = table_of(FlapRow)
_hold = table_of(HoldRow)
_return = table_of(FlapReturnRow)
_outcome = table_of(OutcomeRow)
_correction = table_of(FlapCorrectionRow)
_baseline = table_of(FlapCheckRow).alias("baseline")

_PATIENT = tuple(Patient.model_fields)
_FACTS = tuple(FlapFacts.model_fields)
_STAY = (
    "id", "patient_id", "protocol_key", "admitted_by", "admitted_at", "discharged_by",
    "discharged_at", "ended_at", "baseline_set_by",
)  # fmt: skip
_HOLD = tuple(Hold.model_fields)
_RETURN = tuple(Return.model_fields)
_ORDER = tuple(Order.model_fields)


class UnknownFlap(MonitoringError):
    """No flap has this id."""


class StoredFlap(NamedTuple):
    """A flap with its patient and its stay. Discharged is a who and a when, or neither."""

    flap: Flap
    patient: Patient
    patient_id: int
    admitted_by: str
    admitted_at: datetime
    discharged_by: str | None
    discharged_at: datetime | None


class ActiveFlaps(NamedTuple):
    """Every flap still monitored. ``unreadable`` are the ids of those whose rows make no true
    value any more: to be shown as unknown, never left out."""

    flaps: list[StoredFlap]
    unreadable: list[str]


class StoredHold(NamedTuple):
    """A hold with its row's id, which releasing it needs."""

    id: int
    hold: Hold
    by: str
    recorded_at: datetime
    released_by: str | None
    released_at: datetime | None


class StoredReturn(NamedTuple):
    """A return to theatre with its row's id, which filling it in needs."""

    id: int
    value: Return
    by: str
    recorded_at: datetime


class Correction(NamedTuple):
    """A fact that was wrong: both values, who set it right, when and why."""

    field: str
    old: str | None
    new: str | None
    reason: str
    by: str
    at: datetime


_flap_columns = [
    *(_flap.c[name] for name in _STAY),
    *(_patient.c[name] for name in _PATIENT),
    *(_flap.c[name] for name in _FACTS),
    *body_columns(_baseline),
]
_flaps = select(*_flap_columns).select_from(
    _flap.join(_patient, _patient.c.id == _flap.c.patient_id).outerjoin(
        _baseline, and_(_baseline.c.key == _flap.c.baseline_check_key, is_current(_baseline))
    )
)
_one_flap = _flaps.where(_flap.c.id == bindparam("flap"))
_active_flaps = _flaps.where(_flap.c.ended_at.is_(None)).order_by(_flap.c.id)
_some_active_flaps = _active_flaps.where(_flap.c.id.in_(bindparam("flaps", expanding=True)))
_is_active = select(_flap.c.id).where(_flap.c.ended_at.is_(None))


def flap_from_rows(
    row: Sequence[Any], holds: Iterable[Sequence[Any]], returns: Iterable[Sequence[Any]],
    orders: Iterable[Sequence[Any]] = (),
) -> StoredFlap:  # fmt: skip
    """A flap from its joined row, and the rows of its holds, returns and orders.

    Raises pydantic's ValidationError when what is stored makes no true value any more.
    """
    flap_id, patient_id, protocol_key, admitted_by, admitted_at, by, at, ended_at, setter = row[:9]
    facts_from = len(_STAY) + len(_PATIENT)
    baseline_from = facts_from + len(_FACTS)
    body = row[baseline_from : baseline_from + BODY_WIDTH]
    flap = Flap(
        id=flap_id,
        facts=FlapFacts(**dict(zip(_FACTS, row[facts_from:baseline_from], strict=True))),
        protocol_id=protocol_key,
        holds=tuple(Hold(**dict(zip(_HOLD, h[1:], strict=True))) for h in holds),
        returns=tuple(Return(**dict(zip(_RETURN, r[1:], strict=True))) for r in returns),
        baseline=None if body[0] is None else check_from_row(body),
        baseline_set=body[0] is not None and setter is not None,
        ended_at=ended_at,
        orders=tuple(Order(**dict(zip(_ORDER, o[1:], strict=True))) for o in orders),
    )
    patient = Patient(**dict(zip(_PATIENT, row[len(_STAY) : facts_from], strict=True)))
    return StoredFlap(flap, patient, patient_id, admitted_by, admitted_at, by, at)


def load_flap(conn: Connection, flap_id: str) -> StoredFlap:
    """One flap, active or not, in two statements. Raises UnknownFlap."""
    row = conn.execute(_one_flap, {"flap": flap_id}).first()
    if row is None:
        raise UnknownFlap(f"There is no flap {flap_id}.")
    return flap_from_rows(row, *lists_of_flap(conn, flap_id))


def active_flap_ids(conn: Connection) -> list[str]:
    """The ids of the flaps still monitored."""
    return list(conn.execute(_is_active.order_by(_flap.c.id)).scalars())


def active_flaps(
    conn: Connection, lists: ShortLists | None = None, flap_ids: Sequence[str] | None = None
) -> ActiveFlaps:
    """Every flap still monitored (or those of the ids), in two statements however many there are;
    in one when the caller has just read the short lists."""
    known = short_lists(conn) if lists is None else lists
    found = ActiveFlaps([], [])
    try:
        if flap_ids is None:
            rows = conn.execute(_active_flaps).all()
        else:
            rows = conn.execute(_some_active_flaps, {"flaps": list(flap_ids)}).all()
    except BROKEN:  # a column that cannot even be fetched: look for whose it is
        ids = active_flap_ids(conn) if flap_ids is None else flap_ids
        rows = _rows_one_by_one(conn, ids, found.unreadable)
    for row in rows:
        try:
            by_flap = (known.holds, known.returns, known.orders)
            found.flaps.append(flap_from_rows(row, *(of.get(row[0], ()) for of in by_flap)))
        except BROKEN:
            found.unreadable.append(row[0])
    return found


def _rows_one_by_one(
    conn: Connection, flap_ids: Iterable[str], unreadable: list[str]
) -> list[Row[Any]]:
    rows: list[Row[Any]] = []
    for flap_id in flap_ids:
        try:
            rows += conn.execute(_one_flap, {"flap": flap_id}).all()
        except BROKEN:
            unreadable.append(flap_id)
    return rows


class Whose(NamedTuple):
    """Whose a flap is, as it is stored: all that is asked of one that has ended or cannot be
    read."""

    flap_id: str
    label: str
    name: str
    mrn: str
    ward: str
    bed: str
    ended_at: datetime | None


def whose(conn: Connection, flap_ids: Iterable[str]) -> dict[str, Whose]:
    """Whose these flaps are, in one statement."""
    columns = (
        _flap.c.id, _flap.c.label, _patient.c.name, _patient.c.mrn, _patient.c.ward,
        _patient.c.bed, _flap.c.ended_at,
    )  # fmt: skip
    joined = select(*columns).join(_patient, _patient.c.id == _flap.c.patient_id)
    chosen = joined.where(_flap.c.id.in_(list(flap_ids)))
    return {row[0]: Whose(*row) for row in conn.execute(chosen)}


def is_empty(conn: Connection) -> bool:
    """Whether nobody was ever admitted."""
    return conn.execute(select(_patient.c.id).limit(1)).first() is None


def flaps_of_patient(conn: Connection, patient_id: int) -> list[StoredFlap]:
    """The patient's flaps, ended ones too, first admitted first."""
    chosen = select(_flap.c.id).where(_flap.c.patient_id == patient_id)
    ids = conn.execute(chosen.order_by(_flap.c.admitted_at, _flap.c.id)).scalars().all()
    return [load_flap(conn, flap_id) for flap_id in ids]


def find_patient(conn: Connection, mrn: str) -> tuple[int, Patient] | None:
    """The patient with this record number and their row's id; None when there is none."""
    columns = [_patient.c.id, *(_patient.c[name] for name in _PATIENT)]
    row = conn.execute(select(*columns).where(_patient.c.mrn == mrn)).first()
    return None if row is None else (row[0], Patient(**dict(zip(_PATIENT, row[1:], strict=True))))


def insert_patient(conn: Connection, patient: Patient) -> int:
    """A new person; returns the row's id. A record number used twice is an IntegrityError."""
    return _new_id(conn, insert(_patient).values(**patient.model_dump()).returning(_patient.c.id))


def _new_id(conn: Connection, statement: Any) -> int:
    return int(conn.execute(statement).scalar_one())


def update_patient(conn: Connection, patient_id: int, patient: Patient) -> None:
    """Write what is now known of the person: a transfer, or a corrected fact."""
    changes = patient.model_dump()
    conn.execute(update(_patient).where(_patient.c.id == patient_id).values(**changes))


def facts_to_row(facts: FlapFacts) -> dict[str, Any]:
    """The columns of a flap's facts; sets are stored sorted."""
    row = facts.model_dump()
    return row | {name: sorted(row[name]) for name in ("risk_factors", "monitors")}


def insert_flap(
    conn: Connection, flap_id: str, patient_id: int, facts: FlapFacts, protocol_key: str, *,
    by: str, at: datetime,
) -> None:  # fmt: skip
    """Admit a flap, pinned to a protocol version (id@version)."""
    stay = {"id": flap_id, "patient_id": patient_id, "protocol_key": protocol_key}
    who = {"admitted_by": by, "admitted_at": at}
    conn.execute(insert(_flap).values(**stay, **who, **facts_to_row(facts)))


def update_facts(conn: Connection, flap_id: str, facts: FlapFacts) -> None:
    """Write the corrected facts; ``insert_correction`` keeps what stood there."""
    conn.execute(update(_flap).where(_flap.c.id == flap_id).values(**facts_to_row(facts)))


def set_baseline(
    conn: Connection, flap_id: str, check: Check | None, *, by: str | None = None,
    at: datetime | None = None,
) -> None:  # fmt: skip
    """The check that change is measured from; None after a return to theatre. ``by`` and ``at``
    when a surgeon chose it."""
    key = None if check is None else str(check.key)
    values = {"baseline_check_key": key, "baseline_set_by": by, "baseline_set_at": at}
    conn.execute(update(_flap).where(_flap.c.id == flap_id).values(**values))


def move_baseline(conn: Connection, flap_id: str, check: Check) -> None:
    """The baseline a surgeon chose goes on in another version of its check."""
    moved = update(_flap).where(_flap.c.id == flap_id)
    conn.execute(moved.values(baseline_check_key=str(check.key)))


def end_flap(
    conn: Connection, flap_id: str, at: datetime, *, discharged_by: str | None = None
) -> None:
    """Monitoring ends: with a person it is a discharge, without one a recorded total loss.

    A flap that ended before keeps its first end.
    """
    ended = _flap.c.id == flap_id
    conn.execute(update(_flap).where(ended, _flap.c.ended_at.is_(None)).values(ended_at=at))
    if discharged_by is not None:
        conn.execute(
            update(_flap).where(ended).values(discharged_by=discharged_by, discharged_at=at)
        )


def move_end(conn: Connection, flap_id: str, at: datetime | None) -> None:
    """Monitoring ended at another time, or has not ended after all: the outcome that ended it was
    corrected. A discharge stands."""
    undischarged = (_flap.c.id == flap_id, _flap.c.discharged_at.is_(None))
    conn.execute(update(_flap).where(*undischarged).values(ended_at=at))


def insert_correction(conn: Connection, flap_id: str, correction: Correction) -> None:
    """Keep both values of a corrected fact, with who, when and why."""
    conn.execute(insert(_correction).values(flap_id=flap_id, **correction._asdict()))


def corrections_of(conn: Connection, flap_id: str) -> list[Correction]:
    """What was set right on this flap, first first."""
    columns = [_correction.c[name] for name in Correction._fields]
    chosen = select(*columns).where(_correction.c.flap_id == flap_id)
    return [Correction(*row) for row in conn.execute(chosen.order_by(_correction.c.id))]


def insert_hold(conn: Connection, flap_id: str, hold: Hold, *, by: str, at: datetime) -> int:
    """Open a hold; returns the row's id."""
    values = hold.model_dump() | {"flap_id": flap_id, "by": by, "recorded_at": at}
    return _new_id(conn, insert(_hold).values(**values).returning(_hold.c.id))


def release_hold(
    conn: Connection, hold_id: int, *, by: str, at: datetime, until_at: datetime
) -> None:
    """End a hold at ``until_at``; ``at`` is when somebody said so."""
    released = {"released_by": by, "released_at": at, "until_at": until_at}
    conn.execute(update(_hold).where(_hold.c.id == hold_id).values(**released))


def holds_of(conn: Connection, flap_id: str) -> list[StoredHold]:
    """The flap's holds, earliest first."""
    rest = ("by", "recorded_at", "released_by", "released_at")
    columns = [_hold.c.id, *(_hold.c[n] for n in _HOLD), *(_hold.c[n] for n in rest)]
    chosen = select(*columns).where(_hold.c.flap_id == flap_id)
    return [
        StoredHold(row[0], Hold(**dict(zip(_HOLD, row[1:4], strict=True))), *row[4:])
        for row in conn.execute(chosen.order_by(_hold.c.from_at, _hold.c.id))
    ]


def insert_return(conn: Connection, flap_id: str, value: Return, *, by: str, at: datetime) -> int:
    """A return to theatre as far as it is known; returns the row's id."""
    values = value.model_dump() | {"flap_id": flap_id, "by": by, "recorded_at": at}
    return _new_id(conn, insert(_return).values(**values).returning(_return.c.id))


def update_return(
    conn: Connection, return_id: int, value: Return, *, by: str, at: datetime
) -> None:
    """Write what is now known of the return."""
    values = value.model_dump() | {"by": by, "recorded_at": at}
    conn.execute(update(_return).where(_return.c.id == return_id).values(**values))


def withdraw_return(
    conn: Connection, return_id: int, *, by: str, at: datetime, reason: str
) -> None:
    """The return was decided and not done: it counts no more."""
    values = {"withdrawn_by": by, "withdrawn_at": at, "withdrawn_reason": reason}
    conn.execute(update(_return).where(_return.c.id == return_id).values(**values))


def returns_of(conn: Connection, flap_id: str) -> list[StoredReturn]:
    """The flap's returns to theatre that were not withdrawn, earliest first."""
    columns = [_return.c.id, _return.c.by, _return.c.recorded_at, *(_return.c[n] for n in _RETURN)]
    chosen = select(*columns).where(_return.c.flap_id == flap_id, _return.c.withdrawn_at.is_(None))
    return [
        StoredReturn(row[0], Return(**dict(zip(_RETURN, row[3:], strict=True))), row[1], row[2])
        for row in conn.execute(chosen.order_by(_return.c.decided_at, _return.c.id))
    ]


def insert_outcome(
    conn: Connection, flap_id: str, outcome: Outcome, *, by: str, at: datetime
) -> None:
    """How the flap ended; a second outcome is an IntegrityError."""
    values = outcome.model_dump() | {"flap_id": flap_id, "by": by, "recorded_at": at}
    conn.execute(insert(_outcome).values(**values))


def update_outcome(
    conn: Connection, flap_id: str, outcome: Outcome, *, by: str, at: datetime
) -> None:
    """Write the corrected outcome; ``insert_correction`` keeps what stood there."""
    values = outcome.model_dump() | {"by": by, "recorded_at": at}
    conn.execute(update(_outcome).where(_outcome.c.flap_id == flap_id).values(**values))


def outcome_of(conn: Connection, flap_id: str) -> Outcome | None:
    """How the flap ended; None is *not recorded*."""
    names = tuple(Outcome.model_fields)
    chosen = select(*(_outcome.c[n] for n in names)).where(_outcome.c.flap_id == flap_id)
    row = conn.execute(chosen).first()
    return None if row is None else Outcome(**dict(zip(names, row, strict=True)))
