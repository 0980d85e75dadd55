"""What a tile says, and the order of tiles: the worst flap first, unknown never calm.

Pure: everything a tile needs comes in as values, ``now`` and the ward's zone included.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from monitoring import alarm
from monitoring.calls import OpenAlert, who_has_it
from monitoring.clocks import ago, clock
from monitoring.domain import (
    AlertState,
    Check,
    Flap,
    Patient,
    Pattern,
    Severity,
    Stream,
    derive,
)
from monitoring.protocol import Protocol
from monitoring.reviews import minutes_words, theatre_clock, under_way
from monitoring.schedule import Due, DueState, Look, Recheck, due_words, next_due
from monitoring.signs import EVERY_SIGN, SIGNS, Unable

SPARK_HOURS = 12
"""How far back the small trend of a tile reaches."""


class TileState(StrEnum):
    """What the left edge of a tile says. Unknown is a state of the board, not a severity."""

    RED = "red"
    AMBER = "amber"
    UNKNOWN = "unknown"
    YELLOW = "yellow"
    NONE = "none"


_ORDER = {state: place for place, state in enumerate(TileState)}


@dataclass(frozen=True, slots=True)
class SeenCheck:
    """A check with what was said of it; ``first_recorded_at`` if an earlier version was recorded
    before this one. ``look`` is what the schedule needs of it, ``gap`` its temperature gap in °C
    if both temperatures were measured: every refresh asks for both, so they are worked out once.
    """

    check: Check
    full: bool
    severity: Severity
    pattern: Pattern | None
    because: tuple[str, ...] = ()
    unanswered: int = 0
    first_recorded_at: datetime | None = None
    look: Look = field(init=False, compare=False, repr=False)
    gap: float | None = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        c = self.check
        look = Look(c.observed_at, self.first_recorded_at or c.recorded_at, self.full, c.key)
        gap = derive("temp_gap_c", c)
        object.__setattr__(self, "look", look)
        object.__setattr__(self, "gap", gap if isinstance(gap, float) else None)


@dataclass(frozen=True, slots=True)
class Bedside:
    """Everything known of one flap that its tile may say. ``seen`` runs oldest first."""

    flap: Flap
    patient: Patient
    protocol: Protocol
    seen: Sequence[SeenCheck] = ()
    alerts: Sequence[OpenAlert] = ()
    rechecks: Sequence[Recheck] = ()
    mine: bool = False


@dataclass(frozen=True, slots=True)
class Spark:
    """The gap over the last hours: (minutes ago, °C) with None where checks are missing."""

    points: tuple[tuple[float, float | None], ...]
    threshold: float | None
    baseline: float | None


@dataclass(frozen=True, slots=True)
class Tile:
    """One flap on the board, in words."""

    flap_id: str
    state: TileState
    word: str
    pattern: str
    since: str
    bed: str
    name: str
    mrn: str
    born: str
    label: str
    hours_text: str
    why: tuple[tuple[str, bool], ...]
    plan: str
    plan_has: bool
    spark: Spark
    turned_minutes: float | None
    last_time: str
    last_ago: str
    due: Due
    due_word: str
    due_text: str
    mine: bool
    recovered: bool
    namesake: bool = False
    note: str = ""
    operation_id: str | None = None
    ward: str = ""
    rank: tuple[int, int, float, str] = field(default=(0, 0, 0.0, ""))


def tiles(
    beds: Iterable[Bedside], now: datetime, zone: ZoneInfo, broken: list[str] | None = None
) -> list[Tile]:
    """Every flap's tile, worst first. The worst of an operation's paddles speaks for all of them:
    each of the others says so. A flap whose tile cannot be made is named in ``broken``, and the
    others are shown; without such a list the error is raised."""
    made: list[Tile] = []
    for bed in beds:
        try:
            made.append(tile(bed, now, zone))
        except Exception:
            if broken is None:
                raise
            broken.append(bed.flap.id)
    made = _tell_namesakes(made)
    made = _tell_paddles(made)
    return sorted(made, key=lambda t: t.rank)


def tile(bed: Bedside, now: datetime, zone: ZoneInfo) -> Tile:
    """What one flap's tile says now."""
    flap, patient = bed.flap, bed.patient
    due = next_due(flap, bed.protocol, [s.look for s in bed.seen], bed.rechecks, now)
    last = bed.seen[-1] if bed.seen else None
    state = _state(bed, last, due, now)
    speaking = _speaking(bed.alerts)
    plan, has = _plan(flap, speaking, now, zone)
    return Tile(
        flap_id=flap.id,
        state=state,
        word=_word(state, due),
        pattern=_pattern(state, speaking, last, due),
        since=_since(state, speaking, now, zone),
        bed=f"Bed {patient.bed}",
        name=patient.name,
        mrn=patient.mrn,
        born=f"{patient.born_on:%d %b %Y}",
        label=flap.facts.label,
        hours_text=hours_text(flap, now),
        why=_why(bed, state, speaking, last, due, now, zone),
        plan=plan,
        plan_has=has,
        spark=spark(bed, now),
        turned_minutes=_turned(speaking, now),
        last_time="no check yet" if last is None else clock(last.check.observed_at, zone, now),
        last_ago="" if last is None else ago(last.check.observed_at, now),
        due=due,
        due_word=_due_word(due, zone, now),
        due_text=due_words(due, now),
        mine=bed.mine,
        recovered=speaking is not None and speaking.recovered_at is not None,
        operation_id=flap.facts.operation_id,
        ward=patient.ward,
        rank=_rank(state, speaking, due, patient.bed, now),
    )


