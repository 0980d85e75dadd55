"""From what the ward knows to what the browser components show: words and shapes, no judgement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal
from zoneinfo import ZoneInfo

from monitoring import ward
from monitoring.board import Bedside, Tile, TileState, hours_text, surname
from monitoring.calls import who_has_it
from monitoring.care import Saved
from monitoring.clocks import clock
from monitoring.components import SWATCHES
from monitoring.components.shapes import (
    BoardData,
    CheckFormData,
    CountsView,
    DueView,
    EngineView,
    FoldOption,
    HeaderView,
    MoreGroup,
    ObservedView,
    OptionView,
    RowView,
    ServerView,
    SparkView,
    StaffView,
    TileSeverity,
    TileView,
    VerdictChoice,
    VerdictData,
    VerdictFinding,
)
from monitoring.domain import Assessment, Finding, Monitor, Recipient, Severity, derive
from monitoring.episodes import StoredAlert
from monitoring.people import Staff
from monitoring.queries import Whose
from monitoring.reviews import by_order_words
from monitoring.schedule import Due, DueState, due_words, next_due
from monitoring.signs import SIGNS, Sign, Unable, UnableReason
from monitoring.ward import Snapshot


def board_data(
    found: Snapshot, shown: Sequence[Tile], every: Sequence[Tile], *, ward: str, zone: ZoneInfo,
    stale_seconds: float, mine: frozenset[str], empty: str,
) -> BoardData:  # fmt: skip
    """The whole ward board: the tiles to show, and counts of every tile of the ward."""
    return BoardData(
        header=_header(found, every, ward, zone, stale_seconds),
        tiles=[_tile(t, found.at, zone, t.flap_id in mine) for t in shown],
        empty_text=empty,
    )


def _header(
    found: Snapshot, every: Sequence[Tile], ward: str, zone: ZoneInfo, stale_seconds: float
) -> HeaderView:
    local = found.at.astimezone(zone)
    return HeaderView(
        ward=ward,
        server_time_iso=local.isoformat(),
        shown_time=f"{local:%H:%M:%S}",
        zone_offset=f"{local:%Z}",
        engine=engine(found, stale_seconds),
        counts=_counts(every),
    )


def engine(found: Snapshot, stale_seconds: float) -> EngineView:
    """Whether the watcher runs, judged by its last heartbeat."""
    if found.heartbeat is None:
        return EngineView(state="never", seconds_ago=None)
    ago = (found.at - found.heartbeat.at) / timedelta(seconds=1)
    if abs(ago) > stale_seconds:
        return EngineView(state="stale", seconds_ago=round(ago))
    aside = found.heartbeat.note.get("set_aside")
    if aside:
        return EngineView(state="aside", seconds_ago=round(ago), text=_not_watched(found, aside))
    if found.heartbeat.late:
        late = "; ".join(found.heartbeat.late)
        return EngineView(state="behind", seconds_ago=round(ago), text=late)
    return EngineView(state="ok", seconds_ago=max(round(ago), 0))


def _not_watched(found: Snapshot, flap_ids: Sequence[str]) -> str:
    """How many flaps the watcher had to set aside, and which: "1 flap is not being watched (bed 4,
    MBEKI, Thandi, L breast DIEP)"."""
    known = {b.flap.id: _bed_words(b) for b in found.beds}
    known |= {i: whose_words(w) for i, w in found.whose.items()}
    count = "1 flap is" if len(flap_ids) == 1 else f"{len(flap_ids)} flaps are"
    named = "; ".join(known.get(i, f"flap {i}") for i in flap_ids)
    return f"{count} not being watched ({named})"


def _bed_words(bed: Bedside) -> str:
    return f"bed {bed.patient.bed}, {bed.patient.name}, {bed.flap.facts.label}"


def whose_words(whose: Whose) -> str:
    """Whose a flap is that cannot be read or has ended: bed, name, record number and label, as
    far as they are there."""
    said = (f"bed {whose.bed}", whose.name, f"MRN {whose.mrn}", whose.label)
    return ", ".join(s for s in said if s)


