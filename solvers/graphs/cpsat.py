"""CP-SAT on pairs: transitivity added where a solution lacks it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.problem.lattice import LatticeProblem
from engine.solving.certificate import Termination
from engine.solving.claim import Claim
from engine.solving.control import Control
from solvers.graphs.form import Floats, Graph, Ints
from solvers.graphs.heuristics import opened
from solvers.graphs.pairs import Pairs
from solvers.graphs.rows import Row, demand_rows, representative_rows
from solvers.graphs.search import Search
from solvers.graphs.threads import one_thread

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

LARGEST = 2.0**40
"""The sum of all integers in the objective or in a row stays below this, which OR-Tools handles right."""

RESTARTS = 5


def solve_graph(problem: LatticeProblem, control: Control, workers: int) -> Claim:
    """Solve a graph problem by a sequence of models, each with the triangles that the last one lacked.

    Without all triangles a model's optimum is a bound. Weights become integers rounded up, so that
    the bound holds; its optimum is a partition's value up to that rounding.

    Parameters
    ----------
    problem, control
        What to solve, and whom to tell.
    workers
        Parallel searches.
    """
    graph = opened(problem, control)
    if isinstance(graph, Claim):
        return graph
    search = Search(graph, control, np.random.default_rng(control.seed), compiled=False)
    with control.stage("local search"), one_thread():
        starts = [graph.labels(control.warm_start)] if len(control.warm_start) else []
        search.run(RESTARTS, [*starts, np.arange(graph.n)])
    with control.importing():
        from ortools.sat.python import cp_model  # noqa: F401
    with control.stage("search"):
        return _Models(graph, search, control, workers).run()


class _Models:
    """The model, growing from round to round."""

    def __init__(self, graph: Graph, search: Search, control: Control, workers: int) -> None:
        from ortools.sat.python import cp_model

        self.graph = graph
        self.search = search
        self.control = control
        self.workers = workers
        self.pairs = Pairs(graph.n)
        weights = self.pairs.vector(graph.weights)
        self.scale, exact = _scale(weights)
        steps = weights * self.scale
        self.weights: Ints = (np.round(steps) if exact else np.ceil(steps)).astype(np.int64)
        lost = float(np.maximum(steps - self.weights, 0.0).sum()) / self.scale
        self.rounding = graph.base + graph.rounding() + lost
        self.model = cp_model.CpModel()
        counted = graph.max_groups < graph.n or graph.min_groups > 1
        names = [f"x{pair}" for pair in range(self.pairs.m + (graph.n if counted else 0))]
        self.x = [self.model.new_bool_var(name) for name in names]
        rows = demand_rows(graph, self.pairs) + (representative_rows(graph, self.pairs) if counted else [])
        for row in rows:
            self._add(row)
        for pair in np.flatnonzero(self.pairs.vector(graph.apart.astype(np.float64))):
            self.model.add(self.x[pair] == 0)
        self.model.maximize(cp_model.LinearExpr.weighted_sum(self.x[: self.pairs.m], self.weights.tolist()))

    def run(self) -> Claim:
        """Solve, add what the solution lacks, and solve again until it is a partition."""
        rounds, triangles = 0, 0
        while not self.control.should_stop():
            solver = self._solver()
            status = self._solve(solver)
            rounds += 1
            details = {"rounds": rounds, "triangles": triangles, "cpsat_status": status}
            if status == "INFEASIBLE":
                if self.control.rows is None:
                    return Claim(None, infeasible=True, details=details)
                return self.control.claim(Termination.TOLERANCE, details)
            if status not in ("OPTIMAL", "FEASIBLE"):
                break
            self._on_bound(solver.best_objective_bound)
            values = np.array([solver.boolean_value(one) for one in self.x[: self.pairs.m]])
            matrix = self.pairs.matrix(values.astype(np.float64), 1.0)
            labels = (matrix > 0.5).argmax(axis=1)
            self.search.descend(labels)
            corners = _open_triangles(matrix)
            if len(corners):
                triangles += self._close(corners)
                continue
            if status != "OPTIMAL":
                break
            if self.graph.feasible(labels):
                self.search.report(labels)
                return self.control.claim(Termination.TOLERANCE, details)
            # What rounding let through: this very partition is ruled out.
            signs = np.where(values, 1, -1)
            terms = [int(sign) * one for sign, one in zip(signs, self.x, strict=False)]
            self.model.add(sum(terms) <= int(values.sum()) - 1)
        details = {"rounds": rounds, "triangles": triangles}
        return self.control.claim(details=details)

    def _add(self, row: Row) -> None:
        """Add a row in integers, weakened by what rounding may take."""
        from ortools.sat.python import cp_model

        columns, coefficients, limit = row
        whole = np.array_equal(coefficients, np.round(coefficients))
        scale = 1.0 if whole else _scale(np.append(coefficients, limit))[0]
        # Rounded down, coefficients of variables ≥ 0 only weaken an inequality of this kind.
        terms = np.floor(coefficients * scale).astype(np.int64)
        expression = cp_model.LinearExpr.weighted_sum([self.x[one] for one in columns], terms.tolist())
        self.model.add(expression <= int(np.floor(limit * scale + 1e-9)))

    def _close(self, corners: Ints) -> int:
        for one, other, centre in corners:
            pairs = self.pairs.number[[one, centre, one], [centre, other, other]]
            first, second, third = (self.x[pair] for pair in pairs)
            self.model.add_bool_or(first.negated(), second.negated(), third)
        return len(corners)

    def _solver(self) -> cp_model.CpSolver:
        from ortools.sat.python import cp_model

        solver = cp_model.CpSolver()
        parameters = solver.parameters
        parameters.num_workers = self.workers
        parameters.random_seed = self.control.seed % (2**31)
        parameters.catch_sigint_signal = False
        # With this step, OR-Tools 9.15 cuts off optima where rows have large coefficients.
        parameters.presolve_inclusion_work_limit = 0
        parameters.relative_gap_limit = 0.0
        parameters.absolute_gap_limit = 0.0
        if np.isfinite(self.control.remaining()):
            parameters.max_time_in_seconds = max(self.control.remaining(), 1e-3)
        return solver

    def _solve(self, solver: cp_model.CpSolver) -> str:
        """Run CP-SAT in a thread of its own, so that an interrupt reaches us at once."""
        if self.search.labels is not None:
            self._hint(self.search.labels)
        solver.best_bound_callback = self._stopping(solver)
        found: list[Any] = []

        def work() -> None:
            try:
                found.append(solver.status_name(solver.solve(self.model)))
            except BaseException as error:
                found.append(error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        try:
            while thread.is_alive():
                thread.join(0.2)
                if self.control.should_stop():
                    solver.stop_search()
        except KeyboardInterrupt:
            solver.stop_search()
            thread.join(5.0)
            raise
        if isinstance(found[0], BaseException):
            raise found[0]
        return str(found[0])

    def _stopping(self, solver: cp_model.CpSolver) -> Callable[[float], None]:
        def tell(bound: float) -> None:
            self._on_bound(bound)
            if self.control.should_stop():
                solver.stop_search()

        return tell

    def _hint(self, labels: Ints) -> None:
        self.model.clear_hints()  # type: ignore[no-untyped-call]
        same = labels[self.pairs.first] == labels[self.pairs.second]
        for one, held in zip(self.x, same.tolist(), strict=False):
            self.model.add_hint(one, held)

    def _on_bound(self, bound: float) -> None:
        proven = np.floor(bound + 1e-6) / self.scale + self.rounding
        if self.search.labels is not None:
            proven = max(proven, self.search.value)
        self.control.tighten(proven)


def _scale(numbers: Floats) -> tuple[float, bool]:
    """Return a factor that makes integers of these numbers, and whether it does so up to rounding."""
    total = float(np.abs(numbers).sum())
    if not total:
        return 1.0, True
    for digits in range(13):
        steps = numbers * 2 * 10.0**digits
        if np.abs(steps).sum() > LARGEST:
            break
        if np.abs(steps - np.round(steps)).max() < min(1e-9, 1e-12 * np.abs(steps).max()):
            return 2 * 10.0**digits, True
    return float(2.0 ** np.floor(np.log2(LARGEST / total))), False


def _open_triangles(matrix: Floats) -> Ints:
    """Return corners i, k and centre j with i~j and j~k but not i~k, shape (r, 3)."""
    found = [np.zeros((0, 3), dtype=np.int64)]
    for centre in range(len(matrix)):
        near = np.flatnonzero((matrix[centre] > 0.5) & (np.arange(len(matrix)) != centre))
        one, other = np.nonzero(np.triu(matrix[np.ix_(near, near)] < 0.5, 1))
        found.append(np.stack([near[one], near[other], np.full(len(one), centre)], axis=1))
    return np.concatenate(found)
