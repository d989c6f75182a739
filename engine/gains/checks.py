"""What must hold of the values of a gain tensor; each breach has an error that names row and task."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError
from engine.gains.groups import Groups
from engine.gains.row_index import RowIndex

SINGLE_TASK_TOLERANCE = 1e-9
LARGEST_VALUE = 1e15
"""Beyond this, sums over groups lose every digit that matters."""


def check_values(
    groups: Groups, values: NDArray[np.float64], std: NDArray[np.float64] | None, quantity: str
) -> None:
    """Check values and standard errors, one per entry: finite, and errors not negative.

    Raises
    ------
    DataError
        Names the first entry that breaks this.
    """
    entries = len(groups.members)
    if len(values) != entries:
        raise DataError(f"{len(values)} values are given for {entries} members: give one per member.")
    if not (values.min() >= -LARGEST_VALUE and values.max() <= LARGEST_VALUE):
        entry = int(np.argmin(np.abs(values) <= LARGEST_VALUE))
        raise DataError(
            f"{_place(groups, entry)}: the {quantity} is {values[entry]}; it must be a finite number "
            f"of magnitude {LARGEST_VALUE:.0e} at most."
        )
    if std is None:
        return
    if len(std) != entries:
        raise DataError(f"Standard errors: {len(std)} given for {entries} entries.")
    if np.fmin.reduce(std) < 0 or np.fmax.reduce(std) > LARGEST_VALUE:
        entry = int(np.argmax((std < 0) | (std > LARGEST_VALUE)))
        raise DataError(
            f"{_place(groups, entry)}: standard error {std[entry]} must be finite and not negative."
        )


def check_rows(groups: Groups, cost: NDArray[np.float64], measured: NDArray[np.bool_]) -> None:
    """Check what is said once per row: a finite cost, and whether it was measured.

    Raises
    ------
    DataError
        Names the first row that breaks this.
    """
    for name, given in {"cost": cost, "measured": measured}.items():
        if given.shape != (groups.n_groups,):
            raise DataError(f"{name} needs one number per group ({groups.n_groups}).")
    bad = np.flatnonzero(~(cost <= LARGEST_VALUE) | (cost < 0))
    if len(bad):
        raise DataError(
            f"Row {bad[0] + 1} ({groups.label(bad[0])}): cost {cost[bad[0]]} must be a "
            "finite number, 0 or more."
        )


def check_distinct(groups: Groups, index: RowIndex) -> None:
    """Check that no group stands twice at the same cost.

    Raises
    ------
    DataError
        Names the first that does.
    """
    pair = index.duplicates()
    if pair is not None:
        first, second = pair
        raise DataError(
            f"Rows {first + 1} and {second + 1} are the same group ({groups.label(second)}) at the same "
            "cost. Keep one, or ask for duplicates to be merged (merge_duplicates=True, "
            "--merge-duplicates)."
        )


def check_baseline(groups: Groups, gains: NDArray[np.float64]) -> None:
    """Check that the groups of one task gain nothing.

    Raises
    ------
    DataError
        Names the first that does.
    """
    alone = groups.indptr[:-1][groups.sizes == 1]
    gaining = np.flatnonzero(np.abs(gains[alone]) > SINGLE_TASK_TOLERANCE)
    if len(gaining):
        entry = int(alone[gaining[0]])
        raise DataError(f"{_place(groups, entry)}: {baseline_flaw(float(gains[entry]))}")


def _place(groups: Groups, entry: int) -> str:
    """Return the row and the task of an entry, for messages."""
    row = groups.row_of(entry)
    return f"Row {row + 1} ({groups.label(row)}), task {groups.tasks[groups.members[entry]]!r}"


def baseline_flaw(gain: float) -> str:
    """Say what is wrong with a single-task group that gains."""
    return (
        f"a single-task group has gain {gain}, but gains are relative to single-task training, so it must "
        "be 0. If yours have another baseline, say so (single_task_baseline=False, --baseline other)."
    )
