"""One worker watches the clock, another stands by: nobody waits long, and nobody writes twice."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from monitoring import leases, store, ward, watch_log, worker
from monitoring.dead_man import DeadMan
from monitoring.domain import PageKind, Severity
from monitoring.leases import LostLease
from monitoring.paging import NewPage, insert_pages
from monitoring.store import Record
from monitoring.views import engine
from monitoring.worker import Fenced, Watch
from tests.bedside import PROTOCOLS, admit, at, staff
from tests.sinks import http_sink


def watch(record: Record, owner: str, url: str = "") -> Watch:
    return Watch(record, PROTOCOLS, owner, DeadMan(url, every=0))


def seconds(count: float) -> datetime:
    return at(57) + timedelta(seconds=count)


def beats(record: Record) -> list[tuple[str, datetime]]:
    with record.read() as conn:
        return [(b.worker, b.at) for b in watch_log.heartbeats(conn)]


def holder(record: Record) -> tuple[str, int]:
    with record.read() as conn:
        found = leases.lease(conn, worker.NAME)
    assert found is not None
    return found.owner, found.fence


def eventually(true: Callable[[], bool], within: float = 10.0) -> None:
    by = time.monotonic() + within
    while not true():
        assert time.monotonic() < by, "waited in vain"
        time.sleep(0.01)


def test_a_second_worker_stands_by(record: Record, caplog: pytest.LogCaptureFixture) -> None:
    """Two workers: the first ticks, the second neither ticks nor beats, and says so once."""
    first, second = watch(record, "a"), watch(record, "b")
    with caplog.at_level(logging.INFO, "monitoring.worker"):
        for n in range(3):
            assert first.round(seconds(2 * n)) is not None
            assert second.round(seconds(2 * n + 1)) is None
    assert beats(record) == [(worker.NAME, seconds(4))]
    assert holder(record) == ("a", 1)
    assert caplog.text.count("stands by") == 1


def test_a_dead_worker_s_watch_is_taken_over(record: Record) -> None:
    """The holder is heard of no more: within 30 s another ticks, under the same heartbeat."""
    first, second = watch(record, "a"), watch(record, "b")
    first.round(seconds(0))
    assert second.round(seconds(14.9)) is None
    assert second.round(seconds(15)) is not None
    assert timedelta(seconds=20) >= worker.LEASE
    assert holder(record) == ("b", 2)
    assert first.round(seconds(16)) is None, "it stands by now"
    assert beats(record) == [(worker.NAME, seconds(15))]


def test_one_that_slept_over_its_watch_writes_nothing_more(record: Record) -> None:
    """It read the ward, hung, and wakes after another took over: none of its writes is kept."""
    staff(record)
    bed = admit(record)
    bed.save(1)
    first, second = watch(record, "a"), watch(record, "b")
    first.round(at(2))
    assert first.lease is not None
    asleep = Fenced(record.url, record.writer, record.reader, first.lease)
    with record.write() as conn:
        leases.take(conn, worker.NAME, "b", at(57), worker.LEASE)
    with pytest.raises(LostLease, match="taken over"):
        worker.tick(asleep, PROTOCOLS, now=at(57))
    assert bed.alerts() == []
    assert beats(record) == [(worker.NAME, at(2))]
    assert second.round(at(58)) is not None
    assert len(bed.alerts()) == 1


def test_nobody_takes_over_within_a_write(record_url: str, record: Record) -> None:
    """While the holder's transaction is open, a takeover waits until it is committed: what it
    wrote was written by the holder."""
    first = watch(record, "a")
    first.round(seconds(0))
    assert first.lease is not None
    fenced = Fenced(record.url, record.writer, record.reader, first.lease)
    other = store.open_record(record_url)
    late = threading.Thread(target=lambda: watch(other, "b").round(seconds(100)))
    with fenced.write() as conn:
        late.start()
        late.join(0.3)
        assert late.is_alive()
        watch_log.beat(conn, "written by a", seconds(1), {})
    late.join(10)
    assert holder(record) == ("b", 2)
    assert ("written by a", seconds(1)) in beats(record)
    with pytest.raises(LostLease), fenced.write():
        pass
    other.close()


def test_a_worker_that_ends_gives_the_watch_back(record: Record) -> None:
    """Stopped in good order, the next worker need not wait."""
    first, second = watch(record, "a"), watch(record, "b")
    first.round(seconds(0))
    first.end(seconds(1))
    assert second.round(seconds(1)) is not None
    first.end(seconds(2))
    assert second.round(seconds(3)) is not None, "only a holder can give it back"


@pytest.mark.parametrize("minutes", [10, -10])
def test_a_clock_that_is_set_hands_nothing_over(record: Record, minutes: int) -> None:
    """The clock is set by ten minutes: the holder goes on, and were it dead, another would take
    over at once or after the lease."""
    first, second = watch(record, "a"), watch(record, "b")
    first.round(seconds(0))
    jump = 60.0 * minutes
    assert first.round(seconds(jump)) is not None
    assert holder(record) == ("a", 1)
    first.round(seconds(0))
    assert second.round(seconds(jump)) is not None


def test_a_killed_process_of_this_machine_is_known_to_be_gone(record: Record) -> None:
    """The worker was killed and started again on the same machine: the new one need not wait for
    the dead one's lease. One that still lives is waited for."""
    code = "from monitoring.worker import whoami; print(whoami(), flush=True); input()"
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
    )  # fmt: skip
    assert child.stdout is not None and child.stdin is not None
    dead = child.stdout.readline().strip()
    assert watch(record, dead).round(seconds(0)) is not None
    assert watch(record, "b").round(seconds(1)) is None
    child.kill()
    child.wait()
    child.stdin.close()
    child.stdout.close()
    assert watch(record, "b").round(seconds(1)) is not None


