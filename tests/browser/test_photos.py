"""A photo taken at the bedside in a real browser, and seen by whoever opens the flap."""

from __future__ import annotations

import http.client
import io
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from monitoring import care, protocol
from monitoring.domain import Check
from tests.browser.hospital import Hospital, eventually
from tests.browser.test_access import SPILL, TARGETS, serious
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]


def jpeg(colour: str = "#c98f74", size: tuple[int, int] = (1200, 900)) -> bytes:
    """A photo of skin in one tone with a mark on it."""
    image = Image.new("RGB", size, colour)
    image.paste((40, 40, 120), (size[0] // 2, size[1] // 2, size[0] // 2 + 30, size[1] // 2 + 30))
    out = io.BytesIO()
    image.save(out, "JPEG")
    return out.getvalue()


def photographed(hospital: Hospital, *ago: int, flap_id: str | None = None) -> str:
    """A flap with a check and its photo so many minutes ago each; returns the flap's id."""
    flap_id = flap_id or hospital.admit(
        perfused_at=datetime.now(UTC) - timedelta(hours=9),
        monitoring_from=datetime.now(UTC) - timedelta(hours=8),
    )
    for place, minutes in enumerate(ago):
        at = datetime.now(UTC) - timedelta(minutes=minutes)
        signs = {"colour": "matches", "refill": 2.0, "turgor": "soft", "doppler_artery": "strong"}
        body: dict[str, Any] = {"observed_at": at, "flap_temp_c": 33.8, "control_temp_c": 34.1}
        check = Check.parse(
            body | signs | {"doppler_vein": "present"}, flap_id=flap_id, by="n-okafor", key=uuid4()
        )
        care.record_check(hospital.record, protocol.load(), check, now=at)
        care.add_photo(
            hospital.record, key=uuid4(), flap_id=flap_id, check_key=check.key, by="n-okafor",
            taken_at=at, data=jpeg(("#c98f74", "#86616f", "#69456f")[place % 3]), name="a.jpg",
            light="daylight", distance="30 cm", now=at,
        )  # fmt: skip
    return flap_id


def photos(hospital: Hospital, flap_id: str) -> list[dict[str, Any]]:
    return hospital.rows(
        "SELECT key, check_key, by, sha256 FROM photo WHERE flap_id = ? ORDER BY taken_at", flap_id
    )


def asked(visitor: Visitor) -> list[str]:
    """Every address the browser asks its own server for, from now on."""
    urls: list[str] = []
    visitor.page.on("request", lambda request: urls.append(request.url))
    return urls


def upload(page: Page, *files: tuple[str, bytes]) -> None:
    page.locator('input[type="file"]').set_input_files(
        [{"name": name, "mimeType": "image/jpeg", "buffer": data} for name, data in files]
    )


def strip(page: Page) -> Any:
    return page.get_by_role("list", name="Photos, newest first")


def anonymous(hospital: Hospital, path: str) -> tuple[int, str, bytes]:
    """What a stranger gets who asks for an address."""
    with closing(http.client.HTTPConnection("127.0.0.1", hospital.port, timeout=10)) as line:
        line.request("GET", path)
        answer = line.getresponse()
        return answer.status, answer.getheader("content-type") or "", answer.read()


def test_a_photo_goes_from_the_bedside_to_the_flap_s_page(ward: Hospital, visit: Visit) -> None:
    """After a check is saved a nurse adds two photos in a row; both stand at once beside the
    check and on the flap's page, and none of it was ever at an address of its own."""
    flap_id = ward.admit()
    visitor = visit(ward).to_form(flap_id)
    urls = asked(visitor)
    visitor.routine()
    visitor.save()
    visitor.read_verdict(re.compile("No finding|Saved"))
    page = visitor.page
    expect(page.get_by_text("no flash; 30 cm away")).to_be_visible()
    for number, colour in enumerate(("#c98f74", "#86616f"), 1):
        upload(page, (f"{number}.jpg", jpeg(colour)))
        page.get_by_role("button", name="Save photo", exact=True).click()
        expect(page.get_by_text("1 photo saved").first).to_be_visible()
        expect(strip(page).get_by_role("img")).to_have_count(number)
    (check,) = ward.checks(flap_id)
    assert {p["check_key"] for p in photos(ward, flap_id)} == {check["key"]}
    page.get_by_role("button", name="Open this flap").click()
    expect(strip(page).get_by_role("img")).to_have_count(2)
    name = re.compile(r"^Photo of L thigh ALT, .*\d\d:\d\d.*, by N\. Okafor$")
    shown = strip(page).get_by_role("button", name=name).first
    shown.click()
    expect(page.get_by_role("dialog", name="Photo")).to_be_visible()
    assert shown.locator("img").evaluate("img => img.naturalWidth") == 480
    assert not [url for url in urls if "/media/" in url]
    for url in {u for u in urls if u.startswith("http")}:
        path = url.removeprefix(ward.address)
        status, kind, body = anonymous(ward, path or "/")
        assert not kind.startswith("image/jpeg") and b"JFIF" not in body, (path, status)


def test_a_refused_file_says_why_and_what_was_chosen_stays(ward: Hospital, visit: Visit) -> None:
    """A page named .jpg is refused in words and never run; the check and earlier photos stay."""
    flap_id = ward.admit()
    visitor = visit(ward).to_form(flap_id)
    visitor.routine()
    visitor.save()
    visitor.read_verdict(re.compile("No finding|Saved"))
    page = visitor.page
    upload(page, ("<b>x</b>.jpg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"))
    page.get_by_role("button", name="Save photo", exact=True).click()
    expect(page.get_by_text("<b>x</b>.jpg is a page or a drawing")).to_be_visible()
    upload(page, ("b.jpg", jpeg()))
    page.get_by_role("button", name="Save photo", exact=True).click()
    expect(strip(page).get_by_role("img")).to_have_count(1)
    assert len(photos(ward, flap_id)) == 1


@pytest.mark.parametrize(("width", "height"), [(390, 844), (820, 1180), (1440, 900)])
def test_an_opened_photo_stands_beside_its_baseline(
    ward: Hospital, visit: Visit, width: int, height: int
) -> None:
    """Side by side where there is room, one above the other on a telephone: both whole, both on
    the screen, with the way back in reach of a thumb."""
    flap_id = photographed(ward, 240, 120, 5)
    page = visit(ward, width=width, height=height).page
    page.goto(f"{ward.address}/flap?flap={flap_id}")
    strip(page).get_by_role("button").first.click()
    dialog = page.get_by_role("dialog", name="Photo")
    images = dialog.get_by_role("img")
    expect(images).to_have_count(2)
    expect(dialog.get_by_text("Baseline photo").first).to_be_visible()
    for place in range(2):
        expect(images.nth(place)).to_be_in_viewport(ratio=1)
    expect(dialog.get_by_text("Fetching the large picture")).to_be_hidden()
    assert images.first.evaluate("img => img.naturalWidth") == 1200
    left, right = images.nth(0).bounding_box(), images.nth(1).bounding_box()
    assert left is not None and right is not None
    assert (left["y"] == right["y"]) is (width >= 800)
    close = dialog.get_by_role("button", name="Close")
    expect(close).to_be_in_viewport(ratio=1)
    for button in dialog.get_by_role("button").all():
        box = button.bounding_box()
        assert box is None or (box["height"] >= 44 and box["width"] >= 44)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_photos_are_walked_through_with_the_keyboard(ward: Hospital, visit: Visit) -> None:
    """Tab reaches a photo, Enter opens it, arrows go back and forth, Escape returns to the same
    photo in the strip."""
    flap_id = photographed(ward, 240, 120, 5)
    visitor = visit(ward)
    page = visitor.page
    page.goto(f"{ward.address}/flap?flap={flap_id}")
    expect(strip(page).get_by_role("img")).to_have_count(3)
    visitor.tab_to(".thumb")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Photo")
    expect(dialog.get_by_role("img")).to_have_count(2)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(dialog.get_by_text("This is the baseline photo.")).to_be_visible()
    expect(dialog.get_by_role("img")).to_have_count(1)
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("img")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    visitor.page.keyboard.press("Enter")
    expect(dialog).to_be_visible()


def test_an_open_photo_survives_the_refresh_and_new_ones_come_by_themselves(
    ward: Hospital, visit: Visit
) -> None:
    """A surgeon looks at a photo while the nurse adds another: the one that is open stays open,
    and the new one joins the strip."""
    flap_id = photographed(ward, 240, 5)
    page = visit(ward).page
    page.goto(f"{ward.address}/flap?flap={flap_id}")
    strip(page).get_by_role("button").first.click()
    dialog = page.get_by_role("dialog", name="Photo")
    title = dialog.locator("figcaption").first.text_content() or ""
    expect(dialog.get_by_role("button", name="Later photo")).to_be_disabled()
    photographed(ward, 0, flap_id=flap_id)
    expect(dialog.get_by_role("button", name="Later photo")).to_be_enabled(timeout=30_000)
    expect(dialog.locator("figcaption").first).to_have_text(title)


def test_a_photo_is_struck_from_where_it_is_seen(ward: Hospital, visit: Visit) -> None:
    """The photo that is open is the one that is struck, by name and with a reason."""
    flap_id = photographed(ward, 240, 5)
    page = visit(ward).page
    page.goto(f"{ward.address}/flap?flap={flap_id}")
    strip(page).get_by_role("button").first.click()
    page.get_by_role("dialog", name="Photo").get_by_role("button", name="Strike").click()
    form = page.get_by_role("dialog").filter(has_text="Strike a photo")
    form.get_by_label("Why?").fill("wrong patient")
    form.get_by_role("combobox").last.click()
    page.get_by_role("option", name=re.compile("Okafor")).click()
    form.get_by_role("button", name="Strike it through").click()
    expect(strip(page).get_by_text("wrong patient")).to_be_visible()
    expect(strip(page).get_by_role("img")).to_have_count(1)
    (struck,) = ward.rows("SELECT * FROM photo WHERE struck_at IS NOT NULL")
    assert (struck["struck_by"], struck["struck_reason"]) == ("n-okafor", "wrong patient")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_photos_shut_nobody_out(ward: Hospital, visit: Visit, theme: str) -> None:
    """Taking a photo, the strip and the large photo have names, contrast, targets for a thumb and
    nothing beyond the edge of a telephone, in either theme."""
    flap_id = photographed(ward, 240, 5)
    visitor = visit(ward, width=390, height=844, color_scheme=theme).to_form(flap_id)
    page = visitor.page
    visitor.routine()
    visitor.save()
    visitor.read_verdict(re.compile("No finding|Saved"))
    upload(page, ("a.jpg", jpeg()))
    expect(page.get_by_role("button", name="Save photo", exact=True)).to_be_visible()
    assert serious(visitor) == []
    assert page.locator("[data-testid='stMain']").evaluate(TARGETS) == []
    assert max(page.evaluate(SPILL)) <= 0
    page.goto(f"{ward.address}/flap?flap={flap_id}")
    strip(page).get_by_role("button").first.click()
    dialog = page.get_by_role("dialog", name="Photo")
    expect(dialog.get_by_text("Fetching the large picture")).to_be_hidden()
    assert serious(visitor) == []
    assert dialog.evaluate(TARGETS) == []


@pytest.fixture
def with_camera(ward: Hospital, chromium: Browser) -> Iterator[Visitor]:
    """A tablet whose browser may use its camera, which shows a test picture."""
    kind = chromium.browser_type
    camera = kind.launch(
        executable_path=_path(), args=[
            "--no-sandbox", "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
        ],
    )  # fmt: skip
    context = camera.new_context(viewport={"width": 820, "height": 1180}, locale="en-GB")
    context.grant_permissions(["camera"], origin=ward.address)
    visitor = Visitor(context, ward)
    yield visitor
    visitor.leave()
    camera.close()
    visitor.assert_quiet()


def _path() -> str:
    from tests.browser.conftest import browser_path

    return browser_path()


def test_a_photo_is_taken_with_the_screen_s_own_camera(
    ward: Hospital, with_camera: Visitor
) -> None:
    """Where the file chooser offers no camera, the page's own does."""
    flap_id = ward.admit()
    visitor = with_camera.to_form(flap_id)
    visitor.routine()
    visitor.save()
    visitor.read_verdict(re.compile("No finding|Saved"))
    urls = asked(visitor)
    page = visitor.page
    page.get_by_text("this screen's camera").click()
    page.wait_for_function("document.querySelector('video')?.readyState >= 2")
    page.get_by_role("button", name="Take Photo").click()
    expect(page.get_by_role("button", name="Clear photo")).to_be_visible()
    page.get_by_role("button", name="Save photo", exact=True).click()
    expect(strip(page).get_by_role("img")).to_have_count(1)
    assert len(photos(ward, flap_id)) == 1
    assert not [url for url in urls if "/media/" in url]


def test_what_was_uploaded_leaves_the_server_s_memory(ward: Hospital, visit: Visit) -> None:
    """A photo of five megabytes does not stay in the server once it is in the record."""
    flap_id = ward.admit()
    visitor = visit(ward).to_form(flap_id)
    visitor.routine()
    visitor.save()
    visitor.read_verdict(re.compile("No finding|Saved"))
    page = visitor.page
    upload(page, ("large.jpg", jpeg() + b"\0" * 5_000_000))
    eventually(lambda: _held(ward) > 5_000_000, 10, "the upload")
    page.get_by_role("button", name="Save photo", exact=True).click()
    expect(page.get_by_text("1 photo saved").first).to_be_visible()
    eventually(lambda: _held(ward) < 5_000_000, 10, "the upload to be let go")


def _held(hospital: Hospital) -> int:
    """Bytes of uploads that the server holds, by its own count."""
    _, _, body = anonymous(hospital, "/_stcore/metrics")
    found = re.findall(rb'UploadedFileManager"[^}]*} (\d+)', body)
    return sum(int(number) for number in found)
