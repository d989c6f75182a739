"""Which reader a file needs."""

from __future__ import annotations

from pathlib import Path

from engine.data.readers import arff, delimited, parquet
from engine.data.readers.table import Table
from engine.errors import UsageError

_READERS = {
    ".csv": delimited.read,
    ".tsv": delimited.read,
    ".parquet": parquet.read,
    ".arff": arff.read,
}


def read_table(path: Path | str) -> Table:
    """Read a table; which kind of file it is, its suffix says.

    Parameters
    ----------
    path
        ``.csv`` (commas), ``.tsv`` (tabs), either with ``.gz`` behind it, ``.parquet`` or ``.arff``.

    Raises
    ------
    DataError
        If the file is absent or malformed; file, line and column are named.
    UsageError
        If the suffix is another.
    MissingDependencyError
        If it is Parquet and pyarrow is not installed.
    """
    file = Path(path)
    suffix = Path(file.stem).suffix if file.suffix.lower() == ".gz" else file.suffix
    reader = _READERS.get(suffix.lower())
    if reader is None or (file.suffix.lower() == ".gz" and reader is not delimited.read):
        raise UsageError(f"{file}: a table is .csv, .tsv, .csv.gz, .tsv.gz, .parquet or .arff.")
    return reader(file)
