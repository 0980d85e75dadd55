"""The form is honest: what was typed is what is stored, and what was not looked at stays blank."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.browser.hospital import Hospital
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]
WARD = ZoneInfo("Europe/London")


@pytest.fixture
def flap(ward: Hospital) -> str:
    """A flap admitted for this test."""
    return ward.admit()


@pytest.fixture
def nurse(ward: Hospital, visit: Visit, flap: str) -> Visitor:
    """A nurse with that flap's form before her."""
    return visit(ward).to_form(flap)


def test_nothing_is_chosen_for_the_nurse(nurse: Visitor, ward: Hospital) -> None:
    """A form opens empty: no sign chosen, no field filled, no name taken from last time. The same
    on a flap with many checks behind it."""
    assert nurse.chosen() == []
    assert nurse.page.locator("select.field").input_value() == ""
    nurse.to_form(ward.flap("ADEYEMI, Grace"))
    assert nurse.chosen() == []
    assert nurse.page.locator("select.field").input_value() == ""
    expect(nurse.row("colour").locator(".label")).to_contain_text(re.compile(r"\d\d:\d\d dusky"))


def test_patient_and_flap_stand_beside_save(nurse: Visitor, ward: Hospital) -> None:
    """Save names the patient and the flap it is for, and a namesake on the ward is warned of."""
    expect(nurse.page.locator(".namesake")).to_have_count(0)
    nurse.to_form(ward.flap("ADEYEMI, Grace"))
    expect(nurse.save_button).to_have_text("Save for ADEYEMI, Grace · L breast DIEP")
    identity = nurse.page.locator(".identity")
    expect(identity).to_contain_text("MRN 204118")
    expect(identity.locator(".namesake")).to_have_text("another ADEYEMI in bed 9")


def test_a_decimal_comma_is_a_decimal(nurse: Visitor, ward: Hospital, flap: str) -> None:
    """3,5 seconds is 3.5 seconds, never 35."""
    nurse.type(refill="3,5")
    nurse.say(colour="matches")
    nurse.sign_as()
    nurse.save()
    expect(nurse.verdict).to_be_visible()
    (row,) = ward.checks(flap)
    assert row["refill_seconds"] == 3.5


def test_an_impossible_temperature_is_refused_beside_its_field(
    nurse: Visitor, ward: Hospital, flap: str
) -> None:
    """334 for a temperature is refused with a sentence at the field; nothing else that was entered
    is lost, and once mended the check is saved."""
    nurse.routine()
    nurse.type(flap_temp_c="334")
    nurse.save()
    error = nurse.row("temperatures").locator(".error")
    expect(error).to_contain_text(re.compile("334.*10 to 43"))
    expect(nurse.says).to_contain_text("marked fields")
    assert ward.checks(flap) == []
    expect(nurse.field("flap_temp_c")).to_have_value("334")
    expect(nurse.field("flap_temp_c")).to_have_attribute("aria-invalid", "true")
    expect(nurse.field("flap_temp_c")).to_be_focused()
    expect(nurse.field("control_temp_c")).to_have_value("33.9")
    expect(nurse.word("colour", "matches")).to_be_checked()
    expect(nurse.page.locator(".as b")).to_have_text("N. Okafor")
    nurse.type(flap_temp_c="33,4")
    expect(error).to_be_hidden()
    nurse.save()
    nurse.read_verdict("No finding")
    assert ward.checks(flap)[0]["flap_temp_c"] == 33.4


def test_what_cannot_be_read_is_never_guessed(nurse: Visitor, ward: Hospital, flap: str) -> None:
    """Text, a minus sign, out of range, degrees Fahrenheit: refused, nothing converted."""
    nurse.sign_as()
    for sign, typed in (
        ("refill", "abc"), ("refill", "-1"), ("refill", "16"), ("flap_temp_c", "92"),
    ):  # fmt: skip
        nurse.type(**{sign: typed})
        nurse.save()
        row = nurse.row("temperatures" if sign == "flap_temp_c" else sign)
        expect(row.locator(".error").first).to_contain_text(typed)
        expect(nurse.field(sign)).to_have_value(typed)
        nurse.type(**{sign: ""})
    assert ward.checks(flap) == []


