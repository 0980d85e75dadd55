"""What a clinician decides about a flap, and what follows: rechecks, orders, the way to theatre.

A verdict is a registrar's or a consultant's. A nurse may write one down that was told by
telephone; it is marked so, and it can bring checks forward but never put them off: a longer
interval is signed by the surgeon themself, and by nobody while a red is not closed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from monitoring import alarm, episodes, paging, rechecks, schedule, store, verdicts
from monitoring.alarm import AlertEvent
from monitoring.care import alerts, returning
from monitoring.care.bedside import Bed, at_bed, known_person, not_ahead, still_monitored
from monitoring.care.recording import OtherBody
from monitoring.domain import (
    NURSES,
    SURGEONS,
    AlertState,
    Decision,
    Intent,
    Order,
    Refused,
    Return,
    ReviewMode,
    Severity,
)
from monitoring.episodes import StoredAlert
from monitoring.ladder import ladder_of
from monitoring.protocol import Protocol
from monitoring.reviews import Review
from monitoring.signs import Unable
from monitoring.verdicts import StoredOrder

BEFORE_THE_ALERT = timedelta(hours=12)
"""How long before its alert was raised a review may have been made."""

LONGEST_ORDER = timedelta(hours=72)
LONGEST_INTERVAL = timedelta(hours=8)
TIMES_THE_PROTOCOL = 4
"""How long an order may hold, and how far apart its checks may be: never more than the interval,
nor than so many times the protocol's own at the time. A local choice."""

REVIEWED = "review"
"""The rule of a recheck that a review asks for."""

Protocols = Mapping[str, Protocol]


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A verdict as it was committed and read back, and the alert it answers as it stands now.
    ``repeated`` when it had been written before."""

    review: Review
    alert: StoredAlert | None
    repeated: bool


def record_review(
    record: store.Record, protocols: Protocols, review: Review, *, now: datetime
) -> Reviewed:
    """Write a verdict with all that follows from it, or nothing at all.

    ``recorded_at`` becomes ``now``, and an order begins then: what was asked of the nurses before
    is not changed behind their backs. The same key with the same content returns the first
    result. Raises OtherBody, Refused (a role that may not, a time that cannot be, a closed or
    foreign alert, a longer interval that may not be ordered), UnknownPerson, UnknownFlap.
    """
    review = _as_of(review, now)
    with _own_key(), record.write() as conn:
        bed = at_bed(conn, protocols, review.flap_id, now)
        known = verdicts.body_hash_of(conn, review.key)
        if known is None:
            _write(conn, protocols, bed, review, now)
        elif known != body_hash(review):
            raise OtherBody(
                "This form was saved already, with another decision. What was saved stands."
            )
    return _read_back(record, review.key, repeated=known is not None)


def _as_of(review: Review, now: datetime) -> Review:
    order = review.order
    if order is not None:
        order = order.model_copy(update={"from_at": now})
    return replace(review, recorded_at=now, order=order, read_back_by=None, read_back_at=None)


def body_hash(review: Review) -> str:
    """The content of a verdict without its times: what a save tried again must repeat."""
    order = review.order
    body = {
        "flap": review.flap_id,
        "alert": review.alert_id,
        "who": [review.by, review.recorded_by, review.mode],
        "decided": [review.decision, review.recheck_minutes, list(review.actions)],
        "found": {n: _plain(v) for n, v in sorted(review.examination.items())},
        "note": review.note,
        "order": None if order is None else [order.every_minutes, order.until_at.isoformat()],
    }
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _plain(value: object) -> object:
    return [value.reason.value, value.text] if isinstance(value, Unable) else value


@contextmanager
def _own_key() -> Iterator[None]:
    """Two saves of one form for two flaps at once: the second finds the key taken."""
    try:
        yield
    except IntegrityError as error:
        if not store.broke(error, "review", "key"):
            raise
        raise OtherBody(
            "This form was saved already, for another flap. What was saved stands."
        ) from None


def _write(conn: Connection, protocols: Protocols, bed: Bed, review: Review, now: datetime) -> None:
    still_monitored(bed)
    _who(conn, review)
    alert = _alert(conn, review)
    _when(bed, review, alert, now)
    _may_order(conn, bed, review)
    verdicts.insert_review(conn, review, body_hash(review))
    if review.order is not None:
        _order(conn, review, review.order, now)
    _ask(conn, review, alert, now)
    if alert is not None:
        _answer_alert(conn, alert, review, now)
    if review.decision is Decision.RETURN_TO_THEATRE:
        _to_theatre(conn, protocols, bed, review, now)


def _who(conn: Connection, review: Review) -> None:
    person = known_person(conn, review.by)
    if person.role not in SURGEONS:
        raise Refused(
            f"{person.name} ({person.role.replace('_', ' ')}) may not decide this: a registrar "
            "or a consultant does. Write down what one of them said by telephone."
        )
    if not review.verbal:
        return
    writer = known_person(conn, review.recorded_by)
    if writer.role not in NURSES | SURGEONS:
        raise Refused(f"{writer.name} may not write a review down: a nurse or a surgeon does.")


def _alert(conn: Connection, review: Review) -> StoredAlert | None:
    """The alert that is reviewed. Raises Refused for one that is closed or another flap's."""
    if review.alert_id is None:
        return None
    found = episodes.find_alert(conn, review.alert_id)
    if found is None or found.flap_id != review.flap_id:
        raise Refused("This alert is not of this flap: open the review from the alert itself.")
    if found.state is AlertState.CLOSED:
        raise Refused("This alert was closed meanwhile: review the flap from its own page instead.")
    return found


