from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from engine import DataError, UsageError, all_groups, read_affinity, read_gains
from engine.gains.formats.options import ReadOptions
from engine.gains.pair_mean import PairMeanModel


def test_the_outer_name_is_the_source_unless_said_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "affinity.json"
    path.write_text(json.dumps({"a": {"b": 0.25}, "b": {"a": 0.5}}))
    assert read_affinity(path).matrix[0, 1] == 0.25
    assert read_affinity(path, outer="recipient").matrix[0, 1] == 0.5
    with pytest.raises(UsageError, match="outer must be"):
        read_affinity(path, outer="both")  # type: ignore[arg-type]


def test_gains_of_an_affinity_are_predicted_for_every_group(tmp_path: Path) -> None:
    path = tmp_path / "affinity.json"
    path.write_text(json.dumps({"a": {"b": 1, "c": 2}, "b": {"a": 3, "c": 4}, "c": {"a": 5, "b": 6}}))
    tensor = read_gains(path)
    assert tensor.n_groups == 7
    assert not tensor.measured.any()
    assert tensor.gains[tensor.find("abc")[0]].tolist() == [4.0, 3.5, 3.0]
    assert read_gains(path, ReadOptions(tasks=["c", "a", "b"])).gains[-1].tolist() == [3.0, 4.0, 3.5]


def test_too_many_tasks_say_what_to_do(tmp_path: Path) -> None:
    names = [f"t{at}" for at in range(13)]
    path = tmp_path / "affinity.json"
    path.write_text(json.dumps({one: dict.fromkeys(names, 0.0) for one in names}))
    with pytest.raises(DataError, match=r"limit 12 tasks.*HoaModel\.from_affinity"):
        read_gains(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": {"b": 1}, "b": {"a": 1},}', "line 1: this is not JSON"),
        ('{"a": {"b": NaN}, "b": {"a": 1}}', "NaN is not a finite number"),
        ('{"a": {"b": "1"}, "b": {"a": 1}}', "tasks 'a' and 'b': '1' is not a finite number"),
        ('{"a": {}, "b": {"a": 1}}', "task 'a': the effect for 'b' is missing"),
        ('{"depth": {"edges": 1}, "edges": {"dept": 1}}', "Did you mean 'depth'"),
        ('{"a": {"b": 1, "b": 2}, "b": {"a": 1}}', "'b' stands twice"),
        ("[]", "an affinity is an object"),
    ],
)
def test_the_errors_name_the_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "affinity.json"
    path.write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        read_affinity(path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(("name", "objectives"), [("tag", (0.3217, 0.3487)), ("cosine", (1.470, 1.604))])
def test_googles_taskonomy_affinities_give_the_known_groupings(
    data_dir: Path, name: str, objectives: tuple[float, float]
) -> None:
    affinity = read_affinity(data_dir / "tag" / f"{name}_taskonomy_affinity.json", outer="recipient")
    member = all_groups(5)
    member = member[member.sum(axis=1) > 1]
    gains = np.nan_to_num(PairMeanModel.from_affinity(affinity).predict(member), nan=-np.inf)
    expected = {
        2: [{"key_l", "edge2d_l"}, {"ss_l", "depth_l", "norm_l"}],
        3: [{"ss_l", "depth_l"}, {"depth_l", "norm_l"}, {"key_l", "edge2d_l"}],
    }
    for count, objective in zip((2, 3), objectives, strict=True):
        values = {
            rows: gains[list(rows)].max(axis=0).mean() for rows in itertools.combinations(range(26), count)
        }
        best = max(values, key=values.__getitem__)
        groups = [{affinity.tasks[task] for task in np.flatnonzero(member[row])} for row in best]
        assert sorted(map(sorted, groups)) == sorted(map(sorted, expected[count]))
        assert values[best] == pytest.approx(objective, abs=5e-4)
