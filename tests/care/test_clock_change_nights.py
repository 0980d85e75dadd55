"""The nights on which the clocks change, in London and New York: an alert climbs, an answer runs
out, a shift ends and a check falls due by true minutes, whatever the clock on the wall does."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from monitoring import board, care, entry, episodes, paging, stay_views, ward, watch_log, worker
from monitoring.domain import (
    AlertState,
    ChannelKind,
    Check,
    Intent,
    Level,
    Severity,
    Stream,
)
from monitoring.entry import Which
from monitoring.episodes import StoredAlert
from monitoring.store import Record
from tests.bedside import CONGESTED, PROTOCOLS, ROTA, patient, staff
from tests.stays import USUAL, facts

LONDON, NEW_YORK = ZoneInfo("Europe/London"), ZoneInfo("America/New_York")
HALF_A_MINUTE = timedelta(seconds=30)


def minutes(many: float) -> timedelta:
    return timedelta(minutes=many)


@dataclass
class Night:
    """One flap in the night on which the ward's clock jumps at ``change``."""

    record: Record
    zone: ZoneInfo
    change: datetime
    flap_id: str = ""

    def admit(self, before_the_change: float) -> None:
        """Monitoring begins so many minutes before the change."""
        begun = self.change - minutes(before_the_change)
        told = facts(perfused_at=begun - minutes(60), monitoring_from=begun)
        self.flap_id = care.admit_flap(
            self.record, PROTOCOLS, patient=patient(), facts=told, by="ana", now=begun
        )

    def wall(self, said: str, which: Which | None = None) -> datetime:
        """The instant that a form reads from this time of the night on which the clock jumps."""
        day = self.change.astimezone(self.zone).date()
        return entry.moment(datetime.fromisoformat(f"{day}T{said}"), self.zone, which)

    def on_call(self, who: str, level: Level, since: datetime, until: datetime) -> None:
        care.enter_shift(
            self.record, ward="W", level=level, staff_id=who, from_at=since, until_at=until,
            by="cho", now=since,
        )  # fmt: skip

    def all_on_call(self) -> None:
        since = self.change - minutes(600)
        for level, who in ROTA.items():
            self.on_call(who, level, since, since + minutes(1400))

    def save(self, now: datetime, **signs: str) -> None:
        check = Check.parse(
            {"observed_at": now, **USUAL, **signs}, flap_id=self.flap_id, by="ana", key=uuid4(),
            recorded_at=now,
        )  # fmt: skip
        care.record_check(self.record, PROTOCOLS, check, now=now)

    def watched(self, since: datetime, until: datetime, every: timedelta = HALF_A_MINUTE) -> None:
        """The watcher looks twice a minute, or as often as is said."""
        while since <= until:
            worker.tick(self.record, PROTOCOLS, now=since)
            since += every

    def alert(self, stream: Stream = Stream.PERFUSION) -> StoredAlert:
        with self.record.read() as conn:
            found = episodes.alerts_of_flap(conn, self.flap_id)
        (alert,) = [a for a in found if a.stream is stream]
        return alert

    def pages(self, stream: Stream = Stream.PERFUSION) -> list[paging.StoredPage]:
        alert = self.alert(stream)
        with self.record.read() as conn:
            return paging.pages_of(conn, [alert.id]).get(alert.id, [])

    def told(self, stream: Stream = Stream.PERFUSION) -> list[tuple[str | None, float]]:
        """Who was told, and how many true minutes after the alert was raised."""
        raised = self.alert(stream).raised_at
        return [(p.staff_id, (p.created_at - raised) / minutes(1)) for p in self.pages(stream)]

    def acknowledge(self, now: datetime, expected_at: datetime) -> None:
        care.acknowledge_alert(
            self.record, alert_id=self.alert().id, by="diaz", intent=Intent.COMING,
            expected_at=expected_at, now=now,
        )  # fmt: skip

    def tile(self, now: datetime) -> board.Tile:
        (bed,) = ward.snapshot(self.record, PROTOCOLS, now).beds
        return board.tile(bed, now, self.zone)

    def story(self, now: datetime) -> list[str]:
        stay = ward.stay(self.record, PROTOCOLS, self.flap_id)
        return stay_views.story_of(stay.alerts[0], stay, now=now, zone=self.zone)


