"""Rechecks: asked for, met, moved to another version of a check, and ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection

from monitoring import alarm, checks, episodes, rechecks, verdicts
from monitoring.care.bedside import as_asked
from monitoring.domain import (
    Assessment,
    Check,
    Finding,
    Severity,
    Stream,
)
from monitoring.schedule import LOOKBACK, Recheck

ROUNDS = 2
"""After so many rechecks without worsening, or a review, the schedule alone stands again."""


def ask_again(
    conn: Connection, check: Check, judged: Assessment, now: datetime,
    clear_at: datetime | None = None,
) -> list[Recheck]:  # fmt: skip
    """Meet what the newest check answers, and ask for the rechecks its findings want. Returns
    what is asked for now. ``clear_at`` is when the flap was last seen without a finding."""
    owed = rechecks.open_rechecks(conn, check.flap_id)
    asked_by = _findings(conn, [r for r in owed if r.if_unmet is not None])
    met = [r for r in owed if _meets(check, r, asked_by.get(r.id))]
    asking = list(_asking(judged))
    number = _round(conn, check, judged, asking, clear_at) if asking else 1
    if met:
        rechecks.meet_rechecks(conn, [r.id for r in met], check.key)
    standing = [as_asked(r) for r in owed if r not in met]
    for finding in asking:
        if number <= ROUNDS or finding.if_unmet is Severity.RED:
            by = min((r.due_at for r in met if _same_alarm(r, finding)), default=None)
            standing.append(_ask(conn, check, judged, finding, number, now, by))
    return standing


def _same_alarm(met: rechecks.Recheck, finding: Finding) -> bool:
    """Whether a recheck only found again what turns red unless a second person clears it: looking
    twice oneself buys no time."""
    return met.rule == finding.rule and met.if_unmet is finding.if_unmet is Severity.RED


def _ask(
    conn: Connection, check: Check, judged: Assessment, finding: Finding, number: int,
    now: datetime, by: datetime | None = None,
) -> Recheck:  # fmt: skip
    """Ask for one recheck. It counts from when the check was observed, but is never due before
    anybody could know of it; ``by`` is an earlier deadline that goes on."""
    within = timedelta(minutes=finding.recheck_minutes or 0)
    due_at = max(check.observed_at + within, now)
    if by is not None:
        due_at = max(min(due_at, by), check.observed_at)
    rechecks.insert_recheck(
        conn, flap_id=check.flap_id, asked_at=check.observed_at, due_at=due_at,
        rule=finding.rule, if_unmet=finding.if_unmet, check_key=check.key, round=number,
        severity=judged.severity,
    )  # fmt: skip
    return Recheck(
        check.observed_at, due_at, finding.rule, finding.if_unmet, check.key, judged.severity
    )


def _round(
    conn: Connection, check: Check, judged: Assessment, asking: Sequence[Finding],
    clear_at: datetime | None,
) -> int:  # fmt: skip
    """The how manieth recheck running this is, without worsening: a worse severity or another
    stream begins anew, and so does a flap that was clear in between. After a review that knew as
    much, it is one too many."""
    if _reviewed(conn, check, judged, asking, clear_at):
        return ROUNDS + 1
    last = rechecks.last_recheck(conn, check.flap_id)
    if last is None or last.check_key is None or last.asked_at >= check.observed_at:
        return 1
    if clear_at is not None and last.asked_at < clear_at:
        return 1
    before = episodes.current_assessment(conn, last.check_key)
    streams = set() if before is None else {f.stream for f in before.assessment.findings}
    worse = judged.severity.rank > last.severity.rank
    return 1 if worse or not {f.stream for f in asking} <= streams else last.round + 1


def _reviewed(
    conn: Connection, check: Check, judged: Assessment, asking: Sequence[Finding],
    clear_at: datetime | None,
) -> bool:  # fmt: skip
    """Whether a clinician has decided since, knowing a check that was as loud in these streams."""
    review = verdicts.last_review(conn, check.flap_id)
    if review is None or review.reviewed_at >= check.observed_at:
        return False
    at = review.reviewed_at
    if clear_at is not None and at < clear_at:
        return False
    known = checks.glances_between(conn, check.flap_id, at - LOOKBACK, at + timedelta.resolution)
    before = episodes.current_assessment(conn, known[-1].key) if known else None
    if before is None or judged.severity.rank > before.assessment.severity.rank:
        return False
    return {f.stream for f in asking} <= {f.stream for f in before.assessment.findings}


def ask_anew(
    conn: Connection, judged: Sequence[tuple[Check, Assessment]],
    new: Mapping[UUID, Sequence[Finding]], flap_id: str, gone: UUID | None,
    instead: UUID | None, now: datetime, since: datetime,
) -> None:  # fmt: skip
    """Set right what is asked for, once the stay was judged again.

    What a check that is ``gone`` had met is asked for again unless another met it. What it had
    asked for is asked by the version that stands ``instead``, if that says the same, due when it
    was; otherwise, as with a finding that is no more, it is cancelled. ``new`` findings by check
    ask: all of the newest check's, and of an older one's those that turn louder and that no later
    check answers. Only checks from ``since`` on (the present course) ask or count as clear.
    """
    if gone is not None:
        rechecks.reopen_rechecks(conn, gone)
    standing = _follow(conn, judged, flap_id, gone, instead, now)
    for number, (check, assessment) in enumerate(judged):
        asking = [
            f
            for f in _asking(assessment)
            if f in new.get(check.key, ()) and (check.key, f.rule) not in standing
        ]
        if not asking or check.observed_at < since:
            continue
        if number == len(judged) - 1:
            _ask_newest(conn, check, assessment, asking, _clear_at(judged, since), now)
            continue
        after = [c for c, _ in judged[number + 1 :]]
        for finding in asking:
            if finding.if_unmet is not None and not any(alarm.answers(c, finding) for c in after):
                _ask(conn, check, assessment, finding, 1, now)


def _clear_at(judged: Sequence[tuple[Check, Assessment]], since: datetime) -> datetime:
    return max([since, *(c.observed_at for c, a in judged if a.full and not a.findings)])


def _ask_newest(
    conn: Connection, check: Check, judged: Assessment, asking: Sequence[Finding],
    clear_at: datetime, now: datetime,
) -> None:  # fmt: skip
    number = _round(conn, check, judged, asking, clear_at)
    for finding in asking:
        if number <= ROUNDS or finding.if_unmet is Severity.RED:
            _ask(conn, check, judged, finding, number, now)


def _follow(
    conn: Connection, judged: Sequence[tuple[Check, Assessment]], flap_id: str,
    gone: UUID | None, instead: UUID | None, now: datetime,
) -> set[tuple[UUID | None, str]]:  # fmt: skip
    """Move, cancel or meet what is open; returns (check, rule) of what it was asked by and
    stands."""
    found: dict[UUID | None, dict[str, Finding]] = {
        c.key: {f.rule: f for f in a.findings} for c, a in judged
    }
    seen_at = {c.key: c.observed_at for c, _ in judged}
    standing = set()
    for owed in rechecks.open_rechecks(conn, flap_id):
        same = gone is not None and owed.check_key == gone and owed.rule in found.get(instead, ())
        if same and instead is not None:
            moved = min(seen_at[instead], owed.due_at)
            louder = found[instead][owed.rule].if_unmet
            owed = owed._replace(check_key=instead, asked_at=moved, if_unmet=louder)
            rechecks.move_recheck(conn, owed)
        finding = found.get(owed.check_key, {}).get(owed.rule)
        if owed.check_key is not None and finding is None:
            rechecks.cancel_rechecks(conn, [owed.id], now)
            continue
        by = next((c for c, _ in judged if _meets(c, owed, finding)), None)
        if by is not None:
            rechecks.meet_rechecks(conn, [owed.id], by.key)
        standing.add((owed.check_key, owed.rule))
    return standing


def _meets(check: Check, owed: rechecks.Recheck, finding: Finding | None) -> bool:
    """Whether a check is the look that was asked for: a later one, that answers the finding."""
    if check.observed_at <= owed.asked_at or check.key == owed.check_key:
        return False
    return finding is None or alarm.answers(check, finding)


def end_for(conn: Connection, flap_id: str, stream: Stream, now: datetime) -> None:
    """A person closed the alert of this stream: what its findings had asked for is asked no more,
    and cannot turn louder."""
    owed = rechecks.open_rechecks(conn, flap_id)
    asked_by = _findings(conn, owed)
    over = [r.id for r in owed if r.id in asked_by and asked_by[r.id].stream is stream]
    if over:
        rechecks.cancel_rechecks(conn, over, now)


def _findings(conn: Connection, owed: Sequence[rechecks.Recheck]) -> dict[int, Finding]:
    """The finding that asked, by recheck; one asked by nothing that stands is absent."""
    keys = {r.check_key for r in owed if r.check_key is not None}
    judged = episodes.current_assessments(conn, keys) if keys else {}
    return {
        r.id: finding
        for r in owed
        if r.check_key in judged
        for finding in judged[r.check_key].assessment.findings
        if finding.rule == r.rule
    }


def _asking(judged: Assessment) -> Iterator[Finding]:
    """The soonest recheck of all, and every one that turns louder when it is not done."""
    asking = [f for f in judged.findings if f.recheck_minutes is not None]
    soonest = min(asking, key=lambda f: f.recheck_minutes or 0, default=None)
    for finding in asking:
        if finding is soonest or finding.if_unmet is not None:
            yield finding
