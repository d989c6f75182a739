"""Where random decisions come from: a generator, or hypothesis, which can shrink them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

T = TypeVar("T")


class Dice(Protocol):
    """Where random decisions come from."""

    def integer(self, low: int, high: int) -> int:
        """Return a whole number between two, both included."""


@dataclass(frozen=True)
class Seeded:
    """Decisions from a NumPy generator."""

    rng: np.random.Generator

    def integer(self, low: int, high: int) -> int:
        """Return a whole number between two, both included."""
        return int(self.rng.integers(low, high + 1))


def chance(dice: Dice, percent: int) -> bool:
    """Decide whether something that happens this often happens; low numbers say no."""
    return dice.integer(0, 99) >= 100 - percent


def choice(dice: Dice, items: Sequence[T]) -> T:
    """Choose one of some items; low numbers choose the first."""
    return items[dice.integer(0, len(items) - 1)]


def two_of(dice: Dice, tasks: Sequence[str]) -> list[str]:
    """Choose two of two tasks or more."""
    first = dice.integer(0, len(tasks) - 2)
    return [tasks[first], tasks[dice.integer(first + 1, len(tasks) - 1)]]


def task_names(count: int) -> tuple[str, ...]:
    """Return names of some tasks: letters as long as they last."""
    return (
        tuple("abcdefghijklmnopqrstuvwxyz"[:count]) if count <= 26 else tuple(f"t{i}" for i in range(count))
    )
