"""Alerts in the words of a card: what, where, since when, why, who has it, and the proof."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monitoring import alarm, ward
from monitoring.answers import answers_to
from monitoring.board import (
    Bedside,
    Tile,
    hours_text,
    tile,
)
from monitoring.calls import who_has_it
from monitoring.clocks import clock
from monitoring.components.photo_shapes import BesideView
from monitoring.components.stay_shapes import (
    AlertCard,
    AlertsData,
    PictureView,
)
from monitoring.conditions import lasting
from monitoring.domain import (
    SYSTEM,
    AlertState,
    Finding,
    Flap,
    Severity,
    Stream,
    derive,
)
from monitoring.episodes import StoredAlert, StoredAssessment
from monitoring.ladder import ladder_of
from monitoring.last_checks import last_checks, until
from monitoring.protocol import Protocol, Rule
from monitoring.schedule import ENTRY_GRACE, next_due
from monitoring.signs import DERIVED, EVERY_SIGN, SIGNS, SignValue
from monitoring.views import namesake, spark_view
from monitoring.ward import Snapshot


def alerts_data(
    found: Snapshot, judged: Mapping[Any, StoredAssessment], *, now: datetime, zone: ZoneInfo,
    acting: str = "",
) -> AlertsData:  # fmt: skip
    """Every alert that is not closed, the worst first: the alerts page. One whose flap has ended
    or cannot be read has a bare card, never none. ``acting`` is in whose name answers are given,
    where the page knows."""
    known = {b.flap.id: b for b in found.beds}
    ordered = worst_first(found.alerts)
    cards = []
    for alert in ordered:
        bed = known.get(alert.flap_id)
        cards.append(
            bare_card(alert, found, now=now, zone=zone, acting=acting) if bed is None
            else alert_card(
                alert, bed, judged, found.names, now=now, zone=zone, others=found.beds,
                acting=acting,
            )
        )  # fmt: skip
    return AlertsData(
        title="Alerts",
        shown_time=f"{now.astimezone(zone):%H:%M:%S}",
        summary=_summary(ordered),
        empty_text="No alert is open. That is not a clean bill: the board shows what is overdue.",
        named=True,
        acting=acting,
        unowned=unowned(ordered),
        cards=cards,
    )


def unowned(alerts: Iterable[StoredAlert]) -> int:
    """How many reds nobody has."""
    return sum(a.severity is Severity.RED and a.state is AlertState.OPEN for a in alerts)


def pictures(beside: BesideView) -> list[PictureView]:
    """The flap's newest photo and the one to hold it against, for a card."""
    shown = [("Newest photo", beside["latest"]), (beside["baseline_word"], beside["baseline"])]
    return [
        PictureView(source=p["small"], alt=p["alt"], caption=f"{word}, {p['time']}")
        for word, p in shown
        if p is not None and p["small"]
    ]


def alone(
    alert: StoredAlert, card: AlertCard, *, open_reds: int, now: datetime, zone: ZoneInfo,
    acting: str = "",
) -> AlertsData:  # fmt: skip
    """One alert by itself, as a message's link opens it."""
    return AlertsData(
        title="",
        shown_time=f"{now.astimezone(zone):%H:%M:%S}",
        summary="",
        empty_text="",
        named=True,
        acting=acting,
        unowned=open_reds,
        cards=[card],
    )


def worst_first(alerts: Iterable[StoredAlert]) -> list[StoredAlert]:
    """The order of alerts: severity, then what nobody has, clinical before checks, then age."""
    return sorted(
        alerts,
        key=lambda a: (-a.severity.rank, a.state is AlertState.ACKNOWLEDGED,
                       a.stream is Stream.MONITORING, a.raised_at),
    )  # fmt: skip


def _summary(alerts: Sequence[StoredAlert]) -> str:
    if not alerts:
        return ""
    nobody = sum(a.state is AlertState.OPEN for a in alerts)
    counts = [
        f"{n} {severity}" for severity in (Severity.RED, Severity.AMBER)
        if (n := sum(a.severity is severity for a in alerts))
    ]  # fmt: skip
    return f"{', '.join(counts)}; nobody has {nobody} of them yet"


