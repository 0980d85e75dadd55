"""Which rung is due, and what a message says in its first 160 letters."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring import escalation
from monitoring.domain import Evidence, Finding, Pattern, Severity, Stream
from monitoring.escalation import Climb, Subject
from monitoring.ladder import STANDARD
from monitoring.signs import SignValue
from tests.bedside import at

RED = STANDARD.red
HERE = Subject("Ward 7", "12", "L breast DIEP", 19.4)


def found(*signs: tuple[str, SignValue], minutes: float = 31) -> Finding:
    evidence = tuple(Evidence(s, v, at(minutes), "ana") for s, v in signs)
    return Finding("V1", Severity.RED, Pattern.VENOUS, "Because.", at(minutes), evidence)


def test_the_next_rung_is_due_at_its_minute() -> None:
    """Five minutes after the paging began, not a second before."""
    assert escalation.due(RED, at(0), 0, at(4.99)) is None
    assert escalation.due(RED, at(0), 0, at(5)) == Climb(1, at(5), False)
    assert escalation.next_at(RED, at(0), 1) == at(10)


def test_a_watcher_that_slept_takes_the_highest_and_names_the_missed() -> None:
    """Three rungs slept over: the highest is taken, the others are written down as late."""
    due = escalation.due(RED, at(0), 0, at(17))
    assert due == Climb(3, at(15), True, (1, 2))


def test_a_year_of_sleep_fills_no_record() -> None:
    """The clock was a year wrong: the highest rung is taken, and a bounded number written down."""
    due = escalation.due(RED, at(0), 0, at(0) + timedelta(days=365))
    assert due is not None
    assert len(due.missed) == escalation.SLEPT_OVER
    assert due.missed[-1] == due.number - 1


def test_a_clock_set_back_is_seen() -> None:
    """A paging that begins ten minutes from now is no reason to wait."""
    assert escalation.clock_was_set_back(at(10), None, at(0))
    assert escalation.clock_was_set_back(at(0), at(10), at(1))
    assert not escalation.clock_was_set_back(at(0.5), at(0.5), at(0))


def text(*findings: Finding, stream: Stream = Stream.PERFUSION, label: str = "") -> str:
    subject = HERE if not label else Subject("Ward 7", "12", label, 19.4)
    head = escalation.title(Severity.RED, stream, Pattern.VENOUS, subject)
    return escalation.body(head, findings, subject, stream=stream, because="", answer_minutes=15)


def test_a_message_says_what_where_since_when_and_what_is_asked() -> None:
    """Situation, background, assessment, request: in that order, in one SMS."""
    said = text(found(("colour", "dusky"), ("refill", 0.8), ("temp_gap_c", 2.3)))
    assert said == (
        "RED venous, bed 12, L breast DIEP. 19 h after perfusion. Refill 0.8 s, gap 2.3 C. "
        "Answer within 15 min."
    )


def test_the_newest_reading_speaks() -> None:
    """What was found an hour ago is not what decides now."""
    said = text(found(("refill", 0.8)), found(("colour", "blue"), minutes=60))
    assert "Colour blue." in said
    assert "0.8" not in said


def test_the_reason_speaks_before_what_joined_it() -> None:
    """Later signs join the alert; its messages go on saying what it was raised for."""
    reason = Finding("V1", Severity.RED, Pattern.VENOUS, "Congested.", at(31), found(
        ("colour", "dusky"), ("refill", 0.8), ("refill_again", 0.7)).evidence)  # fmt: skip
    later = found(("doppler_artery", "absent"), minutes=46)
    assert escalation.decisive([reason, later], "Congested.") == "refill 0.8 s, colour dusky"
    assert escalation.decisive([reason, later]) == "Doppler artery absent"


def test_what_somebody_typed_is_never_sent() -> None:
    """A concern may hold a name: the message says that there is one, and where."""
    typed = Finding("N1", Severity.AMBER, Pattern.INDETERMINATE, "Mrs Mbeki is worse", at(1))
    said = text(typed, stream=Stream.CONCERN)
    assert said.startswith("RED nurse concern, bed 12")
    assert "Mbeki" not in said


@given(
    label=st.text(min_size=1, max_size=80), bed=st.text(min_size=1, max_size=20), late=st.booleans()
)
def test_everything_that_decides_fits_one_sms(label: str, bed: str, late: bool) -> None:
    """Whatever the flap is called: 160 letters that every SMS carries."""
    finding = found(("temp_gap_change_c", 12.25), ("glucose_gap_mmol_l", 11.15), ("refill", 0.8))
    subject = Subject("Ward 7", bed, label, 119.0)
    head = escalation.title(Severity.AMBER, Stream.PERFUSION, Pattern.INDETERMINATE, subject)
    said = escalation.body(
        head, [finding], subject, stream=Stream.PERFUSION, because="", answer_minutes=30,
        late=timedelta(minutes=4) if late else None,
    )  # fmt: skip
    asked = said.index("Answer within 30 min.") + len("Answer within 30 min.")
    assert asked <= escalation.FIRST
    assert escalation.plain(said) == said


@pytest.mark.parametrize(
    ("typed", "sent"),
    [("33.4 °C", "33.4 C"), ("Größe", "Größe"), ("č", "c"), ("皮", "?"), ("a\nb", "a b")],
)
def test_letters_an_sms_lacks_are_replaced(typed: str, sent: str) -> None:
    """One strange letter would cut the message to 70."""
    assert escalation.plain(typed) == sent
