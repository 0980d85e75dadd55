"""Whatever people do, in whatever order: no alert is lost, none is closed but by a person, and
trying a save again changes nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from monitoring import care, checks, episodes, store, worker
from monitoring.domain import (
    SYSTEM,
    AlertState,
    Check,
    CloseReason,
    HoldReason,
    Intent,
    Refused,
    Return,
    Severity,
    Stream,
)
from monitoring.episodes import StoredAlert
from tests.bedside import PROTOCOLS, a_look, admit, everything, staff
from tests.stays import START

SIGNS = st.sampled_from(
    [
        {}, {}, {}, {"colour": "pale"}, {"colour": "dusky"}, {"colour": "dusky", "turgor": "tense"},
        {"doppler_artery": "absent"}, {"swelling": "rapid"}, {"turgor": {"unable": "dressing"}},
        {"turgor": None, "refill": None}, {"refill": 0.6}, {"flap_temp_c": 31.2},
        {"implant_signal": "lost"}, {"implant_signal": "changed"},
    ]
)  # fmt: skip
WHO = st.sampled_from(["ana", "ben"])
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where files are fast: these stays are about order, not about power cuts."""
_Story = dict[int, StoredAlert]


class Stay(RuleBasedStateMachine):
    """One flap's stay, told by nurses, a registrar and a watcher."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.record = store.open_record(self.url)
        self.now = START + timedelta(minutes=1)
        self.returned: datetime | None = None
        self.alerts: _Story = {}
        self.recorded = START

    @initialize()
    def begin(self) -> None:
        staff(self.record)
        self.flap = admit(self.record).id

    def teardown(self) -> None:
        self.record.close()

    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    def try_(self, verb: Any, **told: Any) -> None:
        """A verb succeeds, or is refused and leaves everything as it was."""
        before = everything(self.record)
        try:
            verb(self.record, **told, now=self.now)
        except Refused as refused:
            said = str(refused)
        else:
            return
        assert said.endswith(".")
        assert everything(self.record) == before

    def look(self, signs: Mapping[str, Any], by: str, ago: int, worried: bool) -> Check:
        check = replace(a_look(self.flap, 0, signs, by), nurse_concern=worried)
        return replace(check, observed_at=self.now - timedelta(minutes=ago))

    @rule(
        signs=SIGNS, by=WHO, ago=st.sampled_from([0, 0, 0, 3, 40, 130]),
        worried=st.sampled_from([False] * 7 + [True]), after=st.integers(1, 70),
    )  # fmt: skip
    def check(self, signs: Mapping[str, Any], by: str, ago: int, worried: bool, after: int) -> None:
        """A check, on time or late, tried twice."""
        self.wait(after)
        check = self.look(signs, by, ago, worried)
        newest = max((c.check.observed_at for c in self.standing()), default=None)
        try:
            saved = care.record_check(self.record, PROTOCOLS, check, now=self.now)
        except Refused:
            return
        assert saved.check.signs == check.signs
        if newest is not None and newest > check.observed_at:
            assert not saved.current
        before = everything(self.record)
        again = care.record_check(self.record, PROTOCOLS, check, now=self.now)
        assert again.repeated and again.check == saved.check
        assert everything(self.record) == before

    @precondition(lambda self: self.standing())
    @rule(signs=SIGNS, which=st.integers(0, 50), moved=st.sampled_from([0, 0, 7]))
    def amend(self, signs: Mapping[str, Any], which: int, moved: int) -> None:
        self.wait(1)
        known = self.standing()
        old = known[which % len(known)].check
        new = replace(
            a_look(self.flap, 0, signs, old.by), key=uuid4(),
            observed_at=old.observed_at - timedelta(minutes=moved),
        )  # fmt: skip
        self.try_(
            care.amend_check, protocols=PROTOCOLS, key=old.key, check=new, by="ben",
            reason="misread",
        )  # fmt: skip
        with self.record.read() as conn:
            kept = checks.check_by_key(conn, old.key)
        assert kept.check == old

    @precondition(lambda self: self.standing())
    @rule(which=st.integers(0, 50))
    def retract(self, which: int) -> None:
        self.wait(1)
        known = self.standing()
        key = known[which % len(known)].check.key
        self.try_(
            care.retract_check, protocols=PROTOCOLS, key=key, by="ben", reason="wrong patient"
        )

    @rule(after=st.integers(1, 30))
    def hold_or_release(self, after: int) -> None:
        self.wait(after)
        self.try_(
            care.hold_flap, protocols=PROTOCOLS, flap_id=self.flap, reason=HoldReason.IMAGING,
            by="ana",
        )  # fmt: skip
        self.wait(after)
        self.try_(care.release_flap, protocols=PROTOCOLS, flap_id=self.flap, by="ana")

    @rule(later=st.integers(30, 240))
    def theatre(self, later: int) -> None:
        decided = self.now
        value = Return(decided_at=decided, into_theatre_at=decided)
        there = {"protocols": PROTOCOLS, "flap_id": self.flap, "by": "diaz"}
        self.try_(care.record_return, value=value, **there)
        self.wait(later)
        back = value.model_copy(update={"perfused_again_at": self.now, "back_at": self.now})
        for _ in range(2):
            self.try_(care.record_return, value=back, **there)

    @precondition(lambda self: self.running())
    @rule(which=st.integers(0, 9))
    def acknowledge(self, which: int) -> None:
        running = self.running()
        self.try_(
            care.acknowledge_alert, alert_id=running[which % len(running)].id, by="diaz",
            intent=Intent.COMING, expected_at=self.now + timedelta(minutes=10),
        )  # fmt: skip

    @precondition(lambda self: self.running())
    @rule(which=st.integers(0, 9))
    def close(self, which: int) -> None:
        running = self.running()
        self.try_(
            care.close_alert, alert_id=running[which % len(running)].id, by="diaz",
            reason=CloseReason.POSITION,
        )  # fmt: skip

    @rule(after=st.integers(1, 90))
    def tick(self, after: int) -> None:
        """The watcher looks twice; the second time nothing is new."""
        self.wait(after)
        assert worker.tick(self.record, PROTOCOLS, now=self.now).set_aside == ()
        assert worker.tick(self.record, PROTOCOLS, now=self.now).raised == 0

    @rule()
    def discharge(self) -> None:
        """Refused while a clinical alert stands; the stay goes on under a new label."""
        clinical = [a for a in self.running() if a.stream is not Stream.MONITORING]
        told = {"protocols": PROTOCOLS, "flap_id": self.flap, "by": "diaz"}
        if clinical:
            with pytest.raises(Refused, match=r"not closed|has ended"):
                care.discharge_flap(self.record, now=self.now, **told)

    def running(self) -> list[StoredAlert]:
        with self.record.read() as conn:
            return episodes.open_alerts(conn, self.flap)

    def standing(self) -> list[checks.StoredCheck]:
        with self.record.read() as conn:
            return [c for c in checks.checks_of_flap(conn, self.flap) if c.current]

    @invariant()
    def every_loud_finding_has_its_alert(self) -> None:
        """Amber or red in a current check: an alert of its stream carries it that is not closed,
        or that was closed after somebody could know of it (a monitoring alert by itself, any
        other by a person)."""
        if not hasattr(self, "flap"):
            return
        with self.record.read() as conn:
            held = episodes.alerts_of_flap(conn, self.flap)
            keys = [c.check.key for c in checks.checks_of_flap(conn, self.flap) if c.current]
            judged = episodes.current_assessments(conn, keys)
            told = {key: episodes.assessments_of(conn, key) for key in keys}
        assert set(judged) == set(keys)
        for key, current in judged.items():
            for found in current.assessment.findings:
                if found.severity.rank < Severity.AMBER.rank:
                    continue
                first = min(
                    a.assessed_at for a in told[key]
                    if any(f.stream is found.stream and f.severity.rank >= Severity.AMBER.rank
                           for f in a.assessment.findings)
                )  # fmt: skip
                assert any(
                    a.stream is found.stream and (a.closed_at is None or a.closed_at >= first)
                    for a in held
                ), found

    @invariant()
    def nothing_but_a_person_closes_or_lowers(self) -> None:
        """Severity never falls, a closed alert never changes, no clinical alert is closed by the
        system, and at most one of a stream runs."""
        if not hasattr(self, "flap"):
            return
        with self.record.read() as conn:
            held = {a.id: a for a in episodes.alerts_of_flap(conn, self.flap)}
        assert set(self.alerts) <= set(held)
        for alert_id, old in self.alerts.items():
            new = held[alert_id]
            assert new.severity.rank >= old.severity.rank
            assert new.pages >= old.pages
            if old.state is AlertState.CLOSED:
                assert new == old
        for alert in held.values():
            if alert.closed_by == SYSTEM:
                assert alert.stream is Stream.MONITORING
        open_ = [a.stream for a in held.values() if a.state is not AlertState.CLOSED]
        assert len(open_) == len(set(open_))
        self.alerts = held

    @invariant()
    def the_record_only_grows_forward(self) -> None:
        """Nothing is recorded before what was recorded already, nothing is deleted."""
        if not hasattr(self, "flap"):
            return
        with self.record.read() as conn:
            times = [c.check.recorded_at for c in checks.checks_of_flap(conn, self.flap)]
        latest = max(times, default=START)
        assert self.recorded <= latest <= self.now
        self.recorded = latest


def test_no_sequence_loses_an_alert(sqlite_template: Path) -> None:
    """Hundreds of stays of checks late and on time, amendments, retractions, holds, returns,
    answers and ticks, each on a record of its own."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:

        class OnSqlite(Stay):
            def __init__(self) -> None:
                path = Path(folder) / f"{uuid4()}.db"
                shutil.copyfile(sqlite_template, path)
                self.url = f"sqlite:///{path}"
                super().__init__()

        run_state_machine_as_test(
            OnSqlite,
            settings=settings(
                max_examples=20, stateful_step_count=16, deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip


@pytest.mark.postgres
def test_no_sequence_loses_an_alert_on_a_server(postgresql_url: str) -> None:
    """The same on PostgreSQL, one person a stay."""
    numbers = iter(range(10_000))

    class OnServer(Stay):
        url = postgresql_url

        @initialize()
        def begin(self) -> None:
            number = next(numbers)
            if number == 0:
                staff(self.record)
            self.flap = admit(self.record, mrn=str(number), name=f"NUMBER {number}").id

    run_state_machine_as_test(
        OnServer,
        settings=settings(
            max_examples=5, stateful_step_count=10, deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
