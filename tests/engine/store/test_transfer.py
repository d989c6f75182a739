from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine import DataError, GainStore, Task
from engine.store.saving import Taken
from engine.store.text import export_results, import_results
from engine.store.transfer import merge
from tests.engine.store.made import experiment, groups, trained

ALL = groups("1000", "0100", "0010", "0001", "1100", "1111")


@pytest.fixture
def two(tmp_path: Path):
    with (
        GainStore.open(f"sqlite:///{tmp_path / 'one.db'}") as one,
        GainStore.open(f"sqlite:///{tmp_path / 'two.db'}") as two,
    ):
        yield one, two


def fill(store: GainStore, seed: int, chunk=ALL, salt: int = 0) -> int:
    number = store.register(experiment())
    store.save(number, trained(chunk, seed, salt))
    return number


def test_merging_adds_what_is_missing_and_nothing_twice(two) -> None:
    one, other = two
    one.register(experiment(name="first"))
    number = fill(one, 0, ALL[:5])
    fill(other, 0)
    fill(other, 1)
    other.register(experiment(name="untrained"))
    diverged = trained(ALL[5:], 2)
    diverged.losses["valid"][0, 0] = np.nan
    other.save(1, diverged)
    taken = merge(one, other)
    assert taken[number] == Taken(added=8, same=5)
    assert [known.name for known in one.experiments()] == ["first", "made", "untrained"]
    assert one.experiments()[1].diverged == 1
    np.testing.assert_array_equal(one.results(number).dense, other.results(1).dense)
    curves = one.curves(number, ALL[5], 1)["valid"]
    np.testing.assert_array_equal(curves, trained(ALL, 1).curves["valid"][5])
    assert merge(one, other)[number] == Taken(same=13)
    assert one.tensor(number).digest == other.tensor(1).digest


def test_a_leased_run_may_come_from_elsewhere(two) -> None:
    one, other = two
    number = one.register(experiment())
    one.claim(number, [(ALL[0], 0)], "me", 60)
    fill(other, 0)
    assert merge(one, other)[number].added == 6
    assert one.save(number, trained(ALL[:1], 0, salt=3), "me") == 0


def test_a_conflict_is_refused_and_named_unless_it_is_said_what_counts(two) -> None:
    one, other = two
    fill(one, 0, ALL[:5])
    fill(other, 0, ALL[4:], salt=1)
    with pytest.raises(DataError, match=r"group t0\|t1, seed 0 differ .*--keep ours"):
        merge(one, other)
    ours, theirs = trained(ALL, 0).metrics["valid"], trained(ALL, 0, salt=1).metrics["valid"]
    assert len(one.done(1)[0]) == 5  # nothing was taken over
    assert merge(one, other, keep="ours")[1] == Taken(added=1, ours=1)
    np.testing.assert_array_equal(one.results(1).dense[0], [*ours[:5], theirs[5]])
    assert merge(one, other, keep="theirs")[1] == Taken(same=1, theirs=1)
    np.testing.assert_array_equal(one.results(1).dense[0], [*ours[:4], *theirs[4:]])


