"""Gaussian process over groups: every gain is a noisy value of one random function of groups and tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from engine import GainModel, GainSourceInfo, GainTensor, Predictor
from engine.errors import DataError, UsageError
from engine.gains.source import Purpose
from gain_sources.gaussian_processes.entries import canonical_order, entries_of
from gain_sources.gaussian_processes.inducing import condense, without_runs
from gain_sources.gaussian_processes.kernels import GroupPairs
from gain_sources.gaussian_processes.learning import LEARNED_FROM, first_guess, learn
from gain_sources.gaussian_processes.likelihood import factorise, relative_noise
from gain_sources.gaussian_processes.posterior import GaussianProcessModel

Numbers = NDArray[np.float64]

_KEPT_UNTIL = 1.1

Served = Literal["measured-network", "any-network"]
"""Whose gains count as true: those of the network that was measured, or of any trained on its group."""


@dataclass(frozen=True)
class GaussianProcess(Predictor):
    """Gaussian process over groups.

    A gain is a scale of its task times a sum of: a function of the group that the task has for itself;
    a few functions of the group, and of the training run, that all tasks have in common, each in a
    measure of its own; and noise. A function of the group is a constant, plus an effect of each member,
    plus interactions of any order (:class:`~gain_sources.gaussian_processes.kernels.GroupKernel`).

    Tasks count by a weight of their own: effects are averaged by it, interactions see a group change the
    more the heavier the task is that comes or goes, and a gain shrinks towards 0, the gain of a task
    alone, where the task is most of its group. A few tasks may so dominate every group that holds them.
    Variances, weights, scales and measures are those of the highest posterior density.

    Exact while ``functions`` times the number of measured runs is at most ``exact``: seconds for some
    thousand gains. Beyond that the measurements are condensed to ``inducing`` groups.

    Attributes
    ----------
    functions
        How many functions the tasks have in common.
    exact
        The largest system that is solved exactly.
    inducing
        Number of inducing groups beyond that.
    served
        What a true gain is. ``"measured-network"``: that of the network which was measured, so that what
        one training run adds to a group belongs to it; right if the networks that were measured are to
        be used. ``"any-network"``: the mean over networks that are trained anew on the group. Beyond
        ``exact``, what a run has added is not told apart from noise.

    Raises
    ------
    UsageError
        If a number is below 1, or ``served`` is unknown.
    """

    functions: int = 2
    exact: int = 1000
    inducing: int = 300
    served: Served = "measured-network"
    info = GainSourceInfo(
        summary="Gaussian process over groups and tasks, with a posterior; for few or noisy measurements",
        reference="Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006; linear model of "
        "coregionalisation: Bonilla, Chai and Williams, NIPS 2007",
        ranks={Purpose.GUIDE: 10},
    )

    def __post_init__(self) -> None:
        for name in ("functions", "exact", "inducing"):
            if getattr(self, name) < 1:
                raise UsageError(f"The option {name!r} must be 1 or more, not {getattr(self, name)}.")
        if self.served not in get_args(Served):
            choices = ", ".join(get_args(Served))
            raise UsageError(f"Unknown 'served' {self.served!r}: choose one of {choices}.")

    def fit(self, gains: GainTensor) -> GaussianProcessModel:
        """Fit the process on the measured rows, or on all where none is measured.

        Of several rows of one group the one counts whose cost is nearest to 1, the standard network.
        Tasks alone are left out where gains are relative to them, and are rows like all others where
        they are not.

        Parameters
        ----------
        gains
            Gains or losses; standard errors count as known noise, to which a learned one is added.

        Raises
        ------
        DataError
            If no group is known, or none of two or more tasks where tasks alone are the baseline.
        """
        return self._fit(gains, None)

    def refit(self, gains: GainTensor, previous: GainModel) -> GaussianProcessModel:
        """Fit the process with the parameters of a previous fit, while these will do.

        They are kept until there are a tenth more gains than they were learned from, and are then learned
        anew: a search that starts from the old ones would stay near them. Few gains leave all tasks of
        equal weight, for instance, which is a local optimum for many gains too.

        Parameters
        ----------
        gains
            All that is known now.
        previous
            What this source made of some of it; with other tasks or another number of functions the
            process is fitted anew.

        Raises
        ------
        DataError
            As :meth:`fit`.
        """
        if not isinstance(previous, GaussianProcessModel) or previous.tasks != gains.tasks:
            return self._fit(gains, None)
        same = previous.learned.loadings.shape[1] == self.functions
        return self._fit(gains, previous if same else None)

    def _fit(self, gains: GainTensor, previous: GaussianProcessModel | None) -> GaussianProcessModel:
        baseline = gains.quantity == "gain" and gains.single_task_baseline
        known = _known(gains, baseline=baseline)
        rows, order = canonical_order(known.membership, known.gains)
        membership, values = known.membership[rows][:, order], known.gains[rows][:, order]
        variances = np.zeros(values.shape)
        if known.std is not None:
            variances = np.nan_to_num(np.square(known.dense(known.std)))[rows][:, order]
        shifts = np.zeros(len(order)) if baseline else _means(membership, values)
        entries = entries_of(membership, values - shifts, variances, alone_is_zero=baseline)
        exact, learned_from = self.functions * len(membership) <= self.exact, len(entries.values)
        if previous and previous.learned_from <= learned_from <= _KEPT_UNTIL * previous.learned_from:
            learned = previous.learned.reordered(previous.order, order)
            learned_from = previous.learned_from
        else:
            learned = learn(entries, first_guess(entries, self.functions), all_entries=exact)
        used = learned_from if exact else min(learned_from, LEARNED_FROM)
        freedom = len(order) * (1 + self.functions) / used
        # A weight and r loadings per task were learned from the same entries: a degree of freedom each.
        parameters = learned.widened(np.diff(entries.starts), freedom)
        usual = np.bincount(entries.tasks, entries.variances, len(order)) / np.maximum(
            np.diff(entries.starts), 1
        )
        kernels = parameters
        errors = tuple(np.split(relative_noise(entries, parameters), entries.starts[1:-1]))
        if not exact:
            entries, errors = condense(entries, parameters, _inducing_groups(membership, self.inducing))
            kernels = without_runs(parameters)
        pairs = GroupPairs.of(entries.membership, entries.membership, kernels.weights)
        factors = factorise(entries, pairs, kernels, errors)
        run = float(np.exp(kernels.run))
        return GaussianProcessModel(
            gains.tasks,
            entries,
            order,
            learned,
            learned_from,
            parameters,
            run,
            errors,
            usual,
            factors,
            shifts,
            self.served == "measured-network",
        )


def _known(gains: GainTensor, *, baseline: bool) -> GainTensor:
    """Return the rows to fit on."""
    rows = np.flatnonzero(gains.measured) if gains.measured.any() else np.arange(gains.n_groups)
    if baseline:
        rows = rows[gains.sizes[rows] > 1]
    if not len(rows):
        raise DataError(
            "The source 'gaussian-process' needs a group of two or more tasks: collect some."
            if baseline
            else "The source 'gaussian-process' needs a measured group: collect some."
        )
    order = rows[np.argsort(np.abs(gains.cost[rows] - 1.0), kind="stable")]
    first = np.unique(gains.packed[order], axis=0, return_index=True)[1]
    return gains.select(np.sort(order[first]))


def _means(membership: NDArray[np.bool_], values: Numbers) -> Numbers:
    """Return the mean of each task; of a task without any, the mean of all."""
    inside = np.where(membership, values, 0.0)
    counts = membership.sum(axis=0)
    usual = inside.sum() / counts.sum()
    return np.asarray(np.where(counts, inside.sum(axis=0) / np.maximum(counts, 1), usual))


def _inducing_groups(membership: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
    """Return some of the known groups, drawn evenly and always the same."""
    distinct = np.unique(membership, axis=0)
    if len(distinct) <= count:
        return distinct
    return distinct[np.sort(np.random.default_rng(0).permutation(len(distinct))[:count])]
