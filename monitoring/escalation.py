"""Which rungs of an alert's ladder are due, and what a message says.

Derived from the record at every look: when the paging began, which rungs were taken, and the
ladder that the alert froze. A watcher that slept over three rungs takes the highest and writes
the others down as late.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring.conditions import lasting
from monitoring.domain import Finding, Pattern, Severity, Stream, Unable
from monitoring.ladder import Ladder
from monitoring.signs import EVERY_SIGN

LATE = timedelta(minutes=1)
"""A rung taken longer than this after it was due is written down as late."""

SLEPT_OVER = 30
"""How many rungs that were slept over are written down, the latest ones: after a year's sleep (or
with a clock that was wrong by one) the record is not filled with a hundred thousand."""

CLOCK_BACK = timedelta(minutes=1)
"""A moment of the record that lies further ahead than this shows that the clock was set back."""

FIRST = 160
"""What fits one SMS: everything that decides stands within these letters."""

LABEL = 28
"""How much of a flap's label a message keeps."""

BED = 10
"""How much of a bed's name a message keeps."""


@dataclass(frozen=True, slots=True)
class Climb:
    """What is due of an alert's ladder: the rung to take, and those below it that were slept
    over (the last ``SLEPT_OVER`` of them). ``late`` says that the rung itself is past its time."""

    number: int
    due_at: datetime
    late: bool
    missed: tuple[int, ...] = ()


def due(ladder: Ladder, paged_at: datetime, taken: int, now: datetime) -> Climb | None:
    """The rung to take now; None when the last one taken (-1 before the first) still has time."""
    reached = ladder.reached(now - paged_at)
    if reached <= taken:
        return None
    due_at = paged_at + ladder.after(reached)
    missed = range(max(taken + 1, reached - SLEPT_OVER), reached)
    return Climb(reached, due_at, now - due_at > LATE, tuple(missed))


def next_at(ladder: Ladder, paged_at: datetime, taken: int) -> datetime:
    """When the rung after the last one taken is due."""
    return paged_at + ladder.after(taken + 1)


def clock_was_set_back(paged_at: datetime, taken_at: datetime | None, now: datetime) -> bool:
    """Whether the paging seems to begin later than now, or its last rung to have been taken later:
    waiting for the next would be silence."""
    latest = paged_at if taken_at is None else max(paged_at, taken_at)
    return latest - now > CLOCK_BACK


@dataclass(frozen=True, slots=True)
class Subject:
    """What a message may say of a flap: where, which, how long after perfusion. No name."""

    ward: str
    bed: str
    label: str
    hours: float | None


_PATTERNS = {
    Pattern.ARTERIAL: "arterial",
    Pattern.VENOUS: "venous",
    Pattern.HAEMATOMA: "haematoma",
    Pattern.DEVICE: "device signal",
    Pattern.MONITORING: "checks overdue",
    Pattern.INDETERMINATE: "unclear pattern",
}


def title(severity: Severity, stream: Stream, pattern: Pattern | None, subject: Subject) -> str:
    """One line: "RED venous, bed 12, L breast DIEP"."""
    what = "nurse concern" if stream is Stream.CONCERN else _PATTERNS[
        pattern or Pattern.INDETERMINATE
    ]  # fmt: skip
    return plain(
        f"{severity.upper()} {what}, bed {_short(subject.bed, BED)}, {_short(subject.label)}"
    )


def body(
    head: str, findings: Sequence[Finding], subject: Subject, *, stream: Stream, because: str,
    answer_minutes: float, asked: str = "", late: timedelta | None = None,
) -> str:  # fmt: skip
    """The message in the order of SBAR: situation, background, assessment, request. Everything
    that decides stands in the first 160 letters; no name and nothing typed by hand is in it."""
    background = "" if subject.hours is None else f" {max(subject.hours, 0):.0f} h after perfusion."
    numbers = "" if stream is Stream.CONCERN else decisive(findings, because)
    found = f" {numbers[:1].upper()}{numbers[1:]}." if numbers else ""
    request = asked or f"Answer within {answer_minutes:g} min."
    slept = "" if late is None else f" LATE by {lasting(late)}."
    return plain(f"{head}.{background}{found} {request}{slept}")


def decisive(findings: Sequence[Finding], because: str = "") -> str:
    """The two readings that decide, of the finding that is the alert's reason, else of the newest
    that has any; numbers first."""
    by_weight = sorted(
        findings, key=lambda f: (f.because == because, f.at, f.severity.rank), reverse=True
    )
    for finding in by_weight:
        latest = max((e.at for e in finding.evidence), default=None)
        read = [
            e for e in finding.evidence
            if e.at == latest and not isinstance(e.value, Unable) and e.sign in EVERY_SIGN
            and e.sign not in _SAID_OTHERWISE
        ]  # fmt: skip
        if read:
            ordered = sorted(read, key=lambda e: isinstance(e.value, str | bool))
            said = dict.fromkeys(
                f"{_SHORT.get(e.sign) or EVERY_SIGN[e.sign].said} "
                f"{EVERY_SIGN[e.sign].show(e.value)}"
                for e in ordered
            )
            return ", ".join(list(said)[:2])
    return ""


_SAID_OTHERWISE = frozenset({"refill_again", "refill_presses"})
"""What repeats another sign."""

_SHORT = {
    "temp_gap_c": "gap", "temp_gap_change_c": "gap change", "glucose_gap_mmol_l": "glucose gap",
    "control_temp_c": "control", "flap_temp_c": "flap",
    "drain_stopped_suddenly": "drain stopped",
}  # fmt: skip
"""What a sign is called where letters are few."""


def _short(label: str, most: int = LABEL) -> str:
    return label if len(label) <= most else f"{label[: most - 2].rstrip()}.."


_SMS = frozenset(
    "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The letters that an SMS carries 160 of; any other makes it 70 (GSM 03.38)."""


def plain(text: str) -> str:
    """The text in the letters of an SMS: an accent is dropped, what has no letter becomes "?"."""
    return "".join(_letters(text.replace("°C", "C").replace("–", "-")))


def _letters(text: str) -> Iterable[str]:
    for letter in text:
        if letter in _SMS:
            yield letter
        elif letter.isspace():
            yield " "
        else:
            bare = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
            yield bare if bare and set(bare) <= _SMS else "?"
