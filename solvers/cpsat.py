"""OR-Tools CP-SAT on the core that the presolve leaves."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from engine.errors import UsageError
from engine.problem.kinds import PROGRAM_FEATURES, Kind
from engine.problem.lattice import LatticeProblem
from engine.problem.program import Program
from engine.problem.table import Problem
from engine.solving.claim import Claim
from engine.solving.control import Control
from engine.solving.solver import Solver, SolverInfo
from solvers.tables.bottleneck import solve_worst
from solvers.tables.core import Core
from solvers.tables.cover import Cover, maximal_covers
from solvers.tables.cpsat_models import Model, dual_shifted, plain_cover, radius

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

Formulation = Literal["auto", "dual-shifted", "radius"]


@dataclass(frozen=True)
class CpSat(Solver):
    """CP-SAT with exact integer coefficients.

    Of a pairwise graph it partitions the pairs of tasks, triangles added as solutions lack them.

    Attributes
    ----------
    formulation
        ``"dual-shifted"`` minimises the non-negative penalties by which a solution falls short of the
        Lagrangian bound; ``"radius"`` telescopes the values of each task. ``"auto"`` takes the first
        where the presolve found a solution and no cost or membership limit binds.
    workers
        Parallel searches. One proves these models fastest, and repeats itself exactly.
    """

    formulation: Formulation = "auto"
    workers: int = 1

    info: ClassVar[SolverInfo] = SolverInfo(
        summary="OR-Tools CP-SAT on the presolved core",
        exact=True,
        features=PROGRAM_FEATURES,
        kinds=frozenset({Kind.TABLE, Kind.GRAPH}),
        requires=("ortools",),
        rank=10,
        reference="https://developers.google.com/optimization/cp/cp_solver",
    )

    def __post_init__(self) -> None:
        if self.formulation not in ("auto", "dual-shifted", "radius"):
            raise UsageError(
                f"cpsat formulation {self.formulation!r} is unknown. Valid: auto, dual-shifted, radius."
            )
        if not isinstance(self.workers, int) or self.workers < 1:
            raise UsageError(f"cpsat workers must be 1 or more, not {self.workers!r}.")

    def solve(self, problem: Problem | LatticeProblem, control: Control) -> Claim:
        """Solve a problem to proven optimality, or as far as the time allows."""
        if isinstance(problem, LatticeProblem):
            from solvers.graphs.cpsat import solve_graph

            return solve_graph(problem, control, self.workers)
        program = problem.program
        if program.aggregate == "min":
            return solve_worst(program, control, self._cover)
        core = Core.of(program, control)
        if control.should_stop():
            return control.claim()
        with control.importing():
            from ortools.sat.python import cp_model  # noqa: F401
        if control.should_stop():
            return control.claim()
        with control.stage("model"):
            model = self._model(core, control)
        if model is None:
            return control.claim()
        with control.stage("search"):
            run = _CpsatRun(model, control, self.workers, core)
            status = run.wait()
        details = {
            "core_groups": model.core.n_groups,
            "formulation": model.formulation,
            "cpsat_status": status,
            "integer_scale": model.scale,
        }
        return core.claim(
            control,
            bound=run.bound,
            infeasible=status == "INFEASIBLE",
            finished=status == "OPTIMAL",
            details=details,
        )

    def _model(self, core: Core, control: Control) -> Model | None:
        program, known = core.program, core.known
        shiftable = np.isinf(program.max_cost) and (program.max_memberships is None or program.is_partition)
        if known is not None and shiftable and self.formulation != "radius":
            return dual_shifted(program, known)
        start = None if known is None else known.chosen
        if start is None and control.rows is not None:
            start = np.searchsorted(program.rows, control.rows)
        return radius(program, start, control)

    def _cover(self, program: Program, control: Control) -> Cover:
        """Find a choice that serves every task, or prove that there is none."""
        if np.isinf(program.best_values).any():
            return Cover(None)
        needed = maximal_covers(program)
        model = plain_cover(program.select(needed))
        run = _CpsatRun(model, control.quiet(), self.workers)
        status = run.wait()
        if status in ("OPTIMAL", "FEASIBLE"):
            return Cover(None if run.chosen is None else needed[run.chosen])
        return Cover(None, decided=status == "INFEASIBLE")


class _CpsatRun:
    """One solve in a thread of its own, so that an interrupt reaches us at once."""

    def __init__(self, model: Model, control: Control, workers: int, core: Core | None = None) -> None:
        from ortools.sat.python import cp_model

        self.model = model
        self.control = control
        self.core = core
        self.chosen: NDArray[np.int64] | None = None
        self.bound = np.inf
        self.status = "UNKNOWN"
        self._failure: BaseException | None = None
        self._solver = cp_model.CpSolver()
        parameters = self._solver.parameters
        parameters.num_workers = workers
        parameters.random_seed = control.seed % (2**31)
        parameters.linearization_level = 2
        parameters.catch_sigint_signal = False
        # With this step, OR-Tools 9.15 cuts off optima where rows have large coefficients.
        parameters.presolve_inclusion_work_limit = 0
        parameters.relative_gap_limit = 0.0
        parameters.absolute_gap_limit = 0.0
        if np.isfinite(control.remaining()):
            parameters.max_time_in_seconds = max(control.remaining(), 1e-3)

    def wait(self) -> str:
        """Run to the end and return the name of CP-SAT's status.

        Raises
        ------
        KeyboardInterrupt
            If the user interrupts; what was found until then is in the control.
        """
        thread = threading.Thread(target=self._solve, daemon=True)
        thread.start()
        try:
            while thread.is_alive():
                thread.join(0.2)
        except KeyboardInterrupt:
            self._solver.stop_search()
            thread.join(5.0)
            raise
        if self._failure is not None:
            raise self._failure
        return self.status

    def _solve(self) -> None:
        try:
            self._solver.best_bound_callback = self._on_bound
            status = self._solver.solve(self.model.model, _callback(self))
            self.status = self._solver.status_name(status)
            if self.status in ("OPTIMAL", "FEASIBLE"):
                self.take(self._solver.boolean_value)
            if self.status in ("OPTIMAL", "FEASIBLE"):  # else the field may hold a 0 that is no bound
                self._on_bound(self._solver.best_objective_bound)
        except BaseException as error:
            self._failure = error

    def take(self, holds: Any) -> None:
        """Keep the groups whose variable holds, and report them."""
        model = self.model
        chosen = np.flatnonzero([holds(one) for one in model.x])
        self.chosen = chosen
        self.control.incumbent(model.core.rows[chosen], model.core.value(chosen))
        if self.control.should_stop():
            self._solver.stop_search()

    def _on_bound(self, bound: float) -> None:
        self.bound = min(self.bound, self.model.bound(bound))
        if self.core is not None:
            self.core.tighten(self.control, self.bound)
        if self.control.should_stop():
            self._solver.stop_search()


def _callback(run: _CpsatRun) -> cp_model.CpSolverSolutionCallback:
    from ortools.sat.python import cp_model

    class Incumbents(cp_model.CpSolverSolutionCallback):
        def on_solution_callback(self) -> None:
            run.take(self.boolean_value)

    return Incumbents()
