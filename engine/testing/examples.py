"""Small fixed problems for tests: an easy one, an infeasible one, and one per feature."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.gains.tensor import GainTensor
from engine.problem.constraint import Constraint
from engine.problem.constraints import (
    Budget,
    GroupCount,
    Mandatory,
    MembershipLimit,
    Partition,
)
from engine.problem.kinds import Feature
from engine.problem.objectives import Objective, SetFunction, TotalGain, WorstGain
from engine.problem.table import Problem
from engine.testing.extensions import LargeGroups, MostMembers
from engine.testing.random_problems import PricedGain

TASKS = ("a", "b", "c", "d")


def easy_gains() -> GainTensor:
    """Return all 15 groups of four tasks; bigger groups help a and b, and hurt d."""
    member = np.array([[bits >> task & 1 for task in range(4)] for bits in range(1, 16)])
    size = member.sum(axis=1, keepdims=True)
    values = member * (size - 1) * np.array([0.04, 0.02, 0.01, -0.02])
    values[:, 2] *= member[:, 0]
    return GainTensor.from_dense(TASKS, member, values)


def easy_problem(objective: Objective | None = None, *constraints: Constraint) -> Problem:
    """Return a problem that every solver can solve, unless told otherwise.

    Parameters
    ----------
    objective
        By default the total gain.
    *constraints
        By default a budget of 2.
    """
    chosen = constraints or (Budget(2),)
    gains = easy_gains()
    return Problem(gains, constraints=chosen) if objective is None else Problem(gains, objective, chosen)


def infeasible_problem() -> Problem:
    """Return a problem over singles and pairs whose budget of one group cannot serve four tasks.

    No single demand shows it: every task has its groups, and the budget allows one.
    """
    gains = easy_gains()
    return Problem(gains.select(gains.sizes <= 2), constraints=(Budget(1),))


def feature_problem(feature: Feature) -> Problem:
    """Return a problem that needs a feature, and besides at most the sum objective."""
    if feature is Feature.SUM:
        return easy_problem()
    if feature is Feature.WORST:
        return easy_problem(WorstGain())
    if feature is Feature.OPENING:
        return easy_problem(PricedGain(0.01))
    if feature is Feature.SET_FUNCTION:
        return easy_problem(SetFunction(number_of_members))
    if feature is Feature.EXTENSION:
        return easy_problem(LargeGroups(0.01).added_to(TotalGain()), MostMembers(5).constraint)
    if feature is Feature.COST:
        gains = easy_gains()
        costs = np.where(gains.sizes == 1, 0.5, 1.0)
        costly = GainTensor(gains.tasks, gains.indptr, gains.members, gains.values, cost=costs)
        return Problem(costly, constraints=(Budget(1.5),))
    demand: Constraint = {
        Feature.MIN_GROUPS: GroupCount(at_least=2),
        Feature.MEMBERSHIPS: MembershipLimit(2),
        Feature.PARTITION: Partition(),
        Feature.MANDATORY: Mandatory(["d"]),
    }[feature]
    return easy_problem(None, demand)


def number_of_members(groups: Sequence[tuple[str, ...]]) -> float:
    """Return the number of members of all groups: a set function to try solvers with."""
    return float(sum(len(group) for group in groups))
