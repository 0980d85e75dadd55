"""A course file into the record, step by step through the verbs of the bedside."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from monitoring import people, queries, store
from monitoring.care.recording import record_check
from monitoring.care.staying import admit_flap, record_outcome, record_return
from monitoring.course import Course
from monitoring.domain import SYSTEM, Patient, Role, Source
from monitoring.protocol import Protocol

IMPORTER = "import"
"""Who did what a course file does not say who did."""

Step = tuple[datetime, Callable[[], object]]


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import changed: checks that are new, and those the record had already."""

    flap_id: str
    new: int
    known: int


def content_key(flap_id: str, by: str, body: Mapping[str, object]) -> UUID:
    """The key of a check that came without one: the same content gives the same key."""
    said = json.dumps(dict(body), sort_keys=True, default=str)
    return uuid5(NAMESPACE_URL, f"flap-monitoring/{flap_id}/{by}/{said}")


def import_course(
    record: store.Record, protocols: Mapping[str, Protocol], course: Course, *, ward: str,
    now: datetime, confirmed: frozenset[str] = frozenset(),
) -> Imported:  # fmt: skip
    """Replay a course through the verbs at the times it was recorded; twice changes nothing.

    A course without a patient gets one that says so. Raises what the verbs raise, naming the
    check; what came before it stays imported, and importing again goes on from there.
    """
    _everybody(record, course, ward)
    if not _admitted(record, course.flap_id):
        admit_flap(
            record, protocols, patient=course.patient or _nobody(course, ward),
            facts=course.facts, by=IMPORTER, now=max(course.facts.monitoring_from, course.facts.perfused_at),
            flap_id=course.flap_id,
        )  # fmt: skip
    _holds(record, course)
    _returns(record, protocols, course)
    new = known = 0
    for check in sorted(course.checks, key=lambda c: (c.recorded_at, c.observed_at)):
        at = min(max(check.recorded_at, check.observed_at), now)
        coming = replace(check, source=Source.IMPORT)
        saved = record_check(record, protocols, coming, now=at, confirmed=confirmed)
        known, new = (known + 1, new) if saved.repeated else (known, new + 1)
    if course.outcome is not None and new:
        record_outcome(
            record, protocols, flap_id=course.flap_id, outcome=course.outcome, by=IMPORTER, now=now
        )
    return Imported(course.flap_id, new, known)


def _admitted(record: store.Record, flap_id: str) -> bool:
    with record.read() as conn:
        try:
            queries.load_flap(conn, flap_id)
        except queries.UnknownFlap:
            return False
    return True


def _everybody(record: store.Record, course: Course, ward: str) -> None:
    wanted = {IMPORTER, *(c.by for c in course.checks)} - {SYSTEM}
    with record.write() as conn:
        there = {s.id for s in people.list_staff(conn, and_those_who_left=True)}
        for staff_id in sorted(wanted - there):
            people.add_staff(
                conn, f"{staff_id} (imported)", Role.NURSE, ward, staff_id=staff_id
            )


def _holds(record: store.Record, course: Course) -> None:
    with record.write() as conn:
        known = {h.hold.from_at for h in queries.holds_of(conn, course.flap_id)}
        for hold in course.holds:
            if hold.from_at not in known:
                queries.insert_hold(conn, course.flap_id, hold, by=IMPORTER, at=hold.from_at)


def _returns(record: store.Record, protocols: Mapping[str, Protocol], course: Course) -> None:
    with record.read() as conn:
        known = {r.value.decided_at for r in queries.returns_of(conn, course.flap_id)}
    for value in course.returns:
        if value.decided_at in known:
            continue
        at = max(t for t in value.model_dump().values() if isinstance(t, datetime))
        record_return(record, protocols, flap_id=course.flap_id, value=value, by=IMPORTER, now=at)


def _nobody(course: Course, ward: str) -> Patient:
    """A stand-in that cannot be taken for a patient."""
    return Patient(
        mrn=f"IMPORT-{course.flap_id[:8]}",
        name="IMPORTED, course",
        born_on=date(1900, 1, 1),
        ward=ward,
        bed="imported",
    )
