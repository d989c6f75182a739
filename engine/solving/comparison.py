"""Solvers side by side on the same problems: who is right, how fast, and who agrees with whom."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.errors import EngineError, MissingDependencyError, UsageError
from engine.problem.lattice import LatticeProblem
from engine.problem.table import Problem
from engine.solving.certificate import Status, Termination
from engine.solving.comparison_table import UNSUPPORTED, Case, Comparison
from engine.solving.control import Observer
from engine.solving.frontier import frontier
from engine.solving.row import Row
from engine.solving.solution import Solution
from engine.solving.solve import PROOF_TOLERANCE, check_limits
from engine.solving.solver import Solver, make_solver

__all__ = ["UNSUPPORTED", "Case", "Comparison", "Row", "compare"]


@dataclass
class _ComparisonRun:
    """What one solver did on one problem."""

    solver: str
    solutions: Mapping[float, Solution] = field(default_factory=dict)
    status: str = ""
    reason: str = ""


def compare(
    problems: Mapping[str, Problem | LatticeProblem] | Iterable[Case],
    solvers: Sequence[str | Solver],
    budgets: Sequence[float] = (),
    *,
    time_limit: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    presolve: bool = True,
    observers: Sequence[Observer] = (),
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> Comparison:
    """Run every solver on every problem at every budget, and hold their claims against one another.

    Parameters
    ----------
    problems
        Problems by name, or cases with evaluation gains.
    solvers
        Names or objects.
    budgets
        The limits; a case may have its own.
    time_limit
        Seconds per solver, problem and budget.
    seed, threads, presolve, observers
        As in :func:`engine.solve`.
    options
        Options by solver name.

    Raises
    ------
    UsageError
        If a solver or an option is unknown, or a problem has no budgets.
    """
    cases = (
        [Case(name, problem) for name, problem in problems.items()]
        if isinstance(problems, Mapping)
        else list(problems)
    )
    settings = options or {}
    check_limits(time_limit, threads)
    unavailable = _check_solvers(solvers, settings)
    rows: list[Row] = []
    for case in cases:
        limits = tuple(sorted(set(case.budgets or budgets)))
        if not limits:
            raise UsageError(f"The problem {case.instance!r} has no budgets; give some.")
        runs: list[_ComparisonRun] = []
        interrupted = False
        for solver in solvers:
            name = solver if isinstance(solver, str) else type(solver).__name__
            run = _ComparisonRun(name, status=UNSUPPORTED, reason=unavailable.get(name, ""))
            runs.append(run)
            if run.reason:
                continue
            try:
                run.solutions = frontier(
                    case.problem,
                    limits,
                    solver,
                    time_limit=time_limit,
                    seed=seed,
                    threads=threads,
                    presolve=presolve,
                    observers=observers,
                    options=settings.get(name),
                )
            except EngineError as error:
                run.reason = str(error)
            except Exception as error:
                run.status, run.reason = Status.ERROR.value, f"{type(error).__name__}: {error}"
            interrupted = any(
                one.certificate.termination is Termination.INTERRUPTED for one in run.solutions.values()
            )
            if interrupted:
                break
        rows += _judged(case, limits, runs)
        if interrupted:
            return Comparison(tuple(rows), interrupted=True, cases=tuple(cases))
    return Comparison(tuple(rows), cases=tuple(cases))


def _check_solvers(
    solvers: Sequence[str | Solver], options: Mapping[str, Mapping[str, Any]]
) -> dict[str, str]:
    """Refuse unknown solvers and options at once; return why known ones cannot run here."""
    unavailable: dict[str, str] = {}
    for solver in solvers:
        try:
            make_solver(solver, options.get(solver) if isinstance(solver, str) else None)
        except MissingDependencyError as error:
            unavailable[str(solver)] = str(error)
    for name in options:
        if name not in solvers:
            raise UsageError(f"Options are given for {name!r}, which is not among the solvers compared.")
    return unavailable


def _judged(case: Case, limits: Sequence[float], runs: Sequence[_ComparisonRun]) -> list[Row]:
    sign, slack = 1.0, 0.0
    if any(run.solutions for run in runs):
        sign, slack = case.problem.sign, PROOF_TOLERANCE * case.problem.scale
    best = {budget: _best(runs, budget, sign) for budget in limits}
    rows = []
    for run in runs:
        for budget in limits if run.reason else sorted(run.solutions):
            solution = run.solutions.get(budget)
            if solution is None:
                row = Row(
                    instance=case.instance,
                    source=case.source_name,
                    solver=run.solver,
                    budget=budget,
                    kind=case.problem.kind.word,
                    status=run.status,
                    reason=run.reason,
                )
            else:
                row = Row.of(
                    case.result(budget, solution),
                    case.source_name,
                    agreement=_agreement(solution, best[budget]),
                    flag=_flag(solution, runs, budget, sign, slack),
                )
            rows.append(row)
    return rows


def _verified(solution: Solution | None) -> bool:
    return solution is not None and solution.certificate.verified and solution.value is not None


def _best(runs: Sequence[_ComparisonRun], budget: float, sign: float) -> Solution | None:
    """Return the verified solution of largest value; among equals a proven one, then the first."""
    found = [run.solutions[budget] for run in runs if _verified(run.solutions.get(budget))]
    return max(found, key=lambda one: (sign * (one.value or 0.0), one.status is Status.OPTIMAL), default=None)


def _agreement(solution: Solution, best: Solution | None) -> float | None:
    if best is None or not solution.found:
        return None
    same = sum(
        task in solution.serving and _served_by(solution, task) == _served_by(best, task)
        for task in best.serving
    )
    return same / len(best.tasks)


def _served_by(solution: Solution, task: str) -> tuple[frozenset[str], float]:
    group = solution.groups[solution.serving[task]]
    return frozenset(group.tasks), group.cost


def _flag(
    solution: Solution, runs: Sequence[_ComparisonRun], budget: float, sign: float, slack: float
) -> str:
    """Say which verified value, at this budget or a smaller one, beats what this solution claims."""
    if solution.status is Status.ERROR:
        return "refuted: " + "; ".join(solution.certificate.problems)
    if solution.status is Status.INFEASIBLE:
        limit = -math.inf
    elif solution.bound is not None:
        limit = sign * solution.bound
    else:
        return ""
    rivals = [
        (sign * (other.value or 0.0), other.certificate.solver, at)
        for run in runs
        for at, other in run.solutions.items()
        if at <= budget and _verified(other)
    ]
    value, solver, at = max(rivals, default=(-math.inf, "", budget))
    if not value > limit + slack:
        return ""
    claim = "infeasibility" if solution.status is Status.INFEASIBLE else f"bound {solution.bound:.9g}"
    where = "" if at == budget else f" at budget {at:g}"
    return f"{claim} beaten by {sign * value:.9g} of {solver}{where}"
