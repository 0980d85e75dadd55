"""The vocabulary of the ward as frozen, validated values.

A value that exists is true to its type: a Check cannot hold a word outside a sign's vocabulary,
a Flap cannot be perfused tomorrow before it was monitored today. Times are aware and in UTC.
Source of words and ranges: docs/clinical-sources.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from monitoring.signs import DERIVED, SIGNS, BadValue, MonitoringError, SignValue, Unable


class Severity(StrEnum):
    """How loudly a finding speaks. Red outranks all."""

    RED = "red"
    AMBER = "amber"
    YELLOW = "yellow"
    NONE = "none"

    @property
    def rank(self) -> int:
        """3 for red down to 0 for none."""
        return _RANK[self]


_RANK = {Severity.RED: 3, Severity.AMBER: 2, Severity.YELLOW: 1, Severity.NONE: 0}


class Pattern(StrEnum):
    """The picture a finding belongs to."""

    ARTERIAL = "arterial"
    VENOUS = "venous"
    HAEMATOMA = "haematoma"
    DEVICE = "device"
    MONITORING = "monitoring"
    INDETERMINATE = "indeterminate"


class Stream(StrEnum):
    """One alert episode runs per flap and stream."""

    PERFUSION = "perfusion"
    HAEMATOMA = "haematoma"
    DEVICE = "device"
    CONCERN = "concern"
    MONITORING = "monitoring"


class FlapKind(StrEnum):
    FREE = "free"
    PEDICLED = "pedicled"
    REPLANT = "replant"


class FlapName(StrEnum):
    ALT = "ALT"
    DIEP = "DIEP"
    RFFF = "RFFF"
    FIBULA = "fibula"
    LD = "LD"
    GRACILIS = "gracilis"
    TRAM = "TRAM"
    SGAP = "SGAP"
    SCAPULAR = "scapular"
    JEJUNUM = "jejunum"
    DIGIT = "digit"
    OTHER = "other"


class Tissue(StrEnum):
    SKIN = "skin"
    MUSCLE = "muscle"
    BONE_SKIN = "bone_skin"
    BOWEL = "bowel"
    DIGIT = "digit"


class Recipient(StrEnum):
    HEAD_NECK = "head_neck"
    BREAST = "breast"
    UPPER_LIMB = "upper_limb"
    LOWER_LIMB = "lower_limb"
    TRUNK = "trunk"


class Side(StrEnum):
    LEFT = "left"
    RIGHT = "right"
    MIDLINE = "midline"


class SkinType(StrEnum):
    """Fitzpatrick type of the flap's own skin."""

    I = "I"  # noqa: E741
    II = "II"
    III = "III"
    IV = "IV"
    V = "V"
    VI = "VI"


class Monitor(StrEnum):
    HANDHELD = "handheld"
    IMPLANT_ARTERY = "implant_artery"
    IMPLANT_VEIN = "implant_vein"
    FLOW_COUPLER = "flow_coupler"
    NIRS = "nirs"


class RiskFactor(StrEnum):
    NICOTINE = "nicotine"
    RADIOTHERAPY = "radiotherapy"
    THROMBOPHILIA = "thrombophilia"
    VESSEL_DISEASE = "vessel_disease"
    VASOPRESSOR = "vasopressor"


class Source(StrEnum):
    """How a check reached the record."""

    BEDSIDE = "bedside"
    LATE_ENTRY = "late_entry"
    DEVICE = "device"
    IMPORT = "import"


class HoldReason(StrEnum):
    THEATRE = "theatre"
    IMAGING = "imaging"
    PROCEDURE = "procedure"


class ReturnFinding(StrEnum):
    ARTERIAL_THROMBOSIS = "arterial_thrombosis"
    VENOUS_THROMBOSIS = "venous_thrombosis"
    BOTH = "both"
    HAEMATOMA = "haematoma"
    COMPRESSION = "compression"
    KINK = "kink"
    SPASM = "spasm"
    INFECTION = "infection"
    NOTHING_FOUND = "nothing_found"


class OutcomeKind(StrEnum):
    """Never defaulted: a flap without a row has outcome *not recorded*."""

    SURVIVED = "survived"
    PARTIAL_LOSS = "partial_loss"
    TOTAL_LOSS = "total_loss"


class AlertState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class Intent(StrEnum):
    """What somebody who acknowledges is going to do."""

    COMING = "coming"
    REVIEWING = "reviewing"
    ADVISING = "advising"
    PASSING = "passing"


