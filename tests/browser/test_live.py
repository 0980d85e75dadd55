"""A board that is old says so by itself, and stops saying so by itself."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.hospital import Hospital
from tests.browser.visitor import Visitor, took

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]

NOT_LIVE = re.compile(r"NOT LIVE since \d\d:\d\d:\d\d: what you see may be old")

REMEMBER = """(light) => {
  window.refreshes = new Set();
  window.warned = [];
  const look = () => {
    window.refreshes.add(light.textContent);
    const old = light.closest(".board").matches(".not-live");
    if (old) window.warned.push(light.textContent);
  };
  new MutationObserver(look).observe(light.closest(".board"),
    { attributes: true, childList: true, characterData: true, subtree: true });
}"""


def is_old(visitor: Visitor) -> None:
    """The board says within 15 s that it is not live, over everything it shows."""
    started = time.monotonic()
    expect(visitor.banner).to_contain_text(NOT_LIVE, timeout=15_000)
    took("NOT LIVE on an open board", started)
    expect(visitor.live).to_contain_text("not live")
    expect(visitor.page.locator(".board")).to_have_class(re.compile("not-live"))


def is_live(visitor: Visitor) -> None:
    """The board is live again, by itself."""
    expect(visitor.live).to_have_text(re.compile("^live, updated"), timeout=30_000)
    expect(visitor.banner).not_to_contain_text("NOT LIVE")


def test_a_frozen_server_is_loud_and_recovery_is_silent(troubled: Hospital, visit: Visit) -> None:
    """When the server freezes, an open board says NOT LIVE within 15 s; when it answers again, the
    warning goes without anybody touching anything."""
    board = visit(troubled).to_board()
    troubled.pause()
    is_old(board)
    troubled.wake()
    is_live(board)


def test_a_dead_server_is_as_loud(troubled: Hospital, visit: Visit) -> None:
    """When the server dies, an open board says NOT LIVE within 15 s, and is live again by itself
    once a server runs."""
    board = visit(troubled).to_board()
    board.lost_server = True
    troubled.kill()
    is_old(board)
    expect(board.banner).to_be_in_viewport()
    troubled.start()
    is_live(board)


def test_a_board_that_refreshes_is_never_called_old(troubled: Hospital, visit: Visit) -> None:
    """Through half a minute of normal refresh no false warning appears, not even for a moment."""
    board = visit(troubled).to_board()
    board.live.evaluate(REMEMBER)
    started = time.monotonic()
    board.page.wait_for_function("() => window.refreshes.size >= 6", timeout=90_000)
    assert time.monotonic() - started > 20
    assert board.page.evaluate("() => window.warned") == []
