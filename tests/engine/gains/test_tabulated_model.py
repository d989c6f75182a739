from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import (
    DataError,
    GainModel,
    GainTensor,
    LatticeProblem,
    PairMeanModel,
    Problem,
    TabulatedModel,
    all_groups,
    solve,
)
from engine.testing.examples import easy_gains


def test_hands_out_what_is_recorded() -> None:
    gains = easy_gains()
    model = TabulatedModel(gains)
    assert isinstance(model, GainModel)
    assert (model.tasks, model.source, model.quantity) == (gains.tasks, "measured", "gain")
    assert np.array_equal(model.predict(gains.membership), gains.gains, equal_nan=True)
    assert np.array_equal(model.predict(gains.membership[[3, 3, 0]]), gains.gains[[3, 3, 0]], equal_nan=True)


@settings(derandomize=True, max_examples=30)
@given(st.integers(1, 6), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(count: int, random: object) -> None:
    member = all_groups(count)
    values = np.where(member, np.random.default_rng(count).normal(size=member.shape), np.nan)
    order = list(range(len(member)))
    random.shuffle(order)  # type: ignore[attr-defined]
    tensor = GainTensor.from_dense(
        [f"t{task}" for task in range(count)], member[order], values[order], single_task_baseline=False
    )
    assert np.array_equal(TabulatedModel(tensor).predict(member), values, equal_nan=True)


def test_a_missing_group_is_named_the_smallest_first() -> None:
    gains = easy_gains()
    rows = [row for row in range(15) if gains.label(row) not in ("b|d", "a|b|c")]
    with pytest.raises(DataError, match=r"lacks the group b\|d \(2 of 15 groups are missing\)"):
        TabulatedModel(gains.select(rows))


def test_the_standard_network_counts_where_there_are_several() -> None:
    gains = GainTensor.from_dense(
        "ab",
        [[1, 0], [1, 0], [0, 1], [0, 1], [1, 1]],
        [[0.5, 0], [0.4, 0], [0, 0.3], [0, 0.2], [0.1, 0.6]],
        cost=[0.5, 1, 1, 2, 1],
        quantity="loss",
    )
    predicted = TabulatedModel(gains).predict(np.eye(2, dtype=bool))
    assert np.diag(predicted).tolist() == [0.4, 0.3]
    assert TabulatedModel(gains).quantity == "loss"


@pytest.mark.parametrize("shape", [(1, 3), (4,)])
def test_membership_of_another_width_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="does not fit 4 tasks"):
        TabulatedModel(easy_gains()).predict(np.ones(shape, dtype=bool))


def test_nobody_gains_in_an_empty_group() -> None:
    """As in the other models."""
    nobody = np.zeros((1, 4), dtype=bool)
    assert np.isnan(TabulatedModel(easy_gains()).predict(nobody)).all()
    assert np.isnan(PairMeanModel.from_gains(easy_gains()).predict(nobody)).all()


def test_too_many_tasks_are_refused_before_anything_is_built() -> None:
    count = 70
    gains = GainTensor.from_dense(
        [f"t{task}" for task in range(count)], np.eye(count, dtype=bool), np.zeros((count, count))
    )
    with pytest.raises(DataError, match="all groups of 70 tasks is too large; the limit is 20"):
        TabulatedModel(gains)


def test_a_problem_over_it_is_the_problem_over_the_tensor() -> None:
    gains = easy_gains()
    lattice = LatticeProblem(TabulatedModel(gains), known=gains).with_budget(2)
    assert lattice.listed.gains.measured.all()
    assert solve(lattice.listed).value == solve(Problem(gains).with_budget(2)).value
    guessed = replace(gains, measured=np.zeros(15, dtype=bool))
    assert not LatticeProblem(TabulatedModel(gains), known=guessed).listed.gains.measured.any()
