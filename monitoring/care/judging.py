"""Writing judgements down, and judging again what a late, amended or retracted check changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from monitoring import checks, episodes, queries
from monitoring.assess import is_baseline, judge_stay
from monitoring.care import alerts
from monitoring.care.bedside import Bed
from monitoring.domain import Assessment, Check, Finding


def keep_judgement(
    conn: Connection, check: Check, judged: Assessment, now: datetime, *, again: bool
) -> None:
    """Write a judgement as the check's current one, and repeat it on the check for the board."""
    episodes.insert_assessment(conn, check.key, judged, now, again=again)
    checks.mark_judged(conn, check.key, judged)


def judge_again(
    conn: Connection, bed: Bed, *, since: datetime, by: str, now: datetime
) -> list[int]:
    """Judge every check observed from ``since`` on anew, baseline included.

    A judgement that changed is added, the old stays. Only findings that were not there before
    reach the alerts; one that is gone leaves its alert standing. Returns the alerts touched.
    """
    stay = [s.check for s in checks.checks_of_flap(conn, bed.flap.id) if s.current]
    fresh = replace(bed.flap, baseline=None)
    judged = list(judge_stay(fresh, stay, bed.protocol))
    later = [(c, a) for c, a in judged if c.observed_at >= since]
    before = episodes.current_assessments(conn, [c.key for c, _ in later])
    touched: list[int] = []
    for check, assessment in later:
        old = before.get(check.key)
        if old is not None and old.assessment == assessment:
            continue
        keep_judgement(conn, check, assessment, now, again=old is not None)
        new = list(_new_findings(assessment, None if old is None else old.assessment))
        newest = check.key == judged[-1][0].key
        touched += alerts.hear(
            conn, bed.flap.id, new, full=False, newest=newest, by=by, now=now
        )
    _keep_baseline(conn, bed, judged)
    return touched


def _new_findings(judged: Assessment, before: Assessment | None) -> Iterator[Finding]:
    said = {} if before is None else {f.rule: f.severity.rank for f in before.findings}
    for finding in judged.findings:
        if finding.severity.rank > said.get(finding.rule, 0):
            yield finding


def _keep_baseline(
    conn: Connection, bed: Bed, judged: list[tuple[Check, Assessment]]
) -> None:
    """The first full check without a finding since the flap was last back."""
    start = bed.flap.slots_from if bed.flap.returns else None
    found = next(
        (c for c, a in judged
         if is_baseline(c, a) and (start is None or c.observed_at >= start)),
        None,
    )  # fmt: skip
    queries.set_baseline(conn, bed.flap.id, found)
