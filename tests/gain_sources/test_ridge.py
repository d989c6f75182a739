from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge as SklearnRidge
from sklearn.model_selection import LeaveOneOut, cross_val_predict

from engine import (
    DataError,
    GainModel,
    GainTensor,
    GroupCount,
    LatticeProblem,
    Predictor,
    SeparableModel,
    UncertainModel,
    all_groups,
    load_instance,
    make_gain_source,
    solve,
    tabulate,
)
from gain_sources.hoa import Hoa
from gain_sources.regression.leave_one_out_ridge import PENALTIES
from gain_sources.ridge import Ridge
from tests.gain_sources.membership_examples import pair_sums, random_membership, tensor

SINGLES = np.eye(6, dtype=bool)


def noisy(seed: int, rows: int = 40, count: int = 6, noise: float = 0.05) -> tuple[GainTensor, np.ndarray]:
    random = np.random.default_rng(seed)
    membership = random_membership(random, rows, count)
    pairs, offsets = random.normal(0, 0.1, (count, count)), random.normal(0, 0.1, count)
    truth = pair_sums(membership, pairs, offsets)
    return tensor(membership, truth + random.normal(0, noise, truth.shape)), truth


def test_it_is_found_by_name_and_has_the_structure_that_solvers_use() -> None:
    gains, _ = noisy(0)
    model = make_gain_source("ridge", Predictor).fit(gains)
    assert isinstance(model, GainModel)
    assert isinstance(model, SeparableModel)
    assert isinstance(model, UncertainModel)


@pytest.mark.parametrize("rows", [4, 10, 22])
def test_effects_and_penalty_are_those_of_a_search_with_scikit_learn(rows: int) -> None:
    gains, _ = noisy(rows, rows)
    model = Ridge().fit(gains)
    for task in range(gains.n_tasks):
        held = gains.membership[:, task]
        others = np.delete(gains.membership[held].astype(float), task, axis=1)
        values = gains.gains[held, task]
        if len(values) < 2:
            continue
        largest = np.linalg.norm(others - others.mean(axis=0), ord=2) ** 2
        errors = [np.mean((values - (values.sum() - values) / (len(values) - 1)) ** 2)]
        for penalty in PENALTIES[-2::-1] * largest:
            left_out = cross_val_predict(
                SklearnRidge(penalty, solver="svd"), others, values, cv=LeaveOneOut()
            )
            errors.append(np.mean((values - left_out) ** 2))
        best = int(np.flatnonzero(np.array(errors) <= min(errors) * (1 + 1e-9))[0])
        if best == 0:
            assert np.isinf(model.penalties[task])
            assert np.delete(model.pairs[:, task], task) == pytest.approx(0.0)
            assert model.offsets[task] == pytest.approx(values.mean())
            continue
        assert model.penalties[task] == pytest.approx(PENALTIES[-1 - best] * largest)
        expected = SklearnRidge(model.penalties[task], solver="svd").fit(others, values)
        assert np.delete(model.pairs[:, task], task) == pytest.approx(expected.coef_, abs=1e-9)
        assert model.offsets[task] == pytest.approx(expected.intercept_, abs=1e-9)


def test_exact_effects_are_recovered() -> None:
    gains, _ = noisy(1, noise=0.0)
    held_out = all_groups(6)
    random = np.random.default_rng(1)
    random_membership(random, 40, 6)
    pairs, offsets = random.normal(0, 0.1, (6, 6)), random.normal(0, 0.1, 6)
    expected = pair_sums(held_out, pairs, offsets)
    expected[held_out.sum(axis=1) == 1] = np.where(SINGLES, 0.0, np.nan)
    predicted = Ridge().fit(gains).predict(held_out)
    assert np.array_equal(np.isnan(predicted), ~held_out)
    assert predicted == pytest.approx(expected, abs=1e-4, nan_ok=True)


def test_a_task_alone_gains_nothing_for_certain() -> None:
    model = Ridge().fit(noisy(2)[0])
    for values in (model.predict(SINGLES), model.std(SINGLES)):
        assert np.array_equal(values, np.where(SINGLES, 0.0, np.nan), equal_nan=True)


def test_noise_is_shrunk_to_the_mean() -> None:
    random = np.random.default_rng(3)
    membership = random_membership(random, 45, 6)
    gains = tensor(membership, np.where(membership, 0.3 + random.normal(0, 0.05, membership.shape), np.nan))
    model = Ridge().fit(gains)
    predicted = model.predict(membership)
    assert np.isinf(model.penalties).any()
    assert np.nanstd(predicted) < 0.5 * np.nanstd(gains.gains)
    for task in np.flatnonzero(np.isinf(model.penalties)):
        held = membership[:, task]
        assert predicted[held, task] == pytest.approx(gains.gains[held, task].mean())


def test_standard_errors_are_calibrated_on_groups_held_out() -> None:
    scores = []
    for seed in range(8):
        random = np.random.default_rng(100 + seed)
        membership = random_membership(random, 400, 10)
        pairs, offsets = random.normal(0, 0.1, (10, 10)), random.normal(0, 0.1, 10)
        truth = pair_sums(membership, pairs, offsets)
        values = truth + random.normal(0, 0.1, truth.shape)
        model = Ridge().fit(tensor(membership[:120], values[:120]))
        scores.append(((values - model.predict(membership)) / model.std(membership))[120:][membership[120:]])
    score = np.concatenate(scores)
    assert np.sqrt(np.mean(score**2)) == pytest.approx(1.0, abs=0.06)
    assert np.mean(np.abs(score) < 1.96) == pytest.approx(0.95, abs=0.02)


