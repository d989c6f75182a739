"""A complete gain source to copy: the mean over similar groups.

Copy this file to ``gain_sources/my_source.py`` (or into a package of your own), rename the classes, and add
one line to ``pyproject.toml``::

    [project.entry-points."taskgrouping.gain_sources"]
    my-source = "gain_sources.my_source:MySource"

Then ``engine predict --source my-source`` finds it, and the conformance suite of :mod:`engine.testing` tests
it. Before that, ``--source gain_sources.TEMPLATE:SimilarGroups`` works without any registration.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine import DataError, GainSourceInfo, GainTensor, Predictor, UsageError


@dataclass(frozen=True, eq=False)
class SimilarModel:
    """What a source returns: an object with ``tasks``, ``source`` and ``predict``.

    Attributes
    ----------
    tasks, source
        Names of the N tasks, and of the gain source.
    known
        Shape (M, N): the groups that were trained.
    gains
        Shape (M, N): their gains, 0 where the task is not a member.
    sharpness
        As in :class:`SimilarGroups`.
    """

    tasks: tuple[str, ...]
    source: str
    known: NDArray[np.bool_]
    gains: NDArray[np.float64]
    sharpness: float

    def predict(self, membership: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the gains of these groups, shape (m, N), NaN where the task is not a member."""
        groups = np.asarray(membership, dtype=bool)
        common = groups.astype(float) @ self.known.T
        union = groups.sum(axis=1)[:, None] + self.known.sum(axis=1) - common
        weight = (common / union) ** self.sharpness
        # A task alone gains nothing by definition; a group without any trained one that shares the task with
        # it has the plain mean of the task.
        total = weight @ self.known
        mean = self.gains.sum(axis=0) / self.known.sum(axis=0)
        near = np.where(total > 0, weight @ self.gains / np.where(total > 0, total, 1.0), mean)
        near[groups.sum(axis=1) == 1] = 0.0
        return np.where(groups, near, np.nan)


# Whoever also knows how far a prediction may be off adds `std(membership)` of the same shape: objectives that
# are careful and guided collection use it.


@dataclass(frozen=True)
class SimilarGroups(Predictor):
    """The gain of a task in a group: a mean over the trained groups that hold it, weighted by similarity.

    Attributes
    ----------
    sharpness
        Power of the Jaccard similarity that weighs a group. The fields of the class are the source's
        options: ``--source-option sharpness=4``.
    """

    sharpness: float = 8.0

    info = GainSourceInfo(
        summary="mean over similar groups",
        # requires=("sklearn",): modules that it imports when it runs, imported inside the methods.
        reference="",
        # ranks={Purpose.PREDICT: 90}: lets the engine choose it where no source is named.
    )

    def __post_init__(self) -> None:
        # Check options here; the engine reads them from text by the types of the fields.
        if not self.sharpness >= 0:
            raise UsageError(f"sharpness must be 0 or more, not {self.sharpness!r}.")

    def fit(self, gains: GainTensor) -> SimilarModel:
        """Keep the groups of two or more tasks.

        Parameters
        ----------
        gains
            Gains or losses; every task is in some group of two or more.

        Raises
        ------
        DataError
            If a task is in no group of two or more.
        """
        # Of several rows of one group, at several costs, one stands for it: known_rows are these, and only
        # measured ones where there are any.
        rows = gains.known_rows[gains.sizes[gains.known_rows] > 1]
        known = gains.membership[rows]
        lonely = [task for at, task in enumerate(gains.tasks) if not known[:, at].any()]
        if lonely:
            raise DataError(f"No trained group of two or more tasks holds {', '.join(lonely)}: train some.")
        return SimilarModel(
            gains.tasks, "similar-groups", known, np.nan_to_num(gains.gains[rows]), self.sharpness
        )


# A source that trains inherits engine.Collector instead (chunk_size and measure), one that reads pairwise
# effects from a training run engine.AffinitySource (affinity). See docs/plug-in-a-gain-source.md.
