"""digits14: the ten digits, and four tasks whose labels are random."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from instances.digits10 import TASKS, Digits10, noise_names


class Digits14(Digits10):
    """:class:`~instances.digits10.Digits10` with four tasks of noise: a good grouping finds them.

    Parameters
    ----------
    name, data_dir, n_noise, seed
        As in :class:`~instances.digits10.Digits10`.
    """

    info = replace(
        Digits10.info,
        summary="10 handwritten digits and 4 tasks of random labels; trains offline",
        tasks=(*TASKS, *noise_names(4)),
        budgets=tuple(map(float, range(1, 15))),
    )

    def __init__(
        self, name: str = "digits14", data_dir: Path | None = None, *, n_noise: int = 4, seed: int = 0
    ) -> None:
        super().__init__(name, data_dir, n_noise=n_noise, seed=seed)
