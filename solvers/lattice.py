"""``lattice``: selection and partition over all 2^N − 1 groups of a gain model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from engine.errors import UnsupportedError, UsageError, unknown_name
from engine.problem.kinds import Feature, Kind
from engine.problem.lattice import LISTED_TASKS, LatticeProblem
from engine.solving.claim import Claim
from engine.solving.control import Control
from engine.solving.solve import PROOF_TOLERANCE, REASONS_OF_A_GAP
from engine.solving.solver import Solver, SolverInfo
from solvers.lattices.branching import Branching, can_branch
from solvers.lattices.enumeration import Enumeration
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

    def solve(self, problem: LatticeProblem, control: Control) -> Claim:
        """Solve a problem to proven optimality, or as far as the time allows."""
        if problem.needs_listing:
            return solve_listed(problem, control)
        form = LatticeForm.of(problem)
        worst = problem.objective.aggregate == "min"
        if worst and (form.weights * form.direction <= 0).any():  # no level says who may serve such a task
            return solve_listed(problem, control)
        search: LatticeSearch = control.memory.setdefault(MEMORY, LatticeSearch(self._means))
        claim = solve_worst(form, search, control) if worst else search.solve(form, control)
        few = form.n_tasks <= LISTED_TASKS and claim.termination in REASONS_OF_A_GAP
        if few and not claim.infeasible and control.bound > control.value + PROOF_TOLERANCE * problem.scale:
            return solve_listed(problem, control)
        return claim

    def _means(self, form: LatticeForm, control: Control) -> Means:
        few = form.n_tasks <= ENUMERATED_TASKS
        branches, scans = can_branch(form), few and can_scan(form)
        if (self.pricing == "branching" and not branches) or (self.pricing == "enumeration" and not scans):
            raise UnsupportedError(
                f"pricing={self.pricing!r} does not suit the model of {form.model.source!r} under these "
                "demands. Use pricing='auto' or pricing='table'."
            )
        if self.pricing == "branching" or (branches and not scans and self.pricing == "auto"):
            return Means.of(form, Branching(form, control.threads), control)
        if scans and self.pricing != "table":
            if self.pricing == "enumeration" or not branches:
                return Means.of(form, self._enumeration(form, control), control)
            nodes = 1000 + 2**form.n_tasks // GROUPS_PER_NODE
            branching = Branching(form, control.threads, nodes)
            return Means.of(form, Hybrid(branching, lambda: self._enumeration(form, control)), control)
        if not few:
            return Means.of(form, Unbounded(), control)
        scan = TableScan(form, control.threads, self.memory * 2**30, self.cache)
        with control.stage("predict"):
            scan.fill(control)
        return Means.of(form, Enumeration(form, scan), control, scan.totals)

    def _enumeration(self, form: LatticeForm, control: Control) -> Enumeration:
        if self.device == "cpu" or (self.device == "auto" and not gpu_pays(form)):
            return Enumeration(form, SeparableScan(form, control.threads))
        device = "cuda" if self.device == "auto" else self.device
        return Enumeration(form, TorchScan(form, control.threads, device))
