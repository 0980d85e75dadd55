"""Alerts in the words of a card: what, where, since when, why, who has it, and the proof."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monitoring import ward
from monitoring.board import (
    Bedside,
    SeenCheck,
    Tile,
    hours_text,
    tile,
)
from monitoring.calls import INTENT_WORDS
from monitoring.clocks import clock
from monitoring.components.stay_shapes import (
    AlertCard,
    AlertsData,
    AnswerView,
    CellView,
    LastCheckView,
)
from monitoring.conditions import lasting
from monitoring.domain import (
    SYSTEM,
    AlertState,
    Check,
    Finding,
    Flap,
    Intent,
    Severity,
    Stream,
    derive,
)
from monitoring.episodes import AlertEvent, StoredAlert, StoredAssessment
from monitoring.protocol import Protocol, Rule
from monitoring.schedule import ENTRY_GRACE, SlotState, fill
from monitoring.signs import EVERY_SIGN, SIGNS, SignValue, Unable
from monitoring.stay_words import SHORT
from monitoring.views import namesake
from monitoring.ward import Snapshot

LAST = 6
"""How many checks stand under an alert."""

COLUMNS = 5
"""How many signs those checks show: what a telephone is wide enough for."""

ANSWERS = (
    AnswerView(kind=Intent.COMING, label="Coming"),
    AnswerView(kind=Intent.ADVISING, label="Advise"),
    AnswerView(kind=Intent.PASSING, label="Pass on"),
)
HELD_ANSWERS = (AnswerView(kind=Intent.COMING, label="Change what I do"),)

_SIGNS = (
    "colour", "refill", "temp_gap_c", "doppler_artery", "doppler_vein", "implant_signal",
    "turgor", "prick", "sto2_percent", "drain_ml_per_h", "swelling", "pain",
)  # fmt: skip
_HEADS = {"refill": "Refill s", "temp_gap_c": "Gap °C", "sto2_percent": "StO2 %",
          "drain_ml_per_h": "Drain mL/h"}  # fmt: skip
_SAME_READING = {"temp_gap_change_c": "temp_gap_c", "refill_presses": "refill"}
Reading = tuple[str, str]
"""A check's key and a sign of it."""


def alerts_data(
    found: Snapshot, judged: Mapping[Any, StoredAssessment], *, now: datetime, zone: ZoneInfo
) -> AlertsData:
    """Every alert that is not closed, the worst first: the alerts page. One whose flap has ended
    or cannot be read has a bare card, never none."""
    known = {b.flap.id: b for b in found.beds}
    ordered = worst_first(found.alerts)
    cards = []
    for alert in ordered:
        bed = known.get(alert.flap_id)
        cards.append(
            bare_card(alert, found, now=now, zone=zone) if bed is None else alert_card(
                alert, bed, judged, found.names, now=now, zone=zone, others=found.beds
            )
        )  # fmt: skip
    return AlertsData(
        title="Alerts",
        shown_time=f"{now.astimezone(zone):%H:%M:%S}",
        summary=_summary(ordered),
        empty_text="No alert is open. That is not a clean bill: the board shows what is overdue.",
        named=True,
        cards=cards,
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
    story: Iterable[AlertEvent] = (),
) -> AlertCard:  # fmt: skip
    """One alert as a card; ``others`` is the ward (for namesakes), ``story`` what happened."""
    closed = alert.state is AlertState.CLOSED
    said = _alone(alert, bed, names, now, zone)
    seen = _until(alert, bed)
    columns, rows = _last_checks(alert, bed, seen, now, zone)
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
        why=alert.because,
        also=_also(alert),
        do_now=[] if closed else _do_now(alert),
        plan=_closed(alert, names, now, zone) if closed else said.plan,
        plan_has=closed or said.plan_has,
        columns=columns,
        checks=rows,
        beside="" if last is None else _beside(last),
        unanswered="" if last is None else unanswered(last),
        rule=f"{alert.rule} {rule.title}" if rule else f"Rule {alert.rule}",
        rule_why="" if rule is None else rule.why.strip(),
        sources=sources(bed.protocol, rule.citations if rule else ()),
        protocol=protocol_words(bed.protocol),
        evidence=[_evidence(f, names, now, zone) for f in alert.findings],
        story=[_told(e, names, now, zone) for e in story if e.alert_id == alert.id],
        answers=_answers(alert),
    )


