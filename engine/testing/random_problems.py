"""Small random problems of every kind: ties, costs, tight budgets and demands of all sorts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.gains.tensor import GainTensor
from engine.problem.constraint import Constraint
from engine.problem.constraints import (
    Apart,
    Budget,
    Floor,
    Forbidden,
    GroupCount,
    GroupSize,
    Mandatory,
    MembershipLimit,
    Partition,
    Together,
)
from engine.problem.extension import ExtendedObjective
from engine.problem.kinds import PROGRAM_FEATURES, Feature
from engine.problem.objectives import (
    Coefficients,
    LowerConfidenceGain,
    MembershipAverage,
    Objective,
    SetFunction,
    TotalGain,
    TotalLoss,
    WeightedGain,
    WorstGain,
)
from engine.problem.table import Problem
from engine.testing.dice import Dice, Seeded, chance, choice, task_names, two_of
from engine.testing.extensions import LargeGroups, MostMembers


@dataclass(frozen=True)
class PricedGain(Objective):
    """The total gain minus a price per unit of cost of the chosen groups.

    Attributes
    ----------
    price
        A negative price rewards every chosen group.
    """

    price: float = 0.0

    def coefficients(self, gains: GainTensor) -> Coefficients:
        """Charge each group for its cost."""
        return Coefficients(gains.values, -self.price * gains.cost)


def random_problem(
    seed: int | np.random.Generator,
    *,
    features: Collection[Feature] = PROGRAM_FEATURES,
    max_tasks: int = 5,
    max_groups: int = 9,
) -> Problem:
    """Return a random small problem, feasible or not.

    Parameters
    ----------
    seed
        A seed or a generator.
    features
        What the problem may ask of a solver.
    max_tasks, max_groups
        Bounds on N and M; every task is in some group.
    """
    return build_problem(Seeded(np.random.default_rng(seed)), frozenset(features), max_tasks, max_groups)


def build_problem(dice: Dice, features: frozenset[Feature], max_tasks: int, max_groups: int) -> Problem:
    """Return the problem that some dice decide.

    Parameters
    ----------
    dice
        The decisions; low numbers give simple problems.
    features, max_tasks, max_groups
        As for :func:`random_problem`.
    """
    objective = _objective_kind(dice, features)
    gains = _gains(dice, features, objective, max_tasks, max_groups)
    problem = Problem(gains, _objective(dice, objective, gains, features))
    for constraint in _constraints(dice, features, gains):
        stricter = replace(problem, constraints=(*problem.constraints, constraint))
        if stricter.features <= features:
            problem = stricter
    return problem


def _objective_kind(dice: Dice, features: frozenset[Feature]) -> type[Objective]:
    kinds: list[type[Objective]] = []
    if Feature.SUM in features:
        kinds += [TotalGain, TotalGain, WeightedGain, LowerConfidenceGain, TotalLoss]
        if Feature.OPENING in features:
            kinds += [PricedGain, MembershipAverage]
    if Feature.WORST in features:
        kinds += [WorstGain]
    if Feature.SET_FUNCTION in features:
        kinds += [SetFunction]
    if Feature.EXTENSION in features and not features.isdisjoint({Feature.SUM, Feature.WORST}):
        kinds += [ExtendedObjective]
    return choice(dice, kinds)


def _objective(
    dice: Dice, kind: type[Objective], gains: GainTensor, features: frozenset[Feature]
) -> Objective:
    if kind is WeightedGain:
        return WeightedGain({name: dice.integer(0, 4) / 2 for name in gains.tasks if chance(dice, 50)})
    if kind is PricedGain:
        return PricedGain(dice.integer(-2, 4) / 4)
    if kind is SetFunction:
        return SetFunction(_sizes_apart)
    if kind is ExtendedObjective:
        worst = Feature.SUM not in features or (Feature.WORST in features and chance(dice, 30))
        return LargeGroups(dice.integer(-2, 6) / 8).added_to(WorstGain() if worst else TotalGain())
    return kind()


def _sizes_apart(groups: Sequence[tuple[str, ...]]) -> float:
    """Value different group sizes and few shared tasks: nothing a sum over tasks can say."""
    sizes = {len(group) for group in groups}
    shared = sum(len(group) for group in groups) - len({task for group in groups for task in group})
    return len(sizes) - 0.75 * shared


def _gains(
    dice: Dice, features: frozenset[Feature], objective: type[Objective], max_tasks: int, max_groups: int
) -> GainTensor:
    count = dice.integer(1, max_tasks)
    tasks = task_names(count)
    costly = Feature.COST in features and chance(dice, 40)
    groups: dict[tuple[int, float], None] = {}
    for _ in range(dice.integer(1, max(1, max_groups - count))):
        bits = dice.integer(1, 2**count - 1)
        cost = 1.0
        if costly:
            # A half-size single-task network costs half, as in Standley et al., 2020.
            cost = choice(dice, [1.0, 0.5] if bits.bit_count() == 1 else [1.0, 1.5, 2.0])
        groups[bits, cost] = None
    covered = 0
    for bits, _ in groups:
        covered |= bits
    for task in range(count):
        if not covered >> task & 1:
            groups[1 << task, 1.0] = None
    listed = list(groups)
    member = np.array([[bits >> task & 1 for task in range(count)] for bits, _ in listed], dtype=bool)
    step = choice(dice, [0.25, 0.001, np.pi / 1000])
    loss = objective is TotalLoss
    low, high = (0, 12) if loss else (-6, 8)
    if step != 0.25:
        low, high = low * 100, high * 100
    values = np.array(
        [[step * dice.integer(low, high) if held else 0.0 for held in row] for row in member.tolist()]
    )
    baseline = not costly and not loss
    if baseline:
        values[member.sum(axis=1) == 1] = 0.0
    std = None
    if objective is LowerConfidenceGain:
        std = np.array([[dice.integer(0, 3) / 8 for _ in tasks] for _ in listed])
    return GainTensor.from_dense(
        tasks,
        member,
        values,
        std=std,
        cost=np.array([cost for _, cost in listed]),
        measured=np.array([not chance(dice, 20) for _ in listed]),
        quantity="loss" if loss else "gain",
        single_task_baseline=baseline,
    )


def _constraints(dice: Dice, features: frozenset[Feature], gains: GainTensor) -> list[Constraint]:
    count = gains.n_tasks
    demands: list[Constraint] = []
    if chance(dice, 60):
        demands.append(Budget(dice.integer(2, 2 * count + 2) / 2))
    if chance(dice, 15):
        most = dice.integer(1, count + 1)
        demands.append(GroupCount(most, most if chance(dice, 50) else 0))
    if Feature.MIN_GROUPS in features and chance(dice, 8):
        demands.append(GroupCount(None, dice.integer(1, count + 1)))
    if chance(dice, 10):
        demands.append(GroupSize(dice.integer(1, count)))
    if Feature.PARTITION in features and chance(dice, 18):
        demands.append(Partition())
    if Feature.MEMBERSHIPS in features and chance(dice, 15):
        demands.append(MembershipLimit(dice.integer(1, 3)))
    if count > 1 and chance(dice, 7):
        demands.append(Together(two_of(dice, gains.tasks)))
    if count > 1 and chance(dice, 7):
        demands.append(Apart(two_of(dice, gains.tasks)))
    if chance(dice, 12):
        value = dice.integer(2, 12) / 4 if gains.quantity == "loss" else dice.integer(-4, 1) / 4
        demands.append(Floor(value, [choice(dice, gains.tasks)] if chance(dice, 50) else None))
    if Feature.MANDATORY in features and chance(dice, 12):
        row = dice.integer(0, gains.n_groups - 1)
        demands.append(Mandatory(gains.group(row), float(gains.cost[row])))
    if chance(dice, 12):
        demands.append(Forbidden(gains.group(dice.integer(0, gains.n_groups - 1))))
    if Feature.EXTENSION in features and chance(dice, 15):
        demands.append(MostMembers(dice.integer(count, 3 * count)).constraint)
    return demands
