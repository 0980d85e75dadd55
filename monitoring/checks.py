"""Checks in the record: how a validated check becomes a row and comes back, and who asks for it.

Reading trusts what was validated before it was written. Every statement here is made once and
has its answer in an index, because a check is judged while a nurse waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Select,
    and_,
    bindparam,
    func,
    insert,
    literal,
    select,
    type_coerce,
    update,
)

from monitoring.domain import Assessment, Check, MonitoringError, Pattern, Severity, Source
from monitoring.rows import (
    FlapCheckRow,
    FlapRow,
    UtcInstant,
    from_micros,
    sign_columns,
    table_of,
)
from monitoring.signs import SIGNS, SignValue, Unable, UnableReason

_check = table_of(FlapCheckRow)
_flap = table_of(FlapRow)

_SIGN_COLUMNS = tuple((s.name, c.name) for s in SIGNS.values() for c in sign_columns(s))
_SIGN_NAMES = tuple(name for name, _ in _SIGN_COLUMNS)
_SOURCES = {str(source): source for source in Source}
_SEVERITIES = {str(severity): severity for severity in Severity}
_PATTERNS = {str(pattern): pattern for pattern in Pattern}
_BODY = (
    "key", "flap_id", "observed_at", "by", "recorded_at", "source", "note", "nurse_concern",
    "concern_about", "unable",
)  # fmt: skip
_GIST = ("is_full", "severity", "pattern", "because", "unanswered", "first_recorded_at")
_HISTORY = (
    "body_hash", "replaces_key", "amend_reason", "amended_by", "replaced_by_key", "replaced_at",
    "struck_by", "struck_at", "struck_reason",
)  # fmt: skip
_YES_NO = tuple(s.name for s in SIGNS.values() if s.kind == "yes_no")
T = TypeVar("T")
BODY_WIDTH = len(_BODY) + len(_SIGN_COLUMNS)
"""How many columns ``body_columns`` has."""

_uuid = lru_cache(maxsize=16_384)(UUID)


class NoSuchCheck(MonitoringError):
    """No check has this key."""


class JudgedCheck(NamedTuple):
    """A check with the gist of its current assessment (None before one).

    ``because`` is said of the worst finding, ``unanswered`` counts rules, ``first_recorded_at``
    is when its first version was recorded.
    """

    check: Check
    is_full: bool | None
    severity: Severity | None
    pattern: Pattern | None
    because: str | None
    unanswered: int | None
    first_recorded_at: datetime


class StoredCheck(NamedTuple):
    """One version of a check, judged, with its place in the record."""

    check: Check
    is_full: bool | None
    severity: Severity | None
    pattern: Pattern | None
    because: str | None
    unanswered: int | None
    first_recorded_at: datetime
    body_hash: str
    replaces_key: UUID | None
    amend_reason: str | None
    amended_by: str | None
    replaced_by_key: UUID | None
    replaced_at: datetime | None
    struck_by: str | None
    struck_at: datetime | None
    struck_reason: str | None

    @property
    def current(self) -> bool:
        """Whether nothing replaced it and nobody struck it."""
        return self.replaced_by_key is None and self.struck_at is None


class Glance(NamedTuple):
    """What schedule and trend need of a current check, without its other signs.

    A temperature that could not be measured is None here; ``full`` is False before it is judged.
    """

    key: UUID
    flap_id: str
    observed_at: datetime
    first_recorded_at: datetime
    full: bool
    flap_temp_c: float | None
    control_temp_c: float | None


def body_columns(table: FromClause = _check) -> list[ColumnElement[Any]]:
    """The columns that ``check_from_row`` reads, in its order."""
    return _as_stored(table, *_BODY, *(column for _, column in _SIGN_COLUMNS))


def _as_stored(table: FromClause, *names: str) -> list[ColumnElement[Any]]:
    """Moments as microseconds and yes/no as stored: converting thousands of rows column by
    column costs the board more than reading them."""
    plain = {UtcInstant: BigInteger(), Boolean: Integer()}
    columns = [table.c[name] for name in names]
    return [type_coerce(c, plain[k]) if (k := type(c.type)) in plain else c for c in columns]


def check_from_row(row: Sequence[Any]) -> Check:
    """The check whose ``body_columns`` stand first in the row."""
    key, flap_id, observed_at, by, recorded_at, source, note, concern, about, unable = row[:10]
    signs: dict[str, SignValue] = {
        name: value
        for name, value in zip(_SIGN_NAMES, row[10:BODY_WIDTH], strict=True)
        if value is not None
    }
    for name in _YES_NO:
        if name in signs:
            signs[name] = bool(signs[name])
    if unable is not None:
        for name, said in unable.items():
            signs[name] = Unable(UnableReason(said["unable"]), said.get("text"))
    return Check.trusted(
        _uuid(key), flap_id, from_micros(observed_at), by, signs, from_micros(recorded_at),
        _SOURCES[source], note, bool(concern), about,
    )  # fmt: skip


def check_to_row(check: Check) -> dict[str, Any]:
    """The columns of a check's body; a sign that nobody looked at is NULL everywhere."""
    row: dict[str, Any] = dict.fromkeys(column for _, column in _SIGN_COLUMNS)
    unable: dict[str, dict[str, str]] = {}
    for name, value in check.signs.items():
        if isinstance(value, Unable):
            text = {} if value.text is None else {"text": value.text}
            unable[name] = {"unable": value.reason.value} | text
        elif SIGNS[name].kind == "refill":
            row[f"{name}_word" if isinstance(value, str) else f"{name}_seconds"] = value
        else:
            row[name] = value
    return row | {
        "key": str(check.key),
        "flap_id": check.flap_id,
        "observed_at": check.observed_at,
        "by": check.by,
        "recorded_at": check.recorded_at,
        "source": check.source.value,
        "note": check.note,
        "nurse_concern": check.nurse_concern,
        "concern_about": check.concern_about,
        "unable": unable or None,
    }


