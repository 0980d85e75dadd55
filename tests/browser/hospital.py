"""A hospital to test in: the real server and watcher as processes, on a record of their own."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from monitoring import care, people, protocol, store
from monitoring.domain import FlapFacts, Patient, Role

ROOT = Path(__file__).resolve().parents[2]
_numbers = count(1)


def eventually(true: Callable[[], Any], within: float = 20.0, what: str = "it") -> Any:
    """Waits for something that is not on a page; fails when it does not come."""
    by = time.monotonic() + within
    while not (found := true()):
        assert time.monotonic() < by, f"waited {within:g} s for {what} in vain"
        time.sleep(0.05)
    return found


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def command(url: str, *words: str) -> None:
    """The product's own command line, as an operator would type it."""
    subprocess.run(
        [sys.executable, "-m", "monitoring", *words],
        cwd=ROOT, env=os.environ | {"FLAPS_RECORD_URL": url}, check=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip


class Hospital:
    """One record, the server on it, and the watcher where a test wants one."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.path = folder / "record.db"
        self.url = f"sqlite:///{self.path}"
        self.record = store.open_record(self.url)
        self.log = folder / "server.log"
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._settings = {"FLAPS_PUBLIC_URL": self.address} | settings
        self._server: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None

    def _run(self, *words: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as out:
            return subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=ROOT, stdout=out, stderr=subprocess.STDOUT,
                env=os.environ | self._settings
                | {"FLAPS_RECORD_URL": self.url, "STREAMLIT_SERVER_HEADLESS": "true"},
            )  # fmt: skip

    def start(self) -> None:
        """Plain ``streamlit run dashboard.py``, until it answers."""
        self._server = self._run(
            "streamlit", "run", "dashboard.py", "--server.port", str(self.port)
        )
        eventually(self._answers, 60, "the server's first answer")

    def _answers(self) -> bool:
        assert self._server is not None and self._server.poll() is None, self.log.read_text()
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            line.request("GET", "/health")
            return line.getresponse().status in (200, 503)
        except OSError:
            return False
        finally:
            line.close()

    @property
    def server_id(self) -> int:
        """The server's process."""
        assert self._server is not None
        return self._server.pid

    def pause(self) -> None:
        """The server freezes: connections stay open and nobody answers."""
        assert self._server is not None
        self._server.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """The frozen server goes on where it stopped."""
        assert self._server is not None
        self._server.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """The server dies at once."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None

    def start_watcher(self) -> None:
        """The watcher, until its first heartbeat."""
        before = self._beat()
        self._watcher = watcher = self._run("monitoring", "worker")
        eventually(lambda: self._beat() != before or watcher.poll() is not None, 30, "a heartbeat")
        assert watcher.poll() is None, self.log.read_text()

    def _beat(self) -> object:
        """The newest heartbeat."""
        return self.rows("SELECT max(at) AS at FROM heartbeat")[0]["at"]

    def kill_watcher(self) -> None:
        """The watcher dies at once."""
        if self._watcher is not None:
            self._watcher.kill()
            self._watcher.wait()
            self._watcher = None

    def close(self) -> None:
        """Nothing of it is left."""
        self.kill()
        self.kill_watcher()
        self.record.close()

    # The record, read by other means than the product's own.

    def rows(self, question: str, *values: object) -> list[dict[str, Any]]:
        """What the database itself holds."""
        conn = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
        try:
            conn.row_factory = sqlite3.Row
            return [dict(row) for row in conn.execute(question, values)]
        finally:
            conn.close()

    def checks(self, flap_id: str) -> list[dict[str, Any]]:
        """The checks of a flap, oldest first."""
        return self.rows("SELECT * FROM flap_check WHERE flap_id = ? ORDER BY recorded_at", flap_id)

    def alerts(self, flap_id: str) -> list[dict[str, Any]]:
        """The alerts of a flap, oldest first."""
        return self.rows("SELECT * FROM alert WHERE flap_id = ? ORDER BY id", flap_id)

    def flap(self, name: str) -> str:
        """The id of the flap of a patient whose name begins so, the only one."""
        found = self.rows(
            "SELECT flap.id FROM flap JOIN patient ON patient.id = flap.patient_id"
            " WHERE patient.name LIKE ? || '%'", name,
        )  # fmt: skip
        assert len(found) == 1, found
        return str(found[0]["id"])

    @contextmanager
    def written_by_another(self) -> Iterator[sqlite3.Connection]:
        """Somebody else holds the record for writing meanwhile."""
        conn = sqlite3.connect(self.path, isolation_level=None, timeout=10)
        conn.execute("BEGIN IMMEDIATE")
        try:
            yield conn
        finally:
            if conn.in_transaction:
                conn.rollback()
            conn.close()

    def admit(self, name: str = "", **changed: Any) -> str:
        """A new patient with a free skin flap, an hour after perfusion; returns the flap's id."""
        number = next(_numbers)
        now = datetime.now(UTC)
        told: dict[str, Any] = {
            "label": "L thigh ALT", "kind": "free", "name": "ALT", "tissue": "skin",
            "recipient": "lower_limb", "side": "left", "buried": False, "skin_type": "II",
            "monitors": ["handheld"], "perfused_at": now - timedelta(minutes=62),
            "monitoring_from": now - timedelta(minutes=2),
        }  # fmt: skip
        born = date(1970, 1, 1) + timedelta(days=number)
        patient = Patient(
            mrn=f"9{number:05}", name=name or f"TESTER{chr(64 + number)}, Sam", born_on=born,
            ward="Ward 7", bed=f"T{number}",
        )  # fmt: skip
        return care.admit_flap(
            self.record, protocol.load(), patient=patient,
            facts=FlapFacts.model_validate(told | changed), by="p-mensah", now=now,
        )  # fmt: skip

    def hire(self, name: str, role: Role = Role.NURSE) -> str:
        """Somebody new on the staff list; returns their id."""
        with self.record.write() as conn:
            return people.add_staff(conn, name, role, "Ward 7").id
