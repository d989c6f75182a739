from __future__ import annotations

from itertools import combinations
from typing import ClassVar

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

import engine
from engine import Acquisition, Study, UsageError, all_groups, collect_guided, recorded
from engine.guided.acquisition import acquisition_class, expected_improvements
from engine.guided.normal import expected_excess
from tests.engine.guided.worlds import Linear, World, listed, names

FIVE = names(5)


def told(acquisition: object, *, budgets: tuple[float, ...] = (2,), count: int = 6, seed: int = 0) -> Study:
    known = Study(FIVE, budgets, predictor=Linear(0.01), acquisition=acquisition, seed=seed)  # type: ignore[arg-type]
    groups = all_groups(5)
    others = np.random.default_rng(1).permutation(np.arange(5, 30))[: count - 1]
    known.tell(World.drawn(5, 2, 0.01).measure(groups[[30, *others]]))
    return known


@pytest.mark.parametrize("mean", [-2.0, -0.1, 0.0, 0.3, 5.0])
@pytest.mark.parametrize("std", [0.01, 0.5, 2.0])
def test_the_expected_excess_is_the_integral(mean: float, std: float) -> None:
    low = max(0.0, mean - 12 * std)
    found, _ = quad(lambda x: x * norm.pdf(x, mean, std), low, max(low, mean + 12 * std), epsabs=1e-12)
    assert expected_excess(np.array([mean]), np.array([std]))[0] == pytest.approx(found, abs=1e-8)


def test_the_excess_of_what_is_certain_and_of_what_is_not_there() -> None:
    found = expected_excess(np.array([-1.0, 2.0, np.nan]), np.zeros(3))
    assert found[:2].tolist() == [0.0, 2.0]
    assert np.isnan(found[2])


def test_expected_improvement_is_that_of_brute_force() -> None:
    """Over all completions of the best measured solution with one group less, by drawing gains."""
    known = told("expected-improvement")
    belief = known.belief()
    left = np.flatnonzero(~belief.gains.measured)
    table = belief.gains.gains[belief.gains.measured]
    pool = range(len(table))
    singly = [np.nansum(table[row]) for row in pool if np.isfinite(table[row]).all()]
    pairs = [np.fmax(table[one], table[two]) for one, two in combinations(pool, 2)]
    best = max([*singly, *(pair.sum() for pair in pairs if np.isfinite(pair).all())])
    (without,) = [row for row in table if np.isfinite(row).all() and row.sum() == max(singly)]
    random = np.random.default_rng(0)
    error = belief.gains.dense(belief.error)
    drawn = belief.gains.gains[left] + error[left] * random.standard_normal((4000, len(left), 5))
    completed = np.fmax(drawn, without).sum(axis=2)
    expected = completed.mean(axis=0) - best
    order = expected_improvements(belief, known.question, len(left))
    assert len(order) == len(set(order.tolist())) == len(left)
    assert int(order[0]) == int(left[expected.argmax()])
    assert listed(known.ask(), FIVE) == listed(belief.gains.membership[order[:1]], FIVE)


def test_optimistic_without_optimism_asks_for_the_plain_optimum() -> None:
    known = told(engine.Optimistic(0.0))
    plain = known.decide(2).plain
    wanted = {frozenset(one.tasks) for one in plain.groups if not one.measured}
    assert wanted
    assert set(listed(known.ask(len(wanted)), FIVE)) == wanted


def test_groups_that_only_lose_are_asked_for_where_the_solution_chooses_them() -> None:
    """Demands may force a loss."""
    groups = all_groups(4)[4:]
    gains = engine.GainTensor.from_dense(
        names(4), groups, np.where(groups, -0.1 * groups.sum(1, keepdims=True), np.nan)
    )
    demands = [engine.GroupSize(at_least=2)]
    known = Study(
        names(4), [2], acquisition=engine.Optimistic(0), predictor="ridge", constraints=demands, initial=2
    )
    collect_guided(known, recorded(gains), 4)
    wanted = {frozenset(one.tasks) for one in known.decide(2).plain.groups if not one.measured}
    assert not wanted or set(listed(known.ask(len(wanted)), names(4))) == wanted


