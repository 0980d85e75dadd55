"""From a nurse's finding to a surgeon's decision and back, in one hospital: the server, the
watcher, a provider that carries the messages, a tablet, a telephone and the ward's board."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from monitoring import care
from monitoring.domain import Level, Role
from tests.browser.hospital import Hospital, command, eventually
from tests.browser.visitor import Visitor, took
from tests.sinks import HttpSink, http_sink

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]


@dataclass
class House:
    """A hospital whose messages reach a provider, and who is on call as registrar."""

    hospital: Hospital
    sink: HttpSink
    registrar: str


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """An empty record, five people, a registrar and a consultant on call until tomorrow."""
    folder = tmp_path_factory.mktemp("house")
    command(f"sqlite:///{folder / 'record.db'}", "migrate")
    with http_sink() as sink:
        channels = json.dumps({"sms": sink.url("/{to}")})
        with closing(Hospital(folder, FLAPS_CHANNELS=channels)) as hospital:
            for nurse in ("N. Okafor", "P. Mensah"):
                hospital.hire(nurse)
            registrar = hospital.hire("Dr Osei", Role.REGISTRAR)
            consultant = hospital.hire("Miss Lindqvist", Role.CONSULTANT)
            hospital.start()
            hospital.start_watcher()
            eventually(lambda: hospital.rows("SELECT name FROM channel"), what="the channel")
            for who, level in (
                (registrar, Level.REGISTRAR), (consultant, Level.MICROSURGEON),
                (consultant, Level.CONSULTANT),
            ):  # fmt: skip
                on_call(hospital, who, level)
            yield House(hospital, sink, registrar)
        assert "Traceback" not in Path(hospital.log).read_text()


def on_call(hospital: Hospital, who: str, level: Level) -> None:
    """On call until tomorrow, reached by their number."""
    now = datetime.now(UTC)
    care.set_contact(
        hospital.record, staff_id=who, channel="sms", address=who, by=who, now=now
    )  # fmt: skip
    care.enter_shift(
        hospital.record, ward="Ward 7", level=level, staff_id=who, from_at=now,
        until_at=now + timedelta(hours=20), by=who, now=now,
    )  # fmt: skip


def in_order(story: Locator, *words: str) -> None:
    """The story tells these, in this order, whatever else it tells between them."""
    lines = story.all_inner_texts()
    places = []
    for word in words:
        of_word = [n for n, line in enumerate(lines) if re.search(rf"^\S+ (\S+ )??{word}\b", line)]
        assert of_word, f"{word} is not told in {lines}"
        places.append(of_word[0])
    assert places == sorted(places), lines


def test_an_occlusion_reaches_a_surgeon_and_the_plan_comes_back(house: House, visit: Visit) -> None:
    """A nurse saves an occlusion; the registrar's telephone has it within 5 s, without a name; two
    taps say that they come and the board says so within 8 s; they decide at the bedside, the tile
    shows the plan, the nurse reads it back, and the alert tells the whole conversation in order."""
    hospital, sink = house.hospital, house.sink
    flap = hospital.admit("QUILL, Rosamund")
    (patient,) = hospital.rows("SELECT * FROM patient WHERE name = 'QUILL, Rosamund'")

    nurse = visit(hospital).to_form(flap)
    nurse.occlusion()
    board = visit(hospital).to_board()
    saved = time.monotonic()
    nurse.save()
    eventually(lambda: sink.got, 10, "the message")
    assert took("from Save to the provider", saved) < 5
    nurse.read_verdict(re.compile("RED", re.IGNORECASE))

    (got,) = sink.got
    said = f"{got.body['title']}\n{got.body['message']}"
    assert got.path.strip("/") == house.registrar
    assert said.startswith("RED arterial, bed ")
    for secret in ("QUILL", "Rosamund", patient["mrn"]):
        assert secret.casefold() not in said.casefold()

    link = re.search(r"https?://\S+", said)
    assert link is not None
    phone = visit(hospital, width=390, height=844).page
    phone.goto(link.group())
    card = phone.locator("article.card")
    expect(card).to_have_count(1)
    expect(card).to_contain_text(f"MRN {patient['mrn']}")
    card.get_by_role("button", name="Coming").click()
    answered = time.monotonic()
    phone.get_by_role("button", name=re.compile(r"^10 min, \d\d:\d\d")).click()
    tile = board.tile(flap)
    expect(tile).to_contain_text(re.compile(r"acknowledged by Dr Osei: coming, \d\d:\d\d"))
    assert took("from the second tap to the nurse's board", answered) < 8

    decide(phone)
    (review,) = hospital.rows("SELECT by, recorded_by FROM review WHERE flap_id = ?", flap)
    assert set(review.values()) == {house.registrar}
    expect(tile).to_contain_text("Dr Osei: loosen dressings, recheck in 15 min", timeout=8_000)
    expect(tile).to_contain_text("not read back yet")

    read_back(nurse.page, f"{hospital.address}/flap?flap={flap}")
    expect(tile).to_contain_text("read back by N. Okafor", timeout=8_000)

    phone.goto(f"{hospital.address}/alerts?alert={alert_of(hospital, flap)}")
    card.get_by_text("Timeline", exact=True).click()
    in_order(
        card.locator("details", has_text="Timeline").locator("ol li"),
        "raised", "told", "read", "acknowledged", "decided", "read back",
    )  # fmt: skip
    assert len(sink.got) == 1


def alert_of(hospital: Hospital, flap: str) -> int:
    (alert,) = hospital.alerts(flap)
    return int(alert["id"])


def decide(page: Page) -> None:
    """The surgeon loosens the dressings, and wants to see it again in a quarter of an hour. Whose
    telephone it is, is known."""
    page.get_by_role("button", name="Decide").click()
    expect(page).to_have_url(re.compile(r"/review\?alert="))
    page.get_by_role("radio", name="Bedside action").click()
    page.get_by_text("loosen dressings").click()
    page.get_by_role("radio", name="15 min").click()
    page.get_by_role("radio", name="at the bedside").click()
    page.get_by_role("button", name="Bedside action: QUILL").click()
    expect(page.get_by_role("status").filter(has_text="Written down")).to_be_visible()


def read_back(page: Page, address: str) -> None:
    """The nurse reads the plan on the flap's page and says so by name."""
    page.goto(address)
    page.get_by_role("button", name="Read it back", exact=True).click()
    form = page.get_by_role("dialog")
    form.get_by_role("combobox", name="Who are you?").click()
    page.get_by_role("option", name=re.compile("Okafor")).click()
    form.get_by_role("button", name="I read it back").click()
    expect(page.get_by_text("Read back by N. Okafor", exact=False).first).to_be_visible()
