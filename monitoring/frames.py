"""A stay as tables: what the charts and the sentences about them are made from.

A table keeps apart what a check keeps apart. A value stands in the sign's own column; a sign that
somebody meant to look at and could not stands in ``unable`` with its reason; a sign nobody looked
at stands in neither. Zero is a value.

**Checks**, one row a check in order of observation: ``observed_at`` and ``recorded_at`` (aware,
UTC; of the first version: amending a check does not make it late); ``hours`` (true hours since
the flap was first perfused, so that the repeated hour of a clock change is not folded);
``severity`` (a code of ``Severity``); ``because`` (the worst reason, or None); ``key``; ``by``;
``full`` (whether it was a full check); ``late`` (entered more than 15 min after it was observed,
or as a late entry); ``amended``; ``unable`` (a dict of sign to reason, or None); and a column a
sign: ``refill`` and ``refill_again`` are seconds, the word of an untimed press is in
``refill_word`` and ``refill_again_word``; temperatures are in °C, ``temp_gap_c`` is control minus
flap (positive: the flap is cooler); StO2 in percent; the drain in mL/h.

**Slots**: ``at`` (aware, UTC), ``state`` (a code of ``SlotState``) and ``every_minutes`` (the
interval asked for at that time).

**Events**: ``at``, ``until`` (None, or the end of a hold; a hold without one is still open),
``kind`` (a code of ``EventKind``), ``label`` (a short word of the ward) and ``severity``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pandas as pd

from monitoring.board import SeenCheck
from monitoring.domain import Check, Severity, Source, derive
from monitoring.schedule import ENTRY_GRACE, Filled
from monitoring.signs import Unable

NUMBERS = ("flap_temp_c", "control_temp_c", "temp_gap_c", "sto2_percent", "drain_ml_per_h")
WORDS = ("colour", "turgor", "doppler_artery", "doppler_vein", "implant_signal")
PRESSES = ("refill", "refill_again")
PRESS_WORDS = ("refill_word", "refill_again_word")

CHECK_COLUMNS = (
    "observed_at", "recorded_at", "hours", "severity", "because", "key", "by", "full", "late",
    "amended", *WORDS, "refill", "refill_word", "refill_again", "refill_again_word", *NUMBERS,
    "unable",
)  # fmt: skip
SLOT_COLUMNS = ("at", "state", "every_minutes")
EVENT_COLUMNS = ("at", "until", "kind", "label", "severity")


class EventKind(StrEnum):
    """What may be marked across a stay."""

    ALERT = "alert"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"
    HOLD = "hold"
    RETURN = "return"
    AMENDED = "amended"
    LATE_ENTRY = "late_entry"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class StayFacts:
    """What a picture of a stay needs beside its tables.

    ``perfused_at`` is the first perfusion, where the hours begin; ``gap_limits`` are the gaps in
    °C above which some rule speaks, lowest first; ``baseline_gap`` is None until there is one.
    """

    perfused_at: datetime
    zone: ZoneInfo
    label: str
    baseline_gap: float | None = None
    gap_limits: tuple[float, ...] = ()

    def hours(self, moment: datetime) -> float:
        """True hours since the flap was first perfused (elapsed time, not wall time)."""
        return (moment - self.perfused_at) / timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class StayEvent:
    """Something that happened to the flap or to its record, in a short word."""

    at: datetime
    kind: EventKind
    label: str
    severity: Severity | None = None
    until: datetime | None = None


def checks_frame(
    seen: Sequence[SeenCheck], perfused_at: datetime, amended: Collection[UUID] = ()
) -> pd.DataFrame:
    """The checks of a stay as a table, oldest first. ``amended`` holds the keys of checks whose
    values were changed after they were recorded."""
    rows = [_check_row(s, perfused_at, amended) for s in seen]
    rows.sort(key=lambda row: row["observed_at"])
    times, numbers = ("observed_at", "recorded_at"), ("hours", *NUMBERS, *PRESSES)
    return _frame(rows, CHECK_COLUMNS, times, numbers)


def slots_frame(filled: Iterable[Filled]) -> pd.DataFrame:
    """Slots as a table, with what became of each."""
    rows = [
        {"at": f.slot.at, "state": str(f.state), "every_minutes": f.slot.every_minutes}
        for f in filled
    ]
    return _frame(rows, SLOT_COLUMNS, ("at",), ("every_minutes",))


def events_frame(events: Iterable[StayEvent]) -> pd.DataFrame:
    """Events as a table, oldest first."""
    rows = [
        {
            "at": e.at,
            "until": e.until,
            "kind": str(e.kind),
            "label": e.label,
            "severity": None if e.severity is None else str(e.severity),
        }
        for e in sorted(events, key=lambda e: e.at)
    ]
    return _frame(rows, EVENT_COLUMNS, ("at", "until"))


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table, with None wherever it holds nothing. Zero stays zero."""
    columns = {name: [_plain(v) for v in frame[name].tolist()] for name in frame.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain(value: Any) -> Any:
    if _nothing(value):
        return None
    return value.to_pydatetime(warn=False) if isinstance(value, pd.Timestamp) else value


def _nothing(value: object) -> bool:
    return value is None or value is pd.NaT or (isinstance(value, float) and value != value)


def _frame(
    rows: list[dict[str, Any]],
    columns: tuple[str, ...],
    times: tuple[str, ...],
    numbers: tuple[str, ...] = (),
) -> pd.DataFrame:
    table: dict[str, pd.Series[Any]] = {}
    for name in columns:
        kind = "datetime64[us, UTC]" if name in times else "float64" if name in numbers else object
        table[name] = pd.Series([row[name] for row in rows], dtype=kind)
    return pd.DataFrame(table)


def _check_row(seen: SeenCheck, perfused_at: datetime, amended: Collection[UUID]) -> dict[str, Any]:
    check = seen.check
    recorded_at = seen.first_recorded_at or check.recorded_at
    delay = recorded_at - check.observed_at
    row: dict[str, Any] = {
        "observed_at": check.observed_at,
        "recorded_at": recorded_at,
        "hours": (check.observed_at - perfused_at) / timedelta(hours=1),
        "severity": str(seen.severity),
        "because": seen.because[0] if seen.because else None,
        "key": str(check.key),
        "by": check.by,
        "full": seen.full,
        "late": check.source is Source.LATE_ENTRY or delay > ENTRY_GRACE,
        "amended": check.key in amended,
        "unable": _unable(check),
    }
    for sign in (*WORDS, *NUMBERS):
        row[sign] = derive(sign, check) if sign == "temp_gap_c" else _value(check, sign)
    for sign, word in zip(PRESSES, PRESS_WORDS, strict=True):
        value = _value(check, sign)
        row[sign] = value if isinstance(value, float) else None
        row[word] = value if isinstance(value, str) else None
    return row


def _value(check: Check, sign: str) -> object:
    value = check.signs.get(sign)
    return None if isinstance(value, Unable) else value


def _unable(check: Check) -> dict[str, str] | None:
    """The signs that could not be looked at, with the reason in words."""
    found = {n: _reason(v) for n, v in check.signs.items() if isinstance(v, Unable)}
    return found or None


def _reason(unable: Unable) -> str:
    return str(unable).removeprefix("unable: ")
