"""Curves and reliability for TensorBoard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from engine.collection.progress import CollectionProgress
from engine.errors import DataError, MissingDependencyError


class TensorBoardLog:
    """An observer that logs validation losses of every run and the reliability; a context manager.

    Parameters
    ----------
    folder
        Where the event files go; ``tensorboard --logdir FOLDER`` shows them.
    tasks
        Names of the tasks.

    Raises
    ------
    MissingDependencyError
        If tensorboard is not installed.
    DataError
        If the folder cannot be written.
    """

    def __init__(self, folder: Path, tasks: Sequence[str]) -> None:
        try:
            from tensorboard.summary import Writer
        except ImportError as error:
            raise MissingDependencyError(
                "Logging for TensorBoard needs tensorboard: pip install 'task-grouping-engine[tensorboard]'."
            ) from error
        self._folder = folder
        with self._plain_errors():
            self._writer: Any = Writer(str(folder))
        self._tasks = tuple(tasks)

    def __call__(self, progress: CollectionProgress) -> None:
        """Log what is new.

        Raises
        ------
        DataError
            If the folder cannot be written any more.
        """
        with self._plain_errors():
            self._log(progress)

    def _log(self, progress: CollectionProgress) -> None:
        if progress.reliability is not None:
            self._writer.add_scalar("reliability", progress.reliability.value, progress.done)
        self._writer.add_scalar("groups per second", progress.groups_per_second, progress.done)
        latest = progress.latest
        if latest is None:
            return
        for row, curve in zip(latest.membership, latest.curves["valid"], strict=True):
            members = np.flatnonzero(row)
            label = "|".join(self._tasks[task] for task in members)
            for task in members:
                for epoch, loss in enumerate(curve[:, task]):
                    self._writer.add_scalar(
                        f"{label}/seed {latest.seed}/{self._tasks[task]}", float(loss), epoch
                    )
        self._writer.flush()

    def __enter__(self) -> TensorBoardLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._plain_errors():
            self._writer.close()

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DataError(
                f"{self._folder}: cannot be written ({error.strerror or error}); what was trained is stored."
            ) from error
