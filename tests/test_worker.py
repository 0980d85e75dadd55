"""The watcher: nothing it finds depends on when it looked, and one bad record stops nobody."""

from __future__ import annotations

import logging

import pytest

from monitoring import care, rounds, store, ward, watch_log, worker
from monitoring.domain import Severity, Stream
from monitoring.store import Record
from monitoring.watch_log import WatchFinding
from tests.bedside import CONGESTED, PALE, PROTOCOLS, SILENT, Bed, admit, at, staff


def passed(bed: Bed) -> set[tuple[str, Severity, object, str]]:
    with bed.record.read() as conn:
        found = watch_log.watch_findings_of(conn, bed.id)
    return {(w.rule, w.severity, w.due_at, w.because) for w in found}


def corrupt(bed: Bed) -> None:
    """Leave a word in the record that means nothing, as a bad disk or hand would."""
    with bed.record.write() as conn:
        conn.exec_driver_sql(
            f'UPDATE flap_check SET unable = \'{{"turgor": {{"unable": "nonsense"}}}}\' '
            f"WHERE flap_id = '{bed.id}'"
        )


def test_a_tick_writes_what_passed_and_a_heartbeat(record: Record) -> None:
    """One missed slot is two deadlines, yellow and amber; the heartbeat counts the rounds."""
    staff(record)
    bed = admit(record)
    bed.save(1)
    done = worker.tick(record, PROTOCOLS, now=at(57))
    assert (done.raised, done.set_aside) == (2, ())
    assert worker.tick(record, PROTOCOLS, now=at(58)).raised == 0
    with record.read() as conn:
        (beat,) = watch_log.heartbeats(conn)
    assert (beat.worker, beat.at, beat.ticks) == (worker.NAME, at(58), 2)
    assert beat.note == {"set_aside": [], "behind": []}


def test_a_watcher_that_slept_finds_what_one_that_did_not_found(record: Record) -> None:
    """Asleep over three slots and a check, it dates the same deadlines to the same minute."""
    staff(record)
    awake, asleep = admit(record), admit(record, mrn="2", name="FOGG, Ann")
    for bed in (awake, asleep):
        bed.save(1)
    for minutes in range(0, 150, 3):
        care.raise_overdue(record, PROTOCOLS, flap_id=awake.id, now=at(minutes))
        if minutes == 96:
            for bed in (awake, asleep):
                bed.save(96)
    worker.tick(record, PROTOCOLS, now=at(150))
    assert passed(asleep) == passed(awake)
    assert len(passed(asleep)) >= 5


def test_what_was_settled_while_asleep_calls_nobody(record: Record) -> None:
    """A slot missed and made good before the watcher woke is history, not an alert."""
    staff(record)
    bed = admit(record)
    bed.save(1)
    bed.save(62)
    worker.tick(record, PROTOCOLS, now=at(65))
    assert len(passed(bed)) == 2
    assert bed.alerts() == []


@pytest.mark.parametrize("minutes", [41, 41.03, 300])
def test_a_deadline_is_dated_alike_however_late_it_is_seen(
    sqlite_record: Record, minutes: float
) -> None:
    """The unconfirmed signal turned red at 41 min, whenever anybody noticed."""
    staff(sqlite_record)
    bed = admit(sqlite_record)
    bed.save(1)
    bed.save(31, SILENT)
    worker.tick(sqlite_record, PROTOCOLS, now=at(minutes))
    red = [f for f in bed.alert().findings if f.severity is Severity.RED]
    assert [f.at for f in red] == [at(41)]


def test_a_flap_whose_record_is_broken_is_set_aside(
    record: Record, caplog: pytest.LogCaptureFixture
) -> None:
    """One flap's rows make no sense any more: it is named as set aside in the heartbeat and the
    log, shown as unreadable to the board, and the others are watched on."""
    staff(record)
    bad, good = admit(record), admit(record, mrn="2", name="FOGG, Ann")
    bad.save(1, {"turgor": {"unable": "dressing"}})
    good.save(1)
    corrupt(bad)
    with caplog.at_level(logging.ERROR, "monitoring.worker"):
        done = worker.tick(record, PROTOCOLS, now=at(57))
    assert done.set_aside == (bad.id,)
    assert len(passed(good)) == 2
    assert good.alert(Stream.MONITORING).severity is Severity.AMBER
    with record.read() as conn:
        (beat,) = watch_log.heartbeats(conn)
    assert beat.note == {"set_aside": [bad.id], "behind": []}
    found = ward.snapshot(record, PROTOCOLS, at(57))
    assert found.unreadable == (bad.id,)
    assert [b.flap.id for b in found.beds] == [good.id]
    assert bad.id in caplog.text
    assert "MBEKI" not in caplog.text


