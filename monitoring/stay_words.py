"""A stay in words: local times, what a check said, and the picture for those who cannot see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from monitoring.frames import StayFacts, records
from monitoring.signs import EVERY_SIGN

Row = Mapping[str, Any]

SEVERITY_WORDS = {"red": "RED", "amber": "AMBER", "yellow": "YELLOW", "none": "No finding"}
SLOT_WORDS = {
    "on_time": "on time",
    "late": "late",
    "entered_late": "entered late",
    "attempted": "attempted",
    "missed": "missed",
    "overdue": "overdue",
    "open": "open",
}
SHORT = {
    "temp_gap_c": "Gap",
    "flap_temp_c": "Flap",
    "control_temp_c": "Control",
    "refill": "Refill",
    "colour": "Colour",
    "doppler_artery": "Artery",
    "doppler_vein": "Vein",
    "implant_signal": "Implant",
    "turgor": "Turgor",
    "sto2_percent": "StO2",
    "drain_ml_per_h": "Drain",
}
"""The short names of the strips, in their order from top to bottom."""

NEEDS = {"temp_gap_c": ("flap_temp_c", "control_temp_c")}
"""What a derived sign needs: it could not be had when one of these could not."""


def local(moment: datetime, zone: ZoneInfo) -> str:
    """Weekday and wall time; with the zone's name when that wall time came twice that night."""
    there = moment.astimezone(zone)
    twice = there.replace(fold=0).utcoffset() != there.replace(fold=1).utcoffset()
    return f"{there:%a %H:%M %Z}" if twice else f"{there:%a %H:%M}"


def shown(sign: str, row: Row) -> str | None:
    """What a check said of a sign: its value, "unable: why", or None if nobody looked."""
    value = row.get(sign)
    if value is None and sign.startswith("refill"):
        value = row.get(f"{sign}_word")
    if value is not None:
        return EVERY_SIGN[sign].show(value)
    reason = unable(sign, row)
    return None if reason is None else f"unable: {reason}"


def unable(sign: str, row: Row) -> str | None:
    """Why a sign could not be looked at, or None."""
    reasons: Mapping[str, str] = row.get("unable") or {}
    return next((reasons[n] for n in (sign, *NEEDS.get(sign, ())) if n in reasons), None)


def used(checks: Sequence[Row]) -> list[str]:
    """The signs of the picture that somebody looked at, or meant to, in the strips' order."""
    return [s for s in SHORT if any(shown(s, row) is not None for row in checks)]


def check_lines(row: Row, signs: Sequence[str], facts: StayFacts) -> list[str]:
    """Everything a check said of these signs, a line each; what nobody looked at comes last."""
    at = row["observed_at"]
    lines = [f"{local(at, facts.zone)}, {row['by']}", verdict(row)]
    if row["because"]:
        lines.append(str(row["because"]))
    blank = []
    for sign in signs:
        said = shown(sign, row)
        if said is None:
            blank.append(_lower(SHORT[sign]))
            continue
        again = shown("refill_again", row) if sign == "refill" else None
        lines.append(f"{SHORT[sign]} {said}" + (f", again {again}" if again else ""))
    if blank:
        lines.append(f"Not looked at: {', '.join(blank)}")
    if row["late"]:
        lines.append(f"Late entry, recorded {local(row['recorded_at'], facts.zone)}")
    if row["amended"]:
        lines.append("Amended since it was recorded")
    return lines


def _lower(name: str) -> str:
    return name if name == "StO2" else name[:1].lower() + name[1:]


def verdict(row: Row) -> str:
    """The severity of a check in a word, and whether it was full."""
    word = SEVERITY_WORDS[row["severity"]]
    return word if row["full"] else f"{word}, check incomplete"


def stay_summary(
    checks: pd.DataFrame, slots: pd.DataFrame, events: pd.DataFrame, facts: StayFacts
) -> str:
    """The stay in one paragraph, for a screen reader and for the picture's alternative text."""
    rows = records(checks)
    if not rows:
        return f"{facts.label}: no check has been made yet. {_slots_said(slots)}".strip()
    parts = [_span_said(rows, facts), _severities_said(rows, facts), _gap_said(rows, facts)]
    parts += [_last_said(rows, facts), _unable_said(rows), _slots_said(slots)]
    parts += [_events_said(events, facts)]
    return " ".join(p for p in parts if p)


