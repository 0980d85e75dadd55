"""Reviews and orders in the record: what clinicians decided, and who read it back.

Reads return values of ``reviews``; writes take them. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, insert, select, update

from monitoring.call_rows import OrderRow, ReviewRow
from monitoring.domain import BedsideAction, Decision, Order, ReviewMode
from monitoring.episodes import value_from_json, value_to_json
from monitoring.reviews import Review
from monitoring.rows import FlapRow, table_of

_review = table_of(ReviewRow)
_order = table_of(OrderRow)
_flap = table_of(FlapRow)

_PLAIN = (
    "key", "flap_id", "by", "recorded_by", "reviewed_at", "recorded_at", "mode", "decision",
    "alert_id", "recheck_minutes", "actions", "examination", "note", "read_back_by",
    "read_back_at",
)  # fmt: skip
_ORDER = ("every_minutes", "from_at", "until_at", "by")
_reviews = (
    select(*(_review.c[n] for n in _PLAIN), *(_order.c[n].label(f"order_{n}") for n in _ORDER))
    .select_from(_review.outerjoin(_order, _order.c.review_key == _review.c.key))
    .order_by(_review.c.reviewed_at, _review.c.recorded_at, _review.c.key)
)
_of_flap = _reviews.where(_review.c.flap_id == bindparam("flap"))
_by_key = _reviews.where(_review.c.key == bindparam("wanted"))


def _read(row: Sequence[Any]) -> Review:
    said = dict(zip(_PLAIN, row[: len(_PLAIN)], strict=True))
    given = dict(zip(_ORDER, row[len(_PLAIN) :], strict=True))
    found = {n: value_from_json(v) for n, v in said["examination"].items()}
    return Review(
        **said
        | {
            "key": UUID(said["key"]),
            "mode": ReviewMode(said["mode"]),
            "decision": Decision(said["decision"]),
            "actions": tuple(map(BedsideAction, said["actions"])),
            "examination": found,
            "order": None if given["by"] is None else Order(**given),
        }
    )


def insert_review(conn: Connection, review: Review, body_hash: str) -> None:
    """Write a verdict; its order is written by ``insert_order``. The unique key makes a second
    one with the same key an IntegrityError."""
    row = {n: getattr(review, n) for n in _PLAIN}
    row |= {
        "key": str(review.key),
        "mode": review.mode.value,
        "decision": review.decision.value,
        "actions": [a.value for a in review.actions],
        "examination": {n: value_to_json(v) for n, v in review.examination.items()},
        "body_hash": body_hash,
    }
    conn.execute(insert(_review), row)


def find_review(conn: Connection, key: UUID) -> Review | None:
    """The verdict with this key; None when there is none."""
    row = conn.execute(_by_key, {"wanted": str(key)}).first()
    return None if row is None else _read(row)


def body_hash_of(conn: Connection, key: UUID) -> str | None:
    """The content of the verdict with this key, as it was written; None when there is none."""
    chosen = select(_review.c.body_hash).where(_review.c.key == str(key))
    found: str | None = conn.execute(chosen).scalar()
    return found


def reviews_of_flap(conn: Connection, flap_id: str) -> list[Review]:
    """Every verdict on the flap, first first."""
    return [_read(row) for row in conn.execute(_of_flap, {"flap": flap_id})]


def reviews_of_alerts(conn: Connection, alert_ids: Iterable[int]) -> dict[int, list[Review]]:
    """The verdicts given on these alerts, first first, in one statement."""
    wanted = list(alert_ids)
    found: dict[int, list[Review]] = {}
    if wanted:
        for row in conn.execute(_reviews.where(_review.c.alert_id.in_(wanted))):
            review = _read(row)
            found.setdefault(review.alert_id or 0, []).append(review)
    return found


_rank = func.row_number().over(
    partition_by=_review.c.flap_id,
    order_by=(_review.c.reviewed_at.desc(), _review.c.recorded_at.desc()),
)
_ranked = select(_review.c.key, _rank.label("place")).where(
    _review.c.flap_id.in_(select(_flap.c.id).where(_flap.c.ended_at.is_(None)))
).subquery()  # fmt: skip
_latest = _reviews.where(_review.c.key.in_(select(_ranked.c.key).where(_ranked.c.place == 1)))


def latest_reviews(conn: Connection) -> dict[str, Review]:
    """The last verdict on each flap that is monitored, by flap, in one statement however many
    there are."""
    return {r.flap_id: r for r in map(_read, conn.execute(_latest))}


def last_review(conn: Connection, flap_id: str) -> Review | None:
    """The last verdict on the flap; None before one."""
    latest = _reviews.order_by(None).order_by(
        _review.c.reviewed_at.desc(), _review.c.recorded_at.desc()
    )
    row = conn.execute(latest.where(_review.c.flap_id == flap_id).limit(1)).first()
    return None if row is None else _read(row)


def mark_read_back(conn: Connection, key: UUID, *, by: str, at: datetime) -> bool:
    """A nurse confirmed the plan; only the first time counts."""
    unread = (_review.c.key == str(key), _review.c.read_back_at.is_(None))
    told = update(_review).where(*unread).values(read_back_by=by, read_back_at=at)
    return conn.execute(told).rowcount == 1


class StoredOrder(NamedTuple):
    """An order as it was given, with its row's id, and when it was ended before its time."""

    id: int
    flap_id: str
    review_key: UUID
    order: Order
    ended_by: str | None
    ended_at: datetime | None

    def stands(self, now: datetime) -> bool:
        """Whether it asks for checks at this moment."""
        return self.ended_at is None and self.order.from_at <= now < self.order.until_at


def insert_order(conn: Connection, flap_id: str, review_key: UUID, order: Order) -> int:
    """Give an order; returns the row's id."""
    row = order.model_dump() | {"flap_id": flap_id, "review_key": str(review_key)}
    return int(conn.execute(insert(_order).values(**row).returning(_order.c.id)).scalar_one())


def orders_of(conn: Connection, flap_id: str) -> list[StoredOrder]:
    """Every order given for the flap, ended ones too, first first."""
    rest = ("ended_by", "ended_at")
    columns = [_order.c[n] for n in ("id", "flap_id", "review_key", *_ORDER, *rest)]
    chosen = select(*columns).where(_order.c.flap_id == flap_id)
    return [
        StoredOrder(
            row[0], row[1], UUID(row[2]), Order(**dict(zip(_ORDER, row[3:7], strict=True))),
            row[7], row[8],
        )
        for row in conn.execute(chosen.order_by(_order.c.from_at, _order.c.id))
    ]  # fmt: skip


def end_orders(conn: Connection, order_ids: Iterable[int], *, by: str, at: datetime) -> None:
    """These orders hold no longer; one that was ended before keeps its first end."""
    chosen = (_order.c.id.in_(list(order_ids)), _order.c.ended_at.is_(None))
    conn.execute(update(_order).where(*chosen).values(ended_by=by, ended_at=at))
