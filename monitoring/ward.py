"""The ward as it stands: the record read into what board, bedside and alerts show. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

from monitoring import alarm, checks, episodes, people, queries, schedule, store
from monitoring.board import Bedside, OpenAlert, SeenCheck
from monitoring.care.bedside import as_asked
from monitoring.checks import JudgedCheck, StoredCheck
from monitoring.domain import Outcome, Pattern, Severity, Stream
from monitoring.episodes import AlertEvent, Heartbeat, StoredAlert, StoredAssessment, WatchFinding
from monitoring.protocol import Protocol, UnknownProtocol
from monitoring.queries import Correction, StoredFlap, StoredHold, StoredReturn
from monitoring.short_lists import short_lists

RECENT = 30
"""How many checks of each flap a board reads: half-hourly over its trend, and more."""

TICK_READS = 52
"""How many checks of each flap the watcher reads: half-hourly over 24 h, and rechecks."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A flap whose rows make no true value any more: shown as unknown, never left out."""

    flap_id: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every monitored flap at one moment, and when the watcher last ran."""

    at: datetime
    beds: tuple[Bedside, ...]
    unreadable: tuple[str, ...]
    heartbeat: Heartbeat | None
    names: Mapping[str, str] = field(default_factory=dict)


def snapshot(
    record: store.Record, protocols: Mapping[str, Protocol], now: datetime, recent: int = RECENT
) -> Snapshot:
    """The whole ward in one read, in a number of statements that does not grow with flaps."""
    with record.read() as conn:
        lists = short_lists(conn)
        active = queries.active_flaps(conn, lists)
        try:
            seen = _memory(record).last_checks(conn, recent)
            running = _by_flap(episodes.open_alerts(conn))
            broken: list[str] = []
        except queries.BROKEN:
            seen, running, broken = _one_by_one(conn, active, recent)
    owed = _by_flap(lists.rechecks)
    beds, unreadable = [], [*active.unreadable, *broken]
    for stored in active.flaps:
        flap_id = stored.flap.id
        protocol = protocols.get(stored.flap.protocol_id)
        if flap_id in broken:
            continue
        if protocol is None:
            unreadable.append(flap_id)
            continue
        beds.append(
            Bedside(
                flap=stored.flap,
                patient=stored.patient,
                protocol=protocol,
                seen=tuple(seen.get(flap_id, ())),
                alerts=tuple(open_alert(a, lists.names) for a in running.get(flap_id, ())),
                rechecks=tuple(as_asked(r) for r in owed.get(flap_id, ())),
            )
        )
    return Snapshot(now, tuple(beds), tuple(unreadable), lists.heartbeat, lists.names)


def _one_by_one(
    conn: Connection, active: queries.ActiveFlaps, recent: int
) -> tuple[dict[str, list[SeenCheck]], dict[str, list[StoredAlert]], list[str]]:
    """The checks and alerts of each flap by itself, once reading them together failed: the last
    are the flaps whose rows make no sense."""
    seen: dict[str, list[SeenCheck]] = {}
    running: dict[str, list[StoredAlert]] = {}
    broken = []
    for stored in active.flaps:
        flap_id = stored.flap.id
        try:
            looked = checks.last_checks(conn, recent, [flap_id])
            running[flap_id] = episodes.open_alerts(conn, flap_id)
            seen[flap_id] = [seen_check(c) for c in looked.get(flap_id, ())]
        except queries.BROKEN:
            broken.append(flap_id)
    return seen, running, broken


_memories: WeakKeyDictionary[Engine, checks.Memory[SeenCheck]] = WeakKeyDictionary()


def _memory(record: store.Record) -> checks.Memory[SeenCheck]:
    """What this process remembers of this record's checks."""
    return _memories.setdefault(record.reader, checks.Memory(seen_check))


A = TypeVar("A", StoredAlert, episodes.Recheck)


def _by_flap(found: Iterable[A]) -> dict[str, list[A]]:
    by_flap: dict[str, list[A]] = {}
    for one in found:
        by_flap.setdefault(one.flap_id, []).append(one)
    return by_flap


def seen_check(stored: JudgedCheck | StoredCheck) -> SeenCheck:
    """A stored check as the board sees it."""
    return SeenCheck(
        check=stored.check,
        first_recorded_at=stored.first_recorded_at,
        full=bool(stored.is_full),
        severity=stored.severity or Severity.NONE,
        pattern=stored.pattern,
        because=(stored.because,) if stored.because else (),
        unanswered=stored.unanswered or 0,
    )


def open_alert(stored: StoredAlert, names: Mapping[str, str]) -> OpenAlert:
    """A stored alert as the board sees it, with the name of whoever has it."""
    who = stored.acknowledged_by
    return OpenAlert(
        id=stored.id,
        flap_id=stored.flap_id,
        stream=stored.stream,
        severity=stored.severity,
        pattern=stored.pattern or Pattern.INDETERMINATE,
        state=stored.state,
        raised_at=stored.raised_at,
        first_sign_at=stored.first_sign_at or stored.raised_at,
        because=stored.because,
        rule=stored.rule,
        do_now=stored.findings[0].do_now if stored.findings else "",
        decisive=frozenset(
            e.sign for f in stored.findings if f.because == stored.because for e in f.evidence
        ),
        recovered_at=stored.recovered_at,
        amended_at=stored.amended_at,
        acknowledged_by=None if who is None else names.get(who, who),
        acknowledged_at=stored.acknowledged_at,
        intent=stored.intent,
        expected_at=stored.expected_at,
    )


