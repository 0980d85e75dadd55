"""Conditions that hold a reading against the baseline or an earlier check."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, cast

from monitoring.conditions.readings import (
    Leaf,
    any_press,
    bounds,
    check_number,
    check_words,
    first_press,
    press_signs,
)
from monitoring.conditions.view import BASELINE, READABLE, BadCondition, Truth, View, lasting
from monitoring.domain import Evidence
from monitoring.signs import EVERY_SIGN, LADDERS, SignValue, Unable


def _rise(before: tuple[float, float], after: tuple[float, float]) -> tuple[float, float]:
    """The least and the most that a reading may have risen, to 0.01."""
    return round(after[0] - before[1], 2), round(after[1] - before[0], 2)


Against = Literal["baseline", "earlier"]


@dataclass(frozen=True, slots=True)
class ChangedBy(Leaf):
    """The sign moved, against the flap's baseline or an earlier check.

    Numbers: ``up`` or ``down`` by more than (``or_equal``: at least) so much. Words: ``to`` one
    set of words after any reading ``from_words`` in the look-back. ``within_minutes`` limits how
    far back an earlier check may lie; ``over_checks`` asks that each of that many steps went the
    same way and the whole amounts to the change.
    """

    sign: str
    against: Against = "earlier"
    up: float | None = None
    down: float | None = None
    or_equal: bool = True
    from_words: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    within_minutes: float | None = None
    over_checks: int | None = None

    def __post_init__(self) -> None:
        if self.from_words or self.to:
            check_words(self.sign, self.from_words)
            check_words(self.sign, self.to)
            if self.up is not None or self.down is not None or self.over_checks is not None:
                raise BadCondition("changed_by: words or numbers, not both.")
            return
        check_number(self.sign)
        amounts = [a for a in (self.up, self.down) if a is not None]
        if len(amounts) != 1 or amounts[0] <= 0:
            raise BadCondition("changed_by: give up or down, and by how much.")
        if self.over_checks is not None and (self.against == "baseline" or self.within_minutes):
            raise BadCondition("changed_by: over_checks is against earlier checks, however far.")

    def truth(self, view: View) -> Truth:
        if self.to:
            return self._word_truth(view)
        now = first_press(view, self.sign)
        if now is None:
            return None
        if self.over_checks is not None:
            return self._steady_truth(view, now)
        return any_press([self._moved(then, now) for _, then in self._references(view)])

    def _word_truth(self, view: View) -> Truth:
        value = view.read(self.sign)
        if value is None or isinstance(value, Unable):
            return None
        if value not in self.to:
            return False
        seen = False
        for _, then in self._references(view):  # newest first: mostly the first one answers
            if then in self.from_words:
                return True
            seen = True
        return False if seen else None

    def _references(self, view: View) -> Iterator[tuple[int, SignValue]]:
        """What the reading is held against, newest first, by its place in the look-back."""
        if self.against == "earlier":
            oldest = None
            if self.within_minutes is not None:
                oldest = view.check.observed_at - timedelta(minutes=self.within_minutes)
            for index, value in view.readings(self.sign):
                if oldest is not None and view.checks[index].observed_at < oldest:
                    return
                yield index, value
        if self.to or self.against == "baseline":  # "after ever present" reaches the baseline too
            first = view.at_baseline(self.sign)
            if first is not None:
                yield BASELINE, first

    def _moved(self, then: SignValue, now: SignValue) -> Truth:
        a, b = bounds(then), bounds(now)
        if a is None or b is None:
            return None
        low, high = _rise(a, b) if self.up is not None else _rise(b, a)
        amount = cast(float, self.up if self.up is not None else self.down)
        if low > amount or (self.or_equal and low == amount):
            return True
        return None if high > amount or (self.or_equal and high == amount) else False

    def _chain(self, view: View) -> list[tuple[int, SignValue]]:
        """The last readings a steady change runs over, newest first."""
        return view.last_readings(self.sign, cast(int, self.over_checks))

    def _steady_truth(self, view: View, now: SignValue) -> Truth:
        newer, chain = now, self._chain(view)
        if len(chain) < cast(int, self.over_checks):
            return None
        for _, older in chain:
            went = self._went(older, newer)
            if not went:
                return went
            newer = older
        return self._moved(newer, now)

    def _went(self, older: SignValue, newer: SignValue) -> Truth:
        """Whether one step went the way of the change at all."""
        if type(older) is float and type(newer) is float:
            return newer > older if self.up is not None else newer < older
        a, b = bounds(older), bounds(newer)
        if a is None or b is None:
            return None
        return b[0] > a[1] if self.up is not None else b[1] < a[0]

    def _decisive(self, view: View) -> tuple[View, SignValue]:
        """The earlier reading (and its view) that makes the change."""
        if self.over_checks is not None:
            index, value = self._chain(view)[-1]
            return view.at(index), value
        now = cast(SignValue, first_press(view, self.sign))
        for index, value in self._references(view):
            if value in self.from_words if self.to else self._moved(value, now):
                return view.at(index), value
        raise LookupError(self.sign)

    def phrases(self, view: View) -> list[str]:
        then, before = self._decisive(view)
        known = READABLE[self.sign]
        now = cast(SignValue, first_press(view, self.sign))
        label = known.said
        ago = lasting(view.check.observed_at - then.check.observed_at)
        whence = "baseline" if then.index == BASELINE else f"{ago} earlier"
        gap = "" if then.index == BASELINE else view.gap_before(then)
        if self.to or isinstance(before, str) or isinstance(now, str):
            return [f"{label} {known.show(now)}, was {known.show(before)} ({whence}{gap})"]
        assert isinstance(now, float) and isinstance(before, float)
        way = "up" if now >= before else "down"
        amount = known.show(round(abs(now - before), 2))
        return [
            f"{label} {known.show(now)}, {way} {amount} from {known.show(before)} ({whence}{gap})"
        ]

    def evidence(self, view: View) -> list[Evidence]:
        if self.over_checks is not None:
            then = [view.at(index) for index, _ in self._chain(view)]
        else:
            then = [self._decisive(view)[0]]
        return [_reading_of(view, self.sign), *(_as_evidence(v, self.sign) for v in then)]

    def lacked(self, view: View) -> set[str]:
        if view.read(self.sign) is None or isinstance(view.read(self.sign), Unable):
            return {self.sign}
        return {f"{self.against} {self.sign}"}

    def describe(self) -> str:
        known = READABLE[self.sign]
        label = known.said
        whence = "baseline" if self.against == "baseline" else "an earlier check"
        if self.within_minutes is not None:
            whence += f" within {lasting(timedelta(minutes=self.within_minutes))}"
        if self.to:
            return f"{label} {' or '.join(self.to)} after {' or '.join(self.from_words)} ({whence})"
        way, amount = ("up", self.up) if self.up is not None else ("down", self.down)
        least = "at least" if self.or_equal else "more than"
        text = f"{label} {way} {least} {amount:g} {known.unit} from {whence}"
        if self.over_checks is not None:
            text += f", the same way over {self.over_checks} checks"
        return text


def _as_evidence(then: View, sign: str) -> Evidence:
    return then.evidence(sign, "baseline" if then.index == BASELINE else None)


def _reading_of(view: View, sign: str) -> Evidence:
    """The first press that has a value (refill may have only the second)."""
    names = [n for n in press_signs(view, sign) if not isinstance(view.read(n), Unable)]
    return view.evidence(names[0])


@dataclass(frozen=True, slots=True)
class Steps(Leaf):
    """The colour moved at least so many steps down a ladder, against baseline or earlier checks.

    Without a baseline it is held against "matches", the donor or neighbouring skin: absolute
    rules never wait. A colour off the ladder is 0 steps along it, except bruised, which hides
    the colour and cannot be answered.
    """

    ladder: Literal["arterial", "venous"]
    at_least: int
    against: Against = "baseline"
    over_checks: int | None = None

    def __post_init__(self) -> None:
        if self.at_least < 1 or (self.over_checks is not None and self.against == "baseline"):
            raise BadCondition("steps: at_least 1; over_checks is against earlier checks.")

    def signs(self) -> tuple[str, ...]:
        return ("colour",)

    def position(self, value: SignValue | None) -> int | None:
        """How far down the ladder a colour is; None where it cannot be told."""
        if not isinstance(value, str) or value == "bruised":
            return None
        rungs = LADDERS[self.ladder]
        return rungs.index(value) if value in rungs else 0

    def truth(self, view: View) -> Truth:
        now = self.position(view.read("colour"))
        if now is None:
            return None
        if now < self.at_least:
            return False
        chain = self._chain(view)
        if chain is None:
            return None
        places = [now, *(place for _, place in chain)]
        if any(newer <= older for newer, older in itertools.pairwise(places)):
            return False
        return now - places[-1] >= self.at_least

    def _chain(self, view: View) -> list[tuple[View | None, int]] | None:
        if self.against == "baseline":
            if view.baseline is None:
                return [(None, 0)]
            first = view.at(BASELINE)
            return [(first, self.position(first.read("colour")) or 0)]
        found: list[tuple[View | None, int]] = []
        for index, value in view.readings("colour"):
            place = self.position(value)
            if place is not None:
                found.append((view.at(index), place))
            if len(found) == (self.over_checks or 1):
                return found
        return None

    def phrases(self, view: View) -> list[str]:
        colour = EVERY_SIGN["colour"].show(cast(SignValue, view.read("colour")))
        chain = self._chain(view)
        assert chain is not None
        then = chain[-1][0]
        if then is None:
            return [f"colour {colour}"]
        before = then.read("colour")
        was = "not recorded" if before is None else EVERY_SIGN["colour"].show(before)
        if self.against == "baseline":
            normal = was in EVERY_SIGN["colour"].normal
            return [
                f"colour {colour} (was normal)" if normal else f"colour {colour} (baseline {was})"
            ]
        ago = lasting(view.check.observed_at - then.check.observed_at)
        return [f"colour {colour}, was {was} ({ago} earlier{view.gap_before(then)})"]

    def evidence(self, view: View) -> list[Evidence]:
        found = [view.evidence("colour")]
        for then, _ in self._chain(view) or ():
            if then is not None and then.read("colour") is not None:
                found.append(_as_evidence(then, "colour"))
        return found

    def lacked(self, view: View) -> set[str]:
        return {"colour"} if self.position(view.read("colour")) is None else {"earlier colour"}

    def describe(self) -> str:
        whence = "baseline" if self.against == "baseline" else "earlier"
        steps = "step" if self.at_least == 1 else "steps"
        text = f"colour at least {self.at_least} {steps} worse than {whence} ({self.ladder} ladder)"
        if self.over_checks is not None:
            text += f", worse each time over {self.over_checks} checks"
        return text
