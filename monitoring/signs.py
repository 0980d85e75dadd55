"""The signs a nurse can look at: their words, units, ranges and families.

This is the one place where a code of a sign is written down. Screens, database, protocols,
imports and exports all read it from here. Clinical grounds: docs/clinical-sources.md.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class MonitoringError(Exception):
    """An expected error whose sentence may be shown to the person who caused it."""


class BadValue(MonitoringError, ValueError):
    """A value that cannot be true, or a word outside its vocabulary.

    ``sign`` names the field so that a form can show the sentence beside it.
    """

    def __init__(self, sign: str, sentence: str) -> None:
        super().__init__(sentence)
        self.sign = sign


class Family(StrEnum):
    """Groups of signs that fail together; two weak signs count only from two families."""

    COLOUR = "colour"
    REFILL = "refill"
    TEMPERATURE = "temperature"
    TURGOR = "turgor"
    DOPPLER = "doppler"
    BLEEDING = "bleeding"
    OXIMETRY = "oximetry"
    CHEMISTRY = "chemistry"


Kind = Literal["words", "number", "refill", "yes_no"]


class UnableReason(StrEnum):
    """Why a sign could not be looked at."""

    DRESSING = "dressing"
    ASLEEP = "asleep"
    REFUSED = "refused"
    OFF_WARD = "off_ward"
    EQUIPMENT = "equipment"
    BURIED = "buried"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Unable:
    """A sign somebody meant to look at and could not: neither a value nor a blank."""

    reason: UnableReason
    text: str | None = None

    def __str__(self) -> str:
        words = self.text if self.reason is UnableReason.OTHER else self.reason.replace("_", " ")
        return f"unable: {words}"


SignValue = str | float | bool | Unable


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing to look at. Numbers are accepted in [low, high] and confirmed outside
    [confirm_low, confirm_high]; ``normal`` holds the words that no rule may ask for."""

    name: str
    label: str
    kind: Kind
    family: Family | None = None
    words: tuple[str, ...] = ()
    normal: tuple[str, ...] = ()
    unit: str = ""
    low: float = 0.0
    high: float = 0.0
    confirm_low: float | None = None
    confirm_high: float | None = None
    derived: bool = False

    @property
    def said(self) -> str:
        """The label in the middle of a sentence; a name keeps its capital."""
        named = self.label.startswith(("Doppler", "StO2"))
        return self.label if named else f"{self.label[0].lower()}{self.label[1:]}"

    def read(self, value: object) -> SignValue:
        """Return the value if it can be true.

        Raises BadValue with a sentence naming the sign, the value and what is accepted.
        Nothing is converted or clamped: text is never a number, yes/no is never 0/1.
        """
        if isinstance(value, Unable):
            return value
        if isinstance(value, dict):
            return self._read_unable(value)
        if self.kind == "yes_no":
            if isinstance(value, bool):
                return value
            raise BadValue(self.name, f"{self.label}: {value!r} is neither yes nor no.")
        if self.kind == "words" or (self.kind == "refill" and isinstance(value, str)):
            return self._read_word(value)
        return self._read_number(value)

    def _read_word(self, value: object) -> str:
        if isinstance(value, str) and value in self.words:
            return value
        accepted = ", ".join(self.words)
        raise BadValue(self.name, f"{self.label}: {value!r} is not one of {accepted}.")

    def _read_number(self, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadValue(self.name, f"{self.label}: {value!r} is not a number.")
        number = float(value)
        if not math.isfinite(number) or not self.low <= number <= self.high:
            raise BadValue(
                self.name,
                f"{self.label}: {value!r} is outside {self.low:g} to {self.high:g} {self.unit}.",
            )
        return number

    def _read_unable(self, value: dict[object, object]) -> Unable:
        unknown = sorted(str(k) for k in value if k not in ("unable", "text"))
        if unknown or "unable" not in value:
            raise BadValue(self.name, f"{self.label}: expected a value or unable, got {value!r}.")
        try:
            reason = UnableReason(str(value["unable"]))
        except ValueError:
            accepted = ", ".join(UnableReason)
            raise BadValue(
                self.name, f"{self.label}: {value['unable']!r} is not one of {accepted}."
            ) from None
        text = value.get("text")
        if text is not None and not isinstance(text, str):
            raise BadValue(self.name, f"{self.label}: the reason {text!r} is not text.")
        if reason is UnableReason.OTHER and not (text and text.strip()):
            raise BadValue(self.name, f"{self.label}: unable for another reason: say which.")
        return Unable(reason, text)

    def improbable(self, value: SignValue) -> str | None:
        """A question to ask before believing the value, or None."""
        if isinstance(value, bool | str | Unable):
            return None
        below = self.confirm_low is not None and value < self.confirm_low
        above = self.confirm_high is not None and value > self.confirm_high
        if below or above:
            return f"{self.label} {value:g} {self.unit} is unusual. Is it right?"
        return None

    def show(self, value: SignValue) -> str:
        """The value in the ward's words, with its unit."""
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, str):
            return value.replace("_", " ")
        if isinstance(value, Unable):
            return str(value)
        decimals = 0 if self.unit in ("%", "mmHg", "mL/h") and value == int(value) else 1
        text = f"{value:.{decimals}f}" if round(value, 1) == value else f"{value:.2f}"
        return f"{text} {self.unit}".strip()


