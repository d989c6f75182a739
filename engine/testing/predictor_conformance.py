"""The conformance suite for gain sources that predict: a class of tests to inherit.

::

    from engine.testing import PredictorConformance


    class TestMyPredictor(PredictorConformance):
        source = "my_package.my_source:MyPredictor"
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import is_dataclass
from typing import Any

import numpy as np
import pytest

from engine.errors import DataError, UsageError
from engine.gains.model import GainModel, PosteriorModel, UncertainModel, all_groups
from engine.gains.source import Predictor, make_gain_source
from engine.gains.tensor import GainTensor
from engine.plugins import GAIN_SOURCES

TASKS = ("a", "b", "c", "d", "e", "f")


def known_gains(seed: int = 0) -> GainTensor:
    """Return gains of all singles and pairs and some larger groups of six tasks, with errors."""
    random = np.random.default_rng(seed)
    groups = all_groups(len(TASKS))
    sizes = groups.sum(axis=1)
    kept = groups[(sizes <= 2) | (random.random(len(groups)) < 0.4)]
    effects = random.normal(0.0, 0.05, (len(TASKS), len(TASKS)))
    values = (kept @ effects - kept * np.diag(effects)) / np.maximum(kept.sum(axis=1, keepdims=True) - 1, 1)
    values += random.normal(0.0, 0.01, values.shape)
    single = kept.sum(axis=1, keepdims=True) == 1
    std = np.where(single, 0.0, 0.01)
    return GainTensor.from_dense(
        TASKS,
        kept,
        np.where(kept & ~single, values, 0.0),
        std=np.broadcast_to(std, values.shape),
        split="valid",
    )


class PredictorConformance:
    """What every gain source that predicts must do; the tests of a source inherit it.

    Attributes
    ----------
    source
        A registered name, or ``"module:Class"``.
    options
        Its options, for instance those that make it quick.
    """

    source: str
    options: Mapping[str, Any] = {}

    def make(self) -> Predictor:
        """Return the source."""
        return make_gain_source(self.source, Predictor, self.options)

    def model(self) -> GainModel:
        """Return what it makes of some gains."""
        return self.make().fit(known_gains())

    def test_declares_itself(self) -> None:
        """It says what it is in one line, and its options are the fields of a frozen dataclass."""
        cls = GAIN_SOURCES.load(self.source)
        assert cls.info.summary
        assert "\n" not in cls.info.summary
        assert is_dataclass(cls)
        with pytest.raises(AttributeError):
            self.make().no_such_field = 1  # type: ignore[attr-defined]

    def test_refuses_an_unknown_option(self) -> None:
        """An option that it does not take is a usage error that names it."""
        with pytest.raises(UsageError, match="no_such_option"):
            make_gain_source(self.source, Predictor, {"no_such_option": 1})

    def test_predicts_every_group(self) -> None:
        """Every member of every group has a finite prediction, and nothing else has one."""
        model, groups = self.model(), all_groups(len(TASKS))
        assert isinstance(model, GainModel)
        assert model.tasks == TASKS
        assert model.source
        predicted = model.predict(groups)
        assert predicted.shape == groups.shape
        assert np.array_equal(np.isfinite(predicted), groups)

    def test_predicts_each_group_on_its_own(self) -> None:
        """What is predicted for a group depends neither on the groups beside it nor on their order."""
        model, groups = self.model(), all_groups(len(TASKS))
        together = model.predict(groups)
        assert np.allclose(model.predict(groups[::-1])[::-1], together, equal_nan=True)
        assert np.allclose(model.predict(groups[7:8]), together[7:8], equal_nan=True)

    def test_predicts_the_same_every_time(self) -> None:
        """Two fits on the same gains predict the same."""
        groups = all_groups(len(TASKS))
        assert np.array_equal(self.model().predict(groups), self.model().predict(groups), equal_nan=True)

    def test_leaves_what_it_is_given_alone(self) -> None:
        """Fitting and predicting change neither gains nor groups."""
        gains, groups = known_gains(), all_groups(len(TASKS))
        before = gains.digest
        self.make().fit(gains).predict(groups)
        assert gains.digest == before
        assert np.array_equal(groups, all_groups(len(TASKS)))

    def test_learns(self) -> None:
        """On groups that it knows it is nearer to their gains than their mean is."""
        gains = known_gains()
        groups = gains.membership & (gains.sizes > 1)[:, None]
        rows = groups.any(axis=1)
        error = np.nanmean(np.abs(self.model().predict(groups[rows]) - gains.gains[rows]))
        spread = np.nanmean(np.abs(gains.gains[rows] - np.nanmean(gains.gains[rows])))
        assert error < spread

    def test_starts_from_what_it_knew(self) -> None:
        """A fit on more gains, from one on fewer, predicts every group."""
        gains, groups = known_gains(), all_groups(len(TASKS))
        source = self.make()
        before = source.fit(gains.select(gains.sizes <= 2))
        assert np.array_equal(np.isfinite(source.refit(gains, before).predict(groups)), groups)

    def test_refuses_gains_that_do_not_do(self) -> None:
        """Single-task gains alone tell nothing of groups: a data error, or a prediction all the same."""
        gains, groups = known_gains(), all_groups(len(TASKS))
        alone = gains.select(gains.sizes == 1)
        with suppress(DataError):
            assert np.array_equal(np.isfinite(self.make().fit(alone).predict(groups)), groups)

    def test_errors_are_errors(self) -> None:
        """A model that knows how sure it is says so for every member, by numbers of 0 or more."""
        model, groups = self.model(), all_groups(len(TASKS))
        if not isinstance(model, UncertainModel):
            pytest.skip("the model does not know how sure it is")
        std = model.std(groups)
        assert not np.isfinite(std[~groups]).any()
        assert (std[np.isfinite(std)] >= 0).all()

    def test_draws_are_of_the_posterior(self) -> None:
        """Draws of a posterior have its shape, and their mean is near the prediction."""
        model, groups = self.model(), all_groups(len(TASKS))[-8:]
        if not isinstance(model, PosteriorModel):
            pytest.skip("the model has no posterior")
        drawn = model.sample(groups, 400, np.random.default_rng(0))
        assert drawn.shape == (400, *groups.shape)
        std = np.nanmax(model.std(groups))
        assert np.nanmax(np.abs(drawn.mean(axis=0) - model.predict(groups))) < std