def loud_lines(found: Snapshot, *, alerts: bool = True) -> list[str]:
    """What no tile can say: flaps that cannot be read, and alerts left open on these and on ended
    flaps."""
    unreadable = [
        f"UNKNOWN: the record of {_named(found, i)} cannot be read. Check the flap by hand."
        for i in found.unreadable
    ]
    return unreadable + [
        f"{a.severity.upper()} alert not closed, {_left(found, a)}: {a.because}"
        for a in (found.left if alerts else ())
    ]


def _named(found: Snapshot, flap_id: str) -> str:
    whose = found.whose.get(flap_id)
    return f"flap {flap_id}" if whose is None else whose_words(whose)


def _left(found: Snapshot, alert: StoredAlert) -> str:
    ended = alert.flap_id not in found.unreadable
    return f"{_named(found, alert.flap_id)}{' (monitoring has ended)' if ended else ''}"


def _counts(every: Sequence[Tile]) -> CountsView:
    def of(state: TileState) -> int:
        return sum(t.state is state for t in every)

    return CountsView(
        red=of(TileState.RED), amber=of(TileState.AMBER), yellow=of(TileState.YELLOW),
        unknown=of(TileState.UNKNOWN),
        overdue=sum(t.due.state is DueState.OVERDUE for t in every), flaps=len(every),
    )  # fmt: skip


def _tile(tile: Tile, now: datetime, zone: ZoneInfo, mine: bool) -> TileView:
    return TileView(
        flap_id=tile.flap_id,
        severity=tile.state.value,
        word=tile.word,
        pattern=tile.pattern,
        since=tile.since,
        bed=tile.bed,
        name=tile.name,
        mrn=tile.mrn,
        label=tile.label,
        hours_text=tile.hours_text,
        why=[
            {"text": f" {text}" if place else text, "strong": strong}
            for place, (text, strong) in enumerate(tile.why)
        ],
        plan=tile.plan,
        plan_has=tile.plan_has,
        spark=spark_view(tile),
        last={"time": tile.last_time, "ago": tile.last_ago},
        due=_due(tile, now, zone),
        namesake=tile.namesake,
        mine=mine,
        recovered=tile.recovered,
        note=tile.note,
    )


def spark_view(tile: Tile) -> SparkView | None:
    """The trend of the gap as the browser draws it; None without a temperature."""
    if not any(gap is not None for _, gap in tile.spark.points):
        return None
    return SparkView(
        points=list(tile.spark.points),
        threshold=tile.spark.threshold,
        baseline=tile.spark.baseline,
        turned_minutes_ago=tile.turned_minutes,
    )


def _due(tile: Tile, now: datetime, zone: ZoneInfo) -> DueView:
    due = tile.due
    if due.at is None or due.state in (DueState.HELD, DueState.ENDED):
        word = "" if due.state is DueState.HELD else "monitoring"
        return DueView(
            state="held" if due.state is DueState.HELD else "later", word=word,
            text=tile.due_text, at_iso=None, soon_from_iso=None, overdue_from_iso=None,
            words={"later": word, "due": word, "overdue": word},
        )  # fmt: skip
    overdue = "recheck overdue" if due.kind == "recheck" else "overdue"
    ahead = "recheck" if due.kind == "recheck" else f"due {clock(due.at, zone, now)}"
    return DueView(
        state=_DUE_STATES[due.state],
        word=tile.due_word,
        text=tile.due_text,
        at_iso=due.at.isoformat(),
        soon_from_iso=due.opens.isoformat() if due.opens is not None else None,
        overdue_from_iso=due.closes.isoformat() if due.closes is not None else None,
        words={"later": ahead, "due": ahead, "overdue": overdue},
    )


_DUE_STATES: dict[DueState, Literal["later", "due_soon", "due", "overdue"]] = {
    DueState.LATER: "later", DueState.DUE_SOON: "due_soon", DueState.DUE: "due",
    DueState.OVERDUE: "overdue",
}  # fmt: skip


# The check form ------------------------------------------------------------------------------


