"""A clinician's verdict on a flap: who looked, how, what was found, what was decided.

Nothing is defaulted: a decision that was not said is no decision. What each decision needs:

- continue: nothing more; it holds no bedside action and no recheck.
- recheck_in: in how many minutes (1 to 480).
- bedside_action: at least one action; a recheck may follow it.
- return_to_theatre: may hold what is done meanwhile, and a recheck until theatre is ready.

Actions belong to bedside_action and return_to_theatre alone, so that one thing is said in one way.
An order for another interval may go with any of them. The action "other" is said in the note.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from monitoring.clocks import clock
from monitoring.domain import BedsideAction, Decision, Order, Return, ReviewMode, in_utc
from monitoring.signs import SIGNS, BadValue, SignValue

LONGEST_RECHECK = 480
"""Minutes: what is further off than eight hours is a schedule, not a recheck."""

LONGEST_NOTE = 2000

MODE_WORDS = {
    ReviewMode.BEDSIDE: "at the bedside",
    ReviewMode.PHOTO: "from photo and chart",
    ReviewMode.TELEPHONE: "by telephone",
}
"""How a clinician looked, in words."""

DECISION_WORDS = {
    Decision.CONTINUE: "continue as before",
    Decision.RECHECK_IN: "recheck",
    Decision.BEDSIDE_ACTION: "bedside action",
    Decision.RETURN_TO_THEATRE: "return to theatre",
}
"""What can be decided, in words."""

ACTION_WORDS = {
    BedsideAction.LOOSEN: "loosen dressings",
    BedsideAction.REPOSITION: "reposition",
    BedsideAction.RELEASE_SUTURES: "release sutures",
    BedsideAction.LEECH: "leech",
    BedsideAction.WARM: "warm",
    BedsideAction.OTHER: "other, see note",
}
"""What can be done at the bedside, in words."""

_WITH_ACTIONS = (Decision.BEDSIDE_ACTION, Decision.RETURN_TO_THEATRE)


@dataclass(frozen=True, slots=True)
class Review:
    """One verdict. ``by`` is whose it is, ``recorded_by`` who wrote it down: they differ when a
    nurse wrote what was said by telephone. ``examination`` holds only signs that were answered.

    ``read_back_by`` is the nurse who confirmed to have understood the plan.
    """

    key: UUID
    flap_id: str
    by: str
    recorded_by: str
    reviewed_at: datetime
    recorded_at: datetime
    mode: ReviewMode
    decision: Decision
    alert_id: int | None = None
    recheck_minutes: int | None = None
    actions: tuple[BedsideAction, ...] = ()
    examination: Mapping[str, SignValue] = field(default_factory=dict)
    note: str | None = None
    order: Order | None = None
    read_back_by: str | None = None
    read_back_at: datetime | None = None

    def __post_init__(self) -> None:
        """Raises BadValue naming the field that cannot be true."""
        put = object.__setattr__
        _words("mode", self.mode, ReviewMode, "Say how the flap was looked at.")
        _words("decision", self.decision, Decision, "Say what was decided.")
        for name in ("by", "recorded_by"):
            if not getattr(self, name).strip():
                raise BadValue(name, "Say whose review this is, and who writes it down.")
        if self.recorded_by != self.by and self.mode is ReviewMode.BEDSIDE:
            raise BadValue(
                "mode",
                "A review at the bedside is written by who made it; write down for somebody else "
                "what they said by telephone.",
            )
        put(self, "actions", tuple(dict.fromkeys(map(BedsideAction, self.actions))))
        put(self, "note", _text(self.note))
        self._needs()
        put(self, "examination", read_examination(self.examination))
        put(self, "reviewed_at", in_utc(self.reviewed_at))
        put(self, "recorded_at", in_utc(self.recorded_at))

    def _needs(self) -> None:
        """What the decision needs is there, and nothing that contradicts it."""
        _recheck(self.decision, self.recheck_minutes)
        if self.decision is Decision.BEDSIDE_ACTION and not self.actions:
            raise BadValue("actions", "Say what is to be done at the bedside.")
        if self.actions and self.decision not in _WITH_ACTIONS:
            raise BadValue(
                "actions",
                "Something is to be done at the bedside: then the decision is bedside action.",
            )
        if BedsideAction.OTHER in self.actions and self.note is None:
            raise BadValue("note", "Another action: say which in the note.")
        if self.order is not None and self.order.by != self.by:
            raise BadValue("order", "An order is signed by who made the review.")

    @property
    def verbal(self) -> bool:
        """Whether somebody else wrote down what the clinician said."""
        return self.recorded_by != self.by

    @property
    def recheck_at(self) -> datetime | None:
        """When the recheck it asks for is due."""
        if self.recheck_minutes is None:
            return None
        return self.reviewed_at + timedelta(minutes=self.recheck_minutes)

    def ordered(self, order: Order | None) -> Review:
        """The same review with its order as it holds."""
        return replace(self, order=order)


def _words(name: str, value: object, kind: type, sentence: str) -> None:
    if not isinstance(value, kind):
        raise BadValue(name, sentence)


def _text(note: str | None) -> str | None:
    if note is None or not note.strip():
        return None
    if "\0" in note:
        raise BadValue("note", "The note holds a character that no record can keep.")
    if len(note) > LONGEST_NOTE:
        raise BadValue("note", f"A note has at most {LONGEST_NOTE} letters.")
    return note.strip()


def _recheck(decision: Decision, minutes: int | None) -> None:
    if minutes is None:
        if decision is Decision.RECHECK_IN:
            raise BadValue("recheck_minutes", "Say in how many minutes to look again.")
        return
    if isinstance(minutes, bool) or not isinstance(minutes, int):
        raise BadValue("recheck_minutes", f"{minutes!r} is not a whole number of minutes.")
    if not 1 <= minutes <= LONGEST_RECHECK:
        raise BadValue(
            "recheck_minutes", f"A recheck is in 1 to {LONGEST_RECHECK} min, not in {minutes}."
        )
    if decision is Decision.CONTINUE:
        raise BadValue(
            "recheck_minutes", "A look is asked for before the next check: then decide recheck."
        )


def read_examination(found: Mapping[str, object]) -> dict[str, SignValue]:
    """What the clinician found, each sign true to its vocabulary as in a check.

    Raises BadValue naming the sign.
    """
    read: dict[str, SignValue] = {}
    for name, value in found.items():
        if name not in SIGNS:
            raise BadValue(name, f"{name!r} is not a sign.")
        read[name] = SIGNS[name].read(value)
    if "refill_again" in read and "refill" not in read:
        raise BadValue("refill_again", "A second press of refill needs the first.")
    return read


def read_order(given: Mapping[str, Any]) -> Order:
    """An order as it was entered. Raises BadValue with a sentence."""
    try:
        return Order.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        said = first["msg"].removeprefix("Value error, ")
        if "every_minutes" in first["loc"]:
            said = "An order asks for a look every 5 to 1440 min."
        raise BadValue("order", said) from None


# In words -------------------------------------------------------------------------------------


def decision_words(review: Review) -> str:
    """What was decided, without who and when: "loosen dressings, recheck in 30 min"."""
    said = [ACTION_WORDS[a] for a in review.actions]
    if review.decision not in (Decision.BEDSIDE_ACTION, Decision.RECHECK_IN):
        said.insert(0, DECISION_WORDS[review.decision])
    if review.recheck_minutes is not None:
        said.append(f"recheck in {review.recheck_minutes} min")
    return ", ".join(said)


def plan_words(review: Review, names: Mapping[str, str], zone: ZoneInfo, now: datetime) -> str:
    """The plan as the nurse's tile says it: "14:12 Dr Osei: loosen dressings, recheck in 30 min".

    A return to theatre says since when theatre is asked for. Whatever was told to a nurse says so.
    """
    said = decision_words(review)
    if review.decision is Decision.RETURN_TO_THEATRE:
        asked = f"return to theatre, asked for {clock(review.reviewed_at, zone, now)}"
        said = said.replace("return to theatre", asked, 1)
    if review.order is not None:
        said += f", {order_words(review.order, zone, now)}"
    who = names.get(review.by, review.by)
    how = " (told by telephone)" if review.verbal else ""
    return f"{clock(review.reviewed_at, zone, now)} {who}{how}: {said}"


def order_words(order: Order, zone: ZoneInfo, now: datetime) -> str:
    """An order without who gave it: "look every 30 min until Tue 06:00"."""
    return f"look every {order.every_minutes:g} min until {clock(order.until_at, zone, now)}"


def by_order_words(order: Order, names: Mapping[str, str], zone: ZoneInfo, now: datetime) -> str:
    """Why a check is due when it is: "by order of Dr Osei until 06:00"."""
    who = names.get(order.by, order.by)
    return f"by order of {who} until {clock(order.until_at, zone, now)}"


def minutes_words(length: timedelta) -> str:
    """Hours and minutes as a running clock shows them: "00:23"."""
    minutes = max(length // timedelta(minutes=1), 0)
    return f"{minutes // 60:02}:{minutes % 60:02}"


def under_way(returns: Iterable[Return]) -> Return | None:
    """The return to theatre that was decided and is not back, the latest one."""
    open_ones = [r for r in returns if r.back_at is None]
    return max(open_ones, key=lambda r: r.decided_at, default=None)


def theatre_clock(value: Return, zone: ZoneInfo, now: datetime) -> str:
    """How long a decided return has been waited for: "theatre asked for 14:12, 00:23 ago"; once
    there, when that was and how long after the decision."""
    asked = f"theatre asked for {clock(value.decided_at, zone, now)}"
    if value.into_theatre_at is None:
        return f"{asked}, {minutes_words(now - value.decided_at)} ago"
    took = minutes_words(value.into_theatre_at - value.decided_at)
    return f"{asked}, in theatre {clock(value.into_theatre_at, zone, now)} after {took}"


def signed_words(by: str, mode: ReviewMode, recorded_by: str, names: Mapping[str, str]) -> str:
    """Who looked and how: "Dr Osei at the bedside"; told to a nurse: "Dr Osei by telephone,
    written down by N. Okafor"."""
    said = f"{names.get(by, by)} {MODE_WORDS[mode]}"
    if recorded_by != by:
        said += f", written down by {names.get(recorded_by, recorded_by)}"
    return said


def newest(reviews: Iterable[Review]) -> Review | None:
    """The latest verdict; of two at one moment the one written last."""
    return max(reviews, key=lambda r: (r.reviewed_at, r.recorded_at), default=None)