def _judged(row: Sequence[Any]) -> JudgedCheck:
    full, severity, pattern, because, unanswered, first = row[BODY_WIDTH : BODY_WIDTH + len(_GIST)]
    return JudgedCheck(
        check_from_row(row),
        None if full is None else bool(full),
        None if severity is None else _SEVERITIES[severity],
        None if pattern is None else _PATTERNS[pattern],
        because,
        unanswered,
        from_micros(first),
    )


def _stored(row: Sequence[Any]) -> StoredCheck:
    body_hash, replaces, why, amender, replaced_by, replaced_at, who, struck_at, reason = row[
        BODY_WIDTH + len(_GIST) :
    ]
    return StoredCheck(
        *_judged(row),
        body_hash,
        None if replaces is None else _uuid(replaces),
        why,
        amender,
        None if replaced_by is None else _uuid(replaced_by),
        None if replaced_at is None else from_micros(replaced_at),
        who,
        None if struck_at is None else from_micros(struck_at),
        reason,
    )


def is_current(table: FromClause = _check) -> ColumnElement[bool]:
    """Nothing replaced it, nobody struck it."""
    return and_(table.c.replaced_by_key.is_(None), table.c.struck_at.is_(None))


_judged_columns = [*body_columns(), *_as_stored(_check, *_GIST)]
_stored_columns = [*_judged_columns, *_as_stored(_check, *_HISTORY)]
_in_order = (_check.c.observed_at, _check.c.recorded_at, _check.c.key)

_glance_columns = _as_stored(_check, *Glance._fields[:4], "is_full", *Glance._fields[5:])
_within = (
    _check.c.flap_id == bindparam("flap"),
    _check.c.observed_at >= bindparam("since"),
    _check.c.observed_at < bindparam("before"),
    is_current(),
)

_find = select(*_stored_columns).where(_check.c.key == bindparam("wanted"))
_versions = (
    select(*_stored_columns).where(_check.c.flap_id == bindparam("flap")).order_by(*_in_order)
)
_between = select(*_stored_columns).where(*_within).order_by(*_in_order)
_judged_between = select(*_judged_columns).where(*_within).order_by(*_in_order)
_glances_between = select(*_glance_columns).where(*_within).order_by(*_in_order)
_glances_of = (
    select(*_glance_columns)
    .where(
        _check.c.flap_id.in_(bindparam("flaps", expanding=True)),
        _check.c.observed_at >= bindparam("since"),
        _check.c.observed_at < bindparam("before"),
        is_current(),
    )
    .order_by(*_in_order)
)
_newest = (
    select(_check.c.key)
    .where(_check.c.flap_id == bindparam("flap"), is_current())
    .order_by(*(c.desc() for c in _in_order))
    .limit(1)
)
_look_back = (
    select(*body_columns())
    .where(
        _check.c.flap_id == bindparam("flap"),
        _check.c.observed_at >= bindparam("since"),
        _check.c.observed_at <= bindparam("before"),
        (_check.c.observed_at < bindparam("before"))
        | (_check.c.recorded_at < bindparam("recorded")),
        _check.c.key != bindparam("itself"),
    )
    .order_by(*_in_order)
)
_earlier = _look_back.where(is_current())
_earlier_as_known = _look_back.where(
    _check.c.recorded_at <= bindparam("known_at"),
    _check.c.replaced_at.is_(None) | (_check.c.replaced_at > bindparam("known_at")),
    _check.c.struck_at.is_(None) | (_check.c.struck_at > bindparam("known_at")),
)


