from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import DataError, GainTensor, UsageError
from engine.gains.bits import duplicate_rows, pack_rows
from tests.strategies import tensors

BASIC = GainTensor.from_groups([{"a": 0.0}, {"a": 0.1, "b": 0.2}, {"b": 0.0}])


def test_members_have_values_and_others_have_none() -> None:
    assert BASIC.membership.tolist() == [[True, False], [True, True], [False, True]]
    assert np.isnan(BASIC.gains[0, 1])
    assert BASIC.gains[1].tolist() == [0.1, 0.2]
    assert BASIC.label(1) == "a|b"
    assert BASIC.find(["b", "a"]) == (1,)
    assert BASIC.find(["b"]) == (2,)


def test_a_tensor_cannot_be_changed() -> None:
    for array in (BASIC.values, BASIC.members, BASIC.cost, BASIC.gains, BASIC.membership):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_the_callers_arrays_stay_his_own() -> None:
    values = np.array([0.0, 0.1])
    tensor = GainTensor(("a", "b"), np.array([0, 1, 2]), np.array([0, 1]), values, single_task_baseline=False)
    values[0] = 5
    assert tensor.values[0] == 0


@pytest.mark.parametrize(
    ("membership", "values", "message"),
    [
        ([[1, 0, 2]], [[0, 0, 0]], "Row 1, column 3: membership must be 0 or 1"),
        ([[1, 1, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 0]], "Row 2: the group is empty"),
        ([[1, 1, 0]], [[0, 0, 0.5]], "Row 1, task 'c': gain 0.5 is given but"),
        ([[1, 1, 0]], [[0, np.nan, 0]], r"Row 1 \(a\|b\), task 'b': the gain is nan"),
        ([[1, 1, 0]], [[0, np.inf, 0]], "the gain is inf"),
        ([[1, 1, 0]], [[0, 1e16, 0]], "of magnitude 1e\\+15 at most"),
        ([[1, 0, 0]], [[0.5, 0, 0]], "a single-task group has gain 0.5"),
        ([[1, 1, 0], [1, 1, 0]], [[0, 0, 0], [0, 0, 0]], "Rows 1 and 2 are the same group"),
        ([[1, 1]], [[0, 0]], "2 columns but there are 3 task names"),
        ([[1, 1, 0]], [[0, 0]], "shape"),
    ],
)
def test_a_broken_invariant_names_row_and_task(membership: object, values: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        GainTensor.from_dense(("a", "b", "c"), membership, values)  # type: ignore[arg-type]


def test_what_is_no_list_of_groups_is_told_so() -> None:
    with pytest.raises(UsageError, match=r"not a mapping.*list\(groups.values\(\)\)"):
        GainTensor.from_groups({"a|b": {"a": 0.1, "b": 0.2}})
    with pytest.raises(UsageError, match=r"one \{task: gain\} per group, not \('a', 'b'\)"):
        GainTensor.from_groups([("a", "b")])  # type: ignore[list-item]
    with pytest.raises(DataError, match=r"Row 1, task 'a': the gain '0\.1' is not a number"):
        GainTensor.from_groups([{"a": "0.1"}])  # type: ignore[dict-item]
    with pytest.raises(DataError, match="must be matrices of numbers"):
        GainTensor.from_dense(["a"], [[1]], [["x"]])
    with pytest.raises(DataError, match="Standard errors have shape"):
        GainTensor.from_dense(["a"], [[1]], [[0.0]], std=[[0.1, 0.2]])


@pytest.mark.parametrize("name", ["", " ", "a|b", " a", "a ", "a\nb", "\ud800", 3])
def test_a_task_name_must_survive_every_format(name: object) -> None:
    with pytest.raises(DataError, match="Task name"):
        GainTensor.from_dense([name], [[1]], [[0]])  # type: ignore[list-item]


def test_the_same_group_may_stand_at_two_costs() -> None:
    tensor = GainTensor.from_dense(["a"], [[1], [1]], [[0.3], [0.2]], cost=[0.5, 1], quantity="loss")
    assert tensor.find(["a"]) == (1, 0)  # the standard network stands for them


def test_costs_and_errors_are_checked() -> None:
    for change in ({"cost": [1, -1, 1]}, {"cost": [1, np.nan, 1]}, {"std": [0, 0, -1, 0]}, {"cost": [1, 1]}):
        with pytest.raises(DataError):
            replace(BASIC, **change)
    assert np.isnan(replace(BASIC, std=[0, np.nan, 1, 0]).std).sum() == 1  # type: ignore[arg-type]


def test_an_unknown_task_is_a_usage_error_with_a_guess() -> None:
    tensor = GainTensor.from_groups([{"depth": 0.0}])
    with pytest.raises(UsageError, match="Did you mean 'depth'"):
        tensor.find(["dept"])


@settings(max_examples=60, deadline=None)
@given(tensor=tensors(), data=st.data())
def test_selected_rows_are_those_rows(tensor: GainTensor, data: st.DataObject) -> None:
    rows = data.draw(st.permutations(range(tensor.n_groups)))
    chosen = tensor.select(rows)
    assert np.array_equal(chosen.gains, tensor.gains[rows], equal_nan=True)
    assert np.array_equal(chosen.cost, tensor.cost[rows])
    mask = np.arange(tensor.n_groups) % 2 == 0
    assert tensor.select(mask).n_groups == mask.sum()


@settings(max_examples=60, deadline=None)
@given(tensor=tensors())
def test_the_dense_form_gives_the_same_tensor(tensor: GainTensor) -> None:
    again = GainTensor.from_dense(
        tensor.tasks,
        tensor.membership,
        tensor.gains,
        std=None if tensor.std is None else tensor.dense(tensor.std),
        cost=tensor.cost,
        measured=tensor.measured,
        quantity=tensor.quantity,
        single_task_baseline=tensor.single_task_baseline,
    )
    assert again.digest == tensor.digest


def test_membership_is_packed_beyond_64_tasks() -> None:
    packed = pack_rows(np.array([0, 3, 4]), np.array([0, 63, 64, 129]), 130)
    assert packed.tolist() == [[1 + 2**63, 1, 0], [0, 0, 2]]


def test_duplicates_are_found_in_order_of_the_second() -> None:
    packed = np.array([[1], [2], [2], [1]], dtype=np.uint64)
    assert duplicate_rows(packed, np.ones(4)) == (1, 2)
    assert duplicate_rows(packed, np.arange(4.0)) is None


def test_the_long_frame_has_a_line_per_member() -> None:
    frame = BASIC.to_frame()
    assert list(frame.columns) == ["group", "task", "gain", "cost", "measured"]
    assert frame["group"].tolist() == ["a", "a|b", "a|b", "b"]


def test_the_labelled_dataset_holds_the_values() -> None:
    dataset = pytest.importorskip("xarray") and BASIC.to_xarray()
    assert float(dataset["gain"].sel(group="a|b", task="b")) == 0.2
