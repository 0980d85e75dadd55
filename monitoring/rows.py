"""The rows of the record: tables, closed words and who/when pairs, enforced by the database.

A row is not a value: these classes describe what is stored and validate nothing. Values are made
by ``domain`` before they are written. A moment is stored as whole microseconds since 1970 in UTC,
on both databases, so that two deadlines compare exactly and no zone can be lost on the way.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Dialect,
    Float,
    Index,
    MetaData,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from monitoring.domain import (
    SYSTEM,
    AlertState,
    CloseReason,
    FlapKind,
    FlapName,
    HoldReason,
    Intent,
    OutcomeKind,
    Pattern,
    Recipient,
    ReturnFinding,
    Role,
    Severity,
    Side,
    SkinType,
    Source,
    Stream,
    SystemCloseReason,
    Tissue,
    in_utc,
)
from monitoring.signs import SIGNS, Sign

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    """Whole microseconds since 1970 UTC. Raises BadValue for a time without a zone."""
    return (in_utc(moment) - EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC moment that ``to_micros`` stored."""
    return EPOCH + timedelta(microseconds=micros)


class UtcInstant(TypeDecorator[datetime]):
    """An aware moment, stored as integer microseconds since 1970 UTC; naive times are refused."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """What is stored."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """What is read."""
        return None if value is None else from_micros(value)


BROKEN = (ValueError, KeyError, TypeError, AttributeError)
"""What reading a row raises that makes no true value any more."""


class Row(SQLModel):
    """Base of every table; names every constraint so that a migration can address it."""

    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def table_of(row: type[Row]) -> Table:
    """The Core table behind a row class."""
    table: Table = row.__table__  # type: ignore[attr-defined]
    return table


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def words(**columns: Iterable[str]) -> list[CheckConstraint]:
    """Each column holds one of its closed words, or nothing."""
    return [
        CheckConstraint(f"{name} IN ({_listed(words)})", name=f"{name}_word")
        for name, words in columns.items()
    ]


def together(name: str, first: str, *others: str) -> CheckConstraint:
    """All of the columns are filled, or none: never a who without a when."""
    same = " AND ".join(f"({first} IS NULL) = ({other} IS NULL)" for other in others)
    return CheckConstraint(same, name=name)


def ordered(name: str, *columns: str) -> list[CheckConstraint]:
    """The moments that are known run in this order."""
    pairs = [(a, b) for i, a in enumerate(columns) for b in columns[i + 1 :]]
    return [CheckConstraint(f"{b} >= {a}", name=f"{name}_{a}_{b}") for a, b in pairs]


class PatientRow(Row, table=True):
    """A person; the bed is where they lie now, never who they are."""

    __tablename__ = "patient"
    id: int | None = Field(default=None, primary_key=True)
    mrn: str = Field(unique=True)
    name: str
    born_on: date = Field(sa_type=Date)
    ward: str
    bed: str


class StaffRow(Row, table=True):
    """Somebody who may act; the id is a readable slug of the name."""

    __tablename__ = "staff"
    __table_args__ = (
        *words(role=Role),
        CheckConstraint(f"id <> '{SYSTEM}'", name="not_system"),
    )
    id: str = Field(primary_key=True)
    name: str
    role: str
    ward: str
    active: bool = True


class FlapRow(Row, table=True):
    """One monitored piece of tissue. ``ended_at`` is discharge or total loss, the earlier.

    ``baseline_check_key`` has no foreign key: flap and check would each need the other first.
    """

    __tablename__ = "flap"
    __table_args__ = (
        *words(
            kind=FlapKind, name=FlapName, tissue=Tissue, recipient=Recipient, side=Side,
            skin_type=SkinType,
        ),
        together("discharged", "discharged_by", "discharged_at"),
        together("baseline_set", "baseline_set_by", "baseline_set_at"),
        CheckConstraint("discharged_at IS NULL OR ended_at IS NOT NULL", name="discharge_ends"),
        CheckConstraint("monitoring_from >= perfused_at", name="perfused_first"),
        CheckConstraint("ischaemia_minutes BETWEEN 0 AND 1440", name="ischaemia_minutes_range"),
        Index(
            "ix_flap_active", "patient_id",
            sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL"),
        ),
    )  # fmt: skip
    id: str = Field(primary_key=True)
    patient_id: int = Field(foreign_key="patient.id", index=True)
    operation_id: str | None = None
    label: str
    kind: str
    name: str
    tissue: str
    recipient: str
    side: str | None = None
    buried: bool
    skin_type: str | None = None
    perfused_at: datetime = Field(sa_type=UtcInstant)
    monitoring_from: datetime = Field(sa_type=UtcInstant)
    surgeon: str | None = None
    anastomosis: str | None = None
    ischaemia_minutes: int | None = None
    risk_factors: list[str] = Field(sa_type=JSON)
    monitors: list[str] = Field(sa_type=JSON)
    protocol_key: str
    baseline_check_key: str | None = None
    baseline_set_by: str | None = Field(default=None, foreign_key="staff.id")
    baseline_set_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    admitted_by: str = Field(foreign_key="staff.id")
    admitted_at: datetime = Field(sa_type=UtcInstant)
    discharged_by: str | None = Field(default=None, foreign_key="staff.id")
    discharged_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    ended_at: datetime | None = Field(default=None, sa_type=UtcInstant)


class FlapCorrectionRow(Row, table=True):
    """A fact of the flap or its patient that was wrong: both values stay readable."""

    __tablename__ = "flap_correction"
    id: int | None = Field(default=None, primary_key=True)
    flap_id: str = Field(foreign_key="flap.id", index=True)
    by: str = Field(foreign_key="staff.id")
    at: datetime = Field(sa_type=UtcInstant)
    reason: str
    field: str
    old: str | None = None
    new: str | None = None


class HoldRow(Row, table=True):
    """A stretch without slots; until_at may be planned, released_at is when somebody ended it."""

    __tablename__ = "hold"
    __table_args__ = (
        *words(reason=HoldReason),
        *ordered("order", "from_at", "until_at"),
        together("released", "released_by", "released_at"),
        CheckConstraint("released_at IS NULL OR until_at IS NOT NULL", name="release_ends"),
    )
    id: int | None = Field(default=None, primary_key=True)
    flap_id: str = Field(foreign_key="flap.id", index=True)
    from_at: datetime = Field(sa_type=UtcInstant)
    until_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    reason: str
    by: str = Field(foreign_key="staff.id")
    recorded_at: datetime = Field(sa_type=UtcInstant)
    released_by: str | None = Field(default=None, foreign_key="staff.id")
    released_at: datetime | None = Field(default=None, sa_type=UtcInstant)


RETURN_WITHDRAWN = (
    together("withdrawn", "withdrawn_by", "withdrawn_at", "withdrawn_reason"),
    CheckConstraint("withdrawn_at IS NULL OR into_theatre_at IS NULL", name="withdrawn_before"),
)
"""A return is withdrawn with a name and a reason, and only before the flap was in theatre."""


class FlapReturnRow(Row, table=True):
    """A return to theatre, filled in as it happens. One that was decided and then not done is
    withdrawn: it stays in the record and counts no more."""

    __tablename__ = "flap_return"
    __table_args__ = (
        *words(finding=ReturnFinding),
        *ordered("order", "decided_at", "into_theatre_at", "perfused_again_at", "back_at"),
        *RETURN_WITHDRAWN,
    )
    id: int | None = Field(default=None, primary_key=True)
    flap_id: str = Field(foreign_key="flap.id", index=True)
    decided_at: datetime = Field(sa_type=UtcInstant)
    into_theatre_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    perfused_again_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    back_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    finding: str | None = None
    salvaged: bool | None = None
    by: str = Field(foreign_key="staff.id")
    recorded_at: datetime = Field(sa_type=UtcInstant)
    withdrawn_by: str | None = Field(default=None, foreign_key="staff.id")
    withdrawn_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    withdrawn_reason: str | None = None


class OutcomeRow(Row, table=True):
    """How the flap ended; a flap without this row has outcome *not recorded*."""

    __tablename__ = "outcome"
    __table_args__ = (
        *words(kind=OutcomeKind),
        CheckConstraint("(kind = 'partial_loss') = (percent IS NOT NULL)", name="percent_partial"),
        CheckConstraint("percent > 0 AND percent < 100", name="percent_range"),
    )
    id: int | None = Field(default=None, primary_key=True)
    flap_id: str = Field(foreign_key="flap.id", unique=True)
    kind: str
    percent: float | None = None
    closed_at: datetime = Field(sa_type=UtcInstant)
    by: str = Field(foreign_key="staff.id")
    recorded_at: datetime = Field(sa_type=UtcInstant)


def sign_columns(sign: Sign) -> list[Column[Any]]:
    """The columns that hold the sign's value; all empty where it has none."""
    if sign.kind == "yes_no":
        return [Column(sign.name, Boolean)]
    if sign.kind == "number":
        return [Column(sign.name, Float(53))]
    if sign.kind == "refill":
        return [Column(f"{sign.name}_seconds", Float(53)), Column(f"{sign.name}_word", String)]
    return [Column(sign.name, String)]


