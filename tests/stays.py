"""Flaps and checks as the judgement tests write them: hours since monitoring began, signs flat."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from monitoring.conditions import Condition, View, parse_condition
from monitoring.domain import Check, Flap, FlapFacts, Return

START = datetime(2026, 3, 2, 12, tzinfo=UTC)

USUAL: dict[str, Any] = {
    "colour": "matches",
    "refill": 2.0,
    "flap_temp_c": 33.8,
    "control_temp_c": 34.1,
    "turgor": "soft",
    "doppler_artery": "strong",
}


def facts(**changed: Any) -> FlapFacts:
    """A free breast flap on pale skin, unless said otherwise."""
    told: dict[str, Any] = {
        "label": "L breast DIEP", "kind": "free", "name": "DIEP", "tissue": "skin",
        "recipient": "breast", "buried": False, "skin_type": "II", "monitors": ["handheld"],
        "perfused_at": START,
    }  # fmt: skip
    return FlapFacts.model_validate(told | changed)


def a_flap(baseline: Check | None = None, returns: tuple[Return, ...] = (), **changed: Any) -> Flap:
    return Flap("flap", facts(**changed), "skin-paddle@1", returns=returns, baseline=baseline)


def a_check(hour: float, signs: dict[str, Any], by: str = "nurse1", **more: Any) -> Check:
    """A check so many hours after monitoring began, holding just these signs."""
    at = START + timedelta(hours=hour)
    key = uuid5(NAMESPACE_URL, f"{hour}/{by}/{signs}")
    return Check.parse({"observed_at": at, "by": by, **signs, **more}, flap_id="flap", key=key)


def usual(hour: float, by: str = "nurse1", **but: Any) -> Check:
    """The usual check with some signs changed; None takes one away."""
    signs = {name: value for name, value in (USUAL | but).items() if value is not None}
    return a_check(hour, signs, by)


def view(*checks: Check, flap: Flap | None = None, required: Sequence[str] = ("colour",)) -> View:
    """The last of the checks, with the others before it."""
    return View(flap or a_flap(), list(checks), len(checks) - 1, tuple(required), 60)


def asked(raw: dict[str, Any]) -> Condition:
    """A condition from the shape it has in a protocol file."""
    return parse_condition(raw)
