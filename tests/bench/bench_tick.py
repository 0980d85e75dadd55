"""What one round of the watcher costs when nothing is due: 200 active flaps, every 2 s, each
round looking at its part of them as the worker does; and a round over all of them."""

from __future__ import annotations

import gc
import random
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta

from monitoring.protocol import load
from monitoring.rounds import Part
from monitoring.worker import PARTS, tick
from tests.bench import wards
from tests.bench.wards import Goal

NOW = datetime(2026, 3, 9, 14, tzinfo=UTC)
FLAPS = 200
ROUNDS = 30


def main() -> None:
    protocols = load()
    rng = random.Random(8)
    ids = [f"F{n}" for n in range(FLAPS)]
    with wards.empty_record() as record:
        wards.admit(record, ids, NOW - timedelta(hours=60))
        wards.fill(record, (c for i in ids for c in wards.a_stay(rng, i, NOW, 118, 30)))
        wards.set_baselines(record)
        tick(record, protocols, now=NOW)
        with wards.statements(record.reader, record.writer) as said:
            done = tick(record, protocols, now=NOW, part=Part(0, PARTS))
        assert done.raised == 0 and not done.set_aside
        gc.collect()
        gc.freeze()
        found = []
        for place in range(ROUNDS):
            begun = time.process_time()
            at = NOW + timedelta(seconds=2 * place)
            tick(record, protocols, now=at, part=Part(place % PARTS, PARTS))
            found.append((time.process_time() - begun) * 1000)
        cpu = statistics.median(found[5:])
        begun = time.process_time()
        for _ in range(5):
            tick(record, protocols, now=NOW)
        whole = (time.process_time() - begun) * 200
        wards.show(
            f"watcher, {FLAPS} active flaps, nothing due",
            [
                Goal("statements of a tick", len(said), 12),
                Goal("CPU of a round", cpu, 20, "ms CPU"),
                Goal("CPU of a round over every flap at once", whole, 200, "ms CPU"),
                Goal("share of one core at a round every 2 s", cpu / 20, 10, "%"),
            ],
        )
        if "--profile" in sys.argv:
            import cProfile
            import pstats

            gathered = cProfile.Profile()
            gathered.enable()
            for _ in range(10):
                tick(record, protocols, now=NOW)
            gathered.disable()
            pstats.Stats(gathered).sort_stats("tottime").print_stats(22)


if __name__ == "__main__":
    main()
