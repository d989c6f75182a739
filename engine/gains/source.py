"""What a gain source is: a plug-in that predicts gains, measures them, or gives a pairwise affinity."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, fields, is_dataclass
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

from engine.arrays import is_number
from engine.errors import UsageError, unknown_name
from engine.gains.model import GainModel
from engine.gains.tensor import GainTensor
from engine.plugins import GAIN_SOURCES, missing_modules


class Purpose(StrEnum):
    """What the engine looks for a gain source for, where none is named."""

    LATTICE = "tell the gains of all groups to choose from"
    PREDICT = "predict groups that were not trained"
    GUIDE = "guide a collection"
    TRAIN = "train groups"


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
    ranks
        The purposes for which the engine may choose it by itself, each with its place in the order of
        preference, lower first. Without a rank for a purpose it is never chosen for it, only named.
    """

    summary: str
    _: KW_ONLY
    requires: tuple[str, ...] = ()
    reference: str = ""
    ranks: Mapping[Purpose, int] = field(default_factory=dict)


class GainSource(ABC):
    """Base of all gain sources: frozen dataclasses whose fields are their options."""

    info: ClassVar[GainSourceInfo]
    does: ClassVar[str] = "give gains"
    """What sources of this kind do, for messages."""

    @property
    def caution(self) -> str:
        """What speaks against this source with these options, in one sentence; empty if nothing does."""
        return ""

    def require_least(self, **limits: float) -> None:
        """Refuse options that are no numbers or too small, given the least value of each.

        Raises
        ------
        UsageError
            Names the first such option.
        """
        for name, least in limits.items():
            value = getattr(self, name)
            if not is_number(value) or value < least:
                raise UsageError(f"{name} must be {least} or more, not {value!r}.")

    def require_choice(self, **choices: Sequence[str]) -> None:
        """Refuse options that are none of their choices.

        Raises
        ------
        UsageError
            Names the first such option and its choices.
        """
        for name, valid in choices.items():
            if getattr(self, name) not in valid:
                raise unknown_name(name, getattr(self, name), valid)


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
    known = {option.name for option in fields(cls)} if is_dataclass(cls) else None
    for option in options or ():
        if known is not None and option not in known:
            raise unknown_name(f"option of gain source {name!r}:", option, known)
    try:
        return cls(**(options or {}))
    except TypeError as error:
        raise UsageError(f"Gain source {name!r}: {error}") from None


def source_names(kind: type[GainSource]) -> tuple[str, ...]:
    """Return the names of the installed sources of a kind; those that cannot be imported are left out."""
    return tuple(name for name, cls in _sources() if issubclass(cls, kind))


def choose_source(purpose: Purpose) -> str:
    """Return the name of the preferred installed source for a purpose.

    Imports every gain source, which takes a fraction of a second and loads no library that they require.

    Raises
    ------
    UsageError
        If none is made for it.
    """
    able = [
        (bool(missing_modules(cls.info.requires)), cls.info.ranks[purpose], name)
        for name, cls in _sources()
        if purpose in cls.info.ranks
    ]
    if not able:
        raise UsageError(f"No gain source is installed to {purpose}: name one.")
    return min(able)[2]


def _sources() -> Iterator[tuple[str, type[GainSource]]]:
    for name, cls in GAIN_SOURCES.loaded():
        if isinstance(cls, type) and issubclass(cls, GainSource):
            yield name, cls