def test_largest_prediction_takes_task_after_task() -> None:
    """As MTG-Net does: round r asks for the largest prediction, in absolute value, of task r mod N."""
    known = told("largest-prediction")
    known.initial = 2
    belief = known.belief()
    sizes = np.abs(np.nan_to_num(belief.gains.gains)) * ~belief.gains.measured[:, None]
    first = known.measured - known.initial
    expected = []
    for step in range(7):
        row = int(sizes[:, (first + step) % 5].argmax())
        expected.append(frozenset(belief.gains.group(row)))
        sizes[row] = 0.0
    assert listed(known.ask(7), FIVE) == expected


def test_random_groups_are_all_equally_likely() -> None:
    counts: dict[frozenset[str], int] = {}
    for seed in range(120):
        (group,) = listed(told("random", seed=seed, count=16).ask(), FIVE)
        counts[group] = counts.get(group, 0) + 1
    assert len(counts) == 26 - 16
    expected = 120 / len(counts)
    assert sum((count - expected) ** 2 / expected for count in counts.values()) < 27.9  # 0.1 %, 9 degrees


def test_thompson_asks_for_what_some_draw_wants_and_depends_on_the_seed() -> None:
    asked = {frozenset(listed(told("thompson", seed=seed).ask(2), FIVE)) for seed in range(12)}
    assert len(asked) > 2
    assert all(len(one) == 2 for one in asked)


class Backwards(Acquisition):
    """Wants the last rows, and some that are measured."""

    name: ClassVar[str] = "backwards"

    def choose(self, belief, question, count, round, random):
        """Return rows of the belief."""
        return np.array([0, 0, *range(belief.gains.n_groups - 1, 0, -1)])


class Odd(Acquisition):
    """Returns what it was made with."""

    name: ClassVar[str] = "odd"

    def __init__(self, wanted: object) -> None:
        self.wanted = wanted

    def choose(self, belief, question, count, round, random):
        """Return what it was made with."""
        return self.wanted


def test_a_users_own_acquisition_is_followed() -> None:
    known = told(Backwards())
    expected = listed(known.belief().gains.membership[:-3:-1], FIVE)
    assert listed(known.ask(2), FIVE) == expected


def test_a_users_own_acquisition_is_found_by_where_it_is() -> None:
    found = acquisition_class("tests.engine.guided.test_acquisition:Backwards")
    assert found.name == "backwards"
    with pytest.raises(UsageError, match="not a subclass"):
        acquisition_class("tests.engine.guided.test_acquisition:FIVE")
    with pytest.raises(UsageError, match="optimistic"):
        acquisition_class("optimist")


def test_what_an_acquisition_leaves_open_is_filled_up() -> None:
    assert len(told(Odd([])).ask(3)) == 3


@pytest.mark.parametrize("wanted", [[-1], [10_000], [0.5], [[1, 2]], None])
def test_an_acquisition_that_names_no_rows_is_told(wanted: object) -> None:
    with pytest.raises(UsageError, match="'odd' must return rows"):
        told(Odd(wanted)).ask()


@pytest.mark.parametrize("kappa", [-1, float("nan"), float("inf")])
def test_optimism_is_a_number(kappa: float) -> None:
    with pytest.raises(UsageError, match="kappa"):
        engine.Optimistic(kappa)


def test_guided_beats_random_where_gains_have_structure() -> None:
    guided, random = [], []
    for seed in range(3):
        world = World.drawn(8, seed)
        for acquisition, into in (("expected-improvement", guided), ("random", random)):
            known = Study(names(8), [2, 3], predictor=Linear(), acquisition=acquisition, seed=seed, initial=4)
            collect_guided(known, world.measure, 14)
            into.append(np.mean(known.promised()))
    assert np.mean(guided) > np.mean(random) + 0.02
