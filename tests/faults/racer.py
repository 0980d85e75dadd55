"""A process that takes rungs: each line names an alert, the moment it is told to be, and when to
try by this machine's clock. It says when it begins, and whether it took one."""

from __future__ import annotations

import os
import sys
import time
from datetime import datetime

from monitoring import care, store


def main() -> None:
    record = store.open_record(sys.argv[1])
    with record.write() as conn:
        conn.exec_driver_sql("SELECT 1")
    os.write(1, b"ready\n")
    for line in sys.stdin:
        alert_id, now, at = line.split()
        while time.time() < float(at):
            pass
        os.write(1, b"begins\n")
        took = care.climb_alert(record, alert_id=int(alert_id), now=datetime.fromisoformat(now))
        os.write(1, b"took\n" if took else b"found it answered\n")


main()