def hours_text(flap: Flap, now: datetime) -> str:
    """Hours since perfusion was last restored, and whether that was after a return."""
    hours = max(flap.hours(now), 0.0)
    text = f"{int(hours)} h" if hours >= 1 else f"{int(hours * 60)} min"
    again = flap.perfused_at != flap.facts.perfused_at
    return f"{text} since re-perfusion" if again else text


def _speaking(alerts: Sequence[OpenAlert]) -> OpenAlert | None:
    """The alert that the tile speaks of: the worst, one that stands before a recovered one, an
    open one before an acknowledged one."""
    if not alerts:
        return None
    return min(
        alerts,
        key=lambda a: (-a.severity.rank, a.stream is Stream.MONITORING,
                       a.recovered_at is not None, a.state is AlertState.ACKNOWLEDGED, a.raised_at),
    )  # fmt: skip


def _state(bed: Bedside, last: SeenCheck | None, due: Due, now: datetime) -> TileState:
    clinical = [a.severity for a in bed.alerts if a.stream is not Stream.MONITORING]
    if clinical:
        worst = max(clinical, key=lambda s: s.rank)
        return TileState(worst.value)
    if _unknown(bed.flap, last, due, now):
        return TileState.UNKNOWN
    if bed.alerts:
        return TileState.AMBER
    if last is not None and last.severity is not Severity.NONE:
        return TileState.YELLOW
    return TileState.YELLOW if due.state is DueState.OVERDUE else TileState.NONE


def _unknown(flap: Flap, last: SeenCheck | None, due: Due, now: datetime) -> bool:
    """No trustworthy recent check: none at all, none since theatre or a hold, an incomplete one,
    a missed slot, or 30 min late; or the flap is on hold."""
    if last is None or due.state is DueState.HELD:
        return True
    if last.check.observed_at < _last_away(flap, now):
        return True
    if not last.full and last.severity is Severity.NONE:
        return True
    late = due.at is not None and due.state is DueState.OVERDUE
    return late and (due.missed > 0 or now - (due.at or now) >= timedelta(minutes=30))


