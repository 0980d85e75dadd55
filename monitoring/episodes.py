"""What was judged and what became of it: assessments and alerts.

Findings are stored as JSON with every number and moment they rest on, so that what was said at
the bedside can be shown again word for word, whatever the protocol says today.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, String, bindparam, cast, insert, select, update

from monitoring.domain import (
    AlertState,
    Assessment,
    Evidence,
    Finding,
    Intent,
    Pattern,
    Severity,
    Stream,
    Unable,
    Unanswered,
)
from monitoring.rows import (
    BROKEN,
    AlertEventRow,
    AlertRow,
    AssessmentRow,
    table_of,
)
from monitoring.signs import SignValue, UnableReason

_assessment = table_of(AssessmentRow)
_alert = table_of(AlertRow)
_event = table_of(AlertEventRow)


def value_to_json(value: SignValue) -> Any:
    """A sign's value, as stored."""
    if isinstance(value, Unable):
        return {"unable": value.reason.value, "text": value.text}
    return value


def value_from_json(value: Any) -> SignValue:
    """A sign's value, as it was."""
    if isinstance(value, dict):
        return Unable(UnableReason(value["unable"]), value["text"])
    read: SignValue = value
    return read


def evidence_to_json(evidence: Evidence) -> dict[str, Any]:
    """One reading, as stored."""
    return {
        "sign": evidence.sign,
        "value": value_to_json(evidence.value),
        "at": evidence.at.isoformat(),
        "by": evidence.by,
        "check_key": None if evidence.check_key is None else str(evidence.check_key),
        "remark": evidence.remark,
    }


def evidence_from_json(said: Mapping[str, Any]) -> Evidence:
    """One reading, as it was."""
    key = said["check_key"]
    return Evidence(
        sign=said["sign"],
        value=value_from_json(said["value"]),
        at=datetime.fromisoformat(said["at"]),
        by=said["by"],
        check_key=None if key is None else UUID(key),
        remark=said["remark"],
    )


def finding_to_json(finding: Finding) -> dict[str, Any]:
    """A finding, as stored."""
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "pattern": finding.pattern.value,
        "because": finding.because,
        "at": finding.at.isoformat(),
        "evidence": [evidence_to_json(e) for e in finding.evidence],
        "citations": list(finding.citations),
        "do_now": finding.do_now,
        "recheck_minutes": finding.recheck_minutes,
        "if_unmet": None if finding.if_unmet is None else finding.if_unmet.value,
    }


def finding_from_json(said: Mapping[str, Any]) -> Finding:
    """A finding, as it was said."""
    return Finding(
        rule=said["rule"],
        severity=Severity(said["severity"]),
        pattern=Pattern(said["pattern"]),
        because=said["because"],
        at=datetime.fromisoformat(said["at"]),
        evidence=tuple(evidence_from_json(e) for e in said["evidence"]),
        citations=tuple(said["citations"]),
        do_now=said["do_now"],
        recheck_minutes=said["recheck_minutes"],
        if_unmet=None if said["if_unmet"] is None else Severity(said["if_unmet"]),
    )


class StoredAssessment(NamedTuple):
    """One judgement of one check; judging again adds another and leaves this one readable."""

    check_key: UUID
    assessed_at: datetime
    assessment: Assessment
    is_current: bool


_insert_assessment = insert(_assessment)
_outdate = (
    update(_assessment)
    .where(_assessment.c.check_key == bindparam("judged"), _assessment.c.is_current)
    .values(is_current=False)
)


def insert_assessment(
    conn: Connection, check_key: UUID, assessment: Assessment, at: datetime, *, again: bool
) -> None:
    """Write a judgement as the current one; ``again`` when the check was judged before.

    A second current judgement of one check is an IntegrityError.
    """
    if again:
        conn.execute(_outdate, {"judged": str(check_key)})
    conn.execute(
        _insert_assessment,
        {
            "check_key": str(check_key),
            "assessed_at": at,
            "protocol_key": f"{assessment.protocol_id}@{assessment.protocol_version}",
            "protocol_hash": assessment.protocol_hash,
            "severity": assessment.severity.value,
            "pattern": None if assessment.pattern is None else assessment.pattern.value,
            "is_full": assessment.full,
            "findings": [finding_to_json(f) for f in assessment.findings],
            "unanswered": [{"rule": u.rule, "lacked": u.lacked} for u in assessment.unanswered],
            "confounders": [evidence_to_json(e) for e in assessment.confounders],
            "is_current": True,
        },
    )


_assessment_columns = [
    _assessment.c[name]
    for name in (
        "check_key", "assessed_at", "is_current", "protocol_key", "protocol_hash", "is_full",
        "findings", "unanswered", "confounders",
    )
]  # fmt: skip


