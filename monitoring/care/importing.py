"""A course file into the record, step by step through the verbs of the bedside."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from uuid import NAMESPACE_URL, UUID, uuid5

from monitoring import checks, people, queries, store
from monitoring.care.bedside import ALL, not_ahead
from monitoring.care.recording import record_check
from monitoring.care.returning import record_return
from monitoring.care.staying import admit_flap, record_outcome
from monitoring.course import Course
from monitoring.domain import SYSTEM, Hold, Patient, Refused, Return, Role, Source
from monitoring.protocol import Protocol, propose

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
    """Replay a course through the verbs, each step at the time it was recorded; twice changes
    nothing.

    A course without a patient gets one that says so. What can be refused is refused before
    anything is written, naming the check; if the record fails on the way, importing again goes
    on from where it stopped.
    """
    _importable(protocols, course, now, confirmed)
    _everybody(record, course, ward)
    before = _keys(record, course)
    if not _admitted(record, course.flap_id):
        admit_flap(
            record, protocols, patient=course.patient or _nobody(course, ward),
            facts=course.facts, by=IMPORTER, now=course.facts.monitoring_from,
            flap_id=course.flap_id,
        )  # fmt: skip
    steps = [
        *_held(record, course),
        *_returned(record, protocols, course),
        *_checked(record, protocols, course, confirmed),
    ]
    for _, step in sorted(steps, key=lambda s: s[0]):
        step()
    _ended(record, protocols, course, now)
    known = len(before & {c.key for c in course.checks})
    return Imported(course.flap_id, len(course.checks) - known, known)


def _importable(
    protocols: Mapping[str, Protocol], course: Course, now: datetime, confirmed: frozenset[str]
) -> None:
    """Raises what a verb would refuse on the way, before anything is written."""
    propose(protocols, course.facts)
    not_ahead("The start of monitoring", course.facts.monitoring_from, now)
    for number, check in enumerate(course.checks, start=1):
        not_ahead(f"Check {number}", max(check.observed_at, check.recorded_at), now)
        questions = {} if confirmed >= ALL else check.improbable()
        asked = [q for sign, q in questions.items() if sign not in confirmed]
        if asked:
            raise Refused(f"Check {number}: {asked[0]}")
    for hold in course.holds:
        not_ahead("A hold", hold.from_at, now)
    for value in course.returns:
        not_ahead("A return to theatre", _last_known(value), now)
    if course.outcome is not None:
        not_ahead("The outcome", course.outcome.closed_at, now)


def _keys(record: store.Record, course: Course) -> set[UUID]:
    """The checks of the course that the record has already."""
    with record.read() as conn:
        return {s.check.key for s in checks.checks_of_flap(conn, course.flap_id)}


def _checked(
    record: store.Record, protocols: Mapping[str, Protocol], course: Course,
    confirmed: frozenset[str],
) -> Iterator[Step]:  # fmt: skip
    """The checks, each as of the moment it was recorded."""
    for check in sorted(course.checks, key=lambda c: (c.recorded_at, c.observed_at)):
        at = max(check.recorded_at, check.observed_at)
        coming = replace(check, source=Source.IMPORT)
        yield (
            at,
            partial(record_check, record, protocols, coming, now=at, confirmed=confirmed),
        )


def _ended(
    record: store.Record, protocols: Mapping[str, Protocol], course: Course, now: datetime
) -> None:
    if course.outcome is None:
        return
    with record.read() as conn:
        known = queries.outcome_of(conn, course.flap_id)
    if known is None:
        record_outcome(
            record, protocols, flap_id=course.flap_id, outcome=course.outcome, by=IMPORTER, now=now
        )


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
            people.add_staff(conn, f"{staff_id} (imported)", Role.NURSE, ward, staff_id=staff_id)


def _held(record: store.Record, course: Course) -> Iterator[Step]:
    """The holds; each is inserted as it was, its end included."""
    with record.read() as conn:
        known = {h.hold.from_at for h in queries.holds_of(conn, course.flap_id)}
    for hold in course.holds:
        if hold.from_at not in known:
            yield hold.from_at, partial(_hold, record, course.flap_id, hold)


def _hold(record: store.Record, flap_id: str, hold: Hold) -> None:
    with record.write() as conn:
        queries.insert_hold(conn, flap_id, hold, by=IMPORTER, at=hold.from_at)


def _returned(
    record: store.Record, protocols: Mapping[str, Protocol], course: Course
) -> Iterator[Step]:
    """The returns to theatre, each once all of it was known."""
    with record.read() as conn:
        known = {r.value.decided_at for r in queries.returns_of(conn, course.flap_id)}
    for value in course.returns:
        if value.decided_at not in known:
            at = _last_known(value)
            yield (
                at,
                partial(
                    record_return, record, protocols, flap_id=course.flap_id, value=value,
                    by=IMPORTER, now=at,
                ),
            )  # fmt: skip


def _last_known(value: Return) -> datetime:
    times = (value.decided_at, value.into_theatre_at, value.perfused_again_at, value.back_at)
    return max(t for t in times if t is not None)


def _nobody(course: Course, ward: str) -> Patient:
    """A stand-in that cannot be taken for a patient."""
    return Patient(
        mrn=f"IMPORT-{course.flap_id[:8]}",
        name="IMPORTED, course",
        born_on=date(1900, 1, 1),
        ward=ward,
        bed="imported",
    )
