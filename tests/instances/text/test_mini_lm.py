from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine import DataError
from engine.errors import MissingDependencyError
from instances.text.mini_lm import embed
from instances.text.word_piece import WordPieces
from tests.instances.text.glue_folder import write_model

torch = pytest.importorskip("torch")

Weights = dict[str, np.ndarray]


def reference(sentence: str, weights: Weights, pieces: WordPieces, heads: int, layers: int) -> np.ndarray:
    """Encode one sentence in float64 with NumPy, head by head."""
    from scipy.special import erf, softmax

    def linear(name: str, values: np.ndarray) -> np.ndarray:
        return values @ weights[f"{name}.weight"].astype(float).T + weights[f"{name}.bias"]

    def norm(name: str, values: np.ndarray) -> np.ndarray:
        centred = values - values.mean(axis=1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-12)
        return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    tokens = [pieces.pieces["[CLS]"], *pieces.encode(sentence)[:254], pieces.pieces["[SEP]"]]
    hidden = weights["embeddings.word_embeddings.weight"][tokens].astype(float)
    hidden = hidden + weights["embeddings.position_embeddings.weight"][: len(tokens)]
    hidden = norm("embeddings.LayerNorm", hidden + weights["embeddings.token_type_embeddings.weight"][0])
    for layer in range(layers):
        at = f"encoder.layer.{layer}"
        query, key, value = (
            linear(f"{at}.attention.self.{part}", hidden) for part in ("query", "key", "value")
        )
        size = hidden.shape[1] // heads
        seen = []
        for head in range(heads):
            part = slice(head * size, (head + 1) * size)
            scores = query[:, part] @ key[:, part].T / np.sqrt(size)
            seen.append(softmax(scores, axis=1) @ value[:, part])
        attended = linear(f"{at}.attention.output.dense", np.concatenate(seen, axis=1))
        hidden = norm(f"{at}.attention.output.LayerNorm", hidden + attended)
        wide = linear(f"{at}.intermediate.dense", hidden)
        wide = wide * (1 + erf(wide / np.sqrt(2))) / 2
        hidden = norm(f"{at}.output.LayerNorm", hidden + linear(f"{at}.output.dense", wide))
    mean = hidden.mean(axis=0)
    return mean / np.linalg.norm(mean)


def test_embeddings_are_those_of_the_encoder_whatever_the_batch(tmp_path: Path) -> None:
    weights = write_model(tmp_path, width=16, heads=4, layers=2)
    pieces = WordPieces(tmp_path / "vocab.txt")
    sentences = ["The cat runs.", "", "slowly " * 300, "a", "unknown wörds & the red dog", "The cat runs."]
    found = embed(sentences, tmp_path)
    assert found.shape == (6, 16)
    for sentence, vector in zip(sentences, found, strict=True):
        assert np.abs(vector - reference(sentence, weights, pieces, 4, 2)).max() < 1e-5


def no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def cut(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])


def more_layers(folder: Path) -> None:
    known = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**known, "num_hidden_layers": 3}))


def no_heads(folder: Path) -> None:
    (folder / "config.json").write_text("{}")


def no_json(folder: Path) -> None:
    (folder / "config.json").write_text("{")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (no_weights, "this is no BERT encoder"),
        (cut, "this is no BERT encoder"),
        (more_layers, "'encoder.layer.2.attention.self.query.weight' is missing"),
        (no_heads, "is missing"),
        (no_json, "this is not JSON"),
    ],
)
def test_a_malformed_model_is_refused(tmp_path: Path, spoil: Callable[[Path], None], message: str) -> None:
    write_model(tmp_path, width=16)
    spoil(tmp_path)
    with pytest.raises(DataError) as caught:
        embed(["a cat"], tmp_path)
    assert message in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_without_torch_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_model(tmp_path, width=16)
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(MissingDependencyError, match=r"task-grouping-engine\[train\]"):
        embed(["a cat"], tmp_path)
