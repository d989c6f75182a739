"""A Ray cluster: chunks are tasks, and tasks of lost nodes are run elsewhere."""

from __future__ import annotations

import io
import logging
import os
import pickle
import socket
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import EngineError, MissingDependencyError, UsageError
from engine.executors.executor import Chunk, Context, Executor, Result, same_call
from engine.executors.outcome import Outcome, shortened
from engine.executors.packing import pack, unpack

REFRESH_SECONDS = 1.0
"""How often to look whether nodes have come or gone."""
SECONDS_TO_ANSWER = 5.0
"""A cluster that has not accepted a connection by then is not there."""
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Ray prints what it says about lost nodes to standard output, which belongs to the caller's results.
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
}
"""Settings that Ray reads when it is imported; those of the user come first."""


class RayExecutor(Executor):
    """Runs chunks as Ray tasks, as many at once as the nodes have room for.

    Parameters
    ----------
    address
        ``auto``: the cluster of ``RAY_ADDRESS`` or of this machine; ``local``: one that lives as long as
        this executor, on this machine; or the address of a cluster, ``host:6379`` or
        ``ray://host:10001``. Where this process is connected already, that cluster is used.
    cpus_per_chunk, gpus_per_chunk
        What a chunk takes. With a quarter of a GPU, four chunks share one.
    retries
        How often a chunk may be run again because its worker or node was lost.
    runtime_env
        What Ray brings to the nodes, for instance ``{"working_dir": "."}``.

    Raises
    ------
    MissingDependencyError
        If Ray is not installed.
    UsageError
        If a number is out of range.
    EngineError
        If there is no cluster at the address, or none of its nodes has room for a chunk.
    """

    def __init__(
        self,
        address: str = "auto",
        *,
        cpus_per_chunk: float = 1.0,
        gpus_per_chunk: float = 0.0,
        retries: int = 2,
        runtime_env: Mapping[str, Any] | None = None,
    ) -> None:
        if min(cpus_per_chunk, gpus_per_chunk, retries) < 0:
            raise UsageError("cpus_per_chunk, gpus_per_chunk and retries must not be negative.")
        if cpus_per_chunk == gpus_per_chunk == 0:
            raise UsageError("A chunk must take a part of a CPU or of a GPU.")
        if gpus_per_chunk > 1:
            raise UsageError(f"A chunk is trained on one GPU; gpus_per_chunk cannot be {gpus_per_chunk:g}.")
        self._cpus, self._gpus, self._retries = cpus_per_chunk, gpus_per_chunk, retries
        self._ray = _import_ray()
        self._connected_here = not self._ray.is_initialized()
        if self._connected_here:
            _connect(self._ray, address, runtime_env)
        self._job: tuple[Any, Any] | None = None
        self._key, self._packed = "", None
        if not self.slots:
            self.close()
            raise EngineError(
                f"No node of the Ray cluster {address!r} has {cpus_per_chunk:g} CPUs and "
                f"{gpus_per_chunk:g} GPUs for a chunk. Add a node (ray start --address …), or ask for less."
            )

    @property
    def slots(self) -> int:
        """How many chunks the living nodes have room for."""
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        return sum(room(node, self._cpus, self._gpus) for node in nodes)

    def run(
        self,
        function: Callable[[Context, Chunk], Result],
        context: Context,
        chunks: Iterator[Chunk],
    ) -> Generator[tuple[Chunk, Result], None, None]:
        """Yield every chunk with its result, as they are done."""
        ray = self._ray
        task = ray.remote(_run_chunk).options(
            num_cpus=self._cpus, num_gpus=self._gpus, max_retries=self._retries, retry_exceptions=False
        )
        running: dict[Any, Chunk] = {}
        try:
            while True:
                # With all nodes gone one chunk waits for the next node.
                for _ in range(max(1, self.slots) - len(running)):
                    for chunk in chunks:
                        self._put(function, context)
                        running[task.remote(self._key, self._packed, chunk)] = chunk
                        break
                    else:
                        break
                if not running:
                    return
                ready, _ = ray.wait(list(running), num_returns=1, timeout=REFRESH_SECONDS)
                # One more look, without waiting, finds all that are done.
                ready, _ = ray.wait(list(running), num_returns=len(running), timeout=0) if ready else ([], [])
                done: list[tuple[Chunk, Any]] = []
                failure: Exception | None = None
                for reference in ready:
                    chunk = running.pop(reference)
                    outcome = self._outcome(reference, chunk)
                    if outcome.error is None:
                        done.append((chunk, outcome.result))
                    else:
                        failure = failure or outcome.error
                yield from done
                if failure is not None:
                    raise failure
        finally:
            for reference in running:
                ray.cancel(reference, force=True)

    def close(self) -> None:
        """Leave the cluster; a local one ends."""
        self._job = self._packed = None
        if self._connected_here:
            self._ray.shutdown()

    def _put(self, function: Any, context: Any) -> None:
        """Give the cluster what all chunks share, unless it has it."""
        if self._job is not None and same_call(self._job, (function, context)):
            return
        from ray.cloudpickle import CloudPickler

        stream = io.BytesIO()
        pack((function, context), stream, CloudPickler)
        self._job = (function, context)
        self._key = uuid.uuid4().hex
        self._packed = self._ray.put(np.frombuffer(stream.getbuffer(), dtype=np.uint8))

    def _outcome(self, reference: Any, chunk: Any) -> Outcome:
        errors = self._ray.exceptions
        try:
            outcome = pickle.loads(self._ray.get(reference))
        except errors.RayTaskError as error:
            # What the function raises comes as an outcome: this was raised on the way to it.
            return Outcome(error=EngineError(f"A Ray worker could not run chunk {shortened(chunk)}: {error}"))
        except errors.RayError as error:
            return Outcome(
                error=EngineError(
                    f"The Ray cluster lost chunk {shortened(chunk)}, run up to {self._retries + 1} times: "
                    f"{_first_line(error)} If memory ran out, train fewer groups at once."
                )
            )
        assert isinstance(outcome, Outcome)
        return outcome


