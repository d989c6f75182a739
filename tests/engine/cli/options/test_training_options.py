"""Options of instances and executors, given as text."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from engine import GainStore, UsageError, load_instance
from engine.cli.options.text import read_keywords
from engine.executors import executor_class
from instances.cifar10 import Cifar10
from instances.digits10 import Digits10

Engine = Callable[..., Result]
QUICK = ("--groups", "singles", "--epochs", "1")


class Base:
    """What passes nothing on."""

    def __init__(self, name: str, *, colour: str = "red", hidden: int = 1) -> None:
        """Take two options."""


class Passing(Base):
    """What passes on all but one."""

    def __init__(self, name: str, *, width: float = 1.0, hidden: bool = False, **options: Any) -> None:
        """Take two options, one of the same name."""


class Silent(Passing):
    """What has no constructor of its own."""


def test_keywords_that_are_passed_on_are_options_too() -> None:
    given = (("width", "2"), ("colour", "blue"), ("hidden", "true"))
    assert read_keywords(Silent, given, "x") == {"width": 2.0, "colour": "blue", "hidden": True}
    assert read_keywords(Cifar10, (("n-train", "100"), ("multiclass", "true")), "x") == {
        "n_train": 100,
        "multiclass": True,
    }
    with pytest.raises(UsageError, match=r"option of x: 'nam'\. Valid: colour, hidden, width"):
        read_keywords(Silent, (("nam", "me"),), "x")
    with pytest.raises(UsageError, match=r"option hidden of x cannot be .two.: it takes int"):
        read_keywords(Base, (("hidden", "two"),), "x")


def test_options_of_executors_are_their_keywords() -> None:
    given = (("gpus_per_chunk", "0.25"), ("retries", "1"))
    assert read_keywords(executor_class("ray:auto"), given, "ray") == {"gpus_per_chunk": 0.25, "retries": 1}
    assert read_keywords(executor_class("processes:2"), (("gpus", "2"),), "processes") == {"gpus": 2}
    with pytest.raises(UsageError, match="Did you mean 'processes'"):
        executor_class("proceses")


def test_an_instance_is_trained_with_its_options(engine: Engine, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'gains.db'}"
    asked = ("--instance", "digits10", "--instance-option", "n_noise=1", "--instance-option", "seed=3")
    done = engine("collect", *asked, *QUICK, "--store", store, "--format", "json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["groups"] == 11
    with GainStore.open(store) as kept:
        (found,) = kept.experiments()
    wanted = Digits10("digits10", n_noise=1, seed=3).experiment().data
    assert found.tasks == wanted.task_names
    assert found.description["data"] == wanted.digest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--instance", "digits10", "--instance-option", "noise=1"),
            "instance 'digits10': 'noise'",
        ),
        (("--instance", "digits10", "--instance-option", "n_noise=one"), "cannot be 'one': it takes int"),
        (("--instance", "digits10", "--instance-option", "n_noise=-1"), "n_noise must be 0 or more"),
        (("--data", "my.csv", "--targets", "a", "--instance-option", "x=1"), "only be given with --instance"),
        (("--instance", "digits10", "--executor-option", "gpus=1"), "executor 'in-process': 'gpus'"),
        (
            ("--instance", "digits10", "--executor", "processes:2", "--executor-option", "retries=-1"),
            "retries must be 0 or more",
        ),
        (
            ("--instance", "digits10", "--executor", "ray", "--executor-option", "runtime_env=."),
            "runtime_env of executor 'ray' cannot be",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused(
    engine: Engine, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = engine("collect", *arguments, *QUICK, "--store", f"sqlite:///{tmp_path / 'gains.db'}")
    assert done.exit_code == 2
    assert message in " ".join(done.stderr.split())
    assert not (tmp_path / "gains.db").exists() or "retries" in message


def test_an_option_that_an_instance_does_not_take_is_refused_in_python() -> None:
    assert load_instance("digits10", options={"n_noise": 2}).info.tasks[-1] == "noise_1"
    with pytest.raises(UsageError, match=r"'digits10'.*colour"):
        load_instance("digits10", options={"colour": "red"})
