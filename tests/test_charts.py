"""The picture of a stay, asserted on what it holds, not on how it looks."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import plotly.graph_objects as go
import pytest

from monitoring.board import SeenCheck
from monitoring.charts import INKS, SHAPES, StayFacts, stay, stay_summary
from monitoring.domain import Check, Severity, Source
from monitoring.frames import (
    CHECK_COLUMNS,
    EventKind,
    StayEvent,
    checks_frame,
    events_frame,
    records,
    slots_frame,
)
from monitoring.schedule import Filled, Slot, SlotState

LONDON = ZoneInfo("Europe/London")
START = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
FACTS = StayFacts(START, LONDON, "L breast DIEP", baseline_gap=0.4, gap_limits=(1.8,))
WELL = {
    "colour": "matches", "refill": 2.0, "flap_temp_c": 33.6, "control_temp_c": 34.0,
    "turgor": "soft", "doppler_artery": "strong",
}  # fmt: skip


def seen(hour: float, severity: Severity = Severity.NONE, start: datetime = START,
         full: bool = True, delay: float = 0, source: Source = Source.BEDSIDE,
         by: str = "nurse1", **signs: Any) -> SeenCheck:  # fmt: skip
    """A check made that many hours after perfusion; a sign given as None was not looked at."""
    at = start + timedelta(hours=hour)
    found = {k: v for k, v in (WELL | signs).items() if v is not None}
    check = Check(
        key=UUID(int=round(hour * 1000)), flap_id="f", observed_at=at, by=by, signs=found,
        recorded_at=at + timedelta(minutes=delay), source=source,
    )  # fmt: skip
    because = () if severity is Severity.NONE else ("Gap 2.1 °C.",)
    return SeenCheck(check, full, severity, None, because)


def slot(hour: float, state: SlotState = SlotState.ON_TIME, start: datetime = START,
         every: float = 60) -> Filled:  # fmt: skip
    at = start + timedelta(hours=hour)
    quarter = timedelta(minutes=15)
    return Filled(Slot(at, at - quarter, at + quarter, at + 3 * quarter, every), state)


def draw(checks: list[SeenCheck], slots: list[Filled] | None = None,
         events: list[StayEvent] | None = None, facts: StayFacts = FACTS,
         **options: Any) -> go.Figure:  # fmt: skip
    if slots is None:
        slots = [slot((s.check.observed_at - facts.perfused_at) / timedelta(hours=1),
                      start=facts.perfused_at) for s in checks]  # fmt: skip
    return stay(
        checks_frame(checks, facts.perfused_at), slots_frame(slots), events_frame(events or []),
        facts=facts, **{"theme": "dark", **options},
    )  # fmt: skip


def traces(figure: go.Figure, name: str, meta: str) -> list[Any]:
    return [t for t in figure.data if t.name == name and t.meta == meta]


def headings(figure: go.Figure) -> list[str]:
    return [a.text.split("  ")[0] for a in figure.layout.annotations if a.yref == "paper"]


def pieces(trace: Any) -> list[list[float]]:
    """The stretches of a line that are joined, as the hours they hold."""
    found: list[list[float]] = [[]]
    for x, y in zip(trace.x, trace.y, strict=True):
        if math.isnan(y):
            found.append([])
        else:
            found[-1].append(x)
    return [p for p in found if p]


def values(trace: Any) -> list[float | None]:
    """The readings of a line, None where nothing is drawn."""
    return [None if math.isnan(y) else y for y in trace.y]


LINES = ["temp_gap_c", "flap_temp_c", "control_temp_c", "doppler_artery", "turgor"]


@pytest.mark.parametrize("sign", LINES)
def test_no_line_bridges_a_missed_slot(sign: str) -> None:
    """Hours 1, 2 and 4 were looked at and 3 was missed: no line runs from 2 to 4."""
    checks = [seen(h) for h in (1, 2, 4, 5)]
    slots = [slot(h, SlotState.MISSED if h == 3 else SlotState.ON_TIME) for h in range(1, 6)]
    (line,) = traces(draw(checks, slots), sign, "reading")
    assert line.connectgaps is False
    assert pieces(line) == [[1, 2], [4, 5]]


def test_a_missed_slot_breaks_a_line_even_when_the_checks_were_close() -> None:
    """A check just before a missed slot and one soon after it are still not joined."""
    checks = [seen(1.6), seen(2.6)]
    slots = [slot(1), slot(2, SlotState.MISSED), slot(3)]
    (line,) = traces(draw(checks, slots), "temp_gap_c", "reading")
    assert pieces(line) == [[1.6], [2.6]]


@pytest.mark.parametrize(("later", "joined"), [(2.75, True), (2.76, False)])
def test_a_line_breaks_when_it_took_longer_than_it_may(later: float, joined: bool) -> None:
    """1.75 times the interval asked for is the longest that a line may reach."""
    slots = [slot(1), slot(2, SlotState.OPEN), slot(3, SlotState.OPEN)]
    (line,) = traces(draw([seen(1), seen(later)], slots), "temp_gap_c", "reading")
    assert (len(pieces(line)) == 1) is joined


def test_a_line_does_not_cross_a_hold() -> None:
    """Nobody looked while the flap was away, so nothing is drawn there, however short it was."""
    hold = StayEvent(START + timedelta(hours=1.2), EventKind.HOLD, "hold: imaging",
                     until=START + timedelta(hours=1.8))  # fmt: skip
    figure = draw([seen(1), seen(2)], events=[hold])
    (line,) = traces(figure, "temp_gap_c", "reading")
    assert pieces(line) == [[1], [2]]
    (field,) = [s for s in figure.layout.shapes if s.name == "hold"]
    assert (field.x0, field.x1) == (1.2, 1.8)


def test_a_colour_band_does_not_cover_a_missed_slot() -> None:
    """The colour seen at hour 1 is not claimed until hour 4 when hours 2 and 3 were missed."""
    slots = [slot(h, SlotState.MISSED if h in (2, 3) else SlotState.ON_TIME) for h in (1, 2, 3, 4)]
    (band,) = traces(draw([seen(1), seen(4)], slots), "colour", "reading")
    assert band.base[0] + band.x[0] <= 1.5
    assert list(band.base) == [1, 4]


def test_unable_is_a_cross_with_its_reason_and_never_a_value() -> None:
    """A vein nobody could hear is neither present nor absent: a cross below the three words."""
    signs = {1.0: "present", 2.0: {"unable": "equipment"}, 3.0: "absent"}
    figure = draw([seen(h, doppler_vein=v) for h, v in signs.items()])
    (line,) = traces(figure, "doppler_vein", "reading")
    assert values(line) == [2, None, 0]
    (cross,) = traces(figure, "doppler_vein", "unable")
    assert list(cross.x) == [2.0]
    assert list(cross.text) == ["equipment"]
    assert cross.marker.symbol == "x-thin"
    assert max(cross.y) < 0


def test_a_temperature_that_could_not_be_taken_is_no_gap_and_no_zero() -> None:
    """Without a flap temperature there is no gap; the gap strip shows the cross, not 0 °C."""
    away = seen(2, flap_temp_c={"unable": "dressing"})
    figure = draw([seen(1), away, seen(3)])
    (line,) = traces(figure, "temp_gap_c", "reading")
    assert values(line) == [0.4, None, 0.4]
    (cross,) = traces(figure, "temp_gap_c", "unable")
    assert list(cross.text) == ["dressing"]
    assert max(cross.y) < figure.layout[f"yaxis{cross.yaxis[1:]}"].range[1]
    assert all(y < 0 for y in cross.y)


def test_a_sign_nobody_looked_at_draws_nothing() -> None:
    """An absent reading is a gap in the line without a cross."""
    figure = draw([seen(1), seen(2, doppler_artery=None), seen(3)])
    (line,) = traces(figure, "doppler_artery", "reading")
    assert values(line) == [2, None, 2]
    assert traces(figure, "doppler_artery", "unable") == []


def test_zero_is_a_reading() -> None:
    """A drain that gave nothing and a refill of 0 s are drawn at zero."""
    figure = draw([seen(1, drain_ml_per_h=0, refill=0), seen(2, drain_ml_per_h=5)])
    assert list(traces(figure, "drain_ml_per_h", "reading")[0].y) == [0, 5]
    assert list(traces(figure, "refill", "reading")[0].y) == [0, 2]


def test_a_reason_somebody_typed_is_text_and_not_markup() -> None:
    """What a person types cannot become a link or a picture in the chart."""
    typed = '<a href="x">bag & tape</a>'
    figure = draw([seen(1, by="<b>N</b>"), seen(2, turgor={"unable": "other", "text": typed})])
    (cross,) = traces(figure, "turgor", "unable")
    (overlay,) = traces(figure, "moment", "overlay")
    assert "<a" not in "".join([*cross.text, *overlay.text])
    assert "&lt;b&gt;N" in overlay.text[0]
    assert "&lt;a href" in overlay.text[1]


def test_the_threshold_and_the_baseline_are_in_the_picture() -> None:
    """The limit of the gap is a line with its number, the field above it shaded."""
    figure = draw([seen(1), seen(2)])
    lines = {s.name: s for s in figure.layout.shapes}
    assert (lines["limit"].y0, lines["limit"].y1) == (1.8, 1.8)
    assert lines["baseline"].y0 == 0.4
    assert lines["band"].y0 == 1.8
    texts = [a.text for a in figure.layout.annotations]
    assert {"1.8", "baseline 0.4"} <= set(texts)
    low, high = figure.layout[f"yaxis{lines['limit'].yref[1:]}"].range
    assert low < 0.4 < 1.8 < high


def test_without_a_baseline_none_is_drawn() -> None:
    """A flap without a baseline shows no baseline at zero."""
    facts = StayFacts(START, LONDON, "ALT")
    names = {s.name for s in draw([seen(1)], facts=facts).layout.shapes}
    assert not {"baseline", "limit", "band"} & names


def test_strips_nobody_used_are_left_out() -> None:
    """No oximeter, no drain and no implant: no empty strips for them."""
    figure = draw([seen(1), seen(2)])
    assert headings(figure) == [
        "Checks", "Temperature gap", "Temperature, flap and control", "Refill", "Colour",
        "Doppler artery", "Turgor", "Slots",
    ]  # fmt: skip
    more = headings(draw([seen(1, sto2_percent=70, implant_signal="present")]))
    assert more[-4:] == ["Implant signal", "Turgor", "StO2", "Slots"]


def test_a_sign_that_was_only_ever_unable_keeps_its_strip() -> None:
    """That nobody could hear the vein all night is worth a strip."""
    figure = draw([seen(h, doppler_vein={"unable": "equipment"}) for h in (1, 2)])
    assert "Doppler vein" in headings(figure)
    assert list(traces(figure, "doppler_vein", "unable")[0].text) == ["", "equipment"]


def test_strips_stand_under_each_other_without_overlap() -> None:
    """Every strip has its own height of the sheet, in order from the top."""
    figure = draw([seen(1, doppler_vein={"unable": "equipment"}, sto2_percent=70), seen(2)])
    axes = [figure.layout[f"yaxis{n}"].domain for n in ["", *range(2, 10)]]
    for upper, lower in pairwise(axes):
        assert 0 <= lower[0] < lower[1] < upper[0] < upper[1] <= 1


def test_the_clock_change_night_is_not_folded() -> None:
    """01:30 comes twice in October: two checks an hour apart stay an hour apart, and are named."""
    start = datetime(2026, 10, 24, 18, 0, tzinfo=UTC)
    facts = StayFacts(start, LONDON, "ALT")
    checks = [seen(h / 2, start=start) for h in range(2, 24)]
    figure = draw(checks, facts=facts)
    (line,) = traces(figure, "temp_gap_c", "reading")
    assert all(b - a == pytest.approx(0.5) for a, b in pairwise(line.x))
    (overlay,) = traces(figure, "moment", "overlay")
    assert all(a < b for a, b in pairwise(overlay.x))
    said = {x: t.split("<br>")[0] for x, t in zip(overlay.x, overlay.text, strict=True)}
    assert (said[6.5], said[7.5]) == ("Sun 01:30 BST, nurse1", "Sun 01:30 GMT, nurse1")
    assert traces(figure, "events", "event")[0].text == ("clocks back",)
    assert list(traces(figure, "events", "event")[0].x) == [7.0]


def test_wall_time_stands_at_its_true_hour() -> None:
    """After the clocks went back, midday is an hour further from perfusion than the wall says."""
    start = datetime(2026, 10, 24, 18, 0, tzinfo=UTC)
    figure = draw([seen(h, start=start) for h in (1, 20)], facts=StayFacts(start, LONDON, "ALT"))
    ticks = dict(zip(figure.layout.xaxis2.ticktext, figure.layout.xaxis2.tickvals, strict=True))
    assert ticks["Sun 00:00"] == 5
    assert ticks["Sun 06:00"] == 12


def test_severity_has_a_shape_and_a_colour() -> None:
    """Octagon, triangle, diamond and circle, in the ward's colours, in both themes."""
    checks = [seen(h, s) for h, s in enumerate(Severity, start=1)]
    for theme in ("dark", "light"):
        marks = traces(draw(checks, theme=theme), "severity", "severity")[0].marker
        assert list(marks.symbol) == [SHAPES[s] for s in Severity]
        assert list(marks.color) == [INKS[theme].severity[s] for s in Severity]
    assert len(set(SHAPES.values())) == len(Severity)


