"""Regression of a task's gain on who else is in the group."""

from __future__ import annotations

import numpy as np

from engine.errors import DataError
from engine.gains.tensor import GainTensor
from gain_sources.regression.canonical_gains import known_rows
from gain_sources.regression.leave_one_out_ridge import Numbers, fit_ridge
from gain_sources.regression.membership_model import MembershipModel, task_design


def fit_membership(
    gains: GainTensor, *, intercept: bool, per_size: bool, by_std: bool, source: str
) -> MembershipModel:
    """Fit every task.

    Known are the measured rows, or all where none is measured; of several rows of one group the one
    of cost 1, the standard network.

    Parameters
    ----------
    gains
        What is known.
    intercept
        Fit a constant per task; else it is the value of the task alone.
    per_size
        Divide the sum of effects by the number of other members.
    by_std
        Weigh rows by their standard errors.
    source
        Name of the resulting source.

    Raises
    ------
    DataError
        If a task is in no group of two or more, or its value alone is needed and not known.
    """
    count = gains.n_tasks
    rows = known_rows(gains)
    singles = np.full(count, 0.0 if gains.quantity == "gain" else np.nan)
    alone = rows[gains.sizes[rows] == 1]
    singles[gains.members[gains.indptr[alone]]] = gains.values[gains.indptr[alone]]
    larger = gains.select(rows[gains.sizes[rows] > 1])
    known, values = larger.membership, larger.gains
    weights = _weights(larger) if by_std else np.ones(known.shape)
    size_weights = np.ones(count + 1)
    if per_size:
        size_weights[2:] = 1.0 / np.arange(1, count)
    pairs, offsets = np.zeros((count, count)), np.zeros(count)
    penalties, noise = np.full(count, np.inf), np.full(count, np.nan)
    for task, name in enumerate(gains.tasks):
        held = known[:, task]
        if not held.any():
            raise DataError(
                f"The source {source!r} needs a group of two or more tasks that holds {name!r}: collect some."
            )
        base = 0.0 if intercept else singles[task]
        if np.isnan(base):
            raise DataError(
                f"The source {source!r} needs the {gains.quantity} of task {name!r} alone: measure it first, "
                "or use ridge."
            )
        design = task_design(known, weights, task, size_weights, intercept=intercept)
        fit = fit_ridge(design, values[held, task] - base)
        pairs[:, task], offsets[task] = fit.effects, base + fit.constant
        penalties[task], noise[task] = fit.penalty, fit.noise
    np.fill_diagonal(pairs, 0.0)
    return MembershipModel(
        gains.tasks,
        pairs,
        singles,
        offsets,
        size_weights,
        penalties,
        noise,
        known,
        weights,
        intercept,
        source,
        gains.quantity,
    )


def _weights(gains: GainTensor) -> Numbers:
    """Return precisions from standard errors, 1 on average for each task.

    The standard error of a few seeds is itself mostly noise, so each variance is averaged with the
    task's median; an unknown one counts as the largest of the task.
    """
    if gains.std is None:
        return np.ones((gains.n_groups, gains.n_tasks))
    variances = np.square(gains.dense(gains.std))
    weights = np.ones(variances.shape)
    for task in range(gains.n_tasks):
        held = np.flatnonzero(gains.membership[:, task])
        of = variances[held, task]
        if not len(held) or not np.nanmax(np.append(of, 0.0)) > 0:
            continue
        of = np.where(np.isnan(of), np.nanmax(of), of)
        typical = float(np.median(of)) or float(of.mean())
        precision = 2.0 / (of + typical)
        weights[held, task] = precision / precision.mean()
    return weights
