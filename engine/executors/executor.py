"""What runs chunks, and how one is chosen by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator
from types import TracebackType
from typing import Any, TypeVar

Context = TypeVar("Context")
Chunk = TypeVar("Chunk")
Result = TypeVar("Result")


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
