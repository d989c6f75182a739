"""The clock that a time limit is read on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """Counts seconds from its making on, and stands still while it is paused."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._lost = 0.0
        self._stopped: float | None = None

    def seconds(self) -> float:
        """Return the seconds that count."""
        now = time.perf_counter() if self._stopped is None else self._stopped
        return now - self._start - self._lost

    def wall(self) -> float:
        """Return all seconds, pauses included."""
        return time.perf_counter() - self._start

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stand still while the block runs; a pause within a pause changes nothing."""
        if self._stopped is not None:
            yield
            return
        self._stopped = time.perf_counter()
        try:
            yield
        finally:
            self._lost += time.perf_counter() - self._stopped
            self._stopped = None
