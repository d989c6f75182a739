"""Tasks whose heads can be computed together, and the slots of a group among them.

The heads of a group fill slots, padded to a number that depends on the group alone: products of one
shape round alike, so the results of a group do not depend on which groups it is trained with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from backbones.network.group_model import GroupModel
from engine.data import Task


@dataclass(frozen=True, eq=False, kw_only=True)
class Family:
    """Tasks with one loss, one number of outputs and one structure of head.

    Attributes
    ----------
    number
        Of the family, in the order of the first task.
    tasks
        Task indices, ascending.
    first
        One of the tasks, for loss, kind and outputs.
    heads
        The untrained head of each task.
    positive_weights
        Of each task.
    """

    number: int
    tasks: tuple[int, ...]
    first: Task
    heads: tuple[nn.Module, ...]
    positive_weights: tuple[float, ...]

    @property
    def prefix(self) -> str:
        """Begins the names of the heads' weights in a stack."""
        return f"heads.{self.number}."

    @property
    def target_width(self) -> int:
        """Numbers per label."""
        return self.first.outputs if self.first.kind == "regression" else 1


def families_of(tasks: Sequence[Task], model: GroupModel) -> tuple[Family, ...]:
    """Return the families of a data set.

    Parameters
    ----------
    tasks
        All N tasks.
    model
        The untrained network of the group of all tasks.
    """
    alike: dict[object, list[int]] = {}
    for index, (task, head) in enumerate(zip(tasks, model.heads, strict=True)):
        weights = tuple((name, tuple(value.shape)) for name, value in head.state_dict().items())
        alike.setdefault((task.kind, task.loss, task.outputs, repr(head), weights), []).append(index)
    return tuple(
        Family(
            number=number,
            tasks=tuple(indices),
            first=tasks[indices[0]],
            heads=tuple(model.heads[index] for index in indices),
            positive_weights=tuple(tasks[index].positive_weight for index in indices),
        )
        for number, indices in enumerate(alike.values())
    )


def slots_of(group: Sequence[int], families: Sequence[Family], *, separate: bool) -> tuple[int, ...]:
    """Return how many slots of each family a group fills; groups with equal numbers can be stacked.

    Parameters
    ----------
    group
        Task indices.
    families
        Of the data set.
    separate
        Whether each task has its own samples: a slot then costs a pass through the encoder, and none
        is left empty.
    """
    counts = (len(set(group) & set(family.tasks)) for family in families)
    return tuple(count if separate else _padded(count) for count in counts)


def _padded(count: int) -> int:
    """Return the next of 0, 4, 8, 12, 16, 24, 32, 48, …: few sizes, so that many groups share a stack."""
    if count == 0:
        return 0
    size = 4
    while size < count:
        if size >= 8 and 3 * size // 2 >= count:
            return 3 * size // 2
        size *= 2
    return size
