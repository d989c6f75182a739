"""Affinities as nested JSON."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Literal, NoReturn

import numpy as np

from engine.errors import DataError, UsageError, unknown_name
from engine.files import read_text, write_text
from engine.gains.affinity import Affinity
from engine.gains.checks import LARGEST_VALUE
from engine.gains.formats.foreign import told
from engine.gains.formats.options import ReadOptions, expanded
from engine.gains.formats.tasks import reordered
from engine.gains.model import all_groups, tabulate
from engine.gains.names import task_name_flaw
from engine.gains.pair_mean import PairMeanModel
from engine.gains.tensor import GainTensor

Outer = Literal["source", "recipient"]

MOST_TASKS = 12
"""An affinity of more tasks is not tabulated over all groups: 2^12 − 1 = 4095 are."""


def read_affinity(path: str | Path, *, outer: Outer = "source") -> Affinity:
    """Read an affinity from JSON, ``{task: {task: effect}}``.

    The diagonal may be left out.

    Parameters
    ----------
    path
        The file.
    outer
        Whether the outer names are the sources or the recipients of the effects.

    Raises
    ------
    DataError
        If the file is malformed; the message names line or pair.
    UsageError
        If ``outer`` is neither.
    """
    if outer not in ("source", "recipient"):
        raise UsageError(f"outer must be 'source' or 'recipient', not {outer!r}.")
    path = expanded(path)
    loaded = _load(path)
    if not isinstance(loaded, dict) or not loaded:
        raise DataError(f"{path}: an affinity is an object {{task: {{task: number}}}}.")
    tasks = tuple(loaded)
    for name in tasks:
        flaw = task_name_flaw(name)
        if flaw:
            raise DataError(f"{path}: the task name {name!r:.80} {flaw}.")
    matrix = np.full((len(tasks), len(tasks)), np.nan)
    for row, (one, effects) in enumerate(loaded.items()):
        if not isinstance(effects, dict):
            raise DataError(f"{path}, task {one!r}: here must be an object {{task: number}}.")
        for other in effects:
            if other not in loaded:
                raise DataError(f"{path}, task {one!r}: {unknown_name('task', other, tasks)}")
        for column, other in enumerate(tasks):
            if other in effects:
                matrix[row, column] = _number(effects[other], f"{path}, tasks {one!r} and {other!r}")
            elif other != one:
                raise DataError(f"{path}, task {one!r}: the effect for {other!r} is missing.")
    return Affinity(tasks, matrix if outer == "source" else matrix.T, source=path.stem)


def write_affinity(affinity: Affinity, path: str | Path, *, outer: Outer = "source") -> None:
    """Write an affinity as JSON; numbers survive exactly, an unknown diagonal is left out.

    Parameters
    ----------
    affinity
        What to write.
    path
        The file.
    outer
        As in :func:`read_affinity`.

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    matrix = affinity.matrix if outer == "source" else affinity.matrix.T
    nested = {
        one: {other: value for other, value in zip(affinity.tasks, row, strict=True) if math.isfinite(value)}
        for one, row in zip(affinity.tasks, matrix.tolist(), strict=True)
    }
    write_text(expanded(path), json.dumps(nested, indent=1, ensure_ascii=False) + "\n")


def read_tabulated(path: Path, options: ReadOptions) -> GainTensor:
    """Read an affinity and predict every group of its tasks by the pair-mean rule.

    Parameters
    ----------
    path
        A file with the sources outside and the recipients inside.
    options
        What the caller asked for; the values count as predicted whatever source is named.

    Raises
    ------
    DataError
        If the file is malformed, or has too many tasks to list every group.
    """
    affinity = read_affinity(path)
    count = len(affinity.tasks)
    if count > MOST_TASKS:
        raise DataError(
            f"{path}: an affinity of {count} tasks stands for 2^{count} − 1 groups, too many to list (limit "
            f"{MOST_TASKS} tasks). Choose the groups and predict those: engine.read_affinity, "
            "gain_sources.hoa.HoaModel.from_affinity, engine.tabulate."
        )
    try:
        tensor = tabulate(PairMeanModel.from_affinity(affinity), all_groups(count), split=options.split)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    return reordered(tensor, options.tasks, str(path))


def _load(path: Path) -> Any:
    text = read_text(path)
    if not text.strip():
        raise DataError(f"{path}: the file is empty.")

    def constant(name: str) -> NoReturn:
        raise DataError(f"{path}: {name} is not a finite number.")

    def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                raise DataError(f"{path}: {name!r:.80} stands twice in the same object.")
            found[name] = value
        return found

    try:
        return json.loads(text, parse_constant=constant, object_pairs_hook=distinct)
    except json.JSONDecodeError as error:
        raise DataError(f"{path}, line {error.lineno}: this is not JSON ({error.msg}).") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: this is not usable JSON ({told(error)}).") from error


def _number(value: object, place: str) -> float:
    numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not numeric or not abs(value) <= LARGEST_VALUE:  # type: ignore[arg-type]
        raise DataError(
            f"{place}: {value!r:.60} is not a finite number of magnitude {LARGEST_VALUE:.0e} at most."
        )
    return float(value)  # type: ignore[arg-type]
