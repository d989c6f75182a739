from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from engine import DataError, MissingDependencyError, UsageError, load_instance
from instances.reading.molecules import MoleculeInstance, molecule_info, morgan_fingerprints
from instances.sider27 import Sider27
from instances.tox21 import Tox21
from tests.instances.reading.published_copy import refuse_module, stand_in

SMILES = ["CCO", "c1ccccc1", "CC(=O)Oc1ccccc1C(=O)O", "CN1C=NC2=C1C(=O)N(C(=O)N2C)C", "[Na+].[Cl-]"]


class TwoColumns(MoleculeInstance):
    """Two tasks, named otherwise than their columns."""

    info = molecule_info("made up", ("toxic", "sweet"), default_budget=1.0)
    file = Sider27.file
    columns: ClassVar = {"toxic": "Toxic, very", "sweet": "Sweet"}


@pytest.mark.usefixtures("own_cache")
def test_fingerprints_are_those_of_rdkit() -> None:
    chem = pytest.importorskip("rdkit.Chem")
    old = pytest.importorskip("rdkit.Chem.rdMolDescriptors")
    base = pytest.importorskip("rdkit.rdBase")
    found, readable = morgan_fingerprints(SMILES, bits=512, radius=3)
    with base.BlockLogs():  # the other way to them is deprecated
        expected = [
            list(old.GetMorganFingerprintAsBitVect(chem.MolFromSmiles(text), 3, nBits=512)) for text in SMILES
        ]
    assert found.dtype == np.float32
    assert np.array_equal(found, expected)
    assert readable.all()


def test_fingerprints_are_kept(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rdkit")
    first, _ = morgan_fingerprints(SMILES)
    assert len(list((own_cache / "fingerprints").iterdir())) == 1
    refuse_module(monkeypatch, "rdkit.Chem")
    assert np.array_equal(morgan_fingerprints(SMILES)[0], first)
    with pytest.raises(MissingDependencyError, match=r"pip install 'task-grouping-engine\[molecules\]'"):
        morgan_fingerprints(SMILES[:2])


@pytest.mark.usefixtures("own_cache")
def test_what_is_no_molecule_has_no_fingerprint(capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rdkit")
    found, readable = morgan_fingerprints(["CCO", "nonsense", "", "C1CC", "C(C)(C)(C)(C)C", "O"])
    assert readable.tolist() == [True, False, False, False, False, True]
    assert not found[~readable].any()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("options", [{"bits": 0}, {"bits": 12}, {"radius": -1}])
def test_unusable_numbers_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="must be"):
        morgan_fingerprints(SMILES, **options)


def lines() -> list[str]:
    sweet = ["" if count % 5 == 0 else int(count > 12) for count in range(31)]
    rows = [f"{count % 2},{sweet[count]},{'C' * count}O" for count in range(1, 31)]
    return ['"Toxic, very",Sweet,smiles', *rows]


@pytest.mark.usefixtures("own_cache")
def test_a_table_of_molecules(tmp_path: Path) -> None:
    pytest.importorskip("rdkit")
    rows = lines()
    rows[4] = "1,0,C1CC"
    path = tmp_path / "m.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    data = TwoColumns("m", bits=64).read(path)
    assert data.task_names == ("toxic", "sweet")
    assert data.inputs[0].shape == (29, 64)
    assert data.targets[0][:5].tolist() == [1, 0, 1, 1, 0]
    assert int(np.isnan(data.targets[1]).sum()) == 6
    assert "1 molecules that cannot be read left out (line 5: C1CC)" in data.provenance


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.__setitem__(0, "a,Sweet,smiles"), "there is no column 'Toxic, very'"),
        (lambda rows: rows.__setitem__(0, '"Toxic, very",Sweet,text'), "there is no column 'smiles'"),
        (lambda rows: rows.__setitem__(3, "2,1,CC"), "line 4, column 'Toxic, very': 2 is no label"),
        (lambda rows: rows.__setitem__(3, "yes,1,CC"), "line 4, column 'Toxic, very': 'yes' is not a finite"),
        (lambda rows: rows.__setitem__(3, "1,CC"), "line 4: 2 cells"),
        (lambda rows: rows.__delitem__(slice(1, None)), "no row below the header"),
        (lambda rows: rows.__setitem__(slice(1, None), ["1,0,x", "0,1,y"]), "no molecule can be read"),
        (lambda rows: rows.__delitem__(slice(3, None)), "2 rows cannot be split"),
    ],
)
@pytest.mark.usefixtures("own_cache")
def test_a_malformed_table_is_refused(tmp_path: Path, change: Any, message: str) -> None:
    pytest.importorskip("rdkit")
    rows = lines()
    change(rows)
    path = tmp_path / "m.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        TwoColumns("m").read(path)


@pytest.mark.parametrize("cls", [Sider27, Tox21])
@pytest.mark.usefixtures("own_cache")
def test_the_instance_reads_a_file_of_the_format(
    cls: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("rdkit")
    random = np.random.default_rng(0)
    columns = [cls.columns.get(task, task) for task in cls.info.tasks]
    header = ",".join(f'"{column}"' for column in (*columns, "smiles"))
    rows = [",".join([*map(str, random.integers(0, 2, len(columns))), "C" * n]) for n in range(1, 60)]
    stand_in(monkeypatch, cls, tmp_path, gzip.compress("\n".join([header, *rows]).encode()))
    data = cls("made", tmp_path, bits=128).data()
    assert data.task_names == cls.info.tasks
    assert data.inputs[0].shape == (59, 128)


@pytest.mark.parametrize("name", ["sider27", "tox21"])
@pytest.mark.usefixtures("own_cache")
def test_without_the_file_the_error_says_how_to_get_it(name: str) -> None:
    with pytest.raises(DataError, match=r"molecules/.*csv.gz is missing.*deepchem/deepchem"):
        load_instance(name).data()  # type: ignore[attr-defined]


@pytest.mark.usefixtures("own_cache")
def test_the_published_side_effects(data_dir: Path) -> None:
    pytest.importorskip("rdkit")
    data = Sider27("sider27", data_dir).data()
    assert data.inputs[0].shape == (1427, 1024)
    assert data.n_tasks == 27
    for target in data.targets:
        for name in ("train", "valid", "test"):
            assert {0.0, 1.0} <= set(target[data.rows(name)])
