"""Work on several threads that an interrupt ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from engine.solving.control import Control

Part = TypeVar("Part")

Stopped = Callable[[], bool]
"""Whether to end: the time is up, or another thread was interrupted. Ask often."""


def done_on_threads(
    work: Callable[[Part, Stopped], bool], parts: Sequence[Part], threads: int, control: Control
) -> bool:
    """Do all parts of some work; return whether every part was done.

    Parameters
    ----------
    work
        Does one part and returns whether it was done.
    parts
        What there is to do. The first is done before there are threads, since it may compile.
    threads
        How many threads to use.
    control
        Ends the work.

    Raises
    ------
    KeyboardInterrupt
        If the user interrupts, once the threads have ended.
    """
    interrupted = threading.Event()

    def stopped() -> bool:
        return interrupted.is_set() or control.should_stop()

    if not parts:
        return True
    first = work(parts[0], stopped)
    if threads == 1 or len(parts) == 1:
        return all([first, *(work(part, stopped) for part in parts[1:])])
    with ThreadPoolExecutor(threads) as pool:
        try:  # an interrupt may come while the first threads work and others are still to start
            futures = [pool.submit(work, part, stopped) for part in parts[1:]]
            return all([first, *(one.result() for one in futures)])
        except BaseException:
            interrupted.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
