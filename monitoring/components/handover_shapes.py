"""What the components of the handover and messages pages are told: plain JSON shapes, all words."""

from __future__ import annotations

from typing import Literal, TypedDict

from monitoring.components.shapes import TileSeverity

FactTone = Literal["plain", "loud", "dim"]
"""As usual; what the next shift must not miss; what is only good to know."""


class HandoverFact(TypedDict):
    """One thing that is handed over with a flap."""

    label: str
    text: str
    tone: FactTone


class HandoverFlap(TypedDict):
    """A flap on the sheet: whose, how it stands, and what is handed over with it."""

    flap_id: str
    severity: TileSeverity
    word: str
    pattern: str
    bed: str
    name: str
    born: str
    mrn: str
    label: str
    hours: str
    namesake: str
    facts: list[HandoverFact]


class DutyView(TypedDict):
    """Who has a level now and who comes next; ``gap`` when nobody has it."""

    level: str
    now: str
    next: str
    gap: bool


class HandoverData(TypedDict):
    """The sheet of a ward.

    ``shown_time`` is when it was read: without a new one for 15 s the sheet declares itself not
    live. ``printed`` stands on every printed page. ``lists`` are titles with their lines.
    """

    title: str
    shown_time: str
    printed: str
    summary: list[str]
    loud: list[str]
    duties: list[DutyView]
    flaps: list[HandoverFlap]
    empty_text: str
    outcomes: list[str]
    last: list[str]


MessageTone = Literal["sent", "waiting", "trouble", "dropped"]


class MessageView(TypedDict):
    """One message: when, to whom and how, what it says, and what became of it.

    ``link`` leads to its alert ("" where there is none), ``open`` are the words on it.
    """

    key: str
    severity: TileSeverity
    when: str
    to: str
    how: str
    title: str
    body: str
    tone: MessageTone
    state: str
    detail: str
    open: str
    link: str


class MessagesData(TypedDict):
    """The messages, newest first; ``strip`` says what the demonstration channel is."""

    title: str
    shown_time: str
    summary: str
    strip: str
    empty_text: str
    messages: list[MessageView]
