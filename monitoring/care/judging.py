"""Writing judgements down, and judging again what a late, amended or retracted check changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from monitoring import checks, episodes, queries
from monitoring.assess import is_baseline, judge_stay
from monitoring.care import alerts
from monitoring.care.bedside import Bed, asked, looks_of
from monitoring.care.rechecking import ask_anew
from monitoring.care.watching import settle_monitoring, stand_again
from monitoring.domain import Assessment, Check, Finding, Flap, Stream


def keep_judgement(
    conn: Connection, check: Check, judged: Assessment, now: datetime, *, again: bool
) -> None:
    """Write a judgement as the check's current one, and repeat it on the check for the board."""
    episodes.insert_assessment(conn, check.key, judged, now, again=again)
    checks.mark_judged(conn, check.key, judged)


def judge_again(
    conn: Connection, bed: Bed, *, since: datetime, by: str, now: datetime,
    gone: UUID | None = None, instead: UUID | None = None,
) -> list[int]:  # fmt: skip
    """Judge every check observed from ``since`` on anew, baseline included.

    A judgement that changed is added, the old stays. Only findings that were not there before
    reach the alerts; one that is gone leaves its alert standing. ``gone`` is a check that was
    just struck through or replaced, ``instead`` what stands in its place. Rechecks and the
    monitoring alert follow. Returns the alerts touched.
    """
    stay = [s.check for s in checks.checks_of_flap(conn, bed.flap.id) if s.current]
    judged = list(judge_stay(_with_chosen(bed.flap, stay, gone, instead), stay, bed.protocol))
    new, touched = _keep_judgements(conn, bed, judged, since, gone, instead, by, now)
    bed = _with_baseline(conn, bed, stay, judged, gone, instead)
    newest = judged[-1] if judged else None
    touched += alerts.see_recovery(conn, bed, judged, by=by, now=now)
    ask_anew(conn, judged, new, bed.flap.id, gone, instead, now, bed.flap.slots_from)
    if newest is not None:
        looks = looks_of(conn, bed.flap.id, now)
        settle_monitoring(conn, bed, newest[1], looks, asked(conn, bed.flap.id), now)
    if gone is not None:
        touched += stand_again(conn, bed, now)
    return touched


def _keep_judgements(
    conn: Connection, bed: Bed, judged: Sequence[tuple[Check, Assessment]], since: datetime,
    gone: UUID | None, instead: UUID | None, by: str, now: datetime,
) -> tuple[dict[UUID, list[Finding]], list[int]]:  # fmt: skip
    """Write down what changed and let the alerts hear it; returns what is new of each check, and
    the alerts touched."""
    later = [(c, a) for c, a in judged if c.observed_at >= since]
    keys = [c.key for c, _ in later]
    before = episodes.current_assessments(conn, keys if gone is None else [*keys, gone])
    new: dict[UUID, list[Finding]] = {}
    touched: list[int] = []
    for check, assessment in later:
        old = before.get(check.key)
        if old is not None and old.assessment == assessment:
            continue
        keep_judgement(conn, check, assessment, now, again=old is not None)
        said = before.get(gone) if gone is not None and check.key == instead else old
        new[check.key] = list(_new_findings(assessment, said and said.assessment))
        if check.key == instead:
            new[check.key] += _unheard(conn, check.flap_id, assessment, new[check.key])
        touched += alerts.hear(conn, bed, new[check.key], full=False, newest=False, by=by, now=now)
    return new, touched


def _unheard(
    conn: Connection, flap_id: str, judged: Assessment, heard: Sequence[Finding]
) -> list[Finding]:
    """What an amended check still says that no open alert carries: its alert was closed."""
    running = {e.stream for e in alerts.running(conn, flap_id)}
    return [f for f in judged.findings if f.stream not in running and f not in heard]


def _new_findings(judged: Assessment, before: Assessment | None) -> Iterator[Finding]:
    said = {} if before is None else {f.rule: f for f in before.findings}
    for finding in judged.findings:
        known = said.get(finding.rule)
        if known is None or finding.severity.rank > known.severity.rank:
            yield finding
        elif finding.stream is Stream.CONCERN and finding.because != known.because:
            yield finding  # another worry is a new one


def _with_chosen(
    flap: Flap, stay: Sequence[Check], gone: UUID | None, instead: UUID | None
) -> Flap:
    """The flap with the baseline a surgeon chose, in the version that stands now; with none to
    start from where nobody chose, or what was chosen stands no more."""
    chosen = flap.baseline if flap.baseline_set else None
    if chosen is not None and chosen.key == gone:
        chosen = next((c for c in stay if c.key == instead), None)
    return replace(flap, baseline=chosen, baseline_set=chosen is not None)


def _with_baseline(
    conn: Connection, bed: Bed, stay: Sequence[Check],
    judged: Sequence[tuple[Check, Assessment]], gone: UUID | None, instead: UUID | None,
) -> Bed:  # fmt: skip
    """The baseline a surgeon chose, else the first full check without a finding since the flap
    was last back."""
    chosen = _with_chosen(bed.flap, stay, gone, instead)
    chosen = chosen.as_of(max([bed.flap.slots_from, *(c.observed_at for c in stay[-1:])]))
    if chosen.baseline is not None:
        queries.move_baseline(conn, bed.flap.id, chosen.baseline)
        return replace(bed, flap=chosen)
    start = bed.flap.slots_from if bed.flap.returns else None
    clear = (c for c, a in judged if is_baseline(c, a))
    found = next((c for c in clear if start is None or c.observed_at >= start), None)
    queries.set_baseline(conn, bed.flap.id, found)
    return replace(bed, flap=replace(bed.flap, baseline=found, baseline_set=False))
