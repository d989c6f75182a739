"""``engine collect --guided``: measure the groups that the decision depends on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

import click

from engine.cli.options.kinds import Assignment, Budgets
from engine.cli.options.shared import add_options
from engine.errors import UsageError

if TYPE_CHECKING:
    from engine.catalogue.instance import Instance
    from engine.cli.telling.guided import GuidedView
    from engine.gains.tensor import GainTensor
    from engine.guided.collection import GuidedObserver, GuidedProgress, Measure
    from engine.guided.study import Study

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--guided", is_flag=True, help="Train the groups that the decision depends on."),
    click.option(
        "--budget-groups",
        type=Budgets(),
        metavar="B",
        help="Guided: budgets of the decision (6, or 2,4,8). Default: the instance's.",
    ),
    click.option(
        "--runs", type=click.IntRange(1), metavar="R", help="Guided: groups of two or more tasks in all."
    ),
    click.option("--batch", type=click.IntRange(1), metavar="G", help="Guided: groups at once. [default: 1]"),
    click.option("--predictor", metavar="NAME", help="Guided: what predicts. [default: gaussian-process]"),
    click.option(
        "--predictor-option", type=Assignment(), multiple=True, help="Guided: an option of the predictor."
    ),
    click.option(
        "--acquisition",
        metavar="NAME",
        help="Guided: expected-improvement, optimistic, thompson, largest-prediction, random, module:Class.",
    ),
    click.option(
        "--acquisition-option", type=Assignment(), multiple=True, help="Guided: an option of the acquisition."
    ),
    click.option(
        "--stop-below",
        type=click.FloatRange(0, min_open=True),
        metavar="X",
        help="Guided: stop when no more than X of mean gain can be won (a fraction).",
    ),
)


def guided_options(command: Command) -> Command:
    """Add the options of :class:`GuidedOptions`."""
    return add_options(command, _OPTIONS)


@dataclass(frozen=True)
class GuidedOptions:
    """How a guided collection is run.

    Attributes
    ----------
    guided
        Whether it is asked for.
    budget_groups, runs, batch, stop_below
        Budgets of the decision, groups to measure in all and at once, and when to stop before.
    predictor, predictor_option, acquisition, acquisition_option
        What predicts, and what is worth measuring.
    """

    guided: bool
    budget_groups: tuple[float, ...] | None
    runs: int | None
    batch: int | None
    predictor: str | None
    predictor_option: tuple[tuple[str, str], ...]
    acquisition: str | None
    acquisition_option: tuple[tuple[str, str], ...]
    stop_below: float | None

    def check(self) -> None:
        """Refuse what does not go together.

        Raises
        ------
        UsageError
            If options of a guided collection are given without it, or the number of runs is missing.
        """
        if not self.guided:
            odd = [
                f"--{one.name.replace('_', '-')}"
                for one in fields(self)
                if getattr(self, one.name) not in (False, None, ())
            ]
            if odd:
                raise UsageError(f"{' and '.join(odd)} can only be given with --guided.")
        elif self.runs is None:
            raise UsageError("Say how many groups may be trained: --runs 54.")

    @property
    def predictor_name(self) -> str:
        """The predictor that is asked for, or else the preferred one."""
        from engine.gains.source import Purpose, choose_source

        return self.predictor or choose_source(Purpose.GUIDE)

    def study(self, tasks: tuple[str, ...], instance: Instance | None, seed: int, **more: Any) -> Study:
        """Return the study that the options ask for.

        Parameters
        ----------
        tasks
            N names.
        instance
            Its budget is that of the decision where none is given; without one, a quarter of the tasks.
        seed
            Fixes every random decision.
        **more
            Other arguments of the study.
        """
        from engine.cli.options.text import read_fields
        from engine.gains.source import Predictor, make_gain_source
        from engine.guided.acquisition import acquisition_class
        from engine.guided.study import DEFAULT_ACQUISITION, Study
        from engine.plugins import GAIN_SOURCES

        name = self.predictor_name
        predictor = make_gain_source(
            name,
            Predictor,
            read_fields(GAIN_SOURCES.load(name), self.predictor_option, f"predictor {name!r}"),
        )
        wanted = self.acquisition or DEFAULT_ACQUISITION
        cls = acquisition_class(wanted)
        acquisition = cls(**read_fields(cls, self.acquisition_option, f"acquisition {wanted!r}"))
        return Study(
            tasks,
            self.budget_groups or [_default_budget(tasks, instance)],
            predictor=predictor,
            acquisition=acquisition,
            seed=seed,
            **more,
        )

    def origin_of_budgets(self, instance: Instance | None) -> str:
        """Return where the budgets of the decision come from, in words."""
        if self.budget_groups:
            return "--budget-groups"
        return "a quarter of the tasks" if instance is None else "the instance's own"


def _default_budget(tasks: tuple[str, ...], instance: Instance | None) -> float:
    return float(max(2, len(tasks) // 4)) if instance is None else instance.info.default_budget


def guided_line(progress: GuidedProgress) -> str:
    """Return one line: groups measured, best gain by now, what is left to win."""
    parts = [f"{progress.measured}/{progress.runs} groups"]
    promised = [one for one in progress.promised if one is not None]
    if promised:
        best = max(promised) if progress.quantity == "gain" else min(promised)
        parts.append(f"best mean {progress.quantity} {_amount(best, progress.quantity)}")
    if progress.improvement is not None and math.isfinite(progress.improvement.bound):
        parts.append(f"at most {_amount(progress.improvement.bound, progress.quantity)} to win")
    return "  ".join(parts)


def _amount(value: float, quantity: str) -> str:
    return f"{100 * value:.2f} %" if quantity == "gain" else f"{value:.4g}"


def run_guided(
    options: GuidedOptions,
    name: str,
    store: str,
    instance: Instance | None,
    study: Study,
    measure: Measure,
    evaluation: GainTensor | None,
    observers: tuple[GuidedObserver, ...],
) -> GuidedView:
    """Run a guided collection and decide.

    Parameters
    ----------
    options
        Runs, batch and stop rule.
    name, store, instance
        For the report.
    study
        Knows what is measured already.
    measure
        As for :func:`engine.guided.collection.collect_guided`.
    evaluation
        Gains to judge the decisions on.
    observers
        Told after every batch.
    """
    from engine.cli.telling.guided import GuidedView
    from engine.cli.telling.messages import say
    from engine.errors import DataError
    from engine.guided.collection import collect_guided

    assert options.runs is not None
    result = collect_guided(
        study,
        measure,
        options.runs,
        batch=options.batch or 1,
        stop_below=options.stop_below,
        observers=observers,
    )
    decisions = []
    for budget in study.question.budgets:
        try:
            decisions.append(study.decide(budget))
        except DataError as error:
            say(str(error))
    return GuidedView(
        name=name,
        store=store,
        predictor=options.predictor_name,
        budgets_from=options.origin_of_budgets(instance),
        study=study,
        result=result,
        decisions=tuple(decisions),
        evaluation=evaluation,
    )
