from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from engine.executors.packing import ALIGNMENT, pack, unpack


def packed(value: Any) -> bytearray:
    stream = io.BytesIO()
    pack(value, stream)
    return bytearray(stream.getvalue())


@settings(derandomize=True, deadline=None)
@given(
    st.lists(
        arrays.arrays(
            st.sampled_from([np.float64, np.float32, np.uint8, np.int64, np.bool_]),
            arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
        )
    ),
    st.booleans(),
)
def test_arrays_come_back_as_they_were(given: list[NDArray[Any]], transposed: bool) -> None:
    sent = [one.T[::2] if transposed and one.ndim else one for one in given]
    back = unpack(memoryview(packed({"arrays": sent, "name": "x"})))
    assert back["name"] == "x"
    for one, other in zip(sent, back["arrays"], strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_arrays_use_the_memory_they_came_in_aligned_and_writable() -> None:
    data = packed((np.arange(5.0), np.arange(7, dtype=np.uint8), np.arange(3.0)))
    memory = np.frombuffer(data, dtype=np.uint8)
    for one in unpack(memoryview(data)):
        assert np.shares_memory(one, memory)
        assert (one.ctypes.data - memory.ctypes.data) % ALIGNMENT == 0
        assert one.flags.writeable


@pytest.mark.parametrize("step", [1, 2])
def test_windows_over_a_series_cost_the_series_alone(step: int) -> None:
    series = np.random.default_rng(0).standard_normal((5000, 3))
    windows = sliding_window_view(series, 96, axis=0)[::step]
    data = packed(windows)
    assert len(data) < series.nbytes + 1000 < len(pickle.dumps(windows, protocol=5)) / 10
    back = unpack(memoryview(data))
    np.testing.assert_array_equal(back, windows)
    assert back.strides == windows.strides


def test_a_repeated_row_is_sent_once() -> None:
    repeated = np.broadcast_to(np.arange(100.0), (1000, 100))
    data = packed(repeated)
    assert len(data) < 2000
    np.testing.assert_array_equal(unpack(memoryview(data)), repeated)
