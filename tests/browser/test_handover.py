"""The handover in a real browser: read on every width, printed, accepted by name; and a message
opened as the surgeon it went to."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.hospital import Hospital
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]
Colour = tuple[int, ...]

SHOWN = """() => {
  const gone = (node) => !node.checkVisibility({ visibilityProperty: true });
  return {
    head: gone(document.querySelector("[data-testid='stHeader']")),
    form: gone(document.querySelector("[class*='st-key-not-printed']")),
  };
}"""
COLOURS = """(root) => [...root.querySelectorAll("*")]
  .filter((node) => node.checkVisibility() && node.textContent.trim())
  .map((node) => getComputedStyle(node).color)"""
GROUNDS = """(node) => {
  const found = [];
  for (let at = node; at; at = at.parentNode ?? at.host) {
    if (at instanceof Element) found.push(getComputedStyle(at).backgroundColor);
  }
  return found;
}"""


def sheet(visitor: Visitor) -> Page:
    visitor.page.goto(f"{visitor.hospital.address}/handover")
    expect(visitor.page.locator(".flaps tbody tr").first).to_be_visible()
    return visitor.page


def choose(page: Page, label: str, name: str) -> None:
    """One's name from a list."""
    page.get_by_role("combobox", name=re.compile(label)).click()
    page.get_by_role("option", name=re.compile(f"^{re.escape(name)}")).click()


def streams(pdf: bytes) -> Iterator[bytes]:
    """The unpacked pieces of a PDF."""
    for packed in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            yield zlib.decompress(packed)
        except zlib.error:
            continue


def painted(pdf: bytes) -> set[Colour]:
    """Every colour that the pages fill or draw with, in parts of 255."""
    pages = b"\n".join(s for s in streams(pdf) if b" rg" in s or b" RG" in s)
    numbers = re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) (?:rg|RG)\b", pages)
    return {tuple(round(float(n) * 255) for n in three) for three in numbers}


def boxes(pdf: bytes) -> list[tuple[int, int]]:
    """The size of each page in points."""
    found = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)\s*\]", pdf)
    return [(round(float(w)), round(float(h))) for w, h in found]


def test_a_ward_is_handed_over_by_two_names(ward: Hospital, visit: Visit) -> None:
    """One nurse opens the sheet, the other accepts it; the record and the page say who and when,
    and what they typed is text."""
    note = "<img src=x onerror=alert(1)> bed 6 first"
    page = sheet(visit(ward))
    choose(page, "Who hands over", "N. Okafor")
    page.get_by_role("button", name="Hand over").click()
    choose(page, "Who accepts", "J. Marsh")
    page.get_by_role("textbox", name=re.compile("^Note")).fill(note)
    page.get_by_role("button", name="I accept this ward").click()
    expect(page.locator(".notice")).to_contain_text("accepted by J. Marsh, given by N. Okafor")
    expect(page.locator(".list").last).to_contain_text(f"Note: {note}")
    expect(page.locator("img[src='x']")).to_have_count(0)
    (row,) = ward.rows("SELECT * FROM handover")
    assert (row["given_by"], row["accepted_by"], row["note"]) == ("n-okafor", "j-marsh", note)
    expect(page.get_by_role("button", name="I accept this ward")).to_be_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_paper_it_is_black_on_white(ward: Hospital, visit: Visit, theme: str) -> None:
    """Whatever the screen's theme: A4, no navigation and no form, dark ink on white, on every
    flap's row two identifiers, and on every page when it was printed, by whom, and when it is
    old."""
    page = sheet(visit(ward, color_scheme=theme))
    choose(page, "Who hands over", "S. Lindberg")
    expect(page.locator(".flaps thead")).to_contain_text("by S. Lindberg")
    page.emulate_media(media="print")
    assert page.evaluate(SHOWN) == {"head": True, "form": True}
    head = page.locator(".flaps thead")
    expect(head).to_be_visible()
    expect(head).to_contain_text(
        re.compile(r"Printed \d\d:\d\d by S\. Lindberg; old after 10 minutes: from \d\d:\d\d")
    )
    assert head.evaluate("(node) => getComputedStyle(node).display") == "table-header-group"
    for row in page.locator(".flaps tbody tr").all():
        expect(row.locator(".ids")).to_have_text(re.compile(r"^MRN \d+ · born \d\d \w{3} \d{4}$"))
        expect(row.locator(".who")).to_have_text(re.compile(r"^Bed \d+ · \w+, \w+"))
        assert row.evaluate("(node) => getComputedStyle(node).breakInside") == "avoid"
    inks = set(page.locator(".root.handover").evaluate(COLOURS))
    assert inks <= {"rgb(0, 0, 0)", "rgb(51, 51, 51)"}, inks
    grounds = set(page.locator(".flaps tbody td").first.evaluate(GROUNDS))
    assert grounds <= {"rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"}, grounds
    page.emulate_media(media=None)
    pdf = page.pdf(prefer_css_page_size=True, print_background=True)
    assert set(boxes(pdf)) == {(595, 842)}
    colours = painted(pdf)
    assert colours and all(len({*c}) == 1 for c in colours), "only black, white and grey"
    assert all(max(c) <= 0x66 or min(c) == 255 for c in colours), sorted(colours)


