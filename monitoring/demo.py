"""The ward a newcomer meets: twelve fictional flaps at different hours, every state on show.

Everything goes through the same verbs as the bedside, in the order it would have happened, so
the demo is also a rehearsal of the product. The people do not exist.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import partial
from itertools import pairwise
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from monitoring import care, episodes, outbox, paging, people, photos, queries
from monitoring.domain import (
    BedsideAction,
    ChannelKind,
    Check,
    CloseReason,
    Decision,
    Flap,
    FlapFacts,
    HoldReason,
    Intent,
    Level,
    MonitoringError,
    Patient,
    Return,
    ReturnFinding,
    ReviewMode,
    Role,
)
from monitoring.paging import Channel
from monitoring.protocol import Protocol, propose
from monitoring.reviews import Review
from monitoring.schedule import slots
from monitoring.store import Record

Signs = dict[str, object]
Story = Callable[[float, float, random.Random], Signs | None]
"""(hours before now, hours since the slots began, noise) to a check's signs; None if missed."""

STAFF = [
    ("N. Okafor", Role.NURSE), ("S. Lindberg", Role.NURSE), ("J. Marsh", Role.NURSE),
    ("P. Mensah", Role.CHARGE_NURSE), ("T. Adair", Role.CHARGE_NURSE),
    ("Dr M. Osei", Role.REGISTRAR), ("Dr A. Haddad", Role.REGISTRAR),
    ("Mr T. Vance", Role.CONSULTANT), ("Miss R. Lindqvist", Role.CONSULTANT),
]  # fmt: skip

ROTA: tuple[tuple[Level, tuple[str, str]], ...] = (
    (Level.CHARGE_NURSE, ("p-mensah", "t-adair")),
    (Level.REGISTRAR, ("dr-m-osei", "dr-a-haddad")),
    (Level.MICROSURGEON, ("mr-t-vance", "mr-t-vance")),
    (Level.CONSULTANT, ("miss-r-lindqvist", "miss-r-lindqvist")),
)
"""Who has each level in the row of now, and who in the next: they take turns by day and night."""

CHANGES = (time(8), time(20))
"""When the day's and the night's row begin, on the ward's clock."""

BACK, AHEAD = timedelta(days=3), timedelta(days=7)
"""How far the rota reaches: over every story, and over the coming week."""

TOLD = "Part of the demonstration's past: nobody was really told."


class RecordNotEmpty(MonitoringError):
    """The demo ward is only loaded into an empty record: it never mixes with patients."""


@dataclass(frozen=True)
class Stay:
    """One fictional flap: who, what, how long ago it was perfused, and its story. ``looks`` are
    checks besides the schedule's, ``taken`` and ``decided`` when the registrar took its alert and
    gave the ``verdict``, all in minutes before now. ``shown`` are the colours of its synthetic
    pictures: skin, the flap at its first check, the flap at its last."""

    bed: str
    name: str
    mrn: str
    born_on: date
    hours: float
    facts: Mapping[str, object]
    story: Story
    nurse: str = "n-okafor"
    arrived_after: float = 0.75
    looks: tuple[float, ...] = ()
    holds: tuple[tuple[float, HoldReason], ...] = ()
    returned: Mapping[str, float] = field(default_factory=dict)
    taken: float | None = None
    decided: float = 0
    verdict: Mapping[str, Any] = field(default_factory=dict)
    shown: tuple[str, str, str] | None = None


def _skin(noise: random.Random, *, gap: float = 0.4, vein: bool = True) -> Signs:
    """A skin paddle that does well, with the noise of a real hand."""
    flap = round(33.4 + noise.gauss(0, 0.25), 1)
    signs: Signs = {
        "colour": "matches",
        "refill": round(min(2.8, max(1.3, noise.gauss(2.0, 0.3))), 1),
        "flap_temp_c": flap,
        "control_temp_c": round(flap + gap + noise.uniform(-0.1, 0.1), 1),
        "turgor": "soft",
        "doppler_artery": "strong",
    }
    return signs | {"doppler_vein": "present"} if vein else signs


