"""What happens to an alert's ladder when workers sleep or die, people leave, and answers come at
the very moment a rung is due: real workers, a real provider, ladders that climb in seconds."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import event

from monitoring import care, episodes, paging, people
from monitoring.delivery import LOOK_EVERY
from monitoring.domain import AlertState, Check, Intent, Level, PageState
from monitoring.ladder import STANDARD, Ladder, Rung
from monitoring.paging import StoredPage, page_key
from monitoring.protocol import Protocol
from monitoring.store import Record
from tests.bedside import CONGESTED, PROTOCOLS, ROTA, admit, at, on_call, patient, staff
from tests.faults.workers import Couriers, eventually, stop_between_writes, ticks, watcher
from tests.sinks import HttpSink, http_sink
from tests.stays import USUAL, facts

House = Callable[..., Couriers]

ONE_TICK = 4.0
"""Seconds from when a worker can act until the provider has it: a tick of 1 s, the look into the
outbox, the bundling, and room for a machine with other work."""

FAR = 1200.0
"""Seconds to a rung that no test waits for."""

RACES = 40


def climbing(*rungs: tuple[float, Level]) -> dict[str, Protocol]:
    """The protocols with this ladder for reds: so many seconds until this level is told."""
    told = tuple(Rung(to=(level,), after_minutes=seconds / 60) for seconds, level in rungs)
    red = Ladder(rungs=told, repeat_minutes=60, answer_minutes=15, plan_minutes=60)
    quick = STANDARD.model_copy(update={"red": red})
    return {k: p.model_copy(update={"escalation": quick}) for k, p in PROTOCOLS.items()}


AT_ONCE, SECOND, THIRD = Level.REGISTRAR, Level.MICROSURGEON, Level.CONSULTANT
SLOW = climbing((0, AT_ONCE), (FAR, SECOND))


@dataclass
class Night:
    """A ward at this very moment, its people reached through one provider, one path a person."""

    record: Record
    sink: HttpSink
    house: Couriers

    def people(self) -> None:
        """Everybody has a number; nobody is on call yet."""
        staff(self.record)

    def first_worker(self) -> int:
        """A worker that has made its first rounds; then everybody's number is known."""
        pid = self.house.start()
        eventually(lambda: ticks(self.record) > 0 and "sms" in self.channels())
        for who in ROTA.values():
            care.set_contact(
                self.record, staff_id=who, channel="sms", address=who, by="cho",
                now=datetime.now(UTC),
            )  # fmt: skip
        return pid

    def channels(self) -> set[str]:
        with self.record.read() as conn:
            return {c.name for c in paging.channels(conn)}

    def on_call(self, *levels: Level) -> None:
        """Put them on call from now on."""
        now = datetime.now(UTC)
        for level in levels:
            care.enter_shift(
                self.record, ward="W", level=level, staff_id=ROTA[level], from_at=now,
                until_at=now + timedelta(hours=9), by="cho", now=now,
            )  # fmt: skip

    def admit(self, number: int = 0) -> str:
        now = datetime.now(UTC)
        return care.admit_flap(
            self.record, PROTOCOLS, by="ana", now=now,
            patient=patient(mrn=f"3{number:05}", name=f"NAME, {number}", bed=f"T{number}"),
            facts=facts(perfused_at=now - timedelta(hours=1), monitoring_from=now),
        )  # fmt: skip

    def red(self, flap_id: str, protocols: dict[str, Protocol] = SLOW) -> int:
        """A nurse finds the flap congested, now; returns the alert."""
        now = datetime.now(UTC)
        check = Check.parse(
            {"observed_at": now, **USUAL, **CONGESTED}, flap_id=flap_id, by="ana", key=uuid4(),
            recorded_at=now,
        )  # fmt: skip
        (alert,) = care.record_check(self.record, protocols, check, now=now).alerts
        return alert.id

    def steps(self, alert_id: int) -> list[tuple[int, bool, bool]]:
        """The rungs that the alert reached: number, sent, late."""
        with self.record.read() as conn:
            found = paging.steps_of(conn, [alert_id]).get(alert_id, [])
        return [(s.number, s.sent, s.late) for s in found]

    def pages(self, alert_id: int) -> list[StoredPage]:
        with self.record.read() as conn:
            return paging.pages_of(conn, [alert_id]).get(alert_id, [])

    def heard(self, key: str) -> bool:
        """Whether the message reached the provider."""
        return self.sink.arrived()[key] > 0

    def asked_for(self, who: str) -> int:
        """How many messages were brought to this person's number."""
        return sum(g.path.strip("/") == who for g in list(self.sink.got))

    def more_ticks(self, many: int = 1) -> None:
        before = ticks(self.record)
        eventually(lambda: ticks(self.record) >= before + many)