def _words(
    name: str,
    label: str,
    family: Family | None,
    words: str,
    normal: str = "",
    derived: bool = False,
) -> Sign:
    return Sign(
        name, label, "words", family, tuple(words.split()), tuple(normal.split()), derived=derived
    )


def _number(
    name: str,
    label: str,
    family: Family | None,
    unit: str,
    accepted: tuple[float, float],
    confirm: tuple[float | None, float | None] = (None, None),
    derived: bool = False,
) -> Sign:
    return Sign(
        name, label, "number", family, unit=unit, low=accepted[0], high=accepted[1],
        confirm_low=confirm[0], confirm_high=confirm[1], derived=derived,
    )  # fmt: skip


REFILL_WORDS = ("brisk", "normal", "slow", "absent")


def _refill(name: str, label: str) -> Sign:
    return Sign(
        name, label, "refill", Family.REFILL, REFILL_WORDS, ("normal",), "s", 0, 15,
        confirm_high=8,
    )  # fmt: skip


_ALL = [
    _words(
        "colour", "Colour", Family.COLOUR,
        "matches pale white mottled dusky blue purple black bruised", "matches",
    ),
    _refill("refill", "Refill"),
    _refill("refill_again", "Refill, second press"),
    _number("flap_temp_c", "Flap temperature", Family.TEMPERATURE, "°C", (10, 43), (20, 40)),
    _number("control_temp_c", "Control temperature", Family.TEMPERATURE, "°C", (10, 43), (20, 40)),
    _words("turgor", "Turgor", Family.TURGOR, "soft firm tense flaccid", "soft"),
    _words("swelling", "Swelling", Family.TURGOR, "none stable rapid", "none stable"),
    _words("pain", "Pain", Family.TURGOR, "usual rising", "usual"),
    _words("airway", "Airway (neck)", Family.TURGOR, "clear threatened", "clear"),
    _words("doppler_artery", "Doppler artery", Family.DOPPLER, "strong weak absent", "strong"),
    _words(
        "doppler_waveform", "Doppler waveform", Family.DOPPLER,
        "triphasic biphasic monophasic", "triphasic biphasic",
    ),
    _words("doppler_vein", "Doppler vein", Family.DOPPLER, "present weak absent", "present"),
    _words(
        "implant_signal", "Implant signal", Family.DOPPLER,
        "present changed intermittent lost device_fault", "present",
    ),
    _words("prick", "Scratch test", Family.BLEEDING, "bright dark_brisk scant none", "bright"),
    _number("sto2_percent", "StO2", Family.OXIMETRY, "%", (0, 100)),
    _number("flap_glucose_mmol_l", "Flap glucose", Family.CHEMISTRY, "mmol/L", (0, 40)),
    _number("finger_glucose_mmol_l", "Finger glucose", Family.CHEMISTRY, "mmol/L", (0, 40)),
    _number("flap_lactate_mmol_l", "Flap lactate", Family.CHEMISTRY, "mmol/L", (0, 40)),
    _number("drain_ml_per_h", "Drain", Family.BLEEDING, "mL/h", (0, 2000), (None, 200)),
    Sign("drain_stopped_suddenly", "Drain stopped suddenly", "yes_no", Family.BLEEDING),
    _number("core_temp_c", "Core temperature", None, "°C", (25, 45), (35, 39.5)),
    _number("map_mmhg", "Mean arterial pressure", None, "mmHg", (20, 200), (50, 130)),
    Sign("vasopressor", "Vasopressor running", "yes_no"),
    _words("warming", "Warming", None, "on off just_removed"),
    _words("light", "Light", None, "daylight lamp dim"),
]  # fmt: skip

