"""Compile kernels within a time limit."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from engine.solving.control import Control


def compiled_in_time(first_call: Callable[[], object], control: Control) -> bool:
    """Compile kernels, or load what was compiled; return False if the time ends before.

    Compiling takes some seconds, once per machine, and cannot be stopped; without time left it goes on
    in the background, for the next run.

    Parameters
    ----------
    first_call
        Calls the kernels.
    control
        Gives the time.
    """
    if not np.isfinite(control.remaining()):
        first_call()
        return True
    failures: list[BaseException] = []

    def work() -> None:
        try:
            first_call()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(min(control.remaining(), threading.TIMEOUT_MAX))
    if failures:
        raise failures[0]
    return not thread.is_alive()
