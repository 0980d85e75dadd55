"""What a rule may ask of a check: a closed set of three-valued conditions.

Each condition says whether it holds (True), does not (False) or cannot be answered (None), and
explains itself from the same object: the words for a reason, the readings it rests on, and the
signs it lacked. There is no "not": absence can never turn into a finding by negation, and a
normal reading can never take one away.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal, Protocol, cast

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from monitoring.domain import Check, Evidence, Flap, derive
from monitoring.signs import (
    DERIVED,
    EVERY_SIGN,
    LADDERS,
    REFILL_BOUNDS,
    SIGNS,
    MonitoringError,
    Sign,
    SignValue,
    Unable,
)

Truth = bool | None
"""True, False, or None for "cannot be answered from what was recorded"."""

NURSE_CONCERN = Sign("nurse_concern", "Nurse concern", "yes_no")
READABLE: dict[str, Sign] = EVERY_SIGN | {NURSE_CONCERN.name: NURSE_CONCERN}

ScheduleFact = Literal[
    "overdue", "overdue_long", "attempted_twice", "recheck_overdue", "no_baseline", "hold_long"
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
        "_derived", "_hours", "baseline", "check", "checks", "every_minutes", "flap",
        "holding", "index", "required",
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


_STRICT = ConfigDict(extra="forbid")


class _Leaf:
    """A condition that has no parts."""

    __slots__ = ()
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

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


def _check_words(sign: str, words: Sequence[str]) -> None:
    known = _known(sign)
    allowed = ("yes", "no") if known.kind == "yes_no" else known.words
    wrong = [w for w in words if w not in allowed]
    if wrong or not words:
        raise BadCondition(f"{known.label} has no word {wrong}; it has {', '.join(allowed)}.")


def _check_number(sign: str) -> None:
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


def _any_press(truths: list[Truth]) -> Truth:
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
class OneOf(_Leaf):
    """The sign is one of these words."""

    sign: str
    words: tuple[str, ...]

    def __post_init__(self) -> None:
        _check_words(self.sign, self.words)

    def truth(self, view: View) -> Truth:
        if self.sign == "refill":
            return _any_press([self._matches(v) for v in presses(view, "refill")])
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
            return [known.label.lower() if view.read(self.sign) else f"no {known.label.lower()}"]
        hit = next(v for v in presses(view, self.sign) if v in self.words)
        return [f"{known.label.lower()} {known.show(hit)}"]

    def evidence(self, view: View) -> list[Evidence]:
        return [view.evidence(s) for s in _press_signs(view, self.sign)]

    def describe(self) -> str:
        words = " or ".join(w.replace("_", " ") for w in self.words)
        return f"{READABLE[self.sign].label.lower()} {words}"


def _press_signs(view: View, sign: str) -> list[str]:
    """The recorded signs behind a reading (both presses of refill)."""
    names = [sign, "refill_again"] if sign == "refill" else [sign]
    return [n for n in names if view.read(n) is not None]


@dataclass(frozen=True, slots=True)
class Below(_Leaf):
    """The sign is under a number (or equal to it, where the rule says so)."""

    sign: str
    than: float
    or_equal: bool = False

    def __post_init__(self) -> None:
        _check_number(self.sign)

    def truth(self, view: View) -> Truth:
        if self.sign == "refill":
            return _any_press([self._under(v) for v in presses(view, "refill")])
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
        return [view.evidence(s) for s in _press_signs(view, self.sign)]

    def _limit(self) -> str:
        return f"{self.than:g} or less" if self.or_equal else f"under {self.than:g}"

    def describe(self) -> str:
        known = READABLE[self.sign]
        return f"{known.label.lower()} {self._limit()} {known.unit}".strip()


@dataclass(frozen=True, slots=True)
class Above(_Leaf):
    """The sign is over a number (or equal to it, where the rule says so)."""

    sign: str
    than: float
    or_equal: bool = False

    def __post_init__(self) -> None:
        _check_number(self.sign)

    def truth(self, view: View) -> Truth:
        if self.sign == "refill":
            return _any_press([self._over(v) for v in presses(view, "refill")])
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
        return [view.evidence(s) for s in _press_signs(view, self.sign)]

    def _limit(self) -> str:
        return f"{self.than:g} or more" if self.or_equal else f"over {self.than:g}"

    def describe(self) -> str:
        known = READABLE[self.sign]
        return f"{known.label.lower()} {self._limit()} {known.unit}".strip()


def _reading(sign: str, value: SignValue) -> str:
    known = READABLE[sign]
    return f"{known.label.lower()} {known.show(value)}"


def _rise(before: tuple[float, float], after: tuple[float, float]) -> tuple[float, float]:
    """The least and the most that a reading may have risen, to 0.01."""
    return round(after[0] - before[1], 2), round(after[1] - before[0], 2)


Against = Literal["baseline", "earlier"]


@dataclass(frozen=True, slots=True)
class ChangedBy(_Leaf):
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
            _check_words(self.sign, self.from_words)
            _check_words(self.sign, self.to)
            if self.up is not None or self.down is not None or self.over_checks is not None:
                raise BadCondition("changed_by: words or numbers, not both.")
            return
        _check_number(self.sign)
        amounts = [a for a in (self.up, self.down) if a is not None]
        if len(amounts) != 1 or amounts[0] <= 0:
            raise BadCondition("changed_by: give up or down, and by how much.")
        if self.over_checks is not None and self.against == "baseline":
            raise BadCondition("changed_by: over_checks is against earlier checks.")

    def truth(self, view: View) -> Truth:
        if self.to:
            return self._word_truth(view)
        now = first_press(view, self.sign)
        if now is None:
            return None
        if self.over_checks is not None:
            return self._steady_truth(view, now)
        return _any_press([self._moved(then, now) for _, then in self._references(view)])

    def _word_truth(self, view: View) -> Truth:
        value = view.read(self.sign)
        if value is None or isinstance(value, Unable):
            return None
        if value not in self.to:
            return False
        seen = [then for _, then in self._references(view)]
        if any(then in self.from_words for then in seen):
            return True
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
        return list(itertools.islice(self._references(view), self.over_checks))

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
        label = known.label.lower()
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
        label = known.label.lower()
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
    names = [n for n in _press_signs(view, sign) if not isinstance(view.read(n), Unable)]
    return view.evidence(names[0])


@dataclass(frozen=True, slots=True)
class Steps(_Leaf):
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
            return [f"colour {colour} (baseline {was})"]
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


class _Holder:
    """A condition made of others."""

    __slots__ = ()
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    def signs(self) -> tuple[str, ...]:
        return ()


def parse_condition(raw: Any) -> Condition:
    """A condition from its YAML shape, a mapping with one key.

    Raises BadCondition for an unknown condition, an unknown sign or a word a sign lacks.
    """
    if not isinstance(raw, Mapping):
        return cast(Condition, raw)
    if len(raw) != 1:
        raise BadCondition(f"a condition is one word and what it needs, not {sorted(raw)}.")
    ((name, body),) = raw.items()
    if name not in _KINDS:
        raise BadCondition(f"{name!r} is not a condition; there are {', '.join(sorted(_KINDS))}.")
    kind = _KINDS[name]
    if name in ("all", "any"):
        body = {"of": body}
    elif name == "not_recorded":
        body = {"names": body}
    elif name == "schedule":
        body = {"fact": body}
    elif name == "flap_is":
        body = {"facts": body}
    elif name == "changed_by" and isinstance(body, Mapping) and "from" in body:
        body = {("from_words" if k == "from" else k): v for k, v in body.items()}
    elif name == "hours_between" and isinstance(body, Mapping):
        body = {
            ("from_hour" if k == "from" else "to_hour" if k == "to" else k): v
            for k, v in body.items()
        }
    try:
        return cast(Condition, _reader(kind).validate_python(body))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in (name, *first["loc"]))
        raise BadCondition(f"{where}: {first['msg']}") from None


@lru_cache
def _reader(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


Sub = Annotated[Any, BeforeValidator(parse_condition)]


@dataclass(frozen=True, slots=True)
class Persists(_Holder):
    """A condition held at this check and kept holding: over so many checks, or minutes.

    Checks that cannot answer are stepped over and told as a gap; one where it did not hold ends
    the run.
    """

    of: Sub
    checks: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        if (self.checks is None) == (self.minutes is None):
            raise BadCondition("persists: give checks or minutes.")
        if self.checks is not None and self.checks < 2:
            raise BadCondition("persists: over at least 2 checks.")

    def parts(self) -> Sequence[Condition]:
        return (self.of,)

    def truth(self, view: View) -> Truth:
        now = self.of.truth(view)
        return self._walk(view)[0] if now is True else cast(Truth, now)

    def _walk(self, view: View) -> tuple[Truth, View | None]:
        """Back through the checks until the run is long enough or ends; and where it was."""
        count, unsure = 1, False
        for then in view.earlier():
            held = self.of.truth(then)
            if held is False:
                return False, None
            if held is None:
                unsure = True
                continue
            count += 1
            if self.checks is not None and count >= self.checks:
                return True, then
            if self.minutes is not None and view.minutes_since(then) >= self.minutes:
                return True, then
        return (None if unsure else False), None

    def _reached(self, view: View) -> View:
        then = self._walk(view)[1]
        assert then is not None
        return then

    def phrases(self, view: View) -> list[str]:
        then = self._reached(view)
        since = lasting(view.check.observed_at - then.check.observed_at)
        parts = self.of.phrases(view)
        return [*parts[:-1], f"{parts[-1]}, also {since} earlier{view.gap_before(then)}"]

    def evidence(self, view: View) -> list[Evidence]:
        then = self._reached(view)
        return [*self.of.evidence(view), *self.of.evidence(then)]

    def lacked(self, view: View) -> set[str]:
        if self.of.truth(view) is None:
            return cast(set[str], self.of.lacked(view))
        return {"an earlier check"}

    def describe(self) -> str:
        if self.checks is not None:
            return f"{self.of.describe()}, on {self.checks} checks running"
        return f"{self.of.describe()}, for {self.minutes:g} min"


@dataclass(frozen=True, slots=True)
class NotRecorded(_Leaf):
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
        labels = [READABLE[n].label.lower() if n in READABLE else n for n in self.names]
        return f"no {', '.join(labels)} recorded"


@dataclass(frozen=True, slots=True)
class UnableTimes(_Leaf):
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
        labels = " and ".join(READABLE[n].label.lower() for n in self._found(view))
        return [f"{labels} could not be looked at {self.times} times running"]

    def evidence(self, view: View) -> list[Evidence]:
        views = [view, *view.earlier()][: self.times]
        return [v.evidence(n) for n in self._found(view) for v in views]

    def lacked(self, view: View) -> set[str]:
        return set()

    def describe(self) -> str:
        labels = ", ".join(READABLE[n].label.lower() for n in self.names) or "a required sign"
        return f"{labels} unable {self.times} times running"


@dataclass(frozen=True, slots=True)
class ByDifferentPerson(_Holder):
    """It holds here, and held at the last check that could answer, made by somebody else."""

    of: Sub

    def parts(self) -> Sequence[Condition]:
        return (self.of,)

    def _other(self, view: View) -> View | None:
        for then in view.earlier():
            held = self.of.truth(then)
            if held is False:
                return None
            if held and then.check.by != view.check.by:
                return then
        return None

    def truth(self, view: View) -> Truth:
        now = self.of.truth(view)
        return self._other(view) is not None if now else cast(Truth, now)

    def phrases(self, view: View) -> list[str]:
        parts = self.of.phrases(view)
        return [*parts[:-1], f"{parts[-1]}, found by a second person"]

    def evidence(self, view: View) -> list[Evidence]:
        then = self._other(view)
        assert then is not None
        return [*self.of.evidence(view), *self.of.evidence(then)]

    def lacked(self, view: View) -> set[str]:
        return cast(set[str], self.of.lacked(view))

    def describe(self) -> str:
        return f"{self.of.describe()}, found by two people"


_FLAP_FACTS: dict[str, tuple[str, ...]] = {
    "buried": ("true", "false"),
    "skin_type": ("I", "II", "III", "IV", "V", "VI"),
    "kind": ("free", "pedicled", "replant"),
    "tissue": ("skin", "muscle", "bone_skin", "bowel", "digit"),
    "recipient": ("head_neck", "breast", "upper_limb", "lower_limb", "trunk"),
}


def _facts(raw: object) -> object:
    if not isinstance(raw, Mapping):
        return raw
    return {k: tuple(v) if isinstance(v, list) else (v,) for k, v in raw.items()}


@dataclass(frozen=True, slots=True)
class FlapIs(_Leaf):
    """The flap has these facts."""

    facts: Annotated[dict[str, tuple[str | bool, ...]], BeforeValidator(_facts)]

    def __post_init__(self) -> None:
        for name, wanted in self.facts.items():
            if name not in _FLAP_FACTS:
                raise BadCondition(f"flap_is: {name!r} is not asked of a flap.")
            wrong = [w for w in wanted if str(w).lower() not in map(str.lower, _FLAP_FACTS[name])]
            if wrong:
                raise BadCondition(f"flap_is: {name} is never {wrong}.")

    def truth(self, view: View) -> Truth:
        answer: Truth = True
        for name, wanted in self.facts.items():
            found = getattr(view.flap.facts, name)
            if found is None:
                answer = None
            elif found not in wanted:
                return False
        return answer

    def phrases(self, view: View) -> list[str]:
        return [self.describe()]

    def evidence(self, view: View) -> list[Evidence]:
        return []

    def lacked(self, view: View) -> set[str]:
        return {n for n in self.facts if getattr(view.flap.facts, n) is None}

    def describe(self) -> str:
        if self.facts.get("buried") == (True,):
            return "buried flap"
        words = [
            f"{name.replace('_', ' ')} {' or '.join(str(w).replace('_', ' ') for w in wanted)}"
            for name, wanted in self.facts.items()
        ]
        return ", ".join(words)


@dataclass(frozen=True, slots=True)
class HoursBetween(_Leaf):
    """The check lies in [from_hour, to_hour) hours since perfusion, or since monitoring began."""

    from_hour: float = 0
    to_hour: float | None = None
    since: Literal["perfusion", "monitoring"] = "perfusion"

    def __post_init__(self) -> None:
        if self.to_hour is not None and self.to_hour <= self.from_hour:
            raise BadCondition("hours_between: to must come after from.")

    def truth(self, view: View) -> Truth:
        if self.since == "perfusion":
            hours = view.hours
        else:
            hours = (view.check.observed_at - view.flap.slots_from) / timedelta(hours=1)
        after = hours >= self.from_hour or self.from_hour <= 0
        return after and (self.to_hour is None or hours < self.to_hour)

    def phrases(self, view: View) -> list[str]:
        return [f"{view.hours:.0f} h after perfusion"]

    def evidence(self, view: View) -> list[Evidence]:
        return []

    def lacked(self, view: View) -> set[str]:
        return set()

    def describe(self) -> str:
        if self.to_hour is None:
            return f"from hour {self.from_hour:g} after {self.since}"
        if self.from_hour <= 0:
            return f"before hour {self.to_hour:g} after {self.since}"
        return f"hours {self.from_hour:g} to {self.to_hour:g} after {self.since}"


@dataclass(frozen=True, slots=True)
class ScheduleIs(_Leaf):
    """Something the watcher notices from the clock; never true of a check."""

    fact: ScheduleFact

    def truth(self, view: View) -> Truth:
        return False

    def phrases(self, view: View) -> list[str]:
        return []

    def evidence(self, view: View) -> list[Evidence]:
        return []

    def describe(self) -> str:
        return {
            "overdue": "a check is due and its grace is over",
            "overdue_long": "a check is 30 min late, or its slot is missed",
            "attempted_twice": "two attempted checks in a row were not full",
            "recheck_overdue": "a recheck asked for is past its grace",
            "no_baseline": "no baseline within 4 h of the start of monitoring",
            "hold_long": "a hold has been open too long",
        }[self.fact]


@dataclass(frozen=True, slots=True)
class AllOf(_Holder):
    """Every part holds."""

    of: tuple[Sub, ...] = Field(min_length=1)

    def parts(self) -> Sequence[Condition]:
        return self.of

    def truth(self, view: View) -> Truth:
        answer: Truth = True
        for part in self.of:
            held = part.truth(view)
            if held is False:
                return False
            if held is None:
                answer = None
        return answer

    def phrases(self, view: View) -> list[str]:
        return _phrases(self.of, view)

    def evidence(self, view: View) -> list[Evidence]:
        return [e for part in self.of for e in part.evidence(view)]

    def lacked(self, view: View) -> set[str]:
        return _lacked(self.of, view)

    def describe(self) -> str:
        return " and ".join(_bracketed(p) for p in self.of)


@dataclass(frozen=True, slots=True)
class AtLeast(_Holder):
    """At least n of the parts hold."""

    n: int
    of: tuple[Sub, ...]

    def __post_init__(self) -> None:
        if not 1 <= self.n <= len(self.of):
            raise BadCondition(f"at_least {self.n} of {len(self.of)} parts cannot be.")

    def parts(self) -> Sequence[Condition]:
        return self.of

    def truth(self, view: View) -> Truth:
        yes = unknown = 0
        for part in self.of:
            held = part.truth(view)
            if held:
                yes += 1
                if yes >= self.n:
                    return True
            elif held is None:
                unknown += 1
        return None if yes + unknown >= self.n else False

    def _holding(self, view: View) -> list[Condition]:
        return _holding(self, self.of, view)

    def phrases(self, view: View) -> list[str]:
        return _phrases(self._holding(view), view)

    def evidence(self, view: View) -> list[Evidence]:
        return [e for part in self._holding(view) for e in part.evidence(view)]

    def lacked(self, view: View) -> set[str]:
        return _lacked(self.of, view)

    def describe(self) -> str:
        inner = ", ".join(p.describe() for p in self.of)
        return f"at least {self.n} of: {inner}"


@dataclass(frozen=True, slots=True)
class AnyOf(AtLeast):
    """At least one part holds; all that hold are told."""

    n: int = 1
    of: tuple[Sub, ...] = ()

    def describe(self) -> str:
        return " or ".join(_bracketed(p) for p in self.of)


@dataclass(frozen=True, slots=True)
class FamiliesAtLeast(_Holder):
    """Parts from at least n different sign families hold."""

    n: int
    of: tuple[Sub, ...]
    _family: tuple[frozenset[str], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        found = tuple(families(p) for p in self.of)
        if len(set(found)) < self.n:
            raise BadCondition(f"families_at_least {self.n}: the parts name fewer families.")
        if any(len(f) != 1 for f in found):
            raise BadCondition("families_at_least: each part must read signs of one family.")
        object.__setattr__(self, "_family", found)

    def parts(self) -> Sequence[Condition]:
        return self.of

    def truth(self, view: View) -> Truth:
        yes: set[frozenset[str]] = set()
        maybe: set[frozenset[str]] = set()
        for part, family in zip(self.of, self._family, strict=True):
            held = part.truth(view)
            if held:
                yes.add(family)
            elif held is None:
                maybe.add(family)
        if len(yes) >= self.n:
            return True
        return None if len(yes | maybe) >= self.n else False

    def _holding(self, view: View) -> list[Condition]:
        return _holding(self, self.of, view)

    def phrases(self, view: View) -> list[str]:
        return _phrases(self._holding(view), view)

    def evidence(self, view: View) -> list[Evidence]:
        return [e for part in self._holding(view) for e in part.evidence(view)]

    def lacked(self, view: View) -> set[str]:
        return _lacked(self.of, view)

    def describe(self) -> str:
        inner = ", ".join(p.describe() for p in self.of)
        return f"signs from at least {self.n} families of: {inner}"


def families(condition: Condition) -> frozenset[str]:
    """The sign families a condition reads, its parts included."""
    return frozenset(
        str(known.family)
        for leaf in leaves(condition)
        for name in leaf.signs()
        if (known := READABLE[name]).family is not None
    )


def leaves(condition: Condition) -> Iterator[Condition]:
    """Every condition without parts below this one."""
    below = condition.parts()
    if not below:
        yield condition
    for part in below:
        yield from leaves(part)


def _bracketed(condition: Condition) -> str:
    text = condition.describe()
    return f"({text})" if isinstance(condition, AtLeast | AllOf) else text


def _phrases(parts: Sequence[Condition], view: View) -> list[str]:
    """The parts' words, each said once. A phrase that another one begins is left to it."""
    said: list[str] = []
    for part in parts:
        for phrase in part.phrases(view):
            if not any(other.startswith(phrase) for other in said):
                said = [other for other in said if not phrase.startswith(other)]
                said.append(phrase)
    return said


