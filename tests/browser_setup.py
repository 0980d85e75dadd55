"""Finds a Chromium for the browser tests, or installs one, and writes its path to a file.

In this order: the one named in BROWSER_PATH, an installed one, the system's package (as root or
with a sudo that asks nothing), Playwright's own download.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def installed() -> Iterator[str]:
    """Browsers to be tried, best first."""
    if named := os.environ.get("BROWSER_PATH"):
        yield named
    yield from filter(None, map(shutil.which, NAMES))


def from_the_system() -> Iterator[str]:
    """The distribution's chromium, installed now if that can be done without asking anybody."""
    apt = shutil.which("apt-get")
    rights = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if apt is None or (rights and shutil.which("sudo") is None):
        return
    for step in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
        silent = ["env", "DEBIAN_FRONTEND=noninteractive", apt, "-qq", *step]
        if subprocess.run(rights + silent, stdout=subprocess.DEVNULL).returncode != 0:
            return
    yield from filter(None, map(shutil.which, NAMES))


def from_playwright() -> Iterator[str]:
    """Playwright's own build; where it lands is asked of Playwright."""
    if subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"]).returncode == 0:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            yield playwright.chromium.executable_path


def starts(path: str) -> bool:
    """Whether it opens a page. An Ubuntu stub that only points at a snap does not."""
    from playwright.sync_api import Error, sync_playwright

    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            browser.new_page().goto("about:blank")
            browser.close()
    except Error:
        return False
    return True


def main(target: Path) -> int:
    for way in (installed, from_the_system, from_playwright):
        for path in way():
            if starts(path):
                target.write_text(f"{path}\n", encoding="utf-8")
                print(f"Browser tests use {path}")
                return 0
    print("No Chromium starts here. Install one and name it in BROWSER_PATH.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
