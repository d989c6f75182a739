from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine import DataError
from instances.reading.array_cache import cached_array, file_stamps


def ones(array: NDArray[Any]) -> None:
    array[:] = 1


def never(array: NDArray[Any]) -> None:
    raise AssertionError("asked for again")


def test_what_is_there_is_not_made_again(own_cache: Path) -> None:
    first = cached_array("topic", {"a": 1}, (3, 2), np.uint8, ones)
    assert first.tolist() == [[1, 1]] * 3
    again = cached_array("topic", {"a": 1}, (3, 2), np.uint8, never)
    assert np.array_equal(first, again)
    assert not again.flags.writeable


@pytest.mark.parametrize(
    ("key", "shape", "dtype"), [({"a": 2}, (3, 2), "u1"), ({"a": 1}, (2, 3), "u1"), ({"a": 1}, (3, 2), "f4")]
)
def test_another_key_shape_or_type_is_another_array(
    own_cache: Path, key: object, shape: tuple[int, int], dtype: str
) -> None:
    cached_array("topic", {"a": 1}, (3, 2), "u1", ones)
    with pytest.raises(AssertionError, match="asked for again"):
        cached_array("topic", key, shape, dtype, never)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", None])
def test_a_spoilt_file_is_made_anew(own_cache: Path, content: bytes | None) -> None:
    cached_array("topic", 1, (3,), "f8", ones)
    (path,) = (own_cache / "topic").iterdir()
    path.write_bytes(path.read_bytes()[:-1] if content is None else content)
    assert cached_array("topic", 1, (3,), "f8", ones).tolist() == [1, 1, 1]


def test_a_failure_leaves_nothing(own_cache: Path) -> None:
    with pytest.raises(AssertionError):
        cached_array("topic", 1, (3,), "f8", never)
    assert list((own_cache / "topic").iterdir()) == []


def test_a_cache_that_cannot_be_made_is_named(own_cache: Path) -> None:
    own_cache.parent.mkdir(parents=True)
    own_cache.write_text("a file in its place")
    with pytest.raises(DataError, match="cannot be made"):
        cached_array("topic", 1, (3,), "f8", ones)


def test_stamps_change_with_the_files(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("one")
    first = file_stamps([path])
    assert file_stamps([path]) == first
    path.write_text("three")
    assert file_stamps([path]) != first
    with pytest.raises(DataError, match="cannot be read"):
        file_stamps([tmp_path / "absent"])
