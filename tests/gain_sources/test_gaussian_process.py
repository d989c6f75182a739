from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import (
    DataError,
    GainTensor,
    PosteriorModel,
    Predictor,
    UsageError,
    load_instance,
    make_gain_source,
)
from gain_sources.gaussian_process import GaussianProcess, Served
from gain_sources.gaussian_processes.draws import draw_functions
from gain_sources.gaussian_processes.entries import GainEntries, entries_of
from gain_sources.gaussian_processes.kernels import GroupPairs
from gain_sources.gaussian_processes.likelihood import negative_log_likelihood
from gain_sources.gaussian_processes.parameters import Parameters, belief, first_parameters
from gain_sources.gaussian_processes.posterior import GaussianProcessModel
from tests.gain_sources.dense_gaussian_process import (
    error_covariance,
    group_covariance,
    log_likelihood,
    members,
    true_covariance,
)
from tests.gain_sources.membership_examples import names, pair_sums, random_membership, tensor


def noisy(seed: int, rows: int = 25, count: int = 6, noise: float = 0.03, heavy: bool = False):
    """Return noisy pair effects with a common effect of the run, and the true gains."""
    random = np.random.default_rng(seed)
    membership = random_membership(random, rows, count)
    truth = pair_sums(membership, random.normal(0, 0.05, (count, count)), random.normal(0, 0.05, count))
    error = random.standard_t(4, membership.shape) if heavy else random.normal(0, 1, membership.shape)
    error += 0.7 * random.normal(0, 1, (rows, 1))
    return tensor(membership, truth + noise * error), truth


def some_parameters(random: np.random.Generator, count: int, functions: int) -> Parameters:
    first = first_parameters(-2.0, random.normal(0, 0.3, count), random.normal(0, 1, (count, functions)))
    array = first.as_array()
    array[-1 - count : -1] += random.normal(0, 0.7, count)
    return first.replaced(array + random.normal(0, 0.3, len(array)))


def loss(entries: GainEntries, parameters: Parameters) -> tuple[float, np.ndarray]:
    pairs = GroupPairs.of(entries.membership, entries.membership, parameters.weights)
    return negative_log_likelihood(entries, pairs, parameters)


def by_column(model: GaussianProcessModel) -> Parameters:
    """Return the parameters of a model in the order of its tasks."""
    return model.parameters.reordered(model.order, np.arange(len(model.tasks)))


def dense_posterior(model: GaussianProcessModel, gains: GainTensor, asked: np.ndarray):
    """Return mean and covariance of the true gains that are asked for, by plain algebra."""
    parameters = by_column(model)
    known = gains.select(gains.sizes > 1)
    entries, rows = members(known.membership)
    wanted, _ = members(asked)
    variances = [0.0] * len(entries) if known.std is None else (known.std**2).tolist()
    total = true_covariance(entries, entries, parameters)
    total += error_covariance(entries, rows, variances, parameters)
    served = model.run_is_gain
    across = true_covariance(wanted, entries, parameters, run_is_gain=served)
    mean = across @ np.linalg.solve(total, known.values)
    prior = true_covariance(wanted, wanted, parameters, run_is_gain=served)
    covariance = prior - across @ np.linalg.solve(total, across.T)
    return mean, covariance


def test_it_is_found_by_name_and_tells_true_gains_from_measurements() -> None:
    model = make_gain_source("gaussian-process", Predictor).fit(noisy(0)[0])
    assert isinstance(model, PosteriorModel)
    assert model.source == "gaussian-process"


