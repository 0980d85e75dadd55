"""Back to theatre and back again: decided, gone, perfused again, returned, set right, withdrawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection

from monitoring import queries, rechecks, store, verdicts
from monitoring.care import alerts
from monitoring.care.bedside import (
    Bed,
    at_bed,
    known_person,
    not_ahead,
    still_monitored,
    with_reason,
)
from monitoring.care.judging import judge_again
from monitoring.care.setting_right import (
    Protocols,
    changed_by,
    in_words,
    keep_both,
)
from monitoring.domain import (
    SURGEONS,
    Decision,
    Hold,
    HoldReason,
    Refused,
    Return,
    SystemCloseReason,
)
from monitoring.queries import Correction

CLOSED_WITHIN = timedelta(minutes=30)
"""How long after its return the alert that sent a flap to theatre waits to be closed."""


def record_return(
    record: store.Record, protocols: Protocols, *, flap_id: str, value: Return, by: str,
    now: datetime,
) -> None:  # fmt: skip
    """Write what is known of a return to theatre; one decided at the same time is filled in, and
    what was known of it stays.

    Into theatre opens a hold; back ends it, restarts the slots and clears the baseline, and the
    checks made since are judged again. What was found in theatre may be filled in after monitoring
    ended. Raises Refused for a time in the future or a return decided while another is under way.
    """
    for name, moment in value.model_dump(include=set(_TIMES)).items():
        if moment is not None:
            not_ahead(_TIMES[name], moment, now)
    with record.write() as conn:
        bed = at_bed(conn, protocols, flap_id, now)
        known_person(conn, by)
        write_return(conn, protocols, bed, value, by=by, now=now)


def write_return(
    conn: Connection, protocols: Protocols, bed: Bed, value: Return, *, by: str, now: datetime
) -> None:
    """Write what is known of a return, inside a verb's transaction (see ``record_return``)."""
    flap_id = bed.flap.id
    known = queries.returns_of(conn, flap_id)
    same = next((r for r in known if r.value.decided_at == value.decided_at), None)
    if same is None:
        still_monitored(bed)
        if any(r.value.back_at is None for r in known):
            raise Refused("Another return is under way: fill that one in first.")
        queries.insert_return(conn, flap_id, value, by=by, at=now)
    else:
        value = changed_by(Return, same.value, value.model_dump(exclude_none=True))
        if value == same.value:
            return
        queries.update_return(conn, same.id, value, by=by, at=now)
    before = None if same is None else same.value
    _follow_return(conn, protocols, flap_id, before, value, by, now)


def _follow_return(
    conn: Connection, protocols: Protocols, flap_id: str, before: Return | None, value: Return,
    by: str, now: datetime,
) -> None:  # fmt: skip
    """What the times of a return mean for holds, slots, baseline and judgements."""
    if before is not None and all(getattr(value, t) == getattr(before, t) for t in _TIMES):
        return
    _theatre(conn, flap_id, before, value, by, now)
    _back(conn, at_bed(conn, protocols, flap_id, now), before, value, by, now)


_TIMES = {
    "decided_at": "The time of the decision",
    "into_theatre_at": "The time into theatre",
    "perfused_again_at": "The time of re-perfusion",
    "back_at": "The time back on the ward",
}


def _theatre(
    conn: Connection, flap_id: str, before: Return | None, value: Return, by: str, now: datetime
) -> None:
    """The hold of a return: from the way into theatre, whatever else holds the flap then, until
    it is back. Times that are set right move it, and every other hold ends there."""
    into, back = value.into_theatre_at, value.back_at
    holds = queries.holds_of(conn, flap_id)
    own = None if before is None else _hold_of(holds, before)
    others = [h for h in holds if own is None or h.id != own.id]
    if own is not None and own.hold.from_at != into:
        _end_hold(conn, own, own.hold.from_at, by, now)
        own = None
    if into is not None and own is None and not any(_holds_all(h.hold, value) for h in others):
        for other in others:
            if other.hold.covers(into):
                _end_hold(conn, other, into, by, now)
        hold = Hold(from_at=into, until_at=back, reason=HoldReason.THEATRE)
        queries.insert_hold(conn, flap_id, hold, by=by, at=now)
    elif own is not None and back is not None and own.hold.until_at != back:
        _end_hold(conn, own, back, by, now)
    if back is None:
        if into is not None:
            alerts.close_by_itself(conn, flap_id, SystemCloseReason.HOLD, now)
        return
    for other in queries.holds_of(conn, flap_id):
        if other.hold.covers(back):
            _end_hold(conn, other, back, by, now)


def _hold_of(holds: list[queries.StoredHold], value: Return) -> queries.StoredHold | None:
    """The hold that a return stands for."""
    of_theatre = (h for h in holds if h.hold.reason is HoldReason.THEATRE)
    return next((h for h in of_theatre if h.hold.from_at == value.into_theatre_at), None)


