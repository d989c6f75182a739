"""Extra terms and demands: the Pyomo form that is solved and the Python form that judges it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import engine
from engine import (
    Budget,
    Claim,
    Decisions,
    ExtendedObjective,
    Floor,
    GroupCount,
    Grouping,
    LatticeProblem,
    Mandatory,
    Partition,
    Problem,
    PyomoConstraint,
    SetFunction,
    Solver,
    SolverInfo,
    Status,
    TotalGain,
    UnsupportedError,
    UsageError,
    WorstGain,
    frontier,
    solve,
)
from engine.problem.kinds import PROGRAM_FEATURES, Feature
from engine.solving.warm_start import named_groups
from engine.testing import check_extension, check_solution, optimum, problems
from engine.testing.examples import easy_gains, easy_problem
from engine.testing.extensions import LargeGroups, MostMembers

GAINS = easy_gains()
LIGHT = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


@dataclass(frozen=True)
class Memory:
    """A price per megabyte beyond a limit; a group needs as much as the square of its size."""

    limit: float
    price: float
    megabyte: float = 1.0

    def build(self, block: Any, decisions: Decisions) -> Any:
        import pyomo.environ as pyo

        sizes = decisions.gains.sizes
        block.excess = pyo.Var(domain=pyo.NonNegativeReals)
        needed = pyo.quicksum(
            self.megabyte * int(sizes[row]) ** 2 * one for row, one in decisions.chosen.items()
        )
        block.covers = pyo.Constraint(expr=block.excess >= needed - self.limit)
        return self.price * block.excess

    def value(self, grouping: Grouping) -> float:
        needed = sum(self.megabyte * len(group) ** 2 for group in grouping.groups)
        return self.price * max(0.0, needed - self.limit)


@dataclass(frozen=True)
class Load:
    """A price on the number of tasks that the busiest group serves."""

    price: float

    def build(self, block: Any, decisions: Decisions) -> Any:
        import pyomo.environ as pyo

        served: dict[int, list[Any]] = {row: [] for row in decisions.chosen}
        for (row, _), one in decisions.serves.items():
            served[row].append(one)
        block.most = pyo.Var(bounds=(0, decisions.gains.n_tasks))
        block.covers = pyo.Constraint(
            list(served), rule=lambda block, row: block.most >= pyo.quicksum(served[row])
        )
        return self.price * block.most

    def value(self, grouping: Grouping) -> float:
        return self.price * max(Counter(grouping.serving.values()).values())


@dataclass(frozen=True)
class Makespan:
    """A price on the time that two machines need to train the groups, an hour per member."""

    price: float

    def build(self, block: Any, decisions: Decisions) -> Any:
        import pyomo.environ as pyo

        sizes = decisions.gains.sizes
        rows = list(decisions.chosen)
        block.on = pyo.Var(rows, [0, 1], domain=pyo.Binary)
        block.hours = pyo.Var(domain=pyo.NonNegativeReals)
        block.placed = pyo.Constraint(
            rows, rule=lambda block, row: block.on[row, 0] + block.on[row, 1] == decisions.chosen[row]
        )
        block.ends = pyo.Constraint(
            [0, 1],
            rule=lambda block, machine: (
                block.hours >= pyo.quicksum(int(sizes[row]) * block.on[row, machine] for row in rows)
            ),
        )
        return self.price * block.hours

    def value(self, grouping: Grouping) -> float:
        sizes = [len(group) for group in grouping.groups]
        loads = (
            sum(size for size, place in zip(sizes, places, strict=True) if place)
            for places in product([0, 1], repeat=len(sizes))
        )
        return self.price * min(max(load, sum(sizes) - load) for load in loads)


def extended(problem: Problem, term: Any) -> Problem:
    return replace(
        problem,
        objective=ExtendedObjective(problem.objective, term.build, term.value, type(term).__name__),
    )


def compare_with_brute_force(problem: Problem) -> None:
    best = optimum(problem)
    for solver in ("milp", "brute-force"):
        found = solve(problem, solver, threads=1)
        check_solution(problem, found)
        if best is None:
            assert found.status is Status.INFEASIBLE
            continue
        assert found.status is Status.OPTIMAL
        assert found.value == pytest.approx(best, rel=0, abs=1e-6 * problem.program.scale)
        assert found.bound is not None
        assert problem.sign * (found.bound - best) >= -1e-12 * max(1.0, abs(best))


TERMS: Mapping[str, Callable[[float, int], Any]] = {
    "memory": lambda price, limit: Memory(limit, price),
    "load": lambda price, limit: Load(price),
    "makespan": lambda price, limit: Makespan(price),
}


@pytest.mark.parametrize("kind", TERMS)
@LIGHT
@given(
    problem=problems(max_tasks=4, max_groups=7),
    tenths=st.integers(0, 5),
    limit=st.integers(0, 20),
)
def test_soft_penalties_are_solved_to_the_optimum(
    kind: str, problem: Problem, tenths: int, limit: int
) -> None:
    price = -problem.sign * tenths / 10
    compare_with_brute_force(extended(problem, TERMS[kind](price, limit)))


@LIGHT
@given(problem=problems(max_tasks=4, max_groups=8), limit=st.integers(1, 12), price=st.integers(-3, 3))
def test_demands_and_terms_together(problem: Problem, limit: int, price: int) -> None:
    bounded = replace(problem, constraints=(*problem.constraints, MostMembers(limit).constraint))
    term = LargeGroups(price / 8)
    compare_with_brute_force(
        replace(extended(bounded, term), objective=term.added_to(extended(bounded, term).objective))
    )


ALONE = engine.GainTensor.from_dense(["a", "b", "c"], np.eye(3, dtype=bool), np.zeros((3, 3)))


@settings(parent=LIGHT, max_examples=20)
@given(problem=problems(max_tasks=4, max_groups=7), tenths=st.integers(0, 5), limit=st.integers(0, 20))
@example(problem=Problem(ALONE), tenths=0, limit=0)  # HiGHS ends here without a word
def test_odd_units_cost_the_proof_and_not_its_truth(problem: Problem, tenths: int, limit: int) -> None:
    byte = 1e-9
    problem = extended(problem, Memory(limit / byte, -problem.sign * tenths / 10 * byte, 1 / byte))
    best = optimum(problem)
    found = solve(problem, "milp")
    check_solution(problem, found)
    assert found.found == (best is not None)
    if best is not None and found.bound is None:
        assert (found.status, found.certificate.termination) == ("FEASIBLE", "TOLERANCE")
    elif best is not None:
        assert problem.sign * (found.bound - best) >= -1e-12 * max(1.0, abs(best))


def test_the_term_decides_against_what_presolve_would_fix() -> None:
    plain = Problem(GAINS, constraints=(Budget(2),))
    before = solve(plain, "milp")
    assert any(len(group.tasks) > 2 for group in before.groups)
    for price in (0.03, 0.3):
        problem = replace(plain, objective=LargeGroups(price).added_to(TotalGain()))
        found = solve(problem, "milp")
        assert found.value == pytest.approx(optimum_of(problem))
    assert not any(len(group.tasks) > 2 for group in found.groups)
    assert "presolve" not in found.certificate.seconds


def optimum_of(problem: Problem) -> float | None:
    return solve(problem, "brute-force", options={"max_sets": 10**6}).value


def test_a_demand_may_need_groups_that_serve_nobody() -> None:
    def build(block: Any, decisions: Decisions) -> Any:
        return [
            sum(one for row, one in decisions.chosen.items() if name in decisions.gains.group(row)) >= 2
            for name in decisions.gains.tasks
        ]

    def broken(grouping: Grouping) -> str | None:
        counts = Counter(task for group in grouping.groups for task in group)
        lonely = [task for task, count in counts.items() if count < 2]
        return f"{lonely[0]} has no understudy" if lonely else None

    twice = PyomoConstraint(build, broken, "two groups per task")
    gains = GAINS.select(GAINS.sizes != 3)
    problem = Problem(gains, constraints=(twice,))
    compare_with_brute_force(replace(problem, constraints=(twice, Budget(4))))
    found = solve(problem, "milp")
    assert len(found.groups) > len(set(found.serving.values()))
    check_extension(problem, samples=8)


def test_who_serves_is_decided_by_the_base_even_where_the_term_would_gain() -> None:
    gains = engine.GainTensor.from_groups(
        [{"a": 0.3, "b": 0.3, "c": 0.3}, {"a": 0.2, "b": 0.2}, {"c": 0.3}, {"b": 0.3}],
        single_task_baseline=False,
    )
    together = tuple(Mandatory(gains.group(row)) for row in range(3))
    problem = extended(Problem(gains, constraints=together), Load(-1.0))
    found = solve(problem, "milp")
    assert found.value == pytest.approx(0.9 - 3)  # the first group serves all, ties included
    assert found.status is Status.OPTIMAL
    assert set(found.serving.values()) == {0}


def test_worst_task_with_a_term_over_partitions() -> None:
    for constraints in ((Budget(3),), (Partition(), Floor(-0.02))):
        compare = extended(Problem(GAINS.select(np.arange(1, 15)), WorstGain(), constraints), Load(-0.004))
        compare_with_brute_force(compare)


def test_features_name_who_can_solve_it() -> None:
    problem = extended(easy_problem(), Load(-0.1))
    assert problem.features == {Feature.SUM, Feature.EXTENSION}
    assert easy_problem(None, MostMembers(5).constraint).features == {Feature.SUM, Feature.EXTENSION}
    assert Feature.EXTENSION not in PROGRAM_FEATURES
    for solver in ("cpsat", "branch-and-bound", "greedy", "spectral", "beam"):
        with pytest.raises(UnsupportedError, match=r"extra Pyomo expressions.*brute-force.*milp"):
            solve(problem, solver)
    assert solve(problem).certificate.solver == "milp"


def test_local_search_evaluates_the_term() -> None:
    problem = extended(easy_problem(), Makespan(-0.02))
    found = solve(problem, "local-search")
    assert found.value == pytest.approx(optimum_of(problem))
    assert found.bound is None
    bounded = replace(problem, constraints=(MostMembers(4).constraint, Budget(3)))
    found = solve(bounded, "local-search")
    check_solution(bounded, found)
    assert found.value == pytest.approx(optimum_of(bounded))


def test_a_frontier_with_a_term() -> None:
    problem = extended(easy_problem(), Memory(6, -0.004))
    for budget, found in frontier(problem, [1, 2, 3, 4], "milp").items():
        check_solution(problem.with_budget(budget), found)
        assert found.status is Status.OPTIMAL
        assert found.value == pytest.approx(optimum_of(problem.with_budget(budget)))


@pytest.mark.parametrize("solver", ["milp", "brute-force"])
def test_an_infeasible_demand_is_named_with_what_it_clashes_with(solver: str) -> None:
    gains = GAINS.select(GAINS.sizes != 2)
    few = MostMembers(4).constraint
    alone = solve(Problem(gains, constraints=(Budget(4), MostMembers(3).constraint)), solver)
    assert alone.status is Status.INFEASIBLE
    assert alone.conflict == ("at most 3 memberships",)
    pair = Problem(gains, constraints=(Floor(-1.0), few, GroupCount(at_least=5)))
    assert solve(pair, solver).conflict == ("at most 4 memberships", "at least 5 groups")
    three = (few, Mandatory(["a", "b", "d"]), Budget(4), Mandatory(["b", "c", "d"]))
    found = solve(extended(Problem(gains, constraints=three), Memory(3, -0.1)), solver)
    assert found.status is Status.INFEASIBLE
    assert set(found.conflict) == {one.describe() for one in three if not isinstance(one, Budget)}


def test_relations_of_constants() -> None:
    def never(_: Grouping) -> str:
        return "never"

    always = PyomoConstraint(lambda block, decisions: [0 <= 1], lambda grouping: None, "anything")
    assert solve(easy_problem(None, always), "milp").value == optimum_of(easy_problem(None, always))
    nothing = PyomoConstraint(lambda block, decisions: 1 <= 0, never, "nothing")
    assert solve(easy_problem(None, nothing), "milp").conflict == ("nothing",)


def zero(_: Grouping) -> float:
    return 0.0


def unbounded(block: Any, decisions: Decisions) -> Any:
    import pyomo.environ as pyo

    block.free = pyo.Var()
    return block.free


def impossible(block: Any, decisions: Decisions) -> Any:
    import pyomo.environ as pyo

    block.nothing = pyo.Constraint(expr=sum(decisions.chosen.values()) <= 0)
    return 0.0


def squared(block: Any, decisions: Decisions) -> Any:
    return -(sum(decisions.chosen.values()) ** 2)


def curved(block: Any, decisions: Decisions) -> Any:
    import pyomo.environ as pyo

    block.bend = pyo.Constraint(expr=sum(decisions.chosen.values()) ** 2 <= 9)
    return 0.0


def own_objective(block: Any, decisions: Decisions) -> Any:
    import pyomo.environ as pyo

    block.mine = pyo.Objective(expr=sum(decisions.chosen.values()))
    return 0.0


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (unbounded, r"the term\) has no limit in the model"),
        (impossible, r"the term\) rules out every grouping.*PyomoConstraint"),
        (squared, r"the term\) is not linear"),
        (curved, "the term: the constraint bend is not linear"),
        (own_objective, "the term: build\\(\\) must return its term, not add an objective"),
        (lambda block, decisions: None, r"the term\): build\(\) must return a linear expression, not None"),
        (lambda block, decisions: float("nan"), r"must return a linear expression, not nan"),
        (
            lambda block, decisions: 0.5,
            r"contradicts itself: for .* is 0\.\d+ in the model .* and 0\.\d+ with",
        ),
        (LargeGroups(-1.0).build, r"contradicts itself: for .*\|.* the objective is [23]\.\d+ in"),
    ],
)
def test_builders_that_break_the_contract_are_refused(build: Any, message: str) -> None:
    problem = easy_problem(ExtendedObjective(TotalGain(), build, zero, "the term"))
    with pytest.raises(UsageError, match=message):
        solve(problem, "milp")


def test_what_a_demand_returns_is_checked() -> None:
    for wrongly in (3, ["x"]):
        wrong = PyomoConstraint(lambda block, decisions, one=wrongly: one, lambda grouping: None, "odd")
        with pytest.raises(UsageError, match=r"\(odd\): build\(\) must return linear relations or None"):
            solve(easy_problem(None, wrong), "milp")


def test_parts_are_checked() -> None:
    with pytest.raises(UsageError, match="no set function"):
        ExtendedObjective(SetFunction(len), zero, zero)
    with pytest.raises(UsageError, match="needs a function as value"):
        ExtendedObjective(TotalGain(), zero, 3)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="needs a function as broken"):
        PyomoConstraint(zero, None, "x")  # type: ignore[arg-type]
    for value in (float("nan"), None, "x"):
        odd = ExtendedObjective(TotalGain(), zero, lambda grouping, value=value: value, "odd")  # type: ignore[misc]
        with pytest.raises(UsageError, match=r"\(odd\) must be a finite number, but value\(\) gave"):
            solve(easy_problem(odd), "brute-force")


def test_a_demand_that_pyomo_forgets_is_found_by_the_referee() -> None:
    forgetful = PyomoConstraint(lambda block, decisions: None, MostMembers(4).broken, "at most 4")
    found = solve(easy_problem(None, forgetful), "milp")
    assert found.status is Status.ERROR
    assert "memberships, more than 4" in found.certificate.problems[0]


@dataclass(frozen=True)
class Ignorant(Solver):
    """Claims that the extra term does not matter."""

    info: ClassVar[SolverInfo] = SolverInfo("ignorant", True, frozenset(Feature))

    def solve(self, problem: Problem, control: Any) -> Claim:
        found = solve(replace(problem, objective=problem.objective.base), "branch-and-bound")  # type: ignore[attr-defined]
        rows = problem.locate(named_groups(found))
        return Claim(rows, bound=found.value or 0.0)


def test_a_claim_that_ignores_the_term_is_refuted() -> None:
    rewarded = solve(easy_problem(LargeGroups(-0.5).added_to(TotalGain())), Ignorant())
    assert rewarded.status is Status.ERROR
    assert "lies beyond the claimed bound" in rewarded.certificate.problems[0]
    fined = solve(easy_problem(LargeGroups(0.5).added_to(TotalGain())), Ignorant())
    assert fined.status is Status.FEASIBLE


def test_a_term_that_leaves_no_value_for_what_was_found() -> None:
    def build(block: Any, decisions: Decisions) -> Any:
        import pyomo.environ as pyo

        block.rest = pyo.Var(bounds=(0, 1))
        block.tight = pyo.Constraint(expr=block.rest + sum(decisions.chosen.values()) == 2)
        return 0.1 * block.rest

    problem = Problem(GAINS, ExtendedObjective(TotalGain(), build, zero, "rest"), (Budget(1),))
    with pytest.raises(UsageError, match=r"the objective is 0\.\d+ in the model .* with value\(\)"):
        solve(problem, "milp")


def test_an_early_stop_blames_nobody() -> None:
    gains = GAINS.select(GAINS.sizes != 3)
    problem = extended(Problem(gains), Makespan(-0.01))
    for limit in (0.05, 0.1, 0.2, 0.4):
        found = solve(problem, "milp", time_limit=limit)
        check_solution(problem, found)


def test_the_check_of_both_forms_sees_a_difference() -> None:
    check_extension(extended(easy_problem(), Load(-0.1)), samples=8)
    check_extension(extended(Problem(GAINS, WorstGain()), Memory(5, -0.1)), samples=8)
    apart = ExtendedObjective(TotalGain(), LargeGroups(0.1).build, LargeGroups(0.2).value, "apart")
    with pytest.raises(UsageError, match="contradicts itself"):
        check_extension(easy_problem(apart))
    stricter = PyomoConstraint(MostMembers(4).build, MostMembers(7).broken, "four or seven")
    with pytest.raises(AssertionError, match="infeasible in Pyomo, feasible in Python"):
        check_extension(easy_problem(None, stricter))
    laxer = PyomoConstraint(MostMembers(7).build, MostMembers(4).broken, "seven or four")
    with pytest.raises(AssertionError, match="feasible in Pyomo, but"):
        check_extension(easy_problem(None, laxer))


def test_a_large_coefficient_on_a_switch_is_settled_exactly() -> None:
    def build(block: Any, decisions: Decisions) -> Any:
        import pyomo.environ as pyo

        block.late = pyo.Var(domain=pyo.Binary)
        block.switch = pyo.Constraint(expr=sum(decisions.chosen.values()) - 2 <= 1e7 * block.late)
        return -0.05 * block.late

    def value(grouping: Grouping) -> float:
        return -0.05 * (len(grouping.groups) > 2)

    problem = Problem(GAINS, ExtendedObjective(TotalGain(), build, value, "a switch"))
    found = solve(problem, "milp")
    check_solution(problem, found)
    best = optimum_of(replace(problem, constraints=(Budget(4),)))
    assert found.bound is not None
    assert best is not None
    assert found.bound >= best - 1e-12
    assert found.value is not None
    assert found.value <= best + 1e-12


def test_a_gain_model_is_refused_with_the_way_out() -> None:
    model = engine.PairMeanModel.from_gains(GAINS)
    with pytest.raises(UnsupportedError, match=r"\(Load\) needs a list of groups.*engine.tabulate"):
        solve(LatticeProblem(model, ExtendedObjective(TotalGain(), Load(1).build, Load(1).value, "Load")))
    with pytest.raises(UsageError, match=r"\(at most 4 memberships\) needs a list of groups"):
        solve(LatticeProblem(model, constraints=(MostMembers(4).constraint,)))


def test_time_limit_and_minimisation_in_words() -> None:
    problem = extended(easy_problem(), Load(-0.1))
    assert problem.describe() == "maximize total gain plus Load subject to a budget of 2"
    found = solve(problem, "milp", time_limit=0.001)
    assert found.status in (Status.NONE, Status.FEASIBLE, Status.OPTIMAL)
    again = extended(easy_problem(), Load(-0.1))
    assert problem.digest == again.digest
    demanding = easy_problem(None, MostMembers(4).constraint)
    assert demanding.digest == easy_problem(None, MostMembers(4).constraint).digest
    assert demanding.digest != easy_problem(None, MostMembers(5).constraint).digest


def test_the_engine_loads_no_pyomo_for_it() -> None:
    code = (
        "import engine, json, sys; engine.ExtendedObjective, engine.PyomoConstraint, engine.Problem; "
        "print(json.dumps('pyomo' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) is False
