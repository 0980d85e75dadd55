"""The record: one URL, its engines, its transactions, its version, and what can go wrong with it.

SQLite (embedded) and PostgreSQL behave alike here: a writer holds what it needs from its first
statement to its commit, a reader sees one moment of the record, and a commit that returned
survives a power cut. What fails is said in a sentence (see RecordUnavailable).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DataError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.pool import NullPool

from monitoring.domain import MonitoringError
from monitoring.rows import FlapRow, PatientRow, ProtocolSeenRow, Row, table_of

MIGRATIONS = Path(__file__).parent / "migrations"
WAIT_MS = 5000
"""How long a writer waits for another before it gives up with RecordLocked."""

_MIGRATION_LOCK = 7_105_211
_HOW_TO_MIGRATE = "run: python -m monitoring migrate"


class RecordUnavailable(MonitoringError):
    """The record cannot be used now; nothing was written. The sentence says what to do."""


class BadRecordUrl(RecordUnavailable):
    """The record's address is not one of a SQLite file or a PostgreSQL database."""


class RecordMissing(RecordUnavailable):
    """There is no record, or no folder for it, at the address."""


class RecordCorrupt(RecordUnavailable):
    """The file is damaged or is not a record."""


class RecordReadOnly(RecordUnavailable):
    """The record may be read but not written."""


class RecordLocked(RecordUnavailable):
    """Somebody else held the record for longer than a writer waits."""


class RecordFull(RecordUnavailable):
    """No room left on the disk."""


class RecordUnreachable(RecordUnavailable):
    """The database server does not answer, or ended the conversation."""


class RecordNotMigrated(RecordUnavailable):
    """The record is older than this program, or empty."""


class RecordNewer(RecordUnavailable):
    """The record was made by a newer program than this one."""


class ProtocolChanged(MonitoringError):
    """A protocol version that was already used has other content now."""


@dataclass(frozen=True)
class Record:
    """An open record. ``write`` and ``read`` are the only doors to it."""

    url: str
    writer: Engine
    reader: Engine

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One immediate transaction: committed whole on leaving, rolled back on any error.

        Raises RecordUnavailable when the record cannot be used; then nothing was written.
        """
        with _in_sentences(self.writer.url), self.writer.begin() as conn:
            yield conn

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One read-only transaction: every statement sees the same moment of the record."""
        with _in_sentences(self.reader.url), self.reader.begin() as conn:
            yield conn

    def close(self) -> None:
        """Give every connection back."""
        self.writer.dispose()
        self.reader.dispose()


def open_record(url: str, *, wait_ms: int = WAIT_MS) -> Record:
    """Open ``sqlite:///path/to/file.db`` or ``postgresql+psycopg://…``; nothing is created.

    A SQLite address may end in ``?mode=ro``. ``wait_ms`` is how long a writer waits for another.
    Raises BadRecordUrl; everything else is found at the first use.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        mode = str(parsed.query.get("mode", "rw"))
        writer = _sqlite_engine(parsed, mode=mode, wait_ms=wait_ms, begin="BEGIN IMMEDIATE")
        reader = _sqlite_engine(parsed, mode=mode, wait_ms=wait_ms, begin="BEGIN", read_only=True)
        return Record(url, writer, reader)
    writer = _postgresql_engine(parsed, wait_ms)
    reader = writer.execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True
    )  # fmt: skip
    return Record(url, writer, reader)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise BadRecordUrl(_bad_url("The record's address is not a database URL")) from None
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        if parsed.database in (None, "", ":memory:"):
            raise BadRecordUrl(_bad_url("A record in memory would be lost: name a file"))
        return parsed
    if parsed.drivername == "postgresql+psycopg":
        return parsed
    raise BadRecordUrl(_bad_url(f"A record cannot live in {parsed.drivername}"))


def _bad_url(problem: str) -> str:
    return f"{problem}. Use sqlite:///path/to/record.db or postgresql+psycopg://host/database."


def _sqlite_engine(
    url: URL,
    *,
    mode: str,
    wait_ms: int,
    begin: str,
    read_only: bool = False,
    foreign_keys: bool = True,
) -> Engine:
    """``mode`` is SQLite's own: ``rw`` never makes a file, ``rwc`` does, ``ro`` only reads."""
    pragmas = [
        f"busy_timeout={wait_ms}",
        "synchronous=FULL",
        f"foreign_keys={'ON' if foreign_keys else 'OFF'}",
    ]
    if mode != "ro":
        pragmas.insert(1, "journal_mode=WAL")
    if read_only:
        pragmas.append("query_only=ON")

    def connect() -> sqlite3.Connection:
        address = f"file:{quote(str(url.database))}?mode={mode}"
        raw = sqlite3.connect(address, uri=True, check_same_thread=False, isolation_level=None)
        try:
            for pragma in pragmas:
                raw.execute(f"PRAGMA {pragma}")
        except BaseException:
            raw.close()
            raise
        return raw

    engine = create_engine(
        url.set(query={}), creator=connect, hide_parameters=True,
        **({"poolclass": NullPool} if mode == "rwc" else {}),
    )  # fmt: skip
    event.listen(engine, "begin", lambda conn: conn.exec_driver_sql(begin))
    return engine


