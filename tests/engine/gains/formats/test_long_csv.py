from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from engine import DataError, GainTensor, read_gains, write_gains
from engine.gains.formats.options import ReadOptions

BASIC = "group,task,gain\na,a,0\nb,b,0\nb|a,a,0.1\nb|a,b,-0.2\n"


def read(folder: Path, text: str, **options: object) -> GainTensor:
    path = folder / "gains.csv"
    path.write_bytes(text.encode())
    return read_gains(path, ReadOptions(**options))


def refusal(folder: Path, text: str, **options: object) -> str:
    with pytest.raises(DataError) as caught:
        read(folder, text, **options)
    return str(caught.value).replace(f"{folder}/", "")


def test_tasks_stand_in_order_of_first_appearance_unless_given(tmp_path: Path) -> None:
    text = "group,task,gain\nb|a,a,0.1\nb|a,b,-0.2\n"
    assert read(tmp_path, text).tasks == ("b", "a")
    tensor = read(tmp_path, text, tasks=["a", "b"])
    assert tensor.tasks == ("a", "b")
    assert tensor.values.tolist() == [0.1, -0.2]


def test_lines_of_a_group_may_stand_anywhere_and_name_it_in_any_order(tmp_path: Path) -> None:
    tensor = read(tmp_path, "group,task,gain\na|b,a,1\nb,b,0\n b | a ,b,2\n")
    assert tensor.n_groups == 2
    assert tensor.gains[0].tolist() == [1, 2]


@pytest.mark.parametrize(
    "text", [BASIC.replace("\n", "\r\n"), "\ufeff" + BASIC, "\n" + BASIC.replace("\n", "\n\n")]
)
def test_line_ends_a_byte_order_mark_and_blank_lines_do_not_matter(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text).digest == read(tmp_path, BASIC).digest


def test_losses_costs_errors_and_flags_are_read(tmp_path: Path) -> None:
    tensor = read(tmp_path, "cost,task,group,loss,measured,std\n.5,a,a,0.3,no,\n1,a,a,0.2,yes,0.01\n")
    assert tensor.quantity == "loss"
    assert tensor.cost.tolist() == [0.5, 1.0]
    assert tensor.measured.tolist() == [False, True]
    assert tensor.std is not None
    assert np.isnan(tensor.std[0])
    assert tensor.std[1] == 0.01


def test_quoted_names_may_hold_commas_and_quotes(tmp_path: Path) -> None:
    assert read(tmp_path, 'group,task,gain\n"a, ""b""","a, ""b""",0\n').tasks == ('a, "b"',)


def test_the_errors_name_file_line_and_task(tmp_path: Path) -> None:
    assert refusal(tmp_path, BASIC + "a,b,0.1\n").startswith(
        "gains.csv, line 6, task 'b': gain outside the group: the task is not a member of 'a'"
    )
    assert refusal(tmp_path, BASIC + "b|a,a,0.3\n").startswith(
        "gains.csv, lines 4 and 6: task 'a' of group 'b|a' stands twice"
    )
    assert refusal(tmp_path, BASIC.replace("-0.2", "nan")).startswith(
        "gains.csv, line 5, task 'b': the gain 'nan' is not a finite number"
    )
    assert "line 4: the group 'a|b' has no line for its member 'b'" in refusal(
        tmp_path, BASIC.replace("b|a,b,-0.2\n", "")
    )
    assert "line 2: 2 cells, but the header has 3 columns" in refusal(tmp_path, "group,task,gain\na,a\n")
    assert "there is no column 'task'" in refusal(tmp_path, "group,gain\na,0\n")
    assert "line 3, task 'b': a single-task group has gain 0.5" in refusal(
        tmp_path, BASIC.replace("b,b,0", "b,b,0.5")
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            BASIC.replace(",", ";"),
            "line 1: the header is 'group;task;gain': its cells are separated by semicolons; separate them "
            "by commas, and write numbers with a point",
        ),
        (
            BASIC.replace(",", "\t"),
            "separated by tabs; separate them by commas .or name a file with tabs .tsv",
        ),
        (
            BASIC.replace("group,task,gain", "Group,Task,Gain"),
            "line 1: the header is 'Group,Task,Gain': write its names in lower case",
        ),
        (
            BASIC.removeprefix("group,task,gain\n"),
            "line 1: there is no header: the first line is 'a,a,0'. Put 'group,task,gain' above it",
        ),
        ("a;a;0,1\n", "the header is 'a;a;0,1': its cells are separated by semicolons"),
        (
            ",group,task,gain\n0,a,a,0\n",
            "the header is ',group,task,gain': column 1 looks like the index of a data frame",
        ),
        ("Unnamed: 0,group,task,gain\n0,a,a,0\n", "column 1 looks like the index .*index=False"),
        (
            BASIC.replace("0.1", "0,1"),
            "line 4: 4 cells, but the header has 3 columns. If this is a decimal comma",
        ),
        (
            BASIC.replace("0.1", '"0,1"'),
            "line 4, task 'a': the gain '0,1' is not a finite number. If this is a",
        ),
        ("groups,task,gain\na,a,0\n", "there is no column 'group' in 'groups,task,gain'"),
    ],
)
def test_common_mistakes_are_named(tmp_path: Path, text: str, message: str) -> None:
    assert re.search(message, refusal(tmp_path, text))


def test_a_file_with_tabs_is_read_and_written_as_tsv(tmp_path: Path) -> None:
    path = tmp_path / "gains.tsv"
    tensor = read(tmp_path, BASIC)
    write_gains(tensor, path)
    assert path.read_text().startswith("group\ttask\tgain\tcost\tmeasured\n")
    assert read_gains(path).digest == tensor.digest
    path.write_text(BASIC)
    with pytest.raises(DataError, match="separated by commas; separate them by tabs"):
        read_gains(path)


def test_given_tasks_make_an_unknown_name_an_error_with_a_guess(tmp_path: Path) -> None:
    text = BASIC.replace("a", "depth").replace("gdepthin", "gain").replace("tdepthsk", "task")
    assert "Did you mean 'depth_map'?" in refusal(tmp_path, text, tasks=["depth_map", "b"])


def test_a_given_task_without_any_group_is_refused(tmp_path: Path) -> None:
    assert "no group holds the task 'c'" in refusal(tmp_path, BASIC, tasks=["a", "b", "c"])


def test_duplicates_are_merged_on_request_by_mean_and_error_of_the_mean(tmp_path: Path) -> None:
    text = "group,task,gain,std,measured\na|b,a,0.1,0.03,true\na|b,b,0.5,,true\n"
    text += "b|a,a,0.2,0.04,false\nb|a,b,0.7,1,true\n"
    tensor = read(tmp_path, text, merge_duplicates=True)
    assert tensor.n_groups == 1
    assert tensor.values == pytest.approx([0.15, 0.6])
    assert tensor.std is not None
    assert tensor.std[0] == pytest.approx(0.025)
    assert np.isnan(tensor.std[1])
    assert not tensor.measured[0]
