"""Delivery in one process: lanes that do not wait for each other, and an end that is clean."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitoring import delivery, notify, paging
from monitoring.delivery import Deliverer, Delivery
from monitoring.domain import ChannelKind, PageKind, PageState, Severity
from monitoring.paging import Contact, NewPage, StoredPage
from monitoring.settings import Settings
from monitoring.store import Record
from tests.bedside import CONGESTED, admit, staff
from tests.sinks import HttpSink, http_sink


def clock() -> datetime:
    return datetime.now(UTC)


def trial(key: str, channel: str, staff_id: str | None = None) -> NewPage:
    return NewPage(
        key, PageKind.TEST, channel, Severity.RED, f"RED {key}", "Test.", staff_id=staff_id
    )


def write(record: Record, *pages: NewPage, ago: float = 0) -> None:
    with record.write() as conn:
        at = clock() - timedelta(seconds=ago)
        assert paging.insert_pages(conn, pages, at) == len(pages)


def deliverer(record: Record, held: float = 0, **channels: str) -> Deliverer:
    settings = Settings(wards=("W",), channels=channels, record_url="sqlite:///x.db")
    return Deliverer(
        record, notify.channels(settings), clock=clock, worker="w", link_base="http://flaps",
        bundle_seconds=held,
    )  # fmt: skip


def stored(record: Record, key: str) -> StoredPage:
    with record.read() as conn:
        found = paging.page_by_key(conn, key)
    assert found is not None
    return found


def eventually(true: Callable[[], bool], within: float = 15.0) -> float:
    """Waits for a condition; returns how long it took."""
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < within, "waited in vain"
        time.sleep(0.01)
    return time.monotonic() - begun


@pytest.fixture
def provider() -> Iterator[HttpSink]:
    with http_sink() as sink:
        yield sink


@pytest.fixture
def running() -> Iterator[Callable[[Deliverer], Delivery]]:
    """Starts deliveries that are ended with the test."""
    started: list[Delivery] = []

    def start(of: Deliverer) -> Delivery:
        started.append(Delivery(of))
        started[-1].start()
        return started[-1]

    yield start
    for one in started:
        one.end(within=10)


def test_what_is_written_is_handed_over_within_a_second(
    record: Record, provider: HttpSink, running: Callable[[Deliverer], Delivery]
) -> None:
    """A message written while delivery runs is at the provider in about a second, bundling
    included, and its answer is stored."""
    staff(record)
    running(deliverer(record, held=0.5, sms=provider.url(more="?:person={to}")))
    with record.write() as conn:
        paging.set_contact(conn, Contact("diaz", "sms", "+4477"), by="ana", at=clock())
    write(record, trial("a", "sms", "diaz"))
    took = eventually(lambda: stored(record, "a").state is PageState.SENT)
    assert 0.4 < took < 3
    assert provider.got[0].body["person"] == "+4477"
    assert stored(record, "a").answer


def test_one_dead_channel_delays_no_other(
    record: Record, provider: HttpSink, running: Callable[[Deliverer], Delivery]
) -> None:
    """One provider never answers and twenty messages wait for it: the other channel's message is
    out in a moment."""
    staff(record)
    with http_sink(lambda _: "timeout") as dead:
        running(deliverer(record, dead=dead.url(more="?rto=20"), good=provider.url()))
        write(record, *(trial(f"d{n}", "dead") for n in range(20)))
        eventually(lambda: len(dead.got) == delivery.IN_A_LANE)
        write(record, trial("a", "good"))
        assert eventually(lambda: stored(record, "a").state is PageState.SENT) < 2
        assert stored(record, "d0").state is PageState.WAITING


def test_a_provider_that_comes_back_gets_what_waited(
    record: Record, provider: HttpSink, running: Callable[[Deliverer], Delivery]
) -> None:
    """Refused twice, then taken: three attempts, the last answer kept."""
    provider.answer = lambda n: "500" if n < 2 else "200"
    running(deliverer(record, sms=provider.url()))
    write(record, trial("a", "sms"))
    eventually(lambda: stored(record, "a").state is PageState.SENT)
    assert stored(record, "a").attempts == 3
    assert [g.answered for g in provider.got] == ["500", "500", "200"]


def test_a_channel_nobody_set_up_keeps_its_messages(
    record: Record, provider: HttpSink, running: Callable[[Deliverer], Delivery]
) -> None:
    """A message on an unknown channel, or one whose address is wrong, waits and says why; the
    others go out."""
    running(deliverer(record, sms=provider.url(), bad="mailtoo://x"))
    write(record, trial("a", "pager"), trial("b", "bad"), trial("c", "sms"), ago=9)
    eventually(lambda: stored(record, "c").state is PageState.SENT)
    eventually(lambda: all(stored(record, k).answer for k in "ab"))
    assert "pager is not set up on this machine" in (stored(record, "a").answer or "")
    assert "no kind of address" in (stored(record, "b").answer or "")
    assert {stored(record, k).state for k in "ab"} == {PageState.WAITING}


def test_a_worker_without_a_channel_leaves_its_messages_to_another(
    record: Record, provider: HttpSink, running: Callable[[Deliverer], Delivery]
) -> None:
    """Two workers, one of which does not know the channel, or has a wrong address for it: the
    message goes out as fast as if the other were alone, and nothing else is said of it."""
    staff(record)
    now = [clock()]
    able = deliverer(record, held=0.5, sms=provider.url())
    others = [deliverer(record, good=provider.url()), deliverer(record, sms="mailtoo://x")]
    for one in (able, *others):
        one.clock = lambda: now[0]
    write(record, trial("a", "sms"))
    now[0] = clock()
    before = stored(record, "a")
    assert [one.look() for one in others] == [set(), set()]
    assert stored(record, "a") == before
    now[0] += timedelta(seconds=0.6)
    assert able.deliver_all() == (1, 0)
    for one in others:
        running(one)
    running(able)
    now[0] = clock()
    write(record, trial("b", "sms"))
    now[0] += timedelta(seconds=1)
    assert eventually(lambda: stored(record, "b").state is PageState.SENT) < 3
    assert stored(record, "b").attempts == 1


def test_looking_at_what_nobody_takes_writes_now_and_then(record: Record) -> None:
    """A message that no worker can send is answered every ten seconds, not at every look: other
    writers are not made to wait for it."""
    now = [clock()]
    lone = deliverer(record, good="json://127.0.0.1:9/")
    lone.clock = lambda: now[0]
    write(record, trial("a", "pager"))
    tries = []
    for _ in range(150):
        now[0] += timedelta(seconds=0.2)
        lone.look()
        tries.append(stored(record, "a").try_at)
    assert 2 <= len(set(tries)) - 1 <= 3


def test_the_record_learns_the_channels_and_never_their_addresses(
    record: Record, running: Callable[[Deliverer], Delivery]
) -> None:
    """At the start the channels are written down with what is wrong with them, without a word of
    their addresses; one that was taken out of the settings is kept as not in use."""
    deliverer(record, old="demo://").announce()
    running(deliverer(record, sms="json://me:tulip@127.0.0.1:1/{to}", bad="tulip://x"))

    def known() -> list[paging.Channel]:
        with record.read() as conn:
            return paging.channels(conn)

    eventually(lambda: len(known()) == 3)
    found = {c.name: c for c in known()}
    assert (found["sms"].kind, found["sms"].problem) == (ChannelKind.PERSONAL, None)
    assert found["bad"].problem is not None and found["bad"].active
    assert not found["old"].active
    assert "tulip@" not in str(found)


def test_a_record_that_fails_for_a_moment_is_tried_again(
    sqlite_record: Record, provider: HttpSink, running: Callable[[Deliverer], Delivery],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """The record is away when a message was just sent and when the next is looked for: it is said,
    and goes on by itself; nothing goes out twice because the mark had to wait."""
    running(deliverer(sqlite_record, sms=provider.url()))
    write(sqlite_record, trial("a", "sms"))
    eventually(lambda: stored(sqlite_record, "a").state is PageState.SENT)
    with sqlite_record.write() as conn:
        conn.exec_driver_sql("ALTER TABLE page RENAME TO page_elsewhere")
    eventually(lambda: "tried again" in caplog.text)
    with sqlite_record.write() as conn:
        conn.exec_driver_sql("ALTER TABLE page_elsewhere RENAME TO page")
    write(sqlite_record, trial("b", "sms"))
    eventually(lambda: stored(sqlite_record, "b").state is PageState.SENT)
    assert provider.arrived() == {"a": 1, "b": 1}


def test_a_mark_waits_for_a_busy_record(
    record: Record, provider: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sent, and then the record cannot be written for a while: the mark is tried until it holds."""
    from monitoring import outbox
    from monitoring.store import RecordLocked

    refusals = [RecordLocked("busy"), RecordLocked("busy")]
    mark = outbox.mark_sent

    def busy(*told: object) -> int:
        if refusals:
            raise refusals.pop()
        return mark(*told)  # type: ignore[arg-type]

    monkeypatch.setattr(outbox, "mark_sent", busy)
    write(record, trial("a", "sms"))
    assert deliverer(record, sms=provider.url()).deliver_all() == (1, 0)
    assert stored(record, "a").state is PageState.SENT and provider.arrived() == {"a": 1}


