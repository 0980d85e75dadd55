"""A process that starts workers: each line it is given makes one, forked from what was read once.

The workers are the product's own, but for shorter leases: nobody waits half a minute in a test.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from datetime import timedelta

from monitoring import notify, protocol, store, worker
from monitoring.delivery import Deliverer
from monitoring.settings import read_settings


def main() -> None:
    logging.basicConfig(filename=sys.argv[1], format="%(asctime)s %(process)d %(message)s")
    worker.LEASE = timedelta(seconds=2)
    Deliverer.lease = timedelta(seconds=4)
    settings, protocols = read_settings(), protocol.load()
    notify.channels(settings)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    os.write(1, b"ready\n")
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            worker.run(store.open_record(settings.record_url), protocols, settings)
            os._exit(0)
        os.write(1, f"{child}\n".encode())


main()
