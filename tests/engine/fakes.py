"""Small instances and ill-behaved solvers for the tests of the command line and the comparison."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from engine import (
    CatalogueInstance,
    Coefficients,
    Feature,
    GainTensor,
    InstanceInfo,
    Objective,
    Outcome,
    Provenance,
    Solver,
    SolverInfo,
    all_groups,
)

TASKS = ("a", "b", "c", "d")
BUDGETS = (1.0, 2.0, 3.0, 4.0)


def gains(
    seed: int = 0, *, split: str = "valid", measured: bool = True, source: str = "measured"
) -> GainTensor:
    """Return random gains on all 15 groups of 4 tasks, single-task groups at 0."""
    membership = all_groups(4)
    values = np.round(np.random.default_rng(seed).normal(0.02, 0.05, membership.shape), 3)
    values[membership.sum(axis=1) == 1] = 0.0
    return GainTensor.from_dense(
        TASKS,
        membership,
        np.where(membership, values, np.nan),
        measured=np.full(len(membership), measured),
        split=split,
        source=source,
        provenance=Provenance("made up"),
    )


class Toy(CatalogueInstance):
    """Four tasks, measured and guessed gains, two splits."""

    info = InstanceInfo(
        summary="a fake",
        tasks=TASKS,
        n_groups=15,
        sources=("measured", "guess"),
        source_split="valid",
        evaluation_split="test",
        budgets=BUDGETS,
        default_budget=2.0,
        origin="nowhere, made up",
    )

    def recorded(self, source: str, split: str) -> GainTensor:
        """Return random gains."""
        if source == "guess":
            return gains(5, split=split, measured=False, source="guess")
        return gains(0 if split == "valid" else 1, split=split)


class ToyLoss(CatalogueInstance):
    """Losses, half-cost single-task groups, one split."""

    info = InstanceInfo(
        summary="a fake of losses",
        tasks=TASKS,
        n_groups=15,
        source_split="all",
        budgets=(1.0, 1.5, 2.0),
        default_budget=1.5,
        quantity="loss",
    )

    def recorded(self, source: str, split: str) -> GainTensor:
        """Return random losses."""
        given = gains(3)
        cost = np.where(given.sizes == 1, 0.5, 1.0)
        return GainTensor(
            TASKS, given.indptr, given.members, 1 - given.values, cost=cost, quantity="loss", split="all"
        )


class Faulty(CatalogueInstance):
    """Breaks with an error that is not ours."""

    info = Toy.info

    def recorded(self, source: str, split: str) -> GainTensor:
        """Fail."""
        raise ZeroDivisionError("something\nodd")


def _info(**given: object) -> SolverInfo:
    return SolverInfo("a fake", exact=False, features=frozenset(Feature), **given)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Singles(Solver):
    """Return the group of all tasks, without a bound."""

    depth: int = 1
    mode: str = "plain"
    strict: bool = False

    info: ClassVar[SolverInfo] = _info()

    def solve(self, problem, control):
        """Find the largest group."""
        row = int(np.argmax(problem.gains.sizes))
        control.incumbent([row], -1e9)
        return Outcome(np.array([row]))


@dataclass(frozen=True)
class Liar(Singles):
    """Claim that the group of all tasks is optimal."""

    def solve(self, problem, control):
        """Claim the value as bound."""
        row = int(np.argmax(problem.gains.sizes))
        return Outcome(np.array([row]), bound=float(problem.gains.values[problem.gains.row(row)].sum()))


@dataclass(frozen=True)
class Cheat(Singles):
    """Claim a bound below its own value."""

    def solve(self, problem, control):
        """Return what the referee must refute."""
        return Outcome(np.array([int(np.argmax(problem.gains.sizes))]), bound=-10.0)


@dataclass(frozen=True)
class Nothing(Singles):
    """Find nothing."""

    def solve(self, problem, control):
        """Return no grouping."""
        return Outcome(None)


@dataclass(frozen=True)
class Crash(Singles):
    """Raise."""

    def solve(self, problem, control):
        """Fail."""
        raise RuntimeError("boom")


@dataclass(frozen=True)
class Interrupted(Singles):
    """Behave as if Ctrl-C were pressed once an incumbent is known."""

    def solve(self, problem, control):
        """Interrupt."""
        row = int(np.argmax(problem.gains.sizes))
        control.incumbent([row], 0.0)
        raise KeyboardInterrupt


@dataclass(frozen=True)
class Slow(Singles):
    """Report an incumbent, leave a mark, and sleep."""

    def solve(self, problem, control):
        """Sleep until interrupted or killed."""
        control.incumbent([int(np.argmax(problem.gains.sizes))], 0.0)
        Path("solving").touch()
        while not control.should_stop():
            time.sleep(0.01)
        return Outcome(control.rows, termination=control.termination())


@dataclass(frozen=True)
class Narrow(Singles):
    """Express sums only."""

    info: ClassVar[SolverInfo] = SolverInfo("narrow", exact=False, features=frozenset({Feature.COST}))


@dataclass(frozen=True)
class Lacking(Singles):
    """Need a library that nobody has."""

    info: ClassVar[SolverInfo] = _info(requires=("no_such_library",))


class Cubes(Objective):
    """A user's own objective."""

    def coefficients(self, gains: GainTensor) -> Coefficients:
        """Cube the gains."""
        return Coefficients(gains.values**3)
