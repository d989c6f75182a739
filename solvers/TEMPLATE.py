"""A complete solver to copy: the best single group.

Copy this file to ``solvers/my_solver.py`` (or into a package of your own), rename the class, and add
one line to ``pyproject.toml``::

    [project.entry-points."taskgrouping.solvers"]
    my-solver = "solvers.my_solver:MySolver"

Then ``engine.solve(problem, "my-solver")`` finds it, and the conformance suite of
:mod:`engine.testing` tests it. Before that, ``engine.solve(problem, "solvers.my_solver:MySolver")``
works without any registration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine import Claim, Control, Feature, Problem, Solver, SolverInfo


@dataclass(frozen=True)
class BestSingleCover(Solver):
    """Return the group that alone serves every task best, if there is one.

    Attributes
    ----------
    limit
        Looks at so many candidates only; None for all. The fields of the class are the solver's
        options: ``engine.solve(problem, "my-solver", options={"limit": 10})``.
    """

    limit: int | None = None

    info: ClassVar[SolverInfo] = SolverInfo(
        summary="The best group that serves every task by itself",
        # True promises a proof, given time: the bound meets the value, infeasibility is recognised.
        exact=False,
        # What the solver takes into account. A problem that asks for more is refused by name, with
        # the solvers that can do it, so leave out what you do not handle.
        features=frozenset({Feature.SUM, Feature.WORST, Feature.OPENING, Feature.COST}),
        # Modules that solve() imports. Import them there, never at the top of the file.
        requires=(),
        reference="One model for all tasks: the usual baseline of multi-task learning.",
    )

    def solve(self, problem: Problem, control: Control) -> Claim:
        """Try each candidate by itself."""
        # The program holds the problem as arrays, always to be maximised. Its candidates 0…K−1 are
        # the groups that the constraints allow; program.rows maps them to rows of the tensor.
        program = problem.program
        for group in range(program.n_groups if self.limit is None else min(self.limit, program.n_groups)):
            # Ask often. The time limit and stop rules reach the solver only this way; Ctrl-C needs
            # nothing, the engine then returns the best grouping reported so far.
            if control.should_stop():
                break
            if program.cost[group] > program.max_cost:
                continue
            chosen = np.array([group])
            # −inf where a task is unserved.
            value = program.value(chosen)
            if value > control.value:
                # Observers see it, and it is kept even if the solver is interrupted.
                control.incumbent(program.rows[chosen], value)
        # The engine checks the grouping with code of its own. A bound is claimed only where it is
        # proven: Claim(rows, bound). No grouping found is Claim(None), which is no error.
        return control.claim()
