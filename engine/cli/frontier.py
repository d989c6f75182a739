"""``engine frontier``: one problem over a range of budgets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.options import (
    Budgets,
    ProblemOptions,
    SolverOptions,
    output_options,
    pick,
    problem_options,
    solver_options,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from engine.cli.results import Result


@click.command()
@click.option(
    "--instance", required=True, metavar="NAME|FILE", help="From the catalogue, or gains of your own."
)
@click.option("--budgets", type=Budgets(), help="1-27, 1,2,3 or 1-5:0.5. Default: the instance's.")
@click.option("--gains", metavar="SOURCE", help="The gains to solve on. Default: the measured ones.")
@click.option("--solver", metavar="NAME", help="Default: the engine chooses one that proves optimality.")
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE", help="Draw it: .png, .svg or .pdf.")
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
    from engine.cli.main import say
    from engine.cli.output import check_output
    from engine.cli.problems import make_problem, open_asked, read_options
    from engine.cli.progress import progress
    from engine.cli.results import Result, exit_code, judge
    from engine.errors import UsageError
    from engine.frontiers import frontier as solve_frontier
    from engine.solution import Status
    from engine.solver import choose_solver

    check_output(output)
    asked, how = pick(ProblemOptions, given), pick(SolverOptions, given)
    if plot is not None:
        from engine.plots import check_plot

        check_output(plot)
        check_plot(plot)
    opened = open_asked(instance, asked)
    limits = budgets or opened.info.budgets
    if not limits:
        raise UsageError(
            f"Instance {instance!r} has no budgets of its own: give --budgets, for instance 1-6."
        )
    problem = make_problem(opened.gains(gains), asked)
    evaluation = opened.evaluation()
    chosen = solver or choose_solver(problem.with_budget(max(limits)))
    settings = read_options(chosen, how.option)
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
    results = [
        judge(Result(opened.name, opened.info.origin, budget, solution), evaluation)
        for budget, solution in solutions.items()
    ]
    _print(results, problem.describe(), format, output)
    if plot is not None:
        from engine.charts import frontier_chart
        from engine.plots import draw, save_figure

        save_figure(draw(frontier_chart(solutions, evaluation, title=opened.name)), plot)
    for why in dict.fromkeys(one.not_evaluated for one in results if one.not_evaluated):
        say(f"not evaluated: {why}")
    if len(results) < len(set(limits)):
        say(f"interrupted: {len(results)} of {len(set(limits))} budgets solved.")
    for one in results:
        if one.solution.status is Status.ERROR:
            problems = "; ".join(one.solution.certificate.problems)
            say(f"the independent check refuted {chosen} at budget {one.budget:g}: {problems}.")
    return exit_code(one.solution.status for one in results)


def _row(result: Result) -> dict[str, Any]:
    solution, scores = result.solution, result.scores
    mean = f"mean_{solution.quantity}"
    return {
        "budget": result.budget,
        "groups": len(solution.groups),
        "cost": solution.cost,
        "value": solution.value,
        mean: solution.mean_gain,
        "bound": solution.bound,
        "gap": solution.gap,
        "status": solution.status.value,
        f"evaluation_{mean}": None if scores is None else scores.mean,
        "optimism": None if scores is None else scores.optimism,
        "predicted_servings": result.predicted_servings,
        "seconds": solution.certificate.seconds["total"],
    }


def _print(results: Sequence[Result], described: str, format: str, output: Path | None) -> None:
    from engine.cli.output import emit_csv, emit_json, emit_table

    if format == "json":
        emit_json({"solutions": [one.to_dict() for one in results]}, output)
    elif format == "csv":
        rows = [_row(one) for one in results]
        emit_csv(tuple(rows[0]) if rows else (), rows, output)
    elif results:
        first = results[0].solution
        gains = first.gains
        facts = (
            f"instance {results[0].instance}: {described}; "
            f"solver {first.certificate.solver}, seed {first.certificate.seed}",
            f"gains {gains['source']}, split {gains['split'] or 'unnamed'}, {gains['groups']} groups "
            f"({gains['measured_groups']} measured)",
            f"from {results[0].told_origin}",
        )
        emit_table([_table(results), *facts], output)


def _table(results: Sequence[Result]) -> Table:
    from rich import box
    from rich.table import Table

    from engine.cli.output import amount, gap_percent, number, percent, unit
    from engine.cli.results import PROVEN

    quantity = results[0].solution.quantity
    split = results[0].solution.gains.get("split") or "source"
    judged = next((one.scores for one in results if one.scores is not None), None)
    predicted = all(one.evaluation_measured for one in results)
    what = f"mean {unit(quantity)}"
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    headings = ["budget", "groups", "value", f"{split} {what}", "", "bound", "gap %", "status"]
    if judged is not None:
        basis = "" if predicted else ", predicted"
        headings += [f"{judged.split or 'evaluation'} {what}{basis}"]
        headings += ["optimism, points" if quantity == "gain" else "optimism"]
    for heading in (*headings, "seconds"):
        table.add_column(heading, justify="left" if heading in ("", "status") else "right")
    for one in results:
        solution, scores = one.solution, one.scores
        optimism = None if scores is None else scores.optimism
        table.add_row(
            f"{one.budget:g}",
            str(len(solution.groups)) if solution.found else "–",
            number(solution.value),
            amount(solution.mean_gain, quantity),
            one.basis if solution.found else "",
            number(solution.bound),
            gap_percent(solution.gap),
            f"{solution.status}, {PROVEN[solution.status].partition(':')[0]}",
            *(
                []
                if judged is None
                else [
                    amount(None if scores is None else scores.mean, quantity),
                    percent(optimism) if quantity == "gain" else number(optimism),
                ]
            ),
            f"{solution.certificate.seconds['total']:.3f}",
        )
    return table
