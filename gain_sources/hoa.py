"""HOA: the gain of a task in a group is the mean of its measured pair gains with the other members."""

from __future__ import annotations

from dataclasses import dataclass

from engine import GainSourceInfo, GainTensor, Predictor
from engine.gains.pair_mean import PairMeanModel
from engine.gains.source import Purpose

HoaModel = PairMeanModel
"""The fitted model; ``HoaModel.from_affinity`` makes the same model from an affinity."""


@dataclass(frozen=True)
class Hoa(Predictor):
    """Higher-order approximation from pairs."""

    info = GainSourceInfo(
        summary="mean of the measured pair gains with the other members of the group",
        reference="Standley et al., Which Tasks Should Be Learned Together, ICML 2020, section 3",
        ranks={Purpose.LATTICE: 10},
    )

    def fit(self, gains: GainTensor) -> PairMeanModel:
        """Read off the pairs.

        Parameters
        ----------
        gains
            A tensor of gains or losses that holds every pair.

        Raises
        ------
        DataError
            If a pair is missing; it is named.
        """
        return PairMeanModel.from_gains(gains, source="hoa")
