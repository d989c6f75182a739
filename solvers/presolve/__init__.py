"""The presolve that every exact solver shares: primal, dual bound, fixing; see :func:`presolve`."""

from solvers.presolve.reduction import Presolved, presolve

__all__ = ["Presolved", "presolve"]
