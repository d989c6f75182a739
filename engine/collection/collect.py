"""The collection itself: lease, train, store, and add seeds until the gains can be trusted."""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.collection.plan import Membership, chunks, missing, with_singles
from engine.collection.progress import CollectionObserver, CollectionProgress
from engine.collection.reliability import LEAST_ENTRIES, Reliability, reliability
from engine.errors import DataError, UsageError
from engine.gains.tensor import GainTensor
from engine.training.collector import Collector
from engine.training.experiment import Experiment
from engine.training.trained_groups import TrainedGroups

if TYPE_CHECKING:
    from engine.executors import Executor
    from engine.store import GainStore

LEASE_SECONDS = 120.0
"""A collector that has not been heard of for so long loses the groups it was training."""
POLL_SECONDS = 1.0
"""How often to look whether groups that another collector trains are done."""


@dataclass(frozen=True)
class Plan:
    """What to collect.

    Attributes
    ----------
    groups
        Shape (G, N); the single-task groups are trained in any case.
    seeds
        Seeds 0 … seeds − 1 for every group.
    until_reliable
        Add seeds until the reliability is at least this, a number below 1; None: never.
    most_seeds
        No more seeds than these.
    time_limit
        Seconds after which no further chunk is begun; None: no limit.
    split, of, form
        The gains whose reliability counts, as in :meth:`engine.store.GainStore.tensor`.
    """

    groups: Membership
    seeds: int = 1
    until_reliable: float | None = None
    most_seeds: int = 32
    time_limit: float | None = None
    split: str = "valid"
    of: Literal["metric", "loss"] = "metric"
    form: Literal["relative", "log-ratio"] = "relative"

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise UsageError(f"seeds must be 1 or more, not {self.seeds}.")
        if self.time_limit is not None and not self.time_limit > 0:
            raise UsageError(f"A time limit is above 0 seconds, not {self.time_limit}.")
        if self.until_reliable is not None:
            self._check_reliable(self.until_reliable)

    def _check_reliable(self, target: float) -> None:
        if not 0 < target < 1:
            raise UsageError(f"A reliability lies between 0 and 1, not {target}.")
        least = max(self.seeds, 2)
        if self.most_seeds < least:
            raise UsageError(
                f"A reliability is measured over {least} seeds at least, so {self.most_seeds} "
                "cannot be the most."
            )
        sizes = np.asarray(self.groups).sum(axis=1)
        entries = int(sizes[sizes > 1].sum())
        if entries < LEAST_ENTRIES:
            raise UsageError(
                f"No reliability can be told from {entries} gains of groups, {LEAST_ENTRIES} are needed: "
                "name more groups, or ask for a number of seeds alone."
            )


@dataclass(frozen=True, eq=False)
class Collected:
    """What a collection left in the store.

    Attributes
    ----------
    experiment
        Its number in the store.
    gains
        The gain tensor of the plan's split, None where a single-task run is missing.
    reliability
        Of the gains, None with one seed.
    seeds
        Seeds that are complete.
    trained
        Runs that this collection trained.
    seconds
        It took.
    complete
        Whether everything planned is there, a reliability asked for included.
    interrupted
        Whether Ctrl-C ended it.
    """

    experiment: int
    gains: GainTensor | None
    reliability: Reliability | None
    seeds: int
    trained: int
    seconds: float
    complete: bool
    interrupted: bool


def collect(
    experiment: Experiment,
    plan: Plan,
    *,
    source: Collector,
    store: GainStore,
    executor: Executor,
    observers: Sequence[CollectionObserver] = (),
    chunk_size: int | None = None,
) -> Collected:
    """Train what a plan lacks, and keep it in the store.

    Every finished chunk is stored at once. What is there already is not trained again, and several
    collectors may work on one store. Ctrl-C ends the collection with what is stored.

    Parameters
    ----------
    experiment
        Data, backbone and settings; the source may change them.
    plan
        Which groups, how often.
    source
        Trains the groups.
    store
        Keeps the results.
    executor
        Where chunks are trained.
    observers
        Told after every chunk.
    chunk_size
        Groups trained at once; by default what the source suggests.

    Raises
    ------
    DataError
        If the store fails; what was stored before is kept.
    """
    run = _Collection(
        source.experiment(experiment), plan, source, store, executor, tuple(observers), chunk_size
    )
    interrupted = False
    with run.leases():
        try:
            run.work()
        except KeyboardInterrupt:
            interrupted = True
    return run.collected(interrupted)


