"""The ward as it stands: the record read into what board, bedside and alerts show. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

from monitoring import (
    alarm,
    checks,
    episodes,
    escalation,
    paging,
    people,
    queries,
    rechecks,
    store,
    verdicts,
    watch_log,
)
from monitoring.board import Bedside, SeenCheck
from monitoring.calls import OpenAlert, Told
from monitoring.care.bedside import as_asked
from monitoring.checks import JudgedCheck, StoredCheck
from monitoring.domain import (
    AlertState,
    MonitoringError,
    Outcome,
    PageState,
    Pattern,
    Severity,
)
from monitoring.episodes import AlertEvent, StoredAlert, StoredAssessment
from monitoring.ladder import ladder_of
from monitoring.paging import Reached, Sent, Step, StoredPage
from monitoring.protocol import Protocol, UnknownProtocol
from monitoring.queries import Correction, StoredFlap, StoredHold, StoredReturn, Whose
from monitoring.reviews import Review
from monitoring.rows import BROKEN
from monitoring.short_lists import short_lists
from monitoring.watch_log import Heartbeat, WatchFinding

RECENT = 30
"""How many checks of each flap a board reads: half-hourly over its trend, and more."""


def judgements(record: store.Record, found: Snapshot) -> dict[UUID, StoredAssessment]:
    """What is said of the newest check of every bed with an open alert; one that makes no sense
    any more is left out."""
    keys = [b.seen[-1].check.key for b in found.beds if b.seen and b.alerts]
    judged: dict[UUID, StoredAssessment] = {}
    with record.read() as conn:
        try:
            return episodes.current_assessments(conn, keys)
        except BROKEN:
            for key in keys:
                with suppress(*BROKEN):
                    judged |= episodes.current_assessments(conn, [key])
    return judged


class UnreadableFlap(MonitoringError):
    """A flap whose rows make no true value any more: shown as unknown, never left out."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every monitored flap at one moment, and when the watcher last ran.

    ``alerts`` are all that are not closed, of ended and unreadable flaps too; ``whose`` tells of
    every flap that is not among the beds and is unreadable or has such an alert.
    """

    at: datetime
    beds: tuple[Bedside, ...]
    unreadable: tuple[str, ...]
    heartbeat: Heartbeat | None
    names: Mapping[str, str] = field(default_factory=dict)
    alerts: tuple[StoredAlert, ...] = ()
    whose: Mapping[str, Whose] = field(default_factory=dict)
    sent: Mapping[int, Sequence[Sent]] = field(default_factory=dict)

    @property
    def left(self) -> tuple[StoredAlert, ...]:
        """The alerts that no bed of the board shows."""
        shown = {b.flap.id for b in self.beds}
        return tuple(a for a in self.alerts if a.flap_id not in shown)


def snapshot(
    record: store.Record, protocols: Mapping[str, Protocol], now: datetime, recent: int = RECENT
) -> Snapshot:
    """The whole ward in one read, in a number of statements that does not grow with flaps."""
    with record.read() as conn:
        lists = short_lists(conn)
        active = queries.active_flaps(conn, lists)
        alerts = episodes.every_open_alert(conn)
        planned = [a.id for a in alerts.alerts if a.plan_until is not None]
        reviews = verdicts.reviews_of_alerts(conn, planned) if planned else {}
        broken = {*active.unreadable, *lists.broken, *alerts.broken}
        try:
            seen = _memory(record).last_checks(conn, recent)
        except BROKEN:
            seen = _one_by_one(conn, active, recent, broken)
        broken |= {f.flap.id for f in active.flaps if f.flap.protocol_id not in protocols}
        broken &= {*active.unreadable, *(f.flap.id for f in active.flaps)}
        whole = [f for f in active.flaps if f.flap.id not in broken]
        bare = broken | {a.flap_id for a in alerts.alerts} - {f.flap.id for f in whole}
        whose = queries.whose(conn, bare) if bare else {}
    running = _by_flap(alerts.alerts)
    owed = _by_flap(lists.rechecks)
    beds = tuple(
        Bedside(
            flap=stored.flap,
            patient=stored.patient,
            protocol=protocols[stored.flap.protocol_id],
            seen=tuple(seen.get(stored.flap.id, ())),
            alerts=tuple(
                open_alert(
                    a,
                    lists.names,
                    lists.sent.get(a.id, ()),
                    _last(reviews, a),
                    lists.rungs.get(a.id, ()),
                )
                for a in running.get(stored.flap.id, ())
            ),
            rechecks=tuple(as_asked(r) for r in owed.get(stored.flap.id, ())),
        )
        for stored in whole
    )
    return Snapshot(
        now, beds, tuple(sorted(broken)), lists.heartbeat, lists.names, tuple(alerts.alerts),
        whose, lists.sent,
    )  # fmt: skip


def _one_by_one(
    conn: Connection, active: queries.ActiveFlaps, recent: int, broken: set[str]
) -> dict[str, list[SeenCheck]]:
    """The checks of each flap by itself, once reading them together failed; a flap whose checks
    make no sense is named as broken."""
    seen: dict[str, list[SeenCheck]] = {}
    for stored in active.flaps:
        flap_id = stored.flap.id
        try:
            looked = checks.last_checks(conn, recent, [flap_id])
            seen[flap_id] = [seen_check(c) for c in looked.get(flap_id, ())]
        except BROKEN:
            broken.add(flap_id)
    return seen


_memories: WeakKeyDictionary[Engine, checks.Memory[SeenCheck]] = WeakKeyDictionary()


def _memory(record: store.Record) -> checks.Memory[SeenCheck]:
    """What this process remembers of this record's checks."""
    return _memories.setdefault(record.reader, checks.Memory(seen_check))