def _well(_ago: float, _hours: float, noise: random.Random) -> Signs:
    return _skin(noise)


def _venous(ago: float, _hours: float, noise: random.Random) -> Signs:
    """Venous congestion that evolves over the last three hours."""
    signs = _skin(noise, gap=0.4 if ago > 3 else 0.7 if ago > 2 else 1.1 if ago > 1 else 1.6)
    if ago <= 2.2:
        signs |= {"colour": "mottled", "refill": 1.4}
    if ago <= 1.2:
        signs |= {"colour": "dusky", "turgor": "firm", "refill": 1.1}
    if ago <= 0.4:
        signs |= {"turgor": "tense", "refill": 0.8, "refill_again": 0.7, "doppler_vein": "absent"}
    return signs


def _cold_room(ago: float, _hours: float, noise: random.Random) -> Signs:
    """Nothing but the temperature, in a patient just back from an X-ray without a blanket."""
    if ago > 0.2:
        return _skin(noise)
    context: Signs = {"core_temp_c": 35.6, "warming": "just_removed"}
    return _skin(noise, gap=2.5) | context


def _unseen(ago: float, _hours: float, noise: random.Random) -> Signs | None:
    return None if ago < 1.2 else _skin(noise)


def _tongue(ago: float, _hours: float, noise: random.Random) -> Signs:
    """A flap that turned dusky in the last hour and is to go back to theatre; no vein probe."""
    signs = _skin(noise, vein=False) | {"doppler_vein": {"unable": "equipment"}}
    return signs | ({"colour": "dusky"} if ago < 1 else {})


def _occluded(ago: float, _hours: float, noise: random.Random) -> Signs:
    """An arterial occlusion that the check of this minute shows."""
    if ago > 0.15:
        return _skin(noise)
    return _skin(noise, gap=3.1) | {
        "colour": "white", "refill": "absent", "doppler_artery": "absent", "turgor": "flaccid",
        "doppler_vein": "absent",
    }  # fmt: skip


def _buried(_ago: float, hours: float, noise: random.Random) -> Signs:
    """A flap nobody can see: signal, swelling, pain and a drain that slowly dries up."""
    drain = max(3.0, 24 - hours + noise.gauss(0, 3))
    return {
        "implant_signal": "present", "swelling": "stable" if hours > 10 else "none",
        "pain": "usual", "drain_ml_per_h": float(round(drain)),
    }  # fmt: skip


def _digit(ago: float, _hours: float, noise: random.Random) -> Signs:
    """A replanted finger that turned pale at the last look: one weak sign, to be looked at
    again."""
    flap = round(32.8 + noise.gauss(0, 0.2), 1)
    return {
        "colour": "matches" if ago > 0.15 else "pale",
        "refill": round(min(2.8, max(1.2, noise.gauss(1.8, 0.2))), 1),
        "flap_temp_c": flap,
        "control_temp_c": round(flap + 0.4 + noise.uniform(-0.1, 0.1), 1),
        "turgor": "soft",
        "doppler_artery": "strong",
    }


def _muscle(_ago: float, hours: float, _noise: random.Random) -> Signs:
    """A muscle under a skin graft; scratched every few hours only."""
    signs: Signs = {
        "colour": "matches", "turgor": "soft", "doppler_artery": "strong",
        "doppler_vein": "present",
    }  # fmt: skip
    return signs | ({"prick": "bright"} if int(hours) % 4 == 0 else {})


def _bowel(_ago: float, _hours: float, noise: random.Random) -> Signs:
    """A monitor loop of jejunum brought out at the neck."""
    drain = round(max(2.0, noise.gauss(8, 2)))
    return {
        "colour": "matches", "doppler_artery": "strong", "doppler_vein": "present",
        "turgor": "soft", "drain_ml_per_h": float(drain),
    }  # fmt: skip


