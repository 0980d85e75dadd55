"""Alembic's entry: runs the versions on the connection that ``store.migrate`` opened.

A developer who changed ``rows.py`` makes the next version with
``alembic.command.revision(store.alembic_config(url), "what changed", autogenerate=True)``
on a migrated record, and reads what it wrote.
"""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection

from monitoring import call_rows  # noqa: F401, its tables join the metadata
from monitoring.rows import Row, UtcInstant
from monitoring.store import migrating


def _plain(kind: str, value: Any, _: AutogenContext) -> str | Literal[False]:
    """A version stays true whatever becomes of our own types: it names the stored one."""
    return "sa.BigInteger()" if kind == "type" and isinstance(value, UtcInstant) else False


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Row.metadata,
        render_as_batch=True,
        render_item=_plain,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


_attributes = context.config.attributes
if "connection" in _attributes:
    _run(_attributes["connection"])
else:
    with migrating(_attributes["url"]) as _connection:
        _run(_connection)
