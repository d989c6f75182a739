"""Ridge: a task's gain is a mean of its own plus an effect of every other member, shrunk to the mean."""

from __future__ import annotations

from dataclasses import dataclass

from engine import GainSourceInfo, GainTensor, Predictor
from engine.gains.source import Purpose
from gain_sources.regression.membership_model import MembershipModel
from gain_sources.regression.membership_regression import fit_membership


@dataclass(frozen=True)
class Ridge(Predictor):
    """Ridge regression on membership, one per task.

    Attributes
    ----------
    weighted
        Weigh groups by their standard errors. Worth it where some have many more seeds than others.
    """

    weighted: bool = False
    info = GainSourceInfo(
        summary="ridge regression on membership, with a standard error; smooths many noisy groups",
        reference="Hoerl and Kennard, Technometrics 1970; penalty by Allen's leave-one-out error, 1974",
        ranks={Purpose.PREDICT: 10},
    )

    def fit(self, gains: GainTensor) -> MembershipModel:
        """Fit the regression of every task.

        Parameters
        ----------
        gains
            Gains or losses; every task is in some group of two or more.

        Raises
        ------
        DataError
            If a task is in no group of two or more.
        """
        return fit_membership(gains, intercept=True, per_size=False, by_std=self.weighted, source="ridge")
