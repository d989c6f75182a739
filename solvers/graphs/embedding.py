"""Spectral embeddings of nonnegative and of signed graphs, and clusters read from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RESTARTS, ROUNDS = 2, 20
"""Of k-means."""


@dataclass(frozen=True, eq=False)
class Embedding:
    """The eigenvectors of a normalised Laplacian, I − D^(−1/2) W D^(−1/2), D the sums of absolute weights.

    Of a nonnegative graph this is the usual normalised Laplacian; of a signed one, the signed Laplacian
    of Kunegis et al. (2010), which pulls nodes with a negative weight to opposite sides.

    Attributes
    ----------
    values
        Shape (N,): the eigenvalues, ascending.
    vectors
        Shape (N, N): the eigenvectors as columns.
    signed
        Whether some weight is negative.
    """

    values: Floats
    vectors: Floats
    signed: bool

    @classmethod
    def of(cls, weights: Floats) -> Embedding:
        """Embed a graph.

        Parameters
        ----------
        weights
            Shape (N, N), symmetric, 0 on the diagonal.
        """
        degree = np.abs(weights).sum(axis=1)
        root = np.sqrt(np.where(degree > 0, degree, 1.0))
        laplacian = np.eye(len(weights)) - weights / root[:, None] / root[None, :]
        values, vectors = np.linalg.eigh((laplacian + laplacian.T) / 2)
        signed = bool((weights < 0).any())
        return cls(values, vectors if signed else vectors / root[:, None], signed)

    def eigengap(self, low: int, high: int) -> int:
        """Return the number of clusters, within bounds, after which the eigenvalues leap most.

        Parameters
        ----------
        low, high
            Bounds, ``1 ≤ low ≤ high ≤ N``.
        """
        counts = np.arange(low, min(high, len(self.values) - 1) + 1)
        if not len(counts):
            return low
        return int(counts[np.argmax(self.values[counts] - self.values[counts - 1])])

    def clusters(self, count: int, seed: int) -> list[Ints]:
        """Return at most ``count`` clusters of nodes.

        Of a nonnegative graph by column-pivoted QR (Damle, Minden and Ying, 2019). Of a signed one by
        k-means, for there nodes that harm one another lie on opposite sides, so that signs count.

        Parameters
        ----------
        count
            Between 1 and N.
        seed
            Seeds k-means.
        """
        nodes = np.arange(len(self.values))
        if count <= 1:
            return [nodes]
        if count >= len(nodes):
            return [nodes[node : node + 1] for node in nodes]
        vectors = self.vectors[:, :count]
        labels = k_means(vectors, count, seed) if self.signed else _by_pivots(vectors)
        return [np.flatnonzero(labels == label) for label in np.unique(labels)]


def _by_pivots(vectors: Floats) -> Ints:
    from scipy.linalg import qr

    count = vectors.shape[1]
    pivots = qr(vectors.T, pivoting=True, mode="r")[1]
    left, _, right = np.linalg.svd(vectors[pivots[:count]].T)
    labels: Ints = np.abs(vectors @ (left @ right)).argmax(axis=1)
    return labels


def k_means(points: Floats, count: int, seed: int) -> Ints:
    """Return the cluster of each point by k-means (Lloyd, 1982), with k-means++ starts.

    Parameters
    ----------
    points
        Shape (N, d).
    count
        Number of clusters, at most N; those that end empty are not refilled.
    seed
        Decides the starts.
    """
    rng = np.random.default_rng(seed)
    best, found = np.inf, np.zeros(len(points), dtype=np.int64)
    for _ in range(RESTARTS):
        centres = _spread(points, count, rng)
        labels = np.full(len(points), -1)
        for _ in range(ROUNDS):
            distance = _distances(points, centres)
            fresh = distance.argmin(axis=1)
            if (fresh == labels).all():
                break
            labels = fresh
            member = (labels[None, :] == np.arange(count)[:, None]).astype(np.float64)
            held = member.sum(axis=1, keepdims=True)
            centres = np.where(held > 0, member @ points / np.maximum(held, 1.0), centres)
        spread = float(distance[np.arange(len(points)), labels].sum())
        if spread < best:
            best, found = spread, labels.astype(np.int64)
    return found


def _spread(points: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Draw points as centres, each with a chance that grows with its distance to those drawn before."""
    chosen = [int(rng.integers(len(points)))]
    nearest = _distances(points, points[chosen])[:, 0]
    while len(chosen) < count:
        total = float(nearest.sum())
        chance = nearest / total if total > 0 else None
        chosen.append(int(rng.choice(len(points), p=chance)))
        nearest = np.minimum(nearest, _distances(points, points[chosen[-1:]])[:, 0])
    return points[chosen]


def _distances(points: Floats, centres: Floats) -> Floats:
    squares = (points**2).sum(axis=1)[:, None] + (centres**2).sum(axis=1)[None, :]
    distance: Floats = np.maximum(squares - 2 * points @ centres.T, 0.0)
    return distance