_DERIVED = [
    _number(
        "temp_gap_c", "Temperature gap", Family.TEMPERATURE, "°C", (-33, 33), (-8, 8),
        derived=True,
    ),
    _number(
        "temp_gap_change_c", "Change of the gap from baseline", Family.TEMPERATURE, "°C",
        (-66, 66), derived=True,
    ),
    _number(
        "glucose_gap_mmol_l", "Finger minus flap glucose", Family.CHEMISTRY, "mmol/L",
        (-40, 40), derived=True,
    ),
    _words(
        "refill_presses", "Two presses of refill", Family.REFILL,
        "both_brisk both_normal both_slow differ", "both_normal differ", derived=True,
    ),
]  # fmt: skip

SIGNS: dict[str, Sign] = {s.name: s for s in _ALL}
"""What a person records, in the order of the form."""

DERIVED: dict[str, Sign] = {s.name: s for s in _DERIVED}
"""What follows from a check (and the flap's baseline); a sign like any other to a rule."""

EVERY_SIGN: dict[str, Sign] = SIGNS | DERIVED

CONTEXT = tuple(s.name for s in _ALL if s.family is None)
"""Confounders: shown beside a finding, never used to hide it."""

LADDERS: dict[str, tuple[str, ...]] = {
    "arterial": ("matches", "pale", "mottled", "white"),
    "venous": ("matches", "mottled", "dusky", "blue", "purple", "black"),
}
"""Colour ladders from good to bad. Bruised is on neither. Source: Ruler20, vocabulary."""

REFILL_BOUNDS: dict[str, tuple[float, float]] = {
    "brisk": (0.0, 0.999),
    "normal": (1.0, 3.0),
    "slow": (3.001, 15.0),
    "absent": (15.001, math.inf),
}
"""The seconds an untimed word may stand for. Absent is slower than any reading."""

_DECIMAL = re.compile(r"[+-]?\d+(?:[.,]\d+)?")


def parse_decimal(sign: str, text: str) -> float | None:
    """The number a person typed, with a decimal comma or point; None for a blank field.

    Raises BadValue for anything that is not plainly one decimal number ("1e2", "3,5.1",
    "1 000", "NaN"), and for a number outside the sign's range: nothing is guessed.
    """
    stripped = text.strip()
    if not stripped:
        return None
    known = EVERY_SIGN[sign]
    if not _DECIMAL.fullmatch(stripped) or not stripped.isascii():
        raise BadValue(sign, f"{known.label}: {text!r} is not a number such as 33.4 or 33,4.")
    value = known.read(float(stripped.replace(",", ".")))
    assert isinstance(value, float)
    return value
