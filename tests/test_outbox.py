"""The outbox: each message goes out at least once, none is marked before it was sent, and three
flaps that fail at once are one message."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring import outbox, paging, people, store
from monitoring.domain import PageKind, PageState, Severity
from monitoring.outbox import Parcel
from monitoring.paging import Contact, NewPage, StoredPage
from monitoring.store import Record
from tests.bedside import CONGESTED, Bed, admit, staff

T = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
HOLD = timedelta(seconds=0.5)


def after(seconds: float) -> datetime:
    return T + timedelta(seconds=seconds)


@pytest.fixture
def bed(record: Record) -> Bed:
    """A flap with an alert to write messages about."""
    staff(record)
    made = admit(record)
    made.save(1, CONGESTED)
    with record.write() as conn:
        conn.exec_driver_sql("DELETE FROM page")
    return made


def page(bed: Bed | None, key: str, **more: object) -> NewPage:
    told: dict[str, object] = {
        "kind": PageKind.ALERT, "channel": "sms", "severity": Severity.RED, "staff_id": "diaz",
        "title": f"RED {key}", "body": f"All about {key}.",
        "alert_id": None if bed is None else bed.alert().id,
    }  # fmt: skip
    return NewPage(key=key, **(told | more))  # type: ignore[arg-type]


def write(record: Record, *pages: NewPage, at: datetime = T) -> None:
    with record.write() as conn:
        assert paging.insert_pages(conn, pages, at) == len(pages)


def claim(
    record: Record, seconds: float, *, token: str = "a", channel: str = "sms", most: int = 20
) -> Parcel | None:
    with record.write() as conn:
        return outbox.claim(conn, channel, token=token, now=after(seconds), bundle=HOLD, most=most)


def claimed(record: Record, seconds: float, **more: object) -> list[str]:
    found = claim(record, seconds, **more)  # type: ignore[arg-type]
    return [] if found is None else list(found.keys)


def stored(record: Record, key: str) -> StoredPage:
    with record.read() as conn:
        found = paging.page_by_key(conn, key)
    assert found is not None
    return found


def sent(record: Record, parcel: Parcel, seconds: float) -> int:
    with record.write() as conn:
        return outbox.mark_sent(conn, parcel, "taken", after(seconds))


def failed(record: Record, parcel: Parcel, seconds: float) -> int:
    with record.write() as conn:
        return outbox.mark_failed(conn, parcel, "no", after(seconds))


def due(record: Record, seconds: float) -> set[str]:
    with record.read() as conn:
        return outbox.channels_due(conn, after(seconds))


def test_a_message_goes_out_once_and_its_answer_is_kept(record: Record, bed: Bed) -> None:
    """Claimed, sent, marked: the provider's answer stands beside it, and nobody claims it again."""
    write(record, page(bed, "a"))
    assert due(record, 0.5) == {"sms"}
    parcel = claim(record, 0.5)
    assert parcel is not None
    assert stored(record, "a").state is PageState.WAITING, "not marked before it was sent"
    assert claimed(record, 1, token="b") == [] and due(record, 1) == set()
    assert sent(record, parcel, 1) == 1
    found = stored(record, "a")
    assert (found.state, found.sent_at, found.answer) == (PageState.SENT, after(1), "taken")
    assert found.attempts == 1
    assert due(record, 100) == set()


def test_a_killed_worker_s_message_goes_out_again(record: Record, bed: Bed) -> None:
    """Claimed and never marked: after the lease another worker sends the same key; the first, if
    it comes back to life, marks nothing any more."""
    write(record, page(bed, "a"))
    dead = claim(record, 1, token="dead")
    assert dead is not None
    assert claimed(record, 30.9, token="b") == []
    again = claim(record, 31, token="b")
    assert again is not None and again.keys == ("a",)
    assert sent(record, dead, 32) == 0 and failed(record, dead, 32) == 0
    assert stored(record, "a").state is PageState.WAITING
    assert sent(record, again, 33) == 1
    assert stored(record, "a").attempts == 1