def alert_card(
    alert: StoredAlert, bed: Bedside, judged: Mapping[Any, StoredAssessment],
    names: Mapping[str, str], *, now: datetime, zone: ZoneInfo, others: Iterable[Bedside] = (),
    story: Sequence[str] = (), pictures: Sequence[PictureView] = (), acting: str = "",
) -> AlertCard:  # fmt: skip
    """One alert as a card, in the order of SBAR; ``others`` is the ward (for namesakes), ``story``
    what happened in lines, ``pictures`` the flap now and as it was."""
    closed = alert.state is AlertState.CLOSED
    said = _alone(alert, bed, names, now, zone)
    seen = until(alert, bed)
    columns, rows = last_checks(alert, bed, seen, now, zone)
    last = judged.get(seen[-1].check.key) if seen else None
    rule = _rule(bed.protocol, alert.rule)
    return AlertCard(
        id=alert.id,
        flap_id=alert.flap_id,
        severity=alert.severity.value,
        word=alert.severity.upper(),
        pattern="" if alert.stream is Stream.MONITORING else said.pattern,
        state=alert.state.value,
        bed=f"Bed {bed.patient.bed}",
        name=bed.patient.name,
        mrn=bed.patient.mrn,
        flap=f"{bed.flap.facts.label} · {hours_words(bed.flap, now)}",
        namesake=namesake(bed, others) or "",
        since=_since(alert, now, zone),
        marks=_marks(alert, bed, now, zone),
        background=_background(bed, now, zone),
        why=alert.because,
        readings=_readings(alert, bed),
        also=_also(alert),
        asked="" if closed else _asked(alert, now, zone),
        do_now=[] if closed else _do_now(alert),
        plan=_closed(alert, names, now, zone) if closed else said.plan,
        plan_has=closed or said.plan_has,
        pictures=list(pictures),
        spark=spark_view(said),
        columns=columns,
        checks=rows,
        beside="" if last is None else _beside(last),
        unanswered="" if last is None else unanswered(last),
        rule=f"{alert.rule} {rule.title}" if rule else alert.rule,
        rule_why="" if rule is None else rule.why.strip(),
        sources=sources(bed.protocol, rule.citations if rule else ()),
        protocol=protocol_words(bed.protocol),
        evidence=[_evidence(f, names, now, zone) for f in alert.findings],
        story=list(story),
        answers=answers_to(alert, now, zone, acting=acting),
    )


def bare_card(
    alert: StoredAlert, found: Snapshot, *, now: datetime, zone: ZoneInfo, acting: str = ""
) -> AlertCard:
    """An alert of a flap that has ended or cannot be read: whose, why, who has it, the answers."""
    whose = found.whose.get(alert.flap_id)
    plan, has = who_has_it(
        ward.open_alert(alert, found.names, found.sent.get(alert.id, ())), now, zone
    )
    ended = "" if whose is None or whose.ended_at is None else clock(whose.ended_at, zone, now)
    return AlertCard(
        id=alert.id,
        flap_id=alert.flap_id,
        severity=alert.severity.value,
        word=alert.severity.upper(),
        pattern="" if alert.pattern is None else alert.pattern.replace("_", " "),
        state=alert.state.value,
        bed="Bed unknown" if whose is None else f"Bed {whose.bed}",
        name="name unknown" if whose is None else whose.name or "name cannot be read",
        mrn="unknown" if whose is None else whose.mrn,
        flap=f"flap {alert.flap_id}" if whose is None else whose.label,
        namesake="",
        since=_since(alert, now, zone),
        marks=[
            "The record of this flap cannot be read: check the flap by hand."
            if alert.flap_id in found.unreadable
            else f"Monitoring of this flap ended {ended}; this alert was not closed."
        ],
        background="",
        why=alert.because,
        readings=[],
        also=_also(alert),
        asked=_asked(alert, now, zone),
        do_now=_do_now(alert),
        plan=plan,
        plan_has=has,
        pictures=[],
        spark=None,
        columns=[],
        checks=[],
        beside="",
        unanswered="",
        rule=alert.rule,
        rule_why="",
        sources=[],
        protocol="",
        evidence=[_evidence(f, found.names, now, zone) for f in alert.findings],
        story=[],
        answers=answers_to(alert, now, zone, acting=acting),
    )


def _alone(
    alert: StoredAlert, bed: Bedside, names: Mapping[str, str], now: datetime, zone: ZoneInfo
) -> Tile:
    """The flap's tile as if this were its only alert: the same words as on the board."""
    known = (a for a in bed.alerts if a.id == alert.id)
    only = next(known, None) or ward.open_alert(alert, names)
    return tile(replace(bed, alerts=(only,)), now, zone)


def _background(bed: Bedside, now: datetime, zone: ZoneInfo) -> str:
    """What a surgeon who does not know the patient needs: the operation, its vessels, what counts
    against the flap, and when it is looked at next."""
    facts = bed.flap.facts
    said = [hours_words(bed.flap, now)]
    said += [f"surgeon {facts.surgeon}"] if facts.surgeon else []
    said += [facts.anastomosis.strip()] if facts.anastomosis and facts.anastomosis.strip() else []
    said += [f"skin type {facts.skin_type}"] if facts.skin_type else []
    said += [", ".join(sorted(r.replace("_", " ") for r in facts.risk_factors))] if (
        facts.risk_factors
    ) else []  # fmt: skip
    due = next_due(bed.flap, bed.protocol, [s.look for s in bed.seen], bed.rechecks, now)
    said += [f"{due.kind} due {clock(due.at, zone, now)}"] if due.at is not None else []
    return f"{'; '.join(said)}."


