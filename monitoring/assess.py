"""Judging a check: pure, three-valued, and able to say why.

No clock, no database, no screen. The same flap, check, earlier checks and protocol give the same
assessment every time. Some things hold whatever a protocol file says: nurse concern is never
less than amber, and refill alone is never red.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from monitoring.conditions import READABLE, View
from monitoring.domain import (
    Assessment,
    Check,
    Evidence,
    Finding,
    Flap,
    Pattern,
    Severity,
    Unanswered,
)
from monitoring.protocol import Level, Protocol, Rule
from monitoring.signs import CONTEXT, Family

LOOK_BACK = timedelta(hours=24)
"""How far a trend may reach; the flap's baseline is always within reach."""


def assess(flap: Flap, check: Check, earlier: Sequence[Check], protocol: Protocol) -> Assessment:
    """What the protocol says of a check.

    ``earlier`` runs in order of observation, holds nothing observed after the check, and is
    limited by the caller to what was recorded by then. Checks from before the flap was last back
    from theatre, or more than 24 h old, are not looked at.
    """
    if flap.returns:
        flap = flap.as_of(check.observed_at)
    view = view_of(flap, check, earlier, protocol)
    findings: list[Finding] = []
    unanswered: list[Unanswered] = []
    for rule, decision in zip(protocol.check_rules, protocol.plan.decide(view), strict=True):
        if decision.level is not None:
            findings.append(_finding(rule, rule.levels[decision.level], view))
        if decision.lacked:
            unanswered.append(Unanswered(rule.id, decision.lacked))
    if check.nurse_concern:
        findings = _heed_concern(findings, view)
    findings.sort(key=_worst_and_plainest_first)
    return Assessment(
        findings=tuple(findings),
        unanswered=tuple(unanswered),
        full=protocol.is_full(check, flap.facts),
        protocol_id=protocol.id,
        protocol_version=protocol.version,
        protocol_hash=protocol.hash,
        confounders=tuple(_confounders(view)) if findings else (),
    )


def _worst_and_plainest_first(finding: Finding) -> tuple[int, bool]:
    """Of two equally loud findings the one that names a picture comes first."""
    vague = finding.pattern in (Pattern.INDETERMINATE, Pattern.MONITORING)
    return -finding.severity.rank, vague


def view_of(flap: Flap, check: Check, earlier: Sequence[Check], protocol: Protocol) -> View:
    """The check with as much of its history as a rule may look at.

    Raises ValueError if ``earlier`` holds a check observed after it.
    """
    if earlier and earlier[-1].observed_at > check.observed_at:
        raise ValueError("earlier holds a check observed after the one being judged")
    reach = check.observed_at - LOOK_BACK
    if flap.returns:
        reach = max(reach, flap.slots_from)
    start = bisect_left(earlier, reach, key=lambda c: c.observed_at)
    checks = [*earlier[start:], check]
    hour = (check.observed_at - flap.slots_from) / timedelta(hours=1)
    required = protocol.required_for(flap.facts)
    return View(flap, checks, len(checks) - 1, required, protocol.phase_at(hour).every_minutes)


def _finding(rule: Rule, level: Level, view: View) -> Finding:
    readings: dict[tuple[str, object], Evidence] = {}
    for reading in level.when.evidence(view):
        readings.setdefault((reading.sign, reading.check_key), reading)
    evidence = tuple(readings.values())
    severity = level.severity
    if severity is Severity.RED and _only_refill(evidence):
        severity = Severity.AMBER  # refill persisted 75 min after devascularisation: Sandberg12
    return Finding(
        rule=rule.id,
        severity=severity,
        pattern=level.pattern or rule.pattern,
        because=_sentence(level.when.phrases(view)),
        at=view.check.observed_at,
        evidence=evidence,
        citations=rule.citations,
        do_now=level.do_now.strip(),
        recheck_minutes=level.recheck_minutes,
        if_unmet=level.if_unmet,
    )


def _only_refill(evidence: Iterable[Evidence]) -> bool:
    return {READABLE[e.sign].family for e in evidence} == {Family.REFILL}


def _sentence(phrases: list[str]) -> str:
    text = ", ".join(phrases)
    return f"{text[:1].upper()}{text[1:]}."


def _heed_concern(findings: list[Finding], view: View) -> list[Finding]:
    """Nurse concern alone is at least amber and cannot be suppressed, whatever the file says."""
    loud = [
        replace(f, severity=max(f.severity, Severity.AMBER, key=lambda s: s.rank))
        if f.rule == "N1"
        else f
        for f in findings
    ]
    if any(f.rule == "N1" for f in loud):
        return loud
    about = view.check.concern_about
    return [
        *loud,
        Finding(
            rule="N1",
            severity=Severity.AMBER,
            pattern=Pattern.INDETERMINATE,
            because=f"Nurse concern: {about}." if about else "Nurse concern.",
            at=view.check.observed_at,
            evidence=(view.evidence("nurse_concern"),),
            citations=("EHR-WA",),
            do_now="Ask for a review at the bedside.",
        ),
    ]


def _confounders(view: View) -> Iterator[Evidence]:
    for name in CONTEXT:
        if view.read(name) is not None:
            yield view.evidence(name)


def known_by(checks: Sequence[Check], check: Check) -> list[Check]:
    """The checks observed before this one that had been recorded when it was."""
    return [
        c
        for c in checks
        if c.observed_at < check.observed_at and c.recorded_at <= check.recorded_at
    ]


def judge_stay(
    flap: Flap, checks: Sequence[Check], protocol: Protocol
) -> Iterator[tuple[Check, Assessment]]:
    """Every check of a stay in order of observation, judged on all that came before it.

    The baseline is found on the way: the first full check without a finding since the flap was
    last perfused, unless the flap already carries one that a surgeon set.
    """
    ordered = sorted(checks, key=lambda c: c.observed_at)
    start = 0
    for index, check in enumerate(ordered):
        while ordered[start].observed_at < check.observed_at - LOOK_BACK:
            start += 1
        judged = assess(flap, check, ordered[start:index], protocol)
        yield check, judged
        current = flap.as_of(check.observed_at)
        if current.baseline is None and is_baseline(check, judged):
            flap = replace(flap, baseline=check, baseline_set=False)


def is_baseline(check: Check, judged: Assessment) -> bool:
    """Whether a check may stand as the flap's baseline: full, and without a finding."""
    return judged.full and not judged.findings
