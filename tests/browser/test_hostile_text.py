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


@pytest.mark.parametrize("sign", ["\u202e", "\u2066", "\x00", "\u200b"])
def test_text_that_turns_around_is_not_shown_as_given(
    ward: Hospital, visit: Visit, sign: str
) -> None:
    """A note with a character that reverses or hides text can't make a value read as another: it
    is refused, or stands apart without changing what follows it."""
    flap = ward.admit()
    nurse = visit(ward).to_form(flap)
    nurse.say(colour="matches")
    nurse.press(nurse.page.get_by_role("button", name="yes, something is wrong"))
    nurse.page.get_by_label("What worries you").fill(f"refill {sign}5.1 s")
    nurse.sign_as()
    nurse.save()
    expect(nurse.verdict.or_(nurse.page.locator(".error:visible")).first).to_be_visible()
    if ward.checks(flap):
        around = nurse.verdict.locator(".found").evaluate(
            "(node) => node.getBoundingClientRect().width > 0 && node.textContent"
        )
        assert "5.1 s" in around
