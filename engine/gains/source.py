"""What a gain source is: a plug-in that predicts gains, measures them, or gives a pairwise affinity."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.errors import UnsupportedError, UsageError
from engine.gains.model import GainModel
from engine.gains.tensor import GainTensor
from engine.plugins import GAIN_SOURCES

if TYPE_CHECKING:
    from engine.gains.affinity import Affinity
    from engine.training.experiment import Experiment
    from engine.training.trained_groups import TrainedGroups


@dataclass(frozen=True)
class GainSourceInfo:
    """What a gain source declares about itself.

    Attributes
    ----------
    summary
        One line.
    requires
        Modules it imports when it runs.
    reference
        Where the method comes from.
    """

    summary: str
    requires: tuple[str, ...] = ()
    reference: str = ""


class GainSource(ABC):
    """Base of all gain sources: frozen dataclasses whose fields are their options."""

    info: ClassVar[GainSourceInfo]


class Predictor(GainSource):
    """Base of the sources that fit a gain model on known gains."""

    @abstractmethod
    def fit(self, gains: GainTensor) -> GainModel:
        """Fit the source on known gains.

        Parameters
        ----------
        gains
            What is known.

        Raises
        ------
        DataError
            If the tensor lacks what the source needs.
        """

    def refit(self, gains: GainTensor, previous: GainModel) -> GainModel:
        """Fit the source on more gains than before; fits anew where nothing is won by starting from there.

        Parameters
        ----------
        gains
            All that is known now.
        previous
            What this source made of some of it.

        Raises
        ------
        DataError
            If the tensor lacks what the source needs.
        """
        return self.fit(gains)


class Collector(GainSource):
    """Base of the sources that train groups; :func:`engine.collect` stores and resumes for them."""

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


Source = TypeVar("Source", bound=GainSource)


def make_gain_source(name: str, kind: type[Source], options: Mapping[str, Any] | None = None) -> Source:
    """Return a gain source by name.

    Parameters
    ----------
    name
        A registered name, or ``"module:Class"``.
    kind
        What it must be: :class:`Predictor`, :class:`Collector` or :class:`AffinitySource`.
    options
        Values of its fields.

    Raises
    ------
    UsageError
        If there is no such source, or it is of another kind, or an option is unknown.
    """
    cls = GAIN_SOURCES.load(name)
    if not (isinstance(cls, type) and issubclass(cls, GainSource)):
        raise UsageError(f"The gain source {name!r} is not a subclass of engine.GainSource.")
    if not issubclass(cls, kind):
        does = {Predictor: "predict gains", Collector: "train groups", AffinitySource: "give an affinity"}
        raise UsageError(f"The gain source {name!r} does not {does.get(kind, kind.__name__)}.")
    try:
        return cls(**(options or {}))
    except TypeError as error:
        raise UsageError(f"Gain source {name!r}: {error}") from None


def source_names(kind: type[GainSource]) -> tuple[str, ...]:
    """Return the names of the installed sources of a kind; those that cannot be imported are left out."""
    found = []
    for name in GAIN_SOURCES.names():
        try:
            cls = GAIN_SOURCES.load(name)
        except UsageError:
            continue
        if isinstance(cls, type) and issubclass(cls, kind):
            found.append(name)
    return tuple(found)
