"""Checks that every solution must pass, whatever solver it comes from."""

from __future__ import annotations

import math

from engine.problem.lattice import LatticeProblem
from engine.problem.table import Problem
from engine.solving.certificate import Status
from engine.solving.claim import Choice
from engine.solving.referee import referee
from engine.solving.solution import Solution
from engine.solving.solve import proof_slack
from engine.solving.warm_start import named_groups


def check_solution(problem: Problem | LatticeProblem, solution: Solution) -> None:
    """Assert that a solution is what it says.

    Its groups are those of the problem, it breaks no demand, its value is the referee's, its bound
    is no worse than its value, its status follows from both, and it survives JSON.

    Parameters
    ----------
    problem, solution
        What was solved, and the result.

    Raises
    ------
    AssertionError
        If anything is wrong, with the reason.
    """
    assert solution.status is not Status.ERROR, solution.certificate.problems
    assert solution.tasks == problem.tasks
    assert solution.certificate.digest == problem.digest
    if not solution.found:
        assert solution.status in (Status.INFEASIBLE, Status.NONE), solution.status
        assert solution.value is None
        assert not solution.certificate.verified
        assert Solution.from_json(solution.to_json()).status is solution.status
        return
    assert solution.status in (Status.OPTIMAL, Status.FEASIBLE), solution.status
    assert solution.certificate.verified, "a grouping was returned unverified"
    choice: Choice = problem.locate(named_groups(solution))
    assert len(choice) == len(solution.groups), "a chosen group is not in the tensor, or is chosen twice"
    table, rows = problem.table_of(choice)
    verdict = referee(table, rows)
    slack = proof_slack(problem, table)
    assert not verdict.problems, verdict.problems
    assert verdict.value is not None
    assert solution.value is not None
    assert math.isclose(verdict.value, solution.value, rel_tol=1e-12, abs_tol=1e-6 * slack)
    assert set(solution.serving) == set(solution.tasks), "a task is served by no group"
    for task, index in solution.serving.items():
        assert task in solution.groups[index].tasks, f"{task!r} is served by a group that lacks it"
    if solution.bound is not None:
        distance = problem.sign * (solution.bound - solution.value)
        assert distance >= -slack, f"value {solution.value} beyond bound {solution.bound}"
        assert (distance <= slack) == (solution.status is Status.OPTIMAL), (distance, solution.status)
    else:
        assert solution.status is Status.FEASIBLE, "optimal without a bound"
    again = Solution.from_json(solution.to_json())
    assert (again.groups, again.value, again.status) == (solution.groups, solution.value, solution.status)