def _assessed(row: Sequence[Any]) -> StoredAssessment:
    key, at, is_current, protocol_key, content_hash, full, findings, unanswered, around = row
    protocol_id, _, version = protocol_key.rpartition("@")
    assessment = Assessment(
        findings=tuple(finding_from_json(f) for f in findings),
        unanswered=tuple(Unanswered(u["rule"], tuple(u["lacked"])) for u in unanswered),
        full=full,
        protocol_id=protocol_id,
        protocol_version=int(version),
        protocol_hash=content_hash,
        confounders=tuple(evidence_from_json(e) for e in around),
    )
    return StoredAssessment(UUID(key), at, assessment, is_current)


def current_assessments(
    conn: Connection, check_keys: Iterable[UUID]
) -> dict[UUID, StoredAssessment]:
    """The current judgement of each of these checks; one not judged yet is absent."""
    keys = [str(key) for key in check_keys]
    chosen = select(*_assessment_columns).where(
        _assessment.c.check_key.in_(keys), _assessment.c.is_current
    )
    return {a.check_key: a for a in map(_assessed, conn.execute(chosen))}


_current_of = select(*_assessment_columns).where(
    _assessment.c.check_key == bindparam("judged"), _assessment.c.is_current
)


def current_assessment(conn: Connection, check_key: UUID) -> StoredAssessment | None:
    """The current judgement of the check; None before one."""
    row = conn.execute(_current_of, {"judged": str(check_key)}).first()
    return None if row is None else _assessed(row)


def assessments_of(conn: Connection, check_key: UUID) -> list[StoredAssessment]:
    """Every judgement of the check, first first."""
    chosen = select(*_assessment_columns).where(_assessment.c.check_key == str(check_key))
    return [_assessed(row) for row in conn.execute(chosen.order_by(_assessment.c.id))]


ANSWER = (
    "acknowledged_by", "acknowledged_at", "intent", "expected_at", "verbal_by", "arrived_at",
    "plan_until",
)  # fmt: skip
"""What an alert knows of who has it; gone when nobody has it any more."""

RESTING = (
    "passed_by", "passed_to", "passed_at", "snoozed_by", "snoozed_at", "snoozed_until",
    "snooze_reason",
)  # fmt: skip
"""What an alert knows of what was done instead of taking it; gone when it pages again."""

AWAY = (*RESTING, "lapsed_by", "lapsed_at")
"""What an alert knows of why nobody has it; gone when somebody has."""


class StoredAlert(NamedTuple):
    """One episode as it stands. ``findings`` is its evidence so far, first first; ``ladder`` the
    JSON text of the ladders it froze when it was raised; the rest as in ``AlertRow``."""

    id: int
    flap_id: str
    stream: Stream
    severity: Severity
    pattern: Pattern | None
    state: AlertState
    raised_at: datetime
    because: str
    rule: str
    findings: tuple[Finding, ...]
    first_sign_at: datetime | None
    recovered_at: datetime | None
    amended_at: datetime | None
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    intent: Intent | None
    expected_at: datetime | None
    closed_by: str | None
    closed_at: datetime | None
    close_reason: str | None
    paged_at: datetime | None
    pages: int
    ladder: str | None = None
    verbal_by: str | None = None
    arrived_at: datetime | None = None
    plan_until: datetime | None = None
    passed_by: str | None = None
    passed_to: str | None = None
    passed_at: datetime | None = None
    lapsed_by: str | None = None
    lapsed_at: datetime | None = None
    snoozed_by: str | None = None
    snoozed_at: datetime | None = None
    snoozed_until: datetime | None = None
    snooze_reason: str | None = None
    snoozes: int = 0


_ALERT_WORDS: dict[str, Any] = {
    "stream": Stream, "severity": Severity, "pattern": Pattern, "state": AlertState,
    "intent": Intent,
}  # fmt: skip
_alerts = select(
    *(
        cast(_alert.c[name], String()) if name in ("findings", "ladder") else _alert.c[name]
        for name in StoredAlert._fields
    )
)
_open_alerts = _alerts.where(_alert.c.state != AlertState.CLOSED).order_by(
    _alert.c.raised_at, _alert.c.id
)
_open_alerts_of = _open_alerts.where(_alert.c.flap_id == bindparam("flap"))
_one_alert = _alerts.where(_alert.c.id == bindparam("wanted"))
_insert_alert = insert(_alert).returning(_alert.c.id)


def _read_alert(row: Sequence[Any]) -> StoredAlert:
    said = dict(zip(StoredAlert._fields, row, strict=True))
    for name, words in _ALERT_WORDS.items():
        if said[name] is not None:
            said[name] = words(said[name])
    said["findings"] = _findings(said["findings"])
    return StoredAlert(**said)


