"""Synthetic instances: gains from the generators, as named problems."""

from __future__ import annotations

import math
from typing import ClassVar

from engine import CatalogueInstance, GainTensor, InstanceInfo, UsageError
from instances.made.generators import Split, planted, planted_clusters, random

__all__ = ["Planted", "Random", "planted", "planted_clusters", "random"]


class _Synthetic(CatalogueInstance):
    """Base of both: the options are those of the functions."""

    kind: ClassVar[str]

    def __init__(
        self,
        name: str = "",
        data_dir: object = None,
        *,
        n_tasks: int = 20,
        n_groups: int = 400,
        seed: int = 0,
        noise: float = 0.02,
    ) -> None:
        super().__init__(name or self.kind, None)
        self.options = (n_tasks, n_groups, seed, noise)
        self.info = _info(self.kind, n_tasks, n_groups)

    def recorded(self, source: str, split: str) -> GainTensor:
        """Return the gains.

        Raises
        ------
        UsageError
            If there is nothing for this source and split.
        """
        if source != "measured" or split not in ("valid", "test"):
            raise UsageError(f"Instance {self.name!r} has measured gains on valid and test only.")
        n_tasks, n_groups, seed, noise = self.options
        make = planted if self.kind == "planted" else random
        which: Split = "valid" if split == "valid" else "test"
        return make(n_tasks, n_groups, seed=seed, noise=noise, split=which)


def _info(kind: str, n_tasks: int, n_groups: int) -> InstanceInfo:
    what = "hidden clusters" if kind == "planted" else "random pairwise effects"
    return InstanceInfo(
        summary=f"generated: {n_tasks} tasks, {n_groups} groups, {what} plus noise; any size from Python",
        tasks=tuple(f"task{column:0{len(str(n_tasks - 1))}d}" for column in range(n_tasks)),
        n_groups=n_groups,
        source_split="valid",
        evaluation_split="test",
        budgets=tuple(float(budget) for budget in range(1, n_tasks + 1)),
        default_budget=float(max(1, math.ceil(n_tasks / 4))),
        origin="generated from a seed",
    )


class Planted(_Synthetic):
    """A hidden partition; see :func:`planted`.

    Parameters
    ----------
    name, data_dir
        As in :class:`~engine.catalogue.instance.Instance`; there are no files.
    n_tasks, n_groups, seed, noise
        As in :func:`planted`.
    """

    kind = "planted"
    info = _info("planted", 20, 400)


class Random(_Synthetic):
    """Random pairwise effects; see :func:`random`.

    Parameters
    ----------
    name, data_dir
        As in :class:`~engine.catalogue.instance.Instance`; there are no files.
    n_tasks, n_groups, seed, noise
        As in :func:`random`.
    """

    kind = "random"
    info = _info("random", 20, 400)
