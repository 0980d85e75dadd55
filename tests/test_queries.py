"""What goes into the record comes out of it: checks, flaps, findings, alerts, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, text, update
from sqlalchemy.exc import IntegrityError

from monitoring import checks, episodes, people, queries, rechecks, watch_log
from monitoring.checks import NoSuchCheck
from monitoring.domain import (
    AlertState,
    Assessment,
    Check,
    CloseReason,
    Evidence,
    Finding,
    FlapFacts,
    FlapKind,
    FlapName,
    Hold,
    HoldReason,
    Intent,
    Outcome,
    OutcomeKind,
    Patient,
    Pattern,
    Recipient,
    Return,
    ReturnFinding,
    RiskFactor,
    Role,
    Severity,
    Source,
    Stream,
    Tissue,
    Unable,
    Unanswered,
)
from monitoring.episodes import AlertEvent
from monitoring.queries import Correction, UnknownFlap
from monitoring.rows import FlapRow, table_of
from monitoring.signs import SIGNS, Sign, SignValue, UnableReason
from monitoring.store import Record
from monitoring.watch_log import WatchFinding

NOW = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PATIENT = Patient(mrn="M1", name="Ana Pérez", born_on=date(1970, 1, 1), ward="7B", bed="4")


def _facts(**changes: Any) -> FlapFacts:
    said: dict[str, Any] = {
        "label": "L breast DIEP", "kind": FlapKind.FREE, "name": FlapName.DIEP,
        "tissue": Tissue.SKIN, "recipient": Recipient.BREAST, "buried": False,
        "perfused_at": NOW - timedelta(hours=8),
    }  # fmt: skip
    return FlapFacts(**said | changes)


def _admit(conn: Connection, *flap_ids: str) -> None:
    """Two nurses, one patient, and their flaps."""
    people.add_staff(conn, "Kim", Role.NURSE, "7B", staff_id="nurse1")
    people.add_staff(conn, "Lee", Role.NURSE, "7B", staff_id="nurse2")
    patient_id = queries.insert_patient(conn, PATIENT)
    for flap_id in flap_ids:
        queries.insert_flap(
            conn, flap_id, patient_id, _facts(), "skin-paddle@1", by="nurse1", at=NOW
        )


def _check(
    minutes: float = 0, flap_id: str = "L", signs: dict[str, SignValue] | None = None, **said: Any
) -> Check:
    at = NOW + timedelta(minutes=minutes)
    body: dict[str, Any] = {
        "key": uuid4(), "flap_id": flap_id, "observed_at": at, "recorded_at": at, "by": "nurse1",
    }  # fmt: skip
    return Check(**body | said, signs={"colour": "matches"} if signs is None else signs)


def _save(conn: Connection, *made: Check) -> None:
    for check in made:
        checks.insert_check(conn, check, "hash")


def _amend(conn: Connection, old: Check, new: Check) -> None:
    checks.insert_check(
        conn, new, "hash", replaces=old.key, amend_reason="light", amended_by="nurse1"
    )


@contextmanager
def _counted(record: Record) -> Iterator[list[str]]:
    """The statements that reach the database meanwhile."""
    said: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            said.append(statement)

    event.listen(record.reader, "before_cursor_execute", note)
    yield said
    event.remove(record.reader, "before_cursor_execute", note)


# Checks


def _values(sign: Sign) -> st.SearchStrategy[SignValue]:
    words = st.sampled_from(sign.words) if sign.words else st.nothing()
    numbers = st.floats(sign.low, sign.high) if sign.high > sign.low else st.nothing()
    yes_no = st.booleans() if sign.kind == "yes_no" else st.nothing()
    plain = st.sampled_from([r for r in UnableReason if r is not UnableReason.OTHER])
    said = st.text("abc é'%\\\"{}", min_size=1).filter(str.strip)
    unable = st.builds(Unable, plain, st.none() | said) | st.builds(
        Unable, st.just(UnableReason.OTHER), said
    )
    return words | numbers | yes_no | unable


_moments = st.datetimes(
    datetime(2020, 1, 1),  # noqa: DTZ001
    datetime(2040, 1, 1),  # noqa: DTZ001
    timezones=st.timezones(),
)


@st.composite
def _any_check(draw: st.DrawFn) -> Check:
    """Any check that can be made: any signs with a value, unable, or not looked at."""
    signs = draw(st.fixed_dictionaries({}, optional={n: _values(s) for n, s in SIGNS.items()}))
    if "refill" not in signs:
        signs.pop("refill_again", None)
    return Check(
        key=draw(st.uuids()),
        flap_id="L",
        observed_at=draw(_moments),
        recorded_at=draw(_moments),
        by="nurse1",
        signs=signs,
        source=draw(st.sampled_from(Source)),
        note=draw(st.none() | st.text("abc é'%\\\"{}")),
        nurse_concern=draw(st.booleans()),
        concern_about=draw(st.none() | st.just("it looks wrong")),
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(check=_any_check())
def test_a_check_comes_back_exactly_as_it_was_made(record: Record, check: Check) -> None:
    """A value, unable with its reason, and not looked at stay three different things."""
    with record.write() as conn:
        _admit(conn, "L")
        _save(conn, check)
        found = checks.check_by_key(conn, check.key)
        conn.rollback()
    assert found.check == check
    assert {n: type(v) for n, v in found.check.signs.items()} == {
        n: type(v) for n, v in check.signs.items()
    }
    assert found.check.observed_at.tzinfo is UTC
    assert found.current
    assert (found.is_full, found.severity, found.pattern) == (None, None, None)


def test_zero_and_no_are_readings(record: Record) -> None:
    """0 % is not a blank, and *no* is not *not asked*."""
    signs: dict[str, SignValue] = {"sto2_percent": 0.0, "refill": 0.0, "vasopressor": False}
    check = _check(signs=signs)
    with record.write() as conn:
        _admit(conn, "L")
        _save(conn, check)
    with record.read() as conn:
        assert checks.check_by_key(conn, check.key).check.signs == signs


def test_a_check_that_nobody_made_is_not_found(record: Record) -> None:
    """An unknown key has a sentence, not a blank check."""
    with record.read() as conn:
        assert checks.find_check(conn, UUID(int=0)) is None
        with pytest.raises(NoSuchCheck, match="00000000"):
            checks.check_by_key(conn, UUID(int=0))


def test_the_same_check_is_stored_once(record: Record) -> None:
    """A double tap with one key makes one row."""
    check = _check()
    with record.write() as conn:
        _admit(conn, "L")
        _save(conn, check)
    with pytest.raises(IntegrityError), record.write() as conn:
        _save(conn, check)


def test_an_amended_check_is_readable_in_both_versions(record: Record) -> None:
    """The new version counts; the old one says what replaced it, when and why."""
    old = _check(signs={"colour": "pale"})
    new = _check(signs={"colour": "dusky"}, recorded_at=NOW + 5 * MINUTE)
    with record.write() as conn:
        _admit(conn, "L")
        _save(conn, old)
        checks.insert_check(
            conn, new, "hash", replaces=old.key, amend_reason="mistyped", amended_by="nurse2",
            first_recorded_at=old.recorded_at,
        )  # fmt: skip
    with record.read() as conn:
        first = checks.check_by_key(conn, old.key)
        second = checks.check_by_key(conn, new.key)
        assert {s.check.key for s in checks.checks_of_flap(conn, "L")} == {old.key, new.key}
        between = checks.checks_between(conn, "L", NOW, NOW + MINUTE)
    assert (first.check, first.current, first.replaced_by_key) == (old, False, new.key)
    assert first.replaced_at == new.recorded_at
    assert (second.check, second.current, second.replaces_key) == (new, True, old.key)
    assert (second.amend_reason, second.amended_by) == ("mistyped", "nurse2")
    assert first.first_recorded_at == second.first_recorded_at == old.recorded_at
    assert [s.check.key for s in between] == [new.key]


def test_one_version_is_amended_once(record: Record) -> None:
    """Two nurses who amend the same version cannot both win."""
    old = _check()
    with record.write() as conn:
        _admit(conn, "L")
        _save(conn, old)
        _amend(conn, old, _check())
    with pytest.raises(IntegrityError), record.write() as conn:
        _amend(conn, old, _check())


def test_a_struck_check_is_readable_and_counts_no_more(record: Record) -> None:
    """Entered on the wrong patient: struck through with who, when and why, never deleted."""
    wrong, right = _check(-10), _check()
    with record.write() as conn:
        _admit(conn, "L")
        _save(conn, wrong, right)
        checks.strike_check(conn, wrong.key, by="nurse2", at=NOW, reason="wrong patient")
    with record.read() as conn:
        struck = checks.check_by_key(conn, wrong.key)
        assert checks.earlier_checks(conn, right, since=NOW - timedelta(days=1)) == []
        assert [j.check for j in checks.last_checks(conn, 5)["L"]] == [right]
    assert not struck.current
    assert (struck.struck_by, struck.struck_at, struck.struck_reason) == (
        "nurse2", NOW, "wrong patient",
    )  # fmt: skip


def test_earlier_means_observed_before_whatever_the_order_of_entry(record: Record) -> None:
    """A late entry takes its place by when it was seen; other flaps and older days stay out."""
    judged = _check(0)
    late = _check(-30, recorded_at=NOW + 5 * MINUTE, source=Source.LATE_ENTRY)
    before, too_old, after = _check(-60), _check(-25 * 60), _check(60)
    elsewhere = _check(-20, flap_id="R")
    with record.write() as conn:
        _admit(conn, "L", "R")
        _save(conn, after, judged, before, too_old, elsewhere, late)
    with record.read() as conn:
        found = checks.earlier_checks(conn, judged, since=NOW - timedelta(hours=24))
    assert found == [before, late]


def test_of_two_checks_of_one_minute_the_first_recorded_is_earlier(record: Record) -> None:
    """Two nurses at one bed in one minute: each pair has exactly one earlier."""
    first = _check(0)
    second = _check(0, by="nurse2", recorded_at=NOW + MINUTE)
    since = NOW - timedelta(hours=1)
    with record.write() as conn:
        _admit(conn, "L")
        _save(conn, second, first)
    with record.read() as conn:
        assert checks.earlier_checks(conn, first, since=since) == []
        assert checks.earlier_checks(conn, second, since=since) == [first]


def test_what_was_known_then_can_be_read_again(record: Record) -> None:
    """An old judgement can be repeated on what stood in the record at that time."""
    old = _check(-60, signs={"colour": "pale"})
    new = _check(-60, signs={"colour": "matches"}, recorded_at=NOW + 10 * MINUTE)
    struck = _check(-50)
    late = _check(-40, recorded_at=NOW + 20 * MINUTE)
    judged, since = _check(0), NOW - timedelta(days=1)
    with record.write() as conn:
        _admit(conn, "L")
        _save(conn, old, struck, judged, late)
        _amend(conn, old, new)
        checks.strike_check(conn, struck.key, by="nurse1", at=NOW + 15 * MINUTE, reason="wrong")
    with record.read() as conn:
        known = [
            checks.earlier_checks(conn, judged, since=since, known_at=NOW + minutes * MINUTE)
            for minutes in (0, 10, 15, 20)
        ]
        assert checks.earlier_checks(conn, judged, since=since) == [new, late]
    assert known == [[old, struck], [new, struck], [new], [new, late]]


def test_the_last_checks_of_every_flap_come_in_one_statement(record: Record) -> None:
    """However many flaps there are: newest n of each, oldest first; ended flaps only by name."""
    flaps = [f"flap{number}" for number in range(12)]
    made = {flap: [_check(m, flap) for m in (-30, -90, -60, 0)] for flap in flaps[:-1]}
    with record.write() as conn:
        _admit(conn, *flaps, "gone")
        for flap in made:
            _save(conn, *made[flap])
        _save(conn, _check(0, "gone"))
        queries.end_flap(conn, "gone", NOW, discharged_by="nurse1")
    for n in (1, 3, 4, 9):
        with _counted(record) as said, record.read() as conn:
            found = checks.last_checks(conn, n)
        assert len(said) == 1
        expected = {
            flap: sorted(checked, key=lambda c: c.observed_at)[-n:]
            for flap, checked in made.items()
        }
        assert {flap: [j.check for j in judged] for flap, judged in found.items()} == expected
    with record.read() as conn:
        named = checks.last_checks(conn, 1, ["gone", "flap0", "flap11"])
    assert set(named) == {"gone", "flap0"}


def test_checks_of_one_minute_do_not_crowd_out_the_last_n(record: Record) -> None:
    """n is n even when several checks share the n-th moment."""
    tied = [_check(0, recorded_at=NOW + m * MINUTE) for m in range(3)]
    with record.write() as conn:
        _admit(conn, "L")
        _save(conn, *tied, _check(-60))
    with record.read() as conn:
        assert [j.check for j in checks.last_checks(conn, 2)["L"]] == tied[1:]


@pytest.mark.parametrize("statistics", [False, True])
def test_the_board_never_reads_every_check_ever_stored(
    sqlite_record: Record, statistics: bool
) -> None:
    """The database starts from the flaps and finds each one's range, whatever it knows of the
    tables' sizes."""
    with sqlite_record.write() as conn:
        _admit(conn, "L")
        _save(conn, *(_check(-m) for m in range(200)))
        if statistics:
            conn.execute(text("ANALYZE"))
    with _counted(sqlite_record) as said, sqlite_record.read() as conn:
        checks.last_checks(conn, 24)
    with sqlite_record.read() as conn:
        asked = ("", 1, 23, 0)
        plan = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {said[0]}", asked).all()
    steps = [row[3] for row in plan]
    assert not [step for step in steps if step.startswith("SCAN flap_check")]
    assert len([step for step in steps if "ix_flap_check_flap_observed (flap_id=?" in step]) == 2