NIGHTS = {
    "London forward": (LONDON, datetime(2026, 3, 29, 1, tzinfo=UTC)),
    "London back": (LONDON, datetime(2026, 10, 25, 1, tzinfo=UTC)),
    "New York forward": (NEW_YORK, datetime(2026, 3, 8, 7, tzinfo=UTC)),
    "New York back": (NEW_YORK, datetime(2026, 11, 1, 6, tzinfo=UTC)),
}
BACK = ["London back", "New York back"]


@pytest.fixture
def night(record: Record) -> Callable[[str], Night]:
    """The night of this name, its staff reached on the demo channel."""

    def begin(name: str) -> Night:
        zone, change = NIGHTS[name]
        staff(record)
        with record.write() as conn:
            demo = paging.Channel("demo", ChannelKind.DEMO, None, True, change)
            paging.write_channels(conn, change, [demo])
        return Night(record, zone, change)

    return begin


def test_the_nights_are_the_ones_on_which_the_clocks_change() -> None:
    """A second before and at the change the wall shows an hour's difference, one way or other."""
    jumps = []
    for zone, change in NIGHTS.values():
        before, after = (change - timedelta(seconds=1)).astimezone(zone), change.astimezone(zone)
        jumps.append((f"{before:%H:%M}", f"{after:%H:%M}"))
    assert jumps == [("00:59", "02:00"), ("01:59", "01:00"), ("01:59", "03:00"), ("01:59", "01:00")]


@pytest.mark.parametrize("name", NIGHTS)
@pytest.mark.parametrize("raised", ["00:50", "ten minutes before the change"])
def test_an_alert_climbs_in_true_minutes(
    night: Callable[[str], Night], name: str, raised: str
) -> None:
    """A red at ten to one, or ten minutes before the clock jumps: the microsurgeon after 5 true
    minutes, the consultant after 10, the registrar again after 15; nobody late, nobody twice."""
    here = night(name)
    here.admit(180)
    here.all_on_call()
    start = here.wall(raised) if raised == "00:50" else here.change - minutes(10)
    here.save(start, **CONGESTED)
    here.watched(start + HALF_A_MINUTE, start + minutes(19))
    assert here.told() == [
        ("diaz", 0), ("diaz", 5), ("diop", 5), ("diop", 10), ("eze", 10), ("diaz", 15),
    ]  # fmt: skip
    assert not any(page.late for page in here.pages())


@pytest.mark.parametrize("name", NIGHTS)
def test_an_answer_runs_out_after_true_minutes(night: Callable[[str], Night], name: str) -> None:
    """Taken five minutes before the change, expected in twenty: it holds 15 true minutes, neither
    an hour more nor not at all."""
    here = night(name)
    here.admit(180)
    here.all_on_call()
    taken = here.change - minutes(5)
    here.save(taken - minutes(1), **CONGESTED)
    here.acknowledge(taken, taken + minutes(20))
    here.watched(taken, taken + minutes(14.5))
    assert here.alert().state is AlertState.ACKNOWLEDGED
    here.watched(taken + minutes(15), taken + minutes(15))
    alert = here.alert()
    assert (alert.state, alert.lapsed_at) == (AlertState.OPEN, taken + minutes(15))


HANDOVERS: list[tuple[str, str, Which | None, timedelta]] = [
    # night, the end of the shift on the wall, which of two, and how long after the change
    ("London forward", "02:00", None, minutes(0)),
    ("London back", "02:00", None, minutes(60)),
    ("London back", "01:30", "first", minutes(-30)),
    ("London back", "01:30", "second", minutes(30)),
    ("New York forward", "03:00", None, minutes(0)),
    ("New York back", "02:00", None, minutes(60)),
    ("New York back", "01:30", "first", minutes(-30)),
    ("New York back", "01:30", "second", minutes(30)),
]