def _second_paddle(ago: float, _hours: float, noise: random.Random) -> Signs:
    """Of two paddles on one pedicle the second turns dusky."""
    return _skin(noise) | ({"colour": "dusky"} if ago < 0.2 else {})


def _rescued(ago: float, _hours: float, noise: random.Random) -> Signs:
    """A haematoma that was seen in time and taken back to theatre."""
    signs = _skin(noise)
    if 20.4 < ago < 20.8:
        signs |= {"swelling": "rapid", "turgor": "tense", "pain": "rising"}
    return signs


def _facts(label: str, name: str, recipient: str, **more: object) -> dict[str, object]:
    given: dict[str, object] = {
        "label": label, "kind": "free", "name": name, "tissue": "skin", "recipient": recipient,
        "buried": False, "skin_type": "II", "monitors": ["handheld"],
        "surgeon": "Miss R. Lindqvist",
        "anastomosis": "End to end, coupler 2.5 mm. Doppler mark: blue suture.",
    }  # fmt: skip
    return given | more


def stays() -> list[Stay]:
    """The twelve flaps."""
    chimeric = "chimeric-alt"
    return [
        Stay("4", "ADEYEMI, Grace", "204118", date(1971, 3, 14), 19.2,
             _facts("L breast DIEP", "DIEP", "breast", side="left", skin_type="V"), _venous,
             looks=(42, 9), taken=3),
        Stay("9", "ADEYEMI, Gloria", "311902", date(1958, 11, 2), 41.3,
             _facts("R thigh ALT", "ALT", "lower_limb", side="right", skin_type="IV"),
             _cold_room, nurse="s-lindberg", looks=(11,)),
        Stay("2", "KOWALCZYK, Jan", "118440", date(1949, 6, 30), 6.4,
             _facts("Fibula, skin paddle", "fibula", "head_neck", tissue="bone_skin"), _unseen),
        Stay("6", "TANAKA, Yuki", "227051", date(1966, 1, 21), 27.4,
             _facts("R forearm to tongue, RFFF", "RFFF", "head_neck", skin_type="III"), _tongue,
             nurse="s-lindberg", looks=(55, 43, 31, 19, 7), taken=38, decided=26,
             verdict={"mode": ReviewMode.BEDSIDE, "decision": Decision.RETURN_TO_THEATRE,
                      "note": "Dusky throughout, slow flow. Theatre and consultant told."},
             shown=("#b9626b", "#d7a48c", "#7d5566")),
        Stay("7", "OYELARAN, Daniel", "402277", date(1988, 9, 9), 11.1,
             _facts("L leg ALT", "ALT", "lower_limb", side="left", skin_type="VI"), _occluded,
             nurse="j-marsh", looks=(8.5,), shown=("#5b3a29", "#6a4431", "#b3a196")),
        Stay("12", "FERREIRA, Ines", "198836", date(1955, 4, 17), 15.6,
             _facts("Pharynx, buried jejunum", "jejunum", "head_neck", tissue="bowel",
                    buried=True, monitors=["implant_artery"]), _buried, nurse="j-marsh"),
        Stay("14", "NOVAK, Petra", "350019", date(1992, 12, 5), 33.2,
             _facts("L index, replant", "digit", "upper_limb", kind="replant", tissue="digit",
                    side="left"), _digit, nurse="j-marsh", looks=(7,)),
        Stay("3", "HOLM, Erik", "277310", date(1979, 7, 27), 50.7,
             _facts("R shin gracilis, grafted", "gracilis", "lower_limb", tissue="muscle",
                    side="right"), _muscle),
        Stay("8", "DUBOIS, Claire", "266004", date(1963, 10, 11), 22.5,
             _facts("Cheek, ALT paddle 1", "ALT", "head_neck", operation_id=chimeric), _well,
             nurse="s-lindberg"),
        Stay("8", "DUBOIS, Claire", "266004", date(1963, 10, 11), 22.5,
             _facts("Neck, ALT paddle 2", "ALT", "head_neck", operation_id=chimeric),
             _second_paddle, nurse="s-lindberg", looks=(10,), decided=2,
             verdict={"mode": ReviewMode.PHOTO, "decision": Decision.BEDSIDE_ACTION,
                      "actions": (BedsideAction.LOOSEN, BedsideAction.REPOSITION),
                      "recheck_minutes": 20}),
        Stay("10", "BERGSTROM, Lena", "145592", date(1974, 2, 8), 30.8,
             _facts("R breast DIEP", "DIEP", "breast", side="right"), _rescued,
             looks=(20.6 * 60,),
             returned={"decided": 20.4, "theatre": 19.6, "perfused": 18.1, "back": 17.0}),
        Stay("5", "MARINO, Paolo", "309471", date(1951, 8, 19), 62.3,
             _facts("Neck, jejunum, monitor loop", "jejunum", "head_neck", tissue="bowel"),
             _bowel, holds=((0.3, HoldReason.IMAGING),)),
    ]  # fmt: skip


