"""Rechecks asked for and met, and monitoring alerts that a check answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from monitoring import alarm, episodes, schedule
from monitoring.care import alerts
from monitoring.care.bedside import Bed, as_asked
from monitoring.domain import (
    Assessment,
    Check,
    Finding,
    Severity,
    Stream,
    SystemCloseReason,
)  # fmt: skip
from monitoring.schedule import Look, Recheck

ROUNDS = 2
"""After so many rechecks without worsening the schedule alone stands again."""


def ask_again(
    conn: Connection, check: Check, judged: Assessment, now: datetime
) -> list[Recheck]:
    """Meet what this check answers, and ask for the rechecks its findings want. Returns what is
    asked for now."""
    owed = episodes.open_rechecks(conn, check.flap_id)
    met = [r for r in owed if check.observed_at > r.asked_at and r.check_key != check.key]
    if met:
        episodes.meet_rechecks(conn, [r.id for r in met], check.key)
    before = max(met, key=lambda r: r.round, default=None)
    worse = before is None or judged.severity.rank > before.severity.rank
    number = 1 if worse or before is None else before.round + 1
    standing = [as_asked(r) for r in owed if r not in met]
    for finding in _asking(judged):
        assert finding.recheck_minutes is not None
        if number > ROUNDS and finding.if_unmet is None:
            continue
        start = max(check.observed_at, now - timedelta(minutes=finding.recheck_minutes))
        again = Recheck(
            check.observed_at, start + timedelta(minutes=finding.recheck_minutes), finding.rule,
            finding.if_unmet, check.key,
        )  # fmt: skip
        episodes.insert_recheck(
            conn, flap_id=check.flap_id, asked_at=again.asked_at, due_at=again.due_at,
            rule=again.rule, if_unmet=again.if_unmet, check_key=again.check_key, round=number,
            severity=judged.severity,
        )  # fmt: skip
        standing.append(again)
    return standing


def _asking(judged: Assessment) -> Iterator[Finding]:
    """The soonest recheck of all, and every one that turns louder when it is not done."""
    asking = [f for f in judged.findings if f.recheck_minutes is not None]
    soonest = min(asking, key=lambda f: f.recheck_minutes or 0, default=None)
    for finding in asking:
        if finding is soonest or finding.if_unmet is not None:
            yield finding


def settle_monitoring(
    conn: Connection, bed: Bed, judged: Assessment, looks: Sequence[Look],
    owed: Sequence[Recheck], now: datetime,
) -> None:  # fmt: skip
    """Close the flap's monitoring alert when this check leaves nothing of it standing."""
    if any(f.stream is Stream.MONITORING and _loud(f) for f in judged.findings):
        return
    noticed = schedule.notice(bed.flap, bed.protocol, looks, owed, now)
    standing = [n for n in noticed if n.settled_at is None]
    if not any(_loud(f) for f in alarm.watch_findings(bed.protocol, standing)):
        alerts.close_by_itself(conn, bed.flap.id, SystemCloseReason.CHECK_MADE, now)


def _loud(finding: Finding) -> bool:
    return finding.severity.rank >= Severity.AMBER.rank
