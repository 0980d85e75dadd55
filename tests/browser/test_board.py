"""The ward board in use: filters, one's own patients, what asks for attention, an empty record."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.hospital import Hospital, command
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]

PULSE = """(tile) => {
  const bar = getComputedStyle(tile, "::before");
  return [bar.animationName, parseFloat(bar.animationDuration), bar.animationIterationCount];
}"""
MOVING = """(board) => {
  const seen = board.getAnimations({ subtree: true });
  return seen.filter((a) => a.playState === "running").map((a) => a.animationName);
}"""


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Hospital]:
    """A server on a record that nobody was admitted to yet."""
    command(f"sqlite:///{tmp_path}/record.db", "migrate")
    with closing(Hospital(tmp_path)) as hospital:
        hospital.start()
        yield hospital
    assert "Traceback" not in hospital.log.read_text()


def choose_me(visitor: Visitor, name: str) -> None:
    """Choose one's name among the filters."""
    choice = visitor.page.get_by_role("combobox", name=re.compile("My patients as"))
    choice.click()
    choice.press_sequentially(name)
    visitor.page.get_by_role("option", name=name, exact=True).click()


def switch(visitor: Visitor, name: str) -> None:
    """Flip one of the switches above the board."""
    visitor.page.locator("label").filter(has_text=re.compile(f"^{name}$")).click()


def test_needs_attention_hides_only_the_quiet(ward: Hospital, visit: Visit) -> None:
    """With the filter on, every tile with a severity or without a trustworthy check stays, the
    quiet ones go, and the counts still speak of the whole ward. The address keeps the filter."""
    board = visit(ward, width=1440, height=900).to_board()
    tiles = board.page.locator(".tile")
    everything = tiles.count()
    assert everything >= 12
    quiet = board.page.locator('.tile[data-severity="none"]')
    expect(quiet.first).to_be_visible()
    few = everything - quiet.count()
    counts = board.page.locator(".counts").inner_text()
    switch(board, "Needs attention")
    expect(tiles).to_have_count(few)
    expect(quiet).to_have_count(0)
    assert board.page.locator(".counts").inner_text() == counts
    expect(board.page).to_have_url(re.compile("needs=true"))
    board.page.reload()
    expect(tiles).to_have_count(few)


def test_the_worst_stands_first(ward: Hospital, visit: Visit) -> None:
    """Red before amber before yellow, and each says so in a word and a shape, not only a colour."""
    board = visit(ward, width=1440, height=900).to_board()
    found = board.page.locator(".tile").evaluate_all(
        "(tiles) => tiles.map((t) => [t.dataset.severity, t.querySelector('.word').textContent,"
        " t.querySelector('.shape svg').innerHTML])"
    )
    order = [severity for severity, _, _ in found if severity != "unknown"]
    rank = ["red", "amber", "yellow", "none"]
    assert order == sorted(order, key=rank.index)
    assert {"red", "amber", "none", "unknown"} <= {severity for severity, _, _ in found}
    looks = {severity: (word.split()[0], shape) for severity, word, shape in found}
    assert len({word for word, _ in looks.values()}) == len(looks)
    assert len({shape for _, shape in looks.values()}) == len(looks)


def test_a_nurse_sees_the_patients_she_holds(ward: Hospital, visit: Visit) -> None:
    """She chooses her name, taps Mine on two tiles, and her filter shows those two; her choice
    outlives a reload, and another nurse's board is not changed."""
    one, two = ward.flap("NOVAK"), ward.flap("HOLM")
    nurse = visit(ward).to_board()
    mine = re.compile("^ ?Mine")
    nurse.tile(one).get_by_role("button", name=mine).click()
    expect(nurse.page.get_by_text("Choose your name first")).to_be_visible()
    choose_me(nurse, "P. Mensah")
    for flap in (one, two):
        button = nurse.tile(flap).get_by_role("button", name=mine)
        expect(button).to_have_attribute("aria-pressed", "false")
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
    switch(nurse, "My patients")
    expect(nurse.page.locator(".tile")).to_have_count(2)
    expect(nurse.tile(one)).to_be_visible()
    expect(nurse.tile(two)).to_be_visible()
    expect(nurse.page).to_have_url(re.compile(r"me=P\.\+Mensah"))
    nurse.page.reload()
    expect(nurse.tile(one).get_by_role("button", name=mine)).to_have_attribute(
        "aria-pressed", "true"
    )
    other = visit(ward).to_board("?me=S.+Lindberg")
    expect(other.tile(one).get_by_role("button", name=mine)).to_have_attribute(
        "aria-pressed", "false"
    )


