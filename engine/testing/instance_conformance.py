"""The conformance suite for instances: a class of tests to inherit.

::

    from engine.testing import InstanceConformance


    class TestMyInstance(InstanceConformance):
        instance = "my_package.my_instance:MyInstance"
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.catalogue.instance import Instance, load_instance
from engine.catalogue.trainable import TrainableInstance
from engine.data.multi_task_data import SPLITS
from engine.errors import UsageError
from engine.gains.cover import cover_cost
from engine.gains.names import task_name_flaw
from engine.plugins import BACKBONES, INSTANCES

ABSENT = "no such name"


class InstanceConformance:
    """What every instance must do; the tests of an instance inherit it.

    Attributes
    ----------
    instance
        A registered name, or ``"module:Class"``.
    options
        Arguments of the instance, for instance those that make it small.
    data_dir
        Folder with its data; None: it needs none, or they are in one of the usual places.
    """

    instance: str
    options: Mapping[str, Any] = {}
    data_dir: Path | None = None

    def make(self) -> Instance:
        """Return the instance, never what stands in for it."""
        made: Instance = INSTANCES.load(self.instance)(self.instance, self.data_dir, **self.options)
        return made

    def recorded(self) -> Instance:
        """Return the instance, for a test of one whose gains are in hand."""
        made = self.make()
        if isinstance(made, TrainableInstance):
            pytest.skip("the gains of this instance are made by training")
        return made

    def trainable(self) -> TrainableInstance:
        """Return the instance, for a test of one that trains."""
        made = self.make()
        if not isinstance(made, TrainableInstance):
            pytest.skip("the gains of this instance are in hand")
        return made

    def test_declares_itself(self) -> None:
        """Its class says in words and numbers what it is, and so does an object with these options."""
        for info in (INSTANCES.load(self.instance).info, self.make().info):
            assert info.summary
            assert "\n" not in info.summary
            assert info.origin
            assert info.licence
            assert len(info.tasks) == len(set(info.tasks)) > 0
            assert not [task for task in info.tasks if task_name_flaw(task)]
            assert list(info.budgets) == sorted(set(info.budgets))
            assert min((info.default_budget, *info.budgets)) > 0
            assert info.sources
            assert info.quantity in ("gain", "loss")

    def test_knows_how_it_was_asked_for(self) -> None:
        """Its name is the one it was made by; options change no other object of the class."""
        cls = INSTANCES.load(self.instance)
        before = asdict(cls.info)
        assert self.make().name == self.instance
        assert asdict(cls.info) == before

    def test_refuses_an_unknown_option(self) -> None:
        """An option that it does not take is a usage error that names it."""
        with pytest.raises(UsageError, match="no_such_option"):
            load_instance(self.instance, self.data_dir, {"no_such_option": 1})

    def test_gains_are_as_declared(self) -> None:
        """Every source has gains of the tasks, groups, quantity and split that were declared."""
        made = self.recorded()
        for source in made.info.sources:
            gains = made.gains(source)
            assert gains.tasks == made.info.tasks
            assert gains.n_groups == made.info.n_groups
            assert gains.quantity == made.info.quantity
            assert gains.source == source
            assert gains.split == made.info.source_split

    def test_evaluation_gains_are_of_the_same_groups(self) -> None:
        """What a choice is judged on has the groups that it was made from."""
        made = self.recorded()
        judged = made.evaluation()
        assert (judged is None) == (not made.info.evaluation_split)
        if judged is not None:
            assert np.array_equal(judged.packed, made.gains().packed)
            assert judged.tasks == made.info.tasks
            assert judged.quantity == made.info.quantity
            assert judged.split == made.info.evaluation_split

    def test_gains_are_the_same_every_time(self) -> None:
        """Two objects give the same gains."""
        assert self.recorded().gains().digest == self.recorded().gains().digest

    def test_the_default_budget_pays_for_every_task(self) -> None:
        """Some choice within the default budget serves all tasks."""
        made = self.recorded()
        assert cover_cost(made.gains()) <= made.info.default_budget

    def test_refuses_an_unknown_source_and_split(self) -> None:
        """What is not recorded is a usage error."""
        made = self.recorded()
        with pytest.raises(UsageError):
            made.recorded(made.info.sources[0], ABSENT)
        with pytest.raises(UsageError):
            made.gains(ABSENT)

    def test_data_are_as_declared(self) -> None:
        """The data have the tasks that were declared, and are named as the instance is."""
        made = self.trainable()
        data = made.data()
        assert data.task_names == made.info.tasks
        assert data.name == made.name
        assert set(made.info.splits) <= set(SPLITS)

    def test_data_are_the_same_every_time(self) -> None:
        """Two objects give the same data, to the last bit: an experiment is known by them."""
        assert self.trainable().data().digest == self.trainable().data().digest

    def test_says_how_it_is_trained(self) -> None:
        """Its backbone is one that there is, and its experiment is complete."""
        made = self.trainable()
        assert made.backbone in BACKBONES.names() or ":" in made.backbone
        experiment = made.experiment()
        assert experiment.backbone == made.backbone
        assert experiment.settings == made.settings