A = TypeVar("A", StoredAlert, rechecks.Recheck)


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


def open_alert(
    stored: StoredAlert,
    names: Mapping[str, str],
    sent: Sequence[Sent | StoredPage] = (),
    review: Review | None = None,
    rungs: Sequence[Reached] = (),
) -> OpenAlert:
    """A stored alert as the board sees it, with the names of whoever has to do with it; ``sent``
    are the messages of the paging that runs, ``review`` its last one, ``rungs`` the
    rungs that it took."""
    ladder = ladder_of(stored.ladder, stored.severity, stored.stream)
    told = {s.number for s in sent if s.state is not PageState.DROPPED}
    taken = max([*told, *(r.number for r in rungs)], default=-1)
    silent = [r for r in rungs if told and r.number > max(told)]
    climbs = stored.state is AlertState.OPEN and taken >= 0 and stored.paged_at is not None

    def name(staff_id: str | None) -> str | None:
        return None if staff_id is None else names.get(staff_id, staff_id)

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
        acknowledged_by=name(stored.acknowledged_by),
        acknowledged_at=stored.acknowledged_at,
        intent=stored.intent,
        expected_at=stored.expected_at,
        verbal_by=name(stored.verbal_by),
        arrived_at=stored.arrived_at,
        holds_until=alarm.holds_until(stored),
        review=review if stored.plan_until is not None else None,
        names=names,
        passed_by=name(stored.passed_by),
        passed_to=name(stored.passed_to),
        passed_at=stored.passed_at,
        lapsed_by=name(stored.lapsed_by),
        lapsed_at=stored.lapsed_at,
        snoozed_by=name(stored.snoozed_by),
        snoozed_until=stored.snoozed_until,
        snooze_reason=stored.snooze_reason or "",
        paged_at=stored.paged_at,
        told=told_by(sent, names),
        next_at=escalation.next_at(ladder, stored.paged_at or stored.raised_at, taken)
        if climbs
        else None,
        silent_since=silent[0].taken_at if silent and climbs else None,
        rounds=len({s.number for s in sent if s.sent_at is not None}) // len(ladder.rungs),
    )


def _last(reviews: Mapping[int, Sequence[Review]], alert: StoredAlert) -> Review | None:
    return next(reversed(reviews.get(alert.id, ())), None)


