"""Reading results back, with their checksums, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError
from engine.store.database import plain_errors
from engine.store.keys import membership_of
from engine.store.run_batch import RunBatch
from engine.store.seed_values import SeedValues

if TYPE_CHECKING:
    from engine.store.stored_experiment import StoredExperiment

BLOCK = 2000
"""Runs in memory at once."""


@dataclass(frozen=True, eq=False)
class StoredRuns:
    """Some runs as they are stored.

    Attributes
    ----------
    batch
        The runs.
    numbers
        Shape (R,): numbers of their rows.
    damaged
        Shape (R,): where the results are not what was stored.
    """

    batch: RunBatch
    numbers: NDArray[np.int64]
    damaged: NDArray[np.bool_]


def read_blocks(connection: Any, experiment: int, *, curves: bool = False) -> Iterator[StoredRuns]:
    """Yield all runs of an experiment that are done or diverged, some at a time.

    Parameters
    ----------
    connection
        In a transaction.
    experiment
        Its number.
    curves
        Whether to read the curves too.
    """
    from sqlalchemy import select

    from engine.store.schema import LEASED, results, runs

    mine = (runs.c.experiment == experiment) & (runs.c.status != LEASED)
    columns = [runs.c.id, runs.c.members, runs.c.seed, runs.c.n_results, runs.c.checksum]
    columns += [runs.c.epochs, runs.c.best_epoch, runs.c.seconds]
    columns += [runs.c.curves] if curves else []
    last = -1
    while True:
        listed = connection.execute(
            select(*columns).where(mine, runs.c.id > last).order_by(runs.c.id).limit(BLOCK)
        ).all()
        if not listed:
            return
        first, last = listed[0].id, listed[-1].id
        query = (
            select(results.c.run, results.c.split, results.c.task, results.c.metric, results.c.loss)
            .join(runs, results.c.run == runs.c.id)
            .where(mine, results.c.run.between(first, last))
            .order_by(results.c.run, results.c.split, results.c.task)
        )
        yield _block(list(zip(*listed, strict=True)), connection.execute(query).all())


def _block(columns: list[tuple[Any, ...]], found: Sequence[Any]) -> StoredRuns:
    numbers, members, seeds, n_results, stored, epochs, best, seconds = columns[:8]
    ids = np.array(numbers, dtype=np.int64)
    run, split, task, metric, loss = zip(*found, strict=True) if found else ((), (), (), (), ())
    counts = np.bincount(np.searchsorted(ids, np.array(run, dtype=np.int64)), minlength=len(ids))
    batch = RunBatch(
        members,
        _integers(seeds),
        _integers(epochs),
        _integers(best),
        _floats(seconds),
        counts,
        tuple(map(str, split)),
        _integers(task),
        _floats(metric),
        _floats(loss),
        columns[8] if len(columns) > 8 else (),
    )
    damaged = (counts != _integers(n_results)) | (batch.checksums != _integers(stored))
    return StoredRuns(batch, ids, damaged)


def _integers(values: Sequence[Any]) -> NDArray[np.int64]:
    return np.array([one if isinstance(one, int) else -1 for one in values], dtype=np.int64)


def _floats(values: Sequence[Any]) -> NDArray[np.float64]:
    """Return numbers; what is none, and so not what was stored, is NaN."""
    return np.array([one if isinstance(one, (int, float)) else np.nan for one in values], dtype=np.float64)


def sound_batches(
    connection: Any, experiment: StoredExperiment, url: str, *, curves: bool = False
) -> Iterator[RunBatch]:
    """Yield all runs of an experiment, after they were checked.

    Raises
    ------
    DataError
        If a run is damaged; it is named with the way out.
    """
    with plain_errors(url):
        for block in read_blocks(connection, experiment.id, curves=curves):
            if block.damaged.any():
                raise DataError(
                    f"The gain store {url} is damaged: the results of "
                    f"{_label(block.batch, int(np.argmax(block.damaged)), experiment.tasks)}, are not what "
                    f"was stored. Remove such runs with engine gains repair {experiment.id}, then collect "
                    "again."
                )
            yield block.batch


def _label(batch: RunBatch, run: int, tasks: Sequence[str]) -> str:
    try:
        return batch.label(run, tasks)
    except (DataError, ValueError):
        return f"a group that cannot be read, seed {batch.seeds[run]}"


def read_values(
    connection: Any, experiment: StoredExperiment, url: str, split: str, of: Literal["metric", "loss"]
) -> SeedValues:
    """Return one number per seed and (group, task) entry on a split.

    Groups stand by size, then with the first tasks first, whatever the order they were trained in.
    Groups that diverged with every seed are not among them.

    Raises
    ------
    DataError
        If a run is damaged, or there is no result on this split.
    """
    group_of: dict[str, int] = {}
    seed_of: dict[int, int] = {}
    splits: dict[str, None] = {}
    groups, seeds, tasks, values = [], [], [], []
    for batch in sound_batches(connection, experiment, url):
        names = dict.fromkeys(batch.split)
        splits |= names
        chosen = np.fromiter((name == split for name in batch.split), dtype=bool, count=len(batch.split))
        run = np.repeat(np.arange(len(batch.counts)), batch.counts)[chosen]
        alive = batch.counts > 0
        group = [
            group_of.setdefault(text, len(group_of)) if some else -1
            for text, some in zip(batch.members, alive.tolist(), strict=True)
        ]
        seed = [seed_of.setdefault(one, len(seed_of)) for one in batch.seeds.tolist()]
        groups.append(np.array(group, dtype=np.int32)[run])
        seeds.append(np.array(seed, dtype=np.int32)[run])
        tasks.append(batch.task[chosen].astype(np.int32))
        values.append((batch.metric if of == "metric" else batch.loss)[chosen])
    if experiment.diverged and not experiment.done:
        raise DataError(
            f"All {experiment.diverged} runs of experiment {experiment.id} ({experiment.name}) in {url} "
            "diverged or have an undefined metric: lower --learning-rate, or take another metric."
        )
    if split not in splits:
        raise DataError(
            f"Experiment {experiment.id} ({experiment.name}) in {url} has no results on the split {split!r}; "
            f"there are {', '.join(splits) or 'none at all'}."
        )
    membership = membership_of(list(group_of), len(experiment.tasks))
    return SeedValues.of(
        experiment.tasks,
        membership,
        np.array(list(seed_of), dtype=np.int64),
        np.concatenate(groups),
        np.concatenate(seeds),
        np.concatenate(tasks),
        np.concatenate(values),
    )