def form_data(
    bed: Bedside, others: Iterable[Bedside], staff: Sequence[Staff], *, form_key: str,
    now: datetime, zone: ZoneInfo, errors: Mapping[str, str], questions: Mapping[str, str],
    server: ServerView, folds: Sequence[tuple[str, str]] = (),
) -> CheckFormData:  # fmt: skip
    """One check form: nothing chosen, the last value of each sign beside its control."""
    patient, facts = bed.patient, bed.flap.facts
    due = next_due(bed.flap, bed.protocol, [s.look for s in bed.seen], bed.rechecks, now)
    required = bed.protocol.required_for(facts)
    rows, more = _rows(bed, required, now, zone)
    observed = ObservedView(now_iso=now.astimezone(zone).isoformat())
    if folds:
        observed["fold_options"] = [FoldOption(value=v, label=t) for v, t in folds]
    return CheckFormData(
        form_key=form_key,
        flap_id=bed.flap.id,
        identity={
            "name": patient.name,
            "born": f"{patient.born_on:%d %b %Y}",
            "mrn": patient.mrn,
            "label": facts.label,
            "hours_text": hours_text(bed.flap, now),
            "slot_text": slot_text(due, now, zone, {s.id: s.name for s in staff}),
            "bed": f"Bed {patient.bed}",
            "namesake": namesake(bed, others),
        },
        observed=observed,
        rows=rows,
        more=more,
        unable_reasons=[{"code": r.value, "label": r.replace("_", " ")} for r in UnableReason],
        who={
            "staff": [
                StaffView(id=s.id, name=s.name, role=s.role.replace("_", " ")) for s in staff
            ],
            "chosen": None,
        },
        save_label=f"{patient.name} · {facts.label}",
        errors=dict(errors),
        confirmations=dict(questions),
        server=server,
    )


def slot_text(
    due: Due, now: datetime, zone: ZoneInfo, names: Mapping[str, str] = MappingProxyType({})
) -> str:
    """What this check answers: "recheck in 7 min", "slot 14:00", "on hold: imaging"; and by whose
    order, where the protocol does not ask for it."""
    at, kind = due.at, due.kind
    if at is None or due.state in (DueState.HELD, DueState.ENDED):
        return due_words(due, now)
    what = "recheck" if kind == "recheck" else "check"
    said = f"{what} due {clock(at, zone, now)}, {due_words(due, now)}"
    return said if due.order is None else f"{said}, {by_order_words(due.order, names, zone, now)}"


def namesake(bed: Bedside, others: Iterable[Bedside]) -> str | None:
    """A warning when another patient on the ward shares the family name."""
    me = bed.patient
    beds = sorted(
        {
            o.patient.bed
            for o in others
            if o.patient.mrn != me.mrn
            and o.patient.ward == me.ward
            and surname(o.patient.name) == surname(me.name)
        }
    )
    if not beds:
        return None
    where = " and ".join(f"bed {b}" for b in beds)
    return f"another {surname(me.name).upper()} in {where}"


_TEMPERATURES = ("flap_temp_c", "control_temp_c")
_ROUTINE = ("colour", "refill", "flap_temp_c", "doppler_artery", "doppler_vein", "turgor")
_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("swelling and pain", ("swelling", "pain", "airway")),
    ("scratch test", ("prick",)),
    ("StO2", ("sto2_percent",)),
    ("implant", ("implant_signal",)),
    ("Doppler waveform", ("doppler_waveform",)),
    ("turgor", ("turgor",)),
    ("colour", ("colour",)),
    ("refill", ("refill",)),
    ("temperature", ("flap_temp_c",)),
    ("Doppler", ("doppler_artery", "doppler_vein")),
    ("drain", ("drain_ml_per_h", "drain_stopped_suddenly")),
    ("glucose and lactate",
     ("flap_glucose_mmol_l", "finger_glucose_mmol_l", "flap_lactate_mmol_l")),
    ("context", ("core_temp_c", "map_mmhg", "vasopressor", "warming", "light")),
)  # fmt: skip