def test_standard_errors_follow_the_formula_of_the_posterior() -> None:
    gains, _ = noisy(5)
    model = Ridge().fit(gains)
    asked = all_groups(6)[6:]
    found = model.std(asked)
    for task in range(6):
        held = gains.membership[:, task]
        ones = np.insert(np.delete(gains.membership[held].astype(float), task, axis=1), 0, 1.0, axis=1)
        normal = ones.T @ ones + np.diag([0.0, *[model.penalties[task]] * 5])
        rows = np.insert(np.delete(asked[asked[:, task]].astype(float), task, axis=1), 0, 1.0, axis=1)
        factor = 1 + np.einsum("ij,jk,ik->i", rows, np.linalg.inv(normal), rows)
        assert found[asked[:, task], task] ** 2 == pytest.approx(model.noise[task] * factor)


def test_many_noisy_groups_predict_a_group_better_than_its_own_measurement() -> None:
    gains, truth = noisy(6, rows=50, noise=0.2)
    predicted = Ridge().fit(gains).predict(gains.membership)
    assert np.nanmean((predicted - truth) ** 2) < 0.5 * np.nanmean((gains.gains - truth) ** 2)


def test_names_and_order_of_tasks_and_groups_do_not_matter() -> None:
    gains, _ = noisy(7)
    columns, rows = np.random.default_rng(0).permutation(6), np.random.default_rng(1).permutation(40)
    turned = GainTensor.from_dense(
        [gains.tasks[one] for one in columns],
        gains.membership[rows][:, columns],
        gains.gains[rows][:, columns],
    )
    asked = all_groups(6)
    model, other = Ridge().fit(gains), Ridge().fit(turned)
    for method in ("predict", "std"):
        expected = getattr(model, method)(asked)[:, columns]
        assert getattr(other, method)(asked[:, columns]) == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_groups_of_many_seeds_count_for_more_when_asked() -> None:
    random = np.random.default_rng(8)
    membership = random_membership(random, 50, 6)
    truth = pair_sums(membership, random.normal(0, 0.1, (6, 6)), np.zeros(6))
    std = np.where(random.random(membership.shape) < 0.5, 0.01, 0.5)
    gains = tensor(membership, truth + random.normal(0, 1, truth.shape) * std, std=std)
    errors = [
        np.nanmean((Ridge(weighted).fit(gains).predict(membership) - truth) ** 2)
        for weighted in (False, True)
    ]
    assert errors[1] < 0.5 * errors[0]


def test_predictions_are_used_only_where_nothing_is_measured() -> None:
    gains, _ = noisy(9)
    values = gains.gains.copy()
    values[-1] = np.where(gains.membership[-1], 9.0, np.nan)
    partly = GainTensor.from_dense(gains.tasks, gains.membership, values, measured=np.arange(40) < 39)
    asked = all_groups(6)
    expected = Ridge().fit(gains.select(np.arange(39))).predict(asked)
    assert np.array_equal(Ridge().fit(partly).predict(asked), expected, equal_nan=True)


def test_a_task_in_no_larger_group_is_named() -> None:
    gains = GainTensor.from_groups([{"a": 0.0}, {"a": 0.1, "b": 0.1}, {"c": 0.0}])
    with pytest.raises(DataError, match="group of two or more tasks that holds 'c'"):
        Ridge().fit(gains)


def test_a_task_in_one_group_has_its_value_and_an_unknown_error() -> None:
    model = Ridge().fit(GainTensor.from_groups([{"a": 0.1, "b": 0.2}]))
    asked = np.ones((1, 2), dtype=bool)
    assert model.predict(asked)[0] == pytest.approx([0.1, 0.2])
    assert np.isnan(model.std(asked)).all()


def test_losses_alone_are_known_only_where_they_were_measured() -> None:
    gains = GainTensor.from_groups(
        [{"a": 1.0}, {"a": 0.9, "b": 1.2}, {"a": 0.8, "b": 1.1, "c": 1.0}, {"b": 1.0, "c": 1.0}],
        quantity="loss",
    )
    model = Ridge().fit(gains)
    assert model.predict(np.eye(3, dtype=bool)[:1])[0, 0] == 1.0
    with pytest.raises(DataError, match="loss of task 'b' alone"):
        model.predict(np.eye(3, dtype=bool))


def test_tabulated_predictions_carry_their_errors_and_are_not_measured() -> None:
    model = Ridge().fit(noisy(10)[0])
    found = tabulate(model, all_groups(6))
    assert not found.measured.any()
    assert found.std is not None
    assert np.array_equal(found.dense(found.std), model.std(all_groups(6)), equal_nan=True)


def test_the_lattice_is_solved_exactly() -> None:
    model = Ridge().fit(noisy(11)[0])
    solution = solve(LatticeProblem(model, constraints=(GroupCount(at_most=2),)), "lattice")
    values = np.nan_to_num(model.predict(all_groups(6)), nan=-np.inf)
    best = max(np.maximum(values[one], values[other]).sum() for one in range(63) for other in range(one, 63))
    assert solution.status == "OPTIMAL"
    assert solution.value == pytest.approx(best)


def test_real_gains_of_groups_held_out_are_predicted_far_better_than_by_pairs(data_dir: Path) -> None:
    gains = load_instance("mimic27", data_dir).gains()
    larger = np.flatnonzero(gains.sizes > 2)
    held_out = np.random.default_rng(0).choice(larger, 351, replace=False)
    known = gains.select(np.setdiff1d(np.arange(gains.n_groups), held_out))
    asked = gains.select(held_out)
    errors = [
        np.nanmean(np.abs(source.fit(known).predict(asked.membership) - asked.gains))
        for source in (Ridge(), Hoa())
    ]
    assert errors[0] < 0.5 * errors[1]
