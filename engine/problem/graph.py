"""The partition of a pairwise graph as a problem."""

from __future__ import annotations

from collections.abc import Iterable

from engine.gains.affinity import Affinity
from engine.gains.separable import PairSumModel
from engine.problem.constraint import Constraint
from engine.problem.constraints import Partition
from engine.problem.lattice import LatticeProblem


def graph_problem(affinity: Affinity, constraints: Iterable[Constraint] = ()) -> LatticeProblem:
    """Return the problem of partitioning a pairwise graph: clique partitioning, correlation clustering.

    The value of a partition is the sum over the pairs of tasks in one group of their affinity,
    symmetrised as ``(A[i, j] + A[j, i]) / 2``. Without a demanded number of groups the signs of the
    affinities decide how many there are.

    Parameters
    ----------
    affinity
        Possibly signed, possibly directed.
    constraints
        Further demands: number and size of groups, tasks together or apart. That groups are disjoint is
        always demanded.
    """
    demands = tuple(constraints)
    if not any(isinstance(one, Partition) for one in demands):
        demands = (*demands, Partition())
    return LatticeProblem(PairSumModel.from_affinity(affinity), constraints=demands)
