"""What other libraries say, fit to be quoted."""

from __future__ import annotations


def told(error: BaseException) -> str:
    """Return the first line of an error of another library, short and printable; else its type."""
    lines = str(error).strip().splitlines() or [""]
    printable = "".join(mark if mark.isprintable() else "?" for mark in lines[0])
    return printable[:120] or type(error).__name__
