"""A stay in labelled facts: how it was watched, surgery, holds, returns, outcome, corrections."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from monitoring.clocks import clock
from monitoring.components.stay_shapes import FactsData, FactSection, FactView
from monitoring.conditions import lasting
from monitoring.domain import Return
from monitoring.queries import StoredHold, StoredReturn
from monitoring.reviews import Review, plan_words, signed_words
from monitoring.schedule import TIMELINESS_DEFINITION, timeliness
from monitoring.stay_views import RETURN_STAGES
from monitoring.stay_words import local
from monitoring.timeline import examination_words
from monitoring.ward import Stay

FACT_NAMES = {
    "mrn": "MRN", "name": "Name", "born_on": "Born on", "ward": "Ward", "bed": "Bed",
    "label": "Called on the ward", "kind": "Kind", "flap_name": "Name of the flap",
    "tissue": "Tissue watched", "recipient": "Recipient site", "side": "Side",
    "buried": "Buried", "skin_type": "Skin type", "perfused_at": "Perfusion restored",
    "monitoring_from": "Arrived in recovery", "surgeon": "Surgeon", "operation_id": "Operation",
    "anastomosis": "Anastomosis and notes", "ischaemia_minutes": "Ischaemia, minutes",
    "risk_factors": "Risk factors", "monitors": "Monitors",
    "return_to_theatre": "Return to theatre", "outcome_kind": "Outcome",
    "outcome_percent": "Outcome, percent lost", "outcome_closed_at": "Outcome, seen",
}  # fmt: skip
"""What a person calls each fact of a patient and a flap."""


def facts_data(stay: Stay, *, now: datetime, zone: ZoneInfo) -> FactsData:
    """Everything of the stay that is neither a check nor an alert."""
    return FactsData(
        sections=[
            _surgery(stay, zone),
            _flap(stay, zone),
            _holds(stay, now, zone),
            _reviews(stay, now, zone),
            _returns(stay, now, zone),
            _outcome(stay, zone),
            _corrections(stay, now, zone),
        ]
    )


def timeliness_data(stay: Stay, *, now: datetime) -> FactsData:
    """How the stay was watched, always whole and with its definition."""
    t = timeliness(stay.bed.flap, stay.bed.protocol, [s.look for s in stay.bed.seen], now)
    counts = (
        f"expected {t.expected} · on time {t.on_time} · late {t.late} · "
        f"entered late {t.entered_late} · attempted {t.attempted} · missed {t.missed} · "
        f"extra {t.extra}"
    )
    gap = "none yet" if t.longest_gap is None else lasting(t.longest_gap)
    facts = [FactView(label="Checks", text=counts), FactView(label="Longest gap", text=gap)]
    return FactsData(
        sections=[
            FactSection(
                title="How it was watched", facts=facts, empty="", note=TIMELINESS_DEFINITION
            )
        ]
    )


def _section(title: str, facts: dict[str, str | None], empty: str) -> FactSection:
    """A section of what is recorded; a fact that is not recorded is left out."""
    known = [FactView(label=label, text=text) for label, text in facts.items() if text]
    return FactSection(title=title, facts=known, empty=empty, note="")


def _words(words: object) -> str:
    return str(words).replace("_", " ")


def _listed(words: frozenset[object] | frozenset[str]) -> str | None:
    return ", ".join(sorted(map(_words, words))) or None


def _surgery(stay: Stay, zone: ZoneInfo) -> FactSection:
    facts = stay.bed.flap.facts
    minutes = facts.ischaemia_minutes
    return _section(
        "Surgery",
        {
            "Surgeon": facts.surgeon,
            "Anastomosis and notes": facts.anastomosis,
            "Ischaemia": None if minutes is None else f"{minutes} min",
            "Risk factors": _listed(facts.risk_factors) or "none recorded",
            "Perfusion restored": local(facts.perfused_at, zone),
            "Operation": facts.operation_id,
        },
        "Nothing is recorded of the operation.",
    )


def _flap(stay: Stay, zone: ZoneInfo) -> FactSection:
    facts = stay.bed.flap.facts
    side = f", {facts.side}" if facts.side is not None else ""
    skin = "not recorded" if facts.skin_type is None else f"type {facts.skin_type}"
    baseline = stay.bed.flap.baseline
    others = "; ".join(o.flap.facts.label for o in stay.others)
    return _section(
        "Flap",
        {
            "What": f"{_words(facts.kind)} {facts.name}, {_words(facts.tissue)}",
            "Where": f"{_words(facts.recipient)}{side}{', buried' if facts.buried else ''}",
            "Skin (Fitzpatrick)": skin,
            "Monitors": _listed(facts.monitors) or "none recorded",
            "Monitored from": local(facts.monitoring_from, zone),
            "Baseline": "none yet" if baseline is None else local(baseline.observed_at, zone),
            "Other flaps of this patient": others or None,
        },
        "",
    )


def _holds(stay: Stay, now: datetime, zone: ZoneInfo) -> FactSection:
    facts = {
        f"{clock(h.hold.from_at, zone, now)} {_words(h.hold.reason)}": _held(h, stay, now, zone)
        for h in stay.holds
    }
    return _section("Holds", dict(facts), "Never on hold.")


def _held(stored: StoredHold, stay: Stay, now: datetime, zone: ZoneInfo) -> str:
    by = _name(stay, stored.by)
    if stored.hold.until_at is None:
        return f"by {by}, not released yet"
    until = f"until {clock(stored.hold.until_at, zone, now)}"
    if stored.released_by is None:
        return f"{until}, by {by}"
    return f"{until}, by {by}, released by {_name(stay, stored.released_by)}"


def _reviews(stay: Stay, now: datetime, zone: ZoneInfo) -> FactSection:
    facts: dict[str, str | None] = {}
    for review in stay.reviews:
        signed = signed_words(review.by, review.mode, review.recorded_by, stay.names)
        said = [plan_words(review, stay.names, zone, now).partition(": ")[2]]
        found = examination_words(review)
        said += [f"found: {found}"] if found else []
        said += [f"note: {review.note}"] if review.note else []
        said += [_read_back(review, stay, now, zone)]
        facts[f"{clock(review.reviewed_at, zone, now)} {signed}"] = "\n".join(said)
    return _section("Reviews", facts, "No review yet.")


def _read_back(review: Review, stay: Stay, now: datetime, zone: ZoneInfo) -> str:
    if review.read_back_at is None:
        return "not read back"
    at = clock(review.read_back_at, zone, now)
    return f"read back by {_name(stay, review.read_back_by)}, {at}"


def _returns(stay: Stay, now: datetime, zone: ZoneInfo) -> FactSection:
    facts: dict[str, str | None] = {}
    for number, stored in enumerate(stay.returns, start=1):
        title = f"Return {number}" if len(stay.returns) > 1 else "Return"
        facts[f"{title}, written by {_name(stay, stored.by)}"] = return_words(stored, now, zone)
    return _section("Returns to theatre", facts, "No return to theatre.")


def is_filled(value: Return) -> bool:
    """Whether everything is known of a return: its stages, what was found, and whether the flap
    was saved."""
    return None not in value.model_dump().values()


def fillable(stay: Stay) -> list[Return | None]:
    """The returns that something can still be written of, the one under way first; None is a new
    one, which begins only while the flap is monitored and none is under way."""
    known = [r.value for r in stay.returns]
    under_way = [r for r in known if r.back_at is None]
    later: list[Return | None] = [r for r in known if r.back_at is not None and not is_filled(r)]
    if under_way:
        return [*under_way, *later]
    return [None, *later] if stay.bed.flap.ended_at is None else later


def may_be_withdrawn(stay: Stay) -> bool:
    """Whether a return is decided and the flap not in theatre yet."""
    under_way = [r.value for r in stay.returns if r.value.back_at is None]
    return any(r.into_theatre_at is None for r in under_way)


def return_title(value: Return | None, zone: ZoneInfo) -> str:
    """Which return, by when it was decided."""
    return "a new return" if value is None else f"decided {local(value.decided_at, zone)}"


RETURN_FACTS = {**RETURN_STAGES, "finding": "found", "salvaged": "salvaged"}
"""Everything of a return that can be set right, in words."""


def said_of(value: Return, field: str, zone: ZoneInfo) -> str:
    """What is recorded of one fact of a return."""
    known = getattr(value, field)
    if known is None:
        return "nothing"
    if isinstance(known, bool):
        return "yes" if known else "no"
    return local(known, zone) if isinstance(known, datetime) else _words(known)


def return_words(stored: StoredReturn, now: datetime, zone: ZoneInfo) -> str:
    """A return in lines: each stage with its time, what was found, whether it was salvaged."""
    value = stored.value
    lines = [
        f"{word} {clock(at, zone, now)}"
        for name, word in RETURN_STAGES.items()
        if (at := getattr(value, name)) is not None
    ]
    lines.append(f"found: {'not recorded' if value.finding is None else _words(value.finding)}")
    said = {None: "not recorded", True: "yes", False: "no"}[value.salvaged]
    return "\n".join([*lines, f"salvaged: {said}"])


def _outcome(stay: Stay, zone: ZoneInfo) -> FactSection:
    if stay.outcome is None:
        return _section("Outcome", {}, "Not recorded.")
    percent = f", {stay.outcome.percent:g} %" if stay.outcome.percent is not None else ""
    said = f"{_words(stay.outcome.kind)}{percent}, {local(stay.outcome.closed_at, zone)}"
    return _section("Outcome", {"How it ended": said}, "")


def _corrections(stay: Stay, now: datetime, zone: ZoneInfo) -> FactSection:
    facts = [
        FactView(
            label=f"{clock(c.at, zone, now)} {FACT_NAMES.get(c.field, _words(c.field))}, "
            f"by {_name(stay, c.by)}",
            text=f"{_said(c.old)} became {_said(c.new)}: {c.reason}",
        )
        for c in reversed(stay.corrections)
    ]
    return FactSection(
        title="Corrections", facts=facts, empty="No fact was corrected, no bed changed.", note=""
    )


def _said(value: str | None) -> str:
    return "nothing" if value is None else value


def _name(stay: Stay, staff_id: str | None) -> str:
    return stay.names.get(staff_id or "", staff_id or "")
