"""What people answer to an alert: taken, passed on, let rest, arrived at, closed.

Who may answer what: a finding on a flap is taken and closed by a registrar or a consultant; a
nurse writes down what one of them said by telephone. A check that nobody made is the ward's own:
nurses answer it too. A nurse may close what was entered in error once the check behind it was
amended or struck.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from monitoring import alarm, checks, episodes, paging, people, store
from monitoring.alarm import AlertEvent
from monitoring.care import alerts, escalating, rechecking
from monitoring.care.bedside import known_person, with_reason
from monitoring.domain import (
    NURSES,
    SURGEONS,
    AlertState,
    CloseReason,
    Intent,
    Refused,
    Role,
    Stream,
)
from monitoring.episodes import StoredAlert
from monitoring.people import Staff

LONGEST_WAY = timedelta(hours=12)
"""How far ahead somebody may say that they will be there."""


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


def may_take(role: Role, stream: Stream) -> bool:
    """Whether somebody of this role may have an alert of this stream."""
    return role in SURGEONS or (stream is Stream.MONITORING and role in NURSES)


def _who_may(person: Staff, alert: StoredAlert) -> None:
    if may_take(person.role, alert.stream):
        return
    role = person.role.replace("_", " ")
    if alert.stream is Stream.MONITORING:
        raise Refused(f"{person.name} ({role}) may not answer alerts: a nurse or a surgeon does.")
    raise Refused(
        f"{person.name} ({role}) may not take this alert: a registrar or a consultant does. If "
        "one of them answered by telephone, write down what they said."
    )


def acknowledge_alert(
    record: store.Record, *, alert_id: int, by: str, intent: Intent, expected_at: datetime,
    now: datetime, written_by: str | None = None, said: str = "", take_over: bool = False,
) -> StoredAlert:  # fmt: skip
    """Somebody has it: who, what they are going to do, and by when. ``take_over`` says in so many
    words that they take it from whoever has it.

    ``written_by`` is the nurse who writes down what ``by`` answered by telephone, ``said`` in
    their words. Raises Refused for a closed alert, for one that another person has (naming
    them), for a role that may not, for an expected time in the past or more than 12 h ahead, and
    for passing on (see ``pass_alert``).
    """
    if intent is Intent.PASSING:
        raise Refused("Say to whom you pass it on.")
    if expected_at < now:
        raise Refused("The expected time is in the past: say when you will be there.")
    if expected_at > now + LONGEST_WAY:
        raise Refused("That is more than 12 h ahead: nobody has an alert for so long.")
    with record.write() as conn:
        person = known_person(conn, by)
        alert = _open_alert(conn, alert_id, "acknowledge")
        _who_may(person, alert)
        words = _verbal(conn, person, written_by, said)
        taken = alert.state is AlertState.ACKNOWLEDGED and alert.acknowledged_by != by
        if taken and not take_over:
            other = people.staff_by_id(conn, str(alert.acknowledged_by), may_have_left=True)
            raise Refused(f"{other.name} has this alert already. To have it instead, take it over.")
        state, _ = alarm.next_state(alert.state, AlertEvent.ACKNOWLEDGE)
        changes = dict.fromkeys((*episodes.ANSWER, *episodes.AWAY))
        if alert.state is AlertState.ACKNOWLEDGED and not taken:  # what they did stands
            changes |= {"arrived_at": alert.arrived_at, "plan_until": alert.plan_until}
        first = now if taken else alert.acknowledged_at or now  # saying it again buys no time
        episodes.update_alert(
            conn, alert_id, **changes | {
                "state": state, "acknowledged_by": by, "acknowledged_at": first, "intent": intent,
                "expected_at": expected_at, "verbal_by": written_by,
            },
        )  # fmt: skip
        detail: dict[str, object] = {
            "intent": intent, "expected_at": expected_at.isoformat(), "role": person.role,
        }  # fmt: skip
        if taken:
            detail["from"] = alert.acknowledged_by
        if written_by is not None:
            detail |= {"written_by": written_by, "said": words}
        alerts.tell(conn, alert_id, AlertEvent.ACKNOWLEDGE, by, now, detail)
        paging.drop_pages(conn, alert_id, "answered before it was sent")
    return _read_back(record, alert_id)


def _verbal(conn: Connection, person: Staff, written_by: str | None, said: str) -> str:
    """What was said by telephone. Raises Refused where it cannot be so."""
    if written_by is None:
        return ""
    writer = known_person(conn, written_by)
    if writer.role not in SURGEONS | NURSES:
        role = writer.role.replace("_", " ")
        raise Refused(f"{writer.name} ({role}) may not write down an answer: a nurse does.")
    if writer.id == person.id:
        raise Refused("Whoever answers for themself needs nobody to write it down.")
    words = said.strip()
    if not words:
        raise Refused(f"Write down what {person.name} said.")
    return words


def pass_alert(
    record: store.Record, *, alert_id: int, by: str, to: str, now: datetime
) -> StoredAlert:
    """Hand an alert on to a named person, who is told at once. Nobody has it until they answer:
    an open alert's ladder goes on meanwhile, that of one somebody had begins anew with them.

    Raises Refused for a closed alert, for passing to oneself, to somebody whose role may not take
    it, or who cannot be reached on any channel: then ring them.
    """
    with record.write() as conn:
        person = known_person(conn, by)
        other = known_person(conn, to)
        alert = _open_alert(conn, alert_id, "pass on")
        _who_may(person, alert)
        if other.id == person.id:
            raise Refused("You cannot pass an alert on to yourself.")
        _who_may(other, alert)
        if alert.state is AlertState.ACKNOWLEDGED and alert.acknowledged_by != by:
            owner = people.staff_by_id(conn, str(alert.acknowledged_by), may_have_left=True)
            raise Refused(f"{owner.name} has this alert: only they can pass it on.")
        before = [e for e in episodes.events_of(conn, [alert_id]) if e.kind == AlertEvent.PASS]
        changes: dict[str, object] = dict.fromkeys(episodes.ANSWER)
        changes |= {"passed_by": by, "passed_to": to, "passed_at": now}
        state, pages = alarm.next_state(alert.state, AlertEvent.PASS)
        if pages:
            changes |= {"paged_at": now, "pages": alert.pages + 1}
        episodes.update_alert(conn, alert_id, state=state, **changes)
        alerts.tell(conn, alert_id, AlertEvent.PASS, by, now, {"to": to, "pages": pages})
        if not escalating.hand_to(conn, alert_id, to, len(before) + 1, now):
            raise Refused(
                f"{other.name} cannot be reached on any channel: ring them, and write down what "
                "they say."
            )
    return _read_back(record, alert_id)


def snooze_alert(
    record: store.Record, *, alert_id: int, by: str, until: datetime, reason: str, now: datetime
) -> StoredAlert:
    """Let the paging of one amber alert rest: at most 30 min, at most twice, with a name and a
    reason that every screen shows. It stays open; anything worse, or again, pages at once.

    Raises Refused for a red, a concern, an alert somebody has, and for longer.
    """
    why = with_reason(reason)
    if not now < until <= now + alarm.LONGEST_SNOOZE:
        raise Refused("An alert rests for at most 30 min: say until when.")
    with record.write() as conn:
        person = known_person(conn, by)
        alert = _open_alert(conn, alert_id, "snooze")
        if person.role not in SURGEONS | NURSES:
            _who_may(person, alert)
        refused = alarm.why_not_snoozed(alert)
        if refused is not None:
            raise Refused(refused)
        state, _ = alarm.next_state(alert.state, AlertEvent.SNOOZE)
        episodes.update_alert(
            conn, alert_id, state=state, snoozed_by=by, snoozed_at=now, snoozed_until=until,
            snooze_reason=why, snoozes=alert.snoozes + 1,
        )  # fmt: skip
        detail: dict[str, object] = {"until": until.isoformat(), "why": why}
        alerts.tell(conn, alert_id, AlertEvent.SNOOZE, by, now, detail)
        paging.drop_pages(conn, alert_id, "snoozed before it was sent")
    return _read_back(record, alert_id)


def arrive(record: store.Record, *, alert_id: int, by: str, now: datetime) -> StoredAlert:
    """Whoever has the alert is at the bedside. Raises Refused when they do not have it."""
    with record.write() as conn:
        person = known_person(conn, by)
        alert = _open_alert(conn, alert_id, "arrive at")
        if alert.acknowledged_by != by:
            raise Refused(f"{person.name} does not have this alert: acknowledge it first.")
        state, _ = alarm.next_state(alert.state, AlertEvent.ARRIVE)
        episodes.update_alert(conn, alert_id, state=state, arrived_at=alert.arrived_at or now)
        alerts.tell(conn, alert_id, AlertEvent.ARRIVE, by, now, {})
    return _read_back(record, alert_id)


def expire_acknowledgement(record: store.Record, *, alert_id: int, now: datetime) -> bool:
    """Open an alert again whose acknowledgement ran out, and tell everybody anew; False when it
    has not, or no longer needs to: a late expiry never touches an alert that was closed or
    answered anew."""
    with record.write() as conn:
        found = episodes.find_alert(conn, alert_id)
        if found is None:
            return False
        store.lock_flap(conn, found.flap_id)
        found = episodes.find_alert(conn, alert_id)
        if found is None or not alarm.has_expired(found, now):
            return False
        lapsed = {"lapsed_by": found.acknowledged_by, "lapsed_at": now}
        changes: dict[str, object] = dict.fromkeys(episodes.ANSWER) | lapsed
        escalating.page_again(conn, found, AlertEvent.EXPIRE, now, changes)
    return True


def close_alert(
    record: store.Record, *, alert_id: int, by: str, reason: CloseReason, now: datetime
) -> StoredAlert:
    """A person ends an alert, with a reason. Raises Refused for one that is closed already, and
    for a role that may not."""
    with record.write() as conn:
        person = known_person(conn, by)
        alert = _open_alert(conn, alert_id, "close")
        mistaken = reason is CloseReason.ENTERED_IN_ERROR and _nothing_stands(conn, alert)
        if not (mistaken and person.role in NURSES) and not may_take(person.role, alert.stream):
            raise Refused(
                f"{person.name} ({person.role.replace('_', ' ')}) may not close this alert: a "
                "registrar or a consultant does. A nurse closes what was entered in error, once "
                "the check is amended or struck."
            )
        alarm.next_state(alert.state, AlertEvent.CLOSE)
        alerts.close(conn, alert_id, by, reason, now)
        rechecking.end_for(conn, alert.flap_id, alert.stream, now)
    return _read_back(record, alert_id)


def _nothing_stands(conn: Connection, alert: StoredAlert) -> bool:
    """Whether a check behind the alert was amended or struck, and no check that stands says what
    it says."""
    if alert.amended_at is None:
        return False
    since = alert.first_sign_at or alert.raised_at
    stay = checks.checks_of_flap(conn, alert.flap_id)
    standing = [s.check.key for s in stay if s.current and s.check.observed_at >= since]
    judged = episodes.current_assessments(conn, standing).values()
    return not any(
        f.loud and f.stream is alert.stream for j in judged for f in j.assessment.findings
    )


def read_page(record: store.Record, *, key: str, now: datetime) -> int | None:
    """The link of a message was opened: remembered the first time. The alert it is about; None
    for a message that nobody wrote or that is about none."""
    with record.read() as conn:
        page = paging.page_by_key(conn, key)
    if page is None:
        return None
    if page.read_at is None:
        with record.write() as conn:
            paging.mark_read(conn, key, now)
    return page.alert_id


def _read_back(record: store.Record, alert_id: int) -> StoredAlert:
    with record.read() as conn:
        found = episodes.find_alert(conn, alert_id)
    assert found is not None
    return found
