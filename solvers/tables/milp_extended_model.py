"""The Pyomo model of a problem with extra terms and demands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from engine.errors import UsageError
from engine.problem.extension import Decisions, ExtendedObjective, PyomoConstraint, extra_terms
from engine.problem.program import Program
from engine.problem.table import Problem
from solvers.tables.milp_model import build_model

LARGEST_COEFFICIENT = 1e3
"""Of the model: beyond it, HiGHS's tolerances would be lost in rounding."""


def build_extended(problem: Problem) -> Any:
    """Return the Pyomo model of a problem, with a block ``extra[i]`` per extra demand and term.

    Parameters
    ----------
    problem
        The problem.

    Raises
    ------
    UsageError
        If a builder does not keep its contract.
    """
    import pyomo.environ as pyo

    program = problem.program
    unit = objective_unit(program)
    model = build_model(program, serving=True, unit=unit)
    decisions = Decisions(
        problem.gains,
        {int(row): model.x[group] for group, row in enumerate(program.rows)},
        lambda: _serving_variables(problem, model),
    )
    parts = extra_parts(problem)
    model.extra = pyo.Block(range(len(parts)))
    terms: list[Any] = []
    for index, part in enumerate(parts):
        given = part.build(model.extra[index], decisions)
        if isinstance(part, ExtendedObjective):
            terms.append(_linear(given, part.name))
        else:
            _add_relations(model.extra[index], given, part.name)
        _check_block(model.extra[index], part.name)
    base = model.value.expr
    model.del_component(model.value)
    factor = problem.sign / unit
    model.value = pyo.Objective(expr=base + factor * pyo.quicksum(terms), sense=pyo.maximize)
    return model


def extra_parts(problem: Problem) -> list[PyomoConstraint | ExtendedObjective]:
    """Return what has a block of its own in the model, in order: demands, then terms."""
    demands = [one for one in problem.constraints if isinstance(one, PyomoConstraint)]
    return [*demands, *extra_terms(problem.objective)]


def _serving_variables(problem: Problem, model: Any) -> Mapping[tuple[int, str], Any]:
    """Return the serving variables, bound to the chosen group that the base objective values most.

    These are the closest-assignment constraints of facility location (Wagner and Falkson, 1975), kept
    sparse by running sums: over the groups from the best down, ``within[k]`` is 1 if one of the first
    k serves the task, as it must be where the k-th is chosen.
    """
    import pyomo.environ as pyo

    program, tasks = problem.program, problem.tasks
    entries = np.flatnonzero(np.isfinite(program.serve))
    keys = {
        int(entry): (int(program.rows[program.entry_groups[entry]]), tasks[program.members[entry]])
        for entry in entries
    }
    if program.is_partition:
        return {key: model.x[int(program.entry_groups[entry])] for entry, key in keys.items()}
    # The referee's order: by value, then by row.
    order = entries[np.lexsort((program.entry_groups[entries], -program.serve[entries]))]
    before: dict[int, int | None] = {}
    last: dict[int, int] = {}
    for entry in order.tolist():
        task = int(program.members[entry])
        before[entry] = last.get(task)
        last[task] = entry
    model.within = pyo.Var(list(before), bounds=(0, 1))
    model.running = pyo.Constraint(
        list(before),
        rule=lambda m, entry: (
            m.within[entry] == m.y[entry] + (0 if before[entry] is None else m.within[before[entry]])
        ),
    )
    model.closest = pyo.Constraint(
        list(before), rule=lambda m, entry: m.within[entry] >= m.x[int(program.entry_groups[entry])]
    )
    return {key: model.y[entry] for entry, key in keys.items()}


def _linear(given: Any, name: str) -> Any:
    """Return what a builder of a term gave, if that is a linear expression."""
    degree = getattr(given, "polynomial_degree", None)
    number = isinstance(given, (int, float, np.integer, np.floating)) and bool(np.isfinite(given))
    if degree is None and not number:
        raise UsageError(f"The extra term ({name}): build() must return a linear expression, not {given!r}.")
    if degree is not None and degree() not in (0, 1):
        raise UsageError(
            f"The extra term ({name}) is not linear, and HiGHS takes linear expressions only: replace "
            "products by variables of their own, or use engine.SetFunction with local-search."
        )
    return given


def _add_relations(block: Any, given: Any, name: str) -> None:
    """Add the relations that a builder of a demand returned."""
    import pyomo.environ as pyo
    from pyomo.core.expr.relational_expr import RelationalExpression

    several = isinstance(given, Iterable) and not isinstance(given, RelationalExpression)
    relations = list(given) if several else [] if given is None else [given]
    for relation in relations:
        if not isinstance(relation, (RelationalExpression, bool, np.bool_)):
            raise UsageError(
                f"The extra demand ({name}): build() must return linear relations or None, not {relation!r}."
            )
    block.relations = pyo.ConstraintList()
    for relation in relations:
        if isinstance(relation, RelationalExpression):
            block.relations.add(relation)
        elif not relation:  # a relation of constants that is false
            block.relations.add(pyo.Constraint.Infeasible)


def _check_block(block: Any, name: str) -> None:
    """Refuse what a builder must not add."""
    import pyomo.environ as pyo

    for _ in block.component_data_objects(pyo.Objective, active=True):
        raise UsageError(f"{name}: build() must return its term, not add an objective of its own.")
    for constraint in block.component_data_objects(pyo.Constraint, active=True):
        if constraint.body.polynomial_degree() not in (0, 1):
            raise UsageError(
                f"{name}: the constraint {constraint.local_name} is not linear; HiGHS needs that."
            )


def objective_unit(program: Program) -> float:
    """Return what one unit of the model's objective is: what a good solution holds, as far as it goes.

    Coefficients of diverged runs are far larger, and HiGHS must be able to add them up.
    """
    return max(program.scale, program.largest / LARGEST_COEFFICIENT)
