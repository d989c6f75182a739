"""Gains of a store as an instance: which ones, and how they are asked for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from engine import GainStore, UsageError, open_instance
from engine.cli.app import main
from tests.engine.store.made import experiment, groups, trained

GROUPS = groups("1000", "0100", "0010", "0001", "1100", "0011", "1010", "1111")


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store with one experiment of four tasks."""
    with GainStore.open(f"sqlite:///{tmp_path / 'gains.db'}") as store:
        number = store.register(experiment())
        for seed in range(3):
            store.save(number, trained(GROUPS, seed))
        return store.url


def known(url: str, split: str, of: str, form: str) -> np.ndarray:
    """The gains of groups of two and more, computed from the raw values."""
    with GainStore.open(url) as store:
        raw = store.results(1, split, of)
    alone = np.empty((len(raw.seeds), 4))
    alone[:, raw.members[:4]] = raw.values[:, :4]
    base = alone[:, raw.members]
    gains = np.log(base / raw.values) if form == "log-ratio" else (base - raw.values) / base
    return gains.mean(axis=0)


@pytest.mark.parametrize(
    ("asked", "of", "form"),
    [
        ("", "metric", "relative"),
        ("#made", "metric", "relative"),
        ("#made?of=loss", "loss", "relative"),
        ("#1?form=log-ratio", "metric", "log-ratio"),
        ("#?form=log-ratio&of=loss", "loss", "log-ratio"),
        ("#made?of=metric&form=relative", "metric", "relative"),
    ],
)
def test_the_gains_asked_for_are_solved_and_judged_on(url: str, asked: str, of: str, form: str) -> None:
    instance = open_instance(url + asked)
    judged = instance.evaluation()
    assert judged is not None
    assert instance.gains().values == pytest.approx(known(url, "valid", of, form), abs=1e-12)
    assert judged.values == pytest.approx(known(url, "test", of, form), abs=1e-12)
    assert f"{form} gain of the {of}" in instance.info.summary
    assert ("logarithm" in instance.info.note) == (form == "log-ratio")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("#made?form=log", "form of collected gains: 'log'. Valid: log-ratio, relative"),
        ("#made?of=", "of of collected gains"),
        ("#made?split=test", r"only \?of=…&form=… may stand, not 'split=test'"),
        ("#made?", "not ''"),
    ],
)
def test_other_gains_are_refused(url: str, asked: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        open_instance(url + asked)


def test_solve_frontier_and_compare_take_them(url: str, tmp_path: Path) -> None:
    asked = f"{url}#made?form=log-ratio"
    best = 0.0
    for name, more in (
        ("solve", ["--budget", "4"]),
        ("frontier", ["--budgets", "1-4"]),
        ("compare", ["--solvers", "brute-force", "--instance", f"{url}#made", "--budgets", "4"]),
    ):
        output = tmp_path / f"{name}.json"
        done = CliRunner().invoke(
            main, [name, "--instance", asked, *more, "--format", "json", "--output", str(output)]
        )
        assert done.exit_code == 0, done.output
        found = json.loads(output.read_text())
        if name == "solve":
            best = found["value"]
        elif name == "frontier":
            assert found["solutions"][-1]["value"] == pytest.approx(best)
        else:
            values = {row["instance"]: row["value"] for row in found["rows"]}
            assert values[asked] == pytest.approx(best)
            assert values[f"{url}#made"] != pytest.approx(best)
    gains = known(url, "valid", "metric", "log-ratio")
    with GainStore.open(url) as store:
        raw = store.results(1)
    each = [gains[raw.members == task].max() for task in range(4)]
    assert best <= sum(each) + 1e-9
