"""The command line: JSON on standard output, one sentence on standard error, 0, 1 or 2."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest

from monitoring import __main__, care, store
from monitoring.domain import PageKind, Severity
from monitoring.paging import NewPage, insert_pages
from tests.bedside import PROTOCOLS, patient, staff
from tests.stays import USUAL, facts

COURSE = Path("data/courses/arterial-occlusion.json")
CHECK = json.dumps(USUAL)


class Said(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def refused(self, *words: str) -> bool:
        """Status 1, nothing on standard output, one sentence with the words on standard error."""
        one = self.err.strip()
        assert (self.status, self.out) == (1, ""), self
        assert "Traceback" not in one and one.count("\n") == 0, one
        return all(word in one for word in words)


def run(url: str, *told: str, given: str | bytes = "", **more: str) -> Said:
    """A command as a person or a script types it, without the time a new process takes."""
    stdin = io.TextIOWrapper(io.BytesIO(given if isinstance(given, bytes) else given.encode()))
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.dict(os.environ, {"FLAPS_RECORD_URL": url} | more),
        patch.multiple(sys, argv=["monitoring", *told], stdin=stdin),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            __main__.main()
            status = 0
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 0
    return Said(status, out.getvalue(), err.getvalue())


def run_for_real(url: str, *told: str, given: str = "") -> Said:
    """The same in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "monitoring", *told], timeout=60, capture_output=True, check=False,
        input=given.encode(), env=os.environ | {"FLAPS_RECORD_URL": url},
    )  # fmt: skip
    return Said(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def flap(sqlite_url: str) -> str:
    """A flap monitored since an hour ago, with staff."""
    opened = store.open_record(sqlite_url)
    staff(opened)
    then = datetime.now(UTC) - timedelta(hours=1)
    flap_id = care.admit_flap(
        opened, PROTOCOLS, patient=patient(), facts=facts(perfused_at=then), by="ana", now=then
    )
    opened.close()
    return flap_id


def count(url: str, table: str = "flap_check") -> int:
    with sqlite3.connect(url.removeprefix("sqlite:///")) as conn:
        (number,) = conn.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(number)


def test_assess_says_a_line_a_check_and_touches_no_record(tmp_path: Path) -> None:
    """Without any record a course is judged, one JSON line a check, by the protocol named or
    proposed."""
    nowhere = f"sqlite:///{tmp_path / 'none.db'}"
    said = run(nowhere, "assess", str(COURSE))
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert (said.status, said.err) == (0, "")
    assert lines[-1]["severity"] == "red"
    assert set(lines[0]) == {"observed_at", "severity", "pattern", "findings", "unanswered"}
    named = run(nowhere, "assess", str(COURSE), "--protocol", "skin-paddle@1")
    assert named.out == said.out
    assert not (tmp_path / "none.db").exists()
    assert run(nowhere, "assess", str(COURSE), "--protocol", "nose@9").refused("nose@9")


def test_assess_names_the_file_the_check_and_the_word(tmp_path: Path) -> None:
    """A wrong word, half a file and a file that is not there are one sentence each."""
    url = f"sqlite:///{tmp_path / 'none.db'}"
    bad = tmp_path / "bad.json"
    stay = json.loads(COURSE.read_text())
    stay["checks"][1]["colour"] = "green"
    bad.write_text(json.dumps(stay))
    assert run(url, "assess", str(bad)).refused("bad.json: check 2: Colour: 'green'")
    bad.write_text("{")
    assert run(url, "assess", str(bad)).refused("bad.json: not readable as JSON")
    assert run(url, "assess", str(tmp_path / "no.json")).refused("no.json: No such file")


def test_a_process_of_its_own_says_the_same(sqlite_url: str, flap: str) -> None:
    """Statuses, streams and sentences reach the shell: done, refused, misused."""
    told = ("record", "--flap", flap, "--by", "ana")
    done = run_for_real(sqlite_url, *told, given=CHECK)
    assert (done.status, done.json["severity"]) == (0, "none")
    assert run_for_real(sqlite_url, *told, given="{").refused("Standard input is not JSON")
    misused = run_for_real(sqlite_url, "nonsense")
    assert (misused.status, misused.out) == (2, "")


def test_misuse_is_two(tmp_path: Path) -> None:
    """An unknown command, a missing argument, an unknown option."""
    url = f"sqlite:///{tmp_path / 'none.db'}"
    for told in (["nonsense"], ["assess"], ["record", "--flap", "x"], ["demo", "--loud"]):
        said = run(url, *told)
        assert (said.status, said.out) == (2, ""), said


def test_migrate_then_demo_then_worker_then_health(tmp_path: Path) -> None:
    """A new record is made, filled once, watched once and reported on; a second demo is refused."""
    url = f"sqlite:///{tmp_path / 'new.db'}"
    assert run(url, "demo").refused("no record at", "run: python -m monitoring migrate")
    assert run(url, "migrate").json == {"revision": store.head_revision()}
    assert run(url, "demo").json == {"flaps": 12}
    assert run(url, "demo").refused("only for a new one")
    ticked = run(url, "worker", "--once")
    assert (ticked.status, ticked.json["set_aside"]) == (0, [])
    assert ticked.json["raised"] >= 2
    health = run(url, "health")
    assert health.status == 0
    assert health.json["record"] == "ok"


def test_channels_are_listed_without_their_addresses(tmp_path: Path) -> None:
    """Names, kinds and problems; status 1 as soon as one cannot be used; never an address."""
    url = f"sqlite:///{tmp_path / 'none.db'}"
    said = run(url, "channels")
    assert (said.status, said.json) == (0, {"demo": {"kind": "demo", "problem": None}})
    given = {"sms": "json://me:tulip@h/{to}", "board": "json://h/x", "bad": "tulip://me:tulip@h"}
    said = run(url, "channels", FLAPS_CHANNELS=json.dumps(given))
    assert said.status == 1 and "tulip@" not in said.out + said.err
    kinds = {name: found["kind"] for name, found in said.json.items()}
    assert kinds == {"sms": "personal", "board": "shared", "bad": "shared"}
    assert [n for n, found in said.json.items() if found["problem"]] == ["bad"]
    assert run(url, "channels", FLAPS_CHANNELS="{").refused("FLAPS_CHANNELS", "JSON")


def test_one_round_of_the_worker_sends_what_waits(tmp_path: Path, sqlite_url: str) -> None:
    """``worker --once`` ticks, sends everything that waits and says how much; a message that its
    provider did not take makes the status 1 and goes on waiting."""
    opened = store.open_record(sqlite_url)
    staff(opened)
    page = NewPage("k", PageKind.TEST, "demo", Severity.RED, "Trial", "Words.", staff_id="diaz")
    lost = page._replace(key="l", channel="sms")
    with opened.write() as conn:
        insert_pages(conn, [page], datetime.now(UTC))
    said = run(sqlite_url, "worker", "--once")
    assert (said.status, said.json["sent"], said.json["not_sent"]) == (0, 1, 0)
    assert "Trial" in (tmp_path / "demo-messages.jsonl").read_text(encoding="utf-8")
    with opened.write() as conn:
        insert_pages(conn, [lost], datetime.now(UTC))
    dead = json.dumps({"sms": "json://127.0.0.1:9/"})
    said = run(sqlite_url, "worker", "--once", FLAPS_CHANNELS=dead)
    assert (said.status, said.json["sent"], said.json["not_sent"]) == (1, 0, 1)
    assert count(sqlite_url, "page WHERE state = 'waiting'") == 1
    opened.close()


def test_health_of_nothing_is_one_and_still_json(tmp_path: Path) -> None:
    """No record, no watcher: status 1, and a report that says so."""
    said = run(f"sqlite:///{tmp_path / 'none.db'}", "health")
    assert said.status == 1
    assert "no record" in said.json["record"]


def test_record_saves_a_check_as_the_form_would(sqlite_url: str, flap: str) -> None:
    """One JSON object in, the judgement out; the same object with its key again is a repeat."""
    told = ("record", "--flap", flap, "--by", "ana")
    said = run(sqlite_url, *told, given=CHECK)
    assert (said.status, said.json["severity"], said.json["repeated"]) == (0, "none", False)
    again = json.dumps(USUAL | {"key": said.json["key"]})
    assert run(sqlite_url, *told, given=again).json["repeated"] is True
    other = json.dumps(USUAL | {"key": said.json["key"], "colour": "blue"})
    assert run(sqlite_url, *told, given=other).refused("saved already, with other values")
    assert count(sqlite_url) == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{", "Standard input is not JSON"),
        (b"\xff", "Standard input is not JSON"),
        ("[1]", "A check is a JSON object"),
        ('{"colour": "green"}', "'green' is not one of"),
        ('{"flap_temp_c": 92}', "92 is outside 10 to 43 °C"),
        ('{"flap_temp_c": NaN}', "nan is outside"),
        ('{"mood": "good"}', "'mood' is not part of a check"),
        ('{"observed_at": "2026-03-02T10:00"}', "has no time zone"),
        ('{"observed_at": "2999-01-01T00:00:00+00:00"}', "in the future"),
        ('{"colour": "pale", "refill": 9}', "Refill 9 s is unusual. Is it right?"),
    ],
)
def test_record_refuses_what_cannot_be(
    sqlite_url: str, flap: str, given: str | bytes, said: str
) -> None:
    """Malformed, impossible, unknown, from the future or unconfirmed: a sentence, nothing kept."""
    assert run(sqlite_url, "record", "--flap", flap, "--by", "ana", given=given).refused(said)
    assert count(sqlite_url) == 0


