"""Conditions on one reading: its word, its number, and whether it is there at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict

from monitoring.conditions.view import READABLE, BadCondition, Condition, Truth, View
from monitoring.domain import Evidence
from monitoring.signs import REFILL_BOUNDS, Sign, SignValue, Unable

STRICT = ConfigDict(extra="forbid")


class Leaf:
    """A condition that has no parts."""

    __slots__ = ()
    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    def parts(self) -> Sequence[Condition]:
        return ()

    def signs(self) -> tuple[str, ...]:
        sign = getattr(self, "sign", None)
        return () if sign is None else (sign,)

    def lacked(self, view: View) -> set[str]:
        return set(self.signs())


def _known(sign: str) -> Sign:
    if sign not in READABLE:
        raise BadCondition(f"{sign!r} is not a sign.")
    return READABLE[sign]


def check_words(sign: str, words: Sequence[str]) -> None:
    """Raises BadCondition unless the sign has all of these words."""
    known = _known(sign)
    allowed = ("yes", "no") if known.kind == "yes_no" else known.words
    wrong = [w for w in words if w not in allowed]
    if wrong or not words:
        raise BadCondition(f"{known.label} has no word {wrong}; it has {', '.join(allowed)}.")


def check_number(sign: str) -> None:
    """Raises BadCondition unless the sign is a number."""
    if _known(sign).kind not in ("number", "refill"):
        raise BadCondition(f"{_known(sign).label} is not a number.")


def presses(view: View, sign: str) -> list[SignValue]:
    """The values a sign has at a check: refill has up to two presses, the others one."""
    first = view.read(sign)
    values: list[SignValue] = [] if first is None or type(first) is Unable else [first]
    if sign == "refill":
        second = view.check.signs.get("refill_again")
        if second is not None and type(second) is not Unable:
            values.append(second)
    return values


def first_press(view: View, sign: str) -> SignValue | None:
    """The first value a sign has at a check; of refill the second press, if only that one has."""
    value = view.read(sign)
    if value is not None and type(value) is not Unable:
        return value
    return next(iter(presses(view, sign)), None) if sign == "refill" else None


def any_press(truths: list[Truth]) -> Truth:
    """Either press may be the abnormal one; a normal press never cancels the other."""
    if True in truths:
        return True
    return None if not truths or None in truths else False


def bounds(value: SignValue) -> tuple[float, float] | None:
    """The numbers a reading may stand for: itself, or the range of an untimed refill."""
    if isinstance(value, float):
        return value, value
    return REFILL_BOUNDS.get(value) if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class OneOf(Leaf):
    """The sign is one of these words."""

    sign: str
    words: tuple[str, ...]

    def __post_init__(self) -> None:
        check_words(self.sign, self.words)

    def truth(self, view: View) -> Truth:
        if self.sign == "refill":
            return any_press([self._matches(v) for v in presses(view, "refill")])
        value = view.read(self.sign)
        if value is None or isinstance(value, Unable):
            return None
        return self._matches(value)

    def _matches(self, value: SignValue) -> Truth:
        if isinstance(value, bool):
            return ("yes" if value else "no") in self.words
        if isinstance(value, float):  # a timed refill is none of the untimed words but absent
            return False
        return value in self.words

    def phrases(self, view: View) -> list[str]:
        known = READABLE[self.sign]
        if self.sign == "nurse_concern":
            about = view.check.concern_about
            return [f"nurse concern: {about}" if about else "nurse concern"]
        if known.kind == "yes_no":
            return [known.said if view.read(self.sign) else f"no {known.said}"]
        hit = next(v for v in presses(view, self.sign) if v in self.words)
        return [f"{known.said} {known.show(hit)}"]

    def evidence(self, view: View) -> list[Evidence]:
        return [view.evidence(s) for s in press_signs(view, self.sign)]

    def describe(self) -> str:
        words = " or ".join(w.replace("_", " ") for w in self.words)
        return f"{READABLE[self.sign].said} {words}"


def press_signs(view: View, sign: str) -> list[str]:
    """The recorded signs behind a reading (both presses of refill)."""
    names = [sign, "refill_again"] if sign == "refill" else [sign]
    return [n for n in names if view.read(n) is not None]


@dataclass(frozen=True, slots=True)
class Below(Leaf):
    """The sign is under a number (or equal to it, where the rule says so)."""

    sign: str
    than: float
    or_equal: bool = False

    def __post_init__(self) -> None:
        check_number(self.sign)

    def truth(self, view: View) -> Truth:
        if self.sign == "refill":
            return any_press([self._under(v) for v in presses(view, "refill")])
        value = view.read(self.sign)
        return None if value is None else self._under(value)

    def _under(self, value: SignValue) -> Truth:
        if type(value) is float:
            return value < self.than or (self.or_equal and value == self.than)
        found = bounds(value)
        if found is None:
            return None
        low, high = found
        if high < self.than or (self.or_equal and high == self.than):
            return True
        return None if low < self.than else False

    def phrases(self, view: View) -> list[str]:
        hit = next(v for v in presses(view, self.sign) if self._under(v))
        return [f"{_reading(self.sign, hit)} ({self._limit()})"]

    def evidence(self, view: View) -> list[Evidence]:
        return [view.evidence(s) for s in press_signs(view, self.sign)]

    def _limit(self) -> str:
        return f"{self.than:g} or less" if self.or_equal else f"under {self.than:g}"

    def describe(self) -> str:
        known = READABLE[self.sign]
        return f"{known.said} {self._limit()} {known.unit}".strip()


@dataclass(frozen=True, slots=True)
class Above(Leaf):
    """The sign is over a number (or equal to it, where the rule says so)."""

    sign: str
    than: float
    or_equal: bool = False

    def __post_init__(self) -> None:
        check_number(self.sign)

    def truth(self, view: View) -> Truth:
        if self.sign == "refill":
            return any_press([self._over(v) for v in presses(view, "refill")])
        value = view.read(self.sign)
        return None if value is None else self._over(value)

    def _over(self, value: SignValue) -> Truth:
        if type(value) is float:
            return value > self.than or (self.or_equal and value == self.than)
        found = bounds(value)
        if found is None:
            return None
        low, high = found
        if low > self.than or (self.or_equal and low == self.than):
            return True
        return None if high > self.than else False

    def phrases(self, view: View) -> list[str]:
        hit = next(v for v in presses(view, self.sign) if self._over(v))
        return [f"{_reading(self.sign, hit)} ({self._limit()})"]

    def evidence(self, view: View) -> list[Evidence]:
        return [view.evidence(s) for s in press_signs(view, self.sign)]

    def _limit(self) -> str:
        return f"{self.than:g} or more" if self.or_equal else f"over {self.than:g}"

    def describe(self) -> str:
        known = READABLE[self.sign]
        return f"{known.said} {self._limit()} {known.unit}".strip()


def _reading(sign: str, value: SignValue) -> str:
    known = READABLE[sign]
    return f"{known.said} {known.show(value)}"


@dataclass(frozen=True, slots=True)
class NotRecorded(Leaf):
    """None of these signs has a value (blank or unable); "baseline" asks for the baseline."""

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in self.names:
            if name != "baseline":
                _known(name)

    def truth(self, view: View) -> Truth:
        return not any(self._has(view, name) for name in self.names)

    def _has(self, view: View, name: str) -> bool:
        if name == "baseline":
            return view.baseline is not None
        value = view.read(name)
        return value is not None and not isinstance(value, Unable)

    def signs(self) -> tuple[str, ...]:
        return tuple(n for n in self.names if n != "baseline")

    def phrases(self, view: View) -> list[str]:
        return [self.describe()]

    def evidence(self, view: View) -> list[Evidence]:
        return []

    def lacked(self, view: View) -> set[str]:
        return set()

    def describe(self) -> str:
        labels = [READABLE[n].said if n in READABLE else n for n in self.names]
        return f"no {', '.join(labels)} recorded"


@dataclass(frozen=True, slots=True)
class UnableTimes(Leaf):
    """The same sign was unable on so many checks running (default: any required sign)."""

    times: int
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.times < 1:
            raise BadCondition("unable_times: at least once.")
        for name in self.names:
            _known(name)

    def signs(self) -> tuple[str, ...]:
        return self.names

    def _found(self, view: View) -> list[str]:
        if view.index + 1 < self.times:
            return []
        checks = view.checks[view.index + 1 - self.times : view.index + 1]
        return [
            name
            for name in self.names or view.required
            if all(isinstance(c.signs.get(name), Unable) for c in checks)
        ]

    def truth(self, view: View) -> Truth:
        return bool(self._found(view))

    def phrases(self, view: View) -> list[str]:
        labels = " and ".join(READABLE[n].said for n in self._found(view))
        return [f"{labels} could not be looked at {self.times} times running"]

    def evidence(self, view: View) -> list[Evidence]:
        views = [view, *view.earlier()][: self.times]
        return [v.evidence(n) for n in self._found(view) for v in views]

    def lacked(self, view: View) -> set[str]:
        return set()

    def describe(self) -> str:
        labels = ", ".join(READABLE[n].said for n in self.names) or "a required sign"
        return f"{labels} unable {self.times} times running"
