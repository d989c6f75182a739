from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import engine
from engine import DataError, GainTensor, Study, UsageError, all_groups, collect_guided, load_instance
from tests.engine.guided.worlds import Linear, World, listed, names

SIX = names(6)


def study(**given: object) -> Study:
    options: dict[str, object] = {"predictor": Linear(), "initial": 3}
    return Study(SIX, [2, 3], **{**options, **given})  # type: ignore[arg-type]


def some(world: World, *rows: int) -> GainTensor:
    groups = all_groups(6)
    return world.measure(groups[groups.sum(axis=1) > 1][list(rows)])


@pytest.mark.parametrize("acquisition", ["expected-improvement", "optimistic", "thompson", "random"])
def test_the_order_of_telling_of_tasks_and_of_candidates_does_not_matter(acquisition: str) -> None:
    world = World.drawn(6, 0)
    groups = all_groups(6)
    told = some(world, *range(0, 56, 5))
    at_once = study(acquisition=acquisition, candidates=groups, predictor="ridge")
    at_once.tell(told)
    expected = set(listed(at_once.ask(3), SIX))
    assert len(expected) == 3
    one_by_one = study(acquisition=acquisition, candidates=groups[::-1], predictor="ridge")
    for row in np.random.default_rng(0).permutation(told.n_groups):
        one_by_one.tell(told.select([row]))
    assert set(listed(one_by_one.ask(3), SIX)) == expected
    turned = tuple(SIX[index] for index in (4, 2, 5, 0, 3, 1))
    columns = [SIX.index(name) for name in turned]
    other = Study(
        turned,
        [3, 2],
        predictor="ridge",
        acquisition=acquisition,
        candidates=groups[:, columns],
    )
    other.tell(told)
    if acquisition != "thompson":  # which draws tasks in the order of columns
        assert set(listed(other.ask(3), turned)) == expected


def test_what_is_first_asked_for_does_not_depend_on_the_order_of_tasks() -> None:
    for count in (6, 16):
        tasks = names(count)
        first = Study(tasks, [2], predictor="ridge").ask(5)
        second = Study(tasks[::-1], [2], predictor="ridge").ask(5)
        assert listed(first, tasks) == listed(second, tasks[::-1])
        assert listed(first, tasks)[0] == set(tasks)


def test_a_seed_fixes_everything_and_another_asks_for_other_groups() -> None:
    asked = [study(seed=seed).ask(6).tolist() for seed in (0, 0, 1)]
    assert asked[0] == asked[1] != asked[2]


def test_groups_under_way_are_not_asked_for_again_and_all_come_once() -> None:
    world, known = World.drawn(4, 0), Study(names(4), [2], predictor="ridge", initial=2)
    found: list[frozenset[str]] = []
    groups = known.ask(1)
    found += listed(groups, names(4))
    known.tell(world.measure(groups))
    while len(groups := known.ask(4)):
        found += listed(groups, names(4))
    assert len(found) == len(set(found)) == 11
    assert known.ask(3).shape == (0, 4)


def test_before_anything_is_told_more_than_there_are_can_be_asked_for() -> None:
    known = Study(names(3), [2], predictor="ridge")
    assert known.ask(100).shape == (4, 3)
    assert known.ask().shape == (0, 3)


def test_forgotten_groups_are_asked_for_again() -> None:
    known = study()
    first = known.ask(2)
    known.forget(first[1:])
    again = known.ask(2)
    assert again[0].tolist() == first[1].tolist()
    assert again[1].tolist() not in first.tolist()


def test_what_was_never_asked_for_counts_and_a_told_group_is_replaced() -> None:
    world, known = World.drawn(6, 0), study()
    known.tell(some(world, 1, 2, 3, 4))
    assert known.measured == 4
    before = known.model().predict(np.ones((1, 6), dtype=bool))
    changed = some(World.drawn(6, 5), 1, 2)
    known.tell(changed)
    assert known.measured == 4
    assert not np.allclose(known.model().predict(np.ones((1, 6), dtype=bool)), before)
    assert known.known.n_groups == 10


def test_gains_over_columns_in_another_order_are_told_by_name() -> None:
    gains = GainTensor.from_groups([{"t03": 0.1, "t01": -0.2}], tasks=tuple(reversed(SIX)))
    known = study()
    known.tell(gains)
    (row,) = known.known.find(["t01", "t03"])
    assert known.known.gains[row, [1, 3]].tolist() == [-0.2, 0.1]


