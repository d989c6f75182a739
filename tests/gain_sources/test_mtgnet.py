from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engine import (
    Budget,
    DataError,
    GainModel,
    GainTensor,
    LatticeProblem,
    Predictor,
    UncertainModel,
    UsageError,
    all_groups,
    load_instance,
    make_gain_source,
    solve,
    tabulate,
)
from engine.gains.model import EmbeddedModel
from gain_sources.meta_learner import model as mtgnet_model
from gain_sources.meta_learner.network import Weights, initial_weights, predicted
from gain_sources.meta_learner.training import train_as_published, train_held_out
from gain_sources.mtgnet import Mtgnet
from gain_sources.ridge import Ridge
from tests.gain_sources.membership_examples import names, pair_sums, random_membership, tensor

COUNT = 6
SINGLES = np.eye(COUNT, dtype=bool)
SMALL = Mtgnet(width=8, layers=1)
PAPER = Mtgnet("paper", width=4)
VARIANTS = pytest.mark.parametrize("source", [SMALL, PAPER], ids=["default", "paper"])


def averaged(random: np.random.Generator, membership: NDArray[np.bool_], noise: float) -> NDArray[np.float64]:
    """Gains that are means of effects of the others, bent: no sum of effects tells them."""
    count = membership.shape[1]
    effects = random.normal(0, 0.2, (count, count))
    np.fill_diagonal(effects, 0.0)
    means = pair_sums(membership, effects, np.zeros(count)) / (membership.sum(axis=1, keepdims=True) - 1)
    return np.abs(means) + random.normal(0, noise, membership.shape)


