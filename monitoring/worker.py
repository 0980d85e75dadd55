"""The watcher: looks at the clock for everybody, and writes a heartbeat.

Everything is derived from the record at every tick; nothing about time lives only here, so a
watcher that slept finds what one that did not would have found, dated at the same deadlines.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from traceback import extract_tb
from types import FrameType
from typing import TypedDict
from uuid import uuid4

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Connection

from monitoring import care, leases, notify, outbox, store, watch_log
from monitoring.dead_man import DeadMan
from monitoring.delivery import Deliverer, Delivery
from monitoring.leases import Lease, LostLease
from monitoring.protocol import Protocol
from monitoring.rounds import WHOLE, Awaiting, Part, awaiting
from monitoring.settings import Settings

log = logging.getLogger("monitoring.worker")

NAME = "watcher"

LEASE = timedelta(seconds=15)
"""How long the watch is ours without being renewed: another worker takes over after that."""

PARTS = 8
"""In how many rounds every flap's deadlines are looked at once: 16 s at a round every 2 s."""

SLEEP = timedelta(seconds=30)
"""After so long without a round every flap is looked at at once."""

HANGS_SECONDS = 20
"""How long a database server waits for a worker that stopped in the middle of a transaction."""


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick did: how many deadlines and rungs it wrote down, the flaps it had to set
    aside, the alerts that it found with a rung more than a minute past its time, and what the
    outbox is behind with."""

    raised: int
    set_aside: tuple[str, ...]
    behind: tuple[int, ...] = ()
    unsent: tuple[str, ...] = ()

    @property
    def well(self) -> bool:
        """Every flap is watched, and nobody waits for a message that should have gone out."""
        return not (self.set_aside or self.behind or self.unsent)


def tick(
    record: store.Record, protocols: Mapping[str, Protocol], *, now: datetime, worker: str = NAME,
    part: Part = WHOLE, aside: Iterable[str] = (),
) -> Tick:  # fmt: skip
    """Write down every deadline that passed by ``now`` and take every rung due, then a heartbeat.

    ``part`` are the flaps whose deadlines this round looks at, ``aside`` those that the rounds
    over the other parts set aside: the heartbeat names them too.

    A flap whose record cannot be judged is reported and set aside; the others go on. Raises
    RecordUnavailable when the record itself cannot be read or written: then nothing is said to
    be well.
    """
    asked = awaiting(record, protocols, now, part)
    set_aside = list(asked.unreadable)
    for flap_id in set_aside:
        log.error("flap %s set aside: its rows make no sense, or its protocol is gone", flap_id)
    raised = 0
    for about, flap_id, verb in _due(record, protocols, asked, now):
        try:
            raised += verb()
        except store.RecordUnavailable:
            raise
        except Exception as error:
            log.error("%s set aside: %s", about, where(error))
            set_aside.append(flap_id)
    set_aside = list(dict.fromkeys(set_aside))
    with record.write() as conn:
        unsent = outbox.audit(conn, now)
        note = {"set_aside": list(dict.fromkeys([*set_aside, *aside])), "behind": asked.behind}
        watch_log.beat(conn, worker, now, note | ({"unsent": unsent} if unsent else {}))
    return Tick(raised, tuple(set_aside), asked.behind, tuple(unsent))


def _due(
    record: store.Record, protocols: Mapping[str, Protocol], asked: Awaiting, now: datetime
) -> Iterator[tuple[str, str, Callable[[], int]]]:
    """What is to be done, the most pressing first: alerts that nobody came to, rungs that are due,
    checks that nobody made. Each says what it is about, and of which flap."""
    for alert in asked.expired:
        expire = partial(care.expire_acknowledgement, record, alert_id=alert.id, now=now)
        yield f"alert {alert.id}", alert.flap_id, expire
    for alert in asked.climbing:
        climb = partial(care.climb_alert, record, alert_id=alert.id, now=now)
        yield f"alert {alert.id}", alert.flap_id, climb
    for flap_id in asked.flap_ids:
        watch = partial(care.raise_overdue, record, protocols, flap_id=flap_id, now=now)
        yield f"flap {flap_id}", flap_id, watch


@dataclass(frozen=True)
class Fenced(store.Record):
    """The record as only the holder of the watch may write it: every transaction asks first."""

    watch: Lease

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """As the record's own; raises LostLease, and writes nothing, when another took over."""
        with super().write() as conn:
            if conn.dialect.name == "postgresql":
                limit = f"SET LOCAL idle_in_transaction_session_timeout = '{HANGS_SECONDS}s'"
                conn.exec_driver_sql(limit)
            leases.require(conn, self.watch)
            yield conn


class _Part(TypedDict):
    part: Part
    aside: Iterable[str]


