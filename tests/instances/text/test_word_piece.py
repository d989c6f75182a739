from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import DataError
from instances.text.word_piece import WordPieces, words

PIECES = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "un",
    "##aff",
    "##able",
    "runn",
    "##ing",
    "run",
    ".",
    "'",
    "t",
    "中",
]


def pieces(folder: Path) -> WordPieces:
    (folder / "vocab.txt").write_text("\n".join(PIECES) + "\n", encoding="utf-8")
    return WordPieces(folder / "vocab.txt")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("The  Cat\tsat.", ["the", "cat", "sat", "."]),
        ("don't", ["don", "'", "t"]),
        ("Ünïcödé CAFÉ", ["unicode", "cafe"]),
        ("中文 x", ["中", "文", "x"]),
        ("a\u200bb\x00c\ufffd", ["abc"]),
        ("$5.00—“so”", ["$", "5", ".", "00", "—", "“", "so", "”"]),
        ("  ", []),
    ],
)
def test_words(text: str, wanted: list[str]) -> None:
    assert words(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("unaffable", ["un", "##aff", "##able"]),
        ("Running.", ["runn", "##ing", "."]),
        ("runs", ["[UNK]"]),
        ("run't", ["run", "'", "t"]),
        ("中", ["中"]),
        ("un" * 51, ["[UNK]"]),
        ("", []),
    ],
)
def test_the_longest_piece_is_taken(tmp_path: Path, text: str, wanted: list[str]) -> None:
    assert [PIECES[number] for number in pieces(tmp_path).encode(text)] == wanted


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [
        ("run", "t", "[CLS] run [SEP] t [SEP] [PAD] [PAD] [PAD]"),
        ("run", "", "[CLS] run [SEP] [PAD] [PAD] [PAD] [PAD] [PAD]"),
        ("run " * 9, "t t", "[CLS] run run run [SEP] t t [SEP]"),
        ("t", "run " * 9, "[CLS] t [SEP] run run run run [SEP]"),
        ("run " * 9, "", "[CLS] run run run run run run [SEP]"),
    ],
)
def test_samples_have_one_length(tmp_path: Path, first: str, second: str, wanted: str) -> None:
    sample = pieces(tmp_path).sample(first, second, 8)
    assert " ".join(PIECES[number] for number in sample) == wanted


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.text(max_size=30))
def test_words_are_clean_and_stable(text: str) -> None:
    found = words(text)
    assert all(one and not any(character.isspace() for character in one) for one in found)
    assert words(" ".join(found)) == found


def test_a_vocabulary_without_special_pieces_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n")
    with pytest.raises(DataError, match=r"vocab\.txt: the vocabulary lacks \[SEP\]"):
        WordPieces(tmp_path / "vocab.txt")
