"""100 open boards refreshing every 5 s: what they cost the server, and how long each waits.

The product itself runs (dashboard and watcher) over a ward of 100 active flaps and 500,000 stored
checks. A client speaks Streamlit's own protocol, as a browser would: it opens the board, learns
from the server which fragment to run again and how often, asks for it on time, and counts from
asking until the server says that the run is over. While it listens, a check is recorded every
second, so that the boards change.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from monitoring import care
from monitoring.protocol import load
from monitoring.store import Record
from tests.bench import served, wards
from tests.bench.wards import Goal

BOARDS = 100
FLAPS = 100
STORED = 500_000
SECONDS = 60.0
OPENED = 20.0
"""The boards are opened at moments of their own within so many seconds, as on a ward."""

SETTLE = 30.0
LATE = 30.0


@dataclass
class Board:
    """One open board, and what it has seen."""

    number: int
    waits: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    every: float = 0.0
    fragment: str = ""
    hashes: dict[str, None] = field(default_factory=dict)
    failed: str = ""

    async def run(self, port: int, start_at: float, until: float, counting_from: float) -> None:
        await asyncio.sleep(max(0.0, start_at - time.monotonic()))
        address = f"ws://127.0.0.1:{port}/_stcore/stream"
        async with websockets.connect(
            address, subprotocols=[websockets.Subprotocol("streamlit")], max_size=None,
            compression=None, ping_interval=None,
        ) as line:  # fmt: skip
            await self._ask(line, fragment="")
            if not self.fragment:
                raise RuntimeError("the board asked for no refresh")
            due = time.monotonic() + self.every
            while due < until:
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                begun = time.monotonic()
                size = await self._ask(line, fragment=self.fragment)
                if begun >= counting_from:
                    self.waits.append(time.monotonic() - begun)
                    self.sizes.append(size)
                due += self.every  # a browser's timer does not wait for the answer

    async def _ask(self, line: websockets.ClientConnection, *, fragment: str) -> int:
        """One run, from asking to its end; returns the bytes it brought."""
        ask = BackMsg()
        ask.rerun_script.query_string = ""
        if fragment:
            ask.rerun_script.fragment_id = fragment
            ask.rerun_script.is_auto_rerun = True
        ask.rerun_script.cached_message_hashes.extend(self.hashes)
        await line.send(ask.SerializeToString())
        brought = 0
        while True:
            body = await asyncio.wait_for(line.recv(), LATE)
            assert isinstance(body, bytes)
            brought += len(body)
            heard = ForwardMsg()
            heard.ParseFromString(body)
            if heard.metadata.cacheable:
                self.hashes[heard.hash] = None
            kind = heard.WhichOneof("type")
            if kind == "auto_rerun":
                self.every, self.fragment = heard.auto_rerun.interval, heard.auto_rerun.fragment_id
            elif kind == "delta" and heard.delta.new_element.WhichOneof("type") == "exception":
                raise RuntimeError(heard.delta.new_element.exception.message)
            elif kind == "script_finished":
                return brought


async def listen(port: int, began: float, until: float, counting_from: float) -> list[Board]:
    boards, rng = [Board(n) for n in range(BOARDS)], random.Random(10)
    runs = [b.run(port, began + rng.uniform(0, OPENED), until, counting_from) for b in boards]
    await asyncio.gather(*runs)
    return boards


async def nurses(record: Record, until: float) -> int:
    """A check every second on one flap after another."""
    rng, made, protocols = random.Random(9), 0, load()
    while time.monotonic() < until:
        now = datetime.now(UTC)
        check = wards.a_check(f"A{(made * 5 + 3) % FLAPS}", now, wards.calm_signs(rng))
        await asyncio.to_thread(
            care.record_check, record, protocols, check, now=now, confirmed=care.ALL
        )
        made += 1
        await asyncio.sleep(1.0)
    return made


async def measure(record: Record, running: served.Served, goals: list[Goal]) -> str:
    began = time.monotonic()
    counting_from = began + SETTLE
    until = counting_from + SECONDS

    async def costs() -> tuple[float, float]:
        await asyncio.sleep(max(0.0, counting_from - time.monotonic()))
        before = [served.cpu_seconds(p) for p in (running.dashboard, running.worker)]
        await asyncio.sleep(max(0.0, until - time.monotonic()))
        after = [served.cpu_seconds(p) for p in (running.dashboard, running.worker)]
        dashboard, worker = ((b - a) / SECONDS * 100 for a, b in zip(before, after, strict=True))
        return dashboard, worker

    boards, (dashboard, worker), made = await asyncio.gather(
        listen(running.port, began, until, counting_from), costs(), nurses(record, until)
    )
    waits = sorted(w * 1000 for b in boards for w in b.waits)
    sizes = [s for b in boards for s in b.sizes]
    p95 = waits[int(0.95 * len(waits))]
    goals += [
        Goal("dashboard, share of one core", dashboard, 40, "%"),
        Goal("refresh, 95th percentile", p95, 100, "ms"),
    ]
    return (
        f"{len(waits)} refreshes in {SECONDS:.0f} s, {made} checks saved meanwhile; median "
        f"{statistics.median(waits):.0f} ms, longest {waits[-1]:.0f} ms, "
        f"{statistics.median(sizes) / 1000:.0f} kB each, "
        f"{dashboard / 100 * SECONDS / len(waits) * 1000:.1f} ms CPU each; "
        f"watcher {worker:.0f} % of one core; "
        f"dashboard {served.megabytes(running.dashboard):.0f} MB"
    )


def main() -> None:
    stored = STORED if "--small" not in sys.argv else 20_000
    with wards.empty_record() as record:
        wards.a_busy_ward(record, load(), datetime.now(UTC), active=FLAPS, stored=stored)
        with served.serving(record.url) as running:
            goals: list[Goal] = []
            remark = asyncio.run(measure(record, running, goals))
        wards.show(
            f"{BOARDS} open boards, every 5 s, {FLAPS} active flaps over {stored:,} checks",
            goals, remark,
        )  # fmt: skip


if __name__ == "__main__":
    main()
