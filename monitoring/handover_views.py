"""A ward handed over, in words: flap by flap what is open, planned, owed and coming, who is on
call, and what nobody has recorded. Pure: from a look at the ward, its rota and the record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from monitoring import ward as wards
from monitoring.board import Bedside, Tile, TileState
from monitoring.calls import OpenAlert, who_has_it
from monitoring.clocks import clock
from monitoring.components.handover_shapes import (
    DutyView,
    FactTone,
    HandoverData,
    HandoverFact,
    HandoverFlap,
)
from monitoring.conditions import lasting
from monitoring.domain import ChannelKind, Level, Pattern, Stream
from monitoring.episodes import StoredAlert
from monitoring.handovers import Beside, Handover, Stood, StoodAlert, StoodFlap, Unrecorded
from monitoring.reviews import (
    Review,
    by_order_words,
    order_words,
    plan_words,
    theatre_clock,
    under_way,
)
from monitoring.rota import CALLED, Directory, Shift
from monitoring.schedule import (
    ATTEMPTED,
    RELEASED,
    DueState,
    Look,
    Recheck,
    Slot,
    due_words,
    standing_rechecks,
)
from monitoring.signs import SIGNS, Unable
from monitoring.slots import Grid
from monitoring.views import namesake
from monitoring.ward import RECENT, Snapshot

SHIFT = timedelta(hours=12)
"""The shift that is handed over, and the one that takes it."""

ON_CALL_AHEAD = timedelta(hours=48)
"""How far ahead the sheet looks for who comes next at a level: over a weekend."""

PLAN_FOR = timedelta(hours=24)
"""How long a verdict is handed on as the plan."""

OLD_AFTER = timedelta(minutes=10)
"""How long a printed sheet may be trusted."""

Facts = Iterator[HandoverFact]
_PLAIN: FactTone = "plain"
_LOUD: FactTone = "loud"


def of_ward(found: Snapshot, ward: str) -> list[Bedside]:
    """The ward's monitored flaps."""
    return [b for b in found.beds if b.patient.ward == ward]


def handover_data(
    found: Snapshot, every: Iterable[Tile], directory: Directory, beside: Beside, *, ward: str,
    loud: Sequence[str], by: str, now: datetime, zone: ZoneInfo,
) -> HandoverData:  # fmt: skip
    """The sheet of a ward as it stands. ``every`` are the board's tiles, ``loud`` what no tile
    can say, ``by`` who prints it (empty when nobody said)."""
    beds = {b.flap.id: b for b in of_ward(found, ward)}
    shown = [t for t in every if t.flap_id in beds]
    flaps = [
        _flap(beds[t.flap_id], t, beside.reviews.get(t.flap_id), found, now, zone) for t in shown
    ]
    return HandoverData(
        title=f"Handover, {ward}",
        shown_time=f"{found.at.astimezone(zone):%H:%M:%S}",
        printed=_printed(ward, by, found.at, zone),
        summary=_summary(shown, [beds[t.flap_id] for t in shown], flaps, beside.outcomes),
        loud=list(loud),
        duties=[_duty(directory, ward, level, now, zone) for level in _levels(directory, ward)],
        flaps=flaps,
        empty_text="No flap is monitored on this ward.",
        outcomes=[_unrecorded(u, now, zone) for u in beside.outcomes],
        last=[_handed(h, found.names, now, zone) for h in beside.last],
    )


def stood(
    found: Snapshot, data: HandoverData, *, ward: str, now: datetime, zone: ZoneInfo
) -> Stood:
    """The same sheet as the record keeps it with a handover."""
    return Stood(
        ward=ward,
        shown_at=found.at,
        alerts=tuple(
            _stood_alert(a, found, now, zone)
            for a in found.alerts
            if _where(a, found)[0] == ward
        ),
        flaps=tuple(
            StoodFlap(
                flap_id=f["flap_id"],
                words=f"{f['bed']} · {f['name']} · MRN {f['mrn']} · {f['label']}",
                state=" ".join(filter(None, [f["word"], f["pattern"]])),
                lines=tuple(f"{x['label']}: {x['text']}" for x in f["facts"]),
            )
            for f in data["flaps"]
        ),
    )  # fmt: skip


def _where(alert: StoredAlert, found: Snapshot) -> tuple[str, str, str]:
    """The ward, bed and label of an alert's flap, as far as anything knows them."""
    bed = next((b for b in found.beds if b.flap.id == alert.flap_id), None)
    if bed is not None:
        return bed.patient.ward, bed.patient.bed, bed.flap.facts.label
    whose = found.whose.get(alert.flap_id)
    return ("", "", "") if whose is None else (whose.ward, whose.bed, whose.label)


