"""The mean over training of what every task does to every other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError
from engine.gains.affinity import Affinity

if TYPE_CHECKING:
    from torch import Tensor


class PairAverage:
    """Running mean of N × N effects, source by recipient, over the steps where they are defined.

    Parameters
    ----------
    tasks
        Names of the N tasks.
    """

    def __init__(self, tasks: tuple[str, ...]) -> None:
        self._tasks = tasks
        self._sum: NDArray[np.float64] = np.zeros((len(tasks), len(tasks)))
        self._count: NDArray[np.int64] = np.zeros(self._sum.shape, dtype=np.int64)

    def add(self, effects: Tensor, defined: Tensor, losses: Tensor | None = None) -> None:
        """Add the effects of a step.

        Parameters
        ----------
        effects
            Shape (N, N).
        defined
            Shape (N,): tasks of which something is known at this step; or (N, N).
        losses
            Shape (N,): by which the effects of a recipient are divided; none where one is 0.

        Raises
        ------
        DataError
            If a number is not finite: the training diverged.
        """
        both = defined if defined.dim() == 2 else defined[:, None] & defined[None, :]
        if losses is not None:
            both = both & (losses != 0)[None, :]
            effects = effects / losses.where(losses != 0, losses.new_ones(()))[None, :]
        mask = both.cpu().numpy()
        values = np.where(mask, effects.detach().double().cpu().numpy(), 0.0)
        if not np.isfinite(values).all():
            _, recipient = np.argwhere(~np.isfinite(values))[0]
            raise DataError(
                f"Training all tasks together diverged: the effect on task {self._tasks[recipient]!r} is "
                "not finite. Lower learning_rate, or set clip_norm."
            )
        self._sum += values
        self._count += mask

    def affinity(self, source: str) -> Affinity:
        """Return the means.

        Raises
        ------
        DataError
            If some pair was never measured.
        """
        never = np.argwhere((self._count == 0) & ~np.eye(len(self._tasks), dtype=bool))
        if len(never):
            one, other = (self._tasks[task] for task in never[0])
            raise DataError(
                f"The effect of task {one!r} on {other!r} was never measured: no measured batch had labels "
                "of both and a loss and gradients other than 0. Raise batch_size, or lower every."
            )
        return Affinity(self._tasks, self._sum / np.maximum(self._count, 1), source=source)