Step = tuple[datetime, Callable[[], object]]


def load(
    record: Record, protocols: Mapping[str, Protocol], *, ward: str, now: datetime,
    zone: tzinfo = UTC,
) -> int:  # fmt: skip
    """Fill an empty record with the demo ward as of ``now``; returns the number of flaps.
    ``zone`` is the ward's clock, by which its rota changes.

    Raises RecordNotEmpty rather than mix fictional people with a ward's patients.
    """
    with record.read() as conn:
        if not queries.is_empty(conn):
            raise RecordNotEmpty("The record is not empty: the demo ward is only for a new one.")
    with record.write() as conn:
        for name, role in STAFF:
            people.add_staff(conn, name, role, ward)
        if not paging.channels(conn):
            demo = Channel("demo", ChannelKind.DEMO, None, True, now)
            paging.write_channels(conn, now, [demo])
    _put_on_call(record, ward, now, zone)
    steps: list[Step] = []
    for number, stay in enumerate(stays()):
        steps += _steps(record, protocols, stay, number, ward, now)
    for _, step in sorted(steps, key=lambda s: s[0]):
        step()
    return len(stays())


def _put_on_call(record: Record, ward: str, now: datetime, zone: tzinfo) -> None:
    """Day and night rows, round the clock, from before the first story to a week ahead."""
    first = (now - BACK).astimezone(zone).date()
    days = (first + timedelta(days=n) for n in range((BACK + AHEAD).days + 2))
    changes = [datetime.combine(day, at, zone).astimezone(UTC) for day in days for at in CHANGES]
    rows = list(pairwise(changes))
    current = next(n for n, (begins, ends) in enumerate(rows) if begins <= now < ends)
    for number, (begins, ends) in enumerate(rows):
        for level, turns in ROTA:
            care.enter_shift(
                record, ward=ward, level=level, staff_id=turns[(number - current) % 2],
                from_at=begins, until_at=ends, by="p-mensah", now=changes[0],
            )  # fmt: skip


def _steps(
    record: Record, protocols: Mapping[str, Protocol], stay: Stay, number: int, ward: str,
    now: datetime,
) -> Iterator[Step]:  # fmt: skip
    """What happened to one flap, each step at its time."""
    perfused = now - timedelta(hours=stay.hours)
    arrived = perfused + timedelta(hours=stay.arrived_after)
    facts = FlapFacts.model_validate(
        dict(stay.facts) | {"perfused_at": perfused, "monitoring_from": arrived}
    )
    patient = Patient(mrn=stay.mrn, name=stay.name, born_on=stay.born_on, ward=ward, bed=stay.bed)
    flap_id = str(uuid5(NAMESPACE_URL, f"demo/{number}/{now.isoformat()}"))

    def admit() -> None:
        care.admit_flap(
            record, protocols, patient=patient, facts=facts, by="p-mensah", now=arrived,
            flap_id=flap_id,
        )  # fmt: skip

    yield arrived, admit
    yield from _returns(record, protocols, stay, flap_id, now)
    for ago, reason in stay.holds:
        at = now - timedelta(hours=ago)
        yield at, partial(
            care.hold_flap, record, protocols, flap_id=flap_id, reason=reason, by=stay.nurse,
            now=at,
        )  # fmt: skip
    yield from _answers(record, protocols, stay, flap_id, now)
    yield from _checks(record, protocols, stay, flap_id, facts, number, now)


