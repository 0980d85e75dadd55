"""From the shape a condition has in a protocol file to the condition."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, cast

from pydantic import BeforeValidator, TypeAdapter, ValidationError

from monitoring.conditions.view import BadCondition, Condition

KINDS: dict[str, type] = {}
"""Every condition by its word in a protocol file; filled by the package."""


def parse_condition(raw: Any) -> Condition:
    """A condition from its YAML shape, a mapping with one key.

    Raises BadCondition for an unknown condition, an unknown sign or a word a sign lacks.
    """
    if not isinstance(raw, Mapping):
        return cast(Condition, raw)
    if len(raw) != 1:
        raise BadCondition(f"a condition is one word and what it needs, not {sorted(raw)}.")
    ((name, body),) = raw.items()
    if name not in KINDS:
        raise BadCondition(f"{name!r} is not a condition; there are {', '.join(sorted(KINDS))}.")
    kind = KINDS[name]
    if name in ("all", "any"):
        body = {"of": body}
    elif name == "not_recorded":
        body = {"names": body}
    elif name == "schedule":
        body = {"fact": body}
    elif name == "flap_is":
        body = {"facts": body}
    elif name == "changed_by" and isinstance(body, Mapping) and "from" in body:
        body = {("from_words" if k == "from" else k): v for k, v in body.items()}
    elif name == "hours_between" and isinstance(body, Mapping):
        body = {
            ("from_hour" if k == "from" else "to_hour" if k == "to" else k): v
            for k, v in body.items()
        }
    try:
        return cast(Condition, _reader(kind).validate_python(body))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in (name, *first["loc"]))
        raise BadCondition(f"{where}: {first['msg']}") from None


@lru_cache
def _reader(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


Sub = Annotated[Any, BeforeValidator(parse_condition)]
