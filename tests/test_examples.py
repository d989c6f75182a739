"""Every script of examples/ runs and prints what it is for; so does the third-party solver, installed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import HANGING

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
PACKAGE = EXAMPLES / "third_party_solver"


def run(script: str, *arguments: str, cwd: Path, data: Path | None = None) -> str:
    environment = {key: value for key, value in os.environ.items() if key != "ENGINE_DATA"}
    environment |= {"HOME": str(cwd), "XDG_CACHE_HOME": str(cwd)}  # no data from a cache either
    if data is not None:
        environment["ENGINE_DATA"] = str(data)
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / script), *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=HANGING,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_digits_from_data_to_served_models(tmp_path: Path) -> None:
    printed = run("end_to_end.py", "digits14", "--quick", "--seed", "1", cwd=tmp_path)
    assert "44 runs" in printed
    assert ": 22 groups, 2 seeds" in printed
    assert printed.count("--lattice --gains ridge") >= 2
    assert re.search(r"groups with \d tasks of noise: [+-]\d\.\d+", printed)
    check_promises(printed, tmp_path, 14)
    beside = re.search(r"digits served beside noise: (.*)", printed)
    assert beside
    for task, *_, group in promises(printed):
        if task.startswith("digit"):
            assert ("noise" in group) == (task in beside[1].split(", ")), task


def test_series_from_data_to_served_models(tmp_path: Path, data_dir: Path) -> None:
    printed = run("end_to_end.py", "etth1", "--quick", cwd=tmp_path, data=data_dir)
    assert ": 15 groups, 2 seeds" in printed
    assert "noise" not in printed
    check_promises(printed, tmp_path, 7)


def promises(printed: str) -> list[tuple[str, ...]]:
    """Return task, promised gain, gain on valid, gain on test and group."""
    return re.findall(r"^(\w+) +([+-]\S+) +([+-]\S+) +([+-]\S+)  (\S+)$", printed, re.MULTILINE)


def check_promises(printed: str, folder: Path, tasks: int) -> None:
    assert re.search(r"reliability -?0\.\d\d \(-?0\.\d\d with one seed\)", printed)
    assert printed.count("OPTIMAL, value ") == printed.count("$ engine solve")
    found = promises(printed)
    assert len(found) == tasks
    solution = json.loads((folder / "solution.json").read_text(encoding="utf-8"))
    for task, promised, _, _, group in found:
        assert float(promised) == pytest.approx(solution["task_values"][task], abs=6e-4)
        assert task in group.split("|")
    mean = re.search(r"^mean +([+-]\S+) +([+-]\S+) +([+-]\S+) *$", printed, re.MULTILINE)
    assert mean
    for column in (1, 2, 3):
        each = [float(row[column]) for row in found]
        assert float(mean[column]) == pytest.approx(sum(each) / tasks, abs=1e-3)
    assert len(list((folder / "models").glob("*.safetensors"))) == len({row[4] for row in found})


def test_every_script_is_run_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    for script in EXAMPLES.glob("*.py"):
        assert f'run("{script.name}"' in text, script.name


def test_custom_objective(tmp_path: Path) -> None:
    lines = run("custom_objective.py", cwd=tmp_path).splitlines()
    for budget in range(1, 5):
        three = [
            line.split() for line in lines if line.startswith(f"budget {budget}  ") and "all" not in line
        ]
        assert len(three) == 3
        assert {(status, value) for *_, status, value in three} == {("OPTIMAL", three[0][-1])}
    everywhere = [line.split() for line in lines if "all 15 groups" in line]
    assert [status for *_, status, _ in everywhere] == ["OPTIMAL"] * 4
    assert "59.00" in lines[5]


def test_device_limits(tmp_path: Path) -> None:
    text = run("device_limits.py", cwd=tmp_path)
    assert re.findall(r"^([\w ]+): OPTIMAL, value ([\d.]+)$", text, re.MULTILINE) == [
        ("no limits", "0.4000"),
        ("memory", "0.3500"),
        ("memory and latency", "0.1900"),
    ]
    assert re.findall(r"a request +(\d+) ms", text) == ["19", "13", "11"]
    assert "INFEASIBLE: 3 tasks at once within 11 ms and groups of at most 1 tasks" in text


@pytest.mark.parametrize("instance", ["toy4", "planted"])
def test_training_makespan(instance: str, tmp_path: Path) -> None:
    text = run("training_makespan.py", instance, f"{HANGING}", cwd=tmp_path)
    found = {line.split()[0]: line.split() for line in text.splitlines()}
    value, bound = (float(found["milp"][at]) for at in (3, 5))
    assert value == pytest.approx(bound, abs=1e-3)
    assert found["milp"][1] == "OPTIMAL"
    assert float(found["local-search"][3]) <= bound
    assert float(found["local-search"][3]) >= 0.98 * bound
    if instance == "toy4":
        assert found["brute-force"][3] == found["milp"][3] == found["local-search"][3]


def rows(text: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if re.match(r"\| \d", line)
    ]


def check_prices(table: list[list[str]]) -> None:
    for _, best, worst, spared, price, fair, level, fair_price in table:
        assert float(level) >= float(worst)
        assert float(fair) <= float(best)
        if spared != "–":
            assert float(spared) <= float(best)
            assert float(level) >= 0
            assert price == "–" or float(price) >= 0
        else:
            assert float(level) < 0
        if fair_price != "–":
            assert 0 <= float(fair_price) <= 100


def test_price_of_fairness_without_data(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    text = run("price_of_fairness.py", "--output", "fair.png", "--most", "6", cwd=tmp_path)
    assert "the data of mimic27 are not here" in text
    assert text.count("planted") == 2
    assert len(rows(text)) == 6
    check_prices(rows(text))
    assert (tmp_path / "fair.png").stat().st_size > 10_000


def test_price_of_fairness_on_mimic27_is_as_documented(tmp_path: Path, data_dir: Path) -> None:
    pytest.importorskip("matplotlib")
    text = run("price_of_fairness.py", "--output", "fair.png", "--most", "8", cwd=tmp_path, data=data_dir)
    assert rows(text) == rows((ROOT / "docs" / "fairness.md").read_text(encoding="utf-8"))
    check_prices(rows(text))


def test_the_third_party_solver_is_found_used_and_passes_its_own_tests(tmp_path: Path) -> None:
    target = tmp_path / "installed"
    pip = "-m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index"
    python(f"{pip} --target {target} {PACKAGE}", target)
    assert not list(PACKAGE.rglob("*.egg-info"))
    listed = python("-m engine solvers --format csv", target)
    assert re.search(r"^threshold-accepting,false,true,80,", listed, re.MULTILINE)
    assert "threshold-accepting" not in python("-m engine solvers --format csv", tmp_path)
    solved = python("-m engine solve --instance toy4 --solver threshold-accepting", target)
    assert re.search(r"^value +0\.350000$", solved, re.MULTILINE)
    assert "solver     threshold-accepting" in solved
    tested = python(f"-m pytest -q -p no:cacheprovider {PACKAGE / 'tests'}", target)
    assert re.search(r"\d\d passed", tested)
    assert "failed" not in tested


def python(arguments: str, path: Path) -> str:
    done = subprocess.run(
        [sys.executable, *arguments.split()],
        cwd=path.parent,
        env={**os.environ, "PYTHONPATH": str(path), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=HANGING,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
