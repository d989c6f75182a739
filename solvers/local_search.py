"""Local search: add, drop and swap groups while that improves, with perturbed restarts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.errors import UsageError
from engine.problem.kinds import Feature, Kind
from engine.problem.lattice import LatticeProblem
from engine.problem.table import Problem
from engine.solving.control import Control
from engine.solving.solver import Outcome, Solver, SolverInfo
from solvers.greedy import construct
from solvers.tables.black_box import search_set_function
from solvers.tables.completion import Rule, complete
from solvers.tables.moves import Moves

PROMISING = 20
"""A perturbation forces in one of so many groups that serve a random task best."""

REPAIR_NODES = 50
"""How long a perturbed grouping that leaves tasks unserved is mended."""


@dataclass(frozen=True)
class LocalSearch(Solver):
    """Iterated local search over sets of groups (Lourenço, Martin and Stützle, 2003).

    From the greedy grouping, or the warm start where there is one, groups are added, dropped and
    swapped while that improves the value. At a local optimum, up to three groups that serve a random
    task well are forced in, whatever stands in their way leaves, the rest is completed greedily, and
    the descent starts again; a worse local optimum is abandoned. A black-box set function, or what
    extra terms make of an objective, is searched by the same moves, first improvement first.
    The partition of a pairwise graph is searched by chains of moves of tasks between groups, swaps,
    mergers and splits; see :class:`solvers.graphs.search.Search`.

    Attributes
    ----------
    iterations
        Perturbations to try.
    evaluations
        For black-box set functions and extra terms: how many groupings may be evaluated.
    compiled
        For graphs: whether the chains run as machine code, compiled once per machine in some seconds;
        by default from 40 tasks on.
    """

    iterations: int = 100
    evaluations: int = 5000
    compiled: bool | None = None

    info: ClassVar[SolverInfo] = SolverInfo(
        summary="Adds, drops and swaps groups with perturbed restarts; also for black-box set functions",
        exact=False,
        features=frozenset(Feature),
        kinds=frozenset({Kind.TABLE, Kind.GRAPH}),
        rank=40,
    )

    def __post_init__(self) -> None:
        if self.iterations < 0 or self.evaluations < 1:
            raise UsageError(
                "local-search needs iterations of 0 or more and evaluations of 1 or more, "
                f"not {self.iterations} and {self.evaluations}."
            )

    def solve(self, problem: Problem | LatticeProblem, control: Control) -> Outcome:
        """Search until the iterations or the time are spent."""
        if isinstance(problem, LatticeProblem):
            from solvers.graphs.heuristics import search_graph

            return search_graph(problem, control, self.iterations, self.compiled)
        moves = Moves(problem.program)
        rng = np.random.default_rng(control.seed)
        start = None
        if len(control.warm_start):
            start = complete(moves, moves.candidates(control.warm_start.tolist()), control)
        if problem.is_evaluated:
            details = search_set_function(
                problem, moves, start, control, rng, self.evaluations, self.iterations
            )
            return Outcome(control.rows, termination=control.termination(), details=details)
        if start is None:
            start = construct(moves, control)
        if start is not None:
            iterate(moves, start, control, rng, self.iterations)
        return Outcome(control.rows, termination=control.termination())


def iterate(
    moves: Moves, start: Sequence[int], control: Control, rng: np.random.Generator, iterations: int
) -> list[int]:
    """Descend from a feasible grouping, then perturb and descend again; return the best grouping.

    Parameters
    ----------
    moves, start
        The scores, and a feasible grouping.
    control
        Told of every better grouping.
    rng
        Decides the perturbations.
    iterations
        Perturbations to try.
    """
    current = descend(moves, start, control, rng)
    report(moves, current, control)
    score = moves.total(current)
    for _ in range(iterations):
        if control.should_stop():
            break
        kicked = perturb(moves, current, control, rng)
        if kicked is None:
            continue
        found = descend(moves, kicked, control, rng)
        total = moves.total(found)
        if total >= score:
            if total > score + moves.tolerance:
                report(moves, found, control)
            current, score = found, total
    return current


def report(moves: Moves, groups: Sequence[int], control: Control) -> None:
    """Tell the control of a feasible grouping."""
    chosen = np.array(groups, dtype=np.int64)
    control.incumbent(moves.program.rows[chosen], moves.program.value(chosen))


def descend(moves: Moves, start: Sequence[int], control: Control, rng: np.random.Generator) -> list[int]:
    """Add, drop and swap groups until nothing improves the score.

    Parameters
    ----------
    moves, start, control, rng
        As for :func:`iterate`.
    """
    groups = list(start)
    while not control.should_stop():
        better = _added(moves, groups) or _dropped(moves, groups) or _swapped(moves, groups, control, rng)
        if better is None:
            break
        groups = better
    return groups


def _added(moves: Moves, groups: list[int]) -> list[int] | None:
    gain = np.where(moves.addable(groups), moves.improvement(moves.best(groups)), -np.inf)
    group = int(np.argmax(gain))
    return [*groups, group] if gain[group] > moves.tolerance else None


def _dropped(moves: Moves, groups: list[int]) -> list[int] | None:
    program = moves.program
    if len(groups) <= max(1, program.min_groups):
        return None
    loss = moves.best(groups).sum() - moves.without(groups).sum(axis=1) + program.open[groups]
    loss[program.mandatory[groups]] = np.inf
    place = int(np.argmin(loss))
    return groups[:place] + groups[place + 1 :] if loss[place] < -moves.tolerance else None


def _swapped(moves: Moves, groups: list[int], control: Control, rng: np.random.Generator) -> list[int] | None:
    program = moves.program
    if program.is_partition and bool((program.cost == program.cost[0]).all()):
        # Only a group of the same tasks at another cost could take the place of one.
        return None
    full = moves.best(groups).sum()
    without = moves.without(groups)
    for place in rng.permutation(len(groups)):
        leaving = groups[place]
        if program.mandatory[leaving]:
            continue
        if control.should_stop():
            break
        rest = groups[:place] + groups[place + 1 :]
        gain = moves.improvement(without[place])
        gain[~moves.addable(rest)] = -np.inf
        group = int(np.argmax(gain))
        if without[place].sum() + gain[group] > full + program.open[leaving] + moves.tolerance:
            return [*rest, group]
    return None


def perturb(
    moves: Moves, groups: Sequence[int], control: Control, rng: np.random.Generator
) -> list[int] | None:
    """Force in one to three promising groups, drop what stands in their way, complete the rest.

    Parameters
    ----------
    moves, groups, control, rng
        As for :func:`iterate`.

    Returns
    -------
    list of int or None
        A feasible grouping, or None where this attempt found none.
    """
    program = moves.program
    forced = list(moves.mandatory)
    kept = [group for group in groups if group not in forced]
    merit = moves.score
    if program.is_partition:
        # A group comes with all its members, so that its mean counts, and displaces many others.
        sizes = np.maximum(np.diff(program.indptr), 1)
        totals = np.bincount(program.entry_groups, moves.score, program.n_groups) + program.open
        merit = (totals / sizes)[program.entry_groups]
    for _ in range(1 if program.is_partition else int(rng.integers(1, 4))):
        task = int(rng.integers(program.n_tasks))
        entries = np.flatnonzero((program.members == task) & (moves.score > -np.inf))
        servers = program.entry_groups[entries[np.argsort(-merit[entries], kind="stable")]]
        servers = servers[: PROMISING + len(groups)]
        servers = servers[~np.isin(servers, [*kept, *forced])]
        if not len(servers):
            continue
        group = int(rng.choice(servers))
        if moves.fits(forced, group):
            forced.append(group)
    shuffled = [kept[place] for place in rng.permutation(len(kept))]
    room = program.max_groups - len(forced)
    kept = [*forced, *shuffled[: max(0, room - int(rng.integers(2)))]]
    rule: Rule = "per task" if program.is_partition else "improvement"
    return complete(moves, kept, control, rule, REPAIR_NODES)
