"""``engine frontier``: one problem over a range of budgets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from engine.cli.options.gains import GainsOptions, gains_options
from engine.cli.options.kinds import Budgets
from engine.cli.options.shared import (
    KindOptions,
    ProblemOptions,
    SolverOptions,
    instance_option,
    kind_options,
    output_options,
    pick,
    plot_option,
    problem_options,
    solver_options,
)


@click.command(short_help="Solve for every budget: what one group more buys.")
@instance_option
@click.option("--budgets", type=Budgets(), help="1-27, 1,2,3 or 1-5:0.5. Default: the instance's.")
@click.option("--gains", metavar="SOURCE", help="Gains to solve on. Default: measured; hoa with --lattice.")
@kind_options
@click.option("--solver", metavar="NAME", help="Default: the engine chooses one that proves optimality.")
@plot_option
@gains_options
@problem_options
@solver_options
@output_options
def frontier(
    instance: str,
    budgets: tuple[float, ...] | None,
    gains: str | None,
    solver: str | None,
    plot: Path | None,
    format: str,
    output: Path | None,
    **given: Any,
) -> int:
    """Solve for every budget: what one group more buys.

    Example: engine frontier --instance mimic27 --budgets 1-10 --plot frontier.svg
    """
    from engine.cli.asking.posing import check_budgets, pose
    from engine.cli.options.text import solver_settings
    from engine.cli.telling.frontier import FrontierView
    from engine.cli.telling.messages import INTERRUPTED, say
    from engine.cli.telling.output import check_output, save_plot
    from engine.cli.telling.progress import progress
    from engine.cli.telling.rows import unjudged
    from engine.cli.telling.view import show
    from engine.cli.telling.words import exit_code
    from engine.plots.charts import frontier_chart
    from engine.solving.certificate import Status, Termination
    from engine.solving.frontier import frontier as solve_frontier
    from engine.solving.solver import choose_solver

    check_output(output)
    how = pick(SolverOptions, given)
    if plot is not None:
        from engine.plots.drawing import check_plot

        check_output(plot)
        check_plot(plot)
    posed = pose(
        instance, gains, pick(GainsOptions, given), pick(ProblemOptions, given), pick(KindOptions, given)
    )
    limits, problem = check_budgets(posed.instance.name, posed.budgets, budgets), posed.problem
    chosen = solver or choose_solver(problem.with_budget(max(limits)))
    settings = solver_settings(chosen, how.option)
    with progress(how.verbose) as observers:
        solutions = solve_frontier(
            problem,
            limits,
            chosen,
            time_limit=how.time_limit,
            seed=how.seed,
            threads=how.threads,
            presolve=not how.no_presolve,
            observers=observers,
            options=settings,
        )
    results = [posed.result(budget, solution) for budget, solution in solutions.items()]
    view = FrontierView(posed.case(), results)
    show(view, format, output)
    if plot is not None:
        valued = {one.budget: one.valued for one in results if one.budget is not None}
        save_plot(frontier_chart(problem, valued, posed.evaluation, title=posed.instance.name), plot)
    for why in unjudged(view.rows) if format != "table" else ():
        say(f"not evaluated: {why}")
    if len(results) < len(set(limits)):
        say(f"interrupted: {len(results)} of {len(set(limits))} budgets solved.")
    for one in results:
        if one.solution.status is Status.ERROR:
            problems = "; ".join(one.solution.certificate.problems)
            say(f"the independent check refuted {chosen} at budget {one.budget:g}: {problems}.")
    stopped = any(one.solution.certificate.termination is Termination.INTERRUPTED for one in results)
    if stopped or len(results) < len(set(limits)):
        return INTERRUPTED
    return exit_code(one.solution.status for one in results)
