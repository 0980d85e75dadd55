"""The watcher: looks at the clock for everybody, and writes a heartbeat.

Everything is derived from the record at every tick; nothing about time lives only here, so a
watcher that slept finds what one that did not would have found, dated at the same deadlines.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from traceback import extract_tb
from types import FrameType

from apscheduler.schedulers.background import BackgroundScheduler

from monitoring import care, episodes, store
from monitoring.protocol import Protocol
from monitoring.ward import awaiting

log = logging.getLogger("monitoring.worker")

NAME = "watcher"


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick did: how many deadlines it wrote down, and the flaps it had to set aside."""

    raised: int
    set_aside: tuple[str, ...]


def tick(
    record: store.Record, protocols: Mapping[str, Protocol], *, now: datetime, worker: str = NAME
) -> Tick:
    """Write down every deadline that passed by ``now``, then a heartbeat.

    A flap whose record cannot be judged is reported and set aside; the others go on. Raises
    RecordUnavailable when the record itself cannot be read or written: then nothing is said to
    be well.
    """
    asked = awaiting(record, protocols, now)
    set_aside = list(asked.unreadable)
    for flap_id in set_aside:
        log.error("flap %s set aside: its rows make no sense, or its protocol is gone", flap_id)
    raised = 0
    for flap_id in asked.flap_ids:
        try:
            raised += care.raise_overdue(record, protocols, flap_id=flap_id, now=now)
        except store.RecordUnavailable:
            raise
        except Exception as error:
            log.error("flap %s set aside: %s", flap_id, where(error))
            set_aside.append(flap_id)
    for alert in asked.expired:
        try:
            raised += care.expire_acknowledgement(record, alert_id=alert.id, now=now)
        except store.RecordUnavailable:
            raise
        except Exception as error:
            log.error("alert %s set aside: %s", alert.id, where(error))
            set_aside.append(alert.flap_id)
    set_aside = list(dict.fromkeys(set_aside))
    with record.write() as conn:
        episodes.beat(conn, worker, now, {"set_aside": set_aside})
    return Tick(raised, tuple(set_aside))


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
