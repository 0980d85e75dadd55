"""What happens to alerts: moves of the state table written down, and what people answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection

from monitoring import alarm, episodes, people, store
from monitoring.alarm import AlertEvent, Episode, Move
from monitoring.care import rechecking
from monitoring.care.bedside import AHEAD, known_person
from monitoring.domain import (
    SYSTEM,
    AlertState,
    Assessment,
    Check,
    CloseReason,
    Finding,
    Intent,
    Refused,
    Stream,
    SystemCloseReason,
)
from monitoring.episodes import StoredAlert

LONGEST_WAY = timedelta(hours=12)
"""How far ahead somebody may say that they will be there."""

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
    conn: Connection, flap_id: str, moves: Iterable[Move], *, by: str, now: datetime
) -> list[int]:
    """Write the moves down, each with a line in its alert's story; returns the alerts touched."""
    return [_carry_out(conn, flap_id, move, by, now) for move in moves]


def _carry_out(conn: Connection, flap_id: str, move: Move, by: str, now: datetime) -> int:
    if move.episode is None:
        alert_id = _raise(conn, flap_id, move, now)
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
    return alert_id


def _raise(conn: Connection, flap_id: str, move: Move, now: datetime) -> int:
    worst = move.findings[0]
    return episodes.insert_alert(
        conn,
        flap_id=flap_id,
        stream=move.stream,
        severity=move.severity,
        pattern=worst.pattern,
        raised_at=now,
        because=worst.because,
        rule=worst.rule,
        findings=move.findings,
        first_sign_at=min(f.at for f in move.findings),
        paged_at=now,
        pages=1,
    )


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
        changes |= dict.fromkeys(
            ("acknowledged_by", "acknowledged_at", "intent", "expected_at"), None
        )
    if move.pages:
        changes |= {"paged_at": now, "pages": before.pages + 1}
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
            episodes.update_alert(
                conn, alert.id, state=AlertState.CLOSED, closed_by=SYSTEM, closed_at=now,
                close_reason=reason,
            )  # fmt: skip
            tell(conn, alert.id, AlertEvent.CLOSE, SYSTEM, now, {"reason": reason})


def hear(
    conn: Connection, flap_id: str, findings: Sequence[Finding], *, full: bool, newest: bool,
    by: str, now: datetime, open_now: Sequence[Episode] | None = None,
    seen: frozenset[str] = frozenset(), cleared_at: datetime | None = None,
) -> list[int]:  # fmt: skip
    """What findings do to the flap's alerts; returns the alerts touched.

    ``open_now`` are the flap's running episodes, if the caller has just read them; ``seen`` are
    the signs that the check has a value for; ``cleared_at`` is when a full check without a
    finding was last made.
    """
    known = running(conn, flap_id) if open_now is None else open_now
    moves = alarm.after_check(
        known, findings, full=full, newest=newest, seen=seen, cleared_at=cleared_at
    )
    return carry_out(conn, flap_id, moves, by=by, now=now)


Judged = Sequence[tuple[Check, Assessment]]


def see_recovery(
    conn: Connection, flap_id: str, judged: Judged, *, by: str, now: datetime
) -> list[int]:
    """Once checks were judged again: what the newest one shows as recovered is, and "recovered"
    is taken back where no check that stands shows it. Returns the alerts touched."""
    touched: list[int] = []
    for alert in episodes.open_alerts(conn, flap_id):
        episode = replace(as_episode(alert), recovered=False)
        if alert.recovered_at is not None:
            if not any(_shows(judged, *one, episode) for one in judged):
                episodes.update_alert(conn, alert.id, recovered_at=None)
        elif judged and _shows(judged, *judged[-1], episode):
            moves = alarm.recovering([episode], judged[-1][1].findings, judged[-1][0].seen)
            touched += carry_out(conn, flap_id, moves, by=by, now=now)
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


