"""Text as word pieces, in the way of uncased BERT (Devlin et al., 2019)."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from engine.errors import DataError
from engine.files import read_text

PAD, UNKNOWN, START, END = "[PAD]", "[UNK]", "[CLS]", "[SEP]"

_LONGEST_WORD = 100
_IDEOGRAPHS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


class WordPieces:
    """A vocabulary, and the numbers of its pieces in a text.

    Parameters
    ----------
    path
        ``vocab.txt``: one piece per line, its number being that of the line, from 0.

    Raises
    ------
    DataError
        If the file is absent or lacks a special piece.
    """

    def __init__(self, path: Path) -> None:
        self.pieces = {piece: number for number, piece in enumerate(read_text(path).rstrip("\n").split("\n"))}
        absent = next((one for one in (PAD, UNKNOWN, START, END) if one not in self.pieces), None)
        if absent is not None:
            raise DataError(f"{path}: the vocabulary lacks {absent}.")
        self._known: dict[str, list[int]] = {}

    def encode(self, text: str) -> list[int]:
        """Return the numbers of the pieces of a text, without special pieces."""
        return [number for word in words(text) for number in self._word(word)]

    def sample(self, first: str, second: str, length: int) -> list[int]:
        """Return a sample of a fixed length: ``[CLS] first [SEP] second [SEP]``, then padding.

        The longer sentence is cut where both do not fit; an empty second one is left out with its end.

        Parameters
        ----------
        first, second
            The sentences.
        length
            Number of pieces.
        """
        start, end, pad = (self.pieces[one] for one in (START, END, PAD))
        one, two = self.encode(first), self.encode(second)
        room = length - (3 if second else 2)
        while len(one) + len(two) > room:
            (one if len(one) >= len(two) else two).pop()
        joined = [start, *one, end, *((*two, end) if second else ())]
        return joined + [pad] * (length - len(joined))

    def _word(self, word: str) -> list[int]:
        if word not in self._known:
            self._known[word] = self._split(word)
        return self._known[word]

    def _split(self, word: str) -> list[int]:
        """Take the longest piece of the vocabulary again and again; unknown if there is none."""
        found: list[int] = []
        start = 0
        while start < len(word) <= _LONGEST_WORD:
            for stop in range(len(word), start, -1):
                piece = ("##" if start else "") + word[start:stop]
                if piece in self.pieces:
                    break
            else:
                return [self.pieces[UNKNOWN]]
            found.append(self.pieces[piece])
            start = stop
        return found or [self.pieces[UNKNOWN]]


def words(text: str) -> list[str]:
    """Return the words of a text in lower case without accents; punctuation and ideographs are words."""
    spaced = "".join(map(_cleaned, text))
    plain = "".join(
        one for one in unicodedata.normalize("NFD", spaced) if unicodedata.category(one) != "Mn"
    ).lower()
    return "".join(f" {one} " if _punctuation(one) else one for one in plain).split()


def _cleaned(character: str) -> str:
    code = ord(character)
    if character.isspace():
        return " "
    if code in (0, 0xFFFD) or unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs", "Cn"):
        return ""
    return f" {character} " if any(low <= code <= high for low, high in _IDEOGRAPHS) else character


def _punctuation(character: str) -> bool:
    ascii_mark = (
        character.isascii() and character.isprintable() and not (character.isalnum() or character == " ")
    )
    return ascii_mark or unicodedata.category(character).startswith("P")
