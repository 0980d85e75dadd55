"""A flap's stay: admitted, held, taken back to theatre, moved, set right, discharged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid4

from pydantic import ValidationError
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from monitoring import checks, episodes, queries, store, verdicts
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
from monitoring.care.watching import stand_again
from monitoring.checks import StoredCheck
from monitoring.domain import (
    SURGEONS,
    Decision,
    FlapFacts,
    Hold,
    HoldReason,
    Outcome,
    OutcomeKind,
    Patient,
    Refused,
    Return,
    Severity,
    Stream,
    SystemCloseReason,
)
from monitoring.protocol import Protocol, find, propose
from monitoring.queries import Correction

CLOSED_WITHIN = timedelta(minutes=30)
"""How long after its return the alert that sent a flap to theatre waits to be closed."""

Protocols = Mapping[str, Protocol]
Value = Patient | FlapFacts | Return | Outcome
V = TypeVar("V", Patient, FlapFacts, Return)


def admit_flap(
    record: store.Record, protocols: Protocols, *, patient: Patient, facts: FlapFacts, by: str,
    now: datetime, protocol_key: str | None = None, flap_id: str | None = None,
) -> str:  # fmt: skip
    """Begin to monitor a flap under a protocol version, which stays pinned to it; returns its id.

    Raises Refused when the MRN belongs to somebody else, the flap is monitored already, or it
    would be perfused in the future.
    """
    chosen = propose(protocols, facts) if protocol_key is None else find(protocols, protocol_key)
    not_ahead("The time of perfusion", facts.perfused_at, now)
    not_ahead("The start of monitoring", facts.monitoring_from, now)
    new_id = flap_id or str(uuid4())
    try:
        with record.write() as conn:
            known_person(conn, by)
            patient_id = _patient(conn, patient)
            for other in queries.flaps_of_patient(conn, patient_id):
                if other.flap.ended_at is None and other.flap.facts.label == facts.label:
                    raise Refused(f"{facts.label} of {patient.name} is monitored already.")
            store.pin_protocol(conn, chosen.key, chosen.hash, now)
            queries.insert_flap(conn, new_id, patient_id, facts, chosen.key, by=by, at=now)
    except IntegrityError as error:  # two admissions of one new MRN at once: the second finds it
        if not store.broke(error, "patient", "mrn"):
            raise
        raise Refused(
            f"Somebody admitted MRN {patient.mrn} at the same moment: look at the board."
        ) from None
    return new_id


def _patient(conn: Connection, patient: Patient) -> int:
    found = queries.find_patient(conn, patient.mrn)
    if found is None:
        return queries.insert_patient(conn, patient)
    patient_id, known = found
    same = (known.name.casefold(), known.born_on) == (patient.name.casefold(), patient.born_on)
    if not same:
        raise Refused(
            f"MRN {patient.mrn} belongs to {known.name}, born {known.born_on:%d %b %Y}: "
            "look at the wristband."
        )
    queries.update_patient(conn, patient_id, patient)
    return patient_id


def hold_flap(
    record: store.Record, protocols: Protocols, *, flap_id: str, reason: HoldReason, by: str,
    now: datetime, until_at: datetime | None = None,
) -> None:  # fmt: skip
    """Stop asking for checks: the flap is in theatre, imaging or a procedure.

    Earlier misses stand; clinical alerts stay open. Raises Refused when it is held already.
    """
    with record.write() as conn:
        bed = _acting(conn, protocols, flap_id, by, now)
        if bed.flap.held(now) is not None:
            raise Refused(f"{bed.flap.facts.label} is on hold already.")
        if until_at is not None and until_at <= now:
            raise Refused("The planned end of the hold is in the past.")
        hold = Hold(from_at=now, until_at=until_at, reason=reason)
        queries.insert_hold(conn, flap_id, hold, by=by, at=now)
        alerts.close_by_itself(conn, flap_id, SystemCloseReason.HOLD, now)


def release_flap(
    record: store.Record, protocols: Protocols, *, flap_id: str, by: str, now: datetime
) -> None:
    """End the flap's hold: a check is due at once, and what still stands calls again. Raises
    Refused when it is not held."""
    with record.write() as conn:
        bed = _acting(conn, protocols, flap_id, by, now)
        held = _held(conn, bed, now)
        if held is None:
            raise Refused(f"{bed.flap.facts.label} is not on hold.")
        queries.release_hold(conn, held.id, by=by, at=now, until_at=now)
        stand_again(conn, at_bed(conn, protocols, flap_id, now), now)


def _held(conn: Connection, bed: Bed, now: datetime) -> queries.StoredHold | None:
    return next((h for h in queries.holds_of(conn, bed.flap.id) if h.hold.covers(now)), None)


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
        value = _changed(Return, same.value, value.model_dump(exclude_none=True))
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
    owed = episodes.open_rechecks(conn, bed.flap.id)
    asked_before = [r.id for r in owed if r.asked_at < value.back_at]
    if asked_before:
        episodes.cancel_rechecks(conn, asked_before, now)
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
        said = f"decided {_said(found.value.decided_at)}"
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
        new = _changed(Return, old.value, changes)
        _right_return(old.value, new, [r.value for r in known if r is not old], now)
        for field in changes:
            named = f"return_{place + 1}_{field}"
            _keep_both(conn, flap_id, field, old.value, new, why, by, now, named=named)
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


def _cancel_rechecks(conn: Connection, flap_id: str, now: datetime) -> None:
    owed = [r.id for r in episodes.open_rechecks(conn, flap_id)]
    if owed:
        episodes.cancel_rechecks(conn, owed, now)


def record_outcome(
    record: store.Record, protocols: Protocols, *, flap_id: str, outcome: Outcome, by: str,
    now: datetime,
) -> None:  # fmt: skip
    """How the flap ended, days later if need be. Total loss ends monitoring.

    Raises Refused for a second outcome or a time in the future.
    """
    not_ahead("The time of the outcome", outcome.closed_at, now)
    with record.write() as conn:
        bed = at_bed(conn, protocols, flap_id, now)
        known_person(conn, by)
        if outcome.closed_at < bed.flap.facts.perfused_at:
            raise Refused("This outcome is dated before the flap was perfused: look at the time.")
        known = queries.outcome_of(conn, flap_id)
        if known is not None:
            raise Refused(f"The outcome is recorded already: {known.kind.replace('_', ' ')}.")
        queries.insert_outcome(conn, flap_id, outcome, by=by, at=now)
        if outcome.kind is OutcomeKind.TOTAL_LOSS and bed.flap.ended_at is None:
            queries.end_flap(conn, flap_id, outcome.closed_at)
            _end(conn, flap_id, now)


def correct_outcome(
    record: store.Record, protocols: Protocols, *, flap_id: str, outcome: Outcome, by: str,
    reason: str, now: datetime,
) -> None:  # fmt: skip
    """Set a wrong outcome right, keeping both values. A total loss that was none lets monitoring
    go on, unless the flap was discharged.

    Raises Refused where none is recorded, for a time in the future, or nothing to change.
    """
    why = with_reason(reason)
    not_ahead("The time of the outcome", outcome.closed_at, now)
    with record.write() as conn:
        bed = at_bed(conn, protocols, flap_id, now)
        known_person(conn, by)
        old = queries.outcome_of(conn, flap_id)
        if old is None:
            raise Refused("No outcome is recorded yet: record it instead.")
        if old == outcome:
            raise Refused("Nothing is changed: every value is as it was.")
        if outcome.closed_at < bed.flap.facts.perfused_at:
            raise Refused("This outcome is dated before the flap was perfused: look at the time.")
        for field in Outcome.model_fields:
            _keep_both(conn, flap_id, field, old, outcome, why, by, now, named=f"outcome_{field}")
        queries.update_outcome(conn, flap_id, outcome, by=by, at=now)
        _end_again(conn, at_bed(conn, protocols, flap_id, now), old, outcome, now)


def _end_again(conn: Connection, bed: Bed, old: Outcome, new: Outcome, now: datetime) -> None:
    """When monitoring ended, by the corrected outcome."""
    if new.kind is OutcomeKind.TOTAL_LOSS:
        queries.move_end(conn, bed.flap.id, new.closed_at)
        if bed.flap.ended_at is None:
            _end(conn, bed.flap.id, now)
    elif old.kind is OutcomeKind.TOTAL_LOSS:
        queries.move_end(conn, bed.flap.id, None)


def discharge_flap(
    record: store.Record, protocols: Protocols, *, flap_id: str, by: str, now: datetime
) -> None:
    """End monitoring. Raises Refused while a clinical alert is not closed: nobody would see it."""
    with record.write() as conn:
        bed = _acting(conn, protocols, flap_id, by, now)
        left = [e for e in alerts.running(conn, flap_id) if e.stream is not Stream.MONITORING]
        if left:
            raise Refused(
                f"{bed.flap.facts.label} has an alert that is not closed ({left[0].severity}): "
                "close it with a reason first."
            )
        queries.end_flap(conn, flap_id, now, discharged_by=by)
        _end(conn, flap_id, now)


def _end(conn: Connection, flap_id: str, now: datetime) -> None:
    alerts.close_by_itself(conn, flap_id, SystemCloseReason.DISCHARGED, now)
    _cancel_rechecks(conn, flap_id, now)


def transfer_bed(
    record: store.Record, protocols: Protocols, *, flap_id: str, ward: str, bed: str, by: str,
    now: datetime,
) -> None:  # fmt: skip
    """The patient lies elsewhere now; every flap of theirs moves along."""
    with record.write() as conn:
        here = _acting(conn, protocols, flap_id, by, now)
        moved = _changed(Patient, here.patient, {"ward": ward, "bed": bed})
        queries.update_patient(conn, here.patient_id, moved)
        for field in ("ward", "bed"):
            _keep_both(conn, flap_id, field, here.patient, moved, "transfer", by, now)


def correct_flap(
    record: store.Record, protocols: Protocols, *, flap_id: str, changes: Mapping[str, object],
    by: str, reason: str, now: datetime,
) -> None:  # fmt: skip
    """Set a wrong fact right (MRN, name, skin type, perfusion time …), keeping both values; every
    check of the flap is judged again.

    ``name`` is the patient's; the flap's own goes by ``flap_name``. Raises Refused for a fact
    that cannot be, an MRN of somebody else, or nothing to change.
    """
    why = with_reason(reason)
    with record.write() as conn:
        bed = at_bed(conn, protocols, flap_id, now)
        known_person(conn, by)
        about_patient = {k: v for k, v in changes.items() if k in Patient.model_fields}
        about_flap = {
            "name" if k == "flap_name" else k: v
            for k, v in changes.items()
            if k not in about_patient
        }
        person = _changed(Patient, bed.patient, about_patient)
        facts = _changed(FlapFacts, bed.flap.facts, about_flap)
        not_ahead("The time of perfusion", facts.perfused_at, now)
        not_ahead("The start of monitoring", facts.monitoring_from, now)
        if person == bed.patient and facts == bed.flap.facts:
            raise Refused("Nothing differs from what is recorded.")
        _not_somebody_else(conn, bed, person)
        queries.update_patient(conn, bed.patient_id, person)
        queries.update_facts(conn, flap_id, facts)
        for field in about_patient:
            _keep_both(conn, flap_id, field, bed.patient, person, why, by, now)
        for field in about_flap:
            _keep_both(conn, flap_id, field, bed.flap.facts, facts, why, by, now)
        judge_again(conn, at_bed(conn, protocols, flap_id, now), since=_BEGINNING, by=by, now=now)


_BEGINNING = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _not_somebody_else(conn: Connection, bed: Bed, person: Patient) -> None:
    found = queries.find_patient(conn, person.mrn)
    if found is not None and found[0] != bed.patient_id:
        raise Refused(f"MRN {person.mrn} belongs to {found[1].name}: look at the wristband.")


def _changed(kind: type[V], before: V, changes: Mapping[str, object]) -> V:
    unknown = sorted(set(changes) - set(kind.model_fields))
    if unknown:
        raise Refused(f"{unknown[0]!r} is not a fact of a patient or a flap.")
    try:
        return kind.model_validate(before.model_dump() | dict(changes))
    except ValidationError as error:
        first = error.errors()[0]
        where = f"{str(first['loc'][0]).replace('_', ' ').capitalize()}: " if first["loc"] else ""
        said = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise Refused(f"{where}{said}.") from None


def _keep_both(
    conn: Connection, flap_id: str, field: str, before: Value, after: Value, why: str, by: str,
    now: datetime, *, named: str | None = None,
) -> None:  # fmt: skip
    old, new = getattr(before, field), getattr(after, field)
    if old != new:
        correction = Correction(named or field, _said(old), _said(new), why, by, now)
        queries.insert_correction(conn, flap_id, correction)


def _said(value: object) -> str | None:
    if isinstance(value, frozenset):
        return ", ".join(sorted(map(str, value)))
    return None if value is None else str(value)


def _acting(conn: Connection, protocols: Protocols, flap_id: str, by: str, now: datetime) -> Bed:
    bed = at_bed(conn, protocols, flap_id, now)
    known_person(conn, by)
    still_monitored(bed)
    return bed


def set_baseline(
    record: store.Record, protocols: Protocols, *, flap_id: str, key: UUID, by: str,
    now: datetime,
) -> None:  # fmt: skip
    """A surgeon chooses the check that change is measured from; every check is judged again.

    Raises Refused for anybody else, and for a check that is not the flap's, stands no more, is
    not full, was itself an alert, shows a colour no flap starts with, or was made before the
    flap was last back from theatre.
    """
    with record.write() as conn:
        bed = at_bed(conn, protocols, flap_id, now)
        still_monitored(bed)
        if known_person(conn, by).role not in SURGEONS:
            raise Refused("A baseline is set by a surgeon: a registrar or a consultant.")
        chosen = checks.check_by_key(conn, key)
        if chosen.check.flap_id != flap_id or not chosen.current:
            raise Refused("This check is not one that stands for this flap.")
        _may_be_baseline(bed, chosen)
        if bed.flap.returns and chosen.check.observed_at < bed.flap.slots_from:
            raise Refused("This check was made before the flap was last back from theatre.")
        queries.set_baseline(conn, flap_id, chosen.check, by=by, at=now)
        bed = at_bed(conn, protocols, flap_id, now)
        judge_again(conn, bed, since=chosen.check.observed_at, by=by, now=now)


NEVER_NORMAL = frozenset({"white", "dusky", "blue", "purple", "black"})
"""Colours that are never what change is measured from."""


def _may_be_baseline(bed: Bed, chosen: StoredCheck) -> None:
    if not bed.protocol.is_full(chosen.check, bed.flap.facts):
        raise Refused("A baseline is a full check: this one leaves required signs out.")
    loud = chosen.severity is not None and chosen.severity.rank >= Severity.AMBER.rank
    if loud or chosen.check.signs.get("colour") in NEVER_NORMAL:
        raise Refused("A check that raised an alert, or shows such a colour, is no baseline.")


def set_mine(record: store.Record, *, flap_id: str, nurse: str, mine: bool, now: datetime) -> None:
    """A nurse takes a flap on their list for this shift, or off it. Raises UnknownFlap."""
    with record.write() as conn:
        known_person(conn, nurse)
        queries.load_flap(conn, flap_id)
        if mine:
            episodes.hold_in_care(conn, nurse, flap_id, now)
        else:
            episodes.leave_care(conn, nurse, flap_id)