def test_record_refuses_strangers(sqlite_url: str, flap: str) -> None:
    """An unknown flap, an unknown user, a flap that was discharged; an unusual value passes once
    it is confirmed."""
    told = ("record", "--flap", flap, "--by", "ana")
    unusual = json.dumps(USUAL | {"refill": 9})
    assert run(sqlite_url, *told, "--confirm", "refill", given=unusual).status == 0
    assert run(sqlite_url, "record", "--flap", "x", "--by", "ana", given=CHECK).refused("no flap x")
    nobody = run(sqlite_url, "record", "--flap", flap, "--by", "zoe", given=CHECK)
    assert nobody.refused("Nobody on the staff list is 'zoe'")
    opened = store.open_record(sqlite_url)
    with opened.write() as conn:
        conn.exec_driver_sql("UPDATE flap SET ended_at = 1 WHERE 1 = 1")
    opened.close()
    assert run(sqlite_url, *told, given=CHECK).refused("has ended")
    assert count(sqlite_url) == 1


def test_import_twice_changes_nothing(sqlite_url: str) -> None:
    """A course comes in once; the second time every check is known."""
    first = run(sqlite_url, "import", str(COURSE))
    number = len(json.loads(COURSE.read_text())["checks"])
    assert (first.status, first.json["checks_new"]) == (0, number), first
    again = run(sqlite_url, "import", str(COURSE)).json
    assert (again["checks_new"], again["checks_known"]) == (0, number)
    assert count(sqlite_url) == number