def test_the_gist_of_a_judgement_stands_beside_its_check(record: Record) -> None:
    """The board reads severity, pattern and fullness with the check itself."""
    check = _check()
    with record.write() as conn:
        _admit(conn, "L")
        _save(conn, check)
        checks.mark_judged(conn, check.key, _assessment(_finding(check)))
    with record.read() as conn:
        (judged,) = checks.last_checks(conn, 1)["L"]
    assert judged == (
        check, True, Severity.RED, Pattern.VENOUS, "Dusky with brisk refill.", 1, NOW,
    )  # fmt: skip


# Flaps


def test_a_flap_comes_back_with_its_patient_holds_returns_and_baseline(record: Record) -> None:
    """Everything the judge and the schedule ask of a flap, in two statements."""
    baseline = _check(-120, signs={"flap_temp_c": 33.0, "control_temp_c": 34.0})
    facts = _facts(
        monitors={"handheld", "nirs"}, risk_factors=set(RiskFactor), skin_type="V", side="left",
        surgeon="Dr Å", anastomosis="2 veins, coupler 3 mm", ischaemia_minutes=0,
        operation_id="op1", monitoring_from=NOW - timedelta(hours=7),
    )  # fmt: skip
    hold = Hold(from_at=NOW - 2 * MINUTE, reason=HoldReason.IMAGING)
    back = Return(decided_at=NOW - timedelta(hours=3), finding=ReturnFinding.KINK, salvaged=True)
    with record.write() as conn:
        _admit(conn, "L")
        queries.update_facts(conn, "L", facts)
        queries.insert_hold(conn, "L", hold, by="nurse1", at=NOW)
        queries.insert_return(conn, "L", back, by="nurse1", at=NOW)
        _save(conn, baseline)
        queries.set_baseline(conn, "L", baseline)
    with _counted(record) as said, record.read() as conn:
        found = queries.load_flap(conn, "L")
    assert len(said) == 2
    assert (found.patient, found.flap.facts, found.flap.protocol_id) == (
        PATIENT, facts, "skin-paddle@1",
    )  # fmt: skip
    assert (found.flap.holds, found.flap.returns) == ((hold,), (back,))
    assert found.flap.baseline == baseline
    assert (found.admitted_by, found.admitted_at, found.discharged_by) == ("nurse1", NOW, None)


