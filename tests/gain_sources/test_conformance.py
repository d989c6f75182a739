from __future__ import annotations

import pytest

from engine import GAIN_SOURCES
from engine.gains.source import Predictor, source_names
from engine.testing import PredictorConformance

QUICK = {"mtgnet": {"repeats": 1, "width": 8}, "gaussian-process": {"functions": 1}}


class TestPredictors(PredictorConformance):
    @pytest.fixture(autouse=True, params=[*source_names(Predictor), "gain_sources.TEMPLATE:SimilarGroups"])
    def _source(self, request: pytest.FixtureRequest) -> None:
        self.source = request.param
        self.options = QUICK.get(request.param, {})
        for module in GAIN_SOURCES.load(request.param).info.requires:
            pytest.importorskip(module)
