"""Being on call in a real browser: put somebody on, see the board turn calm, try a page."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, expect

from monitoring import care, paging
from monitoring.domain import ChannelKind, Level
from monitoring.paging import Channel
from tests.browser.hospital import Hospital
from tests.browser.test_access import SPILL, serious
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]
LONDON = ZoneInfo("Europe/London")

TOO_SMALL = """(root) => [...root.querySelectorAll(
  ".stButton button, .stButtonGroup button, .stPageLink a, .stSelectbox [role=group], "
  + "[data-testid=stDateInputField], [data-testid=stTimeInputTimeDisplay], "
  + "[data-testid=stTextInputRootElement], .stPopover button")]
  .filter((node) => node.checkVisibility())
  .map((node) => [node.textContent, node.getBoundingClientRect().height])
  .filter(([, height]) => height < 43.9)"""

ICS = "\r\n".join([
    "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//rota//EN", "BEGIN:VEVENT", "UID:n1",
    "SUMMARY:{summary}", "DTSTART;TZID=Europe/London:{day}T200000", "DURATION:PT12H",
    "END:VEVENT", "END:VCALENDAR", "",
])  # fmt: skip


@pytest.fixture(scope="module")
def unstaffed(lonely: Hospital) -> Hospital:
    """The demo ward with a telephone channel and nobody on call; no watcher touches channels."""
    now = datetime.now(UTC)
    with lonely.record.write() as conn:
        paging.write_channels(conn, now, [Channel("sms", ChannelKind.PERSONAL, None, True, now)])
        conn.exec_driver_sql("UPDATE shift SET ended_at = 0, ended_by = 'p-mensah'")
    return lonely


def oncall(visitor: Visitor, act: str = "") -> Visitor:
    """Open the page, and choose what to do."""
    visitor.page.goto(f"{visitor.hospital.address}/oncall")
    expect(visitor.page.get_by_role("heading", name=re.compile("On call now"))).to_be_visible()
    if act:
        visitor.page.locator(".stButtonGroup").get_by_text(act, exact=True).click()
        expect(visitor.page.get_by_role("combobox", name="Who are you?")).to_be_visible()
        expect(visitor.page.locator("section", has_text="Today, ")).to_have_count(0)
    return visitor


def choose(visitor: Visitor, label: str, name: str) -> None:
    """One of a list, by its beginning."""
    visitor.page.get_by_role("combobox", name=label).click()
    visitor.page.get_by_role("option", name=re.compile(f"^{re.escape(name)}")).first.click()


def type_moment(visitor: Visitor, label: str, moment: datetime) -> None:
    """A date and a time, typed digit by digit as on a tablet's keyboard."""
    local = moment.astimezone(LONDON)
    for part, text in (("date", f"{local:%d%m%Y}"), ("time", f"{local:%H%M}")):
        visitor.page.get_by_role("group", name=f"{label}: {part}").get_by_role(
            "spinbutton"
        ).first.click()
        visitor.page.keyboard.type(text, delay=20)
        visitor.page.keyboard.press("Tab")


def strip(visitor: Visitor) -> Locator:
    """The red strip above the board."""
    return visitor.page.locator(".st-key-preflight")


def test_somebody_is_put_on_call_and_the_board_says_so(unstaffed: Hospital, visit: Visit) -> None:
    """The board is red because nobody is on call; a charge nurse opens the page from there, puts
    a registrar on in wall times and gives their number; the page reads it back."""
    nurse = visit(unstaffed).to_board()
    expect(strip(nurse)).to_contain_text("nobody is on call as charge nurse, registrar")
    strip(nurse).get_by_role("link").click()
    expect(nurse.page.get_by_role("heading", name=re.compile("On call now"))).to_be_visible()
    oncall(nurse, "Enter a shift")
    choose(nurse, "Who are you?", "P. Mensah")
    choose(nurse, "Who is on call?", "Dr M. Osei")
    choose(nurse, "Level", "registrar")
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    type_moment(nurse, "From", now - timedelta(minutes=10))
    type_moment(nurse, "Until", now + timedelta(hours=20))
    nurse.page.get_by_role("button", name="Put on call").click()
    expect(nurse.page.locator(".notice")).to_contain_text("Dr M. Osei")
    (row,) = unstaffed.rows("SELECT * FROM shift WHERE ended_at IS NULL")
    assert row["from_at"] == int((now - timedelta(minutes=10)).timestamp() * 1_000_000)
    nurse.page.locator(".stButtonGroup").get_by_text("Contacts", exact=True).click()
    choose(nurse, "Who is reached?", "Dr M. Osei")
    choose(nurse, "Channel", "sms")
    nurse.page.get_by_role("textbox", name=re.compile("^Telephone number")).fill("07700 900123")
    nurse.page.get_by_role("button", name="Save the contact").click()
    expect(nurse.page.locator(".notice")).to_contain_text("07700900123")
    on_call = nurse.page.locator("section", has_text="On call now").first
    expect(on_call).to_contain_text("Dr M. Osei")
    expect(on_call).to_contain_text("by sms")