def _postgresql_engine(url: URL, wait_ms: int, **options: Any) -> Engine:
    waits = f"-c lock_timeout={wait_ms} -c idle_in_transaction_session_timeout=60000"
    arguments = {"connect_timeout": 5, "options": waits} | dict(url.query)
    return create_engine(
        url.set(query={}), connect_args=arguments, pool_pre_ping=True, hide_parameters=True,
        **options,
    )  # fmt: skip


@contextmanager
def _in_sentences(url: URL) -> Iterator[None]:
    """Turn the driver's errors about the record itself into RecordUnavailable.

    A broken constraint or a wrong statement is no such error and passes through, without the
    row that PostgreSQL repeats in it: names and findings belong in no log.
    """
    try:
        yield
    except (IntegrityError, ProgrammingError, DataError) as error:
        _without_the_row(error)
        raise
    except DatabaseError as error:
        _without_the_row(error)
        known = _known(url, error.orig)
        if known is None:
            raise
        raise known from error
    except sqlite3.Error as error:
        known = _known(url, error)
        if known is None:
            raise
        raise known from error
    except NoConnectionFree as error:
        raise RecordLocked("The record is busy: no connection came free. Try again.") from error


def _without_the_row(error: DatabaseError) -> None:
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None and error.orig is not None and diagnosis.message_primary:
        error.orig.args = (diagnosis.message_primary,)
        error.args = (f"({type(error.orig).__name__}) {diagnosis.message_primary}",)


def broke(error: IntegrityError, table: str, column: str) -> bool:
    """Whether what was broken is that this column names one row only."""
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is None:
        return str(error.orig) == f"UNIQUE constraint failed: {table}.{column}"
    return diagnosis.constraint_name in (f"pk_{table}", f"uq_{table}_{column}")


def _known(url: URL, error: BaseException | None) -> RecordUnavailable | None:
    if isinstance(error, sqlite3.Error):
        return _known_sqlite(str(url.database), error)
    return _known_postgresql(url, error)


def _known_sqlite(path: str, error: sqlite3.Error) -> RecordUnavailable | None:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return None
    primary = code & 0xFF
    if primary == sqlite3.SQLITE_CANTOPEN:
        return _missing(path)
    if primary == sqlite3.SQLITE_IOERR:
        return RecordUnavailable(f"The disk under the record {path} failed. Nothing was written.")
    known = _SQLITE.get(primary)
    return None if known is None else known[0](known[1].format(path=path))


_SQLITE: dict[int, tuple[type[RecordUnavailable], str]] = {
    sqlite3.SQLITE_BUSY: (RecordLocked, "The record {path} is locked by another. Try again."),
    sqlite3.SQLITE_LOCKED: (RecordLocked, "The record {path} is locked by another. Try again."),
    sqlite3.SQLITE_READONLY: (
        RecordReadOnly,
        "The record {path} may only be read: give this program write rights to it and its folder.",
    ),
    sqlite3.SQLITE_FULL: (
        RecordFull,
        "No room is left for the record {path}: free some disk. Nothing was written.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        RecordCorrupt,
        "The record {path} is damaged: stop, keep the file, restore the last backup.",
    ),
    sqlite3.SQLITE_NOTADB: (
        RecordCorrupt,
        "The file {path} is not a record: name another, or restore the last backup.",
    ),
}


def _missing(path: str) -> RecordUnavailable:
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        return RecordMissing(f"The folder {folder} for the record does not exist: make it.")
    if not Path(path).exists():
        return RecordMissing(f"There is no record at {path}: {_HOW_TO_MIGRATE}")
    return RecordMissing(f"The record {path} cannot be opened: look at its rights.")


