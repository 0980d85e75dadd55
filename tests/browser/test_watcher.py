"""When nobody watches the clock, every page says so."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from monitoring.settings import read_settings
from tests.browser.hospital import Hospital
from tests.browser.visitor import Visitor, took

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]


def test_a_dead_watcher_is_said_on_every_page(troubled: Hospital, visit: Visit) -> None:
    """When the watcher dies, the board and every other page say ALERTS NOT RUNNING, and stop
    saying so by themselves once it runs again. As delivered, a board says it within 90 s."""
    delivered = read_settings()
    assert delivered.engine_stale_seconds <= 80
    assert delivered.engine_stale_seconds + delivered.board_refresh_seconds <= 90
    troubled.start_watcher()
    board = visit(troubled).to_board()
    expect(board.page.locator(".head")).to_contain_text("alert engine ran")
    expect(board.banner).not_to_contain_text("ALERTS NOT RUNNING")
    other = visit(troubled)
    other.page.goto(f"{troubled.address}/protocols")
    expect(other.page.locator("h1").first).to_be_visible()
    loud = other.page.get_by_role("alert").filter(has_text="ALERTS NOT RUNNING")
    expect(loud).to_have_count(0)
    troubled.kill_watcher()
    started = time.monotonic()
    expect(board.banner).to_contain_text(
        "ALERTS NOT RUNNING: nobody is paged, telephone; the alert engine last ran ",
        timeout=90_000,
    )
    took("ALERTS NOT RUNNING, the limit being 10 s,", started)
    expect(loud).to_be_visible(timeout=30_000)
    troubled.start_watcher()
    expect(board.banner).not_to_contain_text("ALERTS NOT RUNNING")
    expect(loud).to_have_count(0, timeout=30_000)


@pytest.mark.parametrize("page", ["", "check", "protocols"])
def test_plain_streamlit_says_that_no_watcher_runs(
    lonely: Hospital, visit: Visit, page: str
) -> None:
    """Started without the watcher, every page says loudly that alerts do not run."""
    visitor = visit(lonely)
    visitor.page.goto(f"{lonely.address}/{page}")
    said = visitor.page.get_by_role("alert").filter(has_text="ALERTS NOT RUNNING")
    expect(said).to_be_visible()
    expect(said).to_contain_text(re.compile("no alert engine has ever run", re.IGNORECASE))