def test_a_namesake_is_marked(ward: Hospital, visit: Visit) -> None:
    """Two patients of one family name are both marked, and each tile has two identifiers."""
    board = visit(ward, width=1440, height=900).to_board()
    for name, mrn in (("ADEYEMI, Grace", "204118"), ("ADEYEMI, Gloria", "311902")):
        tile = board.tile(ward.flap(name))
        expect(tile.locator(".namesake")).to_be_visible()
        expect(tile).to_contain_text(name)
        expect(tile).to_contain_text(re.compile(rf"MRN\s{mrn}"))
    expect(board.tile(ward.flap("NOVAK")).locator(".namesake")).to_be_hidden()


def test_focus_stays_through_refreshes(ward: Hospital, visit: Visit) -> None:
    """A nurse who has reached a button with the keyboard is not thrown back by a refresh."""
    board = visit(ward).to_board()
    button = board.tile(ward.flap("HOLM")).get_by_role("button", name=re.compile("^Open"))
    button.focus()
    said = board.live.inner_text()
    for _ in range(2):
        expect(board.live).not_to_have_text(said)
        said = board.live.inner_text()
        expect(button).to_be_focused()


def test_an_unanswered_red_pulses_and_never_flickers(ward: Hospital, visit: Visit) -> None:
    """A red tile that nobody has pulses between 0.4 and 2.8 times a second, below what can provoke
    a seizure; one that somebody has stands still."""
    board = visit(ward, width=1440, height=900).to_board()
    nobodys = board.tile(ward.flap("OYELARAN"))
    expect(nobodys).to_have_attribute("data-severity", "red")
    name, seconds, times = nobodys.evaluate(PULSE)
    assert (name, times) == ("pulse", "infinite")
    assert 0.4 <= 1 / seconds <= 2.8
    taken = board.tile(ward.flap("ADEYEMI, Grace"))
    expect(taken).to_have_attribute("data-severity", "red")
    assert taken.evaluate(PULSE)[0] == "none"


def test_nothing_moves_for_those_who_ask_for_stillness(ward: Hospital, visit: Visit) -> None:
    """With reduced motion asked for, a red tile is marked without moving."""
    board = visit(ward, width=1440, height=900, reduced_motion="reduce").to_board()
    nobodys = board.tile(ward.flap("OYELARAN"))
    expect(nobodys).to_have_attribute("data-severity", "red")
    assert nobodys.evaluate(PULSE)[0] == "none"
    assert board.page.locator(".board").evaluate(MOVING) == []


def test_an_empty_record_offers_two_ways_on(empty: Hospital, visit: Visit) -> None:
    """On a new record the board offers to admit a flap or to load the demo ward; loading it shows
    twelve flaps with no second click."""
    board = visit(empty)
    board.page.goto(f"{empty.address}/")
    admit = board.page.get_by_role("button", name="Admit a flap")
    expect(admit).to_be_visible()
    admit.click()
    expect(board.page).to_have_url(re.compile("/admit"))
    board.page.get_by_role("link", name="Ward board").click()
    board.page.get_by_role("button", name="Load the demo ward").click()
    expect(board.page.locator(".tile")).to_have_count(12, timeout=60_000)
    expect(board.page.get_by_role("button", name="Load the demo ward")).to_have_count(0)
