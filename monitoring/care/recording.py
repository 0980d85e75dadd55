"""Recording, amending and retracting a check: judged, written and alerting in one transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from monitoring import checks, episodes, paging, queries, schedule, store
from monitoring.assess import LOOK_BACK, assess, is_baseline
from monitoring.care import alerts
from monitoring.care.bedside import (
    AHEAD,
    ALL,
    Bed,
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
from monitoring.care.rechecking import ask_again
from monitoring.care.watching import settle_monitoring
from monitoring.checks import JudgedCheck, StoredCheck
from monitoring.conditions import lasting
from monitoring.domain import Assessment, Check, Refused, Severity, Source, Stream, stream_of
from monitoring.episodes import StoredAlert
from monitoring.paging import StoredPage
from monitoring.protocol import Protocol
from monitoring.schedule import Due, Look
from monitoring.signs import Unable

SAME_SAVE = timedelta(minutes=15)
"""A save tried again may claim "now" anew; further apart it is another check."""

EARLY = timedelta(minutes=30)
"""How long before the start of monitoring a check may have been observed, once perfused."""

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
    have been known then. ``current`` says that no newer check stands; ``struck`` and ``amended``
    that it stands no more itself: struck through since, or replaced by another version. ``sent``
    are the messages about its alerts, as they stood when it was saved.
    """

    check: Check
    assessment: Assessment
    due: Due
    alerts: tuple[StoredAlert, ...]
    repeated: bool
    late: bool
    current: bool
    struck: bool = False
    amended: bool = False
    sent: Mapping[int, Sequence[StoredPage]] = field(default_factory=dict)


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
    with _own_key(), record.write() as conn:
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
    _when(bed, check, now)
    _confirmed(check, confirmed)


def _when(bed: Bed, check: Check, now: datetime) -> None:
    not_ahead("The time of this check", check.observed_at, now)
    if check.observed_at < bed.flap.facts.monitoring_from - EARLY:
        raise Refused("This check was observed before the flap was monitored: look at the time.")
    if check.observed_at < bed.flap.facts.perfused_at:
        raise Refused("This check was observed before the flap was perfused: look at the time.")


def _confirmed(check: Check, confirmed: frozenset[str]) -> None:
    unusual = {} if confirmed >= ALL else check.improbable()
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
    if known.body_hash != body_hash(check):
        raise OtherBody(
            "This form was saved already, with other values. What was saved stands: "
            "amend it on the flap's page."
        )
    apart = check.observed_at - known.check.observed_at
    if abs(apart) > SAME_SAVE:
        when = "earlier" if apart > timedelta(0) else "later"
        raise OtherBody(
            f"This form was saved already with these values, as observed {lasting(abs(apart))} "
            f"{when}. What was saved stands. If this is another look, begin a new form."
        )


@contextmanager
def _own_key() -> Iterator[None]:
    """Two saves of one form for two flaps at once: the second finds the key taken."""
    try:
        yield
    except IntegrityError as error:
        if not store.broke(error, "flap_check", "key"):
            raise
        raise OtherBody(
            "This form was saved already, for another flap. What was saved stands."
        ) from None


def _write(conn: Connection, bed: Bed, check: Check, now: datetime) -> tuple[list[int], Due]:
    """Judge and write; returns the alerts touched and what is due next.

    What is observed before a check that is there already is judged together with it.
    """
    since = min(check.observed_at, now) - LOOK_BACK
    around = checks.judged_between(conn, check.flap_id, since, now + AHEAD + timedelta(seconds=1))
    if around and around[-1].check.observed_at > check.observed_at:
        checks.insert_check(conn, check, body_hash(check))
        touched = judge_again(conn, bed, since=check.observed_at, by=check.by, now=now)
        return touched, _due(conn, bed, now)
    judged = assess(bed.flap, check, [s.check for s in around], bed.protocol)
    checks.insert_check(conn, check, body_hash(check), judged=judged)
    episodes.insert_assessment(conn, check.key, judged, now, again=False)
    running = alerts.running(conn, check.flap_id)
    clear = [s.check.observed_at for s in around if s.is_full and s.severity is Severity.NONE]
    cleared_at = max(clear, default=None)
    touched = alerts.hear(
        conn, bed, judged.findings, full=judged.full, newest=True, by=check.by, now=now,
        open_now=running, seen=check.seen, cleared_at=cleared_at, signs_since=_signs_since(around),
    )  # fmt: skip
    if bed.flap.as_of(check.observed_at).baseline is None and is_baseline(check, judged):
        queries.set_baseline(conn, check.flap_id, check)
        bed = replace(bed, flap=replace(bed.flap, baseline=check))
    owed = ask_again(conn, check, judged, now, max([bed.flap.slots_from, *clear[-1:]]))
    looks = [*(look(s) for s in around), Look(check.observed_at, now, judged.full, check.key)]
    if any(e.stream is Stream.MONITORING for e in running):
        settle_monitoring(conn, bed, judged, looks, owed, now)
    return touched, schedule.next_due(bed.flap, bed.protocol, looks, owed, now)


