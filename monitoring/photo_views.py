"""Photos in the words of their pages: which, by whom, with which check, and what to hold them
against."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from monitoring import people, pictures, store
from monitoring.clocks import clock
from monitoring.components.photo_shapes import BesideView, PhotosData, PhotoView
from monitoring.pictures import CheckLink, StoredPhoto

FIRST = 12
"""How many photos a strip shows before earlier ones are asked for."""

HINT = "Daylight or white light, no flash; 30 cm away; skin dry, Doppler mark in view."
"""How to take a photo that can be held against another."""


@dataclass(frozen=True, slots=True)
class Album:
    """A flap's photos, and how the checks they were taken with stand to each other."""

    label: str
    photos: list[StoredPhoto]
    links: Mapping[UUID, CheckLink]
    baseline_key: UUID | None
    names: Mapping[str, str]

    def check_of(self, photo: StoredPhoto) -> CheckLink | None:
        """The newest version of the check the photo was taken with."""
        link = None if photo.check_key is None else self.links.get(photo.check_key)
        return None if link is None else self.newest(link)

    def newest(self, link: CheckLink) -> CheckLink:
        """The version that stands last in the place of this one."""
        while link.replaced_by_key is not None:
            link = self.links[link.replaced_by_key]
        return link

    def stands(self, photo: StoredPhoto) -> bool:
        """Whether neither the photo nor its check was struck."""
        check = self.check_of(photo)
        return photo.struck_at is None and (check is None or check.struck_at is None)

    @property
    def latest(self) -> StoredPhoto | None:
        """The photo that was taken last, of those that stand."""
        return next((p for p in reversed(self.photos) if self.stands(p)), None)

    @property
    def baseline(self) -> tuple[StoredPhoto, str] | None:
        """The photo to hold others against, and what it is: the newest of the baseline check, in
        whichever version; else the newest of the first check that has one."""
        by_check: dict[UUID, tuple[datetime, StoredPhoto]] = {}
        for photo in self.photos:
            check = self.check_of(photo)
            if check is not None and self.stands(photo):
                by_check[check.key] = check.observed_at, photo
        link = None if self.baseline_key is None else self.links.get(self.baseline_key)
        if link is not None and (key := self.newest(link).key) in by_check:
            return by_check[key][1], "Baseline photo"
        if not by_check:
            return None
        return min(by_check.values(), key=lambda found: found[0])[1], "First photo"


def albums(conn: Connection, labels: Mapping[str, str]) -> dict[str, Album]:
    """The photos of these flaps (labels by id), in four statements and without a picture."""
    taken = pictures.photos_of_flaps(conn, labels)
    links: dict[str, dict[UUID, CheckLink]] = {flap_id: {} for flap_id in labels}
    for key, link in pictures.links_of(conn, taken).items():
        links[link.flap_id][key] = link
    baselines = pictures.baseline_keys(conn, taken)
    names = {s.id: s.name for s in people.list_staff(conn, and_those_who_left=True)}
    return {
        flap_id: Album(label, taken.get(flap_id, []), links[flap_id], baselines.get(flap_id), names)
        for flap_id, label in labels.items()
    }


def besides(
    record: store.Record, labels: Mapping[str, str], *, now: datetime, zone: ZoneInfo
) -> dict[str, BesideView]:
    """The newest photo of each flap (labels by id) and its baseline, small; for the alerts. Five
    statements however many flaps there are."""
    with record.read() as conn:
        found = albums(conn, labels)
        chosen = {flap_id: _pair(album) for flap_id, album in found.items()}
        small = pictures.small_of(conn, [p.key for pair in chosen.values() for p in pair if p])
    made: dict[str, BesideView] = {}
    for flap_id, (latest, baseline) in chosen.items():
        album = found[flap_id]
        made[flap_id] = BesideView(
            latest=latest and _view(latest, album, small, now, zone),
            baseline=baseline and _view(baseline, album, small, now, zone),
            baseline_word="" if album.baseline is None else album.baseline[1],
        )
    return made


def beside(
    record: store.Record, flap_id: str, label: str, *, now: datetime, zone: ZoneInfo
) -> BesideView:
    """As ``besides``, for one flap."""
    return besides(record, {flap_id: label}, now=now, zone=zone)[flap_id]


def _pair(album: Album) -> tuple[StoredPhoto | None, StoredPhoto | None]:
    latest = album.latest
    baseline = None if album.baseline is None else album.baseline[0]
    return latest, None if baseline == latest else baseline


