"""The ward a newcomer meets: twelve fictional flaps at different hours, every state on show.

Everything goes through the same verbs as the bedside, in the order it would have happened, so
the demo is also a rehearsal of the product. The people do not exist.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from monitoring import care, episodes, people, queries
from monitoring.domain import (
    Check, Flap, FlapFacts, HoldReason, Intent, MonitoringError, Patient, Pattern, Return,
    ReturnFinding, Role, Severity,
)  # fmt: skip
from monitoring.protocol import Protocol, propose
from monitoring.schedule import slots
from monitoring.store import Record

Signs = dict[str, object]
Story = Callable[[float, float, random.Random], Signs | None]
"""(hours before now, hours since the slots began, noise) to a check's signs; None if missed."""

STAFF = [
    ("N. Okafor", Role.NURSE), ("S. Lindberg", Role.NURSE), ("J. Marsh", Role.NURSE),
    ("P. Mensah", Role.CHARGE_NURSE), ("Dr M. Osei", Role.REGISTRAR),
    ("Miss R. Lindqvist", Role.CONSULTANT),
]  # fmt: skip


class RecordNotEmpty(MonitoringError):
    """The demo ward is only loaded into an empty record: it never mixes with patients."""


@dataclass(frozen=True)
class Stay:
    """One fictional flap: who, what, how long ago it was perfused, and its story."""

    bed: str
    name: str
    mrn: str
    born_on: date
    hours: float
    facts: Mapping[str, object]
    story: Story
    nurse: str = "n-okafor"
    arrived_after: float = 0.75
    holds: tuple[tuple[float, HoldReason], ...] = ()
    returned: Mapping[str, float] = field(default_factory=dict)


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
    if ago > 0.6:
        return _skin(noise)
    context: Signs = {"core_temp_c": 35.6, "warming": "just_removed"}
    return _skin(noise, gap=2.1) | context


def _unseen(ago: float, _hours: float, noise: random.Random) -> Signs | None:
    return None if ago < 1.2 else _skin(noise)


def _tongue(_ago: float, _hours: float, noise: random.Random) -> Signs:
    return _skin(noise, vein=False) | {"doppler_vein": {"unable": "equipment"}}


def _occluded(ago: float, _hours: float, noise: random.Random) -> Signs:
    """An arterial occlusion that the check of this minute shows."""
    if ago > 0.15:
        return _skin(noise)
    return _skin(noise, gap=3.1) | {
        "colour": "white", "refill": "absent", "doppler_artery": "absent", "turgor": "flaccid",
        "doppler_vein": "absent",
    }  # fmt: skip


def _buried(_ago: float, _hours: float, noise: random.Random) -> Signs:
    drain = round(max(5.0, noise.gauss(18, 4)))
    return {"implant_signal": "present", "swelling": "none", "drain_ml_per_h": float(drain)}


def _digit(ago: float, _hours: float, noise: random.Random) -> Signs:
    signs: Signs = {
        "colour": "matches" if ago > 0.9 else "pale",
        "refill": round(min(2.8, max(1.2, noise.gauss(1.8, 0.2))), 1),
        "flap_temp_c": round(32.8 + noise.gauss(0, 0.2), 1),
        "control_temp_c": round(33.2 + noise.gauss(0, 0.1), 1),
        "turgor": "soft",
    }
    return signs | {"doppler_artery": "strong"}


def _muscle(_ago: float, _hours: float, _noise: random.Random) -> Signs:
    return {
        "colour": "matches", "turgor": "soft", "prick": "bright", "doppler_artery": "strong",
        "doppler_vein": "present",
    }  # fmt: skip


def _bowel(_ago: float, _hours: float, noise: random.Random) -> Signs:
    drain = round(max(0.0, noise.gauss(8, 3)))
    return {
        "colour": "matches", "doppler_artery": "strong", "drain_ml_per_h": float(drain),
        "turgor": "soft", "prick": "bright",
    }  # fmt: skip


def _second_paddle(ago: float, _hours: float, noise: random.Random) -> Signs:
    return _skin(noise) | ({"colour": "dusky"} if ago < 0.8 else {})


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
             _facts("L breast DIEP", "DIEP", "breast", side="left", skin_type="V"), _venous),
        Stay("9", "ADEYEMI, Gloria", "311902", date(1958, 11, 2), 41.3,
             _facts("R thigh ALT", "ALT", "lower_limb", side="right", skin_type="IV"),
             _cold_room, nurse="s-lindberg"),
        Stay("2", "KOWALCZYK, Jan", "118440", date(1949, 6, 30), 6.4,
             _facts("Fibula, skin paddle", "fibula", "head_neck", tissue="bone_skin"), _unseen),
        Stay("6", "TANAKA, Yuki", "227051", date(1966, 1, 21), 27.4,
             _facts("R forearm to tongue, RFFF", "RFFF", "head_neck", skin_type="III"), _tongue,
             nurse="s-lindberg"),
        Stay("7", "OYELARAN, Daniel", "402277", date(1988, 9, 9), 11.1,
             _facts("L leg ALT", "ALT", "lower_limb", side="left", skin_type="VI"), _occluded,
             nurse="j-marsh"),
        Stay("12", "FERREIRA, Ines", "198836", date(1955, 4, 17), 15.6,
             _facts("Pharynx, buried jejunum", "jejunum", "head_neck", tissue="bowel",
                    buried=True, monitors=["implant_artery"]), _buried, nurse="j-marsh"),
        Stay("14", "NOVAK, Petra", "350019", date(1992, 12, 5), 33.2,
             _facts("L index, replant", "digit", "upper_limb", kind="replant", tissue="digit",
                    side="left"), _digit, nurse="j-marsh"),
        Stay("3", "HOLM, Erik", "277310", date(1979, 7, 27), 50.7,
             _facts("R shin gracilis, grafted", "gracilis", "lower_limb", tissue="muscle",
                    side="right"), _muscle),
        Stay("8", "DUBOIS, Claire", "266004", date(1963, 10, 11), 22.5,
             _facts("Cheek, ALT paddle 1", "ALT", "head_neck", operation_id=chimeric), _well,
             nurse="s-lindberg"),
        Stay("8", "DUBOIS, Claire", "266004", date(1963, 10, 11), 22.5,
             _facts("Neck, ALT paddle 2", "ALT", "head_neck", operation_id=chimeric),
             _second_paddle, nurse="s-lindberg"),
        Stay("10", "BERGSTROM, Lena", "145592", date(1974, 2, 8), 30.8,
             _facts("R breast DIEP", "DIEP", "breast", side="right"), _well,
             returned={"decided": 20.4, "theatre": 19.6, "perfused": 18.1, "back": 17.0}),
        Stay("5", "MARINO, Paolo", "309471", date(1951, 8, 19), 62.3,
             _facts("Neck, jejunum, monitor loop", "jejunum", "head_neck", tissue="bowel"),
             _bowel, holds=((0.3, HoldReason.IMAGING),)),
    ]  # fmt: skip


