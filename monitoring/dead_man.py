"""The outside watcher's sign of life: an address fetched after each good round, and only then.

Whoever expects it (healthchecks or the like) raises an alarm of its own when it stays away.
"""

from __future__ import annotations

import logging
import threading
import time
import urllib.request

log = logging.getLogger("monitoring.worker")

EVERY = 10.0
"""Seconds between two signs of life, at least."""

LIMIT = 5.0
"""Seconds the outside watcher may take to answer."""


class DeadMan:
    """Fetches the address in a thread of its own, so that a slow outside world delays no round.

    An empty address means that nobody outside watches.
    """

    def __init__(self, url: str, *, every: float = EVERY) -> None:
        self._url = url
        self._every = every
        self._last = -every
        self._thread: threading.Thread | None = None
        self._reached = True

    def ping(self) -> bool:
        """Say that all is well, unless it was said just now. Returns whether it is being said."""
        under_way = self._thread is not None and self._thread.is_alive()
        if not self._url or under_way or time.monotonic() - self._last < self._every:
            return False
        self._last = time.monotonic()
        self._thread = threading.Thread(target=self._fetch, daemon=True)
        self._thread.start()
        return True

    def _fetch(self) -> None:
        """The address may hold a token: a failure is said without it, once."""
        try:
            with urllib.request.urlopen(self._url, timeout=LIMIT) as answer:
                answer.read(1024)
            if not self._reached:
                log.info("the outside watcher answers again")
            self._reached = True
        except Exception as error:
            if self._reached:
                log.warning("the outside watcher does not answer: %s", type(error).__name__)
            self._reached = False