def bare_card(alert: StoredAlert, found: Snapshot, *, now: datetime, zone: ZoneInfo) -> AlertCard:
    """An alert of a flap that has ended or cannot be read: whose, why, who has it, the answers."""
    whose = found.whose.get(alert.flap_id)
    has_it = _has_it(alert, found.names, now, zone)
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
        why=alert.because,
        also=_also(alert),
        do_now=_do_now(alert),
        plan=has_it or "nobody has it yet",
        plan_has=bool(has_it),
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
        answers=_answers(alert),
    )


def _alone(
    alert: StoredAlert, bed: Bedside, names: Mapping[str, str], now: datetime, zone: ZoneInfo
) -> Tile:
    """The flap's tile as if this were its only alert: the same words as on the board."""
    return tile(replace(bed, alerts=(ward.open_alert(alert, names),)), now, zone)


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


def _answers(alert: StoredAlert) -> list[AnswerView]:
    if alert.state is AlertState.CLOSED:
        return []
    mine = ANSWERS if alert.state is AlertState.OPEN else HELD_ANSWERS
    return [*mine, AnswerView(kind="close", label="Close")]


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


def _also(alert: StoredAlert) -> list[str]:
    """The other things the newest check said, each once."""
    return list(dict.fromkeys(f.because for f in _newest(alert) if f.because != alert.because))


def _do_now(alert: StoredAlert) -> list[str]:
    """What the rules behind the reason ask for; the quieter ones say less than they do."""
    worst = [f.do_now for f in _newest(alert) if f.because == alert.because and f.do_now]
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


# The last checks ------------------------------------------------------------------------------


def decisive_readings(findings: Iterable[Finding]) -> frozenset[Reading]:
    """The readings that findings rest on, each with the check that the finding was made of; what
    it was compared with (a baseline, an earlier check) is not hot."""
    return frozenset(
        (str(e.check_key), _SAME_READING.get(e.sign, e.sign))
        for f in findings
        for e in f.evidence
        if e.check_key is not None and e.at == f.at
    )


def _until(alert: StoredAlert, bed: Bedside) -> Sequence[SeenCheck]:
    """The last checks; of a closed alert, those that stood when it was closed."""
    end = alert.closed_at
    return [s for s in bed.seen if end is None or s.check.observed_at <= end][-LAST:]


def _last_checks(
    alert: StoredAlert, bed: Bedside, seen: Sequence[SeenCheck], now: datetime, zone: ZoneInfo
) -> tuple[list[str], list[LastCheckView]]:
    hot = decisive_readings(alert.findings)
    columns = _columns([s.check for s in seen], {sign for _, sign in hot})
    rows = [(s.check.observed_at, _row(s.check, columns, hot, now, zone)) for s in seen]
    rows += [
        (at, LastCheckView(time=clock(at, zone, now), cells=[], gap="missed"))
        for at in missed(bed, now)
        if seen and seen[0].check.observed_at < at <= (alert.closed_at or now)
    ]
    rows.sort(key=lambda row: row[0], reverse=True)
    return [_HEADS.get(c, SHORT.get(c, SIGNS[c].label if c in SIGNS else c)) for c in columns], [
        row for _, row in rows[:LAST]
    ]


def missed(bed: Bedside, now: datetime) -> list[datetime]:
    """The slots of the stay that nobody filled."""
    filled = fill(bed.flap, bed.protocol, [s.look for s in bed.seen], now)
    return [f.slot.at for f in filled if f.state is SlotState.MISSED]


