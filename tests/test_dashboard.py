"""The web process for real: what it refuses to start on, what it answers, what it lets through."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from monitoring.rows import HeartbeatRow, table_of
from monitoring.store import head_revision, migrate, migrating, open_record

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def dashboard(url: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """``streamlit run dashboard.py`` as README gives it, on a record and a port of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "dashboard.py", "--server.port", str(port)],
        cwd=ROOT,
        env=os.environ | {"FLAPS_RECORD_URL": url, "STREAMLIT_SERVER_HEADLESS": "true"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=20)


def get(port: int, path: str) -> tuple[int, dict[str, str], bytes]:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        line.request("GET", path)
        answer = line.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        line.close()


def first_answer(port: int, process: subprocess.Popen[bytes], within: float = 60) -> None:
    by = time.monotonic() + within
    while time.monotonic() < by:
        assert process.poll() is None, "the dashboard ended instead of answering"
        try:
            get(port, "/health")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the dashboard never answered")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    address = f"sqlite:///{tmp_path_factory.mktemp('ward')}/record.db"
    migrate(address)
    return address


@pytest.fixture(scope="module")
def port(url: str) -> Iterator[int]:
    chosen = free_port()
    with dashboard(url, chosen) as process:
        first_answer(chosen, process)
        yield chosen


def report(port: int) -> tuple[int, dict[str, Any]]:
    status, _, body = get(port, "/health")
    return status, json.loads(body)


def test_health_follows_the_watchers_heartbeat(url: str, port: int) -> None:
    """A dashboard without a watcher is not well; with a fresh heartbeat it is, at once."""
    status, found = report(port)
    assert (status, found["ok"], found["record"]) == (503, False, "ok")
    assert "no watcher has ever run" in found["watcher"]["state"]
    record = open_record(url)
    with record.write() as conn:
        row = {"worker": "test", "at": datetime.now(UTC), "ticks": 1, "note": {}}
        conn.execute(table_of(HeartbeatRow).insert().values(row))
    record.close()
    status, found = report(port)
    assert (status, found["ok"], found["revision"]) == (200, True, head_revision())
    assert 0 <= found["watcher"]["seconds"] < 30


def test_a_wrong_address_is_not_taken_for_health(port: int) -> None:
    """Any unknown address answers 200 with the page, so a probe has to read the body."""
    status, _, body = get(port, "/healthz")
    assert status == 200
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(body)


@pytest.mark.parametrize("path", ["/", "/health", "/_stcore/health", "/no-such-page"])
def test_every_answer_carries_the_guards(port: int, path: str) -> None:
    """No answer can be framed by another site, guessed into a script, or made to fetch from
    elsewhere; the camera is ours alone."""
    _, headers, _ = get(port, path)
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "camera=(self)" in headers["permissions-policy"]
    for rule in ("frame-ancestors 'none'", "img-src 'self' data: blob:", "connect-src 'self'"):
        assert rule in headers["content-security-policy"]


def test_a_report_is_never_kept_by_a_cache(port: int) -> None:
    """Yesterday's good health is no health."""
    assert get(port, "/health")[1]["cache-control"] == "no-store"


def empty(url: str) -> None:
    Path(url.removeprefix("sqlite:///")).touch()


def newer(url: str) -> None:
    migrate(url)
    with migrating(url) as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")


@pytest.mark.parametrize(
    ("prepared", "words"),
    [
        (lambda url: None, "python -m monitoring migrate"),
        (empty, "python -m monitoring migrate"),
        (newer, "newer version"),
    ],
    ids=["absent", "empty", "newer"],
)
def test_it_refuses_a_record_it_cannot_serve(tmp_path: Path, prepared: Any, words: str) -> None:
    """Instead of a page that fails later, it ends at once with one sentence that says what to do,
    and leaves the record as it was."""
    url = f"sqlite:///{tmp_path}/record.db"
    prepared(url)
    before = sorted(file.name for file in tmp_path.iterdir())
    with dashboard(url, free_port()) as process:
        said = process.communicate(timeout=60)[0].decode()
    assert process.returncode == 1
    assert words in said
    assert "Traceback" not in said
    assert sorted(file.name for file in tmp_path.iterdir()) == before
