"""Lines on stderr, and the exit codes that are not a matter of a result."""

from __future__ import annotations

import click

FAILED, USAGE, BROKEN_PIPE, INTERRUPTED = 1, 2, 141, 130


def say(message: str) -> None:
    """Print one line to stderr."""
    click.echo("engine: " + " ".join(message.split()), err=True)
