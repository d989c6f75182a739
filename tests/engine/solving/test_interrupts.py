"""Ctrl-C in the midst of an import takes effect behind it, and is never lost."""

from __future__ import annotations

import signal

import pytest

from engine.solving.control import Control
from engine.solving.interrupts import held_interrupts


def test_an_interrupt_waits_for_the_end_of_the_block() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), held_interrupts():  # noqa: PT012
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:  # as code does that must not fail
            done.append("swallowed")
        done.append("ended")
    assert done == ["ended"]


def test_without_an_interrupt_all_is_as_before() -> None:
    before = signal.getsignal(signal.SIGINT)
    with held_interrupts():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_an_error_in_the_block_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), held_interrupts():  # noqa: PT012
        signal.raise_signal(signal.SIGINT)
        raise ZeroDivisionError


def test_the_import_of_a_library_is_such_a_block() -> None:
    control = Control()
    with pytest.raises(KeyboardInterrupt), control.importing():
        signal.raise_signal(signal.SIGINT)
    assert "load" in control.seconds
