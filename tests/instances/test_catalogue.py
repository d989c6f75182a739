from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine import INSTANCES, TrainableInstance, load_instance
from engine.testing import InstanceConformance

PUBLISHED = ("mimic27", "ettm1", "taskonomy5", "standley1")
RECORDED = [name for name in INSTANCES.names() if not issubclass(INSTANCES.load(name), TrainableInstance)]
NEEDS_NOTHING = ("digits10", "digits14", "planted", "random", "toy4", "instances.TEMPLATE:ThreeTasks")


class TestWithoutData(InstanceConformance):
    @pytest.fixture(autouse=True, params=NEEDS_NOTHING)
    def _instance(self, request: pytest.FixtureRequest) -> None:
        self.instance = request.param


class TestWithPublishedData(InstanceConformance):
    @pytest.fixture(autouse=True, params=PUBLISHED)
    def _instance(self, request: pytest.FixtureRequest, data_dir: Path) -> None:
        self.instance, self.data_dir = request.param, data_dir


@pytest.mark.parametrize("name", sorted({*INSTANCES.names()} - {*NEEDS_NOTHING, *PUBLISHED}))
def test_instances_whose_data_are_elsewhere_declare_themselves(name: str) -> None:
    suite = InstanceConformance()
    suite.instance = name
    suite.test_declares_itself()
    suite.test_knows_how_it_was_asked_for()
    suite.test_refuses_an_unknown_option()


@pytest.mark.parametrize("name", RECORDED)
def test_only_measured_gains_are_told_as_measured(name: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue("data_dir") if name in PUBLISHED else None
    instance = load_instance(name, folder)
    for source in instance.info.sources:
        assert instance.gains(source).measured.all() == (source == "measured")


@pytest.mark.parametrize(
    ("name", "valid", "test"), [("mimic27", 9.184, 5.49), ("ettm1", -1.27, 2.72), ("taskonomy5", 3.47, 3.47)]
)
def test_the_full_group_gains_what_was_published(
    data_dir: Path, name: str, valid: float, test: float
) -> None:
    instance = load_instance(name, data_dir)
    gains, judged = instance.gains(), instance.evaluation()
    assert judged is not None
    (row,) = gains.find(gains.tasks)
    assert 100 * gains.gains[row].mean() == pytest.approx(valid, abs=0.005)
    assert 100 * judged.gains[row].mean() == pytest.approx(test, abs=0.005)


def test_the_test_gains_of_mimic27_are_its_valid_gains_on_another_scale(data_dir: Path) -> None:
    instance = load_instance("mimic27", data_dir)
    valid, test = instance.gains(), instance.evaluation()
    assert test is not None
    rows = (valid.sizes >= 6) & (valid.sizes <= 22)
    assert rows.sum() == 2806
    ratio = (1 + test.gains[rows]) / (1 + valid.gains[rows])
    rescaled = np.nanmedian(ratio, axis=0) * (1 + valid.gains[rows]) - 1
    assert np.nanmax(np.abs(rescaled - test.gains[rows])) < 2e-4  # both are rounded to four digits
    pairs = valid.sizes == 2
    rescaled = np.nanmedian(ratio, axis=0) * (1 + valid.gains[pairs]) - 1
    assert np.nanmax(np.abs(rescaled - test.gains[pairs])) > 0.05
    assert "no winner's curse" in instance.info.note


def test_standley1_has_half_size_networks_at_half_the_cost(data_dir: Path) -> None:
    instance = load_instance("standley1", data_dir)
    losses, judged = instance.gains(), instance.evaluation()
    assert judged is not None
    assert losses.cost.tolist() == [0.5] * 5 + [1.0] * 31
    assert losses.find(["depth"]) == (6, 1)
    assert np.diag(losses.gains[:5]).tolist() == [0.08021, 0.1739, 0.08965, 0.09264, 0.03313]
    (row,) = judged.find(judged.tasks)
    assert judged.gains[row].sum() == pytest.approx(0.50278, abs=1e-5)
    assert np.nansum(np.diag(judged.gains[5:10])) == pytest.approx(0.44774, abs=1e-3)


def test_hoa_of_standley1_keeps_singles_and_pairs_and_predicts_the_rest(data_dir: Path) -> None:
    instance = load_instance("standley1", data_dir)
    losses, hoa = instance.gains(), instance.gains("hoa")
    small = losses.sizes <= 2
    assert np.array_equal(hoa.measured, small)
    assert np.array_equal(hoa.gains[small], losses.gains[small], equal_nan=True)
    assert np.array_equal(hoa.cost, losses.cost)
    assert hoa.provenance.text.startswith("hoa fitted on measured valid losses; ")
    (row,) = hoa.find(["semantic_segmentation", "depth", "normals"])
    assert hoa.gains[row, 0] == pytest.approx((0.07858 + 0.074) / 2)


def test_the_normals_are_the_third_column_of_standley1(data_dir: Path) -> None:
    judged = load_instance("standley1", data_dir).evaluation()
    assert judged is not None
    judged = judged.select(judged.cost == 1)
    value = {
        frozenset(judged.members[judged.row(row)].tolist()): judged.gains[row]
        for row in range(judged.n_groups)
    }
    helped = [
        sum(
            value[group | {task}][other] < value[group][other]
            for group in value
            if task not in group
            for other in group
        )
        for task in range(5)
    ]
    assert helped == [0, 10, 20, 16, 9]
    worse = [
        all(value[group][2] > value[frozenset({2})][2] for group in value if 2 in group and len(group) > 1)
    ]
    assert worse == [True]
