"""Some runs with their results, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.store.curves import pack_curves
from engine.store.keys import checksums, members_text, membership_of, split_number
from engine.training.trained_groups import TrainedGroups


@dataclass(frozen=True, eq=False)
class RunBatch:
    """R runs with all their results.

    Attributes
    ----------
    members, seeds
        One per run: its group as text, and its seed.
    epochs, best_epoch, seconds
        One per run, as in :class:`~engine.training.trained_groups.TrainedGroups`.
    counts
        Shape (R,): how many results each run has; a run without any has diverged.
    split, task, metric, loss
        One per result, run after run.
    curves
        One per run, as :func:`~engine.store.curves.pack_curves` packs them, or None where unknown.
    """

    members: Sequence[str]
    seeds: NDArray[np.int64]
    epochs: NDArray[np.int64]
    best_epoch: NDArray[np.int64]
    seconds: NDArray[np.float64]
    counts: NDArray[np.int64]
    split: Sequence[str]
    task: NDArray[np.int64]
    metric: NDArray[np.float64]
    loss: NDArray[np.float64]
    curves: Sequence[bytes | None] = field(default_factory=tuple)

    @classmethod
    def of(cls, trained: TrainedGroups) -> RunBatch:
        """Return the runs of some groups; those that diverged keep no result."""
        member = np.asarray(trained.membership, dtype=bool)
        kept = member & ~trained.diverged[:, None]
        splits = sorted(trained.losses)
        # Run after run, and within a run split after split.
        row, code, task = np.nonzero(np.repeat(kept[:, None], len(splits), axis=1))
        metric = np.stack([trained.metrics[name] for name in splits], axis=1)[row, code, task]
        loss = np.stack([trained.losses[name] for name in splits], axis=1)[row, code, task]
        count = len(member)
        return cls(
            members_text(member),
            np.full(count, trained.seed, dtype=np.int64),
            np.asarray(trained.epochs, dtype=np.int64),
            np.asarray(trained.best_epoch, dtype=np.int64),
            trained.seconds if len(trained.seconds) else np.zeros(count),
            np.bincount(row, minlength=count),
            [splits[one] for one in code.tolist()],
            task,
            metric.astype(np.float64),
            loss.astype(np.float64),
            [
                pack_curves({name: of[index] for name, of in trained.curves.items()}, member[index])
                for index in range(count)
            ],
        )

    @property
    def checksums(self) -> NDArray[np.int64]:
        """Shape (R,): what :func:`~engine.store.keys.checksums` gives."""
        number = {name: split_number(name) for name in set(self.split)}
        split = np.array([number[name] for name in self.split], dtype=np.int64)
        return checksums(self.members, self.seeds, self.counts, split, self.task, self.metric, self.loss)

    def group(self, run: int, tasks: Sequence[str]) -> str:
        """Return the group of a run in words, ``a|b``."""
        (member,) = membership_of([self.members[run]], len(tasks))
        return "|".join(tasks[int(task)] for task in np.flatnonzero(member))

    def label(self, run: int, tasks: Sequence[str]) -> str:
        """Return a run in words, ``group a|b, seed 3``."""
        return f"group {self.group(run, tasks)}, seed {self.seeds[run]}"