def _sign_constraints(sign: Sign) -> list[CheckConstraint]:
    name, low, high = sign.name, sign.low, sign.high
    if sign.kind == "words":
        return words(**{name: sign.words})
    if sign.kind == "number":
        return [CheckConstraint(f"{name} BETWEEN {low:g} AND {high:g}", name=f"{name}_range")]
    if sign.kind == "refill":
        seconds, word = f"{name}_seconds", f"{name}_word"
        return [
            CheckConstraint(f"{seconds} BETWEEN {low:g} AND {high:g}", name=f"{seconds}_range"),
            *words(**{word: sign.words}),
            CheckConstraint(f"{seconds} IS NULL OR {word} IS NULL", name=f"{name}_once"),
        ]
    return []


class FlapCheckRow(Row, table=True):
    """One version of one check. It is current while nothing replaced it and nobody struck it.

    The columns of the signs follow from the registry (see ``sign_columns``). A sign that could
    not be looked at stands in ``unable``; one that nobody looked at stands nowhere. ``is_full``,
    ``severity``, ``pattern``, ``because`` (of the worst finding) and ``unanswered`` (how many
    rules) repeat the current assessment, for the board. ``first_recorded_at`` is when the first
    version was recorded: amending a check does not make it late.
    """

    __tablename__ = "flap_check"
    __table_args__ = (
        *words(source=Source, severity=Severity, pattern=Pattern),
        *(constraint for sign in SIGNS.values() for constraint in _sign_constraints(sign)),
        together("amended", "replaces_key", "amend_reason", "amended_by"),
        CheckConstraint("first_recorded_at <= recorded_at", name="first_recorded_first"),
        together("replaced", "replaced_by_key", "replaced_at"),
        together("struck", "struck_by", "struck_at", "struck_reason"),
        Index("ix_flap_check_flap_observed", "flap_id", "observed_at"),
    )
    key: str = Field(primary_key=True)
    flap_id: str = Field(foreign_key="flap.id")
    observed_at: datetime = Field(sa_type=UtcInstant)
    recorded_at: datetime = Field(sa_type=UtcInstant)
    by: str = Field(foreign_key="staff.id")
    source: str
    note: str | None = None
    nurse_concern: bool
    concern_about: str | None = None
    unable: dict[str, dict[str, str]] | None = Field(
        default=None, sa_column=Column(JSON(none_as_null=True))
    )
    body_hash: str
    is_full: bool | None = None
    severity: str | None = None
    pattern: str | None = None
    because: str | None = None
    unanswered: int | None = None
    replaces_key: str | None = Field(default=None, foreign_key="flap_check.key", unique=True)
    amend_reason: str | None = None
    amended_by: str | None = Field(default=None, foreign_key="staff.id")
    first_recorded_at: datetime = Field(sa_type=UtcInstant)
    replaced_by_key: str | None = Field(default=None, foreign_key="flap_check.key")
    replaced_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    struck_by: str | None = Field(default=None, foreign_key="staff.id")
    struck_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    struck_reason: str | None = None


