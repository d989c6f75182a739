from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from backbones import make_backbone
from engine import DataError, Experiment, MultiTaskData, Task, UsageError
from engine.data.splits import random_splits

HIDDEN, LAYERS, HEADS, INNER, VOCABULARY, POSITIONS = 8, 2, 2, 12, 11, 7
DATA = MultiTaskData((Task("a"),), (np.ones((9, 5), dtype=np.int64),), (np.arange(9.0),), random_splits(9))
TOKENS = np.array([[3, 5, 2, 0, 0], [1, 10, 4, 6, 7]])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    config = {
        "hidden_act": "gelu",
        "hidden_size": HIDDEN,
        "intermediate_size": INNER,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": POSITIONS,
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "type_vocab_size": 2,
        "vocab_size": VOCABULARY,
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    sizes = {"embeddings.LayerNorm": (HIDDEN,)}
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}."
        for name in ("query", "key", "value"):
            sizes[f"{at}attention.self.{name}"] = (HIDDEN, HIDDEN)  # type: ignore[assignment]
        sizes[f"{at}attention.output.dense"] = (HIDDEN, HIDDEN)  # type: ignore[assignment]
        sizes[f"{at}attention.output.LayerNorm"] = (HIDDEN,)
        sizes[f"{at}intermediate.dense"] = (INNER, HIDDEN)  # type: ignore[assignment]
        sizes[f"{at}output.dense"] = (HIDDEN, INNER)  # type: ignore[assignment]
        sizes[f"{at}output.LayerNorm"] = (HIDDEN,)
    torch.manual_seed(0)
    weights = {f"{name}.weight": torch.randn(size) for name, size in sizes.items()}
    weights |= {f"{name}.bias": torch.randn(size[0]) for name, size in sizes.items()}
    for name, rows in (("word", VOCABULARY), ("position", POSITIONS), ("token_type", 2)):
        weights[f"embeddings.{name}_embeddings.weight"] = torch.randn(rows, HIDDEN)
    weights["pooler.dense.weight"] = torch.randn(HIDDEN, HIDDEN)
    weights["embeddings.position_ids"] = torch.arange(POSITIONS)[None]
    save_file(weights, tmp_path / "model.safetensors")
    return tmp_path


def naive(weights: dict[str, Any], tokens: np.ndarray) -> np.ndarray:
    """One sentence without padding, token by token."""

    def dense(at: str, values: np.ndarray) -> np.ndarray:
        return values @ weights[f"{at}.weight"].T + weights[f"{at}.bias"]

    def norm(at: str, values: np.ndarray) -> np.ndarray:
        centred = values - values.mean(axis=1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-12)
        return scaled * weights[f"{at}.weight"] + weights[f"{at}.bias"]

    at = "embeddings"
    values = weights[f"{at}.word_embeddings.weight"][tokens]
    values = values + weights[f"{at}.position_embeddings.weight"][: len(tokens)]
    values = norm(f"{at}.LayerNorm", values + weights[f"{at}.token_type_embeddings.weight"][0])
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}"
        query, key, value = (dense(f"{at}.attention.self.{one}", values) for one in ("query", "key", "value"))
        seen = np.zeros_like(values)
        share = HIDDEN // HEADS
        for head in range(HEADS):
            own = slice(head * share, (head + 1) * share)
            scores = np.exp(query[:, own] @ key[:, own].T / math.sqrt(share))
            seen[:, own] = scores / scores.sum(axis=1, keepdims=True) @ value[:, own]
        values = norm(
            f"{at}.attention.output.LayerNorm", values + dense(f"{at}.attention.output.dense", seen)
        )
        wide = dense(f"{at}.intermediate.dense", values)
        wide = wide * 0.5 * (1 + np.vectorize(math.erf)(wide / math.sqrt(2)))
        values = norm(f"{at}.output.LayerNorm", values + dense(f"{at}.output.dense", wide))
    return values.mean(axis=0)


@pytest.mark.parametrize("prefix", ["", "bert."])
def test_published_weights_give_what_a_naive_pass_gives(folder: Path, prefix: str) -> None:
    from safetensors.torch import load_file

    weights = load_file(folder / "model.safetensors")
    weights = {name: one.clone() for name, one in weights.items()}  # apart from the file that is overwritten
    save_file({prefix + name: one for name, one in weights.items()}, folder / "model.safetensors")
    network, width = make_backbone("text-encoder", {"weights": str(folder)}).encoder((5,), np.dtype(np.int64))
    assert width == HIDDEN
    found = network.double().eval()(torch.from_numpy(TOKENS)).detach().numpy()
    exact = {name: one.double().numpy() for name, one in weights.items()}
    for row, length in enumerate((3, 5)):
        np.testing.assert_allclose(found[row], naive(exact, TOKENS[row, :length]), atol=1e-10)


