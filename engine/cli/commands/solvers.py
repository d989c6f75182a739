"""``engine solvers``: what can solve, declared without loading a solver library."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from engine.cli.options.shared import output_options


@click.command(short_help="List the solvers: what they can express and what they need.")
@output_options
def solvers(format: str, output: Path | None) -> int:
    """List the solvers: exact or not, what they can express, what they need, their options."""
    from engine.cli.telling.listings import SolverListing
    from engine.cli.telling.output import check_output
    from engine.cli.telling.view import show

    check_output(output)
    show(SolverListing(_listed()), format, output)
    return 0


def _listed() -> list[dict[str, Any]]:
    from engine.errors import EngineError
    from engine.plugins import SOLVERS, missing_modules
    from engine.problem.kinds import Kind
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
        info["kinds"] = [kind.word for kind in Kind if kind in info["kinds"]]
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
