"""The other side of :class:`~engine.executors.processes.ProcessExecutor`: one worker process."""

from __future__ import annotations

import mmap
import os
import pickle
import signal
import threading
from functools import cache
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from engine.executors.outcome import Outcome
from engine.executors.packing import unpack


def serve(connection_file: int, job_file: int) -> None:
    """Run chunks until the parent closes the connection or dies.

    Parameters
    ----------
    connection_file
        Descriptor of the connection: pickled chunks come in, pickled outcomes go out.
    job_file
        Descriptor of the packed function and context.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.dup2(2, 1)  # the standard output of the parent carries its result only
    connection: Connection[Any, Any] = Connection(connection_file)
    chunks: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_receive, args=(connection, chunks), daemon=True).start()
    while True:
        chunk = chunks.get()
        outcome = Outcome.of(lambda chunk=chunk: _run(job_file, chunk))  # type: ignore[misc]
        connection.send_bytes(outcome.to_bytes())


def _receive(connection: Connection[Any, Any], chunks: SimpleQueue[bytes]) -> None:
    """Pass chunks on, and end the process at once, whatever it does, when the parent is gone."""
    while True:
        try:
            chunks.put(connection.recv_bytes())
        except (EOFError, OSError):
            os._exit(0)


def _run(job_file: int, chunk: bytes) -> Any:
    function, context = _job(job_file)
    return function(context, pickle.loads(chunk))


@cache
def _job(file: int) -> Any:
    # Pages are private to this process once it writes to them, and shared by all workers until then.
    return unpack(memoryview(mmap.mmap(file, 0, access=mmap.ACCESS_COPY)))
