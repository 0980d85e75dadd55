"""What the watcher writes: deadlines that passed, dated at the deadline, each once.

No cause that calls somebody is without an open alert for long: one that a person closed while its
cause stands is raised again after 30 min, one that a hold closed as soon as the hold is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from monitoring import alarm, episodes, schedule, store, watch_log
from monitoring.care import alerts
from monitoring.care.bedside import Bed, asked, at_bed, looks_of
from monitoring.domain import SYSTEM, Assessment, Finding, Stream, SystemCloseReason
from monitoring.protocol import Protocol
from monitoring.schedule import Look, Noticed, Recheck
from monitoring.watch_log import WatchFinding

AGAIN = timedelta(minutes=30)
"""How long a person's closing silences a monitoring alert whose cause still stands."""


def raise_overdue(
    record: store.Record, protocols: Mapping[str, Protocol], *, flap_id: str, now: datetime
) -> int:
    """Write down every deadline of the flap that passed and was not known; returns how many.

    What still stands reaches the flap's alerts; what a later check settled is kept as history. A
    recheck that turns louder when it is not done does so at its deadline.
    """
    with record.write() as conn:
        bed = at_bed(conn, protocols, flap_id, now)
        if bed.flap.ended_at is not None:
            return 0
        found = noticed_at(conn, bed, now)
        settled = [n for n in found if n.settled_at is not None]
        standing = [n for n in found if n.settled_at is None]
        _new(conn, flap_id, alarm.watch_findings(bed.protocol, settled), now)
        stands = alarm.watch_findings(bed.protocol, standing)
        loud = _new(conn, flap_id, stands, now)
        louder = _new(conn, flap_id, _unmet(conn, bed, now), now)
        alerts.hear(conn, bed, [*louder, *loud], full=False, newest=False, by=SYSTEM, now=now)
        return len(loud) + len(louder) + len(_raise_again(conn, bed, stands, now))


def _raise_again(conn: Connection, bed: Bed, stands: Sequence[Finding], now: datetime) -> list[int]:
    """Raise what stands though its alert was closed, once the closing has had its time."""
    if not any(f.loud for f in stands):
        return []
    known = [a for a in episodes.alerts_of_flap(conn, bed.flap.id) if a.stream is Stream.MONITORING]
    if any(a.closed_at is None for a in known):
        return []
    silent = [
        a.closed_at + AGAIN for a in known if a.closed_at is not None and a.closed_by != SYSTEM
    ]
    if silent and now < max(silent):
        return []
    return alerts.hear(conn, bed, stands, full=False, newest=False, by=SYSTEM, now=now)


def stand_again(conn: Connection, bed: Bed, now: datetime) -> list[int]:
    """Raise again at once what the clock shows: a check that had settled it was struck through or
    amended, or the hold that had closed its alert is over."""
    if bed.flap.ended_at is not None:
        return []
    if any(e.stream is Stream.MONITORING for e in alerts.running(conn, bed.flap.id)):
        return []
    standing = [n for n in noticed_at(conn, bed, now) if n.settled_at is None]
    found = alarm.watch_findings(bed.protocol, standing)
    _new(conn, bed.flap.id, found, now)
    return alerts.hear(conn, bed, found, full=False, newest=False, by=SYSTEM, now=now)


def noticed_at(conn: Connection, bed: Bed, now: datetime) -> list[Noticed]:
    """What the clock shows of the flap now."""
    looks = looks_of(conn, bed.flap.id, now)
    return schedule.notice(bed.flap, bed.protocol, looks, asked(conn, bed.flap.id), now)


def _new(
    conn: Connection, flap_id: str, findings: Iterable[Finding], now: datetime
) -> list[Finding]:
    """Those of the findings that were not written down before."""
    return [
        f
        for f in findings
        if watch_log.insert_watch_finding(
            conn, WatchFinding(flap_id, f.rule, f.severity, f.at, now, f.because)
        )
    ]


def _unmet(conn: Connection, bed: Bed, now: datetime) -> list[Finding]:
    looks, owed = looks_of(conn, bed.flap.id, now), asked(conn, bed.flap.id)
    standing = schedule.standing_rechecks(bed.flap, bed.protocol, looks, owed, now)
    late = alarm.louder(standing, bed.flap.held(now) is not None, now)
    keys = [r.check_key for r in late if r.check_key is not None]
    judged = episodes.current_assessments(conn, keys) if keys else {}
    found = []
    for recheck in late:
        if recheck.check_key is None or recheck.check_key not in judged:
            continue
        for finding in judged[recheck.check_key].assessment.findings:
            if finding.rule == recheck.rule:
                found.append(alarm.unmet(finding, recheck.due_at, bed.protocol))
    return [f for f in found if f is not None]


def settle_monitoring(
    conn: Connection, bed: Bed, judged: Assessment, looks: Sequence[Look],
    owed: Sequence[Recheck], now: datetime,
) -> None:  # fmt: skip
    """Close the flap's monitoring alert when the newest check, a full one, leaves nothing of it
    standing."""
    if not judged.full or any(f.stream is Stream.MONITORING and f.loud for f in judged.findings):
        return
    noticed = schedule.notice(bed.flap, bed.protocol, looks, owed, now)
    standing = [n for n in noticed if n.settled_at is None]
    if not any(f.loud for f in alarm.watch_findings(bed.protocol, standing)):
        alerts.close_by_itself(conn, bed.flap.id, SystemCloseReason.CHECK_MADE, now)