def _last_away(flap: Flap, now: datetime) -> datetime:
    """When the flap last came back into sight: from theatre or from a hold."""
    ended = [h.until_at for h in flap.holds if h.until_at is not None and h.until_at <= now]
    start = flap.facts.monitoring_from
    back = [r.back_at for r in flap.returns if r.back_at is not None and r.back_at <= now]
    return max([start - timedelta(hours=1), *ended, *back])


def _word(state: TileState, due: Due) -> str:
    if due.state is DueState.HELD and state is TileState.UNKNOWN:
        return "ON HOLD"
    return "No finding" if state is TileState.NONE else state.upper()


def _pattern(state: TileState, speaking: OpenAlert | None, last: SeenCheck | None, due: Due) -> str:
    if state is TileState.UNKNOWN:
        if due.state is DueState.HELD:
            return "not being checked"
        if due.state is DueState.OVERDUE:
            return "check overdue"
        if last is None:
            return "no check yet"
        return "not checked since" if last.full else "last check incomplete"
    if speaking is not None:
        return _PATTERN_WORDS[speaking.stream, speaking.pattern]
    if state is TileState.YELLOW:
        return "attention" if last is not None and last.severity.rank else "check overdue"
    if last is not None and last.unanswered:
        rules = "rule" if last.unanswered == 1 else "rules"
        return f"{last.unanswered} {rules} unanswered"
    return ""


def _pattern_words() -> dict[tuple[Stream, Pattern], str]:
    words = {
        Pattern.ARTERIAL: "arterial pattern",
        Pattern.VENOUS: "venous pattern",
        Pattern.HAEMATOMA: "haematoma",
        Pattern.DEVICE: "device signal",
        Pattern.MONITORING: "checks",
        Pattern.INDETERMINATE: "unclear pattern",
    }
    return {
        (stream, pattern): "nurse concern" if stream is Stream.CONCERN else text
        for stream in Stream
        for pattern, text in words.items()
    }


_PATTERN_WORDS = _pattern_words()


def _since(state: TileState, speaking: OpenAlert | None, now: datetime, zone: ZoneInfo) -> str:
    if speaking is None or state not in (TileState.RED, TileState.AMBER):
        return ""
    return f"since {clock(speaking.first_sign_at, zone, now)}"


def _why(
    bed: Bedside, state: TileState, speaking: OpenAlert | None, last: SeenCheck | None,
    due: Due, now: datetime, zone: ZoneInfo,
) -> tuple[tuple[str, bool], ...]:  # fmt: skip
    """The reason in parts (text, decisive)."""
    said: list[tuple[str, bool]] = []
    if state is TileState.UNKNOWN:
        said.append((_why_unknown(bed.seen, due, now, zone), True))
    if speaking is not None and (state is not TileState.UNKNOWN):
        said.append((speaking.because, True))
        if speaking.recovered_at is not None:
            said.append(("Recovered since, not closed.", False))
        if speaking.amended_at is not None:
            said.append(("A check behind this alert was amended or struck since.", False))
        unseen = _unknown(bed.flap, last, due, now)
        others = (a for a in bed.alerts if a is not speaking)
        said += [
            (_besides(a), True) for a in others if not (unseen and a.stream is Stream.MONITORING)
        ]
        if unseen:
            said.append((_why_unknown(bed.seen, due, now, zone), True))
    elif last is not None and last.because and last.because[0] not in {t for t, _ in said}:
        said.append((last.because[0], True))
    if last is not None:
        decisive = frozenset() if speaking is None else speaking.decisive
        unable = _unable(bed, last.check)
        if unable:
            said.append((f"Unable: {unable}.", True))
        summary = _summary(last.check, decisive)
        prefix = "Last known: " if state is TileState.UNKNOWN else "Also " if decisive else ""
        if summary:
            said.append((_sentence(f"{prefix}{summary}."), False))
    return tuple(said)


