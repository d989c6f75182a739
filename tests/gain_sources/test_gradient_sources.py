"""TAG, gradient cosine, gradient times update, and pair transfer, against loops of real steps."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from backbones import train_groups
from engine import AffinitySource, DataError, Experiment, UsageError, make_gain_source
from engine.data import Task
from gain_sources.gradient_cosine import GradientCosine
from gain_sources.gradient_update import GradientUpdate
from gain_sources.gradients.shared_training import SharedTraining
from gain_sources.pair_transfer import PairTransfer
from gain_sources.tag import Tag
from tests.gain_sources.affinity_examples import (
    TASKS,
    Moment,
    experiment,
    helper_and_brute,
    mean_effect,
    permuted,
    signs,
)

EVERY = 5
NAMES = ("tag", "gradient-cosine", "gradient-update", "pair-transfer")
HERE = "tests.gain_sources.affinity_examples"
CASES: dict[str, dict[str, Any]] = {
    "momentum": {"optimiser": "sgd", "learning_rate": 0.05, "weight_decay": 0.01},
    "plain descent": {"optimiser": "sgd", "momentum": 0.0, "learning_rate": 0.05, "clip_norm": 0.3},
    "adam": {"optimiser": "adam", "learning_rate": 0.01, "weight_decay": 0.02},
    "adamw": {"optimiser": "adamw", "learning_rate": 0.01, "weight_decay": 0.1, "clip_norm": 0.2},
    "separate": {"shared": False, "optimiser": "sgd", "learning_rate": 0.02},
    "dropout": {"backbone_options": {"hidden": 5, "dropout": 0.3}, "learning_rate": 0.01},
    "recurrent": {
        "shape": (4, 2),
        "backbone": "gru",
        "backbone_options": {"hidden": 3},
        "optimiser": "sgd",
    },
    "recurrent, separate": {
        "shared": False,
        "shape": (4, 2),
        "backbone": "gru",
        "backbone_options": {"hidden": 3},
    },
    "normalised": {
        "shape": (2, 6, 6),
        "backbone": f"{HERE}:NormalisedConvolutions",
        "backbone_options": {},
        "learning_rate": 0.01,
    },
}


def pairs(count: int) -> list[tuple[int, int]]:
    return list(product(range(count), repeat=2))


def looked_ahead(moment: Moment) -> dict[tuple[int, int], float]:
    found = {}
    for source, recipient in pairs(moment.one.data.n_tasks):
        other = moment.copy()
        before = moment.copy().loss(recipient).item()
        other.step(other.weighted_loss(source), heads=False)
        if before > 0:
            found[source, recipient] = 1 - other.loss(recipient).item() / before
    return found


def updates(moment: Moment) -> list[torch.Tensor]:
    found = []
    for task in range(moment.one.data.n_tasks):
        other = moment.copy()
        other.step(other.weighted_loss(task), heads=False)
        before = torch.nn.utils.parameters_to_vector(moment.model.encoder.parameters())
        after = torch.nn.utils.parameters_to_vector(other.model.encoder.parameters())
        found.append((before - after).detach())
    return found


def first_order(moment: Moment) -> dict[tuple[int, int], float]:
    moved = updates(moment)
    return {
        (source, recipient): (moved[source] @ moment.copy().shared_gradient(recipient)).item()
        / moment.copy().loss(recipient).item()
        for source, recipient in pairs(moment.one.data.n_tasks)
        if moment.labelled[recipient]
    }


def gradient_times_update(moment: Moment) -> dict[tuple[int, int], float]:
    moved, rate = updates(moment), moment.one.settings.learning_rate
    return {
        (source, recipient): (moved[source] @ moment.copy().shared_gradient(recipient)).item() / rate
        for source, recipient in pairs(moment.one.data.n_tasks)
    }


def cosines(moment: Moment) -> dict[tuple[int, int], float]:
    gradients = [moment.copy().shared_gradient(task) for task in range(moment.one.data.n_tasks)]
    return {
        (one, other): float(torch.cosine_similarity(gradients[one], gradients[other], dim=0))
        for one, other in pairs(len(gradients))
    }


def transferred(moment: Moment, share: float = 1.0) -> dict[tuple[int, int], float]:
    found = {}
    for source, recipient in pairs(moment.one.data.n_tasks):
        alone, pair = moment.copy(), moment.copy()
        alone.step(alone.weighted_loss(recipient), heads=True)
        losses = pair.weighted_loss(source) + pair.weighted_loss(recipient)
        pair.step(share * losses, heads=True)
        after = alone.loss(recipient).item()
        if after > 0:
            found[source, recipient] = 1 - pair.loss(recipient).item() / after
    return found


REFERENCES = {
    "tag": (Tag(every=EVERY), looked_ahead),
    "first": (Tag(order="first", every=EVERY), first_order),
    "cosine": (GradientCosine(every=EVERY), cosines),
    "update": (GradientUpdate(every=EVERY), gradient_times_update),
    "transfer": (PairTransfer(every=EVERY), transferred),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", REFERENCES)
def test_equals_a_loop_of_real_steps(name: str, case: str) -> None:
    source, effects = REFERENCES[name]
    one = experiment(**CASES[case])
    found = source.affinity(one, seed=3).matrix
    np.testing.assert_allclose(found, mean_effect(one, 3, EVERY, effects), rtol=1e-8, atol=1e-10)


def test_mean_of_a_pair_makes_smaller_steps() -> None:
    one = experiment(optimiser="sgd", learning_rate=0.1)
    source = PairTransfer(combination="mean", every=EVERY)
    expected = mean_effect(one, 0, EVERY, lambda moment: transferred(moment, 0.5))
    found = source.affinity(one).matrix
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found.diagonal(), 0, atol=1e-14)


def test_first_order_of_plain_descent_is_the_product_of_gradients() -> None:
    one = experiment(optimiser="sgd", momentum=0.0, learning_rate=0.01, tasks=TASKS[1:])

    def product_of_gradients(moment: Moment) -> dict[tuple[int, int], float]:
        gradients = [moment.copy().shared_gradient(task) for task in range(4)]
        return {
            (i, j): 0.01 * float(gradients[i] @ gradients[j]) / moment.loss(j).item() for i, j in pairs(4)
        }

    found = Tag(order="first", every=EVERY).affinity(one).matrix
    np.testing.assert_allclose(found, mean_effect(one, 0, EVERY, product_of_gradients), rtol=1e-9)


def test_first_order_comes_near_the_exact_one() -> None:
    one = experiment(optimiser="sgd", learning_rate=1e-3)
    exact, first = (Tag(order=order, every=1).affinity(one).matrix for order in ("exact", "first"))
    assert np.corrcoef(exact.ravel(), first.ravel())[0, 1] > 0.999


@pytest.mark.parametrize(
    "source", [Tag(), PairTransfer(), Tag(every=1)], ids=["tag", "transfer", "tag, every step"]
)
def test_a_brute_hurts_the_helper_that_helps_it(source: AffinitySource) -> None:
    affinity = source.affinity(helper_and_brute())
    assert affinity.tasks == ("helper", "brute")
    assert affinity.matrix[0, 1] > 0 > affinity.matrix[1, 0]


@pytest.mark.parametrize("source", [Tag(), Tag(order="first"), GradientUpdate()])
def test_signs_of_adam_help_in_one_direction(source: AffinitySource) -> None:
    matrix = source.affinity(signs()).matrix
    assert matrix[0, 1] > 0 > matrix[1, 0]


def test_look_ahead_by_hand() -> None:
    matrix = Tag().affinity(helper_and_brute()).matrix
    # A step on the helper leads from 0 to 0.004, one on the brute to 4.
    np.testing.assert_allclose(matrix[0, 1], 1 - (10 - 0.004) ** 2 / 10**2)
    np.testing.assert_allclose(matrix[1, 0], 1 - (4 - 1) ** 2 / 1)


@pytest.mark.parametrize("name", NAMES)
def test_tasks_in_another_order_give_the_same(name: str) -> None:
    one, order = experiment(learning_rate=0.01, clip_norm=0.5), [3, 0, 4, 2, 1]
    source = make_gain_source(name, AffinitySource, {"every": 2})
    matrix, other = source.affinity(one).matrix, source.affinity(permuted(one, order)).matrix
    np.testing.assert_allclose(other, matrix[np.ix_(order, order)], rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_gives_one_result(name: str) -> None:
    one = experiment(backbone_options={"hidden": 4, "dropout": 0.2})
    source = make_gain_source(name, AffinitySource)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = source.affinity(one, seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    np.testing.assert_array_equal(first.matrix, source.affinity(one, seed=1).matrix)
    assert np.abs(first.matrix - source.affinity(one, seed=2).matrix).max() > 1e-6
    assert first.tasks == one.tasks
    assert first.source == name


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("case", ["adam", "dropout", "normalised"])
def test_training_is_that_of_the_group_of_all(case: str, shared: bool) -> None:
    one = experiment(**{**CASES[case], "epochs": 12, "patience": 1, "learning_rate": 0.1, "shared": shared})
    scores = []
    training = SharedTraining(one, seed=5)
    epoch = -1
    for step in training.steps(1):
        if step.epoch != epoch:
            epoch = step.epoch
            scores.append(epoch)
    trained = train_groups(one, np.ones((1, len(one.tasks)), dtype=bool), 5)
    assert len(scores) == trained.epochs[0] < 12


@pytest.mark.parametrize(
    "case",
    [
        CASES["normalised"],
        {"backbone": "tests.backbones.training.odd_networks:Odd", "backbone_options": {"kind": "state"}},
    ],
    ids=["normalised", "own state"],
)
def test_measuring_does_not_disturb_training(case: dict[str, Any]) -> None:
    one = experiment(**case)
    runs = []
    for every in (1, 1000):
        training = SharedTraining(one, seed=5)
        for step in training.steps(every):
            training.encode(step, step.inputs[0])
        runs.append(training.model.state_dict())
    for name, value in runs[0].items():
        assert torch.equal(value, runs[1][name]), name


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", NAMES)
def test_low_precision_comes_near(name: str, precision: str) -> None:
    settings: dict[str, Any] = {"optimiser": "sgd", "learning_rate": 0.1, "missing": 0.0}
    source = make_gain_source(name, AffinitySource, {"every": 2})
    exact = source.affinity(experiment(**settings)).matrix
    rough = source.affinity(experiment(**settings, precision=precision)).matrix
    assert _correlation(exact, rough) > (0.9999 if precision == "float32" else 0.8)


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


@pytest.mark.parametrize("name", NAMES)
def test_every_batch_without_both_labels_is_named(name: str) -> None:
    one = experiment(tasks=(Task("left"), Task("right")), batch_size=1, epochs=1, missing=0.0)
    left, right = (target.copy() for target in one.data.targets)
    left[::2], right[1::2] = np.nan, np.nan
    split = Experiment(
        type(one.data)(one.data.tasks, one.data.inputs, (left, right), one.data.splits),
        one.backbone,
        one.backbone_options,
        one.settings,
    )
    with pytest.raises(DataError, match=r"'left' on 'right' was never measured.*batch_size"):
        make_gain_source(name, AffinitySource, {"every": 1}).affinity(split)


@pytest.mark.parametrize("name", NAMES)
def test_divergence_is_named(name: str) -> None:
    one = experiment(optimiser="sgd", learning_rate=1e200, epochs=3)
    with pytest.raises(DataError, match="diverged"):
        make_gain_source(name, AffinitySource, {"every": 1}).affinity(one)


@pytest.mark.parametrize(
    ("name", "options", "match"),
    [
        ("tag", {"order": "second"}, "order"),
        ("pair-transfer", {"combination": "product"}, "combination"),
        ("tag", {"evry": 3}, "evry"),
    ],
)
def test_options_are_checked(name: str, options: dict[str, Any], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        make_gain_source(name, AffinitySource, options)


@pytest.mark.parametrize("name", NAMES)
def test_steps_must_be_positive(name: str) -> None:
    with pytest.raises(UsageError, match="every must be 1 or more"):
        make_gain_source(name, AffinitySource, {"every": 0}).affinity(experiment())


@pytest.mark.parametrize("kind", ["state", "function of dropout", "layer dropped", "tied"])
@pytest.mark.parametrize("name", NAMES)
def test_odd_networks_are_measured_alike_every_time(name: str, kind: str) -> None:
    one = experiment(backbone="tests.backbones.training.odd_networks:Odd", backbone_options={"kind": kind})
    source = make_gain_source(name, AffinitySource, {"every": 3})
    first = source.affinity(one, seed=1).matrix
    torch.rand(5)
    np.testing.assert_array_equal(first, source.affinity(one, seed=1).matrix)