def test_two_claims_never_hold_the_same_message(record_url: str, record: Record, bed: Bed) -> None:
    """While one worker's claim is not committed, another's waits for it and then finds nothing."""
    import threading

    write(record, page(bed, "a"))
    other = store.open_record(record_url)
    found: list[list[str]] = []
    with record.write() as conn:
        held = outbox.claim(conn, "sms", token="a", now=after(1), bundle=HOLD, most=20)
        second = threading.Thread(target=lambda: found.append(claimed(other, 1, token="b")))
        second.start()
        second.join(0.3)
        assert second.is_alive() and found == []
    second.join(10)
    assert held is not None and held.keys == ("a",) and found == [[]]
    other.close()


def test_what_fails_is_tried_again_later_and_later(record: Record, bed: Bed) -> None:
    """A provider that refuses: the message waits 1, 2, 4 s and so on, a minute at the longest, and
    keeps the last answer; it is never given up."""
    write(record, page(bed, "a"))
    now, waits = 1.0, []
    for _ in range(9):
        parcel = claim(record, now)
        assert parcel is not None
        failed(record, parcel, now)
        again = stored(record, "a")
        waits.append((again.try_at - after(now)) / timedelta(seconds=1))
        assert (again.state, again.answer) == (PageState.WAITING, "no")
        assert claimed(record, now + waits[-1] - 0.1) == []
        now += waits[-1]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert stored(record, "a").attempts == 9


def test_three_flaps_at_once_are_one_message(record: Record, bed: Bed) -> None:
    """Three alerts within half a second go to the registrar as one message that names all three,
    worst first, half a second after the first; each is marked by itself."""
    other, third = (admit(record, mrn=str(n), name=f"NAME {n}") for n in (2, 3))
    for b in (other, third):
        b.save(1, CONGESTED)
    with record.write() as conn:
        conn.exec_driver_sql("DELETE FROM page")
    amber = page(other, "amber", severity=Severity.AMBER, title="AMBER bed 5, ALT")
    write(record, amber)
    write(record, page(bed, "one", title="RED venous, bed 12, L breast DIEP"), at=after(0.2))
    write(record, page(third, "two", title="RED arterial, bed 7, fibula"), at=after(0.4))
    assert claimed(record, 0.45) == []
    parcel = claim(record, 0.5)
    assert parcel is not None and parcel.keys == ("one", "two", "amber")
    title, body = outbox.text(parcel, "https://flaps")
    assert title == "3 alerts: 2 RED, 1 AMBER"
    ids = [b.alert().id for b in (bed, third, other)]
    assert body.splitlines() == [
        "1. RED venous, bed 12, L breast DIEP",
        "2. RED arterial, bed 7, fibula",
        "3. AMBER bed 5, ALT",
        f"https://flaps/alerts?alert={ids[0]}&page=one",
        f"https://flaps/alerts?alert={ids[1]}&page=two",
        f"https://flaps/alerts?alert={ids[2]}&page=amber",
    ]
    assert sent(record, parcel, 1) == 3
    assert {stored(record, k).state for k in parcel.keys} == {PageState.SENT}


def test_one_alone_keeps_its_own_words(record: Record, bed: Bed) -> None:
    """A single message says what was written, and ends in the link that opens its alert."""
    write(record, page(bed, "7.0.0.diaz.sms"))
    parcel = claim(record, 1)
    assert parcel is not None
    title, body = outbox.text(parcel, "https://flaps")
    assert title == "RED 7.0.0.diaz.sms"
    link = f"https://flaps/alerts?alert={bed.alert().id}&page=7.0.0.diaz.sms"
    assert body.splitlines() == ["All about 7.0.0.diaz.sms.", link]


def test_of_several_messages_about_one_alert_the_newest_speaks(record: Record, bed: Bed) -> None:
    """After an hour without a provider the registrar is told of the alert once, as it stands, and
    none of the older messages follows."""
    write(record, page(bed, "first"), page(bed, "second"))
    parcel = claim(record, 3600)
    assert parcel is not None and set(parcel.keys) == {"first", "second"}
    title, body = outbox.text(parcel, "https://flaps")
    assert title == "RED second" and "first" not in body
    assert sent(record, parcel, 3601) == 2