def find_check(conn: Connection, key: UUID) -> StoredCheck | None:
    """The version with this key, current or not; None when there is none."""
    row = conn.execute(_find, {"wanted": str(key)}).first()
    return None if row is None else _stored(row)


def check_by_key(conn: Connection, key: UUID) -> StoredCheck:
    """The version with this key. Raises NoSuchCheck."""
    found = find_check(conn, key)
    if found is None:
        raise NoSuchCheck(f"There is no check {key}.")
    return found


def checks_of_flap(conn: Connection, flap_id: str) -> list[StoredCheck]:
    """Every version of every check of the flap, replaced and struck ones too, as observed."""
    return [_stored(row) for row in conn.execute(_versions, {"flap": flap_id})]


def checks_between(
    conn: Connection, flap_id: str, since: datetime, before: datetime
) -> list[StoredCheck]:
    """The current checks observed in [since, before), as observed."""
    asked = {"flap": flap_id, "since": since, "before": before}
    return [_stored(row) for row in conn.execute(_between, asked)]


def judged_between(
    conn: Connection, flap_id: str, since: datetime, before: datetime
) -> list[JudgedCheck]:
    """As ``checks_between``, without each version's place in the record."""
    asked = {"flap": flap_id, "since": since, "before": before}
    return [_judged(row) for row in conn.execute(_judged_between, asked).all()]


def _glance(row: Sequence[Any]) -> Glance:
    key, flap_id, observed_at, first_recorded_at, full, flap_temp_c, control_temp_c = row
    return Glance(
        _uuid(key), flap_id, from_micros(observed_at), from_micros(first_recorded_at), bool(full),
        flap_temp_c, control_temp_c,
    )  # fmt: skip


def glances_between(
    conn: Connection, flap_id: str, since: datetime, before: datetime
) -> list[Glance]:
    """The current checks observed in [since, before) as the schedule needs them, as observed."""
    asked = {"flap": flap_id, "since": since, "before": before}
    return [_glance(row) for row in conn.execute(_glances_between, asked).all()]


def glances_of(
    conn: Connection, flap_ids: Iterable[str], since: datetime, before: datetime
) -> list[Glance]:
    """As ``glances_between``, of several flaps in one statement."""
    asked = {"flaps": list(flap_ids), "since": since, "before": before}
    return [_glance(row) for row in conn.execute(_glances_of, asked).all()]


def newest_key(conn: Connection, flap_id: str) -> UUID | None:
    """The current check of the flap that was observed last; of two, the one recorded last."""
    key = conn.execute(_newest, {"flap": flap_id}).scalar()
    return None if key is None else _uuid(key)


def earlier_checks(
    conn: Connection, check: Check, *, since: datetime, known_at: datetime | None = None
) -> list[Check]:
    """The checks of the same flap that come before this one, from ``since`` on, as observed.

    Of two observed at the same moment the one recorded first is the earlier. Without
    ``known_at`` these are the current ones; with it, those that stood in the record then, in the
    version they had, so that an old judgement can be repeated.
    """
    asked = {
        "flap": check.flap_id,
        "since": since,
        "before": check.observed_at,
        "recorded": check.recorded_at,
        "itself": str(check.key),
    }
    if known_at is None:
        return [check_from_row(row) for row in conn.execute(_earlier, asked)]
    rows = conn.execute(_earlier_as_known, asked | {"known_at": known_at})
    return [check_from_row(row) for row in rows]


