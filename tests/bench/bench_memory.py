"""The memory that dashboard and watcher hold at rest: nobody looks, a ward of 100 flaps is there.

Resident memory of the three processes added up: pages that they share are counted each time, so
this is more than the machine really gives. Measured 20 s after the start, and again after a
browser has opened the board once.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

from monitoring.protocol import load
from tests.bench import served, wards
from tests.bench.bench_open_boards import Board
from tests.bench.wards import Goal

REST = 20.0


def main() -> None:
    with wards.empty_record() as record:
        wards.a_busy_ward(record, load(), datetime.now(UTC), stored=20_000)
        with served.serving(record.url) as running:
            time.sleep(REST)
            each = [served.megabytes(p) for p in running[1:]]
            now = time.monotonic()
            asyncio.run(Board(0).run(running.port, now, now + 12, now))
            time.sleep(5)
            after = sum(served.megabytes(p) for p in running[1:])
    wards.show(
        "memory at rest",
        [
            Goal("dashboard, watcher and their parent together", sum(each), 450, "MB"),
            Goal("the same after a board was opened", after, 450, "MB"),
        ],
        "parent {:.0f}, dashboard {:.0f}, watcher {:.0f} MB".format(*each),
    )


if __name__ == "__main__":
    main()