def room(resources: Mapping[str, float], cpus: float, gpus: float) -> int:
    """Return how many chunks a node has room for.

    Parameters
    ----------
    resources
        What the node has: ``CPU`` and ``GPU``.
    cpus, gpus
        What a chunk takes; of GPUs at most one.
    """
    # Ray counts in ten-thousandths, so that three thirds are a whole.
    by_cpu = int(resources.get("CPU", 0.0) / cpus + 1e-4) if cpus else inf
    by_gpu = int(resources.get("GPU", 0.0)) * int(1 / gpus + 1e-4) if gpus else inf
    return int(min(by_cpu, by_gpu))


def _import_ray() -> Any:
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise MissingDependencyError(
            "The executor 'ray' needs the module 'ray': install the extra, pip install "
            "'task-grouping-engine[ray]'."
        ) from error
    return ray


def _connect(ray: Any, address: str, runtime_env: Mapping[str, Any] | None) -> None:
    given: dict[str, Any] = {"address": address, "log_to_driver": False, "logging_level": logging.ERROR}
    if runtime_env is not None:
        given["runtime_env"] = dict(runtime_env)
    if address == "local":
        given["include_dashboard"] = False
    try:
        _knock(_found(address) if address == "auto" else address)
        ray.init(**given)
    except (OSError, RuntimeError, ValueError) as error:
        hint = "Is it running (ray status)? One that asks for a token needs RAY_AUTH_MODE=token here too."
        if address == "auto":
            hint = "Start one with: ray start --head."
        raise EngineError(f"No Ray cluster at {address!r}: {_first_line(error)} {hint}") from error


def _found(address: str) -> str:
    """Return the address that Ray will take for ``auto``, or the address itself where Ray has to search."""
    folder = os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp"
    noted = Path(folder, "ray", "ray_current_cluster")
    if os.environ.get("RAY_ADDRESS"):
        return os.environ["RAY_ADDRESS"]
    try:
        return noted.read_text(encoding="utf-8").strip()
    except OSError:
        return address


def _knock(address: str) -> None:
    """Fail at once where nothing listens: Ray itself would try for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdigit():
        try:
            socket.create_connection((host, int(port)), SECONDS_TO_ANSWER).close()
        except OSError as error:
            raise ConnectionError(f"nothing answers at {host}:{port} ({error.strerror or error})") from error


def _first_line(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0] or type(error).__name__
    return text if text.endswith(".") else text + "."


_JOBS: dict[str, Any] = {}
"""In a worker: function and context of the latest run."""


def _run_chunk(key: str, packed: NDArray[np.uint8], chunk: Any) -> bytes:
    return Outcome.of(lambda: _call(key, packed, chunk)).to_bytes()


def _call(key: str, packed: NDArray[np.uint8], chunk: Any) -> Any:
    if key not in _JOBS:
        _JOBS.clear()
        # Ray's own memory cannot be written, and not every trainer accepts such arrays.
        _JOBS[key] = unpack(packed.copy().data)
    function, context = _JOBS[key]
    return function(context, chunk)
