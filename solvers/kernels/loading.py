"""Kernels are imported while the clock of a time limit stands still, and the user is told of compiling."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.solving.control import Control

NOTICE = "compiling for this machine, which is needed once; some seconds, which no time limit counts."


@contextmanager
def loading(control: Control) -> Iterator[None]:
    """Import kernels in the block: what is not kept on disk is compiled then.

    Parameters
    ----------
    control
        Its time limit does not count the block, and its observers are told before anything is compiled.
    """
    with control.preparing("compile") as announce:
        from solvers.kernels.jit import watched

        with watched(lambda: announce(NOTICE)):
            yield
