"""Two published grouping solvers against ours, at equal value.

Wang, Pan and Yu (arXiv 2402.15328) state their objective as a non-convex quadratic program for a
commercial solver: a binary variable per task and group, a binary variable for each product of two of
them, a continuous one for the reciprocal of each group's size, and rows for cover, size and
distinctness. The same model runs here in SCIP (pip install pyscipopt; measured only, never needed), once
as published and once tightened by us: reciprocals bounded by 1, and the value of each group a variable
of its own. Building the model is not counted.

Fifty et al. (NeurIPS 2021) search for the groups of TAG by trying every choice of 1 to k of all 2^N − 1
groups, groups of one task scoring −1e6: the union of the members is formed, and where it holds all tasks,
the best score of each task is found and averaged. The search here does that in plain Python over
dictionaries of scores, with `itertools.combinations`, so that nothing is copied between choices; its
table of scores is made before the clock starts.

Ours is `subset-dp` in machine code, compiled before: "search" is the solver on a problem that is built,
"whole" builds the table of all groups from the affinity, solves, and certifies.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np

import engine
from benchmarks.common import median, print_header, print_table, seconds_of
from engine.plugins import missing_modules
from solvers.subset_dp import SubsetDp

WANG_SIZES = ((6, 4), (9, 2), (7, 3), (5, 5))
TAG_TASKS = 9


def random_affinity(n_tasks: int, seed: int) -> engine.Affinity:
    """Return standard normal effects of every task on every task, itself included."""
    matrix = np.random.default_rng(seed).normal(size=(n_tasks, n_tasks))
    return engine.Affinity(tuple(f"task{task}" for task in range(n_tasks)), matrix)


def quadratic_model(effects: np.ndarray, groups: int, time_limit: float, *, tightened: bool) -> Any:
    """Return Wang et al.'s model in SCIP, ready to optimise."""
    from pyscipopt import Model, quicksum

    model = Model()
    model.hideOutput()
    model.setParam("limits/time", time_limit)
    tasks = range(len(effects))
    in_group = [[model.addVar(vtype="B") for _ in tasks] for _ in range(groups)]
    reciprocal = [model.addVar(lb=0, ub=1 if tightened else None) for _ in range(groups)]
    worth = []
    for held, share in zip(in_group, reciprocal, strict=True):
        both = [[model.addVar(vtype="B") for _ in tasks] for _ in tasks]
        size = quicksum(held)
        model.addCons(size >= 1)
        model.addCons(size * share == 1)
        for i in tasks:
            for k in tasks:
                model.addCons(both[i][k] - held[i] * held[k] == 0)
        worth.append(share * quicksum(effects[i, k] * both[i][k] for i in tasks for k in tasks))
    for task in tasks:
        model.addCons(quicksum(held[task] for held in in_group) >= 1)
    for one, other in combinations(in_group, 2):
        model.addCons(quicksum(a + b - 2 * a * b for a, b in zip(one, other, strict=True)) >= 1)
    values = [model.addVar(lb=None) for _ in (worth if tightened else range(1))]
    for value, most in zip(values, worth if tightened else [quicksum(worth)], strict=True):
        model.addCons(value <= most)
    model.setObjective(quicksum(values), "maximize")
    return model


def tag_scores(affinity: engine.Affinity) -> list[dict[str, float]]:
    """Return the score of each member of every group: the mean effect of the others, −1e6 for one alone."""
    scores = []
    index = {name: column for column, name in enumerate(affinity.tasks)}
    for size in range(1, len(index) + 1):
        for group in combinations(affinity.tasks, size):
            alone = size == 1
            scores.append(
                {
                    task: -1e6
                    if alone
                    else sum(affinity.matrix[index[other], index[task]] for other in group if other != task)
                    / (size - 1)
                    for task in group
                }
            )
    return scores


def published_search(scores: list[dict[str, float]], n_tasks: int, splits: int) -> float:
    """Return the best mean score of any choice of at most ``splits`` groups, trying them all."""
    best = -np.inf
    for count in range(1, splits + 1):
        for chosen in combinations(scores, count):
            covered: set[str] = set()
            for group in chosen:
                covered.update(group)
            if len(covered) < n_tasks:
                continue
            by_task = dict.fromkeys(covered, -1e6)
            for group in chosen:
                for task, score in group.items():
                    by_task[task] = max(by_task[task], score)
            best = max(best, float(np.mean(list(by_task.values()))))
    return best