def _holds_all(hold: Hold, value: Return) -> bool:
    """Whether it is a hold for theatre, from before the way there until after the way back."""
    into, back, until = value.into_theatre_at, value.back_at, hold.until_at
    if hold.reason is not HoldReason.THEATRE or into is None or hold.from_at > into:
        return False
    return until is None or (back is not None and until >= back)


def _end_hold(
    conn: Connection, held: queries.StoredHold, until: datetime, by: str, now: datetime
) -> None:
    queries.release_hold(conn, held.id, by=by, at=now, until_at=until)


def _back(
    conn: Connection, bed: Bed, before: Return | None, value: Return, by: str, now: datetime
) -> None:
    """Back on the ward a new course begins: what was asked before is asked no more, and the
    baseline is found anew among the checks since."""
    if value.back_at is None:
        return
    owed = rechecks.open_rechecks(conn, bed.flap.id)
    asked_before = [r.id for r in owed if r.asked_at < value.back_at]
    if asked_before:
        rechecks.cancel_rechecks(conn, asked_before, now)
    was = None if before is None else before.back_at
    since = value.back_at if was is None else min(was, value.back_at)
    standing = [o.id for o in verdicts.orders_of(conn, bed.flap.id) if o.order.from_at < since]
    verdicts.end_orders(conn, standing, by=by, at=now)
    if was is None:  # the plan was carried out: its alert is closed by a person, or comes back
        alerts.forget_plans(conn, bed.flap.id, Decision.RETURN_TO_THEATRE, now + CLOSED_WITHIN)
    judge_again(conn, bed, since=since, by=by, now=now)


def withdraw_return(
    record: store.Record, protocols: Protocols, *, flap_id: str, decided_at: datetime, by: str,
    reason: str, now: datetime,
) -> None:  # fmt: skip
    """A surgeon decides that the flap does not go back to theatre after all; who had decided it,
    and why it is not done, stay readable.

    Raises Refused for anybody else, and once the flap was in theatre.
    """
    why = with_reason(reason)
    with record.write() as conn:
        at_bed(conn, protocols, flap_id, now)
        if known_person(conn, by).role not in SURGEONS:
            raise Refused("A surgeon withdraws a return: a registrar or a consultant.")
        known = queries.returns_of(conn, flap_id)
        found = next((r for r in known if r.value.decided_at == decided_at), None)
        if found is None:
            raise Refused("There is no return to theatre decided at this time.")
        if found.value.into_theatre_at is not None or found.value.back_at is not None:
            raise Refused("The flap was in theatre already: correct the return instead.")
        queries.withdraw_return(conn, found.id, by=by, at=now, reason=why)
        said = f"decided {in_words(found.value.decided_at)}"
        kept = Correction("return_to_theatre", said, "withdrawn", why, by, now)
        queries.insert_correction(conn, flap_id, kept)
        alerts.forget_plans(conn, flap_id, Decision.RETURN_TO_THEATRE, now)


def correct_return(
    record: store.Record, protocols: Protocols, *, flap_id: str, decided_at: datetime,
    changes: Mapping[str, object], by: str, reason: str, now: datetime,
) -> None:  # fmt: skip
    """Set right what was written of the return decided at a time, keeping both values; holds,
    slots, baseline and judgements follow. Days later, and after monitoring ended, too.

    Raises Refused for a return that is not there, a time in the future or out of order, taking
    the way back to the ward away, or nothing to change.
    """
    why = with_reason(reason)
    with record.write() as conn:
        at_bed(conn, protocols, flap_id, now)
        known_person(conn, by)
        known = queries.returns_of(conn, flap_id)
        place = next((n for n, r in enumerate(known) if r.value.decided_at == decided_at), None)
        if place is None:
            raise Refused("There is no return to theatre decided at this time.")
        old = known[place]
        new = changed_by(Return, old.value, changes)
        _right_return(old.value, new, [r.value for r in known if r is not old], now)
        for field in changes:
            named = f"return_{place + 1}_{field}"
            keep_both(conn, flap_id, field, old.value, new, why, by, now, named=named)
        queries.update_return(conn, old.id, new, by=by, at=now)
        _follow_return(conn, protocols, flap_id, old.value, new, by, now)


def _right_return(old: Return, new: Return, others: Iterable[Return], now: datetime) -> None:
    for name, words in _TIMES.items():
        moment = getattr(new, name)
        if moment is not None:
            not_ahead(words, moment, now)
        elif getattr(old, name) is not None and name != "perfused_again_at":
            raise Refused(f"{words} is known: give the right one instead of none.")
    if new == old:
        raise Refused("Nothing is changed: every value is as it was.")
    if any(r.decided_at == new.decided_at for r in others):
        raise Refused("Another return was decided at this time.")
