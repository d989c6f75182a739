"""Hypothesis strategies."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from engine import GainTensor, Provenance
from engine.gains.names import task_name_flaw

NAMES = st.one_of(
    st.text("abcdefgh_ -.,;\"'é漢", min_size=1, max_size=6),
    st.text(min_size=1, max_size=5),
).filter(lambda name: not task_name_flaw(name))

VALUES = st.one_of(
    st.floats(-1, 1),
    st.floats(-1e15, 1e15, allow_nan=False),
    st.sampled_from([0.0, -0.0, 0.1, 1e-300, 5e-324, 1 / 3]),
)


@st.composite
def tensors(draw: st.DrawFn, *, plain: bool = False) -> GainTensor:
    """Tensors of every kind; ``plain`` ones hold nothing but membership and gains."""
    names = draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))
    count = len(names)
    codes = draw(st.lists(st.integers(1, 2**count - 1), min_size=1, max_size=8, unique=True))
    member = np.array([[code >> column & 1 for column in range(count)] for code in codes], dtype=bool)
    missing = ~member.any(axis=0)
    if missing.any():  # every task in a group
        extra = np.ones((1, count), dtype=bool)
        member = np.vstack([member, extra])
        member = member[np.sort(np.unique(member, axis=0, return_index=True)[1])]
    quantity = "gain" if plain else draw(st.sampled_from(["gain", "loss"]))
    baseline = draw(st.booleans())
    dense = np.full(member.shape, np.nan)
    errors = np.full(member.shape, np.nan)
    for row, column in np.argwhere(member):
        zero = quantity == "gain" and baseline and member[row].sum() == 1
        dense[row, column] = 0.0 if zero else draw(VALUES)
        errors[row, column] = draw(st.one_of(st.just(np.nan), st.floats(0, 10)))
    rows = len(member)
    if plain:
        return GainTensor.from_dense(names, member, dense, single_task_baseline=baseline)
    return GainTensor.from_dense(
        names,
        member,
        dense,
        std=errors if draw(st.booleans()) else None,
        cost=draw(st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.25]), min_size=rows, max_size=rows)),
        measured=draw(st.lists(st.booleans(), min_size=rows, max_size=rows)),
        quantity=quantity,
        single_task_baseline=baseline,
        source=draw(st.sampled_from(["measured", "hoa", "ünï"])),
        split=draw(st.sampled_from(["", "valid"])),
        provenance=Provenance(draw(st.sampled_from(["", "somewhere, once"]))),
    )
