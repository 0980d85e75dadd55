"""A stay in the words of its page: who and how now, the picture's tables, checks, facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pandas as pd

from monitoring.alert_views import (
    alert_card,
    hours_words,
    protocol_words,
    worst_first,
)
from monitoring.board import Bedside, tile
from monitoring.checks import StoredCheck
from monitoring.clocks import clock
from monitoring.components.shapes import TileSeverity
from monitoring.components.stay_shapes import (
    AlertsData,
    CheckRowView,
    CheckTableData,
    HeadData,
    SignView,
    Tone,
    VersionView,
)
from monitoring.domain import AlertState, Check, Severity, Source, derive
from monitoring.episodes import StoredAlert
from monitoring.frames import (
    EventKind,
    StayEvent,
    StayFacts,
    checks_frame,
    events_frame,
    slots_frame,
)
from monitoring.last_checks import Reading, decisive_readings, missed
from monitoring.schedule import ENTRY_GRACE, fill
from monitoring.signs import EVERY_SIGN, SIGNS, SignValue, Unable
from monitoring.stay_words import SEVERITY_WORDS, SHORT, local
from monitoring.timeline import interval_words, intervals, story_lines, timeline
from monitoring.views import namesake, slot_text
from monitoring.ward import Stay

FIRST = 12
"""How many rows of the table are shown before more are asked for."""


def head_data(stay: Stay, ward: Iterable[Bedside], *, now: datetime, zone: ZoneInfo) -> HeadData:
    """Whose flap it is, how it stands and who has it; ``ward`` is asked for namesakes."""
    bed = stay.bed
    shown = tile(bed, now, zone)
    patient, flap = bed.patient, bed.flap
    ended = flap.ended_at
    last = f"last check {shown.last_time}, {shown.last_ago}" if bed.seen else "no check yet"
    head = HeadData(
        shown_time=f"{now.astimezone(zone):%H:%M:%S}",
        name=patient.name,
        born=f"{patient.born_on:%d %b %Y}",
        mrn=patient.mrn,
        bed=f"{patient.ward}, bed {patient.bed}",
        label=flap.facts.label,
        hours=hours_words(flap, now),
        namesake=namesake(bed, ward) or "",
        protocol=f"Protocol {protocol_words(bed.protocol)}",
        severity=shown.state.value,
        word=shown.word,
        pattern=shown.pattern,
        since=shown.since,
        why=[
            {"text": f" {text}" if place else text, "strong": strong}
            for place, (text, strong) in enumerate(shown.why)
        ],
        plan=shown.plan,
        plan_has=shown.plan_has,
        last=last,
        due=slot_text(shown.due, now, zone, stay.names),
        note=shown.note,
    )
    if ended is None:
        return head
    word = f"Monitoring ended {local(ended, zone)}"
    return {**head, "severity": "unknown", "word": word, "pattern": "", "since": "", "due": ""}


def marker(stay: Stay) -> tuple[object, ...]:
    """What differs once anything of the stay was written: the page is then drawn anew."""
    flap = stay.bed.flap
    return (
        len(stay.versions), sum(v.current for v in stay.versions), len(stay.events),
        tuple((a.id, a.state, a.severity) for a in stay.alerts), flap.holds, flap.returns,
        flap.orders, flap.ended_at, len(stay.corrections), stay.outcome,
        tuple((r.key, r.read_back_at) for r in stay.reviews),
    )  # fmt: skip


# The picture ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Picture:
    """The tables and facts that the picture of a stay is drawn from."""

    checks: pd.DataFrame
    slots: pd.DataFrame
    events: pd.DataFrame
    facts: StayFacts


def picture(stay: Stay, *, now: datetime, zone: ZoneInfo) -> Picture:
    """What ``charts.stay`` asks for. Struck checks are in the table, not in the picture."""
    flap, protocol = stay.bed.flap, stay.bed.protocol
    amended = {v.check.key for v in stay.versions if v.current and v.replaces_key is not None}
    checks = checks_frame(stay.bed.seen, flap.facts.perfused_at, amended)
    checks["by"] = [stay.names.get(by, by) for by in checks["by"]]
    base = None if flap.baseline is None else derive("temp_gap_c", flap.baseline)
    return Picture(
        checks=checks,
        slots=slots_frame(fill(flap, protocol, [s.look for s in stay.bed.seen], now)),
        events=events_frame(stay_events(stay)),
        facts=StayFacts(
            perfused_at=flap.facts.perfused_at,
            zone=zone,
            label=f"{stay.bed.patient.name}, {flap.facts.label}",
            baseline_gap=base if isinstance(base, float) else None,
            gap_limits=protocol.limits("temp_gap_c"),
        ),
    )


def stay_events(stay: Stay) -> list[StayEvent]:
    """What happened to the flap and to its record, for the marks across the picture."""
    found = [
        StayEvent(s.hold.from_at, EventKind.HOLD, f"hold: {s.hold.reason}", until=s.hold.until_at)
        for s in stay.holds
    ]
    for alert in stay.alerts:
        word = f"{alert.severity.upper()} {alert.pattern or ''}".strip()
        found.append(StayEvent(alert.raised_at, EventKind.ALERT, word, alert.severity))
        if alert.closed_at is not None:
            found.append(StayEvent(alert.closed_at, EventKind.CLOSED, "closed"))
    found += [
        StayEvent(e.at, EventKind.ACKNOWLEDGED, "acknowledged")
        for e in stay.events
        if e.kind == "acknowledge"
    ]
    for returned in stay.returns:
        found += [
            StayEvent(at, EventKind.RETURN, word)
            for name, word in RETURN_STAGES.items()
            if (at := getattr(returned.value, name)) is not None
        ]
    for version in stay.versions:
        if version.current and version.replaces_key is not None:
            at = version.check.observed_at
            found.append(StayEvent(at, EventKind.AMENDED, "amended"))
        elif version.current and entered_late(version):
            found.append(StayEvent(version.check.observed_at, EventKind.LATE_ENTRY, "late entry"))
    return found


RETURN_STAGES = {
    "decided_at": "return decided",
    "into_theatre_at": "into theatre",
    "perfused_again_at": "perfused again",
    "back_at": "back on the ward",
}
"""The stages of a return to theatre, in their order, in words."""


def entered_late(version: StoredCheck) -> bool:
    """Whether the check was first recorded more than 15 min after it was observed."""
    delay = version.first_recorded_at - version.check.observed_at
    return version.check.source is Source.LATE_ENTRY or delay > ENTRY_GRACE


# Alerts of the stay ---------------------------------------------------------------------------


def alerts_of_stay(stay: Stay, *, now: datetime, zone: ZoneInfo) -> AlertsData:
    """Every alert of the stay with its evidence and story: open ones worst first, then closed."""
    running = worst_first(a for a in stay.alerts if a.state is not AlertState.CLOSED)
    closed = [a for a in reversed(stay.alerts) if a.state is AlertState.CLOSED]
    cards = [
        alert_card(
            a, stay.bed, stay.judged, stay.names, now=now, zone=zone,
            story=story_of(a, stay, now=now, zone=zone),
        )
        for a in [*running, *closed]
    ]  # fmt: skip
    return AlertsData(
        title="", shown_time="", summary="", empty_text="No alert was raised in this stay.",
        named=False,
        acting="",
        unowned=0, cards=cards,
    )  # fmt: skip


def story_of(alert: StoredAlert, stay: Stay, *, now: datetime, zone: ZoneInfo) -> list[str]:
    """An alert's whole conversation in lines, then how long each step took."""
    returns = [r.value for r in stay.returns]
    lines = timeline(
        alert, stay.events, stay.pages.get(alert.id, ()), stay.reviews, returns, stay.names,
        zone, now,
    )  # fmt: skip
    took = intervals(alert, stay.events, stay.reviews, returns)
    return [*story_lines(lines, zone, now), *(interval_words(i, now) for i in took)]


