"""How soon a red saved at the bedside is at the provider, and what a great many cost.

A worker of its own runs as a service would; the provider is a local HTTP server that takes each
message at once. Times run from the moment a nurse presses Save to the request's arrival there.
"""

from __future__ import annotations

import gc
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from monitoring import care, paging, people, shifts
from monitoring.dead_man import DeadMan
from monitoring.domain import Level, PageKind, Role, Severity
from monitoring.paging import Contact, NewPage
from monitoring.protocol import Protocol, load
from monitoring.rota import Shift
from monitoring.store import Record
from monitoring.worker import Watch
from tests.bench import wards
from tests.bench.wards import Goal
from tests.sinks import HttpSink, http_sink

LEVELS = {
    Level.REGISTRAR: Role.REGISTRAR, Level.MICROSURGEON: Role.REGISTRAR,
    Level.CONSULTANT: Role.CONSULTANT, Level.CHARGE_NURSE: Role.CHARGE_NURSE,
}  # fmt: skip


def wait(true: object, within: float = 120) -> None:
    by = time.monotonic() + within
    while not true():  # type: ignore[operator]
        if time.monotonic() > by:
            raise SystemExit("waited in vain")
        time.sleep(0.005)


@contextmanager
def a_worker(record: Record, sink: HttpSink) -> Iterator[subprocess.Popen[bytes]]:
    """The product's own, sending text messages to the sink."""
    channels = json.dumps({"sms": sink.url(more="?:to={to}")})
    told = {"FLAPS_RECORD_URL": record.url, "FLAPS_CHANNELS": channels}
    process = subprocess.Popen(
        [sys.executable, "-m", "monitoring", "worker"], env=os.environ | told,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def on_call(record: Record, now: datetime) -> None:
    """One person at each level, reached by text message."""
    with record.write() as conn:
        kind = paging.ChannelKind.PERSONAL
        paging.write_channels(conn, now, [paging.Channel("sms", kind, None, True, now)])
        for number, (level, role) in enumerate(LEVELS.items()):
            who = people.add_staff(conn, f"Person {number}", role, "Ward 7").id
            span = (now - timedelta(hours=1), now + timedelta(hours=9))
            shifts.insert_shift(
                conn, Shift(0, "Ward 7", level, who, *span), by=wards.NURSE, now=now
            )
            reach(conn, who, number, now)


def reach(conn: Connection, who: str, number: int, now: datetime) -> None:
    contact = Contact(who, "sms", f"+4477009{number:05}")
    paging.set_contact(conn, contact, by=wards.NURSE, at=now)


def a_ward(record: Record, flaps: int, now: datetime, checks: int = 40) -> list[str]:
    """Flaps that do well, looked at every half hour until a few minutes ago."""
    rng = random.Random(8)
    ids = [f"F{n}" for n in range(flaps)]
    wards.admit(record, ids, now - timedelta(hours=checks / 2 + 1))
    until = now + timedelta(minutes=25)
    wards.fill(record, (c for i in ids for c in wards.a_stay(rng, i, until, checks, 30)))
    wards.set_baselines(record)
    return ids


def find_occluded(record: Record, protocols: dict[str, Protocol], flap_id: str) -> int:
    """A nurse finds an arterial occlusion now; returns the alert's id."""
    now = datetime.now(UTC)
    check = wards.a_check(flap_id, now - timedelta(minutes=2), dict(wards.OCCLUDED))
    saved = care.record_check(record, protocols, check, now=now, confirmed=care.ALL)
    return saved.alerts[0].id


def bedside_to_provider(protocols: dict[str, Protocol]) -> list[Goal]:
    """Forty active flaps; one after the other turns red."""
    now = datetime.now(UTC)
    with wards.empty_record() as record, http_sink() as sink:
        on_call(record, now)
        ids = a_ward(record, 40, now)
        with a_worker(record, sink):
            with record.write() as conn:
                first = NewPage("warm", PageKind.TEST, "sms", Severity.RED, "t", "b",
                                staff_id="person-0")  # fmt: skip
                paging.insert_pages(conn, [first], datetime.now(UTC))
            wait(lambda: sink.taken()["warm"])
            pressed: dict[int, float] = {}
            rng = random.Random(5)
            for flap_id in ids:
                at = time.monotonic()
                pressed[find_occluded(record, protocols, flap_id)] = at
                time.sleep(rng.uniform(0.1, 1.3))
            wait(lambda: len(arrivals(sink, pressed)) == len(pressed))
        took = sorted(at - pressed[i] for i, at in arrivals(sink, pressed).items())
    return [
        Goal("red saved -> at the provider, p50 of 40", statistics.median(took), 1, "s"),
        Goal("red saved -> at the provider, p95 of 40", took[round(0.95 * 40) - 1], 3, "s"),
        Goal("red saved -> at the provider, longest of 40", took[-1], 5, "s"),
    ]


def arrivals(sink: HttpSink, of: dict[int, float]) -> dict[int, float]:
    """When each alert's first message arrived."""
    found: dict[int, float] = {}
    for got in list(sink.got):
        for key in got.keys:
            alert = key.partition(".")[0]
            if alert.isdigit() and int(alert) in of:
                found.setdefault(int(alert), got.at)
    return found


def six_hundred_alerts(protocols: dict[str, Protocol]) -> list[Goal]:
    """Raised while no worker runs; from its start, imports included, until the last is there."""
    now = datetime.now(UTC)
    with wards.empty_record() as record, http_sink() as sink:
        on_call(record, now)
        ids = a_ward(record, 600, now, checks=4)
        alerts = dict.fromkeys((find_occluded(record, protocols, i) for i in ids), 0.0)
        begun = time.monotonic()
        with a_worker(record, sink):
            wait(lambda: len(arrivals(sink, alerts)) == len(alerts))
        took, sent = max(arrivals(sink, alerts).values()) - begun, len(sink.got)
    return [
        Goal("600 alerts to one registrar: until the last is there", took, 60, "s"),
        Goal("600 alerts to one registrar: messages", sent, 60),
    ]


def six_hundred_people() -> list[Goal]:
    """The same number, each to somebody else: nothing can be bundled."""
    now = datetime.now(UTC)
    with wards.empty_record() as record, http_sink() as sink:
        on_call(record, now)
        with record.write() as conn:
            for n in range(600):
                who = people.add_staff(conn, f"Somebody {n}", Role.NURSE, "Ward 7").id
                reach(conn, who, n, now)
                page = NewPage(f"k{n}", PageKind.TEST, "sms", Severity.RED, "RED", "b",
                               staff_id=who)  # fmt: skip
                paging.insert_pages(conn, [page], now)
        begun = time.monotonic()
        with a_worker(record, sink):
            wait(lambda: len(sink.taken()) == 600)
        took = max(g.at for g in sink.got) - begun
    return [Goal("600 messages to 600 people: until the last is there", took, 60, "s")]


def a_quiet_round(protocols: dict[str, Protocol]) -> list[Goal]:
    """The lease, the ward, the outbox and the heartbeat, when nothing is due."""
    now = datetime(2026, 3, 9, 14, tzinfo=UTC)
    counts, cpu = [], 0.0
    for flaps in (20, 200):
        with wards.empty_record() as record:
            a_ward(record, flaps, now, checks=118)
            watch = Watch(record, protocols, "bench", DeadMan(""))
            watch.round(now)
            with wards.statements(record.reader, record.writer) as said:
                done = watch.round(now)
            assert done is not None and done.raised == 0 and done.well
            counts.append(len(said))
            gc.collect()
            found = []
            for place in range(30):
                begun = time.process_time()
                watch.round(now + timedelta(seconds=2 * place))
                found.append((time.process_time() - begun) * 1000)
            cpu = statistics.median(found[5:])
    return [
        Goal("CPU of a round over 200 flaps, nothing due", cpu, 20, "ms CPU"),
        Goal("statements of a round over 200 flaps", counts[1], 24),
        Goal("statements more than over 20 flaps", counts[1] - counts[0], 0),
    ]


def main() -> None:
    protocols = dict(load())
    wards.show("watcher", a_quiet_round(protocols))
    wards.show("bedside to provider", bedside_to_provider(protocols))
    wards.show("a great many", [*six_hundred_alerts(protocols), *six_hundred_people()])


if __name__ == "__main__":
    main()
