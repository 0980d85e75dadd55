"""The record on both databases: its transactions, its versions, and its plain words in trouble."""

from __future__ import annotations

import re
import sqlite3
import traceback
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, inspect, select, text, update
from sqlalchemy.exc import IntegrityError

from monitoring import store
from monitoring.domain import BadValue
from monitoring.rows import (
    AlertRow,
    FlapCheckRow,
    FlapRow,
    HeartbeatRow,
    HoldRow,
    OutcomeRow,
    PatientRow,
    Row,
    StaffRow,
    UtcInstant,
    from_micros,
    table_of,
    to_micros,
)
from monitoring.signs import SIGNS
from monitoring.store import (
    BadRecordUrl,
    ProtocolChanged,
    Record,
    RecordCorrupt,
    RecordFull,
    RecordLocked,
    RecordMissing,
    RecordNewer,
    RecordNotMigrated,
    RecordReadOnly,
    RecordUnreachable,
)

NOW = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)


def _admit(conn: Connection) -> None:
    """One nurse, one patient, one flap called L."""
    staff = {"id": "nurse1", "name": "Kim", "role": "nurse", "ward": "7B", "active": True}
    conn.execute(insert(table_of(StaffRow)), staff)
    patient = {"id": 1, "mrn": "M1", "name": "A", "born_on": date(1970, 1, 1)}
    conn.execute(insert(table_of(PatientRow)), patient | {"ward": "7B", "bed": "1"})
    conn.execute(insert(table_of(FlapRow)), _flap())


def _flap(**changes: Any) -> dict[str, Any]:
    return {
        "id": "L", "patient_id": 1, "label": "L breast DIEP", "kind": "free", "name": "DIEP",
        "tissue": "skin", "recipient": "breast", "buried": False, "perfused_at": NOW,
        "monitoring_from": NOW, "risk_factors": [], "monitors": [], "admitted_by": "nurse1",
        "protocol_key": "skin-paddle@1", "admitted_at": NOW,
    } | changes  # fmt: skip


def _check(**changes: Any) -> dict[str, Any]:
    return {
        "key": str(uuid4()), "flap_id": "L", "observed_at": NOW, "recorded_at": NOW,
        "by": "nurse1", "source": "bedside", "nurse_concern": False, "body_hash": "x",
        "first_recorded_at": NOW,
    } | changes  # fmt: skip


def _alert(**changes: Any) -> dict[str, Any]:
    return {
        "flap_id": "L", "stream": "perfusion", "severity": "red", "pattern": "venous",
        "state": "open", "raised_at": NOW, "because": "dusky", "rule": "V1", "findings": [],
        "pages": 0,
    } | changes  # fmt: skip


def _beat(conn: Connection, worker: str) -> None:
    row = {"worker": worker, "at": NOW, "ticks": 1, "note": {}}
    conn.execute(insert(table_of(HeartbeatRow)), row)


def _workers(record: Record) -> list[str]:
    with record.read() as conn:
        return list(conn.execute(select(table_of(HeartbeatRow).c.worker)).scalars())


# Moments


@given(st.datetimes(timezones=st.timezones(), min_value=datetime(1900, 1, 2)))  # noqa: DTZ001
def test_a_moment_comes_back_as_the_same_instant(moment: datetime) -> None:
    """Whatever zone a time was said in, the record holds that very microsecond."""
    assert from_micros(to_micros(moment)) == moment.astimezone(UTC)


def test_a_time_without_a_zone_is_refused(sqlite_record: Record) -> None:
    """A wall time without its zone could be any hour; it never reaches the record."""
    with pytest.raises(Exception, match="no time zone") as caught, sqlite_record.write() as conn:
        conn.execute(
            insert(table_of(HeartbeatRow)),
            {"worker": "w", "at": datetime(2026, 3, 2), "ticks": 1, "note": {}},  # noqa: DTZ001
        )
    assert isinstance(caught.value, BadValue) or isinstance(caught.value.__cause__, BadValue)
    assert _workers(sqlite_record) == []


def test_moments_compare_exactly_in_the_database(record: Record) -> None:
    """A deadline is met to the microsecond, in whatever zone it is asked for."""
    column = table_of(HeartbeatRow).c.at
    with record.write() as conn:
        _beat(conn, "w")
    here = NOW.astimezone(timezone(timedelta(hours=2)))
    just_before = here - timedelta(microseconds=1)
    with record.read() as conn:
        assert conn.execute(select(column).where(column <= here)).scalars().all() == [NOW]
        assert conn.execute(select(column).where(column <= just_before)).all() == []


