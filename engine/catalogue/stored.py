"""Collected gains as an instance, straight from a gain store."""

from __future__ import annotations

import math
from typing import Any

from engine.catalogue.instance import Instance, InstanceInfo
from engine.errors import UsageError, unknown_name
from engine.gains.cover import cover_cost
from engine.gains.tensor import GainTensor

GAINS = {"of": ("metric", "loss"), "form": ("relative", "log-ratio")}
"""Which gains may be asked for behind the experiment; the first of each is the default."""


def is_store_url(text: str) -> bool:
    """Whether a text is a database URL, as in ``sqlite:///gains.db#digits10``."""
    return "://" in text


class StoredInstance(Instance):
    """The gains of one experiment in a gain store: solved on ``valid``, judged on ``test``.

    The default budget pays for a quarter as many groups as there are tasks, rounded up, and always for
    groups that hold every task, as a greedy cover finds them.

    Parameters
    ----------
    url
        A database URL, then ``#`` and the name, number or digest of the experiment; where the store
        holds one experiment only, the URL alone. Behind ``?`` may stand which gains:
        ``sqlite:///gains.db#digits10?of=loss&form=log-ratio``, as in
        :meth:`engine.store.GainStore.tensor`.

    Raises
    ------
    DataError
        If the store or the experiment cannot be read.
    UsageError
        If the experiment is not named where there are several, or there are no such gains.
    """

    def __init__(self, url: str) -> None:
        from engine.store import GainStore

        self._url, _, wanted = url.partition("#")
        wanted, self._asked = _asked_for(wanted)
        with GainStore.open(self._url, create=False) as store:
            known = store.experiments()
            if not wanted and len(known) != 1:
                listed = ", ".join(f"{one.id} ({one.name})" for one in known)
                raise UsageError(
                    f"The gain store {store.url} holds {len(known)} experiments: {listed or 'none'}. "
                    f"Name one, for instance --instance '{store.url}#1'."
                )
            self._experiment = store.find(wanted) if wanted else known[0].id
            gains = store.tensor(self._experiment, split="valid", **self._asked)
        found = next(one for one in known if one.id == self._experiment)
        super().__init__(found.name)
        self._recorded = {"valid": gains}
        count = gains.n_tasks
        of, form = (self._asked.get(key, usual[0]) for key, usual in GAINS.items())
        self.info = InstanceInfo(
            summary=f"{gains.n_groups} groups of {count} tasks, collected; {form} gain of the {of}",
            tasks=gains.tasks,
            n_groups=gains.n_groups,
            sources=(gains.source,),
            source_split="valid",
            evaluation_split="test",
            budgets=tuple(map(float, range(1, count + 1))),
            default_budget=max(float(math.ceil(count / 4)), cover_cost(gains)),
            origin=f"{store.url}, experiment {self._experiment}",
            licence="one's own",
            note="gains are natural logarithms: 69 % is twice as good" if form == "log-ratio" else "",
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
                self._recorded[split] = store.tensor(self._experiment, split=split, **self._asked)
        return self._recorded[split]


def _asked_for(wanted: str) -> tuple[str, dict[str, Any]]:
    """Divide what stands behind the URL into the experiment and the gains asked for."""
    experiment, sign, asked = wanted.partition("?")
    found: dict[str, Any] = {}
    for part in asked.split("&") if sign else ():
        key, _, value = part.partition("=")
        if key not in GAINS:
            raise UsageError(f"{wanted!r}: behind the experiment only ?of=…&form=… may stand, not {part!r}.")
        if value not in GAINS[key]:
            raise unknown_name(f"{key} of collected gains:", value, GAINS[key])
        found[key] = value
    return experiment, found
