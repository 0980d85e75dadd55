"""Answering an alert on a telephone, and the pages that say when they are old."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote, unquote

import pytest
from playwright.sync_api import Page, expect

from monitoring import episodes
from monitoring.domain import PageKind, Severity
from monitoring.paging import NewPage, insert_pages, page_by_key, page_key
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
    page.get_by_role("button", name=re.compile("^10 min")).click()
    form = page.get_by_role("dialog")
    read = page.get_by_text(re.compile(r"^read \d\d:\d\d:\d\d$"))
    before = read.text_content() or ""
    expect(read).not_to_have_text(before)
    expect(form.get_by_role("radio", name="10 min", checked=True)).to_be_visible()
    form.get_by_role("combobox").first.click()
    page.get_by_role("option", name=re.compile("Lindqvist")).click()
    form.get_by_role("button", name="I have it").click()
    expect(form).to_be_hidden()
    expect(
        page.get_by_role("status").filter(has_text="by Miss R. Lindqvist: coming")
    ).to_be_visible()


def a_message(hospital: Hospital, to: str) -> tuple[int, str]:
    """A red alert that nobody has, and the link of the message that this person was sent."""
    with hospital.record.write() as conn:
        red = next(
            a for a in episodes.open_alerts(conn)
            if a.severity is Severity.RED and a.acknowledged_at is None
        )  # fmt: skip
        key = page_key(red.id, red.pages, "test", to, "demo")
        page = NewPage(key, PageKind.ALERT, "demo", red.severity, "RED", "RED", red.id, staff_id=to)
        insert_pages(conn, [page], datetime.now(UTC))
    return red.id, f"{hospital.address}/alerts?alert={red.id}&page={quote(key)}"


def test_two_taps_from_the_message_to_the_answer(troubled: Hospital, visit: Visit) -> None:
    """The link knows whom it was sent to: Coming, ten minutes, done; and it counts as read."""
    alert_id, link = a_message(troubled, "miss-r-lindqvist")
    page = visit(troubled, width=390, height=844).page
    page.goto(link)
    expect(page.locator("article.card")).to_have_count(1)
    page.get_by_role("button", name="Coming").click()
    expect(page.get_by_text("Coming, as Miss R. Lindqvist. In how many minutes?")).to_be_visible()
    ten = page.get_by_role("button", name=re.compile(r"^10 min, \d\d:\d\d"))
    expect(ten).to_be_in_viewport(ratio=1)
    ten.click()
    done = page.get_by_role("status").filter(has_text="Acknowledged")
    expect(done).to_contain_text("by Miss R. Lindqvist: coming")
    with troubled.record.read() as conn:
        found = episodes.find_alert(conn, alert_id)
        sent = page_by_key(conn, unquote(link.split("page=")[1]))
    assert found is not None and found.acknowledged_by == "miss-r-lindqvist"
    assert sent is not None and sent.read_at is not None


def test_the_answer_by_keyboard_alone(troubled: Hospital, visit: Visit) -> None:
    """Tab to Coming, Enter, Enter on the first choice of minutes: the focus is already there."""
    _, link = a_message(troubled, "dr-m-osei")
    page = visit(troubled, width=820, height=1100).page
    page.goto(link)
    coming = page.get_by_role("button", name="Coming")
    expect(coming).to_be_visible()
    coming.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=re.compile("^5 min"))).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Acknowledged")).to_be_visible()


def test_the_tab_says_how_many_reds_nobody_has(troubled: Hospital, visit: Visit) -> None:
    """A mark in the browser's tab, an extra beside the paging; the sound is off until wanted."""
    page = visit(troubled, width=1440, height=900).page
    page.goto(f"{troubled.address}/alerts")
    expect(page).to_have_title(re.compile(r"^\(\d+\) Flaps$"))
    sound = page.get_by_role("button", name="Sound is off")
    expect(sound).to_have_attribute("aria-pressed", "false")
    sound.click()
    expect(page.get_by_role("button", name="Sound is on")).to_be_visible()


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
