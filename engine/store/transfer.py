"""Moving results from store to store."""

from __future__ import annotations

from engine.store.database import plain_errors
from engine.store.gain_store import GainStore, register
from engine.store.reading import sound_batches
from engine.store.saving import Keep, Taken, take_over
from engine.store.stored_experiment import list_experiments


def merge(target: GainStore, other: GainStore, *, keep: Keep = "refuse") -> dict[int, Taken]:
    """Take over all experiments and results of another store, curves included.

    Merging twice changes nothing more. Either everything is taken over or, where this fails, nothing.

    Parameters
    ----------
    target
        The store that grows.
    other
        Is only read.
    keep
        What counts where both have different results of one run.

    Returns
    -------
    dict
        Experiment in ``target`` → what came of its runs.

    Raises
    ------
    DataError
        If a run differs and ``keep`` is ``"refuse"``, or a run of ``other`` is damaged.
    """
    taken = {}
    # The source is read under one snapshot; the target is written in one transaction.
    with other.transaction(writes=False) as source, target.transaction(writes=True) as connection:
        with plain_errors(other.url):
            listed = list_experiments(source)
        for known in listed:
            number = register(connection, known.description, known.digest, known.created)
            taken[number] = Taken()
            for batch in sound_batches(source, known, other.url, curves=True):
                taken[number] += take_over(connection, number, batch, known.tasks, keep)
    return taken
