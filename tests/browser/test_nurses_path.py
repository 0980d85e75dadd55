"""The nurse's path: from a tile to a saved check and what was found in it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.hospital import Hospital
from tests.browser.visitor import ROUTINE, Visitor, took

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]


def test_a_routine_check_takes_twelve_actions_from_the_tile(ward: Hospital, visit: Visit) -> None:
    """A nurse taps the tile, fills every sign of a skin paddle, names herself and saves in at most
    twelve actions; what was found and the next due time come from the row that was written."""
    flap = ward.admit()
    nurse = visit(ward).to_board()
    started = time.monotonic()
    nurse.press(nurse.tile(flap).get_by_role("button", name="Record check"))
    nurse.routine()
    nurse.save()
    nurse.read_verdict("No finding")
    took(f"a routine check of {nurse.actions} actions, scripted,", started)
    assert nurse.actions <= 12
    (row,) = ward.checks(flap)
    assert {sign: row[sign] for sign in ROUTINE if sign != "refill"} == {
        sign: word for sign, word in ROUTINE.items() if sign != "refill"
    }
    assert row["refill_word"] == "normal"
    assert (row["flap_temp_c"], row["control_temp_c"]) == (33.4, 33.9)
    assert (row["by"], row["severity"], row["source"]) == ("n-okafor", "none", "bedside")
    expect(nurse.verdict).to_contain_text(re.compile(r"Saved \d\d:\d\d, observed \d\d:\d\d, by N"))
    expect(nurse.verdict.locator(".next")).to_contain_text(
        re.compile(r"Next check \d\d:\d\d \(in ")
    )
    nurse.press(nurse.verdict.get_by_role("button", name="Ward board"))
    expect(nurse.tile(flap)).to_have_attribute("data-severity", "none")


def test_a_check_without_touching_the_mouse(ward: Hospital, visit: Visit) -> None:
    """With gloves off and a keyboard only: the tile is reached, every sign answered, the name
    chosen and the check saved by keys alone."""
    flap = ward.admit()
    nurse = visit(ward).to_board("?needs=true")
    keys = nurse.page.keyboard
    nurse.tab_to(f'[data-flap="{flap}"] .button.primary')
    keys.press("Enter")
    expect(nurse.save_button).to_be_visible()
    nurse.tab_to('fieldset[data-sign="colour"] input[type="radio"]')
    keys.press("Space")
    nurse.tab_to('input.field[data-sign="refill"]')
    keys.type("2,0")
    keys.press("Enter")
    keys.type("33,4")
    keys.press("Enter")
    keys.type("33.9")
    nurse.tab_to('fieldset[data-sign="doppler_artery"] input[type="radio"]')
    keys.press("Space")
    nurse.tab_to('fieldset[data-sign="doppler_vein"] input[type="radio"]')
    keys.press("ArrowRight")
    keys.press("ArrowLeft")
    nurse.tab_to('fieldset[data-sign="turgor"] input[type="radio"]')
    keys.press("Space")
    nurse.tab_to("select.field")
    keys.type("N. Ok")
    nurse.tab_to("button.save")
    keys.press("Control+Enter")
    nurse.read_verdict("No finding")
    (row,) = ward.checks(flap)
    assert (row["colour"], row["turgor"], row["refill_seconds"]) == ("matches", "soft", 2.0)
    assert (row["flap_temp_c"], row["control_temp_c"]) == (33.4, 33.9)
    assert (row["doppler_artery"], row["doppler_vein"]) == ("strong", "present")
    assert row["by"] == "n-okafor"


def test_the_patients_next_flap_is_one_tap_away(ward: Hospital, visit: Visit) -> None:
    """After one paddle of a chimeric flap is saved, the other paddle's form is one tap away, with
    nothing carried over."""
    first, second = (
        row["id"] for row in ward.rows("SELECT id FROM flap WHERE label LIKE '%ALT paddle%'")
    )
    nurse = visit(ward).to_form(first)
    nurse.routine()
    nurse.save()
    nurse.verdict.get_by_role("button", name=re.compile("^Next: .*ALT paddle")).click()
    expect(nurse.page).to_have_url(re.compile(f"flap={second}"))
    expect(nurse.save_button).to_be_visible()
    assert nurse.chosen() == []
    assert nurse.page.locator("select.field").input_value() == ""


def test_a_red_check_reaches_another_open_board(ward: Hospital, visit: Visit) -> None:
    """A compromised flap saved at the bedside stands red, with its reason, within 8 seconds on a
    board that somebody else has open."""
    flap = ward.admit()
    office = visit(ward, width=1440, height=900).to_board()
    expect(office.tile(flap)).not_to_have_attribute("data-severity", "red")
    nurse = visit(ward).to_form(flap)
    nurse.occlusion()
    started = time.monotonic()
    nurse.save()
    expect(office.tile(flap)).to_have_attribute("data-severity", "red", timeout=8000)
    assert took("a red check on another open board", started) <= 8
    expect(office.tile(flap)).to_contain_text("RED")
    expect(office.tile(flap).locator(".why p").first).to_contain_text(
        re.compile("colour white", re.IGNORECASE)
    )
    expect(office.tile(flap).locator(".plan")).to_contain_text("nobody")
    (alert,) = ward.alerts(flap)
    assert (alert["severity"], alert["state"]) == ("red", "open")
    findings = json.loads(alert["findings"])
    assert findings
    nurse.read_verdict("RED: call now")
    expect(nurse.verdict.locator(".call")).to_contain_text("registrar")
