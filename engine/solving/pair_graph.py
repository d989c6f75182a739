"""The pairwise graph of an instance, and what a partition of it is worth as a selection."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from engine.gains.affinity import Affinity
from engine.gains.pair_mean import PairMeanModel
from engine.gains.tensor import GainTensor
from engine.problem.constraint import Constraint
from engine.problem.lattice import LatticeProblem, graph_problem
from engine.solving.judgement import Judgement, judgement
from engine.solving.selection import as_selection
from engine.solving.solution import Solution

SYMMETRISED = "(A[i, j] + A[j, i]) / 2"


@dataclass(frozen=True)
class Selection:
    """A partition of a graph as a selection: what its groups gain, not what its pairs weigh.

    Attributes
    ----------
    solution
        The same grouping; the values of its tasks are gains by the pair-mean rule.
    value
        Their total.
    recorded
        The grouping on the recorded gains of the instance, None where there are none.
    """

    solution: Solution
    value: float
    recorded: Judgement | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        scores = None if self.recorded is None else self.recorded.scores
        return {
            "model": "pair-mean",
            "value": self.value,
            "mean": self.solution.mean,
            "task_values": dict(self.solution.task_values),
            "recorded": None
            if scores is None
            else {
                "source": scores.source,
                "split": scores.split,
                "total": scores.total,
                "mean": scores.mean,
                "task_values": dict(scores.task_values),
                "measured": dict(scores.measured),
            },
            "not_recorded": "" if self.recorded is None else self.recorded.why,
        }


@dataclass(frozen=True, eq=False)
class PairGraph:
    """Tasks as nodes, pairs as edges.

    Attributes
    ----------
    affinity
        Possibly directed effects; an edge weighs their mean.
    known
        Recorded gains of the instance, None where only pairs are known.
    """

    affinity: Affinity
    known: GainTensor | None

    def problem(self, constraints: Iterable[Constraint]) -> LatticeProblem:
        """Return the problem of partitioning the graph."""
        return graph_problem(self.affinity, constraints)

    @cached_property
    def model(self) -> PairMeanModel:
        """The pair-mean model of the same affinity."""
        return PairMeanModel.from_affinity(self.affinity)

    @property
    def is_directed(self) -> bool:
        """Whether some pair of tasks helps one another to different degrees."""
        matrix = self.affinity.matrix.copy()
        np.fill_diagonal(matrix, 0.0)
        return not np.array_equal(matrix, matrix.T)

    @property
    def positive_pairs(self) -> int:
        """How many edges have a weight above 0."""
        return int((np.triu(self.affinity.symmetrised(), 1) > 0).sum())

    def describe(self) -> str:
        """Say what the edges weigh."""
        count = len(self.affinity.tasks)
        edges = f"{count * (count - 1) // 2} pairs, {self.positive_pairs} of weight above 0"
        how = "directed, so a pair weighs" if self.is_directed else "symmetric: a pair weighs"
        return f"{self.affinity.source} ({edges}); {how} {SYMMETRISED}"

    def selection(self, solution: Solution) -> Selection | None:
        """Return what a partition is worth as a selection, None where there is none.

        Parameters
        ----------
        solution
            As the engine returned it for :meth:`problem`.
        """
        if not solution.found:
            return None
        valued = as_selection(self.model, solution)
        value = math.fsum(valued.task_values.values())
        recorded = None if self.known is None else judgement(valued, self.known, "recorded")
        return Selection(valued, value, recorded)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "affinity": self.affinity.source,
            "directed": self.is_directed,
            "pair_weight": SYMMETRISED,
            "pairs": len(self.affinity.tasks) * (len(self.affinity.tasks) - 1) // 2,
            "positive_pairs": self.positive_pairs,
        }