@contextmanager
def a_night(record: Record, couriers: House, bundle_seconds: float = 0.1) -> Iterator[Night]:
    with http_sink() as sink:
        house = couriers(bundle_seconds, sms=sink.url("/{to}"))
        night = Night(record, sink, house)
        night.people()
        yield night


def wait_until(moment: float) -> None:
    """Until this moment of the monotonic clock: where the passing of time is what is tried."""
    eventually(lambda: time.monotonic() > moment)


def key(alert_id: int, number: int, level: Level) -> str:
    return page_key(alert_id, 1, number, ROTA[level], "sms")


def test_a_worker_that_slept_sends_the_highest_rung_and_owns_up_to_the_others(
    record: Record, couriers: House
) -> None:
    """The only worker stands still while of one alert three rungs come due, of another one, of a
    third none. Woken, it sends the highest of each within a tick, writes the rungs slept over down
    as late and unsent, and no message reaches the provider twice."""
    ladders = [
        climbing((0, AT_ONCE), (1.6, SECOND), (1.8, SECOND), (2, THIRD), (FAR, THIRD)),
        climbing((0, AT_ONCE), (2, SECOND), (FAR, THIRD)),
        climbing((0, AT_ONCE), (5, SECOND), (FAR, THIRD)),
    ]
    with a_night(record, couriers) as night:
        pid = night.first_worker()
        night.on_call(AT_ONCE, SECOND, THIRD)
        flaps = [night.admit(n) for n in range(3)]
        stop_between_writes(record, pid)
        three, one = (night.red(f, p) for f, p in zip(flaps[:2], ladders[:2], strict=True))
        begun = time.monotonic()
        none = night.red(flaps[2], ladders[2])
        assert night.sink.got == []
        wait_until(begun + 2.1)
        os.kill(pid, signal.SIGCONT)
        highest = {key(three, 3, THIRD), key(one, 1, SECOND)}
        assert eventually(lambda: highest <= set(night.sink.arrived())) < ONE_TICK
        assert night.steps(three) == [
            (0, True, False), (1, False, True), (2, False, True), (3, True, False),
        ]  # fmt: skip
        assert night.steps(one) == [(0, True, False), (1, True, False)]
        assert night.steps(none) == [(0, True, False)]
        eventually(lambda: night.heard(key(none, 1, SECOND)))
        assert 5 <= time.monotonic() - begun < 5 + ONE_TICK
        night.more_ticks()
        first = {key(alert, 0, AT_ONCE) for alert in (three, one, none)}
        everything = first | highest | {key(none, 1, SECOND)}
        assert night.sink.arrived() == dict.fromkeys(everything, 1)


def test_with_nobody_on_call_the_first_who_is_entered_is_told(
    record: Record, couriers: House
) -> None:
    """A red on a ward whose rota is empty: nobody can be told, and the rung says so. The moment a
    registrar is entered they are told, not at the next rung twenty minutes later."""
    with a_night(record, couriers) as night:
        night.first_worker()
        alert = night.red(night.admit())
        night.more_ticks(2)
        assert night.pages(alert) == []
        with record.read() as conn:
            (step,) = paging.steps_of(conn, [alert])[alert]
        assert step.gaps == (AT_ONCE,)
        night.on_call(AT_ONCE)
        assert eventually(lambda: night.heard(key(alert, 0, AT_ONCE))) < ONE_TICK
        night.more_ticks()
        assert night.sink.arrived() == {key(alert, 0, AT_ONCE): 1}
        assert night.steps(alert) == [(0, True, False)]


