"""A complete instance to copy: three tasks whose gains are in hand.

Copy this file to ``instances/my_instance.py`` (or into a package of your own), rename the class, and add
one line to ``pyproject.toml``::

    [project.entry-points."taskgrouping.instances"]
    my-instance = "instances.my_instance:MyInstance"

Then ``engine solve --instance my-instance`` finds it, and the conformance suite of :mod:`engine.testing`
tests it. Before that, ``--instance instances.TEMPLATE:ThreeTasks`` works without any registration.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine import CatalogueInstance, GainTensor, InstanceInfo, UsageError

# The gains of each group's members, as fractions: 0.05 is 5 %. A single-task group gains 0.
_GAINS = {
    "valid": [
        {"detect": 0.0},
        {"depth": 0.0},
        {"normals": 0.0},
        {"detect": 0.03, "depth": 0.01},
        {"depth": 0.08, "normals": 0.05},
        {"detect": -0.02, "depth": 0.06, "normals": 0.04},
    ],
    "test": [
        {"detect": 0.0},
        {"depth": 0.0},
        {"normals": 0.0},
        {"detect": 0.02, "depth": 0.0},
        {"depth": 0.06, "normals": 0.05},
        {"detect": -0.01, "depth": 0.05, "normals": 0.03},
    ],
}


class ThreeTasks(CatalogueInstance):
    """Three vision tasks with the gains of six groups. Made up.

    Parameters
    ----------
    name
        How it was asked for.
    data_dir
        Folder with its data; there are none. Published files are looked for in it first, then in the folder
        of ``ENGINE_DATA``, then in the user cache.
    joint
        Whether the group of all three tasks is among the groups. Keyword arguments are the options of an
        instance: ``engine.load_instance(name, options={"joint": False})``.
    """

    # What `engine instances` lists without making an object: nothing is read for it.
    info = InstanceInfo(
        summary="3 made-up vision tasks, 6 groups",
        tasks=("detect", "depth", "normals"),
        n_groups=6,
        # The gains that a choice is made by, and those that it is judged on.
        source_split="valid",
        evaluation_split="test",
        # Of the frontier; the default must pay for groups that serve every task.
        budgets=(1.0, 2.0, 3.0),
        default_budget=2.0,
        # Publisher, version and licence of what is not your own.
        origin="made up",
        licence="MIT",
    )

    def __init__(self, name: str, data_dir: Path | None = None, *, joint: bool = True) -> None:
        super().__init__(name, data_dir)
        # Check options here, before anything is read, and let the information follow them: in the object,
        # never in the class.
        self._groups = 6 if joint else 5
        self.info = replace(self.info, n_groups=self._groups)

    def recorded(self, source: str, split: str) -> GainTensor:
        """Return the gains."""
        # Refuse what is not there; a gain source that is not recorded is fitted by the engine itself.
        if source not in self.info.sources or split not in _GAINS:
            raise UsageError(f"Instance {self.name!r} has measured gains on valid and test only.")
        # Tables are read by engine.read_gains(path, engine.ReadOptions(source=source, split=split)). Whatever
        # is malformed must be a DataError that names file and row.
        return GainTensor.from_groups(
            _GAINS[split][: self._groups], tasks=self.info.tasks, split=split, provenance="made up"
        )


# An instance that trains inherits engine.TrainableInstance instead. It has no gains until `engine collect`
# makes them, so that it says n_groups=0 and needs no recorded(). What it needs:
#
#     backbone = "mlp"  # how its groups are trained unless the user says otherwise
#     backbone_options = {"hidden": 32}
#     settings = TrainingSettings(epochs=25)
#
#     def data(self) -> MultiTaskData:
#         """Return inputs, targets and splits, the same to the last bit every time."""
#
# Name the data self.name: under it their gains are found again. Tasks may share their samples or have
# samples of their own; a label that is missing is NaN. See docs/plug-in-an-instance.md.