# Doors


@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "sqlite://", "sqlite:///:memory:", "mysql://host/db", "postgresql://h/db"],
)
def test_an_address_that_cannot_hold_a_record_is_refused(url: str) -> None:
    """The sentence says what an address looks like."""
    with pytest.raises(BadRecordUrl, match=r"Use sqlite:///"):
        store.open_record(url)


def test_an_acknowledged_save_survives_a_power_cut(sqlite_record: Record) -> None:
    """Both engines write ahead and flush every commit, and hold to foreign keys."""
    for door in (sqlite_record.write, sqlite_record.read):
        with door() as conn:
            said = {
                name: conn.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
        full = 2
        assert said == {
            "journal_mode": "wal", "synchronous": full, "foreign_keys": 1, "busy_timeout": 5000,
        }  # fmt: skip


def test_a_writer_holds_the_record_from_its_first_moment(sqlite_url: str) -> None:
    """While one save is under way a second waits, and is told so; it never reads what it would
    then overwrite. Boards go on reading meanwhile."""
    first, second = store.open_record(sqlite_url), store.open_record(sqlite_url, wait_ms=0)
    with first.write() as conn:
        with pytest.raises(RecordLocked, match="locked"), second.write():
            pytest.fail("a second writer was let in")
        _beat(conn, "first")
        assert _workers(second) == []
    with second.write() as conn:
        _beat(conn, "second")
    assert _workers(first) == ["first", "second"]
    first.close()
    second.close()


@pytest.mark.postgres
def test_two_saves_on_one_flap_take_turns(postgresql_url: str) -> None:
    """On PostgreSQL the rows of flap and patient are the turnstile: the patient's other flap waits
    too, because name and bed are shared; another patient's is not held up."""
    first, second = store.open_record(postgresql_url), store.open_record(postgresql_url, wait_ms=50)
    with first.write() as conn:
        _admit(conn)
        other_patient = {"id": 2, "mrn": "M2", "name": "B", "born_on": date(1970, 1, 1)}
        conn.execute(insert(table_of(PatientRow)), other_patient | {"ward": "7B", "bed": "2"})
        conn.execute(insert(table_of(FlapRow)), _flap(id="R"))
        conn.execute(insert(table_of(FlapRow)), _flap(id="E", patient_id=2))
    with first.write() as conn:
        store.lock_flap(conn, "L")
        for waiting in ("L", "R"):
            with pytest.raises(RecordLocked), second.write() as other:
                store.lock_flap(other, waiting)
        with second.write() as other:
            store.lock_flap(other, "E")
    with second.write() as other:
        store.lock_flap(other, "L")
    first.close()
    second.close()


def test_what_fails_half_way_leaves_nothing(record: Record) -> None:
    """A save interrupted between two rows is no save at all."""

    def save() -> None:
        with record.write() as conn:
            _beat(conn, "half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        save()
    assert _workers(record) == []


def test_a_reader_sees_one_moment_of_the_record(record: Record) -> None:
    """A board drawn from several statements mixes no two moments."""
    with record.read() as conn:
        wanted = select(table_of(HeartbeatRow).c.worker)
        assert conn.execute(wanted).all() == []
        with record.write() as writer:
            _beat(writer, "meanwhile")
        assert conn.execute(wanted).all() == []
    assert _workers(record) == ["meanwhile"]


def test_a_reader_cannot_write(record: Record) -> None:
    """Reading doors are for reading."""
    with pytest.raises(RecordReadOnly, match="only be read"), record.read() as conn:
        _beat(conn, "sneaky")
    assert _workers(record) == []


# Trouble


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """The sentence says which folder to make."""
    url = f"sqlite:///{tmp_path / 'nowhere' / 'record.db'}"
    with pytest.raises(RecordMissing, match=r"folder .*nowhere.* does not exist"):
        store.migrate(url)
    with pytest.raises(RecordMissing, match="nowhere"), store.open_record(url).read():
        pytest.fail("a record was found in no folder")


def test_looking_for_a_record_makes_none(tmp_path: Path) -> None:
    """A wrong address does not leave an empty record behind."""
    path = tmp_path / "wrong.db"
    record = store.open_record(f"sqlite:///{path}")
    with pytest.raises(RecordMissing, match=r"no record at .*wrong\.db.*migrate"):
        store.require_current(record)
    with pytest.raises(RecordMissing), record.write():
        pytest.fail("a record was made")
    assert not path.exists()


def test_a_file_that_is_no_record_is_said_to_be_none(tmp_path: Path) -> None:
    """Pointing at a spreadsheet does not end in a stack trace."""
    path = tmp_path / "notes.db"
    path.write_bytes(b"Bed 4: check at 14:00\n" * 200)
    with pytest.raises(RecordCorrupt, match="is not a record"):
        store.require_current(store.open_record(f"sqlite:///{path}"))
    with pytest.raises(RecordCorrupt, match="is not a record"):
        store.migrate(f"sqlite:///{path}")


def test_a_damaged_record_is_said_to_be_damaged(sqlite_url: str, tmp_path: Path) -> None:
    """A record with torn pages sends the reader to the backup."""
    path = tmp_path / "record.db"
    whole = bytearray(path.read_bytes())
    whole[4096:] = b"\xff" * (len(whole) - 4096)
    path.write_bytes(whole)
    record = store.open_record(sqlite_url)
    with pytest.raises(RecordCorrupt, match="restore the last backup"), record.write() as conn:
        _beat(conn, "w")
    record.close()


def test_a_read_only_record_says_so(sqlite_url: str) -> None:
    """A record without write rights is refused in a sentence, and can still be read."""
    record = store.open_record(f"{sqlite_url}?mode=ro")
    store.require_current(record)
    with pytest.raises(RecordReadOnly, match="only be read"), record.write() as conn:
        _beat(conn, "w")
    record.close()


def test_a_full_disk_loses_the_save_and_says_so(sqlite_record: Record) -> None:
    """Nothing is half written when the room runs out, and room made again is used again."""
    with sqlite_record.write() as conn:
        _beat(conn, "before")
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar()
        conn.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    note = {"long": "x" * 100_000}
    row = {"worker": "after", "at": NOW, "ticks": 1, "note": note}

    def save() -> None:
        with sqlite_record.write() as conn:
            _beat(conn, "during")
            conn.execute(insert(table_of(HeartbeatRow)), row)

    with pytest.raises(RecordFull, match="No room"):
        save()
    assert _workers(sqlite_record) == ["before"]
    with sqlite_record.write() as conn:
        conn.exec_driver_sql("PRAGMA max_page_count = 1000000")
        conn.execute(insert(table_of(HeartbeatRow)), row)
    assert _workers(sqlite_record) == ["after", "before"]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://nobody@127.0.0.1:1/record",
        "postgresql+psycopg:///record?host=/nonexistent",
    ],
)
def test_a_server_that_does_not_answer_is_named(url: str) -> None:
    """The sentence names the database and its machine, and no password."""
    with pytest.raises(RecordUnreachable, match=r"record on .* does not answer"):
        store.require_current(store.open_record(url))


