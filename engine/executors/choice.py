"""Executors by name."""

from __future__ import annotations

from typing import Any

from engine.errors import UsageError, unknown_name
from engine.executors.executor import Executor

EXECUTORS = ("in-process", "processes", "ray")


def make_executor(spec: str, **options: Any) -> Executor:
    """Return an executor by name.

    Parameters
    ----------
    spec
        ``in-process``, ``processes``, ``processes:4``, ``ray``, or ``ray:ADDRESS``.
    options
        Further arguments of the executor: those of
        :class:`~engine.executors.processes.ProcessExecutor` or
        :class:`~engine.executors.ray_cluster.RayExecutor`.

    Raises
    ------
    UsageError
        If there is no such executor or option, or a library is missing.
    EngineError
        If a cluster cannot be reached.
    """
    name, _, value = spec.partition(":")
    cls = executor_class(spec)
    given: dict[str, Any] = dict(options)
    if name == "in-process" and value:
        raise UsageError(f"{spec!r}: the executor in-process takes no number; processes:{value} does.")
    if name == "processes" and value:
        given["workers"] = _count(spec, value)
    elif value:
        given["address"] = value
    try:
        return cls(**given)
    except TypeError as error:
        told = f" (options given: {', '.join(options)})" if options else ""
        raise UsageError(f"Executor {spec!r}: {error}{told}.") from None


def executor_class(spec: str) -> type[Executor]:
    """Return the class of an executor, whose keyword arguments are its options.

    Parameters
    ----------
    spec
        As in :func:`make_executor`.

    Raises
    ------
    UsageError
        If there is no such executor.
    """
    name = spec.partition(":")[0]
    if name == "in-process":
        from engine.executors.in_process import InProcessExecutor

        return InProcessExecutor
    if name == "processes":
        from engine.executors.processes import ProcessExecutor

        return ProcessExecutor
    if name == "ray":
        from engine.executors.ray_cluster import RayExecutor

        return RayExecutor
    raise unknown_name("executor", spec, EXECUTORS)


def _count(spec: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and int(value) > 0):
        raise UsageError(f"{spec!r}: {value!r} is not a number of processes; write processes:4, for example.")
    return int(value)
