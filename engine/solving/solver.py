"""What a solver is."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from engine.errors import MissingDependencyError, UnsupportedError, UsageError, unknown_name
from engine.plugins import SOLVERS, missing_modules
from engine.problem.kinds import Feature, Kind
from engine.problem.lattice import LatticeProblem
from engine.problem.table import Problem
from engine.solving.claim import Claim
from engine.solving.control import Control


@dataclass(frozen=True)
class SolverInfo:
    """What a solver declares about itself.

    Attributes
    ----------
    summary
        One line.
    exact
        Whether it proves optimality, given time.
    features
        What it can express.
    kinds
        The kinds of problem it takes; tables of groups by default.
    requires
        Modules it imports when it runs.
    rank
        Order of preference when the engine chooses; lower first.
    reference
        Where the method comes from.
    """

    summary: str
    exact: bool
    features: frozenset[Feature]
    requires: tuple[str, ...] = ()
    rank: int = 100
    reference: str = ""
    kinds: frozenset[Kind] = frozenset({Kind.TABLE})

    def lacks(self, problem: Problem | LatticeProblem) -> list[str]:
        """Return what a problem asks for that is not declared, in words."""
        kind = [] if problem.kind in self.kinds else [str(problem.kind)]
        return kind + sorted(problem.features - self.features)


class Solver(ABC):
    """Base of all solvers. Subclasses are dataclasses: their fields are the solver's options.

    Native libraries are imported inside :meth:`solve`, never at module level, so that listing
    solvers stays cheap.
    """

    info: ClassVar[SolverInfo]

    @abstractmethod
    def solve(self, problem: Any, control: Control) -> Claim:
        """Solve a problem.

        Parameters
        ----------
        problem
            A :class:`~engine.Problem`, or a :class:`~engine.LatticeProblem` where the solver declares
            the features of one. Uses only declared features, and no single demand makes it infeasible.
        control
            Seed, threads, time and warm start; report incumbents and bounds to it.

        Returns
        -------
        Claim
            The best grouping found and what is proven.
        """


def solver_options(cls: type[Solver]) -> dict[str, Any]:
    """Return the options of a solver class with their defaults."""
    if not dataclasses.is_dataclass(cls):
        return {}
    return {
        one.name: one.default if one.default_factory is dataclasses.MISSING else one.default_factory()
        for one in dataclasses.fields(cls)
    }


def make_solver(solver: str | Solver, options: Mapping[str, Any] | None = None) -> tuple[str, Solver]:
    """Return a solver and the name it goes by.

    Parameters
    ----------
    solver
        A registered name, ``"module:Class"``, or a solver object.
    options
        Keyword arguments for the solver's class.

    Raises
    ------
    UsageError
        If the name or an option is unknown, or a library is missing.
    """
    if isinstance(solver, Solver):
        if options:
            raise UsageError("Give options either in the solver object or by name, not both.")
        return type(solver).__name__, solver
    cls = SOLVERS.load(solver)
    if not (isinstance(cls, type) and issubclass(cls, Solver)):
        raise UsageError(f"The solver {solver!r} is not a subclass of engine.Solver.")
    missing = missing_modules(cls.info.requires)
    if missing:
        raise MissingDependencyError(
            f"The solver {solver!r} needs {', '.join(missing)}, not installed here: "
            f"pip install {' '.join(missing)}"
        )
    known = solver_options(cls)
    for name in options or {}:
        if name not in known:
            raise unknown_name(f"option of solver {solver!r}:", name, known)
        _check_option(solver, name, (options or {})[name], known[name])
    try:
        return solver, cls(**(options or {}))
    except TypeError as error:
        raise UsageError(f"Solver {solver!r}: {error}") from error


def _check_option(solver: str, name: str, given: Any, default: Any) -> None:
    """Refuse an option that is of another kind than its default."""
    kinds: dict[type, tuple[type, ...]] = {bool: (bool,), int: (int,), float: (int, float), str: (str,)}
    allowed = kinds.get(type(default))
    if allowed is None:
        return
    if not isinstance(given, allowed) or (isinstance(given, bool) and type(default) is not bool):
        raise UsageError(
            f"Option {name!r} of solver {solver!r} must be like its default {default!r}, not {given!r}."
        )


def check_supported(name: str, solver: Solver, problem: Problem | LatticeProblem) -> None:
    """Refuse a problem that a solver cannot express, naming solvers that can.

    Raises
    ------
    UnsupportedError
        If a feature of the problem is not declared by the solver.
    """
    lacking = solver.info.lacks(problem)
    if not lacking:
        return
    able = [other for other, cls in SOLVERS.loaded() if not cls.info.lacks(problem)]
    raise UnsupportedError(
        f"The solver {name!r} does not support {', '.join(lacking)}. "
        f"Solvers that do: {', '.join(able) or 'none'}."
    )


def choose_solver(problem: Problem | LatticeProblem) -> str:
    """Return the preferred installed solver for a problem: one that proves optimality if any does."""
    able = []
    for name, cls in SOLVERS.loaded():
        if not cls.info.lacks(problem) and not missing_modules(cls.info.requires):
            able.append((not cls.info.exact, cls.info.rank, name))
    if not able:
        raise UnsupportedError(
            f"No installed solver supports {', '.join(sorted(problem.features))} over {problem.kind}."
        )
    return min(able)[2]
