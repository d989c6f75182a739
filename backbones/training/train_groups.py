"""Training many groups: in stacks, or one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray

from backbones.network.memory import halving
from backbones.training.batches import DeviceData
from backbones.training.group_results import GroupResult, joined
from backbones.training.loop import train_group
from backbones.training.methods import LOOP_CHUNK, choose
from backbones.training.preparation import Preparation
from backbones.training.stack import StackTraining
from backbones.training.trainer_options import TrainerOptions
from engine import UsageError
from engine.training.experiment import Experiment
from engine.training.trained_groups import TrainedGroups


def suggested_chunk(experiment: Experiment, options: TrainerOptions | None = None) -> int:
    """Return how many groups to train at once: a full stack.

    Parameters
    ----------
    experiment
        Data, backbone, settings.
    options
        How to train.

    Raises
    ------
    UsageError
        As in :func:`train_groups`.
    """
    wanted = options or TrainerOptions()
    choice, _ = choose(experiment, wanted, DeviceData(experiment, wanted.torch_device), 0)
    return LOOP_CHUNK if choice.method == "loop" else choice.stack_size


def train_groups(
    experiment: Experiment,
    membership: NDArray[np.bool_],
    seed: int,
    options: TrainerOptions | None = None,
) -> TrainedGroups:
    """Train some groups with one seed.

    A group's results do not depend on the groups it is trained with; on a CPU, by the methods ``stack``
    and ``loop``, not in the last digit either.

    Parameters
    ----------
    experiment
        Data, backbone, settings.
    membership
        Shape (G, N).
    seed
        Of initial weights, batches and dropout; results of a group depend on nothing else.
    options
        How to train.

    Raises
    ------
    UsageError
        If the device is not there, a group is empty or of other tasks, or the method cannot train this
        network; the layer is named.
    """
    wanted = options or TrainerOptions()
    membership = np.asarray(membership, dtype=bool)
    if membership.ndim != 2 or membership.shape[1] != experiment.data.n_tasks:
        raise UsageError(
            f"Groups of {experiment.data.n_tasks} tasks have shape (groups, {experiment.data.n_tasks}), not "
            f"{membership.shape}."
        )
    if not membership.any(axis=1).all():
        raise UsageError(f"Group {int(membership.any(axis=1).argmin()) + 1} has no tasks.")
    groups = [np.flatnonzero(row).tolist() for row in membership]
    data = DeviceData(experiment, wanted.torch_device)
    choice, preparation = choose(experiment, wanted, data, seed)
    results: list[GroupResult | None] = [None] * len(groups)
    with threads(choice.threads), random_state_kept(data.device):
        if preparation is None:
            for row, group in enumerate(groups):
                results[row] = train_group(experiment, group, seed, data)
        else:
            for counts, rows in alike(preparation, groups):

                def train(part: Sequence[int], counts: tuple[int, ...] = counts) -> list[GroupResult]:
                    return StackTraining(preparation, counts, [groups[row] for row in part]).run()

                for row, one in zip(rows, halving(train, rows, choice.stack_size), strict=True):
                    results[row] = one
    return joined([one for one in results if one is not None], membership, seed)


def alike(
    preparation: Preparation, groups: Sequence[Sequence[int]]
) -> Iterator[tuple[tuple[int, ...], list[int]]]:
    """Yield groups that fill equally many slots of each family, small ones first.

    Parameters
    ----------
    preparation
        Knows the families.
    groups
        Task indices of each.

    Yields
    ------
    tuple
        Slots per family, and the rows of these groups.
    """
    found: dict[tuple[int, ...], list[int]] = {}
    for row, group in enumerate(groups):
        found.setdefault(preparation.counts_of(group), []).append(row)
    yield from sorted(found.items())


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch use this many threads in the block; 0: as many as it does."""
    before = torch.get_num_threads()
    if count:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def random_state_kept(device: torch.device) -> Iterator[None]:
    """Put torch's global generators back after the block."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield
