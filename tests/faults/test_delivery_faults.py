"""What happens to messages when workers are killed and providers fail: each arrives, a second
arrival carries the same key, and nobody watches twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection

from monitoring import leases, paging, people, store, worker
from monitoring.domain import PageKind, PageState, Role, Severity
from monitoring.paging import NewPage
from monitoring.store import Record
from tests.bedside import CONGESTED, admit, staff
from tests.faults.workers import Couriers, eventually, stop_between_writes, ticks, watcher
from tests.sinks import http_sink, smtp_sink

KILLS = 24
MESSAGES = 600


def waiting(record: Record) -> int:
    with record.read() as conn:
        found = conn.exec_driver_sql("SELECT count(*) FROM page WHERE state = 'waiting'")
        return int(found.scalar_one())


def under_way(record: Record, pid: int) -> int:
    """How many messages the worker has claimed and not marked."""
    with record.read() as conn:
        said = f"SELECT count(*) FROM page WHERE leased_by LIKE '%%-{pid}-%%'"
        return int(conn.exec_driver_sql(said).scalar_one())


def six_hundred(record: Record) -> set[str]:
    """Half of them trials that go alone; half about fifteen alerts, to ten people and on two
    channels, that are bundled."""
    staff(record)
    beds = [admit(record, mrn=f"m{n}", name=f"NAME {n}") for n in range(15)]
    for bed in beds:
        bed.save(1, CONGESTED)
    with record.write() as conn:
        rest(conn)
        people_ids = [
            people.add_staff(conn, f"Dr {n}", Role.REGISTRAR, "W", staff_id=f"dr{n}").id
            for n in range(10)
        ]
    pages = [
        NewPage(
            f"{bed.alert().id}.0.0.{who}.{channel}", PageKind.ALERT, channel, Severity.RED,
            "RED venous, bed 4, L breast DIEP", "Words.", alert_id=bed.alert().id, staff_id=who,
        )
        for bed in beds for who in people_ids for channel in ("sms", "push")
    ]  # fmt: skip
    pages += [
        NewPage(f"t{n}", PageKind.TEST, ("sms", "push")[n % 2], Severity.AMBER, "Trial", "Words.")
        for n in range(MESSAGES - len(pages))
    ]
    random.Random(4).shuffle(pages)
    with record.write() as conn:
        assert paging.insert_pages(conn, pages, datetime.now(UTC)) == MESSAGES
    return {p.key for p in pages}


def rest(conn: Connection) -> None:
    """Nothing more is written about these alerts: what is tried here is delivery alone."""
    conn.exec_driver_sql("DELETE FROM page")
    conn.exec_driver_sql("UPDATE flap SET ended_at = monitoring_from + 120000000")
    conn.exec_driver_sql(
        "UPDATE alert SET state = 'closed', closed_by = 'diaz', closed_at = raised_at, "
        "close_reason = 'position'"
    )


def a_bad_day(number: int) -> str:
    """Of ten requests one is refused, and some lines hang or break."""
    if number % 41 == 7:
        return "timeout"
    return {3: "500", 8: "reset"}.get(number % 20, "200")


def test_killed_workers_and_failing_providers_lose_no_message(
    record: Record, couriers: Callable[..., Couriers]
) -> None:
    """Two workers, six hundred messages, twenty-four kill -9 and a provider that refuses, hangs
    and hangs up: every message is taken by the provider and marked, a second copy has the same key,
    and there are no more copies than messages under way at a kill or in a failed request."""
    keys = six_hundred(record)
    moment = random.Random(3)
    with http_sink(a_bad_day) as sink:
        sink.pause = 0.02
        url = sink.url(more="?rto=1&cto=1")
        house = couriers(sms=url, push=url)
        for _ in range(2):
            house.start()
        at_kills = 0
        for number in range(KILLS):
            time.sleep(moment.uniform(0.05, 0.35))
            victim = house.alive[number % 2]
            os.kill(victim, signal.SIGSTOP)
            at_kills += under_way(record, victim)
            house.kill(victim)
            house.start()
        last = time.monotonic()
        eventually(lambda: waiting(record) == 0, within=60)
        assert time.monotonic() - last < 60
        arrived, taken = sink.arrived(), sink.taken()
        in_failures = sum(len(g.keys) for g in sink.got if g.answered != "200")
    assert at_kills > 0 and in_failures > 0, "or nothing was tried"
    assert set(taken) == set(arrived) == keys
    assert sum(taken.values()) - MESSAGES <= at_kills
    assert sum(arrived.values()) - MESSAGES <= at_kills + in_failures
    with record.read() as conn:
        stored = paging.last_pages(conn, MESSAGES + 1)
    assert len(stored) == MESSAGES
    assert {p.state for p in stored} == {PageState.SENT}
    assert all(p.answer and p.sent_at for p in stored)


def test_a_killed_watcher_is_replaced_and_a_hung_one_too(
    record: Record, couriers: Callable[..., Couriers]
) -> None:
    """Of two workers the one that watches is killed: the other watches within the lease. That one
    is stopped in its tracks: a third takes over, and once it wakes it only stands by."""
    house = couriers(demo="demo://")
    first = house.start()
    eventually(lambda: ticks(record) > 0)
    second = house.start()
    assert f"-{first}-" in watcher(record)[0]
    house.kill(first)
    took = eventually(lambda: f"-{second}-" in watcher(record)[0])
    assert took < 10
    third = house.start()
    stop_between_writes(record, second)
    took = eventually(lambda: f"-{third}-" in watcher(record)[0])
    assert took < 10
    seen = watcher(record)
    os.kill(second, signal.SIGCONT)
    before = ticks(record)
    eventually(lambda: ticks(record) >= before + 3)
    assert watcher(record) == seen


def test_the_service_itself_delivers_mail_and_ends(tmp_path: Path, sqlite_url: str) -> None:
    """``python -m monitoring worker`` as a service runs it: a trial reaches the mail server from
    the settings in the environment, and SIGTERM ends it in good order."""
    record = store.open_record(sqlite_url)
    staff(record)
    with record.write() as conn:
        paging.set_contact(
            conn, paging.Contact("diaz", "mail", "diaz@example.org"), by="ana",
            at=datetime.now(UTC),
        )  # fmt: skip
        trial = NewPage(
            "t", PageKind.TEST, "mail", Severity.RED, "Trial", "Words.", staff_id="diaz"
        )
        paging.insert_pages(conn, [trial], datetime.now(UTC))
    with smtp_sink() as (sink, port):
        mail = f"mailto://127.0.0.1:{port}?from=flaps@example.org&to={{to}}&mode=insecure"
        told = {"FLAPS_RECORD_URL": sqlite_url, "FLAPS_CHANNELS": json.dumps({"mail": mail})}
        said = tmp_path / "said"
        with said.open("wb") as out:
            service = subprocess.Popen(
                [sys.executable, "-m", "monitoring", "worker"], env=os.environ | told,
                stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            eventually(lambda: waiting(record) == 0, within=30)
            service.send_signal(signal.SIGTERM)
            assert service.wait(10) == 0
        finally:
            service.kill()
            service.wait()
        assert [m["Subject"] for m in sink.mails] == ["Trial"]
    with record.read() as conn:
        held = leases.lease(conn, worker.NAME)
        assert held is not None and held.until_at <= datetime.now(UTC), "given back"
        assert {c.name: c.problem for c in paging.channels(conn)} == {"mail": None}
    assert "example.org" not in said.read_text(encoding="utf-8")
    record.close()
