"""One objective of your own, three exact solvers, and all groups of a gain model.

Run it with ``python examples/custom_objective.py``.
"""

from __future__ import annotations

import numpy as np

import engine


class Revenue(engine.Objective):
    """What the gains earn: each task has its own revenue per point of gain."""

    revenue = {"cat": 1.0, "dog": 1.0, "car": 4.0, "bus": 2.0}  # noqa: RUF012

    def task_weights(self, tasks):
        return 100 * np.array([self.revenue[name] for name in tasks])

    def coefficients(self, gains):
        return engine.Coefficients(gains.gains * self.task_weights(gains.tasks))

    def describe(self):
        return "revenue"


def main() -> None:
    gains = engine.load_instance("toy4").gains()
    model = engine.make_gain_source("hoa", engine.Predictor).fit(gains)
    for budget in (1, 2, 3, 4):
        problem = engine.Problem(gains, Revenue(), [engine.Budget(budget)])
        for solver in ("branch-and-bound", "cpsat", "milp"):
            solution = engine.solve(problem, solver)
            print(f"budget {budget}  {solver:16}  {solution.status}  {solution.value:.2f}")
        lattice = engine.LatticeProblem(model, Revenue(), [engine.Budget(budget)])
        solution = engine.solve(lattice)
        print(f"budget {budget}  all {lattice.n_groups} groups     {solution.status}  {solution.value:.2f}")


if __name__ == "__main__":
    main()
