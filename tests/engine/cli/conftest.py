from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner, Result

from engine import GainTensor
from engine.cli.app import main
from engine.plugins import INSTANCES, SOLVERS
from tests.engine import fakes


class AtOnce(fakes.Singles):
    """Behave as if Ctrl-C were pressed at once."""

    def solve(self, problem, control):
        """Interrupt."""
        raise KeyboardInterrupt


SOLVER_NAMES = {
    "singles": fakes.Singles,
    "liar": fakes.Liar,
    "cheat": fakes.Cheat,
    "nothing": fakes.Nothing,
    "crash": fakes.Crash,
    "interrupted": fakes.Interrupted,
    "at-once": AtOnce,
    "narrow": fakes.Narrow,
    "lacking": fakes.Lacking,
}


class Noted(fakes.Toy):
    """An instance with a note."""

    info = replace(fakes.Toy.info, note="The splits are not at all alike.")


class HalfJudged(fakes.Toy):
    """An instance whose evaluation gains of the groups with c are predictions."""

    def recorded(self, source: str, split: str) -> GainTensor:
        """Return random gains."""
        found = super().recorded(source, split)
        return replace(found, measured=~found.membership[:, 2] | (split != "test"))


class TwoCosts(fakes.Toy):
    """Every group at cost 1 and, predicted on the evaluation split, at cost ½."""

    def recorded(self, source: str, split: str) -> GainTensor:
        """Return random gains."""
        found = super().recorded(source, split)
        both = np.vstack([found.membership] * 2)
        cost = np.repeat([1.0, 0.5], found.n_groups)
        measured = (cost == 1) | (split != "test")
        values = np.vstack([found.gains] * 2)
        return GainTensor.from_dense(
            found.tasks, both, values, cost=cost, measured=measured, split=split, source=source
        )


INSTANCE_NAMES = {
    "fake": Noted,
    "fake-loss": fakes.ToyLoss,
    "faulty": fakes.Faulty,
    "half-judged": HalfJudged,
    "two-costs": TwoCosts,
}

Engine = Callable[..., Result]


@pytest.fixture(autouse=True)
def _fakes() -> Iterator[None]:
    for registry, names in ((SOLVERS, SOLVER_NAMES), (INSTANCES, INSTANCE_NAMES)):
        for name, target in names.items():
            registry.register(name, target)
    yield
    for registry, names in ((SOLVERS, SOLVER_NAMES), (INSTANCES, INSTANCE_NAMES)):
        for name in names:
            registry.unregister(name)


@pytest.fixture
def engine() -> Engine:
    """Run the command line in process."""

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, [str(one) for one in arguments], prog_name="engine")

    return run
