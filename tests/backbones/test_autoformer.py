from __future__ import annotations

import numpy as np
import pytest
import torch

from backbones import DeviceData, make_backbone
from backbones.autoformers.auto_correlation import AutoCorrelation, circular_correlation
from backbones.autoformers.decomposition import Decomposition
from backbones.training.loop import train_group
from engine import DataError, UsageError
from engine.data import MultiTaskData, Task
from engine.training.experiment import Experiment
from engine.training.settings import TrainingSettings

SMALL = {"horizon": 6, "label": 6, "hidden": 16, "inner": 32, "window": 7, "dropout": 0.0}


@pytest.mark.parametrize("length", [1, 6, 9])
def test_correlation_by_fourier_is_the_circular_one(length: int) -> None:
    source = np.random.default_rng(length)
    queries, keys = source.normal(size=(2, 3, length, 2))
    expected = np.zeros((3, length, 2))
    for delay in range(length):
        for time in range(length):
            expected[:, delay] += queries[:, (time + delay) % length] * keys[:, time]
    found = circular_correlation(torch.from_numpy(queries), torch.from_numpy(keys))
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-12)


@pytest.mark.parametrize(("length", "other"), [(9, 9), (9, 5), (5, 9)])
def test_auto_correlation_adds_up_the_best_delays(length: int, other: int) -> None:
    torch.manual_seed(0)
    module = AutoCorrelation(4, factor=1.5).double()
    series, drawn_from = torch.rand(3, length, 4).double(), torch.rand(3, other, 4).double()
    fitted = np.zeros((2, 3, length, 4))
    both = min(length, other)
    fitted[0, :, :both] = module.key(drawn_from).detach().numpy()[:, :both]
    fitted[1, :, :both] = module.value(drawn_from).detach().numpy()[:, :both]
    queries = module.query(series).detach().numpy()
    count = int(1.5 * np.log(length))
    expected = np.zeros((3, length, 4))
    for sample in range(3):
        scores = [
            np.mean(np.sum(np.roll(queries[sample], -delay, axis=0) * fitted[0, sample], axis=0))
            for delay in range(length)
        ]
        best = np.argsort(scores)[::-1][:count]
        weights = np.exp(np.array(scores)[best])
        for delay, weight in zip(best, weights / weights.sum(), strict=True):
            expected[sample] += weight * np.roll(fitted[1, sample], -delay, axis=0)
    drawn = module.output(torch.from_numpy(expected))
    torch.testing.assert_close(module(series, drawn_from), drawn)


@pytest.mark.parametrize("window", [1, 3, 7])
def test_decomposition_is_a_moving_average_with_the_ends_repeated(window: int) -> None:
    series = np.random.default_rng(0).normal(size=(2, 5, 3))
    trend = np.zeros_like(series)
    for time in range(5):
        for shift in range(-(window // 2), window // 2 + 1):
            trend[:, time] += series[:, min(max(time + shift, 0), 4)] / window
    seasonal, found = Decomposition(window)(torch.from_numpy(series))
    np.testing.assert_allclose(found.numpy(), trend, atol=1e-12)
    np.testing.assert_allclose(seasonal.numpy(), series - trend, atol=1e-12)


def test_named_channels_begin_with_their_own_trend() -> None:
    backbone = make_backbone("autoformer", {**SMALL, "channels": "oil,load"})
    network, width = backbone.encoder((12, 2), np.dtype(np.float32))
    features = network(torch.rand(3, 12, 2))
    head = backbone.head(width, Task("load", outputs=6))
    steps = features.view(3, 6, 18)
    seasonal = steps[..., :16] @ next(head.parameters())[0, :16]
    torch.testing.assert_close(head(features), seasonal + steps[..., 17])


def test_other_tasks_have_a_linear_head() -> None:
    backbone = make_backbone("autoformer", SMALL)
    _, width = backbone.encoder((12, 2), np.dtype(np.float32))
    assert isinstance(backbone.head(width, Task("peak")), torch.nn.Linear)


def test_the_setting_of_the_paper_is_the_default() -> None:
    network, width = make_backbone("autoformer").encoder((96, 7), np.dtype(np.float32))
    assert width == 24 * (512 + 7)
    assert network.eval()(torch.rand(1, 96, 7)).shape == (1, width)


def test_forecasts_season_and_trend_better_than_a_linear_network() -> None:
    losses = {}
    data = _season_and_trend()
    settings = TrainingSettings(epochs=12, patience=0, batch_size=32, learning_rate=3e-3)
    for name, options in (("autoformer", {**SMALL, "channels": "series"}), ("linear", {"width": 16})):
        experiment = Experiment(data, name, options, settings)
        losses[name] = train_group(experiment, [0], 0, DeviceData(experiment)).losses["test"][0]
    assert losses["autoformer"] < 0.8 * losses["linear"]


def _season_and_trend() -> MultiTaskData:
    """Seasons of several periods over a trend that goes on beyond the levels of training."""
    source = np.random.default_rng(0)
    time = np.arange(30)
    count = 150
    period = source.choice([6, 8, 12], size=(count, 1))
    phase = source.uniform(0, 2 * np.pi, size=(count, 1))
    level = np.linspace(-10, 20, count)[:, None] + 0.1 * time
    series = level + np.sin(2 * np.pi * time / period + phase) + 0.05 * source.normal(size=(count, 30))
    splits = {"train": np.arange(100), "valid": np.arange(100, 120), "test": np.arange(120, 150)}
    return MultiTaskData(
        (Task("series", outputs=6),),
        (series[:, :24, None].astype(np.float32),),
        (series[:, 24:],),
        {name: (rows,) for name, rows in splits.items()},
    )


def test_refuses_what_does_not_fit() -> None:
    with pytest.raises(UsageError, match="window must be odd, not 4"):
        make_backbone("autoformer", {"window": 4})
    with pytest.raises(DataError, match="at least 48 time steps"):
        make_backbone("autoformer").encoder((24, 7), np.dtype(np.float32))
    with pytest.raises(UsageError, match="1 channels are named but series have 2"):
        make_backbone("autoformer", {**SMALL, "channels": "oil"}).encoder((12, 2), np.dtype(np.float32))
