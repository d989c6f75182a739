"""Additive: a task's gain is the sum of an effect of every other member, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from engine import GainSourceInfo, GainTensor, Predictor
from gain_sources.regression.membership_model import MembershipModel
from gain_sources.regression.membership_regression import fit_membership


@dataclass(frozen=True)
class Additive(Predictor):
    """Sum of directed effects of pairs, fitted on groups of all sizes.

    Attributes
    ----------
    mean
        Take the mean of the effects instead of their sum, as HOA does.
    weighted
        Weigh groups by their standard errors.
    """

    mean: bool = False
    weighted: bool = False
    info = GainSourceInfo(
        summary="sum (or mean) of directed pair effects fitted on groups of all sizes, with a standard error",
        reference="Hoerl and Kennard, Technometrics 1970; penalty by Allen's leave-one-out error, 1974",
    )

    def fit(self, gains: GainTensor) -> MembershipModel:
        """Fit the effects on every task.

        Parameters
        ----------
        gains
            Gains, or losses with those of every task alone; every task is in some group of two or more.

        Raises
        ------
        DataError
            If a task is in no group of two or more, or its loss alone is not known.
        """
        return fit_membership(
            gains, intercept=False, per_size=self.mean, by_std=self.weighted, source="additive"
        )
