"""Instances whose gains are made by training: data, a backbone, and settings."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from engine.catalogue.instance import CatalogueInstance
from engine.data.multi_task_data import MultiTaskData
from engine.gains.tensor import GainTensor
from engine.training.experiment import Experiment
from engine.training.settings import TrainingSettings

DEFAULT_STORE = "sqlite:///gains.db"
"""Where gains are kept unless a URL is given or the environment variable ENGINE_STORE is set."""


def default_store() -> str:
    """Return the URL of the gain store that is used where none is given."""
    return os.environ.get("ENGINE_STORE") or DEFAULT_STORE


class TrainableInstance(CatalogueInstance):
    """Base of the instances that train; ``engine collect`` fills their gains.

    Attributes
    ----------
    backbone, backbone_options, settings
        How its groups are trained by default; chosen so that gains can be told from noise in minutes.
        Every instance names a backbone.
    """

    backbone: ClassVar[str]
    backbone_options: ClassVar[Mapping[str, Any]] = {}
    settings: ClassVar[TrainingSettings] = TrainingSettings()

    @abstractmethod
    def data(self) -> MultiTaskData:
        """Return the data.

        Raises
        ------
        DataError
            If they cannot be had or are malformed.
        """

    def experiment(self, **changes: Any) -> Experiment:
        """Return the default experiment on this instance.

        Parameters
        ----------
        **changes
            Other values of the fields of :class:`~engine.training.experiment.Experiment`.
        """
        defaults: dict[str, Any] = {
            "backbone": self.backbone,
            "backbone_options": self.backbone_options,
            "settings": self.settings,
        }
        return Experiment(self.data(), **{**defaults, **changes})

    def recorded(self, source: str, split: str) -> GainTensor:
        """Return the gains that were collected for this instance, from the default gain store.

        Raises
        ------
        DataError
            If there are none yet, or the store cannot be read.
        """
        from engine.store import GainStore

        with GainStore.open(default_store(), create=False) as store:
            return store.tensor(store.find(self.name), split=split)