def _holding(whole: Condition, parts: Sequence[Condition], view: View) -> list[Condition]:
    """The parts that hold, found once a view: words and evidence both ask."""
    found = view.holding.get(id(whole))
    if found is None:
        found = view.holding[id(whole)] = [p for p in parts if p.truth(view)]
    return found


def _lacked(parts: Sequence[Condition], view: View) -> set[str]:
    return {name for part in parts if part.truth(view) is None for name in part.lacked(view)}


def implies(one: Condition, other: Condition) -> bool:
    """Whether the other surely holds wherever the one does, as far as their shapes tell."""
    if one == other:
        return True
    if isinstance(one, AllOf) and any(implies(part, other) for part in one.of):
        return True
    if isinstance(one, AnyOf) and all(implies(part, other) for part in one.of):
        return True
    if isinstance(one, Persists | ByDifferentPerson) and implies(one.of, other):
        return True
    if isinstance(other, AnyOf) and any(implies(one, part) for part in other.of):
        return True
    return isinstance(other, AllOf) and all(implies(one, part) for part in other.of)


def contradictions(condition: Condition) -> Iterator[str]:
    """Parts that can never hold together (two presses of refill may differ and are left out)."""
    if isinstance(condition, AllOf):
        asked: dict[str, set[str]] = {}
        for leaf in condition.of:
            if isinstance(leaf, OneOf) and leaf.sign != "refill":
                left = asked.setdefault(leaf.sign, set(leaf.words))
                left &= set(leaf.words)
                if not left:
                    yield f"{READABLE[leaf.sign].label.lower()} cannot be both"
        yield from _empty_ranges(condition.of)
    if isinstance(condition, AllOf | AtLeast | FamiliesAtLeast) and any(
        isinstance(part, ScheduleIs) for part in condition.of
    ):
        yield "what the clock shows stands alone, not beside other conditions"
    if isinstance(condition, HoursBetween) and (condition.to_hour or 1) <= 0:
        yield f"{condition.describe()} never comes"
    for part in condition.parts():
        yield from contradictions(part)


def _empty_ranges(parts: Sequence[Condition]) -> Iterator[str]:
    for low, high in itertools.product(parts, parts):
        if isinstance(low, Above) and isinstance(high, Below) and low.sign == high.sign:
            meet = low.than == high.than and low.or_equal and high.or_equal
            if low.sign != "refill" and low.than >= high.than and not meet:
                yield f"{low.describe()} and {high.describe()} exclude each other"


_KINDS: dict[str, type] = {
    "one_of": OneOf,
    "below": Below,
    "above": Above,
    "changed_by": ChangedBy,
    "steps": Steps,
    "persists": Persists,
    "not_recorded": NotRecorded,
    "unable_times": UnableTimes,
    "by_different_person": ByDifferentPerson,
    "flap_is": FlapIs,
    "hours_between": HoursBetween,
    "schedule": ScheduleIs,
    "all": AllOf,
    "any": AnyOf,
    "at_least": AtLeast,
    "families_at_least": FamiliesAtLeast,
}
