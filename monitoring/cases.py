"""A protocol's cases: what it must say of checks and stays written down beside it, and run.

A cases file is the protocol's specification in ward language: ``usual`` is a healthy check of
such a flap; each case says what differs (``but``), or all that was recorded (``only``), and what
is expected. ``check_protocols`` lints every protocol, runs its cases, asks that every level of
every rule is shown to fire and not to fire, and tries what must hold whatever a file says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import NAMESPACE_URL, UUID, uuid5

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from monitoring.alarm import answers, watch_findings
from monitoring.assess import assess, is_baseline, view_of
from monitoring.domain import (
    Assessment,
    Check,
    Finding,
    Flap,
    FlapFacts,
    Hold,
    HoldReason,
    MonitoringError,
    Return,
    Severity,
)
from monitoring.promises import broken_promises
from monitoring.protocol import FOLDER, BadProtocol, Protocol, read_file
from monitoring.schedule import Look, Noticed, Recheck, notice
from monitoring.signs import BadValue

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
"""Every case starts monitoring here; times are told from it."""

_OFFSET = re.compile(r"\+(\d{1,3}):([0-5]\d)")


class BadCases(MonitoringError):
    """A cases file that cannot be read; the sentence names the file and the case."""


def _offset(raw: object) -> object:
    """ "+26:30" is 26 h 30 min after monitoring began."""
    found = _OFFSET.fullmatch(raw) if isinstance(raw, str) else None
    if found is None:
        raise ValueError(f"{raw!r} is not a time such as '+02:30'")
    return timedelta(hours=int(found[1]), minutes=int(found[2]))


After = Annotated[timedelta, BeforeValidator(_offset)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Expected(_Part):
    """What must come of a check, or of the clock. ``fires`` and ``quiet`` name rules; what is
    named in neither is not asked, unless ``only_these`` asks that nothing else fires."""

    worst: str | None = None
    fires: dict[str, Severity] = {}
    quiet: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()
    because: str | None = None
    do_now: str | None = None
    not_do_now: str | None = None
    only_these: bool = False


class CheckCase(Expected):
    """One check, or (with ``until`` and ``every_minutes``) a row of the same."""

    at: After
    by: str = "nurse1"
    but: dict[str, Any] | None = None
    only: dict[str, Any] | None = None
    concern: str | None = None
    until: After | None = None
    every_minutes: float | None = Field(default=None, gt=0)
    wobble: dict[str, tuple[Any, ...]] = {}

    @model_validator(mode="after")
    def _one_way(self) -> CheckCase:
        if self.but is not None and self.only is not None:
            raise ValueError("give but or only, not both")
        if (self.until is None) != (self.every_minutes is None):
            raise ValueError("until and every_minutes belong together")
        return self


class HoldCase(_Part):
    """A hold; without an end it is open."""

    from_at: After
    until_at: After | None = None
    reason: HoldReason


class ReturnCase(_Part):
    """A return to theatre that is over."""

    decided_at: After
    back_at: After


class WatchCase(Expected):
    """What the watcher must find at a moment."""

    now: After


class Case(_Part):
    """One course, from a single check to a whole stay. ``surgeon_set`` is what differs from the
    usual check in a baseline that a surgeon set at the start."""

    name: str = Field(min_length=1)
    flap: dict[str, Any] = {}
    baseline: bool = True
    surgeon_set: dict[str, Any] | None = None
    checks: tuple[CheckCase, ...] = ()
    holds: tuple[HoldCase, ...] = ()
    returns: tuple[ReturnCase, ...] = ()
    watch: tuple[WatchCase, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _a_single_check_stands_flat(cls, data: Any) -> Any:
        if isinstance(data, dict) and "at" in data:
            own = {k: v for k, v in data.items() if k in cls.model_fields}
            return own | {"checks": [{k: v for k, v in data.items() if k not in own}]}
        return data


class CaseFile(_Part):
    """The cases of one protocol version."""

    flap: dict[str, Any]
    usual: dict[str, Any]
    cases: tuple[Case, ...] = Field(min_length=1)


@dataclass
class Shown:
    """Which levels the cases showed to fire, and which they showed not to."""

    fired: set[tuple[str, int]] = field(default_factory=set)
    silent: set[tuple[str, int]] = field(default_factory=set)

    def note(self, protocol: Protocol, expected: Expected, levels: Mapping[str, set[int]]) -> None:
        """Count what the case names: a rule it does not name is shown nothing of."""
        for rule in protocol.rules:
            if rule.id not in expected.fires and rule.id not in expected.quiet:
                continue
            for number in range(len(rule.levels)):
                held = number in levels.get(rule.id, set())
                (self.fired if held else self.silent).add((rule.id, number))


def read_cases(path: Path) -> CaseFile:
    """The cases in a file. Raises BadCases with its name."""
    try:
        return CaseFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise BadCases(f"{path.name}: {error.strerror}.") from None
    except yaml.YAMLError as error:
        raise BadCases(f"{path.name}: not readable as YAML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BadCases(f"{path.name}: {where}: {first['msg']}") from None


def check_protocols(folder: Path = FOLDER) -> list[str]:
    """Every problem of the folder's protocols and their cases, in sentences; empty when clean."""
    problems: list[str] = []
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        return [f"{folder}: no protocol found."]
    for path in paths:
        try:
            protocol = read_file(path)
            file = read_cases(folder / "cases" / path.name)
            problems += [f"{path.name}: {p}" for p in check_protocol(protocol, file)]
        except (BadProtocol, BadCases) as error:
            problems.append(str(error))
    return problems


