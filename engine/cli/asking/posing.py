"""From a command's options to a problem of the kind asked for: over a table, a lattice or a graph."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from engine.catalogue.affinities import AffinityInstance
from engine.catalogue.files import FileInstance
from engine.catalogue.instance import Instance
from engine.cli.asking.demands import demands, make_objective
from engine.cli.options.gains import GainsOptions
from engine.cli.options.shared import KindOptions, ProblemOptions
from engine.cli.telling.messages import say
from engine.errors import DataError, UnsupportedError, UsageError, unknown_name
from engine.gains.affinity import task_affinity
from engine.gains.model import GainModel
from engine.gains.source import Predictor, Purpose, choose_source, make_gain_source, source_names
from engine.gains.tabulated import TabulatedModel
from engine.gains.tensor import GainTensor
from engine.problem.lattice import LatticeProblem
from engine.problem.table import Problem
from engine.solving.comparison_table import Case
from engine.solving.pair_graph import PairGraph
from engine.solving.result import Result
from engine.solving.solution import Solution


@dataclass(frozen=True, eq=False)
class Posed:
    """A problem, and where it comes from.

    Attributes
    ----------
    instance
        Its gains.
    problem
        What to solve, without a budget.
    default_budget
        The budget where none is given, None for no limit.
    budgets
        Those of the frontier where none are given, ascending.
    evaluation
        The gains to judge on.
    graph
        The pairwise graph, where a partition of it is asked for.
    """

    instance: Instance
    problem: Problem | LatticeProblem
    default_budget: float | None
    budgets: tuple[float, ...]
    evaluation: GainTensor | None
    graph: PairGraph | None = None

    def limited(self, budget: float | None) -> Problem | LatticeProblem:
        """Return the problem with a budget."""
        return self.problem if budget is None else self.problem.with_budget(budget)

    def case(self) -> Case:
        """Return the problem as one of a comparison."""
        return Case(self.instance.name, self.problem, self.evaluation, graph=self.graph)

    def result(self, budget: float | None, solution: Solution) -> Result:
        """Return a solution with what the instance and its evaluation gains say about it."""
        info = self.instance.info
        return replace(self.case().result(budget, solution), origin=info.origin, note=info.note)


def pose(
    name: str, source: str | None, recorded: GainsOptions, options: ProblemOptions, kind: KindOptions
) -> Posed:
    """Open an instance and build the problem that the options ask for.

    Parameters
    ----------
    name
        An instance of the catalogue or a file.
    source
        The gains to solve on.
    recorded
        Where the gains are, and how their file is read.
    options, kind
        What to solve, over what.

    Raises
    ------
    UsageError
        If an option does not fit the instance, or another one.
    DataError
        If the gains cannot be had, or are not what the source needs.
    """
    kind.check()
    return posed_on(recorded.open(name, pairs=kind.listless), source, options, kind)


def posed_on(instance: Instance, source: str | None, options: ProblemOptions, kind: KindOptions) -> Posed:
    """Build the problem that the options ask for on an opened instance, as :func:`pose` does."""
    evaluation = instance.evaluation()
    default, budgets = default_budget(instance, options), instance.info.budgets
    if kind.lattice:
        lattice = _lattice(instance, source or choose_source(Purpose.LATTICE), options)
        most = None if default is None else _whole([default])[0]
        return Posed(instance, lattice, most, _whole(budgets), evaluation)
    if kind.graph:
        _check_graph_options(options)
        graph = _graph(instance, source)
        asked = graph.problem(demands(options, graph.affinity.tasks))
        return Posed(instance, asked, None, _whole(budgets), evaluation, graph)
    gains = instance.gains(source)
    warn_of_percent(instance, gains)
    objective = make_objective(options, gains.tasks)
    problem = Problem(gains, objective, demands(options, gains.tasks))  # type: ignore[arg-type]
    return Posed(instance, problem, default, budgets, evaluation)


def _whole(budgets: Iterable[float]) -> tuple[float, ...]:
    """Round budgets down to numbers of groups, at least 1: without a list of groups each costs 1."""
    return tuple(dict.fromkeys(max(1.0, float(math.floor(budget))) for budget in budgets))


def _lattice(instance: Instance, source: str, options: ProblemOptions) -> LatticeProblem:
    fitted = source_names(Predictor)
    recorded = source in instance.info.sources
    if source not in fitted and not recorded and ":" not in source:
        raise unknown_name("gain source", source, fitted)
    known = instance.gains(source if recorded and source not in fitted else None)
    warn_of_percent(instance, known)
    model: GainModel
    if recorded and source not in fitted:
        model = _tabulated(instance, known, fitted)
    else:
        model = make_gain_source(source, Predictor).fit(known)
    objective = make_objective(options, known.tasks)
    problem = LatticeProblem(model, objective, demands(options, known.tasks), known)  # type: ignore[arg-type]
    try:
        problem.features  # noqa: B018
    except UnsupportedError as error:
        raise UnsupportedError(f"{error} Leave out --lattice to choose among the recorded groups.") from error
    return problem


def _tabulated(instance: Instance, known: GainTensor, fitted: Sequence[str]) -> GainModel:
    """Return gains of all groups as a gain model; they are one only where none is missing."""
    try:
        return TabulatedModel(known)
    except DataError as error:
        raise UsageError(
            f"The source {known.source!r} of instance {instance.name!r} is recorded, no gain model of all "
            f"groups, as --lattice needs. {error} Give --gains {' or '.join(fitted)}, or leave out --lattice."
        ) from error


def _graph(instance: Instance, source: str | None) -> PairGraph:
    if instance.info.quantity != "gain":
        raise UsageError(
            f"Instance {instance.name!r} holds losses, which do not say whether two tasks help or harm one "
            "another: --graph needs gains, or an affinity file."
        )
    if isinstance(instance, AffinityInstance):
        if source not in (None, *instance.info.sources):
            raise UsageError(f"The affinity {instance.name!r} is the graph: leave out --gains.")
        return PairGraph(instance.affinity, None)
    gains = instance.gains(source)
    warn_of_percent(instance, gains)
    return PairGraph(task_affinity(gains), instance.gains())


def _check_graph_options(options: ProblemOptions) -> None:
    """Refuse what is about gains: a graph knows the weights of pairs."""
    given = {
        "--objective": options.objective is not None,
        "--weight": bool(options.weight),
        "--kappa": options.kappa is not None,
        "--floor": options.floor is not None,
    }
    odd = [option for option, there in given.items() if there]
    if odd:
        raise UsageError(
            f"{' and '.join(odd)} cannot be given with --graph, where the weights of pairs are added up. "
            "Over all groups of a gain model it can: --lattice --partition."
        )


def warn_of_percent(instance: Instance, gains: GainTensor) -> None:
    """Tell on stderr where the gains of a file look like percent."""
    values = abs(gains.values[gains.sizes[gains.entry_rows] > 1])
    if (
        isinstance(instance, (AffinityInstance, FileInstance))
        and gains.quantity == "gain"
        and (values > 1).sum() > len(values) / 2
    ):
        say(f"more than half of the gains of {instance.name} exceed 1; gains are fractions: 3 means 300 %.")


def check_budgets(name: str, own: tuple[float, ...], budgets: tuple[float, ...] | None) -> tuple[float, ...]:
    """Return the budgets to solve for: those given, or else the instance's own.

    Raises
    ------
    UsageError
        If there are none.
    """
    limits = budgets or own
    if not limits:
        raise UsageError(f"Instance {name!r} has no budgets of its own: give --budgets, for instance 1-6.")
    return limits


def default_budget(instance: Instance, options: ProblemOptions) -> float | None:
    """Return the budget where none is given: the instance's, unless a number of groups is demanded."""
    counted = options.groups_exactly is not None or options.groups_at_most is not None
    return None if counted else instance.info.default_budget
