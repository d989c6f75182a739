"""A study gives each of its decisions some seconds; here it takes the time that they need."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_hurry(no_hurry: None) -> None:
    """No decision is cut short on a busy machine."""
