"""The last checks under an alert: the signs it rests on first, what decides marked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from monitoring.board import Bedside, SeenCheck
from monitoring.clocks import clock
from monitoring.components.stay_shapes import CellView, LastCheckView
from monitoring.domain import Check, Finding, derive
from monitoring.episodes import StoredAlert
from monitoring.schedule import SlotState, fill
from monitoring.signs import EVERY_SIGN, SIGNS, SignValue, Unable
from monitoring.stay_words import SHORT

LAST = 6
"""How many checks stand under an alert."""

COLUMNS = 5
"""How many signs those checks show: what a telephone is wide enough for."""

_SIGNS = (
    "colour", "refill", "temp_gap_c", "doppler_artery", "doppler_vein", "implant_signal",
    "turgor", "prick", "sto2_percent", "drain_ml_per_h", "swelling", "pain",
)  # fmt: skip
_HEADS = {"refill": "Refill s", "temp_gap_c": "Gap °C", "sto2_percent": "StO2 %",
          "drain_ml_per_h": "Drain mL/h"}  # fmt: skip
_SAME_READING = {"temp_gap_change_c": "temp_gap_c", "refill_presses": "refill"}
Reading = tuple[str, str]
"""A check's key and a sign of it."""


def decisive_readings(findings: Iterable[Finding]) -> frozenset[Reading]:
    """The readings that findings rest on, each with the check that the finding was made of; what
    it was compared with (a baseline, an earlier check) is not hot."""
    return frozenset(
        (str(e.check_key), _SAME_READING.get(e.sign, e.sign))
        for f in findings
        for e in f.evidence
        if e.check_key is not None and e.at == f.at
    )


def until(alert: StoredAlert, bed: Bedside) -> Sequence[SeenCheck]:
    """The last checks; of a closed alert, those that stood when it was closed."""
    end = alert.closed_at
    return [s for s in bed.seen if end is None or s.check.observed_at <= end][-LAST:]


def last_checks(
    alert: StoredAlert, bed: Bedside, seen: Sequence[SeenCheck], now: datetime, zone: ZoneInfo
) -> tuple[list[str], list[LastCheckView]]:
    """The heads of the columns, and the rows, newest first, missed slots among them."""
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
