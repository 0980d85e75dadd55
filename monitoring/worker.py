"""The watcher: looks at the clock for everybody, and writes a heartbeat.

Everything is derived from the record at every tick; nothing about time lives only here, so a
watcher that slept finds what one that did not would have found, dated at the same deadlines.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from traceback import extract_tb
from types import FrameType

from apscheduler.schedulers.background import BackgroundScheduler

from monitoring import care, episodes, store
from monitoring.protocol import Protocol
from monitoring.ward import Awaiting, awaiting

log = logging.getLogger("monitoring.worker")

NAME = "watcher"


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick did: how many deadlines and rungs it wrote down, the flaps it had to set
    aside, and the alerts that it found with a rung more than a minute past its time."""

    raised: int
    set_aside: tuple[str, ...]
    behind: tuple[int, ...] = ()


def tick(
    record: store.Record, protocols: Mapping[str, Protocol], *, now: datetime, worker: str = NAME
) -> Tick:
    """Write down every deadline that passed by ``now`` and take every rung due, then a heartbeat.

    A flap whose record cannot be judged is reported and set aside; the others go on. Raises
    RecordUnavailable when the record itself cannot be read or written: then nothing is said to
    be well.
    """
    asked = awaiting(record, protocols, now)
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
        episodes.beat(conn, worker, now, {"set_aside": set_aside, "behind": asked.behind})
    return Tick(raised, tuple(set_aside), asked.behind)


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


def run(record: store.Record, protocols: Mapping[str, Protocol], *, every_seconds: float) -> None:
    """Tick until asked to end (SIGINT, SIGTERM). A tick that fails is said and tried again."""
    ended = threading.Event()

    def end(signum: int, frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    scheduler = BackgroundScheduler(timezone=UTC)
    scheduler.add_job(
        _one, "interval", seconds=every_seconds, args=(record, protocols),
        next_run_time=datetime.now(UTC), misfire_grace_time=None, coalesce=True, max_instances=1,
    )  # fmt: skip
    scheduler.start()
    try:
        ended.wait()
    finally:
        scheduler.shutdown()
        record.close()


def _one(record: store.Record, protocols: Mapping[str, Protocol]) -> None:
    try:
        tick(record, protocols, now=datetime.now(UTC))
    except store.RecordUnavailable as error:
        log.error("tick failed: %s", error)
    except Exception as error:
        log.error("tick failed: %s", where(error))


def where(error: BaseException) -> str:
    """What kind of error it was and where it came from. What it says stays out of the log: it may
    repeat a name or a finding."""
    steps = [f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno}" for f in extract_tb(error.__traceback__)]
    said = f"{type(error).__name__} at {' > '.join(steps)}"
    return said if error.__cause__ is None else f"{said}, after {where(error.__cause__)}"