def test_a_struck_check_is_nobodys_baseline(record: Record) -> None:
    """Change is never measured from a check of another patient."""
    baseline = _check()
    with record.write() as conn:
        _admit(conn, "L")
        _save(conn, baseline)
        queries.set_baseline(conn, "L", baseline)
        checks.strike_check(conn, baseline.key, by="nurse1", at=NOW, reason="wrong patient")
    with record.read() as conn:
        assert queries.load_flap(conn, "L").flap.baseline is None


def test_an_unknown_flap_has_a_sentence(record: Record) -> None:
    """A wrong address of a flap says which flap there is not."""
    with record.read() as conn, pytest.raises(UnknownFlap, match="no flap X"):
        queries.load_flap(conn, "X")


def test_the_ward_is_read_in_two_statements(record: Record) -> None:
    """However many flaps there are; discharged and lost ones are not on it."""
    flaps = [f"flap{number:02}" for number in range(15)]
    hold = Hold(from_at=NOW, reason=HoldReason.THEATRE)
    with record.write() as conn:
        _admit(conn, *flaps, "home", "lost")
        for flap in flaps[:4]:
            queries.insert_hold(conn, flap, hold, by="nurse1", at=NOW)
        queries.end_flap(conn, "home", NOW, discharged_by="nurse1")
        queries.end_flap(conn, "lost", NOW - MINUTE)
        queries.end_flap(conn, "lost", NOW, discharged_by="nurse1")
    with _counted(record) as said, record.read() as conn:
        ward = queries.active_flaps(conn)
    assert len(said) == 2
    assert [s.flap.id for s in ward.flaps] == flaps
    assert [len(s.flap.holds) for s in ward.flaps] == [1] * 4 + [0] * 11
    assert ward.unreadable == []
    with record.read() as conn:
        assert queries.active_flap_ids(conn) == flaps
        assert ward.flaps == [queries.load_flap(conn, flap) for flap in flaps]
        lost, home = queries.load_flap(conn, "lost"), queries.load_flap(conn, "home")
        assert len(queries.flaps_of_patient(conn, lost.patient_id)) == 17
    assert (lost.flap.ended_at, lost.discharged_at) == (NOW - MINUTE, NOW)
    assert (home.flap.ended_at, home.discharged_by) == (NOW, "nurse1")


