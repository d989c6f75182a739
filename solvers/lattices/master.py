"""The restricted master: the linear relaxation over the groups found so far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solvers.lattices.form import Floats, LatticeForm, Members, Prices

Ints = NDArray[np.int64]

TOLERANCE = 1e-9

PENALTY = 40.0
"""What a missing service costs, per task of the problem, in the unit of values."""


@dataclass(frozen=True)
class RelaxedMaster:
    """An optimum of the restricted master.

    Attributes
    ----------
    prices
        Its multipliers of serving and holding tasks.
    each
        The multiplier of the number of groups: what a group must be worth to be chosen.
    value
        The optimum.
    unserved
        How much service is missing, over all tasks.
    weights
        Shape (C,): how far each column is chosen.
    """

    prices: Prices
    each: float
    value: float
    unserved: float
    weights: Floats


class Master:
    """Columns are groups with the tasks they serve; HiGHS solves the linear program.

    Every task is served once, no task is held by more groups than allowed, the number of groups keeps
    within bounds, and every forced group is chosen once. What is missing is bought at a penalty.

    Parameters
    ----------
    form
        The program.
    scale
        How large values are. HiGHS, whose tolerances are absolute, is given values in this unit; a task that
        is not served costs more than anything that serving is worth.
    """

    def __init__(self, form: LatticeForm, scale: float) -> None:
        import highspy

        self.form, self.scale = form, scale
        self._model = highspy.Highs()
        self._model.setOptionValue("output_flag", False)
        self._model.setOptionValue("threads", 1)
        self._model.setOptionValue("random_seed", 0)
        self._model.setOptionValue("primal_feasibility_tolerance", TOLERANCE)
        self._model.setOptionValue("dual_feasibility_tolerance", TOLERANCE)
        self._model.changeObjectiveSense(highspy.ObjSense.kMaximize)
        infinite = highspy.kHighsInf
        count, forced = form.n_tasks, len(form.forced)
        most = form.limits.max_memberships
        self._held = most is not None and most > 1
        rows = [(1.0, 1.0)] * count
        if self._held:
            rows += [(-infinite, float(most or 0))] * count
        rows.append((max(0.0, float(form.limits.min_groups - forced)), float(form.max_groups - forced)))
        rows += [(1.0, 1.0)] * forced
        self._count_row = len(rows) - 1 - forced
        empty = np.zeros(0, dtype=np.int32)
        for lower, upper in rows:
            self._model.addRow(lower, upper, 0, empty, np.zeros(0))
        # Service that is missing, service that is too much, groups that are missing, memberships too many.
        slack_rows = np.concatenate([np.arange(count), np.arange(count), [self._count_row]])
        signs = np.concatenate([np.ones(count), -np.ones(count), [1.0]])
        if self._held:
            slack_rows = np.concatenate([slack_rows, count + np.arange(count)])
            signs = np.concatenate([signs, -np.ones(count)])
        self._slacks = len(slack_rows)
        penalty = np.full(self._slacks, -PENALTY * count)
        self._extend(penalty, np.arange(self._slacks), slack_rows, signs)

    def add(self, membership: Members, served: Members, values: Floats, forced: int | None = None) -> None:
        """Add columns.

        Parameters
        ----------
        membership, served
            Shape (k, N): the groups and the tasks they serve.
        values
            Shape (k,): total value of serving these.
        forced
            Which of the forced groups these are, None if they are others.
        """
        k = len(membership)
        parts = [served]
        if self._held:
            parts.append(membership)
        extra = np.zeros((k, 1 + len(self.form.forced)), dtype=bool)
        extra[:, 0 if forced is None else 1 + forced] = True
        table = np.concatenate([*parts, extra], axis=1)
        starts = np.cumsum(table.sum(axis=1)) - table.sum(axis=1)
        self._extend(values / self.scale, starts, np.nonzero(table)[1], None)

    def _extend(self, costs: Floats, starts: Ints, rows: Ints, entries: Floats | None) -> None:
        import highspy

        count = len(costs)
        if not count:
            return
        self._model.addCols(
            count,
            costs,
            np.zeros(count),
            np.full(count, highspy.kHighsInf),
            len(rows),
            starts.astype(np.int32),
            rows.astype(np.int32),
            np.ones(len(rows)) if entries is None else entries,
        )

    def solve(self) -> RelaxedMaster | None:
        """Return an optimum, None where HiGHS fails."""
        import highspy

        self._model.run()
        if self._model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        solution = self._model.getSolution()
        duals, values = self.scale * np.array(solution.row_dual), np.array(solution.col_value)
        count = self.form.n_tasks
        hold = np.maximum(duals[count : 2 * count], 0.0) if self._held else np.zeros(count)
        return RelaxedMaster(
            Prices(duals[:count], hold),
            float(duals[self._count_row]),
            self.scale * float(self._model.getInfo().objective_function_value),
            float(values[: self._slacks].sum()),
            values[self._slacks :],
        )