def _rows(
    bed: Bedside, required: Sequence[str], now: datetime, zone: ZoneInfo
) -> tuple[list[RowView], list[MoreGroup]]:
    """The rows always shown (required, and the vein where the Doppler is heard), and the rest."""
    facts = bed.flap.facts
    shown = set(required)
    if "doppler_artery" in shown and Monitor.HANDHELD in facts.monitors:
        shown.add("doppler_vein")
    order = [*_ROUTINE, *(n for n in SIGNS if n not in _ROUTINE)]
    first = [n for n in order if n in shown and n != "control_temp_c"]
    rows = [_row(bed, name, name in required, now, zone) for name in first]
    more = []
    for label, names in _GROUPS:
        left = [n for n in names if n not in shown]
        if "airway" in left and facts.recipient is not Recipient.HEAD_NECK:
            left.remove("airway")
        if left:
            more.append(MoreGroup(label=label, rows=[_row(bed, n, False, now, zone) for n in left]))
    return rows, more


def _row(bed: Bedside, name: str, required: bool, now: datetime, zone: ZoneInfo) -> RowView:
    sign = SIGNS[name]
    if name in _TEMPERATURES:
        return _temperatures(bed, required, now, zone)
    last = _last(bed, name, now, zone)
    if sign.kind == "refill":
        return RowView(
            kind="refill", sign=name, again_sign="refill_again", label=sign.label, last=last,
            required=required, options=_options(sign), unit=sign.unit,
        )  # fmt: skip
    if sign.kind == "number":
        return RowView(
            kind="number", sign=name, label=sign.label, last=last, required=required,
            unit=sign.unit,
        )  # fmt: skip
    if sign.kind == "yes_no":
        return RowView(kind="yes_no", sign=name, label=sign.label, last=last, required=required)
    return RowView(
        kind="words", sign=name, label=sign.label, last=last, required=required,
        options=_options(sign),
    )  # fmt: skip


def _options(sign: Sign) -> list[OptionView]:
    swatches = SWATCHES if sign.name == "colour" else {}
    return [
        OptionView(word=w, label=w.replace("_", " "), swatch=swatches.get(w)) for w in sign.words
    ]


def _temperatures(bed: Bedside, required: bool, now: datetime, zone: ZoneInfo) -> RowView:
    base = None if bed.flap.baseline is None else derive("temp_gap_c", bed.flap.baseline)
    return RowView(
        kind="temperatures",
        sign="temperatures",
        flap_sign="flap_temp_c",
        control_sign="control_temp_c",
        label="Temperature",
        last=_last_temperatures(bed, now, zone),
        required=required,
        unit="°C",
        baseline_text=f"baseline {base:.1f}" if isinstance(base, float) else "no baseline yet",
    )


def _last(bed: Bedside, name: str, now: datetime, zone: ZoneInfo) -> str:
    """The last time this sign was answered, and how: "12:58 matches"."""
    for seen in reversed(bed.seen):
        value = seen.check.signs.get(name)
        if value is not None:
            return f"{clock(seen.check.observed_at, zone, now)} {SIGNS[name].show(value)}"
    return "not yet"


def _last_temperatures(bed: Bedside, now: datetime, zone: ZoneInfo) -> str:
    for seen in reversed(bed.seen):
        values = [seen.check.signs.get(n) for n in _TEMPERATURES]
        if any(v is not None for v in values):
            said = " / ".join(
                f"{v:.1f}" if isinstance(v, float) else "unable" if isinstance(v, Unable) else "–"
                for v in values
            )
            return f"{clock(seen.check.observed_at, zone, now)} {said}"
    return "not yet"


# What was found ------------------------------------------------------------------------------

_WORDS: dict[Severity, tuple[TileSeverity, str]] = {
    Severity.RED: ("red", "RED: call now"),
    Severity.AMBER: ("amber", "AMBER: urgent review"),
    Severity.YELLOW: ("yellow", "YELLOW: attention"),
    Severity.NONE: ("none", "No finding"),
}


