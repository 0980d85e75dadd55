"""Dashboard and watcher as one: started together, ended together, neither left behind.

Real processes throughout. In most tests the two programs are stand-ins of a few lines; the last one
runs the product itself.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monitoring.serve import CannotServe, answers, refuse_taken_port

ROOT = Path(__file__).resolve().parent.parent

HOUSE = """
    import sys
    from pathlib import Path
    from monitoring import serve
    from monitoring.serve import Child, keep
    folder = Path(sys.argv[1])
    serve.GRACE = 1.0
    for name, value in zip(sys.argv[2::2], sys.argv[3::2]):
        setattr(serve, name, float(value))
    dashboard = Child("dashboard", [sys.executable, str(folder / "dashboard.py")], folder)
    worker = Child("worker", [sys.executable, str(folder / "worker.py")], folder)
    ready = lambda: (folder / "answers").exists()
    sys.exit(keep(dashboard, worker, answers=ready, ready="it runs"))
"""

LIVES = """
    import os, time
    from pathlib import Path
    with open("{name}.pids", "a") as pids:
        pids.write(f"{{os.getpid()}}\\n")
    {then}
    while True:
        time.sleep(60)
"""


def program(folder: Path, name: str, then: str = "pass") -> None:
    body = textwrap.dedent(LIVES).format(name=name, then=then)
    (folder / f"{name}.py").write_text(body, encoding="utf-8")


def pids(folder: Path, name: str) -> list[int]:
    file = folder / f"{name}.pids"
    return [int(line) for line in file.read_text().splitlines()] if file.exists() else []


def alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return status != "Z"


def eventually(true: Callable[[], bool], within: float = 20.0) -> None:
    """Waits for a condition; fails when it does not come."""
    by = time.monotonic() + within
    while not true():
        assert time.monotonic() < by, "waited in vain"
        time.sleep(0.02)


class House:
    """The process under test, its folder, and what it said."""

    def __init__(self, folder: Path, *limits: str) -> None:
        self.folder = folder
        script = folder / "house.py"
        script.write_text(textwrap.dedent(HOUSE), encoding="utf-8")
        self.said = folder / "said"
        with self.said.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, str(script), str(folder), *limits],
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def both_run(self) -> bool:
        return bool(pids(self.folder, "dashboard") and pids(self.folder, "worker"))

    def anything_left(self) -> list[int]:
        return [p for n in ("dashboard", "worker") for p in pids(self.folder, n) if alive(p)]


@pytest.fixture
def open_house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    houses: list[House] = []

    def start(*limits: str) -> House:
        houses.append(House(tmp_path, *limits))
        return houses[-1]

    yield start
    for house in houses:
        house.process.kill()
        house.process.wait()
        for pid in house.anything_left():
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_and_a_service_stop_end_both(
    tmp_path: Path, open_house: Callable[..., House], asked: signal.Signals
) -> None:
    """Asked to end, it ends dashboard and watcher, says so by status 0, and leaves nothing."""
    program(tmp_path, "dashboard")
    program(tmp_path, "worker")
    house = open_house()
    eventually(house.both_run)
    house.process.send_signal(asked)
    assert house.process.wait(10) == 0
    assert house.anything_left() == []


def test_a_child_that_will_not_end_is_killed(
    tmp_path: Path, open_house: Callable[..., House]
) -> None:
    """A hung watcher cannot keep the machine from stopping."""
    program(tmp_path, "dashboard")
    deaf = 'import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); Path("deaf").touch()'
    program(tmp_path, "worker", deaf)
    house = open_house()
    eventually(lambda: house.both_run() and (tmp_path / "deaf").exists())
    house.process.terminate()
    assert house.process.wait(10) == 0
    assert house.anything_left() == []


def test_nothing_outlives_us_even_when_we_are_killed(
    tmp_path: Path, open_house: Callable[..., House]
) -> None:
    """Killed outright, with no chance to end anything, both still go."""
    program(tmp_path, "dashboard")
    program(tmp_path, "worker")
    house = open_house()
    eventually(house.both_run)
    house.process.kill()
    house.process.wait(10)
    eventually(lambda: house.anything_left() == [])


def test_a_dead_watcher_is_said_loudly_and_started_again(
    tmp_path: Path, open_house: Callable[..., House]
) -> None:
    """When the watcher dies the dashboard stays, the death is named, and it is started again."""
    program(tmp_path, "dashboard")
    program(tmp_path, "worker")
    house = open_house()
    eventually(house.both_run)
    first = pids(tmp_path, "worker")[0]
    os.kill(first, signal.SIGKILL)
    eventually(lambda: len(pids(tmp_path, "worker")) == 2)
    assert "THE WATCHER DIED (status -9)" in house.said.read_text()
    assert alive(pids(tmp_path, "dashboard")[0])
    assert len(pids(tmp_path, "dashboard")) == 1


def test_a_watcher_that_keeps_dying_is_started_ever_more_rarely(
    tmp_path: Path, open_house: Callable[..., House]
) -> None:
    """A watcher that cannot start does not fill the disk with its complaints."""
    program(tmp_path, "dashboard")
    program(tmp_path, "worker", "raise SystemExit(3)")
    house = open_house()
    eventually(lambda: "again in 2 s" in house.said.read_text())
    said = house.said.read_text()
    assert said.count("THE WATCHER DIED (status 3)") == 2
    assert said.index("again in 1 s") < said.index("again in 2 s")


def test_a_dead_dashboard_ends_everything(tmp_path: Path, open_house: Callable[..., House]) -> None:
    """Without a dashboard there is nothing to serve: status 1, and no watcher left behind."""
    program(tmp_path, "dashboard", "raise SystemExit(7)")
    program(tmp_path, "worker")
    house = open_house()
    assert house.process.wait(20) == 1
    assert "THE DASHBOARD DIED (status 7)" in house.said.read_text()
    assert house.anything_left() == []


def test_the_address_is_given_only_once_it_answers(
    tmp_path: Path, open_house: Callable[..., House]
) -> None:
    """Nobody is sent to an address that does not answer yet."""
    program(tmp_path, "dashboard")
    program(tmp_path, "worker")
    house = open_house()
    eventually(house.both_run)
    assert "it runs" not in house.said.read_text()
    (tmp_path / "answers").touch()
    eventually(lambda: "it runs" in house.said.read_text())


def test_a_dashboard_that_never_answers_is_given_up(
    tmp_path: Path, open_house: Callable[..., House]
) -> None:
    """A dashboard that hangs at start is not left half open."""
    program(tmp_path, "dashboard")
    program(tmp_path, "worker")
    house = open_house("FIRST_ANSWER_WITHIN", "0.5")
    assert house.process.wait(20) == 1
    assert "did not answer within 0.5 s" in house.said.read_text()
    assert house.anything_left() == []


def test_a_taken_port_is_named_before_anything_starts() -> None:
    """The operator reads which port is taken and how to choose another."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotServe, match=f"Port {port} .*FLAPS_PORT"):
            refuse_taken_port("127.0.0.1", port)
    refuse_taken_port("127.0.0.1", port)


