"""Electricity transformer series (Zhou et al., 2021): a window of the past in, a horizon out, per series."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from engine.catalogue.trainable import TrainableInstance
from engine.data import MultiTaskData, Task
from engine.data.readers import read_table
from engine.data.readers.inputs import centre
from engine.data.splits import Splits, blocked_splits, temporal_splits
from engine.errors import DataError, UsageError, unknown_name
from instances.reading.published import PublishedFile, locate

SERIES = ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT")
ORIGIN = "github.com/zhouhaoyi/ETDataset"
LICENCE = "CC BY-ND 4.0"
SPLITS = ("blocked", "temporal")
_URL = "https://raw.githubusercontent.com/zhouhaoyi/ETDataset/main/ETT-small"


def ett(name: str, sha256: str) -> PublishedFile:
    """Return a file of the data, for instance ``"ETTh1.csv"``."""
    return PublishedFile(f"ett/{name}", f"{_URL}/{name}", sha256)


def read_series(path: Path, names: Sequence[str] = SERIES) -> NDArray[np.float64]:
    """Return series of a table, shape (steps, series); rows are in order of time.

    Parameters
    ----------
    path
        A table with a column per series.
    names
        The columns.

    Raises
    ------
    DataError
        If the file is malformed, lacks a column, or a cell is no number; file and line are named.
    """
    table = read_table(path)
    columns = []
    for name in names:
        if name not in table.columns:
            raise DataError(f"{path}: there is no column {name!r}.")
        numbers = table.numbers(name)
        if np.isnan(numbers).any():
            row = int(np.isnan(numbers).argmax())
            raise DataError(f"{table.place(row, name)}: the cell is missing; a series needs every step.")
        columns.append(numbers)
    return np.stack(columns, axis=1)


def series_data(
    series: NDArray[np.float64],
    names: Sequence[str],
    *,
    window: int = 24,
    horizon: int = 6,
    step: int = 4,
    split: str = "blocked",
    block: int = 168,
    seed: int = 0,
    name: str,
    provenance: str = "",
) -> MultiTaskData:
    """Return one regression task per series: the next steps of it from the last steps of all.

    Series are standardised by mean and standard deviation of the steps that training windows cover. The
    inputs are a view of the series, so that memory is that of the series. No step of time is in two
    parts of the split: windows that reach from one into another are left out.

    Parameters
    ----------
    series
        Shape (steps, series).
    names
        Of the series and tasks.
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
    name, provenance
        As in :class:`~engine.data.MultiTaskData`.

    Raises
    ------
    UsageError
        If an option is unusable.
    DataError
        If the series are too short.
    """
    _check(window, horizon, step, split)
    span = window + horizon
    starts = len(series) - span + 1
    if starts < 3:
        raise DataError(f"{len(series)} steps of time are too few for windows of {span}.")
    splits = (
        blocked_splits(starts, block=block, span=span, seed=seed)
        if split == "blocked"
        else temporal_splits(starts, span=span)
    )
    splits = _every(splits, step)
    mean, spread = _scale(series, splits["train"][0] * step, span)
    scaled = (series - mean) / spread
    view: Any = np.lib.stride_tricks.sliding_window_view
    # Torch takes no read-only array without a copy.
    inputs = view(scaled.astype(np.float32), window, axis=0, writeable=True)[:starts:step].swapaxes(1, 2)
    ahead = view(scaled[window:], horizon, axis=0, writeable=True)[::step]
    return MultiTaskData(
        tuple(Task(one, outputs=horizon) for one in names),
        (inputs,),
        tuple(ahead[:, index] for index in range(len(names))),
        splits,
        name=name,
        provenance=provenance,
    )


def _check(window: int, horizon: int, step: int, split: str) -> None:
    for what, value in (("window", window), ("horizon", horizon), ("step", step)):
        if value < 1:
            raise UsageError(f"{what} must be 1 or more, not {value}.")
    if split not in SPLITS:
        raise unknown_name("split of a series", split, SPLITS)


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


class EttInstance(TrainableInstance):
    """Base of the instances on one file of the electricity transformer data.

    Attributes
    ----------
    file
        Where it is.

    Parameters
    ----------
    name, data_dir
        As in :class:`~engine.catalogue.instance.Instance`.
    window, horizon, step, split, block, seed
        As in :func:`series_data`.

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
        _check(window, horizon, step, split)
        self.window, self.horizon, self.step = window, horizon, step
        self.split, self.block, self.seed = split, block, seed

    def data(self) -> MultiTaskData:
        """Return the windows.

        Raises
        ------
        DataError
            If the file cannot be had.
        """
        series = read_series(locate(self.file, self.data_dir))
        return series_data(
            series,
            SERIES,
            window=self.window,
            horizon=self.horizon,
            step=self.step,
            split=self.split,
            block=self.block,
            seed=self.seed,
            name=self.name,
            provenance=f"{self.info.origin}, {self.file.path}; {self._told()}",
        )

    def _told(self) -> str:
        how = f"blocks of {self.block} steps, seed {self.seed}" if self.split == "blocked" else "temporal"
        return f"{self.window} steps in, {self.horizon} out, a window every {self.step}; split: {how}"
