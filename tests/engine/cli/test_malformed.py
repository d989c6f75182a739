from __future__ import annotations

from pathlib import Path

import pytest

from tests.malformed import Malformed, malformed_inputs

CASES = list(malformed_inputs())


@pytest.mark.parametrize("case", CASES, ids=[f"{at}-{case.kind:.40}" for at, case in enumerate(CASES)])
def test_a_malformed_input_is_one_line_on_stderr(engine, case: Malformed, tmp_path: Path) -> None:
    result = engine("solve", "--instance", case.write(tmp_path), "--solver", "greedy", "--budget", "2")
    assert result.exit_code in (2, 5), result.output
    assert result.stdout == ""
    (line,) = [one for one in result.stderr.splitlines() if one.strip()]
    assert line.startswith("engine: ")
    assert "--debug" not in line


def test_as_evaluation_gains_too(engine, tmp_path: Path) -> None:
    good = tmp_path / "good.csv"
    good.write_text("group,task,gain\na,a,0\nb,b,0\na|b,a,0.1\na|b,b,0.2\n")
    for at, case in enumerate(CASES[::5]):
        folder = tmp_path / str(at)
        folder.mkdir()
        arguments = ("--evaluate", case.write(folder), "--solver", "greedy", "--budget", "1")
        result = engine("solve", "--instance", good, *arguments)
        assert result.exit_code in (2, 5), (case, result.output)
        assert result.stderr.count("\n") == 1
