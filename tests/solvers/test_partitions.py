"""Partitions over a table: every exact solver against the referee, and against the dynamic program."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import engine
from engine import (
    Apart,
    Floor,
    GainTensor,
    GroupCount,
    GroupSize,
    Mandatory,
    PairMeanModel,
    Partition,
    Problem,
    Status,
    Together,
    TotalGain,
    WorstGain,
    all_groups,
    solve,
)
from engine.problem.kinds import Feature
from engine.testing import check_solution, optimum, problems

EXACT = ["branch-and-bound", "cpsat", "milp", "subset-dp"]
TABLE_FEATURES = {
    Feature.SUM,
    Feature.WORST,
    Feature.OPENING,
    Feature.PARTITION,
    Feature.MIN_GROUPS,
    Feature.MANDATORY,
}
DEMANDS: dict[str, list[engine.Constraint]] = {
    "any number": [],
    "at most 3": [GroupCount(3)],
    "exactly 4": [GroupCount(4, 4)],
    "at least 5": [GroupCount(at_least=5)],
    "sizes 2 to 4": [GroupSize(4, 2)],
    "together and apart": [GroupCount(4), Together(["t0", "t1"]), Apart(["t2", "t3", "t4"])],
    "nobody loses": [Floor(0.0)],
    "a group fixed": [GroupCount(3, 3), Mandatory(["t0", "t5"])],
}


def complete_table(count: int, kind: str, seed: int = 0) -> GainTensor:
    """All groups of some tasks: pair means, pair means with noise, or nothing but noise."""
    rng = np.random.default_rng(seed)
    member = all_groups(count)
    tasks = tuple(f"t{task}" for task in range(count))
    values = np.zeros(member.shape)
    if kind != "noise":
        values += np.nan_to_num(
            PairMeanModel(tasks, rng.normal(size=(count, count)), np.zeros(count)).predict(member)
        )
    if kind != "pair means":
        values += rng.normal(0.0, 1.0 if kind == "noise" else 0.2, member.shape)
    values[~member | (member.sum(axis=1) == 1)[:, None]] = 0.0
    return GainTensor.from_dense(tasks, member, values)


@pytest.mark.parametrize("name", EXACT)
@settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
@given(problem=problems(features=TABLE_FEATURES, max_tasks=5, max_groups=10))
def test_a_partition_of_a_random_table_is_the_best_the_referee_knows(name: str, problem: Problem) -> None:
    demands = (*problem.constraints, Partition())
    divided = Problem(problem.gains, problem.objective, demands)
    best = optimum(divided)
    found = solve(divided, name, threads=1)
    check_solution(divided, found)
    if best is None:
        assert found.status is Status.INFEASIBLE
        return
    assert found.status is Status.OPTIMAL
    assert found.value == pytest.approx(best, rel=0, abs=1e-6 * divided.program.scale)


@pytest.mark.parametrize("objective", [TotalGain(), WorstGain()], ids=["total", "worst"])
@pytest.mark.parametrize("kind", ["pair means", "pair means with noise", "noise"])
@pytest.mark.parametrize("demands", DEMANDS.values(), ids=DEMANDS)
def test_exact_solvers_agree_on_all_groups_of_seven_tasks(
    demands: Sequence[engine.Constraint], kind: str, objective: engine.Objective
) -> None:
    problem = Problem(complete_table(7, kind), objective, [Partition(), *demands])
    reference = solve(problem, "subset-dp")
    check_solution(problem, reference)
    for name in ("branch-and-bound", "cpsat", "milp"):
        found = solve(problem, name, threads=1)
        check_solution(problem, found)
        assert found.status is reference.status is Status.OPTIMAL
        assert found.value == pytest.approx(reference.value, abs=1e-6 * problem.program.scale)


@pytest.mark.parametrize("objective", [TotalGain(), WorstGain()], ids=["total", "worst"])
@pytest.mark.parametrize("demands", [DEMANDS["exactly 4"], DEMANDS["sizes 2 to 4"]], ids=str)
def test_branch_and_bound_agrees_on_4095_groups(
    demands: Sequence[engine.Constraint], objective: engine.Objective
) -> None:
    problem = Problem(complete_table(12, "pair means with noise"), objective, [Partition(), *demands])
    reference, found = (solve(problem, name) for name in ("subset-dp", "branch-and-bound"))
    assert found.status is reference.status is Status.OPTIMAL
    assert found.value == pytest.approx(reference.value, abs=1e-6 * problem.program.scale)
