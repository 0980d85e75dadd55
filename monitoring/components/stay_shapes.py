"""What the components of the flap and alerts pages are told: plain JSON shapes, all words.

Nothing here judges or formats a clinical value: the words come from ``monitoring.alert_views``
and ``monitoring.stay_views``, the browser only places them, as text.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from monitoring.components.shapes import Phrase, SparkView, TileSeverity

Tone = Literal["plain", "hot", "unable", "blank", "changed"]
"""A usual reading; one that a finding rests on; could not be looked at; nobody looked; another
value stands in its place now."""


class CellView(TypedDict):
    """One reading in a small table; ``said`` is what a screen reader hears where it differs."""

    text: str
    tone: Tone
    said: NotRequired[str]


class LastCheckView(TypedDict):
    """One of the last checks: its readings, or ``gap`` in their place ("missed")."""

    time: str
    cells: list[CellView]
    gap: str


class MinutesView(TypedDict):
    """A choice of minutes: "10 min, 14:10"."""

    minutes: int
    label: str


class AnswerView(TypedDict):
    """A button under an alert; ``kind`` is an intent's code, ``pass``, ``verbal``, ``snooze``,
    ``review``, ``arrive`` or ``close``. One with ``minutes`` asks for them before it is sent.
    ``look`` is ``primary``, ``answer`` or ``quiet``."""

    kind: str
    label: str
    look: str
    minutes: list[MinutesView]


class PictureView(TypedDict):
    """A photo of the flap as a data URI, with what it shows in words."""

    source: str
    alt: str
    caption: str


class AlertCard(TypedDict):
    """One alert as it is read in a hurry: what, where, since when, why, who has it; then proof."""

    id: int
    flap_id: str
    severity: TileSeverity
    word: str
    pattern: str
    state: Literal["open", "acknowledged", "closed"]
    bed: str
    name: str
    mrn: str
    flap: str
    namesake: str
    since: str
    marks: list[str]
    background: str
    why: str
    readings: list[str]
    also: list[str]
    asked: str
    do_now: list[str]
    plan: str
    plan_has: bool
    pictures: list[PictureView]
    spark: SparkView | None
    columns: list[str]
    checks: list[LastCheckView]
    beside: str
    unanswered: str
    rule: str
    rule_why: str
    sources: list[str]
    protocol: str
    evidence: list[str]
    story: list[str]
    answers: list[AnswerView]


class AlertsData(TypedDict):
    """Alerts in the order they are to stand.

    With ``shown_time`` (when they were read) the list declares itself not live when no new one
    came for 12 s; ``named`` cards say whose they are. ``acting`` is in whose name answers are
    given, where the page knows. ``unowned`` counts the reds that nobody has: the browser's tab
    says it, and a sound, if somebody switched it on.
    """

    title: str
    shown_time: str
    summary: str
    empty_text: str
    named: bool
    acting: str
    unowned: int
    cards: list[AlertCard]


class AlertAction(TypedDict):
    """What was pressed under an alert, with the minutes that were chosen for it (else 0)."""

    kind: str
    alert_id: int
    flap_id: str
    minutes: int


class HeadData(TypedDict):
    """Whose flap it is and how it stands now; stays on top of the flap page.

    ``shown_time`` is when it was read: without a new one for 12 s it declares itself not live.
    """

    shown_time: str
    name: str
    born: str
    mrn: str
    bed: str
    label: str
    hours: str
    namesake: str
    protocol: str
    severity: TileSeverity
    word: str
    pattern: str
    since: str
    why: list[Phrase]
    plan: str
    plan_has: bool
    last: str
    due: str
    note: str


class SignView(TypedDict):
    """One sign of a check in the table."""

    label: str
    value: str
    tone: Tone


class VersionView(TypedDict):
    """One version of a check in words; ``said`` tells what became of it, by whom and why."""

    time: str
    by: str
    marks: list[str]
    signs: list[SignView]
    missing: str
    note: str
    concern: str
    said: str


class CheckRowView(VersionView):
    """A check of the stay, or a missed slot (``kind``), with its earlier versions beneath."""

    kind: Literal["check", "struck", "missed"]
    severity: TileSeverity
    word: str
    because: str
    older: list[VersionView]


class CheckTableData(TypedDict):
    """The checks of a stay, newest first; the first ``first`` are shown until asked for more."""

    rows: list[CheckRowView]
    first: int
    empty_text: str


class FactView(TypedDict):
    """A label and what is recorded of it."""

    label: str
    text: str


class FactSection(TypedDict):
    """A part of the stay in facts; ``empty`` is said when there is none, ``note`` always."""

    title: str
    facts: list[FactView]
    empty: str
    note: str


class FactsData(TypedDict):
    """Facts of a stay, section by section."""

    sections: list[FactSection]


class NoticeData(TypedDict):
    """What was done, read back from the record."""

    title: str
    text: str