def test_people_and_channels_are_never_mixed(record: Record, bed: Bed) -> None:
    """One message goes to one person, or one room, on one channel."""
    write(
        record, page(bed, "sms-diaz"), page(bed, "sms-ana", staff_id="ana"),
        page(bed, "mail-diaz", channel="mail"), page(bed, "room", staff_id=None),
    )  # fmt: skip
    found = [claimed(record, 1, token=t) for t in "abcd"]
    assert sorted(found) == [[], ["room"], ["sms-ana"], ["sms-diaz"]]
    assert claimed(record, 1, channel="mail") == ["mail-diaz"]


def test_the_address_is_the_person_s_own_now(record: Record, bed: Bed) -> None:
    """A number changed after the message was written is the one that is used."""
    write(record, page(bed, "a"), page(bed, "room", staff_id=None))
    with record.write() as conn:
        for number in ("+1", "+2"):
            paging.set_contact(conn, Contact("diaz", "sms", number), by="ana", at=T)
    addresses = {p.keys: p.address for t in "ab" if (p := claim(record, 1, token=t)) is not None}
    assert addresses == {("a",): "+2", ("room",): None}


def test_a_red_goes_before_older_ambers(record: Record, bed: Bed) -> None:
    """When much has piled up, the worst goes first whoever it is for."""
    write(record, page(bed, "amber", severity=Severity.AMBER))
    write(record, page(bed, "red", staff_id="ana"), at=after(5))
    assert claimed(record, 10) == ["red"]


def test_a_message_names_twenty_at_most(record: Record, bed: Bed) -> None:
    """Twenty-five alerts at once are two messages; a service for short texts gets fewer in each.
    What an alert has waiting goes along with it, however much that is."""
    ids = []
    for number in range(25):
        other = admit(record, mrn=f"m{number}", name=f"NAME {number}")
        other.save(1, CONGESTED)
        ids.append(other.alert().id)
    with record.write() as conn:
        conn.exec_driver_sql("DELETE FROM page")
    write(record, *(page(bed, f"p{i:03}.{n}", alert_id=i) for i in ids for n in range(2)))
    first = claimed(record, 1)
    assert first == [f"p{i:03}.{n}" for i in ids[:20] for n in range(2)]
    assert len(claimed(record, 1, token="b", most=3)) == 6


def test_a_trial_goes_alone(record: Record, bed: Bed) -> None:
    """A test message is not mixed into an alert's."""
    write(record, page(bed, "alert"), page(None, "trial", kind=PageKind.TEST))
    parcels = [claimed(record, 1, token=t) for t in "ab"]
    assert sorted(parcels) == [["alert"], ["trial"]]


def test_who_has_left_is_not_written_to(record: Record, bed: Bed) -> None:
    """A registrar whose account was ended in mid-chain: the message is dropped with the reason,
    and the others go out."""
    write(record, page(bed, "gone"), page(bed, "here", staff_id="ana"))
    with record.write() as conn:
        people.remove_staff(conn, "diaz")
    assert claimed(record, 1) == ["here"]
    found = stored(record, "gone")
    assert found.state is PageState.DROPPED and "left the ward" in (found.answer or "")


def test_what_was_dropped_while_under_way_was_still_sent(record: Record, bed: Bed) -> None:
    """Somebody acknowledges while the message is at the provider: it is recorded as sent, because
    it was; had the provider refused it, it would not be tried again."""
    write(record, page(bed, "a"), page(bed, "b", staff_id="ana"))
    first, second = claim(record, 1, token="x"), claim(record, 1, token="y")
    assert first is not None and second is not None
    with record.write() as conn:
        paging.drop_pages(conn, bed.alert().id, "Dr Diaz has it.")
    sent(record, first, 2)
    failed(record, second, 2)
    assert stored(record, first.keys[0]).state is PageState.SENT
    assert stored(record, second.keys[0]).state is PageState.DROPPED
    assert due(record, 1000) == set()


