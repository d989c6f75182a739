"""Small random problems over the lattice of a gain model, and over pairwise graphs."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.errors import UsageError
from engine.gains.affinity import Affinity
from engine.gains.model import GainModel, all_groups
from engine.gains.pair_mean import PairMeanModel
from engine.gains.separable import PairSumModel
from engine.gains.tabulated import TabulatedModel
from engine.gains.tensor import GainTensor, Quantity
from engine.problem.constraint import Constraint, Grouping
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
from engine.problem.kinds import Feature, Kind
from engine.problem.lattice import LatticeProblem
from engine.problem.limits import Limits
from engine.problem.objectives import (
    LowerConfidenceGain,
    MembershipAverage,
    Objective,
    TotalGain,
    TotalLoss,
    WeightedGain,
    WorstGain,
)
from engine.testing.dice import Dice, Seeded, chance, choice, task_names, two_of
from engine.testing.random_problems import PricedGain

LATTICE_KINDS = frozenset({Kind.LATTICE, Kind.GRAPH})
LATTICE_FEATURES = frozenset(
    {
        Feature.SUM,
        Feature.WORST,
        Feature.OPENING,
        Feature.MIN_GROUPS,
        Feature.MEMBERSHIPS,
        Feature.PARTITION,
        Feature.MANDATORY,
    }
)
"""What a random problem over a lattice may ask; there every group costs 1."""


@dataclass(frozen=True)
class NotOfSize(Constraint):
    """No chosen group has exactly so many members: a demand that needs a list of groups."""

    size: int

    def restrict(self, limits: Limits) -> None:
        """Drop the groups of this size."""
        limits.group_rules.append(lambda groups: groups.sizes != self.size)

    def violation(self, grouping: Grouping) -> str | None:
        """Look for a group of this size."""
        if any(len(group) == self.size for group in grouping.groups):
            return f"a group has {self.size} members"
        return None

    def describe(self) -> str:
        """Return the demand in words."""
        return f"no group of {self.size}"


def random_lattice_problem(
    seed: int | np.random.Generator,
    *,
    features: Collection[Feature] = LATTICE_FEATURES,
    kinds: Collection[Kind] = LATTICE_KINDS,
    min_tasks: int = 1,
    max_tasks: int = 5,
    listing: bool = False,
) -> LatticeProblem:
    """Return a random small problem over all groups of a gain model, feasible or not.

    Parameters
    ----------
    seed
        A seed or a generator.
    features, kinds
        What the problem may ask of a solver; a sum or the worst task must be among the features.
    min_tasks, max_tasks
        Bounds on N.
    listing
        Whether it may ask what only a list of all groups can answer: an objective without task
        weights, where opening values are among the features, or a user's own constraint.
    """
    dice = Seeded(np.random.default_rng(seed))
    sizes = (min_tasks, max_tasks)
    return build_lattice_problem(dice, frozenset(features), frozenset(kinds), sizes, listing)


def build_lattice_problem(
    dice: Dice,
    features: frozenset[Feature],
    kinds: frozenset[Kind],
    sizes: tuple[int, int],
    listing: bool = False,
) -> LatticeProblem:
    """Return the problem that some dice decide.

    Parameters
    ----------
    dice
        The decisions; low numbers give simple problems.
    features, kinds, listing
        As for :func:`random_lattice_problem`.
    sizes
        Least and largest N.

    Raises
    ------
    UsageError
        If there is no such problem.
    """
    if not 1 <= sizes[0] <= sizes[1]:
        raise UsageError(f"The number of tasks cannot lie between {sizes[0]} and {sizes[1]}.")
    shapes: list[Callable[[_Grid, tuple[str, ...], Quantity], GainModel]] = []
    if Kind.LATTICE in kinds:
        shapes += [_pair_mean, _pair_sum, _tabulated]
    if Kind.GRAPH in kinds and {Feature.SUM, Feature.PARTITION} <= features:
        shapes += [_graph]
    if not shapes:
        raise UsageError("Graphs are partitioned for their sum: let kinds or features hold more.")
    shape = choice(dice, shapes)
    step = choice(dice, [0.25, 0.001, np.pi / 1000])
    values = _Grid(dice, step, fine=step != 0.25)
    objective = _objective_kind(dice, features, listing, shape is _graph)
    quantity: Quantity = "loss" if objective is TotalLoss else "gain"
    model = shape(values, task_names(dice.integer(*sizes)), quantity)
    demands = (Partition(),) if shape is _graph else ()
    problem = LatticeProblem(model, _objective(dice, objective, model.tasks), demands)
    for constraint in _constraints(values, features, problem, listing):
        stricter = replace(problem, constraints=(*problem.constraints, constraint))
        if stricter.features <= features and stricter.kind in kinds:
            problem = stricter
    return problem


@dataclass(frozen=True)
class _Grid:
    """Numbers on a grid, so that there are ties; a fine one has hundred times the steps."""

    dice: Dice
    step: float
    fine: bool

    def number(self, low: int, high: int) -> float:
        by = 100 if self.fine else 1
        return self.step * self.dice.integer(low * by, high * by)

    def array(self, shape: tuple[int, ...], low: int, high: int) -> NDArray[np.float64]:
        return np.array([self.number(low, high) for _ in range(int(np.prod(shape)))]).reshape(shape)


def _pair_mean(values: _Grid, tasks: tuple[str, ...], quantity: Quantity) -> GainModel:
    count, loss = len(tasks), quantity == "loss"
    pairs = values.array((count, count), 0 if loss else -6, 12 if loss else 8)
    np.fill_diagonal(pairs, np.nan)
    singles = values.array((count,), 2, 12) if loss else np.zeros(count)
    if not loss and chance(values.dice, 20):
        singles = values.array((count,), -2, 2)
    return PairMeanModel(tasks, pairs, singles, quantity=quantity)


def _pair_sum(values: _Grid, tasks: tuple[str, ...], quantity: Quantity) -> GainModel:
    count, loss = len(tasks), quantity == "loss"
    pairs = values.array((count, count), -3, 3)
    low, high = (4, 12) if loss else (-2, 3)
    singles, offsets = np.zeros(count), np.zeros(count)
    if loss or chance(values.dice, 60):
        singles = values.array((count,), low, high)
    if loss or chance(values.dice, 60):
        offsets = values.array((count,), low, high)
    return PairSumModel(tasks, pairs, singles, offsets, quantity=quantity)


def _tabulated(values: _Grid, tasks: tuple[str, ...], quantity: Quantity) -> GainModel:
    member = all_groups(len(tasks))
    low, high = (0, 12) if quantity == "loss" else (-6, 8)
    table = np.full(member.shape, np.nan)
    table[member] = values.array((int(member.sum()),), low, high)
    return TabulatedModel(
        GainTensor.from_dense(tasks, member, table, quantity=quantity, single_task_baseline=False)
    )


def _graph(values: _Grid, tasks: tuple[str, ...], quantity: Quantity) -> GainModel:
    return PairSumModel.from_affinity(Affinity(tasks, values.array((len(tasks), len(tasks)), -6, 6)))


def _objective_kind(dice: Dice, features: frozenset[Feature], listing: bool, graph: bool) -> type[Objective]:
    kinds: list[type[Objective]] = []
    if Feature.SUM in features:
        kinds += [TotalGain, TotalGain, WeightedGain]
        if not graph:
            kinds += [TotalLoss]
        if not graph and listing and Feature.OPENING in features:
            kinds += [LowerConfidenceGain, MembershipAverage, PricedGain]
    if not graph and Feature.WORST in features:
        kinds += [WorstGain]
    if not kinds:
        raise UsageError("A problem needs a sum or the worst task among its features.")
    return choice(dice, kinds)


def _objective(dice: Dice, kind: type[Objective], tasks: tuple[str, ...]) -> Objective:
    if kind is WeightedGain:
        return WeightedGain({name: dice.integer(-1, 4) / 2 for name in tasks if chance(dice, 50)})
    if kind is PricedGain:
        return PricedGain(dice.integer(-2, 4) / 4)
    return kind()


def _constraints(
    values: _Grid, features: frozenset[Feature], problem: LatticeProblem, listing: bool
) -> list[Constraint]:
    dice, tasks = values.dice, problem.tasks
    count = len(tasks)
    demands: list[Constraint] = []
    if chance(dice, 60):
        demands.append(Budget(dice.integer(2, 2 * count + 2) / 2))
    if chance(dice, 15):
        most = dice.integer(1, count + 1)
        demands.append(GroupCount(most, most if chance(dice, 50) else 0))
    if Feature.MIN_GROUPS in features and chance(dice, 10):
        demands.append(GroupCount(None, dice.integer(1, count + 1)))
    if chance(dice, 12):
        least = dice.integer(1, count)
        demands.append(GroupSize(dice.integer(least, count), least if chance(dice, 50) else 1))
    if Feature.PARTITION in features and chance(dice, 18):
        demands.append(Partition())
    if {Feature.MEMBERSHIPS, Feature.PARTITION} & features and chance(dice, 15):
        demands.append(MembershipLimit(dice.integer(1, 3)))
    if count > 1 and chance(dice, 10):
        demands.append(Together(two_of(dice, tasks)))
    if count > 1 and chance(dice, 10):
        demands.append(Apart(two_of(dice, tasks)))
    if chance(dice, 15):
        low, high = (4, 12) if problem.quantity == "loss" else (-4, 1)
        protected = [choice(dice, tasks)] if chance(dice, 50) else None
        demands.append(Floor(values.number(low, high), protected))
    if Feature.MANDATORY in features and chance(dice, 12):
        demands.append(Mandatory(_group(dice, tasks), 2.0 if chance(dice, 5) else None))
    if chance(dice, 15):
        demands.append(Forbidden(_group(dice, tasks), 2.0 if chance(dice, 10) else None))
    if listing and chance(dice, 15):
        demands.append(NotOfSize(dice.integer(1, count)))
    return demands


def _group(dice: Dice, tasks: tuple[str, ...]) -> list[str]:
    code = dice.integer(1, 2 ** len(tasks) - 1)
    return [name for task, name in enumerate(tasks) if code >> task & 1]
