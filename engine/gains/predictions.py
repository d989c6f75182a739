"""Predicted gains of some groups, with what was measured handed through."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.gains.model import GainModel, tabulate
from engine.gains.provenance import Provenance
from engine.gains.tensor import GainTensor


def predictions(
    model: GainModel, membership: NDArray[np.bool_], known: GainTensor, *, predict_all: bool = False
) -> GainTensor:
    """Return a model's gains of some groups.

    Parameters
    ----------
    model
        Fitted on ``known``.
    membership
        Shape (M, N): the groups; repeated ones each count.
    known
        Where a group is measured there, the values, errors and cost of the row that stands for it are
        handed through.
    predict_all
        Predict measured groups as well.

    Returns
    -------
    GainTensor
        In the order asked for; ``measured`` is False where the model was asked.
    """
    member = np.asarray(membership, dtype=bool)
    predicted = tabulate(
        model,
        member,
        split=known.split,
        quantity=known.quantity,
        single_task_baseline=known.single_task_baseline,
    )
    if predict_all:
        return predicted
    rows = known.rows_of(member)
    measured = (rows >= 0) & known.measured[rows]
    if not measured.any():
        return predicted
    here, there = predicted.entries_of(np.flatnonzero(measured))[1], known.entries_of(rows[measured])[1]
    values = predicted.values.copy()
    std = np.full(len(values), np.nan) if predicted.std is None else predicted.std.copy()
    values[here] = known.values[there]
    std[here] = np.nan if known.std is None else known.std[there]
    return replace(
        predicted,
        values=values,
        std=None if np.isnan(std).all() else std,
        cost=np.where(measured, known.cost[rows], 1.0),
        measured=measured,
    )


def handed_through(predicted: GainTensor, known: GainTensor) -> NDArray[np.bool_]:
    """Return which rows of predictions, shape (M,), have the very values that were measured.

    Parameters
    ----------
    predicted
        A model's gains of M groups.
    known
        What the model was fitted on, over the same tasks; of several rows of one group the standing one.
    """
    rows = known.rows_of(predicted.membership)
    same = (rows >= 0) & known.measured[rows]
    starts, here = predicted.entries_of(np.flatnonzero(same))
    equal = predicted.values[here] == known.values[known.entries_of(rows[same])[1]]
    if len(equal):
        same[same] = np.logical_and.reduceat(equal, starts[:-1])
    return np.asarray(same)


def fit_provenance(source: str, known: GainTensor) -> Provenance:
    """Return the provenance of a source fitted on known gains."""
    what = {"gain": "gains", "loss": "losses"}[known.quantity]
    kind = "" if known.measured.any() else "predicted"
    words = " ".join(filter(None, (source, "fitted on", kind, known.source, known.split, what)))
    return replace(known.provenance, text="; ".join(filter(None, (words, known.provenance.text))))
