"""Malformed gains files, at least 200 distinct ones, the same for every seed."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Lines = list[list[str]]
HEADER = ["group", "task", "gain", "std", "cost", "measured"]
BAD_NUMBERS = (
    "nan",
    "inf",
    "-Infinity",
    "abc",
    "",
    "1_0",
    "١",
    "1e999",
    "0,1",
    "--1",
    "1.2.3",
    "0x10",
    "None",
)


@dataclass(frozen=True)
class Malformed:
    """One malformed input.

    Attributes
    ----------
    kind
        What is wrong with it.
    write
        Writes the file or files into a folder and returns what a user would give: a path, or
        ``"MEMBERSHIP,GAINS"``.
    """

    kind: str
    write: Callable[[Path], str]

    def __repr__(self) -> str:
        return self.kind


def malformed_inputs(seed: int = 0) -> Iterator[Malformed]:
    """Yield malformed inputs; each must end in one clear line and exit code 2 or 5."""
    rng = random.Random(seed)
    yield from _paths()
    yield from _csv(rng)
    yield from _pairs(rng)
    yield from _json(rng)
    yield from _npz(rng)
    yield from _parquet()


def _file(kind: str, name: str, content: bytes | str) -> Malformed:
    data = content.encode() if isinstance(content, str) else content

    def write(folder: Path) -> str:
        (folder / name).write_bytes(data)
        return str(folder / name)

    return Malformed(kind, write)


def _paths() -> Iterator[Malformed]:
    def folder(name: str) -> Callable[[Path], str]:
        def write(parent: Path) -> str:
            (parent / name).mkdir()
            return str(parent / name)

        return write

    for suffix in (".csv", ".npz", ".json", ".parquet"):
        yield Malformed(f"missing {suffix}", lambda parent, suffix=suffix: str(parent / f"absent{suffix}"))
        yield Malformed(f"folder named {suffix}", folder(f"folder{suffix}"))
    yield Malformed("folder", folder("folder"))
    yield Malformed("missing pair", lambda parent: f"{parent / 'x.txt'},{parent / 'y.txt'}")
    yield Malformed("three paths", lambda parent: f"{parent / 'x'},{parent / 'y'},{parent / 'z'}")
    yield Malformed("half a pair", lambda parent: f"{parent / 'x'},")
    yield Malformed("path too long", lambda parent: str(parent / ("a" * 5000 + ".csv")))
    yield Malformed("folder in between missing", lambda parent: str(parent / "no" / "where.csv"))
    for name in ("gains.xlsx", "gains.tsv", "gains", "gains.csv.gz", "gains.pkl"):
        yield _file(f"unknown kind {name}", name, "group,task,gain\na,a,0\n")


def _table(rng: random.Random) -> Lines:
    """A valid long table: all singles, some pairs, the full group."""
    tasks = rng.sample(["seg", "depth", "normals", "edges", "keys"], rng.randint(3, 5))
    groups = [[task] for task in tasks] + [tasks]
    groups += [rng.sample(tasks, 2) for _ in range(2)]
    seen: set[frozenset[str]] = set()
    lines: Lines = []
    for group in groups:
        if frozenset(group) in seen:
            continue
        seen.add(frozenset(group))
        for task in group:
            gain = 0.0 if len(group) == 1 else round(rng.uniform(-0.1, 0.2), 3)
            lines.append(["|".join(group), task, str(gain), "0.01", "1", "true"])
    return lines


def _render(lines: Lines, header: list[str] | None = None) -> str:
    return "".join(",".join(line) + "\n" for line in [header or HEADER, *lines])


def _csv(rng: random.Random) -> Iterator[Malformed]:
    def changed(kind: str, change: Callable[[Lines], Any]) -> Malformed:
        lines = _table(rng)
        change(lines)
        return _file(f"csv: {kind}", "gains.csv", _render(lines))

    def cell(column: int, text: str) -> Callable[[Lines], None]:
        def change(lines: Lines) -> None:
            lines[rng.randrange(len(lines))][column] = text

        return change

    def first_of_pair(lines: Lines) -> int:
        return next(at for at, line in enumerate(lines) if "|" in line[0])

    for text in BAD_NUMBERS:
        yield changed(f"gain {text!r}", cell(2, text))
        if text:
            yield changed(f"std {text!r}", cell(3, text))
            yield changed(f"cost {text!r}", cell(4, text))
    for text in ("-1", "-0.001", "1e300"):
        yield changed(f"std {text}", cell(3, text))
        yield changed(f"cost {text}", cell(4, text))
    for text in ("1e16", "-1e300", "9" * 400):
        yield changed(f"gain {text:.10}", cell(2, text))
    for text in ("maybe", "2", "-", "nein"):
        yield changed(f"measured {text}", cell(5, text))
    for text in ("", " ", "|", "||", "a|a", "seg||depth", "seg|", "\x07|b", "ghost"):
        yield changed(f"group {text!r}", cell(0, text))
    for text in ("", "ghost", "SEG", "seg|depth", "dept"):
        yield changed(f"task {text!r}", cell(1, text))
    yield changed("single-task gain", lambda lines: lines[0].__setitem__(2, "0.25"))
    for _ in range(5):
        yield changed("duplicate line", lambda lines: lines.append(rng.choice(lines)))
        yield changed("short line", lambda lines: lines[rng.randrange(len(lines))].pop())
        yield changed("long line", lambda lines: lines[rng.randrange(len(lines))].append("1"))
        yield changed("missing member", lambda lines: lines.pop(first_of_pair(lines)))
        yield changed("cost differs", lambda lines: lines[first_of_pair(lines)].__setitem__(4, "2"))
        yield changed("measured differs", lambda lines: lines[first_of_pair(lines)].__setitem__(5, "false"))
    yield changed("open quote", lambda lines: lines[0].__setitem__(1, '"open'))
    yield changed("quote inside", lambda lines: lines[0].__setitem__(1, '"a"b'))
    yield changed("field too long", lambda lines: lines[0].__setitem__(1, "x" * 200_000))
    good = _table(rng)
    for drop in ("group", "task", "gain"):
        header = [name for name in HEADER if name != drop]
        yield _file(f"csv: no column {drop}", "gains.csv", _render(good, header))
        yield _file(f"csv: {drop} misspelt", "gains.csv", _render(good, [*header, drop + "s"]))
    yield _file(
        "csv: column twice", "gains.csv", _render(good, ["group", "task", "gain", "std", "std", "cost"])
    )
    yield _file(
        "csv: gain and loss", "gains.csv", _render(good, ["group", "task", "gain", "loss", "cost", "std"])
    )
    yield _file("csv: no header", "gains.csv", _render(good[1:], good[0]))
    yield _file("csv: semicolons", "gains.csv", _render(good).replace(",", ";"))
    yield _file("csv: tabs", "gains.csv", _render(good).replace(",", "\t"))
    yield _file("csv: only the header", "gains.csv", _render([]))
    for kind, content in {
        "empty": b"",
        "blank lines": b"\n\n\r\n  \n",
        "BOM only": b"\xef\xbb\xbf",
        "UTF-16": _render(good).encode("utf-16"),
        "Latin-1": _render(good).replace("seg", "s\xe9g").encode("latin-1") + b"\xe9,\xe9,1,1,1,1\n",
        "NUL": _render(good).encode() + b"\0",
        "random bytes": bytes(rng.randrange(256) for _ in range(500)),
        "a picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
        "one word": b"hello\n",
        "JSON": b'{"a": {"b": 1}}',
    }.items():
        yield _file(f"csv: {kind}", "gains.csv", content)


def _pair(kind: str, membership: str | bytes, gains: str | bytes) -> Malformed:
    def write(folder: Path) -> str:
        for name, content in (("x.txt", membership), ("y.txt", gains)):
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return f"{folder / 'x.txt'},{folder / 'y.txt'}"

    return Malformed(f"pair: {kind}", write)


def _pairs(rng: random.Random) -> Iterator[Malformed]:
    def valid() -> tuple[Lines, Lines]:
        count = rng.randint(3, 5)
        codes = [1 << column for column in range(count)] + [2**count - 1, 3, 6]
        member = [[str(code >> column & 1) for column in range(count)] for code in dict.fromkeys(codes)]
        gains = [
            [
                "0" if cell == "0" or row.count("1") == 1 else str(round(rng.uniform(-0.1, 0.2), 3))
                for cell in row
            ]
            for row in member
        ]
        return member, gains

    def changed(kind: str, change: Callable[[Lines, Lines], Any]) -> Malformed:
        member, gains = valid()
        change(member, gains)
        separator = rng.choice([" ", ",", "\t", "  "])
        if any("," in cell for row in [*member, *gains] for cell in row):
            separator = " "
        return _pair(
            kind, *("\n".join(separator.join(row) for row in rows) + "\n" for rows in (member, gains))
        )

    def put(rows: Lines, text: str) -> None:
        row = rng.choice(rows)
        row[rng.randrange(len(row))] = text

    for text in ("2", "-1", "0.5", "nan", "inf", "x", "1_0", "1e999", "true", "１"):
        yield changed(f"membership {text!r}", lambda member, gains, text=text: put(member, text))
    for text in ("nan", "-inf", "x", "1_0", "1e999", "1e16", "0.1.2", "٣"):
        yield changed(f"gain {text!r}", lambda member, gains, text=text: put(gains, text))
    for _ in range(3):
        yield changed("membership row short", lambda member, gains: rng.choice(member).pop())
        yield changed("membership row long", lambda member, gains: rng.choice(member).append("1"))
        yield changed("gain row short", lambda member, gains: rng.choice(gains).pop())
        yield changed("gain row long", lambda member, gains: rng.choice(gains).append("0"))
        yield changed("gain row missing", lambda member, gains: gains.pop(rng.randrange(len(gains))))
        yield changed("membership row missing", lambda member, gains: member.pop(rng.randrange(len(member))))
        yield changed("gain outside", lambda member, gains: gains[0].__setitem__(-1, "0.1"))
        yield changed("single-task gain", lambda member, gains: gains[0].__setitem__(0, "0.1"))
    yield changed(
        "same group twice", lambda member, gains: (member.append(member[-1]), gains.append(gains[-1]))
    )
    yield changed(
        "empty group", lambda member, gains: (member.append(["0"] * len(member[0])), gains.append(gains[0]))
    )
    yield changed("column missing", lambda member, gains: [row.pop() for row in gains])
    yield changed(
        "header", lambda member, gains: member.insert(0, [f"task{at}" for at in range(len(member[0]))])
    )
    yield changed("swapped", lambda member, gains: (member.extend(gains), gains.extend(gains)))
    yield _pair("no group with a task", "1 0 0\n0 1 0\n1 1 0\n", "0 0 0\n0 0 0\n.1 .1 0\n")
    yield _pair("trailing comma", "1,0,\n0,1,\n", "0,0,\n0,0,\n")
    yield _pair("both empty", "", "")
    yield _pair("gains empty", "1 0\n0 1\n", "\n \n")
    yield _pair("membership binary", bytes(range(256)), "0 0\n")
    yield _pair("gains binary", "1 0\n0 1\n", b"\xff\xfe\x00\x01")
    yield _pair("mixed separators", "1 0,1\n0 1,1\n", "0 0,0\n0 0,0\n")


def _json(rng: random.Random) -> Iterator[Malformed]:
    names = ["a", "b", "c"]
    good = {one: {other: 0.1 for other in names if other != one} for one in names}

    def changed(kind: str, value: Any) -> Malformed:
        return _file(
            f"json: {kind}", "affinity.json", value if isinstance(value, (str, bytes)) else json.dumps(value)
        )

    text = json.dumps(good)
    for _ in range(8):
        yield changed("truncated", text[: rng.randrange(1, len(text) - 1)])
    for value in (None, True, "0.1", [], {}, 10**400, float("nan"), float("inf"), 1e300):
        yield changed(f"value {value!s:.10}", {**good, "b": {"a": value, "c": 0.1}})
        yield changed(f"instead of an object {value!s:.10}", {**good, "b": value})
    for value in ([], {}, 3, "text", None, [good]):
        yield changed(f"document {value!s:.20}", value)
    yield changed("missing pair", {**good, "b": {"a": 0.1}})
    yield changed("unknown name", {**good, "b": {"a": 0.1, "c": 0.1, "d": 0.1}})
    yield changed("name with a bar", {"a|b": {"c": 0.1}, "c": {"a|b": 0.1}})
    yield changed("empty name", {"": {"c": 0.1}, "c": {"": 0.1}})
    yield changed("surrogate name", '{"\\ud800": {"c": 1}, "c": {"\\ud800": 1}}')
    yield changed("name twice", '{"a": {"b": 1}, "a": {"b": 1}, "b": {"a": 1}}')
    yield changed("nested too deep", "[" * 100_000)
    yield changed("number too long", '{"a": {"b": ' + "9" * 5000 + '}, "b": {"a": 1}}')
    yield changed("1e999", '{"a": {"b": 1e999}, "b": {"a": 1}}')
    yield changed("empty", "")
    yield changed("binary", b"\x80\x81")
    many = [f"t{at}" for at in range(13)]
    yield changed("13 tasks", {one: dict.fromkeys(many, 0.0) for one in many})


def _npz(rng: random.Random) -> Iterator[Malformed]:
    good: dict[str, Any] = {
        "tasks": np.array(["a", "b"]),
        "indptr": np.array([0, 1, 2, 4]),
        "members": np.array([0, 1, 0, 1]),
        "values": np.array([0.0, 0.0, 0.1, 0.2]),
        "cost": np.ones(3),
        "measured": np.ones(3, dtype=bool),
    }

    def archive(**changes: Any) -> bytes:
        arrays = {name: value for name, value in {**good, **changes}.items() if value is not None}
        stream = io.BytesIO()
        np.savez_compressed(stream, **arrays)
        return stream.getvalue()

    whole = archive()
    for _ in range(8):
        yield _file("npz: truncated", "gains.npz", whole[: rng.randrange(1, len(whole) - 1)])
    for name in ("tasks", "indptr", "members", "values"):
        yield _file(f"npz: no {name}", "gains.npz", archive(**{name: None}))
        yield _file(
            f"npz: {name} of objects", "gains.npz", archive(**{name: np.array([{}, None], dtype=object)})
        )
        yield _file(f"npz: {name} of two dimensions", "gains.npz", archive(**{name: np.zeros((2, 2))}))
        yield _file(
            f"npz: {name} of complex numbers", "gains.npz", archive(**{name: np.zeros(3, dtype=complex)})
        )
        yield _file(f"npz: {name} empty", "gains.npz", archive(**{name: good[name][:0]}))
    changes: dict[str, dict[str, Any]] = {
        "NaN": {"values": np.array([0.0, 0.0, np.nan, 0.2])},
        "infinite": {"values": np.array([0.0, 0.0, np.inf, 0.2])},
        "huge": {"values": np.array([0.0, 0.0, 1e300, 0.2])},
        "single-task gain": {"values": np.array([0.5, 0.0, 0.1, 0.2])},
        "too few values": {"values": np.zeros(3)},
        "member out of range": {"members": np.array([0, 1, 0, 2])},
        "negative member": {"members": np.array([0, 1, -1, 1])},
        "members out of order": {"members": np.array([0, 1, 1, 0])},
        "member twice": {"members": np.array([0, 1, 1, 1])},
        "indptr falls": {"indptr": np.array([0, 3, 2, 4])},
        "indptr too long": {"indptr": np.array([0, 1, 2, 9])},
        "indptr negative": {"indptr": np.array([-1, 1, 2, 4])},
        "empty group": {"indptr": np.array([0, 1, 1, 4])},
        "same group twice": {
            "indptr": np.array([0, 1, 2, 3]),
            "members": np.array([0, 1, 1]),
            "values": np.zeros(3),
        },
        "task nowhere": {"tasks": np.array(["a", "b", "c"])},
        "task named twice": {"tasks": np.array(["a", "a"])},
        "task name empty": {"tasks": np.array(["a", ""])},
        "negative cost": {"cost": np.array([1.0, -1.0, 1.0])},
        "too many costs": {"cost": np.ones(4)},
        "measured of floats": {"measured": np.ones(3)},
        "too many measured": {"measured": np.ones(5, dtype=bool)},
        "negative std": {"std": np.array([0.0, 0.0, -0.1, 0.1])},
        "too few std": {"std": np.zeros(2)},
        "unknown quantity": {"quantity": np.array("joy")},
        "unknown array": {"gains": np.zeros(4)},
        "newer format": {"format_version": np.array(99)},
    }
    for kind, change in changes.items():
        yield _file(f"npz: {kind}", "gains.npz", archive(**change))
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    yield _file("npz: a single array", "gains.npz", stream.getvalue())
    yield _file("npz: text", "gains.npz", "group,task,gain\na,a,0\n")
    yield _file("npz: a pickle", "gains.npz", b"\x80\x04N.")
    yield _file("npz: empty", "gains.npz", b"")
    yield _file("npz: empty archive", "gains.npz", b"PK\x05\x06" + bytes(18))


def _parquet() -> Iterator[Malformed]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError:
        return
    good: dict[str, list[Any]] = {
        "group": ["a", "b", "a|b", "a|b"],
        "task": ["a", "b", "a", "b"],
        "gain": [0.0, 0.0, 0.1, 0.2],
    }

    def table(columns: dict[str, list[Any]]) -> bytes:
        stream = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.table(columns), stream)
        return stream.getvalue()

    for name in good:
        yield _file(
            f"parquet: no {name}",
            "gains.parquet",
            table({other: column for other, column in good.items() if other != name}),
        )
    for kind, columns in {
        "NaN": {**good, "gain": [0.0, 0.0, float("nan"), 0.1]},
        "null gain": {**good, "gain": [0.0, 0.0, None, 0.1]},
        "text gain": {**good, "gain": ["0", "0", "0.1", "x"]},
        "true gain": {**good, "gain": [False, False, True, True]},
        "null group": {**good, "group": ["a", "b", None, "a|b"]},
        "number task": {**good, "task": [1, 2, 1, 2]},
        "outside": {**good, "task": ["a", "b", "a", "c"]},
        "twice": {**good, "task": ["a", "b", "a", "a"]},
        "number measured": {**good, "measured": [1, 0, 1, 1]},
        "unknown column": {**good, "gian": [0, 0, 0, 0]},
        "no rows": {name: column[:0] for name, column in good.items()},
    }.items():
        yield _file(f"parquet: {kind}", "gains.parquet", table(columns))
    whole = table(good)
    yield _file("parquet: truncated", "gains.parquet", whole[: len(whole) // 2])
    yield _file("parquet: text", "gains.parquet", "group,task,gain\n")
    yield _file("parquet: empty", "gains.parquet", b"")
