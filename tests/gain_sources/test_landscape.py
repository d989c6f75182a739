"""Distances of per-sample gradients, against one backward pass per sample and task."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from backbones import DeviceData, build_group_model, key, sample_losses
from engine import AffinitySource, DataError, Experiment, UsageError, make_gain_source
from engine.data import Task
from gain_sources.gradients import sample_gradients
from gain_sources.landscape import Landscape
from tests.gain_sources.affinity_examples import experiment, helper_and_brute, permuted

HERE = "tests.gain_sources.affinity_examples"
CASES: dict[str, dict[str, Any]] = {
    "mlp": {},
    "mlp, separate": {"shared": False},
    "cnn": {"shape": (1, 8, 8), "backbone": "cnn", "backbone_options": {"channels": 2, "hidden": 4}},
    "cnn, separate": {
        "shape": (1, 8, 8),
        "shared": False,
        "backbone": "cnn",
        "backbone_options": {"channels": 2, "hidden": 4},
    },
    "normalised": {
        "shape": (2, 6, 6),
        "backbone": f"{HERE}:NormalisedConvolutions",
        "backbone_options": {"dropout": 0.5},
    },
    "normalised, separate": {
        "shape": (2, 6, 6),
        "shared": False,
        "backbone": f"{HERE}:NormalisedConvolutions",
        "backbone_options": {},
    },
    "per position": {"shape": (5, 3), "backbone": f"{HERE}:PerPosition", "backbone_options": {}},
    "recurrent": {"shape": (4, 2), "backbone": "gru", "backbone_options": {"hidden": 3}},
    "recurrent, separate": {
        "shape": (4, 2),
        "shared": False,
        "backbone": "gru",
        "backbone_options": {"hidden": 3},
    },
    "transformer": {
        "shape": (4, 2),
        "backbone": "transformer",
        "backbone_options": {"hidden": 8, "layers": 1, "heads": 2},
    },
}
SAMPLES = 20


def drawn_rows(one: Experiment, seed: int) -> list[torch.Tensor]:
    data = one.data
    found = []
    for index in range(len(data.inputs)):
        purpose = "samples" if data.shared else f"samples of {data.tasks[index].name}"
        rows = torch.from_numpy(data.rows("train", index))
        source = torch.Generator().manual_seed(key(seed, purpose))
        found.append(rows[torch.randperm(len(rows), generator=source)[:SAMPLES]])
    return found * data.n_tasks if data.shared else found


def naive(one: Experiment, seed: int, normalise: str = "none", *, common: bool = True) -> NDArray[np.float64]:
    """Return the mean distances, by loops over samples and tasks."""
    count = one.data.n_tasks
    model = build_group_model(one, range(count), seed).eval()
    if common:
        # Of these tasks, three have one output.
        alike = sorted(
            (task for task in range(count) if one.data.tasks[task].outputs == 1), key=one.tasks.__getitem__
        )
        for task in alike:
            model.heads[task].load_state_dict(model.heads[alike[0]].state_dict())
    data, rows = DeviceData(one), drawn_rows(one, seed)
    gradients: list[list[torch.Tensor | None]] = []
    for sample in range(SAMPLES):
        of_tasks: list[torch.Tensor | None] = []
        for task in range(count):
            row = rows[task][sample : sample + 1]
            target = data.targets[task][row]
            if bool(torch.isnan(target).any()):
                of_tasks.append(None)
                continue
            output = model.forward_member(data.input(row, task), task)
            loss = sample_losses(one.data.tasks[task], output, target).sum()
            found = torch.autograd.grad(loss, list(model.encoder.parameters()))
            of_tasks.append(torch.cat([part.flatten() for part in found]))
        gradients.append(of_tasks)
    scales = []
    for task in range(count):
        norms = [float(of[task].abs().sum()) for of in gradients if of[task] is not None]  # type: ignore[union-attr]
        scales.append(float(np.mean(norms)) if normalise == "task" else 1.0)
    distances = np.zeros((count, count))
    for i in range(count):
        for j in range(count):
            found_distances = []
            for of_tasks in gradients:
                first, second = of_tasks[i], of_tasks[j]
                if first is None or second is None:
                    continue
                first, second = first / scales[i], second / scales[j]
                if normalise == "sample":
                    first, second = first / first.abs().sum(), second / second.abs().sum()
                found_distances.append(float((first - second).abs().sum()))
            distances[i, j] = np.mean(found_distances)
    return distances


@pytest.mark.parametrize("case", CASES)
def test_equals_loops_over_samples(case: str) -> None:
    one = experiment(**CASES[case])
    found = Landscape(samples=SAMPLES, normalise="none").distances(one, seed=2)
    np.testing.assert_allclose(found, naive(one, 2), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("case", ["mlp", "mlp, separate", "normalised", "cnn"])
@pytest.mark.parametrize("normalise", ["task", "sample"])
def test_normalised_gradients(case: str, normalise: str) -> None:
    one = experiment(**CASES[case])
    found = Landscape(samples=SAMPLES, normalise=normalise).distances(one, seed=2)
    np.testing.assert_allclose(found, naive(one, 2, normalise), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("case", ["mlp", "cnn", "transformer"])
def test_single_precision_is_exact_to_rounding(case: str) -> None:
    one = experiment(**CASES[case])
    single = experiment(**CASES[case], precision="float32")
    found = Landscape(samples=SAMPLES).distances(single)
    wanted = naive(one, 0, "task")
    off = ~np.eye(len(wanted), dtype=bool)
    # Initial weights are rounded to single precision either way.
    assert (np.abs(found - wanted)[off] <= 1e-5 * wanted[off]).all()


@pytest.mark.parametrize("case", ["mlp", "cnn", "normalised", "recurrent"])
def test_blocks_do_not_change_the_result(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one = experiment(**CASES[case])
    whole = Landscape(samples=SAMPLES).distances(one)
    monkeypatch.setattr(sample_gradients, "LARGEST_BLOCK", 700)
    np.testing.assert_allclose(Landscape(samples=SAMPLES).distances(one), whole, rtol=1e-12, atol=1e-14)


def test_heads_of_their_own() -> None:
    one = experiment()
    found = Landscape(samples=SAMPLES, normalise="none", common_heads=False).distances(one, seed=2)
    np.testing.assert_allclose(found, naive(one, 2, common=False), rtol=1e-9, atol=1e-12)


def test_initialisations_are_averaged() -> None:
    one = experiment(missing=0.0)
    options: dict[str, Any] = {"samples": 0, "normalise": "none"}
    both = Landscape(**options, initialisations=2).distances(one, seed=4)
    apart = [Landscape(**options).distances(one, seed=seed) for seed in (4, 5)]
    np.testing.assert_allclose(both, np.mean(apart, axis=0), rtol=1e-12)


@pytest.mark.parametrize("similarity", ["exponential", "standardised"])
def test_the_nearer_the_more_similar(similarity: str) -> None:
    one = experiment()
    source = Landscape(similarity=similarity)
    distances, affinity = source.distances(one), source.affinity(one)
    pairs = np.triu_indices(len(distances), 1)
    np.testing.assert_array_equal(affinity.matrix, affinity.matrix.T)
    np.testing.assert_array_equal(np.argsort(affinity.matrix[pairs]), np.argsort(-distances[pairs]))
    if similarity == "exponential":
        wanted = np.exp(-distances[pairs] / np.median(distances[pairs]))
    else:
        wanted = (distances[pairs].mean() - distances[pairs]) / distances[pairs].std()
    np.testing.assert_allclose(affinity.matrix[pairs], wanted)


def test_tasks_that_agree_are_nearest() -> None:
    tasks = (Task("one", "binary"), Task("noise", "binary"), Task("two", "binary"))
    one = experiment(tasks=tasks, missing=0.0, rows=600)
    targets = list(one.data.targets)
    targets[2] = targets[0]
    agreeing = Experiment(
        type(one.data)(tasks, one.data.inputs, tuple(targets), one.data.splits),
        one.backbone,
        one.backbone_options,
        one.settings,
    )
    matrix = Landscape(initialisations=5).affinity(agreeing).matrix
    assert matrix[0, 2] > max(matrix[0, 1], matrix[1, 2])


def test_constant_distances_have_a_similarity() -> None:
    one = helper_and_brute()
    for similarity, wanted in (("exponential", np.exp(-1)), ("standardised", 0.0)):
        matrix = Landscape(similarity=similarity, normalise="none").affinity(one).matrix
        np.testing.assert_allclose(matrix[[0, 1], [1, 0]], wanted)


@pytest.mark.parametrize("case", ["mlp", "mlp, separate"])
def test_tasks_in_another_order_give_the_same(case: str) -> None:
    one, order = experiment(**CASES[case]), [3, 0, 4, 2, 1]
    data = one.data
    other = (
        permuted(one, order)
        if data.shared
        else Experiment(
            type(data)(
                tuple(data.tasks[task] for task in order),
                tuple(data.inputs[task] for task in order),
                tuple(data.targets[task] for task in order),
                {name: tuple(of[task] for task in order) for name, of in data.splits.items()},
            ),
            one.backbone,
            one.backbone_options,
            one.settings,
        )
    )
    source = Landscape(samples=SAMPLES)
    matrix, found = source.affinity(one).matrix, source.affinity(other).matrix
    np.testing.assert_allclose(found, matrix[np.ix_(order, order)], rtol=1e-10)


def test_a_seed_gives_one_result() -> None:
    one, source = experiment(), make_gain_source("landscape", AffinitySource, {"samples": 10})
    np.testing.assert_array_equal(source.affinity(one, 1).matrix, source.affinity(one, 1).matrix)
    assert np.abs(source.affinity(one, 1).matrix - source.affinity(one, 2).matrix).max() > 1e-3


def test_no_common_label_is_named() -> None:
    one = experiment(tasks=(Task("left"), Task("right")), missing=0.0)
    left, right = (target.copy() for target in one.data.targets)
    left[::2], right[1::2] = np.nan, np.nan
    split = Experiment(
        type(one.data)(one.data.tasks, one.data.inputs, (left, right), one.data.splits),
        one.backbone,
        one.backbone_options,
        one.settings,
    )
    with pytest.raises(DataError, match="labels of both 'left' and 'right'"):
        Landscape().affinity(split)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"samples": -1}, "samples must be 0 or more"),
        ({"initialisations": 0}, "initialisations must be 1 or more"),
        ({"normalise": "row"}, "normalise"),
        ({"similarity": "cosine"}, "similarity"),
    ],
)
def test_options_are_checked(options: dict[str, Any], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        Landscape(**options)
