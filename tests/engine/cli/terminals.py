"""What a program shows on a terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator


def read_all(leader: int) -> Iterator[bytes]:
    """Yield what a program writes to a pseudo-terminal until it ends, and close our side.

    Parameters
    ----------
    leader
        File descriptor of our side; the other one must be open in the program alone.
    """
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        yield part
    os.close(leader)