@pytest.mark.parametrize(("name", "ends", "which", "after"), HANDOVERS)
def test_a_shift_ends_at_its_own_instant(
    night: Callable[[str], Night], name: str, ends: str, which: Which | None, after: timedelta
) -> None:
    """Dr Diaz until the time on the wall, Dr Diop from then on: the rung of the minute before is
    Dr Diaz's, the rung of that very minute is Dr Diop's."""
    here = night(name)
    here.admit(180)
    over = here.wall(ends, which)
    assert over - here.change == after
    here.on_call("diaz", Level.REGISTRAR, over - minutes(300), over)
    here.on_call("diop", Level.REGISTRAR, over, over + minutes(300))
    start = over - minutes(5)
    here.save(start, **CONGESTED)
    here.watched(start, start + minutes(5))
    assert here.told() == [("diaz", 0), ("diop", 5)]


def test_a_shift_cannot_end_at_a_time_that_the_clock_skips(night: Callable[[str], Night]) -> None:
    """02:00 does not occur that night in New York: asked anew, never guessed."""
    with pytest.raises(entry.BadValue, match="02:00 does not occur that night"):
        night("New York forward").wall("02:00")


@pytest.mark.parametrize("name", NIGHTS)
def test_one_check_that_nobody_made_is_one_check(night: Callable[[str], Night], name: str) -> None:
    """Looked at every half hour but at the very moment of the change: overdue once, told at its
    true time, closed by the next check; nothing else is asked for all night."""
    here = night(name)
    here.admit(90)
    here.all_on_call()
    since = here.change - minutes(90)
    for number in range(6):
        if number != 3:
            here.save(since)
        here.watched(since + minutes(1.5), since + minutes(29.5), minutes(1))
        since += minutes(30)
    with here.record.read() as conn:
        passed = watch_log.watch_findings_of(conn, here.flap_id)
    assert [((f.due_at - here.change) / minutes(1), f.severity) for f in passed] == [
        (7.5, Severity.YELLOW), (22.5, Severity.AMBER),
    ]  # fmt: skip
    alert = here.alert(Stream.MONITORING)
    assert alert.raised_at == here.change + minutes(22.5)
    assert alert.close_reason == "check_made"
    assert alert.closed_at == here.change + minutes(30)
    assert {page.created_at for page in here.pages(Stream.MONITORING)} == {
        alert.raised_at, alert.raised_at + minutes(5),
    }  # fmt: skip


@pytest.mark.parametrize(("name", "summer", "winter"), [
    ("London back", "BST", "GMT"), ("New York back", "EDT", "EST"),
])  # fmt: skip
def test_every_time_in_the_hour_that_occurs_twice_says_which(
    night: Callable[[str], Night], name: str, summer: str, winter: str
) -> None:
    """Raised at the first ten to two, taken at the second five past one: the tile and the story
    name the zone beside each time, the message needs no time at all."""
    here = night(name)
    here.admit(180)
    here.all_on_call()
    first = here.wall("01:50", "first")
    here.save(first, **CONGESTED)
    here.watched(first, first + minutes(6))
    assert here.tile(first + minutes(6)).since == f"since 01:50 {summer}"
    assert f"next 01:00 {winter}" in here.tile(first + minutes(6)).plan
    here.acknowledge(first + minutes(15), first + minutes(25))
    now = first + minutes(20)
    tile = here.tile(now)
    assert f"01:05 {winter} acknowledged by Dr Diaz" in tile.plan
    assert tile.plan.endswith(f"01:15 {winter}")
    assert tile.last_time == f"01:50 {summer}"
    story = [line for line in here.story(now) if re.match(r"\d\d:\d\d", line)]
    assert story[0].startswith(f"01:50 {summer} raised")
    assert story[-1].startswith(f"01:05 {winter} acknowledged by Dr Diaz")
    alone = re.compile(rf"\b01:\d\d(?! (?:{summer}|{winter})\b)")
    assert not [line for line in (*story, tile.plan, tile.since) if alone.search(line)]
    assert not any(re.search(r"\d\d:\d\d", page.title + page.body) for page in here.pages())
