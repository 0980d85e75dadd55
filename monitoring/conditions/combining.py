"""Conditions made of others, and what follows from how they are made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, cast

from pydantic import ConfigDict, Field

from monitoring.conditions.parsing import Sub
from monitoring.conditions.readings import STRICT
from monitoring.conditions.view import READABLE, BadCondition, Condition, Truth, View, lasting
from monitoring.domain import Evidence


class Holder:
    """A condition made of others."""

    __slots__ = ()
    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    def signs(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Persists(Holder):
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
class ByDifferentPerson(Holder):
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


@dataclass(frozen=True, slots=True)
class AllOf(Holder):
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
class AtLeast(Holder):
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
class FamiliesAtLeast(Holder):
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
    """The parts' words, each said once: a phrase that another one begins is left to it, and a
    reading is held against one limit only."""
    said: list[str] = []
    for part in parts:
        for phrase in part.phrases(view):
            reading = phrase.partition(" (")[0]
            if not any(other.startswith((phrase, f"{reading} (")) for other in said):
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
