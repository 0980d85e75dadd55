"""A check set right: what stays, what changes, what is taken away; nothing changes by itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from monitoring import entry
from monitoring.domain import Check

_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs from the old version; a field that is None is kept as it was.

    ``signs`` holds raw answers as a form gives them (a word, ``{"typed": "33,4"}``,
    ``{"unable": reason, "text": …}``); ``removed`` names signs that nobody had looked at. A blank
    ``note`` or ``concern_about`` takes the old one away.
    """

    signs: Mapping[str, object]
    removed: Collection[str] = ()
    observed_at: datetime | None = None
    note: str | None = None
    concern: bool | None = None
    concern_about: str | None = None


def amendment(old: Check, changes: Changes, *, key: UUID, now: datetime) -> Check:
    """The new version of a check, under a key of its own.

    Raises Wrong with a sentence for every field that cannot be true, and when nothing differs.
    """
    kept = {n: v for n, v in old.signs.items() if n not in changes.removed}
    form: dict[str, Any] = {
        "form_key": str(key),
        "by": old.by,
        "signs": kept | dict(changes.signs),
        "note": old.note if changes.note is None else changes.note,
        "worried": old.nurse_concern if changes.concern is None else changes.concern,
        "concern_about": (
            old.concern_about if changes.concern_about is None else changes.concern_about
        ),
    }
    check, _ = entry.read_check(form, flap_id=old.flap_id, zone=_UTC, now=now)
    check = replace(check, observed_at=changes.observed_at or old.observed_at)
    if _content(check) == _content(old):
        raise entry.Wrong({"form": "Nothing is changed: every value is as it was."})
    return check


def _content(check: Check) -> tuple[object, ...]:
    return (
        check.observed_at, dict(check.signs), check.note, check.nurse_concern,
        check.concern_about,
    )  # fmt: skip