@dataclass(frozen=True, slots=True)
class Stay:
    """Everything the record holds of one flap, for its own page."""

    bed: Bedside
    stored: StoredFlap
    versions: tuple[StoredCheck, ...]
    judged: Mapping[UUID, StoredAssessment]
    alerts: tuple[StoredAlert, ...]
    events: tuple[AlertEvent, ...]
    holds: tuple[StoredHold, ...]
    returns: tuple[StoredReturn, ...]
    corrections: tuple[Correction, ...]
    passed: tuple[WatchFinding, ...]
    outcome: Outcome | None
    names: Mapping[str, str]
    others: tuple[StoredFlap, ...]


def stay(record: store.Record, protocols: Mapping[str, Protocol], flap_id: str) -> Stay:
    """One flap's whole stay. Raises UnknownFlap, UnknownProtocol."""
    with record.read() as conn:
        stored = queries.load_flap(conn, flap_id)
        protocol = protocols.get(stored.flap.protocol_id)
        if protocol is None:
            raise UnknownProtocol(f"The protocol {stored.flap.protocol_id} is not here.")
        versions = checks.checks_of_flap(conn, flap_id)
        standing = [v for v in versions if v.current]
        names = {s.id: s.name for s in people.list_staff(conn, and_those_who_left=True)}
        alerts = episodes.alerts_of_flap(conn, flap_id)
        owed = episodes.open_rechecks(conn, flap_id)
        bed = Bedside(
            flap=stored.flap,
            patient=stored.patient,
            protocol=protocol,
            seen=tuple(seen_check(v) for v in standing),
            alerts=tuple(open_alert(a, names) for a in alerts if a.closed_at is None),
            rechecks=tuple(as_asked(r) for r in owed),
        )
        return Stay(
            bed=bed,
            stored=stored,
            versions=tuple(versions),
            judged=episodes.current_assessments(conn, [v.check.key for v in standing]),
            alerts=tuple(alerts),
            events=tuple(episodes.events_of(conn, [a.id for a in alerts])),
            holds=tuple(queries.holds_of(conn, flap_id)),
            returns=tuple(queries.returns_of(conn, flap_id)),
            corrections=tuple(queries.corrections_of(conn, flap_id)),
            passed=tuple(episodes.watch_findings_of(conn, flap_id)),
            outcome=queries.outcome_of(conn, flap_id),
            names=names,
            others=_others(conn, stored),
        )


def _others(conn: Connection, stored: StoredFlap) -> tuple[StoredFlap, ...]:
    found = queries.flaps_of_patient(conn, stored.patient_id)
    return tuple(
        f for f in found if f.flap.id != stored.flap.id and f.flap.ended_at is None
    )


@dataclass(frozen=True, slots=True)
class Awaiting:
    """The flaps of which the watcher has something new to write down, and the alerts whose
    acknowledgement ran out."""

    flap_ids: tuple[str, ...]
    unreadable: tuple[str, ...]
    expired: tuple[int, ...]


def awaiting(
    record: store.Record, protocols: Mapping[str, Protocol], now: datetime
) -> Awaiting:
    """Which flaps have a deadline that passed and was not written down yet.

    A flap that cannot be judged here is named too: the verb will say why.
    """
    found = snapshot(record, protocols, now, TICK_READS)
    passed = {b.flap.id: _passed(b, now) for b in found.beds}
    first = min((d[3] for said in passed.values() for d in said or ()), default=now)
    with record.read() as conn:
        known = episodes.known_deadlines(conn, first)
    asked = [flap_id for flap_id, said in passed.items() if said is None or not said <= known]
    expired = [a.id for b in found.beds for a in b.alerts if alarm.has_expired(a, now)]
    return Awaiting(tuple(asked), found.unreadable, tuple(expired))


Deadline = tuple[str, str, str, datetime]
"""Flap, rule, severity and moment of a deadline, as the record knows it."""


def _passed(bed: Bedside, now: datetime) -> set[Deadline] | None:
    """Every deadline of the flap that passed by now; None when they cannot be told, or when what
    stands has no open alert and the flap has to be looked at whatever was written down."""
    looks = [s.look for s in bed.seen]
    try:
        noticed = schedule.notice(bed.flap, bed.protocol, looks, bed.rechecks, now)
        said = alarm.watch_findings(bed.protocol, noticed)
        owed = schedule.standing_rechecks(bed.flap, bed.protocol, looks, bed.rechecks, now)
        stands = alarm.watch_findings(bed.protocol, [n for n in noticed if n.settled_at is None])
    except Exception:
        return None
    if not any(a.stream is Stream.MONITORING for a in bed.alerts) and any(f.loud for f in stands):
        return None
    unmet = alarm.louder(owed, bed.flap.held(now) is not None, now)
    return {(bed.flap.id, f.rule, str(f.severity), f.at) for f in said} | {
        (bed.flap.id, r.rule, str(r.if_unmet), r.due_at) for r in unmet
    }