def check_protocol(protocol: Protocol, file: CaseFile) -> Iterator[str]:
    """What its cases and the rules that always hold find wrong with a protocol."""
    shown = Shown()
    for case in file.cases:
        for problem in run_case(protocol, file, case, shown):
            yield f"case {case.name!r}: {problem}"
    yield from not_shown(protocol, shown)
    flap = flap_of(file, Case(name="promises"), protocol)
    yield from broken_promises(protocol, flap, file.usual)


def not_shown(protocol: Protocol, shown: Shown) -> Iterator[str]:
    """The levels that no case fires, and those that no case shows not to fire."""
    for rule in protocol.rules:
        for number, level in enumerate(rule.levels):
            what = f"rule {rule.id}: level {number + 1} ({level.severity})"
            if (rule.id, number) not in shown.fired:
                yield f"{what} has no case that fires it."
            if (rule.id, number) not in shown.silent:
                yield f"{what} has no case that does not fire it."


def run_case(protocol: Protocol, file: CaseFile, case: Case, shown: Shown) -> Iterator[str]:
    """What is wrong with one case, a value that cannot be recorded included."""
    try:
        yield from Run(protocol, file, case).problems(shown)
    except (BadValue, ValidationError, ValueError) as error:
        yield str(error).splitlines()[0]


def flap_of(file: CaseFile, case: Case, protocol: Protocol) -> Flap:
    """The flap of a case, as it was admitted."""
    facts = FlapFacts.model_validate(
        {"label": "Case", "perfused_at": START, "monitoring_from": START} | file.flap | case.flap
    )
    holds = tuple(
        Hold(
            from_at=START + h.from_at,
            until_at=None if h.until_at is None else START + h.until_at,
            reason=h.reason,
        )
        for h in case.holds
    )
    returns = tuple(_returned(r) for r in case.returns)
    baseline = None
    if case.surgeon_set is not None:
        baseline = a_check(START, "surgeon", file.usual | case.surgeon_set)
    return Flap("case", facts, protocol.key, holds, returns, baseline)


def _returned(case: ReturnCase) -> Return:
    decided, back = START + case.decided_at, START + case.back_at
    return Return(decided_at=decided, into_theatre_at=decided, perfused_again_at=back, back_at=back)


def checks_of(file: CaseFile, case: Case) -> Iterator[tuple[Check, CheckCase | None]]:
    """The checks of a case in order, each with what it expects (the baseline expects nothing)."""
    if case.baseline and case.surgeon_set is None:
        yield a_check(START, "nurse1", file.usual), None
    for wanted in case.checks:
        signs = dict(file.usual if wanted.only is None else wanted.only) | (wanted.but or {})
        for number, at in enumerate(_moments(wanted)):
            worn = {name: values[number % len(values)] for name, values in wanted.wobble.items()}
            yield a_check(START + at, wanted.by, signs | worn, wanted.concern), wanted


def _moments(wanted: CheckCase) -> Iterator[timedelta]:
    at = wanted.at
    yield at
    if wanted.until is not None and wanted.every_minutes is not None:
        while (at := at + timedelta(minutes=wanted.every_minutes)) <= wanted.until:
            yield at


def a_check(at: datetime, by: str, signs: Mapping[str, Any], concern: str | None = None) -> Check:
    """A check from signs as a case writes them; None takes a sign away."""
    body: dict[str, Any] = {"observed_at": at, "by": by, **signs}
    if concern is not None:
        body |= {"nurse_concern": True, "concern_about": concern}
    key: UUID = uuid5(NAMESPACE_URL, f"case/{at.isoformat()}/{by}/{sorted(map(str, signs))}")
    return Check.parse(body, flap_id="case", key=key)


