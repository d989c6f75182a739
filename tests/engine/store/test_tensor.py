from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.store import SeedValues

TASKS = ("a", "b", "c")


@st.composite
def cases(draw):
    """Groups of three tasks with values of some seeds, every task alone with every seed."""
    larger = draw(st.lists(st.sampled_from([(0, 1), (0, 2), (1, 2), (0, 1, 2)]), unique=True))
    groups = [(0,), (1,), (2,), *larger]
    seeds = draw(st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True))
    number = st.floats(0.01, 100)
    found = {}
    for group in groups:
        for seed in seeds:
            if len(group) == 1 or draw(st.booleans()) or seed == seeds[0]:
                found[group, seed] = [draw(number) for _ in group]
    signs = draw(st.tuples(*[st.sampled_from([1.0, -1.0])] * 3))
    order = draw(st.permutations(sorted(found)))
    return groups, seeds, found, signs, order, draw(st.sampled_from(["relative", "log-ratio"]))


@settings(deadline=None, derandomize=True)
@given(cases())
def test_the_tensor_is_what_a_naive_computation_gives(case) -> None:
    groups, seeds, found, signs, order, form = case
    membership = np.zeros((len(groups), 3), dtype=bool)
    for row, group in enumerate(groups):
        membership[row, list(group)] = True
    entries = [
        (groups.index(group), seeds.index(seed), task, found[group, seed][place])
        for group, seed in order
        for place, task in enumerate(group)
    ]
    group, seed, task, value = zip(*entries, strict=True)
    integers = (np.array(one, dtype=np.int32) for one in (group, seed, task))
    values = SeedValues.of(TASKS, membership, np.array(seeds), *integers, np.array(value))  # type: ignore[call-arg]
    assert values.seeds.tolist() == sorted(seeds)
    tensor = values.gains(np.array(signs), form).tensor(split="valid")
    assert tensor.n_groups == len(groups)
    for members in groups:
        (row,) = tensor.find(TASKS[one] for one in members)
        for place, one in enumerate(members):
            expected = []
            for number in seeds:
                if (members, number) in found:
                    together, alone = found[members, number][place], found[(one,), number][0]
                    if form == "relative":
                        expected.append(signs[one] * (together - alone) / abs(alone))
                    elif signs[one] > 0:
                        expected.append(math.log(together / alone))
                    else:
                        expected.append(math.log(alone / together))
            mean = sum(expected) / len(expected)
            assert tensor.gains[row, one] == pytest.approx(mean, rel=1e-9, abs=1e-12)
            if len(expected) > 1:
                error = np.std(expected, ddof=1) / math.sqrt(len(expected))
                assert tensor.std is not None
                assert tensor.dense(tensor.std)[row, one] == pytest.approx(error, rel=1e-9, abs=1e-9)
            elif tensor.std is not None:
                assert math.isnan(tensor.dense(tensor.std)[row, one])
            if len(members) == 1:
                assert tensor.gains[row, one] == 0


def test_negative_values_are_compared_by_their_magnitude() -> None:
    membership = np.array([[True, False], [False, True], [True, True]])
    group, task = np.array([0, 1, 2, 2], dtype=np.int32), np.array([0, 1, 0, 1], dtype=np.int32)
    values = SeedValues.of(
        ("a", "b"), membership, np.array([0]), group, 0 * group, task, np.array([-2.0, -2.0, -1.0, -3.0])
    )
    gains = values.gains(np.ones(2)).tensor()
    assert gains.gains[2].tolist() == [0.5, -0.5]  # a higher r², say, is better
    assert gains.std is None
