"""What happens to alerts: moves of the state table written down with the pages they call for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import Connection

from monitoring import alarm, episodes, paging, schedule, verdicts
from monitoring.alarm import AlertEvent, Episode, Move
from monitoring.care import escalating
from monitoring.care.bedside import AHEAD, Bed
from monitoring.domain import (
    SYSTEM,
    AlertState,
    Assessment,
    Check,
    CloseReason,
    Decision,
    Finding,
    Refused,
    Severity,
    Stream,
    SystemCloseReason,
)
from monitoring.episodes import StoredAlert
from monitoring.escalation import Subject

KEPT_FINDINGS = 40
"""How many findings an episode carries as evidence; every one stays with its own check."""


def running(conn: Connection, flap_id: str) -> list[Episode]:
    """The flap's episodes that are not closed, as the state table sees them."""
    return [as_episode(a) for a in episodes.open_alerts(conn, flap_id)]


def as_episode(alert: StoredAlert) -> Episode:
    """A stored alert as the state table sees it."""
    return Episode(
        id=alert.id,
        stream=alert.stream,
        severity=alert.severity,
        state=alert.state,
        recovered=alert.recovered_at is not None,
        acknowledged_by=alert.acknowledged_by,
        signs=frozenset(e.sign for f in alert.findings for e in f.evidence),
        last_sign_at=max((f.at for f in alert.findings), default=None),
    )


def carry_out(
    conn: Connection, bed: Bed, moves: Iterable[Move], *, by: str, now: datetime,
    signs_since: Mapping[Stream, datetime] = MappingProxyType({}),
) -> list[int]:  # fmt: skip
    """Write the moves down, each with a line in its alert's story and, where it pages, the first
    rung of its ladder; returns the alerts touched. ``signs_since`` is when a stream's signs were
    first seen, also while they were too weak for an alert."""
    return [_carry_out(conn, bed, move, by, now, signs_since) for move in moves]


def _carry_out(
    conn: Connection, bed: Bed, move: Move, by: str, now: datetime,
    signs_since: Mapping[Stream, datetime],
) -> int:  # fmt: skip
    if move.episode is None:
        alert_id = _raise(conn, bed, move, now, signs_since.get(move.stream))
    else:
        alert_id = move.episode.id
        _change(conn, alert_id, move, now)
    detail = {
        "severity": move.severity,
        "pages": move.pages,
        "rules": [f.rule for f in move.findings],
        "because": [f.because for f in move.findings],
    }
    tell(conn, alert_id, move.event, by, now, detail)
    if move.severity is Severity.RED and move.event in (AlertEvent.RAISE, AlertEvent.WORSEN):
        end_longer_orders(conn, bed, now)
    if move.pages:
        escalating.begin(conn, alert_id, subject_of(bed, now), now)
    return alert_id


def end_longer_orders(conn: Connection, bed: Bed, now: datetime) -> None:
    """A red ends what let the flap be seen less often: the protocol's own times stand again."""
    longer = [o for o in bed.flap.orders if schedule.lengthens(bed.flap, bed.protocol, o)]
    if longer:
        standing = verdicts.orders_of(conn, bed.flap.id)
        ids = [o.id for o in standing if o.order in longer and o.stands(now)]
        verdicts.end_orders(conn, ids, by=SYSTEM, at=now)


def subject_of(bed: Bed, now: datetime) -> Subject:
    """What a message may say of the flap."""
    return Subject(bed.patient.ward, bed.patient.bed, bed.flap.facts.label, bed.flap.hours(now))


def _raise(conn: Connection, bed: Bed, move: Move, now: datetime, since: datetime | None) -> int:
    worst = move.findings[0]
    seen = [_seen_at(f) for f in move.findings]
    return episodes.insert_alert(
        conn,
        flap_id=bed.flap.id,
        stream=move.stream,
        severity=move.severity,
        pattern=worst.pattern,
        raised_at=now,
        because=worst.because,
        rule=worst.rule,
        findings=move.findings,
        first_sign_at=min(seen if since is None else [*seen, since]),
        paged_at=now,
        pages=1,
        ladder=bed.protocol.frozen_ladders,
    )


def _seen_at(finding: Finding) -> datetime:
    """When what a finding speaks of was seen: a deadline that passed speaks of the check before
    it."""
    return min(finding.at, max((e.at for e in finding.evidence), default=finding.at))


def _change(conn: Connection, alert_id: int, move: Move, now: datetime) -> None:
    before = episodes.find_alert(conn, alert_id)
    if before is None:
        raise Refused(f"There is no alert {alert_id}.")
    changes: dict[str, object] = {"state": move.state, "severity": move.severity}
    if move.findings:
        changes["findings"] = _kept(before, move.findings)
        first = before.first_sign_at or before.raised_at
        changes["first_sign_at"] = min([first, *(f.at for f in move.findings)])
    worst = max(move.findings, key=lambda f: f.severity.rank, default=None)
    says = move.event in (AlertEvent.WORSEN, AlertEvent.RECUR)
    if says and worst is not None and worst.severity.rank >= before.severity.rank:
        changes |= {"because": worst.because, "rule": worst.rule, "pattern": worst.pattern}
    if move.event is AlertEvent.RECOVER:
        changes["recovered_at"] = now
    elif move.findings:
        changes["recovered_at"] = None
    if move.state is AlertState.OPEN:
        changes |= dict.fromkeys(episodes.ANSWER)
    if move.pages:
        changes |= {"paged_at": now, "pages": before.pages + 1, **dict.fromkeys(episodes.AWAY)}
    episodes.update_alert(conn, alert_id, **changes)