def _span_said(rows: Sequence[Row], facts: StayFacts) -> str:
    first, last = rows[0]["observed_at"], rows[-1]["observed_at"]
    checks = "1 check" if len(rows) == 1 else f"{len(rows)} checks"
    return (
        f"{facts.label}: {checks} from {local(first, facts.zone)} to {local(last, facts.zone)}, "
        f"{facts.hours(first):.0f} to {facts.hours(last):.0f} hours since perfusion."
    )


def _severities_said(rows: Sequence[Row], facts: StayFacts) -> str:
    counted = Counter(row["severity"] for row in rows)
    loud = [f"{counted[s]} {s}" for s in ("red", "amber", "yellow") if counted[s]]
    if not loud:
        return "No check had a finding."
    first = next(row for row in rows if row["severity"] != "none")
    since = f"the first {local(first['observed_at'], facts.zone)}"
    why = f": {first['because']}" if first["because"] else "."
    return f"Checks with a finding: {', '.join(loud)}; {since}{why}"


def _gap_said(rows: Sequence[Row], facts: StayFacts) -> str:
    known = [row for row in rows if row["temp_gap_c"] is not None]
    if not known:
        return ""
    worst = max(known, key=lambda row: row["temp_gap_c"])
    base = "" if facts.baseline_gap is None else f" from a baseline of {facts.baseline_gap:.1f} °C"
    limit = f" (limit {min(facts.gap_limits):.1f} °C)" if facts.gap_limits else ""
    return (
        f"The temperature gap reached {worst['temp_gap_c']:.1f} °C{base}{limit} "
        f"{local(worst['observed_at'], facts.zone)}."
    )


def _last_said(rows: Sequence[Row], facts: StayFacts) -> str:
    last = rows[-1]
    said = [f"{_lower(SHORT[s])} {v}" for s in SHORT if (v := shown(s, last)) is not None]
    readings = ", ".join(said) if said else "no sign answered"
    return f"Last check {local(last['observed_at'], facts.zone)}, {verdict(last)}: {readings}."


def _unable_said(rows: Sequence[Row]) -> str:
    counted = Counter(sign for row in rows for sign in (row["unable"] or {}))
    if not counted:
        return ""
    said = [f"{_lower(EVERY_SIGN[sign].label)} {n}" for sign, n in counted.most_common()]
    return f"Could not be looked at (checks): {', '.join(said)}."


def _slots_said(slots: pd.DataFrame) -> str:
    if slots.empty:
        return ""
    counted = Counter(slots["state"].tolist())
    said = [f"{counted[state]} {word}" for state, word in SLOT_WORDS.items() if counted[state]]
    return f"Of {len(slots)} slots: {', '.join(said)}."


def _events_said(events: pd.DataFrame, facts: StayFacts) -> str:
    said = []
    for row in records(events):
        until = "" if row["until"] is None else f" until {local(row['until'], facts.zone)}"
        said.append(f"{local(row['at'], facts.zone)} {row['label']}{until}")
    return f"Marked: {'; '.join(said)}." if said else ""


def wall_hours(start: datetime, end: datetime, zone: ZoneInfo, step: int) -> list[datetime]:
    """The moments in [start, end] at which the wall clock shows a whole hour divisible by step.

    A wall time that comes twice is given once, the first time.
    """
    quarter = 15 * 60
    first = -(-int(start.timestamp()) // quarter)
    found: list[datetime] = []
    for count in range(first, int(end.timestamp()) // quarter + 1):
        there = datetime.fromtimestamp(count * quarter, zone)
        if there.minute == 0 and there.hour % step == 0 and there.fold == 0:
            found.append(there.astimezone(UTC))
    return found


def clock_change(start: datetime, end: datetime, zone: ZoneInfo) -> tuple[datetime, str] | None:
    """When in [start, end] the clocks went forward or back, and which; None if they did not."""
    before, after = start.astimezone(zone).utcoffset(), end.astimezone(zone).utcoffset()
    if before is None or after is None or before == after:
        return None
    low, high = int(start.timestamp()), int(end.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        offset = datetime.fromtimestamp(middle, zone).utcoffset()
        low, high = (middle, high) if offset == before else (low, middle)
    word = "clocks forward" if after > before else "clocks back"
    return datetime.fromtimestamp(high, UTC), word
