"""Recording a check: once, whole, honest about time, and never believed without asking."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.exc import DatabaseError

from monitoring import care, episodes, store, views, ward
from monitoring.domain import AlertState, Refused, Severity, Source, Stream
from monitoring.queries import UnknownFlap
from monitoring.store import Record
from tests.bedside import (
    CONGESTED,
    DUSKY,
    PALE,
    PROTOCOLS,
    SILENT,
    Bed,
    a_look,
    admit,
    at,
    everything,
)


def test_a_nurse_reads_back_what_was_committed(bed: Bed) -> None:
    """After Save the nurse sees the values as the record has them, what was found, and when the
    next check is due."""
    saved = bed.save(1)
    (stored,) = bed.checks()
    assert stored.check == saved.check
    assert (saved.repeated, saved.late, saved.current) == (False, False, True)
    assert saved.assessment.full
    assert not saved.assessment.findings
    assert saved.alerts == ()
    assert saved.due.at == at(30)


def test_the_first_full_check_without_a_finding_is_the_baseline(bed: Bed) -> None:
    """A partial check is no baseline; the first full and quiet one is, and stays it."""
    bed.save(1, {"turgor": None})
    assert bed.flap().baseline is None
    second = bed.save(10)
    bed.save(30)
    baseline = bed.flap().baseline
    assert baseline is not None and baseline.key == second.check.key


def test_saving_twice_is_saving_once(bed: Bed) -> None:
    """A double tap on Save, or a retry after the network dropped the answer, changes nothing and
    gives the first result, alerts and all."""
    check = bed.look(1, CONGESTED)
    first = bed.enter(check, 1)
    before = everything(bed.record)
    again = bed.enter(replace(check, observed_at=check.observed_at + timedelta(minutes=1)), 2)
    assert everything(bed.record) == before
    assert again.repeated and not first.repeated
    assert again.check == first.check
    assert again.assessment == first.assessment
    assert again.alerts == first.alerts != ()


@pytest.mark.parametrize("other", [{"colour": "pale"}, {"turgor": None}, {"refill": 2.1}])
def test_a_form_cannot_be_saved_again_with_other_values(bed: Bed, other: dict[str, object]) -> None:
    """The same form with another value is refused, and what was saved stands."""
    check = bed.look(1)
    bed.enter(check, 1)
    before = everything(bed.record)
    with pytest.raises(care.OtherBody, match="saved already"):
        bed.enter(replace(bed.look(1, other), key=check.key), 1)
    assert everything(bed.record) == before


def test_a_form_cannot_be_saved_again_an_hour_later_as_if_new(bed: Bed) -> None:
    """A stale form that claims another hour is another check, not a retry."""
    check = bed.look(1)
    bed.enter(check, 1)
    with pytest.raises(care.OtherBody):
        bed.enter(replace(check, observed_at=at(61)), 61)


def test_a_key_of_another_flap_is_refused(bed: Bed) -> None:
    """One form is one check of one flap."""
    check = bed.look(1)
    bed.enter(check, 1)
    other = admit(bed.record, label="R breast DIEP")
    with pytest.raises(care.OtherBody):
        other.enter(replace(check, flap_id=other.id), 1)


def test_a_retry_with_the_time_moved_is_told_so(bed: Bed) -> None:
    """Tried again 20 min later as of "now": the values are the same, and only the time differs."""
    check = bed.look(1)
    bed.enter(check, 1)
    later = replace(check, observed_at=at(21))
    with pytest.raises(care.OtherBody, match="as observed 20 min earlier") as told:
        bed.enter(later, 21)
    assert "other values" not in str(told.value)


def test_a_retry_of_a_check_that_was_struck_says_that_it_is_struck(bed: Bed) -> None:
    """The answer to the second press shows the check, and that it counts no more; the same for
    one that was amended meanwhile."""
    struck, amended = bed.look(1), bed.look(31)
    for check in (struck, amended):
        bed.enter(check, 31)
    bed.retract(struck.key, 32)
    bed.amend(amended.key, bed.look(31, PALE), 33)
    first, second = bed.enter(struck, 34), bed.enter(amended, 34)
    assert (first.repeated, first.struck, first.amended) == (True, True, False)
    assert (second.repeated, second.struck, second.amended) == (True, False, True)
    (here,) = ward.snapshot(bed.record, PROTOCOLS, at(34)).beds
    for saved, word in ((first, "struck through"), (second, "amended")):
        said = views.verdict_data(
            saved, here, (), call={}, names={}, now=at(34), zone=ZoneInfo("Europe/London")
        )
        assert said["title"] == "This check counts no more"
        assert any(word in mark for mark in said["marks"])


def test_two_nurses_saving_at_once_wait_for_each_other(bed: Bed) -> None:
    """While one save is being written, the other waits; then both stand, one alert for both."""
    done = threading.Event()
    started = threading.Event()

    def second() -> None:
        started.set()
        bed.save(2, CONGESTED, by="ben")
        done.set()

    other = threading.Thread(target=second)
    with bed.record.write() as conn:
        store.lock_flap(conn, bed.id)
        other.start()
        assert started.wait(5)
        assert not done.wait(0.3)
    assert done.wait(10)
    other.join()
    bed.save(3, CONGESTED)
    assert len(bed.checks()) == 2
    assert len([a for a in bed.alerts() if a.stream is Stream.PERFUSION]) == 1


FAILING = {
    "sqlite": "CREATE TRIGGER no_{table} BEFORE INSERT ON {table} BEGIN "
    "SELECT RAISE(ABORT, 'the {table} fails'); END",
    "postgresql": "CREATE OR REPLACE FUNCTION no_{table}() RETURNS trigger AS $$ BEGIN "
    "RAISE EXCEPTION 'the {table} fails'; END $$ LANGUAGE plpgsql; "
    "CREATE TRIGGER no_{table} BEFORE INSERT ON {table} "
    "FOR EACH ROW EXECUTE FUNCTION no_{table}()",
}


@pytest.mark.parametrize("table", ["assessment", "alert", "alert_event", "recheck"])
def test_a_check_without_its_alert_is_never_kept(bed: Bed, table: str) -> None:
    """Check, judgement, alert, its story and the recheck stand together or not at all: when the
    database refuses any one of them, none is there, and the same form saves afterwards."""
    check = bed.look(1, SILENT)
    bed.save(0.5)
    before = everything(bed.record)
    dialect = bed.record.writer.dialect.name
    with bed.record.write() as conn:
        conn.exec_driver_sql(FAILING[dialect].format(table=table))
    with pytest.raises(DatabaseError, match="fails"):
        bed.enter(check, 1)
    assert everything(bed.record) == before
    with bed.record.write() as conn:
        on = f" ON {table}" if dialect == "postgresql" else ""
        conn.exec_driver_sql(f"DROP TRIGGER no_{table}{on}")
    assert not bed.enter(check, 1).repeated
    assert bed.alert().state is AlertState.OPEN


def test_time_may_run_two_minutes_ahead_and_no_more(bed: Bed) -> None:
    """A tablet's clock may be two minutes fast; more is refused, with both sides exact."""
    bed.enter(bed.look(12), 10)
    check = replace(bed.look(0), observed_at=at(12) + timedelta(microseconds=1))
    with pytest.raises(Refused, match="in the future: look at the clock"):
        bed.enter(check, 10)
    assert len(bed.checks()) == 1


