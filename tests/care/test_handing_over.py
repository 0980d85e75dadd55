"""Handing a shift over: two people, on what both have just read, with nothing new since."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from monitoring import care, episodes, handovers, people, queries
from monitoring.domain import Outcome, OutcomeKind, Refused, Role, Stream
from monitoring.handovers import Handover, Stood, StoodAlert, StoodFlap
from monitoring.store import Record
from tests.bedside import CONGESTED, DUSKY, PROTOCOLS, Bed, admit, at, everything, on_call, staff


def stood(record: Record, minutes: float, ward: str = "W") -> Stood:
    """The ward's open alerts as a page would have shown them at that time."""
    with record.read() as conn:
        running = episodes.every_open_alert(conn).alerts
        whose = queries.whose(conn, {a.flap_id for a in running})
    return Stood(
        ward, at(minutes),
        alerts=tuple(
            StoodAlert(a.id, a.flap_id, a.severity, a.state, a.pages, a.because, "nobody")
            for a in running if whose[a.flap_id].ward == ward
        ),
        flaps=(StoodFlap("f", "Bed 4 · MBEKI, Thandi", "RED", ("Plan: none",)),),
    )  # fmt: skip


def give(record: Record, read: Stood, minutes: float, **changed: str) -> Handover:
    who = {"given_by": "ana", "accepted_by": "ben"} | changed
    return care.hand_over(record, stood=read, now=at(minutes), **who)


@pytest.fixture
def bed(record: Record) -> Bed:
    """A flap that does well, on a ward with people on call."""
    staff(record)
    on_call(record)
    made = admit(record)
    made.save(1)
    return made


def test_who_accepted_and_when_stays_readable(bed: Bed) -> None:
    """The name, the minute, what stood then and the note are in the record, newest first."""
    give(bed.record, stood(bed.record, 60), 61, note="  Family told. ")
    give(bed.record, stood(bed.record, 120), 121, given_by="ben", accepted_by="cho")
    with bed.record.read() as conn:
        newest, first = handovers.last_handovers(conn, "W")
    assert (newest.given_by, newest.accepted_by, newest.at) == ("ben", "cho", at(121))
    assert (first.given_by, first.accepted_by, first.at) == ("ana", "ben", at(61))
    assert first.note == "Family told." and newest.note is None
    assert first.stood == stood(bed.record, 60)


def test_what_somebody_has_is_handed_over_with_it(bed: Bed) -> None:
    """A red that is known and answered stands in no handover's way."""
    bed.save(30, CONGESTED)
    bed.acknowledge(bed.alert(), 32)
    done = give(bed.record, stood(bed.record, 33), 35)
    assert [a.id for a in done.stood.alerts] == [bed.alert().id]


@pytest.mark.parametrize("role", [Role.NURSE, Role.CHARGE_NURSE, Role.REGISTRAR, Role.CONSULTANT])
def test_nurses_and_surgeons_hand_over(bed: Bed, role: Role) -> None:
    """Whoever works on the ward may give and accept it."""
    with bed.record.write() as conn:
        other = people.add_staff(conn, "Fay", role, "W")
    read = stood(bed.record, 60)
    assert give(bed.record, read, 61, accepted_by=other.id).accepted_by == other.id
    again = stood(bed.record, 62)
    assert give(bed.record, again, 63, given_by=other.id).given_by == other.id


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"accepted_by": "ana"}, "two people, two names"),
        ({"accepted_by": "gus"}, "has no shift to hand over"),
        ({"given_by": "gus"}, "has no shift to hand over"),
        ({"accepted_by": "nobody"}, "Nobody on the staff list is 'nobody'"),
        ({"accepted_by": "gone"}, "is on the staff list no more"),
        ({"note": "x" * 1001}, "at most 1000 letters"),
        ({"note": "x\0"}, "no record can keep"),
    ],
)
def test_it_takes_two_people_of_the_ward(bed: Bed, changed: dict[str, str], said: str) -> None:
    """One person alone, an auditor, somebody unknown or who left: a sentence, nothing written."""
    with bed.record.write() as conn:
        people.add_staff(conn, "Gus", Role.AUDITOR, "W", staff_id="gus")
        people.add_staff(conn, "Ida", Role.NURSE, "W", staff_id="gone")
        people.remove_staff(conn, "gone")
    before = everything(bed.record)
    with pytest.raises(Refused, match=said):
        give(bed.record, stood(bed.record, 60), 61, **changed)
    assert everything(bed.record) == before


