"""Whether the product can be relied on now: the record, and the watcher that looks at the clock.

The web process judges the watcher by its heartbeat, never the watcher itself: a dead one cannot
report its own death. Nothing here names a patient; the answer may be read without signing in.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from monitoring.domain import MonitoringError
from monitoring.settings import Settings
from monitoring.store import Record, RecordMissing, current_revision, migrate, require_current
from monitoring.watch_log import Heartbeat, heartbeats

OK = "ok"


@dataclass(frozen=True)
class Watcher:
    """The watcher as its last heartbeat shows it.

    ``seconds`` is the heartbeat's age; None when there never was one. ``state`` is "ok", or the
    sentence that says what is wrong.
    """

    state: str
    last: datetime | None
    seconds: float | None
    note: dict[str, Any] | None

    @property
    def runs(self) -> bool:
        return self.state == OK


@dataclass(frozen=True)
class Health:
    """The record's and the watcher's state: "ok", or a sentence that says what to do."""

    record: str
    revision: str | None
    watcher: Watcher

    @property
    def ok(self) -> bool:
        """Both can be relied on. Anything less is no reassurance."""
        return self.record == OK and self.watcher.runs

    @property
    def status(self) -> int:
        """The HTTP status for a probe that reads nothing else."""
        return 200 if self.ok else 503

    def report(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        watcher = asdict(self.watcher)
        watcher["last"] = self.watcher.last and self.watcher.last.isoformat()
        return {
            "ok": self.ok,
            "record": self.record,
            "revision": self.revision,
            "watcher": watcher,
        }


def health(record: Record, now: datetime, settings: Settings) -> Health:
    """Looks at the record and the newest heartbeat. Never raises for a broken record: says so."""
    unknown = Watcher("Not known: the record cannot be read.", None, None, None)
    try:
        revision = current_revision(record)
        require_current(record)
        with record.read() as conn:
            return Health(OK, revision, watcher(conn, now, settings))
    except MonitoringError as error:
        return Health(str(error), None, unknown)


def watcher(conn: Connection, now: datetime, settings: Settings) -> Watcher:
    """The watcher judged by the newest heartbeat, at most engine_stale_seconds old at ``now``.

    A heartbeat from the future is as untrustworthy as an old one: it would hide a death until the
    clock caught up with it.
    """
    beats = heartbeats(conn)
    if not beats:
        return Watcher("ALERTS NOT RUNNING: no watcher has ever run here.", None, None, None)
    newest = beats[0]
    seconds = (now - newest.at) / timedelta(seconds=1)
    state = _judged(newest, seconds, settings.engine_stale_seconds)
    return Watcher(state, newest.at, seconds, newest.note)


def _judged(beat: Heartbeat, seconds: float, limit: float) -> str:
    if seconds > limit:
        return f"ALERTS NOT RUNNING: the watcher last ran {seconds:.0f} s ago."
    if seconds < -limit:
        return f"ALERTS NOT TRUSTED: the watcher's clock is {-seconds:.0f} s ahead of this one."
    set_aside = beat.note.get("set_aside", [])
    if set_aside:
        return f"NOT WATCHED, because their records cannot be judged: flaps {', '.join(set_aside)}."
    if beat.late:
        return f"ALERTS BEHIND: {'; '.join(beat.late)}. Look at the worker's log and the channels."
    return OK


def prepare_record(record: Record) -> None:
    """Makes a record that is new, and refuses one that is old or newer than this program: bringing
    a ward's record to another version is a person's decision. Raises RecordUnavailable."""
    try:
        new = current_revision(record) is None
    except RecordMissing:
        new = True
    if new:
        migrate(record.url)
    require_current(record)
