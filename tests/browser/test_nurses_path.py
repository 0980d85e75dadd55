"""The nurse's path: from a tile to a saved check and what was found in it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.hospital import Hospital, eventually
from tests.browser.visitor import ROUTINE, Visitor

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
    took = time.monotonic() - started
    print(f"\nroutine check: {nurse.actions} actions, {took:.1f} s scripted")
    assert nurse.actions <= 12
    (row,) = ward.checks(flap)
    assert {sign: row[sign] for sign in ROUTINE if sign != "refill"} == {
        sign: word for sign, word in ROUTINE.items() if sign != "refill"
    }
    assert row["refill_word"] == "normal"
    assert (row["flap_temp_c"], row["control_temp_c"]) == (33.4, 33.9)
    assert (row["by"], row["severity"], row["source"]) == ("n-okafor", "none", "bedside")
    expect(nurse.verdict).to_contain_text(re.compile(r"Saved \d\d:\d\d, observed \d\d:\d\d, by N"))
    expect(nurse.verdict.locator(".next")).to_contain_text(re.compile(r"Next check \d\d:\d\d \(in "))
    nurse.press(nurse.verdict.get_by_role("button", name="Ward board"))
    expect(nurse.tile(flap)).to_have_attribute("data-severity", "none")