def _stood_alert(alert: StoredAlert, found: Snapshot, now: datetime, zone: ZoneInfo) -> StoodAlert:
    _, bed, label = _where(alert, found)
    shown = wards.open_alert(alert, found.names, found.sent.get(alert.id, ()))
    return StoodAlert(
        id=alert.id, flap_id=alert.flap_id, severity=alert.severity, state=alert.state,
        pages=alert.pages, words=f"{alert.severity.upper()} {alert.stream}, bed {bed}, {label}",
        has=who_has_it(shown, now, zone)[0],
    )  # fmt: skip


def _printed(ward: str, by: str, at: datetime, zone: ZoneInfo) -> str:
    day = f"{at.astimezone(zone):%a %d %b %Y}"
    return (
        f"{ward}, {day}. Printed {clock(at, zone)} by {by or '____________________'}; old after "
        f"10 minutes: from {clock(at + OLD_AFTER, zone)} on go by the board and the bedside."
    )


# One flap -------------------------------------------------------------------------------------


def _flap(
    bed: Bedside, tile: Tile, review: Review | None, found: Snapshot, now: datetime,
    zone: ZoneInfo,
) -> HandoverFlap:  # fmt: skip
    return HandoverFlap(
        flap_id=tile.flap_id,
        severity=tile.state.value,
        word=tile.word,
        pattern=tile.pattern,
        bed=tile.bed,
        name=tile.name,
        born=f"born {tile.born}",
        mrn=tile.mrn,
        label=tile.label,
        hours=tile.hours_text,
        namesake=namesake(bed, found.beds) or "",
        facts=[
            *_why(tile),
            *_alerts(bed, now, zone),
            *_plan(bed, review, found.names, now, zone),
            *_theatre(bed, now, zone),
            *_order(bed, found.names, now, zone),
            *_owed(bed, tile, now, zone),
            *_unable(bed),
            *_coming(bed, now, zone),
        ],
    )


def _fact(label: str, text: str, tone: FactTone = "plain") -> HandoverFact:
    return HandoverFact(label=label, text=text, tone=tone)


def _why(tile: Tile) -> Facts:
    """The reason the board gives, with the last readings."""
    said = " ".join(text for text, _ in tile.why)
    last = f"Last check {tile.last_time}." if tile.last_ago else "No check yet."
    yield _fact("How it is", f"{said} {last}".strip())


def _alerts(bed: Bedside, now: datetime, zone: ZoneInfo) -> Facts:
    """Every alert that is not closed and who has it, the worst first."""
    for alert in sorted(bed.alerts, key=lambda a: (-a.severity.rank, a.raised_at)):
        who, has = who_has_it(alert, now, zone)
        if alert.owned and alert.review is not None:
            who = f"{alert.acknowledged_by} has it, by the plan"
            if alert.holds_until is not None:
                who += f" until {clock(alert.holds_until, zone, now)}"
        stands = ", recovered, not closed" if alert.recovered_at is not None else ""
        said = f"since {clock(alert.first_sign_at, zone, now)}{stands}; {who}"
        yield _fact(_alert_words(alert), said, _PLAIN if has else _LOUD)


def _alert_words(alert: OpenAlert) -> str:
    known = {Stream.CONCERN: "nurse concern", Stream.MONITORING: "checks"}
    unclear = alert.pattern is Pattern.INDETERMINATE
    what = known.get(alert.stream, "unclear pattern" if unclear else str(alert.pattern))
    return f"{alert.severity.upper()} {what}"


def _plan(
    bed: Bedside, review: Review | None, names: Mapping[str, str], now: datetime, zone: ZoneInfo
) -> Facts:
    """What was decided last, and whether it was read back."""
    if review is None or now - review.reviewed_at > PLAN_FOR:
        return
    if review.read_back_at is None or review.read_back_by is None:
        said, tone = "NOT READ BACK", _LOUD
    else:
        who = names.get(review.read_back_by, review.read_back_by)
        said, tone = f"read back by {who} {clock(review.read_back_at, zone, now)}", _PLAIN
    note = f" Note: {review.note}" if review.note else ""
    yield _fact("Plan", f"{plan_words(review, names, zone, now)}; {said}.{note}", tone)


def _theatre(bed: Bedside, now: datetime, zone: ZoneInfo) -> Facts:
    going = under_way(bed.flap.returns)
    if going is not None:
        yield _fact("Return", f"{theatre_clock(going, zone, now)}; not back yet", "loud")