@pytest.mark.postgres
def test_a_server_that_goes_away_in_the_middle_is_named(postgresql_url: str) -> None:
    """A conversation cut in a transaction is said to be cut, and the next one starts afresh."""
    record, other = store.open_record(postgresql_url), store.open_record(postgresql_url)

    def save() -> None:
        with record.write() as conn:
            _beat(conn, "cut")
            mine = conn.execute(text("SELECT pg_backend_pid()")).scalar()
            with other.write() as killer:
                killer.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": mine})
            conn.execute(text("SELECT 1"))

    with pytest.raises(RecordUnreachable, match="Nothing was written"):
        save()
    with record.write() as conn:
        _beat(conn, "afresh")
    assert _workers(record) == ["afresh"]
    record.close()
    other.close()


def test_our_own_mistakes_are_not_blamed_on_the_record(record: Record) -> None:
    """A broken constraint stays a broken constraint."""
    with record.write() as conn:
        _beat(conn, "w")
    with pytest.raises(IntegrityError), record.write() as conn:
        _beat(conn, "w")


def test_a_database_error_repeats_no_name(record: Record) -> None:
    """A broken constraint may be logged: it says which, and no name, number or finding."""
    with record.write() as conn:
        _admit(conn)
    name, colour = "SECRET, Zoe", "plaid"
    taken = {"id": 2, "mrn": "M1", "name": name, "born_on": date(1970, 1, 1), "ward": "W"}
    with pytest.raises(IntegrityError) as twice, record.write() as conn:
        conn.execute(insert(table_of(PatientRow)), taken | {"bed": "9"})
    with pytest.raises(IntegrityError) as unknown, record.write() as conn:
        conn.execute(insert(table_of(FlapCheckRow)), _check(note=name, colour=colour))
    told = "".join("".join(traceback.format_exception(e.value)) for e in (twice, unknown))
    assert "patient" in told and "colour" in told
    for hidden in (name, colour, "M1)"):
        assert hidden not in told
    assert store.broke(twice.value, "patient", "mrn")
    assert not store.broke(unknown.value, "patient", "mrn")
    assert not store.broke(twice.value, "flap_check", "key")


