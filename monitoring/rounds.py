"""What the watcher has to do now: deadlines that passed, answers that ran out, rungs to take.

Alerts are looked at in every round. Deadlines of checks are looked at in turn, a part of the
flaps each round (``Part``): they are dated at the deadline whenever they are found, and a ward of
200 flaps would cost a round ten times as much.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from monitoring import (
    alarm,
    checks,
    episodes,
    escalation,
    paging,
    queries,
    schedule,
    shifts,
    store,
    watch_log,
)
from monitoring.care.bedside import AHEAD, as_asked, as_look
from monitoring.domain import AlertState, Flap, Level, Stream
from monitoring.episodes import StoredAlert
from monitoring.ladder import ladder_of
from monitoring.protocol import Protocol
from monitoring.rows import BROKEN
from monitoring.schedule import Look, Recheck
from monitoring.short_lists import ShortLists, short_lists


class Part(NamedTuple):
    """Which flaps a round looks at: every ``of``-th, from ``number`` on."""

    number: int
    of: int


WHOLE = Part(0, 1)


@dataclass(frozen=True, slots=True)
class Awaiting:
    """The flaps of which the watcher has something new to write down, the alerts whose
    acknowledgement ran out, and those with a rung to take. ``unreadable`` are the flaps of this
    part whose rows make no sense, ``behind`` alerts with a rung more than a minute past its
    time."""

    flap_ids: tuple[str, ...]
    unreadable: tuple[str, ...]
    expired: tuple[StoredAlert, ...]
    climbing: tuple[StoredAlert, ...]
    behind: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Watched:
    """One flap as the clock judges it."""

    flap: Flap
    protocol: Protocol
    looks: Sequence[Look]
    rechecks: Sequence[Recheck]
    called: bool


def awaiting(
    record: store.Record, protocols: Mapping[str, Protocol], now: datetime, part: Part = WHOLE
) -> Awaiting:
    """What is to be done now, in a number of statements that does not grow with flaps.

    A flap that cannot be judged here is named too: the verb will say why. What the verb would
    look at is looked at here, no more and no less: else a flap would be asked at every round.
    """
    with record.read() as conn:
        lists = short_lists(conn)
        alerts = episodes.every_open_alert(conn)
        watched, broken = _watched(conn, protocols, lists, alerts, now, part)
        passed = {w.flap.id: _passed(w, now) for w in watched}
        first = min((d[3] for said in passed.values() for d in said or ()), default=now)
        known = watch_log.known_deadlines(conn, first)
        away = {a.id for a in alerts.alerts if _excused(a, lists, now)}
        climbing, behind = _climbing(conn, alerts.alerts, away, now)
    asked = [flap_id for flap_id, said in passed.items() if said is None or not said <= known]
    expired = [a for a in alerts.alerts if a.id not in away and alarm.has_expired(a, now)]
    return Awaiting(
        tuple(asked), tuple(sorted(broken)), tuple(expired), tuple(climbing), tuple(behind)
    )


def _watched(
    conn: Connection, protocols: Mapping[str, Protocol], lists: ShortLists,
    alerts: episodes.OpenAlerts, now: datetime, part: Part,
) -> tuple[list[_Watched], set[str]]:  # fmt: skip
    """The flaps of this part, and those among them that cannot be judged."""
    ids = queries.active_flap_ids(conn)[part.number :: part.of]
    active = queries.active_flaps(conn, lists, ids)
    broken = set(active.unreadable) | (set(ids) & {*lists.broken, *alerts.broken})
    broken |= {f.flap.id for f in active.flaps if f.flap.protocol_id not in protocols}
    looks = _looks(conn, ids, now, broken)
    called = {a.flap_id for a in alerts.alerts if a.stream is Stream.MONITORING}
    owed: dict[str, list[Recheck]] = {}
    for recheck in lists.rechecks:
        owed.setdefault(recheck.flap_id, []).append(as_asked(recheck))
    return [
        _Watched(
            f.flap, protocols[f.flap.protocol_id], looks.get(f.flap.id, ()),
            owed.get(f.flap.id, ()), f.flap.id in called,
        )
        for f in active.flaps
        if f.flap.id not in broken
    ], broken  # fmt: skip


def _looks(
    conn: Connection, flap_ids: Sequence[str], now: datetime, broken: set[str]
) -> dict[str, list[Look]]:
    """The checks of these flaps as far back as the schedule looks; a flap whose checks make no
    sense is named as broken."""
    since, before = now - schedule.LOOKBACK, now + AHEAD + timedelta(seconds=1)
    found: dict[str, list[Look]] = {}
    try:
        rows = checks.glances_of(conn, flap_ids, since, before)
    except BROKEN:  # flap by flap, once reading them together failed
        rows = []
        for flap_id in flap_ids:
            try:
                rows += checks.glances_of(conn, [flap_id], since, before)
            except BROKEN:
                broken.add(flap_id)
    for seen in rows:
        found.setdefault(seen.flap_id, []).append(as_look(seen))
    return found


def _climbing(
    conn: Connection, alerts: Iterable[StoredAlert], away: set[int], now: datetime
) -> tuple[list[StoredAlert], list[int]]:
    """The alerts of which a rung is due or told nobody, and the ids of those that wait too long;
    none to which theatre is the answer."""
    asking = [
        a for a in alerts
        if a.state is AlertState.OPEN and a.id not in away and not alarm.rests(a, now)
    ]  # fmt: skip
    ids = [a.id for a in asking]
    highest, told = paging.highest_steps(conn, ids), paging.told(conn, ids)
    climbing, behind, silent = [], [], []
    for alert in asking:
        paged_at = alert.paged_at or alert.raised_at
        taken, taken_at = highest.get((alert.id, alert.pages), paging.NOWHERE)
        ladder = ladder_of(alert.ladder, alert.severity, alert.stream)
        back = escalation.clock_was_set_back(paged_at, taken_at, now)
        due = escalation.due(ladder, paged_at, taken, now)
        if due is not None or back or alarm.wakes(alert, now):
            climbing.append(alert)
            if due is not None and due.late:
                behind.append(alert.id)
        elif not told.get((alert.id, alert.pages, taken)):
            silent.append(alert)
    if silent and _somebody(conn, now):
        climbing += silent
    return climbing, behind


def _somebody(conn: Connection, now: datetime) -> bool:
    """Whether anybody on call can be told at all: else a rung that told nobody told nobody yet."""
    directory = shifts.directory(conn, now)
    wards = {s.ward for s in directory.shifts}
    return any(directory.reached(ward, tuple(Level), now) for ward in wards)


def _excused(alert: StoredAlert, lists: ShortLists, now: datetime) -> bool:
    """Whether the answer to the alert is under way: its flap is back in theatre."""
    paged_at = alert.paged_at or alert.raised_at
    return any(
        back_at is None and alarm.in_theatre(alert.stream, paged_at, into_theatre_at, now)
        for _, _, into_theatre_at, _, back_at, *_ in lists.returns.get(alert.flap_id, ())
    )


Deadline = tuple[str, str, str, datetime]
"""Flap, rule, severity and moment of a deadline, as the record knows it."""


def _passed(watched: _Watched, now: datetime) -> set[Deadline] | None:
    """Every deadline of the flap that passed by now; None when they cannot be told, or when what
    stands has no open alert and the flap has to be looked at whatever was written down."""
    flap, protocol, owed = watched.flap, watched.protocol, watched.rechecks
    try:
        noticed = schedule.notice(flap, protocol, watched.looks, owed, now)
        said = alarm.watch_findings(protocol, noticed)
        standing = schedule.standing_rechecks(flap, protocol, watched.looks, owed, now)
        stands = alarm.watch_findings(protocol, [n for n in noticed if n.settled_at is None])
    except Exception:
        return None
    if not watched.called and any(f.loud for f in stands):
        return None
    unmet = alarm.louder(standing, flap.held(now) is not None, now)
    return {(flap.id, f.rule, str(f.severity), f.at) for f in said} | {
        (flap.id, r.rule, str(r.if_unmet), r.due_at) for r in unmet
    }
