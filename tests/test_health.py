"""Whether boards may trust the product: the record's state and the watcher's heartbeat."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitoring import watch_log
from monitoring.health import health, prepare_record
from monitoring.settings import FILE, Settings, read_settings
from monitoring.store import (
    Record,
    RecordMissing,
    RecordNewer,
    RecordNotMigrated,
    current_revision,
    head_revision,
    migrating,
    open_record,
    require_current,
)

NOW = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)


@pytest.fixture
def fresh(empty_url: str) -> Iterator[Record]:
    """A record's address with nothing there yet, on each database in turn."""
    opened = open_record(empty_url)
    yield opened
    opened.close()


@pytest.fixture
def settings() -> Settings:
    return read_settings(FILE)


def beat(record: Record, worker: str, seconds_ago: float, set_aside: tuple[str, ...] = ()) -> None:
    with record.write() as conn:
        at = NOW - timedelta(seconds=seconds_ago)
        watch_log.beat(conn, worker, at, {"set_aside": list(set_aside)})


def turn_into(record: Record, revision: str) -> None:
    with migrating(record.url) as conn:
        conn.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")


def test_a_watcher_seen_within_a_minute_is_trusted(record: Record, settings: Settings) -> None:
    """A heartbeat exactly as old as the limit still counts; one second more does not."""
    beat(record, "a", 60)
    found = health(record, NOW, settings)
    assert (found.ok, found.status, found.revision) == (True, 200, head_revision())
    assert found.watcher.seconds == 60
    late = health(record, NOW + timedelta(seconds=1), settings)
    assert (late.ok, late.status) == (False, 503)
    assert late.watcher.state == "ALERTS NOT RUNNING: the watcher last ran 61 s ago."


def test_the_newest_heartbeat_counts(record: Record, settings: Settings) -> None:
    """A second watcher that took over is enough; the first one's old heartbeat is history."""
    beat(record, "dead", 4000)
    beat(record, "alive", 1)
    assert health(record, NOW, settings).ok


def test_a_ward_where_no_watcher_ever_ran_is_told_so(record: Record, settings: Settings) -> None:
    """A dashboard started alone says that nobody watches the clock."""
    found = health(record, NOW, settings)
    assert found.status == 503
    assert "no watcher has ever run" in found.watcher.state
    assert found.report()["watcher"]["seconds"] is None


def test_a_heartbeat_from_the_future_is_not_trusted(record: Record, settings: Settings) -> None:
    """A watcher's clock running ahead would hide its death; small differences are let be."""
    beat(record, "a", -30)
    assert health(record, NOW, settings).ok
    found = health(record, NOW - timedelta(seconds=600), settings)
    assert not found.ok
    assert "630 s ahead" in found.watcher.state


def test_a_flap_set_aside_is_named(record: Record, settings: Settings) -> None:
    """A watcher that beats but cannot judge one flap is not well: that flap is not watched."""
    beat(record, "a", 1, ("flap-7",))
    found = health(record, NOW, settings)
    assert found.status == 503
    assert "flap-7" in found.watcher.state
    beat(record, "a", 0)
    assert health(record, NOW, settings).ok


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ({"behind": [7]}, "ALERTS BEHIND: alert 7 was told to nobody in time"),
        ({"unsent": ["3 messages on sms not handed over in time"]}, "ALERTS BEHIND: 3 messages"),
    ],
)
def test_a_watcher_that_is_behind_is_not_well(
    record: Record, settings: Settings, note: dict[str, list[object]], words: str
) -> None:
    """It beats, but somebody who should have been told was not: a probe is told so."""
    with record.write() as conn:
        watch_log.beat(conn, "watcher", NOW, {"set_aside": []} | note)
    found = health(record, NOW, settings)
    assert found.status == 503 and found.watcher.state.startswith(words)


def test_a_record_that_cannot_be_read_is_said_not_raised(fresh: Record, settings: Settings) -> None:
    """With no record at all the report still comes, in a sentence, and nothing is made."""
    found = health(fresh, NOW, settings)
    assert found.status == 503
    assert "python -m monitoring migrate" in found.record
    assert found.watcher.state.startswith("Not known")
    with pytest.raises((RecordMissing, RecordNotMigrated)):
        require_current(fresh)


def test_a_report_is_plain_values(record: Record, settings: Settings) -> None:
    """The report goes out as JSON with the heartbeat's instant and its offset."""
    beat(record, "a", 2)
    report = health(record, NOW, settings).report()
    assert report["ok"] is True
    assert report["watcher"]["last"] == "2026-03-02T13:59:58+00:00"
    assert report["watcher"]["note"] == {"set_aside": []}


def test_a_new_record_is_made_and_an_old_one_is_refused(fresh: Record) -> None:
    """Starting makes a record only where there is none: bringing an existing one to another
    version is a person's decision."""
    prepare_record(fresh)
    assert current_revision(fresh) == head_revision()
    prepare_record(fresh)
    turn_into(fresh, "9999")
    with pytest.raises(RecordNewer):
        prepare_record(fresh)


def test_an_empty_file_counts_as_new(tmp_path: Path) -> None:
    """A file that was touched into being holds nothing to protect."""
    (tmp_path / "record.db").touch()
    record = open_record(f"sqlite:///{tmp_path}/record.db")
    with pytest.raises(RecordNotMigrated):
        require_current(record)
    prepare_record(record)
    assert current_revision(record) == head_revision()
    record.close()