def test_a_flap_whose_row_was_spoilt_is_named_not_left_out(record: Record) -> None:
    """One spoilt row does not blank the board, and does not vanish from it."""
    flap = table_of(FlapRow)
    with record.write() as conn:
        _admit(conn, "L", "R")
        conn.execute(update(flap).where(flap.c.id == "L").values(monitors=["astrology"]))
    with record.read() as conn:
        ward = queries.active_flaps(conn)
    assert ([s.flap.id for s in ward.flaps], ward.unreadable) == (["R"], ["L"])


def test_a_patient_is_one_person(record: Record) -> None:
    """A record number belongs to one person, who may change beds and have facts corrected."""
    with record.write() as conn:
        patient_id = queries.insert_patient(conn, PATIENT)
        moved = PATIENT.model_copy(update={"bed": "9"})
        queries.update_patient(conn, patient_id, moved)
    with pytest.raises(IntegrityError), record.write() as conn:
        queries.insert_patient(conn, PATIENT.model_copy(update={"name": "Somebody Else"}))
    with record.read() as conn:
        assert queries.find_patient(conn, "M1") == (patient_id, moved)
        assert queries.find_patient(conn, "M2") is None


def test_a_correction_keeps_both_values(record: Record) -> None:
    """What was wrong stays readable beside what is right, with who, when and why."""
    correction = Correction("skin_type", None, "V", "asked the patient", "nurse1", NOW)
    with record.write() as conn:
        _admit(conn, "L")
        queries.insert_correction(conn, "L", correction)
    with record.read() as conn:
        assert queries.corrections_of(conn, "L") == [correction]