# Versions


def test_an_empty_database_is_refused_until_migrated(empty_url: str) -> None:
    """Dashboard and worker refuse it and say what to run; migrating twice changes nothing."""
    if empty_url.startswith("sqlite"):
        Path(empty_url.removeprefix("sqlite:///")).touch()
    record = store.open_record(empty_url)
    assert store.current_revision(record) is None
    with pytest.raises(RecordNotMigrated, match=r"run: python -m monitoring migrate"):
        store.require_current(record)
    assert store.migrate(empty_url) == store.migrate(empty_url) == store.head_revision()
    store.require_current(record)
    record.close()


def _pretend_revision(record: Record, revision: str) -> None:
    with record.write() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = :r"), {"r": revision})


def test_a_newer_record_is_refused_and_left_alone(record: Record) -> None:
    """A record from a later version is neither opened nor migrated back."""
    _pretend_revision(record, "9999")
    with pytest.raises(RecordNewer, match=r"revision 9999, made by a newer version.*install"):
        store.require_current(record)
    with pytest.raises(RecordNewer):
        store.migrate(record.url)
    assert store.current_revision(record) == "9999"


def test_an_older_record_is_refused_with_both_revisions(sqlite_record: Record) -> None:
    """The sentence says where the record is and what this program needs."""
    _pretend_revision(sqlite_record, "0001")
    with pytest.raises(RecordNotMigrated, match=r"at revision 0001, this program needs 0002.*run"):
        store.require_current(sqlite_record)


def test_the_migrated_record_is_the_one_the_rows_describe(record: Record) -> None:
    """Alembic finds no difference between the migrated tables and ``rows.py``."""
    command.check(store.alembic_config(record.url))


