"""What every fault test may ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.workers import Couriers


@pytest.fixture
def couriers(tmp_path: Path, record_url: str) -> Iterator[Callable[..., Couriers]]:
    """Starts a house for workers on this record, with these channels; it ends with the test."""
    made: list[Couriers] = []

    def start(bundle_seconds: float = 0.1, **channels: str) -> Couriers:
        made.append(Couriers(tmp_path, record_url, channels, bundle_seconds))
        return made[-1]

    yield start
    for one in made:
        one.end()
