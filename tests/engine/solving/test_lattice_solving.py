"""Problems over lattices solved and certified, and what a grouping is worth under another model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine import (
    Affinity,
    Budget,
    Floor,
    GroupSize,
    Kind,
    LatticeProblem,
    Mandatory,
    PairMeanModel,
    Partition,
    Status,
    frontier,
    graph_problem,
    selection_value,
    solve,
)
from engine.solving.warm_start import named_groups
from engine.testing import (
    check_solution,
    lattice_optimum,
    random_lattice_problem,
)
from engine.testing.examples import easy_gains
from engine.testing.lattice_examples import easy_graph, easy_lattice_problem, easy_model
from tests.solvers.listing import Listing

GAINS = easy_gains()
MODEL = easy_model()
LOSSES = PairMeanModel(("a", "b", "c"), np.full((3, 3), 0.5), np.array([0.4, 0.6, 0.7]), quantity="loss")


@pytest.mark.parametrize("seed", range(20))
def test_a_solution_is_certified_and_survives(seed: int) -> None:
    problem = random_lattice_problem(seed, listing=True)
    solution = solve(problem, Listing())
    check_solution(problem, solution)
    assert solution.certificate.digest == problem.digest
    if solution.found:
        assert solution.gains["groups"] == problem.n_groups
        assert solution.gains["predicted_servings"] == len(problem.tasks)


def test_a_frontier_over_all_groups() -> None:
    problem = LatticeProblem(MODEL, known=GAINS)
    solutions = frontier(problem, [3, 1, 2], Listing())
    assert list(solutions) == [1, 2, 3]
    for budget, solution in solutions.items():
        assert solution.status is Status.OPTIMAL
        assert solution.value == pytest.approx(lattice_optimum(problem.with_budget(budget)))
    assert solutions[1].gains["predicted_servings"] == 4
    assert solutions[3].gains["predicted_servings"] < 4


def test_an_infeasible_problem_names_the_conflict() -> None:
    problem = easy_lattice_problem(Kind.LATTICE, GroupSize(2), Floor(-5.0), Budget(1))
    solution = solve(problem, Listing())
    assert solution.status is Status.INFEASIBLE
    assert solution.conflict == ("groups of at most 2 tasks", "a budget of 1")


# What a grouping is worth as a selection


def test_selection_value() -> None:
    problem = graph_problem(easy_graph())
    solution = solve(problem, Listing())
    hoa = PairMeanModel.from_affinity(easy_graph())
    assert selection_value(hoa, solution) == pytest.approx(0.4 + 0.4 + 0.2 + 0.1)
    turned = Affinity(("d", "c", "b", "a"), easy_graph().matrix[::-1, ::-1])
    assert selection_value(PairMeanModel.from_affinity(turned), solution) == pytest.approx(1.1)
    nothing = solve(replace(problem, constraints=(Budget(0.5), Partition())), Listing())
    assert selection_value(hoa, nothing) is None


def test_selection_value_serves_from_the_better_of_two_groups() -> None:
    problem = LatticeProblem(MODEL, constraints=(Mandatory(["a", "d"]), Mandatory(["a", "b", "c", "d"])))
    solution = solve(problem, Listing())
    values = MODEL.predict(problem.locate(named_groups(solution)))
    assert selection_value(MODEL, solution) == pytest.approx(np.nanmax(values, axis=0).sum())


def test_selection_value_of_losses_is_the_least_total() -> None:
    solution = solve(LatticeProblem(LOSSES, constraints=(Mandatory(["a", "b"]),)), Listing())
    assert solution.value == pytest.approx(0.4 + 0.5 + 0.5)
    assert selection_value(LOSSES, solution) == pytest.approx(solution.value)
