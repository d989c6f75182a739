from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine import DataError
from instances.text.sentence_pairs import CORPORA, read_sentences

RTE, MRPC, STS, COLA = CORPORA


def test_quotation_marks_are_text(tmp_path: Path) -> None:
    path = tmp_path / "train.tsv"
    path.write_text(
        '\ufeffQuality\t1\t2\tA\tB\r\n1\t5\t6\t" He said\tShe "did"\r\n0\t7\t8\tone \u2028 line\ttwo\n'
    )
    read = read_sentences(path, MRPC)
    assert read.first == ('" He said', "one \u2028 line")
    assert read.second == ('She "did"', "two")
    assert read.labels.tolist() == [1, 0]


def test_scores_become_fractions_of_the_highest(tmp_path: Path) -> None:
    path = tmp_path / "dev.tsv"
    path.write_text(
        "h\n" + "\n".join("\t".join("0123456ab") + f"\t{score}" for score in ("0", "2.5", "5.000"))
    )
    read = read_sentences(path, STS)
    assert read.labels.tolist() == [0, 0.5, 1]
    assert (read.first[0], read.second[0]) == ("a", "b")


def test_single_sentences_have_no_header_and_no_second_one(tmp_path: Path) -> None:
    path = tmp_path / "train.tsv"
    path.write_text("gj04\t1\t\tIt is so.\ngj04\t0\t*\tSo is.\n\n")
    read = read_sentences(path, COLA)
    assert read.first == ("It is so.", "So is.")
    assert read.second == ("", "")
    assert read.labels.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("corpus", "text", "message"),
    [
        (RTE, "h\n0\ta\tb\n", "line 2: 4 columns are needed, not 3"),
        (
            RTE,
            "h\n0\ta\tb\tentailment\n1\ta\tb\tmaybe\n",
            "line 3: the label must be not_entailment or entail",
        ),
        (RTE, "h\n0\ta\t \tentailment\n", "line 2: a sentence is empty"),
        (RTE, "index\tsentence1\tsentence2\tlabel\n", "there are no samples"),
        (MRPC, "h\n2\t1\t2\ta\tb\n", "line 2: the label must be 0 or 1, not '2'"),
        (STS, "h\n" + "\t".join("012345678") + "\t5.1\n", "line 2: the score must be 0 to 5, not '5.1'"),
        (STS, "h\n" + "\t".join("012345678") + "\tnan\n", "line 2: the score must be 0 to 5, not 'nan'"),
        (STS, "h\n" + "\t".join("012345678") + "\thigh\n", "the score must be 0 to 5, not 'high'"),
        (COLA, "gj04\t1\t\t\n", "line 1: a sentence is empty"),
        (COLA, "gj04\t1\ttext\n", "line 1: 4 columns are needed, not 3"),
    ],
)
def test_malformed_lines_are_named(tmp_path: Path, corpus: object, text: str, message: str) -> None:
    path = tmp_path / "train.tsv"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_sentences(path, corpus)  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(("content", "message"), [(b"\xff\xfe\x00", "UTF-8"), (None, "no such file")])
def test_an_unreadable_file_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "train.tsv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_sentences(path, RTE)


def test_the_published_corpora_have_their_known_sizes_and_shares(data_dir: Path) -> None:
    sizes, shares = [], []
    for corpus in CORPORA:
        parts = [
            read_sentences(data_dir / "glue" / corpus.folder / file, corpus)
            for file in ("train.tsv", "dev.tsv")
        ]
        sizes.append([len(part.labels) for part in parts])
        shares.append(float(np.mean(parts[1].labels)))
    assert sizes == [[2490, 277], [3667, 408], [5749, 1500], [8551, 1043]]
    assert shares == pytest.approx([146 / 277, 279 / 408, 0.4727, 721 / 1043], abs=1e-3)