def test_an_incomplete_check_does_not_look_calm() -> None:
    """A check that was not full and found nothing is a question mark, not a circle."""
    figure = draw([seen(1), seen(2, full=False)])
    assert list(traces(figure, "severity", "severity")[0].x) == [1]
    (remarks,) = traces(figure, "remarks", "remark")
    assert (list(remarks.x), list(remarks.text)) == ([2], ["?"])


def test_late_and_amended_checks_are_marked() -> None:
    """Entered 16 min after it was observed is late, 15 min is not; a late entry always is."""
    checks = [seen(1, delay=15), seen(2, delay=16), seen(3, source=Source.LATE_ENTRY), seen(4)]
    frame = checks_frame(checks, START, amended={checks[1].check.key, checks[3].check.key})
    figure = stay(frame, slots_frame([]), events_frame([]), facts=FACTS, theme="light")
    (remarks,) = traces(figure, "remarks", "remark")
    assert dict(zip(remarks.x, remarks.text, strict=True)) == {2: "LA", 3: "L", 4: "A"}


def test_an_untimed_press_stands_at_the_place_of_its_word() -> None:
    """Brisk lies under a second, slow over three, absent above every reading; none is a number."""
    words = ["brisk", "normal", "slow", "absent"]
    figure = draw([seen(h, refill=w) for h, w in enumerate(words, start=1)] + [seen(5, refill=9)])
    (untimed,) = traces(figure, "refill", "word")
    brisk, normal, slow, absent = untimed.y
    assert list(untimed.customdata) == words
    assert brisk < 1 <= normal <= 3 < slow < 9 < absent
    assert list(traces(figure, "refill", "reading")[0].y) == [9]
    assert set(words) <= {a.text for a in figure.layout.annotations}


