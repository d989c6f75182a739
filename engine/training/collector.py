"""What the gain sources that train are: collectors of groups, and affinities from one run."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import UnsupportedError
from engine.gains.affinity import Affinity
from engine.gains.source import GainSource
from engine.training.experiment import Experiment
from engine.training.trained_groups import TrainedGroups


class Collector(GainSource):
    """Base of the sources that train groups; :func:`engine.collect` stores and resumes for them."""

    does = "train groups"

    def experiment(self, experiment: Experiment) -> Experiment:
        """Return the experiment that is really run, for instance with fewer epochs."""
        return experiment

    @abstractmethod
    def chunk_size(self, experiment: Experiment) -> int:
        """Return how many groups to train between two writes to the store."""

    @abstractmethod
    def measure(self, experiment: Experiment, membership: NDArray[np.bool_], seed: int) -> TrainedGroups:
        """Train these groups; called in any process of any machine.

        Parameters
        ----------
        experiment
            As :meth:`experiment` returned it.
        membership
            Shape (G, N): the groups.
        seed
            Fixes initial weights, batches and noise. Results of a group depend on nothing else, in
            particular not on the groups beside it.
        """

    def train_for_good(
        self,
        experiment: Experiment,
        membership: NDArray[np.bool_],
        serving: Mapping[str, int],
        seed: int,
        folder: Path,
    ) -> TrainedGroups:
        """Train these groups and save their networks, whole or not at all.

        Parameters
        ----------
        experiment
            As :meth:`experiment` returned it.
        membership
            Shape (G, N): the groups.
        serving
            The row of the group that answers for each task.
        seed
            As for :meth:`measure`.
        folder
            Where the networks go: a new or empty folder.

        Raises
        ------
        UnsupportedError
            If the source does not save what it trains.
        """
        raise UnsupportedError(
            f"The gain source {type(self).__name__} does not save what it trains: choose measured."
        )


class AffinitySource(GainSource):
    """Base of the sources that say how every task affects every other, from one training run."""

    does = "give an affinity"

    @abstractmethod
    def affinity(self, experiment: Experiment, seed: int = 0) -> Affinity:
        """Return the affinity, ``matrix[i, j]`` = effect of training with i on j; positive helps.

        Parameters
        ----------
        experiment
            Data, backbone and training settings of the run.
        seed
            Fixes initial weights and batches.
        """
