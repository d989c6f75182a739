"""The gain tensor: what every task gains in every group that is known."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.arrays import given_away, read_only
from engine.errors import DataError, UsageError, unknown_name
from engine.gains.bits import row_blocks
from engine.gains.checks import check_baseline, check_distinct, check_rows, check_values
from engine.gains.groups import Groups
from engine.gains.provenance import UNKNOWN, Provenance
from engine.gains.row_index import RowIndex

if TYPE_CHECKING:
    import pandas
    import xarray

Quantity = Literal["gain", "loss"]


@dataclass(frozen=True, eq=False)
class GainTensor(Groups):
    """M groups × N tasks: a value where the task is a member of the group, nothing elsewhere.

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
        Where the values come from: the gain source, the data split, and more of it; text is taken as the
        text of a provenance.

    Raises
    ------
    DataError
        If an invariant is broken; the message names row and task.
    """

    values: NDArray[np.float64]
    std: NDArray[np.float64] | None = None
    cost: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    measured: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, dtype=np.bool_))
    quantity: Quantity = "gain"
    single_task_baseline: bool = True
    source: str = "measured"
    split: str = ""
    provenance: Provenance = UNKNOWN

    def __post_init__(self) -> None:
        super().__post_init__()
        count = self.n_groups
        object.__setattr__(self, "values", read_only(self.values, np.float64))
        if self.std is not None:
            object.__setattr__(self, "std", read_only(self.std, np.float64))
        cost, measured = (given if len(given) else np.ones(count) for given in (self.cost, self.measured))
        object.__setattr__(self, "cost", read_only(cost, np.float64))
        object.__setattr__(self, "measured", read_only(measured, np.bool_))
        if isinstance(self.provenance, str):
            object.__setattr__(self, "provenance", Provenance(self.provenance))
        if self.quantity not in ("gain", "loss"):
            raise DataError(f"Quantity {self.quantity!r} must be 'gain' or 'loss'.")
        check_values(self, self.values, self.std, self.quantity)
        check_rows(self, self.cost, self.measured)
        check_distinct(self, self.index)
        if self.quantity == "gain" and self.single_task_baseline:
            check_baseline(self, self.values)

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

    @cached_property
    def index(self) -> RowIndex:
        """Which rows hold a group, and which of several rows stands for it."""
        return RowIndex(self.indptr, self.members, self.n_tasks, self.cost, self.measured)

    def rows_of(self, membership: NDArray[np.bool_], cost: ArrayLike | None = None) -> NDArray[np.int64]:
        """Return the row that stands for each of these groups, shape (m,); −1 where there is none.

        Of several rows of one group a measured one stands for it before a predicted one, then the one whose
        cost is nearest to 1, the standard network, then the cheaper one, then the first.

        Parameters
        ----------
        membership
            Shape (m, N).
        cost
            Shape (m,): the row at this cost is meant instead.

        Raises
        ------
        DataError
            If the shape is wrong.
        """
        return self.index.rows_of(membership, None if cost is None else np.asarray(cost, dtype=np.float64))

    def find(self, group: Iterable[str]) -> tuple[int, ...]:
        """Return the rows whose members are exactly these tasks, the one that stands for them first.

        Raises
        ------
        UsageError
            If a name is not a task of the tensor.
        """
        members = sorted({self.task_index(name) for name in group})
        return self.index.rows_with(np.array(members, dtype=np.int32))

    @property
    def standing_rows(self) -> NDArray[np.int64]:
        """Shape (D,): the rows that stand for their group, ascending; of every distinct group one."""
        return self.index.standing_rows

    @property
    def known_rows(self) -> NDArray[np.int64]:
        """Shape (K,): the rows to learn from: the standing ones, only measured ones if there are any."""
        rows = self.standing_rows
        return rows[self.measured[rows]] if self.measured.any() else rows

    @cached_property
    def gains(self) -> NDArray[np.float64]:
        """Shape (M, N): the values, NaN where the task is not a member."""
        return self.dense(self.values)

    def dense(self, entries: NDArray[np.float64]) -> NDArray[np.float64]:
        """Spread one number per entry over an M×N matrix, NaN off the membership."""
        dense = np.full((self.n_groups, self.n_tasks), np.nan)
        dense[self.entry_rows, self.members] = entries
        dense.setflags(write=False)
        return dense

    def select(self, rows: ArrayLike) -> GainTensor:
        """Return the tensor of these rows, in this order.

        Parameters
        ----------
        rows
            Row indices, or a boolean mask of length M.
        """
        chosen = np.asarray(rows)
        chosen = np.flatnonzero(chosen) if chosen.dtype == bool else chosen.astype(np.int64)
        indptr, entries = self.entries_of(chosen)
        return replace(
            self,
            indptr=given_away(indptr),
            members=given_away(self.members[entries]),
            values=given_away(self.values[entries]),
            std=None if self.std is None else given_away(self.std[entries]),
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
            attrs={"source": self.source, "split": self.split, "provenance": str(self.provenance)},
        )

    def __repr__(self) -> str:
        return (
            f"GainTensor({self.n_groups} groups × {self.n_tasks} tasks, {len(self.values)} entries, "
            f"{self.quantity}, source={self.source!r}, split={self.split!r})"
        )
