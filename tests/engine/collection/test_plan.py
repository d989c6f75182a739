"""What is left to train."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.collection.plan import chunks, missing, with_singles


@given(st.integers(1, 5), st.integers(1, 7), st.integers(1, 3), st.integers(0, 100))
def test_chunks_hold_exactly_what_is_missing(n_tasks: int, size: int, seeds: int, draw: int) -> None:
    random = np.random.default_rng(draw)
    groups = with_singles(np.unique(random.random((20, n_tasks)) < 0.5, axis=0)[1:])
    done = {seed: groups[random.random(len(groups)) < 0.5] for seed in range(seeds - 1)}
    found: dict[int, list[bytes]] = {seed: [] for seed in range(seeds)}
    for seed, rows in chunks(groups, range(seeds), done, size):
        assert 0 < len(rows) <= size
        found[seed] += [row.tobytes() for row in rows]
    for seed in range(seeds):
        known = {row.tobytes() for row in done.get(seed, groups[:0])}
        assert found[seed] == [row.tobytes() for row in groups if row.tobytes() not in known]


def test_singles_come_first_and_sizes_rise() -> None:
    groups = with_singles(np.array([[1, 1, 1], [0, 1, 1], [0, 0, 1], [1, 1, 0]], dtype=bool))
    assert groups.sum(axis=1).tolist() == [1, 1, 1, 2, 2, 3]
    assert not len(missing(groups, groups))