def _besides(alert: OpenAlert) -> str:
    """Another alert of the same flap, which the tile must not hide."""
    words = _PATTERN_WORDS[alert.stream, alert.pattern]
    standing = "recovered, not closed" if alert.recovered_at is not None else "open too"
    return f"{alert.severity.upper()} {words} {standing}: {alert.because}"


def _unable(bed: Bedside, check: Check) -> str:
    """The required signs that could not be looked at."""
    required = bed.protocol.required_for(bed.flap.facts)
    return ", ".join(SIGNS[n].said for n in required if isinstance(check.signs.get(n), Unable))


def _why_unknown(seen: Sequence[SeenCheck], due: Due, now: datetime, zone: ZoneInfo) -> str:
    if due.state is DueState.HELD:
        return f"{due_words(due, now).capitalize()}."
    if not seen:
        return "No check has been made yet."
    if due.state is DueState.OVERDUE:
        full = next((s.check.observed_at for s in reversed(seen) if s.full), None)
        since = "yet" if full is None else f"since {clock(full, zone, now)}"
        missed = f"; {due.missed} missed" if due.missed else ""
        return f"No full check {since}{missed}."
    if seen[-1].full:
        return f"Not looked at since {clock(seen[-1].check.observed_at, zone, now)}."
    return "The last check was not complete."


_SHORT = ("colour", "refill", "temp_gap_c", "turgor", "doppler_artery", "doppler_vein",
          "implant_signal", "sto2_percent")  # fmt: skip
_SHORT_LABEL = {
    "refill": "refill", "temp_gap_c": "gap", "turgor": "turgor", "doppler_artery": "artery",
    "doppler_vein": "vein", "implant_signal": "implant", "sto2_percent": "StO2",
}  # fmt: skip


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _summary(check: Check, decisive: frozenset[str]) -> str:
    """The other readings in a line: "matches, refill 2.0 s, gap 0.3 °C, artery strong"."""
    parts = []
    for name in _SHORT:
        if name in decisive or (name == "temp_gap_c" and "temp_gap_change_c" in decisive):
            continue
        value = derive(name, check) if name == "temp_gap_c" else check.signs.get(name)
        if value is None or isinstance(value, Unable):
            continue
        shown = EVERY_SIGN[name].show(value)
        parts.append(f"{_SHORT_LABEL.get(name, '')} {shown}".strip())
    return ", ".join(parts)


def _plan(
    flap: Flap, speaking: OpenAlert | None, now: datetime, zone: ZoneInfo
) -> tuple[str, bool]:
    """Who has the alert that speaks, or who was told. A return to theatre that is under way comes
    first: in theatre it is the answer; only asked for, it is none to an alert that nobody has."""
    has_it = ("", False) if speaking is None else who_has_it(speaking, now, zone)
    going = under_way(r for r in flap.returns if r.decided_at <= now)
    if going is None:
        return has_it
    if going.into_theatre_at is not None and going.into_theatre_at <= now:
        return _in_theatre(going.into_theatre_at, speaking, has_it, now, zone)
    asked = theatre_clock(going, zone, now)
    if speaking is None:
        return asked, True
    if speaking.owned and speaking.review is not None:  # the plan says itself when it was decided
        asked = f"waiting for theatre {minutes_words(now - going.decided_at)}"
    return f"{asked}; {has_it[0]}", has_it[1]


def _in_theatre(
    since: datetime, speaking: OpenAlert | None, has_it: tuple[str, bool], now: datetime,
    zone: ZoneInfo,
) -> tuple[str, bool]:  # fmt: skip
    """Theatre is the answer to what was found before it, for some hours; to what was found since,
    or when nobody wrote that the flap is back, it is none."""
    there = f"in theatre since {clock(since, zone, now)}"
    if speaking is None:
        return there, now <= since + alarm.THEATRE
    paged_at = speaking.paged_at or speaking.raised_at
    if alarm.in_theatre(speaking.stream, paged_at, since, now):
        return there, True
    return f"{there}, not back; {has_it[0]}", has_it[1]


