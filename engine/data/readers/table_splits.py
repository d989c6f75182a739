"""How the rows of a table are split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.data.multi_task_data import SPLITS
from engine.data.readers.table import Table
from engine.data.readers.targets import Target
from engine.data.splits import (
    Splits,
    blocked_splits,
    given_splits,
    random_splits,
    stratified_splits,
    temporal_splits,
)
from engine.errors import DataError

STRATEGIES = ("random", "stratified", "temporal", "blocked")


@dataclass(frozen=True)
class RowSplitter:
    """Splits the rows of a table, or of one task of it.

    Attributes
    ----------
    table
        The table.
    strategy
        One of :data:`STRATEGIES`, or the column that names the part of each row.
    block, valid, test, seed
        As in :func:`~engine.data.readers.table_data.read_table_data`.
    """

    table: Table
    strategy: str
    block: int | None
    valid: float
    test: float
    seed: int

    def split(
        self, rows: NDArray[np.int64], targets: Sequence[Target], whose: str = ""
    ) -> tuple[Splits, str]:
        """Return the split, as positions in ``rows``, and what it is called.

        Parameters
        ----------
        rows
            The rows to be split, in the order of the file.
        targets
            The tasks whose labels they hold.
        whose
            Put before the message of an error.

        Raises
        ------
        DataError
            If they cannot be split so.
        """
        try:
            return self._split(rows, targets)
        except DataError as error:
            raise DataError(f"{self.table.path}: {whose}{error}") from None

    def _split(self, rows: NDArray[np.int64], targets: Sequence[Target]) -> tuple[Splits, str]:
        count = len(rows)
        if self.strategy not in STRATEGIES:
            labels = self.table.column(self.strategy).labels
            unit = self.table.unit
            places = [f"{unit} {line}, column {self.strategy!r:.80}" for line in self.table.lines[rows]]
            splits = given_splits([labels[row] for row in rows.tolist()], places)
            return splits, f"split by the column {self.strategy}"
        if self.strategy == "temporal":
            return temporal_splits(count, valid=self.valid, test=self.test), "first rows train, last test"
        if self.strategy == "blocked":
            block = -(-count // 50) if self.block is None else self.block
            splits = blocked_splits(count, block=block, valid=self.valid, test=self.test, seed=self.seed)
            return splits, f"blocks of {block} rows split at random, seed {self.seed}"
        classed = [target.values[rows] for target in targets if target.classes]
        if self.strategy == "random":
            splits = random_splits(count, valid=self.valid, test=self.test, seed=self.seed)
            if not _leaves_out(splits, classed):
                return splits, f"rows split at random, seed {self.seed}"
        labels_of = np.stack(classed, axis=1) if classed else np.zeros((count, 0))
        splits = stratified_splits(labels_of, valid=self.valid, test=self.test, seed=self.seed)
        return splits, f"rows split at random, stratified by the labels, seed {self.seed}"


def _leaves_out(splits: Splits, classed: Sequence[NDArray[np.float64]]) -> bool:
    """Whether a class of three rows or more is absent from a part."""
    for values in classed:
        for number in np.unique(values[~np.isnan(values)]):
            holds = values == number
            if holds.sum() >= 3 and not all(holds[splits[name][0]].any() for name in SPLITS):
                return True
    return False
