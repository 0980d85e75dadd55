"""Photos on the pages: beside a saved check, in sequence with the stay, refused, struck."""

from __future__ import annotations

import io
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from PIL import Image
from sqlalchemy import event
from streamlit.testing.v1 import AppTest

from monitoring import care, photo_views, pictures, protocol, queries
from monitoring.components.photo_shapes import PhotosData
from monitoring.domain import Check
from monitoring.pictures import StoredPhoto
from monitoring.store import Record

Open = Callable[..., AppTest]
Told = Callable[[AppTest, str], Any]
PROTOCOLS = protocol.load()
ZONE = ZoneInfo("Europe/London")
HOSTILE = "<img src=x onerror=alert(1)> **bold** $x$"


def jpeg(colour: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def flap_id(ward_record: Record) -> str:
    """The flap with the evolving venous congestion."""
    with ward_record.read() as conn:
        found = queries.active_flaps(conn).flaps
    return next(f.flap.id for f in found if f.flap.facts.label == "L breast DIEP")


def of_flap(record: Record, flap_id: str) -> list[StoredPhoto]:
    with record.read() as conn:
        return pictures.photos_of_flap(conn, flap_id)


def baseline_of(record: Record, flap_id: str) -> Check:
    with record.read() as conn:
        found = queries.load_flap(conn, flap_id).flap.baseline
    assert found is not None
    return found


def add(record: Record, flap_id: str, check_key: UUID | None, **told: Any) -> StoredPhoto:
    now = datetime.now(UTC)
    said: dict[str, Any] = {
        "key": uuid4(), "by": "n-okafor", "taken_at": now, "data": jpeg(), "name": "a.jpg",
        "now": now,
    }  # fmt: skip
    return care.add_photo(record, flap_id=flap_id, check_key=check_key, **(said | told))


def look(record: Record, flap_id: str, **signs: Any) -> care.Saved:
    now = datetime.now(UTC)
    body = {"observed_at": now, "colour": "matches"} | signs
    check = Check.parse(body, flap_id=flap_id, by="n-okafor", key=uuid4())
    return care.record_check(record, PROTOCOLS, check, now=now)


def press(at: AppTest, label: str) -> AppTest:
    return [b for b in at.button if b.label == label][-1].click().run()


def choose(at: AppTest, label: str, value: object) -> AppTest:
    return next(s for s in at.selectbox if s.label == label).set_value(value).run()


def strip(record: Record, flap_id: str, **told: Any) -> PhotosData:
    return photo_views.strip_data(
        record, flap_id, "L breast DIEP", now=datetime.now(UTC), zone=ZONE,
        **told,
    )  # fmt: skip


@pytest.fixture
def just_saved(ward_record: Record, open_page: Open, flap_id: str) -> tuple[AppTest, care.Saved]:
    """The page after a nurse has saved a check."""
    saved = look(ward_record, flap_id)
    at = open_page("check.py", flap=flap_id)
    at.session_state[f"saved-{flap_id}"] = saved
    return at.run(), saved


def test_a_photo_is_added_to_the_check_just_saved(
    ward_record: Record, just_saved: tuple[AppTest, care.Saved], flap_id: str, told: Told
) -> None:
    """Light and distance in one line, the person who signed the check proposed; what was saved is
    shown at once, and the next photo can be taken."""
    at, saved = just_saved
    assert any(t.value == photo_views.HINT for t in at.text)
    at.file_uploader[0].upload("flap.jpg", jpeg(), "image/jpeg")
    at = press(at.run(), "Save photo")
    assert not at.exception
    (photo,) = of_flap(ward_record, flap_id)
    assert (photo.check_key, photo.by) == (saved.check.key, "n-okafor")
    shown = told(at, "photos-")["photos"]
    assert [p["key"] for p in shown] == [str(photo.key)]
    assert told(at, "notice-")["title"] == "1 photo saved"
    at.file_uploader[0].set_value(
        [("b.jpg", jpeg("blue"), "image/jpeg"), ("c.jpg", jpeg("green"), "image/jpeg")]
    )
    at = press(at.run(), "Save 2 photos")
    assert len(told(at, "photos-")["photos"]) == 3
    assert told(at, "notice-")["title"] == "2 photos saved"


def test_a_refused_file_says_why_and_loses_nothing(
    ward_record: Record, just_saved: tuple[AppTest, care.Saved], flap_id: str, told: Told
) -> None:
    """A page that is named .jpg is refused in a sentence, letter by letter; the photo beside it
    is saved."""
    at, _ = just_saved
    at.file_uploader[0].set_value(
        [("<b>x</b>.jpg", b"<svg onload=alert(1)>", "image/jpeg"), ("b.jpg", jpeg(), "image/jpeg")]
    )
    at = press(at.run(), "Save 2 photos")
    assert any("1 photo saved, 1 photo refused" in m.value for m in at.markdown)
    assert any(t.value.startswith("<b>x</b>.jpg is a page or a drawing") for t in at.text)
    assert len(told(at, "photos-")["photos"]) == 1
    assert len(of_flap(ward_record, flap_id)) == 1


def test_what_the_record_refuses_keeps_the_files(
    ward_record: Record, just_saved: tuple[AppTest, care.Saved], flap_id: str
) -> None:
    """The check was struck meanwhile: the sentence says so, and the photo still waits."""
    at, saved = just_saved
    at.file_uploader[0].upload("flap.jpg", jpeg(), "image/jpeg")
    at = at.run()
    care.retract_check(
        ward_record, PROTOCOLS, key=saved.check.key, by="n-okafor", reason="wrong patient",
        now=datetime.now(UTC),
    )  # fmt: skip
    at = press(at, "Save photo")
    assert any("add the photo to a check that stands" in t.value for t in at.text)
    assert any(b.label == "Save photo" for b in at.button)
    assert not of_flap(ward_record, flap_id)


def test_nothing_uploaded_stays_in_the_session(
    just_saved: tuple[AppTest, care.Saved], ward_record: Record, flap_id: str
) -> None:
    """Once saved, the picture is in the record and nowhere else."""
    at, _ = just_saved
    data = jpeg()
    at.file_uploader[0].upload("flap.jpg", data, "image/jpeg")
    at = press(at.run(), "Save photo")
    assert of_flap(ward_record, flap_id)
    kept = at.session_state.to_dict()
    assert not [k for k, v in kept.items() if "files-" in k and v]
    assert not any(isinstance(v, bytes) for v in kept.values())


def test_photos_stand_in_sequence_with_the_stay(
    ward_record: Record, open_page: Open, flap_id: str, told: Told
) -> None:
    """Newest first, with time, by whom, how and with which check; a note letter by letter; the
    baseline photo named."""
    first = add(ward_record, flap_id, baseline_of(ward_record, flap_id).key, light="daylight")
    last = add(
        ward_record, flap_id, None, light="white light", distance="30 cm", note=HOSTILE,
        data=jpeg("blue"),
    )  # fmt: skip
    at = open_page("flap.py", flap=flap_id)
    data = told(at, "photos-")
    assert [p["key"] for p in data["photos"]] == [str(last.key), str(first.key)]
    newest, oldest = data["photos"]
    assert (newest["about"], newest["note"], newest["of"]) == (
        "white light, 30\u00a0cm",
        HOSTILE,
        "",
    )
    assert oldest["marks"] == ["Baseline photo"] and oldest["of"].startswith("check of ")
    assert newest["alt"] == f"Photo of L breast DIEP, {newest['time']}, by N. Okafor"
    assert data["pictures"] == {} and data["beside"]["key"] == str(first.key)
    assert not any(HOSTILE in m.value for m in at.markdown)


def test_an_opened_photo_brings_its_large_picture_and_the_baseline_s(
    ward_record: Record, flap_id: str
) -> None:
    """Only what is opened is fetched large; a photo of another flap is never sent along."""
    first = add(ward_record, flap_id, baseline_of(ward_record, flap_id).key)
    last = add(ward_record, flap_id, None, data=jpeg("blue"))
    opened = strip(ward_record, flap_id, opened=str(last.key))["pictures"]
    assert set(opened) == {str(first.key), str(last.key)}
    held = b64decode(opened[str(last.key)].removeprefix("data:image/jpeg;base64,"))
    assert Image.open(io.BytesIO(held)).size == (64, 48)
    with ward_record.read() as conn:
        other = next(i for i in queries.active_flap_ids(conn) if i != flap_id)
    foreign = add(ward_record, other, None)
    assert strip(ward_record, flap_id, opened=str(foreign.key))["pictures"] == {}


def test_an_amended_check_shows_its_earlier_photo_as_such(
    ward_record: Record, flap_id: str
) -> None:
    """The photo of the version before stands beside the amended check, and says so."""
    old = look(ward_record, flap_id).check
    photo = add(ward_record, flap_id, old.key)
    now = datetime.now(UTC)
    body = {"observed_at": old.observed_at, "colour": "dusky"}
    new = care.amend_check(
        ward_record, PROTOCOLS, key=old.key, by="n-okafor", reason="misread", now=now,
        check=Check.parse(body, flap_id=flap_id, by="n-okafor", key=uuid4()),
    ).check  # fmt: skip
    later = add(ward_record, flap_id, new.key, data=jpeg("blue"))
    data = strip(ward_record, flap_id, check_key=new.key)
    marks = {p["key"]: p["marks"] for p in data["photos"]}
    assert "with the earlier version" in marks[str(photo.key)]
    assert "with the earlier version" not in marks[str(later.key)]
    assert strip(ward_record, flap_id, check_key=old.key)["photos"] == data["photos"]


def test_the_baseline_photo(ward_record: Record, flap_id: str) -> None:
    """The newest of the baseline check that is not struck; without one, the newest of the first
    check that has one; a photo with no check is never it."""
    add(ward_record, flap_id, None)
    assert strip(ward_record, flap_id)["beside"] is None
    late = add(ward_record, flap_id, look(ward_record, flap_id).check.key, data=jpeg("blue"))
    assert (strip(ward_record, flap_id)["beside"] or {})["key"] == str(late.key)
    assert strip(ward_record, flap_id)["beside_word"] == "First photo"
    base = baseline_of(ward_record, flap_id).key
    one = add(ward_record, flap_id, base)
    two = add(ward_record, flap_id, base, data=jpeg("green"))
    data = strip(ward_record, flap_id)
    assert (data["beside"] or {})["key"] == str(two.key)
    assert data["beside_word"] == "Baseline photo"
    care.strike_photo(
        ward_record, key=two.key, by="n-okafor", reason="blurred", now=datetime.now(UTC)
    )
    assert (strip(ward_record, flap_id)["beside"] or {})["key"] == str(one.key)


def test_for_the_alerts_the_newest_photo_stands_beside_the_baseline(
    ward_record: Record, flap_id: str
) -> None:
    """Small pictures only; none where there is none; one alone is not held against itself."""
    zone, labels = ZONE, {flap_id: "L breast DIEP", "gone": "gone"}

    def found() -> Any:
        return photo_views.besides(ward_record, labels, now=datetime.now(UTC), zone=zone)

    nothing = {"latest": None, "baseline": None, "baseline_word": ""}
    assert found() == {flap_id: nothing, "gone": nothing}
    base = add(ward_record, flap_id, baseline_of(ward_record, flap_id).key)
    assert found()[flap_id]["latest"]["key"] == str(base.key)
    assert found()[flap_id]["baseline"] is None
    last = add(ward_record, flap_id, None, data=jpeg("blue"))
    pair = found()[flap_id]
    assert (pair["latest"]["key"], pair["baseline"]["key"]) == (str(last.key), str(base.key))
    assert pair["baseline_word"] == "Baseline photo"
    assert pair["latest"]["small"].startswith("data:image/jpeg;base64,")
    one = photo_views.beside(
        ward_record, flap_id, "L breast DIEP", now=datetime.now(UTC), zone=zone
    )
    assert one == pair


def test_many_alerts_cost_no_more_statements_than_one(ward_record: Record, flap_id: str) -> None:
    """The alerts page asks for the photos of every flap at once, small ones only."""
    with ward_record.read() as conn:
        every = queries.active_flap_ids(conn)
    for one in every:
        add(ward_record, one, None)
    asked: list[str] = []
    event.listen(
        ward_record.reader, "before_cursor_execute", lambda *told: asked.append(str(told[2]))
    )
    found = photo_views.besides(
        ward_record, dict.fromkeys(every, "a flap"), now=datetime.now(UTC), zone=ZONE
    )
    assert sum(pair["latest"] is not None for pair in found.values()) == len(every)
    assert len([one for one in asked if one.startswith("SELECT")]) == 5
    assert not any("photo.picture" in statement for statement in asked)


def test_a_struck_photo_is_told_and_not_shown(
    ward_record: Record, open_page: Open, flap_id: str, told: Told
) -> None:
    """Striking needs a name and a reason; then its place says who and why, without the picture."""
    photo = add(ward_record, flap_id, None)
    at = open_page("flap.py", flap=flap_id)
    at.session_state["doing"] = (flap_id, "strike-photo")
    at.session_state["striking"] = str(photo.key)
    at = press(at.run(), "Strike it through")
    assert any("Say who you are." in t.value for t in at.text)
    at = choose(at, "Who are you?", "n-okafor")
    at = press(at, "Strike it through")
    assert any("Say why" in t.value for t in at.text)
    at = next(t for t in at.text_input if t.label == "Why?").set_value("wrong patient").run()
    at = press(at, "Strike it through")
    assert not at.exception
    (shown,) = told(at, "photos-")["photos"]
    assert shown["small"] == "" and "N. Okafor" in shown["struck"]
    assert shown["struck"].endswith("wrong patient")
    assert strip(ward_record, flap_id, opened=str(photo.key))["pictures"] == {}


def test_the_photo_of_a_struck_check_is_not_shown(ward_record: Record, flap_id: str) -> None:
    """A check on the wrong patient takes its photo along: another person's flap is never shown as
    this one's."""
    check = look(ward_record, flap_id).check
    add(ward_record, flap_id, check.key)
    care.retract_check(
        ward_record, PROTOCOLS, key=check.key, by="n-okafor", reason="wrong patient",
        now=datetime.now(UTC),
    )  # fmt: skip
    (shown,) = strip(ward_record, flap_id)["photos"]
    assert shown["small"] == "" and "check struck through" in shown["struck"]
    assert strip(ward_record, flap_id)["beside"] is None


def test_a_photo_is_added_from_the_flap_s_page(
    ward_record: Record, open_page: Open, flap_id: str
) -> None:
    """The latest check is proposed; any other, or none, can be chosen, with the time it was
    taken."""
    saved = look(ward_record, flap_id)
    at = press(open_page("flap.py", flap=flap_id), "Add a photo")
    at = press(at, "Save")
    assert any("Take or choose a photo." in t.value for t in at.text)
    at.file_uploader[0].upload("flap.png", jpeg(), "image/png")
    at = choose(at.run(), "Who are you?", "n-okafor")
    at = press(at, "Save")
    assert not at.exception
    (photo,) = of_flap(ward_record, flap_id)
    assert (photo.check_key, photo.taken_at) == (saved.check.key, saved.check.observed_at)
    at = press(at, "Add a photo")
    at = choose(at, "Taken with", "with no check")
    at.file_uploader[0].upload("flap.png", jpeg("blue"), "image/png")
    at = at.button_group(key="photo-taken-True").set_value("now").run()
    at = press(choose(at, "Who are you?", "n-okafor"), "Save")
    newest = of_flap(ward_record, flap_id)[-1]
    assert newest.check_key is None
    assert datetime.now(UTC) - newest.taken_at < timedelta(minutes=1)


def test_earlier_photos_are_shown_when_asked_for(ward_record: Record, flap_id: str) -> None:
    """A long stay does not send every picture to a telephone."""
    for place in range(4):
        add(ward_record, flap_id, None, data=jpeg(("red", "blue", "green", "grey")[place]))
    data = strip(ward_record, flap_id, most=3)
    assert (len(data["photos"]), data["earlier"]) == (3, 1)
