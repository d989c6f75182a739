"""Exact and heuristic choices among the groups that are known."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.problem.program import Program
from engine.solving.certificate import Termination
from engine.solving.control import Control
from solvers.lattices.form import LatticeForm, Members
from solvers.tables.group_branching import GroupBranching
from solvers.tables.presolve import presolve


@dataclass(frozen=True)
class Chosen:
    """A grouping.

    Attributes
    ----------
    membership
        Shape (k, N), None where there is none.
    value
        Its value in program form.
    bound
        No grouping of these groups is worth more.
    infeasible
        Whether it is proven that there is no grouping.
    out_of_time
        Whether the search for it ended because the time did, or would have.
    """

    membership: Members | None
    value: float
    bound: float = math.inf
    infeasible: bool = False
    out_of_time: bool = False


NOTHING = Chosen(None, -math.inf)


def judged(form: LatticeForm, membership: Members) -> Chosen:
    """Return groups that meet every demand as a grouping with its value, nothing where a task is unserved."""
    best = form.values(membership).max(axis=0, initial=-np.inf)
    return Chosen(membership, math.fsum(best)) if np.isfinite(best).all() else NOTHING


def start_of(known: Chosen, membership: Members) -> list[int] | None:
    """Return where the groups of a grouping stand among some groups, None where one is missing."""
    if known.membership is None:
        return None
    rows = {row.tobytes(): place for place, row in enumerate(np.packbits(membership, axis=1))}
    places = [rows.get(row.tobytes()) for row in np.packbits(known.membership, axis=1)]
    return None if None in places else [place for place in places if place is not None]


def choose(form: LatticeForm, membership: Members, known: Chosen, control: Control) -> Chosen:
    """Return a good grouping of some admitted groups, or the known one where none is better.

    Parameters
    ----------
    form, membership
        The program, and groups that include the forced ones, shape (m, N).
    known
        The best grouping known.
    control
        Gives the time.
    """
    program = form.program(membership)
    if program.reasons() or np.isinf(program.best_values).any():
        return known
    reduced = presolve(
        program, control.quiet(), compiled=True, start=start_of(known, membership), thorough=False
    )
    if reduced.rows is None or reduced.value <= known.value:
        return known
    return Chosen(membership[reduced.rows], reduced.value)


def prove(
    form: LatticeForm, membership: Members, known: Chosen, control: Control, max_nodes: int | None = None
) -> Chosen:
    """Return the best grouping of some admitted groups, with a bound on all of them.

    Parameters
    ----------
    form, membership, known, control
        As for :func:`choose`.
    max_nodes
        Where the search ends; None for no limit.
    """
    program: Program = form.program(membership)
    if program.reasons() or np.isinf(program.best_values).any():
        return Chosen(known.membership, known.value, known.value)
    quiet = control.quiet()
    start = start_of(known, membership)
    if start is not None:
        quiet.incumbent(np.array(start), program.value(np.array(sorted(start))))
    outcome = GroupBranching(compiled=True, max_nodes=max_nodes).solve(program, quiet)
    late = outcome.termination is Termination.TIME_LIMIT
    if outcome.rows is None:
        bound = -math.inf if outcome.infeasible else outcome.bound
        return Chosen(known.membership, known.value, bound, out_of_time=late)
    value = program.value(outcome.rows)
    if value <= known.value:
        bound = max(outcome.bound, known.value)
        return Chosen(known.membership, known.value, bound, out_of_time=late)
    return Chosen(membership[outcome.rows], value, outcome.bound, out_of_time=late)
