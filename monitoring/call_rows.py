"""The rows of calling somebody: who is on call, what was sent to whom, reviews, photos, handovers.

They follow the rules of ``monitoring.rows``: moments are whole microseconds, closed words and
who/when pairs are enforced by the database, and nothing is deleted: what is no longer true is
ended or struck with a name.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlmodel import Field

from monitoring.domain import (
    ChannelKind,
    Decision,
    Level,
    PageKind,
    PageState,
    ReviewMode,
)
from monitoring.rows import Row, UtcInstant, together, words


class ChannelRow(Row, table=True):
    """A way to reach people, as the worker last read it from the settings. Never its address:
    that holds a secret. ``problem`` says why it cannot be used, empty when it can."""

    __tablename__ = "channel"
    __table_args__ = (*words(kind=ChannelKind),)
    name: str = Field(primary_key=True)
    kind: str
    problem: str | None = None
    active: bool = True
    read_at: datetime = Field(sa_type=UtcInstant)


class ContactRow(Row, table=True):
    """Where a person is reached on a channel: a telephone number, an address."""

    __tablename__ = "contact"
    __table_args__ = (UniqueConstraint("staff_id", "channel"),)
    id: int | None = Field(default=None, primary_key=True)
    staff_id: str = Field(foreign_key="staff.id")
    channel: str
    address: str
    by: str = Field(foreign_key="staff.id")
    at: datetime = Field(sa_type=UtcInstant)


class ShiftRow(Row, table=True):
    """Somebody on call for a ward at a level in [from_at, until_at). ``channels`` narrows how they
    are reached; empty means every way there is. ``uid`` is the calendar's own name of an imported
    row."""

    __tablename__ = "shift"
    __table_args__ = (
        *words(level=Level),
        CheckConstraint("until_at > from_at", name="lasts"),
        together("ended", "ended_by", "ended_at"),
        Index("ix_shift_ward_until", "ward", "until_at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    ward: str
    level: str
    staff_id: str = Field(foreign_key="staff.id")
    from_at: datetime = Field(sa_type=UtcInstant)
    until_at: datetime = Field(sa_type=UtcInstant)
    channels: list[str] = Field(sa_type=JSON)
    uid: str | None = None
    by: str = Field(foreign_key="staff.id")
    recorded_at: datetime = Field(sa_type=UtcInstant)
    ended_by: str | None = Field(default=None, foreign_key="staff.id")
    ended_at: datetime | None = Field(default=None, sa_type=UtcInstant)


class PageStepRow(Row, table=True):
    """One rung of an alert's ladder that was reached: when it was due, when it was taken.

    ``chain`` is the alert's count of pagings, ``number`` the rung, going on over every round.
    ``sent`` is false for a rung that a later one overtook while nobody watched; ``gaps`` are the
    levels that had nobody.
    """

    __tablename__ = "page_step"
    __table_args__ = (
        UniqueConstraint("alert_id", "chain", "number"),
        CheckConstraint("number >= 0", name="number_range"),
    )
    id: int | None = Field(default=None, primary_key=True)
    alert_id: int = Field(foreign_key="alert.id")
    chain: int
    number: int
    levels: list[str] = Field(sa_type=JSON)
    gaps: list[str] = Field(sa_type=JSON)
    due_at: datetime = Field(sa_type=UtcInstant)
    taken_at: datetime = Field(sa_type=UtcInstant)
    late: bool
    sent: bool


class PageRow(Row, table=True):
    """One message to one person on one channel: the outbox. Written with what it speaks of, sent
    by a worker, marked only after it was sent.

    ``key`` is (alert, chain, step, person, channel) and stable: a message that goes out twice
    carries the same key. ``staff_id`` is empty for a shared channel. ``read_at`` is when its link
    was opened.
    """

    __tablename__ = "page"
    __table_args__ = (
        *words(kind=PageKind, state=PageState, level=Level),
        together("leased", "leased_by", "leased_until"),
        CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent_state"),
        CheckConstraint("attempts >= 0", name="attempts_range"),
        CheckConstraint("kind = 'test' OR alert_id IS NOT NULL", name="alert_known"),
        Index(
            "ix_page_waiting", "try_at",
            sqlite_where=text("state = 'waiting'"), postgresql_where=text("state = 'waiting'"),
        ),
    )  # fmt: skip
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    kind: str
    alert_id: int | None = Field(default=None, foreign_key="alert.id", index=True)
    chain: int = 0
    number: int = 0
    level: str | None = None
    staff_id: str | None = Field(default=None, foreign_key="staff.id")
    channel: str = Field(index=True)
    severity: str
    title: str
    body: str
    late: bool = False
    created_at: datetime = Field(sa_type=UtcInstant)
    state: str
    try_at: datetime = Field(sa_type=UtcInstant)
    attempts: int = 0
    leased_by: str | None = None
    leased_until: datetime | None = Field(default=None, sa_type=UtcInstant)
    sent_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    answer: str | None = None
    read_at: datetime | None = Field(default=None, sa_type=UtcInstant)


class LeaseRow(Row, table=True):
    """Who may do a job alone, until when. ``fence`` rises with every new holder: a holder that
    slept over its lease finds a higher one and writes nothing more."""

    __tablename__ = "lease"
    name: str = Field(primary_key=True)
    owner: str
    fence: int
    until_at: datetime = Field(sa_type=UtcInstant)


class ReviewRow(Row, table=True):
    """A clinician's verdict on a flap: what was examined and decided.

    ``recorded_by`` differs from ``by`` when a nurse wrote down what was said by telephone.
    ``examination`` holds the signs that the clinician found, as a check holds them.
    """

    __tablename__ = "review"
    __table_args__ = (
        *words(mode=ReviewMode, decision=Decision),
        together("read_back", "read_back_by", "read_back_at"),
        CheckConstraint("recheck_minutes BETWEEN 1 AND 480", name="recheck_minutes_range"),
        CheckConstraint(
            "(decision = 'recheck_in') <= (recheck_minutes IS NOT NULL)", name="recheck_said"
        ),
        Index("ix_review_flap_at", "flap_id", "reviewed_at"),
    )
    key: str = Field(primary_key=True)
    flap_id: str = Field(foreign_key="flap.id")
    alert_id: int | None = Field(default=None, foreign_key="alert.id", index=True)
    by: str = Field(foreign_key="staff.id")
    recorded_by: str = Field(foreign_key="staff.id")
    reviewed_at: datetime = Field(sa_type=UtcInstant)
    recorded_at: datetime = Field(sa_type=UtcInstant)
    mode: str
    decision: str
    recheck_minutes: int | None = None
    actions: list[str] = Field(sa_type=JSON)
    examination: dict[str, Any] = Field(sa_type=JSON)
    note: str | None = None
    body_hash: str
    read_back_by: str | None = Field(default=None, foreign_key="staff.id")
    read_back_at: datetime | None = Field(default=None, sa_type=UtcInstant)


class OrderRow(Row, table=True):
    """A signed order: look every so many minutes, from then until a stated time. Ended by a person,
    or by the system when a red is raised on a flap that was to be seen less often."""

    __tablename__ = "flap_order"
    __table_args__ = (
        CheckConstraint("until_at > from_at", name="lasts"),
        CheckConstraint("every_minutes BETWEEN 5 AND 1440", name="every_minutes_range"),
        together("ended", "ended_by", "ended_at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    flap_id: str = Field(foreign_key="flap.id", index=True)
    review_key: str = Field(foreign_key="review.key", unique=True)
    every_minutes: float
    from_at: datetime = Field(sa_type=UtcInstant)
    until_at: datetime = Field(sa_type=UtcInstant)
    by: str = Field(foreign_key="staff.id")
    ended_by: str | None = None
    ended_at: datetime | None = Field(default=None, sa_type=UtcInstant)


class PhotoRow(Row, table=True):
    """A photo of a flap, beside the check it was taken with: re-encoded, without metadata.

    The picture itself is part of the record, so that a backup holds it and no address serves it.
    """

    __tablename__ = "photo"
    __table_args__ = (
        together("struck", "struck_by", "struck_at", "struck_reason"),
        CheckConstraint("width > 0 AND height > 0", name="size"),
        Index("ix_photo_flap_taken", "flap_id", "taken_at"),
    )
    key: str = Field(primary_key=True)
    flap_id: str = Field(foreign_key="flap.id")
    check_key: str | None = Field(default=None, foreign_key="flap_check.key", index=True)
    taken_at: datetime = Field(sa_type=UtcInstant)
    recorded_at: datetime = Field(sa_type=UtcInstant)
    by: str = Field(foreign_key="staff.id")
    width: int
    height: int
    sha256: str
    light: str | None = None
    distance: str | None = None
    note: str | None = None
    picture: bytes = Field(sa_column=Column("picture", LargeBinary, nullable=False))
    small: bytes = Field(sa_column=Column("small", LargeBinary, nullable=False))
    struck_by: str | None = Field(default=None, foreign_key="staff.id")
    struck_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    struck_reason: str | None = None


class HandoverRow(Row, table=True):
    """A shift handed over: what stood then, who gave it, who accepted it."""

    __tablename__ = "handover"
    __table_args__ = (CheckConstraint("given_by <> accepted_by", name="two_people"),)
    id: int | None = Field(default=None, primary_key=True)
    ward: str = Field(index=True)
    at: datetime = Field(sa_type=UtcInstant)
    given_by: str = Field(foreign_key="staff.id")
    accepted_by: str = Field(foreign_key="staff.id")
    stood: dict[str, Any] = Field(sa_type=JSON)
    note: str | None = None