class CloseReason(StrEnum):
    TRUE_COMPROMISE = "true_compromise"
    POSITION = "position"
    DRESSING = "dressing"
    PROBE = "probe"
    HAEMATOMA = "haematoma"
    NO_CAUSE = "no_cause"
    ENTERED_IN_ERROR = "entered_in_error"


class SystemCloseReason(StrEnum):
    """Why a monitoring alert closed itself."""

    CHECK_MADE = "check_made"
    HOLD = "hold"
    DISCHARGED = "discharged"


class Level(StrEnum):
    """A rung of the ladder: whom the rota names for the ward at a moment."""

    NURSE = "nurse"
    CHARGE_NURSE = "charge_nurse"
    REGISTRAR = "registrar"
    MICROSURGEON = "microsurgeon"
    CONSULTANT = "consultant"


class ChannelKind(StrEnum):
    """How a channel reaches people: each at an address of their own, all in one room, or not at
    all (the demonstration)."""

    PERSONAL = "personal"
    SHARED = "shared"
    DEMO = "demo"


class PageKind(StrEnum):
    """What a message is about: an alert, its handing on to a person, or a trial."""

    ALERT = "alert"
    PASSED = "passed"
    TEST = "test"


class PageState(StrEnum):
    """Where a message is: not sent yet, sent, or not needed any more."""

    WAITING = "waiting"
    SENT = "sent"
    DROPPED = "dropped"


class ReviewMode(StrEnum):
    """How a clinician looked at the flap."""

    BEDSIDE = "bedside"
    PHOTO = "photo"
    TELEPHONE = "telephone"


class Decision(StrEnum):
    """What a clinician decided."""

    CONTINUE = "continue"
    RECHECK_IN = "recheck_in"
    BEDSIDE_ACTION = "bedside_action"
    RETURN_TO_THEATRE = "return_to_theatre"


class BedsideAction(StrEnum):
    LOOSEN = "loosen"
    REPOSITION = "reposition"
    RELEASE_SUTURES = "release_sutures"
    LEECH = "leech"
    WARM = "warm"
    OTHER = "other"


class Role(StrEnum):
    NURSE = "nurse"
    CHARGE_NURSE = "charge_nurse"
    REGISTRAR = "registrar"
    CONSULTANT = "consultant"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


SURGEONS = frozenset({Role.REGISTRAR, Role.CONSULTANT})
"""Who takes, decides and closes what is found on a flap."""

NURSES = frozenset({Role.NURSE, Role.CHARGE_NURSE})
"""Who records, answers for checks that nobody made, and writes down what a surgeon said."""

SYSTEM = "system"
"""Who acts when nobody did: automated rows name it, never a person."""


def in_utc(moment: datetime) -> datetime:
    """The same instant in UTC. Raises BadValue for a time without a zone."""
    if moment.tzinfo is None:
        raise BadValue("time", f"{moment.isoformat()} has no time zone.")
    return moment.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(in_utc)]
