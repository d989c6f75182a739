"""Tables that fit a terminal: headings break, what can be derived is left out, and nothing is cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

BETWEEN = 2
"""Blanks between two columns."""

PROSE = 110
"""Width after which text goes on in the next line, however much room there is."""

UNKNOWN = "–"
PREDICTED = "*"
PREDICTED_NOTE = f"{PREDICTED} predicted, in whole or in part"
MEASURED_NOTE = "every value is measured"


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    heading
        May be broken at its blanks.
    cells
        One per line.
    right
        Whether it holds numbers, which stand to the right and are never broken.
    spare
        Where the width is too small, the column of largest ``spare`` goes first; 0 stays.
    whole
        Whether a column of text, too, is not broken while there is another way; False for prose.
    """

    heading: str
    cells: Sequence[str]
    right: bool = True
    spare: int = 0
    whole: bool = True

    def width(self, broken: bool) -> int:
        """Return the width it needs, with its heading broken or not."""
        heading = self.heading.split() if broken else [self.heading]
        lines = [line for cell in self.cells for line in cell.splitlines()] if self.whole else []
        return max(map(cell_len, (*heading, *lines)), default=0)


@dataclass(frozen=True)
class Fitted:
    """A table that fits the width it is printed in.

    Attributes
    ----------
    columns
        All of them.
    """

    columns: Sequence[Column]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        kept, left_out = list(self.columns), []
        broken = _width(kept, broken=False) > options.max_width
        while _width(kept, broken) > options.max_width and any(one.spare for one in kept):
            spared = max(kept, key=lambda one: one.spare)
            kept.remove(spared)
            left_out.append(spared.heading)
        fits = _width(kept, broken) <= options.max_width
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, BETWEEN - 1, 0, 0))
        for one in kept:
            table.add_column(
                Text(one.heading.replace(" ", "\n") if broken and one.right else one.heading),
                justify="right" if one.right else "left",
                overflow="fold",
                min_width=one.width(broken) if fits or one.right else None,
                max_width=None if one.whole else PROSE,
            )
        for line in zip(*(one.cells for one in kept), strict=True):
            table.add_row(*map(Text, line))
        yield table
        if left_out:
            yield Text(f"not shown at this width: {', '.join(reversed(left_out))}", style="dim")


def _width(columns: Sequence[Column], broken: bool) -> int:
    return sum(one.width(broken) + BETWEEN for one in columns) - BETWEEN


def starred(cells: Iterable[str], predicted: Iterable[bool]) -> list[str]:
    """Mark the cells that are predictions; the others, and dashes for what is unknown, keep their place."""
    marked = [(cell, flag and cell != UNKNOWN) for cell, flag in zip(cells, predicted, strict=True)]
    other = " " if any(flag for _, flag in marked) else ""
    return [cell + (PREDICTED if flag else other) for cell, flag in marked]


def facts(lines: Iterable[tuple[str, str]]) -> Table:
    """Return names and what is to say about them, one under the other."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, fact in lines:
        table.add_row(name, Text(fact))
    return table
