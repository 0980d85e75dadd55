"""Conditions on the flap, the hour and the clock rather than on a sign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator

from monitoring.conditions.readings import Leaf
from monitoring.conditions.view import BadCondition, ScheduleFact, Truth, View
from monitoring.domain import Evidence

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
class FlapIs(Leaf):
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
class HoursBetween(Leaf):
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
class ScheduleIs(Leaf):
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
            "recheck_long": "a recheck that a loud check or a release asked for is 30 min late",
            "no_baseline": "no baseline within 4 h of the start of monitoring",
            "hold_long": "a hold has been open too long",
        }[self.fact]
