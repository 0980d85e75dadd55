"""Answering an alert on a telephone, and the pages that say when they are old."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.hospital import Hospital
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]


def alerts_on_a_telephone(hospital: Hospital, visit: Visit) -> Page:
    page = visit(hospital, width=390, height=844).page
    page.goto(f"{hospital.address}/alerts")
    expect(page.get_by_role("button", name="Coming").first).to_be_visible()
    return page


def test_the_decision_fits_above_the_fold(ward: Hospital, visit: Visit) -> None:
    """Who, what, why and the answers to the worst alert are on a telephone's first screen."""
    page = alerts_on_a_telephone(ward, visit)
    coming = page.get_by_role("button", name="Coming").first
    expect(coming).to_be_in_viewport(ratio=1)
    expect(page.get_by_text("MRN 402277")).to_be_in_viewport(ratio=1)
    box = coming.bounding_box()
    assert box is not None and box["height"] >= 44 and box["width"] >= 44


def test_a_half_filled_answer_survives_the_refresh(ward: Hospital, visit: Visit) -> None:
    """The list is read anew every few seconds under the open form; what was chosen stays."""
    page = alerts_on_a_telephone(ward, visit)
    page.get_by_role("button", name="Coming").first.click()
    form = page.get_by_role("dialog")
    form.get_by_text("10 min", exact=True).click()
    read = page.get_by_text(re.compile(r"^read \d\d:\d\d:\d\d$"))
    before = read.text_content() or ""
    expect(read).not_to_have_text(before)
    expect(form.get_by_role("radio", name="10 min", checked=True)).to_be_visible()
    form.get_by_role("combobox").first.click()
    page.get_by_role("option", name=re.compile("Lindqvist")).click()
    form.get_by_role("button", name="I have it").click()
    expect(form).to_be_hidden()
    expect(page.get_by_role("status").filter(has_text="Miss R. Lindqvist: coming")).to_be_visible()


def test_frozen_alerts_and_flap_pages_say_so(troubled: Hospital, visit: Visit) -> None:
    """When the server freezes, a list of alerts and a flap's head declare themselves not live."""
    page = alerts_on_a_telephone(troubled, visit)
    page.get_by_role("button", name="Open the flap").first.click()
    expect(page.get_by_role("region", name="Patient and flap")).to_be_visible()
    listed = alerts_on_a_telephone(troubled, visit)
    troubled.pause()
    old = re.compile(r"NOT LIVE since \d\d:\d\d:\d\d")
    expect(page.get_by_text(old)).to_be_visible(timeout=20_000)
    expect(listed.get_by_text(old)).to_be_visible(timeout=20_000)
    troubled.wake()
    expect(listed.get_by_text(old)).to_be_hidden(timeout=30_000)
    expect(page.get_by_text(old)).to_be_hidden(timeout=30_000)