def _open_alert(conn: Connection, alert_id: int, verb: str) -> StoredAlert:
    found = episodes.find_alert(conn, alert_id)
    if found is None:
        raise Refused(f"There is no alert {alert_id}.")
    store.lock_flap(conn, found.flap_id)
    found = episodes.find_alert(conn, alert_id)
    assert found is not None
    if found.state is AlertState.CLOSED:
        raise Refused(f"This alert was closed at {found.closed_at:%H:%M} UTC: nothing to {verb}.")
    return found


def acknowledge_alert(
    record: store.Record, *, alert_id: int, by: str, intent: Intent, expected_at: datetime,
    now: datetime,
) -> StoredAlert:  # fmt: skip
    """Somebody has it: who, what they are going to do, and by when.

    Raises Refused for a closed alert, for one that another person has (naming them), and for an
    expected time in the past or more than 12 h ahead.
    """
    if expected_at < now:
        raise Refused("The expected time is in the past: say when you will be there.")
    if expected_at > now + LONGEST_WAY:
        raise Refused("That is more than 12 h ahead: nobody has an alert for so long.")
    with record.write() as conn:
        person = known_person(conn, by)
        alert = _open_alert(conn, alert_id, "acknowledge")
        if alert.state is AlertState.ACKNOWLEDGED and alert.acknowledged_by != by:
            other = people.staff_by_id(conn, str(alert.acknowledged_by), may_have_left=True)
            raise Refused(f"{other.name} has this alert already.")
        state, _ = alarm.next_state(alert.state, AlertEvent.ACKNOWLEDGE)
        episodes.update_alert(
            conn, alert_id, state=state, acknowledged_by=by, acknowledged_at=now, intent=intent,
            expected_at=expected_at,
        )  # fmt: skip
        detail: dict[str, object] = {
            "intent": intent, "expected_at": expected_at.isoformat(), "role": person.role,
        }  # fmt: skip
        tell(conn, alert_id, AlertEvent.ACKNOWLEDGE, by, now, detail)
    return _read_back(record, alert_id)


def expire_acknowledgement(record: store.Record, *, alert_id: int, now: datetime) -> bool:
    """Open an alert again whose acknowledgement ran out; False when it has not, or no longer
    needs to: a late expiry never touches an alert that was closed or answered anew."""
    with record.write() as conn:
        found = episodes.find_alert(conn, alert_id)
        if found is None:
            return False
        store.lock_flap(conn, found.flap_id)
        found = episodes.find_alert(conn, alert_id)
        if found is None or not alarm.has_expired(found, now):
            return False
        who = found.acknowledged_by
        state, _ = alarm.next_state(found.state, AlertEvent.EXPIRE)
        episodes.update_alert(
            conn, alert_id, state=state, acknowledged_by=None, acknowledged_at=None, intent=None,
            expected_at=None, paged_at=now, pages=found.pages + 1,
        )  # fmt: skip
        tell(conn, alert_id, AlertEvent.EXPIRE, SYSTEM, now, {"was": who, "pages": True})
    return True


def close_alert(
    record: store.Record, *, alert_id: int, by: str, reason: CloseReason, now: datetime
) -> StoredAlert:
    """A person ends an alert, with a reason. Raises Refused for one that is closed already."""
    with record.write() as conn:
        known_person(conn, by)
        alert = _open_alert(conn, alert_id, "close")
        state, _ = alarm.next_state(alert.state, AlertEvent.CLOSE)
        episodes.update_alert(
            conn, alert_id, state=state, closed_by=by, closed_at=now, close_reason=reason
        )
        tell(conn, alert_id, AlertEvent.CLOSE, by, now, {"reason": reason})
        rechecking.end_for(conn, alert.flap_id, alert.stream, now)
    return _read_back(record, alert_id)


def _read_back(record: store.Record, alert_id: int) -> StoredAlert:
    with record.read() as conn:
        found = episodes.find_alert(conn, alert_id)
    assert found is not None
    return found
