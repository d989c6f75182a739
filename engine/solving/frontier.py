"""The frontier: one problem over a range of budgets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.errors import UsageError
from engine.problem.constraints import Budget
from engine.problem.lattice import LatticeProblem, check_problem
from engine.problem.table import Problem
from engine.solving.certificate import Status, Termination
from engine.solving.claim import Claim
from engine.solving.control import Control, Observer, StopRule
from engine.solving.solution import Solution
from engine.solving.solve import available_threads, certify, check_limits, run
from engine.solving.solver import Solver, check_supported, choose_solver, make_solver
from engine.solving.warm_start import named_groups


def frontier(
    problem: Problem | LatticeProblem,
    budgets: Iterable[float],
    solver: str | Solver | None = None,
    *,
    time_limit: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    presolve: bool = True,
    observers: Sequence[Observer] = (),
    stop: StopRule | None = None,
    options: Mapping[str, Any] | None = None,
) -> dict[float, Solution]:
    """Solve a problem for several budgets, each certified.

    Budgets are solved from the largest down: a bound stays a bound for every smaller budget, an
    exact solver's optimum that fits the next budget is optimal there too, and a solver may keep what
    it learnt.

    Parameters
    ----------
    problem
        What to solve; its own budget, if any, is replaced.
    budgets
        The limits, at least one, in any order.
    time_limit
        Seconds per budget.
    solver, seed, threads, presolve, observers, stop, options
        As in :func:`engine.solve`. Observers see every budget start and end; the stop rule is asked
        anew for each.

    Returns
    -------
    dict
        A solution per budget, ascending. After an interrupt, only the budgets solved by then.
    """
    check_problem(problem)
    limits = _limits(budgets)
    check_limits(time_limit, threads, seed)
    name, runner = make_solver(choose_solver(problem) if solver is None else solver, options)
    memory: dict[str, Any] = {}
    found: dict[float, Solution] = {}
    previous: Solution | None = None
    for budget in limits:
        bounded = problem.with_budget(budget)
        check_supported(name, runner, bounded)
        control = Control(
            sign=problem.sign,
            time_limit=time_limit,
            seed=seed,
            threads=threads or available_threads(),
            presolve=presolve,
            observers=observers,
            stop=stop,
            memory=memory,
        )
        if previous is not None and previous.bound is not None and previous.status is not Status.ERROR:
            control.bound = control.sign * previous.bound  # known before the start, so no event
        inherited = None
        fits = previous is not None and previous.status is Status.OPTIMAL and previous.cost <= budget
        if previous is not None and fits and runner.info.exact:
            claim = Claim(problem.locate(named_groups(previous)), bound=control.bound)
            inherited = certify(bounded, claim, control, name, runner, options or {})
        if inherited is not None and inherited.status is Status.OPTIMAL:
            previous = inherited
            for observer in control.observers:
                observer.on_start(bounded, name)
                observer.on_end(inherited)
        else:
            previous = run(bounded, name, runner, control, options or {})
        found[budget] = previous
        if previous.certificate.termination is Termination.INTERRUPTED:
            break
    return dict(sorted(found.items()))


def _limits(budgets: Iterable[float]) -> list[float]:
    """Return the budgets, checked, the largest first."""
    if isinstance(budgets, (str, Mapping)) or not isinstance(budgets, Iterable):
        raise UsageError(f"budgets must be a list of numbers, for instance [1, 2, 3], not {budgets!r}.")
    limits = [Budget(limit).limit for limit in budgets]
    if not limits:
        raise UsageError("budgets must hold at least one number.")
    return sorted(set(limits), reverse=True)
