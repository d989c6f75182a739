"""CP-SAT formulations of a program, in exact integers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.problem.program import Program
from engine.solving.control import Control
from solvers.tables.presolve import Presolved

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

Ints = NDArray[np.int64]

LARGEST_INTEGER = 2.0**34
COST_UNITS = 10**12


@dataclass
class Model:
    """A CP-SAT model with the way back to the program.

    Attributes
    ----------
    model
        Minimises ``offset`` minus the scaled value.
    core
        The program it stands for.
    x
        One variable per group of the core.
    scale
        Integer units per unit of value.
    offset
        Scaled value at an objective of zero.
    formulation
        Its name.
    """

    model: cp_model.CpModel
    core: Program
    x: list[cp_model.IntVar]
    scale: float
    offset: int
    formulation: str

    def bound(self, objective_bound: float) -> float:
        """Turn CP-SAT's lower bound on the objective into an upper bound on the program value."""
        if not math.isfinite(objective_bound):
            return math.inf
        rounding = 0.0 if self.core.grid else (self.core.n_tasks + self.core.max_groups) * 0.5
        # CP-SAT's objective is an integer; its bound may be the float just beside one.
        return (self.offset - math.ceil(objective_bound - 1e-4) + rounding) / self.scale


def integer_scale(program: Program) -> float:
    """Return integer units per unit of value: exact where the coefficients lie on a decimal grid."""
    if program.grid:
        return float(round(1.0 / program.grid))
    return float(2.0 ** math.floor(math.log2(LARGEST_INTEGER / program.largest)))


def _integers(values: NDArray[np.float64], scale: float) -> Ints:
    finite = np.where(np.isfinite(values), values, 0.0)
    return np.rint(finite * scale).astype(np.int64)


def _base(core: Program) -> tuple[cp_model.CpModel, list[cp_model.IntVar]]:
    """Return a model with the group variables and every limit but the serving of tasks."""
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    x = [model.new_bool_var(f"x{group}") for group in range(core.n_groups)]
    model.add(sum(x) <= core.max_groups)
    if core.min_groups:
        model.add(sum(x) >= core.min_groups)
    for group in np.flatnonzero(core.mandatory):
        model.add(x[group] == 1)
    if np.isfinite(core.max_cost):
        _bound_cost(model, x, core)
    if core.max_memberships is not None:
        for holders in _holders(core):
            together = [x[group] for group in holders]
            if core.is_partition:
                model.add_exactly_one(together)
            else:
                model.add(sum(together) <= core.max_memberships)
    return model, x


def _bound_cost(model: cp_model.CpModel, x: list[cp_model.IntVar], core: Program) -> None:
    """Bound the cost in integers.

    The limit of the program lies a relative 1e-9 above the budget, a thousand units here, so that
    rounding each cost to half a unit changes no verdict on a sum that the budget was meant for.
    """
    units = []
    for one, cost in zip(x, core.cost.tolist(), strict=True):
        if cost > core.max_cost:
            model.add(one == 0)
        units.append(
            0 if cost > core.max_cost else round(Fraction(cost) / Fraction(core.max_cost) * COST_UNITS)
        )
    model.add(sum(unit * one for unit, one in zip(units, x, strict=True)) <= COST_UNITS)


def _holders(core: Program) -> list[Ints]:
    """Return, per task, the groups that hold it."""
    order = np.argsort(core.members, kind="stable")
    cuts = np.searchsorted(core.members[order], np.arange(1, core.n_tasks))
    return np.split(core.entry_groups[order], cuts)


def _servers(core: Program) -> list[Ints]:
    """Return, per task, the entries that may serve it."""
    able = np.flatnonzero(np.isfinite(core.serve))
    order = able[np.argsort(core.members[able], kind="stable")]
    cuts = np.searchsorted(core.members[order], np.arange(1, core.n_tasks))
    return np.split(order, cuts)


def _hint(model: cp_model.CpModel, x: list[cp_model.IntVar], chosen: Ints | None) -> None:
    if chosen is not None:
        held = set(chosen.tolist())
        for group, one in enumerate(x):
            model.add_hint(one, group in held)


