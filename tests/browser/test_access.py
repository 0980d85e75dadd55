"""Usable by everybody: screen readers and contrast on every page, big targets, small screens."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.hospital import Hospital
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]

PAGES: dict[str, tuple[str, str]] = {
    "board": ("", ".live"),
    "check form": ("check?flap={flap}", "button.save"),
    "no flap chosen": ("check", "h1"),
    "flap": ("flap?flap={flap}", "h1"),
    "alerts": ("alerts", "h1"),
    "handover": ("handover", ".flaps"),
    "messages": ("messages", ".messages"),
    "admit": ("admit", "h1"),
    "protocols": ("protocols", "h1"),
}
"""Each page's address, and what shows that it is drawn."""

TARGETS = """(root) => [...root.querySelectorAll("button, input, select, textarea, a[href]")]
  .filter((node) => node.checkVisibility({ visibilityProperty: true }))
  .map((node) => [node.textContent || node.getAttribute("aria-label") || node.value || node.type,
    node.getBoundingClientRect()])
  .filter(([, box]) => box.width > 1 && (box.width < 43.9 || box.height < 43.9))
  .map(([name, box]) => `${name}: ${box.width.toFixed(1)} x ${box.height.toFixed(1)}`)"""

WITHOUT_DECORATION = """(root) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("*::before, *::after { content: none !important; }");
  root.getRootNode().adoptedStyleSheets.push(sheet);
}"""
"""axe does not judge the contrast of text on a ground that a pseudo-element belongs to; ours are a
stripe, a dot and a cover, none of them behind text."""

SPILL = """() => [document.scrollingElement, document.querySelector("[data-testid='stMain']")]
  .map((node) => node.scrollWidth - node.clientWidth)"""


def serious(visitor: Visitor) -> list[str]:
    """Serious and critical violations on the page, whether ours or Streamlit's own."""
    visitor.page.wait_for_function("() => !document.querySelector('[data-testid=stSkeleton]')")
    for root in visitor.page.locator(".root").all():
        root.evaluate(WITHOUT_DECORATION)
    found = Axe().run(visitor.page).response["violations"]
    return [
        f"{one['id']}: {node['target']} {node['html'][:160]} {node['failureSummary'][:200]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def opened(visitor: Visitor, flap: str, page: str) -> None:
    """Open one of the pages and wait until it is drawn."""
    address, sign = PAGES[page]
    visitor.page.goto(f"{visitor.hospital.address}/{address.format(flap=flap)}")
    expect(visitor.page.locator(sign).first).to_be_visible()
    expect(visitor.page.locator("[data-testid='stApp'][data-test-script-state='running']")
           ).to_have_count(0)  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_no_page_shuts_anybody_out(ward: Hospital, visit: Visit, page: str, theme: str) -> None:
    """No page, in either theme, has a serious or critical barrier of our making: contrast, names,
    roles, order."""
    visitor = visit(ward, color_scheme=theme)
    opened(visitor, ward.flap("ADEYEMI, Grace"), page)
    assert serious(visitor) == []


def test_a_barrier_inside_the_board_would_be_seen(ward: Hospital, visit: Visit) -> None:
    """The rule above is able to fail, also for what stands inside a component of ours."""
    visitor = visit(ward).to_board()
    visitor.page.locator(".tile h2").first.evaluate(
        "(heading) => { heading.style.color = '#e8b8b8'; }"
    )
    assert [one for one in serious(visitor) if one.startswith("color-contrast")]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_was_found_shuts_nobody_out(ward: Hospital, visit: Visit, theme: str) -> None:
    """The same for a form with everything open, an error and a question, and for the verdict."""
    nurse = visit(ward, color_scheme=theme).to_form(ward.admit())
    nurse.occlusion()
    nurse.press(nurse.unable("temperatures", "Temperature"))
    nurse.press(nurse.page.get_by_role("button", name="note", exact=True))
    nurse.press(nurse.page.get_by_role("button", name="yes, something is wrong"))
    nurse.press(nurse.page.get_by_role("button", name="change"))
    nurse.type(refill="9", refill_again="x")
    nurse.save()
    expect(nurse.row("refill_again").locator(".error")).to_be_visible()
    assert serious(nurse) == []
    nurse.type(refill_again="")
    nurse.press(nurse.page.get_by_role("button", name="it is now"))
    nurse.save()
    nurse.press(nurse.row("refill").get_by_role("button", name="yes, it is right"))
    nurse.save()
    expect(nurse.verdict).to_be_visible()
    assert serious(nurse) == []


@pytest.mark.parametrize("width", [390, 820])
def test_everything_is_big_enough_for_a_gloved_finger(
    ward: Hospital, visit: Visit, width: int
) -> None:
    """Every control of the board and of the check form, opened as far as it goes, is at least 44
    by 44 px."""
    nurse = visit(ward, width=width).to_board()
    assert nurse.page.locator(".board").evaluate(TARGETS) == []
    nurse.to_form(ward.admit())
    nurse.occlusion()
    for button in nurse.page.get_by_role("button", name=re.compile("^unable")).all():
        button.click()
    for button in nurse.row("more").get_by_role("button").all():
        button.click()
    nurse.page.get_by_role("button", name="change").click()
    nurse.page.get_by_role("button", name="yes, something is wrong").click()
    assert nurse.page.locator(".form").evaluate(TARGETS) == []
    rest = nurse.page.get_by_role("button", name="My name is not on the list")
    assert (rest.bounding_box() or {"height": 0})["height"] >= 44


@pytest.mark.parametrize("page", PAGES)
def test_a_phone_never_scrolls_sideways(ward: Hospital, visit: Visit, page: str) -> None:
    """At 390 px nothing hangs over the edge."""
    visitor = visit(ward, width=390, height=844)
    opened(visitor, ward.flap("ADEYEMI, Grace"), page)
    assert visitor.page.evaluate(SPILL) == [0, 0]