def _order(bed: Bedside, names: Mapping[str, str], now: datetime, zone: ZoneInfo) -> Facts:
    for order in bed.flap.orders:
        if order.from_at <= now < order.until_at:
            said = f"{order_words(order, zone, now)}, {by_order_words(order, names, zone, now)}"
            yield _fact("Order", said)


# What is owed, and what comes -----------------------------------------------------------------


def _looks(bed: Bedside) -> list[Look]:
    return [s.look for s in bed.seen]


def _owed(bed: Bedside, tile: Tile, now: datetime, zone: ZoneInfo) -> Facts:
    """What is due next or overdue, what the last shift missed, and the rechecks asked for."""
    due = tile.due
    if due.state is DueState.HELD:
        since = next((h.from_at for h in bed.flap.holds if h.covers(now)), None)
        began = "" if since is None else f" since {clock(since, zone, now)}"
        yield _fact("Checks", f"{due_words(due, now)}{began}: due at once on release", "loud")
    elif due.at is not None:
        what = "recheck" if due.kind == "recheck" else "check"
        loud = _LOUD if due.state is DueState.OVERDUE else _PLAIN
        yield _fact("Due", f"{what} of {clock(due.at, zone, now)}, {due_words(due, now)}", loud)
    yield from _missed(bed, now, zone)
    asked = standing_rechecks(bed.flap, bed.protocol, _looks(bed), bed.rechecks, now)
    for recheck in sorted(asked, key=lambda r: r.due_at):
        yield _fact("Recheck", _recheck_words(recheck, now, zone))


def _recheck_words(recheck: Recheck, now: datetime, zone: ZoneInfo) -> str:
    why = {
        ATTEMPTED: "the last check was not complete",
        RELEASED: "back from a hold",
        "review": "asked for at the review",
    }.get(recheck.rule, f"asked for by rule {recheck.rule}")
    louder = f"; {recheck.if_unmet} if it is not made" if recheck.if_unmet is not None else ""
    return f"due {clock(recheck.due_at, zone, now)}: {why}{louder}"


def _missed(bed: Bedside, now: datetime, zone: ZoneInfo) -> Facts:
    """The slots of the last shift that nobody looked at. Where the checks that were read do not
    reach so far back, from when on the row speaks, also when none was missed."""
    since = now - SHIFT
    read_from = bed.seen[0].look.observed_at if len(bed.seen) >= RECENT else since
    missed = _unseen(bed, max(since, read_from), now)
    times = ", ".join(clock(s.at, zone) for s in missed)
    if read_from > since:
        begin = clock(read_from, zone, now)
        said = f"{len(missed)} since {begin}: {times}" if missed else f"none since {begin}"
        tone: FactTone = "loud" if missed else "plain"
        yield _fact("Missed", f"{said}; what was missed before is on the flap's page", tone)
    elif missed:
        yield _fact("Missed", f"{len(missed)} in the last 12 h: {times}", "loud")


def _unseen(bed: Bedside, since: datetime, now: datetime) -> list[Slot]:
    """The slots from a time on that are over and that nobody looked at, an order's too."""
    grid, seen = Grid(bed.flap, bed.protocol), [x.observed_at for x in _looks(bed)]
    found = []
    for slot in grid.walk(grid.from_on(since)):
        if slot.missed_at > now:
            break
        if not slot.held and not any(slot.opens <= at < slot.missed_at for at in seen):
            found.append(slot)
    return found


def _unable(bed: Bedside) -> Facts:
    """What the last check could not look at, and what it left out."""
    if not bed.seen:
        return
    signs = bed.seen[-1].check.signs
    required = bed.protocol.required_for(bed.flap.facts)
    could_not = [
        f"{SIGNS[n].said} ({str(v).removeprefix('unable: ')})"
        for n, v in signs.items()
        if isinstance(v, Unable)
    ]
    left = [SIGNS[n].said for n in required if n not in signs]
    if could_not:
        yield _fact("Unable", ", ".join(could_not), "loud")
    if left:
        yield _fact("Not looked at", ", ".join(left), "loud")


def _coming(bed: Bedside, now: datetime, zone: ZoneInfo) -> Facts:
    """The checks of the coming 12 h, by interval, each with its time."""
    slots = list(_ahead(bed, now))
    if not slots:
        yield _fact("Next 12 h", "no check is laid down", "loud" if bed.flap.held(now) else "dim")
        return
    said = [
        f"every {lasting(timedelta(minutes=every))}: {' '.join(clock(s.at, zone) for s in some)}"
        for every, some in groupby(slots, key=lambda s: s.every_minutes)
    ]
    word = "check" if len(slots) == 1 else "checks"
    yield _fact("Next 12 h", f"{len(slots)} {word}, {'; then '.join(said)}")