def plain_cover(core: Program) -> Model:
    """Return the model that asks only whether every task can be served."""
    model, x = _base(core)
    if not core.is_partition:
        for entries in _servers(core):
            model.add_bool_or([x[group] for group in core.entry_groups[entries]])
    return Model(model, core, x, 1.0, 0, "cover")


def radius(core: Program, chosen: Ints | None, control: Control) -> Model | None:
    """Return the telescoping model: a task pays for each value level that no chosen group reaches.

    The radius formulation of the p-median problem (Cornuéjols, Nemhauser and Wolsey, 1980). None where
    the time runs out while it is built, which takes seconds for a large program.
    """
    model, x = _base(core)
    scale = integer_scale(core)
    serve, opening = _integers(core.serve, scale), _integers(core.open, scale)
    terms: list[cp_model.LinearExprT] = []
    offset = 0
    if core.is_partition:
        totals = np.bincount(core.entry_groups, serve, core.n_groups).astype(np.int64) + opening
        terms = [-int(total) * one for total, one in zip(totals, x, strict=True) if total]
    else:
        terms = [-int(value) * one for value, one in zip(opening, x, strict=True) if value]
        for task, entries in enumerate(_servers(core)):
            if control.should_stop():
                return None
            levels = np.unique(serve[entries])[::-1]
            offset += int(levels[0])
            groups = core.entry_groups[entries]
            for level, lower in pairwise(levels.tolist()):
                short = model.new_bool_var(f"short{task}_{level}")
                model.add_bool_or([short, *(x[group] for group in groups[serve[entries] >= level])])
                terms.append((level - lower) * short)
            model.add_bool_or([x[group] for group in groups])
    model.minimize(sum(terms))
    _hint(model, x, chosen)
    return Model(model, core, x, scale, offset, "radius")


def dual_shifted(core: Program, reduced: Presolved) -> Model:
    """Return the model that minimises what a solution falls short of the Lagrangian bound.

    With prices u per task and λ for the number of groups, the value of a solution is the bound minus
    non-negative penalties: for a group beside what its reduced value deserves, for a task served
    elsewhere than its group would like, for a place in the budget left empty. Only solutions with
    penalties up to the gap can be better than the best known one, so that the gap bounds their sum.
    """
    model, x = _base(core)
    scale = integer_scale(core)
    serve, opening = _integers(core.serve, scale), _integers(core.open, scale)
    prices = _integers(reduced.multipliers.u, scale)
    able = np.isfinite(core.serve)
    margin = np.where(able, serve - prices[core.members], 0)
    gains = margin if core.is_partition else np.maximum(margin, 0)
    values = np.bincount(core.entry_groups, gains, core.n_groups).astype(np.int64) + opening

    places = core.max_groups
    ranked = np.sort(values)[::-1]
    room_price = max(0, int(ranked[places - 1])) if places <= len(ranked) else 0
    excess = values - room_price
    offset = int(prices.sum()) + places * room_price + int(np.maximum(excess, 0).sum())

    terms: list[cp_model.LinearExprT] = []
    for one, over in zip(x, excess.tolist(), strict=True):
        if over > 0:
            terms.append(over * (1 - one))
        elif over < 0:
            terms.append(-over * one)
    if room_price:
        terms.append(room_price * (places - sum(x)))
    if not core.is_partition:
        for task, entries in enumerate(_servers(core)):
            serves = [model.new_bool_var(f"y{task}_{core.entry_groups[entry]}") for entry in entries]
            model.add_exactly_one(serves)
            for entry, one in zip(entries, serves, strict=True):
                group = x[core.entry_groups[entry]]
                model.add_implication(one, group)
                if margin[entry] > 0:
                    terms.append(int(margin[entry]) * (group - one))
                elif margin[entry] < 0:
                    terms.append(int(-margin[entry]) * one)
    shortfall = sum(terms)
    if reduced.chosen is not None:
        known = _integers(np.array([reduced.value]), scale)[0]
        slack = 0 if core.grid else core.n_tasks + core.max_groups
        model.add(shortfall <= max(0, offset - int(known)) + slack)
    model.minimize(shortfall)
    _hint(model, x, reduced.chosen)
    return Model(model, core, x, scale, offset, "dual-shifted")
