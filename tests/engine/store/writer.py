"""A process that claims groups and saves them until nothing is left; one line per trained group.

It waits for a line once it has claimed its first groups, and again where it is to hold.
"""

from __future__ import annotations

import sys

import click
import numpy as np

from engine import GainStore
from tests.engine.store.made import trained


def work(url: str, number: int, owner: str, hold: int) -> None:
    """Train everything in chunks of three groups."""
    begun = 0
    count = 5
    groups = (np.arange(1, 2**count)[:, None] >> np.arange(count)) & 1 == 1
    wanted = [(row, seed) for seed in range(3) for row in groups]
    with GainStore.open(url) as store:
        for first in range(0, len(wanted), 3):
            for row, seed in store.claim(number, wanted[first : first + 3], owner, 3600.0):
                click.echo(f"{seed} {''.join(map(str, row.astype(int)))}")
                begun += 1
                if begun in (1, hold):
                    sys.stdin.readline()
                store.save(number, trained(row[None], seed), owner)


if __name__ == "__main__":
    work(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