@pytest.mark.parametrize("width", [390, 820, 1440])
def test_the_sheet_is_read_on_every_width(ward: Hospital, visit: Visit, width: int) -> None:
    """Identity and every fact of a flap are on the screen, and nothing hangs over the edge."""
    page = sheet(visit(ward, width=width, height=900))
    row = page.locator(f".flaps tr[data-flap='{ward.flap('TANAKA')}']")
    for words in ("TANAKA, Yuki", "MRN 227051", "theatre asked for", "Next 12 h"):
        inside = row.get_by_text(words).first
        inside.scroll_into_view_if_needed()
        expect(inside).to_be_visible()
        box = inside.bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width
    button = page.get_by_role("button", name="Print").bounding_box()
    assert button is not None and min(button["width"], button["height"]) >= 44


def test_print_is_one_press(ward: Hospital, visit: Visit) -> None:
    """The button asks the browser to print, nothing else."""
    page = sheet(visit(ward))
    page.evaluate("() => { window.print = () => { window.printed = true; }; }")
    page.get_by_role("button", name="Print").click()
    assert page.evaluate("() => window.printed")


def test_a_newcomer_opens_a_message_as_the_surgeon(ward: Hospital, visit: Visit) -> None:
    """The watcher's first rung lies in the outbox; opened from there, the alert stands alone in
    the surgeon's name, and the message says that it was read."""
    visitor = visit(ward)
    page = visitor.page
    page.goto(f"{ward.address}/messages")
    expect(page.locator(".strip")).to_contain_text("demo-messages.jsonl")
    message = page.locator(".messages li", has_text="Mr T. Vance").filter(has_text="RED arterial")
    expect(message.first).to_contain_text("Written to demo-messages.jsonl; no telephone rang.")
    with page.expect_popup() as opening:
        message.first.get_by_role("link", name="Open as Mr T. Vance").click()
    alert = opening.value
    expect(alert.locator(".card")).to_have_count(1)
    expect(alert.locator(".card")).to_contain_text("OYELARAN, Daniel")
    alert.get_by_role("button", name=re.compile("^Coming")).click()
    expect(alert.get_by_text("Coming, as Mr T. Vance.")).to_be_visible()
    alert.close()
    expect(message.first.locator(".state")).to_contain_text(", read ")


def test_frozen_sheets_and_messages_say_so(troubled: Hospital, visit: Visit) -> None:
    """When the server freezes, neither passes for the present."""
    page = sheet(visit(troubled))
    listed = visit(troubled).page
    listed.goto(f"{troubled.address}/messages")
    expect(listed.locator(".messages li").first).to_be_visible()
    troubled.pause()
    old = re.compile(r"NOT LIVE since \d\d:\d\d:\d\d")
    expect(page.get_by_text(old)).to_be_visible(timeout=40_000)
    expect(listed.get_by_text(old)).to_be_visible(timeout=40_000)
    troubled.wake()
    expect(page.get_by_text(old)).to_be_hidden(timeout=30_000)
