"""What became of a chunk in another process: a result, or the error to raise in the caller."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.errors import EngineError

SHOWN = 200
"""Characters of a chunk that a message shows."""


@dataclass(frozen=True)
class Outcome:
    """Result or error of one chunk.

    Attributes
    ----------
    result
        What the function returned.
    error
        What it raised instead.
    """

    result: Any = None
    error: Exception | None = None

    @classmethod
    def of(cls, call: Callable[[], Any]) -> Outcome:
        """Call, and keep what comes of it."""
        try:
            return cls(call())
        except Exception as error:
            return cls(error=_portable(error))

    def to_bytes(self) -> bytes:
        """Return the outcome pickled; a result that cannot be is an error."""
        try:
            return pickle.dumps(self)
        except Exception as error:
            kind = type(self.result).__name__
            return pickle.dumps(
                Outcome(error=TypeError(f"A {kind} cannot be sent from another process: {error}"))
            )


def _portable(error: Exception) -> Exception:
    """Return the error, or one like it where it does not survive the way to another process."""
    note = "In the worker:\n" + "".join(traceback.format_exception(error)).rstrip()
    try:
        copy = pickle.loads(pickle.dumps(error))
    except Exception:
        copy = None
    if type(copy) is not type(error) or str(copy) != str(error):
        error = EngineError(f"{type(error).__name__}: {error}")
    error.add_note(note)
    return error.with_traceback(None)


def shortened(chunk: object) -> str:
    """Return a chunk as a message shows it."""
    text = " ".join(repr(chunk).split())
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
