"""Published gains from text: what the quick path of the reader is worth."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.common import median, print_header, print_table, seconds_of
from engine.files import read_text
from engine.gains.formats.figures import read_matrix
from instances.reading.published_files import named_folders

FILES = ("mimic_x.csv", "mimic_y_valid.csv", "mimic_y_test.csv")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    print_header("one file of mimic27: 3185 groups, 27 tasks")
    folder = next(iter(named_folders())) / "mtgnet" / "mimic27"
    rows = []
    for name in FILES:

        def ours(path: Path = folder / name) -> None:
            read_matrix(path, read_text(path))

        def plain(path: Path = folder / name) -> None:
            np.loadtxt(path)

        for way, function in (("ours", ours), ("numpy.loadtxt", plain)):
            seconds = seconds_of(function, arguments.repeats)
            rows.append((name, way, median(seconds), min(seconds)))
    print_table(("file", "way", "median s", "min s"), rows)


if __name__ == "__main__":
    main()