def _rules(conn: Connection) -> dict[str, set[tuple[str, str]]]:
    """Every CHECK of every table, as the database repeats it."""
    inspector = inspect(conn)
    return {
        table: {
            (str(c["name"]), re.sub(r"\s+", " ", c["sqltext"]))
            for c in inspector.get_check_constraints(table)
        }
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


def test_every_rule_of_the_rows_stands_in_the_migrated_record(record: Record) -> None:
    """Alembic does not compare CHECK constraints, so a word added to a sign without a migration
    would be refused at the bedside: here it is refused by this test."""
    with store.migrating(record.url) as conn:
        migrated = _rules(conn)
        Row.metadata.drop_all(conn)
        Row.metadata.create_all(conn)
        described = _rules(conn)
    assert migrated == described
    assert sum(map(len, described.values())) > len(SIGNS)


def test_a_migration_can_be_undone(record: Record) -> None:
    """Downgrading the first version leaves no table of ours."""
    config = store.alembic_config(record.url)
    command.downgrade(config, "base")
    with record.read() as conn:
        assert set(inspect(conn).get_table_names()) <= {"alembic_version"}


# Constraints


@pytest.mark.parametrize("sign", [s.name for s in SIGNS.values() if s.kind == "words"])
def test_no_sign_holds_a_word_outside_its_vocabulary(sqlite_record: Record, sign: str) -> None:
    """Even a hand at the database cannot store a colour nobody defined."""
    with sqlite_record.write() as conn:
        _admit(conn)
    with pytest.raises(IntegrityError, match=f"{sign}_word"), sqlite_record.write() as conn:
        conn.execute(insert(table_of(FlapCheckRow)), _check(**{sign: "puce"}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"colour": "puce"},
        {"flap_temp_c": 92.0},
        {"refill_seconds": 16.0},
        {"refill_word": "sluggish"},
        {"refill_seconds": 2.0, "refill_word": "normal"},
        {"source": "guess"},
        {"severity": "orange"},
        {"by": "nobody"},
        {"by": "system"},
        {"flap_id": "R"},
        {"struck_by": "nurse1"},
        {"struck_at": NOW},
        {"struck_by": "nurse1", "struck_at": NOW},
        {"amend_reason": "typing"},
        {"amended_by": "nurse1"},
        {"first_recorded_at": NOW + timedelta(minutes=1)},
        {"replaced_at": NOW},
    ],
    ids=lambda wrong: ",".join(wrong),
)
def test_an_impossible_check_is_refused_by_the_database(
    record: Record, wrong: dict[str, Any]
) -> None:
    """Wrong words, numbers out of range, half a who-and-when, unknown people and flaps."""
    with record.write() as conn:
        _admit(conn)
        conn.execute(insert(table_of(FlapCheckRow)), _check())
    with pytest.raises(IntegrityError), record.write() as conn:
        conn.execute(insert(table_of(FlapCheckRow)), _check(**wrong))


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "borrowed"},
        {"tissue": "cartilage"},
        {"discharged_by": "nurse1"},
        {"discharged_at": NOW, "ended_at": NOW},
        {"discharged_by": "nurse1", "discharged_at": NOW},
        {"monitoring_from": NOW - timedelta(hours=1)},
        {"ischaemia_minutes": -1},
        {"admitted_by": "nobody"},
        {"patient_id": 2},
    ],
    ids=lambda wrong: ",".join(wrong),
)
def test_an_impossible_flap_is_refused_by_the_database(
    record: Record, wrong: dict[str, Any]
) -> None:
    """No half discharge, no unknown word, no flap without its patient."""
    with record.write() as conn:
        _admit(conn)
        conn.execute(insert(table_of(FlapRow)), _flap(id="R"))
    with pytest.raises(IntegrityError), record.write() as conn:
        conn.execute(insert(table_of(FlapRow)), _flap(id="S", **wrong))


_ACKNOWLEDGED = {
    "state": "acknowledged", "acknowledged_by": "nurse1", "acknowledged_at": NOW,
    "intent": "coming", "expected_at": NOW,
}  # fmt: skip
_CLOSED = {
    "state": "closed", "closed_by": "nurse1", "closed_at": NOW, "close_reason": "probe",
}  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"stream": "weather"},
        {"state": "closed"},
        {"state": "acknowledged"},
        _ACKNOWLEDGED | {"acknowledged_by": None},
        _ACKNOWLEDGED | {"acknowledged_at": None},
        _ACKNOWLEDGED | {"expected_at": None},
        _ACKNOWLEDGED | {"intent": "maybe"},
        _ACKNOWLEDGED | {"acknowledged_by": "system"},
        _CLOSED | {"close_reason": None},
        _CLOSED | {"closed_by": None},
        _CLOSED | {"close_reason": "bored"},
        _CLOSED | {"state": "open"},
        _CLOSED | {"closed_by": "system", "close_reason": "check_made"},
        _CLOSED | {"close_reason": "check_made"},
        _CLOSED | {"stream": "monitoring", "closed_by": "system"},
    ],
    ids=lambda wrong: ",".join(f"{k}={v}" for k, v in wrong.items())[:60],
)
def test_an_impossible_alert_is_refused_by_the_database(
    record: Record, wrong: dict[str, Any]
) -> None:
    """An alert is acknowledged by a person who said when they come, closed by one who said why;
    only a monitoring alert closes itself, and only for a reason of its own."""
    with record.write() as conn:
        _admit(conn)
        for row in (_alert(**_ACKNOWLEDGED), _alert(**_CLOSED)):
            conn.execute(insert(table_of(AlertRow)), row)
        by_itself = {"stream": "monitoring", "closed_by": "system", "close_reason": "hold"}
        conn.execute(insert(table_of(AlertRow)), _alert(**_CLOSED | by_itself))
    with pytest.raises(IntegrityError), record.write() as conn:
        conn.execute(insert(table_of(AlertRow)), _alert(stream="haematoma") | wrong)


