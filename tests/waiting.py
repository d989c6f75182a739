"""Wait for what another process does, however long the machine takes for it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

HANGING = 1800.0
"""Seconds after which what is waited for counts as hanging. Nothing is tested by it."""


@contextmanager
def running(*command: str, **given: Any) -> Iterator[subprocess.Popen[Any]]:
    """Give a program that runs, and end it with the block, whatever happens there.

    Parameters
    ----------
    *command, **given
        As for :class:`subprocess.Popen`.
    """
    with subprocess.Popen(command, **given) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until(happened: Callable[[], object], *processes: subprocess.Popen[Any]) -> None:
    """Wait for something that other processes do.

    Parameters
    ----------
    happened
        Tells whether it has.
    *processes
        Of which none may end before.
    """
    give_up = time.monotonic() + HANGING
    while True:
        over = any(one.poll() is not None for one in processes)
        if happened():  # asked last: it may have happened just before the end
            return
        assert not over, "it ended before"
        assert time.monotonic() < give_up, "it hangs"
        time.sleep(0.02)
