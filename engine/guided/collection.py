"""The guided collection: ask, measure, tell, until the runs are spent or nothing more is to be won."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import UsageError
from engine.gains import GainTensor
from engine.guided.improvement import Improvement
from engine.guided.study import Study

Measure = Callable[[NDArray[np.bool_]], GainTensor]


@dataclass(frozen=True)
class GuidedProgress:
    """Where a guided collection stands.

    Attributes
    ----------
    measured, runs
        Groups of two or more tasks measured so far, and at most.
    latest
        Shape (m, N): what was measured last.
    promised
        The best mean source gain over tasks among measured groups, one number per budget of the study,
        None where a budget has no solution yet.
    improvement
        What more could be won, None where nobody asked.
    """

    measured: int
    runs: int
    latest: NDArray[np.bool_]
    promised: tuple[float | None, ...]
    improvement: Improvement | None


Observer = Callable[[GuidedProgress], None]


@dataclass(frozen=True)
class GuidedResult:
    """How a guided collection ended.

    Attributes
    ----------
    measured
        Groups of two or more tasks that are known.
    reason
        ``"runs"``: they are spent; ``"improvement"``: nothing more is to be won; ``"exhausted"``: every
        candidate is measured; ``"interrupted"``: by Ctrl-C.
    improvement
        The last bound on what could be won, None where nobody asked.
    """

    measured: int
    reason: str
    improvement: Improvement | None


def collect_guided(
    study: Study,
    measure: Measure,
    runs: int,
    *,
    batch: int = 1,
    stop_below: float | None = None,
    observers: Sequence[Observer] = (),
) -> GuidedResult:
    """Measure the groups that a study asks for.

    Parameters
    ----------
    study
        Knows what was measured before; those groups count as runs.
    measure
        Called with groups, shape (m, N), and returns their measured gains.
    runs
        Groups of two or more tasks to measure in all.
    batch
        Groups measured at once.
    stop_below
        Stop when no further measurement can be expected to improve the mean gain of the decisions by so
        much (a fraction), two standard errors of this bound included; None: never.
    observers
        Told after every batch.

    Raises
    ------
    UsageError
        If a number is out of range.
    """
    if runs < 1 or batch < 1:
        raise UsageError(f"Runs and batch are 1 or more, not {runs} and {batch}.")
    improvement: Improvement | None = None
    try:
        while study.measured < runs:
            groups = study.ask(min(batch, runs - study.measured))
            if not len(groups):
                return GuidedResult(study.measured, "exhausted", improvement)
            study.tell(measure(groups))
            if stop_below is not None and study.measured >= study.initial:
                improvement = study.improvement()
            promised = study.promised() if observers else ()
            for observer in observers:
                observer(GuidedProgress(study.measured, runs, groups, promised, improvement))
            if stop_below is not None and improvement is not None and improvement.below(stop_below):
                return GuidedResult(study.measured, "improvement", improvement)
    except KeyboardInterrupt:
        return GuidedResult(study.measured, "interrupted", improvement)
    return GuidedResult(study.measured, "runs", improvement)


def recorded(gains: GainTensor) -> Measure:
    """Return a measuring function that looks recorded gains up.

    Parameters
    ----------
    gains
        Measured gains; of several rows of one group the one of cost 1, the standard network.

    Raises
    ------
    UsageError
        When called with a group that is not recorded.
    """

    def look_up(groups: NDArray[np.bool_]) -> GainTensor:
        rows = []
        for group in groups:
            names = [gains.tasks[task] for task in np.flatnonzero(group)]
            found = sorted(gains.find(names), key=lambda row: (gains.cost[row] != 1, row))
            if not found:
                raise UsageError(f"The group {'|'.join(names)!r} is not recorded.")
            rows.append(found[0])
        return gains.select(rows)

    return look_up
