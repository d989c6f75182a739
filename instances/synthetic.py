"""planted and random: gains from the generators, as named problems."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from engine import CatalogueInstance, GainTensor, InstanceInfo, UsageError
from instances.made.generators import SPLITS, planted, random, task_names
from instances.reading.training_info import one_to


def _info(what: str, n_tasks: int = 20, n_groups: int = 400) -> InstanceInfo:
    return InstanceInfo(
        summary=f"generated: {n_tasks} tasks, {n_groups} groups, {what} plus noise; any size from Python",
        tasks=task_names(n_tasks),
        n_groups=n_groups,
        source_split="valid",
        evaluation_split="test",
        budgets=one_to(n_tasks),
        default_budget=float(max(1, math.ceil(n_tasks / 4))),
        origin="generated from a seed",
    )


class _Generated(CatalogueInstance):
    """Base of both: the options are those of the functions."""

    what: ClassVar[str]
    generate: ClassVar[Callable[..., GainTensor]]

    def __init__(
        self,
        name: str,
        data_dir: Path | None = None,
        *,
        n_tasks: int = 20,
        n_groups: int = 400,
        seed: int = 0,
        noise: float = 0.02,
    ) -> None:
        super().__init__(name, data_dir)
        self.seed, self.noise = seed, noise
        self.info = _info(self.what, n_tasks, n_groups)

    def recorded(self, source: str, split: str) -> GainTensor:
        """Return the gains.

        Raises
        ------
        UsageError
            If there is nothing for this source and split.
        """
        if source != "measured" or split not in SPLITS:
            raise UsageError(f"Instance {self.name!r} has measured gains on valid and test only.")
        size = (len(self.info.tasks), self.info.n_groups)
        return type(self).generate(*size, seed=self.seed, noise=self.noise, split=split)


class Planted(_Generated):
    """A hidden partition; see :func:`~instances.made.generators.planted`.

    Parameters
    ----------
    name, data_dir
        As in :class:`~engine.Instance`; there are no files.
    n_tasks, n_groups, seed, noise
        As in the function.
    """

    what = "hidden clusters"
    generate = staticmethod(planted)
    info = _info(what)


class Random(_Generated):
    """Random pairwise effects; see :func:`~instances.made.generators.random`.

    Parameters
    ----------
    name, data_dir
        As in :class:`~engine.Instance`; there are no files.
    n_tasks, n_groups, seed, noise
        As in the function.
    """

    what = "random pairwise effects"
    generate = staticmethod(random)
    info = _info(what)
