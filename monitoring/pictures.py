"""Photos in the record: who took which of what, and the pictures themselves only when asked for.

A list never reads a picture. Nothing is deleted: a photo that should not be there is struck.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from monitoring.call_rows import PhotoRow
from monitoring.rows import FlapCheckRow, FlapRow, table_of

_photo = table_of(PhotoRow)
_check = table_of(FlapCheckRow)
_flap = table_of(FlapRow)


class StoredPhoto(NamedTuple):
    """A photo without its pictures. ``width`` and ``height`` in pixels, ``sha256`` of the picture
    that is kept; struck is a who, a when and a why, or nothing."""

    key: UUID
    flap_id: str
    check_key: UUID | None
    taken_at: datetime
    recorded_at: datetime
    by: str
    width: int
    height: int
    sha256: str
    light: str | None = None
    distance: str | None = None
    note: str | None = None
    struck_by: str | None = None
    struck_at: datetime | None = None
    struck_reason: str | None = None


class CheckLink(NamedTuple):
    """Where a version of a check stands: what it replaced, what replaced it, whether struck."""

    key: UUID
    flap_id: str
    observed_at: datetime
    replaces_key: UUID | None
    replaced_by_key: UUID | None
    struck_at: datetime | None


_columns = [_photo.c[name] for name in StoredPhoto._fields]
_links = [_check.c[name] for name in CheckLink._fields]
_in_order = (_photo.c.taken_at, _photo.c.recorded_at, _photo.c.key)


def _read(row: Sequence[Any]) -> StoredPhoto:
    key, flap_id, check_key, *rest = row
    return StoredPhoto(UUID(key), flap_id, None if check_key is None else UUID(check_key), *rest)


def insert_photo(conn: Connection, photo: StoredPhoto, *, picture: bytes, small: bytes) -> None:
    """Write a photo with its pictures, both JPEG; a key used twice is an IntegrityError."""
    values = photo._asdict() | {"key": str(photo.key), "picture": picture, "small": small}
    values["check_key"] = None if photo.check_key is None else str(photo.check_key)
    conn.execute(insert(_photo).values(**values))


def find_photo(conn: Connection, key: UUID) -> StoredPhoto | None:
    """The photo with this key, struck or not; None when there is none."""
    row = conn.execute(select(*_columns).where(_photo.c.key == str(key))).first()
    return None if row is None else _read(row)


def photos_of_flap(conn: Connection, flap_id: str) -> list[StoredPhoto]:
    """The flap's photos as taken, earliest first, struck ones too."""
    return photos_of_flaps(conn, [flap_id]).get(flap_id, [])


def photos_of_flaps(conn: Connection, flap_ids: Iterable[str]) -> dict[str, list[StoredPhoto]]:
    """As ``photos_of_flap`` for several flaps in one statement; without those that have none."""
    chosen = select(*_columns).where(_photo.c.flap_id.in_(list(flap_ids)))
    found: dict[str, list[StoredPhoto]] = {}
    for row in conn.execute(chosen.order_by(*_in_order)):
        found.setdefault(row.flap_id, []).append(_read(row))
    return found


def photos_of_checks(conn: Connection, keys: Iterable[UUID]) -> dict[UUID, list[StoredPhoto]]:
    """The photos of these versions of checks, as taken; without the checks that have none."""
    chosen = select(*_columns).where(_photo.c.check_key.in_([str(key) for key in keys]))
    found: dict[UUID, list[StoredPhoto]] = {}
    for row in conn.execute(chosen.order_by(*_in_order)):
        found.setdefault(UUID(row.check_key), []).append(_read(row))
    return found


def small_of(conn: Connection, keys: Iterable[UUID]) -> dict[UUID, bytes]:
    """The small pictures of these photos, in one statement."""
    chosen = select(_photo.c.key, _photo.c.small)
    rows = conn.execute(chosen.where(_photo.c.key.in_([str(key) for key in keys])))
    return {UUID(key): small for key, small in rows}


def picture_of(conn: Connection, key: UUID) -> bytes | None:
    """The whole picture of one photo; None when there is none."""
    return conn.execute(select(_photo.c.picture).where(_photo.c.key == str(key))).scalar()


def strike(conn: Connection, key: UUID, *, by: str, at: datetime, reason: str) -> None:
    """Strike a photo through: it stays in the record and is shown to nobody as the flap's."""
    struck = {"struck_by": by, "struck_at": at, "struck_reason": reason}
    conn.execute(update(_photo).where(_photo.c.key == str(key)).values(**struck))


def links_of(conn: Connection, flap_ids: Iterable[str]) -> dict[UUID, CheckLink]:
    """How every version of these flaps' checks stands to the others, in one statement."""
    rows = conn.execute(select(*_links).where(_check.c.flap_id.in_(list(flap_ids))))
    return {
        UUID(row.key): CheckLink(
            UUID(row.key), row.flap_id, row.observed_at, _uuid(row.replaces_key),
            _uuid(row.replaced_by_key), row.struck_at,
        )
        for row in rows
    }  # fmt: skip


def baseline_keys(conn: Connection, flap_ids: Iterable[str]) -> dict[str, UUID]:
    """The baseline check of each of these flaps that has one."""
    chosen = select(_flap.c.id, _flap.c.baseline_check_key).where(
        _flap.c.id.in_(list(flap_ids)), _flap.c.baseline_check_key.is_not(None)
    )
    return {flap_id: UUID(key) for flap_id, key in conn.execute(chosen)}


def _uuid(key: str | None) -> UUID | None:
    return None if key is None else UUID(key)
