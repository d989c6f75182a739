"""Electricity transformer series (Zhou et al., 2021): a window of the past in, a horizon out, per series."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from engine import DataError, MultiTaskData, Task, TrainableInstance, UsageError
from engine.data.readers import read_table
from engine.data.readers.inputs import centre
from engine.data.splits import Splits, blocked_splits, temporal_splits
from engine.errors import unknown_name
from instances.reading.published_files import RAW, PublishedFile, Publisher, locate

ETT = Publisher(
    origin="github.com/zhouhaoyi/ETDataset",
    licence="CC BY-ND 4.0",
    url=f"{RAW}/zhouhaoyi/ETDataset/main/ETT-small",
    folder="ett",
)
SERIES = ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT")
SPLITS = ("blocked", "temporal")


class EttInstance(TrainableInstance):
    """Base of the instances on one file of the electricity transformer data.

    A task is one series: its next steps from the last steps of all series.

    Attributes
    ----------
    file
        Where it is.

    Parameters
    ----------
    name, data_dir
        As in :class:`~engine.Instance`.
    window, horizon
        Steps that go in, and steps that come out.
    step
        Steps between the beginnings of windows.
    split
        ``"blocked"``: blocks of consecutive steps, each drawn into one part; ``"temporal"``: 60 % train,
        then 20 % valid, then 20 % test.
    block
        Steps per block: 168 hours are a week.
    seed
        Of the draw.

    Raises
    ------
    UsageError
        If an option is unusable.
    """

    file: ClassVar[PublishedFile]

    def __init__(
        self,
        name: str,
        data_dir: Path | None = None,
        *,
        window: int = 24,
        horizon: int = 6,
        step: int = 4,
        split: str = "blocked",
        block: int = 168,
        seed: int = 0,
    ) -> None:
        super().__init__(name, data_dir)
        for what, value in (("window", window), ("horizon", horizon), ("step", step)):
            if value < 1:
                raise UsageError(f"{what} must be 1 or more, not {value}.")
        if split not in SPLITS:
            raise unknown_name("split of a series", split, SPLITS)
        self.window, self.horizon, self.step = window, horizon, step
        self.split, self.block, self.seed = split, block, seed

    def data(self) -> MultiTaskData:
        """Return the windows.

        Raises
        ------
        DataError
            If the file cannot be had.
        """
        return self.windows(read_series(locate(self.file, self.data_dir)), SERIES)

    def windows(self, series: NDArray[np.float64], names: Sequence[str]) -> MultiTaskData:
        """Return one regression task per series.

        Series are standardised by mean and standard deviation of the steps that training windows cover. The
        inputs are a view of the series, so that memory is that of the series. No step of time is in two
        parts of the split: windows that reach from one into another are left out.

        Parameters
        ----------
        series
            Shape (steps, series).
        names
            Of the series and tasks.

        Raises
        ------
        DataError
            If the series are too short.
        """
        span = self.window + self.horizon
        starts = len(series) - span + 1
        if starts < 3:
            raise DataError(f"{len(series)} steps of time are too few for windows of {span}.")
        if self.split == "blocked":
            splits = blocked_splits(starts, block=self.block, span=span, seed=self.seed)
            how = f"blocks of {self.block} steps, seed {self.seed}"
        else:
            splits, how = temporal_splits(starts, span=span), "temporal"
        splits = _every(splits, self.step)
        mean, spread = _scale(series, splits["train"][0] * self.step, span)
        scaled = (series - mean) / spread
        view: Any = np.lib.stride_tricks.sliding_window_view
        # Torch takes no read-only array without a copy.
        inputs = view(scaled.astype(np.float32), self.window, axis=0, writeable=True)
        ahead = view(scaled[self.window :], self.horizon, axis=0, writeable=True)[:: self.step]
        return MultiTaskData(
            tuple(Task(name, outputs=self.horizon) for name in names),
            (inputs[: starts : self.step].swapaxes(1, 2),),
            tuple(ahead[:, index] for index in range(len(names))),
            splits,
            name=self.name,
            provenance=f"{self.info.origin}, {self.file.path}; {self.window} steps in, {self.horizon} out, "
            f"a window every {self.step}; split: {how}",
        )


def read_series(path: Path) -> NDArray[np.float64]:
    """Return the series of a table, shape (steps, series); rows are in order of time.

    Parameters
    ----------
    path
        A table with a column per series.

    Raises
    ------
    DataError
        If the file is malformed, lacks a column, or a cell is no number; file and line are named.
    """
    table = read_table(path)
    columns = []
    for name in SERIES:
        if name not in table.columns:
            raise DataError(f"{path}: there is no column {name!r}.")
        numbers = table.numbers(name)
        if np.isnan(numbers).any():
            row = int(np.isnan(numbers).argmax())
            raise DataError(f"{table.place(row, name)}: the cell is missing; a series needs every step.")
        columns.append(numbers)
    return np.stack(columns, axis=1)


def _every(splits: Splits, step: int) -> Splits:
    """Return the windows that begin at a multiple of the step, as numbers of those windows."""
    kept: Splits = {part: (rows[rows % step == 0] // step,) for part, (rows,) in splits.items()}
    if not all(len(rows) for (rows,) in kept.values()):
        raise DataError(f"No window that begins at a multiple of {step} is left in some part.")
    return kept


def _scale(
    series: NDArray[np.float64], starts: NDArray[np.int64], span: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    covered = np.zeros(len(series), dtype=bool)
    for offset in range(span):
        covered[starts + offset] = True
    return centre(series[covered])
