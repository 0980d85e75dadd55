"""How many checks a second one core judges, each against the 100 checks before it."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from monitoring.assess import assess
from monitoring.domain import Check, Flap, FlapFacts
from monitoring.protocol import find, load
from monitoring.signs import SignValue, Unable, UnableReason

START = datetime(2026, 3, 2, 15, tzinfo=UTC)
HISTORY = 100


def a_flap(protocol_id: str) -> Flap:
    """A free breast flap watched for two days."""
    facts = FlapFacts.model_validate(
        {
            "label": "L breast DIEP",
            "kind": "free",
            "name": "DIEP",
            "tissue": "skin",
            "recipient": "breast",
            "buried": False,
            "skin_type": "II",
            "monitors": ["handheld"],
            "perfused_at": START,
        }
    )
    return Flap("flap", facts, protocol_id)


def a_check(rng: random.Random, number: int, at: datetime) -> Check:
    """A check as a ward makes it: mostly well, one in eight with something abnormal."""
    refill = min(2.9, max(1.1, rng.gauss(2.0, 0.3)))
    signs: dict[str, SignValue] = {
        "colour": "matches",
        "refill": round(refill, 1),
        "flap_temp_c": round(33.8 + rng.gauss(0, 0.2), 1),
        "control_temp_c": round(34.1 + rng.gauss(0, 0.2), 1),
        "turgor": "soft",
        "doppler_artery": "strong",
    }
    if rng.random() < 0.5:
        signs["doppler_vein"] = "present"
    if rng.random() < 0.2:
        signs |= {"swelling": "stable", "pain": "usual", "drain_ml_per_h": 8.0}
    if rng.random() < 0.125:
        signs |= _abnormal(rng)
    return Check(
        UUID(int=number), "flap", at, f"nurse{number % 4}", signs, at + timedelta(minutes=2)
    )


def _abnormal(rng: random.Random) -> dict[str, SignValue]:
    pictures: list[dict[str, SignValue]] = [
        {"colour": "dusky", "refill": 0.6, "turgor": "tense"},
        {"colour": "pale", "refill": 4.2, "flap_temp_c": 31.4},
        {"doppler_artery": "absent"},
        {"refill": 3.4, "refill_again": 2.6},
        {"doppler_artery": Unable(UnableReason.EQUIPMENT)},
        {"flap_temp_c": 31.9},
        {"colour": "mottled"},
    ]
    return rng.choice(pictures)


def stays() -> tuple[Flap, Sequence[Check], Sequence[Check]]:
    """A flap with its baseline, 100 earlier checks (every 30 to 60 min), and checks to judge."""
    rng = random.Random(2)
    flap, at = a_flap("skin-paddle@1"), START
    history = []
    for number in range(HISTORY):
        history.append(a_check(rng, number, at))
        at += timedelta(minutes=rng.randint(30, 60))
    asked = [a_check(rng, 1000 + n, at) for n in range(500)]
    baseline = next(c for c in history if len(c.signs) >= 6)
    return Flap(flap.id, flap.facts, flap.protocol_id, baseline=baseline), history, asked


def rate(seconds: float = 3.0) -> float:
    """Checks judged a second of one core's time."""
    flap, history, asked = stays()
    protocol = find(load(), flap.protocol_id)
    judged, begun = 0, time.process_time()
    while time.process_time() - begun < seconds:
        for check in asked:
            assess(flap, check, history, protocol)
        judged += len(asked)
    return judged / (time.process_time() - begun)


if __name__ == "__main__":
    print(f"assess: {rate():,.0f} checks a second, each against {HISTORY} earlier ones")
