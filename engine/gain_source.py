"""What a gain source is: a plug-in that makes a gain model from a gain tensor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from engine.errors import UsageError
from engine.gain_model import GainModel
from engine.gains import GainTensor
from engine.plugins import GAIN_SOURCES


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
    """Base of the gain sources that predict: they fit a gain model on a gain tensor."""

    info: ClassVar[GainSourceInfo]

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


def make_gain_source(name: str) -> GainSource:
    """Return a gain source by name.

    Raises
    ------
    UsageError
        If there is no such source.
    """
    cls = GAIN_SOURCES.load(name)
    if not (isinstance(cls, type) and issubclass(cls, GainSource)):
        raise UsageError(f"The gain source {name!r} is not a subclass of engine.GainSource.")
    return cls()
