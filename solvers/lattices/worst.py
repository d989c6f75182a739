"""Max-min objectives over the lattice: covers at rising levels, each found or disproven exactly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.solving.certificate import Termination
from engine.solving.claim import Claim
from engine.solving.control import Control
from solvers.lattices.form import LatticeForm, Members
from solvers.lattices.search import LatticeSearch
from solvers.tables.group_branching import GroupBranching

STEP = 1e-9
"""Relative to the magnitude of values: how far the next level lies above one that is reached."""

COARSE = 1e-3
"""Relative to the magnitude of values: how close to an undecided level the search goes."""

KNOWN_GROUPS = 2000
"""Up to so many known groups the best level among them is sought before the next proof."""


def solve_worst(form: LatticeForm, search: LatticeSearch, control: Control) -> Claim:
    """Maximise the least served value.

    A level is reached if groups that serve each of their tasks at that level or better can cover all
    tasks. The best level among the known groups comes from an exact search over these; a proof that
    no higher level can be reached ends it, and a cover found instead brings new groups.

    Parameters
    ----------
    form
        Its weights are above 0 for gains and below 0 for losses.
    search
        Finds covers.
    control
        Limits, and where groupings and bounds are told.
    """
    level, high = -np.inf, control.bound
    step = STEP * form.magnitude
    levels, undecided, halve = 0, np.inf, True
    gap = Termination.TOLERANCE
    while not control.should_stop():
        wanted = _wanted(level, min(high, undecided), step, halve)
        cover = search.cover(_at_level(form, wanted), control.quiet())
        levels, halve = levels + 1, not halve
        if cover.membership is None:
            if not cover.infeasible:
                # Lower levels may still be reached, and are tried as if this one could not be.
                undecided, halve, gap = min(undecided, wanted), True, search.gap
                if wanted == -np.inf or undecided - level <= COARSE * form.magnitude:
                    break
                continue
            if wanted == -np.inf:
                return Claim(None, infeasible=True, details={"levels_tried": levels})
            high = min(high, wanted)
            control.tighten(max(high, level))
        else:
            level = max(level, _offer(form, cover.membership, control))
            level = max(level, _best_known(form, search, control))
        if level >= high - 2 * step:
            break
    return control.claim(gap, {"levels_tried": levels})


def _wanted(level: float, high: float, step: float, halve: bool) -> float:
    """Return the level to try next: halfway to a disproven one, or just above the best, which may end it."""
    if level == -np.inf:
        return -np.inf
    above = max(level + step, float(np.nextafter(level, np.inf)))
    return max(above, 0.5 * (level + high)) if halve and np.isfinite(high) else above


def _at_level(form: LatticeForm, level: float) -> LatticeForm:
    """Return the form in which groups serve at a level or better only."""
    if level == -np.inf:
        return form
    weights = np.abs(form.weights)
    return replace(form, floor=np.maximum(form.floor, level / weights))


def _offer(form: LatticeForm, membership: Members, control: Control) -> float:
    worst = float(form.values(membership).max(axis=0).min())
    control.incumbent(membership, worst)
    return worst


def _best_known(form: LatticeForm, search: LatticeSearch, control: Control) -> float:
    """Return the best level that the known groups reach."""
    groups = search.groups
    if groups is None or len(groups) > KNOWN_GROUPS:
        return -np.inf
    values = form.values(groups)
    groups = groups[form.admitted(groups, values)]
    program = replace(form.program(groups), aggregate="min")
    if program.reasons() or np.isinf(program.best_values).any():
        return -np.inf
    outcome = GroupBranching(compiled=True).solve(program, control.quiet())
    return -np.inf if outcome.rows is None else _offer(form, groups[outcome.rows], control)
