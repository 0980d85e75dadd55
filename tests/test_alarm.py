"""An alert's life, cell by cell: what may happen to it, what cannot, and when it pages."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring import alarm
from monitoring.alarm import MOVES, AlertEvent, Episode, WrongMove, after_check, next_state
from monitoring.domain import AlertState, Evidence, Finding, Pattern, Severity, Stream
from monitoring.schedule import Recheck
from tests.bedside import PROTOCOLS, at

SKIN = PROTOCOLS["skin-paddle@1"]

STATES = (None, *AlertState)
PATTERNS: Mapping[Stream, Pattern] = {
    Stream.PERFUSION: Pattern.VENOUS,
    Stream.HAEMATOMA: Pattern.HAEMATOMA,
    Stream.DEVICE: Pattern.DEVICE,
    Stream.CONCERN: Pattern.INDETERMINATE,
    Stream.MONITORING: Pattern.MONITORING,
}


def finding(severity: Severity, stream: Stream = Stream.PERFUSION, sign: str = "colour") -> Finding:
    rule = "N1" if stream is Stream.CONCERN else "V1"
    said = Evidence(sign, "dusky", at(1), "ana")
    return Finding(rule, severity, PATTERNS[stream], "Colour dusky.", at(1), (said,))


def episode(
    severity: Severity = Severity.AMBER, state: AlertState = AlertState.OPEN,
    stream: Stream = Stream.PERFUSION, recovered: bool = False, sign: str = "colour",
) -> Episode:  # fmt: skip
    return Episode(1, stream, severity, state, recovered, signs=frozenset({sign}))


def written() -> set[tuple[str, str, str, bool]]:
    """The table as the docstring shows it."""
    rows = re.findall(
        r"^    (\(none\)|open|acknowledged) +(\w+) +(\w+) +(yes|no)\b",
        alarm.__doc__ or "",
        re.MULTILINE,
    )
    return {(a, b, c, d == "yes") for a, b, c, d in rows}


def test_the_table_one_reads_is_the_table_that_runs() -> None:
    """The docstring's table and MOVES are the same, but for the mark of an amended value and of a
    plan read back, which move nothing."""
    told = (AlertEvent.AMENDED, AlertEvent.READ_BACK)
    runs = {
        ("(none)" if state is None else str(state), str(event), str(becomes), pages)
        for (state, event), (becomes, pages) in MOVES.items()
        if event not in told
    }
    assert runs == written()
    assert len(written()) == 22
    for state in (AlertState.OPEN, AlertState.ACKNOWLEDGED):
        assert all(MOVES[state, event] == (state, False) for event in told)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("event", AlertEvent)
def test_every_cell(state: AlertState | None, event: AlertEvent) -> None:
    """Each cell is in the table or cannot happen; nothing leaves closed, nothing but a raise
    begins."""
    if state is None:
        assert ((None, event) in MOVES) == (event is AlertEvent.RAISE)
    elif (state, event) in MOVES:
        becomes, pages = next_state(state, event)
        assert state is not AlertState.CLOSED
        assert (becomes is AlertState.CLOSED) == (event is AlertEvent.CLOSE)
        loud = {"worsen", "recur", "expire", "wake", "again"}
        assert pages == (event in loud or (state, event) == (AlertState.ACKNOWLEDGED, "pass"))
    else:
        with pytest.raises(WrongMove, match=f"An alert that is {state} cannot {event}"):
            next_state(state, event)


@given(
    episodes=st.lists(
        st.builds(
            episode, severity=st.sampled_from([Severity.RED, Severity.AMBER]),
            state=st.sampled_from([AlertState.OPEN, AlertState.ACKNOWLEDGED]),
            stream=st.sampled_from(Stream), recovered=st.booleans(),
        ),
        unique_by=lambda e: e.stream,
    ),
    findings=st.lists(
        st.builds(finding, st.sampled_from(Severity), st.sampled_from(Stream)), max_size=6
    ),
    full=st.booleans(),
    newest=st.booleans(),
)  # fmt: skip
def test_no_finding_is_lost_and_none_lowers(
    episodes: list[Episode], findings: list[Finding], full: bool, newest: bool
) -> None:
    """Every amber or red finding reaches an episode of its stream; no move lowers a severity or
    closes; only a full newest check shows recovery; every concern pages; worse pages."""
    moves = after_check(episodes, findings, full=full, newest=newest)
    loud = [f for f in findings if f.severity.rank >= Severity.AMBER.rank]
    assert sorted(f.rule for m in moves for f in m.findings) == sorted(f.rule for f in loud)
    assert len({m.stream for m in moves}) == len(moves)
    assert [m.severity.rank for m in moves] == sorted(
        (m.severity.rank for m in moves), reverse=True
    )
    for move in moves:
        assert move.state is not AlertState.CLOSED
        assert all(f.stream is move.stream for f in move.findings)
        if move.episode is not None:
            assert move.severity.rank >= move.episode.severity.rank
            assert not (move.severity.rank > move.episode.severity.rank and not move.pages)
        if move.event is AlertEvent.RECOVER:
            assert full and newest and move.stream not in {f.stream for f in findings}
        if move.stream is Stream.CONCERN:
            assert move.pages


def test_yellow_neither_raises_nor_lets_recover() -> None:
    """A yellow finding makes no alert; while it speaks, its stream has not recovered."""
    yellow = [finding(Severity.YELLOW)]
    assert after_check([], yellow, full=True, newest=True) == []
    assert after_check([episode()], yellow, full=True, newest=True) == []


@pytest.mark.parametrize(
    ("rests_on", "unable"),
    [("colour", "colour"), ("temp_gap_change_c", "control_temp_c"), ("refill_presses", "refill")],
)
def test_nothing_recovers_unseen(rests_on: str, unable: str) -> None:
    """What rests on a sign does not recover by a check that could not look at it."""
    running = [episode(sign=rests_on)]
    everything = frozenset({"colour", "refill", "flap_temp_c", "control_temp_c", "turgor"})
    blind = after_check(running, [], full=True, newest=True, seen=everything - {unable})
    assert blind == []
    seen = after_check(running, [], full=True, newest=True, seen=everything - {"turgor"})
    assert [m.event for m in seen] == [AlertEvent.RECOVER]


def test_a_recheck_turns_louder_at_its_time() -> None:
    """Not a moment before, not on hold, and only if its rule says so."""
    late = Recheck(at(0), at(10), "D1", Severity.RED)
    soft = Recheck(at(0), at(10), "S1")
    assert alarm.louder([late, soft], False, at(10)) == [late]
    assert alarm.louder([late, soft], False, at(9.99)) == []
    assert alarm.louder([late], True, at(20)) == []


def test_an_unmet_finding_is_dated_at_its_deadline() -> None:
    """Red from the deadline on, with the evidence it had; without if_unmet there is none."""
    asked = Finding(
        "D1", Severity.AMBER, Pattern.ARTERIAL, "Signal lost.", at(0), recheck_minutes=10,
        if_unmet=Severity.RED,
    )  # fmt: skip
    louder = alarm.unmet(asked, at(10), SKIN)
    assert louder is not None
    assert (louder.severity, louder.at) == (Severity.RED, at(10))
    assert louder.because == "Signal lost. The recheck asked for was not done in time."
    assert louder.do_now.startswith("Call the registrar now.")
    assert alarm.unmet(finding(Severity.AMBER), at(10), SKIN) is None
