"""What a gain source is: a plug-in that predicts gains, measures them, or gives a pairwise affinity."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from engine.errors import UsageError
from engine.gains.model import GainModel
from engine.gains.tensor import GainTensor
from engine.plugins import GAIN_SOURCES

if TYPE_CHECKING:
    pass


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
    does: ClassVar[str] = "give gains"
    """What sources of this kind do, for messages."""


class Predictor(GainSource):
    """Base of the sources that fit a gain model on known gains."""

    does = "predict gains"

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


Source = TypeVar("Source", bound=GainSource)


def make_gain_source(name: str, kind: type[Source], options: Mapping[str, Any] | None = None) -> Source:
    """Return a gain source by name.

    Parameters
    ----------
    name
        A registered name, or ``"module:Class"``.
    kind
        What it must be: :class:`Predictor`, :class:`~engine.Collector` or :class:`~engine.AffinitySource`.
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
        raise UsageError(f"The gain source {name!r} does not {kind.does}.")
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
