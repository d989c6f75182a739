"""Errors that a caller can mend; each says what is wrong and what to do."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable
from typing import ClassVar

LONGEST_QUOTE = 80
"""Characters of a user's data that a message repeats."""
LONGEST_GUESS = 200
"""A longer name is compared with no other: it is no slip of the finger, and comparing takes long."""


class EngineError(Exception):
    """Base of every error the engine raises on purpose."""

    exit_code: ClassVar[int] = 2


class UsageError(EngineError):
    """A name, option or combination that the engine does not know."""


class UnsupportedError(UsageError):
    """A problem that the chosen solver cannot express."""


class MissingDependencyError(UsageError):
    """A plug-in whose library is not installed."""


class DataError(EngineError):
    """Gains, costs or files that break a contract."""

    exit_code: ClassVar[int] = 5


class PredictedGainsWarning(UserWarning):
    """Gains that were asked for as measurements could not be had, and are predictions."""


def unknown_name(kind: str, name: str, choices: Iterable[str]) -> UsageError:
    """Build the error for an unknown name, with the valid ones and a guess.

    Parameters
    ----------
    kind
        What was looked up, for instance ``"solver"``.
    name
        What the caller asked for.
    choices
        Every valid name.
    """
    valid = sorted(choices)
    close = difflib.get_close_matches(name, valid, n=1) if len(name) <= LONGEST_GUESS else []
    guess = f" Did you mean {quoted(close[0])}?" if close else ""
    several = ", ".join(map(shortened, valid[:40])) + (", …" if len(valid) > 40 else "")
    return UsageError(f"Unknown {kind} {quoted(name)}.{guess} Valid: {several or 'none'}.")


def quoted(value: object, length: int = LONGEST_QUOTE) -> str:
    """Return a value as Python writes it, on one line and cut where it is long.

    Parameters
    ----------
    value
        Of any type and size; what is nested deeply is cut as well.
    length
        The most characters of it that are shown.
    """
    if isinstance(value, str):
        text = repr(value[:length])
        return text if len(value) <= length else f"{text[:-1]}…{text[-1]}"
    try:
        text = _BRIEFLY.repr(value)
    except (ValueError, RecursionError):  # a number of too many digits, for instance
        text = f"<{type(value).__name__}>"
    return shortened(text, length)


_BRIEFLY = reprlib.Repr()
_BRIEFLY.maxstring = _BRIEFLY.maxother = _BRIEFLY.maxlong = LONGEST_QUOTE


def shortened(text: str, length: int = LONGEST_QUOTE) -> str:
    """Return a text, cut where it is long."""
    return text if len(text) <= length else f"{text[:length]}…"


def listed(names: Iterable[object], most: int = 10) -> str:
    """Return names with commas between them, and how many more there are; empty if there are none."""
    given = list(names)
    text = ", ".join(shortened(str(name)) for name in given[:most])
    return text if len(given) <= most else f"{text} and {len(given) - most} more"
