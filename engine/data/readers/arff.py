"""Attribute-relation files (ARFF), as Weka, MULAN and MEKA write them; dense and sparse."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.data.readers.table import Table, TableColumn, check_names, make_column
from engine.errors import DataError
from engine.files import read_text
from engine.gains.formats.figures import finite

_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_CELL = re.compile(rf"\s*({_QUOTED}|[^,'\"]*?)\s*(?:,|$)")
_ATTRIBUTE = re.compile(rf"@attribute\s+({_QUOTED}|\S+)\s+(.+)", re.IGNORECASE)
_ENTRY = re.compile(rf"(\d+)\s+({_QUOTED}|\S.*)")
_NUMERIC = ("numeric", "real", "integer")


@dataclass(frozen=True)
class _Attribute:
    name: str
    numeric: bool
    levels: tuple[str, ...] = ()

    @property
    def omitted(self) -> str:
        """What a sparse row means where it says nothing: 0, the first level, or no text."""
        if self.numeric:
            return "0"
        return self.levels[0] if self.levels else ""


def read(path: Path) -> Table:
    """Read a file: numeric, nominal, string and date attributes; ``?`` is a missing value.

    Nominal attributes whose levels are all numbers become numbers.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    DataError
        If it is absent or malformed; the line is named.
    """
    attributes: list[_Attribute] = []
    rows: list[list[str]] = []
    lines: list[int] = []
    in_data = False
    for number, line in enumerate(read_text(path).splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("%"):
            continue
        place = f"{path}, line {number}"
        if in_data:
            rows.append(_row(place, text, attributes))
            lines.append(number)
        elif text.lower().startswith("@attribute"):
            attributes.append(_attribute(place, text))
        elif text.lower() == "@data":
            in_data = True
        elif not text.lower().startswith("@relation"):
            raise DataError(f"{place}: expected @relation, @attribute or @data, not {text!r:.60}.")
    if not in_data:
        raise DataError(f"{path}: there is no line @data.")
    if not (attributes and rows):
        raise DataError(f"{path}: there is no {'row' if attributes else '@attribute'}.")
    check_names(path, [attribute.name for attribute in attributes])
    columns: dict[str, TableColumn] = {}
    for attribute, cells in zip(attributes, zip(*rows, strict=True), strict=True):
        _check_cells(path, attribute, cells, lines)
        columns[attribute.name] = make_column(attribute.name, cells, attribute.levels, ("?", ""))
    return Table(path, columns, np.array(lines, dtype=np.int64))


def _attribute(place: str, text: str) -> _Attribute:
    match = _ATTRIBUTE.fullmatch(text)
    if match is None:
        raise DataError(f"{place}: an attribute is '@attribute NAME TYPE', not {text!r:.60}.")
    name, kind = _unquoted(match[1]), match[2].strip()
    if kind.startswith("{"):
        if not kind.endswith("}"):
            raise DataError(f"{place}: the levels of {name!r:.60} do not end in a brace.")
        return _Attribute(name, False, tuple(_cells(place, kind[1:-1].strip())))
    word = kind.split()[0].lower()
    if word in _NUMERIC:
        return _Attribute(name, True)
    if word in ("string", "date"):
        return _Attribute(name, False)
    raise DataError(
        f"{place}: attribute {name!r:.60} has the type {kind!r:.60}; it must be numeric, real, integer, "
        "string, date or {levels}."
    )


def _row(place: str, text: str, attributes: list[_Attribute]) -> list[str]:
    if text.startswith("{"):
        return _sparse(place, text, attributes)
    cells = text.split(",") if "'" not in text and '"' not in text else _cells(place, text)
    if len(cells) != len(attributes):
        raise DataError(f"{place}: {len(cells)} cells, but there are {len(attributes)} attributes.")
    return cells


def _sparse(place: str, text: str, attributes: list[_Attribute]) -> list[str]:
    if not text.endswith("}"):
        raise DataError(f"{place}: the sparse row does not end in a brace.")
    cells = [attribute.omitted for attribute in attributes]
    inside = text[1:-1].strip()
    for entry in _entries(inside):
        match = _ENTRY.fullmatch(entry.strip())
        if match is None or int(match[1]) >= len(attributes):
            raise DataError(
                f"{place}: an entry is 'INDEX VALUE' with an index from 0 to {len(attributes) - 1}, "
                f"not {entry.strip()!r:.60}."
            )
        cells[int(match[1])] = _unquoted(match[2].strip())
    return cells


def _entries(inside: str) -> list[str]:
    """Cut at the commas that stand outside quotes."""
    return re.findall(rf"(?:{_QUOTED}|[^,])+", inside) if inside else []


def _cells(place: str, text: str) -> list[str]:
    cells: list[str] = []
    position = 0
    while True:
        match = _CELL.match(text, position)
        if match is None:
            raise DataError(f"{place}: a quote is not closed, or stands inside a word.")
        cells.append(_unquoted(match[1]))
        if not match[0].endswith(","):
            return cells
        position = match.end()


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] in "'\"" and text[-1] == text[0]:
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _check_cells(path: Path, attribute: _Attribute, cells: tuple[str, ...], lines: list[int]) -> None:
    if not (attribute.numeric or attribute.levels):
        return
    known = {*attribute.levels, "?", ""}
    for line, cell in zip(lines, cells, strict=True):
        text = cell.strip()
        if attribute.numeric and text != "?" and finite(text) is None:
            raise DataError(
                f"{path}, line {line}, column {attribute.name!r:.80}: {text!r:.60} is not a number."
            )
        if attribute.levels and text not in known:
            raise DataError(
                f"{path}, line {line}, column {attribute.name!r:.80}: {text!r:.60} is not one of "
                f"{', '.join(attribute.levels[:20])}."
            )
