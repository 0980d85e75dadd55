"""A process that starts workers: each line it is given makes one, forked from what was read once.
The line holds the worker's own environment.

The workers are the product's own, but for shorter leases: nobody waits half a minute in a test.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from datetime import timedelta

from monitoring import notify, protocol, store, worker
from monitoring.delivery import Deliverer
from monitoring.protocol import Protocol
from monitoring.settings import read_settings


def work(told: dict[str, str], protocols: dict[str, Protocol]) -> None:
    """The worker as the command line runs it, until it is killed."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.update(told)
    settings = read_settings()
    worker.run(store.open_record(settings.record_url), protocols, settings)
    os._exit(0)


def main() -> None:
    logging.basicConfig(filename=sys.argv[1], format="%(asctime)s %(process)d %(message)s")
    worker.LEASE = timedelta(seconds=2)
    Deliverer.lease = timedelta(seconds=4)
    protocols = protocol.load()
    notify.channels(read_settings())
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    os.write(1, b"ready\n")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            work(json.loads(line), protocols)
        os.write(1, f"{child}\n".encode())


main()
