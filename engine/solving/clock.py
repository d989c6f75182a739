"""The clock that a time limit is read on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Clock:
    """Counts seconds from its making on, and stands still while it is paused.

    Parameters
    ----------
    now
        Returns the time, in seconds from any moment on; by default that of the machine.

    Attributes
    ----------
    lost
        The seconds that did not count, those of a pause that lasts aside.
    """

    def __init__(self, now: Callable[[], float] | None = None) -> None:
        self._now = time.perf_counter if now is None else now
        self._start = self._now()
        self._stopped: float | None = None
        self.lost = 0.0

    def seconds(self) -> float:
        """Return the seconds that count."""
        now = self._now() if self._stopped is None else self._stopped
        return now - self._start - self.lost

    def wall(self) -> float:
        """Return all seconds, pauses included."""
        return self._now() - self._start

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stand still while the block runs; a pause within a pause changes nothing."""
        if self._stopped is not None:
            yield
            return
        self._stopped = self._now()
        try:
            yield
        finally:
            self.lost += self._now() - self._stopped
            self._stopped = None
