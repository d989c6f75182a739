"""Kinds of values on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from fractions import Fraction

MOST_BUDGETS = 10_000
LARGEST_BUDGET = 1e9


class Budgets(click.ParamType):  # type: ignore[type-arg]
    """Budgets as ``1-27``, ``1,2,3``, ``1-5:0.5`` or a mixture."""

    name = "budgets"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the budgets, ascending, without repeats."""
        if isinstance(value, tuple):
            return value
        found: set[Fraction] = set()
        for part in str(value).split(","):
            try:
                bounds, _, step = part.partition(":")
                first, _, last = bounds.partition("-")
                low, high, pace = (_exact(one) for one in (first, last or first, step or "1"))
            except ValueError:
                self.fail(f"{part!r} is no budget and no range; write 1-27, 1,2,3 or 1-5:0.5.", param, ctx)
            if not 0 < low <= high or pace <= 0:
                self.fail(f"{part!r}: a range rises from above 0, with a step above 0.", param, ctx)
            if (high - low) / pace > MOST_BUDGETS:
                self.fail(f"{part!r} holds more than {MOST_BUDGETS} budgets.", param, ctx)
            found.update(low + index * pace for index in range(int((high - low) / pace) + 1))
        return tuple(float(budget) for budget in sorted(found))


def _exact(text: str) -> Fraction:
    if not abs(float(text)) <= LARGEST_BUDGET:
        raise ValueError(text)
    from fractions import Fraction

    return Fraction(text)


class Names(click.ParamType):  # type: ignore[type-arg]
    """Names separated by commas, or by ``|`` where a name holds a comma."""

    name = "a,b"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the names, without repeats."""
        if isinstance(value, tuple):
            return value
        text = str(value)
        names = [one.strip() for one in text.split("|" if "|" in text else ",")]
        if not all(names):
            self.fail(f"{text!r}: a name is empty.", param, ctx)
        return tuple(dict.fromkeys(names))


class Assignment(click.ParamType):  # type: ignore[type-arg]
    """A pair ``key=value``."""

    name = "key=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the pair, split at the first ``=``."""
        if isinstance(value, tuple):
            return value
        key, sign, text = str(value).partition("=")
        if not sign or not key.strip():
            self.fail(f"{value!r}: write key=value.", param, ctx)
        return key.strip(), text.strip()


class Weight(Assignment):
    """A pair ``task=number``."""

    name = "task=number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the task and its weight, split at the last ``=``."""
        if isinstance(value, tuple):
            return value
        task, _, text = str(value).rpartition("=")
        try:
            return task.strip(), float(text)
        except ValueError:
            self.fail(f"{value!r}: write task=number.", param, ctx)
