"""Dashboard and watcher together on one machine: started, watched and ended as one.

Both are processes of their own, so a crash of one cannot take the other's memory with it. Ending
this process ends them, however it ends: asked (SIGINT, SIGTERM), by an error, or killed.
"""

from __future__ import annotations

import ctypes
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from monitoring.health import prepare_record
from monitoring.settings import ROOT, Settings
from monitoring.signs import MonitoringError
from monitoring.store import open_record

LOOK_EVERY = 0.2
"""Seconds between two looks at the children."""

FIRST_ANSWER_WITHIN = 90.0
"""Seconds the dashboard may take to answer before it is given up (a cold, slow disk)."""

GRACE = 10.0
"""Seconds a child has to end by itself before it is killed."""

LONGEST_PAUSE = 30.0
"""Seconds: the longest wait before a watcher that keeps dying is started again."""

STEADY = 60.0
"""Seconds a watcher must run before an earlier death no longer counts against it."""


class CannotServe(MonitoringError):
    """Dashboard and watcher cannot be started; the sentence says what to do."""


@dataclass
class Child:
    """One of the two processes: how it is started, and the process while it runs."""

    name: str
    command: Sequence[str]
    folder: Path = ROOT
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    started: float = field(default=0.0, init=False)

    def start(self) -> None:
        """Starts it in a session of its own: Ctrl-C reaches it through us, in order."""
        mother = os.getpid()
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: _end_with(mother),
        )

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs or before it was started."""
        return None if self.process is None else self.process.poll()

    def ask_to_end(self) -> None:
        """Sends SIGTERM if it still runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def make_sure(self, by: float) -> None:
        """Waits until ``by`` (monotonic seconds), then kills it and whatever it started."""
        if self.process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0.0, by - time.monotonic()))
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def commands(settings: Settings) -> tuple[Child, Child]:
    """The dashboard and the watcher as an operator would start them by hand."""
    dashboard = [sys.executable, "-m", "streamlit", "run", str(ROOT / "dashboard.py")]
    dashboard += ["--server.address", settings.address, "--server.port", str(settings.port)]
    dashboard += ["--server.headless", "true"]
    return Child("dashboard", dashboard), Child(
        "worker", [sys.executable, "-m", "monitoring", "worker"]
    )


def serve(settings: Settings) -> int:
    """Runs both until SIGINT or SIGTERM. Returns 0 when asked to end, 1 when the dashboard died.
    Raises CannotServe when the port is taken, RecordUnavailable when the record is not fit."""
    refuse_taken_port(settings.address, settings.port)
    (ROOT / "data").mkdir(exist_ok=True)
    record = open_record(settings.record_url)
    try:
        prepare_record(record)
    finally:
        record.close()
    host = _reachable(settings.address)
    dashboard, worker = commands(settings)
    return keep(
        dashboard,
        worker,
        answers=lambda: answers(host, settings.port),
        ready=f"Flap monitoring runs at http://{host}:{settings.port} - Ctrl-C ends it.",
    )


def keep(
    dashboard: Child,
    worker: Child,
    *,
    answers: Callable[[], bool],
    ready: str,
    say: Callable[[str], None] = lambda sentence: print(sentence, flush=True),
) -> int:
    """Starts both, says ``ready`` once the dashboard answers, starts a dead watcher again, and
    ends both when asked (0) or when the dashboard died or never answered (1)."""
    asked = threading.Event()
    with _signals(asked), ExitStack() as house:
        house.callback(_end, (dashboard, worker))
        dashboard.start()
        worker.start()
        return _watch(dashboard, _Restarts(worker), asked, answers, ready, say)


def _watch(
    dashboard: Child,
    restarts: _Restarts,
    asked: threading.Event,
    answers: Callable[[], bool],
    ready: str,
    say: Callable[[str], None],
) -> int:
    announced = False
    while not asked.wait(LOOK_EVERY):
        if dashboard.status is not None:
            say(f"THE DASHBOARD DIED (status {dashboard.status}). The watcher is ended as well.")
            return 1
        if not announced and answers():
            say(ready)
            announced = True
        if not announced and time.monotonic() - dashboard.started > FIRST_ANSWER_WITHIN:
            say(f"The dashboard did not answer within {FIRST_ANSWER_WITHIN:g} s. Both are ended.")
            return 1
        restarts.look(time.monotonic(), say)
    return 0


@dataclass
class _Restarts:
    """Starts a dead watcher again, waiting twice as long after each death in a row."""

    worker: Child
    pause: float = 1.0
    again_at: float | None = None

    def look(self, now: float, say: Callable[[str], None]) -> None:
        if self.again_at is not None:
            if now >= self.again_at:
                self.again_at = None
                self.worker.start()
        elif self.worker.status is not None:
            if now - self.worker.started >= STEADY:
                self.pause = 1.0
            say(
                f"THE WATCHER DIED (status {self.worker.status}): no overdue check is noticed "
                f"until it runs again. Starting it again in {self.pause:g} s."
            )
            self.again_at = now + self.pause
            self.pause = min(2 * self.pause, LONGEST_PAUSE)


def refuse_taken_port(address: str, port: int) -> None:
    """Raises CannotServe when something already listens there, before anything is started."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise CannotServe(
                f"Port {port} on {address} cannot be used ({error.strerror}). End what uses it, "
                f"or choose another with FLAPS_PORT or in config/settings.toml."
            ) from error


def answers(host: str, port: int) -> bool:
    """Whether the dashboard's own health address answers there. The body is read: any other page
    of the dashboard, and any other program on that port, would answer 200 as well."""
    line = http.client.HTTPConnection(host, port, timeout=2)
    try:
        line.request("GET", "/health")
        return b'"record"' in line.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()


def _reachable(address: str) -> str:
    """Where this machine reaches a server bound to ``address``."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)


@contextmanager
def _signals(asked: threading.Event) -> Iterator[None]:
    """Within it SIGINT and SIGTERM set ``asked`` instead of ending us mid-way."""
    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [(one, signal.signal(one, lambda *_: asked.set())) for one in wanted]
    try:
        yield
    finally:
        for one, handler in before:
            signal.signal(one, handler)


def _end(children: Sequence[Child]) -> None:
    """Asks all to end, waits, kills what is left. Nothing outlives this call."""
    for child in children:
        child.ask_to_end()
    by = time.monotonic() + GRACE
    for child in children:
        child.make_sure(by)


def _end_with(mother: int) -> None:
    """Runs in the new process before its program: on Linux it is to get SIGTERM when we die, even
    if we are killed and can end nothing ourselves."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # 1 is PR_SET_PDEATHSIG
        if os.getppid() != mother:
            os._exit(1)
