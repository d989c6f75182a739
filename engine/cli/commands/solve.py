"""``engine solve``: one problem, one certified grouping."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from engine.cli.options.gains import GainsOptions, gains_options
from engine.cli.options.shared import (
    KindOptions,
    ProblemOptions,
    SolverOptions,
    instance_option,
    kind_options,
    output_options,
    pick,
    problem_options,
    solver_options,
)


@click.command(short_help="Choose the groups to train, with a proof.")
@instance_option
@click.option(
    "--budget", type=float, metavar="B", help="Default: the instance's; none with --groups-… or --graph."
)
@click.option("--gains", metavar="SOURCE", help="Gains to solve on. Default: measured; hoa with --lattice.")
@kind_options
@click.option("--solver", metavar="NAME", help="Default: the engine chooses one that proves optimality.")
@click.option(
    "--warm-start", type=click.Path(path_type=Path), metavar="FILE", help="An earlier result (JSON)."
)
@gains_options
@problem_options
@solver_options
@output_options
def solve(
    instance: str,
    budget: float | None,
    gains: str | None,
    solver: str | None,
    warm_start: Path | None,
    format: str,
    output: Path | None,
    **given: Any,
) -> int:
    """Choose the groups to train: find the best grouping and prove it.

    \b
    Examples:
      engine solve --instance mimic27 --budget 6
      engine solve --instance mimic27 --lattice --gains hoa --budget 6
      engine solve --instance mimic27 --graph
    """  # noqa: D301  (click reads the backspace)
    from engine.cli.asking.posing import pose
    from engine.cli.options.text import solver_settings
    from engine.cli.telling.messages import INTERRUPTED, say
    from engine.cli.telling.output import check_output
    from engine.cli.telling.progress import progress
    from engine.cli.telling.solution import SolutionView
    from engine.cli.telling.view import show
    from engine.cli.telling.words import EXIT_CODES, conflict_line
    from engine.solving.certificate import Status, Termination
    from engine.solving.solution import Solution
    from engine.solving.solve import solve as solve_problem
    from engine.solving.solver import choose_solver

    check_output(output)
    how = pick(SolverOptions, given)
    begin = time.perf_counter()
    posed = pose(
        instance, gains, pick(GainsOptions, given), pick(ProblemOptions, given), pick(KindOptions, given)
    )
    limit = posed.default_budget if budget is None else budget
    problem = posed.limited(limit)
    start = None if warm_start is None else Solution.load(warm_start)
    read_seconds = time.perf_counter() - begin
    chosen = solver or choose_solver(problem)
    settings = solver_settings(chosen, how.option)
    with progress(how.verbose) as observers:
        solution = solve_problem(
            problem,
            chosen,
            time_limit=how.time_limit,
            seed=how.seed,
            threads=how.threads,
            warm_start=start,
            presolve=not how.no_presolve,
            observers=observers,
            options=settings,
        )
    result = posed.result(limit, solution)
    show(SolutionView(result, read_seconds), format, output)
    if result.not_evaluated and format != "table":
        say(f"not evaluated: {result.not_evaluated}")
    if solution.certificate.termination is Termination.INTERRUPTED:
        known = ": this is the best known by then" if solution.found else " before any grouping was found"
        say(f"interrupted{known}.")
    if solution.conflict and format != "table":
        say(f"infeasible, these demands cannot all be met: {conflict_line(solution)}.")
    if solution.status is Status.ERROR:
        say(f"the independent check refuted {chosen}: {'; '.join(solution.certificate.problems)}.")
    interrupted = solution.certificate.termination is Termination.INTERRUPTED
    return INTERRUPTED if interrupted else EXIT_CODES[solution.status]
