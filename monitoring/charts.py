"""Tables to pictures: a whole stay on one time axis, as thin strips under each other.

Pure: the figure follows from the tables. What nobody used has no strip, what nobody looked at
draws nothing, what could not be looked at is a cross with its reason, and no line crosses a time
when the flap should have been looked at and was not. Colour never speaks alone: severity has a
shape, tissue colour a word or letter, a slot's state how full its mark is. There is no green.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go

from monitoring.chart_sheet import INKS, LANE, Sheet, Strip, Theme, plain, read_stay
from monitoring.frames import EventKind, StayEvent, StayFacts
from monitoring.signs import SIGNS
from monitoring.stay_words import (
    check_lines,
    clock_change,
    local,
    shown,
    stay_summary,
    unable,
    used,
    wall_hours,
)

__all__ = ["EventKind", "StayEvent", "StayFacts", "stay", "stay_summary"]

Row = Mapping[str, Any]

STRIPS: dict[str, Strip] = {
    "temp_gap_c": Strip("Temperature gap", 104, 116),
    "temperatures": Strip("Temperature, flap and control", 78, 92),
    "refill": Strip("Refill", 88, 104),
    "colour": Strip("Colour", 40, 40),
    "doppler_artery": Strip("Doppler artery", 46, 54),
    "doppler_vein": Strip("Doppler vein", 46, 54),
    "implant_signal": Strip("Implant signal", 72, 78),
    "turgor": Strip("Turgor", 60, 66),
    "sto2_percent": Strip("StO2", 60, 72),
    "drain_ml_per_h": Strip("Drain", 60, 72),
}
LEVELS = {
    "doppler_artery": SIGNS["doppler_artery"].words,
    "doppler_vein": SIGNS["doppler_vein"].words,
    "implant_signal": SIGNS["implant_signal"].words,
    "turgor": ("tense", "firm", "soft", "flaccid"),
}
"""The words of a strip from top to bottom."""

TICK_WORDS = {"device_fault": "fault", "intermittent": "intermit."}
CODES = {
    "matches": "M", "pale": "Pa", "white": "W", "mottled": "Mo", "dusky": "D", "blue": "Bl",
    "purple": "Pu", "black": "Bk", "bruised": "Br",
}  # fmt: skip
SWATCHES = {
    "pale": "#ead9c8", "white": "#ffffff", "mottled": "#b79aa9", "dusky": "#7d6690",
    "blue": "#4f74b8", "purple": "#6d3f90", "black": "#17110f", "bruised": "#8d7440",
}  # fmt: skip
PRESS_PLACES = {"brisk": 0.5, "normal": 2.0, "slow": 4.0}
"""Where an untimed press stands among the seconds; absent stands above them all."""

SHAPES = {"red": "octagon", "amber": "triangle-up", "yellow": "diamond", "none": "circle-open"}
SIZES = {"red": 12, "amber": 11, "yellow": 10, "none": 6}
SLOT_FILL = {"on_time": (0.0, 1.0), "late": (0.0, 0.5), "entered_late": (0.5, 1.0)}
NEARBY = timedelta(minutes=15)
"""An event this close to a check is read with it."""


def stay(
    checks: pd.DataFrame, slots: pd.DataFrame, events: pd.DataFrame, *,
    facts: StayFacts, theme: Theme, compact: bool = False,
) -> go.Figure:  # fmt: skip
    """The whole stay at a glance, for tables as ``frames`` describes them.

    x is true hours since first perfusion, with wall time along the top. ``compact`` is for a
    telephone: fewer ticks, taller strips. Show it with the page's own theme off.
    """
    sheet = Sheet(read_stay(checks, slots, events, facts), INKS[theme], compact)
    _events(sheet)
    _judged(sheet)
    signs = used(sheet.stay.checks)
    for name, strip in STRIPS.items():
        if name == "temperatures":
            if {"flap_temp_c", "control_temp_c"} & set(signs):
                _temperatures(sheet, strip)
        elif name in signs:
            _strip(sheet, name, strip)
    _slots(sheet)
    _hover(sheet, signs)
    _time_axes(sheet)
    return go.Figure(data=sheet.traces, layout=sheet.layout())


def _strip(sheet: Sheet, sign: str, strip: Strip) -> None:
    if sign == "temp_gap_c":
        _gap(sheet, strip)
    elif sign == "refill":
        _refill(sheet, strip)
    elif sign == "colour":
        _colour(sheet, strip)
    elif sign in LEVELS:
        _levels(sheet, sign, strip)
    else:
        _number(sheet, sign, strip)


def _title(sheet: Sheet, sign: str, strip: Strip) -> str:
    """The strip's name with the last thing said of it, and when, if that was not the last check."""
    checks = sheet.stay.checks
    last = next((r for r in reversed(checks) if shown(sign, r) is not None), None)
    if last is None:
        return strip.title
    when = "" if last is checks[-1] else f" {local(last['observed_at'], sheet.stay.facts.zone)}"
    return f"{strip.title}  <b>{plain(shown(sign, last) or '')}</b>{when}"


