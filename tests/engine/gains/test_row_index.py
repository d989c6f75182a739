"""Which row of a tensor stands for a group, against a search of every row; and sets of groups."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine import DataError, GainTensor, PairMeanModel, TabulatedModel, all_groups
from engine.gains.bits import distinct, first_equal, places
from engine.gains.predictions import predictions

COSTS = (0.25, 0.6, 0.9, 1.0, 1.1, 1.4, 3.0)


@st.composite
def tensors(draw: st.DrawFn) -> GainTensor:
    """Draw groups of few or of more than 64 tasks, each at some costs, measured and predicted."""
    count = draw(st.sampled_from([1, 2, 3, 5, 64, 65, 130]))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    groups = distinct(random.random((draw(st.integers(1, 12)), count)) < random.uniform(0.05, 0.9))
    groups = groups[groups.any(axis=1)]
    if not len(groups):
        groups = np.ones((1, count), dtype=bool)
    rows = [
        (row, cost)
        for row in range(len(groups))
        for cost in random.permutation(COSTS)[: random.integers(1, 5)]
    ]
    chosen = [rows[place] for place in random.permutation(len(rows))]
    member = groups[[row for row, _ in chosen]]
    return GainTensor.from_dense(
        [f"t{task}" for task in range(count)],
        member,
        np.where(member, random.normal(size=member.shape), np.nan),
        cost=[cost for _, cost in chosen],
        measured=random.random(len(chosen)) < draw(st.sampled_from([0.0, 0.5, 1.0])),
        single_task_baseline=False,
    )


def standing(gains: GainTensor, group: NDArray[np.bool_]) -> int:
    """Return the row that stands for a group: measured, nearest to cost 1, cheaper, first."""
    rows = [row for row in range(gains.n_groups) if np.array_equal(gains.membership[row], group)]
    ranks = {
        row: (not gains.measured[row], round(abs(gains.cost[row] - 1), 9), gains.cost[row], row)
        for row in rows
    }
    return min(ranks, key=ranks.__getitem__, default=-1)


def at(gains: GainTensor, group: NDArray[np.bool_], cost: float) -> int:
    """Return the row of a group at a cost."""
    same = (gains.membership == group).all(axis=1) & (gains.cost == cost)
    return int(same.argmax()) if same.any() else -1


@given(tensors(), st.integers(0, 2**32 - 1))
def test_the_row_of_a_group_is_the_one_that_stands_for_it(gains: GainTensor, seed: int) -> None:
    random = np.random.default_rng(seed)
    others = random.random((6, gains.n_tasks)) < 0.5
    asked = np.concatenate([gains.membership, others, np.zeros((1, gains.n_tasks), dtype=bool)])
    asked = asked[random.permutation(len(asked))]
    assert gains.rows_of(asked).tolist() == [standing(gains, group) for group in asked]
    assert gains.rows_of(asked[:0]).shape == (0,)
    costs = random.choice(COSTS, len(asked))
    at_cost = [at(gains, group, cost) for group, cost in zip(asked, costs, strict=True)]
    assert gains.rows_of(asked, costs).tolist() == at_cost


@given(tensors())
def test_every_distinct_group_has_one_standing_row(gains: GainTensor) -> None:
    expected = [standing(gains, group) for group in gains.membership]
    assert gains.index.standing_for.tolist() == expected
    assert gains.standing_rows.tolist() == sorted(set(expected))
    measured = [row for row in sorted(set(expected)) if gains.measured[row]]
    assert gains.known_rows.tolist() == (measured or sorted(set(expected)))


@given(tensors())
def test_names_lead_to_every_row_of_a_group_the_standing_one_first(gains: GainTensor) -> None:
    for row, group in enumerate(gains.membership):
        rows = gains.find(gains.group(row))
        assert rows[0] == standing(gains, group)
        assert set(rows) == {
            other for other in range(gains.n_groups) if np.array_equal(gains.membership[other], group)
        }


def test_no_answer_depends_on_the_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    def colliding(indptr: NDArray[np.int64], *_: object) -> NDArray[np.uint64]:
        return (np.diff(indptr) % 2).astype(np.uint64)

    monkeypatch.setattr("engine.gains.row_index.row_keys", colliding)
    random = np.random.default_rng(0)
    groups = distinct(random.random((40, 70)) < 0.3)
    member = np.concatenate([groups, groups[::2], groups[::3]])
    cost = np.repeat([0.9, 1.0, 2.0], [len(groups), len(groups[::2]), len(groups[::3])])
    gains = GainTensor.from_dense(
        [f"t{task}" for task in range(70)],
        member,
        np.where(member, 0.1, np.nan),
        cost=cost,
        measured=random.random(len(member)) < 0.5,
        single_task_baseline=False,
    )
    asked = np.concatenate([random.random((30, 70)) < 0.3, member])
    assert gains.rows_of(asked).tolist() == [standing(gains, group) for group in asked]
    assert gains.index.standing_for.tolist() == [standing(gains, group) for group in member]


def test_groups_of_other_tasks_are_refused() -> None:
    gains = GainTensor.from_groups([{"a": 0.1, "b": 0.2}])
    with pytest.raises(DataError, match=r"shape \(1, 3\) does not fit 2 tasks"):
        gains.rows_of(np.ones((1, 3), dtype=bool))


def test_models_of_recorded_gains_go_by_the_standing_rows() -> None:
    groups = all_groups(2)
    member = np.concatenate([groups, groups[2:], groups[2:], groups[2:]])
    pair = np.array([0.9, 1.2, 0.8, 1.0])  # 1.0 is nearest, but predicted; then 0.9
    gains = GainTensor.from_dense(
        ["a", "b"],
        member,
        np.where(member, np.concatenate([[0.0, 0.0], pair])[:, None], np.nan),
        cost=np.concatenate([[1.0, 1.0], pair]),
        measured=[True, True, True, True, True, False],
    )
    for model in (TabulatedModel(gains), PairMeanModel.from_gains(gains)):
        assert model.predict(groups[2:]).tolist() == [[0.9, 0.9]]
    handed = predictions(PairMeanModel.from_gains(gains), groups, gains)
    assert handed.cost.tolist() == [1.0, 1.0, 0.9]
    assert handed.measured.all()


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 8, 9, 70]))
def test_sets_of_groups(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    few = random.random((5, count)) < 0.5
    groups, among = few[random.integers(0, 5, 9)], few[random.integers(0, 4, random.integers(0, 8))]
    listed = [row.tolist() for row in among]
    found = [listed.index(row) if row in listed else -1 for row in groups.tolist()]
    assert places(groups, among).tolist() == found
    assert first_equal(groups).tolist() == [groups.tolist().index(row) for row in groups.tolist()]
    assert distinct(groups).tolist() == list(map(list, dict.fromkeys(map(tuple, groups.tolist()))))
    assert distinct(groups[:0]).shape == (0, count)
    assert places(groups[:0], among).shape == (0,)
