"""Errors that a caller can mend; each says what is wrong and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar


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
    close = difflib.get_close_matches(name, valid, n=1)
    guess = f" Did you mean {close[0]!r}?" if close else ""
    listed = ", ".join(valid) if len(valid) <= 40 else ", ".join(valid[:40]) + ", …"
    return UsageError(f"Unknown {kind} {name!r}.{guess} Valid: {listed or 'none'}.")