def test_the_second_press_is_hollow() -> None:
    """Two presses at one check are told apart by their mark."""
    figure = draw([seen(1, refill=0.8, refill_again=0.9)])
    assert traces(figure, "refill", "reading")[0].marker.symbol == "circle"
    assert traces(figure, "refill_again", "reading")[0].marker.symbol == "circle-open"


def test_tissue_colour_is_written_and_not_only_painted() -> None:
    """Every band carries its word, or its letters where it is too short for the word."""
    colours = ["matches"] * 30 + ["dusky"] + ["purple"] * 2
    figure = draw([seen(h, colour=c) for h, c in enumerate(colours, start=1)])
    (words,) = traces(figure, "colour", "word")
    assert list(words.text) == ["matches", "D", "Pu"]
    assert all(a < b for a, b in pairwise(words.x))


def test_what_became_of_a_slot_is_told_by_how_full_it_is() -> None:
    """On time full, late half, missed empty; attempted has a shape of its own."""
    states = [SlotState.ON_TIME, SlotState.LATE, SlotState.MISSED, SlotState.ATTEMPTED,
              SlotState.ENTERED_LATE, SlotState.OPEN]  # fmt: skip
    figure = draw([seen(1)], [slot(h, s) for h, s in enumerate(states, start=1)])
    (filled,) = traces(figure, "filled", "slot")
    assert dict(zip(filled.x, filled.y, strict=True)) == {1: 1.0, 2: 0.5, 5: 0.5}
    assert list(traces(figure, "slot", "slot")[0].x) == [1, 2, 3, 5, 6]
    assert list(traces(figure, "attempted", "slot")[0].x) == [4]
    assert list(traces(figure, "missed", "word")[0].text) == ["missed"]


