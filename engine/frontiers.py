"""The frontier: one problem over a range of budgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.problem import Problem
from engine.progress import Control, Observer
from engine.solution import Solution, Status, Termination, warm_groups
from engine.solver import Outcome, Solver, check_supported, choose_solver, make_solver
from engine.solving import available_threads, certify, check_limits, run


def frontier(
    problem: Problem,
    budgets: Sequence[float],
    solver: str | Solver | None = None,
    *,
    time_limit: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    presolve: bool = True,
    observers: Sequence[Observer] = (),
    options: Mapping[str, Any] | None = None,
) -> dict[float, Solution]:
    """Solve a problem for several budgets, each certified.

    Budgets are solved from the largest down: a bound stays a bound for every smaller budget, an
    optimal grouping that fits the next budget is optimal there too, and a solver may keep what it
    learnt.

    Parameters
    ----------
    problem
        What to solve; its own budget, if any, is replaced.
    budgets
        The limits, in any order.
    time_limit
        Seconds per budget.
    solver, seed, threads, presolve, observers, options
        As in :func:`engine.solve`.

    Returns
    -------
    dict
        A solution per budget, ascending. After an interrupt, only the budgets solved by then.
    """
    check_limits(time_limit, threads)
    name, runner = make_solver(choose_solver(problem) if solver is None else solver, options)
    memory: dict[str, Any] = {}
    found: dict[float, Solution] = {}
    previous: Solution | None = None
    for budget in sorted(set(budgets), reverse=True):
        bounded = problem.with_budget(budget)
        check_supported(name, runner, bounded)
        control = Control(
            sign=problem.program.sign,
            time_limit=time_limit,
            seed=seed,
            threads=threads or available_threads(),
            presolve=presolve,
            observers=observers,
            memory=memory,
        )
        if previous is not None and previous.bound is not None:
            control.tighten(control.sign * previous.bound)
        inherited = None
        if previous is not None and previous.status is Status.OPTIMAL and previous.cost <= budget:
            rows = np.array(warm_groups(previous, problem.gains))
            outcome = Outcome(rows, control.bound)
            inherited = certify(bounded, outcome, control, name, runner, options or {})
        if inherited is not None and inherited.status is Status.OPTIMAL:
            previous = inherited
        else:
            previous = run(bounded, name, runner, control, options or {})
        found[budget] = previous
        if previous.certificate.termination is Termination.INTERRUPTED:
            break
    return dict(sorted(found.items()))
