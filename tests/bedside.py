"""One flap on a real record, and a nurse's day told in minutes since monitoring began."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from monitoring import (
    care,
    checks,
    episodes,
    paging,
    people,
    protocol,
    queries,
    rechecks,
    shifts,
    worker,
)
from monitoring.care import Saved
from monitoring.checks import StoredCheck
from monitoring.domain import ChannelKind, Check, Flap, Intent, Level, Patient, Role, Stream
from monitoring.episodes import StoredAlert
from monitoring.rota import Shift
from monitoring.rows import Row
from monitoring.store import Record
from tests.stays import START, USUAL, facts

PROTOCOLS = protocol.load()

DUSKY: dict[str, Any] = {"colour": "dusky"}
"""One strong venous sign: amber."""
CONGESTED: dict[str, Any] = {"colour": "dusky", "turgor": "tense"}
"""Venous congestion: red."""
PALE: dict[str, Any] = {"colour": "pale"}
"""One weak sign: yellow, to be looked at again within 15 min."""
SILENT: dict[str, Any] = {"doppler_artery": "absent"}
"""The arterial signal is lost: amber until a second person hears it or 10 min are over."""
BLIND: dict[str, Any] = {"turgor": {"unable": "dressing"}}


def at(minutes: float) -> datetime:
    """So many minutes after monitoring began."""
    return START + timedelta(minutes=minutes)


def patient(**changed: Any) -> Patient:
    """Somebody who does not exist."""
    told = {
        "mrn": "100200", "name": "MBEKI, Thandi", "born_on": "1970-05-01", "ward": "W", "bed": "4",
    }  # fmt: skip
    return Patient.model_validate(told | changed)


def staff(record: Record) -> None:
    """Two nurses and their charge nurse, two registrars and a consultant."""
    with record.write() as conn:
        people.add_staff(conn, "Cho", Role.CHARGE_NURSE, "W", staff_id="cho")
        people.add_staff(conn, "Dr Diop", Role.REGISTRAR, "W", staff_id="diop")
        people.add_staff(conn, "Miss Eze", Role.CONSULTANT, "W", staff_id="eze")
        people.add_staff(conn, "Ana", Role.NURSE, "W", staff_id="ana")
        people.add_staff(conn, "Ben", Role.NURSE, "W", staff_id="ben")
        people.add_staff(conn, "Dr Diaz", Role.REGISTRAR, "W", staff_id="diaz")


ROTA = {
    Level.NURSE: "ana", Level.CHARGE_NURSE: "cho", Level.REGISTRAR: "diaz",
    Level.MICROSURGEON: "diop", Level.CONSULTANT: "eze",
}  # fmt: skip
"""Who is on call at each level, once ``on_call`` was asked for."""


def on_call(record: Record, *levels: Level, until: float = 100_000) -> None:
    """Everybody of the rota (or of these levels) on call from the start, reached on the demo
    channel."""
    with record.write() as conn:
        demo = paging.Channel("demo", ChannelKind.DEMO, None, True, START)
        paging.write_channels(conn, START, [demo])
        for level in levels or tuple(ROTA):
            shift = Shift(0, "W", level, ROTA[level], at(-60), at(until))
            shifts.insert_shift(conn, shift, by="cho", now=START)


def a_look(flap_id: str, minutes: float, signs: Mapping[str, Any], by: str = "ana") -> Check:
    """A check with the usual signs but for these; None leaves one out."""
    seen = {n: v for n, v in (USUAL | dict(signs)).items() if v is not None}
    body = {"observed_at": at(minutes), **seen}
    return Check.parse(body, flap_id=flap_id, by=by, key=uuid4(), recorded_at=at(minutes))


@dataclass
class Bed:
    """A monitored flap. Times are minutes since monitoring began."""

    record: Record
    id: str

    def look(
        self, minutes: float, signs: Mapping[str, Any] | None = None, by: str = "ana"
    ) -> Check:
        return a_look(self.id, minutes, signs or {}, by)

    def save(
        self, minutes: float, signs: Mapping[str, Any] | None = None, *,
        entered: float | None = None, by: str = "ana",
    ) -> Saved:  # fmt: skip
        """Observe at one time and enter it then, or later."""
        return self.enter(self.look(minutes, signs, by), minutes if entered is None else entered)

    def enter(self, check: Check, minutes: float, **more: Any) -> Saved:
        return care.record_check(self.record, PROTOCOLS, check, now=at(minutes), **more)

    def amend(self, key: UUID, check: Check, minutes: float, by: str = "ben") -> Saved:
        return care.amend_check(
            self.record, PROTOCOLS, key=key, check=check, by=by, reason="misread", now=at(minutes)
        )

    def retract(self, key: UUID, minutes: float) -> StoredCheck:
        return care.retract_check(
            self.record, PROTOCOLS, key=key, by="ben", reason="wrong patient", now=at(minutes)
        )

    def acknowledge(self, alert: StoredAlert, minutes: float, by: str = "diaz") -> StoredAlert:
        return care.acknowledge_alert(
            self.record, alert_id=alert.id, by=by, intent=Intent.COMING,
            expected_at=at(minutes + 10), now=at(minutes),
        )  # fmt: skip

    def watch(self, minutes: float) -> int:
        """Let the watcher look at the clock; returns how many deadlines it wrote down."""
        return worker.tick(self.record, PROTOCOLS, now=at(minutes)).raised

    def watched(self, until: float, since: float = 0, every: float = 5) -> None:
        """A watcher that never sleeps."""
        minutes = since
        while minutes <= until:
            self.watch(minutes)
            minutes += every

    def pages(self, stream: Stream = Stream.PERFUSION) -> list[tuple[str | None, float]]:
        """Who was told of the alert, in order, and after how many minutes of monitoring."""
        return [(p.staff_id, (p.created_at - START) / timedelta(minutes=1))
                for p in self.outbox(stream)]  # fmt: skip

    def outbox(self, stream: Stream = Stream.PERFUSION) -> list[paging.StoredPage]:
        """Every message about the alert, first written first."""
        alert = self.alert(stream)
        with self.record.read() as conn:
            return paging.pages_of(conn, [alert.id]).get(alert.id, [])

    def steps(self, stream: Stream = Stream.PERFUSION) -> list[paging.Step]:
        """The rungs that the alert reached."""
        alert = self.alert(stream)
        with self.record.read() as conn:
            return paging.steps_of(conn, [alert.id]).get(alert.id, [])

    def alerts(self) -> list[StoredAlert]:
        with self.record.read() as conn:
            return episodes.alerts_of_flap(conn, self.id)

    def alert(self, stream: Stream = Stream.PERFUSION) -> StoredAlert:
        """The one alert of a stream."""
        (found,) = [a for a in self.alerts() if a.stream is stream]
        return found

    def told(self, stream: Stream = Stream.PERFUSION) -> list[str]:
        """The alert's story in words."""
        with self.record.read() as conn:
            return [e.kind for e in episodes.events_of(conn, [self.alert(stream).id])]

    def flap(self) -> Flap:
        with self.record.read() as conn:
            return queries.load_flap(conn, self.id).flap

    def story(self, stream: Stream = Stream.PERFUSION) -> list[episodes.AlertEvent]:
        """The alert's story, line by line."""
        with self.record.read() as conn:
            return episodes.events_of(conn, [self.alert(stream).id])

    def checks(self) -> list[StoredCheck]:
        with self.record.read() as conn:
            return checks.checks_of_flap(conn, self.id)

    def rechecks(self) -> list[rechecks.Recheck]:
        with self.record.read() as conn:
            return rechecks.open_rechecks(conn, self.id)

    def severity(self, key: UUID) -> str | None:
        with self.record.read() as conn:
            return checks.check_by_key(conn, key).severity


def admit(record: Record, **changed: Any) -> Bed:
    """A breast flap, perfused and monitored from the first minute on."""
    who = patient(**{k: v for k, v in changed.items() if k in Patient.model_fields})
    told = {k: v for k, v in changed.items() if k not in Patient.model_fields}
    flap_id = care.admit_flap(
        record, PROTOCOLS, patient=who, facts=facts(**told), by="ana", now=START
    )
    return Bed(record, flap_id)


def everything(record: Record) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, to see that nothing changed."""
    with record.read() as conn:
        return {
            t.name: sorted((tuple(map(str, row)) for row in conn.execute(select(t))), key=str)
            for t in Row.metadata.sorted_tables
        }
