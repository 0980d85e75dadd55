"""What must hold whatever a protocol file says, tried against a protocol.

These are the guards of the product, not of a file: a protocol that breaks one is refused by
``protocols check``, however well its own cases run. Each sentence below says what was promised
and with which signs the promise was broken.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from monitoring.assess import assess, judge_stay
from monitoring.domain import (
    Assessment,
    Check,
    Finding,
    Flap,
    Monitor,
    Pattern,
    Severity,
    SkinType,
)
from monitoring.protocol import Protocol
from monitoring.signs import CONTEXT, LADDERS, SIGNS, Family

Signs = Mapping[str, Any]

ALWAYS_ALLOWED = frozenset({"N1", "K1", "X1", "M1"})
"""Rules that may fire on a stay of nothing but baseline-like values."""

REFILLS: tuple[Any, ...] = (
    0, 0.5, 0.99, 1, 2, 3, 3.01, 5, 8, 15, "brisk", "normal", "slow", "absent",
)  # fmt: skip

NORMAL: dict[str, Any] = {
    "colour": "matches", "refill": 2.0, "flap_temp_c": 34.0, "control_temp_c": 34.0,
    "turgor": "soft", "swelling": "none", "pain": "usual", "airway": "clear",
    "doppler_artery": "strong", "doppler_waveform": "triphasic", "doppler_vein": "present",
    "implant_signal": "present", "prick": "bright", "sto2_percent": 80,
    "flap_glucose_mmol_l": 5.0, "finger_glucose_mmol_l": 5.0, "flap_lactate_mmol_l": 2.0,
    "drain_ml_per_h": 5, "drain_stopped_suddenly": False,
}  # fmt: skip
"""A healthy reading of each sign; the temperatures count as one look."""

ABNORMAL: dict[str, tuple[Any, ...]] = {
    "colour": ("pale", "mottled", "white", "dusky", "black"),
    "refill": (0, 4.0, "absent"),
    "turgor": ("firm", "tense", "flaccid"),
    "swelling": ("rapid",),
    "pain": ("rising",),
    "airway": ("threatened",),
    "doppler_artery": ("weak", "absent"),
    "doppler_vein": ("weak", "absent"),
    "implant_signal": ("changed", "lost"),
    "prick": ("dark_brisk", "scant", "none"),
    "sto2_percent": (0, 25),
    "flap_glucose_mmol_l": (0, 3.0),
    "flap_lactate_mmol_l": (7.0,),
    "drain_ml_per_h": (150,),
    "drain_stopped_suddenly": (True,),
    "gap": (2.5, 4.0),
}
"""Abnormal readings of each sign; "gap" is written as the two temperatures."""


def broken_promises(protocol: Protocol, flap: Flap, usual: Signs) -> Iterator[str]:
    """A sentence for each promise the protocol breaks; none if it keeps them all.

    ``flap`` is one the protocol is made for, ``usual`` a healthy full check of it.
    """
    ward = Ward(protocol, flap, usual)
    yield from concern(ward)
    yield from refill_alone(ward)
    yield from normal_never_lowers(ward)
    yield from dark_skin(ward)
    yield from unable_twice(ward)
    yield from two_weak_signs(ward)
    yield from no_abnormal_word_is_silent(ward)
    yield from quiet_stay(ward)


class Ward:
    """Asks a protocol about checks that were never made."""

    def __init__(self, protocol: Protocol, flap: Flap, usual: Signs) -> None:
        self.protocol = protocol
        self.flap = flap
        self.usual = usual

    def check(self, signs: Signs, hour: float = 5, concern: bool = False) -> Check:
        """A check so many hours after monitoring began."""
        at = self.flap.slots_from + timedelta(hours=hour)
        body = {"observed_at": at, "by": "nurse1", "nurse_concern": concern, **_spelt(signs)}
        return Check.parse(body, flap_id=self.flap.id, key=UUID(int=round(hour * 3600)))

    def judge(
        self, signs: Signs, earlier: Sequence[Check] = (), *, concern: bool = False,
        flap: Flap | None = None,
    ) -> Assessment:  # fmt: skip
        """The signs judged after the earlier checks."""
        check = self.check(signs, concern=concern)
        return assess(flap or self.flap, check, earlier, self.protocol)

    def loudness(self, signs: Signs) -> int:
        """The rank of the worst thing said of the flap itself, prompts about the record aside."""
        return max((f.severity.rank for f in _of_the_flap(self.judge(signs))), default=0)


def _spelt(signs: Signs) -> dict[str, Any]:
    """A temperature gap as the two temperatures that make it."""
    spelt = {k: v for k, v in signs.items() if k != "gap" and v is not None}
    if "gap" in signs:
        spelt |= {"control_temp_c": 34.0, "flap_temp_c": 34.0 - signs["gap"]}
    return spelt


def _of_the_flap(judged: Assessment) -> Iterable[Finding]:
    return (f for f in judged.findings if f.pattern is not Pattern.MONITORING)


def _told(signs: Signs) -> str:
    return ", ".join(f"{k} {v}" for k, v in signs.items())


def concern(ward: Ward) -> Iterator[str]:
    """Nurse concern alone is amber at least."""
    for words, signs in (("alone", {}), ("beside a healthy check", ward.usual)):
        judged = ward.judge(signs, concern=True)
        if not any(f.rule == "N1" and f.severity.rank >= Severity.AMBER.rank for f in judged):
            yield f"nurse concern {words} is less than amber."


def refill_alone(ward: Ward) -> Iterator[str]:
    """Refill alone is never red, timed or said, once or twice, now or again."""
    for first, second in itertools.product(REFILLS, (None, *REFILLS)):
        signs = {"refill": first, "refill_again": second}
        before = [ward.check(signs, hour) for hour in (3.0, 4.0)]
        for earlier in ([], before):
            if ward.judge(signs, earlier).severity is Severity.RED:
                yield f"refill alone is red: {_told(signs)}."


def _pictures() -> Iterator[dict[str, Any]]:
    """Checks with one or two abnormal signs and nothing else looked at."""
    single = [{name: value} for name, values in ABNORMAL.items() for value in values]
    yield from single
    for a, b in itertools.combinations(single, 2):
        if a.keys() != b.keys():
            yield a | b


def normal_never_lowers(ward: Ward) -> Iterator[str]:
    """Among them: an arterial signal that is present never clears a venous picture."""
    for picture in _pictures():
        loud = ward.loudness(picture)
        if not loud:
            continue
        for name, value in NORMAL.items():
            taken = "gap" if name in ("flap_temp_c", "control_temp_c") else name
            if taken in picture or name in picture:
                continue
            if ward.loudness(picture | _looked_at(name, value)) < loud:
                yield f"a normal {name} makes this quieter: {_told(picture)}."
        if "refill" in picture and ward.loudness(picture | {"refill_again": 2.0}) < loud:
            yield f"a normal second press makes this quieter: {_told(picture)}."


def _looked_at(name: str, value: object) -> dict[str, Any]:
    if name in ("flap_temp_c", "control_temp_c"):
        return {"gap": 0.0}
    return {name: value}


def dark_skin(ward: Ward) -> Iterator[str]:
    """Skin types V and VI with only colour and refill get a prompt for a second modality."""
    if "refill" not in ward.protocol.required:
        return
    for skin in (SkinType.V, SkinType.VI):
        facts = ward.flap.facts.model_copy(update={"skin_type": skin})
        flap = replace(ward.flap, facts=facts)
        for signs in ({"colour": "matches", "refill": 2.0}, {"colour": "matches"}, {"refill": 2.0}):
            if not ward.judge(signs, flap=flap).findings:
                yield f"skin type {skin} with only {_told(signs)} asks for no second modality."


def unable_twice(ward: Ward) -> Iterator[str]:
    """A required sign unable twice running is itself a finding."""
    facts = ward.flap.facts.model_copy(update={"monitors": frozenset(Monitor)})
    flap = replace(ward.flap, facts=facts)
    for name in ward.protocol.required_for(facts):
        signs = {**ward.usual, name: {"unable": "dressing"}}
        if not ward.judge(signs, [ward.check(signs, 4.0)], flap=flap).findings:
            yield f"{name} unable twice running is no finding."


def two_weak_signs(ward: Ward) -> Iterator[str]:
    """Weak: what alone is yellow and speaks of the flap, not of a device or the record."""
    weak = [
        {name: value}
        for name, values in ABNORMAL.items()
        for value in values
        if _is_weak(ward.judge({name: value}))
    ]
    for a, b in itertools.combinations(weak, 2):
        if _family(a) != _family(b) and ward.loudness(a | b) <= max(
            ward.loudness(a), ward.loudness(b)
        ):
            yield f"two weak signs of different families do not outrank each: {_told(a | b)}."


def _is_weak(judged: Assessment) -> bool:
    said = list(_of_the_flap(judged))
    return bool(said) and all(
        f.severity is Severity.YELLOW and f.pattern is not Pattern.DEVICE for f in said
    )


def _family(signs: Signs) -> Family | None:
    (name,) = signs
    return Family.TEMPERATURE if name == "gap" else SIGNS[name].family


def no_abnormal_word_is_silent(ward: Ward) -> Iterator[str]:
    """A required sign whose abnormal word no rule asks about would be read and forgotten."""
    required = ward.protocol.required_for(
        ward.flap.facts.model_copy(update={"monitors": frozenset(Monitor)})
    )
    on_ladder = {colour for ladder in LADDERS.values() for colour in ladder}
    for name in required:
        sign = SIGNS[name]
        for word in sign.words:
            if word in sign.normal or (name == "colour" and word not in on_ladder):
                continue
            if not ward.loudness({name: word}):
                yield f"{name} {word} is required and no rule says anything of it."


def quiet_stay(ward: Ward) -> Iterator[str]:
    """72 h of values within a hair of the usual ones."""
    checks = [ward.check(_nearly(ward.usual, n), hour=n) for n in range(73)]
    for check, judged in judge_stay(ward.flap, checks, ward.protocol):
        loud = [f for f in judged.findings if f.rule not in ALWAYS_ALLOWED]
        if loud:
            yield f"a healthy stay has a finding at hour {ward.flap.hours(check.observed_at):g}: "
            yield f"{loud[0].rule}: {loud[0].because}"
            return


def _nearly(usual: Signs, number: int) -> dict[str, Any]:
    """The usual signs with their numbers moved a little, to and fro."""
    sway = (0.0, 0.1, -0.1, 0.2, 0.1, -0.2)
    return {
        name: round(value + sway[(number + place) % len(sway)], 2)
        if isinstance(value, int | float) and not isinstance(value, bool) and name not in CONTEXT
        else value
        for place, (name, value) in enumerate(usual.items())
    }
