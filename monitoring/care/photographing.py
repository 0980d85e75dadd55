"""Putting a photo beside a check, and striking one: decoded before the record is held."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from monitoring import checks, photos, pictures, queries, store
from monitoring.care.bedside import known_person, not_ahead, with_reason
from monitoring.care.recording import OtherBody
from monitoring.domain import Refused
from monitoring.pictures import StoredPhoto

MOST_OF_A_CHECK = 12
"""How many photos that stand one check may have."""

MOST_OF_A_FLAP = 200
"""How many photos, struck ones too, the record keeps of one flap: about 300 MB."""

LIGHTS = ("daylight", "white light", "warm light", "poor light")
"""What a photo was taken in, as far as somebody said."""

DISTANCES = ("30 cm", "closer", "further away")
"""From how far a photo was taken, as far as somebody said."""

NOTE_LENGTH = 300


def add_photo(
    record: store.Record, *, key: UUID, flap_id: str, check_key: UUID | None, by: str,
    taken_at: datetime, data: bytes, name: str, now: datetime, light: str | None = None,
    distance: str | None = None, note: str | None = None,
) -> StoredPhoto:  # fmt: skip
    """Keep a photo of a flap, beside one of its checks or by itself; returns what is kept.

    ``data`` is a file called ``name`` as it was uploaded; what is kept of it is written anew. The
    same key with the same content returns the first photo. Raises BadPhoto, OtherBody, Refused
    (unknown, struck or foreign check, impossible time, no room), UnknownPerson, UnknownFlap.
    """
    developed = photos.develop(data, name)
    wanted = StoredPhoto(
        key=key, flap_id=flap_id, check_key=check_key, taken_at=taken_at, recorded_at=now, by=by,
        width=developed.width, height=developed.height, sha256=developed.sha256,
        light=_one_of(light, LIGHTS), distance=_one_of(distance, DISTANCES), note=_note(note),
    )  # fmt: skip
    try:
        with record.write() as conn:
            store.lock_flap(conn, flap_id)
            known = pictures.find_photo(conn, key)
            if known is not None:
                return _same_or_refuse(known, wanted)
            _may_be_added(conn, wanted, now)
            pictures.insert_photo(conn, wanted, picture=developed.picture, small=developed.small)
    except IntegrityError as error:  # two flaps at once under one key: the second finds it taken
        if not store.broke(error, "photo", "key"):
            raise
        raise _other() from None
    return _read_back(record, key)


def _one_of(said: str | None, words: tuple[str, ...]) -> str | None:
    if said is not None and said not in words:
        raise Refused(f"{said!r} is none of {', '.join(words)}.")
    return said


def _note(note: str | None) -> str | None:
    said = (note or "").strip()
    if len(said) > NOTE_LENGTH:
        raise Refused(f"The note of a photo has at most {NOTE_LENGTH} letters.")
    return said or None


def _same_or_refuse(known: StoredPhoto, wanted: StoredPhoto) -> StoredPhoto:
    """A save tried again may claim "now" anew; everything else must be as it was."""
    kept = wanted._replace(taken_at=known.taken_at, recorded_at=known.recorded_at)
    if known[: -len(_STRUCK)] != kept[: -len(_STRUCK)]:
        raise _other()
    return known


_STRUCK = ("struck_by", "struck_at", "struck_reason")


def _other() -> OtherBody:
    return OtherBody(
        "This photo was saved already, with other content. What was saved stands: strike it if "
        "it is wrong, and add the photo again."
    )


def _may_be_added(conn: Connection, wanted: StoredPhoto, now: datetime) -> None:
    found = queries.load_flap(conn, wanted.flap_id)
    known_person(conn, wanted.by)
    not_ahead("The time of this photo", wanted.taken_at, now)
    if wanted.taken_at < found.flap.facts.perfused_at:
        raise Refused("This photo was taken before the flap was perfused: look at the time.")
    if found.flap.ended_at is not None and wanted.taken_at > found.flap.ended_at:
        label = found.flap.facts.label
        raise Refused(f"Monitoring of {label} has ended: only earlier photos are added.")
    if wanted.check_key is not None:
        _of_this_flap(conn, wanted.check_key, wanted.flap_id)
    _room(pictures.photos_of_flap(conn, wanted.flap_id), wanted.check_key)


def _of_this_flap(conn: Connection, check_key: UUID, flap_id: str) -> None:
    check = checks.find_check(conn, check_key)
    if check is None:
        raise Refused("The check of this photo is not in the record: save the check first.")
    if check.check.flap_id != flap_id:
        raise Refused("That check is of another flap: add the photo where it was taken.")
    if check.struck_at is not None:
        raise Refused("That check was struck through: add the photo to a check that stands.")


def _room(there: list[StoredPhoto], check_key: UUID | None) -> None:
    if len(there) >= MOST_OF_A_FLAP:
        raise Refused(
            f"This flap has {MOST_OF_A_FLAP} photos, which is all the record keeps of one: "
            "write down what you see."
        )
    beside = [p for p in there if p.check_key == check_key and p.struck_at is None]
    if check_key is not None and len(beside) >= MOST_OF_A_CHECK:
        raise Refused(
            f"This check has {MOST_OF_A_CHECK} photos, which is all one may have: strike one "
            "that is not needed, or make another check."
        )


def _read_back(record: store.Record, key: UUID) -> StoredPhoto:
    with record.read() as conn:
        found = pictures.find_photo(conn, key)
    assert found is not None
    return found


def strike_photo(
    record: store.Record, *, key: UUID, by: str, reason: str, now: datetime
) -> StoredPhoto:
    """Strike a photo through, with a reason: it stays in the record and is no longer shown.

    Raises Refused for no reason, an unknown photo, and one that is struck already.
    """
    why = with_reason(reason)
    with record.write() as conn:
        known = pictures.find_photo(conn, key)
        if known is not None:
            store.lock_flap(conn, known.flap_id)
            known = pictures.find_photo(conn, key)
        if known is None:
            raise Refused("This photo is not in the record.")
        known_person(conn, by)
        if known.struck_at is not None:
            raise Refused("This photo was struck through already.")
        pictures.strike(conn, key, by=by, at=now, reason=why)
    return _read_back(record, key)