class Run:
    """One case, run from its first check to its last moment."""

    def __init__(self, protocol: Protocol, file: CaseFile, case: Case) -> None:
        self.protocol = protocol
        self.file = file
        self.case = case
        self.flap = flap_of(file, case, protocol)
        self.judged: list[tuple[Check, Assessment]] = []

    def problems(self, shown: Shown) -> Iterator[str]:
        """What came out otherwise than the case expects."""
        known = {rule.id for rule in self.protocol.rules}
        for expected in (*self.case.checks, *self.case.watch):
            for rule in (*expected.fires, *expected.quiet, *expected.unanswered):
                if rule not in known:
                    yield f"it speaks of rule {rule}, which the protocol lacks."
        for check, wanted in checks_of(self.file, self.case):
            judged, levels = self._judge(check)
            if wanted is None:
                if judged.findings:
                    yield f"its baseline has a finding: {judged.findings[0].because}"
                continue
            shown.note(self.protocol, wanted, levels)
            label = f"at {_told(check.observed_at)}"
            yield from _differs(label, wanted, judged.findings, _names(judged))
        for moment in self.case.watch:
            noticed = self._noticed(START + moment.now)
            found = watch_findings(self.protocol, noticed)
            shown.note(self.protocol, moment, _watch_levels(self.protocol, noticed))
            yield from _differs(f"at {_told(START + moment.now)}", moment, found, ())

    def _judge(self, check: Check) -> tuple[Assessment, Mapping[str, set[int]]]:
        """The check judged on those before it; the baseline is found on the way."""
        earlier = [c for c, _ in self.judged]
        judged = assess(self.flap, check, earlier, self.protocol)
        flap = self.flap.as_of(check.observed_at)
        view = view_of(flap, check, earlier, self.protocol)
        decisions = self.protocol.plan.decide(view)
        self.judged.append((check, judged))
        if flap.baseline is None and is_baseline(check, judged):
            self.flap = replace(self.flap, baseline=check)
        return judged, {
            rule.id: {decision.level}
            for rule, decision in zip(self.protocol.check_rules, decisions, strict=True)
            if decision.level is not None
        }

    def _noticed(self, now: datetime) -> list[Noticed]:
        looks = [Look(c.observed_at, c.recorded_at, a.full, c.key) for c, a in self.judged]
        asked = [
            recheck
            for n, (c, a) in enumerate(self.judged)
            for recheck in _rechecks(c, a, [later for later, _ in self.judged[n + 1 :]])
        ]
        return [
            n
            for n in notice(self.flap, self.protocol, looks, asked, now)
            if n.settled_at is None or n.settled_at > now
        ]


def _rechecks(check: Check, judged: Assessment, after: Sequence[Check]) -> Iterator[Recheck]:
    for finding in judged.findings:
        if finding.recheck_minutes is None or any(answers(later, finding) for later in after):
            continue
        due = check.observed_at + timedelta(minutes=finding.recheck_minutes)
        yield Recheck(
            check.observed_at, due, finding.rule, finding.if_unmet, check.key, judged.severity
        )


def _watch_levels(protocol: Protocol, noticed: Iterable[Noticed]) -> Mapping[str, set[int]]:
    found: dict[str, set[int]] = {}
    for fact in {n.fact for n in noticed}:
        for rule in protocol.rules:
            level = rule.schedule_facts.get(fact)
            if level is not None:
                found.setdefault(rule.id, set()).add(rule.levels.index(level))
    return found


def _names(judged: Assessment) -> Sequence[str]:
    return [u.rule for u in judged.unanswered]


def _told(moment: datetime) -> str:
    minutes = round((moment - START) / timedelta(minutes=1))
    return f"+{minutes // 60:02}:{minutes % 60:02}"


def _differs(
    label: str, wanted: Expected, findings: Sequence[Finding], unanswered: Sequence[str]
) -> Iterator[str]:
    """The sentences for what is not as expected."""
    found: dict[str, Severity] = {}
    for finding in findings:
        if finding.severity.rank > found.get(finding.rule, Severity.NONE).rank:
            found[finding.rule] = finding.severity
    worst = max(findings, key=lambda f: f.severity.rank, default=None)
    words = "none" if worst is None else f"{worst.severity} {worst.pattern}"
    if wanted.worst is not None and wanted.worst != words:
        yield f"{label}: expected {wanted.worst}, found {words} ({_all(found)})."
    for rule, severity in wanted.fires.items():
        if found.get(rule) != severity:
            yield f"{label}: {rule} should be {severity}, is {found.get(rule, 'quiet')}."
    for rule in wanted.quiet:
        if rule in found:
            yield f"{label}: {rule} should be quiet, is {found[rule]}."
    for rule in wanted.unanswered:
        if rule not in unanswered:
            yield f"{label}: {rule} should be unanswered."
    if wanted.only_these and set(found) - set(wanted.fires):
        yield f"{label}: only {_all(wanted.fires)} should fire, found {_all(found)}."
    deeds = " ".join(f.do_now for f in findings)
    if wanted.do_now is not None and wanted.do_now not in deeds:
        yield f"{label}: nothing says to do now {wanted.do_now!r}: {deeds}"
    if wanted.not_do_now is not None and wanted.not_do_now in deeds:
        yield f"{label}: says to do now {wanted.not_do_now!r}."
    if wanted.because is not None and not any(
        wanted.because.lower() in f.because.lower() for f in findings
    ):
        yield f"{label}: no finding says {wanted.because!r}: {[f.because for f in findings]}"


def _all(found: Mapping[str, Severity]) -> str:
    return ", ".join(f"{r} {s}" for r, s in found.items()) or "nothing"