def ours(make: Callable[[], Any], repeats: int) -> tuple[float, float, float]:
    """Return our value, and the median seconds of the search alone and of the whole."""
    solver = SubsetDp(compiled=True)
    found = engine.solve(make(), solver)
    if found.status is not engine.Status.OPTIMAL or found.value is None:
        raise SystemExit("our solver did not prove its solution")
    problem = make()
    sign = problem.sign
    solver.solve(problem, engine.Control(sign=sign))
    search = seconds_of(lambda: solver.solve(problem, engine.Control(sign=sign)), repeats)
    whole = seconds_of(lambda: engine.solve(make(), solver), repeats)
    return found.value, median(search), median(whole)


def wang(repeats: int, their_repeats: int, time_limit: float, seed: int) -> None:
    """Print the comparison on Wang et al.'s objective."""
    print("## Wang, Pan and Yu: their quadratic program in SCIP\n")
    if missing_modules(("pyscipopt",)):
        print("SCIP is not installed here; for this comparison: pip install pyscipopt\n")
        return
    rows = []
    for tasks, groups in WANG_SIZES:
        affinity = random_affinity(tasks, seed)
        value, search, whole = ours(lambda a=affinity, k=groups: engine.wang_problem(a, k), repeats)
        for name, tightened in (("as published", False), ("tightened", True)):
            times, result = [], ""
            for _ in range(their_repeats):
                model = quadratic_model(affinity.matrix, groups, time_limit, tightened=tightened)
                times += seconds_of(model.optimize, 1)
                equal = model.getNSols() > 0 and abs(model.getObjVal() - value) <= 1e-5
                result = "equal value" if equal else "DIFFERS"
                result += "" if model.getStatus() == "optimal" else f", {model.getStatus()}: at least so long"
            slow = median(times)
            rows.append(
                (tasks, groups, name, slow, 1e3 * search, 1e3 * whole, slow / search, slow / whole, result)
            )
    columns = ("tasks", "groups", "model", "SCIP s", "search ms", "whole ms", "ratio search", "ratio whole")
    print_table((*columns, "result"), rows)


def tag(repeats: int, their_repeats: int, splits: list[int], seed: int) -> None:
    """Print the comparison with TAG's search."""
    print(f"## Fifty et al.: exhaustive search for the groups of TAG, {TAG_TASKS} tasks\n")
    rows = []
    affinity = random_affinity(TAG_TASKS, seed)
    scores = tag_scores(affinity)
    for groups in splits:
        value, search, whole = ours(lambda k=groups: engine.tag_problem(affinity, k), repeats)
        found: list[float] = []
        times = seconds_of(
            lambda k=groups, kept=found: kept.append(published_search(scores, TAG_TASKS, k)), their_repeats
        )
        slow = median(times)
        result = "equal value" if abs(found[-1] - value) <= 1e-9 else "DIFFERS"
        rows.append((groups, slow, 1e3 * search, 1e3 * whole, slow / search, slow / whole, result))
    columns = ("groups", "their search s", "search ms", "whole ms", "ratio search", "ratio whole", "result")
    print_table(columns, rows)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=25, help="our runs; the median counts")
    parser.add_argument("--their-repeats", type=int, default=3, help="their runs; the median counts")
    parser.add_argument("--time-limit", type=float, default=300.0, help="seconds for each run of SCIP")
    parser.add_argument("--splits", type=int, nargs="+", default=[2, 3], help="numbers of groups for TAG")
    parser.add_argument("--seed", type=int, default=0, help="of the affinities")
    arguments = parser.parse_args()
    scip = () if missing_modules(("pyscipopt",)) else ("pyscipopt",)
    print_header("published solvers at equal value", "numba", *scip)
    wang(arguments.repeats, arguments.their_repeats, arguments.time_limit, arguments.seed)
    tag(arguments.repeats, arguments.their_repeats, arguments.splits, arguments.seed)
    print("ratio: seconds of theirs over ours, without and with building and certifying the problem.")


if __name__ == "__main__":
    main()
