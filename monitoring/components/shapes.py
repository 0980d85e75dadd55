"""What the board and the check form are told, and what they answer: plain JSON shapes.

Nothing here judges or formats a clinical value: the words come from ``monitoring.board`` and the
pages, the browser only places them. Times marked ``iso`` carry an offset.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

TileSeverity = Literal["red", "amber", "yellow", "none", "unknown"]


class EngineView(TypedDict):
    """The alert engine's last heartbeat: every state but ``ok`` is shown as a loud banner.

    ``aside``: it runs, but not for every flap; ``text`` says for which it does not. ``behind``: it
    runs, but somebody who should have been told was not; ``text`` says what is late.
    """

    state: Literal["ok", "aside", "behind", "stale", "never"]
    seconds_ago: int | None
    text: NotRequired[str]


class CountsView(TypedDict):
    """How many tiles of each kind the whole ward has, whatever the filter shows."""

    red: int
    amber: int
    yellow: int
    unknown: int
    overdue: int
    flaps: int


class HeaderView(TypedDict):
    """``server_time_iso`` must differ on every refresh: it is how the browser knows it is live."""

    ward: str
    server_time_iso: str
    shown_time: str
    zone_offset: str
    engine: EngineView
    counts: CountsView
    on_call: NotRequired[str]


class Phrase(TypedDict):
    """A piece of the reason; the decisive readings are strong."""

    text: str
    strong: bool


class SparkView(TypedDict):
    """The temperature gap (control minus flap, °C) against minutes ago, oldest first.

    A point whose gap is None is a missed check: drawn as a dotted gap, never as a line. From
    ``turned_minutes_ago`` on the line takes the tile's colour.
    """

    points: list[tuple[float, float | None]]
    threshold: float | None
    baseline: float | None
    turned_minutes_ago: float | None


class LastView(TypedDict):
    """The last check: its time on the ward's clock, and its age in words."""

    time: str
    ago: str


class DueWords(TypedDict):
    """What stands over the countdown in each state, e.g. "recheck", "due 14:00", "overdue"."""

    later: str
    due: str
    overdue: str


class DueView(TypedDict):
    """The next obligation. With ``at_iso`` the browser counts down and changes state by itself
    at ``soon_from_iso``, ``at_iso`` and ``overdue_from_iso``; without it ``word`` and ``text``
    are shown as they are (on hold, nothing planned)."""

    state: Literal["later", "due_soon", "due", "overdue", "held"]
    word: str
    text: str
    at_iso: str | None
    soon_from_iso: str | None
    overdue_from_iso: str | None
    words: DueWords


class TileView(TypedDict):
    """One flap on the board. ``flap_id`` is the key that keeps focus through a refresh.

    ``plan_has`` says that somebody has it: the line turns calm and a red tile stops pulsing.
    """

    flap_id: str
    severity: TileSeverity
    word: str
    pattern: str
    since: str
    bed: str
    name: str
    mrn: str
    label: str
    hours_text: str
    why: list[Phrase]
    plan: str
    plan_has: bool
    spark: SparkView | None
    last: LastView | None
    due: DueView
    namesake: bool
    mine: bool
    recovered: bool
    note: str


class BoardData(TypedDict):
    """Everything on the ward board, tiles in the order they are to stand."""

    header: HeaderView
    tiles: list[TileView]
    empty_text: str


class BoardAction(TypedDict):
    """What was pressed on a tile."""

    kind: Literal["record", "open", "mine"]
    flap_id: str


class IdentityView(TypedDict):
    """Who and what the check is for; stays on top and is repeated on the Save button."""

    name: str
    born: str
    mrn: str
    label: str
    hours_text: str
    slot_text: str
    bed: str
    namesake: str | None


class FoldOption(TypedDict):
    """One of the two instants a wall time names on the clock-change night."""

    value: str
    label: str


class ObservedView(TypedDict):
    """``now_iso`` carries the ward's own offset: the form shows and dates by it."""

    now_iso: str
    fold_options: NotRequired[list[FoldOption]]


class OptionView(TypedDict):
    """One word to choose, with a CSS background for its swatch if it has one."""

    word: str
    label: str
    swatch: str | None


