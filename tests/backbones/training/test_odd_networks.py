"""Networks of users that do what the built-in ones do not: trained rightly, or refused by name."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from backbones import DeviceData, TrainerOptions, build_group_model, observe, train_groups
from backbones.training.methods import choose
from engine import UsageError
from tests.backbones.training.sets import data, experiment, groups, some_groups
from tests.backbones.training.test_company import same
from tests.backbones.training.test_numerics import equal_plain

ODD = "tests.backbones.training.odd_networks:Odd"
LOOP_ONLY = {
    "tied layers": "'5.weight' and '3.weight' are the same weights",
    "tied": "'third.weight' and 'second.weight' are the same weights",
    "function of dropout": "random numbers elsewhere than in layers of dropout",
    "layer dropped": "random numbers elsewhere than in layers of dropout",
    "random slopes": "random numbers elsewhere than in layers of dropout",
    "state": "changes the buffer 'mean' while training",
    "head without weights": "the head of task 'a' has no weights",
}
REFUSED = {
    "in place": "its encoder changes its inputs in place",
    "head in place": "its head of task 'a' changes its inputs in place",
    "statistics of the batch": "layer '4' of its encoder normalises by batch without running statistics",
    "three axes": r"its encoder must give \(2, 6\) for 2 samples, not \(2, 2, 3\)",
    "narrow": r"its encoder must give \(2, 5\) for 2 samples, not \(2, 6\)",
    "wide head": r"its head of task 'a' must give \(2, 1\) for 2 samples, not \(2, 2\)",
    "flat head": r"its head of task 'a' must give \(2, 1\) for 2 samples, not \(2,\)",
    "one head for all": "the head of task 'a' and the head of task 'b' have weights in common",
    "nothing to train": "has no weights that are trained",
    "fails": "cannot be built or run on these samples .ZeroDivisionError: no such number",
}


@pytest.mark.parametrize("separate", [False, True], ids=["shared", "separate"])
@pytest.mark.parametrize("kind", LOOP_ONLY)
def test_what_a_stack_would_get_wrong_is_trained_alone(kind, separate):
    one = experiment(data(missing=0.1, separate=separate), ODD, {"kind": kind})
    equal_plain(one, ("auto", "loop"), some_groups(3, 3))
    with pytest.raises(UsageError, match=LOOP_ONLY[kind]):
        train_groups(one, some_groups(3, 3), 0, TrainerOptions(method="vmap"))


@pytest.mark.parametrize("kind", ["hook", "no weights"])
def test_what_a_stack_can_do_it_does_rightly(kind):
    one = experiment(data(missing=0.1), ODD, {"kind": kind})
    equal_plain(one, ("auto", "loop"), some_groups(3, 3))
    assert choose(one, TrainerOptions(), DeviceData(one), 0)[0].method != "loop"


@pytest.mark.parametrize("kind", ["function of dropout", "layer dropped", "random slopes"])
def test_noise_of_any_kind_is_that_of_the_seed_whatever_the_company(kind):
    one, membership = experiment(options={"kind": kind}, backbone=ODD), some_groups(3, 5)
    together = train_groups(one, membership, 4)
    torch.rand(7)
    same(together, train_groups(one, membership[[3, 1]], 4), [3, 1])


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("method", ["auto", "loop"])
def test_what_does_not_fit_is_refused_by_name(kind, method):
    with pytest.raises(UsageError, match=f"Backbone '{ODD}'.*{REFUSED[kind]}"):
        train_groups(
            experiment(options={"kind": kind}, backbone=ODD),
            groups(3, [0, 1], [2]),
            0,
            TrainerOptions(method=method),
        )


def test_lazy_layers_start_alike_in_every_group():
    one = experiment(backbone="tests.backbones.training.stacked_networks:Lazy")
    models = [build_group_model(one, members, 2) for members in ([0], [1, 2])]
    assert torch.equal(models[0].encoder[1].weight, models[1].encoder[1].weight)


def test_observing_leaves_no_trace():
    one = experiment(options={"kind": "state"}, backbone=ODD)
    model, inputs = build_group_model(one, [0, 1], 0), torch.randn(2, 4, dtype=torch.float64)
    model.encoder.second.eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.random.get_rng_state()
    assert observe(model, inputs).state == "encoder.mean"
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(state, torch.random.get_rng_state())
    assert model.encoder.training
    assert not model.encoder.second.training


@pytest.mark.parametrize("method", ["auto", "loop"])
def test_one_sample_cannot_be_normalised_by_batch(method):
    one = experiment(backbone="tests.backbones.training.stacked_networks:Normed", options={}, batch_size=1)
    with pytest.raises(UsageError, match="a batch is one sample: raise batch_size"):
        train_groups(one, some_groups(3, 2), 0, TrainerOptions(method=method))


def test_groups_without_tasks_or_of_others_are_refused():
    with pytest.raises(UsageError, match="Group 2 has no tasks"):
        train_groups(experiment(), groups(3, [0], []), 0)
    with pytest.raises(UsageError, match=r"shape \(groups, 3\), not \(1, 5\)"):
        train_groups(experiment(), np.ones((1, 5), dtype=bool), 0)
