"""A flap's stay as a file: read for import, samples, tests and replay."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import BaseModel, ValidationError

from monitoring.domain import Check, FlapFacts, Hold, MonitoringError, Outcome, Patient, Return
from monitoring.signs import BadValue

_NAMESPACE = uuid5(NAMESPACE_URL, "flap-monitoring/course")
V = TypeVar("V", bound=BaseModel)
_KEYS = frozenset("patient flap checks holds returns outcome".split())


class BadCourse(MonitoringError):
    """A course that cannot be read; the sentence names the file, the check and the word."""


@dataclass(frozen=True, slots=True)
class Course:
    """One flap's stay. ``flap_id`` and missing check keys follow from the content, so that
    reading the same file twice gives the same ids."""

    flap_id: str
    facts: FlapFacts
    checks: tuple[Check, ...]
    holds: tuple[Hold, ...] = ()
    returns: tuple[Return, ...] = ()
    outcome: Outcome | None = None
    patient: Patient | None = None


def read(path: Path) -> Course:
    """The course in a file. Raises BadCourse with the file's name."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadCourse(f"{path.name}: {error.strerror}.") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadCourse(f"{path.name}: not readable as JSON: {error}") from None
    return parse(raw, path.name)


def parse(raw: object, name: str) -> Course:
    """A course from its JSON shape; ``name`` is said in every sentence. Raises BadCourse."""
    if not isinstance(raw, dict) or "flap" not in raw:
        raise BadCourse(f"{name}: a course is an object with a flap and its checks.")
    unknown = sorted(set(raw) - _KEYS)
    if unknown:
        raise BadCourse(f"{name}: unknown key {unknown[0]!r}.")
    facts = _part(name, "flap", FlapFacts, raw["flap"])
    flap_id = str(uuid5(_NAMESPACE, json.dumps(raw["flap"], sort_keys=True, default=str)))
    return Course(
        flap_id=flap_id,
        facts=facts,
        checks=tuple(_checks(name, flap_id, raw.get("checks", []), facts)),
        holds=_parts(name, "hold", Hold, raw.get("holds")),
        returns=_parts(name, "return", Return, raw.get("returns")),
        outcome=_maybe(name, "outcome", Outcome, raw.get("outcome")),
        patient=_maybe(name, "patient", Patient, raw.get("patient")),
    )


def _maybe(name: str, what: str, kind: type[V], raw: object) -> V | None:
    return None if raw is None else _part(name, what, kind, raw)


def _parts(name: str, what: str, kind: type[V], raw: object) -> tuple[V, ...]:
    if raw is None:
        return ()
    if not isinstance(raw, list):
        raise BadCourse(f"{name}: {what}s must be a list.")
    return tuple(_part(name, f"{what} {n}", kind, one) for n, one in enumerate(raw, start=1))


def _part(name: str, what: str, kind: type[V], raw: object) -> V:
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, (what, *first["loc"])))
        said = first["msg"].removeprefix("Value error, ").rstrip(".")
        if first["type"] == "missing":
            raise BadCourse(f"{name}: {where} is missing.") from None
        raise BadCourse(f"{name}: {where}: {said} ({first.get('input')!r}).") from None


def _checks(name: str, flap_id: str, raw: object, facts: FlapFacts) -> list[Check]:
    if not isinstance(raw, list):
        raise BadCourse(f"{name}: checks must be a list.")
    found: list[Check] = []
    seen: set[UUID] = set()
    for number, body in enumerate(raw, start=1):
        try:
            check = _check(flap_id, body)
            if check.observed_at < facts.monitoring_from - timedelta(minutes=30):
                raise BadValue("observed_at", "observed before monitoring began.")
        except BadValue as error:
            raise BadCourse(f"{name}: check {number}: {error}") from None
        if check.key in seen:
            raise BadCourse(f"{name}: check {number}: stands twice.")
        seen.add(check.key)
        found.append(check)
    return found


def _check(flap_id: str, body: object) -> Check:
    if not isinstance(body, Mapping):
        raise BadValue("check", f"{body!r} is not a check.")
    key = None
    if body.get("key") is None:
        content = json.dumps(dict(body), sort_keys=True, default=str)
        key = uuid5(_NAMESPACE, f"{flap_id}/{content}")
    return Check.parse(body, flap_id=flap_id, key=key)