def test_hovering_anywhere_reads_every_strip() -> None:
    """One reading holds all signs, what could not be looked at, and what nobody looked at."""
    check = seen(1, turgor=None, sto2_percent=71, doppler_vein={"unable": "asleep"})
    event = StayEvent(START + timedelta(hours=1.1), EventKind.ACKNOWLEDGED, "acknowledged")
    figure = draw([check, seen(2)], events=[event])
    said = traces(figure, "moment", "overlay")[0].text[0].split("<br>")
    assert {"Gap 0.4 °C", "Refill 2.0 s", "Vein unable: asleep", "StO2 71 %",
            "Not looked at: turgor", "Mon 15:06 acknowledged"} <= set(said)  # fmt: skip
    assert figure.layout.hovermode == "x unified"
    assert figure.layout.hoversubplots == "axis"


def test_event_words_do_not_run_into_each_other() -> None:
    """Alert, acknowledgement and return within minutes stand in lanes of their own."""
    kinds = [EventKind.ALERT, EventKind.ACKNOWLEDGED, EventKind.RETURN]
    events = [StayEvent(START + timedelta(hours=20, minutes=m), k, str(k), Severity.RED)
              for m, k in enumerate(kinds)]  # fmt: skip
    figure = draw([seen(h) for h in range(1, 40)], events=events)
    assert len(set(traces(figure, "events", "event")[0].y)) == 3
    assert {s.name for s in figure.layout.shapes} >= set(kinds)


