"""A flap's stay: admitted, held, moved, set right, discharged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from monitoring import checks, people, queries, store
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
    acting,
    cancel_rechecks,
    changed_by,
    keep_both,
)
from monitoring.care.watching import stand_again
from monitoring.checks import StoredCheck
from monitoring.domain import (
    SURGEONS,
    FlapFacts,
    Hold,
    HoldReason,
    Outcome,
    OutcomeKind,
    Patient,
    Refused,
    Severity,
    Stream,
    SystemCloseReason,
)
from monitoring.protocol import find, propose


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
        bed = acting(conn, protocols, flap_id, by, now)
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
        bed = acting(conn, protocols, flap_id, by, now)
        held = _held(conn, bed, now)
        if held is None:
            raise Refused(f"{bed.flap.facts.label} is not on hold.")
        queries.release_hold(conn, held.id, by=by, at=now, until_at=now)
        stand_again(conn, at_bed(conn, protocols, flap_id, now), now)


def _held(conn: Connection, bed: Bed, now: datetime) -> queries.StoredHold | None:
    return next((h for h in queries.holds_of(conn, bed.flap.id) if h.hold.covers(now)), None)


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
            keep_both(conn, flap_id, field, old, outcome, why, by, now, named=f"outcome_{field}")
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
        bed = acting(conn, protocols, flap_id, by, now)
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
    cancel_rechecks(conn, flap_id, now)


def transfer_bed(
    record: store.Record, protocols: Protocols, *, flap_id: str, ward: str, bed: str, by: str,
    now: datetime,
) -> None:  # fmt: skip
    """The patient lies elsewhere now; every flap of theirs moves along."""
    with record.write() as conn:
        here = acting(conn, protocols, flap_id, by, now)
        moved = changed_by(Patient, here.patient, {"ward": ward, "bed": bed})
        queries.update_patient(conn, here.patient_id, moved)
        for field in ("ward", "bed"):
            keep_both(conn, flap_id, field, here.patient, moved, "transfer", by, now)


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
        person = changed_by(Patient, bed.patient, about_patient)
        facts = changed_by(FlapFacts, bed.flap.facts, about_flap)
        not_ahead("The time of perfusion", facts.perfused_at, now)
        not_ahead("The start of monitoring", facts.monitoring_from, now)
        if person == bed.patient and facts == bed.flap.facts:
            raise Refused("Nothing differs from what is recorded.")
        _not_somebody_else(conn, bed, person)
        queries.update_patient(conn, bed.patient_id, person)
        queries.update_facts(conn, flap_id, facts)
        for field in about_patient:
            keep_both(conn, flap_id, field, bed.patient, person, why, by, now)
        for field in about_flap:
            keep_both(conn, flap_id, field, bed.flap.facts, facts, why, by, now)
        judge_again(conn, at_bed(conn, protocols, flap_id, now), since=_BEGINNING, by=by, now=now)


_BEGINNING = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _not_somebody_else(conn: Connection, bed: Bed, person: Patient) -> None:
    found = queries.find_patient(conn, person.mrn)
    if found is not None and found[0] != bed.patient_id:
        raise Refused(f"MRN {person.mrn} belongs to {found[1].name}: look at the wristband.")


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
            people.hold_in_care(conn, nurse, flap_id, now)
        else:
            people.leave_care(conn, nurse, flap_id)