Step = tuple[datetime, Callable[[], object]]


def load(record: Record, protocols: Mapping[str, Protocol], *, ward: str, now: datetime) -> int:
    """Fill an empty record with the demo ward as of ``now``; returns the number of flaps.

    Raises RecordNotEmpty rather than mix fictional people with a ward's patients.
    """
    with record.read() as conn:
        if not queries.is_empty(conn):
            raise RecordNotEmpty("The record is not empty: the demo ward is only for a new one.")
    with record.write() as conn:
        for name, role in STAFF:
            people.add_staff(conn, name, role, ward)
    steps: list[Step] = []
    for number, stay in enumerate(stays()):
        steps += _steps(record, protocols, stay, number, ward, now)
    for _, step in sorted(steps, key=lambda s: s[0]):
        step()
    _answer(record, now)
    return len(stays())


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
        yield at, partial(
            care.record_return, record, protocols, flap_id=flap_id, value=value, by="dr-m-osei",
            now=at,
        )  # fmt: skip


def _checks(
    record: Record, protocols: Mapping[str, Protocol], stay: Stay, flap_id: str,
    facts: FlapFacts, number: int, now: datetime,
) -> Iterator[Step]:  # fmt: skip
    noise = random.Random(number)
    protocol = propose(protocols, facts)
    returns: tuple[Return, ...] = ()
    if stay.returned:
        back = now - timedelta(hours=stay.returned["back"])
        returns = (Return(decided_at=back, back_at=back),)
    flap = Flap(flap_id, facts, protocol.key, returns=returns)
    before = Flap(flap_id, facts, protocol.key)
    asked = [s.at for s in slots(flap, protocol, now)]
    if stay.returned:
        theatre = now - timedelta(hours=stay.returned["theatre"])
        asked += [s.at for s in slots(before, protocol, theatre)]
    held = min((now - timedelta(hours=ago) for ago, _ in stay.holds), default=now)
    for at in sorted(asked):
        seen = at + timedelta(minutes=noise.uniform(-3, 6))
        if seen >= min(now, held):
            continue
        yield from _check(record, protocols, stay, flap_id, facts, seen, noise, now)
    if stay.story is _occluded:
        just = now - timedelta(minutes=2)
        yield from _check(record, protocols, stay, flap_id, facts, just, noise, now)
    if stay.story is _venous:
        for minutes in (42, 9):
            at = now - timedelta(minutes=minutes)
            yield from _check(record, protocols, stay, flap_id, facts, at, noise, now)


def _check(
    record: Record, protocols: Mapping[str, Protocol], stay: Stay, flap_id: str,
    facts: FlapFacts, seen: datetime, noise: random.Random, now: datetime,
) -> Iterator[Step]:  # fmt: skip
    ago = (now - seen) / timedelta(hours=1)
    hours = (seen - facts.monitoring_from) / timedelta(hours=1)
    signs = stay.story(ago, hours, noise)
    if signs is None:
        return
    key: UUID = uuid5(NAMESPACE_URL, f"{flap_id}/{seen.isoformat()}")
    recorded = min(now, seen + timedelta(minutes=noise.uniform(1, 4)))

    def save() -> None:
        check = Check.parse(
            {"observed_at": seen, **signs}, flap_id=flap_id, by=stay.nurse, key=key,
            recorded_at=recorded,
        )  # fmt: skip
        care.record_check(record, protocols, check, now=recorded, confirmed=care.ALL)

    yield recorded, save


def _answer(record: Record, now: datetime) -> None:
    """The registrar has the venous flap; nobody has the others yet."""
    with record.read() as conn:
        running = episodes.open_alerts(conn)
    for alert in running:
        if alert.pattern is Pattern.VENOUS and alert.severity is Severity.RED:
            care.acknowledge_alert(
                record, alert_id=alert.id, by="dr-m-osei", intent=Intent.COMING,
                expected_at=now + timedelta(minutes=8), now=now - timedelta(minutes=3),
            )  # fmt: skip