def _when(bed: Bed, review: Review, alert: StoredAlert | None, now: datetime) -> None:
    not_ahead("The time of the review", review.reviewed_at, now)
    if alert is not None and review.reviewed_at < alert.raised_at - BEFORE_THE_ALERT:
        raise Refused(
            "This review is dated more than 12 h before its alert was raised: look at the time."
        )
    if review.reviewed_at < bed.flap.facts.perfused_at:
        raise Refused("This review is dated before the flap was perfused: look at the time.")


def _may_order(conn: Connection, bed: Bed, review: Review) -> None:
    """Raises Refused for an order that is over already or has no measure, and for a longer
    interval while a red is not closed, or told by telephone."""
    order = review.order
    if order is None:
        return
    if order.until_at <= order.from_at:
        raise Refused("The order ends before it begins: say until when.")
    _has_measure(bed, order)
    if not schedule.lengthens(bed.flap, bed.protocol, order):
        return
    every = f"Every {order.every_minutes:g} min is longer than the protocol asks"
    reds = (a for a in episodes.open_alerts(conn, bed.flap.id) if a.severity is Severity.RED)
    if next(reds, None) is not None:
        raise Refused(f"{every}, and a red of this flap is not closed: close it first.")
    if review.verbal:
        raise Refused(
            f"{every}: the surgeon signs that themself. By telephone checks can only be brought "
            "forward."
        )


def _has_measure(bed: Bed, order: Order) -> None:
    """Raises Refused for an order that holds for days on end, or leaves a flap alone for too long:
    a slip of the finger is not to be what a whole stay is watched by."""
    hours = LONGEST_ORDER // timedelta(hours=1)
    if order.until_at - order.from_at > LONGEST_ORDER:
        raise Refused(f"An order holds for {hours} h at most: say an earlier end, and order anew.")
    hour = (order.from_at - bed.flap.slots_from) / timedelta(hours=1)
    now = bed.protocol.phase_at(hour).every_minutes
    longest = min(LONGEST_INTERVAL / timedelta(minutes=1), TIMES_THE_PROTOCOL * now)
    if order.every_minutes > longest:
        raise Refused(
            f"Every {order.every_minutes:g} min is too seldom: the protocol asks every {now:g} min "
            f"now, and an order may ask for every {longest:g} min at most."
        )


def _order(conn: Connection, review: Review, order: Order, now: datetime) -> None:
    """The new order ends what stands of the earlier ones."""
    standing = [o.id for o in verdicts.orders_of(conn, review.flap_id) if o.stands(now)]
    verdicts.end_orders(conn, standing, by=review.by, at=now)
    verdicts.insert_order(conn, review.flap_id, review.key, order)


def _ask(conn: Connection, review: Review, alert: StoredAlert | None, now: datetime) -> None:
    """What was asked before the review is asked no more; what the review asks for is."""
    before = rechecks.open_rechecks(conn, review.flap_id)
    over = [r.id for r in before if r.asked_at <= review.reviewed_at]
    rechecks.cancel_rechecks(conn, over, now)
    if review.recheck_at is None:
        return
    rechecks.insert_recheck(
        conn, flap_id=review.flap_id, asked_at=review.reviewed_at,
        due_at=max(review.recheck_at, now), rule=REVIEWED, if_unmet=None, check_key=None,
        severity=Severity.NONE if alert is None else alert.severity,
    )  # fmt: skip