def strip_data(
    record: store.Record, flap_id: str, label: str, *, now: datetime, zone: ZoneInfo,
    opened: str | None = None, most: int = FIRST, check_key: UUID | None = None,
    whose: str = "", title: str = "", empty: str = "", may_strike: bool = False,
) -> PhotosData:  # fmt: skip
    """A flap's photos newest first, at most ``most``; with ``check_key`` only those of that check
    in whichever version, the baseline photo last.

    ``opened`` is the key of the photo whose large picture, and its baseline's, are sent along.
    """
    with record.read() as conn:
        album = albums(conn, {flap_id: label})[flap_id]
        wanted = album.photos if check_key is None else _of_check(album, check_key)
        shown = wanted[::-1][:most]
        base, word = album.baseline or (None, "")
        if check_key is not None and base is not None and base not in shown:
            shown.append(base)
        whole = [p for p in [*shown, *([] if base is None else [base])] if album.stands(p)]
        small = pictures.small_of(conn, [p.key for p in whole])
        large = _large(conn, opened, whole, base)
    return PhotosData(
        title="" if base is None or base in wanted else title,
        whose=whose or label,
        photos=[_view(p, album, small, now, zone) for p in shown],
        beside=None if base is None else _view(base, album, small, now, zone),
        beside_word=word,
        pictures=large,
        earlier=max(0, len(wanted) - most),
        empty=empty,
        may_strike=may_strike,
    )


def _of_check(album: Album, check_key: UUID) -> list[StoredPhoto]:
    link = album.links.get(check_key)
    if link is None:
        return []
    newest = album.newest(link)
    return [p for p in album.photos if album.check_of(p) == newest]


def _large(
    conn: Connection, opened: str | None, known: Iterable[StoredPhoto], base: StoredPhoto | None
) -> dict[str, str]:
    """The large pictures of an opened photo that is shown here, and of the one beside it."""
    chosen = next((p for p in known if str(p.key) == opened), None)
    if chosen is None:
        return {}
    found = {}
    for photo in (chosen, base):
        picture = None if photo is None else pictures.picture_of(conn, photo.key)
        if photo is not None and picture is not None:
            found[str(photo.key)] = data_address(picture)
    return found


def data_address(jpeg: bytes) -> str:
    """A picture as an address that holds it, and that no server answers."""
    return f"data:image/jpeg;base64,{b64encode(jpeg).decode()}"


def _view(
    photo: StoredPhoto, album: Album, small: Mapping[UUID, bytes], now: datetime, zone: ZoneInfo
) -> PhotoView:
    check, time = album.check_of(photo), clock(photo.taken_at, zone, now)
    by = _name(photo.by, album)
    shown = album.stands(photo) and photo.key in small
    return PhotoView(
        key=str(photo.key),
        small=data_address(small[photo.key]) if shown else "",
        alt=f"Photo of {album.label}, {time}, by {by}",
        time=time,
        by=by,
        about=", ".join(filter(None, (photo.light, photo.distance))).replace("30 cm", "30\u00a0cm"),
        of="" if check is None else f"check of {clock(check.observed_at, zone, now)}",
        note=photo.note or "",
        marks=_marks(photo, album),
        struck=_struck(photo, album, now, zone),
    )


def _marks(photo: StoredPhoto, album: Album) -> list[str]:
    marks, check = [], album.check_of(photo)
    if album.baseline is not None and album.baseline[0] == photo:
        marks.append(album.baseline[1])
    if check is not None and check.key != photo.check_key:
        marks.append("with the earlier version")
    return marks


def _struck(photo: StoredPhoto, album: Album, now: datetime, zone: ZoneInfo) -> str:
    if photo.struck_at is None:
        return "" if album.stands(photo) else f"By {_name(photo.by, album)}: check struck through"
    by, at = _name(photo.struck_by or "", album), clock(photo.struck_at, zone, now)
    return f"Photo struck through by {by}, {at}: {photo.struck_reason}"


def _name(staff_id: str, album: Album) -> str:
    return album.names.get(staff_id, staff_id)


def standing(
    record: store.Record, flap_id: str, label: str, *, now: datetime, zone: ZoneInfo
) -> dict[UUID, str]:
    """The photos that may be struck, newest first, in a line each."""
    with record.read() as conn:
        album = albums(conn, {flap_id: label})[flap_id]
    found = {}
    for photo in reversed(album.photos):
        if photo.struck_at is None:
            view = _view(photo, album, {}, now, zone)
            found[photo.key] = " · ".join(filter(None, (view["time"], view["by"], view["of"])))
    return found
