"""Several processes on one machine, each with one thread."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from typing import IO, Any, TypeAlias, cast

from engine.errors import EngineError, UsageError
from engine.executors.executor import Chunk, Context, Executor, Result, same_call
from engine.executors.outcome import Outcome, shortened
from engine.executors.packing import pack

Channel: TypeAlias = "Connection[Any, Any]"
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)
"""What numerical libraries read, when they are loaded, to know how many threads to start."""
SECONDS_TO_END = 5.0
"""An idle worker that has not ended by then is killed."""


class ProcessExecutor(Executor):
    """Runs chunks in worker processes, which are started when there is a first chunk for them.

    Parameters
    ----------
    workers
        How many processes; by default one per GPU, or without GPUs one per core.
    gpus
        GPUs of this machine; every process sees one of them only.
    retries
        How often a chunk may be run again because its worker died, of lack of memory for instance.

    Raises
    ------
    UsageError
        If a number is too small, or the system is Windows.
    """

    def __init__(self, workers: int | None = None, *, gpus: int = 0, retries: int = 2) -> None:
        if os.name != "posix":
            raise UsageError("The executor processes needs Linux or macOS; take in-process or ray.")
        for name, value, least in (("workers", workers, 1), ("gpus", gpus, 0), ("retries", retries, 0)):
            if value is not None and value < least:
                raise UsageError(f"{name} must be {least} or more, not {value}.")
        self.retries = retries
        self._slots = workers or gpus or available_cores()
        self._gpus = _visible_gpus(gpus)
        self._job: _Job | None = None
        self._running = False

    @property
    def slots(self) -> int:
        """The number of processes."""
        return self._slots

    def run(
        self,
        function: Callable[[Context, Chunk], Result],
        context: Context,
        chunks: Iterator[Chunk],
    ) -> Generator[tuple[Chunk, Result], None, None]:
        """Yield every chunk with its result, as they are done."""
        if self._running:
            raise UsageError("This executor is running already; close that run first.")
        self._running = True
        busy: dict[Channel, tuple[_Worker, _Task]] = {}
        again: deque[_Task] = deque()
        try:
            while True:
                while len(busy) < self._slots:
                    task = again.popleft() if again else _next_task(chunks)
                    if task is None:
                        break
                    worker = self._idle_worker(function, context, {one.number for one, _ in busy.values()})
                    busy[worker.connection] = worker, task
                    worker.send(task.chunk)
                if not busy:
                    return
                done: list[tuple[Any, Any]] = []
                failure: Exception | None = None
                for connection in cast(list[Channel], wait(list(busy))):
                    worker, task = busy.pop(connection)
                    outcome = worker.receive()
                    if outcome is None:
                        try:
                            again.append(self._lost(worker, task))
                        except EngineError as error:
                            failure = failure or error
                    elif outcome.error is not None:
                        failure = failure or outcome.error
                    else:
                        done.append((task.chunk, outcome.result))
                yield from done
                if failure is not None:
                    raise failure
        finally:
            self._running = False
            self._kill([worker for worker, _ in busy.values()])

    def close(self) -> None:
        """End the workers."""
        if self._job is not None:
            self._job.close()
            self._job = None

    def _idle_worker(self, function: Any, context: Any, busy: set[int]) -> _Worker:
        if self._job is None or not same_call(self._job.call, (function, context)):
            self.close()
            self._job = _Job(function, context)
        number = next(one for one in range(self._slots) if one not in busy)
        worker = self._job.workers.get(number)
        if worker is None or worker.process.poll() is not None:
            if worker is not None:
                worker.kill()
            gpu = self._gpus[number % len(self._gpus)] if self._gpus else None
            worker = self._job.workers[number] = _Worker(number, self._job.file, gpu)
        return worker

    def _lost(self, worker: _Worker, task: _Task) -> _Task:
        self._kill([worker])
        if task.losses < self.retries:
            return _Task(task.chunk, task.losses + 1)
        raise EngineError(
            f"The worker process of chunk {shortened(task.chunk)} died {task.losses + 1} times, "
            f"at last {worker.end()}. If memory ran out, train fewer groups at once or in fewer processes."
        )

    def _kill(self, workers: list[_Worker]) -> None:
        for worker in workers:
            worker.process.kill()
        for worker in workers:
            worker.kill()
            if self._job is not None:
                self._job.workers.pop(worker.number, None)


@dataclass(frozen=True)
class _Task:
    """A chunk, and how many of its workers died."""

    chunk: Any
    losses: int = 0


def _next_task(chunks: Iterator[Any]) -> _Task | None:
    for chunk in chunks:
        return _Task(chunk)
    return None


class _Job:
    """A function with its context in a nameless file, and the workers that have it, by number."""

    def __init__(self, function: Any, context: Any) -> None:
        self.call = function, context
        self.file = tempfile.TemporaryFile()  # noqa: SIM115  (open as long as workers may be started)
        self.workers: dict[int, _Worker] = {}
        try:
            pack((function, context), self.file)
            self.file.flush()
        except OSError as error:
            self.file.close()
            folder = tempfile.gettempdir()
            raise EngineError(
                f"The data cannot be written for the workers to {folder} ({error.strerror or error}); "
                "TMPDIR names another folder."
            ) from error
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            self.file.close()
            raise UsageError(
                f"This cannot be sent to worker processes: {error}. What they run must be importable, "
                "so define it in a module of its own."
            ) from error

    def close(self) -> None:
        for worker in self.workers.values():
            worker.connection.close()
        for worker in self.workers.values():
            worker.end()
            worker.kill()
        self.workers.clear()
        self.file.close()


class _Worker:
    """One process; it ends when its connection is closed, and therefore with this process."""

    def __init__(self, number: int, job: IO[bytes], gpu: str | None) -> None:
        self.number = number
        self.connection, theirs = Pipe()
        environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, "1")}
        if gpu is not None:
            environment["CUDA_VISIBLE_DEVICES"] = gpu
        files = theirs.fileno(), job.fileno()
        code = (
            f"import sys; sys.path[:] = {sys.path!r}; from engine.executors.worker import serve; serve{files}"
        )
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-c", code],
                env=environment,
                stdin=subprocess.DEVNULL,
                pass_fds=files,
                process_group=0,  # Ctrl-C in the terminal is for the parent alone
            )

    def send(self, chunk: Any) -> None:
        # Where the worker has just died, the connection tells so when it is read.
        with contextlib.suppress(OSError):
            self.connection.send(chunk)

    def receive(self) -> Outcome | None:
        """Return what became of the chunk; None: the process died."""
        try:
            outcome = self.connection.recv()
        except (EOFError, OSError):
            return None
        assert isinstance(outcome, Outcome)
        return outcome

    def end(self) -> str:
        """Wait for the end of the process, and say how it ended."""
        try:
            code = self.process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            return "still running without an answer"
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.connection.close()


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _visible_gpus(count: int) -> tuple[str, ...]:
    """Return the names of GPUs as CUDA_VISIBLE_DEVICES has them, where it restricts this process too."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = [str(one) for one in range(count)] if visible is None else visible.split(",")
    if len(names) < count or (count and names == [""]):
        raise UsageError(f"There are not {count} GPUs: CUDA_VISIBLE_DEVICES={visible}.")
    return tuple(names[:count])
