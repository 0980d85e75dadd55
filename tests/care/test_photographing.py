"""A photo beside a check: whose it is, what is refused, and what an amendment leaves of it."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any
from uuid import UUID, uuid4

import pytest
from PIL import Image

from monitoring import care, photos, pictures
from monitoring.care import photographing
from monitoring.domain import Refused
from monitoring.pictures import StoredPhoto
from monitoring.queries import UnknownFlap
from monitoring.store import Record
from tests.bedside import PALE, PROTOCOLS, Bed, admit, at, everything


def jpeg(colour: str = "red", size: tuple[int, int] = (64, 48)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG")
    return out.getvalue()


def add(bed: Bed, minutes: float, check_key: UUID | None = None, **told: Any) -> StoredPhoto:
    """A photo taken and saved at one time."""
    said: dict[str, Any] = {
        "key": uuid4(), "flap_id": bed.id, "check_key": check_key, "by": "ana",
        "taken_at": at(minutes), "data": jpeg(), "name": "a.jpg", "now": at(minutes),
    }  # fmt: skip
    return care.add_photo(bed.record, **(said | told))


def of_flap(bed: Bed) -> list[StoredPhoto]:
    with bed.record.read() as conn:
        return pictures.photos_of_flap(conn, bed.id)


def test_a_photo_is_kept_with_its_check(bed: Bed) -> None:
    """Who took it, when, of which check, in what light and from how far; two pictures of it."""
    check = bed.save(1).check
    photo = add(bed, 2, check.key, light="daylight", distance="30 cm", note="  after cleaning ")
    assert (photo.by, photo.taken_at, photo.recorded_at) == ("ana", at(2), at(2))
    assert (photo.light, photo.distance, photo.note) == ("daylight", "30 cm", "after cleaning")
    with bed.record.read() as conn:
        assert pictures.photos_of_checks(conn, [check.key, uuid4()]) == {check.key: [photo]}
        assert pictures.photos_of_flap(conn, bed.id) == [photo]
        kept = pictures.picture_of(conn, photo.key)
        small = pictures.small_of(conn, [photo.key])[photo.key]
    assert kept == photos.develop(jpeg(), "a.jpg").picture and Image.open(io.BytesIO(small))
    assert (photo.width, photo.height) == (64, 48)


def test_a_photo_needs_no_check(bed: Bed) -> None:
    """What a surgeon photographs between two checks is kept with the flap."""
    assert add(bed, 2).check_key is None
    assert len(of_flap(bed)) == 1


def test_one_photo_sent_twice_is_one_photo(bed: Bed) -> None:
    """A save tried again, a little later, changes nothing and gives the first photo; other
    content under its key is refused."""
    key, check = uuid4(), bed.save(1).check
    other = admit(bed.record, label="R breast DIEP")
    first = add(bed, 2, check.key, key=key)
    before = everything(bed.record)
    assert add(bed, 3, check.key, key=key) == first
    for changed in (
        {"data": jpeg("blue")}, {"by": "ben"}, {"check_key": None}, {"light": "daylight"},
        {"note": "x"}, {"flap_id": other.id, "check_key": None},
    ):  # fmt: skip
        with pytest.raises(care.OtherBody, match="strike it if it is wrong"):
            add(bed, 3, **({"check_key": check.key, "key": key} | changed))
    assert everything(bed.record) == before


def test_a_photo_sent_again_after_it_was_struck_is_not_shown_again(bed: Bed) -> None:
    """A late retry does not undo a striking."""
    key = uuid4()
    add(bed, 2, key=key)
    care.strike_photo(bed.record, key=key, by="ben", reason="blurred", now=at(3))
    assert add(bed, 4, key=key).struck_by == "ben"
    assert [p.struck_reason for p in of_flap(bed)] == ["blurred"]


def test_one_key_for_two_flaps_at_once(bed: Bed) -> None:
    """A photo is being saved for another flap under the same key: whoever comes second is told,
    and the first stands."""
    other, key = admit(bed.record, label="R breast DIEP"), uuid4()
    theirs = StoredPhoto(key, other.id, None, at(2), at(2), "ana", 64, 48, "0" * 64)
    with ThreadPoolExecutor(1) as pool:
        with bed.record.write() as conn:
            pictures.insert_photo(conn, theirs, picture=jpeg(), small=jpeg())
            second = pool.submit(add, bed, 2, key=key)
            assert not wait([second], timeout=0.5).done
        with pytest.raises(care.OtherBody):
            second.result(timeout=20)
    assert of_flap(bed) == [] and of_flap(other) == [theirs]


def test_what_a_photo_may_not_be(bed: Bed) -> None:
    """A strange check, another flap's, a struck one, nobody, a time ahead or before the flap
    lived, unknown words, no photo: nothing is written, and the sentence says what to do."""
    other = admit(bed.record, label="R breast DIEP")
    theirs = other.save(1).check.key
    struck = bed.save(1).check.key
    bed.retract(struck, 2)
    before = everything(bed.record)
    for told, sentence in (
        ({"check_key": uuid4()}, "save the check first"),
        ({"check_key": theirs}, "of another flap"),
        ({"check_key": struck}, "struck through"),
        ({"by": "nobody"}, "Nobody on the staff list"),
        ({"taken_at": at(10)}, "lies 7 min in the future"),
        ({"taken_at": at(-600)}, "before the flap was perfused"),
        ({"light": "candle"}, "is none of"),
        ({"distance": "far"}, "is none of"),
        ({"note": "x" * 301}, "at most 300"),
    ):
        with pytest.raises(Refused, match=sentence):
            add(bed, 3, **told)
    with pytest.raises(photos.BadPhoto):
        add(bed, 3, data=b"<svg/>")
    with pytest.raises(UnknownFlap):
        add(bed, 3, flap_id="nobody")
    assert everything(bed.record) == before


def test_after_monitoring_only_earlier_photos_are_added(bed: Bed) -> None:
    """A photo that was forgotten is added after discharge; one taken later is none of this
    stay."""
    care.discharge_flap(bed.record, PROTOCOLS, flap_id=bed.id, by="ana", now=at(60))
    add(bed, 30, now=at(90))
    with pytest.raises(Refused, match="has ended"):
        add(bed, 90)
    assert len(of_flap(bed)) == 1


def test_a_check_and_a_flap_have_room_for_so_many(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record is not filled by one flap; a struck photo makes room beside its check, not in
    the record."""
    monkeypatch.setattr(photographing, "MOST_OF_A_CHECK", 2)
    monkeypatch.setattr(photographing, "MOST_OF_A_FLAP", 4)
    check = bed.save(1).check.key
    first = add(bed, 2, check)
    add(bed, 3, check)
    with pytest.raises(Refused, match="This check has 2 photos"):
        add(bed, 4, check)
    care.strike_photo(bed.record, key=first.key, by="ana", reason="blurred", now=at(4))
    add(bed, 5, check)
    add(bed, 6)
    with pytest.raises(Refused, match="This flap has 4 photos"):
        add(bed, 7)
    assert add(bed, 7, check, key=first.key).key == first.key


