"""What a condition looks at: one check with everything known before it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Literal, Protocol

from monitoring.domain import Check, Evidence, Flap, derive
from monitoring.signs import DERIVED, EVERY_SIGN, SIGNS, MonitoringError, Sign, SignValue, Unable

Truth = bool | None
"""True, False, or None for "cannot be answered from what was recorded"."""

NURSE_CONCERN = Sign("nurse_concern", "Nurse concern", "yes_no")
READABLE: dict[str, Sign] = EVERY_SIGN | {NURSE_CONCERN.name: NURSE_CONCERN}

ScheduleFact = Literal[
    "overdue",
    "overdue_long",
    "attempted_twice",
    "recheck_overdue",
    "recheck_long",
    "no_baseline",
    "hold_long",
]
"""What the watcher can notice without a check. Defined in ``schedule``."""


class BadCondition(MonitoringError, ValueError):
    """A condition that names an unknown sign, a word the sign does not have, or no condition."""


BASELINE = -1
"""The place of the flap's baseline, which is not one of the look-back."""


class View:
    """A check with everything known before it: what a condition looks at.

    ``checks`` runs in order of observation and ``checks[index]`` is the one being judged;
    ``every_minutes`` is the interval asked for at that time, to tell a gap when reaching back.
    """

    __slots__ = (
        "_derived",
        "_hours",
        "baseline",
        "check",
        "checks",
        "every_minutes",
        "flap",
        "holding",
        "index",
        "latest",
        "required",
    )  # fmt: skip

    def __init__(
        self, flap: Flap, checks: Sequence[Check], index: int, required: tuple[str, ...],
        every_minutes: float,
    ) -> None:  # fmt: skip
        self.flap = flap
        self.checks = checks
        self.index = index
        self.required = required
        self.every_minutes = every_minutes
        self.check = checks[index]
        found = flap.baseline
        late = found is not None and found.observed_at >= self.check.observed_at
        self.baseline = None if late else found  # a check is never held against a later one
        self._derived: dict[str, SignValue | None] = {}
        self._hours: float | None = None
        self.latest: dict[tuple[str, int], list[tuple[int, SignValue]]] = {}
        self.holding: dict[int, list[Condition]] = {}  # what combinators found to hold here

    @property
    def hours(self) -> float:
        """Hours since the flap was last perfused."""
        if self._hours is None:
            self._hours = self.flap.hours(self.check.observed_at)
        return self._hours

    def read(self, name: str) -> SignValue | None:
        """The sign's value at this check, derived signs included; None if not looked at."""
        value = self.check.signs.get(name)
        if value is not None:
            return value
        if name in DERIVED:
            known = self._derived
            if name not in known:
                known[name] = derive(name, self.check, self.baseline)
            return known[name]
        if name == "nurse_concern":
            return self.check.nurse_concern
        return None

    def earlier(self) -> Iterator[View]:
        """The same view from each earlier check, newest first."""
        for index in range(self.index - 1, -1, -1):
            yield self.at(index)

    def readings(self, name: str) -> Iterator[tuple[int, SignValue]]:
        """The places of earlier checks that have a value for the sign, newest first."""
        recorded = name in SIGNS
        for index in range(self.index - 1, -1, -1):
            check = self.checks[index]
            value = check.signs.get(name) if recorded else self._read_of(check, name)
            if value is not None and type(value) is not Unable:
                yield index, value

    def last_readings(self, name: str, count: int) -> list[tuple[int, SignValue]]:
        """At most so many earlier readings, newest first; two trends of one sign share them."""
        found = self.latest.get((name, count))
        if found is None:
            found = list(itertools.islice(self.readings(name), count))
            self.latest[name, count] = found
        return found

    def at_baseline(self, name: str) -> SignValue | None:
        """The sign's value at the flap's baseline; None if there is none."""
        if self.baseline is None:
            return None
        value = self._read_of(self.baseline, name)
        return None if isinstance(value, Unable) else value

    def _read_of(self, check: Check, name: str) -> SignValue | None:
        if name not in DERIVED:
            return check.signs.get(name)
        base = self.baseline
        if base is not None and base.observed_at >= check.observed_at:
            base = None
        return derive(name, check, base)

    def at(self, index: int) -> View:
        """The same view from another check of the look-back; BASELINE from the flap's baseline."""
        if index != BASELINE:
            return View(self.flap, self.checks, index, self.required, self.every_minutes)
        assert self.baseline is not None
        return View(self.flap, [self.baseline], BASELINE, self.required, self.every_minutes)

    def minutes_since(self, other: View) -> float:
        """Minutes from the other check to this one, as observed."""
        return (self.check.observed_at - other.check.observed_at) / timedelta(minutes=1)

    def evidence(self, name: str, remark: str | None = None) -> Evidence:
        """The reading of this check as evidence. Raises KeyError if there is none."""
        value = self.read(name)
        if value is None:
            raise KeyError(name)
        return Evidence(name, value, self.check.observed_at, self.check.by, self.check.key, remark)

    def gap_before(self, other: View) -> str:
        """Words to add when a trend reaches over missing checks; empty otherwise."""
        start, end = other.index, self.index
        times = [self.checks[i].observed_at for i in range(start, end + 1)]
        widest = max((b - a for a, b in itertools.pairwise(times)), default=timedelta(0))
        if widest <= timedelta(minutes=1.5 * self.every_minutes):
            return ""
        return f", over a gap of {lasting(widest)}"


def lasting(span: timedelta) -> str:
    """A duration in the ward's words: 40 min, 3 h, 3 h 20 min."""
    minutes = round(span / timedelta(minutes=1))
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


class Condition(Protocol):
    """What every condition can do."""

    def truth(self, view: View) -> Truth:
        """Whether it holds of the view."""

    def phrases(self, view: View) -> list[str]:
        """Why it holds, in words with numbers; only called where it does."""

    def evidence(self, view: View) -> list[Evidence]:
        """The readings it rests on; only called where it holds."""

    def lacked(self, view: View) -> set[str]:
        """The signs without which it cannot be answered; only called where it cannot."""

    def describe(self) -> str:
        """The condition in plain words, for the protocol page."""

    def parts(self) -> Sequence[Condition]:
        """The conditions it is made of."""

    def signs(self) -> tuple[str, ...]:
        """The signs it reads itself (not through its parts)."""
