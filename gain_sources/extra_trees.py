"""Extra-trees: one forest of randomised trees over all groups and tasks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine import GainSourceInfo, GainTensor, Predictor
from engine.errors import UsageError
from gain_sources.regression.canonical_gains import canonical_gains, larger_groups
from gain_sources.regression.canonical_model import CanonicalModel
from gain_sources.regression.tree_forest import grow_forest


@dataclass(frozen=True)
class ExtraTrees(Predictor):
    """Forest of extremely randomised trees; finds what no sum of effects can tell.

    All tasks share the forest: a tree may split on the task as well as on who else is in the group.
    The settings are a compromise among some twenty that were tried in cross-validation within known
    groups of the valid splits of mimic27 and ettm1, on one to four draws each; others did better on
    one of the two. A forest per task did better with fewest groups of ettm1, worse with more of
    mimic27, and took several times as long.

    Attributes
    ----------
    trees
        How many.
    least_leaf
        Least number of entries in a leaf.
    share
        Share of the features that each split looks at.
    seed
        Of the draws.
    """

    trees: int = 100
    least_leaf: int = 2
    share: float = 0.6
    seed: int = 0
    info = GainSourceInfo(
        summary="forest of randomised trees over groups and tasks, with a standard error; many groups",
        requires=("sklearn",),
        reference="Geurts, Ernst and Wehenkel, Extremely randomized trees, Machine Learning 2006",
    )

    def __post_init__(self) -> None:
        if self.trees < 10:
            raise UsageError(f"trees must be 10 or more, not {self.trees}: errors come from their spread.")
        if self.least_leaf < 1:
            raise UsageError(f"least_leaf must be 1 or more, not {self.least_leaf}.")
        if not 0 < self.share <= 1:
            raise UsageError(f"share must be above 0 and at most 1, not {self.share}.")
        if self.seed < 0:
            raise UsageError(f"seed must be 0 or more, not {self.seed}.")

    def fit(self, gains: GainTensor) -> CanonicalModel:
        """Grow the forest.

        Parameters
        ----------
        gains
            Gains or losses; every task is in some group of two or more.

        Raises
        ------
        DataError
            If a task is in no group of two or more.
        """
        known = canonical_gains(gains)
        larger = larger_groups(known, "extra-trees")
        forest = grow_forest(
            np.asarray(larger.membership), larger.gains, self.trees, self.least_leaf, self.share, self.seed
        )
        return CanonicalModel.of(gains.tasks, known, forest, "extra-trees")
