"""Lines on stderr, and the exit codes that are not a matter of a result."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TextIO

import click

FAILED, USAGE, BROKEN_PIPE, INTERRUPTED = 1, 2, 141, 130


def say(message: str) -> None:
    """Print one line to stderr."""
    click.echo("engine: " + " ".join(message.split()), err=True)


def silence(stream: TextIO) -> None:
    """Let a stream whose reader is gone, or takes no more, swallow what is still buffered."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