def test_a_photo_is_struck_with_a_reason_and_stays(bed: Bed) -> None:
    """Who struck it, when and why; its picture stays in the record. It is struck once."""
    photo = add(bed, 2)
    for told, sentence in (
        ({"reason": "  "}, "Say why"),
        ({"by": "nobody"}, "Nobody on the staff list"),
        ({"key": uuid4()}, "not in the record"),
    ):
        said = {"key": photo.key, "by": "ben", "reason": "wrong patient"} | told
        with pytest.raises(Refused, match=sentence):
            care.strike_photo(bed.record, now=at(3), **said)  # type: ignore[arg-type]
    struck = care.strike_photo(
        bed.record, key=photo.key, by="ben", reason=" wrong patient ", now=at(3)
    )
    assert (struck.struck_by, struck.struck_at, struck.struck_reason) == (
        "ben", at(3), "wrong patient",
    )  # fmt: skip
    with pytest.raises(Refused, match="already"):
        care.strike_photo(bed.record, key=photo.key, by="ben", reason="again", now=at(4))
    with bed.record.read() as conn:
        assert pictures.picture_of(conn, photo.key)


def test_an_amended_check_keeps_its_photo(bed: Bed) -> None:
    """The photo stays with the version it was taken with, which stays readable."""
    old = bed.save(1).check
    photo = add(bed, 2, old.key)
    new = bed.amend(old.key, bed.look(1, PALE), 5).check
    later = add(bed, 6, new.key)
    with bed.record.read() as conn:
        links = pictures.links_of(conn, [bed.id])
        found = pictures.photos_of_checks(conn, [old.key, new.key])
    assert found == {old.key: [photo], new.key: [later]}
    assert links[new.key].replaces_key == old.key and links[old.key].replaced_by_key == new.key
    assert add(bed, 7, old.key).check_key == old.key  # the form of the older version is still open


def test_a_list_reads_no_picture(record: Record, bed: Bed) -> None:
    """Two hundred photos are listed without moving one of them."""
    add(bed, 2)
    for columns in (pictures._columns, pictures._links):
        assert not {"picture", "small"} & {c.name for c in columns}


def test_a_photo_is_decoded_before_the_record_is_held(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a large photo is being decoded, others go on saving checks."""
    truly = photos.develop

    def meanwhile(data: bytes, name: str) -> photos.Developed:
        bed.save(1)
        return truly(data, name)

    monkeypatch.setattr(photos, "develop", meanwhile)
    assert add(bed, 2).key
    assert len(bed.checks()) == 1
