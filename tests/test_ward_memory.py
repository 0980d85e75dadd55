"""What an open board remembers between two looks never differs from what the record says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, event

from monitoring import (
    care,
    checks,
    demo,
    episodes,
    paging,
    people,
    queries,
    rechecks,
    store,
    verdicts,
    ward,
    watch_log,
    worker,
)
from monitoring.board import Bedside
from monitoring.care.bedside import as_asked
from monitoring.domain import HoldReason, Severity
from monitoring.episodes import StoredAlert
from monitoring.paging import Reached, StoredPage
from monitoring.protocol import Protocol, load
from monitoring.reviews import Review
from monitoring.store import Record
from tests.bedside import CONGESTED, PALE, Bed, admit, at, staff

MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def protocols() -> dict[str, Protocol]:
    return load()


@pytest.fixture
def record(record_url: str) -> Iterator[Record]:
    opened = store.open_record(record_url)
    yield opened
    opened.close()


def read_anew(record: Record, protocols: dict[str, Protocol]) -> tuple[Bedside, ...]:
    """The ward, list by list and every check whole, with nothing remembered."""
    with record.read() as conn:
        names = {s.id: s.name for s in people.list_staff(conn, and_those_who_left=True)}
        seen = checks.last_checks(conn, ward.RECENT)
        return tuple(
            Bedside(
                flap=(stored := queries.load_flap(conn, flap_id)).flap,
                patient=stored.patient,
                protocol=protocols[stored.flap.protocol_id],
                seen=tuple(ward.seen_check(c) for c in seen.get(flap_id, ())),
                alerts=tuple(
                    ward.open_alert(
                        a, names, sent_about(conn, a), last_review(conn, a), rungs_of(conn, a)
                    )
                    for a in episodes.open_alerts(conn, flap_id)
                ),
                rechecks=tuple(as_asked(r) for r in rechecks.open_rechecks(conn, flap_id)),
            )
            for flap_id in queries.active_flap_ids(conn)
        )


def sent_about(conn: Connection, alert: StoredAlert) -> list[StoredPage]:
    """The messages of the alert's paging that runs."""
    pages = paging.pages_of(conn, [alert.id]).get(alert.id, [])
    return [p for p in pages if p.chain == alert.pages]


def rungs_of(conn: Connection, alert: StoredAlert) -> list[Reached]:
    """The rungs that the alert's paging took."""
    steps = paging.steps_of(conn, [alert.id]).get(alert.id, [])
    return [Reached(s.number, s.taken_at) for s in steps if s.chain == alert.pages and s.sent]


def last_review(conn: Connection, alert: StoredAlert) -> Review | None:
    """The last verdict on the alert."""
    return (verdicts.reviews_of_alerts(conn, [alert.id]).get(alert.id) or [None])[-1]


@contextmanager
def counted(record: Record) -> Iterator[list[str]]:
    said: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            said.append(statement)

    event.listen(record.reader, "before_cursor_execute", note)
    yield said
    event.remove(record.reader, "before_cursor_execute", note)


def test_a_board_shows_every_change_of_a_check_that_it_has_seen_before(
    record: Record, protocols: dict[str, Protocol], now: datetime
) -> None:
    """A board that has been open for hours shows an amended, a retracted, a late and a new check,
    a hold and an alert exactly as one that is opened now."""
    demo.load(record, protocols, ward="Ward 7", now=now)
    worker.tick(record, protocols, now=now)

    def same(after: int) -> ward.Snapshot:
        found = ward.snapshot(record, protocols, now + after * MINUTE)
        assert {b.flap.id: b for b in found.beds} == {
            b.flap.id: b for b in read_anew(record, protocols)
        }
        with record.read() as conn:
            assert found.heartbeat == watch_log.heartbeats(conn)[0]
            assert found.names == {
                s.id: s.name for s in people.list_staff(conn, and_those_who_left=True)
            }
        return found

    first = same(0)
    assert same(1) == replace(first, at=now + MINUTE)
    calm = next(b for b in first.beds if not b.alerts and len(b.seen) > 3 and not b.flap.holds)
    last, before, struck = (calm.seen[-n].check for n in (1, 2, 3))
    nurse = last.by
    white = {**last.signs, "colour": "white", "refill": "absent", "doppler_artery": "absent"}

    care.amend_check(
        record, protocols, key=last.key, check=replace(last, key=uuid4(), signs=white), by=nurse,
        reason="wrong button", now=now + MINUTE, confirmed=care.ALL,
    )  # fmt: skip
    amended = same(1)
    bed = next(b for b in amended.beds if b.flap.id == calm.flap.id)
    assert bed.seen[-1].check.signs["colour"] == "white" and bed.alerts

    care.retract_check(
        record, protocols, key=struck.key, by=nurse, reason="other patient", now=now + 2 * MINUTE
    )
    assert struck.key not in {s.check.key for b in same(2).beds for s in b.seen}
    late = replace(before, key=uuid4(), observed_at=before.observed_at + MINUTE)
    care.record_check(record, protocols, late, now=now + 3 * MINUTE, confirmed=care.ALL)
    same(3)
    care.hold_flap(
        record, protocols, flap_id=calm.flap.id, reason=HoldReason.IMAGING, by=nurse,
        now=now + 4 * MINUTE,
    )  # fmt: skip
    held = next(b for b in same(4).beds if b.flap.id == calm.flap.id)
    assert held.flap.held(now + 4 * MINUTE) is not None


def test_a_board_shows_what_another_server_wrote(
    record: Record, protocols: dict[str, Protocol]
) -> None:
    """Another process amends, strikes, enters late, judges again and sets a baseline: the very
    next look of a board that has seen all before shows it, as a board opened now."""
    staff(record)
    bed = admit(record)
    other = store.open_record(record.url)
    there = Bed(other, bed.id)

    def same(minutes: float) -> Bedside:
        found = ward.snapshot(record, protocols, at(minutes)).beds
        assert found == read_anew(record, protocols)
        (here,) = found
        return here

    told = [there.save(m, PALE if m < 20 else {}) for m in (1, 16, 31, 61)]
    first, _, second, third = told
    assert [s.check.key for s in same(62).seen] == [c.check.key for c in told]
    new = there.amend(third.check.key, there.look(61, CONGESTED), 63)
    seen = same(63)
    assert seen.seen[-1].check.key == new.check.key
    assert seen.seen[-1].severity is Severity.RED and seen.alerts
    there.retract(second.check.key, 64)
    assert second.check.key not in {s.check.key for s in same(64).seen}
    assert same(65).seen[1].severity is not Severity.NONE
    care.set_baseline(other, protocols, flap_id=bed.id, key=first.check.key, by="diaz", now=at(66))
    judged = same(66)
    assert judged.flap.baseline is not None
    assert judged.flap.baseline.key == first.check.key
    assert judged.seen[1].severity is Severity.NONE
    late = there.save(45, entered=67)
    assert late.check.key in {s.check.key for s in same(67).seen}
    other.close()


def test_a_look_at_the_ward_takes_at_most_six_statements(
    record: Record, protocols: dict[str, Protocol], now: datetime
) -> None:
    """However many flaps a ward has: one for the checks that are new, one for the plans of alerts
    that somebody reviewed, and four others."""
    with counted(record) as empty:
        ward.snapshot(record, protocols, now)
    demo.load(record, protocols, ward="Ward 7", now=now)
    with counted(record) as opened:
        assert len(ward.snapshot(record, protocols, now).beds) == 12
    with counted(record) as again:
        ward.snapshot(record, protocols, now + MINUTE)
    assert (len(empty), len(opened), len(again)) == (4, 6, 5)
