"""Protocols as data: one immutable, cited version a file; loaded, linted and put in words.

A protocol says when to look (phases, grace), what to look at (required signs) and what each
finding means (rules). Files live in config/protocols and are never edited once used; a change is
a new version. Every shipped one is proposed and awaits local clinical sign-off.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from monitoring.conditions import (
    READABLE,
    Above,
    BadCondition,
    ChangedBy,
    Condition,
    OneOf,
    ScheduleFact,
    ScheduleIs,
    contradictions,
    implies,
    leaves,
    parse_condition,
)
from monitoring.deciding import Plan
from monitoring.domain import (
    Check,
    FlapFacts,
    FlapKind,
    Monitor,
    MonitoringError,
    Pattern,
    Severity,
    Tissue,
)
from monitoring.ladder import STANDARD, Escalation, Ladder
from monitoring.signs import CONTEXT, SIGNS, Family, Unable

FOLDER = Path(__file__).parent.parent / "config" / "protocols"

AWAITING = "proposed, awaiting local clinical sign-off"


class BadProtocol(MonitoringError):
    """A protocol file that cannot be used; the sentence names the file and what is wrong."""


class UnknownProtocol(MonitoringError):
    """No protocol has this id."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Phase(_Part):
    """From hour (included) to hour (not), counted from the start of the slots, look every so
    often. A slot's window runs from early_minutes before it to late_minutes after."""

    from_hour: float = Field(ge=0)
    to_hour: float | None = None
    every_minutes: float = Field(gt=0)
    early_minutes: float | None = Field(default=None, ge=0)
    late_minutes: float | None = Field(default=None, ge=0)

    @property
    def early(self) -> float:
        """Minutes before a slot in which a check already fills it: e."""
        return self._quarter if self.early_minutes is None else self.early_minutes

    @property
    def late(self) -> float:
        """Minutes after a slot in which a check is still on time: g."""
        return self._quarter if self.late_minutes is None else self.late_minutes

    @property
    def _quarter(self) -> float:
        """A quarter of the interval, at most 15 min up to 2 h and 30 min above."""
        return min(self.every_minutes / 4, 15 if self.every_minutes <= 120 else 30)


class Level(_Part):
    """One severity of a rule: when it holds, what to do now, when to look again.

    ``if_unmet`` is the severity taken when the recheck is not done in time.
    """

    severity: Severity
    when: Annotated[Any, BeforeValidator(parse_condition)]
    pattern: Pattern | None = None
    do_now: str = Field(min_length=1)
    recheck_minutes: int | None = Field(default=None, ge=1, le=480)
    if_unmet: Severity | None = None

    @model_validator(mode="after")
    def _a_louder_recheck(self) -> Level:
        if self.severity is Severity.NONE:
            raise ValueError("a level is red, amber or yellow")
        if self.if_unmet is not None and self.recheck_minutes is None:
            raise ValueError("if_unmet needs recheck_minutes")
        if self.if_unmet is not None and self.if_unmet.rank <= self.severity.rank:
            raise ValueError("if_unmet must be louder than the level itself")
        return self


