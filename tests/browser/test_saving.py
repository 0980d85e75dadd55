"""Save, whatever happens around it: once, whole with its alert, or not at all and said so."""

from __future__ import annotations

import re
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from tests.browser.hospital import Hospital
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]


@pytest.mark.parametrize("clicks", [2, 3])
def test_an_impatient_finger_saves_once(ward: Hospital, visit: Visit, clicks: int) -> None:
    """Save pressed twice or three times in a hurry writes one check and raises one alert."""
    flap = ward.admit()
    nurse = visit(ward).to_form(flap)
    nurse.occlusion()
    nurse.save_button.click(click_count=clicks, delay=20)
    nurse.read_verdict("RED: call now")
    assert len(ward.checks(flap)) == 1
    assert len(ward.alerts(flap)) == 1


ELSEWHERE: dict[str, Callable[[Visitor], None]] = {
    "another page": lambda nurse: nurse.page.get_by_role("link", name="Alerts").click(),
    "the board": lambda nurse: nurse.page.get_by_role("link", name="Ward board").click(),
    "reload": lambda nurse: nurse.page.reload(wait_until="commit") and None,
    "tab closed": lambda nurse: nurse.page.close(),
}


@pytest.mark.parametrize("where", ELSEWHERE)
def test_a_click_elsewhere_never_cuts_a_save_in_half(
    ward: Hospital, visit: Visit, where: str
) -> None:
    """The record is busy, the nurse presses Save and at once goes elsewhere: what was found is
    stored with its alert, and nothing is stored twice."""
    flap = ward.admit()
    nurse = visit(ward).to_form(flap)
    nurse.occlusion()
    with ward.written_by_another():
        nurse.save()
        expect(nurse.save_button).to_have_text("Saving")
        ELSEWHERE[where](nurse)
        watcher = visit(ward).to_board()
        assert ward.checks(flap) == []
    expect(watcher.tile(flap)).to_have_attribute("data-severity", "red")
    (check,) = ward.checks(flap)
    assert check["severity"] == "red"
    (alert,) = ward.alerts(flap)
    assert alert["severity"] == "red"


def assert_kept(nurse: Visitor) -> None:
    """What was entered still stands in the form."""
    expect(nurse.word("colour", "white")).to_be_checked()
    expect(nurse.word("refill", "absent")).to_be_checked()
    expect(nurse.page.locator(".as b")).to_have_text("N. Okafor")


def assert_saved_once(nurse: Visitor, flap: str) -> None:
    """The verdict is there, and exactly one row with its alert."""
    nurse.read_verdict("RED: call now")
    assert len(nurse.hospital.checks(flap)) == 1
    assert len(nurse.hospital.alerts(flap)) == 1


def test_a_record_locked_for_too_long_is_said(ward: Hospital, visit: Visit) -> None:
    """Somebody holds the record longer than a save waits: NOT SAVED, everything entered stands,
    and pressing Save again stores it once."""
    flap = ward.admit()
    nurse = visit(ward).to_form(flap)
    nurse.occlusion()
    with ward.written_by_another():
        nurse.save()
        expect(nurse.says).to_contain_text(re.compile("^NOT SAVED.*locked.*entries are kept here"))
    assert ward.checks(flap) == []
    assert ward.alerts(flap) == []
    assert_kept(nurse)
    nurse.save()
    assert_saved_once(nurse, flap)


@contextmanager
def no_room(hospital: Hospital) -> Iterator[None]:
    """The server may not write to any file beyond its first bytes."""
    _, hard = resource.prlimit(hospital.server_id, resource.RLIMIT_FSIZE)
    resource.prlimit(hospital.server_id, resource.RLIMIT_FSIZE, (1, hard))
    try:
        yield
    finally:
        resource.prlimit(hospital.server_id, resource.RLIMIT_FSIZE, (hard, hard))


