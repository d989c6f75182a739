"""The long table as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from pathlib import Path

from engine.errors import DataError
from engine.files import read_text, write_text
from engine.gains.formats.figures import finite
from engine.gains.formats.foreign import told
from engine.gains.formats.long_table import LongTable, header_quantity
from engine.gains.formats.options import ReadOptions
from engine.gains.provenance import Provenance
from engine.gains.tensor import GainTensor

_DECIMAL_COMMA = " If this is a decimal comma, write a point: 0.03."
_TRUTH = {"true": True, "1": True, "yes": True, "": True, "false": False, "0": False, "no": False}


def read(path: Path, options: ReadOptions) -> GainTensor:
    """Read a CSV file with the header ``group,task,gain[,std,cost,measured]``, or ``loss`` for ``gain``.

    Cells are separated by commas, in a file that ends in ``.tsv`` by tabs. An empty ``std`` is unknown,
    an empty ``cost`` 1, an empty ``measured`` true.

    Parameters
    ----------
    path
        The file.
    options
        What the caller asked for.

    Raises
    ------
    DataError
        If the file is malformed; the message names line and task.
    """
    separator = _separator(path)
    lines = _lines(path, read_text(path), separator)
    first = next(lines, None)
    if first is None:
        raise DataError(f"{path}: the file is empty.")
    names = [name.strip() for name in first[1]]
    _check_first_line(f"{path}, line {first[0]}", names, separator)
    quantity = header_quantity(f"{path}, line {first[0]}", names)
    table = LongTable(str(path), quantity, options, has_std="std" in names)
    at = {name: names.index(name) if name in names else -1 for name in (*names, "std", "cost", "measured")}
    for line, cells in lines:
        if len(cells) != len(names):
            raise DataError(
                f"{path}, line {line}: {len(cells)} cells, but the header has {len(names)} columns."
                + (_DECIMAL_COMMA if len(cells) > len(names) and separator == "," else "")
            )
        task = cells[at["task"]].strip()
        place = f"{path}, line {line}, task {task!r:.80}"
        truth = _TRUTH.get(cells[at["measured"]].strip().lower()) if at["measured"] >= 0 else True
        if truth is None:
            raise DataError(f"{place}: measured is {cells[at['measured']]!r:.60}; use true or false.")
        value = _number(place, cells, at[quantity], quantity, None)
        std = _number(place, cells, at["std"], "std", math.nan)
        cost = _number(place, cells, at["cost"], "cost", 1.0)
        table.add(line, cells[at["group"]].strip(), task, value, std, cost, truth)
    return table.build(provenance=Provenance(path.name))


def write(tensor: GainTensor, path: Path) -> None:
    """Write a CSV file, with tabs where it ends in ``.tsv``; numbers survive exactly.

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n", delimiter=_separator(path))
    has_std = tensor.std is not None
    writer.writerow(["group", "task", tensor.quantity, *(["std"] if has_std else []), "cost", "measured"])
    values = tensor.values.tolist()
    errors = [] if tensor.std is None else tensor.std.tolist()
    members = tensor.members.tolist()
    for row, (cost, measured) in enumerate(zip(tensor.cost.tolist(), tensor.measured.tolist(), strict=True)):
        label = tensor.label(row)
        entries = tensor.row(row)
        for at in range(entries.start, entries.stop):
            error = ["" if math.isnan(errors[at]) else repr(errors[at])] if has_std else []
            writer.writerow(
                [
                    label,
                    tensor.tasks[members[at]],
                    repr(values[at]),
                    *error,
                    repr(cost),
                    str(measured).lower(),
                ]
            )
    write_text(path, stream.getvalue())


def _number(place: str, cells: list[str], position: int, name: str, default: float | None) -> float:
    text = cells[position].strip() if position >= 0 else ""
    if not text and default is not None:
        return default
    found = finite(text)
    if found is None:
        hint = _DECIMAL_COMMA if finite(text.replace(",", ".")) is not None else ""
        raise DataError(f"{place}: the {name} {text!r:.60} is not a finite number.{hint}")
    return found


def _separator(path: Path) -> str:
    return "\t" if path.suffix.lower() == ".tsv" else ","


def _check_first_line(place: str, names: list[str], separator: str) -> None:
    """Refuse another separator, and a first line that holds data, in the words of what was found."""
    found = separator.join(names)
    wanted = "tabs" if separator == "\t" else "commas"
    for other, called in ((";", "semicolons"), ("\t", "tabs"), (",", "commas")):
        if other != separator and other in found:
            or_tabs = " (or name a file with tabs .tsv)" if other == "\t" else ""
            raise DataError(
                f"{place}: the header is {found!r:.120}: its cells are separated by {called}; separate them "
                f"by {wanted}{or_tabs}, and write numbers with a point."
            )
    if len(names) > 1 and any(finite(name.replace(",", ".")) is not None for name in names):
        raise DataError(
            f"{place}: there is no header: the first line is {found!r:.120}. Put "
            f"{separator.join(('group', 'task', 'gain'))!r} above it. "
            "A pair of text files is given as MEMBERSHIP,GAINS."
        )


def _lines(path: Path, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of every line that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(
                f"{path}, line {reader.line_num}: this is not proper CSV ({told(error)})."
            ) from error
        if len(cells) > 1 or (cells and cells[0].strip()):
            yield reader.line_num, cells