for _sign in SIGNS.values():
    for _column in sign_columns(_sign):
        setattr(FlapCheckRow, _column.name, _column)


class AssessmentRow(Row, table=True):
    """What a protocol version said of a check; judging again adds a row, the old ones stay."""

    __tablename__ = "assessment"
    __table_args__ = (
        *words(severity=Severity, pattern=Pattern),
        Index(
            "uq_assessment_current", "check_key", unique=True,
            sqlite_where=text("is_current"), postgresql_where=text("is_current"),
        ),
    )  # fmt: skip
    id: int | None = Field(default=None, primary_key=True)
    check_key: str = Field(foreign_key="flap_check.key", index=True)
    assessed_at: datetime = Field(sa_type=UtcInstant)
    protocol_key: str
    protocol_hash: str
    severity: str
    pattern: str | None = None
    is_full: bool
    findings: list[dict[str, Any]] = Field(sa_type=JSON)
    unanswered: list[dict[str, Any]] = Field(sa_type=JSON)
    confounders: list[dict[str, Any]] = Field(sa_type=JSON)
    is_current: bool


class RecheckRow(Row, table=True):
    """A look asked for by a rule, an alert or a review, apart from the schedule.

    ``round`` counts the rechecks running without worsening, ``severity`` is what asked for it.
    """

    __tablename__ = "recheck"
    __table_args__ = (
        *words(if_unmet=Severity, severity=Severity),
        *ordered("order", "asked_at", "due_at"),
        CheckConstraint("round >= 1", name="round_range"),
        CheckConstraint("met_by_key IS NULL OR cancelled_at IS NULL", name="met_or_cancelled"),
        Index(
            "ix_recheck_open", "flap_id",
            sqlite_where=text("met_by_key IS NULL AND cancelled_at IS NULL"),
            postgresql_where=text("met_by_key IS NULL AND cancelled_at IS NULL"),
        ),
    )  # fmt: skip
    id: int | None = Field(default=None, primary_key=True)
    flap_id: str = Field(foreign_key="flap.id")
    asked_at: datetime = Field(sa_type=UtcInstant)
    due_at: datetime = Field(sa_type=UtcInstant)
    rule: str
    if_unmet: str | None = None
    check_key: str | None = Field(default=None, foreign_key="flap_check.key")
    round: int = 1
    severity: str
    met_by_key: str | None = Field(default=None, foreign_key="flap_check.key")
    cancelled_at: datetime | None = Field(default=None, sa_type=UtcInstant)