def test_a_frozen_encoder_is_not_trained_and_drops_nothing(folder: Path) -> None:
    options = {"weights": str(folder), "frozen": True}
    network, _ = make_backbone("text-encoder", options).encoder((5,), np.dtype(np.int32))
    assert not any(one.requires_grad for one in network.parameters())
    tokens = torch.from_numpy(TOKENS)
    assert torch.equal(network.train()(tokens), network(tokens))
    tuned, _ = make_backbone("text-encoder", {"weights": str(folder)}).encoder((5,), np.dtype(np.int64))
    assert all(one.requires_grad for one in tuned.parameters())


def test_weights_of_an_installed_package(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "tiny_bert_weights"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('must not be run')\n")
    for name in ("config.json", "model.safetensors"):
        (folder / name).rename(package / "model" / name)
    monkeypatch.syspath_prepend(str(tmp_path))
    _, width = make_backbone("text-encoder", {"weights": "tiny-bert-weights"}).encoder(
        (5,), np.dtype(np.int64)
    )
    assert width == HIDDEN


def test_a_sentence_of_padding_only_is_finite() -> None:
    network, _ = make_backbone("text-encoder", {"hidden": 8, "vocabulary": 5}).encoder(
        (4,), np.dtype(np.int64)
    )
    assert torch.isfinite(network.eval()(torch.zeros(2, 4, dtype=torch.long))).all()


def test_refuses_weights_that_are_not_there_or_do_not_fit(folder: Path) -> None:
    def encoder(shape: tuple[int, ...] = (5,), **options: Any) -> None:
        make_backbone("text-encoder", options).encoder(shape, np.dtype(np.int64))

    with pytest.raises(DataError, match="'nowhere-at-all' are neither a folder"):
        encoder(weights="nowhere-at-all")
    with pytest.raises(DataError, match="7 tokens at most, these samples have 8"):
        encoder((8,), weights=str(folder))
    with pytest.raises(UsageError, match="frozen needs weights"):
        encoder(frozen=True)
    with pytest.raises(UsageError, match="weights are for tokens"):
        make_backbone("text-encoder", {"weights": str(folder)}).encoder((5,), np.dtype(np.float32))
    (folder / "model.safetensors").write_bytes(b"\x80\x04pickle")
    with pytest.raises(DataError, match="this is no BERT encoder"):
        encoder(weights=str(folder))
    (folder / "config.json").write_text("{}")
    with pytest.raises(DataError, match="'hidden_act' is missing"):
        encoder(weights=str(folder))


def test_an_experiment_is_known_by_the_content_of_weights(folder: Path) -> None:
    def digest(weights: Path, **more: Any) -> str:
        options = {"weights": str(weights), **more}
        return Experiment(DATA, "text-encoder", options).digest

    other = shutil.copytree(folder, folder / "copy", ignore=shutil.ignore_patterns("copy"))
    first = digest(folder)
    assert digest(other) == first
    assert digest(other, frozen=True) != first
    config = (other / "config.json").read_text()
    (other / "config.json").write_text(config.replace("1e-12", "1e-11"))
    assert digest(other) != first
    (other / "config.json").write_text(config)
    weights = load_file(other / "model.safetensors")
    weights["pooler.dense.weight"][0, 0] += 1
    save_file(weights, other / "model.safetensors")
    assert digest(other) != first
    (other / "model.safetensors").unlink()
    with pytest.raises(DataError, match=r"model.safetensors: cannot be read \(No such file"):
        digest(other)
    with pytest.raises(DataError, match="neither a folder"):
        digest(folder / "nowhere")


def test_an_experiment_without_weights_is_known_by_its_options() -> None:
    described = Experiment(DATA, "text-encoder", {"hidden": 8, "weights": ""}).description
    assert described["backbone_options"] == {"hidden": 8, "weights": ""}
    assert Experiment(DATA, "resnet18", {"stem": "small"}).description["backbone_options"] == {
        "stem": "small"
    }
