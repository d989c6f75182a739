"""What an instance is: a named set of gains with a default problem."""

from __future__ import annotations

import os.path
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import UsageError, unknown_name
from engine.gains.model import tabulate
from engine.gains.predictions import fit_provenance
from engine.gains.source import Predictor, make_gain_source, source_names
from engine.gains.tensor import GainTensor, Quantity
from engine.plugins import INSTANCES


@dataclass(frozen=True)
class InstanceInfo:
    """What an instance declares without loading its data.

    Attributes
    ----------
    summary
        One line.
    tasks, n_groups
        Task names and number of groups.
    sources
        Gain sources recorded with it; the first is the default.
    source_split, evaluation_split
        The split the solver sees and the one the result is judged on, empty where there is none.
    budgets
        The budgets of its frontier, ascending.
    default_budget
        The budget used where none is given.
    quantity
        ``"gain"`` or ``"loss"``.
    origin, licence
        Publisher, commit and licence note.
    note
        What a reader of its results must know, for instance that a split is used twice.
    bundled
        What comes with the engine for a machine where the data cannot be had; empty: nothing.
    """

    summary: str
    tasks: tuple[str, ...]
    n_groups: int
    sources: tuple[str, ...] = ("measured",)
    source_split: str = ""
    evaluation_split: str = ""
    budgets: tuple[float, ...] = ()
    default_budget: float = 1.0
    quantity: Quantity = "gain"
    origin: str = "bundled"
    licence: str = "MIT"
    note: str = ""
    bundled: str = ""

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits it has."""
        return tuple(dict.fromkeys(one for one in (self.source_split, self.evaluation_split) if one))


class Instance(ABC):
    """Base of all instances.

    Parameters
    ----------
    name
        How it was asked for.
    data_dir
        Folder with its data, to be looked in first.
    """

    info: InstanceInfo

    def __init__(self, name: str, data_dir: Path | None = None) -> None:
        self.name = name
        self.data_dir = data_dir

    def at_hand(self) -> Instance:
        """Return this instance or, where its data cannot be had, what comes with the engine instead.

        Whatever comes instead is marked as predicted, and tells so by a
        :class:`~engine.errors.PredictedGainsWarning`.

        Raises
        ------
        DataError
            If the data are not what was published, or are not in a folder that was named for them.
        """
        return self

    @abstractmethod
    def recorded(self, source: str, split: str) -> GainTensor:
        """Return the gains of a recorded source on a split.

        Raises
        ------
        DataError
            If the data cannot be had or are malformed.
        """

    def gains(self, source: str | None = None) -> GainTensor:
        """Return the gains the solver sees.

        A source that is not recorded is fitted on the default source and tabulated on the same
        groups. Its rows count as predicted, except those whose values are the recorded ones, which
        it hands through, as ``hoa`` does with singles and pairs: they are what they were.

        Parameters
        ----------
        source
            A recorded source, or else a registered gain source or ``"module:Class"``.

        Raises
        ------
        UsageError
            If there is no such source.
        """
        source = source or self.info.sources[0]
        if source in self.info.sources:
            return self.recorded(source, self.info.source_split)
        if ":" not in source and source not in source_names(Predictor):
            raise unknown_name(
                f"source of instance {self.name!r}:", source, {*self.info.sources, *source_names(Predictor)}
            )
        known = self.recorded(self.info.sources[0], self.info.source_split)
        predicted = tabulate(
            make_gain_source(source, Predictor).fit(known),
            known.membership,
            split=known.split,
            cost=known.cost,
            quantity=known.quantity,
            single_task_baseline=known.single_task_baseline,
        )
        same = np.logical_and.reduceat(predicted.values == known.values, known.indptr[:-1])
        return replace(
            predicted,
            std=_std(predicted, known, same[known.entry_rows]),
            measured=same & known.measured,
            provenance=fit_provenance(source, known),
        )

    def evaluation(self) -> GainTensor | None:
        """Return the measured gains of the evaluation split, None where there is none."""
        if not self.info.evaluation_split:
            return None
        return self.recorded(self.info.sources[0], self.info.evaluation_split)


def _std(predicted: GainTensor, known: GainTensor, same: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    """Return the standard errors of predictions, and of what was handed through."""
    if known.std is None and predicted.std is None:
        return None
    unknown = np.full(len(known.values), np.nan)
    return np.where(
        same,
        unknown if known.std is None else known.std,
        unknown if predicted.std is None else predicted.std,
    )


class CatalogueInstance(Instance):
    """Base of the instances that are found by name; ``info`` is known without an object."""

    info: InstanceInfo


def load_instance(
    name: str, data_dir: str | Path | None = None, options: Mapping[str, Any] | None = None
) -> Instance:
    """Return an instance of the catalogue, or what stands in for it where its data cannot be had.

    Parameters
    ----------
    name
        A registered name, or ``"module:Class"``.
    data_dir
        Folder with its data, to be looked in before the usual places.
    options
        Further arguments of the instance.

    Raises
    ------
    UsageError
        If there is no such instance, or it takes no such option.
    DataError
        As :meth:`Instance.at_hand`.
    """
    text = str(name)
    if text not in INSTANCES.names() and is_path(text):
        raise UsageError(
            f"{text!r} is not in the catalogue of instances. If it is a file, open it with "
            "engine.open_instance(path), or read its gains with engine.read_gains(path)."
        )
    cls = INSTANCES.load(text)
    if not (isinstance(cls, type) and issubclass(cls, Instance)):
        raise UsageError(f"The instance {text!r} is not a subclass of engine.Instance.")
    try:
        made = cls(text, None if data_dir is None else Path(data_dir), **(options or {}))
    except TypeError as error:
        if not options:
            raise
        raise UsageError(f"Instance {text!r}: {error}.") from None
    return made.at_hand()


def is_path(text: str) -> bool:
    """Whether a text is meant as a path: it has a suffix, a folder or a comma, or it exists."""
    if ":" in text and "/" not in text and not os.path.exists(text):
        # "module:Class" is a name, "C:my.csv" is not
        return bool(os.path.splitext(text.partition(":")[2])[1])
    looks = any(mark in text for mark in ("/", os.sep, ",")) or bool(os.path.splitext(text)[1])
    return looks or os.path.exists(text)