def test_a_check_from_before_monitoring_is_refused(bed: Bed) -> None:
    """A check half an hour before monitoring began may count; an earlier one is a wrong date, and
    so is one from before there was perfusion."""
    with pytest.raises(Refused, match="before the flap was perfused"):
        bed.save(-1, entered=1)
    waited = admit(bed.record, label="R breast DIEP", perfused_at=at(-60), monitoring_from=at(0))
    waited.save(-30, entered=1)
    with pytest.raises(Refused, match="before the flap was monitored"):
        waited.save(-31, entered=1)


@pytest.mark.parametrize(
    ("signs", "asked"),
    [
        ({"flap_temp_c": 19.9}, {"flap_temp_c", "temp_gap_c"}),
        ({"flap_temp_c": 40.1, "control_temp_c": 40.1}, {"flap_temp_c", "control_temp_c"}),
        ({"flap_temp_c": 26.0}, {"temp_gap_c"}),
        ({"refill": 8.1}, {"refill"}),
        ({"drain_ml_per_h": 201}, {"drain_ml_per_h"}),
    ],
)
def test_an_improbable_value_is_asked_about(
    bed: Bed, signs: dict[str, object], asked: set[str]
) -> None:
    """What can be true but rarely is waits for a yes, value by value; nothing is kept before."""
    check = bed.look(1, signs)
    with pytest.raises(care.NeedsConfirmation) as refused:
        bed.enter(check, 1)
    assert set(refused.value.questions) == asked
    assert all(q.endswith("Is it right?") for q in refused.value.questions.values())
    assert bed.checks() == []
    some = frozenset(list(asked)[1:])
    with pytest.raises(care.NeedsConfirmation) as still:
        bed.enter(check, 1, confirmed=some)
    assert set(still.value.questions) == asked - some
    assert bed.enter(check, 1, confirmed=frozenset(asked)).check.signs == check.signs


def test_a_value_at_the_edge_is_not_asked_about(bed: Bed) -> None:
    """20 and 40 °C, a gap of 8 °C, 8 s and 200 mL/h are taken as they are."""
    signs = {"flap_temp_c": 32.0, "control_temp_c": 40.0, "refill": 8.0, "drain_ml_per_h": 200.0}
    assert bed.save(1, signs).check.signs["refill"] == 8.0


def test_a_late_entry_alerts_now_and_says_when_it_would_have(bed: Bed) -> None:
    """Congestion seen at 02:10 and entered at 03:10 alerts at 03:10 with its first sign at 02:10,
    and is not current over the check made in between."""
    bed.save(1)
    bed.save(120, DUSKY)
    late = bed.save(70, CONGESTED, entered=130)
    assert (late.late, late.current) == (True, False)
    assert late.check.source is Source.LATE_ENTRY
    alert = bed.alert()
    assert alert.severity is Severity.RED
    assert alert.raised_at == at(120)
    assert alert.first_sign_at == at(70)
    assert alert.paged_at == at(130)
    assert bed.checks()[-1].check.observed_at == at(120)


