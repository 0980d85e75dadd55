"""What the measurements share: wards of any size on a real record, statements counted, tables.

Rows that only have to be there are written with plain SQL; what is measured goes through the
product's own doors.
"""

from __future__ import annotations

import random
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Engine, event
from sqlalchemy.dialects import sqlite

from monitoring import care, people, queries, store, watch_log
from monitoring.checks import check_to_row
from monitoring.domain import (
    Check,
    FlapFacts,
    Hold,
    HoldReason,
    Intent,
    Patient,
    Return,
    Role,
)
from monitoring.protocol import Protocol
from monitoring.rows import FlapCheckRow, table_of, to_micros
from monitoring.signs import SignValue
from monitoring.store import Record

NURSE = "nurse1"
SURGEON = "surgeon1"
PROTOCOL = "skin-paddle@1"
_table = table_of(FlapCheckRow)
_keys = count(1)
_DIALECT: Any = sqlite.dialect()  # type: ignore[no-untyped-call]
_BINDS = {
    c.name: c.type.dialect_impl(_DIALECT).bind_processor(_DIALECT) for c in _table.columns
}  # fmt: skip


class Goal(NamedTuple):
    """One measured number beside what it should be. ``most`` False means at least."""

    what: str
    value: float
    goal: float
    unit: str = ""
    most: bool = True

    @property
    def met(self) -> bool:
        return self.value <= self.goal if self.most else self.value >= self.goal

    def line(self) -> str:
        word = "at most" if self.most else "at least"
        verdict = "met" if self.met else "MISSED"
        goal = f"{word} {self.goal:,g}"
        return f"{self.what:<66} {self.value:>9,.2f} {self.unit:<10} {goal:<16} {verdict}"


def show(title: str, goals: Iterable[Goal], *remarks: str) -> None:
    """A small table."""
    print(title)
    for goal in goals:
        print(f"  {goal.line()}")
    for remark in remarks:
        print(f"  {remark}")


