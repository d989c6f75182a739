"""Leases: who trains what, so that nothing is trained twice."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.store.database import AT_ONCE, insert_into
from engine.store.keys import members_text

Run = tuple[NDArray[np.bool_], int]
"""A group, shape (N,), and a seed."""


def claim(connection: Any, experiment: int, wanted: Sequence[Run], owner: str, seconds: float) -> list[Run]:
    """Lease runs within a transaction, as :meth:`engine.store.GainStore.claim` tells.

    A row (experiment, group, seed) is unique, and an existing one is taken over only where its lease
    has expired; the database does both in one step, so two collectors never hold the same run.
    """
    from sqlalchemy import select, tuple_

    from engine.store.schema import LEASED, runs

    if not wanted:
        return []
    now = time.time()
    keys = list(
        zip(members_text(np.array([row for row, _ in wanted])), (seed for _, seed in wanted), strict=True)
    )
    # In one order for everybody: two writers that wait for each other's rows would never end.
    rows = [
        {
            "experiment": experiment,
            "members": text,
            "seed": int(seed),
            "status": LEASED,
            "owner": owner,
            "expires": now + seconds,
        }
        for text, seed in sorted(set(keys))
    ]
    insert = insert_into(connection, runs)
    take = insert.on_conflict_do_update(
        index_elements=["experiment", "members", "seed"],
        set_={"owner": insert.excluded.owner, "expires": insert.excluded.expires},
        where=(runs.c.status == LEASED) & (runs.c.expires < now),
    )
    connection.execute(take, rows)
    mine: set[tuple[str, int]] = set()
    for first in range(0, len(rows), AT_ONCE):
        some = [(row["members"], row["seed"]) for row in rows[first : first + AT_ONCE]]
        found = select(runs.c.members, runs.c.seed).where(
            _leases_of(experiment, owner), tuple_(runs.c.members, runs.c.seed).in_(some)
        )
        mine.update((row.members, row.seed) for row in connection.execute(found))
    granted = []
    for key, run in zip(keys, wanted, strict=True):
        if key in mine:
            mine.remove(key)
            granted.append(run)
    return granted


def renew(connection: Any, experiment: int, owner: str, seconds: float) -> None:
    """Let all leases of an owner last for so many seconds from now."""
    from sqlalchemy import update

    from engine.store.schema import runs

    connection.execute(
        update(runs).where(_leases_of(experiment, owner)).values(expires=time.time() + seconds)
    )


def release(connection: Any, experiment: int, owner: str) -> None:
    """Give back all leases of an owner."""
    from sqlalchemy import delete

    from engine.store.schema import runs

    connection.execute(delete(runs).where(_leases_of(experiment, owner)))


def _leases_of(experiment: int, owner: str) -> Any:
    from engine.store.schema import LEASED, runs

    return (runs.c.experiment == experiment) & (runs.c.owner == owner) & (runs.c.status == LEASED)
