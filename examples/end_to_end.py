"""From data to served models: collect gains until they can be trusted, choose groups, train them for good.

    python examples/end_to_end.py digits14
    python examples/end_to_end.py etth1

``digits14`` needs no data: ten handwritten digits, one against the rest, and four tasks whose labels are
drawn at random. Nobody tells the engine which these are. ``etth1`` forecasts seven series of an electricity
transformer; weeks are drawn into training, validation and test. ``--quick`` trains little, to see that it
runs.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import engine

NEW_SEED = "1000"
"""Networks are trained for good with a seed that no promise was made from."""


ROUNDS = 5
"""How often at most to measure what a model asks for."""


@dataclass(frozen=True)
class Run:
    """How an instance is collected and solved.

    Attributes
    ----------
    groups
        What to train.
    form
        How a task in a group is compared with the task alone.
    budget
        Groups to pay for.
    asks
        Whether a model fitted on these groups names more of them, out of all there are.
    """

    groups: str
    form: str
    budget: str
    asks: bool


RUNS = {
    "digits14": Run("pairs,random:100", "log-ratio", "3", True),
    "etth1": Run("all", "relative", "3", False),
}
QUICK = ("--epochs", "2")


def call(*arguments: str) -> str:
    """Run the command line as a shell would, and return what it prints."""
    print("$ engine", shlex.join(arguments), flush=True)
    command = [sys.executable, "-m", "engine", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8", check=False)
    if done.returncode not in (0, 4):  # 4: not as reliable as wanted when the time was up
        raise SystemExit(done.returncode)
    return done.stdout


def run(name: str, folder: Path, seed: int, budget: str | None, quick: bool) -> None:
    """Collect, solve, train."""
    how, store = RUNS[name], f"sqlite:///{folder / 'gains.db'}"
    form = ("--gain-form", how.form)
    what = ("--instance", name, "--instance-option", f"seed={seed}", *form, *(QUICK if quick else ()))
    trust = ("--seeds", "2") if quick else ("--seeds", "4", "--until-reliable", "0.9", "--time-limit", "600")
    groups = "random:8" if quick else how.groups
    kept = ("--store", store, "--format", "json")
    found = json.loads(call("collect", *what, "--groups", groups, *trust, *kept))
    print(
        f"{found['trained']} runs in {found['seconds']:.0f} s: {found['groups']} groups, "
        f"{found['seeds']} seeds, reliability {found['reliability']:.2f} "
        f"({found['reliability_of_one_seed']:.2f} with one seed)\n"
    )
    url = f"{store}#{name}?form={how.form}"
    problem = ("--instance", url, "--budget", budget or how.budget)
    if how.asks:
        more = ("collect", *what, *kept, "--seeds", str(found["seeds"]), "--groups")
        measure_what_is_asked_for(problem, more, folder)
    solution = solve(folder / "solution.json", *problem)
    tell_noise(engine.open_instance(url).gains(), solution)
    report = folder / "report.json"
    good = (
        "--solution",
        str(folder / "solution.json"),
        "--output",
        str(folder / "models"),
        "--seed",
        NEW_SEED,
    )
    call("train", *what, *good, "--format", "json", "--report", str(report))
    tell_promise(json.loads(report.read_text(encoding="utf-8")))


def solve(file: Path, *problem: str) -> engine.Solution:
    """Solve, keep the solution in a file, and say what it is worth."""
    call("solve", *problem, "--format", "json", "--output", str(file))
    solution = engine.Solution.load(file)
    print(f"{solution.status}, value {solution.value:+.3f}, bound {solution.certificate.bound:+.3f}\n")
    return solution


def measure_what_is_asked_for(problem: tuple[str, ...], collect: tuple[str, ...], folder: Path) -> None:
    """Let ridge choose from all groups, measure its choice and fit it again, until nothing is new."""
    for _ in range(ROUNDS):
        known = engine.open_instance(problem[1]).gains()
        asked = solve(folder / "asked.json", *problem, "--lattice", "--gains", "ridge")
        new = ["|".join(group.tasks) for group in asked.groups if not known.find(group.tasks)]
        if not new:
            return
        call(*collect, ",".join(new))


def tell_noise(gains: engine.GainTensor, solution: engine.Solution) -> None:
    """Say what tasks of noise cost the others, and which others are served beside them."""
    noise = np.array([task.startswith("noise") for task in gains.tasks])
    if not noise.any():
        return
    dense, count = gains.dense(gains.values), gains.membership[:, noise].sum(axis=1)
    for number in range(int(noise.sum()) + 1):
        found = dense[(count == number) & (gains.sizes > 1)][:, ~noise]
        if not np.isnan(found).all():
            print(f"mean gain of a digit in groups with {number} tasks of noise: {np.nanmean(found):+.3f}")
    beside = [
        task
        for task, group in solution.serving.items()
        if not task.startswith("noise")
        and any(one.startswith("noise") for one in solution.groups[group].tasks)
    ]
    print(f"digits served beside noise: {', '.join(beside) or 'none'}\n")


def tell_promise(report: dict[str, Any]) -> None:
    """Say what was promised to every task, and what it got."""
    print(f"{'task':10}{'promised':>10}{'valid':>10}{'test':>10}  served by")
    rows = [
        (row["task"], row["promised"], row["valid_gain"], row["test_gain"], row["group"])
        for row in report["tasks"]
    ]
    mean = ("mean", report["promised_mean"], report["valid_mean"], report["test_mean"], "")
    for task, promised, valid, test, group in [*rows, mean]:
        print(f"{task:10}{promised:>+10.3f}{valid:>+10.3f}{test:>+10.3f}  {group}")
    print(f"saved in {report['folder']}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("instance", choices=sorted(RUNS), nargs="?", default="digits14")
    parser.add_argument("--folder", type=Path, default=Path(), help="where the store and the models go")
    parser.add_argument("--seed", type=int, default=0, help="of the split, and of the random labels")
    parser.add_argument("--budget", metavar="B", help="groups to pay for")
    parser.add_argument("--quick", action="store_true", help="train little")
    given = parser.parse_args()
    run(given.instance, given.folder, given.seed, given.budget, given.quick)
