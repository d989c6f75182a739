"""What runs chunks, and how one is chosen by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator
from types import TracebackType
from typing import Any, TypeVar

from engine.errors import UsageError, unknown_name

Context = TypeVar("Context")
Chunk = TypeVar("Chunk")
Result = TypeVar("Result")

EXECUTORS = ("in-process", "processes", "ray")


class Executor(ABC):
    """Base of the executors; a context manager that ends its workers."""

    @property
    @abstractmethod
    def slots(self) -> int:
        """How many chunks may run at once; on a cluster this changes as machines come and go."""

    @abstractmethod
    def run(
        self,
        function: Callable[[Context, Chunk], Result],
        context: Context,
        chunks: Iterator[Chunk],
    ) -> Generator[tuple[Chunk, Result], None, None]:
        """Yield every chunk with its result, as they are done, in any order.

        A chunk is taken from the iterator when a slot is free for it, never ahead. Closing the iterator
        that this returns ends what is running. One run at a time.

        Parameters
        ----------
        function
            What to run; another process must be able to import it. It must return the same for a chunk
            each time, because a chunk is run again where its worker is lost.
        context
            First argument of every call. It is sent to a worker once, so it may be large. A run with the
            same function and context as the run before does not send it again.
        chunks
            Second arguments.

        Raises
        ------
        Exception
            What the function raises, of the same type and message. Results that are there by then are
            yielded before; what still runs is ended.
        EngineError
            If the worker of a chunk is lost more often than may be.
        """

    def close(self) -> None:  # noqa: B027  (not every executor has workers)
        """End the workers."""

    def __enter__(self) -> Executor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def same_call(one: tuple[Any, Any], other: tuple[Any, Any]) -> bool:
    """Tell whether function and context are the same; a tuple made anew of the same parts is the same."""
    (function, context), (its_function, its_context) = one, other
    if isinstance(context, tuple) and isinstance(its_context, tuple) and len(context) == len(its_context):
        same = all(part is its_part for part, its_part in zip(context, its_context, strict=True))
    else:
        same = context is its_context
    return function is its_function and same


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
