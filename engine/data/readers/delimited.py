"""Tables as text with commas or tabs."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from pathlib import Path

import numpy as np

from engine.data.readers.table import Table, check_names, make_column
from engine.errors import DataError
from engine.files import decoded, read_bytes


def read(path: Path) -> Table:
    """Read a file whose first line names the columns; blank lines are skipped.

    While it is read, a file takes about 60 bytes of memory per cell.

    Parameters
    ----------
    path
        The file: tabs where its name ends in ``.tsv``, else commas; ``.gz`` is unpacked.

    Raises
    ------
    DataError
        If it is absent or malformed; the line is named.
    """
    names_file = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    separator = "\t" if names_file.suffix.lower() == ".tsv" else ","
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True, delimiter=separator)
    names: list[str] = []
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells) and len(cells) < 2:
                continue
            if not names:
                names = [cell.strip() for cell in cells]
                continue
            if len(cells) != len(names):
                raise DataError(
                    f"{path}, line {reader.line_num}: {len(cells)} cells, but the header has "
                    f"{len(names)} columns."
                )
            rows.append(cells)
            lines.append(reader.line_num)
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: {error}.") from error
    if not names:
        raise DataError(f"{path}: the file is empty.")
    _check_separator(path, names, separator)
    check_names(path, names)
    if not rows:
        raise DataError(f"{path}: there is no row below the header.")
    columns = {
        name: make_column(name, cells) for name, cells in zip(names, zip(*rows, strict=True), strict=True)
    }
    return Table(path, columns, np.array(lines, dtype=np.int64))


def _text(path: Path) -> str:
    data = read_bytes(path)
    if path.suffix.lower() == ".gz":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{path}: this is not a whole gzip file.") from error
    return decoded(path, data)


def _check_separator(path: Path, names: list[str], separator: str) -> None:
    for other, called in ((";", "semicolons"), ("\t", "tabs"), (",", "commas")):
        if len(names) == 1 and other != separator and other in names[0]:
            raise DataError(
                f"{path}: the cells are separated by {called}; write commas in a .csv, tabs in a .tsv file."
            )