class _Collection:
    """One run of :func:`collect`."""

    def __init__(
        self,
        experiment: Experiment,
        plan: Plan,
        source: Collector,
        store: GainStore,
        executor: Executor,
        observers: tuple[CollectionObserver, ...],
        chunk_size: int | None,
    ) -> None:
        self.experiment, self.plan, self.source = experiment, plan, source
        self.store, self.executor, self.observers = store, executor, observers
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.number = store.register(experiment)
        self.groups = with_singles(plan.groups)
        self.chunk_size = chunk_size or source.chunk_size(experiment)
        self.begin = time.perf_counter()
        self.trained = 0
        self.reliability: Reliability | None = None

    def work(self) -> None:
        """Collect the planned seeds, then more of them while the gains are not reliable enough."""
        seeds = self.plan.seeds if self.plan.until_reliable is None else max(self.plan.seeds, 2)
        while self._collect(seeds):
            self.reliability = self._measure_reliability(seeds)
            more = self._more_seeds(seeds)
            if more == seeds:
                return
            seeds = more

    def _more_seeds(self, seeds: int) -> int:
        target = self.plan.until_reliable
        if target is None or (self.reliability and self.reliability.value >= target):
            return seeds
        needed = self.reliability.seeds_for(target) if self.reliability else None
        # The forecast from few seeds is rough, so half the way is gone before it is made again.
        step = max(1, ((needed or 2 * seeds) - seeds + 1) // 2)
        return max(seeds, min(seeds + min(step, seeds), self.plan.most_seeds))

    def _collect(self, seeds: int) -> bool:
        """Train what is missing of some seeds; False where the time was up before."""
        done = self.store.done(self.number)
        count = self._count(done, seeds)
        self._tell(count, seeds, None)
        waiting = False
        while count < seeds * len(self.groups):
            if self._out_of_time():
                return False
            before = self.trained
            leased = self._leased(done, seeds)
            with closing(self.executor.run(measure_chunk, (self.source, self.experiment), leased)) as results:
                for _, result in results:
                    self.trained += self.store.save(self.number, result, self.owner)
                    self._tell(count + self.trained - before, seeds, result)
            idle = self.trained == before and not self._out_of_time()
            if idle:  # another collector trains what is left
                if not waiting:
                    self._tell(count, seeds, None, waiting=True)
                time.sleep(POLL_SECONDS)
            waiting = idle
            done = self.store.done(self.number)
            count = self._count(done, seeds)
        return True

    def _leased(self, done: Mapping[int, Membership], seeds: int) -> Iterator[tuple[int, Membership]]:
        """Yield chunks that this collector alone may train."""
        for seed, rows in chunks(self.groups, range(seeds), done, self.chunk_size):
            if self._out_of_time():
                return
            granted = self.store.claim(self.number, [(row, seed) for row in rows], self.owner, LEASE_SECONDS)
            if granted:
                yield seed, np.array([row for row, _ in granted], dtype=bool)

    def _out_of_time(self) -> bool:
        limit = self.plan.time_limit
        return limit is not None and time.perf_counter() - self.begin >= limit

    def _count(self, done: Mapping[int, Membership], seeds: int) -> int:
        none = np.zeros((0, self.groups.shape[1]), dtype=bool)
        return sum(
            len(self.groups) - len(missing(self.groups, done.get(seed, none))) for seed in range(seeds)
        )

    def _measure_reliability(self, seeds: int) -> Reliability | None:
        if seeds < 2:
            return None
        gains = self.store.seed_gains(
            self.number, split=self.plan.split, of=self.plan.of, form=self.plan.form
        )
        return reliability(gains.values[:seeds, gains.entry_sizes > 1])

    def _tell(self, done: int, seeds: int, latest: TrainedGroups | None, *, waiting: bool = False) -> None:
        progress = CollectionProgress(
            done,
            seeds * len(self.groups),
            self.trained,
            time.perf_counter() - self.begin,
            self.reliability,
            latest,
            waiting,
        )
        for observer in self.observers:
            observer(progress)

    @contextmanager
    def leases(self) -> Iterator[None]:
        """Keep the leases of this collector alive while the block runs, then give them back."""
        over = threading.Event()

        def renew() -> None:
            while not over.wait(LEASE_SECONDS / 4):
                # A store that cannot be reached now may be there again before the lease ends.
                with suppress(DataError):
                    self.store.renew(self.number, self.owner, LEASE_SECONDS)

        thread = threading.Thread(target=renew, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            # What ended the collection is what counts; leases that stay end by themselves.
            with suppress(DataError):
                self.store.release(self.number, self.owner)

    def collected(self, interrupted: bool) -> Collected:
        """Return what is in the store now."""
        done = self.store.done(self.number)
        seeds = 0
        while seeds in done and not len(missing(self.groups, done[seeds])):
            seeds += 1
        gains = None
        if seeds:
            gains = self.store.tensor(
                self.number, split=self.plan.split, of=self.plan.of, form=self.plan.form
            )
        found = self.reliability
        if found is None or found.seeds != seeds:
            found = self._measure_reliability(seeds)
        target = self.plan.until_reliable
        enough = target is None or (found is not None and found.value >= target)
        complete = seeds >= self.plan.seeds and enough
        seconds = time.perf_counter() - self.begin
        return Collected(self.number, gains, found, seeds, self.trained, seconds, complete, interrupted)


def measure_chunk(context: tuple[Collector, Experiment], chunk: tuple[int, Membership]) -> TrainedGroups:
    """Train one chunk; what an executor runs, in any process."""
    source, experiment = context
    seed, membership = chunk
    return source.measure(experiment, membership, seed)
