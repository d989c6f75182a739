"""``engine solvers``: what can solve, declared without loading a solver library."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.options.shared import output_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.cli.telling.tables import Fitted

COLUMNS = ["name", "exact", "installed", "rank", "features", "kinds", "options", "requires"]
COLUMNS += ["missing", "summary", "reference", "problem"]


@click.command(short_help="List the solvers: what they can express and what they need.")
@output_options
def solvers(format: str, output: Path | None) -> int:
    """List the solvers: exact or not, what they can express, what they need, their options."""
    from engine.cli.telling.output import check_output, emit_csv, emit_json, emit_table, joined

    check_output(output)
    listed = _listed()
    if format == "json":
        emit_json({"solvers": listed}, output)
    elif format == "csv":
        emit_csv(COLUMNS, ({key: joined(value) for key, value in one.items()} for one in listed), output)
    else:
        emit_table([_table(listed), _legend()], output)
    return 0


def _listed() -> list[dict[str, Any]]:
    from engine.cli.telling.results import kind_name
    from engine.errors import EngineError
    from engine.plugins import SOLVERS, missing_modules
    from engine.problem.table import Kind
    from engine.solving.solver import solver_options

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
        info["kinds"] = [kind_name(kind) for kind in Kind if kind in info["kinds"]]
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


def _table(listed: Sequence[dict[str, Any]]) -> Fitted:
    from engine.cli.telling.tables import Column, Fitted

    every = {feature for one in listed for feature in one.get("features", ())}
    return Fitted(
        [
            Column("solver", [one["name"] for one in listed], right=False),
            Column("exact", ["yes" if one.get("exact") else "no" for one in listed], right=False),
            Column("installed", ["yes" if one["installed"] else "no" for one in listed], right=False),
            Column("about", [_about(one, every) + "\n" for one in listed], right=False, whole=False),
        ]
    )


def _legend() -> str:
    from engine.cli.telling.results import kind_name
    from engine.problem.table import Kind

    return "Kinds of problem: " + "; ".join(f"{kind_name(kind)}: {kind}" for kind in Kind) + "."


def _about(one: dict[str, Any], every: set[str]) -> str:
    if one["problem"]:
        return str(one["problem"])
    lacking = sorted(every.difference(one["features"]))
    needs = [f"{name} (missing)" if name in one["missing"] else name for name in one["requires"]]
    lines = [
        one["summary"],
        "takes: " + ", ".join(one["kinds"]),
        "solves: every problem" if not lacking else "does not solve: " + ", ".join(lacking),
        "options: " + ", ".join(f"{key}={value}" for key, value in one["options"].items()),
        "needs: " + ", ".join(needs),
        "from: " + one["reference"],
    ]
    return "\n".join(line for line in lines if not line.endswith(": "))
