"""Random groupings: the baseline that any method must beat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from engine.errors import UsageError
from engine.problem.kinds import Feature
from engine.problem.table import Problem
from engine.solving.control import Control
from engine.solving.solver import Outcome, Solver, SolverInfo
from solvers.tables.completion import complete
from solvers.tables.cover import find_cover
from solvers.tables.moves import Moves, grouping_value

BATCH_CELLS = 500_000
"""Random numbers and membership cells looked at at a time."""

REJECTIONS = 100
"""So many batches of sets are looked at at most."""

SLOW_REJECTIONS = 25
"""With costs or membership limits, where sets are built one by one, so many are rejected at most."""

RANDOM_NODES = 100
"""How long a random search for a cover lasts before a greedy one takes over."""


@dataclass(frozen=True)
class RandomDraws(Solver):
    """Groupings drawn uniformly among those that use the whole budget and serve every task.

    The random baseline of MTG-Net (Song et al., NeurIPS 2022): B groups are drawn without
    replacement, and drawn again until every task is served. With costs or membership limits, groups
    are taken in a random order as long as they fit. Where that is hopeless, because rejection does
    not end, a search, random as far as that succeeds, finds a cover first, which is then filled up at
    random; such draws are feasible, but not uniform, and the details count them.

    The best draw is returned. The mean, standard deviation, least and largest value over all draws
    stand in the details of the solution, in the unit of the objective; the mean is the baseline.

    Attributes
    ----------
    draws
        Number of groupings.
    """

    draws: int = 100

    info: ClassVar[SolverInfo] = SolverInfo(
        summary="Random groupings that serve every task: the baseline to beat",
        exact=False,
        features=frozenset(Feature),
        rank=80,
        reference="Song et al., Efficient and Effective Multi-task Grouping via Meta Learning, NeurIPS 2022",
    )

    def __post_init__(self) -> None:
        if self.draws < 1:
            raise UsageError(f"The number of draws must be 1 or more, not {self.draws}.")

    def solve(self, problem: Problem, control: Control) -> Outcome:
        """Draw the groupings and return the best."""
        program = problem.program
        moves = Moves(program)
        rng = np.random.default_rng(control.seed)
        values: list[float] = []
        repaired = 0
        uniform = _uniform(moves, control, rng)
        for _ in range(self.draws):
            groups = next(uniform, None)
            if groups is None:
                groups = _repaired(moves, control, rng)
                repaired += groups is not None
            if groups is None:
                break
            value = grouping_value(problem, groups)
            if np.isfinite(value):
                values.append(value)
                control.incumbent(program.rows[groups], value)
            if control.should_stop():
                break
        if not values:
            return Outcome(control.rows, termination=control.termination())
        drawn = program.sign * np.array(values)
        details = {
            "draws": len(values),
            "repaired_draws": repaired,
            "mean_value": float(drawn.mean()),
            "std_value": float(drawn.std()),
            "min_value": float(drawn.min()),
            "max_value": float(drawn.max()),
        }
        return Outcome(control.rows, termination=control.termination(), details=details)


def _uniform(moves: Moves, control: Control, rng: np.random.Generator) -> Iterator[list[int]]:
    """Yield groupings that use the whole budget and meet every demand, until rejection gives up."""
    program = moves.program
    if program.max_memberships is not None or np.isfinite(program.max_cost):
        rejected = 0
        while rejected < SLOW_REJECTIONS and not control.should_stop():
            groups = _filled(moves, moves.mandatory, rng)
            if moves.feasible(groups):
                yield groups
            else:
                rejected += 1
        return
    serves = np.zeros((program.n_groups, program.n_tasks), dtype=bool)
    usable = np.isfinite(program.serve)
    serves[program.entry_groups[usable], program.members[usable]] = True
    free = np.flatnonzero(~program.mandatory)
    fixed = np.array(moves.mandatory, dtype=np.int64)
    already = serves[fixed].any(axis=0)
    for _ in range(REJECTIONS):
        if control.should_stop():
            return
        sets = free[_batch(rng, len(free), program.max_groups - len(fixed), program.n_tasks)]
        served = np.logical_or(serves[sets].any(axis=1), already).all(axis=1)
        for groups in sets[served]:
            yield [*moves.mandatory, *groups.tolist()]


def _batch(rng: np.random.Generator, count: int, size: int, n_tasks: int) -> NDArray[np.int64]:
    """Draw sets of ``size`` out of ``count`` uniformly, shape (sets, size)."""
    if size * size < count:
        sets: NDArray[np.int64] = rng.integers(
            count, size=(max(1, BATCH_CELLS // max(1, size * n_tasks)), size)
        )
        ordered = np.sort(sets, axis=1)
        distinct: NDArray[np.bool_] = (ordered[:, 1:] != ordered[:, :-1]).all(axis=1)
        return sets[distinct]
    copies = np.tile(np.arange(count), (max(1, BATCH_CELLS // max(1, count * n_tasks)), 1))
    shuffled: NDArray[np.int64] = rng.permuted(copies, axis=1)
    return shuffled[:, :size]


def _filled(moves: Moves, groups: list[int], rng: np.random.Generator) -> list[int]:
    """Add groups in a random order as long as they fit."""
    program = moves.program
    filled = list(groups)
    addable = moves.addable(filled)
    for group in rng.permutation(program.n_groups):
        if addable[group]:
            filled.append(int(group))
            addable = moves.addable(filled)
            if not addable.any():
                break
    return filled


def _repaired(moves: Moves, control: Control, rng: np.random.Generator) -> list[int] | None:
    program = moves.program
    cover = find_cover(moves, control, rng.random(program.n_groups), RANDOM_NODES)
    if cover.groups is not None:
        return _filled(moves, cover.groups.tolist(), rng)
    some = rng.permutation(program.n_groups)[: int(rng.integers(program.max_groups // 2 + 1))]
    completed = complete(moves, some.tolist(), control)
    return None if completed is None else _filled(moves, completed, rng)