def test_somebody_who_leaves_in_mid_chain_hears_nothing_more_and_the_next_is_told(
    record: Record, couriers: House
) -> None:
    """The provider refuses the registrar's number; while it is tried again their account is
    disabled. Nothing is brought to them after that though the number works again, and the next
    level is told at once, twenty minutes before its rung."""
    with a_night(record, couriers) as night:
        night.first_worker()
        night.on_call(AT_ONCE, SECOND)
        night.sink.refused = {"/diaz", "/diaz/"}
        alert = night.red(night.admit())
        eventually(lambda: night.asked_for("diaz") >= 1)
        with record.write() as conn:
            people.remove_staff(conn, "diaz")
        eventually(lambda: night.pages(alert)[0].state is PageState.DROPPED)
        asked = night.asked_for("diaz")
        night.sink.refused.clear()
        eventually(lambda: night.heard(page_key(alert, 1, 0, "diop", "sms")))
        night.more_ticks()
        assert night.asked_for("diaz") == asked
        assert night.sink.taken() == {page_key(alert, 1, 0, "diop", "sms"): 1}
        (dropped, _) = night.pages(alert)
        assert "left the ward" in str(dropped.answer)


def test_three_flaps_that_fail_at_once_are_one_message(record: Record, couriers: House) -> None:
    """Three reds are saved within a second, the outbox looked into meanwhile: the registrar's
    telephone rings once, and the message names all three beds and leads to each."""
    with a_night(record, couriers, bundle_seconds=2.5) as night:
        night.first_worker()
        night.on_call(AT_ONCE)
        flaps = [night.admit(n) for n in range(3)]
        alerts = []
        for flap in flaps:
            alerts.append(night.red(flap))
            wait_until(time.monotonic() + 1.5 * LOOK_EVERY)
        eventually(lambda: night.sink.got)
        night.more_ticks()
        (got,) = night.sink.got
        assert sorted(got.keys) == sorted(key(alert, 0, AT_ONCE) for alert in alerts)
        assert got.body["title"] == "3 alerts: 3 RED"
        for number, alert in enumerate(alerts):
            assert f"RED venous, bed T{number}, L breast DIEP" in got.body["message"]
            assert f"/alerts?alert={alert}&page=" in got.body["message"]


def test_a_worker_that_is_killed_between_two_rungs_leaves_none_behind(
    record: Record, couriers: House
) -> None:
    """A red is told to the registrar; the worker is killed before the next rung. Another takes the
    watch: the microsurgeon and the consultant are told at their times, everybody once."""
    ladder = climbing((0, AT_ONCE), (2.5, SECOND), (3.5, THIRD), (FAR, THIRD))
    with a_night(record, couriers) as night:
        first = night.first_worker()
        night.on_call(AT_ONCE, SECOND, THIRD)
        second = night.house.start()
        flap = night.admit()
        begun = time.monotonic()
        alert = night.red(flap, ladder)
        eventually(lambda: night.pages(alert)[0].state is PageState.SENT)
        assert f"-{first}-" in watcher(record)[0]
        night.house.kill(first)
        told = []
        for number, level in ((1, SECOND), (2, THIRD)):
            eventually(partial(night.heard, key(alert, number, level)))
            told.append(time.monotonic() - begun)
        assert f"-{second}-" in watcher(record)[0]
        assert 2.5 <= told[0] < 2.5 + ONE_TICK
        assert 3.5 <= told[1] < 3.5 + ONE_TICK
        night.more_ticks()
        assert night.steps(alert) == [(n, True, False) for n in range(3)]
        keys = [key(alert, n, level) for n, level in enumerate((AT_ONCE, SECOND, THIRD))]
        assert night.sink.arrived() == dict.fromkeys(keys, 1)


