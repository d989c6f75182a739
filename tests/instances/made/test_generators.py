from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import GainTensor, UsageError
from instances.made import generators
from instances.made.generators import planted, planted_clusters, random
from instances.synthetic import Planted, Random

MAKERS = pytest.mark.parametrize("make", [planted, random])


@MAKERS
def test_the_same_seed_gives_the_same_gains_and_another_another(make: type) -> None:
    assert make(10, 60, seed=3).digest == make(10, 60, seed=3).digest
    assert make(10, 60, seed=3).digest != make(10, 60, seed=4).digest


@MAKERS
def test_the_splits_have_the_same_groups_and_other_noise(make: type) -> None:
    valid, test = make(8, 50, noise=0.01), make(8, 50, noise=0.01, split="test")
    assert np.array_equal(valid.packed, test.packed)
    difference = (valid.values - test.values)[valid.sizes[valid.entry_rows] > 1]
    assert 0.005 < difference.std() < 0.03
    assert make(8, 50, noise=0.0).values.tolist() == make(8, 50, noise=0.0, split="test").values.tolist()


@settings(max_examples=40, deadline=None)
@given(
    n_tasks=st.integers(1, 9),
    share=st.floats(0, 1),
    seed=st.integers(0, 99),
    kind=st.sampled_from([planted, random]),
)
def test_any_size_up_to_all_groups_can_be_had(n_tasks: int, share: float, seed: int, kind: type) -> None:
    most = 2**n_tasks - 1
    least = min(most, n_tasks + 1 + math.ceil(n_tasks / 4))
    n_groups = least + round(share * (most - least))
    tensor: GainTensor = kind(n_tasks, n_groups, seed=seed)
    assert tensor.n_groups == n_groups
    assert len(np.unique(tensor.packed)) == n_groups
    assert (tensor.membership[tensor.sizes == 1].sum(axis=0) == 1).all()


def test_without_noise_the_hidden_clusters_are_optimal() -> None:
    tensor = planted(8, 60, n_clusters=3, noise=0.0, seed=5)
    clusters = planted_clusters(8, 3, seed=5)
    rows = [tensor.find([tensor.tasks[at] for at in np.flatnonzero(clusters == one)])[0] for one in range(3)]
    filled = np.nan_to_num(tensor.gains, nan=-np.inf)
    value = filled[rows].max(axis=0).sum()
    assert value == pytest.approx(0.2 * 8)
    assert (
        value
        >= max(filled[list(some)].max(axis=0).sum() for some in itertools.combinations(range(60), 3)) - 1e-9
    )


@MAKERS
def test_a_hundred_thousand_groups_of_a_hundred_tasks_are_drawn_at_once(
    make: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    original = generators.distinct_groups  # type: ignore[attr-defined]

    def counted(base: Any, count: int, draw: Callable[[int], Any]) -> Any:
        return original(base, count, lambda number: drawn.append(number) or draw(number))

    monkeypatch.setattr(generators, "distinct_groups", counted)
    tensor = make(100, 100_000)
    assert (tensor.n_groups, tensor.n_tasks) == (100_000, 100)
    assert len(drawn) <= 2
    assert sum(drawn) < 150_000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_tasks": 3, "n_groups": 8}, "too many: 3 tasks have 7 groups"),
        ({"n_tasks": 5, "n_groups": 3}, "too few"),
        ({"n_tasks": 0}, "must be positive"),
        ({"noise": -1.0}, "not negative"),
        ({"noise": float("nan")}, "not negative"),
    ],
)
@MAKERS
def test_contradictory_sizes_are_usage_errors(make: type, options: dict[str, float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make(**options)


@pytest.mark.parametrize("cls", [Planted, Random])
def test_the_instance_takes_any_size(cls: type[Planted]) -> None:
    instance = cls("made", n_tasks=6, n_groups=30, seed=2, noise=0.0)
    assert instance.info.n_groups == instance.gains().n_groups == 30
    assert instance.info.tasks == instance.gains().tasks
    assert instance.gains().std is None
