from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings

from engine import (
    Budget,
    DataError,
    FileInstance,
    GainTensor,
    Problem,
    TotalGain,
    TotalLoss,
    UsageError,
    load_instance,
    open_instance,
    solve,
    write_gains,
)
from engine.gains.cover import cover_cost
from engine.gains.formats.options import ReadOptions
from tests.strategies import tensors


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    instance = load_instance("toy4")
    write_gains(instance.gains(), tmp_path / "mine.csv")
    evaluation = instance.evaluation()
    assert evaluation is not None
    write_gains(evaluation, tmp_path / "test.npz")
    return tmp_path


def test_everything_about_a_file_is_computed_from_its_gains(toy: Path) -> None:
    instance = FileInstance(toy / "mine.csv")
    assert instance.name == "mine"
    assert instance.info.tasks == ("cat", "dog", "car", "bus")
    assert instance.info.n_groups == 12
    assert instance.info.default_budget == 1
    assert instance.info.budgets == (1, 2, 3, 4)
    assert instance.info.splits == ()
    assert instance.gains().split == ""
    assert instance.evaluation() is None
    assert instance.gains("hoa").source == "hoa"


def opened(folder: Path, groups: list[dict[str, float]], **attributes: Any) -> FileInstance:
    write_gains(GainTensor.from_groups(groups, **attributes), folder / "mine.npz")
    return FileInstance(folder / "mine.npz")


def test_the_default_budget_pays_for_groups_that_hold_every_task(tmp_path: Path) -> None:
    names = [f"t{number}" for number in range(8)]
    pairs = opened(tmp_path, [dict.fromkeys(pair, 0.1) for pair in combinations(names, 2)])
    assert pairs.info.default_budget == 4
    assert pairs.info.budgets == tuple(range(1, 9))
    singles = opened(tmp_path, [{name: 0.0} for name in names])
    assert singles.info.default_budget == 8
    whole = opened(tmp_path, [dict.fromkeys(names, 0.1), *({name: 0.0} for name in names)])
    assert whole.info.default_budget == 2
    for instance in (pairs, singles, whole):
        problem = Problem(instance.gains(), constraints=(Budget(instance.info.default_budget),))
        assert solve(problem, "brute-force").found


def test_budgets_count_in_groups_of_median_cost(tmp_path: Path) -> None:
    groups = [{"a": 0.1, "b": 0.1}, {"b": 0.1, "c": 0.1}, {"a": 0.1, "c": 0.1}]
    dear = opened(tmp_path, groups, cost=np.array([30.0, 30.0, 20.0]))
    assert dear.info.default_budget == 50
    assert dear.info.budgets == (30, 50, 60, 90)
    cheap = opened(tmp_path, groups, cost=np.array([0.1, 0.1, 0.1]))
    assert cheap.info.budgets == (0.1, 0.2, 0.3)
    free = opened(tmp_path, groups, cost=np.zeros(3))
    assert free.info.default_budget == 1
    for instance in (dear, cheap, free):
        problem = Problem(instance.gains(), constraints=(Budget(instance.info.default_budget),))
        assert solve(problem, "brute-force").found


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(tensor=tensors())
def test_the_cover_is_affordable(tensor: GainTensor) -> None:
    assume(not tensor.uncovered)
    limit = max(cover_cost(tensor), 1e-9)
    objective = TotalGain() if tensor.quantity == "gain" else TotalLoss()
    assert solve(Problem(tensor, objective, (Budget(limit),)), "brute-force").found


def test_evaluation_gains_are_brought_to_the_order_of_the_tasks(toy: Path) -> None:
    (toy / "turned.csv").write_text(
        "group,task,gain\nbus|car|dog|cat,bus,.1\n"
        + "".join(f"bus|car|dog|cat,{task},.2\n" for task in ("car", "dog", "cat"))
    )
    instance = FileInstance(toy / "mine.csv", toy / "turned.csv")
    judged = instance.evaluation()
    assert judged is not None
    assert judged.tasks == instance.info.tasks
    assert judged.values.tolist() == [0.2, 0.2, 0.2, 0.1]
    assert instance.info.splits == ("source", "evaluation")
    stored = FileInstance(toy / "mine.csv", toy / "test.npz").evaluation()
    assert stored is not None
    assert stored.split == "test"


def test_evaluation_gains_of_other_tasks_are_refused_with_a_guess(toy: Path) -> None:
    (toy / "other.csv").write_text("group,task,gain\ncats,cats,0\n")
    with pytest.raises(DataError, match=r"other\.csv, line 2.*Did you mean 'cat'"):
        FileInstance(toy / "mine.csv", toy / "other.csv")


def test_losses_cannot_judge_gains(toy: Path) -> None:
    (toy / "loss.csv").write_text(
        "group,task,loss\n" + "".join(f"{t},{t},1\n" for t in ("cat", "dog", "car", "bus"))
    )
    with pytest.raises(UsageError, match="same quantity"):
        FileInstance(toy / "mine.csv", toy / "loss.csv")


def test_a_catalogue_name_wins_over_a_file(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(toy)
    (toy / "toy4").write_text("nothing")
    assert open_instance("toy4").info.n_groups == 12
    with pytest.raises(UsageError, match="comes from the catalogue"):
        open_instance("toy4", options=ReadOptions(merge_duplicates=True))


def test_what_looks_like_a_path_is_read_as_a_file(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(toy)
    assert isinstance(open_instance("mine.csv"), FileInstance)
    assert isinstance(open_instance("./mine.csv"), FileInstance)
    for absent in ("absent.csv", "sub/absent.csv", "x,y"):
        with pytest.raises(DataError, match="no such file"):
            open_instance(absent)
    assert open_instance("instances.toy4:Toy4").info.n_groups == 12


def test_anything_else_is_an_unknown_instance_with_a_guess() -> None:
    with pytest.raises(UsageError, match="Did you mean 'mimic27'"):
        open_instance("mimic72")
