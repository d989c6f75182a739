"""Whole commands, warm: what a user waits for."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks.common import median, print_header, print_table, seconds_of

COMMANDS = (
    ("--help",),
    ("solvers",),
    ("instances",),
    ("solve", "--instance", "toy4"),
    ("solve", "--instance", "mimic27", "--solver", "cpsat"),
    ("solve", "--instance", "mimic27", "--solver", "branch-and-bound"),
    ("solve", "--instance", "mimic27", "--solver", "milp"),
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    print_header("whole processes", "ortools", "pyomo", "highspy")
    program = Path(sys.executable).with_name("engine")
    rows = []
    for command in COMMANDS:
        line = [str(program), *command]

        def once(line: list[str] = line) -> None:
            subprocess.run(line, check=True, capture_output=True)

        once()
        seconds = seconds_of(once, arguments.repeats)
        rows.append((" ".join(("engine", *command)), median(seconds), min(seconds), max(seconds)))
    print_table(("command", "median s", "min s", "max s"), rows)


if __name__ == "__main__":
    main()