# The table of checks --------------------------------------------------------------------------


def check_table_data(stay: Stay, *, now: datetime, zone: ZoneInfo) -> CheckTableData:
    """Every check and every missed slot, newest first; replaced versions stand beneath theirs."""
    versions = {v.check.key: v for v in stay.versions}
    heads = [v for v in stay.versions if v.replaced_by_key is None]
    rows = [(v.check.observed_at, _check_row(v, versions, stay, now, zone)) for v in heads]
    rows += [(at, _missed_row(at, now, zone)) for at in missed(stay.bed, now)]
    rows.sort(key=lambda row: row[0], reverse=True)
    return CheckTableData(
        rows=[row for _, row in rows], first=FIRST, empty_text="No check has been made yet."
    )


def _missed_row(at: datetime, now: datetime, zone: ZoneInfo) -> CheckRowView:
    return CheckRowView(
        kind="missed", time=clock(at, zone, now), severity="unknown", word="missed: nobody looked",
        because="", by="", marks=[], signs=[], missing="", note="", concern="", said="", older=[],
    )  # fmt: skip


def _check_row(
    head: StoredCheck, versions: Mapping[UUID, StoredCheck], stay: Stay, now: datetime,
    zone: ZoneInfo,
) -> CheckRowView:  # fmt: skip
    judged = stay.judged.get(head.check.key)
    hot = decisive_readings(() if judged is None else judged.assessment.findings)
    struck = head.struck_at is not None
    severity, word = _verdict(head)
    older, newer = [], head
    while newer.replaces_key is not None:
        older.append(_replaced(versions[newer.replaces_key], newer, stay, now, zone))
        newer = versions[newer.replaces_key]
    said = ""
    if struck:
        by, at = _name(stay, head.struck_by), clock(head.struck_at or now, zone, now)
        said = f"Struck through by {by}, {at}: {head.struck_reason}"
    version = _version(head, stay, hot, said, now, zone)
    return CheckRowView(
        **version, kind="struck" if struck else "check", severity=severity, word=word,
        because=head.because or "", older=older,
    )  # fmt: skip