def test_a_hold_is_released_by_somebody_at_a_time(record: Record) -> None:
    """Releasing ends the hold and keeps who opened it and who released it."""
    with record.write() as conn:
        _admit(conn, "L")
        hold = Hold(from_at=NOW, reason=HoldReason.IMAGING)
        hold_id = queries.insert_hold(conn, "L", hold, by="nurse1", at=NOW)
        later = NOW + 40 * MINUTE
        queries.release_hold(conn, hold_id, by="nurse2", at=later, until_at=later)
    with record.read() as conn:
        (found,) = queries.holds_of(conn, "L")
        assert queries.load_flap(conn, "L").flap.held(later) is None
    assert found.hold == Hold(from_at=NOW, until_at=later, reason=HoldReason.IMAGING)
    assert found[2:] == ("nurse1", NOW, "nurse2", later)


def test_a_return_to_theatre_is_filled_in_as_it_happens(record: Record) -> None:
    """Decided first; into theatre, perfused again and back as they come."""
    decided = Return(decided_at=NOW)
    whole = Return(
        decided_at=NOW, into_theatre_at=NOW + 20 * MINUTE, perfused_again_at=NOW + 80 * MINUTE,
        back_at=NOW + 120 * MINUTE, finding=ReturnFinding.VENOUS_THROMBOSIS, salvaged=False,
    )  # fmt: skip
    with record.write() as conn:
        _admit(conn, "L")
        return_id = queries.insert_return(conn, "L", decided, by="nurse1", at=NOW)
    with record.write() as conn:
        assert [r.value for r in queries.returns_of(conn, "L")] == [decided]
        queries.update_return(conn, return_id, whole, by="nurse2", at=NOW + 130 * MINUTE)
    with record.read() as conn:
        (found,) = queries.returns_of(conn, "L")
    assert found == (return_id, whole, "nurse2", NOW + 130 * MINUTE)


