"""What happens to a check when the machine fails under it: all of it is kept, or none of it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import event

from monitoring import care, checks, episodes, rechecks, store
from monitoring.domain import Severity, Stream
from monitoring.store import Record
from tests.bedside import CONGESTED, PROTOCOLS, Bed, admit, everything, patient, staff
from tests.stays import facts

KILLS = 30


def whole(record: Record, flap_id: str) -> set[UUID]:
    """The keys of the stored checks, each with its judgement, alerts and recheck beside it."""
    with record.read() as conn:
        stored = checks.checks_of_flap(conn, flap_id)
        judged = episodes.current_assessments(conn, [s.check.key for s in stored])
        alerts = episodes.alerts_of_flap(conn, flap_id)
        told = episodes.events_of(conn, [a.id for a in alerts])
        asked = rechecks.last_recheck(conn, flap_id)
    said = {f.at for a in alerts for f in a.findings}
    for one in stored:
        found = judged[one.check.key].assessment.findings
        assert one.severity is found[0].severity is Severity.RED
        assert one.check.observed_at in said or len(stored) > 13
    if stored:
        assert asked is not None
        assert {a.stream for a in alerts} == {Stream.PERFUSION, Stream.HAEMATOMA}
        assert len(told) == 2 * len(stored)
    return {s.check.key for s in stored}


class Saver:
    """The process that saves, seen from outside."""

    def __init__(self, url: str, flap_id: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("saver.py")), url, flap_id],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": os.getcwd()},
        )  # fmt: skip
        assert self.line() == "ready"

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def start(self, how: str) -> int:
        """Fork one that saves; returns its process id."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{how}\n")
        self.process.stdin.flush()
        word, _, child = self.line().partition(" ")
        assert word == "started"
        return int(child)

    def acknowledged(self, killer: threading.Timer | None = None) -> tuple[set[UUID], bool]:
        """Read on until the child ended: the keys it acknowledged, and whether it survived. The
        killer sets out once the first key is there.

        One that was not killed and did not survive failed for another reason.
        """
        keys, survived = set(), False
        while not (said := self.line()).startswith("ended"):
            if said == "survived":
                survived = True
                continue
            keys.add(UUID(said))
            if killer is not None and len(keys) == 1:
                killer.start()
        if killer is not None:
            killer.join()
        assert said == ("ended 0" if survived else f"ended {-signal.SIGKILL}")
        return keys, survived

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def flap_id(record: Record) -> str:
    """A flap monitored since yesterday."""
    staff(record)
    then = datetime.now(UTC) - timedelta(hours=24)
    return care.admit_flap(
        record, PROTOCOLS, patient=patient(), facts=facts(perfused_at=then), by="ana", now=then
    )


@pytest.fixture
def saver(record_url: str, flap_id: str) -> Iterator[Saver]:
    made = Saver(record_url, flap_id)
    yield made
    made.end()


def test_killed_at_any_statement_nothing_is_half_written(
    record: Record, flap_id: str, saver: Saver
) -> None:
    """The power goes before each statement of a save in turn, and before its commit: until the
    commit nothing is kept, after it the check is whole, announced or not."""
    kept: set[UUID] = set()
    committed = []
    for number in range(1, 80):
        saver.start(f"at {number}")
        keys, survived = saver.acknowledged()
        now_kept = whole(record, flap_id)
        assert keys <= now_kept
        committed.append(len(now_kept - kept))
        kept = now_kept
        if survived:
            break
    assert survived
    assert max(committed) == 1
    assert committed.count(0) > 10


def test_killed_at_any_moment_every_acknowledged_check_is_there(
    record: Record, flap_id: str, saver: Saver
) -> None:
    """Thirty times kill -9 at a moment nobody chose, in the middle of saves: whatever the nurse was
    told is saved is in the record, whole."""
    moment = random.Random(2)
    acknowledged: set[UUID] = set()
    for _ in range(KILLS):
        child = saver.start("on")
        killer = threading.Timer(moment.uniform(0, 0.05), os.kill, (child, signal.SIGKILL))
        keys, survived = saver.acknowledged(killer)
        assert keys and not survived
        acknowledged |= keys
        kept = whole(record, flap_id)
        assert acknowledged <= kept
        assert len(kept - acknowledged) <= 1, "only what was under way may be there unannounced"
        acknowledged = kept
    assert len(acknowledged) >= KILLS


def test_a_full_disk_keeps_nothing_of_a_check(sqlite_record: Record) -> None:
    """The disk is full in the middle of a save: a sentence says so, nothing is half written, and
    the same form saves once there is room."""
    staff(sqlite_record)
    bed = admit(sqlite_record)
    full = [True]

    def no_room(conn: object, *_: object) -> None:
        with_room = 1_000_000_000
        raw = conn.connection  # type: ignore[attr-defined]
        (pages,) = raw.execute("PRAGMA page_count").fetchone()
        raw.execute(f"PRAGMA max_page_count={pages if full[0] else with_room}")

    event.listen(sqlite_record.writer, "begin", no_room)
    refused = 0
    for minutes in range(1, 200, 2):
        check = bed.look(minutes, CONGESTED | {"swelling": "rapid"})
        before = everything(sqlite_record)
        try:
            bed.enter(check, minutes)
            continue
        except store.RecordFull as error:
            said = str(error)
        refused += 1
        assert "No room is left" in said
        assert everything(sqlite_record) == before
        full[0] = False
        assert not bed.enter(check, minutes).repeated
        full[0] = True
        if refused >= 3:
            break
    assert refused >= 3


def test_a_locked_record_keeps_nothing_of_a_check(sqlite_url: str) -> None:
    """Somebody else holds the record: after the wait a sentence, nothing written, and the same form
    saves afterwards."""
    record = store.open_record(sqlite_url, wait_ms=50)
    staff(record)
    bed = admit(record)
    other = store.open_record(sqlite_url)
    check = bed.look(1, CONGESTED)
    with other.write(), pytest.raises(store.RecordLocked, match="Try again"):
        bed.enter(check, 1)
    assert bed.checks() == [] and bed.alerts() == []
    assert not bed.enter(check, 1).repeated
    record.close()
    other.close()


def test_a_read_only_record_is_read_and_not_written(sqlite_url: str) -> None:
    """The board still shows what is there; a save says that the record may only be read."""
    writable = store.open_record(sqlite_url)
    staff(writable)
    flap = admit(writable)
    flap.save(1)
    record = store.open_record(f"{sqlite_url}?mode=ro")
    bed = Bed(record, flap.id)
    with pytest.raises(store.RecordReadOnly, match="may only be read"):
        bed.save(31)
    assert len(bed.checks()) == 1
    record.close()
    writable.close()
