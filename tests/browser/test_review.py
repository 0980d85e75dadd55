"""A surgeon decides on a telephone, and a nurse reads the plan back, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from monitoring.domain import Role
from tests.browser.hospital import Hospital
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]
HOSTILE = "**STAR** :red[hot] <b>x</b>, $a$"


def reviewing(hospital: Hospital, visit: Visit, query: str, **options: object) -> Page:
    page = visit(hospital, **({"width": 390, "height": 844} | options)).page
    page.goto(f"{hospital.address}/review?{query}")
    expect(page.get_by_text("What is decided?")).to_be_visible()
    return page


def pick(page: Page | Locator, label: str, option: str | re.Pattern[str]) -> None:
    """Choose from a list by its label."""
    page.get_by_role("combobox", name=label).click()
    owner = page if isinstance(page, Page) else page.page
    owner.get_by_role("option", name=option).click()


def red_of(hospital: Hospital) -> dict[str, object]:
    """The first red that is not closed."""
    return hospital.rows(
        "SELECT id, flap_id FROM alert WHERE severity = 'red' AND state <> 'closed' ORDER BY id"
    )[0]


def reviews_of(hospital: Hospital, flap_id: object) -> list[dict[str, object]]:
    return hospital.rows("SELECT * FROM review WHERE flap_id = ? ORDER BY recorded_at", flap_id)


def test_a_decision_is_signed_on_a_telephone_and_read_back_on_the_ward(
    ward: Hospital, visit: Visit
) -> None:
    """Decision, minutes, name, how: signed once though the button is tapped twice; the flap's
    page shows the plan, and the nurse's name once it is read back."""
    alert = red_of(ward)
    page = reviewing(ward, visit, f"alert={alert['id']}&me=dr-m-osei")
    expect(page.get_by_text("MRN 204118")).to_be_visible()
    page.get_by_role("radio", name="Bedside action").click()
    page.get_by_text("loosen dressings").click()
    page.get_by_role("radio", name="15 min").click()
    page.get_by_role("radio", name="at the bedside").click()
    sign = page.get_by_role("button", name="Bedside action: ADEYEMI, Grace, L breast DIEP")
    box = sign.bounding_box()
    assert box is not None and box["height"] >= 44
    sign.dblclick()
    done = page.get_by_role("status").filter(has_text="Written down")
    expect(done).to_contain_text("Dr M. Osei: loosen dressings, recheck in 15 min")
    (review,) = reviews_of(ward, alert["flap_id"])
    assert (review["by"], review["alert_id"]) == ("dr-m-osei", alert["id"])
    page.get_by_role("button", name="Open the flap").click()
    expect(page.get_by_text("Not read back yet.")).to_be_visible()
    page.get_by_role("button", name="Read it back", exact=True).click()
    form = page.get_by_role("dialog")
    pick(form, "Who are you?", re.compile("Okafor"))
    form.get_by_role("button", name="I read it back").click()
    expect(page.get_by_text("Read back by N. Okafor", exact=False).first).to_be_visible()
    assert reviews_of(ward, alert["flap_id"])[0]["read_back_by"] == "n-okafor"


def test_everything_on_the_form_is_large_enough_to_touch(ward: Hospital, visit: Visit) -> None:
    """Every choice of the form is at least 44 px high, and nothing runs off a telephone."""
    page = reviewing(ward, visit, f"alert={red_of(ward)['id']}")
    page.get_by_role("radio", name="Return to theatre").click()
    page.get_by_text("Order another interval").click()
    expect(page.get_by_text("Look every")).to_be_visible()
    for choice in page.locator(".stMain .stButtonGroup button").all():
        box = choice.bounding_box()
        assert box is not None and box["height"] >= 44 and box["width"] >= 44
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_name_full_of_markup_is_signed_letter_by_letter(ward: Hospital, visit: Visit) -> None:
    """The confirm button names the patient as they are written, never as markup."""
    flap_id = ward.admit(HOSTILE)
    page = reviewing(ward, visit, f"flap={flap_id}", width=820, height=1180)
    page.get_by_role("radio", name="Continue").click()
    button = page.get_by_role("button", name=f"Continue: {HOSTILE}, L thigh ALT")
    expect(button).to_be_visible()
    expect(button.locator("strong, b, span[style*='color'], .katex")).to_have_count(0)


def test_a_nurse_writes_down_what_a_consultant_said(ward: Hospital, visit: Visit) -> None:
    """Marked as told by telephone; an order brings the next check forward, with its end said."""
    flap_id, surgeon = ward.admit(), ward.hire("Miss Told", Role.CONSULTANT)
    page = reviewing(ward, visit, f"flap={flap_id}", width=820, height=1180)
    page.get_by_role("radio", name="Continue").click()
    pick(page, "Who are you?", re.compile("Okafor"))
    pick(page, "Whose decision do you write down?", re.compile("Miss Told"))
    expect(page.get_by_role("radio", name="at the bedside")).to_have_count(0)
    page.get_by_role("radio", name="by telephone").click()
    page.get_by_text("Order another interval").click()
    page.get_by_role("radio", name="15 min").click()
    page.get_by_role("radio", name="in 4 h").click()
    expect(page.get_by_text("The order holds until")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Continue: ")).dblclick()
    expect(page.get_by_role("status").filter(has_text="Written down")).to_contain_text(
        "Miss Told (told by telephone): continue as before, look every 15 min until"
    )
    (review,) = reviews_of(ward, flap_id)
    assert (review["by"], review["recorded_by"]) == (surgeon, "n-okafor")
