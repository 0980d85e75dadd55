"""What the ward board costs: statements, milliseconds of the read, CPU of a refresh.

100 active flaps over 500,000 stored checks (see ``wards.a_busy_ward``). A refresh is what the
page does: the snapshot, the tiles, the nurse's own list, the data for the browser, written out as
JSON. Open boards share snapshot and tiles for a second, so a refresh is given alone (one board)
and shared (20 a second: 100 boards refreshing every 5 s).
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from monitoring import people, views, ward
from monitoring.board import tiles
from monitoring.protocol import load
from tests.bench import wards
from tests.bench.wards import Goal

NOW = datetime(2026, 3, 9, 14, tzinfo=UTC)
ZONE = ZoneInfo("Europe/London")
ROUNDS = 60
SHARED_BY = 20
"""100 boards every 5 s are 20 refreshes in the second that one snapshot serves."""


def spent(work: Callable[[], object], clock: Callable[[], float]) -> float:
    """Median milliseconds of the work on a clock, after a warm-up."""
    found = []
    for _ in range(ROUNDS):
        begun = clock()
        work()
        found.append((clock() - begun) * 1000)
    return statistics.median(found[ROUNDS // 6 :])


def main() -> None:
    protocols = load()
    print("ward board, 100 active flaps over 500,000 checks")
    with wards.empty_record() as record:
        wards.a_busy_ward(record, protocols, NOW, active=10, stored=0)
        with wards.statements(record.reader) as few:
            ward.snapshot(record, protocols, NOW)
    with wards.empty_record() as record:
        wards.a_busy_ward(record, protocols, NOW)
        with wards.statements(record.reader) as said:
            found = ward.snapshot(record, protocols, NOW)
        every = tiles(found.beds, NOW, ZONE)
        with record.read() as conn:
            mine = people.care_list(conn, wards.NURSE, NOW - timedelta(hours=13))

        def data() -> str:
            return json.dumps(
                views.board_data(
                    found, every, every, ward="Ward 7", zone=ZONE, stale_seconds=60, mine=mine,
                    empty="",
                )
            )  # fmt: skip

        def own() -> None:
            with record.read() as conn:
                people.care_list(conn, wards.NURSE, NOW - timedelta(hours=13))

        gc.collect()
        gc.freeze()
        read = spent(lambda: ward.snapshot(record, protocols, NOW), time.perf_counter)
        cpu = spent(lambda: ward.snapshot(record, protocols, NOW), time.process_time)
        made = spent(lambda: tiles(found.beds, NOW, ZONE), time.process_time)
        rest = spent(lambda: (own(), data()), time.process_time)
        wards.show(
            "",
            [
                Goal("statements of the snapshot", len(said), 6),
                Goal("the same with 10 flaps", len(few), len(said)),
                Goal("board data for 100 flaps", read, 50, "ms"),
                Goal("one refresh, snapshot and all", cpu + made + rest, 15, "ms CPU"),
                Goal("a refresh when 20 share a snapshot", (cpu + made) / SHARED_BY + rest, 15,
                     "ms CPU"),
            ],
            f"of it: snapshot {cpu:.1f}, tiles {made:.1f}, own list and data {rest:.1f} ms CPU; "
            f"{len(data()) / 1000:.0f} kB to the browser",
        )  # fmt: skip
        if "--profile" in sys.argv:
            import cProfile
            import pstats

            for work in (
                lambda: ward.snapshot(record, protocols, NOW),
                lambda: tiles(found.beds, NOW, ZONE),
                data,
            ):
                gathered = cProfile.Profile()
                gathered.enable()
                for _ in range(20):
                    work()
                gathered.disable()
                pstats.Stats(gathered).sort_stats("tottime").print_stats(22)


if __name__ == "__main__":
    main()
