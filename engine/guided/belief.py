"""What is believed of the groups that may be chosen: measured gains, and predictions of all others."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.gains.bits import places
from engine.gains.model import GainModel, PosteriorModel, UncertainModel
from engine.gains.predictions import predictions
from engine.gains.tensor import GainTensor

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Belief:
    """Gains of all groups that may be chosen, with how far the true ones may be off.

    Attributes
    ----------
    gains
        Measured values where a group is measured, predictions elsewhere; its ``measured`` tells which.
    error
        Shape (E,): standard deviation of the true gain about each prediction; 0 where a group is
        measured, for a measured gain counts as it is.
    model
        What the predictions come from.
    """

    gains: GainTensor
    error: Numbers
    model: GainModel

    @classmethod
    def of(cls, model: GainModel, known: GainTensor, candidates: NDArray[np.bool_]) -> Belief:
        """Say what is believed of all known groups and of all candidates.

        Parameters
        ----------
        model
            Fitted on ``known``.
        known
            Measured gains, each group once.
        candidates
            Shape (M, N): further groups; those that are known are not repeated.
        """
        new = candidates[known.rows_of(candidates) < 0]
        gains = predictions(model, np.concatenate([known.membership, new]), known)
        gains = replace(gains, provenance=known.provenance)
        entries = gains.measured[gains.entry_rows]
        error = np.zeros(len(gains.values))
        asked = gains.membership[~gains.measured]
        if len(asked):
            error[~entries] = _true_error(model, asked)
        return cls(gains, error, model)

    def counting(self, groups: NDArray[np.bool_]) -> Belief:
        """Return a belief in which some groups, shape (m, N), count as measured at their predicted gains."""
        if not len(groups):
            return self
        counted = places(self.gains.membership, groups) >= 0
        gains = replace(self.gains, measured=self.gains.measured | counted)
        return replace(self, gains=gains, error=np.where(counted[gains.entry_rows], 0.0, self.error))

    def optimistic(self, kappa: float) -> GainTensor:
        """Return the gains as they would be, were every prediction too low by κ errors."""
        upward = 1.0 if self.gains.quantity == "gain" else -1.0
        return self._with(self.gains.values + upward * kappa * self.error)

    def drawn(self, random: np.random.Generator) -> GainTensor:
        """Return gains of which those not measured are drawn; jointly where the model can draw them so."""
        unknown = ~self.gains.measured
        entries = unknown[self.gains.entry_rows]
        values = self.gains.values + self.error * random.standard_normal(len(self.error))
        if isinstance(self.model, PosteriorModel) and unknown.any():
            asked = self.gains.membership[unknown]
            values[entries] = self.model.sample(asked, 1, random)[0][asked]
        return self._with(values)

    def _with(self, values: Numbers) -> GainTensor:
        return replace(self.gains, values=values, std=None)


def _true_error(model: GainModel, membership: NDArray[np.bool_]) -> Numbers:
    """Return how far the true gains of unmeasured groups may be off, entry by entry."""
    if not isinstance(model, UncertainModel):
        return np.zeros(int(membership.sum()))
    variance = np.square(model.std(membership))
    if isinstance(model, PosteriorModel):
        variance = np.maximum(variance - np.square(model.noise(membership)), 0.0)
    error = np.sqrt(variance)[membership]
    # Where a model does not know its error, the largest that it does know stands for it.
    largest = np.nanmax(error, initial=0.0)
    return np.where(np.isnan(error), largest, error)
