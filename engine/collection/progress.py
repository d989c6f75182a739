"""What a collection tells while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.collection.reliability import Reliability
from engine.training.trained_groups import TrainedGroups


@dataclass(frozen=True)
class CollectionProgress:
    """Where a collection stands.

    Attributes
    ----------
    done, wanted
        Trained (group, seed) runs, those found in the store included, and all that are wanted now.
    trained
        Runs trained since the start.
    seconds
        Since the start.
    reliability
        Of what was there when it was last computed, None before.
    latest
        The chunk that was just stored, None at the start and the end.
    waiting
        Whether what is left is leased by other collectors; one that died keeps its leases for a while.
    """

    done: int
    wanted: int
    trained: int
    seconds: float
    reliability: Reliability | None = None
    latest: TrainedGroups | None = None
    waiting: bool = False

    @property
    def groups_per_second(self) -> float:
        """Runs trained per second since the start."""
        return self.trained / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Expected seconds until all that is wanted now is done, None where it cannot be told."""
        return (self.wanted - self.done) / self.groups_per_second if self.trained else None


CollectionObserver = Callable[[CollectionProgress], None]
"""Told after every stored chunk, and when the collection begins to wait for other collectors."""