def _columns(checks: Sequence[Check], decisive: set[str]) -> list[str]:
    """The signs to show: those an alert rests on come first, the order is always the same."""
    used = [s for s in _SIGNS if s in decisive or any(_value(s, c) is not None for c in checks)]
    first = [*(s for s in used if s in decisive), *(s for s in used if s not in decisive)]
    return [s for s in used if s in first[:COLUMNS]]


def _value(sign: str, check: Check) -> SignValue | None:
    if sign != "temp_gap_c":
        return check.signs.get(sign)
    gap = derive("temp_gap_c", check)
    parts = (check.signs.get(n) for n in ("flap_temp_c", "control_temp_c"))
    return gap if gap is not None else next((p for p in parts if isinstance(p, Unable)), None)


def _row(
    check: Check, columns: Iterable[str], hot: frozenset[Reading], now: datetime, zone: ZoneInfo
) -> LastCheckView:
    cells = [_cell(sign, check, (str(check.key), sign) in hot) for sign in columns]
    return LastCheckView(time=clock(check.observed_at, zone, now), cells=cells, gap="")


def _cell(sign: str, check: Check, hot: bool) -> CellView:
    value = _value(sign, check)
    if value is None:
        return CellView(text="–", tone="blank", said="not looked at")
    if isinstance(value, Unable):
        return CellView(text="unable", tone="unable", said=str(value))
    shown = EVERY_SIGN[sign].show(value).removesuffix(EVERY_SIGN[sign].unit).strip()
    return CellView(text=shown, tone="hot" if hot else "plain")


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


def _told(event: AlertEvent, names: Mapping[str, str], now: datetime, zone: ZoneInfo) -> str:
    """One line of an alert's story: "13:58 acknowledged by Dr M. Osei: coming, 14:10"."""
    if event.by == SYSTEM and event.kind == "join":
        return f"{clock(event.at, zone, now)} a look asked for was missed, said the alert engine"
    by = "the alert engine" if event.by == SYSTEM else _name(event.by, names)
    return f"{clock(event.at, zone, now)} {_TOLD.get(event.kind, event.kind)} by {by}" + _detail(
        event, now, zone
    )


_TOLD = {
    "raise": "raised on a check",
    "join": "joined by a further check",
    "worsen": "worse, loud again: check",
    "recur": "back again, loud again: check",
    "recover": "recovered: clear full check",
    "acknowledge": "acknowledged",
    "close": "closed",
    "amended": "check behind it changed",
}


def _detail(event: AlertEvent, now: datetime, zone: ZoneInfo) -> str:
    detail = event.detail
    if event.kind == "acknowledge":
        expected = datetime.fromisoformat(str(detail["expected_at"]))
        intent = INTENT_WORDS[Intent(str(detail["intent"]))]
        return f": {intent}, by {clock(expected, zone, now)}"
    if event.kind in ("close", "amended"):
        return f": {str(detail.get('reason', detail.get('why', ''))).replace('_', ' ')}"
    said = list(dict.fromkeys(map(str, detail.get("because") or ())))
    severity = str(detail.get("severity", "")).upper()
    return f" · {severity}: {' '.join(said)}" if said else ""


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
    if alert.acknowledged_at is None or alert.intent is None or alert.expected_at is None:
        return "Open again", f"{what}. It became worse meanwhile: nobody has it now."
    return "Acknowledged", f"{what}. {_has_it(alert, names, now, zone)}."


def _has_it(alert: StoredAlert, names: Mapping[str, str], now: datetime, zone: ZoneInfo) -> str:
    """Who has it: "Dr Diaz: coming, expected 14:10"; nothing when nobody has."""
    if alert.acknowledged_at is None or alert.intent is None or alert.expected_at is None:
        return ""
    who = _name(alert.acknowledged_by, names)
    return f"{who}: {INTENT_WORDS[alert.intent]}, expected {clock(alert.expected_at, zone, now)}"