class RowView(TypedDict):
    """One sign or a pair of signs in the form.

    ``words`` and ``yes_no`` use ``sign``; ``number`` uses ``sign`` and ``unit``; ``refill`` uses
    ``sign``, ``again_sign`` and ``options``; ``temperatures`` uses ``flap_sign``,
    ``control_sign`` and ``baseline_text``. ``last`` is the last value in words ("12:58 matches").
    """

    kind: Literal["words", "refill", "temperatures", "number", "yes_no"]
    sign: str
    label: str
    last: str
    required: bool
    options: NotRequired[list[OptionView]]
    unit: NotRequired[str]
    again_sign: NotRequired[str]
    flap_sign: NotRequired[str]
    control_sign: NotRequired[str]
    baseline_text: NotRequired[str]


class MoreGroup(TypedDict):
    """Rows behind one button of the "More" line."""

    label: str
    rows: list[RowView]


class UnableOption(TypedDict):
    """A reason for not having looked; ``other`` asks for text."""

    code: str
    label: str


class StaffView(TypedDict):
    """A person who may be named as the one who looked."""

    id: str
    name: str
    role: str


class WhoView(TypedDict):
    """``chosen`` is None until somebody has named themself: never assumed."""

    staff: list[StaffView]
    chosen: str | None


class ServerView(TypedDict):
    """The answer to the Save that carried ``nonce`` (None before any) under ``form_key``."""

    status: Literal["idle", "saved", "refused", "not_saved"]
    sentence: str
    nonce: str | None
    form_key: str | None


class CheckFormData(TypedDict):
    """One check form. ``form_key`` is minted once a form and comes back as the check's key.

    The key that comes back is that of the draft: after a lost session the browser still holds an
    unsaved draft of the same ``flap_id`` and goes on with its first key, never with a second.
    ``errors`` and ``confirmations`` are keyed by sign name, or by ``observed_at``, ``by``,
    ``note`` and ``concern_about``; any other key is shown beside Save.
    """

    form_key: str
    flap_id: str
    identity: IdentityView
    observed: ObservedView
    rows: list[RowView]
    more: list[MoreGroup]
    unable_reasons: list[UnableOption]
    who: WhoView
    save_label: str
    errors: dict[str, str]
    confirmations: dict[str, str]
    server: ServerView


class Typed(TypedDict):
    """Text as the person typed it, nothing converted."""

    typed: str


class Timed(TypedDict):
    """Seconds from the refill timer."""

    seconds: float


class UnableAnswer(TypedDict):
    """A reason code, and the person's own text (asked for with ``other``)."""

    unable: str
    text: str


SignAnswer = str | bool | Typed | Timed | UnableAnswer


class CheckFormSave(TypedDict):
    """A press of Save, raw. A sign that nobody touched is absent from ``signs``.

    ``observed`` is None for now, else the ward's wall time "YYYY-MM-DDTHH:MM" (the part after
    T is blank if no time was given); ``observed_fold`` is the chosen fold option.
    """

    form_key: str
    flap_id: str
    nonce: str
    observed: str | None
    observed_fold: str | None
    by: str | None
    signs: dict[str, SignAnswer]
    note: str
    worried: bool
    concern_about: str
    confirmed: list[str]


class VerdictFinding(TypedDict):
    """One finding in words, with its rule and sources."""

    severity: TileSeverity
    word: str
    because: str
    rule: str


class VerdictChoice(TypedDict):
    """A button below the verdict; the first one is the likeliest."""

    kind: Literal["check", "flap", "board"]
    label: str
    flap_id: str


class VerdictData(TypedDict):
    """A saved check as the nurse is told of it, all of it read back from the record."""

    severity: TileSeverity
    title: str
    who: str
    saved: str
    marks: list[str]
    do_now: list[str]
    call: str
    due: str
    findings: list[VerdictFinding]
    alerts: list[str]
    unanswered: str
    protocol: str
    actions: list[VerdictChoice]


class VerdictAction(TypedDict):
    """What was pressed below the verdict."""

    kind: Literal["check", "flap", "board"]
    flap_id: str
