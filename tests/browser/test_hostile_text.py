"""What people type is shown as they typed it: it never becomes markup, and fetches nothing.

Every visitor also asserts that no dialog was shown and no other host was asked for anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.hospital import Hospital
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]

NAME = "<img src=x onerror=alert(1)>, Eve"
LABEL = "**L** <script>alert(2)</script> ALT"
NURSE = "[N](javascript:alert(3)) <b>Okoro</b>"
WORRY = (
    "![x](http://elsewhere.example/x.png) <img src='http://elsewhere.example/y.png'"
    " onerror='alert(4)'> [ring](http://elsewhere.example) :material/home: $x^2$"
)
INJECTED = "img[src*='elsewhere'], img[src='x'], a[href*='elsewhere'], a[href^='javascript']"


def assert_inert(visitor: Visitor) -> None:
    """Nothing typed has become an element."""
    expect(visitor.page.locator(INJECTED)).to_have_count(0)
    texts = visitor.page.locator("script").evaluate_all("(all) => all.map((s) => s.textContent)")
    assert [text for text in texts if "alert(" in text] == []


def test_hostile_text_is_only_text(ward: Hospital, visit: Visit) -> None:
    """A name, a flap, a nurse and a worry full of markup are read literally on the form, in what
    was found, on the board and on the other pages."""
    flap = ward.admit(NAME, label=LABEL)
    ward.hire(NURSE)
    nurse = visit(ward).to_form(flap)
    expect(nurse.page.locator(".identity")).to_contain_text(NAME)
    expect(nurse.page.locator(".identity")).to_contain_text(LABEL)
    expect(nurse.save_button).to_have_text(f"Save for {NAME} · {LABEL}")
    nurse.occlusion(by=NURSE)
    nurse.press(nurse.page.get_by_role("button", name="note", exact=True))
    nurse.page.get_by_label("Note").fill(WORRY)
    nurse.press(nurse.page.get_by_role("button", name="yes, something is wrong"))
    nurse.page.get_by_label("What worries you").fill(WORRY)
    assert_inert(nurse)
    nurse.save()
    nurse.read_verdict("RED: call now")
    expect(nurse.verdict).to_contain_text(NAME)
    expect(nurse.verdict).to_contain_text(f"by {NURSE}")
    expect(nurse.verdict).to_contain_text(WORRY)
    assert_inert(nurse)
    (row,) = ward.checks(flap)
    assert (row["note"], row["concern_about"]) == (WORRY, WORRY)
    nurse.to_board()
    expect(nurse.tile(flap)).to_contain_text(NAME)
    expect(nurse.tile(flap)).to_contain_text(LABEL)
    assert_inert(nurse)
    for page, shown in (
        (f"flap?flap={flap}", NAME), ("alerts", NAME), ("check", "Which flap?"),
        (f"check?flap={NAME}", "not monitored here"),
    ):  # fmt: skip
        nurse.page.goto(f"{ward.address}/{page}")
        expect(nurse.page.get_by_text(shown).first).to_be_visible()
        assert_inert(nurse)
    nurse.page.goto(f"{ward.address}/check")
    nurse.page.get_by_role("combobox", name=re.compile("Which flap")).click()
    expect(nurse.page.get_by_role("option", name=re.compile(re.escape(NAME)))).to_be_visible()
    assert_inert(nurse)


def test_a_hostile_address_opens_nothing(ward: Hospital, visit: Visit) -> None:
    """Filters and flaps in the address are checked like anything else that is typed."""
    visitor = visit(ward)
    for address in ("?me=<img src=x onerror=alert(5)>", "?needs=<b>", "check?flap=../../etc"):
        visitor.page.goto(f"{ward.address}/{address}")
        shown = visitor.page.locator(".live").or_(visitor.page.get_by_text("not monitored here"))
        expect(shown.first).to_be_visible()
        assert_inert(visitor)


LOOSE = """(root) => [...root.querySelectorAll("span, strong, b, small, button")]
  .filter((node) => node.textContent && getComputedStyle(node).display.startsWith("inline"))
  .filter((node) => !getComputedStyle(node).unicodeBidi.startsWith("isolate"))
  .map((node) => node.textContent)"""


def test_text_that_turns_around_turns_nothing_else(ward: Hospital, visit: Visit) -> None:
    """A character that reverses the reading direction is kept as typed and reverses nothing beside
    it: 5.1 next to it never reads 1.5."""
    turned = "cold \u202e1.5 and warm"
    flap = ward.admit("TURNER, \u202eAda", label="L \u202eALT")
    nurse = visit(ward).to_form(flap)
    nurse.occlusion()
    nurse.press(nurse.page.get_by_role("button", name="yes, something is wrong"))
    nurse.page.get_by_label("What worries you").fill(turned)
    assert nurse.page.locator(".form").evaluate(LOOSE) == []
    nurse.save()
    nurse.read_verdict("RED: call now")
    assert nurse.verdict.evaluate(LOOSE) == []
    assert ward.checks(flap)[0]["concern_about"] == turned
    nurse.to_board()
    assert nurse.tile(flap).evaluate(LOOSE) == []
