"""Small fixed problems over a lattice or a graph: easy ones, infeasible ones, and one per feature."""

from __future__ import annotations

import numpy as np

from engine.gains.affinity import Affinity
from engine.gains.pair_mean import PairMeanModel
from engine.problem.constraint import Constraint
from engine.problem.constraints import Apart, Budget, GroupCount, Mandatory, MembershipLimit, Partition
from engine.problem.kinds import Feature, Kind
from engine.problem.lattice import LatticeProblem, graph_problem
from engine.problem.objectives import Objective, SetFunction, WorstGain
from engine.testing.examples import TASKS, easy_gains, number_of_members
from engine.testing.random_problems import PricedGain


def easy_model() -> PairMeanModel:
    """Return the pair-mean model of the easy gains."""
    return PairMeanModel.from_gains(easy_gains())


def easy_graph() -> Affinity:
    """Return the affinities of four tasks: a and b help one another, and so do c and d, less."""
    matrix = np.full((4, 4), -0.1)
    matrix[0, 1] = matrix[1, 0] = 0.4
    matrix[2, 3] = 0.2
    matrix[3, 2] = 0.1
    return Affinity(TASKS, matrix)


def easy_lattice_problem(kind: Kind, *constraints: Constraint) -> LatticeProblem:
    """Return a problem that every solver of this kind can solve, unless told otherwise.

    Parameters
    ----------
    kind
        A lattice or a graph.
    *constraints
        By default a budget of 2.
    """
    chosen = constraints or (Budget(2),)
    if kind is Kind.GRAPH:
        return graph_problem(easy_graph(), chosen)
    return LatticeProblem(easy_model(), constraints=chosen)


def infeasible_lattice_problem(kind: Kind) -> LatticeProblem:
    """Return a problem whose budget of one group cannot serve two tasks that are kept apart."""
    return easy_lattice_problem(kind, Apart(["a", "b"]), Budget(1))


def lattice_feature_problem(feature: Feature, kind: Kind) -> LatticeProblem | None:
    """Return a problem that needs a feature, and besides at most the sum objective.

    None where there is no such problem: every group of a lattice costs 1, extra Pyomo expressions
    need a list of groups, and graphs are partitioned for the sum of their weights.
    """
    demands: dict[Feature, Constraint] = {
        Feature.SUM: Budget(2),
        Feature.MIN_GROUPS: GroupCount(at_least=2),
        Feature.PARTITION: Partition(),
        Feature.MANDATORY: Mandatory(["d"]),
    }
    if kind is Kind.LATTICE:
        demands[Feature.MEMBERSHIPS] = MembershipLimit(2)
    if feature in demands:
        return easy_lattice_problem(kind, demands[feature])
    objectives: dict[Feature, Objective] = {
        Feature.WORST: WorstGain(),
        Feature.OPENING: PricedGain(0.01),
        Feature.SET_FUNCTION: SetFunction(number_of_members),
    }
    if kind is Kind.GRAPH or feature not in objectives:
        return None
    return LatticeProblem(easy_model(), objectives[feature], (Budget(2),))