def test_an_outcome_that_nobody_recorded_is_not_recorded(record: Record) -> None:
    """Silence is not survival."""
    outcome = Outcome(kind=OutcomeKind.PARTIAL_LOSS, percent=12.5, closed_at=NOW)
    with record.write() as conn:
        _admit(conn, "L")
        assert queries.outcome_of(conn, "L") is None
        queries.insert_outcome(conn, "L", outcome, by="nurse1", at=NOW)
    with record.read() as conn:
        assert queries.outcome_of(conn, "L") == outcome


# Episodes


def _finding(check: Check | None = None, severity: Severity = Severity.RED) -> Finding:
    key = None if check is None else check.key
    evidence = (
        Evidence("colour", "dusky", NOW, "nurse1", key, "first seen"),
        Evidence("flap_temp_c", 31.25, NOW, "nurse1", key),
        Evidence("doppler_vein", Unable(UnableReason.OTHER, "no probe"), NOW, "nurse1"),
        Evidence("vasopressor", False, NOW, "nurse1"),
    )
    return Finding(
        rule="V1", severity=severity, pattern=Pattern.VENOUS, because="Dusky with brisk refill.",
        at=NOW, evidence=evidence, citations=("Ruler20",), do_now="Call now.",
        recheck_minutes=15, if_unmet=Severity.RED,
    )  # fmt: skip


def _assessment(*findings: Finding) -> Assessment:
    return Assessment(
        findings=findings,
        unanswered=(Unanswered("T1", ("flap_temp_c", "control_temp_c")),),
        full=True,
        protocol_id="skin-paddle",
        protocol_version=1,
        protocol_hash="abc",
        confounders=(Evidence("warming", "on", NOW, "nurse1"),),
    )


def test_a_judgement_comes_back_word_for_word(record: Record) -> None:
    """What the nurse was told can be shown again with every number it rested on; judging again
    adds a judgement and keeps the first."""
    check = _check()
    first, second = _assessment(_finding(check)), _assessment()
    later = NOW + 5 * MINUTE
    with record.write() as conn:
        _admit(conn, "L")
        _save(conn, check)
        episodes.insert_assessment(conn, check.key, first, NOW, again=False)
        episodes.insert_assessment(conn, check.key, second, later, again=True)
    with record.read() as conn:
        stored = episodes.assessments_of(conn, check.key)
        current = episodes.current_assessments(conn, [check.key, uuid4()])
    assert [(s.assessment, s.assessed_at, s.is_current) for s in stored] == [
        (first, NOW, False), (second, later, True),
    ]  # fmt: skip
    assert current == {check.key: stored[1]}


