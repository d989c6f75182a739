"""How a pairwise graph is turned into clusters: similarities, the Laplacian, and how many clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.errors import UsageError, unknown_name
from engine.gains.affinity import Affinity
from solvers.graphs.embedding import Embedding

Floats = NDArray[np.float64]

Nonnegative = Literal["shift", "clip", "exp"]
Laplacian = Literal["nonnegative", "signed"]
Count = Literal["auto", "budget", "eigengap", "best"]

FLOOR = 1e-6
"""Added to similarities, relative to the largest, where a graph must be connected."""


@dataclass(frozen=True)
class Clustering:
    """The options of a spectral clustering; see :class:`~solvers.spectral.Spectral`."""

    nonnegative: Nonnegative = "shift"
    laplacian: Laplacian = "nonnegative"
    clusters: Count = "auto"
    n_clusters: int | None = None

    def __post_init__(self) -> None:
        for name, choices in (
            ("nonnegative", ("shift", "clip", "exp")),
            ("laplacian", ("nonnegative", "signed")),
            ("clusters", ("auto", "budget", "eigengap", "best")),
        ):
            if getattr(self, name) not in choices:
                raise unknown_name(f"{name} of solver 'spectral':", getattr(self, name), choices)
        if self.n_clusters is not None and self.n_clusters < 1:
            raise UsageError(f"The number of clusters must be 1 or more, not {self.n_clusters}.")

    def counts(self, embedding: Embedding, low: int, high: int, default: Count) -> list[int]:
        """Return the numbers of clusters to try.

        Parameters
        ----------
        embedding
            What is clustered.
        low, high
            Bounds that the demands set.
        default
            What ``clusters="auto"`` means.
        """
        if self.n_clusters is not None:
            return [min(self.n_clusters, high)]
        rule = default if self.clusters == "auto" else self.clusters
        if rule == "budget":
            return [high]
        if rule == "best":
            return list(range(low, high + 1))
        return [embedding.eigengap(low, high)]

    def embedding(self, affinity: Affinity) -> Embedding:
        """Return the embedding of a graph that the options ask for.

        Parameters
        ----------
        affinity
            What is clustered.
        """
        if self.laplacian == "signed":
            return Embedding.of(affinity.symmetrised())
        connected = similarities(affinity, self.nonnegative) + FLOOR
        np.fill_diagonal(connected, 0.0)
        return Embedding.of(connected)


def similarities(affinity: Affinity, nonnegative: Nonnegative) -> Floats:
    """Return the symmetric similarity of each pair of tasks, shape (N, N), between 0 and 1.

    Parameters
    ----------
    affinity
        Any affinity.
    nonnegative
        ``"shift"`` subtracts the least off-diagonal entry, ``"clip"`` raises negative entries to 0,
        ``"exp"`` takes exp(a / s), s being the standard deviation off the diagonal.
    """
    symmetric = affinity.symmetrised()
    off = ~np.eye(len(symmetric), dtype=bool)
    if nonnegative == "shift":
        symmetric = symmetric - symmetric[off].min(initial=np.inf) if off.any() else symmetric
    elif nonnegative == "clip":
        symmetric = np.maximum(symmetric, 0.0)
    else:
        symmetric = np.exp((symmetric - symmetric.max()) / (symmetric[off].std() or 1.0))
    symmetric = symmetric / (float(symmetric[off].max(initial=0.0)) or 1.0)
    np.fill_diagonal(symmetric, 0.0)
    return symmetric