def _known_postgresql(url: URL, error: BaseException | None) -> RecordUnavailable | None:
    where = f"{url.database} on {url.host or url.query.get('host') or 'this machine'}"
    state = getattr(error, "sqlstate", None)
    if state is None or state[:2] in ("08", "57"):
        return RecordUnreachable(
            f"The database {where} does not answer: is the server running? Nothing was written."
        )
    if state in ("55P03", "40P01", "40001"):
        return RecordLocked(f"The database {where} is locked by another. Try again.")
    if state == "53100":
        return RecordFull(f"No room is left for the database {where}: free some disk.")
    if state == "25006":
        return RecordReadOnly(f"The database {where} may only be read.")
    if state[:2] == "XX":
        return RecordCorrupt(f"The database {where} is damaged: stop and restore the last backup.")
    return None


def alembic_config(url: str) -> Config:
    """Alembic's configuration for this package's migrations, aimed at the record."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["url"] = url
    return config


@contextmanager
def migrating(url: str) -> Iterator[Connection]:
    """One transaction that may change tables: alone, making a SQLite file where there is none.

    Foreign keys are checked at the end instead of at every step, because SQLite changes a table
    by copying it.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() != "sqlite":
        engine = _postgresql_engine(parsed, WAIT_MS, poolclass=NullPool)
        with _in_sentences(parsed), engine.begin() as conn:
            conn.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
            yield conn
        return
    engine = _sqlite_engine(
        parsed, mode="rwc", wait_ms=WAIT_MS, begin="BEGIN IMMEDIATE", foreign_keys=False
    )
    with _in_sentences(parsed), engine.begin() as conn:
        yield conn
        broken = conn.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            raise RecordCorrupt(f"A row of {broken[0]} points at a missing row of {broken[2]}.")


def migrate(url: str) -> str:
    """Bring the record to this version, making it if it is new; returns the revision.

    Raises RecordNewer rather than touch a record made by a newer version.
    """
    config = alembic_config(url)
    with migrating(url) as conn:
        _refuse_newer(_revision(conn))
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
    return head_revision()


@cache
def _script() -> ScriptDirectory:
    return ScriptDirectory(str(MIGRATIONS))


@cache
def head_revision() -> str:
    """The revision of the record that this program reads and writes."""
    head = _script().get_current_head()
    assert head is not None
    return head


def _revision(conn: Connection) -> str | None:
    return MigrationContext.configure(conn).get_current_revision()


def current_revision(record: Record) -> str | None:
    """The revision the record is at; None when it is empty."""
    with record.read() as conn:
        return _revision(conn)


def _refuse_newer(revision: str | None) -> None:
    known = {script.revision for script in _script().walk_revisions()}
    if revision is not None and revision not in known:
        raise RecordNewer(
            f"The record is at revision {revision}, made by a newer version of this program: "
            "install that version."
        )


def require_current(record: Record) -> None:
    """Raises RecordNotMigrated or RecordNewer unless the record is at this program's revision."""
    revision = current_revision(record)
    if revision is None:
        raise RecordNotMigrated(f"The record is empty: {_HOW_TO_MIGRATE}")
    _refuse_newer(revision)
    if revision != head_revision():
        raise RecordNotMigrated(
            f"The record is at revision {revision}, this program needs {head_revision()}: "
            f"{_HOW_TO_MIGRATE}"
        )


def insert_once(conn: Connection, row: type[Row]) -> Any:
    """An INSERT of the connection's own dialect, which knows ON CONFLICT."""
    kind = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    return kind(table_of(row))


_flap = table_of(FlapRow)
_patient = table_of(PatientRow)
_protocol_seen = table_of(ProtocolSeenRow)


def lock_flap(conn: Connection, flap_id: str) -> None:
    """Make every other writer of this flap, and of its patient, wait until this transaction ends.

    The patient too, because one patient's flaps share a bed and a name: the flap's row is taken
    first by everybody. SQLite needs nothing: its one writer was let in at BEGIN IMMEDIATE.
    """
    if conn.dialect.name == "postgresql":
        rows = select(_flap.c.id).join(_patient, _patient.c.id == _flap.c.patient_id)
        conn.execute(rows.where(_flap.c.id == flap_id).with_for_update())


def pin_protocol(conn: Connection, protocol_key: str, content_hash: str, now: datetime) -> None:
    """Remember the content of a protocol version at its first use.

    Raises ProtocolChanged when the version was used before with other content.
    """
    wanted = select(_protocol_seen.c.hash).where(_protocol_seen.c.protocol_key == protocol_key)
    seen = conn.execute(wanted).scalar()
    if seen is None:
        values = {"protocol_key": protocol_key, "hash": content_hash, "first_used_at": now}
        conn.execute(insert_once(conn, ProtocolSeenRow).values(values).on_conflict_do_nothing())
        seen = conn.execute(wanted).scalar_one()
    if seen != content_hash:
        raise ProtocolChanged(
            f"Protocol {protocol_key} was changed after it was first used: put the file back, "
            "and publish the change as a new version."
        )
