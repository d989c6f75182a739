"""The long table: one line per group and member. CSV and Parquet both end here."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from engine.errors import DataError
from engine.gains.checks import LARGEST_VALUE, SINGLE_TASK_TOLERANCE, baseline_flaw
from engine.gains.formats.options import ReadOptions
from engine.gains.formats.tasks import check_names, unknown_task
from engine.gains.names import task_name_flaw
from engine.gains.provenance import Provenance
from engine.gains.tensor import GainTensor, Quantity

COLUMNS = ("group", "task", "gain", "loss", "std", "cost", "measured")


def header_quantity(place: str, names: list[str]) -> Quantity:
    """Return what the table holds, judged by its column names.

    Raises
    ------
    DataError
        If a column is unknown, doubled or missing.
    """
    expected = "The header must be group,task,gain[,std,cost,measured], or loss instead of gain."
    found = ",".join(names)
    if any(name not in COLUMNS and name.lower() in COLUMNS for name in names):
        raise DataError(f"{place}: the header is {found!r:.120}: write its names in lower case. {expected}")
    for position, name in enumerate(names):
        if name in ("", "index") or name.startswith(("Unnamed:", "__index_level_")):
            raise DataError(
                f"{place}: the header is {found!r:.120}: column {position + 1} looks like the index of a "
                "data frame; write the table without it (index=False)."
            )
    if not {"group", "task"} <= set(names):
        missing = "group" if "group" not in names else "task"
        raise DataError(
            f"{place}: there is no column {missing!r} in {found!r:.120}. {expected} "
            "A pair of text files is given as MEMBERSHIP,GAINS."
        )
    for position, name in enumerate(names):
        if name not in COLUMNS:
            raise DataError(f"{place}: the column {name!r:.60} is not known. {expected}")
        if name in names[:position]:
            raise DataError(f"{place}: the column {name!r} stands twice. {expected}")
    if ("gain" in names) == ("loss" in names):
        raise DataError(f"{place}: there must be one column 'gain' or 'loss', not both or none. {expected}")
    return "gain" if "gain" in names else "loss"


@dataclass
class _Group:
    line: int
    measured: bool
    entries: dict[int, list[tuple[float, float, int]]] = field(default_factory=dict)


class LongTable:
    """Collects the lines of a long table and checks each one.

    Parameters
    ----------
    file
        Name of the file, for messages.
    quantity
        What its numbers are.
    options
        What the caller asked for.
    has_std
        Whether there is a column of standard errors.
    """

    def __init__(self, file: str, quantity: Quantity, options: ReadOptions, *, has_std: bool) -> None:
        self.file = file
        self.quantity = quantity
        self.options = options
        self.has_std = has_std
        self._fixed = None if options.tasks is None else check_names(options.tasks)
        self._index = {name: column for column, name in enumerate(self._fixed or ())}
        self._members: dict[str, frozenset[int]] = {}
        self._groups: dict[tuple[frozenset[int], float], _Group] = {}

    def add(
        self, line: int, group: str, task: str, value: float, std: float, cost: float, measured: bool
    ) -> None:
        """Take one line; an unknown std is NaN.

        Raises
        ------
        DataError
            If the line contradicts itself or an earlier one.
        """
        members = self._members.get(group)
        if members is None:
            members = self._members[group] = self._parse(line, group)
        column = self._index.get(task)
        if column is None and self._fixed is not None:
            raise unknown_task(self.place(line), task, self._fixed)
        if column is None or column not in members:
            raise DataError(
                f"{self.place(line)}, task {task!r:.80}: {self.quantity} outside the group: "
                f"the task is not a member of {group!r:.80}."
            )
        place = f"{self.place(line)}, task {task!r}"
        if abs(value) > LARGEST_VALUE:
            raise DataError(f"{place}: the {self.quantity} {value:g} is beyond {LARGEST_VALUE:.0e}.")
        relative = self.quantity == "gain" and self.options.single_task_baseline
        if relative and len(members) == 1 and abs(value) > SINGLE_TASK_TOLERANCE:
            raise DataError(f"{place}: {baseline_flaw(value)}")
        if std < 0 or std > LARGEST_VALUE:
            raise DataError(
                f"{place}: the standard error {std:g} must be 0 or more, {LARGEST_VALUE:.0e} at most."
            )
        if not 0 <= cost <= LARGEST_VALUE:
            raise DataError(f"{place}: the cost {cost:g} must be 0 or more, {LARGEST_VALUE:.0e} at most.")
        found = self._groups.setdefault((members, cost), _Group(line, measured))
        earlier = found.entries.setdefault(column, [])
        if not self.options.merge_duplicates:
            if earlier:
                raise DataError(
                    f"{self.file}, lines {earlier[0][2]} and {line}: task {task!r} of group {group!r:.80} "
                    "stands twice. Keep one, or ask for duplicates to be merged (merge_duplicates=True, "
                    "--merge-duplicates)."
                )
            if found.measured != measured:
                raise DataError(
                    f"{self.file}, lines {found.line} and {line}: 'measured' differs within the group "
                    f"{group!r:.80}."
                )
        found.measured &= measured
        earlier.append((value, std, line))

    def place(self, line: int) -> str:
        """Name a line of the file."""
        return f"{self.file}, line {line}"

    def _parse(self, line: int, group: str) -> frozenset[int]:
        names = [name.strip() for name in group.split("|")]
        if not any(names):
            raise DataError(f"{self.place(line)}: the group is empty. Give its tasks as a|b|c.")
        members: set[int] = set()
        for name in names:
            flaw = task_name_flaw(name)
            if flaw:
                raise DataError(
                    f"{self.place(line)}: in group {group!r:.80} the task name {name!r:.80} {flaw}."
                )
            if self._fixed is not None and name not in self._index:
                raise unknown_task(self.place(line), name, self._fixed)
            column = self._index.setdefault(name, len(self._index))
            if column in members:
                raise DataError(f"{self.place(line)}: task {name!r} stands twice in the group {group!r:.80}.")
            members.add(column)
        return frozenset(members)

    def build(self, *, provenance: Provenance) -> GainTensor:
        """Return the tensor, its groups in order of first appearance.

        Raises
        ------
        DataError
            If there is no line, or a member of a group has none.
        """
        if not self._groups:
            raise DataError(f"{self.file}: there are no lines of data below the header.")
        tasks = tuple(self._index)
        indptr, members, values, errors = [0], [], [], []
        for (columns, _), group in self._groups.items():
            for column in sorted(columns):
                lines = group.entries.get(column)
                if lines is None:
                    label = "|".join(tasks[at] for at in sorted(columns))
                    raise DataError(
                        f"{self.place(group.line)}: the group {label!r:.80} has no line for its member "
                        f"{tasks[column]!r}. Every member needs one, at the same cost."
                    )
                members.append(column)
                values.append(_mean([value for value, _, _ in lines]))
                errors.append(math.hypot(*(std for _, std, _ in lines)) / len(lines))
            indptr.append(len(members))
        try:
            return GainTensor(
                tasks,
                np.array(indptr),
                np.array(members),
                np.array(values),
                std=np.array(errors) if self.has_std else None,
                cost=np.array([cost for _, cost in self._groups]),
                measured=np.array([group.measured for group in self._groups.values()]),
                quantity=self.quantity,
                single_task_baseline=self.options.single_task_baseline,
                source=self.options.source,
                split=self.options.split,
                provenance=provenance,
            )
        except DataError as error:
            raise DataError(f"{self.file}: {error}") from error


def _mean(values: list[float]) -> float:
    return values[0] if len(values) == 1 else math.fsum(values) / len(values)
