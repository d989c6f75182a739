from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine import DataError, GainTensor, Predictor, load_instance, make_gain_source
from gain_sources.hoa import Hoa, HoaModel


def test_hoa_is_found_by_name() -> None:
    assert isinstance(make_gain_source("hoa", Predictor), Hoa)
    assert HoaModel.__name__ == "PairMeanModel"


@pytest.mark.parametrize(
    ("name", "tolerance"), [("mimic27", 5.3e-5), ("ettm1", 5.1e-5), ("taskonomy5", 1.33e-3)]
)
def test_the_published_hoa_files_follow_from_the_measured_pairs(
    data_dir: Path, name: str, tolerance: float
) -> None:
    instance = load_instance(name, data_dir)
    predicted = Hoa().fit(instance.gains()).predict(instance.gains().membership)
    assert np.nanmax(np.abs(predicted - instance.gains("hoa").gains)) < tolerance


@pytest.mark.parametrize("name", ["mimic27", "ettm1", "taskonomy5"])
def test_the_published_tag_files_follow_from_their_own_pairs(data_dir: Path, name: str) -> None:
    published = load_instance(name, data_dir).gains("tag")
    predicted = Hoa().fit(published).predict(published.membership)
    assert np.nanmax(np.abs(predicted - published.gains)) < 7.6e-5


def test_a_tensor_without_all_pairs_is_refused() -> None:
    with pytest.raises(DataError, match=r"pair a\|b is missing"):
        Hoa().fit(GainTensor.from_groups([{"a": 0.0}, {"b": 0.0}]))
