"""A process that saves checks until it is killed, saying each key once it was acknowledged.

It begins as one process that has read everything it needs, and forks one for each line it is given:
``at N`` is killed by its own hand at the N-th statement it sends, ``on`` saves until somebody kills
it.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from sqlalchemy import event

from monitoring import care, protocol, store
from monitoring.domain import Check

URL, FLAP = sys.argv[1], sys.argv[2]
SIGNS = {
    "colour": "dusky", "refill": 2.0, "flap_temp_c": 33.8, "control_temp_c": 34.1,
    "turgor": "tense", "doppler_artery": "strong", "swelling": "rapid",
}  # fmt: skip
PROTOCOLS = protocol.load()


def kill_at(record: store.Record, number: int) -> None:
    """End without a goodbye just before the N-th statement of the transaction, or its commit."""
    left = [number]

    def count(*_: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(record.writer, "before_cursor_execute", count)
    event.listen(record.writer, "commit", count)


def save_on(number: int | None) -> None:
    """Save a check a minute, in made-up time."""
    record = store.open_record(URL)
    if number is not None:
        kill_at(record, number)
    now = datetime.now(UTC)
    while True:
        now += timedelta(milliseconds=1)
        check = Check.parse(
            {"observed_at": now, **SIGNS}, flap_id=FLAP, by="ana", key=uuid4(), recorded_at=now
        )
        care.record_check(record, PROTOCOLS, check, now=now)
        os.write(1, f"{check.key}\n".encode())
        if number is not None:
            os.write(1, b"survived\n")
            os._exit(0)


def main() -> None:
    os.write(1, b"ready\n")
    for line in sys.stdin:
        what, _, number = line.strip().partition(" ")
        child = os.fork()
        if child == 0:
            save_on(int(number) if what == "at" else None)
        os.write(1, f"started {child}\n".encode())
        _, status = os.waitpid(child, 0)
        os.write(1, f"ended {os.waitstatus_to_exitcode(status)}\n".encode())


main()
