"""Collected gains as an instance, straight from a gain store."""

from __future__ import annotations

import math
from pathlib import Path

from engine.errors import UsageError
from engine.gains import GainTensor
from engine.instance import Instance, InstanceInfo


def is_store_url(text: str) -> bool:
    """Whether a text is a database URL, as in ``sqlite:///gains.db#digits10``."""
    return "://" in text


class StoredInstance(Instance):
    """The gains of one experiment in a gain store: solved on ``valid``, judged on ``test``.

    Parameters
    ----------
    url
        A database URL, then ``#`` and the name, number or digest of the experiment; where the store
        holds one experiment only, the URL alone.

    Raises
    ------
    DataError
        If the store or the experiment cannot be read.
    """

    def __init__(self, url: str, data_dir: Path | None = None) -> None:
        from engine.store import GainStore

        self._url, _, wanted = url.partition("#")
        with GainStore.open(self._url, create=False) as store:
            known = store.experiments()
            if not wanted and len(known) != 1:
                listed = ", ".join(f"{one.id} ({one.name})" for one in known)
                raise UsageError(
                    f"The gain store {self._url} holds {len(known)} experiments: {listed or 'none'}. "
                    f"Name one, for instance --instance '{self._url}#1'."
                )
            self._experiment = store.find(wanted) if wanted else known[0].id
            gains = store.tensor(self._experiment, split="valid")
        found = next(one for one in known if one.id == self._experiment)
        super().__init__(found.name, data_dir)
        self._recorded = {"valid": gains}
        count = gains.n_tasks
        self.info = InstanceInfo(
            summary=f"{gains.n_groups} groups of {count} tasks, collected",
            tasks=gains.tasks,
            n_groups=gains.n_groups,
            sources=(gains.source,),
            source_split="valid",
            evaluation_split="test",
            budgets=tuple(map(float, range(1, count + 1))),
            default_budget=float(math.ceil(count / 4)),
            origin=f"{self._url}, experiment {self._experiment}",
            licence="one's own",
        )

    def recorded(self, source: str, split: str) -> GainTensor:
        """Return the collected gains of a split.

        Raises
        ------
        UsageError
            If there is nothing for this source and split.
        """
        if source not in self.info.sources or split not in self.info.splits:
            raise UsageError(f"Instance {self.name!r} has no gains of {source!r} on {split!r}.")
        if split not in self._recorded:
            from engine.store import GainStore

            with GainStore.open(self._url, create=False) as store:
                self._recorded[split] = store.tensor(self._experiment, split=split)
        return self._recorded[split]