def test_a_log_names_the_error_and_nobody(
    record: Record, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever an error repeats, a name or a finding, the log says its kind and its place only."""
    staff(record)
    bed = admit(record)
    bed.save(1)

    def fails(*args: object, **more: object) -> int:
        try:
            raise KeyError("MBEKI, Thandi")
        except KeyError as error:
            raise ValueError("dusky, name='MBEKI, Thandi'") from error

    monkeypatch.setattr(care, "raise_overdue", fails)
    with caplog.at_level(logging.ERROR, "monitoring.worker"):
        assert worker.tick(record, PROTOCOLS, now=at(57)).set_aside == (bed.id,)
    assert "ValueError at worker.py:" in caplog.text and "KeyError" in caplog.text
    assert bed.id in caplog.text
    for hidden in ("MBEKI", "dusky"):
        assert hidden not in caplog.text


def test_a_broken_alert_sets_aside_its_own_flap_only(record: Record) -> None:
    """An alert whose evidence makes no sense any more: the same."""
    staff(record)
    bad, good = admit(record), admit(record, mrn="2", name="FOGG, Ann")
    bad.save(1, CONGESTED)
    with record.write() as conn:
        conn.exec_driver_sql("UPDATE alert SET findings = '[{}]'")
    assert worker.tick(record, PROTOCOLS, now=at(57)).set_aside == (bad.id,)
    assert passed(good)


def test_a_flap_whose_protocol_is_gone_is_set_aside(record: Record) -> None:
    """Without its protocol's file a flap cannot be judged: it is reported, not forgotten."""
    staff(record)
    gone, here = admit(record), admit(record, mrn="2", name="FOGG, Ann", tissue="muscle")
    left = {k: p for k, p in PROTOCOLS.items() if not k.startswith("skin-paddle")}
    done = worker.tick(record, left, now=at(57))
    assert done.set_aside == (gone.id,)
    assert passed(here)


def test_a_record_that_cannot_be_read_beats_no_heart(record: Record) -> None:
    """Nothing is said to be well when the record itself is not there."""
    with record.write() as conn:
        conn.exec_driver_sql("ALTER TABLE flap RENAME TO flap_elsewhere")
    with pytest.raises(Exception, match="flap"):
        worker.tick(record, PROTOCOLS, now=at(1))
    with record.read() as conn:
        assert watch_log.heartbeats(conn) == []


def test_a_locked_record_beats_no_heart(sqlite_url: str) -> None:
    """A watcher that cannot write says so and writes no heartbeat."""
    opened = store.open_record(sqlite_url, wait_ms=50)
    staff(opened)
    admit(opened)
    other = store.open_record(sqlite_url)
    with other.write(), pytest.raises(store.RecordLocked):
        worker.tick(opened, PROTOCOLS, now=at(57))
    with opened.read() as conn:
        assert watch_log.heartbeats(conn) == []
    opened.close()
    other.close()


def test_a_quiet_ward_is_not_written_to(record: Record) -> None:
    """A tick over flaps whose deadlines are all known asks nothing of them again, long after."""
    staff(record)
    bed = admit(record)
    bed.save(1, CONGESTED)
    bed.save(31, PALE)
    worker.tick(record, PROTOCOLS, now=at(4000))
    assert rounds.awaiting(record, PROTOCOLS, at(4000)).flap_ids == ()
    assert {w.severity for w in _all(bed)} == {Severity.YELLOW, Severity.AMBER}


def _all(bed: Bed) -> list[WatchFinding]:
    with bed.record.read() as conn:
        return watch_log.watch_findings_of(conn, bed.id)
