from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from engine.cli.main import main
from engine.plugins import INSTANCES, SOLVERS
from tests.engine import fakes

SOLVER_NAMES = {
    "singles": fakes.Singles,
    "liar": fakes.Liar,
    "cheat": fakes.Cheat,
    "nothing": fakes.Nothing,
    "crash": fakes.Crash,
    "interrupted": fakes.Interrupted,
    "narrow": fakes.Narrow,
    "lacking": fakes.Lacking,
}
INSTANCE_NAMES = {"fake": fakes.Toy, "fake-loss": fakes.ToyLoss, "faulty": fakes.Faulty}

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