"""A moment in time, always aware, always UTC inside."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Patient(_Value):
    """A person. Two identifiers, MRN and name; a bed never identifies anyone."""

    mrn: str = Field(min_length=1, max_length=40)
    name: str = Field(min_length=1, max_length=120)
    born_on: date
    ward: str = Field(min_length=1, max_length=40)
    bed: str = Field(min_length=1, max_length=20)


class Hold(_Value):
    """Slots in [from_at, until_at) vanish; an open hold has no until_at."""

    from_at: Instant
    until_at: Instant | None = None
    reason: HoldReason

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Hold:
        if self.until_at is not None and self.until_at < self.from_at:
            raise ValueError("A hold cannot end before it begins.")
        return self

    def covers(self, moment: datetime) -> bool:
        """Whether the moment lies in [from_at, until_at)."""
        return self.from_at <= moment and (self.until_at is None or moment < self.until_at)


class Order(_Value):
    """A signed order: within [from_at, until_at) look every so many minutes instead of when the
    protocol says. Only an order lengthens an interval."""

    every_minutes: float = Field(ge=5, le=1440)
    from_at: Instant
    until_at: Instant
    by: str

    @model_validator(mode="after")
    def _lasts(self) -> Order:
        if self.until_at <= self.from_at:
            raise ValueError("An order ends after it begins.")
        return self


class Return(_Value):
    """A return to theatre. back_at ends its hold, restarts the slots, clears the baseline."""

    decided_at: Instant
    into_theatre_at: Instant | None = None
    perfused_again_at: Instant | None = None
    back_at: Instant | None = None
    finding: ReturnFinding | None = None
    salvaged: bool | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Return:
        times = [self.decided_at, self.into_theatre_at, self.perfused_again_at, self.back_at]
        known = [t for t in times if t is not None]
        if known != sorted(known):
            raise ValueError(
                "A return runs decided, into theatre, perfused again, back: the times do not."
            )
        return self

    def as_of(self, moment: datetime) -> Return:
        """As far as the return had gone by then."""
        names = ("into_theatre_at", "perfused_again_at", "back_at")
        ahead = [n for n in names if (at := getattr(self, n)) is not None and at > moment]
        return self.model_copy(update=dict.fromkeys(ahead)) if ahead else self


class Outcome(_Value):
    """How the flap ended. partial_loss carries its percentage, nothing else does."""

    kind: OutcomeKind
    percent: float | None = Field(default=None, gt=0, lt=100)
    closed_at: Instant

    @model_validator(mode="after")
    def _percent_belongs_to_partial_loss(self) -> Outcome:
        if (self.percent is not None) != (self.kind is OutcomeKind.PARTIAL_LOSS):
            raise ValueError("A partial loss needs its percentage; no other outcome has one.")
        return self


class FlapFacts(_Value):
    """What is known of one piece of tissue when it is admitted.

    ``perfused_at`` starts the clinical hours; ``monitoring_from`` starts the slots.
    """

    label: str = Field(min_length=1, max_length=80)
    kind: FlapKind
    name: FlapName
    tissue: Tissue
    recipient: Recipient
    side: Side | None = None
    buried: bool
    skin_type: SkinType | None = None
    perfused_at: Instant
    monitoring_from: Instant
    surgeon: str | None = Field(default=None, max_length=80)
    operation_id: str | None = Field(default=None, max_length=64)
    anastomosis: str | None = Field(default=None, max_length=2000)
    ischaemia_minutes: int | None = Field(default=None, ge=0, le=1440)
    risk_factors: frozenset[RiskFactor] = frozenset()
    monitors: frozenset[Monitor] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _monitored_from_perfusion_unless_said(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("monitoring_from") is None and "perfused_at" in data:
            return data | {"monitoring_from": data["perfused_at"]}
        return data

    @model_validator(mode="after")
    def _perfused_first(self) -> FlapFacts:
        if self.monitoring_from < self.perfused_at:
            raise ValueError("monitoring_from is before perfused_at.")
        return self


@dataclass(frozen=True, slots=True)
class Check:
    """One look at one flap, validated when made.

    ``signs`` holds only what somebody answered: a value, or Unable. A name that is absent was
    not looked at. ``observed_at`` is claimed by the person, ``recorded_at`` is the server's.
    """

    key: UUID
    flap_id: str
    observed_at: datetime
    by: str
    signs: Mapping[str, SignValue]
    recorded_at: datetime
    source: Source = Source.BEDSIDE
    note: str | None = None
    nurse_concern: bool = False
    concern_about: str | None = None

    def __post_init__(self) -> None:
        """Raises BadValue naming the field that cannot be true."""
        put = object.__setattr__
        if not self.by.strip():
            raise BadValue("by", "A check needs the person who made it.")
        read: dict[str, SignValue] = {}
        for name, value in self.signs.items():
            if name not in SIGNS:
                raise BadValue(name, f"{name!r} is not a sign.")
            read[name] = SIGNS[name].read(value)
        if "refill_again" in read and "refill" not in read:
            raise BadValue("refill_again", "A second press of refill needs the first.")
        put(self, "signs", read)
        put(self, "observed_at", in_utc(self.observed_at))
        put(self, "recorded_at", in_utc(self.recorded_at))

    @classmethod
    def trusted(
        cls, key: UUID, flap_id: str, observed_at: datetime, by: str,
        signs: Mapping[str, SignValue], recorded_at: datetime, source: Source,
        note: str | None, nurse_concern: bool, concern_about: str | None,
    ) -> Check:  # fmt: skip
        """A check that was validated before it was stored; only ``store`` may call this."""
        check = object.__new__(cls)
        put = object.__setattr__
        put(check, "key", key)
        put(check, "flap_id", flap_id)
        put(check, "observed_at", observed_at)
        put(check, "by", by)
        put(check, "signs", signs)
        put(check, "recorded_at", recorded_at)
        put(check, "source", source)
        put(check, "note", note)
        put(check, "nurse_concern", nurse_concern)
        put(check, "concern_about", concern_about)
        return check

    @classmethod
    def parse(
        cls, body: Mapping[str, Any], *, flap_id: str, by: str | None = None,
        recorded_at: datetime | None = None, key: UUID | None = None,
    ) -> Check:  # fmt: skip
        """A check from its flat JSON shape (see the course file).

        ``by``, ``recorded_at`` and ``key`` given here outrank the body's. Raises BadValue for
        unknown keys, unknown words and values that cannot be true.
        """
        unknown = sorted(set(body) - set(SIGNS) - _CHECK_KEYS)
        if unknown:
            raise BadValue(unknown[0], f"{unknown[0]!r} is not part of a check.")
        observed_at = _moment("observed_at", body.get("observed_at"))
        if recorded_at is None:
            given = body.get("recorded_at")
            recorded_at = observed_at if given is None else _moment("recorded_at", given)
        who = by if by is not None else body.get("by")
        if not isinstance(who, str):
            raise BadValue("by", "A check needs the person who made it.")
        return cls(
            key=key if key is not None else _uuid(body.get("key")),
            flap_id=flap_id,
            observed_at=observed_at,
            by=who,
            signs={n: v for n, v in body.items() if n in SIGNS and v is not None},
            recorded_at=recorded_at,
            source=_source(body.get("source")),
            note=_text("note", body.get("note")),
            nurse_concern=_flag("nurse_concern", body.get("nurse_concern", False)),
            concern_about=_text("concern_about", body.get("concern_about")),
        )

    @property
    def seen(self) -> frozenset[str]:
        """The signs it has a value for."""
        return frozenset(n for n, v in self.signs.items() if not isinstance(v, Unable))

    def improbable(self) -> dict[str, str]:
        """Questions to ask before believing the check, by sign."""
        asked = {n: q for n, v in self.signs.items() if (q := SIGNS[n].improbable(v))}
        gap = derive("temp_gap_c", self)
        if gap is not None and (question := DERIVED["temp_gap_c"].improbable(gap)):
            asked["temp_gap_c"] = question
        return asked


_CHECK_KEYS = frozenset(
    "key observed_at recorded_at by source note nurse_concern concern_about".split()
)


def _moment(name: str, value: object) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise BadValue(name, f"{name}: {value!r} is not a date and time.") from None
    if not isinstance(value, datetime):
        raise BadValue(name, f"{name}: {value!r} is not a date and time.")
    if value.tzinfo is None:
        raise BadValue(name, f"{name}: {value.isoformat()} has no time zone.")
    return value


def _uuid(value: object) -> UUID:
    if isinstance(value, UUID):
        return value
    try:
        return UUID(str(value))
    except ValueError:
        raise BadValue("key", f"key: {value!r} is not a UUID.") from None


def _source(value: object) -> Source:
    if value is None:
        return Source.BEDSIDE
    try:
        return Source(str(value))
    except ValueError:
        raise BadValue("source", f"source: {value!r} is not one of {', '.join(Source)}.") from None


def _text(name: str, value: object) -> str | None:
    if isinstance(value, str) and "\0" in value:
        raise BadValue(name, f"{name}: holds a character that no record can keep.")
    if value is None or isinstance(value, str):
        return value
    raise BadValue(name, f"{name}: {value!r} is not text.")


def _flag(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise BadValue(name, f"{name}: {value!r} is neither true nor false.")


def derive(name: str, check: Check, baseline: Check | None = None) -> float | str | None:
    """A derived sign of the check, or None when what it needs has no value.

    Differences are rounded to 0.01 so that 34.1 - 32.3 is 1.8, not 1.8000000000000007.
    """
    if name == "temp_gap_c":
        return _difference(check, "control_temp_c", "flap_temp_c")
    if name == "glucose_gap_mmol_l":
        return _difference(check, "finger_glucose_mmol_l", "flap_glucose_mmol_l")
    if name == "temp_gap_change_c":
        now = _difference(check, "control_temp_c", "flap_temp_c")
        then = None if baseline is None else derive("temp_gap_c", baseline)
        return None if now is None or not isinstance(then, float) else round(now - then, 2)
    if name == "refill_presses":
        first, second = check.signs.get("refill"), check.signs.get("refill_again")
        if first is None or second is None or isinstance(first, Unable | bool):
            return None
        return None if isinstance(second, Unable | bool) else _presses(first, second)
    raise BadValue(name, f"{name!r} is not a derived sign.")


def _difference(check: Check, minuend: str, subtrahend: str) -> float | None:
    a, b = check.signs.get(minuend), check.signs.get(subtrahend)
    return round(a - b, 2) if isinstance(a, float) and isinstance(b, float) else None


def _presses(first: str | float, second: str | float) -> str:
    sides = {_press(first), _press(second)}
    return f"both_{sides.pop()}" if len(sides) == 1 else "differ"


def _press(value: str | float) -> str:
    if isinstance(value, str):
        return "slow" if value == "absent" else value
    return "brisk" if value < 1 else "slow" if value > 3 else "normal"


@dataclass(frozen=True, slots=True)
class Flap:
    """One monitored flap as the judge and the schedule see it: facts, holds, returns, baseline.

    ``protocol_id`` is the version pinned to it. ``baseline`` is the first full check without a
    finding since the flap was last perfused, or one a surgeon set (``baseline_set``).
    """

    id: str
    facts: FlapFacts
    protocol_id: str
    holds: tuple[Hold, ...] = ()
    returns: tuple[Return, ...] = ()
    baseline: Check | None = None
    baseline_set: bool = False
    ended_at: datetime | None = None
    orders: tuple[Order, ...] = ()

    @property
    def perfused_at(self) -> datetime:
        """When perfusion was last restored: clinical hours count from here."""
        again = [r.perfused_again_at for r in self.returns if r.perfused_again_at is not None]
        return max([self.facts.perfused_at, *again])

    @property
    def slots_from(self) -> datetime:
        """When the slots were last started: arrival in recovery, or back from theatre."""
        back = [r.back_at for r in self.returns if r.back_at is not None]
        return max([self.facts.monitoring_from, *back])

    def as_of(self, moment: datetime) -> Flap:
        """The flap as it stood then: without what came later of its returns, and without a
        baseline from before the return it was last back from."""
        returns = tuple(r.as_of(moment) for r in self.returns if r.decided_at <= moment)
        flap = self if returns == self.returns else replace(self, returns=returns)
        back = max((r.back_at for r in returns if r.back_at is not None), default=None)
        if back is None or flap.baseline is None or flap.baseline.observed_at >= back:
            return flap
        return replace(flap, baseline=None, baseline_set=False)

    def hours(self, moment: datetime) -> float:
        """Hours since perfusion was last restored by then (negative before the first)."""
        again = [r.perfused_again_at for r in self.returns if r.perfused_again_at is not None]
        since = max([self.facts.perfused_at, *(a for a in again if a <= moment)])
        return (moment - since) / timedelta(hours=1)

    def held(self, moment: datetime) -> Hold | None:
        """The hold that covers the moment."""
        return next((h for h in self.holds if h.covers(moment)), None)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reading that a finding rests on."""

    sign: str
    value: SignValue
    at: datetime
    by: str
    check_key: UUID | None = None
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule said of a check, with its reason and its sources.

    ``at`` is the moment it speaks of: a check's observed time, or a deadline that passed.
    ``if_unmet`` is the severity this finding takes when its recheck is not done in time.
    """

    rule: str
    severity: Severity
    pattern: Pattern
    because: str
    at: datetime
    evidence: tuple[Evidence, ...] = ()
    citations: tuple[str, ...] = ()
    do_now: str = ""
    recheck_minutes: int | None = None
    if_unmet: Severity | None = None

    @property
    def stream(self) -> Stream:
        """The alert episode this finding belongs to."""
        if self.rule == "N1":
            return Stream.CONCERN
        return _STREAM[self.pattern]

    @property
    def loud(self) -> bool:
        """Whether it calls somebody: amber or red."""
        return self.severity.rank >= Severity.AMBER.rank


_STREAM = {
    Pattern.ARTERIAL: Stream.PERFUSION,
    Pattern.VENOUS: Stream.PERFUSION,
    Pattern.INDETERMINATE: Stream.PERFUSION,
    Pattern.HAEMATOMA: Stream.HAEMATOMA,
    Pattern.DEVICE: Stream.DEVICE,
    Pattern.MONITORING: Stream.MONITORING,
}


def stream_of(pattern: Pattern) -> Stream:
    """The alert episode that a picture belongs to."""
    return _STREAM[pattern]


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A rule that could not be answered, and the signs it lacked."""

    rule: str
    lacked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a protocol version said of one check: findings worst first, and what stayed open."""

    findings: tuple[Finding, ...]
    unanswered: tuple[Unanswered, ...]
    full: bool
    protocol_id: str
    protocol_version: int
    protocol_hash: str
    confounders: tuple[Evidence, ...] = field(default=())

    @property
    def severity(self) -> Severity:
        """The worst severity found."""
        return self.findings[0].severity if self.findings else Severity.NONE

    @property
    def pattern(self) -> Pattern | None:
        """The pattern of the worst finding."""
        return self.findings[0].pattern if self.findings else None

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)


class Refused(MonitoringError):
    """Something that may not be done now; nothing was written."""


__all__ = ["BadValue", "MonitoringError", "SignValue", "Unable"]
