"""Nothing that is open or unknown is left out: ended flaps, broken rows, flaps nobody watches."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest

from monitoring import alert_views, care, rounds, ward, watch_log, worker
from monitoring.board import tiles
from monitoring.components.stay_shapes import AlertCard
from monitoring.domain import AlertState, CloseReason, Intent, Outcome, OutcomeKind, Stream
from monitoring.store import Record
from monitoring.views import engine, loud_lines
from tests.bedside import CONGESTED, PROTOCOLS, Bed, admit, at, staff

LONDON = ZoneInfo("Europe/London")


@pytest.fixture
def bed(record: Record) -> Bed:
    """A flap with somebody else's flap beside it."""
    staff(record)
    return admit(record)


@pytest.fixture
def beside(bed: Bed) -> Bed:
    """Another patient's congested flap, whose rows are sound."""
    other = admit(bed.record, mrn="2", name="FOGG, Ann", bed="7")
    other.save(1, CONGESTED)
    return other


def look(record: Record, minutes: float) -> ward.Snapshot:
    return ward.snapshot(record, PROTOCOLS, at(minutes))


def cards(record: Record, minutes: float) -> dict[str, AlertCard]:
    """The alerts page at that minute: one card a flap."""
    found = look(record, minutes)
    judged = ward.judgements(record, found)
    data = alert_views.alerts_data(found, judged, now=at(minutes), zone=LONDON)
    assert len(data["cards"]) == len({c["flap_id"] for c in data["cards"]})
    return {c["flap_id"]: c for c in data["cards"]}


def sql(bed: Bed, statement: str) -> None:
    """What a bad disk or a hand at the database would leave."""
    with bed.record.write() as conn:
        conn.exec_driver_sql(statement)


def close(bed: Bed, minutes: float) -> None:
    care.close_alert(
        bed.record, alert_id=bed.alert().id, by="diaz", reason=CloseReason.NO_CAUSE,
        now=at(minutes),
    )  # fmt: skip


def lost(bed: Bed) -> None:
    """A red flap that is then lost."""
    bed.save(1, CONGESTED)
    care.record_outcome(
        bed.record, PROTOCOLS, flap_id=bed.id, by="diaz", now=at(3),
        outcome=Outcome(kind=OutcomeKind.TOTAL_LOSS, closed_at=at(3)),
    )  # fmt: skip


def amended_after_discharge(bed: Bed) -> None:
    """A discharged flap whose last check is then amended to a red one."""
    seen = bed.save(1)
    care.discharge_flap(bed.record, PROTOCOLS, flap_id=bed.id, by="ana", now=at(2))
    bed.amend(seen.check.key, bed.look(1, CONGESTED), 3)


@pytest.mark.parametrize("ending", [lost, amended_after_discharge])
def test_an_open_red_outlives_the_monitoring_of_its_flap(
    bed: Bed, ending: Callable[[Bed], None]
) -> None:
    """After total loss, or an amendment after discharge, the red still has a card with two
    identifiers, its reason and its answers, and a line on the board, until a person closes it."""
    ending(bed)
    card = cards(bed.record, 5)[bed.id]
    assert (card["severity"], card["state"]) == ("red", "open")
    assert (card["name"], card["mrn"], card["bed"]) == ("MBEKI, Thandi", "100200", "Bed 4")
    assert card["why"] == bed.alert().because
    assert [a["kind"] for a in card["answers"]][-1] == "close"
    assert "ended" in card["marks"][0]
    (line,) = loud_lines(look(bed.record, 5))
    assert line.startswith("RED alert not closed, bed 4, MBEKI, Thandi, MRN 100200")
    assert look(bed.record, 5).beds == ()
    bed.acknowledge(bed.alert(), 6)
    assert "Dr Diaz: coming" in cards(bed.record, 6)[bed.id]["plan"]
    close(bed, 7)
    assert cards(bed.record, 8) == {}
    assert loud_lines(look(bed.record, 8)) == []


BROKEN = {
    "unknown reason": "UPDATE flap_check SET "
    'unable = \'{{"turgor": {{"unable": "nonsense"}}}}\' WHERE flap_id = \'{id}\'',
    "no evidence": "UPDATE alert SET findings = '[{{}}]' WHERE flap_id = '{id}'",
    "no name": "UPDATE patient SET name = '' WHERE mrn = '100200'",
}


