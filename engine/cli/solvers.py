"""``engine solvers``: what can solve, declared without loading a solver library."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.options import format_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table


@click.command()
@format_option("table", "json")
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write there, not to stdout.")
def solvers(format: str, output: Path | None) -> int:
    """List the solvers: exact or not, what they can express, what they need, their options."""
    from engine.cli.output import check_output, emit_json, emit_table

    check_output(output)
    listed = _listed()
    if format == "json":
        emit_json({"solvers": listed}, output)
    else:
        emit_table([_table(listed)], output)
    return 0


def _listed() -> list[dict[str, Any]]:
    from engine.errors import EngineError
    from engine.plugins import SOLVERS, missing_modules
    from engine.solver import solver_options

    listed: list[dict[str, Any]] = []
    for name in SOLVERS.names():
        try:
            cls = SOLVERS.load(name)
            info = asdict(cls.info)
            missing = missing_modules(cls.info.requires)
            options = {key: _default(value) for key, value in solver_options(cls).items()}
        except EngineError as error:
            listed.append({"name": name, "installed": False, "problem": str(error)})
            continue
        info["features"] = sorted(info["features"])
        listed.append(
            {
                "name": name,
                **info,
                "installed": not missing,
                "missing": list(missing),
                "options": options,
                "problem": "",
            }
        )
    return listed


def _default(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, type(None))) else "computed"


def _table(listed: Sequence[dict[str, Any]]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("solver", "exact", "installed", "about"):
        table.add_column(heading, no_wrap=heading == "solver")
    every = {feature for one in listed for feature in one.get("features", ())}
    for one in listed:
        if one["problem"]:
            table.add_row(one["name"], "", "no", one["problem"] + "\n")
            continue
        lacking = sorted(every.difference(one["features"]))
        needs = [f"{name} (missing)" if name in one["missing"] else name for name in one["requires"]]
        about = [
            one["summary"],
            "solves: every problem" if not lacking else "does not solve: " + ", ".join(lacking),
            "options: " + ", ".join(f"{key}={value}" for key, value in one["options"].items()),
            "needs: " + ", ".join(needs),
            "from: " + one["reference"],
        ]
        told = "\n".join(line for line in about if not line.endswith(": "))
        table.add_row(
            one["name"], "yes" if one["exact"] else "no", "no" if one["missing"] else "yes", told + "\n"
        )
    return table