def test_a_disk_that_takes_no_more_is_said(troubled: Hospital, visit: Visit) -> None:
    """The disk takes nothing more: NOT SAVED with the reason, and everything entered stands until
    there is room again."""
    flap = troubled.admit()
    nurse = visit(troubled).to_form(flap)
    nurse.occlusion()
    with no_room(troubled):
        nurse.save()
        expect(nurse.says).to_contain_text(re.compile("^NOT SAVED.*disk.*entries are kept here"))
        assert_kept(nurse)
    assert troubled.checks(flap) == []
    nurse.save()
    assert_saved_once(nurse, flap)


def test_no_answer_for_ten_seconds_is_said_and_a_second_press_is_safe(
    troubled: Hospital, visit: Visit
) -> None:
    """The server freezes during a save: after 10 s the form says NOT SAVED with everything kept;
    the press that was under way and the second one together store one check."""
    flap = troubled.admit()
    nurse = visit(troubled).to_form(flap)
    nurse.occlusion()
    troubled.pause()
    nurse.save()
    expect(nurse.says).to_contain_text("NOT SAVED (no answer from the server)")
    assert_kept(nurse)
    nurse.save()
    expect(nurse.save_button).to_have_text("Saving")
    troubled.wake()
    assert_saved_once(nurse, flap)


def test_a_late_answer_is_still_told(troubled: Hospital, visit: Visit) -> None:
    """The server freezes during a save and wakes after the form gave up: what was found appears by
    itself, and one check is stored."""
    flap = troubled.admit()
    nurse = visit(troubled).to_form(flap)
    nurse.occlusion()
    troubled.pause()
    nurse.save()
    expect(nurse.says).to_contain_text("NOT SAVED")
    troubled.wake()
    assert_saved_once(nurse, flap)


def test_a_server_restarted_under_a_full_form(troubled: Hospital, visit: Visit) -> None:
    """The server is restarted between typing and saving: the entries stand, and Save stores one
    check."""
    flap = troubled.admit()
    nurse = visit(troubled).to_form(flap)
    nurse.lost_server = True
    nurse.occlusion()
    troubled.kill()
    troubled.start()
    assert_kept(nurse)
    nurse.save()
    assert_saved_once(nurse, flap)


def test_a_reload_keeps_the_draft_on_offer(ward: Hospital, visit: Visit) -> None:
    """A tab reloaded by accident offers what was typed; the name of whoever typed it is asked
    again, and one check is stored."""
    flap = ward.admit()
    nurse = visit(ward).to_form(flap)
    nurse.occlusion()
    nurse.page.reload()
    offer = nurse.page.locator(".offer")
    expect(offer).to_contain_text("were not saved")
    assert nurse.chosen() == []
    offer.get_by_role("button", name="take them up again").click()
    expect(nurse.word("colour", "white")).to_be_checked()
    assert nurse.page.locator("select.field").input_value() == ""
    nurse.sign_as("S. Lindberg")
    nurse.save()
    assert_saved_once(nurse, flap)
    assert ward.checks(flap)[0]["by"] == "s-lindberg"
    kept = "Object.keys(sessionStorage).some((key) => key.startsWith('flap-check:'))"
    nurse.page.wait_for_function(f"!({kept})")
    nurse.to_form(flap)
    expect(nurse.page.locator(".offer")).to_be_hidden()


def test_a_discarded_draft_is_gone(ward: Hospital, visit: Visit) -> None:
    """What the nurse discards is not offered again, and nothing of it is stored."""
    flap = ward.admit()
    nurse = visit(ward).to_form(flap)
    nurse.say(colour="white")
    nurse.page.reload()
    nurse.page.get_by_role("button", name="discard").click()
    expect(nurse.page.locator(".offer")).to_be_hidden()
    nurse.page.reload()
    expect(nurse.save_button).to_be_visible()
    expect(nurse.page.locator(".offer")).to_be_hidden()
    assert nurse.chosen() == []
    assert ward.checks(flap) == []