# An answer at the very moment a rung is due ----------------------------------------------------


class Racer:
    """Another process that takes rungs."""

    def __init__(self, url: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("racer.py")), url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": "."},
            text=True, bufsize=1,
        )  # fmt: skip
        assert self.says() == "ready"

    def climb(self, alert_id: int, now: datetime, at: float) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{alert_id} {now.isoformat()} {at}\n")

    def says(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def is_silent(self, seconds: float) -> bool:
        assert self.process.stdout is not None
        return not select.select([self.process.stdout], [], [], seconds)[0]

    def end(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture
def racer(record: Record, record_url: str) -> Iterator[Racer]:
    started = Racer(record_url)
    yield started
    started.end()


@dataclass
class Race:
    """An alert of which a rung is due at a moment at which somebody takes it, too."""

    record: Record
    alert_id: int
    due_at: datetime

    def acknowledge(self) -> None:
        care.acknowledge_alert(
            self.record, alert_id=self.alert_id, by="diaz", intent=Intent.COMING, now=self.due_at,
            expected_at=self.due_at + timedelta(minutes=5),
        )  # fmt: skip

    def written(self) -> tuple[list[int], list[tuple[str, PageState]]]:
        """The rungs, and the messages with what became of them."""
        with self.record.read() as conn:
            steps = paging.steps_of(conn, [self.alert_id])[self.alert_id]
            pages = paging.pages_of(conn, [self.alert_id])[self.alert_id]
        return [s.number for s in steps], [(p.key, p.state) for p in pages]

    def is_answered(self) -> bool:
        with self.record.read() as conn:
            found = episodes.find_alert(conn, self.alert_id)
        return found is not None and found.state is AlertState.ACKNOWLEDGED


def races(record: Record, many: int) -> Iterator[Race]:
    """Reds of which the next rung is due, everybody on call and nobody told yet."""
    staff(record)
    on_call(record)
    for number in range(many):
        bed = admit(record, mrn=f"5{number:05}", name=f"NAME, {number}")
        bed.save(1, CONGESTED)
        yield Race(record, bed.alert().id, at(6))


def test_no_rung_is_written_once_an_answer_is(record: Record, racer: Racer) -> None:
    """Somebody takes a red while another process takes its next rung, forty times, now one a hair
    earlier, now the other. Whoever wins: from the moment the answer is written down no rung and no
    message is added, and nothing that was not sent yet is left to send."""
    chance = random.Random(7)
    climbed = 0
    for number, race in enumerate(races(record, RACES)):
        apart = {0: -0.2, 1: 0.2}.get(number, chance.uniform(-0.006, 0.006))
        begin = time.time() + 0.02
        racer.climb(race.alert_id, race.due_at, begin + max(0.0, -apart))
        while time.time() < begin + max(0.0, apart):
            pass
        race.acknowledge()
        then = race.written()
        assert racer.says() == "begins"
        took = racer.says() == "took"
        assert race.is_answered()
        assert race.written() == then
        assert then[0] == ([0, 1] if took else [0])
        assert {state for _, state in then[1]} == {PageState.DROPPED}
        climbed += took
    assert 0 < climbed < RACES, "or nothing was tried"


def test_a_rung_that_waits_for_an_answer_finds_it(record: Record, racer: Racer) -> None:
    """The answer is being written down, the rung is due and waits for the record: once it is let
    in it finds the alert taken and tells nobody."""
    (race,) = races(record, 1)
    writing, may_end = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        writing.set()
        may_end.wait(10)

    event.listen(record.writer, "commit", hold)
    answer = threading.Thread(target=race.acknowledge)
    answer.start()
    assert writing.wait(10)
    racer.climb(race.alert_id, race.due_at, 0)
    assert racer.says() == "begins"
    assert racer.is_silent(0.3), "it waits"
    may_end.set()
    answer.join()
    assert racer.says() == "found it answered"
    assert race.written()[0] == [0]
    assert race.is_answered()
