"""Annealing over partitions: what it returns is a partition, and exact solvers profit from it."""

from __future__ import annotations

import numpy as np
import pytest

import engine
from engine import GroupCount, GroupSize, Mandatory, Partition, Problem, Status, solve
from solvers.tables.partition_annealing import anneal_partitions
from tests.solvers.test_partitions import complete_table


@pytest.mark.parametrize(
    "demands",
    [[GroupCount(3)], [GroupCount(4, 4)], [GroupSize(3, 2)], [GroupCount(3, 3), Mandatory(["t0", "t5"])]],
    ids=str,
)
def test_chains_return_partitions_within_the_limits_and_near_the_optimum(
    demands: list[engine.Constraint],
) -> None:
    problem = Problem(complete_table(8, "noise"), constraints=[Partition(), *demands])
    program = problem.program
    value = np.bincount(program.entry_groups, program.serve, program.n_groups) + program.open
    control = engine.Control(seed=3)
    found = anneal_partitions(program, value, control, moves=1 << 15, stream=0)
    assert found
    best = solve(problem, "subset-dp").value
    assert best is not None
    for chosen in found:
        verdict = engine.referee(problem, program.rows[chosen])
        assert not verdict.problems
        assert verdict.value is not None
        assert verdict.value <= best + 1e-9
    assert max(program.value(chosen) for chosen in found) >= 0.8 * best
    again = anneal_partitions(program, value, control, moves=1 << 15, stream=0)
    assert [one.tolist() for one in again] == [one.tolist() for one in found]


def test_it_ends_with_the_time() -> None:
    problem = Problem(complete_table(8, "noise"), constraints=[Partition()])
    program = problem.program
    ended = engine.Control(time_limit=1e-9)
    assert anneal_partitions(program, np.zeros(program.n_groups), ended, moves=1 << 15, stream=0) == []


def test_a_partition_that_no_greedy_order_finds_is_found_and_proven() -> None:
    """Of 1023 groups, the presolve packs no four disjoint ones that hold all tasks; annealing does."""
    problem = Problem(complete_table(10, "noise", 10), constraints=[Partition(), GroupCount(4, 4)])
    reference = solve(problem, "subset-dp")
    for name in ("branch-and-bound", "cpsat", "milp"):
        found = solve(problem, name)
        assert "annealing" in found.certificate.seconds
        assert found.status is Status.OPTIMAL
        assert found.value == pytest.approx(reference.value, abs=1e-6 * problem.program.scale)