def _running(alert: StoredAlert, pages: Mapping[int, Sequence[StoredPage]]) -> list[StoredPage]:
    """The messages of the alert's paging that runs."""
    return [p for p in pages.get(alert.id, ()) if p.chain == alert.pages]


def _taken(alert: StoredAlert, steps: Mapping[int, Sequence[Step]]) -> list[Reached]:
    """The rungs that the alert's paging took, first first."""
    own = (s for s in steps.get(alert.id, ()) if s.chain == alert.pages and s.sent)
    return sorted(Reached(s.number, s.taken_at) for s in own)


def told_by(sent: Iterable[Sent | StoredPage], names: Mapping[str, str]) -> tuple[Told, ...]:
    """Who was told, by all messages of each rung together, in the order of the rungs."""
    together: dict[tuple[int, str], list[Sent | StoredPage]] = {}
    for one in sent:
        who = f"room {one.channel}" if one.staff_id is None else names.get(
            one.staff_id, one.staff_id
        )  # fmt: skip
        together.setdefault((one.number, who), []).append(one)
    return tuple(_one_told(who, some) for (_, who), some in together.items())


def _one_told(who: str, some: Sequence[Sent | StoredPage]) -> Told:
    out = [s.sent_at for s in some if s.sent_at is not None]
    read = [s.read_at for s in some if s.read_at is not None]
    failed = [s.answer for s in some if s.sent_at is None and s.attempts and s.answer]
    return Told(
        name=who,
        at=min(s.created_at for s in some),
        sent_at=min(out, default=None),
        read_at=min(read, default=None),
        trouble="" if out or not failed else failed[-1],
        dropped=all(s.state is PageState.DROPPED for s in some),
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
    pages: Mapping[int, Sequence[StoredPage]] = field(default_factory=dict)
    reviews: tuple[Review, ...] = ()


def stay(record: store.Record, protocols: Mapping[str, Protocol], flap_id: str) -> Stay:
    """One flap's whole stay. Raises UnknownFlap, UnknownProtocol, UnreadableFlap."""
    try:
        return _stay(record, protocols, flap_id)
    except BROKEN:
        raise UnreadableFlap(
            f"The record of flap {flap_id} cannot be read: check the flap by hand, and tell "
            "hospital IT. Its alerts are on the alerts page."
        ) from None


def _stay(record: store.Record, protocols: Mapping[str, Protocol], flap_id: str) -> Stay:
    with record.read() as conn:
        stored = queries.load_flap(conn, flap_id)
        protocol = protocols.get(stored.flap.protocol_id)
        if protocol is None:
            raise UnknownProtocol(f"The protocol {stored.flap.protocol_id} is not here.")
        versions = checks.checks_of_flap(conn, flap_id)
        standing = [v for v in versions if v.current]
        names = {s.id: s.name for s in people.list_staff(conn, and_those_who_left=True)}
        alerts = episodes.alerts_of_flap(conn, flap_id)
        owed = rechecks.open_rechecks(conn, flap_id)
        pages = paging.pages_of(conn, [a.id for a in alerts])
        steps = paging.steps_of(conn, [a.id for a in alerts])
        reviews = verdicts.reviews_of_flap(conn, flap_id)
        last = {r.alert_id: r for r in reviews if r.alert_id is not None}
        bed = Bedside(
            flap=stored.flap,
            patient=stored.patient,
            protocol=protocol,
            seen=tuple(seen_check(v) for v in standing),
            alerts=tuple(
                open_alert(a, names, _running(a, pages), last.get(a.id), _taken(a, steps))
                for a in alerts
                if a.closed_at is None
            ),
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
            passed=tuple(watch_log.watch_findings_of(conn, flap_id)),
            outcome=queries.outcome_of(conn, flap_id),
            names=names,
            others=_others(conn, stored),
            pages=pages,
            reviews=tuple(reviews),
        )


def _others(conn: Connection, stored: StoredFlap) -> tuple[StoredFlap, ...]:
    found = queries.flaps_of_patient(conn, stored.patient_id)
    return tuple(f for f in found if f.flap.id != stored.flap.id and f.flap.ended_at is None)
