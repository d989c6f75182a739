"""``lattice``: selection and partition over all 2^N − 1 groups of a gain model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from engine.errors import UnsupportedError, UsageError, unknown_name
from engine.gains.pair_mean import PairMeanModel
from engine.problem.constraints import Budget, Partition
from engine.problem.kinds import Feature, Kind
from engine.problem.lattice import LISTED_TASKS, LatticeProblem
from engine.solving.control import Control
from engine.solving.solver import Outcome, Solver, SolverInfo
from solvers.kernels.in_time import compiled_in_time
from solvers.lattices.branching import Branching, can_branch
from solvers.lattices.enumeration import Enumeration, Scan
from solvers.lattices.form import LatticeForm
from solvers.lattices.hybrid import Hybrid
from solvers.lattices.listed import solve_listed
from solvers.lattices.means import Means
from solvers.lattices.search import LatticeSearch
from solvers.lattices.separable_scan import SeparableScan, can_scan
from solvers.lattices.table_scan import TableScan
from solvers.lattices.torch_scan import TorchScan, gpu_pays
from solvers.lattices.unbounded import Unbounded
from solvers.lattices.worst import solve_worst

Pricing = Literal["auto", "branching", "enumeration", "table"]
MEMORY = "lattice"

PROVEN = 1e-7
"""Relative to the magnitude of values: a level this close to its bound is proven."""

ENUMERATED_TASKS = 30
"""Up to so many tasks every group can be looked at: 2^30 of them take some seconds a pass."""

GROUPS_PER_NODE = 500
"""A node of branch and bound costs as much as enumerating so many groups."""


@dataclass(frozen=True)
class Lattice(Solver):
    """Column generation with exact pricing, then an exact search among the groups that can still matter.

    Attributes
    ----------
    pricing
        ``"enumeration"`` evaluates every group of a model made of pairs in each pass; ``"table"``
        evaluates any model once and keeps its predictions. ``"auto"`` takes what suits the model.
    memory
        GiB that a table of predictions may take.
    cache
        Folder where a larger table is kept, in half precision, while the solver runs; by default the
        model is then evaluated in every pass.
    device
        Where the first look at all groups of a model made of pairs takes place: ``"cpu"``, or a device
        of torch, for instance ``"cuda"``. ``"auto"`` takes a GPU where torch finds one and it pays.
    """

    pricing: Pricing = "auto"
    memory: float = 2.0
    cache: str | None = None
    device: str = "auto"

    info: ClassVar[SolverInfo] = SolverInfo(
        summary="Column generation over all groups of a gain model, with exact pricing",
        exact=True,
        features=frozenset(
            {
                Feature.SUM,
                Feature.WORST,
                Feature.OPENING,
                Feature.PARTITION,
                Feature.MEMBERSHIPS,
                Feature.MIN_GROUPS,
                Feature.MANDATORY,
            }
        ),
        kinds=frozenset({Kind.LATTICE, Kind.GRAPH}),
        requires=("highspy", "numba"),
        rank=0,
        reference="Column generation (Desrosiers and Lübbecke, 2005) with reduced-cost fixing",
    )

    def __post_init__(self) -> None:
        choices = ("auto", "branching", "enumeration", "table")
        if self.pricing not in choices:
            raise unknown_name("pricing of solver 'lattice':", self.pricing, choices)
        if not self.memory > 0:
            raise UsageError(f"The memory of solver 'lattice' must be above 0 GiB, not {self.memory!r}.")
        if self.cache is not None and not Path(self.cache).is_dir():
            raise UsageError(f"The cache of solver 'lattice' must be a folder, not {self.cache!r}.")

    def solve(self, problem: LatticeProblem, control: Control) -> Outcome:
        """Solve a problem to proven optimality, or as far as the time allows."""
        if problem.needs_listing:
            return solve_listed(problem, control)
        form = LatticeForm.of(problem)
        worst = problem.objective.aggregate == "min"
        if worst and (form.weights * form.direction <= 0).any():  # no level says who may serve such a task
            return solve_listed(problem, control)
        if not self._compiled(control):
            return Outcome(control.rows, control.bound, control.termination())
        search: LatticeSearch = control.memory.setdefault(MEMORY, LatticeSearch(self._means))
        if not worst:
            return search.solve(form, control)
        outcome = solve_worst(form, search, control)
        stuck = not outcome.infeasible and control.bound > control.value + PROVEN * form.magnitude
        if stuck and form.n_tasks <= LISTED_TASKS and not control.should_stop():
            return solve_listed(problem, control)
        return outcome

    def _compiled(self, control: Control) -> bool:
        """Compile the kernels by solving a problem of three tasks; return False if the time ends before."""
        from solvers.kernels.climbing import climb

        if climb.signatures:  # type: ignore[attr-defined]
            return True

        def first_call() -> None:
            model = PairMeanModel(("a", "b", "c"), np.ones((3, 3)), np.zeros(3))
            for demands in ((Budget(2),), (Partition(),)):
                form = LatticeForm.of(LatticeProblem(model, constraints=demands))
                LatticeSearch(self._means).solve(form, Control())

        with control.stage("compile"):
            return compiled_in_time(first_call, control)

    def _means(self, form: LatticeForm, control: Control) -> Means:
        few = form.n_tasks <= ENUMERATED_TASKS
        branches, scans = can_branch(form), few and can_scan(form)
        if (self.pricing == "branching" and not branches) or (self.pricing == "enumeration" and not scans):
            raise UnsupportedError(
                f"pricing={self.pricing!r} does not suit the model of {form.model.source!r} under these "
                "demands. Use pricing='auto' or pricing='table'."
            )
        if self.pricing == "branching" or (branches and not scans and self.pricing == "auto"):
            return Means.of(form, Branching(form, control.threads))
        if scans and self.pricing != "table":
            enumeration = Enumeration(form, self._scan(form, control))
            if self.pricing == "enumeration" or not branches:
                return Means.of(form, enumeration)
            nodes = 1000 + 2**form.n_tasks // GROUPS_PER_NODE
            return Means.of(form, Hybrid(Branching(form, control.threads, nodes), enumeration))
        if not few:
            return Means.of(form, Unbounded())
        scan = TableScan(form, control.threads, self.memory * 2**30, self.cache)
        with control.stage("predict"):
            scan.fill(control)
        return Means.of(form, Enumeration(form, scan), scan.totals)

    def _scan(self, form: LatticeForm, control: Control) -> Scan:
        if self.device == "cpu" or (self.device == "auto" and not gpu_pays(form)):
            return SeparableScan(form, control.threads)
        return TorchScan(form, control.threads, "cuda" if self.device == "auto" else self.device)
