from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import numpy as np
import pytest

from engine.cli.telling.output import amount, check_output, emit_csv, emit_json, gap_percent, number, percent
from engine.errors import DataError, UsageError
from engine.files import write_text


def test_json_holds_no_number_that_json_lacks(capsys) -> None:
    emit_json({"a": float("inf"), "b": [np.float64(1.5), np.int64(2)], 3: (True, None), "κ": Path("x")}, None)
    text = capsys.readouterr().out
    assert json.loads(text) == {"a": None, "b": [1.5, 2], "3": [True, None], "κ": "x"}


def test_csv_leaves_the_unknown_empty(capsys) -> None:
    emit_csv(("a", "b", "c"), [{"a": None, "b": True, "c": 0.1}, {"a": "x,y"}], None)
    assert capsys.readouterr().out == 'a,b,c\n,true,0.1\n"x,y",,\n'


def test_numbers_as_people_read_them() -> None:
    assert (percent(0.12134), percent(None), percent(-0.0)) == ("12.134", "–", "0.000")
    assert (number(1.5), number(None), number(2, 1)) == ("1.500000", "–", "2.0")
    assert (amount(0.05, "gain"), amount(0.05, "loss")) == ("5.000", "0.050000")
    assert gap_percent(4e-10, "OPTIMAL") == "0"
    assert gap_percent(4e-10, "FEASIBLE") == "4e-08"
    assert gap_percent(0.0123, "FEASIBLE") == "1.23"
    assert gap_percent(None, "NONE") == "–"


def test_a_path_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    check_output(None)
    check_output(tmp_path / "new.txt")
    with pytest.raises(UsageError, match="folder"):
        check_output(tmp_path)
    with pytest.raises(UsageError, match="no folder"):
        check_output(tmp_path / "no" / "new.txt")


def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    write_text(tmp_path / "ours", "x")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode
    (tmp_path / "ours").chmod(0o640)
    write_text(tmp_path / "ours", "y")
    assert stat.S_IMODE((tmp_path / "ours").stat().st_mode) == 0o640


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="cannot be replaced"):
        write_text(tmp_path / "pipe", "x")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
