"""Answering all the questions of a protocol at once, and no question twice.

Nearly every check of a ward gives the same answers as one before it. What a set of rules decides
follows from the answers of its leaves alone, so the decision is kept by those answers and found
again. First come the answers that need only the check itself; they tell which conditions have to
reach back in time at all (most need not), and only those are asked.

Nothing here knows a clinical meaning: the conditions do, and a decision that was not met before
is made by them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from monitoring.conditions import (
    READABLE,
    AllOf,
    AtLeast,
    ByDifferentPerson,
    ChangedBy,
    Condition,
    FamiliesAtLeast,
    FlapIs,
    HoursBetween,
    NotRecorded,
    Persists,
    ScheduleIs,
    Steps,
    UnableTimes,
    View,
    presses,
)
from monitoring.signs import SIGNS, Unable

KEPT = 4096
"""How many decisions are kept at most; a ward sees some hundred different ones."""

REACHING = (ChangedBy, Steps, Persists, ByDifferentPerson, UnableTimes)
"""Conditions whose answer may depend on what was seen before the check."""

Reaching = ChangedBy | Steps | Persists | ByDifferentPerson | UnableTimes


@dataclass(frozen=True, slots=True)
class Decision:
    """Which level of a rule holds (counted from its worst; None: none does), and the signs that a
    worse level lacked to be answered."""

    level: int | None
    lacked: tuple[str, ...]


class Plan:
    """The rules of one protocol as questions. ``rules`` holds each rule's levels, worst first."""

    def __init__(self, rules: Iterable[Sequence[Condition]], required: Iterable[str]) -> None:
        self._rules = tuple(tuple(levels) for levels in rules)
        every = _distinct(c for levels in self._rules for level in levels for c in _walk(level))
        names = {name for c in every for name in c.signs()} | set(required)
        if "refill" in names:
            names.add("refill_again")
        names.discard("nurse_concern")
        self._words = tuple(sorted(n for n in names if _is_told_by_its_word(n)))
        numbers = [
            (name, tuple(c.truth for c in every if _asks_only(c) and name in c.signs()))
            for name in sorted(names - set(self._words))
        ]
        self._numbers = tuple((n, truths) for n, truths in numbers if n in SIGNS)
        self._derived = tuple((n, truths) for n, truths in numbers if n not in SIGNS)
        self._facts = tuple(c for c in every if isinstance(c, FlapIs))
        self._hours = tuple(c.truth for c in every if isinstance(c, HoursBetween))
        self._reaching = tuple(c for c in every if isinstance(c, REACHING))
        self._live: dict[Hashable, tuple[Reaching, ...]] = {}
        self._decided: dict[Hashable, tuple[Decision, ...]] = {}

    def decide(self, view: View) -> tuple[Decision, ...]:
        """A decision a rule, in the order of the rules."""
        now = self._now(view)
        live = self._live.get(now)
        if live is None:
            live = self._live[now] = tuple(c for c in self._reaching if _is_live(c, view))
        key = (now, tuple([_answer(c, view) for c in live]))
        found = self._decided.get(key)
        if found is None:
            if len(self._decided) >= KEPT:
                self._live.clear()
                self._decided.clear()
            found = self._decided[key] = tuple(_worst(levels, view) for levels in self._rules)
        return found

    def _now(self, view: View) -> Hashable:
        """The answers that follow from the check itself, the hour and the flap's facts; whether
        each sign was recorded answers ``not_recorded`` too."""
        check = view.check
        key: list[Hashable] = [view.required, check.nurse_concern, view.baseline is None]
        key += map(check.signs.get, self._words)
        for name, truths in self._numbers:
            value = check.signs.get(name)
            if value is None:
                key.append(None)
                continue
            key.append(type(value) is not Unable)
            for truth in truths:
                key.append(truth(view))
        for name, truths in self._derived:
            if view.read(name) is None:
                key.append(None)
                continue
            key.append(True)
            for truth in truths:
                key.append(truth(view))
        key += [_answer(c, view) for c in self._facts]
        key += [truth(view) for truth in self._hours]
        return tuple(key)


def _walk(condition: Condition) -> Iterator[Condition]:
    yield condition
    for part in condition.parts():
        yield from _walk(part)


def _distinct(conditions: Iterable[Condition]) -> list[Condition]:
    found: list[Condition] = []
    for condition in conditions:
        if condition not in found:
            found.append(condition)
    return found


def _is_told_by_its_word(name: str) -> bool:
    return name in SIGNS and READABLE[name].kind in ("words", "yes_no")


def _asks_only(condition: Condition) -> bool:
    """Whether the condition is a leaf that asks nothing but the value of one sign now."""
    settled = (*REACHING, FlapIs, HoursBetween, NotRecorded, ScheduleIs)
    return not condition.parts() and not isinstance(condition, settled)


def _answer(condition: Condition, view: View) -> Hashable:
    """The truth; where it cannot be told, what it lacked for that."""
    truth = condition.truth(view)
    return frozenset(condition.lacked(view)) if truth is None else truth


def _is_live(condition: Reaching, view: View) -> bool:
    """Whether the answer depends on anything before the check."""
    if isinstance(condition, Persists | ByDifferentPerson):
        return _may_hold(condition.of, view)
    if isinstance(condition, Steps):
        place = condition.position(view.read("colour"))
        return place is not None and place >= condition.at_least
    if isinstance(condition, UnableTimes):
        signs = view.check.signs
        return any(isinstance(signs.get(n), Unable) for n in condition.names or view.required)
    if condition.to:
        return view.read(condition.sign) in condition.to
    return bool(presses(view, condition.sign))


def _may_hold(condition: Condition, view: View) -> bool:
    if isinstance(condition, AllOf):
        return all(_may_hold(part, view) for part in condition.of)
    if isinstance(condition, AtLeast | FamiliesAtLeast):
        return any(_may_hold(part, view) for part in condition.of)
    if isinstance(condition, REACHING):
        return _is_live(condition, view)
    return condition.truth(view) is True


def _worst(levels: Sequence[Condition], view: View) -> Decision:
    lacked: set[str] = set()
    for number, condition in enumerate(levels):
        held = condition.truth(view)
        if held:
            return Decision(number, tuple(sorted(lacked)))
        if held is None:
            lacked |= condition.lacked(view)
    return Decision(None, tuple(sorted(lacked)))
