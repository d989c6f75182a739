"""Fixtures that every test may use."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.optional import MISSING, SAID, listen, missing_extra

# Read when NumPy is imported: on a busy machine, threads that share small matrices wait for one another most
# of the time. The programs that tests start take it over.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

# How long an example takes says nothing where other work shares the machine.
settings.register_profile("any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any speed")

# A shell lets what it starts in the background ignore Ctrl-C, and so would the programs of the tests.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test downloads anything."""
    monkeypatch.setenv("ENGINE_OFFLINE", "1")


@pytest.fixture
def no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time limit ends a solver, so that what an example or a study finds is the same under any load."""
    from engine import Control

    begin = Control.__init__

    def patient(self: Any, *, time_limit: float | None = None, **given: Any) -> None:
        begin(self, **given)

    monkeypatch.setattr(Control, "__init__", patient)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder with the published data; tests that need it are skipped where there is none."""
    folder = os.environ.get("ENGINE_DATA")
    if not folder:
        pytest.skip("the published data are not here: ENGINE_DATA is not set")
    if not Path(folder).is_dir():
        pytest.skip(f"the published data are not here: ENGINE_DATA={folder} is no folder")
    return Path(folder)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """Skip a file, or a folder, whose imports need an extra that is not installed."""
    report = yield
    reason = missing_extra(str(report.longrepr)) if report.outcome == "failed" else ""
    if reason:
        report.outcome, report.longrepr = "skipped", (str(collector.path), 0, f"Skipped: {reason}")
    return report


def pytest_configure() -> None:
    """Keep what the engine says of libraries that are not installed."""
    listen()


def pytest_runtest_setup() -> None:
    """Forget what was said in the test before."""
    SAID.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Skip a test that failed for want of an extra that is not installed."""
    report = yield
    reason = missing_extra(str(report.longrepr)) if report.outcome == "failed" and MISSING else ""
    if reason:
        report.outcome, report.longrepr = "skipped", (str(item.path), 0, f"Skipped: {reason}")
    return report