@lru_cache(maxsize=1024)
def _findings(stored: str) -> tuple[Finding, ...]:
    """An alert's evidence; every refresh of a board reads the same text again."""
    return tuple(finding_from_json(f) for f in json.loads(stored))


def _alert_to_row(values: Mapping[str, Any]) -> dict[str, Any]:
    if "findings" not in values:
        return dict(values)
    return {**values, "findings": [finding_to_json(f) for f in values["findings"]]}


def insert_alert(
    conn: Connection, *, flap_id: str, stream: Stream, severity: Severity,
    pattern: Pattern | None, raised_at: datetime, because: str, rule: str,
    findings: Iterable[Finding], first_sign_at: datetime | None,
    paged_at: datetime | None = None, pages: int = 0,
    ladder: Mapping[str, Any] | None = None,
) -> int:  # fmt: skip
    """Open an episode; returns its id.

    A second one of the same flap and stream while one is not closed is an IntegrityError.
    """
    row = _alert_to_row(
        {
            "flap_id": flap_id, "stream": stream, "severity": severity, "pattern": pattern,
            "state": AlertState.OPEN, "raised_at": raised_at, "because": because, "rule": rule,
            "findings": findings, "first_sign_at": first_sign_at, "paged_at": paged_at,
            "pages": pages, "ladder": None if ladder is None else dict(ladder),
        }
    )  # fmt: skip
    return int(conn.execute(_insert_alert, row).scalar_one())


def update_alert(conn: Connection, alert_id: int, **changes: Any) -> None:
    """Write what changed, named as in StoredAlert; findings as Finding values."""
    row = _alert_to_row(changes)
    conn.execute(update(_alert).where(_alert.c.id == alert_id).values(**row))


def open_alerts(conn: Connection, flap_id: str | None = None) -> list[StoredAlert]:
    """Every alert that is not closed, of all flaps or of one, oldest first, in one statement."""
    if flap_id is None:
        return [_read_alert(row) for row in conn.execute(_open_alerts)]
    return [_read_alert(row) for row in conn.execute(_open_alerts_of, {"flap": flap_id})]


class OpenAlerts(NamedTuple):
    """Every alert that is not closed. ``broken`` are the flaps of those whose evidence makes no
    sense any more: these alerts are there, without evidence."""

    alerts: list[StoredAlert]
    broken: list[str]


def every_open_alert(conn: Connection) -> OpenAlerts:
    """Every alert that is not closed, whatever became of its flap or its evidence, oldest first."""
    found = OpenAlerts([], [])
    for row in conn.execute(_open_alerts).all():
        alert, whole = _whole_or_bare(row)
        found.alerts.append(alert)
        if not whole:
            found.broken.append(alert.flap_id)
    return found


_FINDINGS = StoredAlert._fields.index("findings")


def _whole_or_bare(row: Sequence[Any]) -> tuple[StoredAlert, bool]:
    """The alert, and whether its evidence could be read."""
    try:
        return _read_alert(row), True
    except BROKEN:
        return _read_alert((*row[:_FINDINGS], "[]", *row[_FINDINGS + 1 :])), False


def alerts_of_flap(conn: Connection, flap_id: str) -> list[StoredAlert]:
    """Every alert of the flap, closed ones too, oldest first."""
    chosen = _alerts.where(_alert.c.flap_id == flap_id)
    ordered = chosen.order_by(_alert.c.raised_at, _alert.c.id)
    return [_read_alert(row) for row in conn.execute(ordered)]


def find_alert(conn: Connection, alert_id: int) -> StoredAlert | None:
    """The alert with this id; None when there is none. Without evidence where that makes no
    sense any more: it can still be answered."""
    row = conn.execute(_one_alert, {"wanted": alert_id}).first()
    return None if row is None else _whole_or_bare(row)[0]


class AlertEvent(NamedTuple):
    """One line of an alert's story."""

    alert_id: int
    at: datetime
    by: str
    kind: str
    detail: dict[str, Any]


_insert_event = insert(_event)


def insert_alert_event(conn: Connection, event: AlertEvent) -> None:
    """Add a line to the alert's story."""
    conn.execute(_insert_event, event._asdict())


def events_of(conn: Connection, alert_ids: Iterable[int]) -> list[AlertEvent]:
    """The stories of these alerts, in the order they were written."""
    columns = [_event.c[name] for name in AlertEvent._fields]
    chosen = select(*columns).where(_event.c.alert_id.in_(list(alert_ids)))
    return [AlertEvent(*row) for row in conn.execute(chosen.order_by(_event.c.id))]
