"""Results on stdout or in a file, as a table, JSON or CSV; nothing else goes to stdout."""

from __future__ import annotations

import io
import math
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.telling.messages import FAILED, STEERING, harmless, say, silence
from engine.errors import EngineError, UsageError

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    from engine.plots.charts import Panel

UNWRAPPED = 10_000
"""Columns of a table that goes to a file or a pipe: no line is broken there."""


def check_output(path: Path | None) -> None:
    """Refuse an output path that cannot be written, before time is spent on what goes there.

    Raises
    ------
    UsageError
        If it is a folder, or its folder is missing or may not be written.
    """
    if path is None:
        return
    if path.is_dir():
        raise UsageError(f"{path} is a folder; give a file to write to.")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"There is no folder {path.absolute().parent} to write {path.name} to.")
    # A file is replaced, so it is its folder that counts; a pipe or device is written as it is.
    written = path.resolve().parent if path.is_file() or not path.exists() else path
    if not os.access(written, os.W_OK):
        raise UsageError(f"{path} cannot be written: there is no permission to write to {written}.")


class OutputError(EngineError):
    """What is printed finds no way out."""

    exit_code = FAILED


@contextmanager
def to_stdout() -> Iterator[None]:
    """Print in the block; say plainly where stdout is closed, or what it leads to takes no more.

    Raises
    ------
    OutputError
        In these cases, but for a reader that has gone, which is no mistake.
    """
    if sys.stdout is None:
        raise OutputError("stdout is closed: give --output FILE, or leave it open.")
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        silence(sys.stdout)
        raise OutputError(f"the result cannot be written to stdout ({error.strerror or error}).") from error


def emit(text: str, output: Path | None) -> None:
    """Print a result, or write it to a file, whole or not at all."""
    if output is None:
        with to_stdout():
            click.echo(harmless(text) if sys.stdout.isatty() else text, nl=False)
    elif output.exists() and not output.is_file():
        output.write_text(text, encoding="utf-8")  # a pipe or device cannot be replaced
    else:
        from engine.files import write_text

        write_text(output, text)


class _Harmless:
    """What is printed, with nothing in its text that steers a terminal; its colours stay."""

    def __init__(self, renderable: RenderableType) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        from rich.segment import Segment

        for text, style, control in console.render(self._renderable, options):
            yield Segment(text if control else harmless(text), style, control)


def emit_table(renderables: Iterable[RenderableType], output: Path | None) -> None:
    """Print tables and lines: fitted to a terminal, unbroken and without colour elsewhere."""
    from rich.console import Console

    on_terminal = output is None and sys.stdout is not None and sys.stdout.isatty()
    buffer = io.StringIO()
    console = Console(
        file=None if on_terminal else buffer,
        width=None if on_terminal else UNWRAPPED,
        color_system="auto" if on_terminal else None,
        markup=False,
        emoji=False,
        highlight=False,
    )
    for renderable in renderables:
        console.print(_Harmless(renderable))
    if not on_terminal:
        lines = buffer.getvalue().splitlines()
        emit("".join(line.rstrip() + "\n" for line in lines), output)


def save_plot(panels: Sequence[Panel], path: Path) -> None:
    """Draw a plot; where there is nothing to draw, say so and leave the file as it is."""
    if not panels:
        say(f"no plot: no budget has a grouping, so {path} was not written.")
        return
    from engine.plots.drawing import draw, save_figure

    save_figure(draw(panels), path)


def emit_json(data: Any, output: Path | None) -> None:
    """Print plain data as JSON; a number that is not finite becomes null."""
    import json

    text = json.dumps(_plain(data), indent=2, ensure_ascii=False, allow_nan=False)
    emit(STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n", output)


def emit_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], output: Path | None) -> None:
    """Print rows as CSV; what is unknown stays empty."""
    import csv

    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    emit(buffer.getvalue(), output)


def joined(value: Any) -> Any:
    """Return what fits one cell: several things are joined by bars."""
    if isinstance(value, Mapping):
        return "|".join(f"{key}={one}" for key, one in value.items())
    return "|".join(map(str, value)) if isinstance(value, (list, tuple)) else value


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(one) for one in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, (str, int, bool, type(None))) else str(value)


def percent(value: float | None, digits: int = 3) -> str:
    """Return a fraction in percent, without the sign; a dash where unknown."""
    return "–" if value is None else f"{100 * value + 0.0:.{digits}f}"


def number(value: float | None, digits: int = 6) -> str:
    """Return a number; a dash where unknown."""
    return "–" if value is None else f"{value + 0.0:.{digits}f}"


def amount(value: float | None, quantity: str) -> str:
    """Return a gain in percent or a loss as it is."""
    return percent(value) if quantity == "gain" else number(value)


def unit(quantity: str) -> str:
    """Return the unit of :func:`amount`, for headings."""
    return "gain %" if quantity == "gain" else "loss"


def gap_percent(gap: float | None, status: str) -> str:
    """Return a relative gap in percent; what is left of it after a proof is rounding, and shown as 0."""
    return "–" if gap is None else "0" if status == "OPTIMAL" else f"{100 * gap:.3g}"
