"""The presolve that every exact solver shares: primal, dual bound, fixing."""

from solvers.tables.presolve.reduction import Presolved, presolve

__all__ = ["Presolved", "presolve"]
