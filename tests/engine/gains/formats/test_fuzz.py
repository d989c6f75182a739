from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Affinity, EngineError, GainTensor, read_gains, write_affinity, write_gains

TENSOR = GainTensor.from_groups(
    [{"a": 0.0}, {"b": 0.0}, {"c": 0.0}, {"a": 0.1, "b": -0.25, "c": 3e-5}, {"b": 0.5, "c": 0.125}],
    cost=[1, 1, 0.5, 1, 2],
    measured=[1, 1, 1, 0, 1],
)
PLAIN = GainTensor.from_groups([{"a": 0.0}, {"b": 0.0}, {"a": 0.1, "b": -0.25, "c": 3e-5}])


@cache
def valid(kind: str) -> tuple[bytes, ...]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if kind == "pair":
            write_gains(PLAIN, (folder / "x.txt", folder / "y.txt"))
            return (folder / "x.txt").read_bytes(), (folder / "y.txt").read_bytes()
        path = folder / f"gains.{kind}"
        if kind == "json":
            write_affinity(Affinity(("a", "b"), [[1.0, 0.5], [0.25, 1.0]]), path)
        else:
            write_gains(TENSOR, path)
        return (path.read_bytes(),)


def attempt(contents: list[bytes], kind: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        paths = [
            Path(name) / (f"{at}.txt" if kind == "pair" else f"gains.{kind}") for at in range(len(contents))
        ]
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
        message = ""
        try:
            read_gains(paths)
        except EngineError as error:
            message = str(error)
        assert "\n" not in message
        assert message.isprintable()


def mutated(data: st.DataObject, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(changed)))
        what = data.draw(st.sampled_from(["set", "insert", "delete", "cut", "repeat"]))
        if what == "set" and at < len(changed):
            changed[at] = data.draw(st.integers(0, 255))
        elif what == "insert":
            changed[at:at] = data.draw(
                st.sampled_from([b",", b"\n", b"\r", b"|", b'"', b"9", b"-", b"\x00", b"nan", "é".encode()])
            )
        elif what == "delete":
            del changed[at : at + data.draw(st.integers(1, 8))]
        elif what == "cut":
            del changed[at:]
        else:
            changed[at:at] = changed[at : at + 12]
    return bytes(changed)


@pytest.mark.parametrize(
    ("kind", "examples"), [("csv", 400), ("pair", 300), ("json", 200), ("npz", 400), ("parquet", 200)]
)
def test_a_damaged_file_gives_a_tensor_or_one_clear_error(kind: str, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, database=None)
    @given(data=st.data())
    def fuzz(data: st.DataObject) -> None:
        attempt([mutated(data, content) for content in valid(kind)], kind)

    run: Callable[[], None] = fuzz
    run()


@pytest.mark.parametrize("kind", ["csv", "json", "npz"])
def test_any_bytes_give_a_tensor_or_one_clear_error(kind: str) -> None:
    @settings(max_examples=100, deadline=None, database=None)
    @given(content=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
    def fuzz(content: bytes) -> None:
        attempt([content], kind)

    run: Callable[[], None] = fuzz
    run()