def test_results_come_back_from_text_exactly(two, tmp_path) -> None:
    one, other = two
    fill(one, 3)
    fill(one, 1)
    diverged = trained(ALL[5:], 7)
    diverged.losses["valid"][0, 0] = np.inf
    one.save(1, diverged)
    path = tmp_path / "results.csv"
    assert export_results(one, 1, path) == 13
    other.register(experiment(name="before"))
    number, taken = import_results(other, path)
    assert (number, taken) == (2, Taken(added=13))
    for split in ("valid", "test"):
        for of in ("metric", "loss"):
            read = other.results(number, split, of)
            np.testing.assert_array_equal(read.dense, one.results(1, split, of).dense)
    assert other.tensor(number).digest == one.tensor(1).digest
    assert other.experiments()[1].description == one.experiments()[0].description
    assert import_results(other, path)[1] == Taken(same=13)
    again = tmp_path / "again.csv"
    export_results(other, number, again)
    assert sorted(again.read_text().splitlines()) == sorted(path.read_text().splitlines())
    with pytest.raises(DataError, match="text file, which holds no curves"):
        other.curves(number, ALL[0], 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[: len(text) // 2], "columns are needed|cut"),
        (lambda text: "".join(text.splitlines(True)[:-1]), "the file was cut: unknown how many"),
        (
            lambda text: "".join(text.splitlines(True)[:20] + text.splitlines(True)[21:]),
            "line 15: .* group t0.t1.t2.t3, seed 0 were altered",
        ),
        (lambda text: text.replace('"name": "made"', '"name": "fake"'), "description .* altered"),
        (lambda text: text.replace(",t1,", ",t9,", 1), "'t9' is no task"),
        (lambda text: text.replace("t0,0,test,t0,", "t0,0,test,t0,1", 1), r"line 9: .* group t0, seed 0"),
        (lambda text: text.replace(",metric,", ",measure,"), "line 2: the columns"),
        (lambda text: text.replace("t0,0,test,t0,", "t0,0,test,t0,x", 1), "line 9 .*could not convert"),
        (lambda text: "group,task,gain\n", "not a file of raw results"),
        (lambda text: "# engine results {}\n", "not a file of raw results"),
        (lambda text: "", "not a file of raw results"),
    ],
)
def test_a_file_that_was_cut_or_altered_is_refused_whole(two, tmp_path, change, message) -> None:
    one, other = two
    fill(one, 0)
    path = tmp_path / "results.csv"
    export_results(one, 1, path)
    text = path.read_text()
    assert change(text) != text
    path.write_text(change(text))
    with pytest.raises(DataError, match=message):
        import_results(other, path)
    assert other.experiments() == []


@pytest.mark.parametrize(
    "names",
    [
        ["# end 3", "x"],
        ["# engine results", "group"],
        ["a,b", '"', "'", "é\u0301日本", "-1", "all", "nan"],
        [f"{'long' * 500}{number}" for number in range(70)],
    ],
)
def test_tasks_of_any_name_come_back_from_text(two, tmp_path, names) -> None:
    one, other = two
    made = experiment(len(names))
    tasks = tuple(Task(name) for name in names)
    number = one.register(replace(made, data=replace(made.data, tasks=tasks)))
    count = len(names)
    one.save(number, trained(np.concatenate([np.eye(count, dtype=bool), np.ones((1, count), dtype=bool)]), 0))
    path = tmp_path / "results.csv"
    assert export_results(one, number, path) == count + 1
    assert import_results(other, path)[1] == Taken(added=count + 1)
    assert other.tensor(1).digest == one.tensor(number).digest
    assert other.tensor(1).tasks == tuple(names)


def test_files_that_were_joined_are_refused(two, tmp_path) -> None:
    one, other = two
    fill(one, 0)
    path = tmp_path / "results.csv"
    export_results(one, 1, path)
    path.write_text(path.read_text() * 2)
    with pytest.raises(DataError, match=r"line \d+: more follows after the end"):
        import_results(other, path)
    assert other.experiments() == []


@pytest.mark.parametrize(
    "change",
    [
        {"created": 1e300},
        {"created": float("nan")},
        {"description": {"tasks": [{"name": "a"}], "name": "x"}},
        {"description": {"tasks": {"a": 1}, "name": "x"}},
    ],
)
def test_a_file_whose_description_tells_no_experiment_is_refused(two, tmp_path, change) -> None:
    one, other = two
    fill(one, 0)
    path = tmp_path / "results.csv"
    export_results(one, 1, path)
    first, rest = path.read_text().split("\n", 1)
    about = {**json.loads(first.removeprefix("# engine results ")), **change}
    text = json.dumps(about["description"], sort_keys=True)
    about["digest"] = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(f"# engine results {json.dumps(about)}\n{rest}")
    with pytest.raises(DataError, match="not a file of raw results"):
        import_results(other, path)
    assert other.experiments() == []


def test_of_two_stores_the_one_that_failed_is_named(two) -> None:
    one, other = two
    fill(other, 0)
    with other.transaction(writes=True) as connection:
        connection.exec_driver_sql("ALTER TABLE results RENAME TO gone")
    with pytest.raises(DataError, match=r"two\.db failed: no such table") as caught:
        merge(one, other)
    assert "one.db" not in str(caught.value)
    assert one.experiments() == []


def test_files_that_are_not_there(two, tmp_path) -> None:
    one, _ = two
    fill(one, 0)
    with pytest.raises(DataError, match="No such file"):
        import_results(one, tmp_path / "none.csv")
    with pytest.raises(DataError, match="cannot be written"):
        export_results(one, 1, tmp_path / "none" / "results.csv")