def _verdict(version: StoredCheck) -> tuple[TileSeverity, str]:
    """The check's own severity; an incomplete one without a finding is unknown, never good."""
    if version.struck_at is not None:
        return "unknown", "Struck through"
    severity = version.severity or Severity.NONE
    shape: TileSeverity = severity.value
    if version.is_full:
        return shape, SEVERITY_WORDS[severity]
    if severity is Severity.NONE:
        return "unknown", "Incomplete"
    return shape, f"{SEVERITY_WORDS[severity]}, incomplete"


def _replaced(
    old: StoredCheck, new: StoredCheck, stay: Stay, now: datetime, zone: ZoneInfo
) -> VersionView:
    by, at = _name(stay, new.amended_by), clock(old.replaced_at or now, zone, now)
    said = f"Before it was amended by {by}, {at}: {new.amend_reason}"
    version = _version(old, stay, frozenset(), said, now, zone)
    for sign in version["signs"]:
        if sign not in _signs(new.check, frozenset()):
            sign["tone"] = "changed"
    return version


def _version(
    version: StoredCheck, stay: Stay, hot: frozenset[Reading], said: str, now: datetime,
    zone: ZoneInfo,
) -> VersionView:  # fmt: skip
    check = version.check
    return VersionView(
        time=clock(check.observed_at, zone, now),
        by=_name(stay, check.by),
        marks=_marks(version, stay, now, zone),
        signs=_signs(check, hot),
        missing=_missing(check, stay),
        note=check.note or "",
        concern=_concern(check),
        said=said,
    )


def _marks(version: StoredCheck, stay: Stay, now: datetime, zone: ZoneInfo) -> list[str]:
    marks = []
    if entered_late(version):
        marks.append(f"entered late, {clock(version.first_recorded_at, zone, now)}")
    if version.replaces_key is not None and version.replaced_by_key is None:
        marks.append(f"amended {clock(version.check.recorded_at, zone, now)}")
    baseline = stay.bed.flap.baseline
    if baseline is not None and baseline.key == version.check.key:
        marks.append("baseline")
    if version.check.source in (Source.DEVICE, Source.IMPORT):
        marks.append(str(version.check.source))
    return marks


def _concern(check: Check) -> str:
    if not check.nurse_concern:
        return ""
    return f"Nurse concern: {check.concern_about}" if check.concern_about else "Nurse concern"


def _signs(check: Check, hot: frozenset[Reading]) -> list[SignView]:
    """Every sign somebody answered; the gap stands beside the temperatures it follows from."""
    found = []
    for name in (*SIGNS, "temp_gap_c"):
        value = derive(name, check) if name == "temp_gap_c" else check.signs.get(name)
        if value is not None:
            found.append(_sign(name, value, (str(check.key), name) in hot))
    return found


def _sign(name: str, value: SignValue, hot: bool) -> SignView:
    tone: Tone = "unable" if isinstance(value, Unable) else "hot" if hot else "plain"
    label = SHORT.get(name, EVERY_SIGN[name].label)
    return SignView(label=label, value=EVERY_SIGN[name].show(value), tone=tone)


def _missing(check: Check, stay: Stay) -> str:
    required = stay.bed.protocol.required_for(stay.bed.flap.facts)
    lacked = [SIGNS[n].label for n in required if n not in check.signs]
    return f"Not looked at: {', '.join(lacked)}" if lacked else ""


def _name(stay: Stay, staff_id: str | None) -> str:
    return stay.names.get(staff_id or "", staff_id or "")


def standing_checks(stay: Stay, *, now: datetime, zone: ZoneInfo) -> dict[UUID, str]:
    """The checks that may be amended or struck, newest first, in a line each."""
    standing: Sequence[StoredCheck] = [v for v in reversed(stay.versions) if v.current]
    return {
        v.check.key: f"{clock(v.check.observed_at, zone, now)} · {_verdict(v)[1]} · "
        f"{_name(stay, v.check.by)}"
        for v in standing
    }


def monitored(stay: Stay) -> bool:
    """Whether checks of the flap are still asked for or held."""
    return stay.bed.flap.ended_at is None


def held(stay: Stay, now: datetime) -> bool:
    """Whether the flap is on hold now."""
    return stay.bed.flap.held(now) is not None
