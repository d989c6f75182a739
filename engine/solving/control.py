"""Progress of a running solver: observers, stop rules and the control that solvers report to."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from engine.solving.certificate import Termination
from engine.solving.claim import Choice, Claim
from engine.solving.clock import Clock
from engine.solving.interrupts import held_interrupts
from engine.solving.solution import Event

if TYPE_CHECKING:
    from engine.problem.lattice import LatticeProblem
    from engine.problem.table import Problem
    from engine.solving.solution import Solution

StopRule = Callable[[Event], bool]
"""Asked after every incumbent and bound; True stops the solver. Compose with :func:`any_of`."""


class Observer:
    """Told what happens while solving; override what you want to see."""

    def on_start(self, problem: Problem | LatticeProblem, solver: str) -> None:
        """See solving begin."""

    def on_stage(self, stage: str) -> None:
        """See a stage begin, for instance ``"presolve"``."""

    def on_notice(self, text: str) -> None:
        """Hear in one sentence what the user waits for."""

    def on_incumbent(self, event: Event) -> None:
        """See a better grouping."""

    def on_bound(self, event: Event) -> None:
        """See a tighter bound."""

    def on_end(self, solution: Solution) -> None:
        """See the checked solution at the end."""


@dataclass(frozen=True)
class GapBelow:
    """A stop rule: the relative gap is at most ``gap`` (fraction)."""

    gap: float

    def __call__(self, event: Event) -> bool:
        """Compare value and bound."""
        if event.value is None or event.bound is None:
            return False
        return abs(event.bound - event.value) <= self.gap * max(abs(event.value), abs(event.bound))


@dataclass(frozen=True)
class FirstFeasible:
    """A stop rule: any grouping is known."""

    def __call__(self, event: Event) -> bool:
        """Look for a value."""
        return event.value is not None


def any_of(*rules: StopRule) -> StopRule:
    """Return the rule that stops as soon as one of these does."""
    return lambda event: any(rule(event) for rule in rules)


class Control:
    """What one run of a solver is given, and what it reports to.

    Values and bounds in here are in program form: always maximised.

    Attributes
    ----------
    sign
        1 where the objective maximises, −1 where it minimises.
    observers
        Told about stages, incumbents and bounds.
    seed
        Fixes every random decision.
    threads
        How many threads the solver may use.
    presolve
        Whether the shared presolve may run.
    warm_start
        A grouping to start from; may be empty, and may be infeasible.
    rows, value, bound
        The best grouping, its value and the tightest bound known so far. A grouping is told by its
        tensor rows, or, on a lattice, by the membership of its groups, shape (k, N).
    memory
        Kept between the runs of one frontier: a solver may leave there what helps the next run.
    seconds
        Wall time by stage. What :meth:`preparing` times counts in no other stage.

    Other Parameters
    ----------------
    time_limit
        Seconds, None for no limit.
    stop
        Ends the run early.
    clock
        What the time limit is read on; by default one that begins now.
    """

    def __init__(
        self,
        *,
        sign: float = 1.0,
        time_limit: float | None = None,
        seed: int = 0,
        threads: int = 1,
        presolve: bool = True,
        warm_start: Choice | None = None,
        observers: Sequence[Observer] = (),
        stop: StopRule | None = None,
        memory: dict[str, Any] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.seed = seed
        self.threads = threads
        self.presolve = presolve
        self.warm_start = np.zeros(0, dtype=np.int64) if warm_start is None else warm_start
        self.memory: dict[str, Any] = {} if memory is None else memory
        self.rows: Choice | None = None
        self.value = -np.inf
        self.bound = np.inf
        self.seconds: dict[str, float] = {}
        self.trace: list[Event] = []
        self.sign = sign
        self.observers = tuple(observers)
        self._rule = stop
        self._clock = Clock() if clock is None else clock
        self._begin = 0.0
        self._deadline = time_limit
        self._whole = self
        self._rule_fired = False
        self._noticed: set[str] = set()

    def quiet(self) -> Control:
        """Return a control with the same limits that tells nobody, for a part of the work."""
        part = Control(seed=self.seed, threads=self.threads, clock=self._clock)
        part._begin, part._whole = self._clock.seconds(), self._whole
        if self._deadline is not None:
            part._deadline = max(self._deadline, part._begin + 1e-3)
        return part

    def elapsed(self) -> float:
        """Return the seconds since the start that count against a time limit."""
        return self._clock.seconds() - self._begin

    def wall(self) -> float:
        """Return all seconds since the start of the whole run, which a part belongs to."""
        return self._clock.wall()

    def remaining(self) -> float:
        """Return the seconds left, infinite without a limit, never negative."""
        return float("inf") if self._deadline is None else max(0.0, self._deadline - self._clock.seconds())

    def should_stop(self) -> bool:
        """Whether the time is up or a stop rule fired. Cheap: ask often."""
        return self._rule_fired or (self._deadline is not None and self._clock.seconds() >= self._deadline)

    def termination(self) -> Termination:
        """Return why a solver that ends now ends."""
        if self._rule_fired:
            return Termination.STOP_RULE
        return Termination.TIME_LIMIT if self.should_stop() else Termination.COMPLETED

    def claim(self, gap: Termination = Termination.COMPLETED, details: dict[str, Any] | None = None) -> Claim:
        """Return the best grouping and the tightest bound reported, as what a solver claims that ends now.

        Parameters
        ----------
        gap
            Why value and bound may differ, if neither a limit nor a rule ended the solver. It counts for
            nothing where they do not.
        details
            Anything worth telling, JSON values only.
        """
        ended = self.termination()
        why = gap if ended is Termination.COMPLETED else ended
        return Claim(self.rows, bound=self.bound, termination=why, details=details or {})

    def incumbent(self, rows: ArrayLike, value: float) -> bool:
        """Report a grouping; it is kept, and True returned, if it is the best so far.

        Parameters
        ----------
        rows
            Tensor rows of the chosen groups, or, on a lattice, their membership, shape (k, N).
        value
            Its value in program form.
        """
        if value <= self.value:
            return False
        chosen = np.asarray(rows)
        if chosen.ndim == 1:
            chosen = np.sort(chosen.astype(np.int64))
        self.rows, self.value = chosen, float(value)
        self._tell("incumbent")
        return True

    def tighten(self, bound: float) -> None:
        """Report a proven upper bound in program form; a weaker one than known is ignored."""
        if bound < self.bound:
            self.bound = float(bound)
            self._tell("bound")

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage of the solver."""
        for observer in self.observers:
            observer.on_stage(name)
        begin = self._clock.seconds()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + self._clock.seconds() - begin

    @contextmanager
    def importing(self) -> Iterator[None]:
        """Time the import of a library; an interrupt takes effect behind it."""
        with self.stage("load"), held_interrupts():
            yield

    @contextmanager
    def preparing(self, name: str) -> Iterator[Callable[[str], None]]:
        """Time imports that are paid once per process or machine: no time limit counts them.

        A part of the work reports them to the run that it is part of. Where the block imports nothing,
        nothing is timed.

        Yields
        ------
        callable
            Tells the observers in one sentence, once, what the user waits for.
        """
        whole = self._whole
        lost, modules = self._clock.lost, len(sys.modules)

        def announce(text: str) -> None:
            for observer in whole.observers:
                observer.on_stage(name)
                if text not in whole._noticed:
                    observer.on_notice(text)
            whole._noticed.add(text)

        try:
            with self._clock.paused():
                yield announce
        finally:
            if len(sys.modules) > modules:
                whole.seconds[name] = whole.seconds.get(name, 0.0) + self._clock.lost - lost

    def _tell(self, kind: str) -> None:
        event = Event(
            kind,
            self.elapsed(),
            None if self.value == -np.inf else self.sign * self.value,
            None if not np.isfinite(self.bound) else self.sign * self.bound,
        )
        self.trace.append(event)
        for observer in self.observers:
            if kind == "incumbent":
                observer.on_incumbent(event)
            else:
                observer.on_bound(event)
        if self._rule is not None and self._rule(event):
            self._rule_fired = True