def _span(values: Sequence[float], least: float) -> tuple[float, float]:
    """A range that holds the values and is no narrower than ``least``."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    spare = max(least - (high - low), 0) / 2 + 0.08 * max(high - low, least)
    return low - spare, high + spare


def _numbers(checks: Sequence[Row], sign: str) -> list[float]:
    return [row[sign] for row in checks if row[sign] is not None]


def _number(sheet: Sheet, sign: str, strip: Strip) -> None:
    low, high = _span(_numbers(sheet.stay.checks, sign), 20)
    axis = sheet.strip(strip, _title(sheet, sign, strip), (max(low, -4), high))
    mode = "markers" if sign == "drain_ml_per_h" else "lines+markers"
    _line(sheet, axis, sign, sheet.ink.calm, mode=mode)
    _crosses(sheet, axis, sign)


def _line(
    sheet: Sheet,
    axis: str,
    sign: str,
    colour: str,
    dash: str = "solid",
    dot: float = 4,
    mode: str = "lines+markers",
) -> None:
    """A line with its readings, broken wherever the flap was not looked at in time."""
    x, y, _ = sheet.broken(lambda row: row[sign])
    sheet.trace(
        axis, x=x, y=y, mode=mode, name=sign, meta="reading", connectgaps=False,
        line={"color": colour, "width": 1.6, "dash": dash}, marker={"size": dot, "color": colour},
    )  # fmt: skip


def _crosses(sheet: Sheet, axis: str, sign: str) -> None:
    """A cross for every check in which the sign could not be looked at, with the reason at the
    last of a row of equal ones. It stands in a lane of its own below the readings."""
    found = [(i, r) for i, row in enumerate(sheet.stay.checks) if (r := unable(sign, row))]
    if not found:
        return
    lane = sheet.lane_below(axis)
    xs = [sheet.stay.x[i] for i, _ in found]
    last_of_row = [
        n + 1 == len(found) or found[n + 1] != (i + 1, reason)
        for n, (i, reason) in enumerate(found)
    ]
    words = [reason if last else "" for (_, reason), last in zip(found, last_of_row, strict=True)]
    sheet.trace(
        axis, x=xs, y=[lane] * len(xs), mode="markers+text", name=sign, meta="unable",
        text=sheet.fitting(xs, words), textposition=sheet.sides(xs, words),
        textfont={"color": sheet.ink.quiet, "size": sheet.small},
        marker={"symbol": "x-thin", "size": 7, "line": {"color": sheet.ink.quiet, "width": 1.5}},
    )  # fmt: skip


def _gap(sheet: Sheet, strip: Strip) -> None:
    facts, ink, checks = sheet.stay.facts, sheet.ink, sheet.stay.checks
    lines = [*facts.gap_limits, *([] if facts.baseline_gap is None else [facts.baseline_gap])]
    low, high = _span([0.0, *lines, *_numbers(checks, "temp_gap_c")], 2)
    axis = sheet.strip(strip, _title(sheet, "temp_gap_c", strip), (low, high))
    if facts.gap_limits:
        sheet.band(axis, min(facts.gap_limits), high, ink.warm)
    for limit in facts.gap_limits:
        sheet.level(axis, limit, ink.amber, "dash", f"{limit:.1f}", "limit")
    if facts.baseline_gap is not None:
        text = f"base {facts.baseline_gap:.1f}" if sheet.compact else (
            f"baseline {facts.baseline_gap:.1f}")  # fmt: skip
        sheet.level(axis, facts.baseline_gap, ink.quiet, "dot", text, "baseline")
    _line(sheet, axis, "temp_gap_c", ink.calm, dot=4)
    known = [i for i, r in enumerate(checks) if r["temp_gap_c"] is not None]
    loud = [i for i in known if checks[i]["severity"] != "none"]
    if loud:
        _severity_marks(sheet, axis, loud, [checks[i]["temp_gap_c"] for i in loud], 0.8)
    _crosses(sheet, axis, "temp_gap_c")


def _severity_marks(
    sheet: Sheet, axis: str, which: Sequence[int], y: Sequence[float], scale: float = 1
) -> None:
    severities = [sheet.stay.checks[i]["severity"] for i in which]
    crowded = 0.6 if sheet.compact else 1.0
    sheet.trace(
        axis, x=[sheet.stay.x[i] for i in which], y=list(y), mode="markers", meta="severity",
        name="severity", customdata=severities,
        marker={
            "symbol": [SHAPES[s] for s in severities],
            "size": [SIZES[s] * (crowded if s == "none" else scale) for s in severities],
            "color": [sheet.ink.severity[s] for s in severities],
            "line": {"color": [sheet.ink.ground if s != "none" else sheet.ink.calm
                               for s in severities], "width": 1},
        },
    )  # fmt: skip


def _temperatures(sheet: Sheet, strip: Strip) -> None:
    checks, ink = sheet.stay.checks, sheet.ink
    both = _numbers(checks, "flap_temp_c"), _numbers(checks, "control_temp_c")
    axis = sheet.strip(strip, strip.title, _span([*both[0], *both[1]], 3))
    _line(sheet, axis, "control_temp_c", ink.quiet, "dot", 2)
    _line(sheet, axis, "flap_temp_c", ink.calm)
    ends = [(v[-1], name) for v, name in zip(both, ("flap", "control"), strict=True) if v]
    close = len(ends) == 2 and abs(ends[0][0] - ends[1][0]) < sheet.per_pixel(axis) * 14
    upper = max(ends, default=(0.0, ""))
    for end in ends:
        shift = 0 if not close else 7 if end is upper else -7
        sheet.beside(axis, end[0], f"{end[1]} {end[0]:.1f}", ink.text, shift)
    _crosses(sheet, axis, "flap_temp_c")


def _refill(sheet: Sheet, strip: Strip) -> None:
    checks, ink = sheet.stay.checks, sheet.ink
    seconds = [*_numbers(checks, "refill"), *_numbers(checks, "refill_again")]
    words = {r[c] for r in checks for c in ("refill_word", "refill_again_word") if r[c] is not None}
    slowest = max([4.2 if "slow" in words else 3.4, *seconds])
    absent = slowest + 1.2
    top = absent + 0.6 if "absent" in words else slowest + 0.5
    axis = sheet.strip(strip, _title(sheet, "refill", strip), (-0.4, top), ([1, 3], ["1 s", "3 s"]))
    for bound in (1, 3):
        sheet.level(axis, bound, ink.hair, "solid", "", "bound")
    places = {w: PRESS_PLACES.get(w, absent) for w in SIGNS["refill"].words if w in words}
    for word, y in places.items():
        sheet.beside(axis, y, word, ink.quiet)
    for press, symbol, size in (("refill_again", "circle-open", 9), ("refill", "circle", 5)):
        _presses(sheet, axis, press, places, (symbol, size))
    _crosses(sheet, axis, "refill")


def _presses(
    sheet: Sheet, axis: str, press: str, places: Mapping[str, float], mark: tuple[str, int]
) -> None:
    """Timed presses as points; untimed ones as bars at the place of their word."""
    hollow = press == "refill_again"
    timed, words = [], []
    for x, row in zip(sheet.stay.x, sheet.stay.checks, strict=True):
        if row[press] is not None:
            timed.append((x, row[press]))
        elif row[f"{press}_word"] is not None:
            words.append((x, places[row[f"{press}_word"]], row[f"{press}_word"]))
    pen = {"color": sheet.ink.calm, "width": 1.4}
    if timed:
        sheet.trace(
            axis, x=[t[0] for t in timed], y=[t[1] for t in timed], mode="markers", name=press,
            meta="reading", marker={"symbol": mark[0], "size": mark[1], **_pen(pen)},
        )  # fmt: skip
    if words:
        sheet.trace(
            axis, x=[w[0] for w in words], y=[w[1] for w in words], mode="markers", name=press,
            meta="word", customdata=[w[2] for w in words],
            marker={"symbol": "square-open" if hollow else "square", "size": 9 if hollow else 6,
                    **_pen(pen)},
        )  # fmt: skip


def _pen(pen: dict[str, Any]) -> dict[str, Any]:
    return {"color": pen["color"], "line": pen}


def _levels(sheet: Sheet, sign: str, strip: Strip) -> None:
    """Words as heights: each word has its own level, named at the left."""
    words = LEVELS[sign]
    height = {word: len(words) - 1 - place for place, word in enumerate(words)}
    ticks = list(height.values()), [TICK_WORDS.get(w, w) for w in words]
    axis = sheet.strip(strip, _title(sheet, sign, strip), (-0.5, len(words) - 0.5), ticks)
    x, y, rows = sheet.broken(lambda row: height.get(row[sign] or ""))
    usual = [r is None or r[sign] in SIGNS[sign].normal for r in rows]
    sheet.trace(
        axis, x=x, y=y, mode="lines+markers", name=sign, meta="reading", connectgaps=False,
        customdata=[None if r is None else r[sign] for r in rows],
        line={"color": sheet.ink.calm, "width": 1, "shape": "hv"},
        marker={"size": [4 if u else 7 for u in usual],
                "color": [sheet.ink.calm if u else sheet.ink.text for u in usual]},
    )  # fmt: skip
    _crosses(sheet, axis, sign)


def _colour(sheet: Sheet, strip: Strip) -> None:
    """Runs of one colour as bands, each with its word beneath, or its letters where it is short."""
    axis = sheet.strip(strip, _title(sheet, "colour", strip), (-0.2, 2.2), ([], []))
    runs = _runs(sheet)
    if runs:
        sheet.trace(
            axis, type="bar", orientation="h", name="colour", meta="reading",
            base=[r[1] for r in runs], x=[r[2] - r[1] for r in runs], y=[1.6] * len(runs),
            width=0.9, customdata=[r[0] for r in runs],
            marker={"color": [SWATCHES.get(r[0], sheet.ink.soft) for r in runs],
                    "line": {"color": sheet.ink.quiet, "width": 1}},
        )  # fmt: skip
        starts = [r[1] for r in runs]
        words = [
            r[0] if sheet.width_of(r[0]) <= sheet.pixels(r[2] - r[1]) else CODES[r[0]] for r in runs
        ]
        sheet.trace(
            axis, x=sheet.nudged(starts, words), y=[0.5] * len(runs), mode="text", text=words,
            textposition="middle right", meta="word", name="colour",
            textfont={"color": sheet.ink.text, "size": sheet.small},
        )  # fmt: skip
    _crosses(sheet, axis, "colour")


def _runs(sheet: Sheet) -> list[tuple[str, float, float]]:
    """(word, from, to) of each unbroken run of checks that saw the same colour. A colour holds
    until the next check; before a break, for half the interval asked for."""
    stay = sheet.stay
    runs: list[tuple[str, float, float]] = []
    least = sheet.hours_of(3)
    for i, row in enumerate(stay.checks):
        word = row["colour"]
        if word is None:
            continue
        last = i + 1 == len(stay.checks) or stay.breaks[i + 1]
        end = stay.x[i] + stay.every(stay.x[i]) / 2 if last else stay.x[i + 1]
        if last and i + 1 < len(stay.checks):
            end = min(end, stay.x[i + 1])
        if runs and runs[-1][0] == word and not stay.breaks[i] and runs[-1][2] >= stay.x[i]:
            runs[-1] = (word, runs[-1][1], end)
        else:
            runs.append((word, stay.x[i], max(end, stay.x[i] + least)))
    return runs


def _judged(sheet: Sheet) -> None:
    """One mark a check: its severity, and whether it was incomplete, entered late or amended."""
    checks = sheet.stay.checks
    notes = ["L" * bool(r["late"]) + "A" * bool(r["amended"]) for r in checks]
    legend = [w for c, w in (("L", "L late"), ("A", "A amended")) if any(c in n for n in notes)]
    if any(not r["full"] for r in checks):
        legend.append("? incomplete")
    title = "  ".join(["Checks", ", ".join(legend)])
    axis = sheet.strip(Strip("Checks", 34 if any(notes) else 20, 36 if any(notes) else 22), title,
                       (-0.8 if any(notes) else 0.3, 1.7), ([], []))  # fmt: skip
    plainly = [i for i, r in enumerate(checks) if r["full"] or r["severity"] != "none"]
    if plainly:
        _severity_marks(sheet, axis, plainly, [1.0] * len(plainly))
    x = sheet.stay.x
    odd = [i for i in range(len(checks)) if i not in set(plainly)]
    marks = [(x[i], 1.0, "?") for i in odd]
    marks += [(x[i], -0.2, note) for i, note in enumerate(notes) if note]
    if marks:
        sheet.trace(
            axis, x=[m[0] for m in marks], y=[m[1] for m in marks], text=[m[2] for m in marks],
            mode="text", name="remarks", meta="remark",
            textfont={"color": sheet.ink.quiet, "size": sheet.small},
        )  # fmt: skip


def _slots(sheet: Sheet) -> None:
    """Slots as small vessels: full on time, half full late, empty missed; a lozenge attempted."""
    slots = sheet.stay.slots
    if not slots:
        return
    axis = sheet.strip(Strip("Slots", 38, 40), "Slots", (-0.85, 1.1), ([], []))
    wide = min(sheet.hours_of(4), min(s["every_minutes"] for s in slots) / 60 * 0.6)
    ink, x = sheet.ink, sheet.stay.asked
    states = [s["state"] for s in slots]
    solid = [i for i, s in enumerate(states) if s != "attempted"]
    fill = [i for i in solid if states[i] in SLOT_FILL]
    spans = [SLOT_FILL[states[i]] for i in fill]
    vessel = {
        "color": "rgba(0,0,0,0)",
        "line": {"color": [ink.text if states[i] in ("missed", "overdue") else ink.calm
                           for i in solid], "width": 1},
    }  # fmt: skip
    content = {
        "color": [ink.soft_calm if states[i] == "on_time" else ink.calm for i in fill],
        "line": {"width": 0},
    }
    sheet.trace(
        axis, type="bar", name="slot", meta="slot", x=[x[i] for i in solid], y=[1.0] * len(solid),
        width=wide, customdata=[states[i] for i in solid], marker=vessel,
    )  # fmt: skip
    sheet.trace(
        axis, type="bar", name="filled", meta="slot", x=[x[i] for i in fill],
        y=[high - low for low, high in spans], base=[low for low, _ in spans], width=wide,
        customdata=[states[i] for i in fill], marker=content,
    )  # fmt: skip
    tried = [x[i] for i, s in enumerate(states) if s == "attempted"]
    if tried:
        sheet.trace(
            axis, x=tried, y=[0.5] * len(tried), mode="markers", name="attempted", meta="slot",
            customdata=["attempted"] * len(tried),
            marker={"symbol": "diamond-open", "size": 9, "color": ink.text},
        )  # fmt: skip
    _missed(sheet, axis)


def _missed(sheet: Sheet, axis: str) -> None:
    """Where slots were missed nothing is known: a dotted field across all strips, and the word."""
    runs = sheet.stay.missed_runs()
    for start, end, _ in runs:
        sheet.field(start, end, sheet.ink.soft, sheet.ink.unknown, "dot", "missed")
    words = [f"{n} missed" if n > 1 else "missed" for _, _, n in runs]
    if runs:
        xs = [start for start, _, _ in runs]
        sheet.trace(
            axis, x=xs, y=[-0.48] * len(xs), mode="text", name="missed", meta="word",
            text=sheet.fitting(xs, words), textposition=sheet.sides(xs, words),
            textfont={"color": sheet.ink.text, "size": sheet.small},
        )  # fmt: skip


def _events(sheet: Sheet) -> None:
    """Marks across all strips, each with a short word at the top."""
    events, facts = list(sheet.stay.events), sheet.stay.facts
    change = clock_change(sheet.stay.start, sheet.stay.end, facts.zone)
    if change is not None:
        events.append({"at": change[0], "until": None, "kind": "clock", "label": change[1],
                       "severity": None})  # fmt: skip
        events.sort(key=lambda e: e["at"])
    if not events:
        return
    xs = [facts.hours(e["at"]) for e in events]
    words = [plain(e["label"]) for e in events]
    lanes, count = sheet.lanes(xs, words)
    axis = sheet.strip(Strip("", LANE * count, LANE * count), "", (-0.5, count - 0.5), ([], []))
    inks = [_event_ink(sheet, e) for e in events]
    for x, event, ink, lane in zip(xs, events, inks, lanes, strict=True):
        if event["kind"] == EventKind.HOLD:
            end = sheet.stay.far if event["until"] is None else facts.hours(event["until"])
            sheet.field(x, end, sheet.ink.held, sheet.ink.quiet, "solid", "hold", lane)
        else:
            quiet = event["kind"] in ("amended", "late_entry", "clock")
            sheet.mark(x, ink, "dot" if quiet else "solid", event["kind"], lane)
    sheet.trace(
        axis, x=xs, y=[count - 1 - lane for lane in lanes], mode="text", text=words, name="events",
        meta="event", customdata=[e["kind"] for e in events], cliponaxis=False,
        textposition=sheet.sides(xs, words), textfont={"color": inks, "size": sheet.small},
    )  # fmt: skip


def _event_ink(sheet: Sheet, event: Row) -> str:
    if event["kind"] == EventKind.ALERT and event["severity"] is not None:
        return sheet.ink.severity[event["severity"]]
    if event["kind"] in (EventKind.ACKNOWLEDGED, EventKind.CLOSED):
        return sheet.ink.calm
    return sheet.ink.text if event["kind"] == EventKind.RETURN else sheet.ink.quiet


def _hover(sheet: Sheet, signs: Sequence[str]) -> None:
    """One reading for every strip: what a check said, and what happened around it."""
    facts, stay = sheet.stay.facts, sheet.stay
    read = {row["observed_at"]: check_lines(row, signs, facts) for row in stay.checks}
    times = list(read)
    loose: list[tuple[Any, str]] = [
        (s["at"], f"{local(s['at'], facts.zone)}, slot {s['state']}")
        for s in stay.slots
        if s["state"] in ("missed", "overdue")
    ]
    for event in stay.events:
        until = "" if event["until"] is None else f" to {local(event['until'], facts.zone)}"
        loose.append((event["at"], f"{local(event['at'], facts.zone)}{until} {event['label']}"))
    for at, line in loose:
        nearest = min(times, key=lambda t: abs(t - at), default=None)
        near = nearest is not None and abs(nearest - at) <= NEARBY
        read.setdefault(nearest if near and nearest is not None else at, []).append(line)
    moments = sorted(read)
    sheet.overlay(
        [facts.hours(at) for at in moments],
        ["<br>".join(plain(line) for line in read[at]) for at in moments],
    )


def _time_axes(sheet: Sheet) -> None:
    stay, zone = sheet.stay, sheet.stay.facts.zone
    hours = stay.far - stay.near
    room = sheet.room
    step = next((s for s in (1, 2, 3, 6, 12, 24) if hours / s * 66 <= room), 24)
    skip = max(1, round(hours / step * 66 / room + 0.49)) if step == 24 else 1
    ticks = wall_hours(stay.start, stay.end, zone, step)[::skip]
    dtick: Literal[1, 2, 3, 6, 12, 24] | int = next(
        (d for d in (1, 2, 3, 6, 12, 24, 48) if hours / d * 38 <= room), 96
    )
    again = any(e["kind"] == EventKind.RETURN for e in stay.events)
    sheet.time_axes(
        [stay.facts.hours(t) for t in ticks], [local(t, zone) for t in ticks], dtick,
        "hours since first perfusion" if again else "hours since perfusion",
    )  # fmt: skip