@settings(max_examples=8, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), functions=st.integers(1, 3), alone_is_zero=st.booleans())
def test_marginal_likelihood_is_that_of_the_dense_process_and_its_gradient_that_of_differences(
    seed: int, functions: int, alone_is_zero: bool
) -> None:
    random = np.random.default_rng(seed)
    membership = random.random((7, 5)) < 0.6
    membership = membership[membership.sum(axis=1) > alone_is_zero]
    membership = np.concatenate([membership, [[True] * 5, [True] * 5]])
    values, variances = random.normal(0, 0.1, membership.shape), 0.01 * random.random(membership.shape)
    entries = entries_of(membership, values, variances, alone_is_zero=alone_is_zero)
    parameters = some_parameters(random, 5, functions)
    value, slope = loss(entries, parameters)
    listed, rows = members(membership)
    known = variances[membership].tolist()
    total = true_covariance(listed, listed, parameters, alone_is_zero=alone_is_zero)
    total += error_covariance(listed, rows, known, parameters, alone_is_zero=alone_is_zero)
    assert value == pytest.approx(-log_likelihood(values[membership], total), rel=1e-9)
    array, step = parameters.as_array(), 1e-5

    def shifted(by: np.ndarray) -> float:
        return loss(entries, parameters.replaced(array + by))[0]

    def prior(by: np.ndarray) -> float:
        return belief(parameters.replaced(array + by))[0]

    for function, gradient in ((shifted, slope), (prior, belief(parameters)[1])):
        differences = [(function(one) - function(-one)) / (2 * step) for one in step * np.eye(len(array))]
        assert gradient == pytest.approx(differences, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("served", ["measured-network", "any-network"])
@pytest.mark.parametrize("with_std", [False, True])
def test_mean_std_and_noise_are_those_of_the_dense_process(with_std: bool, served: Served) -> None:
    gains, _ = noisy(1, rows=12, count=5)
    if with_std:
        gains = replace(gains, std=np.full(len(gains.values), 0.02))
    model = GaussianProcess(served=served).fit(gains)
    asked = np.concatenate([gains.membership[:3], random_membership(np.random.default_rng(7), 8, 5)])
    mean, covariance = dense_posterior(model, gains, asked)
    assert model.predict(asked)[asked] == pytest.approx(mean, abs=1e-9)
    parameters = by_column(model)
    wanted, _ = members(asked)
    usual = [0.02**2 if with_std else 0.0] * len(wanted)
    runs = list(range(len(wanted)))
    noise = np.diagonal(error_covariance(wanted, runs, usual, parameters, run_is_gain=model.run_is_gain))
    assert model.noise(asked)[asked] == pytest.approx(np.sqrt(noise), rel=1e-9)
    assert model.std(asked)[asked] == pytest.approx(np.sqrt(np.diagonal(covariance) + noise), rel=1e-7)
    for table in (model.predict(asked), model.std(asked), model.noise(asked)):
        assert np.array_equal(np.isnan(table), ~asked)
    assert (model.noise(asked)[asked] <= model.std(asked)[asked]).all()


@pytest.mark.parametrize("served", ["measured-network", "any-network"])
def test_draws_have_the_mean_and_covariance_of_the_posterior(served: Served) -> None:
    gains, _ = noisy(2, rows=15, count=5)
    model = GaussianProcess(served=served).fit(gains)
    asked = np.concatenate([gains.membership[:2], random_membership(np.random.default_rng(3), 5, 5)])
    mean, covariance = dense_posterior(model, gains, asked)
    draws = model.sample(asked, 1000, np.random.default_rng(4))
    assert draws.shape == (1000, *asked.shape)
    assert np.isnan(draws[:, ~asked]).all()
    flat = draws[:, asked]
    spread = np.sqrt(np.diagonal(covariance))
    assert np.abs((flat.mean(axis=0) - mean) / spread).max() < 4.5 / np.sqrt(1000)
    away = (np.cov(flat.T) - covariance) / np.outer(spread, spread)
    assert np.abs(away).max() < 6.5 / np.sqrt(1000)
    assert np.array_equal(flat[:20], model.sample(asked, 20, np.random.default_rng(4))[:, asked])


def test_functions_drawn_from_the_prior_have_its_covariance() -> None:
    random = np.random.default_rng(5)
    parameters = some_parameters(random, 6, 1)
    kernel, weights = parameters.own, parameters.weights
    membership = random_membership(random, 8, 6)
    draws = np.concatenate(
        [draw_functions(kernel, membership, weights, 40, random) for _ in range(40)], axis=1
    )
    groups = [frozenset(np.flatnonzero(row).tolist()) for row in membership]
    expected = np.array(
        [[group_covariance(kernel, one, two, weights.tolist()) for two in groups] for one in groups]
    )
    spread = np.sqrt(np.diagonal(expected))
    away = (draws @ draws.T / draws.shape[1] - expected) / np.outer(spread, spread)
    assert np.abs(away).max() < 6.0 / np.sqrt(draws.shape[1])


def test_learning_finds_a_better_marginal_likelihood_than_the_start() -> None:
    gains, _ = noisy(6, rows=30)
    model = GaussianProcess().fit(gains)
    learned, slope = loss(model.entries, model.learned)
    _, prior_slope = belief(model.learned)
    assert np.abs(slope + prior_slope).max() < 2.0
    first = first_parameters(model.learned.scale, model.learned.scales, np.zeros_like(model.learned.loadings))
    assert learned + belief(model.learned)[0] < loss(model.entries, first)[0] - 5.0


def test_relabelling_tasks_and_reordering_rows_change_nothing() -> None:
    gains, _ = noisy(8)
    random = np.random.default_rng(8)
    columns, rows = random.permutation(6), random.permutation(gains.n_groups)
    other = GainTensor.from_dense(
        tuple(names(6)), gains.membership[rows][:, columns], gains.gains[rows][:, columns]
    )
    asked = random_membership(random, 20, 6)
    model, relabelled = GaussianProcess().fit(gains), GaussianProcess().fit(other)
    for method in ("predict", "std", "noise"):
        here, there = getattr(model, method)(asked), getattr(relabelled, method)(asked[:, columns])
        assert here[:, columns] == pytest.approx(there, abs=1e-10, nan_ok=True)


def test_it_predicts_true_gains_better_than_measurements_and_task_means_do() -> None:
    errors = []
    for seed in range(4):
        gains, truth = noisy(10 + seed, rows=60, count=8, noise=0.08)
        known, held_out = gains.select(range(45)), gains.select(range(45, 60))
        model, held, inside = (
            GaussianProcess(served="any-network").fit(known),
            held_out.membership,
            known.membership,
        )
        means = np.nanmean(known.gains, axis=0)
        tables = (
            (model.predict(held) - truth[45:])[held],
            (means - truth[45:])[held],
            (model.predict(inside) - truth[:45])[inside],
            (known.gains - truth[:45])[inside],
        )
        errors.append([np.abs(table).mean() for table in tables])
    predicted, of_means, smoothed, measured = np.mean(errors, axis=0)
    assert predicted < 0.85 * of_means
    assert smoothed < 0.6 * measured


@pytest.mark.parametrize("heavy", [False, True])
def test_intervals_hold_what_they_promise_on_gains_of_another_kind(heavy: bool) -> None:
    inside = []
    for seed in range(4):
        gains, _ = noisy(20 + seed, rows=90, count=7, heavy=heavy)
        model = GaussianProcess().fit(gains.select(range(40)))
        held_out = gains.select(range(40, 90))
        held = held_out.membership
        away = (held_out.gains - model.predict(held)) / model.std(held)
        inside.append([np.mean(np.abs(away[held]) < 0.6745), np.mean(np.abs(away[held]) < 1.6449)])
    half, most = np.mean(inside, axis=0)
    assert 0.42 < half < 0.64
    assert 0.84 < most < 0.96


def test_inducing_groups_come_close_to_the_exact_posterior() -> None:
    gains, _ = noisy(30, rows=120, count=8)
    exact = GaussianProcess(served="any-network").fit(gains)
    fewer = GaussianProcess(exact=1, inducing=100, served="any-network").fit(gains)
    assert len(fewer.entries.membership) == 100
    asked = random_membership(np.random.default_rng(30), 60, 8)
    network = GaussianProcess(exact=1, inducing=100).fit(gains)
    assert network.predict(asked) == pytest.approx(fewer.predict(asked), abs=1e-4, nan_ok=True)
    assert network.std(asked) == pytest.approx(fewer.std(asked), rel=1e-4, nan_ok=True)
    spread = np.sqrt(exact.std(asked) ** 2 - exact.noise(asked) ** 2)
    away = (exact.predict(asked) - fewer.predict(asked)) / spread
    assert np.nanmax(np.abs(away)) < 1.0
    assert np.sqrt(np.nanmean(away**2)) < 0.3
    assert np.nanmean(np.abs(fewer.std(asked) / exact.std(asked) - 1.0)) < 0.05
    draws = fewer.sample(asked, 100, np.random.default_rng(31))
    latent = np.sqrt(fewer.std(asked) ** 2 - fewer.noise(asked) ** 2)
    assert np.nanmax(np.abs(draws.mean(axis=0) - fewer.predict(asked)) / latent) < 5.0 / 10.0
    assert np.nanmean(draws.std(axis=0) / latent) == pytest.approx(1.0, abs=0.05)


def test_refit_takes_new_rows_into_account_and_learns_anew_from_many() -> None:
    gains, _ = noisy(40, rows=60, count=7)
    source = GaussianProcess()
    before = source.fit(gains.select(range(55)))
    little = source.refit(gains.select(range(56)), before)
    assert little.learned.as_array() == pytest.approx(
        before.learned.reordered(before.order, little.order).as_array(), abs=0
    )
    mean, _ = dense_posterior(little, gains.select(range(56)), gains.membership[55:])
    assert little.predict(gains.membership[55:])[gains.membership[55:]] == pytest.approx(mean, abs=1e-9)
    early = source.fit(gains.select(range(30)))
    much, anew = source.refit(gains, early), source.fit(gains)
    assert np.array_equal(much.learned.as_array(), anew.learned.as_array())
    others = source.refit(tensor(random_membership(np.random.default_rng(1), 9, 8), np.zeros((9, 8))), before)
    assert len(others.tasks) == 8


def test_a_task_alone_gains_nothing_for_certain() -> None:
    gains, _ = noisy(3)
    singles = np.eye(6, dtype=bool)
    with_singles = GainTensor.from_dense(
        gains.tasks,
        np.concatenate([singles, gains.membership]),
        np.concatenate([np.where(singles, 0.0, np.nan), gains.gains]),
    )
    model, without = GaussianProcess().fit(with_singles), GaussianProcess().fit(gains)
    for table in (
        model.predict(singles),
        model.std(singles),
        model.noise(singles),
        model.sample(singles, 1, np.random.default_rng(0))[0],
    ):
        assert np.array_equal(table, np.where(singles, 0.0, np.nan), equal_nan=True)
    assert model.predict(gains.membership) == pytest.approx(without.predict(gains.membership), nan_ok=True)


def test_a_task_that_dominates_is_found_and_gives_its_groups_away() -> None:
    random = np.random.default_rng(60)
    membership = random_membership(random, 160, 8)
    weights = np.array([1.0, 1.0, 12.0, 1.0, 1.0, 12.0, 1.0, 1.0])
    shares = membership * weights / (membership @ weights)[:, None]
    truth = 0.3 * (1.0 - shares) * (shares @ random.normal(0, 1, (8, 8)) + 0.3)
    truth = np.where(membership, truth, np.nan)
    gains = tensor(membership, truth + random.normal(0, 0.02, truth.shape))
    model = GaussianProcess().fit(gains.select(range(40)))
    learned = by_column(model).weights
    assert set(np.argsort(learned)[-2:]) == {2, 5}
    assert np.exp(learned[[2, 5]].min() - np.delete(learned, [2, 5]).max()) > 3.0
    held = membership[40:]
    error = np.abs(model.predict(held) - truth[40:])[held]
    assert error.mean() < 0.25 * np.abs(truth[40:][held]).mean()


def test_what_a_run_added_belongs_to_the_measured_network_alone() -> None:
    gains, _ = noisy(61, rows=40)
    measured, others = gains.membership, random_membership(np.random.default_rng(62), 30, 6)
    others = others[~(others[:, None] == measured[None]).all(axis=2).any(axis=1)]
    network = GaussianProcess().fit(gains)
    mean = GaussianProcess(served="any-network").fit(gains)
    away, far = (np.abs(model.predict(measured) - gains.gains)[measured] for model in (network, mean))
    assert away.mean() < 0.8 * far.mean()
    assert (network.noise(measured) < mean.noise(measured))[measured].all()
    assert (network.std(measured) < mean.std(measured))[measured].all()
    for ask in ("predict", "std"):
        assert getattr(network, ask)(others) == pytest.approx(getattr(mean, ask)(others), nan_ok=True)


def test_a_task_of_few_gains_is_less_sure_than_one_of_many() -> None:
    gains, _ = noisy(63, rows=30)
    seldom = gains.select(np.flatnonzero(~gains.membership[:, 0]))
    unknown = GaussianProcess().fit(seldom).std(np.ones((1, 6), dtype=bool))[0]
    assert unknown[0] > 1.2 * unknown[1:].mean()


def test_losses_are_predicted_around_the_mean_of_their_task() -> None:
    gains, truth = noisy(4, rows=40)
    level = np.array([3.0, 30.0, 10.0, 5.0, 1.0, 2.0])
    singles = np.eye(6, dtype=bool)
    losses = GainTensor.from_dense(
        gains.tasks,
        np.concatenate([singles, gains.membership]),
        np.concatenate([np.where(singles, level, np.nan), level - gains.gains]),
        quantity="loss",
    )
    model = GaussianProcess().fit(losses)
    assert np.diagonal(model.predict(singles)) == pytest.approx(level, abs=0.3)
    assert (np.diagonal(model.std(singles)) > 0).all()
    held = gains.membership
    assert np.abs(model.predict(held) - (level - truth))[held].mean() < 0.05


@pytest.mark.parametrize(
    ("membership", "values"),
    [
        (np.ones((1, 2), dtype=bool), np.array([[0.1, -0.1]])),
        (np.ones((1, 5), dtype=bool), np.zeros((1, 5))),
        (np.tri(4, dtype=bool)[1:], np.where(np.tri(4)[1:], 0.2, np.nan)),
        (np.array([[True, True, False]]), np.array([[0.1, 0.2, np.nan]])),
    ],
)
def test_little_or_constant_knowledge_still_gives_a_posterior(
    membership: np.ndarray, values: np.ndarray
) -> None:
    gains = tensor(membership, values)
    model = GaussianProcess().fit(gains)
    asked = np.ones((1, gains.n_tasks), dtype=bool)
    for table in (
        model.predict(asked),
        model.std(asked),
        model.sample(asked, 2, np.random.default_rng(0))[1],
    ):
        assert np.isfinite(table).all()
    assert (np.abs(model.predict(asked)) <= 1.01 * np.nanmax(np.abs(values)) + 1e-9).all()
    assert np.isfinite(GaussianProcess().refit(gains, model).predict(asked)).all()


def test_sixty_tasks_in_pairs_and_larger_groups() -> None:
    random = np.random.default_rng(50)
    membership = np.zeros((150, 60), dtype=bool)
    for row in membership:
        row[random.choice(60, random.integers(2, 10), replace=False)] = True
    membership[0] = True
    truth = pair_sums(membership, random.normal(0, 0.02, (60, 60)), random.normal(0, 0.1, 60))
    gains = tensor(membership, truth + random.normal(0, 0.02, truth.shape))
    model = GaussianProcess().fit(gains.select(range(110)))
    held = membership[110:]
    error = np.abs(model.predict(held) - truth[110:])[held]
    assert error.mean() < 0.7 * np.abs(truth[110:][held]).mean()
    assert 0.8 < np.mean(error < 1.645 * model.std(held)[held]) <= 1.0


def test_measured_rows_are_preferred_to_predicted_ones() -> None:
    gains, _ = noisy(5, rows=30)
    measured = np.arange(30) < 20
    mixed = replace(gains, values=np.where(measured[gains.entry_rows], gains.values, 9.0), measured=measured)
    asked = gains.membership
    expected = GaussianProcess().fit(gains.select(range(20))).predict(asked)
    assert GaussianProcess().fit(mixed).predict(asked) == pytest.approx(expected, nan_ok=True)


def test_of_several_rows_of_one_group_the_standard_network_counts() -> None:
    gains, _ = noisy(9)
    membership = np.concatenate([gains.membership, gains.membership[:2]])
    values = np.concatenate([gains.gains, np.where(gains.membership[:2], 5.0, np.nan)])
    both = GainTensor.from_dense(gains.tasks, membership, values, cost=np.append(gains.cost, [0.5, 0.5]))
    expected = GaussianProcess().fit(gains).predict(gains.membership)
    assert GaussianProcess().fit(both).predict(gains.membership) == pytest.approx(expected, nan_ok=True)


def test_wrong_shapes_options_and_empty_knowledge_are_refused() -> None:
    model = GaussianProcess().fit(noisy(0)[0])
    for ask in (model.predict, model.std, model.noise):
        with pytest.raises(DataError, match=r"\(2, 5\) does not fit 6 tasks"):
            ask(np.ones((2, 5), dtype=bool))
    with pytest.raises(UsageError, match="'functions' must be 1 or more, not 0"):
        GaussianProcess(functions=0)
    with pytest.raises(UsageError, match="Unknown 'served' 'best': choose one of measured-network, any"):
        GaussianProcess(served="best")  # type: ignore[arg-type]
    singles = np.eye(3, dtype=bool)
    with pytest.raises(DataError, match="group of two or more tasks: collect some"):
        GaussianProcess().fit(tensor(singles, np.where(singles, 0.0, np.nan)))


def test_recorded_gains_are_predicted_better_than_by_their_means(data_dir: Path) -> None:
    gains = load_instance("mimic27", data_dir).gains()
    large = np.flatnonzero((gains.sizes > 2) & (gains.sizes < 27))
    random = np.random.default_rng(0)
    chosen = random.choice(large, 54, replace=False)
    known, held_out = gains.select(chosen), gains.select(np.setdiff1d(large, chosen)[::5])
    model, held = GaussianProcess().fit(known), held_out.membership
    away = (held_out.gains - model.predict(held))[held]
    means = np.abs(held_out.gains - np.nanmean(known.gains, axis=0))[held].mean()
    assert np.abs(away).mean() < 0.9 * means
    assert 0.86 < np.mean(np.abs(away) < 1.645 * model.std(held)[held]) < 0.95
