"""Which groups to train: lists in words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError, UsageError, unknown_name
from engine.files import read_text
from engine.gains.bits import distinct, group_bytes
from engine.gains.model import all_groups

Membership = NDArray[np.bool_]

MOST_GROUPS = 2_000_000
"""More groups than these are not listed by mistake."""
ATTEMPTS = 50
"""Draws of a random group that was drawn before, until its kind counts as exhausted."""


def parse_groups(text: str, tasks: Sequence[str], *, seed: int = 0) -> Membership:
    """Return the groups that a text names, each once, in the order named.

    Parameters
    ----------
    text
        Parts separated by commas: ``all``, ``singles``, ``pairs``, ``triples``, ``full``, ``sizes:2-4``,
        ``random:100`` or ``random:100:3-6`` (so many groups of these sizes, every task about equally
        often), a group ``a|b|c``, or a file with one group ``a|b|c`` per line.
    tasks
        Names of the N tasks.
    seed
        Of the random groups.

    Returns
    -------
    ndarray
        Shape (G, N).

    Raises
    ------
    UsageError
        If a part is not understood or names an unknown task.
    DataError
        If a file cannot be read; the line is named.
    """
    count = len(tasks)
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise UsageError("Name the groups to train, for instance pairs,random:100.")
    groups: list[Membership] = []
    for part in parts:
        word, _, rest = part.partition(":")
        if part in _SIZES:
            groups.append(groups_of_size(count, _SIZES[part]))
        elif part == "full":
            groups.append(np.ones((1, count), dtype=bool))
        elif part == "all":
            if count > 20:
                raise UsageError(f"{count} tasks have too many groups to train them all; name some.")
            groups.append(all_groups(count))
        elif word == "sizes":
            low, high = _sizes(rest, part, count)
            groups += [groups_of_size(count, size) for size in range(low, high + 1)]
        elif word == "random":
            number, _, sizes = rest.partition(":")
            low, high = _sizes(sizes or f"2-{count}", part, count)
            groups.append(
                random_groups(count, _number(number, part), (low, high), seed, unique(groups, count))
            )
        elif "|" in part or part in tasks:
            groups.append(_named(part.split("|"), tasks)[None])
        elif Path(part).is_file():
            groups.append(_file(Path(part), tasks))
        else:
            raise UsageError(
                f"{part!r} names no groups: write all, singles, pairs, triples, full, sizes:2-4, random:100, "
                "random:100:3-6, a group as a|b, or a file with one group per line."
            )
    return unique(groups, count)


_SIZES = {"singles": 1, "pairs": 2, "triples": 3}


def groups_of_size(n_tasks: int, size: int) -> Membership:
    """Return all groups of a size, shape (C(N, size), N), in lexicographic order.

    Raises
    ------
    UsageError
        If these are too many to list.
    """
    count = comb(n_tasks, size)
    if count > MOST_GROUPS:
        raise UsageError(f"There are {count:,} groups of {size} out of {n_tasks} tasks: too many to train.")
    membership = np.zeros((count, n_tasks), dtype=bool)
    for row, members in enumerate(combinations(range(n_tasks), size)):
        membership[row, members] = True
    return membership


def random_groups(
    n_tasks: int, number: int, sizes: tuple[int, int], seed: int, known: Membership | None = None
) -> Membership:
    """Draw distinct random groups that hold every task about equally often.

    The size of a group is uniform over ``sizes``; its members are the tasks drawn least so far, in
    random order among equals. Fewer groups come back where no more distinct ones are found.

    Parameters
    ----------
    n_tasks
        N.
    number
        Groups wanted.
    sizes
        Least and largest size.
    seed
        Of the draw.
    known
        Shape (K, N): groups that are not drawn again.
    """
    random = np.random.default_rng(seed)
    seen = set() if known is None else set(group_bytes(known))
    held = np.zeros(n_tasks, dtype=np.int64)
    drawn: list[NDArray[np.bool_]] = []
    misses = 0
    while len(drawn) < number and misses < ATTEMPTS:
        size = int(random.integers(sizes[0], sizes[1] + 1))
        # A group that was drawn before is redrawn without regard to coverage, or it would come again.
        counts = held if not misses else np.zeros_like(held)
        order = np.lexsort((random.random(n_tasks), counts))
        row = np.zeros(n_tasks, dtype=bool)
        row[order[:size]] = True
        (key,) = group_bytes(row[None])
        if key in seen:
            misses += 1
            continue
        misses = 0
        seen.add(key)
        drawn.append(row)
        held += row
    return np.array(drawn, dtype=bool).reshape(len(drawn), n_tasks)


def unique(parts: Sequence[Membership], n_tasks: int) -> Membership:
    """Join lists of groups; each group is kept where it stands first."""
    return distinct(np.concatenate([np.zeros((0, n_tasks), dtype=bool), *parts]))


def _sizes(text: str, part: str, n_tasks: int) -> tuple[int, int]:
    low, _, high = text.partition("-")
    first, last = _number(low, part), _number(high or low, part)
    if not 1 <= first <= last <= n_tasks:
        raise UsageError(f"{part!r}: sizes rise from 1 to {n_tasks} at most.")
    return first, last


def _number(text: str, part: str) -> int:
    if not text.isdecimal() or len(text) > len(str(MOST_GROUPS)) or not 0 < int(text) <= MOST_GROUPS:
        raise UsageError(f"{part!r}: {text!r} is not a number from 1 to {MOST_GROUPS:,}.")
    return int(text)


def _named(names: Sequence[str], tasks: Sequence[str]) -> NDArray[np.bool_]:
    row = np.zeros(len(tasks), dtype=bool)
    for name in names:
        if name.strip() not in tasks:
            raise unknown_name("task", name.strip(), tasks)
        row[list(tasks).index(name.strip())] = True
    return row


def _file(path: Path, tasks: Sequence[str]) -> Membership:
    rows = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            rows.append(_named(line.split("|"), tasks))
        except UsageError as error:
            raise DataError(f"{path}, line {number}: {error}") from None
    if not rows:
        raise DataError(f"{path}: the file names no group; write one group a|b|c per line.")
    return np.array(rows)
