"""Pages run as a browser session would run them, on a real record with the demo ward."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from monitoring import demo, protocol, store
from monitoring.store import Record

MAIN = Path(__file__).resolve().parents[2] / "monitoring" / "pages" / "main.py"
Open = Callable[..., AppTest]


@pytest.fixture(scope="session")
def demo_template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record with the demo ward of this moment, to copy."""
    path = tmp_path_factory.mktemp("demo") / "record.db"
    shutil.copyfile(sqlite_template, path)
    opened = store.open_record(f"sqlite:///{path}")
    demo.load(opened, protocol.load(), ward="Ward 7", now=datetime.now(UTC))
    opened.close()
    return path


@pytest.fixture
def ward_record(
    demo_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Record]:
    """A demo ward of one's own, which the pages open too."""
    path = tmp_path / "record.db"
    shutil.copyfile(demo_template, path)
    monkeypatch.setenv("FLAPS_RECORD_URL", f"sqlite:///{path}")
    st.cache_resource.clear()
    opened = store.open_record(f"sqlite:///{path}")
    yield opened
    opened.close()
    st.cache_resource.clear()


@pytest.fixture
def open_page(ward_record: Record) -> Open:
    """Opens a page of the dashboard, with the query parameters given."""

    def opened(page: str, /, **query: str) -> AppTest:
        at = AppTest.from_file(str(MAIN), default_timeout=60)
        at.run()
        for name, value in query.items():
            at.query_params[name] = value
        return at.switch_page(page).run()

    return opened


@pytest.fixture
def told() -> Callable[[AppTest, str], Any]:
    """What a packaged component was told, by the beginning of its key."""

    def found(at: AppTest, key: str) -> Any:
        for element in _walk(at.main):
            if (getattr(element, "key", None) or "").startswith(key):
                return json.loads(element.proto.json)
        raise AssertionError(f"no component {key!r} is on the page")

    return found


def _walk(block: Any) -> Iterator[Any]:
    for child in getattr(block, "children", {}).values():
        yield child
        yield from _walk(child)
