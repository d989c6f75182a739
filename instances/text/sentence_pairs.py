"""Sentences and pairs of sentences with a label, from the tab-separated files of GLUE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.data import Task
from engine.errors import DataError
from engine.files import read_text


@dataclass(frozen=True)
class Corpus:
    """How the files of one GLUE task are read.

    Attributes
    ----------
    folder
        Its folder, which holds ``train.tsv`` and ``dev.tsv``.
    task
        What is predicted.
    columns
        The number of columns.
    header
        Whether the first line names them.
    first, second, label
        Columns of the sentences and the label; no second sentence where it is None.
    classes
        The words of the labels, in the order of the classes; empty where labels are scores.
    highest
        The score that becomes 1.
    """

    folder: str
    task: Task
    columns: int
    header: bool
    first: int
    second: int | None
    label: int
    classes: Mapping[str, float]
    highest: float = 1.0


CORPORA = (
    Corpus("RTE", Task("rte", "binary"), 4, True, 1, 2, 3, {"not_entailment": 0.0, "entailment": 1.0}),
    Corpus("MRPC", Task("mrpc", "binary"), 5, True, 3, 4, 0, {"0": 0.0, "1": 1.0}),
    Corpus("STS-B", Task("sts_b", "regression"), 10, True, 7, 8, 9, {}, highest=5.0),
    Corpus("CoLA", Task("cola", "binary"), 4, False, 3, None, 1, {"0": 0.0, "1": 1.0}),
)
"""Entailment, paraphrase, similarity (0…5, scaled to 0…1), and acceptability of single sentences."""


@dataclass(frozen=True, eq=False)
class Sentences:
    """The samples of one file.

    Attributes
    ----------
    first, second
        The sentences; ``second`` is empty text where there is one sentence.
    labels
        Shape (n,).
    """

    first: tuple[str, ...]
    second: tuple[str, ...]
    labels: NDArray[np.float64]


def read_sentences(path: Path, corpus: Corpus) -> Sentences:
    """Return the samples of a file.

    Quotation marks are text like any other: a tab ends a cell, a line feed ends a line, nothing else does.

    Parameters
    ----------
    path
        The file.
    corpus
        How it is read.

    Raises
    ------
    DataError
        If it is absent, a line has another number of columns, a sentence is empty, or a label is none.
    """
    lines = read_text(path).split("\n")
    first: list[str] = []
    second: list[str] = []
    labels: list[float] = []
    for number, line in enumerate(lines, start=1):
        cells = line.rstrip("\r").split("\t")
        if not line.strip() or (number == 1 and corpus.header):
            continue
        if len(cells) != corpus.columns:
            raise DataError(f"{path}, line {number}: {corpus.columns} columns are needed, not {len(cells)}.")
        first.append(cells[corpus.first].strip())
        second.append("" if corpus.second is None else cells[corpus.second].strip())
        if not first[-1] or (corpus.second is not None and not second[-1]):
            raise DataError(f"{path}, line {number}: a sentence is empty.")
        labels.append(_label(path, number, cells[corpus.label].strip(), corpus))
    if not labels:
        raise DataError(f"{path}: there are no samples.")
    return Sentences(tuple(first), tuple(second), np.array(labels))


def _label(path: Path, line: int, text: str, corpus: Corpus) -> float:
    if corpus.classes:
        if text not in corpus.classes:
            wanted = " or ".join(corpus.classes)
            raise DataError(f"{path}, line {line}: the label must be {wanted}, not {text!r}.")
        return corpus.classes[text]
    try:
        score = float(text)
    except ValueError:
        score = float("nan")
    if not 0 <= score <= corpus.highest:
        raise DataError(f"{path}, line {line}: the score must be 0 to {corpus.highest:g}, not {text!r}.")
    return score / corpus.highest
