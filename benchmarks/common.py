"""What the benchmarks share: repeated timing, a table, and a line about the machine."""

from __future__ import annotations

import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from engine.solving.solve import available_threads


def seconds_of(function: Callable[[], object], repeats: int) -> list[float]:
    """Return the wall time of each of several runs."""
    found = []
    for _ in range(repeats):
        begin = time.perf_counter()
        function()
        found.append(time.perf_counter() - begin)
    return found


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def print_header(title: str, *packages: str) -> None:
    """Print what is measured, on what machine, with which versions."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("task-grouping-engine", "numpy", *packages))
    print(f"# {title}")
    print(
        f"{processor()}, {available_threads()} cores, {platform.system()}, "
        f"Python {platform.python_version()}, {versions}"
    )
    print(f"command: python {' '.join(sys.argv)}\n")


def processor() -> str:
    """Return the name of the processor, as far as the system tells."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a Markdown table."""
    texts = [[_text(cell) for cell in row] for row in rows]
    widths = [
        max(len(name), *(len(row[index]) for row in texts)) if texts else len(name)
        for index, name in enumerate(columns)
    ]
    print("| " + " | ".join(name.ljust(width) for name, width in zip(columns, widths, strict=True)) + " |")
    print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    for row in texts:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")
    print(flush=True)


def _text(cell: object) -> str:
    if isinstance(cell, float):
        return f"{cell:.4g}"
    return str(cell)
