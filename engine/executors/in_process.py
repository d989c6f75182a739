"""One chunk after the other, where the caller is."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

from engine.executors.executor import Chunk, Context, Executor, Result


class InProcessExecutor(Executor):
    """Runs chunks in this process."""

    @property
    def slots(self) -> int:
        """One."""
        return 1

    def run(
        self,
        function: Callable[[Context, Chunk], Result],
        context: Context,
        chunks: Iterator[Chunk],
    ) -> Generator[tuple[Chunk, Result], None, None]:
        """Yield every chunk with its result, in the order given."""
        for chunk in chunks:
            yield chunk, function(context, chunk)