ALERT_CALLS = (
    CheckConstraint("verbal_by IS NULL OR acknowledged_by IS NOT NULL", name="verbal_answer"),
    together("passed", "passed_by", "passed_to", "passed_at"),
    together("lapsed", "lapsed_by", "lapsed_at"),
    together("snoozed", "snoozed_by", "snoozed_at", "snoozed_until", "snooze_reason"),
    CheckConstraint(
        "snoozed_by IS NULL OR (severity <> 'red' AND stream <> 'concern')", name="red_is_loud"
    ),
)
"""What holds of how an alert reaches people: a red and a nurse's concern are never snoozed."""


class AlertRow(Row, table=True):
    """One episode of one stream of one flap: at most one is not closed, whoever writes.

    ``ladder`` is the protocol's escalation as it stood when the alert was raised. ``verbal_by``
    wrote down what the person who has it said by telephone; ``plan_until`` is how long the last
    review's plan holds; ``lapsed_by`` had it last and did not come.
    """

    __tablename__ = "alert"
    __table_args__ = (
        *words(
            stream=Stream, severity=Severity, pattern=Pattern, state=AlertState, intent=Intent,
            close_reason=[*CloseReason, *SystemCloseReason],
        ),
        together("acknowledged", "acknowledged_by", "acknowledged_at", "intent", "expected_at"),
        together("closed", "closed_by", "closed_at", "close_reason"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_state"),
        CheckConstraint(
            "state <> 'acknowledged' OR acknowledged_at IS NOT NULL", name="acknowledged_state"
        ),
        CheckConstraint(f"closed_by <> '{SYSTEM}' OR stream = 'monitoring'", name="latched"),
        CheckConstraint(
            f"(closed_by = '{SYSTEM}') = (close_reason IN ({_listed(SystemCloseReason)}))",
            name="system_reason",
        ),
        CheckConstraint("pages >= 0", name="pages_range"),
        *ALERT_CALLS,
        Index(
            "uq_alert_not_closed", "flap_id", "stream", unique=True,
            sqlite_where=text("state <> 'closed'"), postgresql_where=text("state <> 'closed'"),
        ),
    )  # fmt: skip
    id: int | None = Field(default=None, primary_key=True)
    flap_id: str = Field(foreign_key="flap.id", index=True)
    stream: str
    severity: str
    pattern: str | None = None
    state: str
    raised_at: datetime = Field(sa_type=UtcInstant)
    because: str
    rule: str
    findings: list[dict[str, Any]] = Field(sa_type=JSON)
    first_sign_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    recovered_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    amended_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    acknowledged_by: str | None = Field(default=None, foreign_key="staff.id")
    acknowledged_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    intent: str | None = None
    expected_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    closed_by: str | None = None
    closed_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    close_reason: str | None = None
    paged_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    pages: int = 0
    ladder: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    verbal_by: str | None = Field(default=None, foreign_key="staff.id")
    arrived_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    plan_until: datetime | None = Field(default=None, sa_type=UtcInstant)
    passed_by: str | None = Field(default=None, foreign_key="staff.id")
    passed_to: str | None = Field(default=None, foreign_key="staff.id")
    passed_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    lapsed_by: str | None = Field(default=None, foreign_key="staff.id")
    lapsed_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    snoozed_by: str | None = Field(default=None, foreign_key="staff.id")
    snoozed_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    snoozed_until: datetime | None = Field(default=None, sa_type=UtcInstant)
    snooze_reason: str | None = None
    snoozes: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})


