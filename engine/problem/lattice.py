"""A problem over the lattice: all 2^N − 1 groups of a gain model, none of them listed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError, UnsupportedError, UsageError
from engine.gains.model import GainModel, all_groups, tabulate
from engine.gains.predictions import fit_provenance, handed_through
from engine.gains.provenance import UNKNOWN, Provenance
from engine.gains.separable import PairSumModel, SeparableModel, best_values
from engine.gains.tensor import GainTensor, Quantity
from engine.problem.constraint import Constraint
from engine.problem.constraints import Budget, Partition
from engine.problem.extension import PyomoConstraint
from engine.problem.kinds import Feature, Kind
from engine.problem.limits import Limits
from engine.problem.objectives import Objective, SetFunction, TotalGain, TotalLoss
from engine.problem.parts import check_parts
from engine.problem.probe import Probe
from engine.problem.table import NamedGroup, Problem

LISTED_TASKS = 16
"""Up to so many tasks, all groups of a model can be listed in a tensor: what cannot be said of a
lattice can be said of that."""


@dataclass(frozen=True, eq=False)
class LatticeProblem:
    """What to solve, over every group of a gain model.

    Attributes
    ----------
    model
        Says what each task gains in any group.
    objective
        By default the total gain, or the total loss for a model of losses.
    constraints
        Any number of demands. Every group costs 1.
    known
        Recorded gains of some groups: where they equal the model's, a group counts as measured.
        Also says which split the model was fitted on.

    Raises
    ------
    UsageError
        If the parts do not fit together.
    """

    model: GainModel
    objective: Objective = cast("Objective", None)  # noqa: RUF009
    constraints: Sequence[Constraint] = ()
    known: GainTensor | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.model, GainModel):
            raise UsageError(
                f"model must be a GainModel, not {type(self.model).__name__}: fit a gain source, or give an "
                "object with tasks, source and predict(membership)."
            )
        if self.objective is None:
            object.__setattr__(self, "objective", TotalGain() if self.quantity == "gain" else TotalLoss())
        object.__setattr__(self, "constraints", check_parts(self.objective, self.constraints))
        limits = Limits.of(tuple(self.model.tasks), self.quantity)
        for constraint in self.constraints:
            limits.columns(constraint.mentioned())
        if self.known is not None and tuple(self.known.tasks) != tuple(self.model.tasks):
            raise UsageError("known must hold the gains of the model's tasks, in the same order.")

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the N tasks."""
        return tuple(self.model.tasks)

    @property
    def source(self) -> str:
        """Name of the gain source that made the model."""
        return self.model.source

    @property
    def quantity(self) -> Quantity:
        """What the model predicts: ``"gain"``, or ``"loss"`` if it says so."""
        return cast("Quantity", getattr(self.model, "quantity", "gain"))

    @property
    def sign(self) -> float:
        """1 where the objective maximises, −1 where it minimises."""
        return 1.0 if self.objective.sense == "maximize" else -1.0

    @cached_property
    def task_weights(self) -> NDArray[np.float64] | None:
        """Shape (N,): value of serving in program form per unit of gain or loss, None in other forms.

        Raises
        ------
        UsageError
            If the objective does not fit the model, or its weights do not fit its coefficients.
        """
        given = self.objective.task_weights(self.tasks)
        everyone = self.table(np.ones((1, len(self.tasks)), dtype=bool))
        serve, opening = everyone.coefficients
        if given is None:
            return None
        weights = np.asarray(given, dtype=np.float64)
        fits = weights.shape == (len(self.tasks),) and not opening.any()
        if not fits or not np.allclose(weights * everyone.gains.values, serve, rtol=1e-9, atol=0.0):
            raise UsageError(
                f"task_weights() of {type(self.objective).__name__} must return None or {len(self.tasks)} "
                "numbers that, times the gains, are its serve coefficients."
            )
        return self.sign * weights

    @cached_property
    def limits(self) -> Limits:
        """What the constraints leave; every group costs 1.

        Raises
        ------
        UsageError
            If a demand is written in Pyomo.
        """
        limits = Limits.of(self.tasks, self.quantity)
        for constraint in self.constraints:
            if isinstance(constraint, PyomoConstraint):
                raise UsageError(
                    f"The extra demand ({constraint.name}) needs a list of groups, and a gain model has "
                    "none: list some in a tensor with engine.tabulate(model, membership), and solve "
                    "engine.Problem over that."
                )
            constraint.restrict(limits)
        return limits.at_unit_cost()

    @cached_property
    def _unsaid(self) -> str | None:
        """Which constraint cannot be said without a list of groups, and why; None where all can be."""
        if not self.limits.need_a_list:
            return None
        for constraint in self.constraints:
            alone = Limits.of(self.tasks, self.quantity)
            constraint.restrict(alone)
            if alone.need_a_list:
                return f"{type(constraint).__name__} ({constraint.describe()}) looks at every group by itself"
        return None

    @property
    def needs_listing(self) -> bool:
        """Whether the objective or a constraint can only be said of a list of groups."""
        return self.task_weights is None or self._unsaid is not None

    @cached_property
    def pair_weights(self) -> NDArray[np.float64] | None:
        """Shape (N, N): symmetric weights, if this is the partition of a graph; None otherwise.

        The value of a partition in program form is the sum of the weights of the pairs of tasks that
        stand in one group.
        """
        model = self.model
        plain = isinstance(model, PairSumModel) and not model.singles.any() and not model.offsets.any()
        if not plain or self.task_weights is None or self.objective.aggregate == "min":
            return None
        if not any(isinstance(one, Partition) for one in self.constraints) or self._unsaid is not None:
            return None
        directed = cast("PairSumModel", model).pairs * self.task_weights
        weights: NDArray[np.float64] = directed + directed.T
        np.fill_diagonal(weights, 0.0)
        return weights

    @property
    def kind(self) -> Kind:
        """A graph if this is the partition of one, else a lattice."""
        return Kind.LATTICE if self.pair_weights is None else Kind.GRAPH

    @cached_property
    def features(self) -> frozenset[Feature]:
        """What a solver must support to solve this problem."""
        found = {Feature.WORST if self.objective.aggregate == "min" else Feature.SUM}
        if self.task_weights is None:
            self._require_listing("the objective has no task_weights()")
            found.add(Feature.OPENING)
            if isinstance(self.objective, SetFunction):
                found = {Feature.SET_FUNCTION}
        if self._unsaid is not None:
            self._require_listing(self._unsaid)
            return frozenset(found | self.listed.features - {Feature.COST})  # every group costs 1
        limits = self.limits
        if limits.min_groups > 0:
            found.add(Feature.MIN_GROUPS)
        if limits.mandatory:
            found.add(Feature.MANDATORY)
        if limits.max_memberships is not None:
            found.add(Feature.PARTITION if limits.max_memberships == 1 else Feature.MEMBERSHIPS)
        return frozenset(found)

    def _require_listing(self, why: str) -> None:
        if len(self.tasks) > LISTED_TASKS:
            raise UnsupportedError(
                f"Over all groups of {len(self.tasks)} tasks this cannot be solved ({why}); up to "
                f"{LISTED_TASKS} tasks it can."
            )

    @property
    def n_groups(self) -> int:
        """Number of groups, 2^N − 1."""
        return int(2 ** len(self.tasks) - 1)

    @property
    def budget(self) -> float | None:
        """The limit of the tightest :class:`~engine.Budget`, None where there is none."""
        limits = [constraint.limit for constraint in self.constraints if isinstance(constraint, Budget)]
        return min(limits) if limits else None

    def with_budget(self, limit: float) -> LatticeProblem:
        """Return this problem with its budget replaced; what is known of the model already is shared."""
        others = tuple(one for one in self.constraints if not isinstance(one, Budget))
        problem = replace(self, constraints=(*others, Budget(limit)))
        for name in ("task_weights", "_probe"):
            problem.__dict__[name] = getattr(self, name)
        if self.needs_listing and len(self.tasks) <= LISTED_TASKS:
            problem.__dict__["listed"] = self.listed.with_budget(limit)
        return problem

    def describe(self) -> str:
        """Return the problem in words."""
        what, demands = f"{self.objective.describe()} over all {self.n_groups} groups", self.constraints
        if self.kind is Kind.GRAPH:
            what = f"total weight of the pairs in one group over all partitions of {len(self.tasks)} tasks"
            demands = tuple(one for one in demands if not isinstance(one, Partition))
        words = "; ".join(constraint.describe() for constraint in demands)
        return f"{self.objective.sense} {what}" + (f" subject to {words}" if words else "")

    def reasons(self) -> tuple[str, ...]:
        """Return why the demands are contradictory on their face, in words; empty if they are not."""
        return self.listed.reasons() if self.needs_listing else self.limits.reasons()

    def trivial_bound(self) -> float:
        """Return an upper bound in program form at no cost, infinite where the model has no structure."""
        model = self.model
        if self.task_weights is None or not isinstance(model, SeparableModel):
            return np.inf
        best = best_values(model, self.task_weights)
        return float(best.min()) if self.objective.aggregate == "min" else float(best.sum())

    @cached_property
    def listed(self) -> Problem:
        """The same problem over a tensor of all groups, for at most :data:`LISTED_TASKS` tasks.

        Raises
        ------
        UnsupportedError
            If there are more tasks.
        """
        self._require_listing("all groups would have to be listed")
        return self.table(all_groups(len(self.tasks)))

    def table(self, membership: NDArray[np.bool_]) -> Problem:
        """Return the same problem over a tensor of some groups.

        Parameters
        ----------
        membership
            Shape (m, N), distinct rows.
        """
        known = self.known
        gains = tabulate(
            self.model,
            membership,
            split="" if known is None else known.split,
            quantity=self.quantity,
            single_task_baseline=False,
        )
        measured = gains.measured if known is None else handed_through(gains, known)
        gains = replace(gains, measured=measured, provenance=self.provenance)
        return Problem(gains, self.objective, self.constraints)

    @property
    def provenance(self) -> Provenance:
        """Where the values come from."""
        if self.known is None:
            return UNKNOWN
        return fit_provenance(self.model.source, self.known)

    def table_of(self, choice: NDArray[np.bool_]) -> tuple[Problem, NDArray[np.int64]]:
        """Return a chosen grouping as a table problem of its groups and the rows of that table.

        Where the objective has no task weights the table holds all groups: what one is worth may then
        depend on the others.

        Parameters
        ----------
        choice
            Shape (k, N): membership of the chosen groups.
        """
        if self.task_weights is not None:
            return self.table(choice), np.arange(len(choice))
        rows = self.listed.gains.rows_of(choice)
        if (rows < 0).any():
            raise DataError("A chosen group is empty.")
        return self.listed, rows

    def locate(self, groups: Iterable[NamedGroup]) -> NDArray[np.bool_]:
        """Return the membership, shape (k, N), of some groups, each once.

        Parameters
        ----------
        groups
            Members, and the cost where it is known, which counts for nothing here.
        """
        limits = Limits.of(self.tasks, self.quantity)
        distinct = list(dict.fromkeys(limits.columns(names) for names, _ in groups))
        membership = np.zeros((len(distinct), len(self.tasks)), dtype=bool)
        for row, group in enumerate(distinct):
            membership[row, sorted(group)] = True
        return membership

    def gains_record(self) -> dict[str, Any]:
        """Return what a solution tells about the gains it was solved on."""
        return {
            "source": self.model.source,
            "split": "" if self.known is None else self.known.split,
            "provenance": self.provenance.to_dict(),
            "groups": self.n_groups,
            "measured_groups": 0 if self.known is None else int(self.known.measured.sum()),
            "sha256": self._probe.digest,
            "sha256_covers": self._model_part,
        }

    @cached_property
    def _probe(self) -> Probe:
        return Probe.of(self.model)

    @cached_property
    def scale(self) -> float:
        """The magnitude of what a good solution holds, which tolerances refer to; above 0."""
        weights = self.task_weights
        return self.listed.scale if weights is None else self._probe.magnitude(weights)

    @property
    def digest_covers(self) -> str:
        """Which parts of the problem :attr:`digest` covers."""
        return f"{self._model_part}; name and weights of the objective; demands"

    @property
    def _model_part(self) -> str:
        """Which parts of the model its digest covers."""
        return f"the model's name and its predictions for {self._probe.groups}"

    @cached_property
    def digest(self) -> str:
        """SHA-256 over a part of the problem; see :attr:`digest_covers`."""
        weights = b"" if self.task_weights is None else self.task_weights.tobytes()
        words = (self._probe.digest, self.objective.describe(), weights.hex())
        demands = map(repr, self.constraints)
        return hashlib.sha256("\x1f".join((*words, *demands)).encode()).hexdigest()


def check_problem(problem: object) -> None:
    """Refuse what is no problem.

    Raises
    ------
    UsageError
        If it is neither a :class:`~engine.Problem` nor a :class:`LatticeProblem`.
    """
    if isinstance(problem, (Problem, LatticeProblem)):
        return
    hint = ""
    if isinstance(problem, GainTensor):
        hint = " Write engine.Problem(gains, constraints=[…])."
    elif isinstance(problem, GainModel):
        hint = " Write engine.LatticeProblem(model, constraints=[…])."
    raise UsageError(f"The problem must be an engine.Problem, not {type(problem).__name__}.{hint}")
