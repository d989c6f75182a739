"""An affinity file as an instance of the problems over the lattice and over the pairwise graph."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from engine.catalogue.files import ReadInstance
from engine.catalogue.instance import InstanceInfo, is_path
from engine.errors import UsageError
from engine.gains.affinity import Affinity
from engine.gains.formats import read_gains
from engine.gains.formats.affinity_json import read_affinity
from engine.gains.formats.gains_file import DEFAULTS, GainsPath, split_pair
from engine.gains.formats.options import ReadOptions
from engine.gains.model import tabulate
from engine.gains.pair_mean import PairMeanModel
from engine.plugins import INSTANCES


class AffinityInstance(ReadInstance):
    """An affinity of any number of tasks: only its pairs are listed, and the tasks alone, at gain 0.

    The default budget pays for a quarter as many groups as there are tasks, rounded up; the frontier
    goes from one to as many as there are tasks.

    Parameters
    ----------
    path
        As in :func:`~engine.gains.formats.affinity_json.read_affinity`.
    evaluation_path
        Gains that the result is judged on, for the same tasks.
    options
        How the gains to judge on are read.
    """

    def __init__(
        self,
        path: str,
        evaluation_path: GainsPath | None = None,
        options: ReadOptions = DEFAULTS,
    ) -> None:
        (file,) = split_pair(path)
        super().__init__(file.stem)
        self.affinity: Affinity = read_affinity(file)
        tasks = self.affinity.tasks
        count = len(tasks)
        ones = np.eye(count, dtype=bool)
        first, second = np.triu_indices(count, 1)
        model = PairMeanModel.from_affinity(self.affinity)
        pairs = tabulate(model, np.concatenate([ones, ones[first] | ones[second]]), split="source")
        self._recorded = {"source": pairs}
        if evaluation_path is not None:
            judged = read_gains(evaluation_path, replace(options, tasks=tasks))
            if judged.quantity != "gain":
                raise UsageError(f"{path} holds gains but {evaluation_path} losses: give gains for both.")
            self._recorded["evaluation"] = replace(judged, split=judged.split or "evaluation")
        self.info = InstanceInfo(
            summary=f"affinity of {count} tasks from {file.name}",
            tasks=tasks,
            n_groups=pairs.n_groups,
            sources=(pairs.source,),
            source_split="source",
            evaluation_split="evaluation" if evaluation_path is not None else "",
            budgets=tuple(map(float, range(1, count + 1))),
            default_budget=float(math.ceil(count / 4)),
            origin=" and ".join(str(one) for one in (path, evaluation_path) if one is not None),
            licence="one's own",
        )


def is_affinity_file(name: str) -> bool:
    """Whether a name given for an instance means an affinity file."""
    if name in INSTANCES.names() or not is_path(name):
        return False
    parts = split_pair(name)
    return len(parts) == 1 and parts[0].suffix.lower() == ".json"