def test_an_unusual_refill_is_asked_about(nurse: Visitor, ward: Hospital, flap: str) -> None:
    """9 seconds may be true and may be a slip: nothing is stored until it is confirmed."""
    nurse.type(refill="9")
    nurse.say(colour="matches")
    nurse.sign_as()
    nurse.save()
    question = nurse.row("refill").locator(".question")
    expect(question).to_contain_text("9")
    expect(nurse.says).to_contain_text("Not saved yet")
    assert ward.checks(flap) == []
    nurse.press(question.get_by_role("button", name="yes, it is right"))
    nurse.save()
    expect(nurse.verdict).to_be_visible()
    assert ward.checks(flap)[0]["refill_seconds"] == 9


def test_a_confirmation_does_not_outlive_the_value(
    nurse: Visitor, ward: Hospital, flap: str
) -> None:
    """A yes to 9 seconds is no yes to the 12 typed after it."""
    nurse.type(refill="9")
    nurse.sign_as()
    nurse.save()
    nurse.press(nurse.row("refill").get_by_role("button", name="yes, it is right"))
    nurse.type(refill="12")
    nurse.save()
    expect(nurse.row("refill").locator(".question")).to_contain_text("12")
    assert ward.checks(flap) == []


def test_blank_stays_blank(nurse: Visitor, ward: Hospital, flap: str) -> None:
    """Only what was looked at is stored: the rest is absent, never normal and never zero, and the
    flap is not called cleared."""
    nurse.say(colour="matches", turgor="soft")
    nurse.say(turgor="soft")  # touched again: taken back
    nurse.type(refill="  ")
    nurse.sign_as()
    nurse.save()
    nurse.read_verdict("Saved, but not complete: the flap is not cleared")
    expect(nurse.verdict).to_contain_text("still to be looked at")
    (row,) = ward.checks(flap)
    blank = ("refill_seconds", "refill_word", "turgor", "flap_temp_c", "control_temp_c",
             "doppler_artery", "doppler_vein", "note")  # fmt: skip
    assert {name: row[name] for name in blank} == dict.fromkeys(blank)
    assert row["colour"] == "matches"
    assert json.loads(row["unable"] or "{}") == {}
    assert not row["is_full"]


def test_unable_is_stored_with_its_reason(nurse: Visitor, ward: Hospital, flap: str) -> None:
    """A dressing over the paddle, no probe: unable, each with why, is neither blank nor normal."""
    for sign, label, reason in (
        ("colour", "Colour", "dressing"), ("temperatures", "Temperature", "equipment"),
    ):  # fmt: skip
        nurse.press(nurse.unable(sign, label))
        nurse.press(nurse.row(sign).get_by_role("radio", name=reason, exact=True))
    nurse.sign_as()
    nurse.save()
    expect(nurse.verdict).to_be_visible()
    (row,) = ward.checks(flap)
    stored = {sign: why["unable"] for sign, why in json.loads(row["unable"]).items()}
    assert stored == {
        "colour": "dressing", "flap_temp_c": "equipment", "control_temp_c": "equipment",
    }  # fmt: skip
    assert row["colour"] is None


def test_another_reason_wants_words(nurse: Visitor, ward: Hospital, flap: str) -> None:
    """Unable for another reason is refused until the reason is written."""
    row = nurse.row("colour")
    nurse.press(nurse.unable("colour", "Colour"))
    nurse.press(row.get_by_role("radio", name="other", exact=True))
    nurse.sign_as()
    nurse.save()
    expect(row.locator(".error")).to_be_visible()
    assert ward.checks(flap) == []
    row.get_by_role("textbox", name="Colour: unable, which reason").fill("tattoo over the paddle")
    nurse.save()
    expect(nurse.verdict).to_be_visible()
    assert "tattoo over the paddle" in ward.checks(flap)[0]["unable"]


