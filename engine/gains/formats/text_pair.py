"""The upstream pair of text files: 0/1 membership and gains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError
from engine.files import read_text, write_text
from engine.gains.bits import duplicate_rows
from engine.gains.checks import SINGLE_TASK_TOLERANCE, baseline_flaw
from engine.gains.formats.figures import read_matrix
from engine.gains.formats.options import ReadOptions
from engine.gains.formats.tasks import check_names
from engine.gains.provenance import Provenance
from engine.gains.tensor import GainTensor


def read(membership_path: Path, gains_path: Path, options: ReadOptions) -> GainTensor:
    """Read two text files of the same shape without header, spaces or commas between the numbers.

    Parameters
    ----------
    membership_path
        1 where the task is a member of the group, else 0.
    gains_path
        Gains, 0 where the task is not a member.
    options
        What the caller asked for.

    Raises
    ------
    DataError
        If a file is malformed, or the two do not fit.
    """
    member, lines = read_matrix(membership_path, read_text(membership_path))
    gains, gain_lines = read_matrix(gains_path, read_text(gains_path))
    if len(member) != len(gains):
        raise DataError(
            f"{gains_path} has {len(gains)} rows but {membership_path} has {len(member)}: "
            "both need one row per group."
        )
    if member.shape[1] != gains.shape[1]:
        raise DataError(
            f"{gains_path} has {gains.shape[1]} columns but {membership_path} has {member.shape[1]}: "
            "both need one column per task."
        )
    tasks = _names(member.shape[1], membership_path, options)
    _check_cells(member, gains, tasks, (membership_path, lines), (gains_path, gain_lines), options)
    packed = np.packbits(member.astype(bool), axis=1)
    pair = duplicate_rows(packed, np.ones(len(packed)))
    if pair is not None and not options.merge_duplicates:
        raise DataError(
            f"{membership_path}, lines {lines[pair[0]]} and {lines[pair[1]]}: the same group stands twice. "
            "Keep one, or ask for duplicates to be merged (merge_duplicates=True, --merge-duplicates)."
        )
    if pair is not None:
        member, gains = _merged(member, gains, packed)
    try:
        return GainTensor.from_dense(
            tasks,
            member,
            gains,
            single_task_baseline=options.single_task_baseline,
            source=options.source,
            split=options.split,
            provenance=Provenance(f"{membership_path.name}, {gains_path.name}"),
        )
    except DataError as error:
        raise DataError(f"{gains_path}: {error}") from error


def write(tensor: GainTensor, membership_path: Path, gains_path: Path) -> None:
    """Write two text files, numbers separated by spaces.

    Raises
    ------
    DataError
        If the tensor has what these files cannot hold, or they cannot be written.
    """
    extras = {
        "losses": tensor.quantity != "gain",
        "standard errors": tensor.std is not None,
        "costs": bool((tensor.cost != 1).any()),
        "predicted rows": not tensor.measured.all(),
    }
    present = [name for name, there in extras.items() if there]
    if present:
        raise DataError(
            f"{membership_path}, {gains_path}: a pair of text files cannot hold {', '.join(present)}. "
            "Write .csv, .parquet or .npz."
        )
    member = tensor.membership
    dense = np.where(member, tensor.gains, 0.0)
    write_text(
        membership_path, "".join(" ".join("01"[cell] for cell in row) + "\n" for row in member.tolist())
    )
    write_text(gains_path, "".join(" ".join(map(repr, row)) + "\n" for row in dense.tolist()))


def _merged(
    member: NDArray[np.float64], gains: NDArray[np.float64], packed: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Average the gains of equal groups; each stays where it first stood."""
    first, part = np.unique(packed, axis=0, return_index=True, return_inverse=True)[1:]
    kept = np.sort(first)
    part = np.searchsorted(kept, first[part.ravel()])
    total = np.zeros((len(kept), gains.shape[1]))
    np.add.at(total, part, gains)
    return member[kept], total / np.bincount(part)[:, None]


def _names(count: int, path: Path, options: ReadOptions) -> tuple[str, ...]:
    if options.tasks is None:
        return tuple(f"t{column}" for column in range(count))
    if len(options.tasks) != count:
        raise DataError(f"{path} has {count} columns, but {len(options.tasks)} task names are given.")
    return check_names(options.tasks)


def _check_cells(
    member: NDArray[np.float64],
    gains: NDArray[np.float64],
    tasks: tuple[str, ...],
    membership_place: tuple[Path, list[int]],
    gains_place: tuple[Path, list[int]],
    options: ReadOptions,
) -> None:
    """Refuse the first cell that breaks a rule, by file, line and task."""
    wrong = np.argwhere((member != 0) & (member != 1))
    if len(wrong):
        row, column = wrong[0]
        raise DataError(
            f"{membership_place[0]}, line {membership_place[1][row]}, task {tasks[column]!r}: "
            f"membership must be 0 or 1, not {member[row, column]:g}."
        )
    empty = np.flatnonzero(~member.any(axis=1))
    if len(empty):
        raise DataError(
            f"{membership_place[0]}, line {membership_place[1][empty[0]]}: the group is empty. "
            "Remove the row or add a member."
        )
    outside = np.argwhere((member == 0) & (gains != 0))
    if len(outside):
        row, column = outside[0]
        raise DataError(
            f"{gains_place[0]}, line {gains_place[1][row]}, task {tasks[column]!r}: gain outside the group: "
            f"{gains[row, column]:g} is given, but the task is not a member. Leave it 0."
        )
    alone = (member.sum(axis=1) == 1)[:, None] & (np.abs(gains) > SINGLE_TASK_TOLERANCE)
    if options.single_task_baseline and alone.any():
        row, column = np.argwhere(alone)[0]
        raise DataError(
            f"{gains_place[0]}, line {gains_place[1][row]}, task {tasks[column]!r}: "
            f"{baseline_flaw(gains[row, column])}"
        )
