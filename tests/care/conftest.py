"""A flap under a nurse's eye, on each database in turn."""

from __future__ import annotations

import pytest

from monitoring.store import Record
from tests.bedside import Bed, admit, staff


@pytest.fixture
def bed(record: Record) -> Bed:
    """A monitored flap with two nurses and a registrar."""
    staff(record)
    return admit(record)
