"""What follows from the shape of conditions: which can never hold, which surely does."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from monitoring.conditions.circumstances import HoursBetween, ScheduleIs
from monitoring.conditions.combining import (
    AllOf,
    AnyOf,
    AtLeast,
    ByDifferentPerson,
    FamiliesAtLeast,
    Persists,
)
from monitoring.conditions.readings import Above, Below, OneOf
from monitoring.conditions.view import READABLE, Condition


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
                    yield f"{READABLE[leaf.sign].said} cannot be both"
        yield from _empty_ranges(condition.of)
    if isinstance(condition, AllOf | AtLeast | FamiliesAtLeast) and any(
        isinstance(part, ScheduleIs) for part in condition.of
    ):
        yield "what the clock shows stands alone, not beside other conditions"
    ends = condition.to_hour if isinstance(condition, HoursBetween) else None
    if ends is not None and ends <= 0:
        yield f"{condition.describe()} never comes"
    for part in condition.parts():
        yield from contradictions(part)


def _empty_ranges(parts: Sequence[Condition]) -> Iterator[str]:
    for low, high in itertools.product(parts, parts):
        if isinstance(low, Above) and isinstance(high, Below) and low.sign == high.sign:
            meet = low.than == high.than and low.or_equal and high.or_equal
            if low.sign != "refill" and low.than >= high.than and not meet:
                yield f"{low.describe()} and {high.describe()} exclude each other"
