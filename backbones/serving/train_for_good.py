"""Training the chosen groups for good: weights and serving map in a folder, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backbones.serving.served_models import FORMAT_VERSION, MAP
from backbones.training.batches import DeviceData
from backbones.training.group_results import joined
from backbones.training.loop import TrainedGroup, train_group
from backbones.training.methods import choose
from backbones.training.train_groups import random_state_kept, threads
from backbones.training.trainer_options import TrainerOptions
from engine import DataError, Experiment, UsageError
from engine.training.trained_groups import TrainedGroups


def train_for_good(
    experiment: Experiment,
    membership: NDArray[np.bool_],
    serving: Mapping[str, int],
    seed: int,
    folder: str | Path,
    options: TrainerOptions | None = None,
) -> TrainedGroups:
    """Train some groups and save their networks with a serving map.

    The folder gets one ``group_<k>.safetensors`` per group and ``serving.json``, which says which
    group answers for each task and all that rebuilds the networks; :func:`backbones.load_served`
    opens it.

    Parameters
    ----------
    experiment
        Data, backbone, settings.
    membership
        Shape (G, N): the groups.
    serving
        The group that answers for each task, as a row of ``membership``.
    seed
        Of initial weights, batches and dropout.
    folder
        Must not exist, or be empty.
    options
        Where to train; each group is trained on its own.

    Raises
    ------
    UsageError
        If the folder holds something, or a task is served by a group that lacks it.
    DataError
        If training diverges or the folder cannot be written.
    """
    tasks = experiment.tasks
    for name, group in serving.items():
        if not membership[group, tasks.index(name)]:
            raise UsageError(f"Task {name!r} cannot be served by a group that it is no member of.")
    with filling(Path(folder)) as place:
        wanted = replace(options or TrainerOptions(), method="loop")
        data = DeviceData(experiment, wanted.torch_device)
        with threads(choose(experiment, wanted, data, seed)[0].threads), random_state_kept(data.device):
            groups = [np.flatnonzero(row).tolist() for row in membership]
            trained = [train_group(experiment, group, seed, data) for group in groups]
        results = joined(trained, membership, seed)
        diverged = results.diverged
        if diverged.any():
            row = membership[int(np.flatnonzero(diverged)[0])]
            label = "|".join(tasks[task] for task in np.flatnonzero(row))
            raise DataError(
                f"Training of the group {label} with seed {seed} diverged; nothing was saved. "
                "Try a lower learning rate, or clip the gradient."
            )
        files = [_save(place, index, one) for index, one in enumerate(trained)]
        described = json.dumps(_description(experiment, trained, files, serving, seed), indent=1)
        (place / MAP).write_text(described + "\n", encoding="utf-8")
    return results


@contextmanager
def filling(folder: Path) -> Iterator[Path]:
    """Give a temporary folder that becomes ``folder`` when the block ends without error.

    Raises
    ------
    UsageError
        If there is something already.
    DataError
        If it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} exists already; give a new or empty folder for the trained groups.")
    try:
        folder.absolute().parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder.absolute().parent, prefix=f".{folder.name}."))
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror or error}).") from error
    try:
        yield temporary
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o777 & ~mask)
        temporary.replace(folder)
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror or error}).") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _save(folder: Path, index: int, trained: TrainedGroup) -> dict[str, str]:
    from safetensors.torch import save

    state = {
        name: value.detach().cpu().contiguous().clone() for name, value in trained.model.state_dict().items()
    }
    content = save(state)
    name = f"group_{index}.safetensors"
    (folder / name).write_bytes(content)
    return {"file": name, "sha256": hashlib.sha256(content).hexdigest()}


def _description(
    experiment: Experiment,
    trained: Sequence[TrainedGroup],
    files: Sequence[Mapping[str, str]],
    serving: Mapping[str, int],
    seed: int,
) -> dict[str, Any]:
    tasks = experiment.data.tasks
    places = {}
    for name, group in serving.items():
        task = experiment.tasks.index(name)
        fields = asdict(tasks[task])
        del fields["name"]
        places[name] = {"group": group, "head": trained[group].model.members.index(task), **fields}
    return {
        "format_version": FORMAT_VERSION,
        "data": experiment.data.name,
        "experiment": experiment.digest,
        "seed": seed,
        "backbone": experiment.backbone,
        "backbone_options": dict(experiment.backbone_options),
        "input_shape": list(experiment.data.input_shape),
        "input_dtype": experiment.data.input_dtype.str,
        "settings": asdict(experiment.settings),
        "tasks": places,
        "groups": [
            {**file, "tasks": [asdict(tasks[task]) for task in one.model.members]}
            for file, one in zip(files, trained, strict=True)
        ],
        "versions": {
            "engine": version("task-grouping-engine"),
            **{name: version(name) for name in ("numpy", "safetensors", "torch")},
        },
    }