def test_a_check_has_one_current_judgement(record: Record) -> None:
    """Two judgements cannot both be the one on the board."""
    check = _check()
    with record.write() as conn:
        _admit(conn, "L")
        _save(conn, check)
        episodes.insert_assessment(conn, check.key, _assessment(), NOW, again=False)
    with pytest.raises(IntegrityError), record.write() as conn:
        episodes.insert_assessment(conn, check.key, _assessment(), NOW, again=False)


def _raise(conn: Connection, flap_id: str = "L", stream: Stream = Stream.PERFUSION) -> int:
    return episodes.insert_alert(
        conn, flap_id=flap_id, stream=stream, severity=Severity.AMBER, pattern=Pattern.VENOUS,
        raised_at=NOW, because="Dusky.", rule="V1", findings=[_finding()],
        first_sign_at=NOW - MINUTE,
    )  # fmt: skip


def test_an_alert_gathers_evidence_and_is_closed_by_somebody(record: Record) -> None:
    """From open through acknowledged to closed, with its evidence and its story."""
    with record.write() as conn:
        _admit(conn, "L", "R")
        alert_id = _raise(conn)
        other = _raise(conn, "R")
        episodes.update_alert(
            conn, alert_id, severity=Severity.RED, findings=[_finding(), _finding()],
            state=AlertState.ACKNOWLEDGED, acknowledged_by="nurse1", acknowledged_at=NOW,
            intent=Intent.COMING, expected_at=NOW + 10 * MINUTE, paged_at=NOW, pages=2,
        )  # fmt: skip
        episodes.insert_alert_event(
            conn, AlertEvent(alert_id, NOW, "nurse1", "acknowledged", {"intent": "coming"})
        )
    with _counted(record) as said, record.read() as conn:
        everywhere = episodes.open_alerts(conn)
    assert len(said) == 1
    with record.read() as conn:
        (alert,) = episodes.open_alerts(conn, "L")
        story = episodes.events_of(conn, [alert_id, other])
        assert episodes.find_alert(conn, alert_id) == alert
        assert episodes.find_alert(conn, alert_id + other + 1) is None
    assert [a.id for a in everywhere] == [alert_id, other]
    assert (alert.severity, alert.state, alert.intent) == (
        Severity.RED, AlertState.ACKNOWLEDGED, Intent.COMING,
    )  # fmt: skip
    assert alert.findings == (_finding(), _finding())
    assert (alert.first_sign_at, alert.expected_at) == (NOW - MINUTE, NOW + 10 * MINUTE)
    assert [(e.kind, e.detail) for e in story] == [("acknowledged", {"intent": "coming"})]
    with record.write() as conn:
        episodes.update_alert(
            conn, alert_id, state=AlertState.CLOSED, closed_by="nurse1", closed_at=NOW,
            close_reason=CloseReason.POSITION,
        )  # fmt: skip
        assert episodes.open_alerts(conn, "L") == []
        assert [a.close_reason for a in episodes.alerts_of_flap(conn, "L")] == ["position"]
        assert _raise(conn) != alert_id


def test_a_second_open_episode_of_a_stream_is_refused(record: Record) -> None:
    """New findings join the episode; they never open another beside it."""
    with record.write() as conn:
        _admit(conn, "L")
        _raise(conn)
        _raise(conn, stream=Stream.HAEMATOMA)
    with pytest.raises(IntegrityError), record.write() as conn:
        _raise(conn)


