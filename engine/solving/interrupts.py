"""Interrupts wait while a library is imported: some swallow them in the midst of that."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def held_interrupts() -> Iterator[None]:
    """Hold Ctrl-C back while the block runs, and let it take effect right after.

    An import runs code that catches whatever is raised in it, extensions among them, which have nowhere to
    raise to. Outside the main thread, where no signal arrives, nothing is held.

    Raises
    ------
    KeyboardInterrupt
        Behind the block, where one came while it ran and that is what it means.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    usual = signal.getsignal(signal.SIGINT)
    if not callable(usual):  # ignored, or left to the system
        yield
        return
    signal.signal(signal.SIGINT, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
    if came:
        usual(*came[0])
