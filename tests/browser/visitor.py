"""A person with a tab of their own: what they do on the board and at the bedside, each click,
choice and filled field counted as one action, and what their browser did meanwhile."""

from __future__ import annotations

import re
import time
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Locator, expect

from tests.browser.hospital import Hospital

ROUTINE = {
    "colour": "matches", "refill": "normal", "turgor": "soft", "doppler_artery": "strong",
    "doppler_vein": "present",
}  # fmt: skip
"""A routine check of a skin paddle in words; the two temperatures are typed."""

OCCLUDED = {
    "colour": "white", "refill": "absent", "turgor": "flaccid", "doppler_artery": "absent",
    "doppler_vein": "absent",
}  # fmt: skip
"""An arterial occlusion in words."""

PROBE = re.compile(r"status of 404 .*/\w+/_stcore/(health|host-config)\)$")
"""Opened at a page's own address, Streamlit first looks for its server below that address."""

FOCUSED = """(selector) => {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  return at?.matches(selector) ?? false;
}"""

ANSWERED = """(rows) => rows.flatMap((row) =>
  [...row.querySelectorAll("input, textarea, [aria-pressed='true'], .unable.chosen")]
    .filter((node) => node.type === "radio" ? node.checked : node.matches("button") || node.value)
    .map((node) => `${row.dataset.sign}: ${node.value || node.textContent}`))"""


def took(what: str, started: float) -> float:
    """Seconds since ``started``, said aloud for whoever runs the tests with -s."""
    seconds = time.monotonic() - started
    print(f"\n{what} took {seconds:.1f} s")  # noqa: T201
    return seconds


class Visitor:
    """One tab at one hospital."""

    def __init__(self, context: BrowserContext, hospital: Hospital) -> None:
        self.hospital = hospital
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        self.dialogs: list[str] = []
        self.lost_server = False
        self.actions = 0
        self.page = context.new_page()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", self._asked)
        self.page.on("request", lambda request: self._requested(request.url))
        self.page.on("websocket", lambda socket: self._requested(socket.url))

    def _heard(self, message: ConsoleMessage) -> None:
        complaint = f"{message.text} ({message.location.get('url')})"
        if message.type == "error" and not PROBE.search(complaint):
            self.complaints.append(complaint)

    def _asked(self, dialog: Dialog) -> None:
        if dialog.type != "beforeunload":
            self.dialogs.append(dialog.message)
        dialog.accept()

    def _requested(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and (
            parts.netloc != f"127.0.0.1:{self.hospital.port}"
        ):
            self.strangers.append(url)

    def assert_quiet(self) -> None:
        """No error in the console, no dialog, nothing asked of another host."""
        assert self.strangers == []
        assert self.dialogs == []
        if not self.lost_server:
            assert self.complaints == []

    def leave(self) -> None:
        """Close the tab."""
        self.page.close()

    # Going somewhere.

    def to_board(self, query: str = "") -> Visitor:
        """Open the ward board by its address."""
        self.page.goto(f"{self.hospital.address}/{query}")
        expect(self.live).to_contain_text("live, updated")
        return self

    def to_form(self, flap_id: str) -> Visitor:
        """Open the check form of a flap by its address."""
        self.page.goto(f"{self.hospital.address}/check?flap={flap_id}")
        expect(self.save_button).to_be_visible()
        return self

    @property
    def live(self) -> Locator:
        """The board's own light."""
        return self.page.locator(".live")

    @property
    def banner(self) -> Locator:
        """The board's loud banners."""
        return self.page.locator(".banners")

    def tile(self, flap_id: str) -> Locator:
        """The tile of a flap on the board."""
        return self.page.locator(f'.tile[data-flap="{flap_id}"]')

    # At the bedside.

    def row(self, sign: str) -> Locator:
        """The row of a sign in the form."""
        return self.page.locator(f'fieldset.row[data-sign="{sign}"]')

    def field(self, sign: str) -> Locator:
        """The text field of a sign."""
        return self.page.locator(f'.field[data-sign="{sign}"]')

    def word(self, sign: str, word: str) -> Locator:
        """One of a sign's words."""
        return self.row(sign).get_by_role("radio", name=word, exact=True)

    def unable(self, sign: str, label: str) -> Locator:
        """The button that says a sign could not be looked at."""
        return self.row(sign).get_by_role("button", name=re.compile(f"^unable ?: {label}$"))

    def press(self, control: Locator) -> None:
        """One tap."""
        self.actions += 1
        control.click()

    def say(self, **words: str) -> None:
        """Tap the word of each sign."""
        for sign, word in words.items():
            self.press(self.word(sign, word))

    def type(self, **texts: str) -> None:
        """Fill the field of each sign."""
        for sign, text in texts.items():
            self.actions += 1
            self.field(sign).fill(text)

    def sign_as(self, name: str = "N. Okafor") -> None:
        """Choose one's name from the staff list."""
        self.actions += 1
        choice = self.page.locator("select.field")
        label = choice.locator("option", has_text=name).first.text_content() or ""
        choice.select_option(label=label)

    def tab_to(self, selector: str) -> None:
        """Press Tab until the control is reached; fails when it never is."""
        for _ in range(120):
            self.page.keyboard.press("Tab")
            if self.page.evaluate(FOCUSED, selector):
                return
        raise AssertionError(f"{selector} cannot be reached with Tab")

    def chosen(self) -> list[str]:
        """Everything in the form that is chosen or filled."""
        found: list[str] = self.page.locator("fieldset.row").evaluate_all(ANSWERED)
        return found

    @property
    def save_button(self) -> Locator:
        """The Save of the form."""
        return self.page.locator("button.save:visible")

    def save(self) -> None:
        """Press Save, once."""
        self.press(self.save_button)

    @property
    def says(self) -> Locator:
        """What the form says beside Save."""
        return self.page.locator(".says")

    @property
    def verdict(self) -> Locator:
        """What was found in the check just saved."""
        return self.page.locator(".verdict")

    def read_verdict(self, title: str | re.Pattern[str]) -> None:
        """Wait for the verdict with this title."""
        expect(self.verdict.locator("h1")).to_have_text(title)

    def routine(self, by: str = "N. Okafor") -> None:
        """Fill a routine check without a finding, up to but not including Save."""
        self.say(**ROUTINE)
        self.type(flap_temp_c="33.4", control_temp_c="33.9")
        self.sign_as(by)

    def occlusion(self, by: str = "N. Okafor") -> None:
        """Fill a check that shows an arterial occlusion, up to but not including Save."""
        self.say(**OCCLUDED)
        self.sign_as(by)
