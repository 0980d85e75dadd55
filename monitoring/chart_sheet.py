"""The sheet a stay is drawn on: inks, strips under each other, and room for words.

Heights are in pixels and become shares of the sheet at the end, so that a strip is as tall with
three neighbours as with nine. The true width is the browser's; words are placed for a narrow one.
"""

from __future__ import annotations

import html
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pandas as pd

from monitoring.frames import EventKind, StayFacts, records

Row = Mapping[str, Any]
Theme = Literal["dark", "light"]

LANE = 15
"""How tall a lane of event words is, in pixels."""

TOO_LONG = 1.75
"""Beyond this many times the interval asked for, two checks are not joined by a line."""


@dataclass(frozen=True, slots=True)
class Ink:
    """The colours of one theme. Text reaches 4.5:1 and marks that mean something 3:1."""

    ground: str
    text: str
    quiet: str
    calm: str
    amber: str
    unknown: str
    hair: str
    soft: str
    soft_calm: str
    held: str
    warm: str
    card: str
    severity: Mapping[str, str]


INKS: dict[str, Ink] = {
    "dark": Ink(
        ground="#0e1318", text="#e8edf2", quiet="#9fb0bf", calm="#6fb7c9", amber="#ffb648",
        unknown="#8796a5", hair="#2b3844", soft="rgba(135,150,165,0.13)",
        soft_calm="rgba(111,183,201,0.5)",
        held="rgba(135,150,165,0.24)", warm="rgba(255,182,72,0.10)", card="#161d25",
        severity={"red": "#ff6b5e", "amber": "#ffb648", "yellow": "#e9dc6b", "none": "#6fb7c9"},
    ),
    "light": Ink(
        ground="#f4f6f8", text="#16202a", quiet="#51616f", calm="#1e6b7d", amber="#8a5200",
        unknown="#5a6976", hair="#d5dde4", soft="rgba(90,105,118,0.09)",
        soft_calm="rgba(30,107,125,0.45)",
        held="rgba(90,105,118,0.20)", warm="rgba(138,82,0,0.08)", card="#ffffff",
        severity={"red": "#b3200f", "amber": "#8a5200", "yellow": "#6b6000", "none": "#1e6b7d"},
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Strip:
    """One thin strip: its name and its height in pixels, on a desk and on a telephone."""

    title: str
    height: int
    compact_height: int


@dataclass(frozen=True, slots=True)
class Stay:
    """The tables of a stay as rows in order, with true hours and the places where lines break."""

    facts: StayFacts
    checks: Sequence[Row]
    slots: Sequence[Row]
    events: Sequence[Row]
    x: Sequence[float]
    breaks: Sequence[bool]
    asked: Sequence[float]
    start: datetime
    end: datetime

    @property
    def near(self) -> float:
        """The first hour of the axis."""
        return self.facts.hours(self.start)

    @property
    def far(self) -> float:
        """The last hour of the axis."""
        return self.facts.hours(self.end)

    def every(self, hour: float) -> float:
        """The interval in hours asked for at that hour; 1 h when there are no slots."""
        return _every(self.slots, self.asked, hour) or 1.0

    def missed_runs(self) -> list[tuple[float, float, int]]:
        """(from, to, how many) of slots missed in a row, reaching to the checks around them."""
        runs: list[tuple[float, float, int]] = []
        before = ""
        for hour, slot in zip(self.asked, self.slots, strict=True):
            half = slot["every_minutes"] / 120
            if slot["state"] == "missed":
                if before == "missed":
                    runs[-1] = (runs[-1][0], hour + half, runs[-1][2] + 1)
                else:
                    runs.append((hour - half, hour + half, 1))
            before = slot["state"]
        return [self._cut(run) for run in runs]

    def _cut(self, run: tuple[float, float, int]) -> tuple[float, float, int]:
        middle = (run[0] + run[1]) / 2
        before = max((x for x in self.x if x <= middle), default=run[0])
        after = min((x for x in self.x if x > middle), default=run[1])
        return max(run[0], before), min(run[1], after), run[2]


def plain(text: str) -> str:
    """Text as it was written: what a person typed is never markup."""
    return html.escape(text, quote=False)


def read_stay(
    checks: pd.DataFrame, slots: pd.DataFrame, events: pd.DataFrame, facts: StayFacts
) -> Stay:
    """The tables as a stay, in order, with its lines broken and its axis ends found."""
    rows = sorted(records(checks), key=lambda r: r["observed_at"])
    slot_rows = sorted(records(slots), key=lambda r: r["at"])
    asked = [facts.hours(r["at"]) for r in slot_rows]
    marked = sorted(records(events), key=lambda r: r["at"])
    x = [facts.hours(r["observed_at"]) for r in rows]
    times = [r["observed_at"] for r in rows] + [r["at"] for r in slot_rows + marked]
    times += [r["until"] for r in marked if r["until"] is not None]
    start = min([facts.perfused_at, *times])
    end = max([facts.perfused_at + timedelta(hours=4), *times])
    spare = (end - start) * 0.015
    return Stay(
        facts, rows, slot_rows, marked, x, _breaks(x, slot_rows, asked, marked, facts), asked,
        start - spare, end + spare,
    )  # fmt: skip


def _every(slots: Sequence[Row], asked: Sequence[float], hour: float) -> float | None:
    """The interval in hours of the slot last asked for by that hour."""
    if not slots:
        return None
    place = max(bisect_right(asked, hour + 1 / 60) - 1, 0)
    return float(slots[place]["every_minutes"] / 60)


def _breaks(
    x: Sequence[float], slots: Sequence[Row], asked: Sequence[float], events: Sequence[Row],
    facts: StayFacts,
) -> list[bool]:  # fmt: skip
    """Whether a line stops before each check: a slot was missed since the one before it, the
    flap was on hold in between, or it took longer than it may."""
    missed = [h for h, s in zip(asked, slots, strict=True) if s["state"] == "missed"]
    held = [
        (facts.hours(e["at"]), float("inf") if e["until"] is None else facts.hours(e["until"]))
        for e in events
        if e["kind"] == EventKind.HOLD
    ]
    found = [False]
    for a, b in pairwise(x):
        every = _every(slots, asked, a)
        too_long = every is not None and b - a > TOO_LONG * every
        found.append(
            too_long
            or any(a < m < b for m in missed)
            or any(start < b and end > a for start, end in held)
        )
    return found[: len(x)]


@dataclass(slots=True)
class Sheet:
    """Collects strips, marks and words; ``layout`` puts the strips in their places."""

    stay: Stay
    ink: Ink
    compact: bool
    traces: list[dict[str, Any]] = field(default_factory=list)
    shapes: list[dict[str, Any]] = field(default_factory=list)
    hung: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    lane_count: int = 0
    notes: list[dict[str, Any]] = field(default_factory=list)
    axes: dict[str, dict[str, Any]] = field(default_factory=dict)
    strips: list[tuple[str, int, str]] = field(default_factory=list)
    times: dict[str, Any] = field(default_factory=dict)

    @property
    def small(self) -> int:
        """The size of small words in pixels."""
        return 11

    @property
    def room(self) -> int:
        """How many pixels wide the strips are at the least, for placing words."""
        return 240 if self.compact else 620

    def pixels(self, hours: float) -> float:
        """Pixels that many hours are wide."""
        return hours * self.room / (self.stay.far - self.stay.near)

    def hours_of(self, pixels: float) -> float:
        """Hours that many pixels are wide."""
        return pixels * (self.stay.far - self.stay.near) / self.room

    def width_of(self, word: str) -> float:
        """About how many pixels a small word is wide."""
        return 6.2 * len(word) + 8

    def strip(
        self, strip: Strip, title: str, span: tuple[float, float],
        ticks: tuple[Sequence[float], Sequence[str]] | None = None,
    ) -> str:  # fmt: skip
        """Another strip below the last; returns the name of its axis."""
        number = len(self.strips) + 1
        name = "y" if number == 1 else f"y{number}"
        body: dict[str, Any] = {
            "range": list(span), "fixedrange": True, "showgrid": False, "zeroline": False,
            "showline": False, "ticks": "", "nticks": 4, "anchor": "x",
            "tickfont": {"size": self.small, "color": self.ink.quiet},
        }  # fmt: skip
        if ticks is not None:
            body |= {"tickmode": "array", "tickvals": list(ticks[0]), "ticktext": list(ticks[1])}
        self.axes[name] = body
        self.strips.append((name, strip.compact_height if self.compact else strip.height, title))
        return name

    def trace(self, axis: str, **body: Any) -> None:
        """Something drawn in a strip. It says nothing itself: one overlay reads all strips.

        Numbers go in as arrays (an empty place as NaN): plotly looks at lists item by item.
        """
        for name in ("x", "y", "base"):
            if name in body:
                body[name] = np.asarray(body[name], dtype=float)
        self.traces.append(
            {"type": "scatter", "xaxis": "x", "yaxis": axis, "hoverinfo": "skip"} | body
        )

    def broken(
        self, reading: Callable[[Row], float | None]
    ) -> tuple[list[float], list[float | None], list[Row | None]]:
        """x, y and rows of a reading, with an empty place wherever the line must stop."""
        x: list[float] = []
        y: list[float | None] = []
        rows: list[Row | None] = []
        for i, row in enumerate(self.stay.checks):
            if self.stay.breaks[i]:
                x.append((self.stay.x[i - 1] + self.stay.x[i]) / 2)
                y.append(None)
                rows.append(None)
            x.append(self.stay.x[i])
            y.append(reading(row))
            rows.append(row)
        return x, y, rows

    def per_pixel(self, axis: str) -> float:
        """How much of the axis one pixel is."""
        low, high = self.axes[axis]["range"]
        height = next(h for name, h, _ in self.strips if name == axis)
        return float((high - low) / height)

    def lane_below(self, axis: str) -> float:
        """Room for crosses below the readings of a strip; returns its height on the axis."""
        each = self.per_pixel(axis)
        low, high = self.axes[axis]["range"]
        place = next(i for i, s in enumerate(self.strips) if s[0] == axis)
        name, height, title = self.strips[place]
        self.strips[place] = (name, height + 14, title)
        self.axes[axis]["range"] = [low - 14 * each, high]
        return float(low - 7 * each)

    def level(self, axis: str, y: float, colour: str, dash: str, word: str, name: str) -> None:
        """A level line across one strip, with its word at the right edge."""
        self.shapes.append({
            "type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": axis, "y0": y, "y1": y,
            "layer": "below", "name": name, "line": {"color": colour, "width": 1, "dash": dash},
        })  # fmt: skip
        if word:
            self.beside(axis, y, word, colour)

    def band(self, axis: str, low: float, high: float, fill: str) -> None:
        """A field across one strip from low to high."""
        self.shapes.append({
            "type": "rect", "xref": "paper", "x0": 0, "x1": 1, "yref": axis, "y0": low,
            "y1": high, "layer": "below", "name": "band", "fillcolor": fill, "line": {"width": 0},
        })  # fmt: skip

    def field(
        self, start: float, end: float, fill: str, edge: str, dash: str, name: str, lane: int = -1
    ) -> None:
        """A field across all strips between two hours, hung from a lane of the events."""
        self.hung.append((lane, {
            "type": "rect", "xref": "x", "x0": start, "x1": end, "yref": "paper", "y0": 0,
            "layer": "below", "name": name, "fillcolor": fill,
            "line": {"color": edge, "width": 0.6, "dash": dash},
        }))  # fmt: skip

    def mark(self, x: float, colour: str, dash: str, name: str, lane: int) -> None:
        """A line across all strips at one hour, hung from a lane of the events."""
        self.hung.append((lane, {
            "type": "line", "xref": "x", "x0": x, "x1": x, "yref": "paper", "y0": 0,
            "layer": "below", "name": name, "opacity": 0.8,
            "line": {"color": colour, "width": 1, "dash": dash},
        }))  # fmt: skip

    def beside(self, axis: str, y: float, word: str, colour: str, shift: int = 0) -> None:
        """A word at the right edge of a strip, at a height of its axis."""
        self.notes.append({
            "xref": "paper", "x": 1, "xanchor": "left", "xshift": 4, "yref": axis, "y": y,
            "yanchor": "middle", "yshift": shift, "text": word, "showarrow": False,
            "font": {"size": self.small, "color": colour},
        })  # fmt: skip

    def fitting(self, xs: Sequence[float], words: Sequence[str]) -> list[str]:
        """The words that do not run into the next mark; the others are left to the overlay."""
        after = [*xs[1:], float("inf")]
        return [
            plain(w) if self.pixels(b - a) >= self.width_of(w) else ""
            for a, b, w in zip(xs, after, words, strict=True)
        ]

    def sides(self, xs: Sequence[float], words: Sequence[str]) -> list[str]:
        """On which side of its mark each word stands: the left one only at the right edge."""
        far = self.stay.far
        return [
            f"middle {'left' if self.pixels(far - x) < self.width_of(w) else 'right'}"
            for x, w in zip(xs, words, strict=True)
        ]

    def nudged(self, xs: Sequence[float], words: Sequence[str]) -> list[float]:
        """Places for words in a row, each moved right as far as the one before it needs."""
        found: list[float] = []
        free = float("-inf")
        for x, word in zip(xs, words, strict=True):
            found.append(max(x, free))
            free = found[-1] + self.hours_of(self.width_of(word))
        return found

    def lanes(self, xs: Sequence[float], words: Sequence[str]) -> tuple[list[int], int]:
        """A lane for each word, from the top, so that no two of a lane run into each other."""
        taken: list[list[tuple[float, float]]] = []
        found: dict[int, int] = {}
        left = [i for i, side in enumerate(self.sides(xs, words)) if side == "middle left"]
        right = [i for i in range(len(xs)) if i not in left]
        for i in [*right, *reversed(left)]:  # so that no mark hangs through another's word
            wide = self.hours_of(self.width_of(words[i]))
            start, end = (xs[i] - wide, xs[i]) if i in left else (xs[i], xs[i] + wide)
            free = (n for n, t in enumerate(taken) if all(b <= start or a >= end for a, b in t))
            found[i] = next(free, len(taken))
            taken[found[i]:] = taken[found[i]:] or [[]]  # fmt: skip
            taken[found[i]].append((start, end))
        self.lane_count = len(taken)
        return [found[i] for i in range(len(xs))], len(taken)

    def overlay(self, xs: Sequence[float], texts: Sequence[str]) -> None:
        """An unseen point a moment, over all strips, that says everything known of it."""
        self.axes["y99"] = {
            "domain": [0, 1], "range": [0, 1], "visible": False, "fixedrange": True, "anchor": "x",
        }  # fmt: skip
        self.traces.append({
            "type": "scatter", "xaxis": "x", "yaxis": "y99", "x": np.asarray(xs, dtype=float),
            "y": np.full(len(xs), 0.5),
            "mode": "markers", "marker": {"opacity": 0, "size": 1}, "name": "moment",
            "meta": "overlay", "text": list(texts),
            "hovertemplate": "%{text}<extra></extra>",
        })  # fmt: skip

    def time_axes(
        self, ticks: Sequence[float], words: Sequence[str], dtick: int, title: str
    ) -> None:
        """Hours along the bottom, wall time along the top; the same hours carry both."""
        span = [self.stay.near, self.stay.far]
        font = {"size": self.small, "color": self.ink.quiet}
        both = {
            "range": span, "showgrid": False, "zeroline": False, "tickfont": font, "ticklen": 4,
            "ticks": "outside", "tickcolor": self.ink.unknown, "linecolor": self.ink.hair,
        }  # fmt: skip
        self.times = {
            "xaxis": both | {
                "anchor": "free", "position": 0, "side": "bottom", "tick0": 0, "dtick": dtick,
                "title": {"text": title, "font": font, "standoff": 6}, "showspikes": True,
                "spikemode": "across", "spikethickness": -2, "spikedash": "solid",
                "spikesnap": "hovered data", "spikecolor": self.ink.unknown,
                "unifiedhovertitle": {"text": "%{x:.1f} h since perfusion"},
            },
            "xaxis2": both | {
                "overlaying": "x", "matches": "x", "anchor": "free", "position": 1, "side": "top",
                "tickmode": "array", "tickvals": list(ticks), "ticktext": list(words),
            },
        }  # fmt: skip
        self.traces.append({
            "type": "scatter", "xaxis": "x2", "yaxis": "y99", "x": [None], "y": [None],
            "hoverinfo": "skip", "name": "wall time", "meta": "axis",
        })  # fmt: skip

    def layout(self) -> dict[str, Any]:
        """The finished layout: strips stacked, each with its title above it."""
        tops: list[tuple[str, float, float, str]] = []
        y = 0.0
        for name, height, title in self.strips:
            y += 19 if title else 2
            tops.append((name, y, y + height, title))
            y += height
        total = y + 4
        notes = list(self.notes)
        for name, top, bottom, title in tops:
            self.axes[name]["domain"] = [1 - bottom / total, 1 - top / total]
            if title:
                notes.append(self._heading(title, 1 - top / total))
        hung = [s | {"y1": 1 - self._top_of(lane) / total} for lane, s in self.hung]
        margin = {"l": 58, "r": 72 if self.compact else 80, "t": 26, "b": 42, "pad": 0}
        named = {f"yaxis{n[1:]}": body for n, body in self.axes.items()}
        return self.times | named | {
            "template": "none", "height": round(total) + 26 + 42, "margin": margin,
            "shapes": [*self.shapes, *hung],
            "annotations": notes, "showlegend": False, "barmode": "overlay", "bargap": 0,
            "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)",
            "hovermode": "x unified", "hoversubplots": "axis", "hoverdistance": -1,
            "spikedistance": -1, "dragmode": False if self.compact else "zoom",
            "font": {"family": '"Source Sans", system-ui, sans-serif',
                     "color": self.ink.text, "size": self.small},
            "hoverlabel": {"bgcolor": self.ink.card, "bordercolor": self.ink.unknown,
                           "align": "left", "font": {"size": 13, "color": self.ink.text}},
        }  # fmt: skip

    def _top_of(self, lane: int) -> float:
        """Where a mark hangs from, in pixels from the top; -1 is below all lanes."""
        place = self.lane_count if lane < 0 else lane + 0.2
        return LANE * place + 2

    def _heading(self, title: str, top: float) -> dict[str, Any]:
        return {
            "xref": "paper", "x": 0, "xanchor": "left", "xshift": -2, "yref": "paper", "y": top,
            "yanchor": "bottom", "yshift": 1, "text": title, "showarrow": False,
            "width": self.room + 40, "align": "left",
            "font": {"size": 12, "color": self.ink.quiet},
        }  # fmt: skip
