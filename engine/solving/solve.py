"""Solve a problem: choose the solver, run it, check its claim, issue the certificate."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError, UsageError
from engine.plugins import DISTRIBUTION
from engine.problem.lattice import LatticeProblem, check_problem
from engine.problem.table import Problem
from engine.solving.certificate import Certificate, Status, Termination
from engine.solving.claim import Choice, Claim
from engine.solving.control import Control, Observer, StopRule
from engine.solving.infeasible import NO_CONFLICT, Conflict, contradictory, explain
from engine.solving.referee import Verdict, referee
from engine.solving.solution import ChosenGroup, Solution
from engine.solving.solver import Solver, check_supported, choose_solver, make_solver
from engine.solving.warm_start import named_groups

REASONS_OF_A_GAP = frozenset(
    {Termination.TOLERANCE, Termination.NO_BOUND, Termination.NODE_LIMIT, Termination.UNKNOWN}
)
"""Why a solver may end with a gap although nothing stopped it; they mean nothing where there is none."""

PROOF_TOLERANCE = 1e-6
"""A gap of at most this much of the largest coefficient counts as closed."""


def solve(
    problem: Problem | LatticeProblem,
    solver: str | Solver | None = None,
    *,
    time_limit: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    warm_start: Solution | Iterable[Iterable[str]] | None = None,
    presolve: bool = True,
    observers: Sequence[Observer] = (),
    stop: StopRule | None = None,
    options: Mapping[str, Any] | None = None,
) -> Solution:
    """Solve a problem and certify the result.

    The returned solution has been checked by code that shares nothing with the solver. No grouping,
    a time limit, an interrupt and infeasibility are results, told by ``solution.status`` and
    ``solution.certificate.termination``; only a caller's mistake raises.

    Parameters
    ----------
    problem
        What to solve.
    solver
        A registered name, ``"module:Class"`` or a :class:`~engine.Solver`; by default the preferred
        installed solver that can prove this problem.
    time_limit
        Seconds, above 0; None for no limit. Compiling, once per machine, is not counted. What cannot be
        interrupted may overrun it: loading a library and building its model.
    seed
        Fixes every random decision.
    threads
        The most a solver may use; by default the cores of this process. The exact solvers here prove
        fastest on one, and use one.
    warm_start
        An earlier solution, or groups as task names. A feasible one is never made worse.
    presolve
        False hands exact solvers the full problem, for comparison.
    observers
        Told about stages, incumbents and bounds.
    stop
        A rule that ends the search early.
    options
        Options of the solver, by name.

    Raises
    ------
    UsageError
        If a name or option is unknown or out of range.
    UnsupportedError
        If the solver cannot express the problem.
    """
    check_problem(problem)
    check_limits(time_limit, threads, seed)
    name, runner = make_solver(choose_solver(problem) if solver is None else solver, options)
    check_supported(name, runner, problem)
    control = Control(
        sign=problem.sign,
        time_limit=time_limit,
        seed=seed,
        threads=threads or available_threads(),
        presolve=presolve,
        warm_start=None if warm_start is None else problem.locate(named_groups(warm_start)),
        observers=observers,
        stop=stop,
    )
    return run(problem, name, runner, control, options or {})


def check_limits(time_limit: float | None, threads: int | None, seed: int = 0) -> None:
    """Refuse limits that make no sense.

    Raises
    ------
    UsageError
        If a limit is not above 0.
    """
    if time_limit is not None and not 0 < time_limit < float("inf"):
        raise UsageError(f"The time limit must be a finite number of seconds above 0, not {time_limit!r}.")
    if not isinstance(seed, int) or seed < 0:
        raise UsageError(f"The seed must be a whole number, 0 or more, not {seed!r}.")
    if threads is not None and threads < 1:
        raise UsageError(f"The number of threads must be 1 or more, not {threads!r}.")


def run(
    problem: Problem | LatticeProblem, name: str, solver: Solver, control: Control, options: Mapping[str, Any]
) -> Solution:
    """Run a solver under a control, check its claim and make the solution.

    Parameters
    ----------
    problem, name, solver, control, options
        As prepared by :func:`solve`.
    """
    for observer in control.observers:
        observer.on_start(problem, name)
    claim = _claim(problem, solver, control)
    conflict = NO_CONFLICT
    if claim.infeasible and claim.rows is None:
        try:
            with control.stage("explain"):
                conflict = explain(problem, solver, control)
        except KeyboardInterrupt:
            conflict = Conflict(tuple(demand.describe() for demand in problem.constraints))
    solution = certify(problem, claim, control, name, solver, options, conflict)
    for observer in control.observers:
        observer.on_end(solution)
    return solution


def available_threads() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _claim(problem: Problem | LatticeProblem, solver: Solver, control: Control) -> Claim:
    if contradictory(problem):
        return Claim(None, infeasible=True)
    try:
        control.tighten(problem.trivial_bound())
        if len(control.warm_start):
            warm = _program_value(problem, control.warm_start)
            if warm is not None:
                control.incumbent(control.warm_start, warm)
        claim = solver.solve(problem, control)
    except KeyboardInterrupt:
        claim = Claim(control.rows, bound=control.bound, termination=Termination.INTERRUPTED)
    claim.bound = min(claim.bound, control.bound)
    if control.rows is not None and claim.rows is not control.rows:
        claimed = None if claim.rows is None else _program_value(problem, claim.rows)
        if claim.rows is None or (claimed is not None and claimed < control.value):
            claim.rows = control.rows
    return claim


def _program_value(problem: Problem | LatticeProblem, choice: Choice) -> float | None:
    found = _table_of(problem, choice)
    if isinstance(found, str):  # these groups of a lattice leave a task unserved
        return None
    table, rows = found
    verdict = referee(table, rows)
    if verdict.value is None or verdict.problems:
        return None
    return table.sign * verdict.value


def _table_of(problem: Problem | LatticeProblem, choice: Choice) -> tuple[Problem, NDArray[np.int64]] | str:
    """Return the table problem of a choice, or why there is none."""
    try:
        return problem.table_of(choice)
    except DataError as error:
        return f"what the solver returned is no grouping: {error}"


def _judged(problem: Problem, rows: NDArray[np.int64]) -> tuple[list[int], Verdict]:
    """Judge a choice, without the groups that serve nobody where no demand and no value needs them."""
    chosen = sorted(int(row) for row in rows)
    verdict = referee(problem, chosen)
    program = problem.program
    needed = set(program.rows[program.mandatory].tolist())
    serving = sorted(needed.intersection(chosen) | set(verdict.serving.values()))
    if verdict.problems or verdict.value is None or len(serving) == len(chosen):
        return chosen, verdict
    leaner = referee(problem, serving)
    if leaner.problems or leaner.value is None:
        return chosen, verdict
    no_worse = problem.sign * (leaner.value - verdict.value) >= 0
    return (serving, leaner) if no_worse else (chosen, verdict)


def certify(
    problem: Problem | LatticeProblem,
    claim: Claim,
    control: Control,
    name: str,
    solver: Solver,
    options: Mapping[str, Any],
    conflict: Conflict = NO_CONFLICT,
) -> Solution:
    """Check a solver's claim and make the solution.

    Parameters
    ----------
    problem, claim, control
        What was solved, what is claimed, and how it ran.
    name, solver, options
        Who claims it.
    conflict
        For an infeasible problem, demands that cannot all be met, and why.
    """
    control.seconds["total"] = control.wall()
    sign = problem.sign
    bound = sign * claim.bound if np.isfinite(claim.bound) else None
    value: float | None = None
    problems: tuple[str, ...] = ()
    groups: tuple[ChosenGroup, ...] = ()
    serving: dict[str, int] = {}
    task_values: dict[str, float] = {}
    predicted = 0
    if claim.rows is None:
        status = Status.INFEASIBLE if claim.infeasible else Status.NONE
        bound = None if claim.infeasible else bound
    elif isinstance(found := _table_of(problem, claim.rows), str):
        status, problems = Status.ERROR, (found,)
    else:
        table, choice = found
        gains, slack = table.gains, proof_slack(problem, table)
        rows, verdict = _judged(table, choice)
        value, problems = verdict.value, verdict.problems
        if claim.infeasible:
            problems += ("the solver claims infeasibility and yet returns a grouping",)
        if value is not None and bound is not None and sign * (value - bound) > slack:
            problems += (f"the value {value:.9g} lies beyond the claimed bound {bound:.9g}",)
        if problems:
            status = Status.ERROR
        elif value is not None and bound is not None and abs(bound - value) <= slack:
            status = Status.OPTIMAL
            bound = max(value, bound) if sign > 0 else min(value, bound)
        else:
            status = Status.FEASIBLE
        groups = tuple(
            ChosenGroup(gains.group(row), float(gains.cost[row]), bool(gains.measured[row])) for row in rows
        )
        position = {row: index for index, row in enumerate(rows)}
        serving = {task: position[row] for task, row in verdict.serving.items()}
        task_values = dict(verdict.task_values)
        predicted = sum(not gains.measured[row] for row in verdict.serving.values())
    certificate = Certificate(
        value=value,
        bound=bound,
        status=status,
        termination=_termination(claim, status, solver),
        verified=claim.rows is not None and not problems,
        solver=name,
        problems=problems,
        seed=control.seed,
        threads=control.threads,
        presolve=control.presolve,
        options=dict(options),
        seconds=dict(control.seconds),
        versions=dict(versions(solver.info.requires)),
        digest=problem.digest,
        digest_covers=problem.digest_covers,
    )
    return Solution(
        tasks=problem.tasks,
        groups=groups,
        serving=serving,
        task_values=task_values,
        certificate=certificate,
        objective=problem.describe(),
        quantity=problem.quantity,
        gains={**problem.gains_record(), "predicted_servings": predicted},
        conflict=conflict.demands,
        reasons=conflict.reasons,
        trace=tuple(control.trace),
        details=claim.details,
    )


def proof_slack(problem: Problem | LatticeProblem, table: Problem) -> float:
    """Return how far a bound may lie from the value of a grouping and still prove it.

    Parameters
    ----------
    problem
        What was solved.
    table
        The problem over a table that the grouping refers to.
    """
    best = table.program.best_values
    served = float(np.abs(best[np.isfinite(best)]).max(initial=0.0))
    return PROOF_TOLERANCE * max(problem.scale, served)


def _termination(claim: Claim, status: Status, solver: Solver) -> Termination:
    """Return why a solver stopped; an exact one has completed its work if and only if it has a proof."""
    why = claim.termination
    if status in (Status.OPTIMAL, Status.INFEASIBLE):
        return Termination.COMPLETED if why in REASONS_OF_A_GAP else why
    return Termination.UNKNOWN if solver.info.exact and why is Termination.COMPLETED else why


@cache
def versions(modules: tuple[str, ...]) -> Mapping[str, str]:
    """Return the versions of the engine and of some installed libraries."""
    found = {}
    for name in (DISTRIBUTION, "numpy", *modules):
        try:
            found[name] = version({"sklearn": "scikit-learn"}.get(name, name))
        except PackageNotFoundError:
            continue
    return found
