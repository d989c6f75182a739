"""The ``engine`` command: commands loaded when used, errors in one line, exit codes."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from engine.cli.telling.messages import BROKEN_PIPE, FAILED, INTERRUPTED, USAGE, say, silence

PACKAGES = ("solvers", "gain_sources", "backbones", "instances")
COMMANDS = {
    "collect": "engine.cli.commands.collect:collect",
    "compare": "engine.cli.commands.compare:compare",
    "frontier": "engine.cli.commands.frontier:frontier",
    "gains": "engine.cli.commands.gains:gains",
    "instances": "engine.cli.commands.instances:instances",
    "predict": "engine.cli.commands.predict:predict",
    "solve": "engine.cli.commands.solve:solve",
    "solvers": "engine.cli.commands.solvers:solvers",
    "train": "engine.cli.commands.train:train",
}

MIXED_UP = {"--gains": "--sources", "--sources": "--gains", "--budget": "--budgets", "--budgets": "--budget"}
"""Options that go by another name in another command."""


class Commands(click.Group):
    """A group that imports a command when it is used, and ends every error in one line on stderr."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return sorted({*COMMANDS, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; whatever it raises becomes one line and an exit code, unless debugging."""
        from engine.errors import EngineError

        try:
            with _told_predictions():
                code = super().invoke(ctx)
            if sys.stdout is not None:
                sys.stdout.flush()
            return code
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            silence(sys.stdout)
            return BROKEN_PIPE
        except EngineError as error:
            if ctx.params.get("debug"):
                raise
            say(str(error))
            return error.exit_code
        except Exception as error:
            if ctx.params.get("debug"):
                raise
            say(
                f"unexpected {type(error).__name__}: {error} — this is a fault of the program or a plug-in; "
                "run engine --debug … to see where."
            )
            return FAILED

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line; in standalone mode, exit with a code after at most one line of error."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            code = error.exit_code
        except click.ClickException as error:
            say(error.format_message() + _hint(error))
            code = error.exit_code
        except click.Abort:
            say("interrupted.")
            code = INTERRUPTED
        sys.exit(code)


@contextmanager
def _told_predictions() -> Iterator[None]:
    """Tell of predictions that stand in for measured gains in one line, as of everything else."""
    from engine.errors import PredictedGainsWarning

    with warnings.catch_warnings():
        warnings.simplefilter("always", PredictedGainsWarning)
        others = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any, **where: Any) -> None:
            if issubclass(category, PredictedGainsWarning):
                say(str(message))
            else:
                others(message, category, *place, **where)

        warnings.showwarning = show
        yield


def _hint(error: click.ClickException) -> str:
    ctx = getattr(error, "ctx", None)
    if ctx is None:
        return ""
    if isinstance(error, click.NoSuchOption):
        meant = MIXED_UP.get(error.option_name)
        if any(meant in one.opts for one in ctx.command.params):
            return f" Here it is called {meant}."
    return f" Try {ctx.command_path} --help."


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    from importlib.metadata import version

    click.echo(f"engine {version('task-grouping-engine')}")
    ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version.",
)
def main(debug: bool) -> None:
    """Which tasks to train together, in how many models, within a budget, with a proof.

    \b
    Exit codes: 0 solved (optimal or feasible)   3 infeasible
                1 a refuted claim or a fault     4 no solution within the limit
                2 usage                          5 bad data
    """  # noqa: D301  (click reads the backspace)


def shadowed(packages: tuple[str, ...] = PACKAGES) -> str | None:
    """Return a message if one of our packages is hidden by something else of that name, else None.

    Parameters
    ----------
    packages
        The packages that belong beside ``engine``.
    """
    import engine

    root = Path(str(engine.__file__)).resolve().parent.parent
    for name in packages:
        try:
            spec = importlib.util.find_spec(name)
        except ValueError:
            continue
        if spec is None:
            continue
        places = [spec.origin] if spec.origin else list(spec.submodule_search_locations or ())
        expected = root / name / "__init__.py"
        if places and expected not in {Path(place).resolve() for place in places}:
            return (
                f"{places[0]} hides the package {name!r} that belongs to {root / 'engine'}: rename it, "
                "or run engine from another folder or without PYTHONPATH."
            )
    return None


def start() -> None:
    """Check the surroundings and run the command line."""
    message = shadowed()
    if message is not None:
        say(message)
        sys.exit(USAGE)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # last, so that module:Class finds a file here and nothing is hidden
    main(prog_name="engine")