def verdict_data(
    saved: Saved, bed: Bedside, nexts: Sequence[Bedside], *, call: Mapping[str, str],
    names: Mapping[str, str], now: datetime, zone: ZoneInfo,
) -> VerdictData:  # fmt: skip
    """A saved check in words: how bad, what to do, whom to call, when to look again, and why."""
    judged, check = saved.assessment, saved.check
    severity, title = _WORDS[judged.severity]
    if not judged.full and judged.severity is Severity.NONE:
        severity, title = "unknown", "Saved, but not complete: the flap is not cleared"
    if saved.struck or saved.amended:
        severity, title = "unknown", "This check counts no more"
    observed = clock(check.observed_at, zone, now)
    by = names.get(check.by, check.by)
    return VerdictData(
        severity=severity,
        title=title,
        who=f"{bed.patient.name} · MRN {bed.patient.mrn} · {bed.flap.facts.label}",
        saved=f"Saved {clock(check.recorded_at, zone, now)}, observed {observed}, by {by}",
        marks=_marks(saved, bed, observed),
        do_now=list(
            dict.fromkeys(
                f.do_now for f in judged.findings if f.do_now and f.severity is judged.severity
            )
        ),
        call=call.get(judged.severity.value, ""),
        due=_look_again(saved.due, names, now, zone),
        findings=[_finding(f, bed) for f in judged.findings],
        alerts=[_has_it(a, saved, names, now, zone) for a in saved.alerts],
        unanswered=_unanswered(judged, bed),
        protocol=f"{bed.protocol.title}, version {bed.protocol.version}: {bed.protocol.checker}",
        actions=[
            *(
                VerdictChoice(kind="check", label=f"Next: {b.flap.facts.label}", flap_id=b.flap.id)
                for b in nexts
            ),
            VerdictChoice(kind="board", label="Ward board", flap_id=bed.flap.id),
            VerdictChoice(kind="flap", label="Open this flap", flap_id=bed.flap.id),
        ],
    )


def _marks(saved: Saved, bed: Bedside, observed: str) -> list[str]:
    said = []
    if saved.repeated:
        said.append("This check was saved before; nothing was written twice.")
    if saved.struck:
        said.append("It was struck through since: if the flap was looked at again, enter it anew.")
    if saved.amended:
        said.append("It was amended since: the other version is on the flap's page.")
    if saved.late:
        said.append(f"Entered late: what it found would have been known at {observed}.")
    if not (saved.current or saved.struck or saved.amended):
        said.append("A newer check stands: this one does not say how the flap is now.")
    if not saved.assessment.full:
        lacked = [
            SIGNS[n].said
            for n in bed.protocol.required_for(bed.flap.facts)
            if n not in saved.check.signs
        ]
        if lacked:
            said.append(f"Not complete: {', '.join(lacked)} still to be looked at.")
    return said


def _look_again(due: Due, names: Mapping[str, str], now: datetime, zone: ZoneInfo) -> str:
    if due.at is None or due.state in (DueState.HELD, DueState.ENDED):
        return due_words(due, now).capitalize()
    what = "Recheck" if due.kind == "recheck" else "Next check"
    said = f"{what} {clock(due.at, zone, now)} ({due_words(due, now)})"
    return said if due.order is None else f"{said}, {by_order_words(due.order, names, zone, now)}"


def _finding(found: Finding, bed: Bedside) -> VerdictFinding:
    rule = next((r for r in bed.protocol.rules if r.id == found.rule), None)
    title = "" if rule is None else f" {rule.title}."
    return VerdictFinding(
        severity=_WORDS[found.severity][0],
        word=f"{found.severity.upper()}.",
        because=found.because,
        rule=f"{found.rule}{title} Sources: {', '.join(found.citations)}",
    )


def _has_it(
    alert: StoredAlert, saved: Saved, names: Mapping[str, str], now: datetime, zone: ZoneInfo
) -> str:
    """Who has an alert of the check, or who is being told at this moment."""
    sent = [p for p in saved.sent.get(alert.id, ()) if p.chain == alert.pages]
    said, _ = who_has_it(ward.open_alert(alert, names, sent), now, zone)
    return f"{alert.severity.upper()} {alert.stream} alert: {said}"


def _unanswered(judged: Assessment, bed: Bedside) -> str:
    """What was not looked at and would answer more rules."""
    lacked = {n for u in judged.unanswered for n in u.lacked if n in SIGNS}
    if bed.flap.facts.recipient is not Recipient.HEAD_NECK:
        lacked.discard("airway")
    names = [SIGNS[n].label for n in SIGNS if n in lacked]
    return f"Not answered: {', '.join(names)}." if names else ""
