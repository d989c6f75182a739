"""Values of every seed, and the gains they make."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError
from engine.gains.provenance import UNKNOWN, Provenance
from engine.gains.tensor import GainTensor

Form = Literal["relative", "log-ratio"]


def gains_over(
    together: NDArray[np.float64], alone: NDArray[np.float64], signs: NDArray[np.float64], form: Form
) -> NDArray[np.float64]:
    """Return the gains of values in a group over those in single-task training.

    Parameters
    ----------
    together, alone
        Of shapes that broadcast.
    signs
        1 where a higher value is better, −1 where a lower one is; broadcasts with them.
    form
        ``"relative"``: the difference divided by the magnitude of the single-task value;
        ``"log-ratio"``: the logarithm of how many times better.
    """
    if form == "log-ratio":
        return np.asarray(signs * np.log(together / alone))
    return np.asarray(signs * (together - alone) / np.abs(alone))


@dataclass(frozen=True, eq=False)
class SeedValues:
    """A number per seed and (group, task) entry.

    Attributes
    ----------
    tasks
        Names of the N tasks.
    indptr, members
        Shapes (M + 1,) and (E,): the entries of each group, as in a gain tensor.
    seeds
        Shape (S,), ascending.
    values
        Shape (S, E), NaN where a group was not trained with a seed.
    """

    tasks: tuple[str, ...]
    indptr: NDArray[np.int64]
    members: NDArray[np.int64]
    seeds: NDArray[np.int64]
    values: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        tasks: tuple[str, ...],
        membership: NDArray[np.bool_],
        seeds: NDArray[np.int64],
        group: NDArray[np.int32],
        seed: NDArray[np.int32],
        task: NDArray[np.int32],
        value: NDArray[np.float64],
    ) -> SeedValues:
        """Put values in their places; groups stand by size, then with the first tasks first.

        Parameters
        ----------
        tasks
            N names.
        membership
            Shape (M, N): distinct groups.
        seeds
            Shape (S,): distinct seeds.
        group, seed, task, value
            One per value: its row of ``membership``, its place in ``seeds``, its task.
        """
        sizes = membership.sum(axis=1)
        order = np.lexsort((*(~np.packbits(membership, axis=1)).T[::-1], sizes))
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        seed_order = np.argsort(seeds)
        row = np.empty_like(seed_order)
        row[seed_order] = np.arange(len(seeds))
        cells = np.flatnonzero(membership[order])
        entry = np.searchsorted(cells, place[group] * len(tasks) + task)
        values = np.full((len(seeds), len(cells)), np.nan)
        values[row[seed], entry] = value
        indptr = np.concatenate([[0], np.cumsum(sizes[order])])
        return cls(tasks, indptr, cells % len(tasks), seeds[seed_order], values)

    @property
    def membership(self) -> NDArray[np.bool_]:
        """Shape (M, N): True where the task is a member."""
        dense = np.zeros((len(self.indptr) - 1, len(self.tasks)), dtype=bool)
        dense[np.repeat(np.arange(len(dense)), self.sizes), self.members] = True
        return dense

    @property
    def dense(self) -> NDArray[np.float64]:
        """Shape (S, M, N): the values, NaN off the membership."""
        dense = np.full((len(self.seeds), len(self.indptr) - 1, len(self.tasks)), np.nan)
        dense[:, self.membership] = self.values
        return dense

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Shape (M,): members of each group."""
        return np.diff(self.indptr)

    @property
    def entry_sizes(self) -> NDArray[np.int64]:
        """Shape (E,): size of the group of each entry."""
        return np.repeat(self.sizes, self.sizes)

    def gains(self, signs: NDArray[np.float64], form: Form = "relative") -> SeedValues:
        """Return the gains over the single-task run of the same seed; NaN where that is missing.

        Parameters
        ----------
        signs
            Shape (N,): 1 where a higher value is better, −1 where a lower one is.
        form
            As in :func:`gains_over`.

        Raises
        ------
        DataError
            If a single-task value is 0, or, for the log ratio, any value is not positive.
        """
        alone = self.entry_sizes == 1
        baseline = np.full((len(self.seeds), len(self.tasks)), np.nan)
        baseline[:, self.members[alone]] = self.values[:, alone]
        beside = baseline[:, self.members]
        sign = signs[self.members]
        if form == "log-ratio":
            self._refuse(self.values <= 0, "is not positive, so it has no logarithm: use relative gains")
        else:
            self._refuse(
                beside == 0,
                "is 0 in single-task training, so nothing can be relative to it: take gains of the loss, "
                "or another metric",
            )
        gains = gains_over(self.values, beside, sign, form)
        gains[:, alone] = np.where(np.isnan(self.values[:, alone]), np.nan, 0.0)
        return replace(self, values=gains)

    def _refuse(self, bad: NDArray[np.bool_], what: str) -> None:
        if bad.any():
            seed, entry = np.argwhere(bad)[0]
            raise DataError(
                f"Task {self.tasks[self.members[entry]]!r}, seed {self.seeds[seed]}: the value {what}."
            )

    def tensor(
        self, *, source: str = "measured", split: str = "", provenance: Provenance = UNKNOWN
    ) -> GainTensor:
        """Return the mean over seeds with its standard error, NaN where there is one seed only.

        Groups that share no seed with the single-task runs of all their members are left out, and
        counted in the provenance.

        Raises
        ------
        DataError
            If a task that some group holds was not trained alone; all such tasks are named.
        """
        count = np.isfinite(self.values).sum(axis=0)
        known = np.zeros(len(self.tasks), dtype=bool)
        known[self.members[(self.entry_sizes == 1) & (count > 0)]] = True
        lacking = [self.tasks[task] for task in np.unique(self.members[~known[self.members]])]
        if lacking or not len(self.members):
            named = ", ".join(lacking[:10]) + (f" and {len(lacking) - 10} more" if len(lacking) > 10 else "")
            raise DataError(
                f"No gains yet: no single-task run (that did not diverge) of {named or 'any task'}. Run "
                "engine collect to its end; if the run is there but diverged, add "
                "--seeds or lower --learning-rate."
            )
        whole = np.minimum.reduceat(count, self.indptr[:-1]) > 0
        if not whole.all():
            note = f"{int((~whole).sum())} groups share no seed with their single-task runs and are left out"
            provenance = provenance.noting(note)
        entries = np.repeat(whole, self.sizes)
        values, count = self.values[:, entries], count[entries]
        mean = np.nansum(values, axis=0) / count
        square = np.nansum((values - mean) ** 2, axis=0)
        spread = np.sqrt(square / np.maximum(count - 1, 1) / count)
        std = np.where(count > 1, spread, np.nan)
        return GainTensor(
            self.tasks,
            np.concatenate([[0], np.cumsum(self.sizes[whole])]),
            self.members[entries],
            mean,
            std=std if np.isfinite(std).any() else None,
            source=source,
            split=split,
            provenance=provenance,
        )