def _due_word(due: Due, zone: ZoneInfo, now: datetime) -> str:
    if due.state in (DueState.HELD, DueState.ENDED) or due.at is None:
        return due.state.value
    if due.state is DueState.OVERDUE:
        return "recheck overdue" if due.kind == "recheck" else "overdue"
    return "recheck" if due.kind == "recheck" else f"due {clock(due.at, zone, now)}"


def spark(bed: Bedside, now: datetime) -> Spark:
    """The temperature gap over the last hours; a break wherever a check should have been."""
    points: list[tuple[float, float | None]] = []
    before: datetime | None = None
    for seen in bed.seen:
        at = seen.look.observed_at
        ago = (now - at).total_seconds() / 60
        if ago > SPARK_HOURS * 60:
            continue
        if before is not None and _gap_between(bed, before, at):
            points.append((ago, None))
        points.append((ago, seen.gap))
        before = at
    base = None if bed.flap.baseline is None else derive("temp_gap_c", bed.flap.baseline)
    limits = bed.protocol.limits("temp_gap_c")
    return Spark(
        tuple(points), limits[0] if limits else None, base if isinstance(base, float) else None
    )


def _turned(speaking: OpenAlert | None, now: datetime) -> float | None:
    """How many minutes ago the trend turned: when the alert's first sign was seen."""
    if speaking is None or speaking.stream is Stream.MONITORING:
        return None
    just_before = timedelta(seconds=30)  # so that the reading itself is on the turned side
    return (now - speaking.first_sign_at + just_before) / timedelta(minutes=1)


def _gap_between(bed: Bedside, a: datetime, b: datetime) -> bool:
    """Whether a check is missing between two, by the interval asked for at the time: before a
    return to theatre the slots were laid from the arrival."""
    flap, protocol = bed.flap, bed.protocol
    start = flap.as_of(b).slots_from if flap.returns else flap.slots_from
    hour = (b - start).total_seconds() / 3600
    every = protocol.phase_at(max(hour, 0)).every_minutes
    return (b - a).total_seconds() > 1.75 * every * 60


def _rank(
    state: TileState, speaking: OpenAlert | None, due: Due, bed: str, now: datetime
) -> tuple[int, int, float, str]:
    """The order of tiles: state; then what nobody has; then what waits longest; then bed."""
    held = speaking is not None and speaking.owned
    place = _ORDER[state]
    if due.state is DueState.HELD and state is TileState.UNKNOWN:
        place = _ORDER[TileState.YELLOW]
    moment = now if due.at is None else due.at
    if speaking is not None and state in (TileState.RED, TileState.AMBER):
        moment = speaking.raised_at
    return place, int(held), moment.timestamp(), bed


def surname(name: str) -> str:
    """What namesakes share: the family name before the comma, else the last word."""
    return (name.split(",")[0] if "," in name else name.split()[-1]).strip().casefold()


def _tell_namesakes(made: list[Tile]) -> list[Tile]:
    people: dict[tuple[str, str], set[str]] = {}
    for t in made:
        people.setdefault((t.ward, surname(t.name)), set()).add(t.mrn)
    return [replace(t, namesake=len(people[t.ward, surname(t.name)]) > 1) for t in made]


def _tell_paddles(made: list[Tile]) -> list[Tile]:
    paddles: dict[tuple[str, str], list[Tile]] = {}
    for t in made:
        if t.operation_id is not None:
            paddles.setdefault((t.mrn, t.operation_id), []).append(t)
    told = []
    for t in made:
        group = paddles.get((t.mrn, t.operation_id or ""), [])
        worst = min(group, key=lambda g: g.rank, default=t)
        if len(group) > 1:
            own = "worst of" if worst is t else f"{worst.label} is {worst.word};"
            text = f"{own} {len(group)} flaps of one operation"
            t = replace(t, note=text)
        told.append(t)
    return told
