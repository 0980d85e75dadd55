"""Ladders: who is told when, round after round, and what no ladder may be."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from monitoring import protocol
from monitoring.domain import Level, Severity, Stream
from monitoring.ladder import STANDARD, Escalation, Ladder, Rung, ladder_of

RED = STANDARD.red
TIMES = [0, 5, 10, 15, 20, 25, 30]


def test_a_red_climbs_and_begins_again() -> None:
    """Registrar at once, microsurgeon after 5 min, consultant after 10, and again from 15 on."""
    assert [RED.after(n) / timedelta(minutes=1) for n in range(7)] == TIMES
    assert RED.rung(2).to == (Level.MICROSURGEON, Level.CONSULTANT)
    assert RED.rung(3) == RED.rung(0)


@given(minutes=st.floats(0, 100_000), name=st.sampled_from(["red", "amber", "overdue"]))
def test_the_highest_rung_is_always_known(minutes: float, name: str) -> None:
    """At any time the rung reached is due and the next is not: a ladder has no end and no gap."""
    ladder: Ladder = getattr(STANDARD, name)
    elapsed = timedelta(minutes=minutes)
    number = ladder.reached(elapsed)
    assert ladder.after(number) <= elapsed < ladder.after(number + 1)


def test_nothing_is_due_before_it_began() -> None:
    """A paging that begins in the future has no rung."""
    assert RED.reached(timedelta(seconds=-1)) == -1


def test_an_overdue_check_climbs_from_nurse_to_registrar() -> None:
    """Nurse, then charge nurse, then registrar."""
    told = [rung.to for rung in STANDARD.overdue.rungs]
    assert told[0] == (Level.NURSE,)
    assert Level.CHARGE_NURSE in told[1]
    assert Level.REGISTRAR in told[2]


@pytest.mark.parametrize(
    ("severity", "stream", "name"),
    [
        (Severity.RED, Stream.PERFUSION, "red"),
        (Severity.AMBER, Stream.CONCERN, "amber"),
        (Severity.AMBER, Stream.MONITORING, "overdue"),
        (Severity.RED, Stream.MONITORING, "red"),
    ],
)
def test_each_alert_climbs_its_own_ladder(severity: Severity, stream: Stream, name: str) -> None:
    """By severity; a check that nobody made has a ladder of its own."""
    assert ladder_of(json.dumps(STANDARD.frozen()), severity, stream) == getattr(STANDARD, name)
    assert ladder_of(None, severity, stream) == getattr(STANDARD, name)


def a_ladder(**changed: object) -> dict[str, object]:
    rungs = [{"to": ["registrar"], "after_minutes": 0}, {"to": ["consultant"], "after_minutes": 5}]
    said = {"rungs": rungs, "repeat_minutes": 5, "answer_minutes": 15, "plan_minutes": 60}
    return said | changed


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"rungs": []}, "at least 1"),
        ({"rungs": [{"to": ["registrar"], "after_minutes": 3}]}, "taken at once"),
        ({"rungs": [{"to": [], "after_minutes": 0}]}, "at least 1"),
        ({"rungs": [{"to": ["porter"], "after_minutes": 0}]}, "registrar"),
        ({"rungs": [{"to": ["nurse"], "after_minutes": m} for m in (0, 5, 5)]}, "later than"),
        ({"repeat_minutes": 0}, "greater than 0"),
        ({"answer_minutes": 0}, "greater than 0"),
        ({"colour": "red"}, "not permitted"),
    ],
)
def test_a_ladder_that_cannot_be_climbed_is_refused(changed: dict[str, object], why: str) -> None:
    """No rung, a first one that waits, two at once, a level nobody has, an end: a sentence."""
    with pytest.raises(ValidationError, match=why):
        Ladder.model_validate(a_ladder(**changed))


def test_a_ladder_that_reaches_no_doctor_is_refused() -> None:
    """Nurses alone cannot save a flap."""
    nurses = Ladder.model_validate(
        a_ladder(rungs=[{"to": ["nurse", "charge_nurse"], "after_minutes": 0}])
    )
    with pytest.raises(ValidationError, match="overdue: no rung tells a doctor"):
        Escalation(red=RED, amber=RED, overdue=nurses, why="x", citations=("local",))


def test_every_newest_protocol_says_who_is_told_and_on_what_ground() -> None:
    """The ladder is part of the protocol, cited, and printed with it."""
    for found in protocol.load().values():
        said = protocol.describe(found)
        assert (found.escalation is not None) == (found.version > 1)
        assert ("## Who is told" in said) == (found.version > 1)
        if found.escalation is not None:
            assert set(found.escalation.citations) <= set(found.citations)
            assert "at once registrar" in said
            assert "Engel11" in said
        assert set(found.frozen_ladders) == {"red", "amber", "overdue"}


def test_a_rung_may_name_its_channels() -> None:
    """A rung by telephone only says so in words."""
    rung = Rung(to=(Level.REGISTRAR,), after_minutes=0, channels=("sms",))
    assert "registrar by sms" in protocol._ladder_words(RED.model_copy(update={"rungs": (rung,)}))