def test_a_channel_that_is_not_set_up_keeps_its_messages(record: Record, bed: Bed) -> None:
    """Nothing is lost on a channel that nobody configured: it waits and says why, is tried once
    however often it is looked at; after a minute the auditor names it."""
    write(record, page(bed, "a"))
    assert held(record, 10) == 1
    found = stored(record, "a")
    assert (found.state, found.answer) == (PageState.WAITING, "not set up")
    assert [held(record, seconds) for seconds in (11, 19.9, 20, 30, 40, 50, 60, 70)] == [
        0, 0, 1, 1, 1, 1, 1, 1,
    ]  # fmt: skip
    assert stored(record, "a").attempts == 1
    with record.read() as conn:
        assert outbox.audit(conn, after(71)) == ["1 message on sms not handed over in time"]
    assert due(record, 71) == {"sms"} and claimed(record, 71) == ["a"]


def held(record: Record, seconds: float) -> int:
    with record.write() as conn:
        return outbox.hold_back(conn, {"sms": "not set up"}, after(seconds))


def test_a_channel_that_another_worker_has_is_left_to_it(record: Record, bed: Bed) -> None:
    """A worker whose settings lack the channel looks before the message is ripe: it is not
    touched, and goes out at its time. Nor is one touched that is under way, or was refused and is
    tried again; one that was given a reason goes out as soon as somebody can send it."""
    write(record, page(bed, "a"))
    before = stored(record, "a")
    assert [held(record, s) for s in (0, 0.3, 0.5, 9.9)] == [0] * 4
    assert stored(record, "a") == before
    parcel = claim(record, 0.5)
    assert parcel is not None and parcel.keys == ("a",)
    assert held(record, 20) == 0, "under way"
    failed(record, parcel, 20)
    assert held(record, 21) == 0, "tried again by who has the channel"
    assert stored(record, "a").answer == "no"
    write(record, page(bed, "b", staff_id="ana"), at=after(21))
    assert held(record, 31) == 2
    found = {k for t in "xy" for k in claimed(record, 31, token=t)}
    assert found == {"a", "b"}


@pytest.mark.parametrize("minutes", [10, -10])
def test_a_clock_that_is_set_stops_nothing(record: Record, bed: Bed, minutes: int) -> None:
    """Ten minutes forward or back between writing, failing and claiming: what waits goes out at
    once, and no lease from the other time holds it."""
    jump = 60.0 * minutes
    write(record, page(bed, "new"), page(bed, "tried", staff_id="ana"))
    for _ in range(2):
        parcel = claim(record, 1)
        assert parcel is not None
        if parcel.keys == ("tried",):
            failed(record, parcel, 1)
    assert stored(record, "tried").attempts == 1
    found = {k for t in "xy" for k in claimed(record, jump + 1, token=t)}
    assert found == {"new", "tried"}


def test_two_clocks_that_differ_a_little_hold_nothing_long(record: Record, bed: Bed) -> None:
    """The dashboard's machine is three seconds ahead of the worker's: its messages still go."""
    write(record, page(bed, "a"), at=after(3))
    assert claimed(record, 0) == ["a"]


def test_the_auditor_names_what_nobody_tried(record: Record, bed: Bed) -> None:
    """A message untouched for over a minute past its time is told of, and one that its provider
    has refused for a minute; one that is under way is not."""
    write(record, page(bed, "a"), page(bed, "b", staff_id="ana"))
    with record.read() as conn:
        assert outbox.audit(conn, after(59)) == []
        assert outbox.audit(conn, after(60)) == ["2 messages on sms not handed over in time"]
    parcel = claim(record, 61)
    assert parcel is not None
    with record.read() as conn:
        assert outbox.audit(conn, after(62)) == ["1 message on sms not handed over in time"]
    failed(record, parcel, 62)
    with record.read() as conn:
        assert outbox.audit(conn, after(63)) == ["2 messages on sms not handed over in time"]


@given(st.integers(min_value=0, max_value=100_000))
def test_no_wait_is_longer_than_a_minute(attempts: int) -> None:
    """However often it failed, a message is tried again within a minute."""
    assert timedelta(seconds=1) <= outbox.pause(attempts) <= timedelta(seconds=60)
