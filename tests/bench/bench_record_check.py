"""What a save costs, beside the same transaction written by hand with sqlite3.

By hand: BEGIN IMMEDIATE, read the 100 checks of the last 24 h (the columns a check is made of),
insert the rows that the verb leaves behind (taken from a rehearsal, so they have the same sizes),
COMMIT with synchronous=FULL. No validation, no judgement, nothing read back. The two take turns
on flaps of their own, so that what else the machine does meets both.

A long stay: 5,000 checks against 50, both with the same 50 checks in the last 24 h; the other
4,950 are older.
"""

from __future__ import annotations

import gc
import random
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from monitoring.care import Saved, record_check
from monitoring.domain import Check, Severity
from monitoring.protocol import Protocol, load
from monitoring.rows import sign_columns, to_micros
from monitoring.signs import SIGNS, SignValue
from monitoring.store import Record
from tests.bench import wards
from tests.bench.wards import Goal

NOW = datetime(2026, 3, 9, 14, tzinfo=UTC)
DAY = timedelta(hours=24)
ROUNDS = 120
EARLIER = 100
TABLES = ("flap_check", "assessment", "alert", "alert_event", "recheck")
OWN = {"assessment", "alert", "alert_event", "recheck"}
"""Tables whose id the database gives."""

Rows = list[tuple[str, list[object]]]


def fresh(flap_id: str, signs: dict[str, SignValue]) -> Check:
    """A check made now, not saved yet."""
    return Check(uuid4(), flap_id, NOW - timedelta(seconds=20), wards.NURSE, signs, NOW)