def _newest_of_each(columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
    """The last n current checks of each flap: a range of the index, found per flap.

    Observed times equal to the n-th newest come along; ``last_checks`` drops them. The empty
    text joined to the flap's id leaves a planner one order only: flaps first. The other order
    reads every check ever stored (0.9 s instead of 10 ms at 500,000 checks on SQLite).
    """
    other = _check.alias("other")
    nth = (
        select(other.c.observed_at)
        .where(other.c.flap_id == _flap.c.id, is_current(other))
        .order_by(other.c.observed_at.desc())
        .offset(bindparam("skipped", type_=BigInteger))
        .limit(1)
        .correlate(_flap)
        .scalar_subquery()
    )
    return (
        select(*columns)
        .select_from(_flap.join(_check, _check.c.flap_id == _flap.c.id.concat("")))
        .where(_check.c.observed_at >= func.coalesce(nth, literal(-(2**62), BigInteger)))
        .where(is_current())
    )


_last_of_active = _newest_of_each(_judged_columns).where(_flap.c.ended_at.is_(None))
_last_of_some = _newest_of_each(_judged_columns).where(
    _flap.c.id.in_(bindparam("flaps", expanding=True))
)
_LEAN = ("key", "flap_id", "observed_at", "recorded_at", *_GIST)
_lean_of_active = _newest_of_each(_as_stored(_check, *_LEAN)).where(_flap.c.ended_at.is_(None))
_some = select(*_judged_columns).where(_check.c.key.in_(bindparam("keys", expanding=True)))


def last_checks(
    conn: Connection, n: int, flap_ids: Iterable[str] | None = None
) -> dict[str, list[JudgedCheck]]:
    """The newest n current checks of each flap, oldest first, in one statement.

    All active flaps, or those named. A flap without a check is absent from the answer.
    """
    asked: dict[str, Any] = {"skipped": n - 1}
    if flap_ids is None:
        rows = conn.execute(_last_of_active, asked)
    else:
        rows = conn.execute(_last_of_some, asked | {"flaps": list(flap_ids)})
    found: dict[str, list[JudgedCheck]] = {}
    for row in rows.all():
        found.setdefault(row[1], []).append(_judged(row))
    for flap_id, checks in found.items():
        checks.sort(key=_moment)
        found[flap_id] = checks[-n:]
    return found


def _moment(judged: JudgedCheck) -> tuple[datetime, datetime]:
    return judged.check.observed_at, judged.check.recorded_at


class Memory(Generic[T]):
    """What was made of checks at the last look, for one record.

    The body of a version never changes: an amendment is another version, with a key of its own.
    So a look reads again which versions stand and what is said of them, and of a version whole
    only what it does not know in these words. Nothing is kept that the last look did not need.
    """

    def __init__(self, make: Callable[[JudgedCheck], T]) -> None:
        self._make = make
        self._known: dict[Sequence[Any], T] = {}

    def last_checks(self, conn: Connection, n: int) -> dict[str, list[T]]:
        """As ``last_checks`` of the active flaps, each check made into what is remembered."""
        by_flap: dict[str, list[Sequence[Any]]] = {}
        for row in conn.execute(_lean_of_active, {"skipped": n - 1}).all():
            by_flap.setdefault(row[1], []).append(tuple(row))
        for rows in by_flap.values():
            rows.sort(key=_lean_moment)
            del rows[:-n]
        known = self._known
        new = {row[0]: row for rows in by_flap.values() for row in rows if row not in known}
        read = conn.execute(_some, {"keys": list(new)}).all() if new else ()
        made = {new[row[0]]: self._make(_judged(row)) for row in read}
        now_known = {
            row: known[row] if row in known else made[row]
            for rows in by_flap.values()
            for row in rows
        }
        self._known = now_known
        return {flap_id: [now_known[row] for row in rows] for flap_id, rows in by_flap.items()}


_lean_moment = itemgetter(2, 3)


_insert = insert(_check)


def insert_check(
    conn: Connection,
    check: Check,
    body_hash: str,
    *,
    replaces: UUID | None = None,
    amend_reason: str | None = None,
    amended_by: str | None = None,
    first_recorded_at: datetime | None = None,
    judged: Assessment | None = None,
) -> None:
    """Write a check as it was validated; an amendment names what it replaces, who and why.

    ``judged`` is its current assessment, if it is known already.

    The unique key makes a second one with the same key, or a second amendment of the same
    version, an IntegrityError.
    """
    row = check_to_row(check) | {
        "body_hash": body_hash,
        "replaces_key": None if replaces is None else str(replaces),
        "amend_reason": amend_reason,
        "amended_by": amended_by,
        "first_recorded_at": first_recorded_at or check.recorded_at,
        **({} if judged is None else _gist(judged)),
    }
    conn.execute(_insert, row)
    if replaces is not None:
        conn.execute(
            update(_check)
            .where(_check.c.key == str(replaces))
            .values(replaced_by_key=str(check.key), replaced_at=check.recorded_at)
        )


def _gist(judged: Assessment) -> dict[str, Any]:
    """The columns in which a check repeats its assessment."""
    return {
        "is_full": judged.full,
        "severity": judged.severity,
        "pattern": judged.pattern,
        "because": judged.findings[0].because if judged.findings else None,
        "unanswered": len(judged.unanswered),
    }


_judge = (
    update(_check)
    .where(_check.c.key == bindparam("wanted"))
    .values({name: bindparam(f"new_{name}") for name in _GIST[:5]})
)


def mark_judged(conn: Connection, key: UUID, judged: Assessment) -> None:
    """Repeat the check's current assessment on its row, for the board."""
    said = {f"new_{name}": value for name, value in _gist(judged).items()}
    conn.execute(_judge, said | {"wanted": str(key)})


def strike_check(conn: Connection, key: UUID, *, by: str, at: datetime, reason: str) -> None:
    """Strike a check through: it stays readable and counts no more."""
    conn.execute(
        update(_check)
        .where(_check.c.key == str(key))
        .values(struck_by=by, struck_at=at, struck_reason=reason)
    )
