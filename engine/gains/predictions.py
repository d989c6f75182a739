"""Predicted gains of some groups, with what was measured handed through."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.gains.bits import pack_rows
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
        Where a group is measured there, its values, errors and cost are handed through; of several
        rows of one group the one of cost 1, the standard network.
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
    rows = _measured_rows(known, predicted)
    found = rows >= 0
    if not found.any():
        return predicted
    values = predicted.values.copy()
    std = np.full(len(values), np.nan) if predicted.std is None else predicted.std.copy()
    for row in np.flatnonzero(found):
        here, there = predicted.row(int(row)), known.row(int(rows[row]))
        values[here] = known.values[there]
        std[here] = np.nan if known.std is None else known.std[there]
    return replace(
        predicted,
        values=values,
        std=None if np.isnan(std).all() else std,
        cost=np.where(found, known.cost[rows], 1.0),
        measured=found,
    )


def _measured_rows(known: GainTensor, wanted: GainTensor) -> NDArray[np.int64]:
    """Return the measured row of each wanted group, −1 where there is none."""
    order = np.lexsort((-np.arange(known.n_groups), known.cost == 1))
    by_group = {known.packed[row].tobytes(): int(row) for row in order[known.measured[order]]}
    keys = pack_rows(wanted.indptr, wanted.members, wanted.n_tasks)
    return np.array([by_group.get(key.tobytes(), -1) for key in keys], dtype=np.int64)


def fit_provenance(source: str, known: GainTensor) -> Provenance:
    """Return the provenance of a source fitted on known gains."""
    what = {"gain": "gains", "loss": "losses"}[known.quantity]
    kind = "" if known.measured.any() else "predicted"
    words = " ".join(filter(None, (source, "fitted on", kind, known.source, known.split, what)))
    return replace(known.provenance, text="; ".join(filter(None, (words, known.provenance.text))))
