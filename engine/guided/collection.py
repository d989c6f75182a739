"""The guided collection: ask, measure, tell, until the runs are spent or nothing more is to be won."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import UsageError
from engine.gains.tensor import GainTensor, Quantity
from engine.guided.improvement import Improvement
from engine.guided.study import Study

Measure = Callable[[NDArray[np.bool_]], GainTensor | None]


@dataclass(frozen=True, kw_only=True)
class GuidedProgress:
    """Where a guided collection stands.

    Attributes
    ----------
    measured, runs
        Groups of two or more tasks measured so far, and at most.
    latest
        Shape (m, N): what was measured last.
    promised
        The best mean source value over tasks among measured groups, one number per budget of the study,
        None where a budget has no solution yet.
    improvement
        What more could be won, None where nobody asked.
    quantity
        What the values are: ``"gain"`` or ``"loss"``.
    """

    measured: int
    runs: int
    latest: NDArray[np.bool_]
    promised: tuple[float | None, ...]
    improvement: Improvement | None
    quantity: Quantity = "gain"


GuidedObserver = Callable[[GuidedProgress], None]


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
    observers: Sequence[GuidedObserver] = (),
) -> GuidedResult:
    """Measure the groups that a study asks for.

    Parameters
    ----------
    study
        Knows what was measured before; those groups count as runs.
    measure
        Called with groups, shape (m, N), and returns their measured gains. A group that is not among
        them, because its training diverged for instance, counts as a run and is not asked for again;
        None: there are no gains of any.
    runs
        Groups of two or more tasks to measure in all.
    batch
        Groups measured at once.
    stop_below
        Stop when no further measurement can be expected to improve the mean gain of the decisions by so
        much (a fraction), two standard errors of this bound included; None: never.
    observers
        Told after every batch.

    Returns
    -------
    GuidedResult
        After Ctrl-C, with what was told by then; any other error is passed on. In either case the study
        may ask for the groups under way again.

    Raises
    ------
    UsageError
        If a number is out of range.
    """
    if runs < 1 or batch < 1:
        raise UsageError(f"Runs and batch are 1 or more, not {runs} and {batch}.")
    improvement: Improvement | None = None
    spent, groups = study.measured, np.zeros((0, len(study.tasks)), dtype=bool)
    try:
        while True:
            # Asked before the first group, too: a collection that goes on may have nothing left to win.
            if stop_below is not None and study.measured >= max(study.initial, 1):
                improvement = study.improvement()
            if len(groups):
                _report(study, runs, groups, improvement, observers)
            if stop_below is not None and improvement is not None and improvement.below(stop_below):
                return GuidedResult(study.measured, "improvement", improvement)
            if spent >= runs:
                return GuidedResult(study.measured, "runs", improvement)
            groups = study.ask(min(batch, runs - spent))
            if not len(groups):
                return GuidedResult(study.measured, "exhausted", improvement)
            gains = measure(groups)
            if gains is not None:
                study.tell(gains)
            spent += len(groups)
    except KeyboardInterrupt:
        study.forget(groups)
        return GuidedResult(study.measured, "interrupted", improvement)
    except BaseException:
        study.forget(groups)
        raise


def _report(
    study: Study,
    runs: int,
    groups: NDArray[np.bool_],
    improvement: Improvement | None,
    observers: Sequence[GuidedObserver],
) -> None:
    if not observers:
        return
    progress = GuidedProgress(
        measured=study.measured,
        runs=runs,
        latest=groups,
        promised=study.promised(),
        improvement=improvement,
        quantity=study.known.quantity,
    )
    for observer in observers:
        observer(progress)


def recorded_alone(gains: GainTensor) -> GainTensor | None:
    """Return what is recorded of single tasks, each once; None where nothing is."""
    rows = gains.rows_of(np.eye(gains.n_tasks, dtype=bool))
    return gains.select(rows[rows >= 0]) if (rows >= 0).any() else None


def recorded(gains: GainTensor) -> Callable[[NDArray[np.bool_]], GainTensor]:
    """Return a measuring function that looks recorded gains up.

    Parameters
    ----------
    gains
        Measured gains; of several rows of one group the one that stands for it.

    Raises
    ------
    UsageError
        When called with a group that is not recorded.
    """

    def look_up(groups: NDArray[np.bool_]) -> GainTensor:
        rows = gains.rows_of(groups)
        if (rows < 0).any():
            names = [gains.tasks[task] for task in np.flatnonzero(groups[rows.argmin()])]
            raise UsageError(f"The group {'|'.join(names)!r} is not recorded.")
        return gains.select(rows)

    return look_up
