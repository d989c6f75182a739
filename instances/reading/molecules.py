"""Molecules as fingerprints: tables of SMILES with a binary label per task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from engine import (
    DataError,
    InstanceInfo,
    MissingDependencyError,
    MultiTaskData,
    Task,
    TrainableInstance,
    UsageError,
)
from engine.data.readers import read_table
from engine.data.splits import stratified_splits
from instances.reading.array_cache import cached_array
from instances.reading.published_files import RAW, PublishedFile, Publisher, locate
from instances.reading.training_info import training_info

DEEPCHEM = Publisher(
    origin="github.com/deepchem/deepchem",
    licence="repository MIT; the data as their publishers have it",
    url=f"{RAW}/deepchem/deepchem/master/datasets",
    folder="molecules",
)
SMILES = "smiles"


def molecule_info(summary: str, tasks: Sequence[str], *, default_budget: float) -> InstanceInfo:
    """Return the information on an instance of molecules.

    Parameters
    ----------
    summary, tasks, default_budget
        As in :class:`~engine.InstanceInfo`.
    """
    note = "needs rdkit, the extra molecules"
    return training_info(summary, tasks, default_budget=default_budget, publisher=DEEPCHEM, note=note)


def morgan_fingerprints(
    smiles: Sequence[str], *, bits: int = 1024, radius: int = 2
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return Morgan fingerprints (Rogers and Hahn, 2010), kept in the user cache.

    Parameters
    ----------
    smiles
        One text per molecule.
    bits
        Length of a fingerprint, a multiple of 8.
    radius
        Bonds around an atom that a bit stands for.

    Returns
    -------
    tuple
        0 and 1, shape (molecules, bits); and whether each molecule could be read. Those that could not
        are 0.

    Raises
    ------
    MissingDependencyError
        If they are not in the cache and rdkit is not installed.
    UsageError
        If a number is unusable.
    """
    if bits < 8 or bits % 8:
        raise UsageError(f"bits must be a multiple of 8, not {bits}.")
    if radius < 0:
        raise UsageError(f"radius must be 0 or more, not {radius}.")

    def fill(packed: NDArray[Any]) -> None:
        chem, generators, base = _rdkit()
        generator = generators.GetMorganGenerator(radius=radius, fpSize=bits)
        with base.BlockLogs():
            for row, text in enumerate(smiles):
                molecule = chem.MolFromSmiles(text)
                if molecule is not None and molecule.GetNumAtoms():
                    packed[row] = np.packbits(generator.GetFingerprintAsNumPy(molecule))

    key = ["morgan", radius, bits, list(smiles)]
    packed = cached_array("fingerprints", key, (len(smiles), bits // 8), np.uint8, fill)
    # Every molecule sets a bit: an empty fingerprint is none.
    readable: NDArray[np.bool_] = (packed != 0).any(axis=1)
    return np.unpackbits(packed, axis=1).astype(np.float32), readable


class MoleculeInstance(TrainableInstance):
    """Base of the instances that are one table of molecules, with a column of 0, 1 or nothing per task.

    Attributes
    ----------
    file
        Where it is.
    columns
        The column of a task, by its name, where that is another.

    Parameters
    ----------
    name, data_dir
        As in :class:`~engine.Instance`.
    bits, radius
        As in :func:`morgan_fingerprints`.
    seed
        Of the split, which is stratified.
    """

    file: ClassVar[PublishedFile]
    columns: ClassVar[Mapping[str, str]] = {}
    backbone = "mlp"
    backbone_options = {"hidden": 32, "layers": 1}  # noqa: RUF012

    def __init__(
        self,
        name: str,
        data_dir: Path | None = None,
        *,
        bits: int = 1024,
        radius: int = 2,
        seed: int = 0,
    ) -> None:
        super().__init__(name, data_dir)
        self.bits, self.radius, self.seed = bits, radius, seed

    def data(self) -> MultiTaskData:
        """Return the published molecules.

        Raises
        ------
        DataError
            If the file cannot be had.
        MissingDependencyError
            If rdkit is needed and not installed.
        """
        return self.read(locate(self.file, self.data_dir))

    def read(self, path: Path) -> MultiTaskData:
        """Return the data of a table.

        Parameters
        ----------
        path
            The table, with a column ``smiles``. Molecules that cannot be read are left out; the provenance
            of the data names them.

        Raises
        ------
        DataError
            If the file is absent or malformed, or no molecule in it can be read.
        MissingDependencyError
            If rdkit is needed and not installed.
        """
        table = read_table(path)
        columns = [self.columns.get(task, task) for task in self.info.tasks]
        for column in (SMILES, *columns):
            if column not in table.columns:
                raise DataError(f"{path}: there is no column {column!r}.")
        labels = np.stack([table.numbers(column) for column in columns], axis=1)
        wrong = np.argwhere(~(np.isnan(labels) | (labels == 0) | (labels == 1)))
        if len(wrong):
            row, task = wrong[0]
            place = table.place(int(row), columns[task])
            raise DataError(f"{place}: {labels[row, task]:g} is no label; use 0, 1 or nothing.")
        smiles = table.column(SMILES).labels
        fingerprints, readable = morgan_fingerprints(smiles, bits=self.bits, radius=self.radius)
        if not readable.any():
            raise DataError(f"{path}, column {SMILES!r}: no molecule can be read.")
        lost = [f"line {table.lines[row]}: {smiles[row]:.80}" for row in np.flatnonzero(~readable)[:10]]
        notes = [f"{self.info.origin}, {self.file.path}"]
        notes.append(f"Morgan fingerprints of {self.bits} bits, radius {self.radius}")
        if lost:
            notes.append(
                f"{int((~readable).sum())} molecules that cannot be read left out ({', '.join(lost)})"
            )
        labels = labels[readable]
        return MultiTaskData(
            tuple(Task(name, "binary") for name in self.info.tasks),
            (fingerprints[readable],),
            tuple(labels.T),
            stratified_splits(labels, seed=self.seed),
            name=self.name,
            provenance="; ".join(notes),
        )


def _rdkit() -> tuple[Any, Any, Any]:
    try:
        return (
            import_module("rdkit.Chem"),
            import_module("rdkit.Chem.rdFingerprintGenerator"),
            import_module("rdkit.rdBase"),
        )
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "Fingerprints of molecules need rdkit: pip install 'task-grouping-engine[molecules]'."
        ) from error
