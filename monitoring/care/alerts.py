"""What happens to alerts: moves of the state table written down, and what people answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from monitoring import alarm, episodes, people, store
from monitoring.alarm import AlertEvent, Episode, Move
from monitoring.care.bedside import known_person
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
        kept = (*before.findings, *move.findings)
        changes["findings"] = (*kept[:1], *kept[1:][-KEPT_FINDINGS:])
        first = before.first_sign_at or before.raised_at
        changes["first_sign_at"] = min([first, *(f.at for f in move.findings)])
    if move.findings and move.event is not AlertEvent.JOIN:
        worst = move.findings[0]
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
    unable: frozenset[str] = frozenset(),
) -> list[int]:  # fmt: skip
    """What findings do to the flap's alerts; returns the alerts touched.

    ``open_now`` are the flap's running episodes, if the caller has just read them; ``unable``
    are the signs that the check could not look at.
    """
    known = running(conn, flap_id) if open_now is None else open_now
    moves = alarm.after_check(known, findings, full=full, newest=newest, unable=unable)
    return carry_out(conn, flap_id, moves, by=by, now=now)


def see_recovery(
    conn: Connection, newest: Check, judged: Assessment, *, by: str, now: datetime
) -> list[int]:
    """Once checks were judged again: what the newest one, if full, is silent about and was seen
    before it, shows as recovered. Returns the alerts touched."""
    if not judged.full:
        return []
    before = [
        e
        for e in running(conn, newest.flap_id)
        if e.last_sign_at is None or e.last_sign_at <= newest.observed_at
    ]
    moves = alarm.recovering(before, judged.findings, newest.unable)
    return carry_out(conn, newest.flap_id, moves, by=by, now=now)


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
    expected time in the past.
    """
    if expected_at < now:
        raise Refused("The expected time is in the past: say when you will be there.")
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
    return _read_back(record, alert_id)


def _read_back(record: store.Record, alert_id: int) -> StoredAlert:
    with record.read() as conn:
        found = episodes.find_alert(conn, alert_id)
    assert found is not None
    return found
