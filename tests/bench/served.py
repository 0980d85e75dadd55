"""The product itself, started for a measurement: ``serve`` on a free port over a given record."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from monitoring.serve import answers

ROOT = Path(__file__).resolve().parents[2]


class Served(NamedTuple):
    """The running product: where it answers, and its three processes."""

    port: int
    parent: psutil.Process
    dashboard: psutil.Process
    worker: psutil.Process


@contextmanager
def serving(record_url: str) -> Iterator[Served]:
    """Dashboard and watcher together, ended afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"FLAPS_RECORD_URL": record_url, "FLAPS_PORT": str(port)}
    process = subprocess.Popen(
        [sys.executable, "-m", "monitoring", "serve"], cwd=ROOT, env=environment,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        by = time.monotonic() + 90
        while not answers("127.0.0.1", port):
            if process.poll() is not None or time.monotonic() > by:
                raise RuntimeError("the product did not start")
            time.sleep(0.2)
        parent = psutil.Process(process.pid)
        by_command = {
            name: child
            for child in parent.children(recursive=True)
            for name in ("streamlit", "worker")
            if name in child.cmdline()
        }
        yield Served(port, parent, by_command["streamlit"], by_command["worker"])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def cpu_seconds(process: psutil.Process) -> float:
    """What the process has used of a core so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def megabytes(process: psutil.Process) -> float:
    """Its resident memory."""
    return float(process.memory_info().rss) / 1e6
