from __future__ import annotations

import numpy as np
import pytest

import engine
from engine import DataError, Study, all_groups, collect_guided, solve
from tests.engine.guided.worlds import Linear, World, names

SIX = names(6)


def measured(seed: int, count: int = 12, noise: float = 0.0, **given: object) -> Study:
    known = Study(SIX, [2], predictor=given.pop("predictor", Linear(noise)), seed=seed, **given)  # type: ignore[arg-type]
    groups = all_groups(6)[6:]
    chosen = np.random.default_rng(seed).choice(len(groups), count, replace=False)
    known.tell(World.drawn(6, seed, noise).measure(groups[chosen]))
    return known


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("budget", [2, 3, 6])
def test_the_choice_is_never_worse_than_the_measured_pool_nor_more_predicted_than_the_plain_one(
    seed: int, budget: int
) -> None:
    known = measured(seed, noise=0.03)
    decision = known.decide(budget)
    pool = solve(engine.Problem(known.known, constraints=[engine.Budget(budget)]))
    if pool.found:
        assert decision.promised >= pool.mean - 1e-12
    shares = [
        sum(not one.groups[index].measured for index in one.serving.values())
        for one in (decision.cautious, decision.plain)
    ]
    assert shares[0] <= shares[1]
    assert decision.plain.mean >= decision.promised - 1e-12
    assert len(decision.cautious.groups) <= budget


def test_told_errors_of_measurements_do_not_lower_their_gains() -> None:
    known = Study(("a", "b"), [1], predictor="ridge")
    gains = engine.GainTensor.from_groups([{"a": 0.2, "b": 0.1}])
    known.tell(engine.GainTensor.from_dense(("a", "b"), gains.membership, gains.gains, std=[[0.5, 0.5]]))
    assert known.decide(1).promised == pytest.approx(0.15)


@pytest.mark.parametrize("objective", [engine.WeightedGain({"t00": 5.0}), engine.WorstGain()])
def test_the_objective_decides(objective: engine.Objective) -> None:
    known = Study(SIX, [2, 3], predictor="ridge", objective=objective)
    world = World.drawn(6, 1)
    collect_guided(known, world.measure, 57, batch=10)
    decision = known.decide(3)
    everything = world.measure(all_groups(6))
    best = solve(engine.Problem(everything, objective, [engine.Budget(3)]))
    assert decision.cautious.value == pytest.approx(best.value)


def test_a_partition_is_one() -> None:
    known = measured(0, constraints=[engine.Partition()])
    assert len(known.ask(3)) == 3
    chosen = known.decide(3).cautious
    assert sorted(task for group in chosen.groups for task in group.tasks) == sorted(SIX)


def test_a_budget_that_nothing_fits_is_told_and_one_that_predictions_fit_is_met() -> None:
    groups = all_groups(6)
    short = groups[groups.sum(axis=1) == 2]
    known = measured(0, candidates=short, count=1)
    with pytest.raises(DataError, match=r"within a budget of 0\.5"):
        known.decide(0.5)
    with_full = Study(SIX, [1], predictor="ridge")
    five = groups[groups.sum(axis=1) == 5]
    with_full.tell(World.drawn(6, 0).measure(five))
    (group,) = with_full.decide(1).cautious.groups
    assert (group.tasks, group.measured) == (SIX, False)
    hopeless = Study(SIX, [1], candidates=short, predictor="ridge", acquisition="optimistic")
    hopeless.tell(World.drawn(6, 0).measure(short[:9]))
    with pytest.raises(DataError, match="No choice of groups"):
        hopeless.ask()


def test_exact_gains_promise_nothing_in_vain() -> None:
    assert measured(0, count=30, noise=0.0).decide(3).optimism == pytest.approx(0.0, abs=1e-9)


def test_without_a_known_noise_the_optimism_is_unknown() -> None:
    assert measured(0, count=57, predictor="ridge").decide(3).optimism is None


def test_the_estimate_of_optimism_is_right_on_average() -> None:
    """Over many worlds: what was promised less what is true, and what was expected to be missed."""
    missed, expected = [], []
    for seed in range(40):
        known = measured(seed, count=25, noise=0.15)
        decision = known.decide(3)
        assert decision.optimism is not None
        truth = World.drawn(6, seed).truth(all_groups(6))
        rows = {tuple(np.array(SIX)[group]): row for group, row in zip(all_groups(6), truth, strict=True)}
        served = {task: decision.cautious.groups[index] for task, index in decision.cautious.serving.items()}
        missed.append(
            sum(
                decision.cautious.task_values[task] - rows[group.tasks][SIX.index(task)]
                for task, group in served.items()
                if group.measured
            )
            / 6
        )
        expected.append(decision.optimism)
    assert np.mean(missed) > 0.03
    spread = np.std(np.subtract(missed, expected)) / np.sqrt(40)
    assert abs(np.mean(missed) - np.mean(expected)) < 2.6 * spread