@pytest.mark.parametrize("rows", ["unknown reason", "no evidence", "no name"])
def test_a_flap_that_cannot_be_read_keeps_its_alert_and_stops_nobody(
    bed: Bed, beside: Bed, rows: str
) -> None:
    """Its red has a bare card that can be answered, the board says that it is unknown, and the
    flap beside it has its whole card, its tile and its watcher."""
    bed.save(1, CONGESTED)
    alert_id = bed.alert().id
    sql(bed, BROKEN[rows].format(id=bed.id))
    found = look(bed.record, 5)
    assert found.unreadable == (bed.id,)
    assert [b.flap.id for b in found.beds] == [beside.id]
    assert len(tiles(found.beds, at(5), LONDON)) == 1
    shown = cards(bed.record, 5)
    assert set(shown) == {bed.id, beside.id}
    assert shown[beside.id]["checks"] and not shown[bed.id]["checks"]
    assert shown[bed.id]["severity"] == "red" and shown[bed.id]["why"]
    assert "cannot be read" in shown[bed.id]["marks"][0]
    said = loud_lines(found)
    assert said[0].startswith("UNKNOWN") and said[1].startswith("RED alert not closed")
    # The clock needs no word of what could not be looked at: such a flap stays watched.
    aside = () if rows == "unknown reason" else (bed.id,)
    assert worker.tick(bed.record, PROTOCOLS, now=at(57)).set_aside == aside
    assert beside.alert(Stream.MONITORING)
    with pytest.raises(ward.UnreadableFlap):
        ward.stay(bed.record, PROTOCOLS, bed.id)
    answer = care.acknowledge_alert(
        bed.record, alert_id=alert_id, by="diaz", intent=Intent.COMING, expected_at=at(65),
        now=at(58),
    )  # fmt: skip
    assert answer.state is AlertState.ACKNOWLEDGED
    closed = care.close_alert(
        bed.record, alert_id=alert_id, by="diaz", reason=CloseReason.NO_CAUSE, now=at(59)
    )
    assert closed.state is AlertState.CLOSED


def test_a_baseline_that_makes_no_sense_sets_aside_its_own_flap_only(bed: Bed, beside: Bed) -> None:
    """The baseline is read with its flap: the flap is unknown, the others are not."""
    first = bed.save(1)
    baseline = bed.flap().baseline
    assert baseline is not None and baseline.key == first.check.key
    sql(bed, BROKEN["unknown reason"].format(id=bed.id))
    assert look(bed.record, 5).unreadable == (bed.id,)
    assert [b.flap.id for b in look(bed.record, 5).beds] == [beside.id]


def test_text_that_is_no_json_sets_aside_its_own_flap_only(sqlite_record: Record) -> None:
    """SQLite stores any text: a torn one, in facts or in a baseline, hides no other flap."""
    staff(sqlite_record)
    facts_torn, baseline_torn, sound = (
        admit(sqlite_record, mrn=str(n), name=f"FOGG, {n}") for n in range(3)
    )
    for flap in (facts_torn, baseline_torn, sound):
        flap.save(1)
    sql(facts_torn, f"UPDATE flap SET monitors = '[' WHERE id = '{facts_torn.id}'")
    sql(facts_torn, f"UPDATE flap_check SET unable = '[' WHERE flap_id = '{baseline_torn.id}'")
    found = look(sqlite_record, 5)
    assert set(found.unreadable) == {facts_torn.id, baseline_torn.id}
    assert [b.flap.id for b in found.beds] == [sound.id]
    assert set(found.whose) == set(found.unreadable)
    done = worker.tick(sqlite_record, PROTOCOLS, now=at(57))
    assert set(done.set_aside) == set(found.unreadable)
    assert done.raised == 2


def test_a_flap_that_nobody_watches_is_said_beside_the_engine(bed: Bed, beside: Bed) -> None:
    """A fresh heartbeat that set a flap aside is not well: the light names the flap."""
    bed.save(1)
    worker.tick(bed.record, PROTOCOLS, now=at(2))
    assert engine(look(bed.record, 2), 60)["state"] == "ok"
    sql(bed, BROKEN["unknown reason"].format(id=bed.id))
    worker.tick(bed.record, PROTOCOLS, now=at(3))
    light = engine(look(bed.record, 3), 60)
    assert light["state"] == "aside"
    assert light["text"].startswith("1 flap is not being watched (bed 4, MBEKI, Thandi")
    assert engine(look(bed.record, 30), 60)["state"] == "stale"


def test_an_acknowledgement_runs_out_on_an_ended_flap_too(bed: Bed) -> None:
    """Whoever had the red of a lost flap and did not come has it no longer."""
    bed.save(1, CONGESTED)
    bed.acknowledge(bed.alert(), 2)
    care.record_outcome(
        bed.record, PROTOCOLS, flap_id=bed.id, by="diaz", now=at(3),
        outcome=Outcome(kind=OutcomeKind.TOTAL_LOSS, closed_at=at(3)),
    )  # fmt: skip
    worker.tick(bed.record, PROTOCOLS, now=at(40))
    assert bed.alert().state is AlertState.OPEN


def test_a_flap_looked_at_every_20_minutes_is_asked_once(bed: Bed) -> None:
    """With 72 checks in 24 h the watcher sees all it would judge: nothing is left to write, and
    no tick opens a flap in vain."""
    for minutes in range(0, 24 * 60, 20):
        bed.save(minutes)
    worker.tick(bed.record, PROTOCOLS, now=at(1430))
    assert rounds.awaiting(bed.record, PROTOCOLS, at(1431)).flap_ids == ()
    with bed.record.read() as conn:
        assert watch_log.watch_findings_of(conn, bed.id) == []