@pytest.mark.parametrize("owner", ["", "a", "a-b-c-d-e-f-g-h-i", "h-x.1-1-1-a-b-c-d-e"])
def test_a_holder_elsewhere_is_waited_for(record: Record, owner: str) -> None:
    """Of a worker on another machine nobody here can say that it is dead."""
    watch(record, owner).round(seconds(0))
    assert watch(record, "b").round(seconds(1)) is None


class Counted(DeadMan):
    """The sign of life, counted as it is asked for: one that is under way hides no other."""

    times = 0

    def ping(self) -> bool:
        """Asked to say that all is well."""
        self.times += 1
        return super().ping()

    def rest(self) -> None:
        """Wait until nothing is under way."""
        if self._thread is not None:
            self._thread.join(10)


def test_a_flap_that_was_set_aside_keeps_the_outside_untold(record: Record) -> None:
    """A flap cannot be judged: neither the round that finds it nor those over the other flaps say
    that all is well, until its own turn finds it mended."""
    staff(record)
    admit(record)
    mine = watch(record, "a")
    mine.dead_man = said = Counted("", every=0)
    mine.protocols = {}
    for n in range(2 * worker.PARTS):
        mine.round(seconds(2 * n))
    assert said.times == 0
    mine.protocols = PROTOCOLS
    for n in range(2 * worker.PARTS, 4 * worker.PARTS):
        mine.round(seconds(2 * n))
    assert worker.PARTS <= said.times < 2 * worker.PARTS


def test_a_good_round_is_said_outside(record: Record) -> None:
    """After a good tick the outside watcher is told; it stays untold while a message lies untouched
    for over a minute, and the heartbeat says why."""
    with http_sink() as outside:
        mine = watch(record, "a")
        mine.dead_man = said = Counted(f"http://127.0.0.1:{outside.port}/ping/token", every=0)
        assert mine.round(seconds(0)) is not None
        eventually(lambda: len(outside.got) == 1)
        assert said.times == 1
        assert outside.got[0].path == "/ping/token"
        page = NewPage("k", PageKind.TEST, "sms", Severity.RED, "t", "b")
        with record.write() as conn:
            insert_pages(conn, [page], seconds(0))
        done = mine.round(seconds(61))
        assert done is not None and not done.well
        assert done.unsent == ("1 message on sms not handed over in time",)
        assert said.times == 1, "a bad round says nothing"
        with record.read() as conn:
            (beat,) = watch_log.heartbeats(conn)
        assert beat.note["unsent"] == list(done.unsent)
        light = engine(ward.snapshot(record, PROTOCOLS, seconds(62)), 60)
        assert (light["state"], light["text"]) == ("behind", done.unsent[0])
        with record.write() as conn:
            conn.exec_driver_sql("DELETE FROM page")
        said.rest()
        assert len(outside.got) == 1
        mine.round(seconds(62))
        eventually(lambda: len(outside.got) == 2)
        assert said.times == 2


def test_the_outside_watcher_delays_no_round(caplog: pytest.LogCaptureFixture) -> None:
    """It hangs, or is gone: the rounds go on, it is asked again only when it may be, and the log
    does not repeat its address."""
    with http_sink(lambda _: "timeout") as outside:
        ping = DeadMan(f"http://127.0.0.1:{outside.port}/tulip", every=0)
        begun = time.monotonic()
        assert ping.ping()
        eventually(lambda: len(outside.got) == 1)
        assert not ping.ping(), "one is under way"
        assert time.monotonic() - begun < 3
    eventually(lambda: "does not answer" in caplog.text)
    assert "tulip" not in caplog.text
    assert not DeadMan("", every=0).ping()
    rare = DeadMan("http://127.0.0.1:9/", every=3600)
    assert rare.ping() and not rare.ping()
    eventually(lambda: caplog.text.count("does not answer") == 2)


def test_waiting_for_another_writer_is_quiet() -> None:
    """A round that waits for a save makes the next one wait: that is no warning. Others are."""
    from logging import LogRecord

    skipped = 'Execution of job "%s" skipped: maximum number of running instances reached (%d)'
    told = LogRecord("apscheduler.scheduler", logging.WARNING, "", 0, skipped, ("tick", 1), None)
    assert not worker._worth_saying(told)
    told.msg = "Run time of job was missed"
    assert worker._worth_saying(told)