def _readings(alert: StoredAlert, bed: Bedside) -> list[str]:
    """The readings that decide, each with where its rule begins to speak and with the baseline."""
    baseline, said = bed.flap.baseline, []
    for one in (e for f in _reason(alert) for e in f.evidence if e.at == f.at or f.if_unmet):
        against = []
        if baseline is not None and one.sign in EVERY_SIGN:
            usual = derive(one.sign, baseline) if one.sign in DERIVED else baseline.signs.get(
                one.sign
            )  # fmt: skip
            against += [] if usual is None else [f"baseline {_show(one.sign, usual)}"]
        read = one.value if isinstance(one.value, float) else float("-inf")
        limits = [n for n in bed.protocol.limits(one.sign) if read >= n]
        against += [f"speaks from {' or '.join(f'{n:g}' for n in limits)}"] if limits else []
        beside = f" ({', '.join(against)})" if against else ""
        said.append(f"{_label(one.sign)} {_show(one.sign, one.value)}{beside}")
    return list(dict.fromkeys(said))


def _asked(alert: StoredAlert, now: datetime, zone: ZoneInfo) -> str:
    """What the alert asks of whoever reads it: an answer by when, or a decision."""
    ladder = ladder_of(alert.ladder, alert.severity, alert.stream)
    if alert.state is AlertState.ACKNOWLEDGED:
        until = alarm.holds_until(alert)
        back = "" if until is None else f" It comes back at {clock(until, zone, now)} without one."
        return f"A decision.{back}" if alert.plan_until is None else (
            f"The plan stands.{back.replace('without one', 'if it is still open')}"
        )  # fmt: skip
    since = alert.paged_at or alert.raised_at
    by = since + timedelta(minutes=ladder.answer_minutes)
    if alert.stream is Stream.MONITORING:
        return "A check now, or somebody who sees to it."
    late = ", which has passed" if by <= now else ""
    return f"An answer now, a look at the flap by {clock(by, zone, now)}{late}."


def hours_words(flap: Flap, now: datetime) -> str:
    """Hours since perfusion in words: "19 h after perfusion", "3 h since re-perfusion"."""
    said = hours_text(flap, now)
    return said if "since" in said else f"{said} after perfusion"


def protocol_words(protocol: Protocol) -> str:
    """The protocol with its standing: "Skin paddle, version 1: proposed, awaiting …"."""
    return f"{protocol.title}, version {protocol.version}: {protocol.checker}"


def _rule(protocol: Protocol, rule_id: str) -> Rule | None:
    return next((r for r in protocol.rules if r.id == rule_id), None)


def sources(protocol: Protocol, citations: Iterable[str]) -> list[str]:
    """Each source in full."""
    return [f"{c}: {protocol.citations.get(c, 'not listed')}" for c in citations]


def _since(alert: StoredAlert, now: datetime, zone: ZoneInfo) -> str:
    first = alert.first_sign_at or alert.raised_at
    said = [f"first sign {clock(first, zone, now)}", f"raised {clock(alert.raised_at, zone, now)}"]
    if alert.paged_at is not None and alert.pages > 1:
        said.append(f"loud again {clock(alert.paged_at, zone, now)}")
    if alert.closed_at is None:
        said.append(f"{lasting(now - first)} ago")
    return " · ".join(said)


def _marks(alert: StoredAlert, bed: Bedside, now: datetime, zone: ZoneInfo) -> list[str]:
    said = []
    first = alert.findings[0] if alert.findings else None
    if first is not None and alert.raised_at - first.at > ENTRY_GRACE:
        when = clock(first.at, zone, now)
        said.append(f"{_late_word(alert, first, bed)}: would have fired at {when}.")
    if alert.recovered_at is not None and alert.closed_at is None:
        said.append(f"Recovered at {clock(alert.recovered_at, zone, now)}, not closed.")
    if alert.amended_at is not None:
        when = clock(alert.amended_at, zone, now)
        said.append(f"A value behind this alert was amended or struck at {when}; it stays.")
    return said


