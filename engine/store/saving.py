"""Writing results into a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from engine.errors import DataError
from engine.store.database import AT_ONCE, insert_into
from engine.store.run_batch import RunBatch

Keep = Literal["refuse", "ours", "theirs"]
"""What to do where two stores have different results of one run."""


def save(connection: Any, experiment: int, batch: RunBatch, owner: str = "") -> int:
    """Keep runs that are not done yet, with their results, and return how many those were.

    A lease on such a run ends, whoever holds it.
    """
    from sqlalchemy import insert as plain_insert

    from engine.store.schema import DIVERGED, DONE, LEASED, results, runs

    stored = batch.checksums.tolist()
    counts = batch.counts.tolist()
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    places: dict[tuple[str, int], int] = {}
    for run, (text, seed) in enumerate(zip(batch.members, batch.seeds.tolist(), strict=True)):
        places[text, seed] = run
        rows[text, seed] = {
            "experiment": experiment,
            "members": text,
            "seed": seed,
            "status": DONE if counts[run] else DIVERGED,
            "owner": owner,
            "expires": None,
            "epochs": int(batch.epochs[run]),
            "best_epoch": int(batch.best_epoch[run]),
            "seconds": float(batch.seconds[run]),
            "n_results": counts[run],
            "checksum": stored[run],
            "curves": batch.curves[run] if len(batch.curves) else None,
        }
    if not rows:
        return 0
    insert = insert_into(connection, runs)
    keys = ("experiment", "members", "seed")
    keep = insert.on_conflict_do_update(
        index_elements=list(keys),
        set_={
            column.name: insert.excluded[column.name] for column in runs.c if column.name not in (*keys, "id")
        },
        where=runs.c.status == LEASED,
    ).returning(runs.c.id, runs.c.members, runs.c.seed)
    starts = (np.cumsum(batch.counts) - batch.counts).tolist()
    task, metric, loss = batch.task.tolist(), batch.metric.tolist(), batch.loss.tolist()
    values = []
    kept = 0
    for number, text, seed in connection.execute(keep, [rows[key] for key in sorted(rows)]):
        kept += 1
        run = places[text, seed]
        values += [
            {
                "run": number,
                "split": batch.split[entry],
                "task": task[entry],
                "metric": metric[entry],
                "loss": loss[entry],
            }
            for entry in range(starts[run], starts[run] + counts[run])
        ]
    if values:
        connection.execute(plain_insert(results), values)
    return kept


@dataclass(frozen=True)
class Taken:
    """What came of runs from elsewhere.

    Attributes
    ----------
    added, same, ours, theirs
        Runs that were new, that were here already, and of those that differed the ones left as they
        were and the ones replaced.
    """

    added: int = 0
    same: int = 0
    ours: int = 0
    theirs: int = 0

    def __add__(self, other: Taken) -> Taken:
        return Taken(
            self.added + other.added,
            self.same + other.same,
            self.ours + other.ours,
            self.theirs + other.theirs,
        )


def take_over(connection: Any, experiment: int, batch: RunBatch, tasks: Sequence[str], keep: Keep) -> Taken:
    """Keep runs from elsewhere.

    Raises
    ------
    DataError
        If a run is here with other results and ``keep`` is ``"refuse"``.
    """
    from sqlalchemy import select, tuple_

    from engine.store.schema import LEASED, runs

    keys = list(zip(batch.members, batch.seeds.tolist(), strict=True))
    here: dict[tuple[str, int], tuple[int, int]] = {}
    for first in range(0, len(keys), AT_ONCE):
        query = select(runs.c.id, runs.c.members, runs.c.seed, runs.c.checksum).where(
            runs.c.experiment == experiment,
            runs.c.status != LEASED,
            tuple_(runs.c.members, runs.c.seed).in_(keys[first : first + AT_ONCE]),
        )
        here.update(((row.members, row.seed), (row.id, row.checksum)) for row in connection.execute(query))
    stored = batch.checksums.tolist()
    differing = [run for run, key in enumerate(keys) if key in here and here[key][1] != stored[run]]
    if differing and keep == "refuse":
        raise DataError(
            f"The results of {batch.label(differing[0], tasks)} differ from those that are here already "
            f"({len(differing)} such runs so far); nothing was changed. Say which count: --keep ours or "
            "--keep theirs."
        )
    if keep == "theirs":
        remove(connection, [here[keys[run]][0] for run in differing])
    added = save(connection, experiment, batch)
    replaced = len(differing) if keep == "theirs" else 0
    return Taken(added - replaced, len(here) - len(differing), len(differing) - replaced, replaced)


def remove(connection: Any, numbers: Sequence[int]) -> None:
    """Remove runs with their results."""
    from sqlalchemy import delete

    from engine.store.schema import results, runs

    for first in range(0, len(numbers), AT_ONCE):
        some = list(numbers[first : first + AT_ONCE])
        connection.execute(delete(results).where(results.c.run.in_(some)))
        connection.execute(delete(runs).where(runs.c.id.in_(some)))
