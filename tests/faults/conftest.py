"""What every fault test may ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.faults.workers import Courier, Couriers


@pytest.fixture(scope="session")
def courier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Courier]:
    """What forks workers, for this test process."""
    started = Courier(tmp_path_factory.mktemp("courier"))
    yield started
    started.end()


@pytest.fixture
def couriers(courier: Courier, record_url: str) -> Iterator[Callable[..., Couriers]]:
    """Starts a house for workers on this record, with these channels; it ends with the test."""
    made: list[Couriers] = []

    def start(bundle_seconds: float = 0.1, **channels: str) -> Couriers:
        made.append(Couriers(courier, record_url, channels, bundle_seconds))
        return made[-1]

    yield start
    for one in made:
        one.end()