def test_another_program_on_the_port_is_not_taken_for_the_dashboard(tmp_path: Path) -> None:
    """A page that merely answers 200 is not our health report."""
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Other(BaseHTTPRequestHandler):
        body = b"<html>hello</html>"

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.body)

        def log_message(self, format: str, *args: object) -> None:
            """Keeps the test's output quiet."""

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            assert answers("127.0.0.1", server.server_port) is False
            Other.body = b'{"ok": false, "record": "not migrated"}'
            assert answers("127.0.0.1", server.server_port) is True
        finally:
            server.shutdown()
            thread.join()
    assert answers("127.0.0.1", server.server_port) is False


def test_the_real_two_run_together_and_end_together(tmp_path: Path) -> None:
    """On a new record: it is made, the address is printed, health turns good because the watcher
    beats, and Ctrl-C leaves neither process behind."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"sqlite:///{tmp_path}/record.db"
    said = tmp_path / "said"
    with said.open("wb") as out:
        ours = subprocess.Popen(
            [sys.executable, "-m", "monitoring", "serve"],
            cwd=ROOT,
            env=os.environ | {"FLAPS_RECORD_URL": url, "FLAPS_PORT": str(port)},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        address = f"http://127.0.0.1:{port} "
        eventually(lambda: address in said.read_text() or ours.poll() is not None, within=90)
        assert ours.poll() is None, said.read_text()
        eventually(lambda: healthy(port), within=30)
        both = children_of(ours.pid)
        assert len(both) == 2
        ours.send_signal(signal.SIGINT)
        assert ours.wait(30) == 0
        assert not any(map(alive, both))
        assert "Traceback" not in said.read_text()
    finally:
        ours.kill()
        ours.wait()


def healthy(port: int) -> bool:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        line.request("GET", "/health")
        return line.getresponse().status == 200
    finally:
        line.close()


def children_of(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in listed.split()]
