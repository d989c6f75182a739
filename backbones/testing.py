"""Conformance suite for backbones; inherit it to test one of your own.

::

    from backbones.testing import BackboneConformance


    class TestMyBackbone(BackboneConformance):
        backbone = "my_package:MyBackbone"
        options = {"hidden": 8}
        shape = (6,)
        wrong_shapes = ((), (3, 8, 8))
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from backbones.network.backbone import Backbone, make_backbone
from backbones.network.group_model import GroupModel, build_group_model
from backbones.training.batches import DeviceData
from backbones.training.loop import group_loss, member_losses, train_group
from backbones.training.train_groups import train_groups
from engine import DataError, UsageError
from engine.data import MultiTaskData, Task
from engine.training.experiment import Experiment
from engine.training.settings import TrainingSettings

ROWS = 24
THREE_TASKS = (Task("level"), Task("high", "binary"), Task("third", "multiclass", outputs=3))


class BackboneConformance:
    """What every backbone must do; the tests of a backbone inherit it.

    Attributes
    ----------
    backbone
        Name or ``"module:Class"``.
    options
        Small ones, so that the tests are fast.
    shape
        Of one sample.
    tokens
        Samples are tokens below this number; 0: samples are floats.
    tasks
        To train; regression targets, also those with several outputs, follow the level of the sample.
    wrong_shapes
        Shapes of samples that the backbone must refuse by name.
    learning_rate
        At which 30 steps make the loss fall.
    """

    backbone: ClassVar[str]
    options: ClassVar[Mapping[str, Any]] = {}
    shape: ClassVar[tuple[int, ...]]
    tokens: ClassVar[int] = 0
    tasks: ClassVar[tuple[Task, ...]] = THREE_TASKS
    wrong_shapes: ClassVar[tuple[tuple[int, ...], ...]] = ()
    learning_rate: ClassVar[float] = 3e-3

    def make(self) -> Backbone:
        """Return the backbone."""
        return make_backbone(self.backbone, self.options)

    def experiment(self, precision: str = "float32") -> Experiment:
        """Return an experiment of 30 steps on samples with a level that the targets follow."""
        source = np.random.default_rng(0)
        level = source.uniform(-1, 1, size=3 * ROWS)
        spread = level.reshape(-1, *[1] * len(self.shape))
        if self.tokens:
            share = source.random((3 * ROWS, *self.shape)) < (spread + 1) / 2
            inputs = np.where(share, 1, source.integers(2, self.tokens, size=share.shape))
        else:
            inputs = (spread + 0.1 * source.normal(size=(3 * ROWS, *self.shape))).astype(np.float32)
        rows = np.arange(3 * ROWS)
        splits = {name: (rows[at::3],) for at, name in enumerate(("train", "valid", "test"))}
        targets = tuple(_targets(task, level) for task in self.tasks)
        settings = TrainingSettings(
            epochs=30,
            patience=0,
            batch_size=ROWS,
            learning_rate=self.learning_rate,
            precision=precision,
        )
        data = MultiTaskData(self.tasks, (inputs,), targets, splits)
        return Experiment(data, self.backbone, self.options, settings)

    def model(self, precision: str = "float32", seed: int = 0) -> tuple[GroupModel, DeviceData]:
        """Return an untrained network of all tasks, and the data."""
        experiment = self.experiment(precision)
        return build_group_model(experiment, range(len(self.tasks)), seed), DeviceData(experiment)

    def test_declares_itself(self) -> None:
        """It has a summary and says what it takes."""
        info = self.make().info
        assert info.summary
        assert info.inputs in ("vector", "image", "series", "tokens", "any")

    def test_outputs_have_the_promised_shapes_for_any_batch(self) -> None:
        """The encoder's width is as promised; heads give a task's outputs."""
        model, data = self.model()
        model.eval()
        width = self.make().encoder(self.shape, self.experiment().data.input_dtype)[1]
        for batch in (1, 2, 7):
            inputs = data.input(torch.arange(batch))
            assert model.encoder(inputs).shape == (batch, width)
            assert [one.shape for one in model(inputs)] == [(batch, task.outputs) for task in self.tasks]

    def test_samples_do_not_mix_in_evaluation(self) -> None:
        """A sample's outputs do not depend on its batch, and are the same every time."""
        model, data = self.model("float64")
        model.eval()
        together = model(data.input(torch.arange(6)))
        for position in range(6):
            alone = model(data.input(torch.arange(position, position + 1)))
            for one, many in zip(alone, together, strict=True):
                torch.testing.assert_close(one[0], many[position])

    def test_gradients_reach_every_parameter(self) -> None:
        """No parameter is left out, none is infinite; the encoder as a whole is moved, if trainable."""
        model, data = self.model("float64")
        group_loss(model, data, [data.rows("train")]).backward()  # type: ignore[no-untyped-call]
        named = {name: one for name, one in model.named_parameters() if one.requires_grad}
        assert not [name for name, one in named.items() if one.grad is None]
        assert not [name for name, one in named.items() if not torch.isfinite(one.grad).all()]  # type: ignore[arg-type]
        for part in (model.encoder, *model.heads):
            own = [one for one in part.parameters() if one.requires_grad]
            assert not own or any(one.grad is not None and bool(one.grad.any()) for one in own)

    def test_initial_weights_are_those_of_the_seed(self) -> None:
        """Equal for equal seeds whatever was drawn before, different for others."""
        first = self.model()[0].state_dict()
        torch.rand(3)
        second = self.model()[0].state_dict()
        assert all(torch.equal(first[name], second[name]) for name in first)
        third = self.model(seed=1)[0].state_dict()
        assert any(not torch.equal(first[name], third[name]) for name in first)

    def test_works_in_double_precision(self) -> None:
        """Weights and outputs are float64, and near those of float32."""
        single, single_data = self.model()
        double, double_data = self.model("float64")
        rows = torch.arange(5)
        outputs = zip(
            single.eval()(single_data.input(rows)), double.eval()(double_data.input(rows)), strict=True
        )
        for low, high in outputs:
            assert high.dtype == torch.float64
            torch.testing.assert_close(low.double(), high, rtol=1e-3, atol=1e-4)

    def test_weights_survive_safetensors(self) -> None:
        """A second network with the saved weights gives the same outputs."""
        from safetensors.torch import load, save

        first, data = self.model()
        second = self.model(seed=1)[0]
        second.load_state_dict(load(save(first.state_dict())))
        rows = torch.arange(5)
        with torch.no_grad():
            for one, other in zip(
                first.eval()(data.input(rows)), second.eval()(data.input(rows)), strict=True
            ):
                assert torch.equal(one, other)

    def test_learns(self) -> None:
        """30 steps make the loss fall by a tenth at least."""
        experiment = self.experiment()
        data = DeviceData(experiment)
        members = list(range(len(self.tasks)))
        before = member_losses(build_group_model(experiment, members, 0), data, "train").mean()
        after = member_losses(train_group(experiment, members, 0, data).model, data, "train").mean()
        assert after < 0.9 * before

    def test_groups_train_reproducibly(self) -> None:
        """The trainer gives the same losses twice, for the group of all tasks and for the first alone."""
        membership = np.zeros((2, len(self.tasks)), dtype=bool)
        membership[0] = membership[1, 0] = True
        first, second = (train_groups(self._short(), membership, 3) for _ in range(2))
        assert np.isfinite(first.losses["valid"][membership]).all()
        np.testing.assert_array_equal(first.losses["valid"], second.losses["valid"])

    def test_refuses_wrong_shapes_by_name(self) -> None:
        """The error names the shape and is the engine's own."""
        dtype = self.experiment().data.input_dtype
        for shape in self.wrong_shapes:
            with pytest.raises((DataError, UsageError), match=re.escape(str(shape))) as refused:
                self.make().encoder(shape, dtype)
            assert "Backbone" in str(refused.value)

    def _short(self) -> Experiment:
        whole = self.experiment()
        return Experiment(
            whole.data, self.backbone, self.options, TrainingSettings(epochs=2, patience=0, batch_size=ROWS)
        )


def _targets(task: Task, level: np.ndarray[Any, np.dtype[np.float64]]) -> Any:
    if task.kind == "binary":
        return (level > 0).astype(np.float64)
    if task.kind == "multiclass":
        return np.floor((level + 1) / 2.0001 * task.outputs)
    return level if task.outputs == 1 else np.repeat(level[:, None], task.outputs, axis=1)