def test_what_cannot_be_told_is_refused() -> None:
    world = World.drawn(6, 0)
    told = some(world, 1, 2)
    known = study()
    with pytest.raises(DataError, match="is predicted"):
        known.tell(replace(told, measured=np.zeros(2, dtype=bool)))
    same = np.repeat(told.membership[:1], 2, axis=0)
    twice = GainTensor.from_dense(SIX, same, np.repeat(told.gains[:1], 2, axis=0), cost=[1.0, 0.5])
    with pytest.raises(DataError, match="told twice"):
        known.tell(twice)
    with pytest.raises(DataError, match="other tasks"):
        known.tell(GainTensor.from_groups([{"t00": 0.1, "x": 0.2}]))
    with pytest.raises(UsageError, match="GainTensor"):
        known.tell([{"t00": 0.1}])  # type: ignore[arg-type]
    known.tell(replace(told, split="valid"))
    with pytest.raises(DataError, match="'test', those told before of 'valid'"):
        known.tell(replace(told, split="test"))
    with pytest.raises(DataError, match="another kind"):
        known.tell(replace(told, quantity="loss"))
    assert known.measured == 2


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"budgets": 4}, "as a list"),
        ({"budgets": []}, "Name the budgets"),
        ({"budgets": [-1]}, "budget"),
        ({"constraints": [engine.Budget(2)]}, "not as a constraint"),
        ({"constraints": [engine.Together(["t00", "nobody"])]}, "nobody"),
        ({"candidates": np.ones((2, 5), dtype=bool)}, "do not fit 6 tasks"),
        ({"initial": -1}, "initial groups"),
        ({"acquisition": "expected"}, "expected-improvement"),
        ({"predictor": "measured"}, "does not predict"),
    ],
)
def test_what_does_not_fit_is_refused(given: dict[str, object], told: str) -> None:
    budgets = given.pop("budgets", [2])
    with pytest.raises(UsageError, match=told):
        Study(SIX, budgets, **given)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="1 group or more"):
        study().ask(0)


def test_groups_that_the_demands_rule_out_are_not_asked_for() -> None:
    demands = [engine.GroupSize(at_most=3), engine.Apart(["t00", "t01"]), engine.Forbidden(["t02", "t03"])]
    known = study(constraints=demands)
    asked = listed(known.ask(100), SIX)
    assert asked
    assert all(len(group) <= 3 and not {"t00", "t01"} <= group != {"t02", "t03"} for group in asked)
    wide = Study(names(30), [4], predictor="ridge", constraints=[engine.GroupSize(at_most=4)])
    assert wide.ask(50).sum(axis=1).max() <= 4


@pytest.mark.parametrize(
    ("count", "acquisition"),
    [
        *((count, "expected-improvement") for count in (1, 2, 3, 16, 60)),
        *((count, "thompson") for count in (1, 2, 3, 14)),
    ],
)
def test_any_number_of_tasks(count: int, acquisition: str) -> None:
    tasks = names(count)
    known = Study(tasks, [2, 3], predictor="ridge", acquisition=acquisition, initial=2)
    result = collect_guided(known, World.drawn(count, 0).measure, 5, batch=2)
    assert (result.measured, result.reason) == {
        1: (0, "exhausted"),
        2: (1, "exhausted"),
        3: (4, "exhausted"),
    }.get(count, (5, "runs"))
    if count > 1:
        assert known.decide(2).cautious.found


def test_every_task_is_in_a_group_before_the_predictor_is_asked_but_for_those_that_cannot() -> None:
    groups = all_groups(6)
    pairs = groups[(groups.sum(axis=1) == 2) & ~groups[:, 5]]
    known = study(candidates=pairs, initial=1)
    world, covered = World.drawn(6, 0), np.zeros(6, dtype=bool)
    for _ in range(4):  # a pair, and one more for each of the three tasks left at most
        asked = known.ask()
        covered |= asked[0]
        known.tell(world.measure(asked))
    assert covered.tolist() == [True] * 5 + [False]
    assert len(known.ask(100)) == 10 - 4
    decision = known.decide(4)
    assert decision.cautious.serving["t05"] is not None


def test_losses_are_minimised_and_costs_count() -> None:
    groups = all_groups(4)
    random = np.random.default_rng(0)
    losses = np.where(groups, 1 + 0.1 * random.standard_normal(groups.shape), np.nan)
    cost = np.where(groups.sum(axis=1) == 1, 0.5, 1.0)
    gains = GainTensor.from_dense(names(4), groups, losses, cost=cost, quantity="loss")
    best = engine.solve(engine.Problem(gains, constraints=[engine.Budget(2)]))
    for acquisition in ("expected-improvement", "optimistic"):
        known = Study(names(4), [1.5, 2], predictor="ridge", acquisition=acquisition)
        known.tell(gains.select(gains.sizes == 1))
        with pytest.raises(DataError, match="another kind"):
            known.tell(World.drawn(4, 0).measure(groups[-1:]))
        collect_guided(known, engine.recorded(gains), 8)
        found = known.decide(2)
        pool = engine.solve(engine.Problem(known.known, constraints=[engine.Budget(2)]))
        assert found.promised <= pool.mean + 1e-12
        assert found.plain.cost <= 2
        collect_guided(known, engine.recorded(gains), 11)
        assert known.decide(2).promised == pytest.approx(best.mean)


def test_the_gaussian_process_is_asked_through_the_same_door() -> None:
    world = World.drawn(5, 3, noise=0.02)
    known = Study(names(5), [2])
    assert collect_guided(known, world.measure, 6, batch=2).reason == "runs"
    decision = known.decide(2)
    assert decision.optimism is not None
    assert abs(decision.optimism) < 1


def test_a_study_of_an_instance_is_for_its_own_budget() -> None:
    study = Study.on(load_instance("toy4"), predictor=Linear(0.01))
    assert study.tasks == ("cat", "dog", "car", "bus")
    assert study.question.budgets == (2.0,)
    assert Study.on(load_instance("toy4"), [3, 1], predictor=Linear(0.01)).question.budgets == (1.0, 3.0)