def _kept(before: StoredAlert, new: Sequence[Finding]) -> tuple[Finding, ...]:
    """The evidence an episode carries: its reason, the first finding and the latest ones."""
    every = (*before.findings, *new)
    kept = every[-KEPT_FINDINGS:]
    spoken = [f for f in every if f.because == before.because]
    return (*(f for f in (*every[:1], *spoken[-1:]) if f not in kept), *kept)


def tell(
    conn: Connection, alert_id: int, event: AlertEvent, by: str, now: datetime,
    detail: dict[str, object],
) -> None:  # fmt: skip
    """Add a line to an alert's story."""
    episodes.insert_alert_event(conn, episodes.AlertEvent(alert_id, now, by, event, detail))


def mark_amended(
    conn: Connection, flap_id: str, key: UUID, *, by: str, now: datetime, why: str
) -> None:
    """Say on every open alert that rests on the check that the check was changed; it stays."""
    for alert in episodes.open_alerts(conn, flap_id):
        if any(e.check_key == key for f in alert.findings for e in f.evidence):
            episodes.update_alert(conn, alert.id, amended_at=now)
            tell(conn, alert.id, AlertEvent.AMENDED, by, now, {"check": str(key), "why": why})


def close_by_itself(
    conn: Connection, flap_id: str, reason: SystemCloseReason, now: datetime
) -> None:
    """Close the flap's monitoring alert, the only kind that may close itself."""
    for alert in episodes.open_alerts(conn, flap_id):
        if alert.stream is Stream.MONITORING:
            close(conn, alert.id, SYSTEM, reason, now)


def close(
    conn: Connection, alert_id: int, by: str, reason: CloseReason | SystemCloseReason,
    now: datetime,
) -> None:  # fmt: skip
    """End an alert; what was written about it and not sent yet is not needed any more."""
    episodes.update_alert(
        conn, alert_id, state=AlertState.CLOSED, closed_by=by, closed_at=now, close_reason=reason,
        **dict.fromkeys(episodes.AWAY),
    )  # fmt: skip
    tell(conn, alert_id, AlertEvent.CLOSE, by, now, {"reason": reason})
    paging.drop_pages(conn, alert_id, "closed before it was sent")


def hear(
    conn: Connection, bed: Bed, findings: Sequence[Finding], *, full: bool, newest: bool,
    by: str, now: datetime, open_now: Sequence[Episode] | None = None,
    seen: frozenset[str] = frozenset(), cleared_at: datetime | None = None,
    signs_since: Mapping[Stream, datetime] = MappingProxyType({}),
) -> list[int]:  # fmt: skip
    """What findings do to the flap's alerts; returns the alerts touched.

    ``open_now`` are the flap's running episodes, if the caller has just read them; ``seen`` are
    the signs that the check has a value for; ``cleared_at`` is when a full check without a
    finding was last made; ``signs_since`` as in ``carry_out``.
    """
    known = running(conn, bed.flap.id) if open_now is None else open_now
    moves = alarm.after_check(
        known, findings, full=full, newest=newest, seen=seen, cleared_at=cleared_at
    )
    return carry_out(conn, bed, moves, by=by, now=now, signs_since=signs_since)


def forget_plans(conn: Connection, flap_id: str, decision: Decision, until: datetime) -> None:
    """A decision is not carried out, or done: the plan of the alerts whose last review made it
    stands until then."""
    running = episodes.open_alerts(conn, flap_id)
    reviews = verdicts.reviews_of_alerts(conn, [a.id for a in running])
    for alert in running:
        last = next(reversed(reviews.get(alert.id, [])), None)
        if last is not None and last.decision is decision and alert.plan_until is not None:
            episodes.update_alert(conn, alert.id, plan_until=until)


Judged = Sequence[tuple[Check, Assessment]]


def see_recovery(
    conn: Connection, bed: Bed, judged: Judged, *, by: str, now: datetime
) -> list[int]:
    """Once checks were judged again: what the newest one shows as recovered is, and "recovered"
    is taken back where no check that stands shows it. Returns the alerts touched."""
    touched: list[int] = []
    for alert in episodes.open_alerts(conn, bed.flap.id):
        episode = replace(as_episode(alert), recovered=False)
        if alert.recovered_at is not None:
            if not any(_shows(judged, *one, episode) for one in judged):
                episodes.update_alert(conn, alert.id, recovered_at=None)
        elif judged and _shows(judged, *judged[-1], episode):
            moves = alarm.recovering([episode], judged[-1][1].findings, judged[-1][0].seen)
            touched += carry_out(conn, bed, moves, by=by, now=now)
    return touched


def _shows(judged: Judged, check: Check, assessment: Assessment, episode: Episode) -> bool:
    """Whether a standing check shows the episode as recovered: it is full, silent, has looked at
    everything, came after the last sign, and no other check of the same minutes speaks."""
    if not assessment.full:
        return False
    if episode.last_sign_at is not None and check.observed_at < episode.last_sign_at:
        return False
    beside = (
        f.stream
        for c, a in judged
        for f in a.findings
        if c.key != check.key and timedelta(0) <= check.observed_at - c.observed_at < AHEAD
    )
    if episode.stream in beside:
        return False
    return bool(alarm.recovering([episode], assessment.findings, check.seen))
