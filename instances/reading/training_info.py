"""What an instance declares whose gains are made by training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine import InstanceInfo
from instances.reading.published_files import Publisher


def training_info(
    summary: str,
    tasks: Sequence[str],
    *,
    default_budget: float,
    budgets: Sequence[float] = (),
    publisher: Publisher,
    note: str = "",
) -> InstanceInfo:
    """Return the information on an instance that trains: chosen by validation gains, judged by test gains.

    Parameters
    ----------
    summary, tasks, default_budget
        As in :class:`~engine.InstanceInfo`.
    budgets
        Empty: 1, 2, … to the number of tasks.
    publisher
        Of the data.
    note
        What a reader must know besides how gains are made.
    """
    return InstanceInfo(
        summary=summary,
        tasks=tuple(tasks),
        n_groups=0,
        source_split="valid",
        evaluation_split="test",
        budgets=tuple(budgets) or one_to(len(tasks)),
        default_budget=default_budget,
        origin=publisher.origin,
        licence=publisher.licence,
        note="; ".join(filter(None, ("gains are made by engine collect", note))),
    )


def with_tasks(info: InstanceInfo, tasks: Sequence[str]) -> InstanceInfo:
    """Return the information with other tasks, and with budgets of 1, 2, … to their number."""
    return replace(info, tasks=tuple(tasks), budgets=one_to(len(tasks)))


def one_to(count: int) -> tuple[float, ...]:
    """Return the budgets 1, 2, … to a number of groups."""
    return tuple(map(float, range(1, count + 1)))
