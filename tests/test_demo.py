"""The demo ward: every state on show, stories that read like stays, and still so after the watcher
has looked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from monitoring import (
    checks,
    demo,
    episodes,
    paging,
    pictures,
    rota,
    shifts,
    store,
    verdicts,
    ward,
    worker,
)
from monitoring.board import Tile, TileState, tiles
from monitoring.checks import StoredCheck
from monitoring.domain import (
    AlertState,
    ChannelKind,
    Decision,
    PageState,
    Severity,
    Stream,
)
from monitoring.episodes import StoredAlert
from monitoring.schedule import DueState
from monitoring.store import Record
from tests.bedside import PROTOCOLS, admit, at, everything, staff

NOW = at(60 * 24 * 5)
WELL = {"277310", "198836", "145592", "309471"}
"""Muscle, buried, returned and monitor loop: they do well now."""


class Ward(NamedTuple):
    record: Record
    tiles: list[Tile]
    later: list[Tile]
    alerts: list[StoredAlert]
    checks: dict[str, list[StoredCheck]]

    def of(self, name: str) -> Tile:
        (found,) = [t for t in self.tiles if name in f"{t.name} {t.label}"]
        return found


@pytest.fixture(scope="module")
def shown(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    """The ward as loaded, and as it is once the watcher looked, now and two minutes later."""
    path = tmp_path_factory.mktemp("demo") / "record.db"
    path.write_bytes(sqlite_template.read_bytes())
    record = store.open_record(f"sqlite:///{path}")
    assert demo.load(record, PROTOCOLS, ward="W", now=NOW) == 12
    worker.tick(record, PROTOCOLS, now=NOW)
    found = ward.snapshot(record, PROTOCOLS, NOW)
    made = tiles(found.beds, NOW, ZoneInfo("Europe/London"))
    soon = NOW + timedelta(minutes=2)
    assert worker.tick(record, PROTOCOLS, now=soon).set_aside == ()
    later = tiles(ward.snapshot(record, PROTOCOLS, soon).beds, soon, ZoneInfo("Europe/London"))
    with record.read() as conn:
        alerts = [a for b in found.beds for a in episodes.alerts_of_flap(conn, b.flap.id)]
        looked = {b.flap.id: checks.checks_of_flap(conn, b.flap.id) for b in found.beds}
    yield Ward(record, made, later, alerts, looked)
    record.close()


def test_every_state_is_on_show(shown: Ward) -> None:
    """Within a minute a newcomer sees red, amber, unknown, yellow and a flap without a finding,
    and twelve flaps on eleven patients."""
    assert {t.state for t in shown.tiles} == set(TileState)
    assert len(shown.tiles) == 12
    assert len({t.mrn for t in shown.tiles}) == 11


def test_the_red_ones(shown: Ward) -> None:
    """An arterial occlusion that nobody has yet, and a venous congestion that the registrar is
    coming for; the open one first."""
    first, second = shown.tiles[:2]
    assert (first.state, first.pattern, first.plan_has) == (
        TileState.RED, "arterial pattern", False,
    )  # fmt: skip
    assert (second.state, second.pattern) == (TileState.RED, "venous pattern")
    assert "acknowledged by Dr M. Osei: coming" in second.plan
    assert [t.state for t in shown.tiles].count(TileState.RED) == 2


def test_the_congestion_evolved(shown: Ward) -> None:
    """Venous congestion did not fall from the sky: weak, then amber, then red."""
    here = shown.of("Grace")
    told = [c.severity for c in shown.checks[here.flap_id]]
    assert told.index(Severity.AMBER) < told.index(Severity.RED)
    assert told[-1] is Severity.RED
    assert {told[n] for n in range(8)} == {Severity.NONE}


def test_the_cold_room(shown: Ward) -> None:
    """Amber by temperature alone, with the confounders in the check."""
    here = shown.of("Gloria")
    assert here.state is TileState.AMBER
    assert "emperature gap" in here.why[0][0] or "gap" in here.why[0][0]
    last = shown.checks[here.flap_id][-1].check
    assert last.signs["warming"] == "just_removed"


def test_unknown_and_on_hold(shown: Ward) -> None:
    """A check nobody made, with the time of the last full one; and a flap at imaging."""
    late = shown.of("KOWALCZYK")
    assert (late.state, late.due.state) == (TileState.UNKNOWN, DueState.OVERDUE)
    assert late.why[0][0].startswith("No full check since")
    held = shown.of("MARINO")
    assert (held.word, held.due.state) == ("ON HOLD", DueState.HELD)


def test_namesakes_and_paddles(shown: Ward) -> None:
    """Two people named Adeyemi carry the warning, nobody else; the worse of two paddles speaks."""
    assert {t.name for t in shown.tiles if t.namesake} == {"ADEYEMI, Grace", "ADEYEMI, Gloria"}
    assert shown.of("paddle 1").note == "Neck, ALT paddle 2 is AMBER; 2 flaps of one operation"
    assert shown.of("paddle 2").state is TileState.AMBER


def test_the_digit_the_buried_and_the_returned(shown: Ward) -> None:
    """A pale replant to look at again; a buried flap by its signal; hours since re-perfusion."""
    digit = shown.of("replant")
    assert (digit.state, digit.due.kind, digit.due.state) == (
        TileState.YELLOW, "recheck", DueState.LATER,
    )  # fmt: skip
    assert "pale" in digit.why[0][0].lower()
    assert shown.of("buried").state is TileState.NONE
    assert shown.of("BERGSTROM").hours_text == "18 h since re-perfusion"


def test_the_return_had_a_reason(shown: Ward) -> None:
    """The flap that went back had a haematoma: red, answered, closed with what theatre found."""
    flap = shown.of("BERGSTROM").flap_id
    found = [a for a in shown.alerts if a.flap_id == flap]
    assert (Stream.HAEMATOMA, Severity.RED) in {(a.stream, a.severity) for a in found}
    assert {(a.state, a.close_reason) for a in found} == {(AlertState.CLOSED, "haematoma")}


def test_a_plan_is_not_read_back_and_a_return_is_under_way(shown: Ward) -> None:
    """A dusky paddle was reviewed from the chart and nobody read the plan back; another flap
    waits for theatre, decided at the bedside and read back."""
    plan = shown.of("paddle 2").plan
    assert "Dr M. Osei: loosen dressings, reposition, recheck in 20 min; not read back yet" in plan
    assert shown.of("TANAKA").plan.startswith("waiting for theatre 00:26; ")
    with shown.record.read() as conn:
        (review,) = verdicts.reviews_of_flap(conn, shown.of("TANAKA").flap_id)
    assert (review.decision, review.read_back_by) == (Decision.RETURN_TO_THEATRE, "s-lindberg")


def test_somebody_is_on_call_round_the_clock(shown: Ward) -> None:
    """For the coming week every level that is called has somebody at every hour, whichever way
    the rows change; all that is said against tonight is that the channel is a demonstration."""
    with shown.record.read() as conn:
        found = shifts.directory(conn, NOW, ("W",), horizon=timedelta(days=8))
    for hour in range(24 * 7):
        assert found.gaps("W", rota.CALLED, NOW + timedelta(hours=hour)) == (), hour
    (problem,) = rota.preflight(found, ("W",), NOW, ZoneInfo("Europe/London"))
    assert problem.sentence == "Only the demo channel is set up: nobody is really paged."


def test_the_first_tick_pages_somebody(shown: Ward) -> None:
    """Of the red that nobody has the registrar was told five minutes ago; the watcher's first
    look tells the microsurgeon too, and its message waits to be sent."""
    (red,) = [a for a in shown.alerts if a.severity is Severity.RED and a.state is AlertState.OPEN]
    with shown.record.read() as conn:
        pages = paging.pages_of(conn, [red.id])[red.id]
    assert [(p.staff_id, p.number, p.state) for p in pages] == [
        ("dr-m-osei", 0, PageState.SENT),
        ("dr-m-osei", 1, PageState.WAITING),
        ("mr-t-vance", 1, PageState.WAITING),
    ]
    assert pages[0].answer == demo.TOLD


def test_two_flaps_have_pictures_that_say_what_they_are(shown: Ward) -> None:
    """The red that nobody has and the flap that waits for theatre are seen beside their baseline:
    synthetic pictures, each with its check and marked so."""
    with shown.record.read() as conn:
        found = {
            n: pictures.photos_of_flap(conn, shown.of(n).flap_id) for n in ("OYELARAN", "TANAKA")
        }
    for name, (first, last) in found.items():
        made = [c.check.key for c in shown.checks[shown.of(name).flap_id]]
        assert (first.check_key, last.check_key) == (made[0], made[-1])
        assert {first.note, last.note} == {"Synthetic picture: no patient."}
        assert first.sha256 != last.sha256


def test_a_hospitals_own_channels_stay(sqlite_record: Record) -> None:
    """Where the watcher wrote down what the settings name, the demo adds no channel of its own."""
    with sqlite_record.write() as conn:
        sms = paging.Channel("sms", ChannelKind.PERSONAL, None, True, NOW)
        paging.write_channels(conn, NOW, [sms])
    demo.load(sqlite_record, PROTOCOLS, ward="W", now=NOW)
    with sqlite_record.read() as conn:
        assert paging.channels(conn) == [sms]


def test_who_does_well_answers_every_required_sign(shown: Ward) -> None:
    """Every check of every flap is full, so no story is a half-filled form."""
    partial = {f: [c for c in made if not c.is_full] for f, made in shown.checks.items()}
    assert {f: len(p) for f, p in partial.items() if p} == {}
    for tile in shown.tiles:
        if tile.mrn in WELL:
            last = shown.checks[tile.flap_id][-1]
            assert last.severity is Severity.NONE


def test_the_watcher_finds_only_what_the_story_says(shown: Ward) -> None:
    """One flap is overdue; no other is, now or two minutes later, and no state changes by
    itself."""
    monitoring = [a.flap_id for a in shown.alerts if a.stream is Stream.MONITORING]
    assert monitoring == [shown.of("KOWALCZYK").flap_id]
    before = {t.flap_id: t.state for t in shown.tiles}
    assert {t.flap_id: t.state for t in shown.later} == before
    assert Counter(before.values())[TileState.UNKNOWN] == 2


def test_the_demo_never_mixes_with_patients(sqlite_record: Record) -> None:
    """A record with a patient in it is left as it was."""
    staff(sqlite_record)
    admit(sqlite_record)
    before = everything(sqlite_record)
    with pytest.raises(demo.RecordNotEmpty, match="only for a new one"):
        demo.load(sqlite_record, PROTOCOLS, ward="W", now=NOW)
    assert everything(sqlite_record) == before


@pytest.mark.parametrize("hours", [0, 5.3, 11.7, 17.9])
def test_the_demo_is_as_believable_at_any_hour(sqlite_record: Record, hours: float) -> None:
    """Whenever it is loaded, the same two are red, three are amber and two unknown."""
    now = NOW + timedelta(hours=hours)
    demo.load(sqlite_record, PROTOCOLS, ward="W", now=now)
    worker.tick(sqlite_record, PROTOCOLS, now=now)
    found = tiles(ward.snapshot(sqlite_record, PROTOCOLS, now).beds, now, ZoneInfo("UTC"))
    states = Counter(t.state for t in found)
    assert (states[TileState.RED], states[TileState.AMBER], states[TileState.UNKNOWN]) == (2, 3, 2)
