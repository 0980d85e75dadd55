"""What every verb begins with: the flap, locked and readable, its protocol, and a known person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from monitoring import checks, people, queries, rechecks, schedule, store
from monitoring.checks import Glance, JudgedCheck, StoredCheck
from monitoring.conditions import lasting
from monitoring.domain import Flap, Patient, Refused
from monitoring.protocol import Protocol, UnknownProtocol

AHEAD = timedelta(minutes=2)
"""How far a claimed time may lie ahead of the server's clock."""

ALL = frozenset({"*"})
"""Every unusual value of an entry is confirmed."""


class UnknownPerson(Refused):
    """Nobody on the staff list has this id."""


@dataclass(frozen=True, slots=True)
class Bed:
    """One flap inside a transaction, with the protocol version pinned to it."""

    flap: Flap
    patient: Patient
    patient_id: int
    protocol: Protocol


def at_bed(conn: Connection, protocols: Mapping[str, Protocol], flap_id: str, now: datetime) -> Bed:
    """The flap, with every other writer of it made to wait.

    Raises UnknownFlap, UnknownProtocol when its pinned version's file is gone, ProtocolChanged
    when that file was edited after it was first used.
    """
    store.lock_flap(conn, flap_id)
    found = queries.load_flap(conn, flap_id)
    protocol = protocols.get(found.flap.protocol_id)
    if protocol is None:
        raise UnknownProtocol(
            f"The protocol {found.flap.protocol_id} that this flap is pinned to is not here."
        )
    store.pin_protocol(conn, protocol.key, protocol.hash, now)
    return Bed(found.flap, found.patient, found.patient_id, protocol)


def still_monitored(bed: Bed) -> None:
    """Raises Refused once monitoring of the flap has ended."""
    if bed.flap.ended_at is not None:
        raise Refused(f"Monitoring of {bed.flap.facts.label} has ended: nothing more is recorded.")


def known_person(conn: Connection, staff_id: str) -> people.Staff:
    """The person who acts. Raises UnknownPerson."""
    try:
        return people.staff_by_id(conn, staff_id)
    except people.UnknownStaff as error:
        raise UnknownPerson(str(error)) from None


def with_reason(reason: str) -> str:
    """The reason a person gave. Raises Refused for a blank one."""
    said = reason.strip()
    if not said:
        raise Refused("Say why: a reason is part of the record.")
    return said


def not_ahead(what: str, moment: datetime, now: datetime) -> None:
    """Raises Refused for a claimed time more than 2 minutes ahead of the server's clock."""
    if moment > now + AHEAD:
        raise Refused(f"{what} lies {lasting(moment - now)} in the future: look at the clock.")


def look(stored: JudgedCheck | StoredCheck) -> schedule.Look:
    """What the schedule needs of a stored check; an amendment keeps the time it was first
    recorded."""
    check = stored.check
    return schedule.Look(
        check.observed_at, stored.first_recorded_at, bool(stored.is_full), check.key
    )


def as_look(seen: Glance) -> schedule.Look:
    """What the schedule needs of a check that was read for nothing else."""
    return schedule.Look(seen.observed_at, seen.first_recorded_at, seen.full, seen.key)


def looks_of(conn: Connection, flap_id: str, now: datetime) -> list[schedule.Look]:
    """The flap's checks as far back as the schedule looks."""
    since, before = now - schedule.LOOKBACK, now + AHEAD + timedelta(seconds=1)
    return [as_look(g) for g in checks.glances_between(conn, flap_id, since, before)]


def asked(conn: Connection, flap_id: str) -> list[schedule.Recheck]:
    """The flap's open rechecks as the schedule sees them."""
    return [as_asked(r) for r in rechecks.open_rechecks(conn, flap_id)]


def as_asked(stored: rechecks.Recheck) -> schedule.Recheck:
    """A stored recheck as the schedule sees it."""
    return schedule.Recheck(
        stored.asked_at, stored.due_at, stored.rule, stored.if_unmet, stored.check_key,
        stored.severity,
    )  # fmt: skip
