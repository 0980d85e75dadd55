"""The ward's staff: who may be named as having done something, and whose flaps are whose.

Until people sign in, whoever acts names themself from this list.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from monitoring.domain import SYSTEM, MonitoringError, Role
from monitoring.rows import CareListRow, StaffRow, table_of
from monitoring.store import insert_once

_staff = table_of(StaffRow)
_care = table_of(CareListRow)
NAME_LENGTH = 80


class UnknownStaff(MonitoringError):
    """Nobody on the staff list has this id, or they have left the ward."""


class BadStaff(MonitoringError):
    """A staff entry that cannot be: no name, or no ward."""


class StaffExists(MonitoringError):
    """Somebody of the same name, role and ward is on the list already."""


class Staff(NamedTuple):
    """Somebody who may act. ``id`` is a readable slug, unique on the record."""

    id: str
    name: str
    role: Role
    ward: str
    active: bool


_columns = [_staff.c[name] for name in Staff._fields]
_one = select(*_columns).where(_staff.c.id == bindparam("wanted"))


def _read(row: Any) -> Staff:
    return Staff(row.id, row.name, Role(row.role), row.ward, row.active)


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "person"


def add_staff(
    conn: Connection, name: str, role: Role, ward: str, *, staff_id: str | None = None
) -> Staff:
    """Put somebody on the list; ``staff_id`` when they already have one elsewhere.

    Raises BadStaff for a blank or overlong name or ward, StaffExists for the same person twice.
    """
    name, ward = " ".join(name.split()), " ".join(ward.split())
    if not name or not ward:
        raise BadStaff("A member of staff needs a name and a ward.")
    if max(len(name), len(ward)) > NAME_LENGTH:
        raise BadStaff(f"A name or ward has at most {NAME_LENGTH} letters.")
    same = select(_staff.c.id).where(
        _staff.c.name == name, _staff.c.role == role, _staff.c.ward == ward, _staff.c.active
    )
    if conn.execute(same).first() is not None:
        raise StaffExists(f"{name} is on the staff list of {ward} already.")
    staff = Staff(_free_id(conn, staff_id, name), name, role, ward, True)
    conn.execute(insert(_staff), staff._asdict())
    return staff


def _free_id(conn: Connection, wanted: str | None, name: str) -> str:
    taken = {SYSTEM, *conn.execute(select(_staff.c.id)).scalars()}
    if wanted is not None:
        if not wanted.strip():
            raise BadStaff("A staff id cannot be blank.")
        if wanted in taken:
            raise StaffExists(f"The staff id {wanted} is taken.")
        return wanted
    slug, number = _slug(name), 1
    candidate = slug
    while candidate in taken:
        number += 1
        candidate = f"{slug}-{number}"
    return candidate


def list_staff(
    conn: Connection, ward: str | None = None, *, and_those_who_left: bool = False
) -> list[Staff]:
    """The people of a ward, or of every ward, by name."""
    chosen = select(*_columns).order_by(_staff.c.name, _staff.c.id)
    if ward is not None:
        chosen = chosen.where(_staff.c.ward == ward)
    if not and_those_who_left:
        chosen = chosen.where(_staff.c.active)
    return [_read(row) for row in conn.execute(chosen)]


def staff_by_id(conn: Connection, staff_id: str, *, may_have_left: bool = False) -> Staff:
    """The person with this id, who must still work here unless ``may_have_left``.

    Raises UnknownStaff.
    """
    row = conn.execute(_one, {"wanted": staff_id}).first()
    if row is None:
        raise UnknownStaff(f"Nobody on the staff list is {staff_id!r}.")
    if not row.active and not may_have_left:
        raise UnknownStaff(f"{row.name} is on the staff list no more.")
    return _read(row)


def remove_staff(conn: Connection, staff_id: str) -> None:
    """Take somebody off the list; what they did keeps their name. Raises UnknownStaff."""
    staff_by_id(conn, staff_id)
    conn.execute(update(_staff).where(_staff.c.id == staff_id).values(active=False))


def hold_in_care(conn: Connection, nurse_id: str, flap_id: str, since: datetime) -> None:
    """The nurse takes the flap on their list; taken again it is there from now on."""
    row = {"nurse_id": nurse_id, "flap_id": flap_id, "since": since}
    taken = insert_once(conn, CareListRow).values(**row)
    again = taken.on_conflict_do_update(
        index_elements=["nurse_id", "flap_id"], set_={"since": since}
    )
    conn.execute(again)


def leave_care(conn: Connection, nurse_id: str, flap_id: str) -> None:
    """The nurse takes the flap off their list."""
    chosen = (_care.c.nurse_id == nurse_id, _care.c.flap_id == flap_id)
    conn.execute(_care.delete().where(*chosen))


def care_list(conn: Connection, nurse_id: str, since: datetime) -> frozenset[str]:
    """The ids of the flaps that the nurse took on their list from ``since`` on: this shift's."""
    chosen = select(_care.c.flap_id).where(_care.c.nurse_id == nurse_id, _care.c.since >= since)
    return frozenset(conn.execute(chosen).scalars())


def carers(conn: Connection, flap_id: str, since: datetime) -> list[str]:
    """The ids of the nurses who took the flap on their list from ``since`` on."""
    chosen = select(_care.c.nurse_id).where(_care.c.flap_id == flap_id, _care.c.since >= since)
    return list(conn.execute(chosen.order_by(_care.c.nurse_id)).scalars())
