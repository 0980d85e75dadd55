"""Every life an alert can lead: whatever happens in whatever order, no red is left with nobody told
and no next step, and nothing that somebody promised is forgotten."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from monitoring import alarm, care, episodes, escalation, paging, people, shifts, store, worker
from monitoring.domain import (
    AlertState,
    CloseReason,
    Decision,
    Intent,
    Level,
    MonitoringError,
    PageState,
    Return,
    ReviewMode,
    Severity,
)
from monitoring.episodes import StoredAlert
from monitoring.ladder import ladder_of
from monitoring.reviews import Review
from monitoring.rota import Shift
from tests.bedside import (
    CONGESTED,
    DUSKY,
    PALE,
    PROTOCOLS,
    ROTA,
    SILENT,
    Bed,
    admit,
    at,
    on_call,
    staff,
)

LOOKS: dict[str, dict[str, Any]] = {
    "well": {}, "pale": PALE, "dusky": DUSKY, "congested": CONGESTED, "silent": SILENT,
}  # fmt: skip
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where files are fast: these days are about order, not about power cuts."""
SURGEONS = ("diaz", "diop", "eze")
_template: list[Path] = []


def a_record() -> store.Record:
    """A fresh record, copied from one that was migrated once."""
    if not _template:
        _template.append(Path(tempfile.mkdtemp(prefix="life-", dir=MEMORY)) / "record.db")
        store.migrate(f"sqlite:///{_template[0]}")
    path = Path(tempfile.mkdtemp(prefix="life-", dir=MEMORY)) / "record.db"
    shutil.copyfile(_template[0], path)
    return store.open_record(f"sqlite:///{path}")