def raised(bed: Bed) -> None:
    bed.save(62, CONGESTED)


def worsened(bed: Bed) -> None:
    bed.save(62, CONGESTED)


def lapsed(bed: Bed) -> None:
    bed.watch(64)


def acknowledged_amber(bed: Bed) -> None:
    bed.save(40, DUSKY)
    bed.acknowledge(bed.alert(), 45)


def acknowledged_red(bed: Bed) -> None:
    bed.save(40, CONGESTED)
    bed.acknowledge(bed.alert(), 48)


def nothing(bed: Bed) -> None:
    return None


@pytest.mark.parametrize(
    ("before", "meanwhile", "said"),
    [
        (nothing, raised, "bed 4, .*: RED alert raised"),
        (acknowledged_amber, worsened, "bed 4, .*: the amber alert became RED"),
        (acknowledged_red, lapsed, "bed 4, .*: RED alert asks for an answer again"),
    ],
)
def test_what_happened_since_it_was_read_is_named(
    bed: Bed, before: Callable[[Bed], None], meanwhile: Callable[[Bed], None], said: str
) -> None:
    """An alert raised, worse or open again after the sheet was read: nobody accepts the ward
    without having seen it; read again, it is accepted."""
    before(bed)
    read = stood(bed.record, 61)
    meanwhile(bed)
    with pytest.raises(Refused, match=f"Since you read it: {said}. Read it again"):
        give(bed.record, read, 65)
    assert give(bed.record, stood(bed.record, 65), 66).accepted_by == "ben"


def test_another_wards_alert_stands_in_nobodys_way(bed: Bed) -> None:
    """What is raised on the other ward meanwhile is the other ward's."""
    read = stood(bed.record, 61)
    other = admit(bed.record, mrn="2", name="FOGG, Ann", ward="HDU")
    other.save(62, CONGESTED)
    assert give(bed.record, read, 63).stood.alerts == ()


def test_a_sheet_is_good_for_five_minutes(bed: Bed) -> None:
    """Accepted within five minutes of being read, and not a minute later; nor one read by a clock
    that ran ahead."""
    read = stood(bed.record, 60)
    with pytest.raises(Refused, match="You read this 6 min ago"):
        give(bed.record, read, 66)
    with pytest.raises(Refused, match="look at the clock"):
        give(bed.record, read, 50)
    assert give(bed.record, read, 65).at == read.shown_at + timedelta(minutes=5)


def test_pressed_twice_it_is_one_handover(bed: Bed) -> None:
    """A double press writes one line and answers both with it, whatever came between."""
    read = stood(bed.record, 60)
    first = give(bed.record, read, 61)
    bed.save(62, CONGESTED)
    assert give(bed.record, read, 63) == first
    with bed.record.read() as conn:
        assert len(handovers.last_handovers(conn, "W")) == 1
    assert bed.alert(Stream.PERFUSION).severity == "red"


def test_a_flap_without_an_outcome_is_named_until_somebody_says(bed: Bed) -> None:
    """Monitoring ended and nobody said how it did: listed for its ward alone, until recorded."""
    care.discharge_flap(bed.record, PROTOCOLS, flap_id=bed.id, by="diop", now=at(600))
    with bed.record.read() as conn:
        assert [u.flap_id for u in handovers.unrecorded(conn, "W")] == [bed.id]
        assert handovers.unrecorded(conn, "HDU") == []
    outcome = Outcome(kind=OutcomeKind.SURVIVED, closed_at=at(600))
    care.record_outcome(
        bed.record, PROTOCOLS, flap_id=bed.id, outcome=outcome, by="diop", now=at(700)
    )
    with bed.record.read() as conn:
        assert handovers.unrecorded(conn, "W") == []
