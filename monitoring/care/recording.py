"""Recording, amending and retracting a check: judged, written and alerting in one transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection

from monitoring import checks, episodes, queries, schedule, store
from monitoring.assess import LOOK_BACK, assess, is_baseline
from monitoring.care import alerts
from monitoring.care.bedside import (
    AHEAD,
    ALL,
    Bed,
    Refused,
    asked,
    at_bed,
    known_person,
    look,
    looks_of,
    not_ahead,
    still_monitored,
    with_reason,
)
from monitoring.care.judging import judge_again
from monitoring.care.rechecking import ask_again, settle_monitoring
from monitoring.checks import StoredCheck
from monitoring.domain import Assessment, Check, Source, Stream
from monitoring.episodes import StoredAlert
from monitoring.protocol import Protocol
from monitoring.schedule import Due, Look
from monitoring.signs import Unable

SAME_SAVE = timedelta(minutes=15)
"""A save tried again may claim "now" anew; further apart it is another check."""

EARLY = timedelta(minutes=30)
"""How long before the start of monitoring a check may have been observed."""

LATE = timedelta(minutes=15)
"""Recorded longer than this after it was observed, a check is a late entry."""


class OtherBody(Refused):
    """This form was saved before with other content; what was saved stands."""


class NeedsConfirmation(Refused):
    """Unusual values to confirm before they are believed: ``questions`` by sign."""

    def __init__(self, questions: Mapping[str, str]) -> None:
        super().__init__(" ".join(questions.values()))
        self.questions = dict(questions)


@dataclass(frozen=True, slots=True)
class Saved:
    """A check as it was committed and read back, and what follows from it.

    ``late`` says that it was recorded more than 15 min after it was observed: what it found would
    have been known then. ``current`` says that no newer check stands.
    """

    check: Check
    assessment: Assessment
    due: Due
    alerts: tuple[StoredAlert, ...]
    repeated: bool
    late: bool
    current: bool


def record_check(
    record: store.Record, protocols: Mapping[str, Protocol], check: Check, *, now: datetime,
    confirmed: frozenset[str] = frozenset(),
) -> Saved:  # fmt: skip
    """Validate, judge and commit a check with its findings and alerts; or nothing at all.

    ``recorded_at`` becomes ``now``. The same key with the same body returns the first result.
    Raises OtherBody, NeedsConfirmation, Refused (future or impossible time, monitoring ended),
    UnknownPerson, UnknownFlap, RecordUnavailable.
    """
    check = replace(check, recorded_at=now, source=_source(check, now))
    touched: list[int] = []
    with record.write() as conn:
        bed = at_bed(conn, protocols, check.flap_id, now)
        known = checks.find_check(conn, check.key)
        if known is None:
            _may_be_recorded(conn, bed, check, now, confirmed)
            touched, due = _write(conn, bed, check, now)
        else:
            _same_or_refuse(known, check)
            due = _due(conn, bed, now)
    return _read_back(record, check.key, due, touched, repeated=known is not None)


def _source(check: Check, now: datetime) -> Source:
    if check.source in (Source.DEVICE, Source.IMPORT):
        return check.source
    return Source.LATE_ENTRY if now - check.observed_at > LATE else Source.BEDSIDE


def _may_be_recorded(
    conn: Connection, bed: Bed, check: Check, now: datetime, confirmed: frozenset[str]
) -> None:
    known_person(conn, check.by)
    still_monitored(bed)
    not_ahead("The time of this check", check.observed_at, now)
    if check.observed_at < bed.flap.facts.monitoring_from - EARLY:
        raise Refused("This check was observed before the flap was monitored: look at the time.")
    _confirmed(check, confirmed)


def _confirmed(check: Check, confirmed: frozenset[str]) -> None:
    unusual = {} if ALL <= confirmed else check.improbable()
    open_questions = {sign: q for sign, q in unusual.items() if sign not in confirmed}
    if open_questions:
        raise NeedsConfirmation(open_questions)


def body_hash(check: Check) -> str:
    """The content of a check without its times: what a save tried again must repeat."""
    body = {
        "flap": check.flap_id,
        "by": check.by,
        "signs": {n: _plain(v) for n, v in sorted(check.signs.items())},
        "note": check.note,
        "concern": [check.nurse_concern, check.concern_about],
    }
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _plain(value: object) -> object:
    return [value.reason.value, value.text] if isinstance(value, Unable) else value


def _same_or_refuse(known: StoredCheck, check: Check) -> None:
    apart = abs(known.check.observed_at - check.observed_at)
    if known.body_hash != body_hash(check) or apart > SAME_SAVE:
        raise OtherBody(
            "This form was saved already, with other values. What was saved stands: "
            "amend it on the flap's page."
        )


def _write(
    conn: Connection, bed: Bed, check: Check, now: datetime
) -> tuple[list[int], Due]:
    """Judge and write; returns the alerts touched and what is due next."""
    since = min(check.observed_at, now) - LOOK_BACK
    around = checks.judged_between(
        conn, check.flap_id, since, now + AHEAD + timedelta(seconds=1)
    )
    earlier = [s.check for s in around if s.check.observed_at <= check.observed_at]
    newest = len(earlier) == len(around)
    judged = assess(bed.flap, check, earlier, bed.protocol)
    checks.insert_check(conn, check, body_hash(check), judged=judged)
    episodes.insert_assessment(conn, check.key, judged, now, again=False)
    running = alerts.running(conn, check.flap_id)
    touched = alerts.hear(
        conn, check.flap_id, judged.findings, full=judged.full, newest=newest, by=check.by,
        now=now, open_now=running,
    )  # fmt: skip
    if newest:
        if bed.flap.as_of(check.observed_at).baseline is None and is_baseline(check, judged):
            queries.set_baseline(conn, check.flap_id, check)
            bed = replace(bed, flap=replace(bed.flap, baseline=check))
    else:
        touched += judge_again(conn, bed, since=check.observed_at, by=check.by, now=now)
    owed = ask_again(conn, check, judged, now)
    looks = [*(look(s) for s in around), Look(check.observed_at, now, judged.full, check.key)]
    if touched or any(e.stream is Stream.MONITORING for e in running):
        settle_monitoring(conn, bed, judged, looks, owed, now)
    return touched, schedule.next_due(bed.flap, bed.protocol, looks, owed, now)


def _due(conn: Connection, bed: Bed, now: datetime) -> Due:
    looks = looks_of(conn, bed.flap.id, now)
    return schedule.next_due(bed.flap, bed.protocol, looks, asked(conn, bed.flap.id), now)


def _read_back(
    record: store.Record, key: UUID, due: Due, touched: Sequence[int], *, repeated: bool
) -> Saved:
    with record.read() as conn:
        stored = checks.check_by_key(conn, key)
        judged = episodes.current_assessment(conn, key)
        assert judged is not None
        found = [episodes.find_alert(conn, i) for i in dict.fromkeys(touched)]
        newest = checks.newest_key(conn, stored.check.flap_id)
    return Saved(
        check=stored.check,
        assessment=judged.assessment,
        due=due,
        alerts=tuple(a for a in found if a is not None),
        repeated=repeated,
        late=stored.check.recorded_at - stored.check.observed_at > LATE,
        current=newest == key,
    )


def amend_check(
    record: store.Record, protocols: Mapping[str, Protocol], *, key: UUID, check: Check, by: str,
    reason: str, now: datetime, confirmed: frozenset[str] = frozenset(),
) -> Saved:  # fmt: skip
    """Put a new version in the place of a check; the old one stays readable beside it.

    ``check`` carries a key of its own; its observer stays the old one's. What follows is judged
    again; an alert that rested on the old values says so and stays.
    """
    why = with_reason(reason)
    with record.write() as conn:
        old = _standing(conn, key, "amend")
        bed = at_bed(conn, protocols, old.check.flap_id, now)
        if check.flap_id != old.check.flap_id:
            raise Refused("An amendment stays with its flap: retract it and enter it there.")
        known_person(conn, by)
        not_ahead("The time of this check", check.observed_at, now)
        _confirmed(check, confirmed)
        new = replace(check, by=old.check.by, source=old.check.source, recorded_at=now)
        checks.insert_check(
            conn, new, body_hash(new), replaces=key, amend_reason=why, amended_by=by,
            first_recorded_at=old.first_recorded_at,
        )  # fmt: skip
        alerts.mark_amended(conn, new.flap_id, key, by=by, now=now, why=why)
        since = min(old.check.observed_at, new.observed_at)
        touched = judge_again(conn, bed, since=since, by=by, now=now)
        due = _due(conn, bed, now)
    return _read_back(record, new.key, due, touched, repeated=False)


def retract_check(
    record: store.Record, protocols: Mapping[str, Protocol], *, key: UUID, by: str, reason: str,
    now: datetime,
) -> StoredCheck:  # fmt: skip
    """Strike a check through (entered on the wrong patient): it stays readable, counts no more,
    and what follows is judged again. Alerts that rested on it say so and stay."""
    why = with_reason(reason)
    with record.write() as conn:
        old = _standing(conn, key, "retract")
        bed = at_bed(conn, protocols, old.check.flap_id, now)
        known_person(conn, by)
        checks.strike_check(conn, key, by=by, at=now, reason=why)
        alerts.mark_amended(conn, old.check.flap_id, key, by=by, now=now, why=why)
        judge_again(conn, bed, since=old.check.observed_at, by=by, now=now)
    with record.read() as conn:
        return checks.check_by_key(conn, key)


def _standing(conn: Connection, key: UUID, verb: str) -> StoredCheck:
    found = checks.check_by_key(conn, key)
    store.lock_flap(conn, found.check.flap_id)
    found = checks.check_by_key(conn, key)
    if not found.current:
        raise Refused(f"This version was amended or retracted: {verb} the one that stands.")
    return found
