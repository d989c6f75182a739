from __future__ import annotations

import numpy as np
import pytest

import engine
from engine import Study, all_groups, collect_guided
from tests.engine.guided.worlds import Linear, World, names

FIVE = names(5)


def told(seed: int, count: int) -> tuple[World, Study]:
    world = World.drawn(5, seed)
    known = Study(FIVE, [2], predictor=Linear(), seed=seed)
    groups = all_groups(5)[5:]
    order = np.random.default_rng(seed).permutation(len(groups) - 1)
    full = len(groups) - 1
    known.tell(world.measure(groups[[full, *order[: count - 1]]]))
    return world, known


def test_no_measuring_improves_more_than_the_bound_on_average() -> None:
    """Worlds are drawn from the very prior of the predictor, so its posterior is exact."""
    bounds, won = [], []
    for seed in range(20):
        world, known = told(seed, 5)
        bounds.append(known.improvement(4).bound)
        before = known.promised()[0]
        known.tell(world.measure(all_groups(5)))
        won.append(known.promised()[0] - before)  # type: ignore[operator]
    assert np.mean(won) > 0.01
    spread = np.std(np.subtract(bounds, won)) / np.sqrt(20)
    # Perfect information is what was measured here, so that the two agree on average.
    assert abs(np.mean(bounds) - np.mean(won)) < 2.6 * spread


def test_it_shrinks_and_ends_at_nothing() -> None:
    bounds = [
        np.mean([told(seed, count)[1].improvement(8).bound for seed in range(4)]) for count in (2, 10, 26)
    ]
    assert bounds[0] > bounds[1] >= bounds[2] == 0
    finished = told(0, 26)[1].improvement()
    assert (finished.bound, finished.error) == (0.0, 0.0)


def test_a_worst_gain_is_no_mean() -> None:
    """The bound is in the unit of the objective."""
    world, known = told(0, 3)
    worst = Study(FIVE, [2], predictor=Linear(), objective=engine.WorstGain())
    worst.tell(known.known)
    found = worst.improvement(12)
    best = engine.solve(engine.Problem(world.measure(all_groups(5)), engine.WorstGain(), [engine.Budget(2)]))
    assert found.bound > 0.005
    assert best.value is not None


def test_without_any_choice_nothing_is_bounded() -> None:
    pairs = all_groups(5)[5:15]
    known = Study(FIVE, [1], predictor=Linear(), candidates=pairs)
    known.tell(World.drawn(5, 0).measure(pairs[:3]))
    assert np.isinf(known.improvement().bound)
    assert not known.improvement().below(1e9)
    with pytest.raises(engine.UsageError, match="once or more"):
        known.improvement(0)


def test_the_rule_stops_and_a_collection_that_goes_on_measures_nothing() -> None:
    world = World.drawn(5, 0)
    known = Study(FIVE, [2, 3], predictor=Linear(), initial=3)
    result = collect_guided(known, world.measure, 26, stop_below=0.005)
    assert result.reason == "improvement"
    assert result.measured < 26
    assert result.improvement is not None
    assert result.improvement.below(0.005)
    resumed = Study(FIVE, [2, 3], predictor=Linear(), initial=3)
    resumed.tell(known.known)
    again = collect_guided(resumed, lambda groups: pytest.fail("it was measured"), 26, stop_below=0.005)
    assert (again.reason, again.measured) == ("improvement", result.measured)
