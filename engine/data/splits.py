"""Splits into training, validation and test rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.data.multi_task_data import SPLITS
from engine.errors import DataError

Rows = NDArray[np.int64]
Splits = dict[str, tuple[Rows, ...]]

_ALIASES = {
    **{name: name for name in SPLITS},
    "training": "train",
    "val": "valid",
    "validation": "valid",
    "dev": "valid",
    "testing": "test",
}


def random_splits(count: int, *, valid: float = 0.2, test: float = 0.2, seed: int = 0) -> Splits:
    """Return a random split of rows 0 … count − 1, a row in each part at least.

    Parameters
    ----------
    count
        Number of rows.
    valid, test
        Fractions of the rows.
    seed
        Of the draw.

    Raises
    ------
    DataError
        If a part would be empty.
    """
    order = np.random.default_rng(seed).permutation(count)
    first, second = _borders(count, valid, test)
    return {
        "train": (np.sort(order[second:]),),
        "valid": (np.sort(order[first:second]),),
        "test": (np.sort(order[:first]),),
    }


def temporal_splits(count: int, *, valid: float = 0.2, test: float = 0.2, span: int = 1) -> Splits:
    """Return the first rows for training, the next for validation, the last for test.

    Parameters
    ----------
    count
        Number of rows, ordered in time.
    valid, test
        Fractions of the rows.
    span
        Steps of time that a row covers, beginning with its own: inputs and targets of a window. Rows
        that reach into the next part are in no part.

    Raises
    ------
    DataError
        If a part would be empty.
    """
    first, second = _borders(count, valid, test)
    owner = np.repeat([0, 1, 2], [count - second, second - first, first])
    return _by_owner(owner, span, f"{count} rows in temporal order")


def blocked_splits(
    count: int, *, block: int, span: int = 1, valid: float = 0.2, test: float = 0.2, seed: int = 0
) -> Splits:
    """Return blocks of consecutive rows, each drawn into one part as a whole.

    Every part holds blocks from all over the series, so that a drift in time does not decide what a
    network is judged on, as it does with :func:`temporal_splits`.

    Parameters
    ----------
    count
        Number of rows, ordered in time.
    block
        Rows per block, for instance 168 hours.
    span
        Steps of time that a row covers, beginning with its own. Rows that reach into a block of
        another part are in no part, so that no step of time is in two.
    valid, test
        Fractions of the blocks.
    seed
        Of the draw.

    Raises
    ------
    DataError
        If a part would be empty.
    """
    if block < 1:
        raise DataError(f"A block needs at least one row, not {block}.")
    blocks = random_splits(-(-count // block), valid=valid, test=test, seed=seed)
    owner = np.empty(-(-count // block), dtype=np.int64)
    for index, name in enumerate(SPLITS):
        owner[blocks[name][0]] = index
    return _by_owner(np.repeat(owner, block)[:count], span, f"{count} rows in blocks of {block}")


def stratified_splits(
    labels: NDArray[np.float64], *, valid: float = 0.2, test: float = 0.2, seed: int = 0
) -> Splits:
    """Return a random split in which every class of every task is spread as evenly as the rows allow.

    Iterative stratification of multi-label data (Sechidis, Tsoumakas and Vlahavas, 2011): rows of the
    rarest class go first, each where that class is missed most. Costs O(rows · classes).

    Parameters
    ----------
    labels
        Class numbers, shape (rows, tasks); NaN: no label.
    valid, test
        Fractions of the rows.
    seed
        Of the draw.

    Raises
    ------
    DataError
        If a part would be empty.
    """
    known = np.asarray(labels, dtype=np.float64)
    count = len(known)
    first, second = _borders(count, valid, test)
    columns = [
        known[:, task] == number for task in range(known.shape[1]) for number in _classes(known[:, task])
    ]
    holds = np.stack(columns, axis=1) if columns else np.zeros((count, 0), dtype=bool)
    random = np.random.default_rng(seed)
    sizes = np.array([count - second, second - first, first], dtype=np.float64)
    totals = holds.sum(axis=0)
    # A class of three rows or more is owed one in each part.
    wanted = np.maximum(np.outer(sizes / count, totals), np.where(totals >= 3, 1.0, 0.0))
    owner = np.full(count, -1, dtype=np.int64)
    left = totals.astype(np.float64)
    while (left > 0).any():
        rarest = int(np.where(left > 0, left, np.inf).argmin())
        for row in random.permutation(np.flatnonzero(holds[:, rarest] & (owner < 0))):
            best = np.lexsort((random.random(3), -sizes, -wanted[:, rarest]))[0]
            owner[row] = best
            wanted[best, holds[row]] -= 1
            left[holds[row]] -= 1
            sizes[best] -= 1
    for row in random.permutation(np.flatnonzero(owner < 0)):
        best = int(sizes.argmax())
        owner[row] = best
        sizes[best] -= 1
    return _by_owner(owner, 1, f"{count} rows, stratified")


def given_splits(names: Sequence[str], places: Sequence[str] | None = None) -> Splits:
    """Return the split that a column names.

    Parameters
    ----------
    names
        ``"train"``, ``"valid"`` or ``"test"`` for each row, or a usual synonym; empty: in no part.
    places
        What messages call each row; None: ``Row 1`` and so on.

    Raises
    ------
    DataError
        If a name is another, or a part is empty.
    """
    parts = [_ALIASES.get(name.strip().lower(), "") for name in names]
    for row, (name, part) in enumerate(zip(names, parts, strict=True)):
        if name.strip() and not part:
            place = places[row] if places else f"Row {row + 1}"
            raise DataError(f"{place}: the split is {name!r:.60}; use train, valid or test.")
    owner = np.array([SPLITS.index(part) if part else -1 for part in parts], dtype=np.int64)
    return _by_owner(owner, 1, "The given split")


def joined_splits(parts: Sequence[Splits]) -> Splits:
    """Return the splits of tasks that have each their own rows, from one split per task."""
    return {name: tuple(splits[name][0] for splits in parts) for name in SPLITS}


def _borders(count: int, valid: float, test: float) -> tuple[int, int]:
    """Return how many rows are for test, and how many for test and validation."""
    first = max(1, round(count * test))
    second = max(first + 1, round(count * (test + valid)))
    if not (0 < valid < 1 and 0 < test < 1 and second < count):
        raise DataError(f"{count} rows cannot be split into {valid:g} for validation and {test:g} for test.")
    return first, second


def _by_owner(owner: Rows, span: int, what: str) -> Splits:
    """Return the rows of each part, without those that reach into another part or past the end."""
    if span < 1:
        raise DataError(f"A row covers at least one step of time, not {span}.")
    stop = len(owner)
    changes = np.flatnonzero(np.diff(owner)) + 1
    ends = np.append(changes, stop)
    until = ends[np.searchsorted(changes, np.arange(stop), side="right")]
    # The last rows of all may reach past the end: count is of rows, not of steps.
    kept = (np.arange(stop) + span <= until) | (until == stop)
    splits: Splits = {name: (np.flatnonzero((owner == index) & kept),) for index, name in enumerate(SPLITS)}
    empty = [name for name in SPLITS if not len(splits[name][0])]
    if empty:
        raise DataError(f"{what}: no row is left for {' and '.join(empty)}.")
    return splits


def _classes(labels: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.unique(labels[~np.isnan(labels)])
