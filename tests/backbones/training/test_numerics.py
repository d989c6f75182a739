"""Many groups at once give what each gives alone."""

from __future__ import annotations

import numpy as np
import pytest

from backbones import TrainerOptions, train_groups
from engine.data import MultiTaskData
from tests.backbones.training.sets import MIXED, changed, data, experiment, some_groups, trained_plainly

NETWORKS = "tests.backbones.training.stacked_networks"
TOLERANCE = 1e-12
"""Relative, in double precision."""
SINGLE_TOLERANCE = 1e-4
"""Relative, in single precision, after some dozen steps."""

NETWORK_CASES = {
    "mlp": ("mlp", {"hidden": 6}, (4,), ("stack", "vmap")),
    "linear": ("linear", {"width": 3}, (2, 2), ("stack", "vmap")),
    "gru": ("gru", {"hidden": 3}, (5, 2), ("stack",)),
    "deep gru": ("gru", {"hidden": 3, "layers": 2}, (4, 1), ("stack",)),
    "normed": (f"{NETWORKS}:Normed", {"batch": False}, (4,), ("stack", "vmap")),
    "residual": (f"{NETWORKS}:Residual", {}, (4,), ("vmap",)),
    "own stack": (f"{NETWORKS}:StackedByItself", {}, (4,), ("stack", "vmap")),
    "frozen": (f"{NETWORKS}:Frozen", {"deep_heads": False}, (4,), ("stack", "vmap")),
    "partly frozen": (f"{NETWORKS}:Frozen", {"partly": True}, (4,), ("vmap",)),
}
SETTING_CASES = {
    "adamw": {"optimiser": "adamw", "weight_decay": 0.1},
    "decay": {"weight_decay": 0.1},
    "sgd": {"optimiser": "sgd", "learning_rate": 0.1},
    "plain sgd": {"optimiser": "sgd", "momentum": 0.0},
    "clipping": {"clip_norm": 0.05},
    "early stopping": {"patience": 1, "epochs": 12, "learning_rate": 0.3},
    "one batch": {"batch_size": 1000},
}


def equal_plain(one, methods, membership, seed=3, tolerance=TOLERANCE):
    """Check every group by every method against the plainest loop."""
    plain = [trained_plainly(one, np.flatnonzero(member).tolist(), seed) for member in membership]
    for method in methods:
        found = train_groups(one, membership, seed, TrainerOptions(method=method))
        for row, (member, (curve, best, losses, metrics)) in enumerate(zip(membership, plain, strict=True)):
            assert (found.best_epoch[row], found.epochs[row]) == (best, len(curve)), method
            curves = found.curves["valid"][row]
            np.testing.assert_allclose(curves[:, member], curve, rtol=tolerance, atol=1e-14)
            assert np.isnan(curves[:, ~member]).all()
            for split in ("valid", "test"):
                for name, expected in (("losses", losses), ("metrics", metrics)):
                    values = getattr(found, name)[split][row]
                    np.testing.assert_allclose(values[member], expected[split], rtol=tolerance, atol=1e-14)
                    assert np.isnan(values[~member]).all()


@pytest.mark.parametrize("separate", [False, True], ids=["shared", "separate"])
@pytest.mark.parametrize("case", NETWORK_CASES)
def test_every_network_on_every_kind_of_task(case, separate):
    backbone, options, shape, methods = NETWORK_CASES[case]
    one = experiment(data(MIXED, shape, separate=separate, missing=0.2), backbone, options)
    equal_plain(one, (*methods, "loop"), some_groups(8, 3))


@pytest.mark.parametrize("separate", [False, True], ids=["shared", "separate"])
@pytest.mark.parametrize("case", SETTING_CASES)
def test_every_setting(case, separate):
    one = experiment(data(separate=separate, missing=0.1), **SETTING_CASES[case])
    equal_plain(one, ("stack", "vmap", "loop"), some_groups(3, 3))


@pytest.mark.parametrize("separate", [False, True], ids=["shared", "separate"])
def test_dropout_is_that_of_a_group_alone(separate):
    one = experiment(data(MIXED, separate=separate), "mlp", {"hidden": 6, "dropout": 0.4})
    still = experiment(data(MIXED, separate=separate))
    membership = some_groups(8, 4)
    equal_plain(one, ("stack", "loop") if separate else ("stack", "vmap", "loop"), membership)
    with_noise, without = (train_groups(of, membership, 3) for of in (one, still))
    assert not np.allclose(with_noise.losses["valid"], without.losses["valid"], equal_nan=True)


@pytest.mark.parametrize("momentum", [0.1, None])
def test_running_statistics_are_those_of_a_group_alone(momentum):
    one = experiment(data(MIXED), f"{NETWORKS}:Normed", {"momentum": momentum}, optimiser="sgd")
    equal_plain(one, ("stack", "loop"), some_groups(8, 3))
    # Adam divides a gradient that normalisation has made tiny by its own size, rounding included.
    equal_plain(changed(one, optimiser="adam"), ("stack", "loop"), some_groups(8, 3), tolerance=1e-9)


def test_running_statistics_over_separate_samples_are_those_of_the_loop():
    one = experiment(data(MIXED, separate=True), f"{NETWORKS}:Normed", {}, optimiser="sgd")
    equal_plain(one, ("auto", "loop"), some_groups(8, 3))


@pytest.mark.parametrize("backbone", ["mlp", "gru"])
def test_single_precision_agrees_within_the_tolerance(backbone):
    one = experiment(data(MIXED, (5, 2)), backbone, {"hidden": 6})
    single = changed(one, precision="float32", epochs=6)
    equal_plain(single, ("stack", "loop"), some_groups(8, 4), tolerance=SINGLE_TOLERANCE)


@pytest.mark.parametrize("separate", [False, True], ids=["shared", "separate"])
def test_mixed_precision_is_near_single_precision(separate):
    one = experiment(data(MIXED, separate=separate), epochs=6, precision="float32", learning_rate=0.005)
    membership = some_groups(8, 4)
    single = train_groups(one, membership, 0)
    for method in ("stack", "vmap", "loop"):
        mixed = train_groups(changed(one, precision="bfloat16"), membership, 0, TrainerOptions(method=method))
        near, exact = mixed.losses["valid"][membership], single.losses["valid"][membership]
        np.testing.assert_allclose(near, exact, rtol=0.05)
        assert (near != exact).any()


def test_bytes_and_splits_longer_than_a_portion(monkeypatch):
    monkeypatch.setattr("backbones.training.feed.EVALUATION_ROWS", 32)
    monkeypatch.setattr("backbones.training.feed.BLOCK_BYTES", 1000)
    floats = data(rows=200)
    inputs = np.clip(128 + 40 * floats.inputs[0], 0, 255).astype(np.uint8)
    one = experiment(MultiTaskData(floats.tasks, (inputs,), floats.targets, floats.splits))
    equal_plain(one, ("stack", "loop"), some_groups(3, 3))


def test_tokens_through_a_transformer():
    floats = data()
    tokens = np.random.default_rng(0).integers(0, 9, (60, 5))
    one = experiment(
        MultiTaskData(floats.tasks, (tokens,), floats.targets, floats.splits),
        "text-encoder",
        {"hidden": 4, "layers": 1, "vocabulary": 9, "dropout": 0.0},
    )
    equal_plain(one, ("vmap", "loop"), some_groups(3, 3))
