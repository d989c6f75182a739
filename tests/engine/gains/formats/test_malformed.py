from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine import DataError, UsageError, read_gains
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
