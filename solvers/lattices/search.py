"""What one run of ``lattice`` keeps between budgets and levels, and the search for one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from engine.solving.certificate import Termination
from engine.solving.claim import Claim
from engine.solving.control import Control
from solvers.lattices.core import Chosen, judged
from solvers.lattices.form import LatticeForm, Members
from solvers.lattices.generation import Generation
from solvers.lattices.means import Means
from solvers.lattices.pool import Pool

FEASIBLE = -1e-6
"""A grouping that serves every task is worth 0 where nothing else counts; rounding may take this much."""


class LatticeSearch:
    """Solves forms that differ in the number of groups only by the same pricer and from the same groups.

    Parameters
    ----------
    make_means
        Makes what a form is solved by.

    Attributes
    ----------
    groups
        Shape (P, N): the groups known so far, None before the first search.
    gap
        Why the last search may have ended without a proof, if no limit ended it.
    """

    def __init__(self, make_means: Callable[[LatticeForm, Control], Means]) -> None:
        self.make_means = make_means
        self.groups: Members | None = None
        self.gap = Termination.TOLERANCE
        self._known: tuple[LatticeForm, Means] | None = None

    def solve(self, form: LatticeForm, control: Control) -> Claim:
        """Solve a form to proven optimality, or as far as the time allows.

        Parameters
        ----------
        form
            For a sum objective.
        control
            Limits, the warm start, and where groupings and bounds are told.
        """
        if form.contradicts_itself:
            return Claim(None, infeasible=True)
        generation = self.generate(form, control)
        if generation.known.membership is None and not control.should_stop():
            with control.stage("cover"):
                cover = self.cover(form, control.quiet())
            if cover.infeasible:
                return Claim(None, infeasible=True, details=generation.details)
            if cover.membership is not None:
                generation = self.generate(form, control, cover.membership)
        return control.claim(generation.gap, generation.details)

    def generate(self, form: LatticeForm, control: Control, start: Members | None = None) -> Generation:
        """Run column generation, from a grouping where one is known."""
        if self._known is None or not _same_groups(form, self._known[0]):
            self._known = form, self.make_means(form, control)
        pool = Pool(form)
        held = [np.eye(form.n_tasks, dtype=bool), np.ones((1, form.n_tasks), dtype=bool), form.forced]
        held += [one for one in (self.groups, start, control.rows) if one is not None]
        if form.limits.min_groups > form.n_tasks:
            held.append(_pairs(form.n_tasks))
        with control.stage("generate"):
            pool.add(np.concatenate(held))
            generation = Generation(form, self._known[1], pool, control)
            for one in (control.rows, start):
                if one is not None:
                    generation.offer(judged(form, one))
            generation.run()
        self.groups, self.gap = pool.membership, generation.gap
        return generation

    def cover(self, form: LatticeForm, control: Control) -> Chosen:
        """Find a grouping that meets every demand, whatever it is worth, or prove that there is none."""
        if form.contradicts_itself:
            return Chosen(None, -np.inf, infeasible=True)
        plain = replace(form, weights=np.zeros(form.n_tasks))
        others = LatticeSearch(self.make_means)
        others.groups = self.groups
        generation = others.generate(plain, control)
        infeasible = generation.known.membership is None and generation.bound < FEASIBLE
        if generation.known.membership is None and not infeasible and form.weights.any():
            # Where every group is worth the same, nothing guides the search; the values do.
            generation = others.generate(form, control)
        self.groups, self.gap = others.groups, others.gap
        return replace(generation.known, infeasible=infeasible)


def _same_groups(form: LatticeForm, other: LatticeForm) -> bool:
    """Whether groups are worth the same and may be chosen alike."""
    return (
        form.model is other.model
        and np.array_equal(form.weights, other.weights)
        and np.array_equal(form.floor, other.floor)
    )


def _pairs(count: int) -> Members:
    first, second = np.triu_indices(count, k=1)
    pairs = np.zeros((len(first), count), dtype=bool)
    pairs[np.arange(len(first)), first] = pairs[np.arange(len(first)), second] = True
    return pairs
