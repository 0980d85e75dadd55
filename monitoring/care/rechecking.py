"""Rechecks asked for and met, and monitoring alerts that a check answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

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
)
from monitoring.schedule import Look, Recheck

ROUNDS = 2
"""After so many rechecks without worsening the schedule alone stands again."""


def ask_again(
    conn: Connection, check: Check, judged: Assessment, now: datetime,
    clear_at: datetime | None = None,
) -> list[Recheck]:  # fmt: skip
    """Meet what the newest check answers, and ask for the rechecks its findings want. Returns
    what is asked for now. ``clear_at`` is when the flap was last seen without a finding."""
    owed = episodes.open_rechecks(conn, check.flap_id)
    met = [r for r in owed if check.observed_at > r.asked_at and r.check_key != check.key]
    asking = list(_asking(judged))
    number = _round(conn, check, judged, asking, clear_at) if asking else 1
    if met:
        episodes.meet_rechecks(conn, [r.id for r in met], check.key)
    standing = [as_asked(r) for r in owed if r not in met]
    for finding in asking:
        if number <= ROUNDS or finding.if_unmet is Severity.RED:
            standing.append(_ask(conn, check, judged, finding, number, now))
    return standing


def _ask(
    conn: Connection, check: Check, judged: Assessment, finding: Finding, number: int,
    now: datetime,
) -> Recheck:  # fmt: skip
    """Ask for one recheck. It counts from when the check was observed, but is never due before
    anybody could know of it."""
    within = timedelta(minutes=finding.recheck_minutes or 0)
    due_at = max(check.observed_at + within, now)
    episodes.insert_recheck(
        conn, flap_id=check.flap_id, asked_at=check.observed_at, due_at=due_at,
        rule=finding.rule, if_unmet=finding.if_unmet, check_key=check.key, round=number,
        severity=judged.severity,
    )  # fmt: skip
    return Recheck(check.observed_at, due_at, finding.rule, finding.if_unmet, check.key)


def _round(
    conn: Connection, check: Check, judged: Assessment, asking: Sequence[Finding],
    clear_at: datetime | None,
) -> int:  # fmt: skip
    """The how manieth recheck running this is, without worsening: a worse severity or another
    stream begins anew, and so does a flap that was clear in between."""
    last = episodes.last_recheck(conn, check.flap_id)
    if last is None or last.check_key is None or last.asked_at >= check.observed_at:
        return 1
    if clear_at is not None and last.asked_at < clear_at:
        return 1
    before = episodes.current_assessment(conn, last.check_key)
    streams = set() if before is None else {f.stream for f in before.assessment.findings}
    worse = judged.severity.rank > last.severity.rank
    return 1 if worse or not {f.stream for f in asking} <= streams else last.round + 1


def ask_anew(
    conn: Connection, judged: Sequence[tuple[Check, Assessment]], new: Iterable[Finding],
    flap_id: str, gone: UUID | None, now: datetime, since: datetime,
) -> None:  # fmt: skip
    """Set right what is asked for, once the stay was judged again.

    What a check that is ``gone`` had met is asked for again unless another met it; what it, or a
    finding that is no more, had asked for is cancelled. ``new`` findings of the newest check ask.
    Only checks from ``since`` on (the present course) count as clear.
    """
    if gone is not None:
        episodes.reopen_rechecks(conn, gone)
    found = {c.key: {f.rule for f in a.findings} for c, a in judged}
    for owed in episodes.open_rechecks(conn, flap_id):
        met = (c for c, _ in judged if c.observed_at > owed.asked_at and c.key != owed.check_key)
        by = next(met, None)
        if owed.check_key is not None and owed.rule not in found.get(owed.check_key, ()):
            episodes.cancel_rechecks(conn, [owed.id], now)
        elif by is not None:
            episodes.meet_rechecks(conn, [owed.id], by.key)
    if judged:
        check, newest = judged[-1]
        asking = [f for f in _asking(newest) if f in list(new)]
        clear = [c.observed_at for c, a in judged if a.full and not a.findings]
        number = _round(conn, check, newest, asking, max([since, *clear]))
        for finding in asking:
            if number <= ROUNDS or finding.if_unmet is Severity.RED:
                _ask(conn, check, newest, finding, number, now)


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
    """Close the flap's monitoring alert when the newest check, a full one, leaves nothing of it
    standing."""
    if not judged.full or any(f.stream is Stream.MONITORING and _loud(f) for f in judged.findings):
        return
    noticed = schedule.notice(bed.flap, bed.protocol, looks, owed, now)
    standing = [n for n in noticed if n.settled_at is None]
    if not any(_loud(f) for f in alarm.watch_findings(bed.protocol, standing)):
        alerts.close_by_itself(conn, bed.flap.id, SystemCloseReason.CHECK_MADE, now)


def _loud(finding: Finding) -> bool:
    return finding.severity.rank >= Severity.AMBER.rank