def test_an_hour_without_a_provider_ends_in_one_message_a_person(record: Record) -> None:
    """The provider is down for an hour while three flaps' ladders write on: once it is back, the
    registrar and the room each get one message that names the three, nothing is lost."""
    staff(record)
    alerts = [saved(record, str(n)) for n in range(3)]
    now = [clock()]
    with http_sink() as gone:
        url = gone.url()
    keys = []
    for minute in range(60):
        now[0] += timedelta(minutes=1)
        if minute % 5 == 0:
            pages = [
                NewPage(
                    f"{alert}.{minute}.{to}", PageKind.ALERT, "sms", Severity.RED,
                    f"RED {alert}", "Words.", alert_id=alert, staff_id=to,
                )
                for alert in alerts for to in ("diaz", None)
            ]  # fmt: skip
            with record.write() as conn:
                paging.insert_pages(conn, pages, now[0])
            keys += [p.key for p in pages]
            down = deliverer(record, sms=url)
            down.clock = lambda: now[0]
            went, stayed = down.deliver_all()
            assert went == 0 and stayed == 2
    assert all("onnection" in (stored(record, key).answer or "") for key in keys)
    with http_sink() as back:
        after = deliverer(record, sms=back.url())
        now[0] += timedelta(minutes=1)
        after.clock = lambda: now[0]
        assert after.deliver_all() == (2, 0), "one to the registrar, one to the room"
        assert back.taken() == dict.fromkeys(keys, 1)
        assert {g.body["title"] for g in back.got} == {"3 alerts: 3 RED"}


