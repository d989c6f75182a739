from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge as SklearnRidge

from engine import (
    DataError,
    GainTensor,
    LatticeProblem,
    Partition,
    Predictor,
    all_groups,
    make_gain_source,
    solve,
)
from gain_sources.additive import Additive
from tests.gain_sources.membership_examples import pair_sums, random_membership, tensor


def made(seed: int, noise: float, rows: int = 40) -> tuple[GainTensor, np.ndarray]:
    random = np.random.default_rng(seed)
    membership = random_membership(random, rows, 6)
    pairs = random.normal(0, 0.1, (6, 6))
    np.fill_diagonal(pairs, 0.0)
    truth = pair_sums(membership, pairs, np.zeros(6))
    return tensor(membership, truth + random.normal(0, noise, truth.shape)), pairs


def test_it_is_found_by_name_with_its_options() -> None:
    assert make_gain_source("additive", Predictor, {"mean": True}) == Additive(mean=True)


def test_effects_go_from_the_other_member_to_the_task() -> None:
    helps, hurts = 0.2, -0.3
    groups = [{"a": hurts, "b": helps}, {"a": hurts, "b": helps, "c": 0.0}, {"a": 0.0, "c": 0.0}]
    groups += [{"b": 0.0, "c": 0.0}]
    model = Additive().fit(GainTensor.from_groups(groups))
    assert model.pairs[0, 1] == pytest.approx(helps, abs=1e-4)
    assert model.pairs[1, 0] == pytest.approx(hurts, abs=1e-4)


def test_exact_effects_are_recovered_without_a_constant() -> None:
    gains, pairs = made(0, 0.0)
    model = Additive().fit(gains)
    assert model.pairs == pytest.approx(pairs, abs=1e-4)
    assert not model.offsets.any()


def test_the_mean_of_effects_is_recovered_like_hoa() -> None:
    random = np.random.default_rng(1)
    membership = random_membership(random, 40, 6)
    pairs = random.normal(0, 0.1, (6, 6))
    np.fill_diagonal(pairs, 0.0)
    sums = pair_sums(membership, pairs, np.zeros(6))
    gains = tensor(membership, sums / (membership.sum(axis=1) - 1)[:, None])
    assert Additive(mean=True).fit(gains).pairs == pytest.approx(pairs, abs=1e-4)


def test_effects_are_those_of_scikit_learn_at_the_chosen_penalty() -> None:
    gains, _ = made(2, 0.05)
    model = Additive().fit(gains)
    for task in range(6):
        held = gains.membership[:, task]
        others = np.delete(gains.membership[held].astype(float), task, axis=1)
        reference = SklearnRidge(model.penalties[task], fit_intercept=False, solver="svd")
        expected = reference.fit(others, gains.gains[held, task]).coef_
        assert np.delete(model.pairs[:, task], task) == pytest.approx(expected, abs=1e-9)


def test_standard_errors_are_calibrated() -> None:
    scores = []
    for seed in range(8):
        random = np.random.default_rng(seed)
        membership = random_membership(random, 200, 8)
        truth = pair_sums(membership, random.normal(0, 0.1, (8, 8)), np.zeros(8))
        values = truth + random.normal(0, 0.1, truth.shape)
        model = Additive().fit(tensor(membership[:80], values[:80]))
        scores.append(((values - model.predict(membership)) / model.std(membership))[80:][membership[80:]])
    assert np.sqrt(np.mean(np.concatenate(scores) ** 2)) == pytest.approx(1.0, abs=0.06)


def test_losses_add_up_from_the_loss_alone() -> None:
    singles = [{"a": 1.0}, {"b": 2.0}, {"c": 3.0}]
    larger = [
        {"a": 1.5, "b": 2.5},
        {"a": 1.5, "c": 3.5},
        {"b": 2.5, "c": 3.5},
        {"a": 2.0, "b": 3.0, "c": 4.0},
    ]
    gains = GainTensor.from_groups(singles + larger, quantity="loss")
    model = Additive().fit(gains)
    assert model.predict(gains.membership) == pytest.approx(gains.gains, abs=1e-4, nan_ok=True)
    with pytest.raises(DataError, match="loss of task 'a' alone"):
        Additive().fit(GainTensor.from_groups(larger, quantity="loss"))


def test_a_partition_of_all_groups_is_solved_exactly() -> None:
    model = Additive().fit(made(3, 0.05)[0])
    solution = solve(LatticeProblem(model, constraints=(Partition(),)), "lattice")
    values = np.nansum(model.predict(all_groups(6)), axis=1)
    codes = (all_groups(6) @ (1 << np.arange(6))).tolist()
    by_code = dict(zip(codes, values, strict=True))
    best = {0: 0.0}
    for code in range(1, 64):
        lowest = code & -code
        best[code] = max(
            by_code[part] + best[code ^ part]
            for part in range(1, code + 1)
            if part & code == part and part & lowest
        )
    assert solution.status == "OPTIMAL"
    assert solution.value == pytest.approx(best[63])


def test_nothing_is_predicted_off_the_membership() -> None:
    model = Additive().fit(made(4, 0.1)[0])
    asked = all_groups(6)
    assert np.array_equal(np.isfinite(model.predict(asked)), asked)
    assert np.array_equal(np.isfinite(model.std(asked)), asked)