class Rule(_Part):
    """A named picture with its levels, worst first."""

    id: str = Field(pattern=r"^[A-Z][A-Z0-9]{0,5}$")
    title: str = Field(min_length=1)
    pattern: Pattern
    why: str = Field(min_length=1)
    false_alarms: str = Field(min_length=1)
    citations: tuple[str, ...] = Field(min_length=1)
    levels: tuple[Level, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _worst_first(self) -> Rule:
        ranks = [level.severity.rank for level in self.levels]
        if ranks != sorted(ranks, reverse=True):
            raise ValueError("levels must run worst first")
        return self

    @cached_property
    def schedule_facts(self) -> dict[ScheduleFact, Level]:
        """The levels that the watcher judges from the clock."""
        return {
            leaf.fact: level
            for level in self.levels
            for leaf in leaves(level.when)
            if isinstance(leaf, ScheduleIs)
        }


class ProposedFor(_Part):
    """The flaps this protocol is proposed for at admission."""

    buried: bool
    tissue: frozenset[Tissue]
    kind: frozenset[FlapKind] = frozenset(FlapKind)


class Protocol(_Part):
    """One version of one protocol."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]{2,40}$")
    version: int = Field(ge=1)
    title: str = Field(min_length=1)
    about: str = Field(min_length=1)
    author: str = Field(min_length=1)
    checker: str = Field(min_length=1)
    proposed_for: ProposedFor
    phases: tuple[Phase, ...] = Field(min_length=1)
    hold_flag_minutes: float = Field(default=240, gt=0)
    required: tuple[str, ...] = Field(min_length=1)
    required_with_monitor: dict[Monitor, tuple[str, ...]] = {}
    citations: dict[str, str] = Field(min_length=1)
    rules: tuple[Rule, ...] = Field(min_length=1)
    escalation: Escalation | None = None
    hash: str = ""

    @property
    def key(self) -> str:
        """What a flap is pinned to: id@version."""
        return f"{self.id}@{self.version}"

    @property
    def frozen_ladders(self) -> dict[str, Any]:
        """The ladders that an alert of this version keeps; the standard ones for a version that
        was written before protocols had them."""
        return (self.escalation or STANDARD).frozen()

    @cached_property
    def check_rules(self) -> tuple[Rule, ...]:
        """Rules judged on a check (not only from the clock)."""
        return tuple(
            r
            for r in self.rules
            if any(not isinstance(leaf, ScheduleIs) for lv in r.levels for leaf in leaves(lv.when))
        )

    @cached_property
    def plan(self) -> Plan:
        """The check rules as questions, for ``assess``."""
        with_monitor = (s for signs in self.required_with_monitor.values() for s in signs)
        return Plan(
            ([level.when for level in rule.levels] for rule in self.check_rules),
            [*self.required, *with_monitor],
        )

    def phase_at(self, hour: float) -> Phase:
        """The phase that holds the hour since the slots began; the first before them, the last
        after the last."""
        for phase in self.phases:
            if phase.to_hour is None or hour < phase.to_hour:
                return phase
        return self.phases[-1]

    def limits(self, sign: str) -> tuple[float, ...]:
        """The numbers over which some rule speaks of the sign, lowest first (for charts)."""
        return self._limits.get(sign, ())

    @cached_property
    def _limits(self) -> dict[str, tuple[float, ...]]:
        found: dict[str, set[float]] = {}
        for rule in self.rules:
            for level in rule.levels:
                for leaf in leaves(level.when):
                    if isinstance(leaf, Above):
                        found.setdefault(leaf.sign, set()).add(leaf.than)
        return {sign: tuple(sorted(numbers)) for sign, numbers in found.items()}

    def required_for(self, facts: FlapFacts) -> tuple[str, ...]:
        """The signs a full check of this flap must answer."""
        known = self.required_by_monitors.get(facts.monitors)
        if known is None:
            added = (
                signs
                for monitor, signs in sorted(self.required_with_monitor.items())
                if monitor in facts.monitors
            )
            named = itertools.chain(self.required, *added)
            known = self.required_by_monitors[facts.monitors] = tuple(dict.fromkeys(named))
        return known

    @cached_property
    def required_by_monitors(self) -> dict[frozenset[Monitor], tuple[str, ...]]:
        """What ``required_for`` found before."""
        return {}

    def is_full(self, check: Check, facts: FlapFacts) -> bool:
        """Whether the check answers every required sign (a value, or unable with a reason) and
        has values from two families (one if the flap is buried)."""
        for name in self.required_for(facts):
            if name not in check.signs:
                return False
        wanted = 1 if facts.buried else 2
        looked_at: set[Family] = set()
        for name, value in check.signs.items():
            family = SIGNS[name].family
            if family is not None and not isinstance(value, Unable):
                looked_at.add(family)
                if len(looked_at) == wanted:
                    return True
        return False


def read(text: str, name: str) -> Protocol:
    """A protocol from the text of its file. Raises BadProtocol with the file's name."""
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadProtocol(f"{name}: not readable as YAML: {error}") from None
    if not isinstance(raw, dict):
        raise BadProtocol(f"{name}: a protocol is a mapping.")
    if "hash" in raw:
        raise BadProtocol(f"{name}: hash is computed, never written.")
    raw.pop("named", None)  # signs said once as YAML anchors, used by the rules
    try:
        protocol = Protocol.model_validate(raw | {"hash": content_hash(text)})
    except (ValidationError, BadCondition) as error:
        raise BadProtocol(f"{name}: {_first(error)}") from None
    problems = lint(protocol)
    if problems:
        raise BadProtocol(f"{name}: {problems[0]}")
    return protocol


def read_file(path: Path) -> Protocol:
    """The protocol in a file. Raises BadProtocol if it cannot be used or is not named
    id-version.yaml."""
    try:
        protocol = read(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise BadProtocol(f"{path.name}: not readable: {error}") from None
    if path.stem != f"{protocol.id}-{protocol.version}":
        raise BadProtocol(f"{path.name}: should be named {protocol.id}-{protocol.version}.yaml")
    return protocol


def content_hash(text: str) -> str:
    """SHA-256 of a protocol file's text, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def _first(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def load(folder: Path = FOLDER) -> dict[str, Protocol]:
    """Every protocol of the folder by its key (id@version).

    Raises BadProtocol for a file that cannot be used, a name that is not id-version.yaml, or no
    file at all.
    """
    found: dict[str, Protocol] = {}
    for path in sorted(folder.glob("*.yaml")):
        protocol = read_file(path)
        found[protocol.key] = protocol
    if not found:
        raise BadProtocol(f"{folder}: no protocol found.")
    return found


def find(protocols: Mapping[str, Protocol], wanted: str) -> Protocol:
    """The protocol named id@version, or the newest version of id. Raises UnknownProtocol."""
    if wanted in protocols:
        return protocols[wanted]
    versions = [p for p in protocols.values() if p.id == wanted]
    if not versions:
        raise UnknownProtocol(f"There is no protocol {wanted!r}; there are {', '.join(protocols)}.")
    return max(versions, key=lambda p: p.version)


def propose(protocols: Mapping[str, Protocol], facts: FlapFacts) -> Protocol:
    """The newest protocol made for such a flap. Raises UnknownProtocol if none is."""
    fitting = [p for p in protocols.values() if _fits(p.proposed_for, facts)]
    if not fitting:
        raise UnknownProtocol(f"No protocol is made for a {facts.kind} flap of {facts.tissue}.")
    return max(fitting, key=lambda p: p.version)


def _fits(made_for: ProposedFor, facts: FlapFacts) -> bool:
    return (
        made_for.buried == facts.buried
        and facts.tissue in made_for.tissue
        and facts.kind in made_for.kind
    )


def lint(protocol: Protocol) -> list[str]:
    """What is wrong with a protocol, in sentences; empty when nothing is."""
    return [
        *_lint_phases(protocol.phases),
        *_lint_required(protocol),
        *_lint_citations(protocol),
        *_lint_rules(protocol.rules),
    ]


def _lint_phases(phases: Sequence[Phase]) -> Iterable[str]:
    if phases[0].from_hour != 0:
        yield "phases: the first must start at hour 0."
    for before, after in itertools.pairwise(phases):
        if before.to_hour is None or before.to_hour > after.from_hour:
            yield f"phases: overlap at hour {after.from_hour:g}."
        elif before.to_hour < after.from_hour:
            yield f"phases: gap from hour {before.to_hour:g} to {after.from_hour:g}."
    for phase in phases:
        if phase.to_hour is not None and phase.to_hour <= phase.from_hour:
            yield f"phases: hour {phase.from_hour:g} does not come before {phase.to_hour:g}."
        if phase.early + phase.late > phase.every_minutes:
            yield f"phases: windows overlap from hour {phase.from_hour:g}."
    if phases[-1].to_hour is not None:
        yield "phases: the last must be open (to discharge)."


def _lint_required(protocol: Protocol) -> Iterable[str]:
    named = [*protocol.required, *(s for v in protocol.required_with_monitor.values() for s in v)]
    for name in named:
        if name not in SIGNS:
            yield f"required: {name!r} is not a sign."


def _lint_citations(protocol: Protocol) -> Iterable[str]:
    cited = {key for rule in protocol.rules for key in rule.citations}
    if protocol.escalation is not None:
        cited |= set(protocol.escalation.citations)
    for key in sorted(cited - set(protocol.citations)):
        yield f"citations: {key!r} is cited but not listed."
    for key in sorted(set(protocol.citations) - cited):
        yield f"citations: {key!r} is listed but no rule cites it."


def _lint_rules(rules: Sequence[Rule]) -> Iterable[str]:
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            yield f"rule {rule.id} stands twice."
        seen.add(rule.id)
        for number, level in enumerate(rule.levels):
            yield from _lint_level(rule, number, level)


def _lint_level(rule: Rule, number: int, level: Level) -> Iterable[str]:
    if any(implies(level.when, worse.when) for worse in rule.levels[:number]):
        yield f"rule {rule.id}: {level.severity} can never be reached: {level.when.describe()}."
    for contradiction in contradictions(level.when):
        yield f"rule {rule.id}: {contradiction}."
    yield from _lint_normal(rule.id, level.when)


def _lint_normal(rule: str, condition: Condition) -> Iterable[str]:
    """A rule may neither ask for a normal reading nor for a confounder: both would let something
    harmless take a finding away."""
    for leaf in leaves(condition):
        for name in sorted(set(leaf.signs()) & set(CONTEXT)):
            yield f"rule {rule}: {name} may explain a finding, never decide it."
        if isinstance(leaf, OneOf | ChangedBy):
            words = leaf.words if isinstance(leaf, OneOf) else leaf.to
            known = READABLE[leaf.sign]
            harmless = ("no",) if known.kind == "yes_no" else known.normal
            normal = sorted(set(words) & set(harmless))
            if normal:
                yield f"rule {rule}: asks for a normal {leaf.sign} ({', '.join(normal)})."


def describe(protocol: Protocol) -> str:
    """The protocol in plain words, as Markdown."""
    lines = [
        f"# {protocol.title}, version {protocol.version}",
        "",
        protocol.about.strip(),
        "",
        f"Author: {protocol.author}. Checked by: {protocol.checker}.",
        "",
        "## When to look",
        "",
        *(f"- {_phase_words(p)}" for p in protocol.phases),
        "",
        "## A full check answers",
        "",
        ", ".join(SIGNS[s].said for s in protocol.required) + ".",
        "",
        "## Rules",
        "",
    ]
    for rule in protocol.rules:
        lines += _rule_words(rule)
    if protocol.escalation is not None:
        lines += _escalation_words(protocol.escalation)
    lines += ["## Sources", "", *(f"- [{k}] {v}" for k, v in sorted(protocol.citations.items()))]
    return "\n".join(lines)


def _phase_words(phase: Phase) -> str:
    until = "to discharge" if phase.to_hour is None else f"to hour {phase.to_hour:g}"
    return (
        f"From hour {phase.from_hour:g} {until}: every {phase.every_minutes:g} min; on time from "
        f"{phase.early:g} min before to {phase.late:g} min after."
    )


def who_is_told(protocol: Protocol) -> str:
    """The ladders of the protocol in plain words, as Markdown."""
    if protocol.escalation is None:
        return "This version has no ladder of its own: its alerts climb the standard one."
    return "\n".join(_escalation_words(protocol.escalation)[2:])


def _escalation_words(said: Escalation) -> list[str]:
    lines = ["## Who is told", ""]
    for name in ("red", "amber", "overdue"):
        lines.append(f"- **{name.upper()}**: {_ladder_words(getattr(said, name))}")
    return [*lines, "", f"Why: {said.why.strip()}", "", f"Sources: {', '.join(said.citations)}", ""]


def _ladder_words(ladder: Ladder) -> str:
    told = [
        f"{'at once' if not rung.after_minutes else f'after {rung.after_minutes:g} min'} "
        f"{' and '.join(level.replace('_', ' ') for level in rung.to)}"
        + (f" by {', '.join(rung.channels)}" if rung.channels else "")
        for rung in ladder.rungs
    ]
    return (
        f"{'; '.join(told)}; then again from the first every {ladder.repeat_minutes:g} min until "
        f"somebody has it. An acknowledgement holds {ladder.answer_minutes:g} min without a "
        f"review, a review's plan {ladder.plan_minutes:g} min."
    )


def _rule_words(rule: Rule) -> list[str]:
    lines = [f"### {rule.id}: {rule.title}", ""]
    for level in rule.levels:
        text = f"- **{level.severity.upper()}** ({level.pattern or rule.pattern}) when "
        text += f"{level.when.describe()}. Do now: {level.do_now.strip()}"
        if level.recheck_minutes is not None:
            text += f" Recheck in {level.recheck_minutes} min."
        if level.if_unmet is not None:
            text += f" If the recheck is not done: {level.if_unmet}."
        lines.append(text)
    return [
        *lines,
        "",
        f"Why: {rule.why.strip()}",
        "",
        f"Known false alarms: {rule.false_alarms.strip()}",
        "",
        f"Sources: {', '.join(rule.citations)}",
        "",
    ]
