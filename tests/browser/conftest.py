"""What every browser test may ask for: a hospital, and visitors who watch what their browser does.

A file of tests shares one server; each test admits its own patients to it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

pytest.register_assert_rewrite("tests.browser.hospital", "tests.browser.visitor")

from tests.browser.hospital import ROOT, Hospital, command  # noqa: E402
from tests.browser.visitor import Visitor  # noqa: E402

expect.set_options(timeout=15_000)


def browser_path() -> str:
    """The Chromium that ``make setup`` found, or the one that BROWSER_PATH names."""
    named = os.environ.get("BROWSER_PATH")
    if named:
        return named
    kept = ROOT / ".venv" / "browser"
    assert kept.exists(), "No browser yet: run make setup, or name a Chromium in BROWSER_PATH."
    return kept.read_text(encoding="utf-8").strip()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One real, headless Chromium for this test process."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path(), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def demo_record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo ward as the command line makes it, to copy."""
    path = tmp_path_factory.mktemp("demo") / "record.db"
    command(f"sqlite:///{path}", "migrate")
    command(f"sqlite:///{path}", "demo")
    return path


def copied(source: Path, folder: Path) -> Path:
    """A copy of a record, journal and all; returns its folder."""
    with (
        closing(sqlite3.connect(source)) as old,
        closing(sqlite3.connect(folder / "record.db")) as new,
    ):
        old.backup(new)
    return folder


@pytest.fixture(scope="module")
def ward(demo_record: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    """A server on the demo ward with a running watcher, for this file."""
    folder = copied(demo_record, tmp_path_factory.mktemp("ward"))
    with closing(Hospital(folder)) as hospital:
        hospital.start()
        hospital.start_watcher()
        yield hospital
    assert "Traceback" not in hospital.log.read_text()


@pytest.fixture(scope="module")
def lonely(demo_record: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    """A server on the demo ward where no watcher ever ran, for this file."""
    with closing(Hospital(copied(demo_record, tmp_path_factory.mktemp("lonely")))) as hospital:
        hospital.start()
        yield hospital
    assert "Traceback" not in hospital.log.read_text()


@pytest.fixture
def troubled(demo_record: Path, tmp_path: Path) -> Iterator[Hospital]:
    """A server of one test's own, on the demo ward, for what would disturb others."""
    folder = copied(demo_record, tmp_path)
    with closing(Hospital(folder, FLAPS_ENGINE_STALE_SECONDS="10")) as hospital:
        hospital.start()
        yield hospital
    assert "Traceback" not in hospital.log.read_text()


@pytest.fixture(scope="module")
def browsers(chromium: Browser) -> Iterator[dict[str, BrowserContext]]:
    """The browsers of this file by their properties: one that was used before starts faster."""
    contexts: dict[str, BrowserContext] = {}
    yield contexts
    for context in contexts.values():
        context.close()


@pytest.fixture
def visit(
    chromium: Browser, browsers: dict[str, BrowserContext]
) -> Iterator[Callable[..., Visitor]]:
    """Opens a tab of one's own; at the end, no visitor's tab may have complained, shown a dialog
    or asked any other host for anything."""
    visitors: list[Visitor] = []

    def open_one(
        hospital: Hospital, *, width: int = 820, height: int = 1180, **options: Any
    ) -> Visitor:
        kind = f"{width} {height} {options}"
        if kind not in browsers:
            browsers[kind] = chromium.new_context(
                viewport={"width": width, "height": height}, timezone_id="Europe/London",
                locale="en-GB", **options,
            )  # fmt: skip
        visitors.append(Visitor(browsers[kind], hospital))
        return visitors[-1]

    yield open_one
    for visitor in visitors:
        visitor.leave()
    for visitor in visitors:
        visitor.assert_quiet()