def by_hand(record: Record) -> sqlite3.Connection:
    """A connection with the record's own promises, and nothing between it and the file."""
    raw = sqlite3.connect(wards.path_of(record), isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
        raw.execute(f"PRAGMA {pragma}")
    return raw


def left_behind(raw: sqlite3.Connection, flap_id: str, check: Check) -> Rows:
    """The rows of a saved check as INSERT statements with their values."""
    key = str(check.key)
    where = {
        "flap_check": ("key = ?", key),
        "assessment": ("check_key = ?", key),
        "alert": ("flap_id = ?", flap_id),
        "alert_event": ("alert_id IN (SELECT id FROM alert WHERE flap_id = ?)", flap_id),
        "recheck": ("check_key = ?", key),
    }
    found: Rows = []
    for table in TABLES:
        said, value = where[table]
        cursor = raw.execute(f"SELECT * FROM {table} WHERE {said}", (value,))
        names = [d[0] for d in cursor.description]
        for row in cursor:
            kept = {n: v for n, v in zip(names, row, strict=True) if n != "id" or table not in OWN}
            columns = ", ".join(f'"{n}"' for n in kept)
            marks = ", ".join("?" * len(kept))
            statement = f"INSERT INTO {table} ({columns}) VALUES ({marks})"
            found.append((statement, [f"<{n}>" if v in (key, flap_id) else v
                                      for n, v in kept.items()]))  # fmt: skip
    return found


BODY = (
    "key", "flap_id", "observed_at", "by", "recorded_at", "source", "note", "nurse_concern",
    "concern_about", "unable", *(c.name for s in SIGNS.values() for c in sign_columns(s)),
)  # fmt: skip
COLUMNS = ", ".join(f'"{name}"' for name in BODY)
EARLIER_SQL = (
    f"SELECT {COLUMNS} FROM flap_check WHERE flap_id = ? AND observed_at >= ?"
    " AND observed_at <= ? AND replaced_by_key IS NULL AND struck_at IS NULL ORDER BY observed_at"
)


def hand_written(raw: sqlite3.Connection, rows: Rows, flap_id: str) -> float:
    """Seconds of the transaction by hand; the rows are made ready before the clock starts."""
    key = str(uuid4())
    names = {"<key>": key, "<check_key>": key, "<flap_id>": flap_id}
    ready = [(sql, [names.get(str(v), v) for v in values]) for sql, values in rows]
    since, until = to_micros(NOW - DAY), to_micros(NOW)
    begun = time.perf_counter()
    raw.execute("BEGIN IMMEDIATE")
    earlier = raw.execute(EARLIER_SQL, (flap_id, since, until)).fetchall()
    alert: int | None = None
    for sql, values in ready:
        if sql.startswith("INSERT INTO alert_event"):
            values[0] = alert
        done = raw.execute(sql, values)
        if sql.startswith("INSERT INTO alert "):
            alert = done.lastrowid
    raw.execute("COMMIT")
    spent = time.perf_counter() - begun
    assert len(earlier) == EARLIER
    return spent


def verb(record: Record, protocols: Mapping[str, Protocol], check: Check) -> tuple[float, Saved]:
    """Seconds of the verb, and what it answered."""
    begun = time.perf_counter()
    saved = record_check(record, protocols, check, now=NOW)
    return time.perf_counter() - begun, saved


def compare(
    record: Record, protocols: Mapping[str, Protocol], signs: Callable[[], dict[str, SignValue]],
    severity: Severity, flaps: Iterator[str],
) -> tuple[float, float, int]:  # fmt: skip
    """Medians in ms of the verb and of the transaction by hand, and how many rows each writes."""
    raw = by_hand(record)
    rehearsed = next(flaps)
    check = fresh(rehearsed, signs())
    _, saved = verb(record, protocols, check)
    assert saved.assessment.severity is severity, saved.assessment
    assert bool(saved.alerts) == (severity is Severity.RED)
    rows = left_behind(raw, rehearsed, check)
    ours: list[float] = []
    theirs: list[float] = []
    for place in range(ROUNDS):
        pair = [
            lambda: ours.append(verb(record, protocols, fresh(next(flaps), signs()))[0]),
            lambda: theirs.append(hand_written(raw, rows, next(flaps))),
        ]
        for step in pair if place % 2 else reversed(pair):
            step()
    raw.close()
    warm = ROUNDS // 6
    return (
        statistics.median(ours[warm:]) * 1000, statistics.median(theirs[warm:]) * 1000, len(rows)
    )  # fmt: skip


def against_hand(protocols: Mapping[str, Protocol]) -> list[Goal]:
    """A normal check and a red one, each against the transaction by hand."""
    rng = random.Random(5)
    ids = [f"F{n}" for n in range(4 * ROUNDS + 4)]
    with wards.empty_record() as record:
        wards.admit(record, ids, NOW - DAY - timedelta(hours=1))
        minutes = 1430 / EARLIER
        wards.fill(record, (c for i in ids for c in wards.a_stay(rng, i, NOW, EARLIER, minutes)))
        wards.set_baselines(record)
        flaps = iter(ids)
        gc.collect()
        goals = []
        for word, signs, severity in (
            ("normal check", lambda: wards.calm_signs(rng), Severity.NONE),
            ("red check with its alert", lambda: dict(wards.OCCLUDED), Severity.RED),
        ):
            ours, theirs, rows = compare(record, protocols, signs, severity, flaps)
            print(f"  {word}: {ours:.2f} ms, by hand {theirs:.2f} ms ({rows} rows)")
            goals.append(Goal(f"{word}, 100 earlier: verb / by hand", ours / theirs, 8, "x"))
    return goals


def long_stay(protocols: Mapping[str, Protocol]) -> Goal:
    """5,000 earlier checks against 50, with the same 50 in the last 24 h."""
    rng = random.Random(6)
    short = [f"S{n}" for n in range(ROUNDS)]
    long = [f"L{n}" for n in range(20)]
    minutes = 1430 / 50
    spent: dict[str, list[float]] = {"short": [], "long": []}
    with wards.empty_record() as record:
        wards.admit(record, short, NOW - DAY)
        wards.admit(record, long, NOW - timedelta(days=110))
        wards.fill(record, (c for i in short for c in wards.a_stay(rng, i, NOW, 50, minutes)))
        wards.fill(record, (c for i in long for c in wards.a_stay(rng, i, NOW, 5000, minutes)))
        wards.set_baselines(record)
        gc.collect()
        for place in range(ROUNDS):
            # Every flap is saved to as often as the others, so that both grow alike.
            for word, flap_id in (
                ("short", short[place % 20]),
                ("long", long[place % 20]),
            ):
                check = fresh(flap_id, wards.calm_signs(rng))
                spent[word].append(verb(record, protocols, check)[0])
    few, many = (statistics.median(spent[w][20:]) * 1000 for w in ("short", "long"))
    print(f"  50 earlier: {few:.2f} ms, 5,000 earlier: {many:.2f} ms")
    return Goal("5,000 earlier checks / 50, same 24 h", many / few, 1.2, "x")


def profile(protocols: Mapping[str, Protocol], red: bool) -> None:
    """Where the verb's time goes."""
    import cProfile
    import pstats

    rng = random.Random(5)
    ids = [f"F{n}" for n in range(400)]
    with wards.empty_record() as record:
        wards.admit(record, ids, NOW - DAY - timedelta(hours=1))
        wards.fill(
            record, (c for i in ids for c in wards.a_stay(rng, i, NOW, EARLIER, 1430 / EARLIER))
        )
        wards.set_baselines(record)
        made = [fresh(i, dict(wards.OCCLUDED) if red else wards.calm_signs(rng)) for i in ids]
        for check in made[:100]:
            verb(record, protocols, check)
        with wards.statements(record.writer, record.reader) as said:
            verb(record, protocols, made[100])
        for statement in said:
            print(" ".join(statement.split())[:40], "...", " ".join(statement.split())[-110:])
        gathered = cProfile.Profile()
        gathered.enable()
        for check in made[101:]:
            verb(record, protocols, check)
        gathered.disable()
        pstats.Stats(gathered).sort_stats("tottime").print_stats(40)


if __name__ == "__main__":
    found = load()
    if "--profile" in sys.argv:
        profile(found, "--red" in sys.argv)
    else:
        print("record_check")
        wards.show("", [*against_hand(found), long_stay(found)])
