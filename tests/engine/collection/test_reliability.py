"""Reliability over seeds, against its definition and a model whose reliability is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine import reliability


def simulated(seeds: int, noise: float, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    truth = random.standard_normal((400, 6))
    return truth + noise * random.standard_normal((seeds, 400, 6))


@pytest.mark.parametrize("noise", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("seeds", [2, 3, 5, 8])
def test_a_known_reliability_is_found(noise: float, seeds: int) -> None:
    found = reliability(simulated(seeds, noise))
    assert found.one_seed == pytest.approx(1 / (1 + noise**2), abs=0.05)
    assert found.value == pytest.approx(1 / (1 + noise**2 / seeds), abs=0.05)
    assert (found.seeds, found.entries) == (seeds, 2400)


def test_two_seeds_are_one_correlation_stepped_up() -> None:
    gains = simulated(2, 1.0)
    plain = np.corrcoef(gains[0].ravel(), gains[1].ravel())[0, 1]
    assert reliability(gains).value == pytest.approx(2 * plain / (1 + plain), rel=1e-12)


def test_the_order_of_seeds_does_not_matter() -> None:
    gains = simulated(4, 1.0)
    assert reliability(gains[[2, 0, 3, 1]]).value == pytest.approx(reliability(gains).value, rel=1e-12)


def test_entries_that_a_seed_lacks_are_left_out() -> None:
    gains = simulated(3, 1.0)
    gains[1, :100] = np.nan
    assert reliability(gains).value == pytest.approx(reliability(gains[:, 100:]).value, rel=1e-12)


@pytest.mark.parametrize("gains", [np.zeros((0, 3, 2)), np.zeros((1, 3, 2)), np.zeros((4, 3, 2))])
def test_without_variance_or_seeds_it_is_unknown(gains: np.ndarray) -> None:
    assert math.isnan(reliability(gains).value)


def test_gains_that_are_all_alike_say_nothing() -> None:
    # The standard deviation of equal numbers is not always 0 in floating point.
    alike = np.broadcast_to(np.array([0.1, 0.3])[:, None, None], (2, 12, 1))
    assert math.isnan(reliability(alike).value)


def test_a_few_entries_say_nothing() -> None:
    # Two numbers always correlate perfectly, whatever they are.
    noise = np.random.default_rng(0).standard_normal((2, 6, 1))
    assert math.isnan(reliability(noise[:, :2]).value)
    assert math.isnan(reliability(noise[:, :5]).value)
    assert math.isfinite(reliability(noise).value)


def test_noise_alone_is_not_reliable() -> None:
    assert abs(reliability(np.random.default_rng(0).standard_normal((8, 500, 4))).value) < 0.15


def test_the_forecast_of_seeds_holds() -> None:
    found = reliability(simulated(4, 2.0))
    needed = found.seeds_for(0.9)
    assert needed is not None
    assert reliability(simulated(needed, 2.0, seed=1)).value == pytest.approx(0.9, abs=0.03)