def _returns(
    record: Record, protocols: Mapping[str, Protocol], stay: Stay, flap_id: str, now: datetime
) -> Iterator[Step]:
    if not stay.returned:
        return
    when = {name: now - timedelta(hours=ago) for name, ago in stay.returned.items()}
    decided = Return(decided_at=when["decided"], into_theatre_at=when["theatre"])
    back = Return(
        decided_at=when["decided"],
        into_theatre_at=when["theatre"],
        perfused_again_at=when["perfused"],
        back_at=when["back"],
        finding=ReturnFinding.HAEMATOMA,
        salvaged=True,
    )
    for at, value in ((when["theatre"], decided), (when["back"], back)):
        yield (
            at,
            partial(
                care.record_return, record, protocols, flap_id=flap_id, value=value,
                by="dr-m-osei", now=at,
            ),
        )  # fmt: skip
    yield when["decided"], partial(_acknowledge, record, flap_id, when["decided"])
    yield when["back"], partial(_close, record, flap_id, when["back"])


def _acknowledge(record: Record, flap_id: str, at: datetime) -> None:
    """The registrar reads the messages about the flap, takes its alerts and is there in ten
    minutes."""
    for alert in _read(record, flap_id, at):
        care.acknowledge_alert(
            record, alert_id=alert.id, by="dr-m-osei", intent=Intent.COMING,
            expected_at=at + timedelta(minutes=10), now=at,
        )  # fmt: skip


def _read(record: Record, flap_id: str, at: datetime) -> list[episodes.StoredAlert]:
    """The registrar opens the messages about the flap; returns its alerts."""
    with record.read() as conn:
        running = episodes.open_alerts(conn, flap_id)
        told = paging.pages_of(conn, [a.id for a in running])
    for page in (p for pages in told.values() for p in pages if p.staff_id == "dr-m-osei"):
        care.read_page(record, key=page.key, now=at - timedelta(seconds=40))
    return running


def _deliver(record: Record, at: datetime) -> None:
    """What was written for the demonstration's channel in its past counts as delivered then."""
    with record.write() as conn:
        while parcel := outbox.claim(
            conn, "demo", token="demo", now=at, bundle=timedelta(0), most=20
        ):
            outbox.mark_sent(conn, parcel, TOLD, at)


def _close(record: Record, flap_id: str, at: datetime) -> None:
    """What theatre found ends the flap's alerts."""
    with record.read() as conn:
        running = episodes.open_alerts(conn, flap_id)
    for alert in running:
        care.close_alert(
            record, alert_id=alert.id, by="dr-m-osei", reason=CloseReason.HAEMATOMA, now=at
        )


def _checks(
    record: Record, protocols: Mapping[str, Protocol], stay: Stay, flap_id: str,
    facts: FlapFacts, number: int, now: datetime,
) -> Iterator[Step]:  # fmt: skip
    """A check near each slot, as hands and other patients allow, and the looks in between."""
    noise = random.Random(number)
    near = [
        at + timedelta(minutes=noise.uniform(-3, 6))
        for at in _asked(stay, flap_id, facts, propose(protocols, facts), now)
    ]
    held = min((now - timedelta(hours=ago) for ago, _ in stay.holds), default=now)
    looks = [now - timedelta(minutes=ago) for ago in stay.looks]
    every = sorted([*(at for at in near if at < held), *looks])
    for seen in every:
        yield from _check(record, protocols, stay, flap_id, facts, seen, noise, now)
    if stay.shown is not None:
        skin, first, last = stay.shown
        for seen, colour in ((every[0], first), (every[-1], last)):
            yield now, partial(_photo, record, stay, flap_id, seen, photos.synthetic(skin, colour))