class AlertLife(RuleBasedStateMachine):
    """A flap, its nurses and surgeons, a rota that changes, a clock that is set, and a watcher."""

    def __init__(self) -> None:
        super().__init__()
        self.record = a_record()
        staff(self.record)
        self.bed: Bed = admit(self.record)
        on_call(self.record)
        self.minutes = 1.0
        self.left: set[str] = set()
        self.bed.save(1)
        self.look_at_the_clock()

    def teardown(self) -> None:
        self.record.close()
        shutil.rmtree(Path(self.record.url.removeprefix("sqlite:///")).parent, ignore_errors=True)

    @property
    def now(self) -> datetime:
        return at(self.minutes)

    def look_at_the_clock(self) -> None:
        worker.tick(self.record, PROTOCOLS, now=self.now)

    def chosen(self, number: int) -> StoredAlert | None:
        running = [a for a in self.bed.alerts() if a.state is not AlertState.CLOSED]
        return running[number % len(running)] if running else None

    @rule(minutes=st.sampled_from([0.5, 1, 4, 5, 11, 16, 31, 70]))
    def time_passes(self, minutes: float) -> None:
        self.minutes += minutes
        self.look_at_the_clock()

    @rule(look=st.sampled_from(sorted(LOOKS)), by=st.sampled_from(["ana", "ben"]))
    def a_check(self, look: str, by: str) -> None:
        self.minutes += 1
        with suppress(MonitoringError):
            self.bed.enter(self.bed.look(self.minutes, LOOKS[look], by), self.minutes)
        self.look_at_the_clock()

    @rule(number=st.integers(0, 3), by=st.sampled_from(SURGEONS), within=st.integers(1, 60))
    def somebody_takes_it(self, number: int, by: str, within: int) -> None:
        alert = self.chosen(number)
        if alert is not None:
            with suppress(MonitoringError):
                care.acknowledge_alert(
                    self.record, alert_id=alert.id, by=by, intent=Intent.COMING, now=self.now,
                    expected_at=at(self.minutes + within),
                )  # fmt: skip

    @rule(number=st.integers(0, 3), by=st.sampled_from(SURGEONS), to=st.sampled_from(SURGEONS))
    def somebody_passes_it_on(self, number: int, by: str, to: str) -> None:
        alert = self.chosen(number)
        if alert is not None:
            with suppress(MonitoringError):
                care.pass_alert(self.record, alert_id=alert.id, by=by, to=to, now=self.now)

    @rule(number=st.integers(0, 3), minutes=st.integers(1, 30))
    def somebody_lets_it_rest(self, number: int, minutes: int) -> None:
        alert = self.chosen(number)
        if alert is not None:
            with suppress(MonitoringError):
                care.snooze_alert(
                    self.record, alert_id=alert.id, by="ana", until=at(self.minutes + minutes),
                    reason="position", now=self.now,
                )  # fmt: skip

    @rule(number=st.integers(0, 3), by=st.sampled_from(SURGEONS), decided=st.sampled_from(Decision))
    def somebody_decides(self, number: int, by: str, decided: Decision) -> None:
        alert = self.chosen(number)
        if alert is None:
            return
        minutes = 15 if decided is Decision.RECHECK_IN else None
        with suppress(MonitoringError, ValueError):
            review = Review(
                key=uuid4(), flap_id=self.bed.id, alert_id=alert.id, by=by, recorded_by=by,
                reviewed_at=self.now, recorded_at=self.now, mode=ReviewMode.BEDSIDE,
                decision=decided, recheck_minutes=minutes,
            )  # fmt: skip
            care.record_review(self.record, PROTOCOLS, review, now=self.now)

    @rule(number=st.integers(0, 3), by=st.sampled_from(SURGEONS))
    def somebody_closes_it(self, number: int, by: str) -> None:
        alert = self.chosen(number)
        if alert is not None:
            with suppress(MonitoringError):
                care.close_alert(
                    self.record, alert_id=alert.id, by=by, reason=CloseReason.NO_CAUSE,
                    now=self.now,
                )  # fmt: skip

    @rule()
    def the_rota_runs_empty(self) -> None:
        with self.record.write() as conn:
            for shift in shifts.shifts_between(conn, ["W"], at(-60), at(99_999)):
                shifts.end_shift(conn, shift.id, by="cho", now=self.now)

    @rule(level=st.sampled_from(Level))
    def somebody_comes_on_call(self, level: Level) -> None:
        if ROTA[level] in self.left:
            return
        with self.record.write() as conn:
            shift = Shift(0, "W", level, ROTA[level], self.now, at(99_999))
            shifts.insert_shift(conn, shift, by="cho", now=self.now)

    @precondition(lambda self: not self.left)
    @rule(who=st.sampled_from(SURGEONS[:2]))
    def somebody_leaves(self, who: str) -> None:
        self.left.add(who)
        with self.record.write() as conn:
            people.remove_staff(conn, who)

    @rule(minutes=st.sampled_from([10, 600]))
    def the_clock_is_set_back(self, minutes: float) -> None:
        self.minutes = max(self.minutes - minutes, 1)
        self.look_at_the_clock()

    @precondition(lambda self: any(r.back_at is None for r in self.bed.flap().returns))
    @rule()
    def the_flap_goes_into_theatre(self) -> None:
        going = [r for r in self.bed.flap().returns if r.back_at is None]
        with suppress(MonitoringError, ValueError):
            gone = Return(decided_at=going[0].decided_at, into_theatre_at=self.now)
            care.record_return(
                self.record, PROTOCOLS, flap_id=self.bed.id, value=gone, by="ana", now=self.now
            )

    @invariant()
    def no_red_is_left_alone(self) -> None:
        """Right after a look at the clock: who can be told was told, and a next step is ahead."""
        self.look_at_the_clock()
        theatre = [r.into_theatre_at for r in self.bed.flap().returns if r.back_at is None]
        with self.record.read() as conn:
            directory = shifts.directory(conn, self.now, ("W",))
        anybody = directory.reached("W", tuple(Level), self.now)
        for alert in self.bed.alerts():
            paged_at = alert.paged_at or alert.raised_at
            if any(alarm.in_theatre(alert.stream, paged_at, at_, self.now) for at_ in theatre):
                continue
            if alert.state is AlertState.OPEN:
                self.is_told(alert, bool(anybody))
            if alert.state is AlertState.ACKNOWLEDGED:
                until = alarm.holds_until(alert)
                assert until is not None and until > self.now, "an answer holds for ever"

    def is_told(self, alert: StoredAlert, somebody_is_there: bool) -> None:
        if alarm.rests(alert, self.now):
            assert alert.severity is Severity.AMBER and alert.snoozed_by is not None
            return
        ladder = ladder_of(alert.ladder, alert.severity, alert.stream)
        assert alert.paged_at is not None
        with self.record.read() as conn:
            highest = paging.highest_steps(conn, [alert.id])
            taken = highest.get((alert.id, alert.pages), paging.NOWHERE).number
            told = paging.told(conn, [alert.id]).get((alert.id, alert.pages, taken), 0)
        assert taken >= 0, "no rung was taken"
        assert told or not somebody_is_there, "somebody could be told and was not"
        ahead = escalation.next_at(ladder, alert.paged_at, taken) - self.now
        assert timedelta(0) < ahead <= timedelta(minutes=ladder.round_minutes) + (
            escalation.CLOCK_BACK
        ), "no next step in sight"  # fmt: skip

    @invariant()
    def what_was_written_is_whole(self) -> None:
        """One open alert a stream; each message once; nothing waits about what is over."""
        found = self.bed.alerts()
        running = [a.stream for a in found if a.state is not AlertState.CLOSED]
        assert len(running) == len(set(running))
        with self.record.read() as conn:
            pages = paging.pages_of(conn, [a.id for a in found])
            stories = episodes.events_of(conn, [a.id for a in found])
        keys = [p.key for some in pages.values() for p in some]
        assert len(keys) == len(set(keys))
        for alert in found:
            if alert.state is AlertState.OPEN:
                assert alert.acknowledged_by is None and alert.plan_until is None
            assert all(p.chain <= alert.pages for p in pages.get(alert.id, ()))
            if alert.state is AlertState.CLOSED:
                waiting = [p for p in pages.get(alert.id, ()) if p.state is PageState.WAITING]
                assert not waiting
            if alert.severity is Severity.RED:
                assert alert.snoozed_by is None
            told = [e.kind for e in stories if e.alert_id == alert.id]
            assert told[0] == "raise" and told.count("raise") == 1


def test_no_history_leaves_a_red_with_nobody_told_and_no_next_step() -> None:
    """Hundreds of days on the ward, each with its own order of checks, answers, changes of the
    rota, clocks that are set and people who leave."""
    run_state_machine_as_test(
        AlertLife,
        settings=settings(
            max_examples=40, stateful_step_count=25, deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
