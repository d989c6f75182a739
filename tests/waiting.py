"""Wait for what another process does, however long the machine takes for it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Any

HANGING = 1800.0
"""Seconds after which what is waited for counts as hanging. Nothing is tested by it."""


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
