from __future__ import annotations

import itertools

import numpy as np
import pytest

from engine import load_instance


@pytest.mark.parametrize(
    ("budget", "percent", "test"), [(1, 8, 6), (2, 35, 27), (3, 40, 32), (4, 44, 34), (5, 44, 34)]
)
def test_the_solution_by_hand_is_the_best_of_all_choices(budget: int, percent: int, test: int) -> None:
    instance = load_instance("toy4")
    gains, judged = instance.gains(), instance.evaluation()
    assert judged is not None
    filled = np.nan_to_num(gains.gains, nan=-np.inf)
    choices = {
        rows: filled[list(rows)].max(axis=0).sum()
        for count in range(1, budget + 1)
        for rows in itertools.combinations(range(12), count)
    }
    ranked = sorted(choices.values(), reverse=True)
    best = max(choices, key=choices.__getitem__)
    assert choices[best] == pytest.approx(percent / 100)
    if budget < 4:
        assert ranked[1] < ranked[0] - 1e-9
    serving = np.array(best)[filled[list(best)].argmax(axis=0)]
    assert judged.gains[serving, np.arange(4)].sum() == pytest.approx(test / 100)


def test_the_best_partition_of_two_is_better_on_the_test_split() -> None:
    instance = load_instance("toy4")
    judged = instance.evaluation()
    assert judged is not None
    rows = [*judged.find(["cat", "dog"]), *judged.find(["car", "bus"])]
    assert np.nansum(instance.gains().gains[rows]) == pytest.approx(0.32)
    assert np.nansum(judged.gains[rows]) == pytest.approx(0.28)