def test_a_flap_without_a_check_has_a_picture() -> None:
    """Before the arrival check there are axes and no strip of a sign."""
    assert headings(draw([], [])) == ["Checks"]
    assert "no check has been made yet" in stay_summary(
        checks_frame([], START), slots_frame([]), events_frame([]), FACTS
    )


def test_a_telephone_gets_fewer_ticks() -> None:
    """Fewer wall times fit along a narrow screen."""
    checks = [seen(h) for h in range(1, 60)]
    wide, narrow = draw(checks), draw(checks, compact=True)
    assert len(narrow.layout.xaxis2.tickvals) < len(wide.layout.xaxis2.tickvals)
    assert narrow.layout.height > wide.layout.height


def test_missing_unable_and_zero_stay_three_things_in_the_table() -> None:
    """A check's silence, its 'unable' and its zero are told apart in every row."""
    frame = checks_frame(
        [seen(1, drain_ml_per_h=0), seen(2, drain_ml_per_h={"unable": "off_ward"}), seen(3)], START
    )
    zero, unable, silent = records(frame)
    assert (zero["drain_ml_per_h"], zero["unable"]) == (0.0, None)
    assert (unable["drain_ml_per_h"], unable["unable"]) == (None, {"drain_ml_per_h": "off ward"})
    assert (silent["drain_ml_per_h"], silent["unable"]) == (None, None)
    assert tuple(frame.columns) == CHECK_COLUMNS


def test_a_timed_press_and_a_word_have_columns_of_their_own() -> None:
    """'Brisk' is never a number of seconds, in the table either."""
    row = records(checks_frame([seen(1, refill="brisk", refill_again=1.2)], START))[0]
    assert (row["refill"], row["refill_word"]) == (None, "brisk")
    assert (row["refill_again"], row["refill_again_word"]) == (1.2, None)


def test_the_summary_says_what_the_picture_shows() -> None:
    """Somebody who cannot see the picture hears of findings, gap, missed slots and alerts."""
    checks = [seen(1), seen(2), seen(4, Severity.AMBER, flap_temp_c=31.9)]
    slots = [slot(h, SlotState.MISSED if h == 3 else SlotState.ON_TIME) for h in (1, 2, 3, 4)]
    event = StayEvent(START + timedelta(hours=4), EventKind.ALERT, "AMBER", Severity.AMBER)
    said = stay_summary(
        checks_frame(checks, START), slots_frame(slots), events_frame([event]), FACTS
    )
    assert said == (
        "L breast DIEP: 3 checks from Mon 15:00 to Mon 18:00, 1 to 4 hours since perfusion. "
        "Checks with a finding: 1 amber; the first Mon 18:00: Gap 2.1 °C. "
        "The temperature gap reached 2.1 °C from a baseline of 0.4 °C (limit 1.8 °C) Mon 18:00. "
        "Last check Mon 18:00, AMBER: gap 2.1 °C, flap 31.9 °C, control 34.0 °C, refill 2.0 s, "
        "colour matches, artery strong, turgor soft. Of 4 slots: 3 on time, 1 missed. "
        "Marked: Mon 18:00 AMBER."
    )
