"""What a rule may ask of a check: a closed set of three-valued conditions.

Each condition says whether it holds (True), does not (False) or cannot be answered (None), and
explains itself from the same object: the words for a reason, the readings it rests on, and the
signs it lacked. There is no "not": absence can never turn into a finding by negation, and a
normal reading can never take one away.
"""

from __future__ import annotations

from monitoring.conditions.changes import ChangedBy, Steps
from monitoring.conditions.circumstances import FlapIs, HoursBetween, ScheduleIs
from monitoring.conditions.combining import (
    AllOf,
    AnyOf,
    AtLeast,
    ByDifferentPerson,
    FamiliesAtLeast,
    Persists,
    families,
    leaves,
)
from monitoring.conditions.logic import contradictions, implies
from monitoring.conditions.parsing import KINDS, parse_condition
from monitoring.conditions.readings import Above, Below, NotRecorded, OneOf, UnableTimes, presses
from monitoring.conditions.view import (
    READABLE,
    BadCondition,
    Condition,
    ScheduleFact,
    View,
    lasting,
)

KINDS.update(
    {
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
)

__all__ = [
    "READABLE",
    "Above",
    "AllOf",
    "AnyOf",
    "AtLeast",
    "BadCondition",
    "Below",
    "ByDifferentPerson",
    "ChangedBy",
    "Condition",
    "FamiliesAtLeast",
    "FlapIs",
    "HoursBetween",
    "NotRecorded",
    "OneOf",
    "Persists",
    "ScheduleFact",
    "ScheduleIs",
    "Steps",
    "UnableTimes",
    "View",
    "contradictions",
    "families",
    "implies",
    "lasting",
    "leaves",
    "parse_condition",
    "presses",
]