def _late_word(alert: StoredAlert, first: Finding, bed: Bedside) -> str:
    """Why an alert was raised long after the moment it speaks of."""
    if alert.stream is Stream.MONITORING:
        return "Noticed late"
    keys = {e.check_key for e in first.evidence if e.at == first.at}
    amended = any(
        s.check.key in keys and s.first_recorded_at not in (None, s.check.recorded_at)
        for s in bed.seen
    )
    return "Amended later" if amended else "Entered late"


def _newest(alert: StoredAlert) -> list[Finding]:
    """What the latest check (or deadline) added."""
    latest = max((f.at for f in alert.findings), default=None)
    return [f for f in alert.findings if f.at == latest]


def _reason(alert: StoredAlert) -> list[Finding]:
    """The findings that are the alert's reason, the latest of each."""
    said = [f for f in alert.findings if f.because == alert.because]
    latest = max((f.at for f in said), default=None)
    return [f for f in said if f.at == latest]


def _also(alert: StoredAlert) -> list[str]:
    """The other things the newest check said, each once."""
    return list(dict.fromkeys(f.because for f in _newest(alert) if f.because != alert.because))


def _do_now(alert: StoredAlert) -> list[str]:
    """What the rules behind the reason ask for; the quieter ones say less than they do."""
    worst = [f.do_now for f in _reason(alert) if f.do_now]
    return list(dict.fromkeys(worst))


def _closed(alert: StoredAlert, names: Mapping[str, str], now: datetime, zone: ZoneInfo) -> str:
    assert alert.closed_at is not None
    by = "by itself" if alert.closed_by == SYSTEM else f"by {_name(alert.closed_by, names)}"
    reason = (alert.close_reason or "").replace("_", " ")
    return f"Closed {clock(alert.closed_at, zone, now)} {by}: {reason}"


def _name(staff_id: str | None, names: Mapping[str, str]) -> str:
    return names.get(staff_id or "", staff_id or "")


def _beside(last: StoredAssessment) -> str:
    """What may explain the readings away, shown beside them and never hiding them."""
    said = [f"{_label(e.sign)} {_show(e.sign, e.value)}" for e in last.assessment.confounders]
    return f"To weigh: {', '.join(dict.fromkeys(said))}." if said else ""


def unanswered(last: StoredAssessment) -> str:
    """What nobody looked at and would answer more rules."""
    lacked = {n for u in last.assessment.unanswered for n in u.lacked if n in SIGNS}
    found = [SIGNS[n].label for n in SIGNS if n in lacked]
    return f"Unanswered: {', '.join(found)}." if found else ""


def _label(sign: str) -> str:
    known = EVERY_SIGN.get(sign)
    return known.label if known is not None else sign.replace("_", " ").capitalize()


def _show(sign: str, value: SignValue) -> str:
    known = EVERY_SIGN.get(sign)
    return known.show(value) if known is not None else str(value).replace("_", " ")


# Proof and story ------------------------------------------------------------------------------


def _evidence(finding: Finding, names: Mapping[str, str], now: datetime, zone: ZoneInfo) -> str:
    """A finding with every reading it rests on: value, time and author."""
    said = [
        f"{_label(e.sign)} {_show(e.sign, e.value)}"
        f" ({', '.join(filter(None, [e.remark, clock(e.at, zone, now), _name(e.by, names)]))})"
        for e in finding.evidence
    ]
    head = f"{clock(finding.at, zone, now)} {finding.severity.upper()} {finding.rule}"
    return f"{head}: {'; '.join(dict.fromkeys(said))}" if said else f"{head}: {finding.because}"


def expected(now: datetime, minutes: int) -> datetime:
    """When somebody who needs so many minutes will be there."""
    return now + timedelta(minutes=minutes)


def answered(
    alert: StoredAlert, bed_words: str, names: Mapping[str, str], *, now: datetime, zone: ZoneInfo
) -> tuple[str, str]:
    """What was done to an alert, read back from the record: a title and a sentence."""
    what = f"{alert.severity.upper()} alert, {bed_words}"
    if alert.state is AlertState.CLOSED:
        return "Closed", f"{what}. {_closed(alert, names, now, zone)}."
    plan, has = who_has_it(ward.open_alert(alert, names), now, zone)
    if has:
        until = alarm.holds_until(alert)
        back = "" if until is None else f" It comes back at {clock(until, zone, now)} undecided."
        return "Acknowledged", f"{what}. {plan[:1].upper()}{plan[1:]}.{back}"
    if alert.passed_to is not None:
        to = _name(alert.passed_to, names)
        return "Passed on", f"{what}. {to} is being told; until they answer nobody has it."
    if alert.snoozed_until is not None:
        return (
            "Paging rests",
            f"{what}. Until {clock(alert.snoozed_until, zone, now)}; it stays open.",
        )
    return "Open again", f"{what}. It became worse meanwhile: nobody has it now."
