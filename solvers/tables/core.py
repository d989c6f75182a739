"""What a solver that proves the core shares with its like: presolve before, the certificate after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.problem.program import Program
from engine.solving.certificate import Termination
from engine.solving.claim import Claim
from engine.solving.control import Control
from solvers.tables.partition_annealing import refined
from solvers.tables.presolve import Presolved, presolve


@dataclass(frozen=True)
class Core:
    """A program with what the presolve found; without presolve, the whole program and nothing.

    Attributes
    ----------
    whole
        The program of the problem.
    reduced
        What the presolve found, None where it was not asked for.
    """

    whole: Program
    reduced: Presolved | None

    @classmethod
    def of(cls, program: Program, control: Control) -> Core:
        """Presolve a program, if the control allows."""
        if not control.presolve:
            return cls(program, None)
        with control.stage("presolve"):
            reduced = presolve(program, control)
        return cls(
            program, refined(program, reduced, control, lambda start: presolve(program, control, start=start))
        )

    @property
    def program(self) -> Program:
        """The program that is left to prove."""
        return self.whole if self.reduced is None else self.reduced.core

    @property
    def known(self) -> Presolved | None:
        """What the presolve found, None unless that includes a grouping."""
        return None if self.reduced is None or self.reduced.chosen is None else self.reduced

    def tighten(self, control: Control, bound: float) -> None:
        """Report a bound on the core as one on the whole program.

        What the presolve removed cannot beat the best known value by more than the tolerance.
        """
        if self.known is not None:
            value = self.known.value
            removed = value if self.whole.grid else self.whole.strictly_better(value)
            bound = max(bound, removed) if np.isfinite(bound) else self.known.bound
        if np.isfinite(bound):
            control.tighten(max(bound, control.value))

    def claim(
        self, control: Control, *, bound: float, infeasible: bool, finished: bool, details: dict[str, Any]
    ) -> Claim:
        """Return what a run on the core amounts to.

        Parameters
        ----------
        control
            Holds the best grouping.
        bound
            Proven upper bound on the core, infinite where nothing is proven.
        infeasible
            Whether the run found that the core has no grouping.
        finished
            Whether it came to its end, so that only arithmetic can have left a gap.
        details
            What to tell beyond that.
        """
        if infeasible and self.known is None:
            return Claim(None, infeasible=True, details=details)
        self.tighten(control, bound)
        return control.claim(Termination.TOLERANCE if finished else Termination.COMPLETED, details)
