"""A shift handed over: given by one person and accepted by another, on what both have just read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection

from monitoring import episodes, handovers, queries, store
from monitoring.care.bedside import known_person
from monitoring.conditions import lasting
from monitoring.domain import NURSES, SURGEONS, Refused
from monitoring.episodes import StoredAlert
from monitoring.handovers import Handover, Stood, StoodAlert
from monitoring.people import Staff

READ_WITHIN = timedelta(minutes=5)
"""How long ago the ward may have been read when it is accepted. A local choice."""

NOTE_LENGTH = 1000


def hand_over(
    record: store.Record, *, stood: Stood, given_by: str, accepted_by: str, now: datetime,
    note: str = "",
) -> Handover:  # fmt: skip
    """One person hands the ward over and another accepts it, as both read it in ``stood``.

    Pressed twice, the first stands. Raises Refused for one person alone, for a role that has no
    shift to hand over, for what was read more than 5 min ago, and when an alert was raised, became
    worse or asks for an answer again since: the sentence names it. Raises UnknownPerson.
    """
    with record.write() as conn:
        giver, taker = known_person(conn, given_by), known_person(conn, accepted_by)
        _two_of_the_ward(giver, taker)
        known = _same(conn, stood, given_by, accepted_by)
        if known is not None:
            return known
        _just_read(stood, now)
        changed = list(_changed(conn, stood))
        if changed:
            raise Refused(
                f"Since you read it: {'; '.join(changed)}. Read it again, then accept it."
            )
        handovers.insert_handover(
            conn, stood, given_by=given_by, accepted_by=accepted_by, note=_note(note), at=now
        )
    with record.read() as conn:
        return handovers.last_handovers(conn, stood.ward, 1)[0]


def _two_of_the_ward(giver: Staff, taker: Staff) -> None:
    if giver.id == taker.id:
        raise Refused("A shift is handed over to somebody else: two people, two names.")
    for person in (giver, taker):
        if person.role not in NURSES | SURGEONS:
            raise Refused(
                f"{person.name} ({person.role.replace('_', ' ')}) has no shift to hand over: "
                "nurses and surgeons do."
            )


def _same(conn: Connection, stood: Stood, given_by: str, accepted_by: str) -> Handover | None:
    """The same handover, if it was written already."""
    wanted = (given_by, accepted_by, stood.shown_at)
    return next(
        (
            h for h in handovers.last_handovers(conn, stood.ward)
            if (h.given_by, h.accepted_by, h.stood.shown_at) == wanted
        ),
        None,
    )  # fmt: skip


def _just_read(stood: Stood, now: datetime) -> None:
    age = now - stood.shown_at
    if age > READ_WITHIN:
        raise Refused(f"You read this {lasting(age)} ago: read it again, then accept it.")
    if age < -READ_WITHIN:
        raise Refused("You read this in the future: look at the clock, then read it again.")


def _changed(conn: Connection, stood: Stood) -> Iterator[str]:
    """What the ward's alerts did since, the worst first."""
    running = episodes.every_open_alert(conn).alerts
    whose = queries.whose(conn, {a.flap_id for a in running})
    before = {a.id: a for a in stood.alerts}
    for alert in sorted(running, key=lambda a: (-a.severity.rank, a.id)):
        owner = whose.get(alert.flap_id)
        if owner is None or owner.ward != stood.ward:
            continue
        did = _did(alert, before.get(alert.id))
        if did:
            yield f"bed {owner.bed}, {owner.label}: {did}"


def _did(alert: StoredAlert, before: StoodAlert | None) -> str:
    word = f"{alert.severity.upper()} alert"
    if before is None:
        return f"{word} raised"
    if alert.severity.rank > before.severity.rank:
        return f"the {before.severity} alert became {alert.severity.upper()}"
    return f"{word} asks for an answer again" if alert.pages > before.pages else ""


def _note(note: str) -> str | None:
    said = note.strip()
    if "\0" in said:
        raise Refused("The note holds a character that no record can keep.")
    if len(said) > NOTE_LENGTH:
        raise Refused(f"A note has at most {NOTE_LENGTH} letters.")
    return said or None
