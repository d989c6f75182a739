"""A view: what a command shows, as a table, JSON or CSV."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from engine.cli.telling.output import emit_csv, emit_json, emit_table

if TYPE_CHECKING:
    from rich.console import RenderableType

Lines: TypeAlias = Sequence[Mapping[str, Any]]


class View(ABC):
    """What a command shows, in three renderings."""

    @abstractmethod
    def table(self) -> Iterable[RenderableType]:
        """Return what people read, from top to bottom."""

    @abstractmethod
    def data(self) -> Any:
        """Return plain data, for JSON."""

    @abstractmethod
    def lines(self) -> Lines:
        """Return lines of the same columns, for CSV."""

    def columns(self) -> Sequence[str]:
        """Return the columns of :meth:`lines`; by default those of the first."""
        return list(next(iter(self.lines()), {}))


def show(view: View, format: str, output: Path | None) -> None:
    """Print a view, or write it to a file, whole or not at all.

    Parameters
    ----------
    view
        What to show.
    format
        ``"table"``, ``"json"`` or ``"csv"``.
    output
        A file, or None for stdout.
    """
    if format == "json":
        emit_json(view.data(), output)
    elif format == "csv":
        emit_csv(view.columns(), view.lines(), output)
    else:
        emit_table(view.table(), output)
