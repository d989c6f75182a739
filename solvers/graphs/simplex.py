"""The linear relaxation with triangle inequalities added as they are violated, solved by HiGHS."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.arrays import power_of_two
from solvers.graphs.form import Bools, Floats, Graph, Ints
from solvers.graphs.pairs import Pairs
from solvers.graphs.relaxation import RelaxedGraph
from solvers.graphs.rows import Rows, demand_rows, dual_bound, representative_rows
from solvers.graphs.spanning import violated_trees

VIOLATED = 1e-6


class Simplex:
    """The relaxation of one graph of some dozen nodes at most.

    Triangles whose two centre pairs both weigh less than 0 come last: where no demand matters, they
    cut off nothing (Dinh and Thai, 2015; Miyauchi, Sonobe and Sukegawa, 2018).

    Parameters
    ----------
    graph, pairs
        What to bound.
    """

    def __init__(self, graph: Graph, pairs: Pairs) -> None:
        import highspy

        self.pairs = pairs
        self.fewest = graph.min_groups
        counted = graph.max_groups < graph.n or graph.min_groups > 1
        self.extra = graph.n if counted else 0
        rows = demand_rows(graph, pairs) + (representative_rows(graph, pairs) if counted else [])
        self.rows = Rows.of(rows)
        self.objective = np.concatenate([pairs.vector(graph.weights), np.zeros(self.extra)])
        # The tolerances of HiGHS are absolute: it is given weights in a unit of their magnitude.
        self.unit = power_of_two(float(np.abs(graph.weights).max()) or 1.0)
        self.positive: Bools = graph.weights >= 0
        self.known: set[int] = set()
        self.highs = highspy.Highs()
        for name, value in (("output_flag", False), ("presolve", "off"), ("threads", 1)):
            self.highs.setOptionValue(name, value)
        model = highspy.HighsLp()
        columns = len(self.objective)
        model.num_col_, model.num_row_ = columns, 0
        model.col_cost_ = -self.objective / self.unit
        model.col_lower_, model.col_upper_ = np.zeros(columns), np.ones(columns)
        model.a_matrix_.start_ = np.zeros(columns + 1, dtype=np.int32)
        self.highs.passModel(model)
        self._add(self.rows)

    def solve(
        self,
        state: object,
        lower: Floats,
        upper: Floats,
        target: float,
        told: Callable[[float, Floats], bool],
    ) -> RelaxedGraph:
        """Bound a part; see :class:`~solvers.graphs.relaxation.Relaxation`."""
        columns = len(self.objective)
        lower = np.concatenate([lower, np.zeros(self.extra)])
        upper = np.concatenate([upper, np.ones(self.extra)])
        self.highs.changeColsBounds(columns, np.arange(columns, dtype=np.int32), lower, upper)
        best, reduced = np.inf, np.zeros(columns)
        x = np.clip(np.zeros(columns), lower, upper)
        m = self.pairs.m
        while True:
            self.highs.run()
            if self.highs.getModelStatus().name == "kInfeasible":
                if self._refuted(lower, upper):
                    return RelaxedGraph(-np.inf, x[:m], reduced[:m], None)
                break
            solution = self.highs.getSolution()
            if not (solution.value_valid and solution.dual_valid):
                break
            multipliers = self.unit * np.maximum(-np.array(solution.row_dual), 0.0)
            bound, fresh = dual_bound(self.objective, self.rows, multipliers, lower, upper)
            if bound < best:
                best, reduced = bound, fresh
            x = np.clip(np.array(solution.col_value), lower, upper)
            if best <= target or told(best, x[:m]):
                break
            found = self._violated(x[:m])
            if self.fewest > 1:
                trees = violated_trees(self.pairs, self.pairs.matrix(x[:m], 1.0), self.fewest, VIOLATED)
                found = found.join(trees)
            if not len(found):
                break
            self.rows = self.rows.join(found)
            self._add(found)
        return RelaxedGraph(best, x[:m], reduced[:m], None)

    def _add(self, rows: Rows) -> None:
        if len(rows):
            self.highs.addRows(
                len(rows),
                np.full(len(rows), -np.inf),
                rows.limits,
                len(rows.columns),
                rows.indptr[:-1].astype(np.int32),
                rows.columns.astype(np.int32),
                rows.coefficients,
            )

    def _refuted(self, lower: Floats, upper: Floats) -> bool:
        """Whether the ray that HiGHS gives proves that nothing lies within rows and bounds."""
        _, exists, ray = self.highs.getDualRay()
        if not exists:
            return False
        for sign in (1.0, -1.0):
            multipliers = np.maximum(sign * np.array(ray), 0.0)
            bound, _ = dual_bound(np.zeros(len(lower)), self.rows, multipliers, lower, upper)
            if bound < 0:
                return True
        return False

    def _violated(self, values: Floats) -> Rows:
        """Return violated triangles, the most violated first, few for each pair."""
        x = self.pairs.matrix(values, 1.0)
        for only_positive in (True, False):
            corners, amount = self._triangles(x, only_positive)
            if len(corners):
                break
        order = np.argsort(-amount, kind="stable")
        rows = Rows.triangles(self.pairs, corners[order])
        crowd = np.zeros(self.pairs.m, dtype=np.int64)
        keep = np.zeros(len(rows), dtype=bool)
        for row, columns in enumerate(rows.columns.reshape(-1, 3)):
            if crowd[columns].max(initial=0) < 3:
                keep[row] = True
                crowd[columns] += 1
        return rows.select(keep)

    def _triangles(self, x: Floats, only_positive: bool) -> tuple[Ints, Floats]:
        found, amounts = [np.zeros((0, 3), dtype=np.int64)], [np.zeros(0)]
        for centre in range(self.pairs.n):
            near = x[centre]
            violation = near[:, None] + near[None, :] - x - 1.0
            violation[centre, :] = violation[:, centre] = 0.0
            if only_positive:
                helps = self.positive[centre]
                violation[~(helps[:, None] | helps[None, :])] = 0.0
            one, other = np.nonzero(np.triu(violation, 1) > VIOLATED)
            found.append(np.stack([one, other, np.full(len(one), centre)], axis=1))
            amounts.append(violation[one, other])
        return np.concatenate(found), np.concatenate(amounts)