def test_a_recheck_is_open_until_met_or_cancelled(record: Record) -> None:
    """What was asked for stands, first due first, until a check does it or somebody ends it."""
    check = _check()
    with record.write() as conn:
        _admit(conn, "L", "R")
        _save(conn, check)
        asked = [
            rechecks.insert_recheck(
                conn, flap_id=flap, asked_at=NOW, due_at=NOW + minutes * MINUTE, rule="V1",
                if_unmet=severity, check_key=key, severity=Severity.AMBER, round=2,
            )
            for flap, minutes, severity, key in (
                ("L", 30, None, None), ("L", 15, Severity.RED, check.key), ("R", 20, None, None),
            )
        ]  # fmt: skip
    with record.read() as conn:
        due = rechecks.open_rechecks(conn)
        assert [r.id for r in rechecks.open_rechecks(conn, "L")] == [asked[1], asked[0]]
    assert [r.id for r in due] == [asked[1], asked[2], asked[0]]
    assert (due[0].if_unmet, due[0].check_key, due[0].due_at) == (
        Severity.RED, check.key, NOW + 15 * MINUTE,
    )  # fmt: skip
    assert (due[0].round, due[0].severity) == (2, Severity.AMBER)
    with record.write() as conn:
        rechecks.meet_rechecks(conn, asked[1:2], check.key)
        rechecks.cancel_rechecks(conn, asked[2:], NOW)
        assert [r.id for r in rechecks.open_rechecks(conn)] == asked[:1]
    with pytest.raises(IntegrityError), record.write() as conn:
        rechecks.cancel_rechecks(conn, asked[1:2], NOW)


def test_a_passed_deadline_is_found_once(record: Record) -> None:
    """A second tick, or a second watcher, changes nothing; a worse severity is another finding."""
    missed = WatchFinding("L", "M1", Severity.YELLOW, NOW, NOW + MINUTE, "Check due at 14:00.")
    worse = missed._replace(severity=Severity.AMBER)
    with record.write() as conn:
        _admit(conn, "L")
        assert watch_log.insert_watch_finding(conn, missed)
        assert not watch_log.insert_watch_finding(conn, missed._replace(found_at=NOW + 9 * MINUTE))
        assert watch_log.insert_watch_finding(conn, worse)
    with record.read() as conn:
        assert watch_log.watch_findings_of(conn, "L") == [missed, worse]
        assert watch_log.watch_findings_of(conn, "L", since=NOW + MINUTE) == []


def test_a_watcher_says_when_it_last_finished_a_round(record: Record) -> None:
    """The board can tell a living watcher from a dead one."""
    with record.write() as conn:
        assert watch_log.heartbeats(conn) == []
        watch_log.beat(conn, "a", NOW, {})
        watch_log.beat(conn, "b", NOW + MINUTE, {})
        watch_log.beat(conn, "a", NOW + 2 * MINUTE, {"set_aside": ["L"]})
    with record.read() as conn:
        found = watch_log.heartbeats(conn)
    assert found == [("a", NOW + 2 * MINUTE, 2, {"set_aside": ["L"]}), ("b", NOW + MINUTE, 1, {})]


def test_a_nurse_holds_flaps_for_the_shift(record: Record) -> None:
    """A tap takes a flap, another tap of the same changes nothing, a third kind gives it back."""
    with record.write() as conn:
        _admit(conn, "L", "R")
        for flap in ("L", "R", "L"):
            people.hold_in_care(conn, "nurse1", flap, NOW)
        people.hold_in_care(conn, "nurse2", "L", NOW)
        people.leave_care(conn, "nurse1", "R")
    with record.read() as conn:
        assert people.care_list(conn, "nurse1", NOW) == {"L"}
        assert people.care_list(conn, "nurse2", NOW) == {"L"}


def test_a_flap_of_the_last_shift_is_nobodys(record: Record) -> None:
    """What was tapped before the moment asked for is not on the list; tapped again it is."""
    with record.write() as conn:
        _admit(conn, "L", "R")
        people.hold_in_care(conn, "nurse1", "L", NOW)
        people.hold_in_care(conn, "nurse1", "R", NOW + 60 * MINUTE)
    with record.read() as conn:
        assert people.care_list(conn, "nurse1", NOW) == {"L", "R"}
        assert people.care_list(conn, "nurse1", NOW + MINUTE) == {"R"}
    with record.write() as conn:
        people.hold_in_care(conn, "nurse1", "L", NOW + 2 * MINUTE)
        assert people.care_list(conn, "nurse1", NOW + MINUTE) == {"L", "R"}