def test_one_episode_of_a_stream_is_open_at_a_time(record: Record) -> None:
    """Two saves that both saw a venous picture make one alert; a closed one makes room."""
    alert = table_of(AlertRow)
    with record.write() as conn:
        _admit(conn)
        conn.execute(insert(alert), _alert())
        conn.execute(insert(alert), _alert(stream="haematoma"))
    for state in ({}, _ACKNOWLEDGED):
        with pytest.raises(IntegrityError), record.write() as conn:
            conn.execute(insert(alert), _alert(**state))
    with record.write() as conn:
        conn.execute(update(alert).where(alert.c.stream == "perfusion").values(**_CLOSED))
        conn.execute(insert(alert), _alert())


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "partial_loss"},
        {"kind": "survived", "percent": 10.0},
        {"kind": "partial_loss", "percent": 100.0},
        {"kind": "fine"},
    ],
    ids=str,
)
def test_an_outcome_is_whole_or_not_there(record: Record, wrong: dict[str, Any]) -> None:
    """A partial loss has its percentage, nothing else has one, and no flap ends twice."""
    outcome = table_of(OutcomeRow)
    row = {"flap_id": "L", "closed_at": NOW, "by": "nurse1", "recorded_at": NOW}
    with record.write() as conn:
        _admit(conn)
    with pytest.raises(IntegrityError), record.write() as conn:
        conn.execute(insert(outcome), row | wrong)
    with record.write() as conn:
        conn.execute(insert(outcome), row | {"kind": "partial_loss", "percent": 10.0})
    with pytest.raises(IntegrityError), record.write() as conn:
        conn.execute(insert(outcome), row | {"kind": "survived"})


def test_a_hold_ends_after_it_began_and_is_released_by_somebody(record: Record) -> None:
    """A hold that ended before it began, or that nobody released, is refused."""
    hold = {
        "flap_id": "L", "from_at": NOW, "reason": "theatre", "by": "nurse1", "recorded_at": NOW,
    }  # fmt: skip
    with record.write() as conn:
        _admit(conn)
        conn.execute(insert(table_of(HoldRow)), hold)
    wrongs: list[dict[str, Any]] = [
        {"until_at": NOW - timedelta(minutes=1)},
        {"until_at": NOW, "released_at": NOW},
        {"until_at": NOW, "released_by": "nurse1"},
        {"released_by": "nurse1", "released_at": NOW},
        {"reason": "lunch"},
    ]
    for wrong in wrongs:
        with pytest.raises(IntegrityError), record.write() as conn:
            conn.execute(insert(table_of(HoldRow)), hold | wrong)


def test_every_moment_of_the_record_is_stored_alike() -> None:
    """No column keeps a time in another form than the exact one."""
    kinds = {
        type(column.type)
        for table in Row.metadata.sorted_tables
        for column in table.columns
        if column.name == "at" or column.name.endswith(("_at", "_from", "since"))
    }
    assert kinds == {UtcInstant}


# Protocols


def test_a_protocol_that_changed_after_use_is_refused(record: Record) -> None:
    """A flap is judged by the protocol it was pinned to, not by what its file became."""
    with record.write() as conn:
        store.pin_protocol(conn, "skin-paddle@1", "aaa", NOW)
        store.pin_protocol(conn, "skin-paddle@1", "aaa", NOW + timedelta(hours=1))
        store.pin_protocol(conn, "skin-paddle@2", "bbb", NOW)
    with (
        pytest.raises(ProtocolChanged, match=r"skin-paddle@1 was changed.*new version"),
        record.write() as conn,
    ):
        store.pin_protocol(conn, "skin-paddle@1", "bbb", NOW)


def test_a_record_moved_aside_is_read_where_it_lies(sqlite_url: str, tmp_path: Path) -> None:
    """Folders with spaces, percent and question marks in their names hold records too."""
    odd = tmp_path / "ward 7B 100% #1"
    odd.mkdir()
    url = f"sqlite:///{odd / 'record.db'}"
    store.migrate(url)
    record = store.open_record(url)
    with record.write() as conn:
        _beat(conn, "w")
    assert _workers(record) == ["w"]
    record.close()
    with sqlite3.connect(odd / "record.db") as raw:
        assert raw.execute("SELECT at FROM heartbeat").fetchone() == (to_micros(NOW),)
    raw.close()