def test_protocols_are_checked_and_shown(tmp_path: Path) -> None:
    """Every protocol's words in plain text; one with a wrong word fails the check with its file's
    name, and so does malformed YAML."""
    url = f"sqlite:///{tmp_path / 'none.db'}"
    shown = run(url, "protocols", "show", "buried@1")
    assert shown.status == 0 and "# Buried flap, version 1" in shown.out
    assert run(url, "protocols", "show", "nose@1").refused("nose@1")
    folder = tmp_path / "protocols"
    folder.mkdir()
    shutil.copy("config/protocols/digit-1.yaml", folder)
    path = folder / "digit-1.yaml"
    whole = path.read_text()
    for broken in (whole.replace("words: [dusky", "words: [dusty", 1), whole + "\n  - ]"):
        path.write_text(broken)
        said = run(url, "protocols", "check", "--folder", str(folder))
        assert said.status == 1
        assert "digit-1.yaml" in said.out + said.err
        assert "Traceback" not in said.err


def test_a_record_that_cannot_be_used_is_a_sentence(
    sqlite_url: str, flap: str, tmp_path: Path
) -> None:
    """Corrupt, not a record, read-only, locked, not migrated, no such folder, no such kind of
    database: what to do is said, and nothing is written."""
    told = ("record", "--flap", flap, "--by", "ana")
    assert run(f"{sqlite_url}?mode=ro", *told, given=CHECK).refused("may only be read")
    junk = tmp_path / "junk.db"
    junk.write_bytes(b"not a database, but long enough to be looked at" * 100)
    assert run(f"sqlite:///{junk}", *told, given=CHECK).refused("is not a record")
    empty = tmp_path / "blank.db"
    empty.touch()
    assert run(f"sqlite:///{empty}", *told, given=CHECK).refused("python -m monitoring migrate")
    assert run(f"sqlite:///{tmp_path}/no/x.db", *told, given=CHECK).refused("does not exist")
    assert run("mysql://x/y", *told, given=CHECK).refused("sqlite:///path")
    holder = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert run(sqlite_url, *told, given=CHECK).refused("locked by another. Try again")
    holder.execute("ROLLBACK")
    holder.close()
    assert count(sqlite_url) == 0