def of_one_kind(membership: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How far each group is of one of two kinds of task, 0 to 1, shape (M, 1)."""
    kinds = np.where(np.arange(membership.shape[1]) % 2, 1.0, -1.0)
    return ((membership @ kinds / membership.sum(axis=1)) ** 2)[:, None]


def example(seed: int, rows: int = 30, noise: float = 0.02) -> GainTensor:
    random = np.random.default_rng(seed)
    membership = random_membership(random, rows, COUNT)
    return tensor(membership, averaged(random, membership, noise))


def with_singles(gains: GainTensor) -> GainTensor:
    return GainTensor.from_dense(
        gains.tasks,
        np.concatenate([np.eye(gains.n_tasks, dtype=bool), gains.membership]),
        np.concatenate([np.where(np.eye(gains.n_tasks), 0.0, np.nan), gains.gains]),
    )


def naive(weights: Weights, network: int, group: list[int]) -> torch.Tensor:
    """What one network says of one group, head by head as published; shape (members,)."""
    one = {name: value[network] for name, value in weights.items()}
    tokens = one["embedding"][group]
    width = tokens.shape[1]
    for layer in range(len(one["query_weight"])):
        query, key, value = (
            tokens @ one[f"{name}_weight"][layer] + one[f"{name}_bias"][layer]
            for name in ("query", "key", "value")
        )
        rows = []
        for i in range(len(group)):
            scores = torch.stack([(query[i] * key[j]).sum() * width**-0.5 for j in range(len(group))])
            shares = torch.exp(scores / 0.2 - (scores / 0.2).max())
            context = sum(share * value[j] for j, share in enumerate(shares / shares.sum()))
            row = tokens[i] + context @ one["output_weight"][layer] + one["output_bias"][layer]
            away = row - row.mean()
            normal = away / torch.sqrt((away**2).mean() + 1e-5)
            rows.append(normal * one["norm_weight"][layer] + one["norm_bias"][layer])
        tokens = torch.stack(rows)
    return tokens @ one["head_weight"] + one["head_bias"]


def close(found: torch.Tensor, expected: torch.Tensor, tolerance: float) -> bool:
    return found.shape == expected.shape and bool(((found - expected).abs() < tolerance).all())


def random_weights(count: int, layers: int, networks: int, width: int = 5) -> Weights:
    weights = initial_weights(names(count), width, layers, 3, range(networks), torch.float64)
    generator = torch.Generator().manual_seed(0)
    return {
        name: value + 0.3 * torch.randn(value.shape, generator=generator, dtype=torch.float64)
        for name, value in weights.items()
    }


@VARIANTS
def test_it_is_found_by_name_and_keeps_the_contract_of_models(source: Mtgnet) -> None:
    assert type(make_gain_source("mtgnet", Predictor, {"variant": source.variant})) is Mtgnet
    model = source.fit(with_singles(example(0, rows=15)))
    assert isinstance(model, GainModel)
    assert isinstance(model, UncertainModel)
    assert isinstance(model, EmbeddedModel)
    asked = all_groups(COUNT)
    found, std = model.predict(asked), model.std(asked)
    assert np.array_equal(np.isnan(found), ~asked)
    assert np.array_equal(found[:COUNT], np.where(SINGLES, 0.0, np.nan), equal_nan=True)
    assert np.array_equal(std[:COUNT], np.where(SINGLES, 0.0, np.nan), equal_nan=True)
    larger = asked[COUNT:]
    if source is PAPER:
        assert np.isnan(std[COUNT:]).all()
    else:
        assert np.array_equal(np.isnan(std[COUNT:]), ~larger)
        assert (std[COUNT:][larger] > 0).all()


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_forward_pass_is_that_of_a_loop_over_groups_and_members(layers: int) -> None:
    weights = random_weights(COUNT, layers, 2)
    groups = all_groups(COUNT)
    dense = predicted(weights, torch.from_numpy(groups))
    for row, group in enumerate(groups):
        members = np.flatnonzero(group)
        compact = predicted(weights, torch.from_numpy(group[None]), torch.from_numpy(members[None]))
        for network in range(2):
            expected = naive(weights, network, members.tolist())
            assert dense[network, row, members] == pytest.approx(expected, abs=1e-11)
            assert compact[network, 0] == pytest.approx(expected, abs=1e-11)


def naive_training(weights: Weights, groups: NDArray[np.bool_], gains: NDArray[np.float64]) -> list[Weights]:
    """The published training, written as a loop; the snapshots of least error, best first."""
    trained = {name: value.clone().requires_grad_() for name, value in weights.items()}
    optimiser = torch.optim.Adam(list(trained.values()), lr=0.007, weight_decay=5e-4)
    snapshots: list[tuple[float, Weights]] = []
    least, since = math.inf, 0
    while since < 5:
        away = [
            naive(trained, 0, members.tolist()) - torch.from_numpy(values[members])
            for members, values in (
                (np.flatnonzero(group), row) for group, row in zip(groups, gains, strict=True)
            )
        ]
        error = torch.cat(away).abs().mean()
        snapshots.append((error.item(), {name: one.detach().clone() for name, one in trained.items()}))
        least, since = (error.item(), 0) if error.item() < least else (least, since + 1)
        optimiser.zero_grad()
        error.backward()
        optimiser.step()
    return [one for _, one in sorted(snapshots, key=lambda snapshot: snapshot[0])[:2]]


def test_published_training_is_that_of_a_loop_over_member_entries() -> None:
    groups = all_groups(3)[2:]
    gains = np.where(groups, np.random.default_rng(1).normal(0, 0.1, groups.shape), np.nan)
    weights = initial_weights(names(3), 4, 2, 0, [0], torch.float64)
    expected = naive_training(weights, groups, gains)
    filled = torch.from_numpy(np.where(groups, gains, 99.0))  # what is off the membership does not count
    found = train_as_published(weights, torch.from_numpy(groups), filled)
    for network in range(2):
        for name in ("embedding", "query_weight", "output_weight", "norm_bias", "head_weight"):
            assert close(found[name][network], expected[network][name][0], 1e-7)
    assert not np.allclose(found["embedding"][0], weights["embedding"][0], atol=1e-2)


def test_networks_trained_together_are_those_trained_alone() -> None:
    gains = example(2, rows=15)
    groups = torch.from_numpy(gains.membership.copy())
    values = torch.from_numpy(np.nan_to_num(gains.gains) / 0.1)
    held_out = torch.arange(len(groups)) % 3 == torch.arange(3)[:, None]

    def weights(networks: list[int]) -> Weights:
        return initial_weights(gains.tasks, 6, 2, 5, networks, torch.float64)

    def trained(networks: list[int]) -> Weights:
        targets = values.expand(len(networks), -1, -1)
        return train_held_out(weights(networks), groups, targets, held_out[networks], seed=1, epochs=4)

    together, published = trained([0, 1, 2]), train_as_published(weights([0, 1, 2]), groups, values)
    for network in range(3):
        alone, one = trained([network]), train_as_published(weights([network]), groups, values)
        for name in together:
            assert close(together[name][network], alone[name][0], 1e-10)
            for snapshot in range(2):
                assert close(published[name][network + 3 * snapshot], one[name][snapshot], 1e-10)
        assert not np.allclose(together["embedding"][network], weights([network])["embedding"][0])


def test_a_network_never_sees_what_it_holds_out() -> None:
    gains = example(3)
    groups = torch.from_numpy(gains.membership.copy())
    values = torch.from_numpy(np.nan_to_num(gains.gains))[None]
    held_out = (torch.arange(len(groups)) < 5)[None]
    weights = initial_weights(gains.tasks, 6, 1, 5, [0], torch.float64)
    changed = torch.where(held_out[:, :, None] & groups, values + 1e-3, values)
    found = [train_held_out(weights, groups, one, held_out, seed=1, epochs=3) for one in (values, changed)]
    for name in found[0]:
        assert torch.equal(found[0][name], found[1][name])


@VARIANTS
def test_a_seed_fixes_everything(source: Mtgnet) -> None:
    gains, asked = example(4, rows=12), all_groups(COUNT)
    first = source.fit(gains).predict(asked)
    assert np.array_equal(source.fit(gains).predict(asked), first, equal_nan=True)
    other = replace(source, seed=1).fit(gains).predict(asked)
    assert np.nanmax(np.abs(other - first)) > 1e-6


@VARIANTS
def test_the_order_of_tasks_and_groups_does_not_matter(source: Mtgnet) -> None:
    gains = with_singles(example(5, rows=12))
    random = np.random.default_rng(0)
    columns, rows = random.permutation(COUNT), random.permutation(gains.n_groups)
    turned = GainTensor.from_dense(
        [gains.tasks[one] for one in columns],
        gains.membership[rows][:, columns],
        gains.gains[rows][:, columns],
    )
    asked = all_groups(COUNT)
    model, other = source.fit(gains), source.fit(turned)
    for method in ("predict", "std"):
        expected = getattr(model, method)(asked)[:, columns]
        assert getattr(other, method)(asked[:, columns]) == pytest.approx(expected, abs=1e-12, nan_ok=True)
    assert other.embeddings() == pytest.approx(model.embeddings()[columns], abs=1e-12)


def test_embeddings_begin_alike_whatever_the_other_tasks() -> None:
    some, all_of = (initial_weights(tasks, 4, 1, 0, [0, 1], torch.float64) for tasks in (("b",), ("a", "b")))
    assert torch.equal(some["embedding"][:, 0], all_of["embedding"][:, 1])
    assert not torch.equal(all_of["embedding"][:, 0], all_of["embedding"][:, 1])


def test_embeddings_have_the_mean_squared_distances_of_all_networks() -> None:
    model = SMALL.fit(example(6))
    points = model.embeddings()
    networks = model.weights["embedding"].double().numpy()[:, np.argsort(model.columns)]
    for one in range(COUNT):
        for other in range(COUNT):
            expected = ((networks[:, one] - networks[:, other]) ** 2).sum(axis=1).mean()
            assert ((points[one] - points[other]) ** 2).sum() == pytest.approx(expected, rel=1e-6)


def test_refitting_goes_on_from_where_it_was_and_keeps_held_out_what_was() -> None:
    gains = example(7, rows=40)
    before = SMALL.fit(gains.select(np.arange(32)))
    after, anew = SMALL.refit(gains, before), SMALL.fit(gains)
    assert all(np.array_equal(after.folds[key], fold) for key, fold in before.folds.items())
    assert len(after.folds) == 40
    assert np.bincount(np.stack(list(after.folds.values()))[:, 0]).tolist() == [8] * 5
    moved = [
        float((model.weights["embedding"] - before.weights["embedding"]).abs().mean())
        for model in (after, anew)
    ]
    assert 0 < moved[0] < moved[1]
    errors = [model.blend.variances @ model.scales**2 for model in (after, anew)]
    assert errors[0] < 1.15 * errors[1]


def test_refitting_starts_anew_where_the_previous_model_does_not_fit() -> None:
    gains = example(8, rows=12)
    renamed = GainTensor.from_dense([f"x{task}" for task in gains.tasks], gains.membership, gains.gains)
    expected = SMALL.fit(gains).predict(all_groups(COUNT))
    strangers = Ridge().fit(gains), SMALL.fit(renamed), replace(SMALL, seed=2).fit(gains), PAPER.fit(gains)
    for previous in strangers:
        found = SMALL.refit(gains, previous).predict(all_groups(COUNT))
        assert np.array_equal(found, expected, equal_nan=True)
    paper = PAPER.fit(gains)
    asked = all_groups(COUNT)
    assert np.array_equal(PAPER.refit(gains, paper).predict(asked), paper.predict(asked), equal_nan=True)


def test_standard_errors_are_calibrated_on_groups_not_seen() -> None:
    scores = []
    for seed in range(3):
        random = np.random.default_rng(200 + seed)
        membership = random_membership(random, 160, 8)
        truth = pair_sums(membership, random.normal(0, 0.1, (8, 8)), random.normal(0, 0.1, 8))
        values = truth + random.normal(0, 0.1, truth.shape)
        model = SMALL.fit(tensor(membership[:60], values[:60]))
        away = (values - model.predict(membership)) / model.std(membership)
        scores.append(np.abs(away[60:][membership[60:]]))
    score = np.concatenate(scores)
    assert np.sqrt(np.mean(score**2)) == pytest.approx(1.0, abs=0.1)
    assert np.mean(score < 0.6745) == pytest.approx(0.5, abs=0.07)
    assert np.mean(score < 1.645) == pytest.approx(0.9, abs=0.04)


def test_it_tells_what_no_sum_of_effects_can() -> None:
    random = np.random.default_rng(9)
    membership = random_membership(random, 110, 8)
    gains = tensor(membership, np.where(membership, 0.2 * of_one_kind(membership), np.nan))
    known, asked = gains.select(np.arange(80)), gains.select(np.arange(80, 110))
    errors = [
        np.nanmean(np.abs(source.fit(known).predict(asked.membership) - asked.gains))
        for source in (Mtgnet(repeats=1), Ridge())
    ]
    assert errors[0] < 0.7 * errors[1]


def test_noise_is_shrunk_to_the_mean_of_each_task() -> None:
    random = np.random.default_rng(10)
    membership = random_membership(random, 40, COUNT)
    noise = random.normal(0, 0.05, membership.shape)
    gains = tensor(membership, np.where(membership, np.linspace(0, 1, COUNT) + noise, np.nan))
    model = SMALL.fit(gains)
    means = np.nanmean(gains.gains, axis=0)
    away = (model.predict(membership) - means)[membership]
    assert np.std(away) < 0.3 * np.std((gains.gains - means)[membership])
    assert model.std(membership)[membership] == pytest.approx(0.05, rel=0.4)


def test_losses_are_predicted_in_their_own_units() -> None:
    gains = example(11)
    scaled = GainTensor.from_dense(
        gains.tasks, gains.membership, 500.0 + 1000.0 * gains.gains, quantity="loss"
    )
    asked = all_groups(COUNT)[COUNT:]
    expected, found = SMALL.fit(gains).predict(asked), SMALL.fit(scaled)
    assert found.predict(asked) == pytest.approx(500.0 + 1000.0 * expected, rel=0.02, nan_ok=True)
    with pytest.raises(DataError, match="loss of task 'task00' alone is not known"):
        found.predict(SINGLES)


def test_only_the_full_group_gives_its_own_gains_and_no_error() -> None:
    full = np.ones((1, COUNT), dtype=bool)
    gains = tensor(full, np.arange(COUNT)[None] / 10)
    model = SMALL.fit(gains)
    assert model.predict(full)[0] == pytest.approx(np.arange(COUNT) / 10)
    assert np.isnan(model.std(full)).all()
    found = tabulate(model, full)
    assert not found.measured.any()


def test_a_single_repeat_has_the_errors_of_groups_held_out() -> None:
    model, asked = replace(SMALL, repeats=1).fit(example(17, rows=15)), all_groups(COUNT)[COUNT:]
    expected = np.where(asked, model.scales * np.sqrt(model.blend.variances), np.nan)
    assert model.columns.tolist() == list(range(COUNT))
    assert model.std(asked) == pytest.approx(expected, nan_ok=True)


def test_few_groups_are_enough() -> None:
    for rows in (2, 3, 4):
        gains = example(12)
        kept = gains.select(np.argsort(-gains.sizes)[:rows])
        assert not kept.uncovered
        found = SMALL.fit(kept).predict(all_groups(COUNT))
        assert np.array_equal(np.isnan(found), ~all_groups(COUNT))


def test_predictions_do_not_count_as_known_where_something_is_measured() -> None:
    gains = example(13, rows=12)
    values = gains.gains.copy()
    values[-1] = np.where(gains.membership[-1], 9.0, np.nan)
    partly = GainTensor.from_dense(gains.tasks, gains.membership, values, measured=np.arange(12) < 11)
    asked = all_groups(COUNT)
    expected = PAPER.fit(gains.select(np.arange(11))).predict(asked)
    assert np.array_equal(PAPER.fit(partly).predict(asked), expected, equal_nan=True)


def test_the_standard_network_counts_where_a_group_has_several() -> None:
    gains = example(14, rows=12)
    twice = GainTensor.from_dense(
        gains.tasks,
        np.concatenate([gains.membership[:1], gains.membership]),
        np.concatenate([gains.gains[:1] + 1.0, gains.gains]),
        cost=np.append(0.5, np.ones(12)),
    )
    asked = all_groups(COUNT)
    expected = PAPER.fit(gains).predict(asked)
    assert np.array_equal(PAPER.fit(twice).predict(asked), expected, equal_nan=True)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"variant": "papr"}, "variant of gain source 'mtgnet'.*Did you mean 'paper'"),
        ({"width": -1}, "width .* 0 or more, not -1"),
        ({"repeats": -2}, "repeats .* not -2"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        Mtgnet(**options)


def test_what_is_missing_is_named() -> None:
    gains = GainTensor.from_groups([{"a": 0.0}, {"a": 0.1, "b": 0.1}, {"c": 0.0}])
    with pytest.raises(DataError, match="group of two or more tasks that holds 'c'"):
        Mtgnet().fit(gains)
    with pytest.raises(UsageError, match="Device 'gpux'"):
        Mtgnet(device="gpux").fit(example(0))
    model = PAPER.fit(example(0))
    for ask in (model.predict, model.std):
        with pytest.raises(DataError, match="does not fit 6 tasks"):
            ask(np.ones((1, 4), dtype=bool))


def test_blocks_bound_memory_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    model, asked = SMALL.fit(example(15)), all_groups(COUNT)
    expected = model.predict(asked), model.std(asked)
    monkeypatch.setattr(mtgnet_model, "BLOCK_NUMBERS", 1)
    assert model.predict(asked) == pytest.approx(expected[0], abs=1e-6, nan_ok=True)
    assert model.std(asked) == pytest.approx(expected[1], abs=1e-6, nan_ok=True)
    assert model.predict(asked[:0]).shape == (0, COUNT)


def test_the_lattice_of_twelve_tasks_is_solved_exactly() -> None:
    random = np.random.default_rng(16)
    membership = random_membership(random, 30, 12)
    model = PAPER.fit(tensor(membership, averaged(random, membership, 0.0)))
    solution = solve(LatticeProblem(model, constraints=(Budget(2),)), "lattice")
    values = np.nan_to_num(model.predict(all_groups(12)), nan=-np.inf)
    best = max(float(np.maximum(values, one).sum(axis=1).max()) for one in values)
    assert solution.status == "OPTIMAL"
    assert solution.value == pytest.approx(best)


def test_real_gains_are_predicted_better_than_as_published(data_dir: Path) -> None:
    gains = load_instance("mimic27", data_dir).gains()
    random = np.random.default_rng(0)
    some = random.choice(np.flatnonzero(gains.sizes > 2), 27, replace=False)
    known = np.union1d(np.flatnonzero((gains.sizes == 1) | (gains.sizes == 27)), some)
    asked = gains.select(np.setdiff1d(np.arange(gains.n_groups), known))
    published, ours = (
        np.nanmean(np.abs(source.fit(gains.select(known)).predict(asked.membership) - asked.gains))
        for source in (Mtgnet("paper"), Mtgnet())
    )
    assert ours < 0.9 * published
