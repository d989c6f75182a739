from __future__ import annotations

import pickle
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine import DataError, GainTensor, UsageError, read_gains, write_gains
from tests.malformed import Malformed, malformed_inputs

CASES = list(malformed_inputs())


@pytest.mark.parametrize("case", CASES, ids=[f"{at}-{case.kind:.40}" for at, case in enumerate(CASES)])
def test_a_malformed_input_ends_in_one_clear_line(case: Malformed, tmp_path: Path) -> None:
    argument = case.write(tmp_path)
    with pytest.raises((DataError, UsageError)) as caught:
        read_gains(argument)
    message = str(caught.value)
    assert "\n" not in message
    assert 10 < len(message) < 1000 or len(argument) > 1000
    assert message.isprintable()
    assert "allow_pickle" not in message
    assert any(part[:100] in message for part in argument.split(",") if part)


@pytest.mark.parametrize(
    ("save", "message"),
    [
        (
            lambda path: np.savez(path, tasks=np.array(["a", None], dtype=object)),
            "'tasks' holds Python objects",
        ),
        (lambda path: path.write_bytes(pickle.dumps([1])), "this is a pickle, which is never read"),
    ],
)
def test_python_objects_are_never_read(tmp_path: Path, save: Callable[[Path], None], message: str) -> None:
    save(tmp_path / "gains.npz")
    with pytest.raises(DataError, match=message):
        read_gains(tmp_path / "gains.npz")


def test_there_are_two_hundred_distinct_malformed_inputs(tmp_path: Path) -> None:
    seen = set()
    for at, case in enumerate(CASES):
        folder = tmp_path / str(at)
        folder.mkdir()
        argument = case.write(folder)
        content = tuple(path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file())
        seen.add((argument.replace(str(folder), ""), content))
    assert len(seen) >= 200


def test_the_generator_is_deterministic(tmp_path: Path) -> None:
    assert [case.kind for case in malformed_inputs()] == [case.kind for case in CASES]


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("members", 50_000_000, "50000000 members cannot be those of 2 groups of 2 tasks"),
        ("indptr", 50_000_000, "2 members cannot be those of 49999999 groups"),
        ("values", 50_000_000, "'values' has 50000000 elements where 2 are due"),
        ("std", 50_000_000, "'std' has 50000000 elements where 2 are due"),
        ("cost", 50_000_000, "'cost' has 50000000 elements where 2 are due"),
    ],
)
def test_an_absurd_size_is_refused_before_memory_is_taken(
    tmp_path: Path, name: str, size: int, message: str
) -> None:
    arrays = {"indptr": np.array([0, 1, 2]), "members": np.array([0, 1]), "values": np.zeros(2)}
    kind = np.int64 if name in ("members", "indptr") else np.float64
    np.savez_compressed(
        tmp_path / "gains.npz", tasks=np.array(["a", "b"]), **(arrays | {name: np.zeros(size, kind)})
    )
    tracemalloc.start()
    with pytest.raises(DataError, match=message):
        read_gains(tmp_path / "gains.npz")
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_an_absurd_text_is_refused(tmp_path: Path) -> None:
    tensor = GainTensor.from_dense(["a", "b"], np.ones((1, 2), dtype=bool), np.ones((1, 2)))
    write_gains(replace(tensor, source="x" * 10_000_001), tmp_path / "gains.npz")
    with pytest.raises(DataError, match="'source' has room for 10000001 characters"):
        read_gains(tmp_path / "gains.npz")
