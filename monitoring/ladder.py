"""The ladder of an alert: who is told, after how long, on which channels, until somebody has it.

A protocol carries one ladder a severity, and one for checks that nobody made. An alert freezes
its protocol's ladders when it is raised; a later version never changes a running one. The last
rung is followed by the first again: a ladder has no end.
"""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from monitoring.domain import Level, Severity, Stream


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rung(_Part):
    """So many minutes after the paging began these levels are told, on these channels; no channel
    named means on every one that reaches the person."""

    to: tuple[Level, ...] = Field(min_length=1)
    after_minutes: float = Field(ge=0, le=1440)
    channels: tuple[str, ...] = ()


class Ladder(_Part):
    """Rungs in order of time. ``repeat_minutes`` after the last the ladder begins anew.

    ``answer_minutes``: how long an acknowledgement holds at most without a review.
    ``plan_minutes``: how long a review's plan holds before the alert comes back.
    """

    rungs: tuple[Rung, ...] = Field(min_length=1)
    repeat_minutes: float = Field(gt=0, le=240)
    answer_minutes: float = Field(gt=0, le=240)
    plan_minutes: float = Field(gt=0, le=1440)

    @model_validator(mode="after")
    def _climbs(self) -> Ladder:
        times = [rung.after_minutes for rung in self.rungs]
        if times[0] != 0:
            raise ValueError("the first rung is taken at once: after_minutes 0")
        if any(b <= a for a, b in itertools.pairwise(times)):
            raise ValueError("every rung comes later than the one before")
        return self

    @property
    def round_minutes(self) -> float:
        """From the first rung to the first rung again."""
        return self.rungs[-1].after_minutes + self.repeat_minutes

    def rung(self, number: int) -> Rung:
        """The rung with this number; numbers go on over every round."""
        return self.rungs[number % len(self.rungs)]

    def after(self, number: int) -> timedelta:
        """How long after the paging began the rung is due."""
        rounds, place = divmod(number, len(self.rungs))
        minutes = rounds * self.round_minutes + self.rungs[place].after_minutes
        return timedelta(minutes=minutes)

    def reached(self, elapsed: timedelta) -> int:
        """The highest rung that is due after so long; -1 before the first."""
        if elapsed < timedelta(0):
            return -1
        minutes = elapsed / timedelta(minutes=1)
        rounds = int(minutes // self.round_minutes)
        within = minutes - rounds * self.round_minutes
        place = max(n for n, rung in enumerate(self.rungs) if rung.after_minutes <= within)
        return rounds * len(self.rungs) + place


class Escalation(_Part):
    """The ladders of a protocol, with why they are so and on what ground."""

    red: Ladder
    amber: Ladder
    overdue: Ladder
    why: str = Field(min_length=1)
    citations: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _a_doctor_is_reached(self) -> Escalation:
        nurses = {Level.NURSE, Level.CHARGE_NURSE}
        for name in ("red", "amber", "overdue"):
            ladder: Ladder = getattr(self, name)
            if all(set(rung.to) <= nurses for rung in ladder.rungs):
                raise ValueError(f"{name}: no rung tells a doctor")
        return self

    def frozen(self) -> dict[str, Any]:
        """The ladders as an alert keeps them."""
        return {name: getattr(self, name).model_dump(mode="json") for name in _NAMES}


_NAMES = ("red", "amber", "overdue")

STANDARD = Escalation(
    red=Ladder(
        rungs=(
            Rung(to=(Level.REGISTRAR,), after_minutes=0),
            Rung(to=(Level.REGISTRAR, Level.MICROSURGEON), after_minutes=5),
            Rung(to=(Level.MICROSURGEON, Level.CONSULTANT), after_minutes=10),
        ),
        repeat_minutes=5,
        answer_minutes=15,
        plan_minutes=60,
    ),
    amber=Ladder(
        rungs=(
            Rung(to=(Level.REGISTRAR,), after_minutes=0),
            Rung(to=(Level.REGISTRAR, Level.MICROSURGEON), after_minutes=15),
            Rung(to=(Level.MICROSURGEON, Level.CONSULTANT), after_minutes=30),
        ),
        repeat_minutes=15,
        answer_minutes=30,
        plan_minutes=240,
    ),
    overdue=Ladder(
        rungs=(
            Rung(to=(Level.NURSE,), after_minutes=0),
            Rung(to=(Level.NURSE, Level.CHARGE_NURSE), after_minutes=5),
            Rung(to=(Level.CHARGE_NURSE, Level.REGISTRAR), after_minutes=15),
        ),
        repeat_minutes=15,
        answer_minutes=30,
        plan_minutes=240,
    ),
    why="Protocols written before ladders were part of them climb as the shipped ones do.",
    citations=("local",),
)
"""What holds for a protocol version that has no ladder of its own, and for an alert raised before
alerts kept one. Local working targets, no published standard: awaiting local sign-off."""

_STANDARD: dict[str, Ladder] = {name: getattr(STANDARD, name) for name in _NAMES}


@lru_cache(maxsize=64)
def _thawed(frozen: str) -> dict[str, Ladder]:
    return {name: Ladder.model_validate(said) for name, said in json.loads(frozen).items()}


def ladder_of(frozen: str | None, severity: Severity, stream: Stream) -> Ladder:
    """The ladder an alert climbs now, from the JSON text it froze when it was raised; the standard
    one for an alert from before alerts kept one, or whose text makes no sense any more."""
    name = "red" if severity is Severity.RED else (
        "overdue" if stream is Stream.MONITORING else "amber"
    )  # fmt: skip
    try:
        return (_STANDARD if frozen is None else _thawed(frozen))[name]
    except (ValueError, KeyError, TypeError, AttributeError):
        return _STANDARD[name]
