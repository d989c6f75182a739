"""Trained groups at work: networks rebuilt from a folder, and every task answered by its group."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from backbones.network.backbone import make_backbone
from backbones.network.group_model import DTYPES, GroupModel, failure_told
from backbones.network.inputs import ready
from engine import DataError, Task, UsageError
from engine.files import read_bytes, read_text

FORMAT_VERSION = 1
MAP = "serving.json"
BATCH = 4096
"""Samples answered at once."""


@dataclass(frozen=True, eq=False)
class ServedModels:
    """Networks of the chosen groups, and which of them answers for each task.

    Attributes
    ----------
    description
        The serving map: tasks, groups, backbone, settings, versions, seed.
    models
        The network of each group, in evaluation mode.
    """

    description: Mapping[str, Any]
    models: tuple[GroupModel, ...]

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks that are served."""
        return tuple(self.description["tasks"])

    @torch.no_grad()
    def predict(self, inputs: NDArray[Any] | Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return the outputs of every task, shape (samples, outputs), as its head gives them.

        A binary task has one logit, a multiclass task one per class, a regression task its numbers.

        Parameters
        ----------
        inputs
            Shape (samples, …), for all tasks; or samples by task, for these tasks only. Prepared as
            for training.

        Raises
        ------
        UsageError
            If a task is not served, or the samples have another shape or kind of numbers.
        """
        if isinstance(inputs, Mapping):
            unknown = [name for name in inputs if name not in self.tasks]
            if unknown:
                raise UsageError(f"Task {unknown[0]!r} is not among those served: {', '.join(self.tasks)}.")
            return {name: self._of_one(name, self._checked(one)) for name, one in inputs.items()}
        samples = self._checked(inputs)
        found: dict[str, NDArray[Any]] = {}
        for index, model in enumerate(self.models):
            served = {name: of["head"] for name, of in self._places.items() if of["group"] == index}
            if served:
                parts = [model(self._ready(part)) for part in torch.split(samples, BATCH)]
                for name, head in served.items():
                    found[name] = torch.cat([part[head] for part in parts]).numpy()
        return {name: found[name] for name in self.tasks}

    @property
    def _places(self) -> Mapping[str, Mapping[str, Any]]:
        places: Mapping[str, Mapping[str, Any]] = self.description["tasks"]
        return places

    def _of_one(self, name: str, samples: torch.Tensor) -> NDArray[Any]:
        place = self._places[name]
        model = self.models[place["group"]]
        parts = [
            model.forward_member(self._ready(part), place["head"]) for part in torch.split(samples, BATCH)
        ]
        outputs: NDArray[Any] = torch.cat(parts).numpy()
        return outputs

    def _checked(self, inputs: NDArray[Any]) -> torch.Tensor:
        values = np.ascontiguousarray(inputs)
        shape, kind = tuple(self.description["input_shape"]), np.dtype(self.description["input_dtype"])
        if values.ndim != len(shape) + 1 or values.shape[1:] != shape or not len(values):
            raise UsageError(f"Samples of shape {values.shape} do not fit: give (samples, {shape}).")
        same = values.dtype == kind or values.dtype.kind == kind.kind == "f"
        if not same and not (values.dtype.kind in "iu" and kind.kind in "iu" and np.uint8 != kind):
            raise UsageError(f"Samples are {values.dtype} but the networks were trained on {kind}.")
        native = values.astype(kind.newbyteorder("="), copy=not values.flags.writeable)
        return torch.from_numpy(native)

    def _ready(self, values: torch.Tensor) -> torch.Tensor:
        return ready(values, DTYPES[self.description["settings"]["precision"]])


def load_served(folder: str | Path) -> ServedModels:
    """Rebuild the networks that ``engine train`` saved.

    Weights are read as safetensors, never as pickles. The backbone is made by the name in the serving
    map; where that is ``module:Class``, the module is imported, so open folders that you trust.

    Parameters
    ----------
    folder
        With ``serving.json`` and one ``group_<k>.safetensors`` per group.

    Raises
    ------
    DataError
        If a file is missing, changed, or does not fit; it is named.
    UsageError
        If the backbone is not known here.
    """
    path = Path(folder) / MAP
    try:
        description = json.loads(read_text(path))
        version = description["format_version"]
        if version != FORMAT_VERSION:
            raise DataError(f"{path}: format version {version!r} is not {FORMAT_VERSION}, known here.")
        kinds = {
            name: Task(**{key: one for key, one in of.items() if key not in ("group", "head")}, name=name)
            for name, of in description["tasks"].items()
        }
        groups = [(one["file"], one["sha256"], one["tasks"]) for one in description["groups"]]
        members = [[Task(**one) for one in tasks] for _, _, tasks in groups]
        for name, of in description["tasks"].items():
            if members[of["group"]][of["head"]] != kinds[name]:
                raise DataError(f"{path}: task {name!r} is not served by the head it names.")
        models = [
            _model(description, tasks, _beside(path, file), digest)
            for (file, digest, _), tasks in zip(groups, members, strict=True)
        ]
    except json.JSONDecodeError as error:
        raise DataError(f"{path}, line {error.lineno}: this is not JSON ({error.msg}).") from error
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise DataError(f"{path}: this is no serving map ({type(error).__name__}: {error}).") from error
    return ServedModels(description, tuple(models))


def _beside(path: Path, file: str) -> Path:
    if Path(file).name != file or Path(file).suffix != ".safetensors":
        raise DataError(f"{path}: {file!r} is no .safetensors file beside the serving map.")
    return path.parent / file


def _model(description: Mapping[str, Any], tasks: list[Task], file: Path, digest: str) -> GroupModel:
    from safetensors import SafetensorError
    from safetensors.torch import load

    content = read_bytes(file)
    if hashlib.sha256(content).hexdigest() != digest:
        raise DataError(f"{file}: the file is not the one that was saved (its SHA-256 differs).")
    backbone = make_backbone(description["backbone"], description["backbone_options"])
    with torch.random.fork_rng(devices=[]), failure_told(description["backbone"]):
        encoder, width = backbone.encoder(
            tuple(description["input_shape"]), np.dtype(description["input_dtype"])
        )
        heads: list[nn.Module] = [backbone.head(width, task) for task in tasks]
    model = GroupModel(encoder, heads, range(len(tasks))).to(DTYPES[description["settings"]["precision"]])
    try:
        model.load_state_dict(load(content))
    except (RuntimeError, SafetensorError) as error:
        raise DataError(f"{file}: the weights do not fit the network ({error}).") from error
    model.eval()
    return model
