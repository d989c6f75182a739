"""Predicted gains that come with the engine: a small file per instance, where measured ones cannot be had."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from engine import DataError, GainTensor
from engine.files import read_bytes, write_binary
from engine.gains.formats.foreign import told
from engine.gains.provenance import Provenance

FOLDER = Path(__file__).parents[1] / "predictions"
DECIMALS = 4
"""Decimals of gains and standard errors in a file: hundredths of a percent."""
_UNIT = 10**DECIMALS
_PROVENANCE = "provenance.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class FittedSplit:
    """What the predictions of one split were fitted on, and how far off such predictions are.

    Attributes
    ----------
    fitted_on
        Number of measured groups.
    files
        SHA-256 of every published file that was read, by path.
    mean_error
        Mean absolute error, a fraction, on measured groups that were left out of the fit.
    error_of_means
        The same of a predictor that knows nothing but the mean gain of every task.
    rank_correlation
        Spearman's, over the members of those groups.
    within_90
        Share of their gains inside the 90 % intervals of the standard errors.
    """

    fitted_on: int
    files: Mapping[str, str]
    mean_error: float
    error_of_means: float
    rank_correlation: float
    within_90: float


@dataclass(frozen=True)
class FitRecord:
    """How a file of predictions was made.

    Attributes
    ----------
    instance
        The name of the instance.
    command
        Makes the file again.
    engine, recipe
        Version of the package, and of the procedure.
    platform
        Where it was made: elsewhere, sums in another order may round otherwise.
    source, options
        The predictor and all its options.
    groups, group_seed
        The groups in words, as ``engine predict --groups`` takes them, and the seed of the random ones.
    folds, fold_seed
        Of the cross-validation that the errors come from.
    origin
        Publisher and commit of what was fitted.
    splits
        One record per split.
    """

    instance: str
    command: str
    engine: str
    recipe: int
    platform: str
    source: str
    options: Mapping[str, Any]
    groups: str
    group_seed: int
    folds: int
    fold_seed: int
    origin: str
    splits: Mapping[str, FittedSplit]


@dataclass(frozen=True, eq=False)
class BundledPredictions:
    """Predicted gains of fixed groups, one tensor per split, and how they were made.

    Attributes
    ----------
    fit
        How they were made.
    gains
        Split → tensor; all of the same groups, in the same order, with standard errors.
    """

    fit: FitRecord
    gains: Mapping[str, GainTensor]


def write_predictions(bundle: BundledPredictions, path: Path) -> None:
    """Write a file of predictions; what is written depends on nothing but the bundle.

    Gains and standard errors are rounded to :data:`DECIMALS`.

    Raises
    ------
    DataError
        If a number does not fit the format, or the file cannot be written.
    """
    first = next(iter(bundle.gains.values()))
    arrays: dict[str, NDArray[Any]] = {
        "tasks": np.array(first.tasks),
        "groups": np.packbits(first.membership, axis=1),
    }
    for split, tensor in bundle.gains.items():
        if tensor.std is None or not np.array_equal(tensor.packed, first.packed):
            raise DataError(
                f"Split {split!r}: predictions need standard errors, and the groups of the others."
            )
        for kind, numbers in (("gain", tensor.values), ("std", tensor.std)):
            arrays[f"{kind}_{split}"] = _rounded(numbers, f"{kind} of split {split!r}")

    def save(stream: BinaryIO) -> None:
        with zipfile.ZipFile(stream, "w") as archive:
            record = json.dumps(asdict(bundle.fit), indent=2, ensure_ascii=False)
            # Not compressed, so that every tool shows it.
            _add(archive, _PROVENANCE, (record + "\n").encode(), zipfile.ZIP_STORED)
            for name, array in arrays.items():
                content = io.BytesIO()
                np.lib.format.write_array(content, array, allow_pickle=False)
                _add(archive, f"{name}.npy", content.getvalue())

    write_binary(path, save)


def read_predictions(path: Path) -> BundledPredictions:
    """Read a file that :func:`write_predictions` wrote.

    Raises
    ------
    DataError
        If the file is missing or damaged.
    """
    data = read_bytes(path)
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            record = json.loads(archive[_PROVENANCE])
            splits = {name: FittedSplit(**fitted) for name, fitted in record.pop("splits").items()}
            fit = FitRecord(splits=splits, **record)
            arrays = {name: archive[name] for name in archive.files if name != _PROVENANCE}
        tasks = tuple(arrays["tasks"].tolist())
        membership = np.unpackbits(arrays["groups"], axis=1, count=len(tasks)).astype(bool)
        gains = {split: _tensor(fit, split, tasks, membership, arrays) for split in splits}
    except Exception as error:  # a damaged archive raises almost anything
        raise DataError(f"{path}: this file is damaged ({told(error)}). Install the engine anew.") from error
    return BundledPredictions(fit, gains)


def _tensor(
    fit: FitRecord,
    split: str,
    tasks: tuple[str, ...],
    membership: NDArray[np.bool_],
    arrays: Mapping[str, NDArray[Any]],
) -> GainTensor:
    columns = np.nonzero(membership)[1]
    count = len(membership)
    fitted = f"{fit.source} fitted on {fit.splits[split].fitted_on} measured {split} gains"
    return GainTensor(
        tasks,
        np.concatenate([[0], np.cumsum(membership.sum(axis=1))]),
        columns,
        arrays[f"gain_{split}"] / _UNIT,
        std=arrays[f"std_{split}"] / _UNIT,
        cost=np.ones(count),
        measured=np.zeros(count, dtype=bool),
        source=fit.source,
        split=split,
        provenance=Provenance(f"{fitted} of {fit.origin}"),
    )


def _rounded(numbers: NDArray[np.float64], what: str) -> NDArray[np.int16]:
    whole = np.rint(numbers * _UNIT)
    limit = np.iinfo(np.int16).max
    if not (np.abs(whole) <= limit).all():  # NaN too
        raise DataError(f"The {what} must be numbers of at most {limit / _UNIT} in size.")
    return np.asarray(whole, dtype=np.int16)


def _add(archive: zipfile.ZipFile, name: str, content: bytes, compression: int = zipfile.ZIP_LZMA) -> None:
    """Add a member without a time, a platform or permissions of its own."""
    member = zipfile.ZipInfo(name, _EPOCH)
    member.create_system, member.external_attr = 3, 0o644 << 16
    archive.writestr(member, content, compression)