def saved(record: Record, mrn: str) -> int:
    """An alert of a flap of its own; what the product wrote about it is taken away."""
    bed = admit(record, mrn=mrn, name=f"NAME {mrn}")
    bed.save(1, CONGESTED)
    with record.write() as conn:
        conn.exec_driver_sql("DELETE FROM page")
    return bed.alert().id


def test_asked_to_end_it_finishes_what_is_under_way(record: Record, provider: HttpSink) -> None:
    """A message that is at the provider when the worker is told to stop is still marked; what was
    not begun waits for the next worker."""
    slow = threading.Event()

    def answer(_: int) -> str:
        slow.wait(5)
        return "200"

    provider.answer = answer
    post = Delivery(deliverer(record, sms=provider.url()))
    post.start()
    write(record, *(trial(f"k{n}", "sms") for n in range(30)))
    eventually(lambda: claims(record) == delivery.IN_A_LANE)
    threading.Timer(0.3, slow.set).start()
    post.end(within=10)
    assert claims(record) == 0
    with record.read() as conn:
        states = [p.state for p in paging.last_pages(conn)]
    assert states.count(PageState.SENT) == delivery.IN_A_LANE
    assert states.count(PageState.WAITING) == 30 - delivery.IN_A_LANE


def claims(record: Record) -> int:
    with record.read() as conn:
        found = conn.exec_driver_sql("SELECT count(*) FROM page WHERE leased_by IS NOT NULL")
        return int(found.scalar_one())


def test_the_demonstration_delivers_out_of_the_box(
    record: Record, tmp_path: Path, running: Callable[[Deliverer], Delivery]
) -> None:
    """With nothing set up a message to the registrar ends in the file, with the registrar named."""
    staff(record)
    settings = Settings(wards=("W",), record_url=f"sqlite:///{tmp_path}/r.db")
    base = settings.link_base
    made = notify.channels(settings)
    running(Deliverer(record, made, clock=clock, worker="w", link_base=base, bundle_seconds=0))
    write(record, trial("a", "demo", "diaz"))
    eventually(lambda: stored(record, "a").state is PageState.SENT)
    assert '"to": "diaz"' in (tmp_path / "demo-messages.jsonl").read_text(encoding="utf-8")