class AlertEventRow(Row, table=True):
    """One line of an alert's story: who did what, when."""

    __tablename__ = "alert_event"
    id: int | None = Field(default=None, primary_key=True)
    alert_id: int = Field(foreign_key="alert.id", index=True)
    at: datetime = Field(sa_type=UtcInstant)
    by: str
    kind: str
    detail: dict[str, Any] = Field(sa_type=JSON)


class WatchFindingRow(Row, table=True):
    """A deadline the watcher saw pass; the unique key makes a second tick change nothing."""

    __tablename__ = "watch_finding"
    __table_args__ = (
        *words(severity=Severity),
        UniqueConstraint("flap_id", "rule", "severity", "due_at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    flap_id: str = Field(foreign_key="flap.id")
    rule: str
    severity: str
    due_at: datetime = Field(sa_type=UtcInstant)
    found_at: datetime = Field(sa_type=UtcInstant)
    because: str


class HeartbeatRow(Row, table=True):
    """When each watcher last finished a round."""

    __tablename__ = "heartbeat"
    worker: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcInstant)
    ticks: int
    note: dict[str, Any] = Field(sa_type=JSON)


class CareListRow(Row, table=True):
    """The flaps a nurse holds this shift."""

    __tablename__ = "care_list"
    nurse_id: str = Field(primary_key=True, foreign_key="staff.id")
    flap_id: str = Field(primary_key=True, foreign_key="flap.id")
    since: datetime = Field(sa_type=UtcInstant)


class ProtocolSeenRow(Row, table=True):
    """The content a protocol version had when it was first used; it may never change."""

    __tablename__ = "protocol_seen"
    protocol_key: str = Field(primary_key=True)
    hash: str
    first_used_at: datetime = Field(sa_type=UtcInstant)
