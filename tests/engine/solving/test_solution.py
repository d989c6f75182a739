"""Solutions: short in a notebook, whole in a file, and warm starts made of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine import (
    Budget,
    DataError,
    GainTensor,
    LatticeProblem,
    PairMeanModel,
    Problem,
    SetFunction,
    Solution,
    UsageError,
    solve,
)
from engine.testing.examples import easy_gains, infeasible_problem

PROBLEM = Problem(easy_gains(), constraints=(Budget(2),))
SOLUTION = solve(PROBLEM, "brute-force")


def test_a_solution_is_shown_in_one_short_line() -> None:
    assert repr(SOLUTION) == "Solution(OPTIMAL, value=0.21, bound=0.21, 2 groups, solver='brute-force')"
    assert repr(solve(infeasible_problem(), "brute-force")) == "Solution(INFEASIBLE, solver='brute-force')"


def test_a_saved_solution_is_the_same_again(tmp_path: Path) -> None:
    path = tmp_path / "solution.json"
    SOLUTION.save(path)
    assert Solution.load(path) == SOLUTION


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "this is not JSON"),
        ("[]", "it is no JSON object"),
        ("{}", "it has no 'format_version'"),
        (json.dumps({"format_version": 99}), "Solution format 99 is not 1"),
        (
            json.dumps({"solutions": [SOLUTION.to_dict()] * 2}),
            "These are 2 solutions, as engine frontier writes them, not one",
        ),
        (json.dumps({**SOLUTION.to_dict(), "status": "FINE"}), "'FINE' is not a valid Status"),
        ("[" * 100_000, "this is not usable JSON"),
    ],
    ids=["cut", "a list", "empty", "another format", "two solutions", "another status", "deep"],
)
def test_what_is_no_solution_is_told_with_the_name_of_the_file(
    tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "solution.json"
    path.write_text(content)
    with pytest.raises(DataError, match=message) as caught:
        Solution.load(path)
    assert str(path) in str(caught.value)
    with pytest.raises(DataError, match=r"absent\.json: no such file"):
        Solution.load(tmp_path / "absent.json")


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ("a|b", "a Solution or a list of groups, not 'a|b'"),
        (3, "a Solution or a list of groups, not 3"),
        (["a|b"], r"is a list of task names, not 'a\|b': write \['a', 'b'\]"),
        ([3], "is a list of task names, not 3"),
        ([[0, 1]], "is a list of task names"),
        ([["a", "e"]], "Unknown task 'e'"),
    ],
)
def test_a_warm_start_is_a_solution_or_groups(start: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        solve(PROBLEM, "greedy", warm_start=start)  # type: ignore[arg-type]


def test_groups_that_the_gains_lack_are_left_out_of_a_warm_start() -> None:
    few = Problem(PROBLEM.gains.select(PROBLEM.gains.sizes != 2))
    assert solve(few, "local-search", warm_start=[["a", "b"], ["a", "b", "c", "d"]]).found


def test_the_mean_of_losses_is_called_a_mean_loss() -> None:
    losses = GainTensor.from_groups([{"a": 0.3, "b": 0.1}], quantity="loss")
    solution = solve(Problem(losses), "brute-force")
    assert solution.mean == pytest.approx(0.2)
    assert not hasattr(solution, "mean_gain")
    assert solution.to_dict()["mean_loss"] == pytest.approx(0.2)
    assert "mean_gain" not in solution.to_dict()


def test_a_certificate_says_what_its_digest_covers() -> None:
    gains = GainTensor.from_groups([{"a": 0.3, "b": 0.1}], single_task_baseline=False)
    table = solve(Problem(gains), "brute-force")
    assert table.certificate.digest_covers == "gains, coefficients of the objective and demands"
    assert Solution.from_json(table.to_json()).certificate == table.certificate
    counted = solve(Problem(gains, SetFunction(len)), "brute-force")
    assert counted.certificate.digest_covers.endswith("functions by name only")
    names = tuple("abcde")
    model = PairMeanModel(names, np.full((5, 5), 0.1), np.zeros(5))
    lattice = solve(LatticeProblem(model, constraints=(Budget(2),)), "lattice")
    covers = lattice.to_dict()["digest_covers"]
    assert "predictions for the groups of one, two and all 5 tasks" in covers
    assert lattice.gains["sha256_covers"] in covers