def _asked(
    stay: Stay, flap_id: str, facts: FlapFacts, protocol: Protocol, now: datetime
) -> list[datetime]:
    """When the protocol asked for a check; of a stay with a return, before and after it."""
    flap = Flap(flap_id, facts, protocol.key)
    if not stay.returned:
        return [s.at for s in slots(flap, protocol, now)]
    back = now - timedelta(hours=stay.returned["back"])
    theatre = now - timedelta(hours=stay.returned["theatre"])
    after = Flap(flap_id, facts, protocol.key, returns=(Return(decided_at=back, back_at=back),))
    first = [s.at for s in slots(flap, protocol, theatre)]
    return [*first, *(s.at for s in slots(after, protocol, now))]


def _check(
    record: Record, protocols: Mapping[str, Protocol], stay: Stay, flap_id: str,
    facts: FlapFacts, seen: datetime, noise: random.Random, now: datetime,
) -> Iterator[Step]:  # fmt: skip
    ago = (now - seen) / timedelta(hours=1)
    hours = (seen - facts.monitoring_from) / timedelta(hours=1)
    signs = stay.story(ago, hours, noise)
    if signs is None:
        return
    key = _key(flap_id, seen)
    recorded = min(now, seen + timedelta(minutes=noise.uniform(1, 4)))

    def save() -> None:
        check = Check.parse(
            {"observed_at": seen, **signs}, flap_id=flap_id, by=stay.nurse, key=key,
            recorded_at=recorded,
        )  # fmt: skip
        saved = care.record_check(record, protocols, check, now=recorded, confirmed=care.ALL)
        if saved.alerts:
            _deliver(record, recorded + timedelta(seconds=1))

    yield recorded, save


def _key(flap_id: str, seen: datetime) -> UUID:
    return uuid5(NAMESPACE_URL, f"{flap_id}/{seen.isoformat()}")


def _photo(record: Record, stay: Stay, flap_id: str, seen: datetime, picture: bytes) -> None:
    """A picture beside the check of that time."""
    care.add_photo(
        record, key=uuid5(NAMESPACE_URL, f"{flap_id}/photo/{seen.isoformat()}"), flap_id=flap_id,
        check_key=_key(flap_id, seen), by=stay.nurse, taken_at=seen, data=picture,
        name="synthetic.png", now=seen + timedelta(minutes=5), light="white light",
        distance="30 cm", note="Synthetic picture: no patient.",
    )  # fmt: skip


def _answers(
    record: Record, protocols: Mapping[str, Protocol], stay: Stay, flap_id: str, now: datetime
) -> Iterator[Step]:
    """What the registrar did about the flap's alert: took it, and decided."""
    if stay.taken is not None:
        at = now - timedelta(minutes=stay.taken)
        yield at, partial(_acknowledge, record, flap_id, at)
    if stay.verdict:
        at = now - timedelta(minutes=stay.decided)
        yield at, partial(_decide, record, protocols, flap_id, at, stay.verdict)


def _decide(
    record: Record, protocols: Mapping[str, Protocol], flap_id: str, at: datetime,
    verdict: Mapping[str, Any],
) -> None:  # fmt: skip
    """The registrar's verdict; a return to theatre is read back at once by the flap's nurse."""
    alert = _read(record, flap_id, at)[0]
    said: dict[str, Any] = {
        "key": uuid5(NAMESPACE_URL, f"{flap_id}/review"), "flap_id": flap_id,
        "alert_id": alert.id, "by": "dr-m-osei", "recorded_by": "dr-m-osei", "reviewed_at": at,
        "recorded_at": at,
    }  # fmt: skip
    made = care.record_review(record, protocols, Review(**said, **verdict), now=at).review
    if made.decision is Decision.RETURN_TO_THEATRE:
        care.confirm_read_back(record, key=made.key, by="s-lindberg", now=at + timedelta(minutes=1))