def test_a_test_page_is_followed_to_its_answer(unstaffed: Hospital, visit: Visit) -> None:
    """One press writes it; what comes back appears by itself, without a reload."""
    care.set_contact(
        unstaffed.record, staff_id="p-mensah", channel="sms", address="07700900124",
        by="p-mensah", now=datetime.now(UTC),
    )  # fmt: skip
    nurse = oncall(visit(unstaffed), "Test pages")
    choose(nurse, "Who are you?", "N. Okafor")
    nurse.page.locator(".st-key-test-p-mensah").get_by_role("button").click()
    came_back = nurse.page.locator("section", has_text="What came back")
    expect(came_back).to_contain_text("On its way")
    with unstaffed.record.write() as conn:
        conn.exec_driver_sql("UPDATE page SET attempts = 1, answer = 'gateway says 503'")
    expect(came_back).to_contain_text("Failed once, is tried again: gateway says 503")
    nurse.to_board()
    expect(strip(nurse)).to_be_visible(timeout=20_000)
    oncall(nurse)
    expect(nurse.page.get_by_text("Channel sms failed its last test")).to_be_visible(timeout=20_000)


def test_a_rota_file_is_read_before_it_is_believed(unstaffed: Hospital, visit: Visit) -> None:
    """A file with an unknown level is refused in a sentence, its title shown as text; a good one
    is listed first and imported on a press."""
    day = f"{datetime.now(LONDON) + timedelta(days=2):%Y%m%d}"
    nurse = oncall(visit(unstaffed), "Rota file")
    choose(nurse, "Who are you?", "P. Mensah")
    for summary in ("SHO: <img src=x onerror=alert(1)>", "Consultant: Miss R. Lindqvist"):
        body = ICS.format(summary=summary, day=day).encode()
        nurse.page.locator("input[type=file]").set_input_files(
            files=[{"name": "rota.ics", "mimeType": "text/calendar", "buffer": body}]
        )
        if summary.startswith("SHO"):
            expect(nurse.page.get_by_text("is not on the staff list")).to_be_visible()
            expect(nurse.page.get_by_role("button", name="Import")).to_have_count(0)
    expect(nurse.page.get_by_text("1 new, 0 of earlier files")).to_be_visible()
    nurse.page.get_by_role("button", name="Import", exact=True).click()
    expect(nurse.page.locator(".notice")).to_contain_text("Rota imported")
    assert len(unstaffed.rows("SELECT * FROM shift WHERE uid = 'n1'")) == 1


@pytest.mark.parametrize("width", [390, 820, 1440])
@pytest.mark.parametrize("act", ["", "Enter a shift", "Contacts", "Test pages", "Rota file"])
def test_the_page_fits_every_screen(
    unstaffed: Hospital, visit: Visit, width: int, act: str
) -> None:
    """Nothing hangs over the edge and nothing to touch is smaller than 44 px."""
    if not unstaffed.rows("SELECT * FROM shift WHERE ended_at IS NULL"):
        now = datetime.now(UTC)
        care.enter_shift(
            unstaffed.record, ward="Ward 7", level=Level.REGISTRAR, staff_id="dr-m-osei",
            from_at=now, until_at=now + timedelta(hours=9), by="p-mensah", now=now,
        )  # fmt: skip
    visitor = oncall(visit(unstaffed, width=width, height=844), act)
    visitor.page.wait_for_function("() => !document.querySelector('[data-testid=stSkeleton]')")
    assert visitor.page.evaluate(SPILL) == [0, 0]
    assert visitor.page.locator("[data-testid=stMain]").evaluate(TOO_SMALL) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("act", ["", "Enter a shift", "Test pages"])
def test_the_page_shuts_nobody_out(unstaffed: Hospital, visit: Visit, theme: str, act: str) -> None:
    """In both themes: contrast, names, roles, order; the board's strip too."""
    visitor = oncall(visit(unstaffed, color_scheme=theme), act)
    assert serious(visitor) == []
    if not act:
        visitor.to_board()
        expect(strip(visitor)).to_be_visible()
        assert serious(visitor) == []
