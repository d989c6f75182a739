"""``engine compare``: several solvers, sources and instances in one table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.options.gains import GainsOptions, gains_options
from engine.cli.options.kinds import Budgets, Names
from engine.cli.options.shared import (
    KindOptions,
    ProblemOptions,
    SolverOptions,
    kind_options,
    output_options,
    pick,
    plot_option,
    problem_options,
    solver_options,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from engine.catalogue.instance import Instance
    from engine.solving.comparison import Case, Comparison


@click.command(short_help="Run several solvers and check their claims against one another.")
@click.option(
    "--instances",
    "--instance",
    multiple=True,
    required=True,
    metavar="a,b|FILE",
    help="Names from the catalogue, or a file of your own; may be repeated.",
)
@click.option("--solvers", type=Names(), required=True, help="The solvers to compare.")
@click.option("--sources", type=Names(), help="Gains to solve on. Default: measured; hoa with --lattice.")
@kind_options
@click.option(
    "--budgets",
    type=Budgets(),
    help="1-27, 1,2,3 or 1-5:0.5. Default: each instance's; with --graph, as many as there are tasks.",
)
@plot_option
@gains_options
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
    from engine.cli.telling.comparison import ComparisonView
    from engine.cli.telling.messages import say
    from engine.cli.telling.output import check_output, save_plot
    from engine.cli.telling.progress import progress
    from engine.cli.telling.view import show
    from engine.errors import UsageError
    from engine.plots.charts import comparison_chart
    from engine.solving.comparison import compare as compare_solvers

    check_output(output)
    asked, kind, how = pick(ProblemOptions, given), pick(KindOptions, given), pick(SolverOptions, given)
    recorded = pick(GainsOptions, given)
    if plot is not None:
        from engine.plots.drawing import check_plot

        check_output(plot)
        check_plot(plot)
    names = tuple(dict.fromkeys(name for text in instances for name in _split(text)))
    if recorded.evaluate is not None and len(names) > 1:
        raise UsageError("--evaluate belongs to one instance; compare one at a time.")
    kind.check()
    opened = _open(names, recorded, kind)
    cases = _cases(opened, sources, budgets, asked, kind)
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
    show(ComparisonView(comparison, {name: one.info for name, one in opened.items()}), format, output)
    if plot is not None:
        save_plot(comparison_chart(comparison), plot)
    if comparison.interrupted:
        say("interrupted: the table ends where the work did.")
    for mistake in _mistakes(comparison):
        say(mistake)
    return _exit_code(comparison)


def _mistakes(comparison: Comparison) -> Iterator[str]:
    """Yield what went wrong: every flag, and once per solver and problem that it crashed."""
    from engine.solving.certificate import Status

    for row in comparison.flagged:
        yield f"{row.solver} on {row.instance} {row.source}, budget {row.budget:g}: {row.flag}."
    crashed = [row for row in comparison.rows if row.status == Status.ERROR and not row.flag]
    yield from dict.fromkeys(f"{row.solver} on {row.instance} {row.source}: {row.reason}" for row in crashed)


def _exit_code(comparison: Comparison) -> int:
    from engine.cli.telling.messages import FAILED, INTERRUPTED, USAGE
    from engine.cli.telling.words import exit_code
    from engine.solving.certificate import Status
    from engine.solving.comparison import UNSUPPORTED

    found = [row.status for row in comparison.rows if row.status != UNSUPPORTED]
    if comparison.flagged:
        return FAILED
    if comparison.interrupted:
        return INTERRUPTED
    return USAGE if comparison.rows and not found else exit_code(map(Status, found))


def _split(text: str) -> tuple[str, ...]:
    """Split names of the catalogue at commas; a comma may also join a pair of files, which stays whole."""
    from engine.plugins import INSTANCES

    names = tuple(one.strip() for one in text.split(","))
    return names if set(names) <= set(INSTANCES.names()) else (text,)


def _open(names: Sequence[str], recorded: GainsOptions, kind: KindOptions) -> dict[str, Instance]:
    """Open the instances; each goes by its name, but files of the same name by what was given."""
    opened = {text: recorded.open(text, pairs=kind.listless) for text in names}
    short = [instance.name for instance in opened.values()]
    return {
        instance.name if short.count(instance.name) == 1 else text: instance
        for text, instance in opened.items()
    }


def _cases(
    instances: Mapping[str, Instance],
    sources: tuple[str, ...] | None,
    budgets: tuple[float, ...] | None,
    asked: ProblemOptions,
    kind: KindOptions,
) -> list[Case]:
    """Return the problems; a source that some instances lack is told, one that all lack is a mistake."""
    from engine.cli.asking.posing import check_budgets, posed_on
    from engine.cli.telling.messages import say
    from engine.errors import UsageError
    from engine.gains.source import Purpose, choose_source

    cases: list[Case] = []
    refused: dict[str, list[tuple[str, UsageError]]] = {}
    for name, instance in instances.items():
        own = (choose_source(Purpose.LATTICE),) if kind.lattice else instance.info.sources[:1]
        for source in sources or own:
            try:
                posed = posed_on(instance, source, asked, kind)
            except UsageError as error:
                refused.setdefault(source, []).append((name, error))
                continue
            least = posed.budgets if posed.graph is None else (float(len(instance.info.tasks)),)
            limits = check_budgets(instance.name, least, budgets)
            cases.append(replace(posed.case(), instance=name, budgets=limits, source=source))
    known = {case.source for case in cases}
    for source, mistakes in refused.items():
        if source not in known:
            raise mistakes[0][1]
        for name, mistake in mistakes:
            say(f"{name} {source} is left out: {mistake}")
    return cases


def _options(given: Iterable[tuple[str, str]], solvers: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    from engine.cli.options.text import solver_settings
    from engine.errors import UsageError

    by_solver: dict[str, list[tuple[str, str]]] = {}
    for key, text in given:
        solver, sign, option = key.rpartition(".")
        if not sign or solver not in solvers:
            raise UsageError(
                f"--option {key}={text}: write solver.key=value, with one of {', '.join(solvers)}."
            )
        by_solver.setdefault(solver, []).append((option, text))
    return {solver: solver_settings(solver, pairs) for solver, pairs in by_solver.items()}
