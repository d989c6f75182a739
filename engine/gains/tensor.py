"""The gain tensor: what every task gains in every group that is known."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.errors import DataError, UsageError, unknown_name
from engine.gains.checks import check, pack_rows, row_blocks, row_keys

if TYPE_CHECKING:
    import pandas
    import xarray

Quantity = Literal["gain", "loss"]

_SIDES: tuple[Literal["left"], Literal["right"]] = ("left", "right")


@dataclass(frozen=True, eq=False)
class GainTensor:
    """M groups × N tasks: a value where the task is a member of the group, nothing elsewhere.

    Stored by member entries, E in all, so that memory is proportional to the data: group ``g``
    owns the entries ``indptr[g]:indptr[g + 1]``, 12 bytes each. Dense views are made on demand.
    Immutable: arrays are copied, but for those of the right type that own their data and are
    read-only already, which are taken over as they are.

    Attributes
    ----------
    tasks
        N distinct names.
    indptr
        Shape (M + 1,): where the entries of each group begin.
    members
        Shape (E,): task index of each entry, ascending within a group; stored as ``int32``.
    values
        Shape (E,): gain (fraction, positive is better) or loss (lower is better) of each entry.
    std
        Shape (E,) or None: standard error of each value, NaN where unknown.
    cost
        Shape (M,): cost of training and serving each group; 1, a standard network, by default.
    measured
        Shape (M,): True, the default, where the values of the row are the measurements themselves;
        False where a model computed them.
    quantity
        ``"gain"``, relative to single-task training, or ``"loss"``.
    single_task_baseline
        True where gains are relative to the single-task rows, so that these rows are 0.
    source, split, provenance
        Where the values come from: the gain source, the data split, and free text.

    Raises
    ------
    DataError
        If an invariant is broken; the message names row and task.
    """

    tasks: tuple[str, ...]
    indptr: NDArray[np.int64]
    members: NDArray[np.integer[Any]]
    values: NDArray[np.float64]
    std: NDArray[np.float64] | None = None
    cost: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    measured: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, dtype=np.bool_))
    quantity: Quantity = "gain"
    single_task_baseline: bool = True
    source: str = "measured"
    split: str = ""
    provenance: str = ""

    def __post_init__(self) -> None:
        tasks = tuple(self.tasks)
        object.__setattr__(self, "tasks", tasks)
        count = len(self.indptr) - 1
        defaults: dict[str, tuple[Any, Any]] = {
            "indptr": (self.indptr, np.int64),
            "members": (_narrow(self.members), np.int32),
            "values": (self.values, np.float64),
            "cost": (self.cost if len(self.cost) else np.ones(count), np.float64),
            "measured": (self.measured if len(self.measured) else np.ones(count), np.bool_),
        }
        if self.std is not None:
            defaults["std"] = (self.std, np.float64)
        for name, (given, dtype) in defaults.items():
            object.__setattr__(self, name, _kept(given, dtype))
        check(self)

    @classmethod
    def from_dense(
        cls,
        tasks: Sequence[str],
        membership: ArrayLike,
        values: ArrayLike,
        *,
        std: ArrayLike | None = None,
        **attributes: Any,
    ) -> GainTensor:
        """Build a tensor from M×N arrays.

        Parameters
        ----------
        tasks
            N names.
        membership
            Shape (M, N), 0 or 1.
        values
            Shape (M, N); off the membership either 0 or NaN.
        std
            Shape (M, N) or None.
        **attributes
            Any other field of the tensor.
        """
        member = np.asarray(membership)
        if member.ndim != 2:
            raise DataError(f"Membership must be a matrix of groups × tasks, not {member.ndim}-dimensional.")
        wrong = np.argwhere((member != 0) & (member != 1))
        if len(wrong):
            row, column = wrong[0]
            raise DataError(
                f"Row {row + 1}, column {column + 1}: membership must be 0 or 1, not {member[row, column]}."
            )
        if member.shape[1] != len(tasks):
            raise DataError(
                f"Membership has {member.shape[1]} columns but there are {len(tasks)} task names."
            )
        member = member.astype(bool)
        try:
            dense = np.asarray(values, dtype=np.float64)
            errors = None if std is None else np.asarray(std, dtype=np.float64)
        except (TypeError, ValueError):
            raise DataError("Gains and standard errors must be matrices of numbers.") from None
        if errors is not None and errors.shape != member.shape:
            raise DataError(f"Standard errors have shape {errors.shape} but membership has {member.shape}.")
        if dense.shape != member.shape:
            raise DataError(
                f"Gains have shape {dense.shape} but membership has {member.shape}: "
                "give one gain per group and task."
            )
        outside = np.argwhere(~member & ~np.isnan(dense) & (dense != 0))
        if len(outside):
            row, column = outside[0]
            raise DataError(
                f"Row {row + 1}, task {tasks[column]!r}: gain {dense[row, column]} is given but the task "
                "is not a member of the group. Leave it 0 or empty."
            )
        rows, columns = np.nonzero(member)
        indptr = np.concatenate([[0], np.cumsum(member.sum(axis=1))])
        kept = None if errors is None else errors[rows, columns]
        return cls(tuple(tasks), indptr, columns, dense[rows, columns], std=kept, **attributes)

    @classmethod
    def from_groups(
        cls, groups: Iterable[Mapping[str, float]], *, tasks: Sequence[str] | None = None, **attributes: Any
    ) -> GainTensor:
        """Build a tensor from one ``{task: gain}`` mapping per group.

        Parameters
        ----------
        groups
            The members of each group with their gains.
        tasks
            Names and order of the tasks; by default in order of appearance.
        **attributes
            Any other field of the tensor.

        Raises
        ------
        DataError
            If a gain is no number, or an invariant is broken.
        UsageError
            If these are not groups, or a name is not among ``tasks``.
        """
        if isinstance(groups, Mapping):
            raise UsageError(
                "from_groups takes a list with one {task: gain} per group, not a mapping: the members name "
                "the group, so give list(groups.values())."
            )
        listed: list[dict[str, float]] = []
        for group in groups:
            if not isinstance(group, Mapping):
                raise UsageError(f"from_groups takes one {{task: gain}} per group, not {group!r:.60}.")
            listed.append(dict(group))
        names = tuple(dict.fromkeys(name for group in listed for name in group) if tasks is None else tasks)
        index = {name: column for column, name in enumerate(names)}
        membership = np.zeros((len(listed), len(names)), dtype=bool)
        values = np.full(membership.shape, np.nan)
        for row, group in enumerate(listed):
            for name, gain in group.items():
                if name not in index:
                    raise unknown_name("task", name, names)
                if not isinstance(gain, (int, float, np.number)):
                    raise DataError(f"Row {row + 1}, task {name!r}: the gain {gain!r:.60} is not a number.")
                membership[row, index[name]] = True
                values[row, index[name]] = gain
        return cls.from_dense(names, membership, values, **attributes)

    @property
    def n_tasks(self) -> int:
        """Number of tasks, N."""
        return len(self.tasks)

    @property
    def n_groups(self) -> int:
        """Number of groups, M."""
        return len(self.indptr) - 1

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Shape (M,): number of members of each group."""
        return np.diff(self.indptr)

    @cached_property
    def entry_rows(self) -> NDArray[np.int64]:
        """Shape (E,): the group of each entry."""
        return np.repeat(np.arange(self.n_groups), self.sizes)

    @cached_property
    def membership(self) -> NDArray[np.bool_]:
        """Shape (M, N): True where the task is a member."""
        dense = np.zeros((self.n_groups, self.n_tasks), dtype=bool)
        dense[self.entry_rows, self.members] = True
        dense.setflags(write=False)
        return dense

    @cached_property
    def gains(self) -> NDArray[np.float64]:
        """Shape (M, N): the values, NaN where the task is not a member."""
        return self.dense(self.values)

    @cached_property
    def uncovered(self) -> tuple[str, ...]:
        """The tasks that no group holds."""
        held = np.zeros(self.n_tasks, dtype=bool)
        for first, last in row_blocks(self.indptr):
            held[self.members[self.indptr[first] : self.indptr[last]]] = True
            if held.all():
                break
        return tuple(self.tasks[task] for task in np.flatnonzero(~held))

    @cached_property
    def packed(self) -> NDArray[np.uint64]:
        """Shape (M, ⌈N/64⌉): membership as bits, task t in bit t mod 64 of word t div 64."""
        return pack_rows(self.indptr, self.members, self.n_tasks)

    def dense(self, entries: NDArray[np.float64]) -> NDArray[np.float64]:
        """Spread one number per entry over an M×N matrix, NaN off the membership."""
        dense = np.full((self.n_groups, self.n_tasks), np.nan)
        dense[self.entry_rows, self.members] = entries
        dense.setflags(write=False)
        return dense

    def row(self, group: int) -> slice:
        """Return the slice of entries that belong to a group."""
        return slice(int(self.indptr[group]), int(self.indptr[group + 1]))

    def group(self, row: int) -> tuple[str, ...]:
        """Return the task names of a group."""
        names = self._names.get(row)
        if names is None:
            names = tuple(self.tasks[task] for task in self.members[self.row(row)].tolist())
            self._names[row] = names
        return names

    @cached_property
    def _names(self) -> dict[int, tuple[str, ...]]:
        return {}

    def label(self, row: int) -> str:
        """Return a name of a group: its tasks joined by ``|``."""
        return "|".join(self.group(row))

    @cached_property
    def row_keys(self) -> NDArray[np.uint64]:
        """Shape (M,): a hash of the members of each group, equal for equal groups."""
        return row_keys(self.indptr, self.members, self.n_tasks)

    @cached_property
    def rows_by_key(self) -> NDArray[np.int64]:
        """Shape (M,): the rows in ascending order of their hash, equal ones by row."""
        return np.argsort(self.row_keys, kind="stable")

    def find(self, group: Iterable[str]) -> tuple[int, ...]:
        """Return the rows whose members are exactly these tasks.

        Raises
        ------
        UsageError
            If a name is not a task of the tensor.
        """
        wanted = np.array(sorted({self.task_index(name) for name in group}), dtype=np.int32)
        if not len(wanted):
            return ()
        key = row_keys(np.array([0, len(wanted)]), wanted, self.n_tasks)
        first, last = (int(np.searchsorted(self.row_keys, key, side, self.rows_by_key)[0]) for side in _SIDES)
        rows = (int(row) for row in self.rows_by_key[first:last])
        return tuple(row for row in rows if np.array_equal(self.members[self.row(row)], wanted))

    def task_index(self, name: str) -> int:
        """Return the column of a task.

        Raises
        ------
        UsageError
            If there is no such task.
        """
        try:
            return self._columns[name]
        except KeyError:
            raise unknown_name("task", name, self.tasks) from None

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {name: column for column, name in enumerate(self.tasks)}

    def select(self, rows: ArrayLike) -> GainTensor:
        """Return the tensor of these rows, in this order.

        Parameters
        ----------
        rows
            Row indices, or a boolean mask of length M.
        """
        chosen = np.asarray(rows)
        chosen = np.flatnonzero(chosen) if chosen.dtype == bool else chosen.astype(np.int64)
        sizes = self.sizes[chosen]
        indptr = np.concatenate([[0], np.cumsum(sizes)])
        entries = np.repeat(self.indptr[chosen] - indptr[:-1], sizes) + np.arange(indptr[-1])
        return replace(
            self,
            indptr=_given_away(indptr),
            members=_given_away(self.members[entries]),
            values=_given_away(self.values[entries]),
            std=None if self.std is None else _given_away(self.std[entries]),
            cost=self.cost[chosen],
            measured=self.measured[chosen],
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 over tasks, groups, values, errors and costs."""
        hashed = hashlib.sha256("\x1f".join(self.tasks).encode())
        hashed.update(self.indptr.view(np.uint8).data)
        for first, last in row_blocks(self.indptr):
            members = self.members[self.indptr[first] : self.indptr[last]]
            hashed.update(members.astype(np.int64).view(np.uint8).data)
        for array in (self.values, self.std, self.cost, self.measured):
            hashed.update(b"-" if array is None else array.view(np.uint8).data)
        hashed.update(self.quantity.encode())
        return hashed.hexdigest()

    def to_frame(self) -> pandas.DataFrame:
        """Return the long table: one line per member entry, with group, task, gain, std, cost, measured."""
        import pandas

        labels = np.array([self.label(row) for row in range(self.n_groups)], dtype=object)
        rows = self.entry_rows
        columns: dict[str, Any] = {
            "group": labels[rows],
            "task": np.array(self.tasks, dtype=object)[self.members],
            self.quantity: self.values,
        }
        if self.std is not None:
            columns["std"] = self.std
        columns["cost"] = self.cost[rows]
        columns["measured"] = self.measured[rows]
        return pandas.DataFrame(columns)

    def to_xarray(self) -> xarray.Dataset:
        """Return a labelled dataset over the dimensions group and task.

        Raises
        ------
        UsageError
            If xarray is not installed.
        """
        try:
            import xarray
        except ModuleNotFoundError as error:
            raise UsageError("to_xarray() needs xarray: pip install xarray") from error
        data: dict[str, Any] = {
            self.quantity: (("group", "task"), self.gains),
            "cost": ("group", self.cost),
            "measured": ("group", self.measured),
        }
        if self.std is not None:
            data["std"] = (("group", "task"), self.dense(self.std))
        labels = [self.label(row) for row in range(self.n_groups)]
        return xarray.Dataset(
            data,
            coords={"group": labels, "task": list(self.tasks)},
            attrs={"source": self.source, "split": self.split, "provenance": self.provenance},
        )

    def __repr__(self) -> str:
        return (
            f"GainTensor({self.n_groups} groups × {self.n_tasks} tasks, {len(self.values)} entries, "
            f"{self.quantity}, source={self.source!r}, split={self.split!r})"
        )


def _narrow(members: ArrayLike) -> NDArray[Any]:
    """Return member indices, refused where they do not fit the type they are stored in."""
    given = np.asarray(members)
    limit = np.iinfo(np.int32).max
    if given.dtype != np.int32 and given.size and (given.min() < 0 or given.max() > limit):
        raise DataError("Member indices must lie between 0 and the number of tasks, less one.")
    return given


def _kept(given: ArrayLike, dtype: type) -> NDArray[Any]:
    """Return a read-only array: what is given, if nobody can write to it, else a copy."""
    if (
        isinstance(given, np.ndarray)
        and given.dtype == dtype
        and given.base is None
        and given.flags.c_contiguous
        and not given.flags.writeable
    ):
        return given
    return _given_away(np.array(given, dtype=dtype))


def _given_away(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array as read-only, so that a tensor takes it over without a copy."""
    array.setflags(write=False)
    return array