def _ahead(bed: Bedside, now: datetime) -> Iterator[Slot]:
    """The slots until 12 h from now that are still to be filled."""
    grid = Grid(bed.flap, bed.protocol)
    full = [x.observed_at for x in _looks(bed) if x.full]
    for slot in grid.walk(grid.from_on(now)):
        if slot.at >= now + SHIFT:
            return
        if not slot.held and not any(slot.opens <= at < slot.missed_at for at in full):
            yield slot


# On call, outcomes, handovers -----------------------------------------------------------------


def _levels(directory: Directory, ward: str) -> list[Level]:
    nurses = [Level.NURSE] if directory.of_level(ward, Level.NURSE) else []
    return [*nurses, *CALLED]


def _duty(directory: Directory, ward: str, level: Level, now: datetime, zone: ZoneInfo) -> DutyView:
    on = directory.on_call(ward, level, now)
    said = [
        f"{directory.name(s.staff_id)} until {clock(s.until_at, zone, now)}{_reach(directory, s)}"
        for s in on
    ]
    coming = [s for s in directory.of_level(ward, level) if s.from_at > now]
    first = min((s.from_at for s in coming), default=None)
    after = [f"{directory.name(s.staff_id)} from {clock(s.from_at, zone, now)}"
             for s in coming if s.from_at == first]  # fmt: skip
    return DutyView(
        level=level.replace("_", " ").capitalize(),
        now=", ".join(said) or "NOBODY",
        next=", ".join(after) or "nobody entered",
        gap=not any(directory.of_shift(s) for s in on),
    )


def _reach(directory: Directory, shift: Shift) -> str:
    ways = directory.of_shift(shift)
    if not ways:
        return ", CANNOT BE REACHED"
    demo = all(directory.channels[w].kind is ChannelKind.DEMO for w in ways)
    return " (demonstration)" if demo else f" ({', '.join(ways)})"


def _summary(
    shown: Sequence[Tile], beds: Sequence[Bedside], flaps: Sequence[HandoverFlap],
    outcomes: Sequence[Unrecorded],
) -> list[str]:  # fmt: skip
    """The ward in a line: what there is of each kind, nothing that there is none of."""
    nobody = sum(not a.owned for b in beds for a in b.alerts)
    labels = [f["label"] for flap in flaps for f in flap["facts"] if f["tone"] == "loud"]
    counts = [
        (sum(t.state is TileState.RED for t in shown), "RED"),
        (sum(t.state is TileState.AMBER for t in shown), "AMBER"),
        (sum(t.state is TileState.UNKNOWN for t in shown), "UNKNOWN"),
        (nobody, "with nobody who has it" if nobody == 1 else "that nobody has"),
        (labels.count("Plan"), "not read back"),
        (labels.count("Return"), "on the way to theatre or there"),
        (sum(t.due.state is DueState.OVERDUE for t in shown), "overdue"),
        (sum(t.due.state is DueState.HELD for t in shown), "on hold"),
        (len(outcomes), "without an outcome"),
    ]
    said = [f"{count} {words}" for count, words in counts if count]
    return [f"{len(shown)} flap{'' if len(shown) == 1 else 's'}", *said]


def _unrecorded(flap: Unrecorded, now: datetime, zone: ZoneInfo) -> str:
    ended = f"{flap.ended_at.astimezone(zone):%d %b %Y} {clock(flap.ended_at, zone)}"
    return f"{flap.name} · MRN {flap.mrn} · {flap.label}: monitoring ended {ended}"


def _handed(handover: Handover, names: Mapping[str, str], now: datetime, zone: ZoneInfo) -> str:
    at = f"{handover.at.astimezone(zone):%a %d %b} {clock(handover.at, zone)}"
    giver, taker = (names.get(i, i) for i in (handover.given_by, handover.accepted_by))
    note = f" Note: {handover.note}" if handover.note else ""
    return f"{at} accepted by {taker}, given by {giver}.{note}"


def accepted(
    handover: Handover, names: Mapping[str, str], now: datetime, zone: ZoneInfo
) -> tuple[str, str]:
    """A handover read back from the record: a title and a sentence."""
    flaps = len(handover.stood.flaps)
    return "Handed over", (
        f"{_handed(handover, names, now, zone)} {flaps} flap{'' if flaps == 1 else 's'}, "
        f"{len(handover.stood.alerts)} open alerts, as read at "
        f"{clock(handover.stood.shown_at, zone, now)}."
    )
