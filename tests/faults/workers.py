"""Workers as real processes, and how a test waits for what they do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from monitoring import leases, watch_log, worker
from monitoring.store import Record


class Courier:
    """The process that forks workers, in a moment each. It reads what it needs once."""

    def __init__(self, folder: Path) -> None:
        channels = json.dumps({"warm": "json://127.0.0.1:9/{to}"})
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("courier.py")), str(folder / "log")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": os.getcwd(), "FLAPS_CHANNELS": channels},
        )  # fmt: skip
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def start(self, told: Mapping[str, str]) -> int:
        """One more worker with these settings; returns its process id."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{json.dumps(told)}\n")
        self.process.stdin.flush()
        return int(self._line())

    def end(self) -> None:
        """No more workers."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


class Couriers:
    """Workers on one record as real processes, seen from outside."""

    def __init__(
        self, courier: Courier, url: str, channels: dict[str, str], bundle_seconds: float = 0.1
    ) -> None:
        self._courier = courier
        self._told = {
            "FLAPS_RECORD_URL": url, "FLAPS_TICK_SECONDS": "1",
            "FLAPS_CHANNELS": json.dumps(channels), "FLAPS_BUNDLE_SECONDS": str(bundle_seconds),
        }  # fmt: skip
        self.alive: list[int] = []

    def start(self) -> int:
        """One more worker; returns its process id."""
        self.alive.append(self._courier.start(self._told))
        return self.alive[-1]

    def kill(self, pid: int) -> None:
        """kill -9."""
        os.kill(pid, signal.SIGKILL)
        self.alive.remove(pid)

    def end(self) -> None:
        """Kill every one that is left."""
        for pid in list(self.alive):
            self.kill(pid)


def eventually(true: Callable[[], bool], within: float = 20.0) -> float:
    """Waits for a condition; returns how long it took."""
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < within, "waited in vain"
        time.sleep(0.02)
    return time.monotonic() - begun


def watcher(record: Record) -> tuple[str, int]:
    """Who has the watch, and as which holder."""
    with record.read() as conn:
        found = leases.lease(conn, worker.NAME)
    return ("", 0) if found is None else (found.owner, found.fence)


def ticks(record: Record) -> int:
    """How many rounds were made so far."""
    with record.read() as conn:
        beats = watch_log.heartbeats(conn)
    assert len(beats) <= 1, "one heartbeat, whoever watches"
    return beats[0].ticks if beats else 0


def stop_between_writes(record: Record, pid: int) -> None:
    """SIGSTOP, anew when it struck within a transaction of SQLite, which would hold everybody."""
    for _ in range(20):
        os.kill(pid, signal.SIGSTOP)
        try:
            with record.write() as conn:
                conn.exec_driver_sql("SELECT 1")
            return
        except Exception:
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.1)
    raise AssertionError("never between two writes")
