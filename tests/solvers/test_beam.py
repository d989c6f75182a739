"""The published procedure, against the curves recomputed from the published gains."""

from __future__ import annotations

import numpy as np
import pytest

from engine import GainTensor, Instance, Problem, UsageError, frontier, solve
from solvers.beam import Beam

# Average test gain in % by budget, from running the authors' search on their gain files.
ETTM1 = {
    "measured": (2.72, 14.75, 15.79, 16.25, 16.19, 15.12, 15.12),
    "hoa": (2.72, 9.69, 8.73, 9.29, 7.95, 8.29, 5.91),
    "tag": (2.72, 4.98, 6.30, 3.64, -0.90, 1.79, 1.06),
}
MIMIC27_BUDGETS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 17, 19, 21, 23, 25)
# fmt: off
MIMIC27 = {
    "measured": (5.49, 6.41, 7.28, 7.76, 7.85, 8.15, 8.28, 8.39, 8.49, 8.56, 8.96, 9.02, 9.05, 9.43, 9.46,
                 9.35, 9.35, 9.35, 9.35),
    "hoa": (5.49, 5.35, 6.25, 5.87, 5.15, 5.04, 5.19, 4.87, 5.27, 5.37, 5.20, 4.73, 4.53, 4.13, 4.18,
            4.28, 4.21, 4.30, 4.04),
    "tag": (5.49, 5.23, 5.20, 2.79, 2.57, 2.43, 2.49, 2.44, 1.81, -7.55, -6.74, -6.23, -6.58, -7.27, -4.94,
            -2.78, -3.40, -3.35, -2.88),
}
# fmt: on


def curve(instance: Instance, source: str, budgets: tuple[int, ...], solver: Beam) -> list[float]:
    solutions = frontier(Problem(instance.gains(source)), budgets, solver)
    test = instance.evaluation()
    assert test is not None
    return [100 * solutions[budget].evaluate(test).mean for budget in budgets]


@pytest.mark.parametrize("source", ETTM1)
def test_reproduces_ettm1(ettm1: Instance, source: str) -> None:
    found = curve(ettm1, source, tuple(range(1, 8)), Beam())
    np.testing.assert_allclose(found, ETTM1[source], atol=0.0051)


@pytest.mark.parametrize("source", MIMIC27)
def test_reproduces_mimic27(mimic27: Instance, source: str) -> None:
    found = curve(mimic27, source, MIMIC27_BUDGETS, Beam())
    np.testing.assert_allclose(found, MIMIC27[source], atol=0.0051)


def test_reading_zeros_as_missing_changes_the_curve(ettm1: Instance) -> None:
    found = curve(ettm1, "hoa", tuple(range(1, 8)), Beam(zeros_as_missing=True))
    np.testing.assert_allclose(found, (2.72, 9.69, 8.73, 8.67, 7.33, 7.67, 5.29), atol=0.0051)


def test_is_five_greedy_runs_and_can_miss_the_optimum() -> None:
    gains = GainTensor.from_groups(
        [{"a": 0.01, "b": 0.01, "c": 0.01, "d": 0.01}, {"a": 0.1, "b": 0.1}, {"c": 0.1, "d": 0.1}]
    )
    problem = Problem(gains).with_budget(2)
    # A single chain starts from the group with the most members, and is stuck with it.
    assert solve(problem, "beam", options={"width": 1}).value == pytest.approx(0.22)
    assert solve(problem, "beam").value == pytest.approx(0.4)


def test_large_values_do_not_reach_the_mark_for_missing() -> None:
    gains = GainTensor.from_groups([{"a": 0.0}, {"a": -500.0, "b": -400.0}, {"b": 0.0}])
    solution = solve(Problem(gains).with_budget(1), "beam")
    assert solution.groups[0].tasks == ("a", "b")


def test_no_cover_within_the_budget_is_a_clean_none() -> None:
    gains = GainTensor.from_groups([{"a": 0.0}, {"b": 0.0}])
    solution = solve(Problem(gains).with_budget(1), "beam")
    assert (solution.status, solution.found) == ("NONE", False)


def test_width_must_be_positive() -> None:
    with pytest.raises(UsageError, match="width must be 1 or more"):
        Beam(width=0)
