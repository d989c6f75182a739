"""Trained groups at work: networks rebuilt from a folder, and every task answered by its group."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from backbones.network.backbone import make_backbone
from backbones.network.group_model import DTYPES, GroupModel, failures_named
from backbones.network.inputs import ready
from engine import DataError, Task, UsageError
from engine.files import read_bytes, read_json

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
            return {name: self._outputs(name, self._checked(own)) for name, own in inputs.items()}
        samples = self._checked(inputs)
        outputs: dict[str, NDArray[Any]] = {}
        for index, model in enumerate(self.models):
            served = {name: place["head"] for name, place in self._places.items() if place["group"] == index}
            if served:
                parts = [model(self._ready(part)) for part in torch.split(samples, BATCH)]
                for name, head in served.items():
                    outputs[name] = torch.cat([part[head] for part in parts]).numpy()
        return {name: outputs[name] for name in self.tasks}

    @property
    def _places(self) -> Mapping[str, Mapping[str, Any]]:
        places: Mapping[str, Mapping[str, Any]] = self.description["tasks"]
        return places

    def _outputs(self, name: str, samples: torch.Tensor) -> NDArray[Any]:
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
        description = read_json(path)
        version = description["format_version"]
        if version != FORMAT_VERSION:
            raise DataError(f"{path}: format version {version!r} is not {FORMAT_VERSION}, known here.")
        groups = [(group["file"], group["sha256"], group["tasks"]) for group in description["groups"]]
        members = [[Task(**fields) for fields in tasks] for _, _, tasks in groups]
        for name, place in description["tasks"].items():
            fields = {key: value for key, value in place.items() if key not in ("group", "head")}
            if members[place["group"]][place["head"]] != Task(**fields, name=name):
                raise DataError(f"{path}: task {name!r} is not served by the head it names.")
        models = [
            _model(description, tasks, _beside(path, file), digest)
            for (file, digest, _), tasks in zip(groups, members, strict=True)
        ]
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
    try:
        stored = load(content)
        _check_shapes(description, tasks, stored)
        model = _network(description, tasks)
        model.load_state_dict(stored)
    except (RuntimeError, SafetensorError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"{file}: the weights do not fit the network ({reason:.200}).") from error
    model.eval()
    return model


def _network(description: Mapping[str, Any], tasks: list[Task]) -> GroupModel:
    backbone = make_backbone(description["backbone"], description["backbone_options"])
    with torch.random.fork_rng(devices=[]), failures_named(description["backbone"]):
        encoder, width = backbone.encoder(
            tuple(description["input_shape"]), np.dtype(description["input_dtype"])
        )
        heads: list[nn.Module] = [backbone.head(width, task) for task in tasks]
    return GroupModel(encoder, heads, range(len(tasks))).to(DTYPES[description["settings"]["precision"]])


def _check_shapes(
    description: Mapping[str, Any], tasks: list[Task], stored: Mapping[str, torch.Tensor]
) -> None:
    """Refuse sizes in the map that are not those of the weights, before memory is taken for them."""
    try:
        with torch.device("meta"):
            wanted = _network(description, tasks).state_dict()
    except Exception:  # a backbone that computes while it is made cannot be made without memory
        return
    for name in wanted.keys() & stored.keys():
        if wanted[name].shape != stored[name].shape:
            raise RuntimeError(
                f"{name} is {tuple(stored[name].shape)} in the file, {tuple(wanted[name].shape)} by the map"
            )
