"""What a person typed, tapped and chose, turned into values; nothing is guessed on the way.

Every problem is told at once, each with the field it belongs to, so that a form can show the
sentences beside their fields and keep what was entered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from monitoring.domain import Check, FlapFacts, Patient
from monitoring.signs import SIGNS, BadValue, MonitoringError, SignValue, parse_decimal

V = TypeVar("V", bound=BaseModel)
Which = Literal["first", "second"]
"""Which of two: on the night the clock goes back, an hour of wall times occurs twice."""


class Wrong(MonitoringError):
    """What is wrong with an entry, by field; ``folds`` are the two instants to choose from when a
    wall time occurs twice."""

    def __init__(self, problems: Mapping[str, str], folds: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = dict(problems)
        self.folds = list(folds)


class AskWhich(BadValue):
    """A wall time that occurs twice: ask which is meant."""


def moment(wall: datetime, zone: ZoneInfo, which: Which | None = None) -> datetime:
    """The instant of a wall time on the ward's clock.

    Raises AskWhich where the wall time occurs twice and ``which`` is not said, BadValue where it
    does not occur at all (the hour the clock skips).
    """
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if first == second:
        return first
    if first.astimezone(zone).replace(tzinfo=None) != wall:
        raise BadValue(
            "observed_at", f"{wall:%H:%M} does not occur that night: the clock skips it."
        )
    if which is None:
        raise AskWhich("observed_at", f"{wall:%H:%M} occurs twice that night: say which one.")
    return first if which == "first" else second


def _asked(form: Mapping[str, Any], zone: ZoneInfo) -> list[tuple[Which, str]]:
    """The two instants to ask about, if the claimed wall time occurs twice."""
    try:
        wall = datetime.fromisoformat(str(form.get("observed")))
    except ValueError:
        return []
    return folds(wall, zone) if twice(wall, zone) else []


def _which(said: object) -> Which | None:
    return "first" if said == "first" else "second" if said == "second" else None


def folds(wall: datetime, zone: ZoneInfo) -> list[tuple[Which, str]]:
    """The two instants a wall time may mean, in words: ("first", "01:30 BST (+0100)")."""
    both: list[Which] = ["first", "second"]
    named = [(w, moment(wall, zone, w).astimezone(zone)) for w in both]
    return [(w, f"{at:%H:%M %Z} ({at:%z})") for w, at in named]


def twice(wall: datetime | None, zone: ZoneInfo) -> bool:
    """Whether the wall time occurs twice."""
    if wall is None:
        return False
    try:
        moment(wall, zone)
    except AskWhich:
        return True
    except BadValue:
        return False
    return False


def read_check(
    form: Mapping[str, Any], *, flap_id: str, zone: ZoneInfo, now: datetime
) -> tuple[Check, frozenset[str]]:
    """The check a filled form stands for, and the unusual values that were confirmed.

    Raises Wrong with a sentence for every field that cannot be true.
    """
    problems: dict[str, str] = {}
    signs: dict[str, SignValue] = {}
    for name, given in dict(form.get("signs") or {}).items():
        try:
            value = _sign(name, given)
        except BadValue as error:
            problems[name] = str(error)
            continue
        if value is not None:
            signs[name] = value
    observed = _observed(form, zone, now, problems)
    by = form.get("by")
    if not isinstance(by, str) or not by.strip():
        problems["by"] = "Say who made this check."
    worried = form.get("worried") is True
    about = _blank(form.get("concern_about"))
    if about is not None and not worried:
        problems["concern_about"] = "Say that you are worried, or take the text about it away."
    if not signs and not worried and not problems:
        problems["form"] = "Nothing was entered: look at a sign, or say why it was not possible."
    try:
        if problems:
            raise Wrong(problems, _asked(form, zone))
        check = Check.parse(
            {
                **signs,
                "observed_at": observed,
                "note": _blank(form.get("note")),
                "nurse_concern": worried,
                "concern_about": about,
                "key": form.get("form_key"),
            },
            flap_id=flap_id,
            by=str(by),
            recorded_at=now,
        )
    except BadValue as error:
        raise Wrong({error.sign: str(error)}) from None
    return check, frozenset(map(str, form.get("confirmed") or ()))


def _blank(text: object) -> str | None:
    return text.strip() if isinstance(text, str) and text.strip() else None


def _sign(name: str, given: object) -> SignValue | None:
    """One field of the form: a word, a typed number, seconds, yes or no, unable; None if blank."""
    if name not in SIGNS:
        raise BadValue(name, f"{name!r} is not a sign.")
    if isinstance(given, Mapping) and len(given) == 1:
        how, what = next(iter(given.items()))
        if how == "typed":
            return None if what is None else parse_decimal(name, str(what))
        if how == "seconds":
            given = what
    if given is None or (isinstance(given, str) and not given.strip()):
        return None
    if isinstance(given, Mapping):
        return SIGNS[name].read({k: v for k, v in given.items() if v != ""})
    return SIGNS[name].read(given)


def _observed(
    form: Mapping[str, Any], zone: ZoneInfo, now: datetime, problems: dict[str, str]
) -> datetime:
    said = form.get("observed")
    if said is None:
        return now
    try:
        wall = _wall(str(said))
        if wall.tzinfo is not None:
            return wall.astimezone(UTC)
        return moment(wall, zone, _which(form.get("observed_fold")))
    except BadValue as error:
        problems["observed_at"] = str(error)
    return now


_DAY = len("2026-03-02")


def _wall(said: str) -> datetime:
    """The date and time as claimed. A day alone is no moment: midnight is not guessed."""
    if len(said.rstrip("T ")) == _DAY:
        raise BadValue("observed_at", "Say the time at which the check was made.")
    try:
        return datetime.fromisoformat(said)
    except ValueError:
        raise BadValue("observed_at", f"{said!r} is not a date and time.") from None


def admission(patient: Mapping[str, Any], facts: Mapping[str, Any]) -> tuple[Patient, FlapFacts]:
    """The patient and the flap of a filled admission form. Raises Wrong."""
    problems: dict[str, str] = {}
    person = _value(Patient, patient, problems)
    tissue = _value(FlapFacts, facts, problems)
    if problems or person is None or tissue is None:
        raise Wrong(problems)
    return person, tissue


_ASK = {
    "mrn": "the MRN", "name": "the name", "born_on": "the date of birth", "bed": "the bed",
    "label": "what the flap is called", "kind": "the kind of flap", "tissue": "the tissue",
    "recipient": "the recipient site", "buried": "whether the flap can be seen",
    "perfused_at": "when perfusion was restored", "ward": "the ward",
}  # fmt: skip


def _value(kind: type[V], given: Mapping[str, Any], problems: dict[str, str]) -> V | None:
    try:
        return kind.model_validate({k: v for k, v in given.items() if v not in (None, "")})
    except ValidationError as error:
        for found in error.errors():
            name = str(found["loc"][0]) if found["loc"] else "form"
            asked = _ASK.get(name, name.replace("_", " "))
            said = found["msg"].removeprefix("Value error, ").rstrip(".")
            missing = found["type"] == "missing"
            problems[name] = f"Say {asked}." if missing else f"{_sentence(asked)}: {said}."
        return None


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
