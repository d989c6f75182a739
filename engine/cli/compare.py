"""``engine compare``: several solvers, sources and instances in one table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.options import (
    Budgets,
    Names,
    ProblemOptions,
    SolverOptions,
    output_options,
    pick,
    problem_options,
    solver_options,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.table import Table

    from engine.comparison import Case, Comparison, Row


@click.command()
@click.option(
    "--instances",
    "--instance",
    multiple=True,
    required=True,
    metavar="a,b|FILE",
    help="Names from the catalogue, or a file of your own; may be repeated.",
)
@click.option("--solvers", type=Names(), required=True, help="The solvers to compare.")
@click.option("--sources", type=Names(), help="Gains to solve on. Default: the measured ones.")
@click.option("--budgets", type=Budgets(), help="1-27, 1,2,3 or 1-5:0.5. Default: each instance's.")
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE", help="Draw it: .png, .svg or .pdf.")
@problem_options
@solver_options
@output_options
def compare(
    instances: tuple[str, ...],
    solvers: tuple[str, ...],
    sources: tuple[str, ...] | None,
    budgets: tuple[float, ...] | None,
    plot: Path | None,
    format: str,
    output: Path | None,
    **given: Any,
) -> int:
    """Run several solvers on the same problems and hold their claims against one another.

    Options of one solver are given as --option solver.key=value.

    Example: engine compare --instance mimic27 --solvers cpsat,beam --sources measured,hoa --budgets 1-10
    """
    from engine.cli.main import FAILED, say
    from engine.cli.output import check_output, emit_csv, emit_json, emit_table
    from engine.cli.progress import progress
    from engine.comparison import Comparison
    from engine.comparison import compare as compare_solvers
    from engine.errors import UsageError
    from engine.solution import Status

    check_output(output)
    asked, how = pick(ProblemOptions, given), pick(SolverOptions, given)
    if plot is not None:
        from engine.plots import check_plot

        check_output(plot)
        check_plot(plot)
    names = tuple(dict.fromkeys(name for text in instances for name in _split(text)))
    if asked.evaluate is not None and len(names) > 1:
        raise UsageError("--evaluate belongs to one instance; compare one at a time.")
    cases, refused = _cases(names, sources, budgets, solvers, asked)
    with progress(how.verbose) as observers:
        comparison = compare_solvers(
            cases,
            solvers,
            time_limit=how.time_limit,
            seed=how.seed,
            threads=how.threads,
            presolve=not how.no_presolve,
            observers=observers,
            options=_options(how.option, solvers),
        )
    comparison = Comparison((*comparison.rows, *refused), comparison.interrupted)
    if format == "json":
        emit_json(comparison.to_dict(), output)
    elif format == "csv":
        rows = comparison.to_dict()["rows"]
        emit_csv(tuple(rows[0]) if rows else (), rows, output)
    else:
        emit_table([_table(comparison), *_provenance(cases)], output)
    if plot is not None:
        from engine.charts import comparison_chart
        from engine.plots import draw, save_figure

        save_figure(draw(comparison_chart(comparison)), plot)
    if comparison.interrupted:
        say("interrupted: the table ends where the work did.")
    for row in comparison.flagged:
        say(f"{row.solver} on {row.instance} {row.source}, budget {row.budget:g}: {row.flag}.")
    crashed = [row for row in comparison.rows if row.status == Status.ERROR and not row.flag]
    for told in dict.fromkeys(
        f"{row.solver} on {row.instance} {row.source}: {row.reason}" for row in crashed
    ):
        say(told)
    return FAILED if comparison.flagged or crashed else 0


def _split(text: str) -> tuple[str, ...]:
    """Split names of the catalogue at commas; a comma may also join a pair of files, which stays whole."""
    from engine.plugins import INSTANCES

    names = tuple(one.strip() for one in text.split(","))
    return names if set(names) <= set(INSTANCES.names()) else (text,)


def _cases(
    names: Sequence[str],
    sources: tuple[str, ...] | None,
    budgets: tuple[float, ...] | None,
    solvers: Sequence[str],
    asked: ProblemOptions,
) -> tuple[list[Case], list[Row]]:
    """Return the problems, and rows for the sources that an instance does not have."""
    from engine.cli.problems import make_problem, open_asked
    from engine.comparison import UNSUPPORTED, Case, Row
    from engine.errors import UsageError

    cases: list[Case] = []
    refused: list[Row] = []
    error: UsageError | None = None
    for name in names:
        opened = open_asked(name, asked)
        limits = budgets or opened.info.budgets
        if not limits:
            raise UsageError(
                f"Instance {name!r} has no budgets of its own: give --budgets, for instance 1-6."
            )
        for source in sources or opened.info.sources[:1]:
            try:
                problem = make_problem(opened.gains(source), asked)
            except UsageError as caught:
                error = error or caught
                refused += [
                    Row(name, source, solver, budget, UNSUPPORTED, reason=str(caught))
                    for solver in solvers
                    for budget in limits
                ]
                continue
            cases.append(Case(name, problem, opened.evaluation(), limits, source))
    if error is not None and not cases:
        raise error
    return cases, refused


def _options(given: Iterable[tuple[str, str]], solvers: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    from engine.cli.problems import read_options
    from engine.errors import UsageError

    by_solver: dict[str, list[tuple[str, str]]] = {}
    for key, text in given:
        solver, sign, option = key.rpartition(".")
        if not sign or solver not in solvers:
            raise UsageError(
                f"--option {key}={text}: write solver.key=value, with one of {', '.join(solvers)}."
            )
        by_solver.setdefault(solver, []).append((option, text))
    return {solver: read_options(solver, pairs) for solver, pairs in by_solver.items()}


def _table(comparison: Comparison) -> Table:
    from rich import box
    from rich.table import Table

    from engine.cli.output import amount, gap_percent, number, percent

    def points(row: Row) -> str:
        return percent(row.optimism) if row.quantity == "gain" else number(row.optimism)

    kinds = {row.quantity for row in comparison.rows}
    what = "mean gain %" if kinds <= {"gain"} else "mean loss" if kinds == {"loss"} else "mean gain % or loss"
    judged = any(row.evaluation_mean is not None for row in comparison.rows)
    several = len({row.instance for row in comparison.rows}) > 1
    noted = any(row.flag or row.reason for row in comparison.rows)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    left = {"instance", "source", "solver", "status", "flag", "note"}
    headings = [*(["instance"] if several else []), "source", "solver", "budget", "value", f"source {what}"]
    headings += ["bound", "gap %", "status", "seconds"]
    headings += [f"evaluation {what}", "optimism"] if judged else []
    headings += ["groups", "agreement %", *(["flag", "note"] if noted else [])]
    for heading in headings:
        table.add_column(heading, justify="left" if heading in left else "right")
    for row in comparison.rows:
        predicted = " (predicted)" if row.predicted_servings else ""
        table.add_row(
            *([row.instance] if several else []),
            row.source + predicted,
            row.solver,
            f"{row.budget:g}",
            number(row.value),
            amount(row.mean, row.quantity),
            number(row.bound),
            gap_percent(row.gap),
            row.status,
            number(row.seconds, 3),
            *([amount(row.evaluation_mean, row.quantity), points(row)] if judged else []),
            "–" if row.groups is None else str(row.groups),
            percent(row.agreement, 0),
            *([row.flag, row.reason] if noted else []),
        )
    return table


def _provenance(cases: Iterable[Case]) -> list[str]:
    lines = []
    for case in cases:
        gains = case.problem.gains
        told = [f"{case.instance} {case.source}: {gains.n_groups} groups, split {gains.split or 'unnamed'}"]
        told.append(f"{int(gains.measured.sum())} measured")
        if gains.provenance:
            told.append(gains.provenance)
        lines.append("gains  " + ", ".join(told))
    return lines
