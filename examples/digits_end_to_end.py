"""From data to served models: collect gains until they can be trusted, choose groups, train them for good.

Ten handwritten digits, one against the rest, and four tasks whose labels are noise. With the settings of the
instance nearly every group costs its digits something: the single-task losses are tiny, and the relative
gains large and negative. What the budget buys is the least loss. Give a folder to keep the store and the
models in; ``--quick`` trains little, to see that it runs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from click.testing import CliRunner

from engine.cli.commands import main


def engine(*arguments: str) -> str:
    """Run the command line as a shell would, and return what it prints."""
    print("$ engine", " ".join(arguments), flush=True)
    result = CliRunner().invoke(main, arguments)
    print(result.stderr, end="")
    if result.exit_code not in (0, 4):
        raise SystemExit(result.exit_code)
    return result.stdout


def run(folder: Path, quick: bool) -> None:
    """Collect, solve, train."""
    store = f"sqlite:///{folder / 'gains.db'}"
    effort = ["--groups", "random:6", "--epochs", "2", "--seeds", "2"] if quick else [
        "--groups", "pairs,random:100", "--until-reliable", "0.9", "--time-limit", "600",
    ]  # fmt: skip
    print(engine("collect", "--instance", "digits14", "--store", store, *effort))
    solution = folder / "solution.json"
    problem = ["--instance", f"{store}#digits14", "--budget", "3"]
    print(engine("solve", *problem))
    engine("solve", *problem, "--format", "json", "--output", str(solution))
    for group in json.loads(solution.read_text(encoding="utf-8"))["groups"]:
        print("group:", ", ".join(group))
    short = ["--epochs", "2"] if quick else []
    models = str(folder / "models")
    print(engine("train", "--instance", "digits14", "--solution", str(solution), "--output", models, *short))


if __name__ == "__main__":
    chosen = [one for one in sys.argv[1:] if not one.startswith("-")]
    run(Path(chosen[0] if chosen else "."), "--quick" in sys.argv)
