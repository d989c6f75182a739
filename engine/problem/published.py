"""Published grouping problems under their authors' names, from pairwise affinities or tables of losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.arrays import is_number
from engine.errors import DataError, UsageError
from engine.gains.affinity import Affinity
from engine.gains.pair_mean import PairMeanModel
from engine.gains.separable import PairSumModel
from engine.gains.tensor import GainTensor
from engine.problem.constraint import Constraint
from engine.problem.constraints import Budget, GroupCount, GroupSize
from engine.problem.lattice import LatticeProblem
from engine.problem.objectives import Coefficients, MembershipAverage, Objective, TotalLoss
from engine.problem.table import Problem

ALONE = -1e6
"""The score of a task alone in the search of Fifty et al."""

HALF_SIZE_COST = 0.5
"""The cost of a half-size network on one task, in units of a standard network."""


@dataclass(frozen=True)
class TagScore(Objective):
    """The mean over tasks of the gain in the group that serves them, a task alone counting very little.

    The objective of Fifty, Amid, Zhao, Yu, Anil and Finn, "Efficiently Identifying Task Groupings for
    Multi-Task Learning" (NeurIPS 2021). There the gain of a task in a group is the mean affinity of the
    other members on it, and a group of one task scores −1e6, so that it is chosen only where nothing
    else can be.

    Attributes
    ----------
    alone
        What a task gains in a group of its own, whatever the gains say; None leaves them as they are.
    """

    alone: float | None = ALONE

    def __post_init__(self) -> None:
        if self.alone is not None and not is_number(self.alone):
            raise UsageError(f"alone must be a finite number or None, not {self.alone!r}.")

    def coefficients(self, gains: GainTensor) -> Coefficients:
        """Divide each gain by the number of tasks.

        Raises
        ------
        UsageError
            If the tensor holds losses.
        """
        if gains.quantity != "gain":
            raise UsageError("TagScore works on a gain tensor, and this one holds losses. Use TotalLoss.")
        values = gains.values
        if self.alone is not None:
            values = np.where((gains.sizes == 1)[gains.entry_rows], self.alone, values)
        return Coefficients(values / gains.n_tasks)

    def task_weights(self, tasks: Sequence[str]) -> NDArray[np.float64] | None:
        """Weigh every task by 1 / N; None where tasks alone have a value of their own."""
        return None if self.alone is not None else np.full(len(tasks), 1.0 / len(tasks))

    def describe(self) -> str:
        """Return the objective in words."""
        return "mean gain" + ("" if self.alone is None else f", {self.alone:g} for a task alone")


def tag_problem(affinity: Affinity, groups: int) -> LatticeProblem:
    """Return the grouping problem of Fifty et al. (NeurIPS 2021): at most so many groups, which may overlap.

    A task gains in a group the mean affinity of the other members on it, and the mean over tasks of the
    best gain is maximised. A task alone would score −1e6; groups of one are left out, which comes to the
    same for affinities of ordinary size, the group of all tasks being there, and spares solvers the large
    number.

    Parameters
    ----------
    affinity
        Directed: ``affinity.matrix[i, j]`` is the effect of i on j. The published tables are nested by
        recipient, then source: ``read_affinity(path, outer="recipient")``.
    groups
        The most groups, 1 or more.
    """
    count = len(affinity.tasks)
    model = PairMeanModel(affinity.tasks, affinity.matrix, np.full(count, ALONE), source=affinity.source)
    demands: list[Constraint] = [GroupCount(groups)]
    if count > 1:
        demands.append(GroupSize(at_least=2))
    return LatticeProblem(model, TagScore(alone=None), tuple(demands))


def wang_problem(affinity: Affinity, groups: int) -> Problem:
    """Return the grouping problem of Wang, Pan and Yu (arXiv 2402.15328): exactly so many distinct groups.

    Maximises the sum over groups g of ``(1 / |g|) · Σ S[i, k]`` over all i and k in g, the diagonal
    included; groups may overlap, and together hold all tasks. A task therefore gains in a group the sum
    of the members' effects on it, its own included, and every membership counts.

    Parameters
    ----------
    affinity
        Their transfer gains S, with a finite diagonal.
    groups
        The number of groups, 1 or more.

    Returns
    -------
    Problem
        Over all 2^N − 1 groups, for at most 16 tasks.

    Raises
    ------
    DataError
        If the diagonal is not finite.
    UnsupportedError
        If there are more tasks.
    """
    own = np.diagonal(affinity.matrix).copy()
    if not np.isfinite(own).all():
        task = affinity.tasks[int(np.flatnonzero(~np.isfinite(own))[0])]
        raise DataError(
            f"The affinity of task {task!r} on itself is not known, and this objective counts it."
        )
    pairs = affinity.matrix.copy()
    np.fill_diagonal(pairs, 0.0)
    model = PairSumModel(affinity.tasks, pairs, own, own, source=affinity.source)
    return LatticeProblem(model, MembershipAverage(), (GroupCount(groups, groups),)).listed


def standley_problem(
    losses: GainTensor, budget: float, *, half_size: Mapping[str, float] | None = None
) -> Problem:
    """Return the grouping problem of Standley et al. (ICML 2020): the least total loss within a budget.

    Costs are in units of a standard network (SNT). A network costs 1 on any set of tasks; a half-size
    network, which takes one task only, costs ½. Each task is served by the chosen network with its
    least loss.

    Parameters
    ----------
    losses
        The loss of each task in each network; costs as given, so 1 by default.
    budget
        The most the networks may cost together, in SNT.
    half_size
        The measured loss of tasks in a half-size network of their own, added to the table at cost ½.

    Raises
    ------
    UsageError
        If the tensor holds gains, or a half-size network is for a task that is not there.
    DataError
        If a loss is not a finite number.
    """
    if losses.quantity != "loss":
        raise UsageError("standley_problem works on a tensor of losses, and this one holds gains.")
    table = losses if half_size is None else _with_half_size(losses, half_size)
    return Problem(table, TotalLoss(), (Budget(budget),))


def _with_half_size(losses: GainTensor, half_size: Mapping[str, float]) -> GainTensor:
    """Return the losses with one network of cost ½ for each of some tasks before all others."""
    for name, loss in half_size.items():
        if not is_number(loss):
            raise DataError(f"The half-size loss of task {name!r} must be a finite number, not {loss!r}.")
    columns = np.array([losses.task_index(name) for name in half_size], dtype=np.int64)
    values = np.array(list(half_size.values()), dtype=np.float64)
    count = len(columns)
    std = losses.std
    return replace(
        losses,
        indptr=np.concatenate([np.arange(count), losses.indptr + count]),
        members=np.concatenate([columns, losses.members]),
        values=np.concatenate([values, losses.values]),
        std=None if std is None else np.concatenate([np.full(count, np.nan), std]),
        cost=np.concatenate([np.full(count, HALF_SIZE_COST), losses.cost]),
        measured=np.concatenate([np.ones(count, dtype=bool), losses.measured]),
    )