def _signs_since(around: Sequence[JudgedCheck]) -> dict[Stream, datetime]:
    """When the signs of each stream were first seen in the checks that lead up to now without a
    clear one between: a weak sign is the first sign of what came of it."""
    since: dict[Stream, datetime] = {}
    for seen in reversed(around):
        if seen.pattern is None:
            break
        since[stream_of(seen.pattern)] = seen.check.observed_at
    return since


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
        if repeated:
            touched = _resting_on(conn, stored.check)
        found = [episodes.find_alert(conn, i) for i in dict.fromkeys(touched)]
        newest = checks.newest_key(conn, stored.check.flap_id)
        sent = paging.pages_of(conn, [a.id for a in found if a is not None])
    return Saved(
        check=stored.check,
        assessment=judged.assessment,
        due=due,
        alerts=tuple(a for a in found if a is not None),
        repeated=repeated,
        late=stored.check.recorded_at - stored.check.observed_at > LATE,
        current=newest == key,
        struck=stored.struck_at is not None,
        amended=stored.replaced_by_key is not None,
        sent=sent,
    )


def _resting_on(conn: Connection, check: Check) -> list[int]:
    """The alerts that this check raised or joined."""
    return [
        a.id
        for a in episodes.alerts_of_flap(conn, check.flap_id)
        if any(e.check_key == check.key for f in a.findings for e in f.evidence)
    ]


def amend_check(
    record: store.Record, protocols: Mapping[str, Protocol], *, key: UUID, check: Check, by: str,
    reason: str, now: datetime, confirmed: frozenset[str] = frozenset(),
) -> Saved:  # fmt: skip
    """Put a new version in the place of a check; the old one stays readable beside it.

    ``check`` carries a key of its own; its observer stays the old one's. What follows is judged
    again; an alert that rested on the old values says so and stays. The same key with the same
    body returns the first result. Raises what ``record_check`` raises, and Refused for a version
    that does not stand or an amendment that changes nothing.
    """
    why = with_reason(reason)
    touched: list[int] = []
    with _own_key(), record.write() as conn:
        bed, old = _locked(conn, protocols, key, now)
        new = replace(check, by=old.check.by, source=old.check.source, recorded_at=now)
        known = checks.find_check(conn, new.key)
        if known is not None:
            _same_amendment(known, new, key)
        else:
            _may_be_amended(conn, bed, old, new, by, now, confirmed)
            touched = _replace(conn, bed, old, new, by, why, now)
        due = _due(conn, bed, now)
    return _read_back(record, new.key, due, touched, repeated=known is not None)


def _same_amendment(known: StoredCheck, new: Check, key: UUID) -> None:
    if known.replaces_key != key:
        raise OtherBody("This form was saved already, for another check. What was saved stands.")
    _same_or_refuse(known, new)


def _may_be_amended(
    conn: Connection, bed: Bed, old: StoredCheck, new: Check, by: str, now: datetime,
    confirmed: frozenset[str],
) -> None:  # fmt: skip
    _stands(old, "amend")
    if new.flap_id != old.check.flap_id:
        raise Refused("An amendment stays with its flap: retract it and enter it there.")
    known_person(conn, by)
    _when(bed, new, now)
    same = new.observed_at == old.check.observed_at
    if same and body_hash(new) == old.body_hash:
        raise Refused("Nothing differs from what is recorded.")
    _confirmed(new, confirmed)


def _replace(
    conn: Connection, bed: Bed, old: StoredCheck, new: Check, by: str, why: str, now: datetime
) -> list[int]:
    """Write the new version, and judge again; returns the alerts touched."""
    key = old.check.key
    checks.insert_check(
        conn, new, body_hash(new), replaces=key, amend_reason=why, amended_by=by,
        first_recorded_at=old.first_recorded_at,
    )  # fmt: skip
    alerts.mark_amended(conn, new.flap_id, key, by=by, now=now, why=why)
    since = min(old.check.observed_at, new.observed_at)
    return judge_again(conn, bed, since=since, by=by, now=now, gone=key, instead=new.key)


def retract_check(
    record: store.Record, protocols: Mapping[str, Protocol], *, key: UUID, by: str, reason: str,
    now: datetime,
) -> StoredCheck:  # fmt: skip
    """Strike a check through (entered on the wrong patient): it stays readable, counts no more,
    and what follows is judged again. Alerts that rested on it say so and stay."""
    why = with_reason(reason)
    with record.write() as conn:
        bed, old = _locked(conn, protocols, key, now)
        _stands(old, "retract")
        known_person(conn, by)
        checks.strike_check(conn, key, by=by, at=now, reason=why)
        alerts.mark_amended(conn, old.check.flap_id, key, by=by, now=now, why=why)
        judge_again(conn, bed, since=old.check.observed_at, by=by, now=now, gone=key)
    with record.read() as conn:
        return checks.check_by_key(conn, key)


def _locked(
    conn: Connection, protocols: Mapping[str, Protocol], key: UUID, now: datetime
) -> tuple[Bed, StoredCheck]:
    """The flap of a check, and the check as it is once nobody else can change it."""
    flap_id = checks.check_by_key(conn, key).check.flap_id
    bed = at_bed(conn, protocols, flap_id, now)
    return bed, checks.check_by_key(conn, key)


def _stands(found: StoredCheck, verb: str) -> None:
    if not found.current:
        raise Refused(f"This version was amended or retracted: {verb} the one that stands.")