def test_a_check_without_a_name_is_refused(nurse: Visitor, ward: Hospital, flap: str) -> None:
    """Whoever made the check must say so; nobody is assumed."""
    nurse.say(colour="matches")
    nurse.save()
    expect(nurse.page.locator("fieldset.by .error")).to_have_text("Say who made this check.")
    expect(nurse.page.locator("select.field")).to_be_focused()
    assert ward.checks(flap) == []


def test_a_name_can_be_added_and_chosen(nurse: Visitor, ward: Hospital, flap: str) -> None:
    """A nurse from the bank adds her name to the list without losing what she entered."""
    nurse.say(colour="matches")
    nurse.page.get_by_role("button", name="My name is not on the list").click()
    nurse.page.get_by_label("Name", exact=True).fill("B. Newcomer")
    nurse.page.get_by_label("Name", exact=True).press("Tab")
    nurse.page.get_by_role("combobox", name=re.compile("Role")).click()
    nurse.page.get_by_role("option", name="nurse", exact=True).click()
    nurse.page.get_by_role("button", name="Add to the staff list").click()
    expect(nurse.page.locator("select.field option", has_text="B. Newcomer")).to_have_count(1)
    nurse.page.keyboard.press("Escape")
    expect(nurse.word("colour", "matches")).to_be_checked()
    nurse.sign_as("B. Newcomer")
    nurse.save()
    expect(nurse.verdict).to_contain_text("by B. Newcomer")
    assert ward.checks(flap)[0]["by"] == "b-newcomer"


def claim(nurse: Visitor, at: datetime) -> None:
    """Say that the check was made at another time than now."""
    day = "today" if at.date() == datetime.now(WARD).date() else "yesterday"
    nurse.press(nurse.page.get_by_role("button", name="change"))
    nurse.press(nurse.word("observed_at", day))
    nurse.type(observed_at=f"{at:%H:%M}")


def test_a_late_entry_says_that_it_is_late(ward: Hospital, visit: Visit) -> None:
    """A check made 50 minutes ago and entered now is stored with both times, marked late, and says
    what would have been known then."""
    flap = ward.admit(
        perfused_at=datetime.now(UTC) - timedelta(hours=5),
        monitoring_from=datetime.now(UTC) - timedelta(hours=4),
    )
    nurse = visit(ward).to_form(flap)
    made = datetime.now(WARD) - timedelta(minutes=50)
    claim(nurse, made)
    nurse.occlusion()
    nurse.save()
    nurse.read_verdict("RED: call now")
    expect(nurse.verdict).to_contain_text("Entered late")
    expect(nurse.verdict).to_contain_text(f"observed {made:%H:%M}")
    (row,) = ward.checks(flap)
    assert row["source"] == "late_entry"
    observed = datetime.fromtimestamp(row["observed_at"] / 1_000_000, WARD)
    assert f"{observed:%d %H:%M}" == f"{made:%d %H:%M}"
    apart = (row["recorded_at"] - row["observed_at"]) / 60_000_000
    assert 49 < apart < 53


def test_a_time_ahead_is_refused(nurse: Visitor, ward: Hospital, flap: str) -> None:
    """Nobody can have looked at the flap in the future."""
    ahead = datetime.now(WARD) + timedelta(minutes=20)
    nurse.press(nurse.page.get_by_role("button", name="change"))
    if ahead.date() == datetime.now(WARD).date():
        nurse.type(observed_at=f"{ahead:%H:%M}")
    else:  # the last minutes of a day: the same is tried with a time before the flap existed
        nurse.press(nurse.word("observed_at", "yesterday"))
        nurse.type(observed_at="00:01")
    nurse.say(colour="matches")
    nurse.sign_as()
    nurse.save()
    said = nurse.row("observed_at").locator(".error").or_(nurse.says)
    expect(said.filter(visible=True).first).to_contain_text(
        re.compile("ahead|future|before", re.IGNORECASE)
    )
    assert ward.checks(flap) == []


