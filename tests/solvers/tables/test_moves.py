"""The arithmetic of the heuristics, and the search for a cover."""

from __future__ import annotations

import numpy as np
import pytest

from engine import Budget, Control, GroupCount, Mandatory, MembershipLimit, Partition, Problem, WorstGain
from engine.testing import random_problem
from engine.testing.examples import easy_gains, easy_problem, infeasible_problem
from solvers.tables import moves as module
from solvers.tables.completion import complete
from solvers.tables.cover import find_cover
from solvers.tables.moves import Moves


@pytest.mark.parametrize("seed", range(40))
def test_improvement_is_the_difference_of_totals(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    program = random_problem(seed).program
    if program.unreachable:
        pytest.skip("contradictory")
    dense = Moves(program)
    assert dense.dense is not None
    monkeypatch.setattr(module, "DENSE_CELLS", 0)
    sparse = Moves(program)
    assert sparse.dense is None
    rng = np.random.default_rng(seed)
    groups = rng.choice(program.n_groups, min(3, program.n_groups), replace=False).tolist()
    for moves in (dense, sparse):
        gain = moves.improvement(moves.best(groups))
        for group in range(program.n_groups):
            more = moves.total([*groups, group]) - moves.total(groups)
            if group not in groups:
                assert more == pytest.approx(gain[group], abs=1e-8)
        for place, best in enumerate(moves.without(groups)):
            np.testing.assert_array_equal(best, moves.best(groups[:place] + groups[place + 1 :]))


@pytest.mark.parametrize("seed", range(40))
def test_a_better_score_is_a_better_value(seed: int) -> None:
    program = random_problem(seed).program
    if program.unreachable:
        pytest.skip("contradictory")
    moves = Moves(program)
    rng = np.random.default_rng(seed)
    sets = [
        rng.choice(program.n_groups, rng.integers(1, program.n_groups + 1), replace=False) for _ in range(8)
    ]
    for first in sets:
        for second in sets:
            one, two = program.value(first), program.value(second)
            if np.isfinite(one) and np.isfinite(two) and program.aggregate == "sum" and one > two + 1e-9:
                assert moves.total(first.tolist()) > moves.total(second.tolist())
            if np.isfinite(one) and not np.isfinite(two):
                assert moves.total(first.tolist()) > moves.total(second.tolist())


def test_worst_scores_put_the_least_task_first() -> None:
    moves = Moves(easy_problem(WorstGain()).program)
    order = np.argsort(moves.program.serve)
    assert (np.diff(moves.score[order]) >= 0).all()
    assert moves.score.max() < 0


def test_limits() -> None:
    gains = easy_gains()
    at_most = Moves(Problem(gains, constraints=(GroupCount(2),)).program)
    assert at_most.addable([0]).sum() == 14
    assert not at_most.addable([0, 1]).any()
    assert not at_most.within_limits([0, 1, 2])
    single = Moves(Problem(gains, constraints=(Partition(),)).program)
    assert gains.group(0) == ("a",)
    assert not single.addable([0])[single.program.entry_groups[single.program.members == 0]].any()
    twice = Moves(Problem(gains, constraints=(MembershipLimit(2),)).program)
    assert twice.addable([0])[2]
    assert not twice.addable([0, 2])[4]
    forced = Moves(Problem(gains, constraints=(Mandatory(["d"]), Budget(2))).program)
    assert forced.mandatory == [7]
    assert not forced.within_limits([14])
    assert forced.feasible([7, 14])


def test_find_cover_backtracks_and_gives_up() -> None:
    moves = Moves(easy_problem(None, Partition(), Budget(2)).program)
    cover = find_cover(moves, Control())
    assert cover.groups is not None
    assert moves.feasible(cover.groups)
    impossible = find_cover(Moves(infeasible_problem().program), Control())
    assert impossible.groups is None
    assert impossible.decided
    cut_short = find_cover(moves, Control(), nodes=1)
    assert cut_short.groups is None
    assert not cut_short.decided


def test_complete_keeps_what_fits() -> None:
    problem = easy_problem(None, Partition())
    moves = Moves(problem.program)
    chosen = complete(moves, [0, 2, 7], Control())
    assert chosen is not None
    # a, then not a|b, then d.
    assert chosen[:2] == [0, 7]
    assert moves.feasible(chosen)