def test_entered_within_a_quarter_of_an_hour_is_not_late(bed: Bed) -> None:
    """Fifteen minutes from the bed to the tablet are no late entry; a second more is."""
    assert not bed.save(1, entered=16).late
    assert bed.save(30, entered=45.1).late


def test_a_late_entry_has_the_later_checks_judged_again(bed: Bed) -> None:
    """Pale once is a weak sign; a late entry that was pale before it makes the later one a
    confirmed sign, and the flap alerts."""
    bed.save(1)
    later = bed.save(60, PALE)
    assert bed.severity(later.check.key) == Severity.YELLOW
    assert bed.alerts() == []
    late = bed.save(31, PALE, entered=62)
    assert late.assessment.severity is Severity.YELLOW
    assert bed.severity(later.check.key) == Severity.AMBER
    assert bed.alert().severity is Severity.AMBER
    with bed.record.read() as conn:
        judged = episodes.assessments_of(conn, later.check.key)
    assert [j.is_current for j in judged] == [False, True]


def test_a_late_entry_before_the_baseline_becomes_it(bed: Bed) -> None:
    """The baseline is the first quiet full check as observed, not as entered."""
    bed.save(40)
    first = bed.save(2, {"flap_temp_c": 34.0}, entered=60)
    baseline = bed.flap().baseline
    assert baseline is not None and baseline.key == first.check.key


def test_a_late_entry_that_a_newer_check_shows_over_is_recovered(bed: Bed) -> None:
    """Somebody enters an old red check after a newer full one was clear: it alerts, pages, and
    shows recovered, not closed; and its recheck was done already."""
    bed.save(1)
    bed.save(120)
    bed.save(70, CONGESTED, entered=125)
    alert = bed.alert()
    assert alert.state is AlertState.OPEN
    assert alert.recovered_at == at(125)
    assert alert.pages == 1
    assert bed.told() == ["raise", "recover"]
    assert bed.rechecks() == []


def test_a_late_entry_is_not_over_for_a_newer_partial_check(bed: Bed) -> None:
    """Half a check does not show that congestion is over."""
    bed.save(1)
    bed.save(120, {"turgor": None})
    bed.save(70, CONGESTED, entered=125)
    assert bed.alert().recovered_at is None


def test_a_late_entry_is_judged_against_what_came_before_it(bed: Bed) -> None:
    """A lost signal is only lost if it was there before; a later signal is no past."""
    bed.save(60)
    late = bed.save(1, SILENT, entered=61)
    assert "D1" not in {f.rule for f in late.assessment.findings}


@pytest.mark.parametrize(
    ("who", "flap", "error"),
    [("nobody", None, care.UnknownPerson), ("ana", "no-such-flap", UnknownFlap)],
)
def test_unknown_names_are_refused(
    bed: Bed, who: str, flap: str | None, error: type[Exception]
) -> None:
    """Neither an unknown nurse nor an unknown flap gets a check."""
    before = everything(bed.record)
    with pytest.raises(error, match=r"^(Nobody|There is no flap)"):
        care.record_check(bed.record, PROTOCOLS, a_look(flap or bed.id, 1, {}, by=who), now=at(1))
    assert everything(bed.record) == before


def test_a_discharged_flap_takes_no_more_checks_but_knows_its_own(bed: Bed) -> None:
    """After discharge a new check is refused; a retry of one saved before still answers."""
    check = bed.look(1)
    bed.enter(check, 1)
    care.discharge_flap(bed.record, PROTOCOLS, flap_id=bed.id, by="diaz", now=at(5))
    with pytest.raises(Refused, match="has ended"):
        bed.save(6)
    assert bed.enter(check, 6).repeated


def test_refill_alone_is_never_red_however_often(bed: Bed) -> None:
    """Absent refill by itself stays amber, check after check."""
    for minutes in (1, 16, 31, 46):
        bed.save(minutes, {"refill": "absent"})
    assert bed.alert().severity is Severity.AMBER


def test_zero_is_a_reading(bed: Bed) -> None:
    """0 % saturation and a dry drain are stored as zero, not as blank."""
    saved = bed.save(1, {"sto2_percent": 0, "drain_ml_per_h": 0})
    assert saved.check.signs["sto2_percent"] == 0.0
    assert saved.check.signs["drain_ml_per_h"] == 0.0


def test_a_changed_protocol_file_is_not_used(bed: Bed, record: Record) -> None:
    """A protocol edited after a flap was pinned to it judges nothing."""
    pinned = bed.flap().protocol_id
    edited = PROTOCOLS[pinned].model_copy(update={"hash": "0" * 64})
    with pytest.raises(store.ProtocolChanged, match="new version"):
        care.record_check(record, {pinned: edited}, bed.look(1), now=at(1))
    assert bed.checks() == []