@contextmanager
def empty_record() -> Iterator[Record]:
    """A migrated record on a disk, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="flap-bench-") as folder:
        url = f"sqlite:///{Path(folder) / 'record.db'}"
        store.migrate(url)
        record = store.open_record(url)
        with record.write() as conn:
            people.add_staff(conn, "N. Okafor", Role.NURSE, "Ward 7", staff_id=NURSE)
            people.add_staff(conn, "Dr M. Osei", Role.REGISTRAR, "Ward 7", staff_id=SURGEON)
        try:
            yield record
        finally:
            record.close()


def path_of(record: Record) -> str:
    """The file the record lives in."""
    return str(record.writer.url.database)


def facts(perfused_at: datetime) -> FlapFacts:
    """A free breast flap watched by hand."""
    return FlapFacts.model_validate(
        {
            "label": "L breast DIEP", "kind": "free", "name": "DIEP", "tissue": "skin",
            "recipient": "breast", "buried": False, "skin_type": "II", "monitors": ["handheld"],
            "perfused_at": perfused_at,
        }
    )  # fmt: skip


def admit(record: Record, flap_ids: Sequence[str], since: datetime) -> None:
    """One patient and one flap for each id, perfused at ``since``."""
    with record.write() as conn:
        for number, flap_id in enumerate(flap_ids):
            patient = Patient(
                mrn=f"M{flap_id}", name=f"Patient {flap_id}", born_on=date(1970, 1, 1),
                ward="Ward 7", bed=str(number + 1),
            )  # fmt: skip
            patient_id = queries.insert_patient(conn, patient)
            queries.insert_flap(
                conn, flap_id, patient_id, facts(since), PROTOCOL, by=NURSE, at=since
            )


def calm_signs(rng: random.Random) -> dict[str, SignValue]:
    """A skin paddle that does well, every routine sign looked at."""
    return {
        "colour": "matches",
        "refill": round(min(2.8, max(1.2, rng.gauss(2.0, 0.3))), 1),
        "flap_temp_c": round(33.8 + rng.gauss(0, 0.15), 1),
        "control_temp_c": round(34.1 + rng.gauss(0, 0.15), 1),
        "turgor": "soft",
        "doppler_artery": "strong",
        "doppler_vein": "present",
    }


OCCLUDED: dict[str, SignValue] = {
    "colour": "white", "refill": "absent", "flap_temp_c": 30.6, "control_temp_c": 34.0,
    "turgor": "flaccid", "doppler_artery": "absent", "doppler_vein": "absent",
}  # fmt: skip
"""An arterial occlusion as a nurse finds it."""


def a_check(flap_id: str, at: datetime, signs: dict[str, SignValue]) -> Check:
    """A check recorded a minute after it was made."""
    return Check(UUID(int=next(_keys)), flap_id, at, NURSE, signs, at + timedelta(minutes=1))


def stored_form(check: Check) -> tuple[Any, ...]:
    """A calm check's row as the database holds it, in the table's order of columns."""
    row = check_to_row(check) | {
        "body_hash": "0" * 64,
        "first_recorded_at": check.recorded_at,
        "is_full": True,
        "severity": "none",
        "unanswered": 9,
    }
    return tuple(
        row.get(name) if bind is None or row.get(name) is None else bind(row[name])
        for name, bind in _BINDS.items()
    )


def fill(record: Record, made: Iterable[Check]) -> None:
    """Put calm checks into the record without judging them."""
    raw = sqlite3.connect(path_of(record))
    marks = ", ".join("?" * len(_BINDS))
    columns = ", ".join(f'"{name}"' for name in _BINDS)
    raw.execute("PRAGMA synchronous=OFF")
    with raw:
        raw.executemany(
            f"INSERT INTO flap_check ({columns}) VALUES ({marks})", map(stored_form, made)
        )
    raw.close()


def a_stay(
    rng: random.Random, flap_id: str, until: datetime, number: int, minutes: float
) -> Iterator[Check]:
    """The given number of calm checks, evenly apart, the last one ``minutes`` before ``until``."""
    for place in range(number, 0, -1):
        yield a_check(flap_id, until - timedelta(minutes=minutes * place), calm_signs(rng))


def set_baselines(record: Record) -> None:
    """The first check of each flap becomes its baseline."""
    raw = sqlite3.connect(path_of(record))
    with raw:
        raw.execute(
            "UPDATE flap SET baseline_check_key = (SELECT key FROM flap_check"
            " WHERE flap_id = flap.id ORDER BY observed_at LIMIT 1)"
        )
    raw.close()


@contextmanager
def statements(*engines: Engine) -> Iterator[list[str]]:
    """The statements that reach the database meanwhile, BEGIN left out."""
    said: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            said.append(statement)

    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield said
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


def a_busy_ward(
    record: Record, protocols: Mapping[str, Protocol], now: datetime, *, active: int = 100,
    stored: int = 500_000,
) -> None:  # fmt: skip
    """A ward of active flaps over everything ever stored there.

    Each active flap has 120 hourly checks or one every 30 min (half of them each); one in five
    has just been found occluded (an open alert and its rechecks), one in twenty is on hold, one
    in twenty was back in theatre, every alert but one in three is acknowledged. The rest of the
    checks belongs to ended flaps with 250 each.
    """
    rng = random.Random(7)
    ids = [f"A{n}" for n in range(active)]
    of_each = 120
    old = [f"E{n}" for n in range(max(0, stored - active * of_each) // 250)]
    admit(record, ids, now - timedelta(days=6))
    admit(record, old, now - timedelta(days=60))
    minutes = {flap_id: 60 if n % 2 else 30 for n, flap_id in enumerate(ids)}
    late = timedelta(minutes=5)
    fill(record, (c for i in ids for c in a_stay(rng, i, now - late, of_each, minutes[i])))
    fill(record, (c for i in old for c in a_stay(rng, i, now - timedelta(days=30), 250, 60)))
    set_baselines(record)
    raw = sqlite3.connect(path_of(record))
    with raw:
        raw.execute("UPDATE flap SET ended_at = ? WHERE id LIKE 'E%'", (to_micros(now - late),))
        raw.execute("ANALYZE")
    raw.close()
    for number, flap_id in enumerate(ids):
        if number % 5 == 0:
            found = a_check(flap_id, now - timedelta(minutes=3), OCCLUDED)
            saved = care.record_check(
                record, protocols, found, now=found.recorded_at, confirmed=care.ALL
            )
            if number % 3:
                care.acknowledge_alert(
                    record, alert_id=saved.alerts[0].id, by=SURGEON, intent=Intent.COMING,
                    expected_at=now, now=now - timedelta(minutes=1),
                )  # fmt: skip
        if number % 20 == 1:
            with record.write() as conn:
                hold = Hold(from_at=now - timedelta(minutes=20), reason=HoldReason.IMAGING)
                queries.insert_hold(conn, flap_id, hold, by=NURSE, at=now)
        if number % 20 == 2:
            at = [now - timedelta(hours=h) for h in (30, 29, 27, 26)]
            with record.write() as conn:
                again = Return(
                    decided_at=at[0], into_theatre_at=at[1], perfused_again_at=at[2], back_at=at[3]
                )
                queries.insert_return(conn, flap_id, again, by=NURSE, at=at[0])
    with record.write() as conn:
        watch_log.beat(conn, "watcher", now, {"set_aside": []})
        for flap_id in ids[::7]:
            people.hold_in_care(conn, NURSE, flap_id, now)
