"""Compile within a time limit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.progress import Control


def compiled_in_time(kernel: Any, warm: Callable[[], object], control: Control) -> bool:
    """Compile a kernel, or load what was compiled; return False if the time ends before.

    Compiling takes seconds, once per machine, and cannot be stopped; without time left it goes on in
    the background, for the next run.

    Parameters
    ----------
    kernel
        The function that is compiled last.
    warm
        Runs it, and with it all that it needs, on next to nothing.
    control
        Gives the time.
    """
    if getattr(kernel, "signatures", None):
        return True
    with control.stage("compile"):
        if np.isinf(control.remaining()):
            warm()
            return True
        thread = threading.Thread(target=warm, daemon=True)
        thread.start()
        thread.join(min(control.remaining(), threading.TIMEOUT_MAX))
        return not thread.is_alive()
