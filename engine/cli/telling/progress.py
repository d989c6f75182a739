"""Progress on stderr: a live line on a terminal, plain lines on request; notices always."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from engine.cli.telling.messages import harmless, say
from engine.problem.lattice import LatticeProblem
from engine.problem.table import Problem
from engine.solving.control import Observer
from engine.solving.solution import Event, Solution

if TYPE_CHECKING:
    from rich.text import Text

PLAIN_INTERVAL = 0.5
LIVE_PER_SECOND = 8


class Line(Observer):
    """Keeps what is going on as one line: problem, stage, seconds, incumbent, bound, gap.

    Parameters
    ----------
    show
        Called with a line worth printing; throttled, but for the first and last of a problem.
    """

    def __init__(self, show: Callable[[str], None] | None = None) -> None:
        self._show = show
        self._shown = float("-inf")
        self._begin = time.perf_counter()
        self._title, self._stage = "starting", ""
        self._value: float | None = None
        self._bound: float | None = None

    def on_start(self, problem: Problem | LatticeProblem, solver: str) -> None:
        """Begin with a problem."""
        budget = "" if problem.budget is None else f", budget {problem.budget:g}"
        self._title = f"{solver} on {problem.source or 'gains'}{budget}"
        self._begin, self._shown = time.perf_counter(), float("-inf")
        self._stage, self._value, self._bound = "start", None, None
        self._tell()

    def on_stage(self, stage: str) -> None:
        """Note the stage."""
        self._stage = stage
        self._tell()

    def on_incumbent(self, event: Event) -> None:
        """Note the best value."""
        self._value, self._bound = event.value, event.bound
        self._tell()

    def on_bound(self, event: Event) -> None:
        """Note the bound."""
        self.on_incumbent(event)

    def on_end(self, solution: Solution) -> None:
        """Note the end."""
        self._stage, self._value, self._bound = solution.status.value, solution.value, solution.bound
        self._shown = float("-inf")
        self._tell()

    def _tell(self) -> None:
        now = time.perf_counter()
        if self._show is not None and now - self._shown >= PLAIN_INTERVAL:
            self._shown = now
            self._show(str(self))

    def __str__(self) -> str:
        seconds = time.perf_counter() - self._begin
        parts = [self._title, self._stage, f"{seconds:.1f} s", f"incumbent {_short(self._value)}"]
        parts.append(f"bound {_short(self._bound)}")
        if self._value is not None and self._bound is not None:
            largest = max(abs(self._value), abs(self._bound))
            gap = abs(self._bound - self._value) / largest if largest else 0.0
            parts.append(f"gap {100 * gap:.2g} %")
        return "  ".join(part for part in parts if part)

    def __rich__(self) -> Text:
        from rich.text import Text

        return Text(str(self), no_wrap=True, overflow="ellipsis")


class Notices(Observer):
    """Prints what the user waits for.

    Parameters
    ----------
    show
        Called with a line.
    """

    def __init__(self, show: Callable[[str], None] = say) -> None:
        self._show = show

    def on_notice(self, text: str) -> None:
        """Print the sentence."""
        self._show(text)


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}"


@contextmanager
def progress(verbose: bool) -> Iterator[tuple[Observer, ...]]:
    """Give the observers that show progress on stderr while the block runs.

    Parameters
    ----------
    verbose
        Whether to print plain lines; otherwise a live line is shown, and on a terminal only.
    """
    if verbose:
        yield (Line(lambda text: click.echo(f"engine: {text}", err=True)), Notices())
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.live import Live

        line = Line()
        console = Console(stderr=True, markup=False, emoji=False, highlight=False)
        live = Live(
            line,
            console=console,
            transient=True,
            refresh_per_second=LIVE_PER_SECOND,
            redirect_stdout=False,
        )
        with live:
            yield (line, Notices(lambda text: console.print(f"engine: {harmless(text)}")))
    else:
        yield (Notices(),)
