"""Which method trains what, and what is refused by name."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from backbones import DeviceData, TrainerOptions, train_groups
from backbones.training.methods import choose
from engine import UsageError
from tests.backbones.training.sets import data, experiment, some_groups

NETWORKS = "tests.backbones.training.stacked_networks"
CHOICES = {
    "mlp": ("mlp", {}, (4,), "stack"),
    "large mlp": ("mlp", {"hidden": 600}, (4,), "loop"),
    "linear": ("linear", {}, (2, 2), "stack"),
    "gru": ("gru", {}, (5, 2), "stack"),
    "template": ("backbones.TEMPLATE:OneLayer", {"dropout": 0.1}, (4,), "stack"),
    "cnn": ("cnn", {}, (1, 8, 8), "loop"),
    "transformer": ("transformer", {"hidden": 8}, (5, 2), "loop"),
    "residual": (f"{NETWORKS}:Residual", {}, (4,), "vmap"),
    "own": (f"{NETWORKS}:StackedByItself", {}, (4,), "stack"),
    "own with dropout": (f"{NETWORKS}:StackedByItself", {"dropout": 0.1}, (4,), "vmap"),
    "normed": (f"{NETWORKS}:Normed", {}, (4,), "stack"),
    "frozen": (f"{NETWORKS}:Frozen", {}, (4,), "stack"),
    "frozen with dropout": (f"{NETWORKS}:Frozen", {"dropout": 0.1}, (4,), "loop"),
    "noisy heads": (f"{NETWORKS}:NoisyHeads", {}, (4,), "loop"),
}


def chosen(one, **options):
    return choose(one, TrainerOptions(**options), DeviceData(one), 0)[0]


@pytest.mark.parametrize("case", CHOICES)
def test_the_choice_on_a_cpu(case):
    backbone, options, shape, method = CHOICES[case]
    assert chosen(experiment(data(shape=shape), backbone, options), device="cpu").method == method


def test_the_choice_and_the_size_can_be_overridden():
    one = experiment()
    assert chosen(one, method="loop").method == "loop"
    assert chosen(one, method="vmap").method == "vmap"
    assert chosen(one).stack_size == 32
    assert chosen(one, stack_size=100).stack_size == 100


def test_stacks_of_large_networks_are_smaller():
    sizes = [chosen(experiment(options={"hidden": hidden})).stack_size for hidden in (8, 256, 400)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == 32
    assert 4 <= sizes[-1] < sizes[0]


REFUSALS = {
    "a layer": ("stack", f"{NETWORKS}:Residual", {}, (4,), {}, "layer 'encoder', _Residual"),
    "images": ("stack", "cnn", {}, (1, 8, 8), {}, "layer '0', Conv2d"),
    "statistics": ("vmap", f"{NETWORKS}:Normed", {}, (4,), {}, "BatchNorm1d, keeps running statistics"),
    "recurrence": ("vmap", "gru", {"hidden": 3}, (5, 2), {}, "torch cannot vectorise it"),
    "low precision": (
        "stack",
        "gru",
        {"hidden": 3},
        (5, 2),
        {"precision": "bfloat16"},
        "GRU, is not stacked",
    ),
    "own dropout": (
        "stack",
        f"{NETWORKS}:StackedByItself",
        {"dropout": 0.1},
        (4,),
        {},
        "cannot have dropout",
    ),
    "heads": ("vmap", f"{NETWORKS}:NoisyHeads", {}, (4,), {}, "the head of task 'a' has dropout"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_a_method_cannot_train_is_refused_by_name(case):
    method, backbone, options, shape, settings, reason = REFUSALS[case]
    one = experiment(data(shape=shape), backbone, options, **settings)
    with pytest.raises(UsageError, match=r"cannot train the backbone .* Use the method 'loop'") as refused:
        train_groups(one, some_groups(3, 2), 0, TrainerOptions(method=method))
    assert reason in str(refused.value)
    found = train_groups(one, some_groups(3, 2), 0)
    assert np.isfinite(found.losses["test"][found.membership]).all()


def test_separate_samples_refuse_what_depends_on_the_order_of_tasks():
    separate = data(separate=True)
    for method, backbone, options, reason in (
        ("stack", f"{NETWORKS}:Normed", {}, "normalises by batch and each task has its own samples"),
        ("vmap", "mlp", {"dropout": 0.1}, "has dropout and each task has its own samples"),
    ):
        with pytest.raises(UsageError, match=reason):
            train_groups(
                experiment(separate, backbone, options), some_groups(3, 2), 0, TrainerOptions(method=method)
            )


def test_options_are_checked():
    with pytest.raises(UsageError, match=r"stak.*stack"):
        TrainerOptions(method="stak")
    with pytest.raises(UsageError, match="stack_size must be 0 or more"):
        TrainerOptions(stack_size=-1)
    with pytest.raises(UsageError, match="'gpu7'"):
        train_groups(experiment(), some_groups(3, 1), 0, TrainerOptions(device="gpu7"))


@pytest.mark.parametrize("device", ["meta", "xpu"])
def test_a_device_on_which_nothing_can_be_computed_is_refused(device):
    with pytest.raises(UsageError, match=f"Device '{device}': torch cannot compute there"):
        train_groups(experiment(), some_groups(3, 1), 0, TrainerOptions(device=device))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_said():
    with pytest.raises(UsageError, match="no GPU here"):
        train_groups(experiment(), some_groups(3, 1), 0, TrainerOptions(device="cuda"))


def test_small_networks_use_one_thread_and_give_the_others_back(monkeypatch):
    seen = []
    plain = torch.set_num_threads
    plain(2)
    monkeypatch.setattr("torch.set_num_threads", lambda count: (seen.append(count), plain(count)))
    train_groups(experiment(), some_groups(3, 2), 0)
    assert seen[0] == 1
    assert torch.get_num_threads() == 2
    assert chosen(experiment(data(shape=(1, 8, 8)), "cnn")).threads == 0


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("backbone", ["mlp", "gru"])
def test_a_gpu_gives_what_the_cpu_gives(backbone):
    one = experiment(data(shape=(5, 2), missing=0.1), backbone, {"hidden": 6})
    membership = some_groups(3, 5)
    on_cpu = train_groups(one, membership, 0, TrainerOptions("cpu", "loop"))
    for method in ("stack", "loop"):
        on_gpu = train_groups(one, membership, 0, TrainerOptions("cuda", method))
        np.testing.assert_allclose(on_gpu.losses["test"], on_cpu.losses["test"], rtol=1e-10)
