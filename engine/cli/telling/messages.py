"""Lines on stderr, what makes printed text harmless, and the exit codes that are not a matter of a result."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TextIO

import click

FAILED, USAGE, BROKEN_PIPE, INTERRUPTED = 1, 2, 141, 130


STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What steers a terminal or turns the direction of writing, halves of characters; no tab or end of line."""


def harmless(text: str) -> str:
    """Return a text with a visible sign for each character that steers a terminal."""
    return STEERING.sub(_sign, text)


def _sign(found: re.Match[str]) -> str:
    code = ord(found[0])
    return chr(0x2400 + code) if code < 0x20 else "\N{SYMBOL FOR DELETE}" if code == 0x7F else "\ufffd"


def say(message: str) -> None:
    """Print one line to stderr."""
    click.echo("engine: " + harmless(" ".join(message.split())), err=True)


def silence(stream: TextIO) -> None:
    """Let a stream whose reader is gone, or takes no more, swallow what is still buffered."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