def _answer_alert(conn: Connection, alert: StoredAlert, review: Review, now: datetime) -> None:
    """The verdict in the alert's story, and who has it now: whoever decides, also where another
    had said that they come. A verdict from before the newest finding, written down late,
    answers nothing that came after."""
    detail: dict[str, object] = {
        "review": str(review.key), "decision": review.decision, "mode": review.mode,
        "reviewed_at": review.reviewed_at.isoformat(), "written_by": review.recorded_by,
    }  # fmt: skip
    alerts.tell(conn, alert.id, AlertEvent.REVIEW, review.by, now, detail)
    since = [f.at for f in alert.findings if f.loud and f.at > review.reviewed_at]
    if since:
        return
    changes: dict[str, object] = {"plan_until": _holds_until(alert, review)}
    if alert.state is AlertState.OPEN or alert.acknowledged_by != review.by:
        state, _ = alarm.next_state(alert.state, AlertEvent.REVIEW)
        changes |= dict.fromkeys((*episodes.ANSWER, *episodes.AWAY)) | changes
        changes |= {
            "state": state, "acknowledged_by": review.by, "acknowledged_at": now,
            "intent": Intent.REVIEWING, "expected_at": now,
            "verbal_by": review.recorded_by if review.verbal else None,
        }  # fmt: skip
        paging.drop_pages(conn, alert.id, "reviewed before it was sent")
    if review.mode is ReviewMode.BEDSIDE:
        changes["arrived_at"] = alert.arrived_at or review.reviewed_at
    episodes.update_alert(conn, alert.id, **changes)


def _holds_until(alert: StoredAlert, review: Review) -> datetime:
    """How long the plan stands: as the alert's ladder says, and no longer after the recheck it asks
    for than an answer may take: somebody has to look at what the recheck shows."""
    ladder = ladder_of(alert.ladder, alert.severity, alert.stream)
    plan = review.reviewed_at + timedelta(minutes=ladder.plan_minutes)
    if review.recheck_at is None:
        return plan
    return min(plan, review.recheck_at + timedelta(minutes=ladder.answer_minutes))


def _to_theatre(
    conn: Connection, protocols: Protocols, bed: Bed, review: Review, now: datetime
) -> None:
    """The return is decided, unless one is under way: then this verdict only confirms it."""
    if any(r.back_at is None for r in bed.flap.returns):
        return
    value = Return(decided_at=review.reviewed_at)
    returning.write_return(conn, protocols, bed, value, by=review.recorded_by, now=now)


def confirm_read_back(record: store.Record, *, key: UUID, by: str, now: datetime) -> Review:
    """A nurse has read the plan back to who made it, or confirms to have understood it; the
    review as it stands now.

    Raises Refused for somebody who is no nurse, or the reviewer themself. Confirmed twice, the
    first stands.
    """
    with record.write() as conn:
        found = verdicts.find_review(conn, key)
        if found is None:
            raise Refused("There is no such review: open the flap's page again.")
        store.lock_flap(conn, found.flap_id)
        nurse = known_person(conn, by)
        if nurse.role not in NURSES or nurse.id == found.by:
            raise Refused(f"{nurse.name} cannot read this plan back: the flap's nurse does.")
        new = verdicts.mark_read_back(conn, key, by=by, at=now)
        alert = None if found.alert_id is None else episodes.find_alert(conn, found.alert_id)
        if new and alert is not None and alert.state is not AlertState.CLOSED:
            alarm.next_state(alert.state, AlertEvent.READ_BACK)
            alerts.tell(conn, alert.id, AlertEvent.READ_BACK, by, now, {"review": str(key)})
    return _read_back(record, key, repeated=not new).review


def end_order(
    record: store.Record, protocols: Protocols, *, flap_id: str, by: str, now: datetime
) -> StoredOrder:
    """The order that stands holds no longer: the protocol's own times stand again from now on.

    A surgeon may end any; a nurse one that lengthens the interval. Raises Refused when none
    stands.
    """
    with record.write() as conn:
        bed = at_bed(conn, protocols, flap_id, now)
        person = known_person(conn, by)
        standing = next((o for o in verdicts.orders_of(conn, flap_id) if o.stands(now)), None)
        if standing is None:
            raise Refused(f"No order stands for {bed.flap.facts.label}.")
        longer = schedule.lengthens(bed.flap, bed.protocol, standing.order)
        if person.role not in SURGEONS and not (longer and person.role in NURSES):
            raise Refused(
                f"{person.name} may not end this order: it asks for more checks than the "
                "protocol. A registrar or a consultant does."
            )
        verdicts.end_orders(conn, [standing.id], by=by, at=now)
    with record.read() as conn:
        return next(o for o in verdicts.orders_of(conn, flap_id) if o.id == standing.id)


def _read_back(record: store.Record, key: UUID, *, repeated: bool) -> Reviewed:
    with record.read() as conn:
        found = verdicts.find_review(conn, key)
        assert found is not None
        alert = None if found.alert_id is None else episodes.find_alert(conn, found.alert_id)
    return Reviewed(found, alert, repeated)
