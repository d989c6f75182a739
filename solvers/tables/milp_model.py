"""The Pyomo model of a program, and a run of HiGHS on it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.problem.program import Program
from engine.solving.control import Control

TOLERANCE = 1e-9
"""Feasibility tolerances given to HiGHS; coefficients are scaled to at most 1."""

BOUND_MARGIN = 1e-7
"""How far HiGHS's bound, in scaled units, may be off."""


def build_model(core: Program, *, serving: bool, unit: float | None = None) -> Any:
    """Return the Pyomo model of a program, its coefficients divided by a unit.

    Parameters
    ----------
    core
        The program.
    serving
        False for the pure covering problem, which has no serving variables and no objective.
    unit
        By default the largest coefficient.

    Returns
    -------
    pyomo.environ.ConcreteModel
        With variables ``x[group]`` and, unless the groups are disjoint, ``y[entry]``; with the
        objective ``value``.
    """
    import pyomo.environ as pyo

    unit = unit or core.largest
    model = pyo.ConcreteModel()
    model.x = pyo.Var(range(core.n_groups), domain=pyo.Binary)
    able = np.flatnonzero(np.isfinite(core.serve))
    by_task: list[list[int]] = [[] for _ in range(core.n_tasks)]
    for entry in able.tolist():
        by_task[int(core.members[entry])].append(entry)
    group_of = core.entry_groups.tolist()
    serve = (core.serve / unit).tolist()
    opening = core.open / unit

    def column_sum(variables: Any, at: Any) -> Any:
        return pyo.quicksum(variables[index] for index in at)

    count = column_sum(model.x, range(core.n_groups))
    model.at_most = pyo.Constraint(expr=count <= core.max_groups)
    if core.min_groups:
        model.at_least = pyo.Constraint(expr=count >= core.min_groups)
    if np.isfinite(core.max_cost):
        spent = pyo.quicksum(cost * model.x[group] for group, cost in enumerate(core.cost.tolist()))
        model.cost = pyo.Constraint(expr=spent <= core.max_cost)
    for group in np.flatnonzero(core.mandatory).tolist():
        model.x[group].fix(1)
    if core.max_memberships is not None:
        holders: list[list[int]] = [[] for _ in range(core.n_tasks)]
        for entry, task in enumerate(core.members.tolist()):
            holders[task].append(group_of[entry])
        model.memberships = pyo.Constraint(
            range(core.n_tasks),
            rule=lambda m, task: column_sum(m.x, holders[task]) <= core.max_memberships,
        )
    if core.is_partition or not serving:
        model.cover = pyo.Constraint(
            range(core.n_tasks),
            rule=lambda m, task: column_sum(m.x, [group_of[entry] for entry in by_task[task]]) >= 1,
        )
    if serving and not core.is_partition:
        model.y = pyo.Var(able.tolist(), bounds=(0, 1))
        model.once = pyo.Constraint(
            range(core.n_tasks), rule=lambda m, task: column_sum(m.y, by_task[task]) == 1
        )
        model.linked = pyo.Constraint(able.tolist(), rule=lambda m, entry: m.y[entry] <= m.x[group_of[entry]])
    value: Any = pyo.quicksum(float(worth) * model.x[group] for group, worth in enumerate(opening) if worth)
    if serving and core.aggregate == "min":
        model.worst = pyo.Var()
        model.reached = pyo.Constraint(
            range(core.n_tasks),
            rule=lambda m, task: (
                m.worst
                <= pyo.quicksum(
                    serve[entry] * (m.x[group_of[entry]] if core.is_partition else m.y[entry])
                    for entry in by_task[task]
                )
            ),
        )
        value += model.worst
    elif serving and core.is_partition:
        totals = np.bincount(core.entry_groups, core.serve / unit, core.n_groups)
        value += pyo.quicksum(float(worth) * model.x[group] for group, worth in enumerate(totals))
    elif serving:
        value += pyo.quicksum(serve[entry] * model.y[entry] for entry in able.tolist())
    model.value = pyo.Objective(expr=value, sense=pyo.maximize)
    return model


def run_highs(model: Any, control: Control, *, strict: bool = True) -> Any:
    """Solve a model with HiGHS and return Pyomo's results, nothing loaded into the model.

    Parameters
    ----------
    model
        A Pyomo model.
    control
        Gives the seed and the time left.
    strict
        Whether to ask for the least tolerances, rather than for those that HiGHS has by itself.
    """
    from pyomo.contrib.solver.solvers.highs import Highs

    highs = Highs()
    highs.set_instance(model)
    updates = highs.config.auto_updates
    for one in updates:  # nothing changes before the run, and looking for changes takes as long again
        updates[one] = False
    left = control.remaining()  # handing over a large model takes seconds
    options: dict[str, Any] = {"random_seed": control.seed % (2**31)}
    if strict:
        options |= dict.fromkeys(
            ("mip_feasibility_tolerance", "primal_feasibility_tolerance", "dual_feasibility_tolerance"),
            TOLERANCE,
        )
    return highs.solve(
        model,
        load_solutions=False,
        raise_exception_on_nonoptimal_result=False,
        rel_gap=0.0,
        abs_gap=TOLERANCE,
        time_limit=None if np.isinf(left) else max(left, 1e-3),
        solver_options=options,
    )


def chosen_groups(model: Any, results: Any) -> NDArray[np.int64] | None:
    """Return the groups of the solution that HiGHS found, None where it found none.

    Parameters
    ----------
    model, results
        What was solved, and what came of it.
    """
    from pyomo.contrib.solver.common.results import SolutionStatus

    if results.solution_status not in (SolutionStatus.feasible, SolutionStatus.optimal):
        return None
    values = results.solution_loader.get_vars(list(model.x.values()))
    return np.array([group for group in model.x if values[model.x[group]] > 0.5], dtype=np.int64)