@dataclass
class Watch:
    """The watch over the ward as one worker takes it: a tick while it is ours, else a look whether
    it has come free."""

    record: store.Record
    protocols: Mapping[str, Protocol]
    owner: str
    dead_man: DeadMan
    lease: Lease | None = field(default=None, init=False)
    _idle: bool = field(default=False, init=False)
    _turn: int = field(default=0, init=False)
    _last: datetime | None = field(default=None, init=False)
    _aside: dict[int, tuple[str, ...]] = field(default_factory=dict, init=False)

    def round(self, now: datetime) -> Tick | None:
        """One round: None when another worker has the watch. Raises RecordUnavailable."""
        before = self.lease
        with self.record.write() as conn:
            gone = _gone(leases.lease(conn, NAME))
            self.lease = leases.take(conn, NAME, self.owner, now, LEASE, gone=gone)
        self._say(before)
        if self.lease is None:
            return None
        fenced = Fenced(self.record.url, self.record.writer, self.record.reader, self.lease)
        done = tick(fenced, self.protocols, now=now, **self._part(now))
        self._remember(done, now)
        if done.well and not any(self._aside.values()):
            self.dead_man.ping()
        return done

    def _part(self, now: datetime) -> _Part:
        """Every flap in the first round and after a sleep, else the next part of them."""
        awake = self._last is not None and timedelta(0) <= now - self._last <= SLEEP
        if not awake:
            self._turn, self._aside = 0, {}
            return {"part": WHOLE, "aside": ()}
        number = self._turn % PARTS
        others = [a for n, some in self._aside.items() if n != number for a in some]
        return {"part": Part(number, PARTS), "aside": others}

    def _remember(self, done: Tick, now: datetime) -> None:
        """What this part set aside; what the whole ward did stands for every part until its
        turn."""
        awake = self._last is not None and timedelta(0) <= now - self._last <= SLEEP
        numbers = [self._turn % PARTS] if awake else list(range(PARTS))
        self._aside |= dict.fromkeys(numbers, done.set_aside)
        self._turn += awake
        self._last = now

    def _say(self, before: Lease | None) -> None:
        if self.lease is None and (before is not None or not self._idle):
            log.warning("another worker watches the clock: this one stands by")
        elif self.lease is not None and before is None:
            log.info("watching, as holder number %s", self.lease.fence)
        self._idle = self.lease is None

    def end(self, now: datetime) -> None:
        """Give the watch back, if the record lets us: else it runs out by itself."""
        if self.lease is not None:
            with suppress(store.RecordUnavailable), self.record.write() as conn:
                leases.release(conn, self.lease, now)


def run(record: store.Record, protocols: Mapping[str, Protocol], settings: Settings) -> None:
    """Tick and deliver until asked to end (SIGINT, SIGTERM). What fails is said and tried again."""
    ended = threading.Event()

    def end(signum: int, frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    logging.getLogger("apscheduler.scheduler").addFilter(_worth_saying)
    watch = Watch(record, protocols, whoami(), DeadMan(settings.dead_man_url))
    delivery = Delivery(deliverer(record, settings, watch.owner))
    scheduler = BackgroundScheduler(timezone=UTC)
    scheduler.add_job(
        _one, "interval", seconds=settings.tick_seconds, args=(watch,),
        next_run_time=datetime.now(UTC), misfire_grace_time=None, coalesce=True, max_instances=1,
    )  # fmt: skip
    scheduler.start()
    delivery.start()
    try:
        ended.wait()
    finally:
        scheduler.shutdown()
        delivery.end()
        watch.end(datetime.now(UTC))
        record.close()


def deliverer(
    record: store.Record, settings: Settings, owner: str, *, bundle_seconds: float | None = None
) -> Deliverer:
    """What sends this hospital's messages, told the time by this machine's clock."""
    held = settings.bundle_seconds if bundle_seconds is None else bundle_seconds
    return Deliverer(
        record, notify.channels(settings), clock=lambda: datetime.now(UTC), worker=owner,
        link_base=settings.link_base, bundle_seconds=held,
    )  # fmt: skip


def _one(watch: Watch) -> None:
    try:
        watch.round(datetime.now(UTC))
    except LostLease as error:
        log.warning("tick given up: %s", error)
    except store.RecordUnavailable as error:
        log.error("tick failed: %s", error)
    except Exception as error:
        log.error("tick failed: %s", where(error))


def _worth_saying(entry: logging.LogRecord) -> bool:
    """A round that waits for another writer makes the next one wait: that is meant, and quiet."""
    return "maximum number of running instances" not in str(entry.msg)


def whoami() -> str:
    """This process, among all that share the record: machine, where its number counts, number,
    start, and something of its own."""
    return f"{socket.gethostname()}-{_numbering()}-{os.getpid()}-{_started(os.getpid())}-{uuid4()}"


def _numbering() -> str:
    """Names the running system whose process numbers ours is one of; empty where none is told."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot.replace('-', '')}.{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When the process began, in its system's own count; empty when there is none, or it ended."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if told[0] == "Z" else told[19]


def _gone(held: Lease | None) -> frozenset[str]:
    """The holder, if it ran on this very system and runs no more: nobody need wait for it."""
    if held is None:
        return frozenset()
    said = held.owner.rsplit("-", 8)  # the last five parts are the UUID's
    if len(said) != 9 or not said[1] or said[1] != _numbering() or not said[2].isdigit():
        return frozenset()
    return frozenset() if _started(int(said[2])) == said[3] else frozenset({held.owner})


def where(error: BaseException) -> str:
    """What kind of error it was and where it came from. What it says stays out of the log: it may
    repeat a name or a finding."""
    steps = [f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno}" for f in extract_tb(error.__traceback__)]
    said = f"{type(error).__name__} at {' > '.join(steps)}"
    return said if error.__cause__ is None else f"{said}, after {where(error.__cause__)}"
