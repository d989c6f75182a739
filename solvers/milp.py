"""Mixed-integer programming: a Pyomo model solved by HiGHS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from engine.problem.kinds import PROGRAM_FEATURES, Feature
from engine.problem.program import Program
from engine.problem.table import Problem
from engine.solving.certificate import Termination
from engine.solving.claim import Claim
from engine.solving.control import Control
from engine.solving.solver import Solver, SolverInfo
from solvers.tables.bottleneck import solve_worst
from solvers.tables.core import Core
from solvers.tables.cover import Cover, maximal_covers
from solvers.tables.milp_model import BOUND_MARGIN, build_model, chosen_groups, run_highs


@dataclass(frozen=True)
class Milp(Solver):
    """Pyomo and HiGHS with strong linking: a group serves a task only if it is chosen.

    A problem with extra Pyomo terms or demands is not presolved: its whole model goes to HiGHS.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        summary="Pyomo + HiGHS on the presolved core; takes extra Pyomo expressions",
        exact=True,
        features=PROGRAM_FEATURES | {Feature.EXTENSION},
        requires=("pyomo", "highspy"),
        rank=20,
        reference="https://highs.dev",
    )

    def solve(self, problem: Problem, control: Control) -> Claim:
        """Solve a problem to proven optimality, or as far as the time allows."""
        program = problem.program
        if Feature.EXTENSION in problem.features:
            from solvers.tables.milp_extension import solve_extended

            return solve_extended(problem, control)
        if program.aggregate == "min":
            return solve_worst(program, control, _cover)
        core = Core.of(program, control)
        if control.should_stop():
            return control.claim()
        with control.importing():
            import pyomo.environ  # noqa: F401
        if control.should_stop():
            return control.claim()
        with control.stage("model"):
            model = build_model(core.program, serving=True)
        with control.stage("search"):
            run = _run(model, core.program, control)
        details = {"core_groups": core.program.n_groups, "highs_status": run.status}
        claim = core.claim(
            control, bound=run.bound, infeasible=run.infeasible, finished=run.finished, details=details
        )
        if run.interrupted:
            claim.termination = Termination.INTERRUPTED
        return claim


@dataclass
class _MilpRun:
    status: str
    bound: float
    infeasible: bool
    finished: bool
    interrupted: bool
    chosen: NDArray[np.int64] | None


def _run(model: Any, core: Program, control: Control) -> _MilpRun:
    """Solve a model, report what it finds, and return what it claims."""
    from pyomo.contrib.solver.common.results import TerminationCondition

    results = run_highs(model, control)
    condition = results.termination_condition
    chosen = chosen_groups(model, results)
    if chosen is not None:
        control.incumbent(core.rows[chosen], core.value(chosen))
    claimed = results.objective_bound
    bound = np.inf
    if claimed is not None and np.isfinite(claimed):
        bound = (float(claimed) + BOUND_MARGIN) * core.largest
        if core.grid:
            bound = float(np.floor(bound / core.grid + 1e-3)) * core.grid
    return _MilpRun(
        status=str(condition.name),
        bound=bound,
        infeasible=condition
        in (TerminationCondition.provenInfeasible, TerminationCondition.infeasibleOrUnbounded),
        finished=condition is TerminationCondition.convergenceCriteriaSatisfied,
        interrupted=condition is TerminationCondition.interrupted,
        chosen=chosen,
    )


def _cover(program: Program, control: Control) -> Cover:
    """Find a choice that serves every task, or prove that there is none."""
    if np.isinf(program.best_values).any():
        return Cover(None)
    needed = maximal_covers(program)
    core = program.select(needed)
    run = _run(build_model(core, serving=False), core, control.quiet())
    if run.chosen is None:
        return Cover(None, decided=run.infeasible)
    return Cover(needed[run.chosen])