def test_a_second_press_is_asked_outside_one_to_three_seconds(nurse: Visitor) -> None:
    """One press outside 1 to 3 s is not trusted alone: the second press is offered; a usual
    refill, or none, asks for nothing more."""
    again = nurse.row("refill_again")
    expect(again).to_be_hidden()
    for unusual, usual in (("0,9", "1"), ("0", "2,4"), ("3.1", "3"), ("4", ""), ("15", "x")):
        nurse.type(refill=unusual)
        expect(again).to_be_visible()
        nurse.type(refill=usual)
        expect(again).to_be_hidden()


def test_refill_in_words_and_its_second_press(nurse: Visitor, ward: Hospital, flap: str) -> None:
    """Brisk, slow and absent offer the second press, normal does not; both are stored."""
    for word in ("brisk", "slow", "absent"):
        nurse.say(refill=word)
        expect(nurse.row("refill_again")).to_be_visible()
        nurse.say(refill="normal")
        expect(nurse.row("refill_again")).to_be_hidden()
    nurse.say(refill="brisk")
    nurse.type(refill_again="0,7")
    nurse.sign_as()
    nurse.save()
    expect(nurse.verdict).to_be_visible()
    (row,) = ward.checks(flap)
    assert (row["refill_word"], row["refill_again_seconds"]) == ("brisk", 0.7)


def timed(nurse: Visitor, ward: Hospital, flap: str) -> tuple[float, str]:
    """What is stored of the timed refill, and what the field showed of it."""
    shown = nurse.field("refill").input_value()
    nurse.sign_as()
    nurse.save()
    expect(nurse.verdict).to_be_visible()
    return ward.checks(flap)[0]["refill_seconds"], shown


PINK = re.compile(r"^[1-9]\.\d s · tap when pink")


def test_refill_is_timed_by_two_taps(nurse: Visitor, ward: Hospital, flap: str) -> None:
    """Tap at release, tap when pink: the seconds between the taps stand in the field and in the
    record."""
    timer = nurse.row("refill").locator("button.timer")
    nurse.press(timer)
    expect(timer).to_have_text(PINK)
    nurse.press(timer)
    stored, shown = timed(nurse, ward, flap)
    assert 1 <= stored < 6
    assert shown == f"{stored:.1f}"


def test_refill_is_timed_by_the_space_bar(nurse: Visitor, ward: Hospital, flap: str) -> None:
    """The timer works from the keyboard as it does from the glass."""
    timer = nurse.row("refill").locator("button.timer")
    timer.focus()
    nurse.page.keyboard.press("Space")
    expect(timer).to_have_text(PINK)
    nurse.page.keyboard.press("Space")
    stored, shown = timed(nurse, ward, flap)
    assert 1 <= stored < 6
    assert shown == f"{stored:.1f}"


def test_worry_alone_is_enough(nurse: Visitor, ward: Hospital, flap: str) -> None:
    """A nurse who is worried and can't say more saves just that, and it raises an alert."""
    nurse.press(nurse.page.get_by_role("button", name="yes, something is wrong"))
    nurse.page.get_by_label("What worries you").fill("he is not himself")
    nurse.sign_as()
    nurse.save()
    nurse.read_verdict(re.compile("^(AMBER|RED)"))
    (row,) = ward.checks(flap)
    assert (row["nurse_concern"], row["concern_about"]) == (1, "he is not himself")
    (alert,) = ward.alerts(flap)
    assert alert["severity"] in ("amber", "red")


def test_an_empty_form_is_not_a_check(nurse: Visitor, ward: Hospital, flap: str) -> None:
    """A name alone is no check: nothing is stored, and it is said why."""
    nurse.sign_as()
    nurse.save()
    expect(nurse.says).to_contain_text("Nothing was entered")
    assert ward.checks(flap) == []
