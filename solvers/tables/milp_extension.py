"""Extra terms and demands solved by HiGHS, and what its answer is worth."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.errors import UsageError
from engine.problem.extension import ExtendedObjective, extra_terms
from engine.problem.program import Program
from engine.problem.table import Problem
from engine.solving.certificate import Termination
from engine.solving.claim import Claim
from engine.solving.control import Control
from engine.solving.referee import referee
from solvers.tables.milp_extended_model import build_extended, extra_parts, objective_unit
from solvers.tables.milp_model import BOUND_MARGIN, TOLERANCE, chosen_groups, run_highs

AGREEMENT = 1e-6
"""How far apart the two forms of a term may be, relative to what a good solution holds."""


def solve_extended(problem: Problem, control: Control) -> Claim:
    """Solve the whole model of a problem with extra terms or demands.

    Parameters
    ----------
    problem
        Declares extra Pyomo expressions.
    control
        Gives the time; told of what HiGHS found.

    Raises
    ------
    UsageError
        If a builder does not keep its contract, or the two forms of a term differ on the grouping
        that was found.
    """
    with control.importing():
        import pyomo.environ  # noqa: F401
    with control.stage("model"):
        model = build_extended(problem)
    if control.should_stop():
        return control.claim()
    from pyomo.contrib.solver.common.results import TerminationCondition

    with control.stage("search"):
        results = run_highs(model, control)
        condition = results.termination_condition
        details = {"groups": problem.program.n_groups, "highs_status": str(condition.name)}
        if condition in (
            TerminationCondition.provenInfeasible,
            TerminationCondition.unbounded,
            TerminationCondition.infeasibleOrUnbounded,
        ):
            infeasible = _proves_infeasible(problem, model, condition, control)
            return Claim(None, termination=control.termination(), infeasible=infeasible, details=details)
        chosen = chosen_groups(model, results)
        lost = chosen is None and condition in (TerminationCondition.unknown, TerminationCondition.error)
        if lost:  # over the numbers of a term, which the tolerances are too small for; its bound is none
            chosen = chosen_groups(model, run_highs(model, control.quiet(), strict=False))
        claimed = control.rows
        if chosen is not None:
            claimed = problem.program.rows[chosen]
            verdict = referee(problem, claimed)
            if verdict.value is not None and not verdict.problems:
                value = problem.sign * verdict.value
                if not lost:
                    _check_agreement(problem, model, set(chosen.tolist()), value, results, control)
                control.incumbent(claimed, value)
                claimed = control.rows
    control.tighten(_bound(problem.program, model, results))
    finished = condition is TerminationCondition.convergenceCriteriaSatisfied
    claim = control.claim(Termination.TOLERANCE if finished or lost else Termination.COMPLETED, details)
    claim.rows = claimed
    if condition is TerminationCondition.interrupted:
        claim.termination = Termination.INTERRUPTED
    return claim


def _proves_infeasible(problem: Problem, model: Any, condition: Any, control: Control) -> bool:
    """Whether no grouping meets the demands, where HiGHS ended without a best one.

    Terms that rule out every grouping, or that nothing bounds, are refused.
    """
    from pyomo.contrib.solver.common.results import SolutionStatus, TerminationCondition

    terms = extra_terms(problem.objective)
    if not terms:  # the objective is bounded
        return True
    names = " and ".join(term.name for term in terms)
    model.value.set_value(0)
    if condition is not TerminationCondition.provenInfeasible:
        again = run_highs(model, control.quiet())
        if again.solution_status is SolutionStatus.optimal:
            raise UsageError(
                f"The extra term ({names}) has no limit in the model that build() makes: bound its "
                "variables, so that they end at the term's value."
            )
        if again.termination_condition is not TerminationCondition.provenInfeasible:
            return False
    for index, part in enumerate(extra_parts(problem)):
        if isinstance(part, ExtendedObjective):
            model.extra[index].deactivate()
    without = run_highs(model, control.quiet())
    if without.solution_status is SolutionStatus.optimal:
        raise UsageError(
            f"The extra term ({names}) rules out every grouping by the constraints that build() adds, though "
            "value() is a number. Put what groupings must meet into an engine.PyomoConstraint."
        )
    return bool(without.termination_condition is TerminationCondition.provenInfeasible)


def _check_agreement(
    problem: Problem, model: Any, chosen: set[int], value: float, results: Any, control: Control
) -> None:
    """Refuse terms whose two forms differ on a grouping, both in program form."""
    from pyomo.contrib.solver.common.results import SolutionStatus, TerminationCondition

    terms = extra_terms(problem.objective)
    if not terms:
        return
    slack = AGREEMENT * max(problem.program.scale, abs(value))
    unit = objective_unit(problem.program)
    if abs(results.incumbent_objective * unit - value) <= slack:
        return
    # HiGHS may be off where a large coefficient meets a binary that is not quite 0 or 1: settle that.
    for group, variable in model.x.items():
        variable.fix(1 if group in chosen else 0)
    again = run_highs(model, control.quiet())
    for group, variable in model.x.items():
        if not problem.program.mandatory[group]:
            variable.unfix()
    exact = again.incumbent_objective
    decided = exact is not None and again.solution_status is SolutionStatus.optimal
    if decided and abs(exact * unit - value) <= slack:
        return
    if not decided and again.termination_condition is not TerminationCondition.provenInfeasible:
        return  # no time left to settle it
    names = " and ".join(term.name for term in terms)
    groups = ", ".join(
        "|".join(problem.gains.group(int(problem.program.rows[one]))) for one in sorted(chosen)
    )
    told = "no value" if not decided else f"{problem.sign * exact * unit:.9g}"
    raise UsageError(
        f"The extra term ({names}) contradicts itself: for {groups} the objective is {told} in the model of "
        f"build(), and {problem.sign * value:.9g} with value(). Make both say the same."
    )


def _bound(program: Program, model: Any, results: Any) -> float:
    """Return HiGHS's bound in program form, with a margin for what its tolerances can hide.

    A reduced cost that is wrong by the tolerance counts as often as its variable ranges. The margin of
    every bound covers ranges of 1; wider ones of the builders' variables add to it.
    """
    claimed = results.objective_bound
    if claimed is None or not np.isfinite(claimed):
        return np.inf
    import pyomo.environ as pyo

    own = [one for block in model.extra.values() for one in block.component_data_objects(pyo.Var)]
    found = results.solution_loader.get_vars() if results.incumbent_objective is not None else {}
    extent = abs(float(claimed))
    for variable in own:
        low, high = variable.bounds
        bounded = low is not None and high is not None
        extent += max(0.0, (high - low if bounded else abs(found.get(variable, 0.0))) - 1.0)
    return (float(claimed) + BOUND_MARGIN + TOLERANCE * float(extent)) * objective_unit(program)
