from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine import DataError, GainStore, UsageError
from tests.engine.store.made import experiment, groups, trained

SINGLES = groups("1000", "0100", "0010", "0001")
LARGER = groups("1100", "1111", "0111")


@pytest.fixture
def store(tmp_path: Path):
    with GainStore.open(f"sqlite:///{tmp_path / 'gains.db'}") as opened:
        yield opened


def test_an_experiment_is_registered_once(store) -> None:
    first = store.register(experiment())
    assert store.register(experiment()) == first
    other = store.register(experiment(name="other"))
    assert other != first
    known = store.experiments()
    assert [one.name for one in known] == ["made", "other"]
    assert known[0].digest == experiment().digest
    assert known[0].description == experiment().description
    assert known[0].tasks == ("t0", "t1", "t2", "t3")


def test_an_experiment_is_found_by_number_name_and_digest(store) -> None:
    first = store.register(experiment())
    second = store.register(experiment(3))
    other = store.register(experiment(name="other"))
    assert store.find("made") == second  # the newest of the name
    assert store.find(str(first)) == first
    assert store.find(experiment().digest[:8]) == first
    assert store.find("other") == other
    with pytest.raises(DataError, match=r"Did you mean 'made'.*engine collect"):
        store.find("mad")
    with pytest.raises(DataError, match="9"):
        store.experiment(9)


def test_a_number_goes_before_a_name(store) -> None:
    numbers = [store.register(experiment(name=name)) for name in ("first", "3", "third", "1")]
    assert [store.find(str(number)) for number in numbers] == numbers
    assert store.find("first") == numbers[0]


def test_results_are_read_where_the_metric_cannot_be_imported(store, monkeypatch) -> None:
    from engine.data import task

    monkeypatch.setattr(task, "load_metric", lambda name: None)
    tasks = (task.Task("a", metric="gone:score", direction="higher"), task.Task("b"))
    made = experiment(2)
    number = store.register(replace(made, data=replace(made.data, tasks=tasks)))
    store.save(number, trained(groups("10", "01", "11"), 0))
    monkeypatch.undo()
    values = store.results(number).dense[0]
    gains = store.tensor(number).gains[2]
    assert gains[0] == pytest.approx((values[2, 0] - values[0, 0]) / values[0, 0])
    assert gains[1] == pytest.approx((values[1, 1] - values[2, 1]) / values[1, 1])


def test_that_everything_diverged_is_said(store) -> None:
    number = store.register(experiment())
    results = trained(SINGLES, 0)
    results.metrics["valid"][:] = np.nan
    store.save(number, results)
    with pytest.raises(DataError, match=r"All 4 runs .*diverged or have an undefined metric"):
        store.tensor(number)


def test_an_empty_store_says_how_to_fill_it(store) -> None:
    with pytest.raises(DataError, match=r"empty.*engine collect"):
        store.find("made")


def test_what_is_saved_is_read_back_exactly(store) -> None:
    number = store.register(experiment())
    results = {seed: trained(np.concatenate([SINGLES, LARGER]), seed) for seed in (3, 0)}
    for result in results.values():
        assert store.save(number, result, "me") == 7
    for split in ("valid", "test"):
        for of in ("metric", "loss"):
            read = store.results(number, split, of)
            assert read.seeds.tolist() == [0, 3]
            # By size, then with the first tasks first.
            expected = np.concatenate([SINGLES, LARGER[[0, 2, 1]]])
            np.testing.assert_array_equal(read.membership, expected)
            for row, seed in enumerate((0, 3)):
                one = results[seed]
                values = (one.metrics if of == "metric" else one.losses)[split]
                np.testing.assert_array_equal(read.dense[row], values[[0, 1, 2, 3, 4, 6, 5]])
    curves = store.curves(number, LARGER[1], 3)
    np.testing.assert_array_equal(curves["valid"], results[3].curves["valid"][5])
    (known,) = store.experiments()
    assert (known.groups, known.seeds, known.done, known.diverged, known.leased) == (7, 2, 14, 0, 0)


def test_a_run_that_is_done_is_left_as_it_is(store) -> None:
    number = store.register(experiment())
    assert store.save(number, trained(SINGLES, 0)) == 4
    assert store.save(number, trained(np.concatenate([SINGLES, LARGER]), 0, salt=1)) == 3
    read = store.results(number)
    np.testing.assert_array_equal(read.dense[0][:4], trained(SINGLES, 0).metrics["valid"])
    np.testing.assert_array_equal(read.dense[0][[4, 6, 5]], trained(LARGER, 0, salt=1).metrics["valid"])


def test_diverged_runs_are_kept_apart(store) -> None:
    number = store.register(experiment())
    result = trained(np.concatenate([SINGLES, LARGER]), 0)
    result.metrics["test"][5, 2] = np.inf
    assert result.diverged.tolist() == [False] * 5 + [True, False]
    assert store.save(number, result) == 7
    assert len(store.done(number)[0]) == 7
    assert not store.claim(number, [(LARGER[1], 0)], "me", 60)
    tensor = store.tensor(number)
    assert tensor.n_groups == 6
    assert not tensor.find(("t0", "t1", "t2", "t3"))
    assert "1 runs diverged and are left out" in str(tensor.provenance)
    assert store.experiments()[0].diverged == 1


def test_leases(store, monkeypatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    number = store.register(experiment())
    wanted = [(row, 0) for row in SINGLES]

    def names(granted):
        return [(int(np.argmax(row)), seed) for row, seed in granted]

    assert names(store.claim(number, wanted[:3], "a", 10)) == [(0, 0), (1, 0), (2, 0)]
    assert names(store.claim(number, wanted, "b", 10)) == [(3, 0)]
    assert names(store.claim(number, wanted[:1], "a", 10)) == [(0, 0)]  # its own, once more
    now[0] = 1009.0
    store.renew(number, "a", 10)
    now[0] = 1015.0  # b's lease has expired, a's was renewed
    assert names(store.claim(number, wanted, "c", 10)) == [(3, 0)]
    store.release(number, "a")
    assert names(store.claim(number, [*wanted, *wanted], "b", 10)) == [(0, 0), (1, 0), (2, 0)]
    # Whoever finishes first is kept, and the lease of the other ends.
    assert store.save(number, trained(SINGLES, 0), "slow") == 4
    now[0] = 2000.0
    assert store.claim(number, wanted, "d", 10) == []
    assert names(store.claim(number, [(SINGLES[0], 1)], "d", 10)) == [(0, 1)]
    assert store.claim(number, [], "d", 10) == []


def test_many_tasks_and_many_claims(store) -> None:
    number = store.register(experiment(70))
    membership = np.eye(70, dtype=bool) | (np.arange(70) == 69)
    wanted = [(row, seed) for seed in range(20) for row in membership]
    granted = store.claim(number, wanted, "me", 60)
    assert len(granted) == 1400
    assert all(a is b for a, b in zip(granted, wanted, strict=True))
    store.save(number, trained(membership, 5))
    found = store.done(number)[5]
    assert {row.tobytes() for row in found} == {row.tobytes() for row in membership}
    assert len(found) == 70


def test_missing_single_task_runs_are_named(store) -> None:
    number = store.register(experiment())
    store.save(number, trained(np.concatenate([SINGLES[:2], LARGER]), 0))
    with pytest.raises(DataError, match=r"no single-task run .* of t2, t3. Run engine collect"):
        store.tensor(number)


def test_groups_without_a_common_seed_are_left_out_and_counted(store) -> None:
    number = store.register(experiment())
    store.save(number, trained(np.concatenate([SINGLES, LARGER[:1]]), 0))
    store.save(number, trained(LARGER[1:], 1))
    tensor = store.tensor(number)
    assert tensor.n_groups == 5
    assert "2 groups share no seed" in str(tensor.provenance)


def test_nothing_on_a_split(store) -> None:
    number = store.register(experiment())
    with pytest.raises(DataError, match="no results on the split 'valid'; there are none at all"):
        store.tensor(number)
    store.save(number, trained(SINGLES, 0))
    with pytest.raises(DataError, match="there are test, valid"):
        store.tensor(number, split="train")


def test_a_single_task_value_of_0(store) -> None:
    number = store.register(experiment())
    result = trained(np.concatenate([SINGLES, LARGER]), 0)
    result.metrics["valid"][1, 1] = 0
    store.save(number, result)
    with pytest.raises(DataError, match=r"'t1', seed 0.* is 0 in single-task.*loss"):
        store.tensor(number)
    with pytest.raises(DataError, match=r"'t1', seed 0.*not positive"):
        store.tensor(number, form="log-ratio")
    assert store.tensor(number, of="loss").n_groups == 7
    assert store.tensor(number, split="test").n_groups == 7


def test_no_curves(store) -> None:
    number = store.register(experiment())
    with pytest.raises(DataError, match="No curves"):
        store.curves(number, SINGLES[0], 0)


def test_a_store_without_a_file_is_refused(tmp_path) -> None:
    with pytest.raises(DataError, match=r"no gain store .*engine collect"):
        GainStore.open(f"sqlite:///{tmp_path / 'none.db'}", create=False)
    assert not (tmp_path / "none.db").exists()
    with pytest.raises(UsageError, match="name a file"):
        GainStore.open("sqlite://")
    with pytest.raises(DataError, match="no folder"):
        GainStore.open(f"sqlite:///{tmp_path / 'none' / 'gains.db'}")


@pytest.mark.parametrize("url", ["gains.db", "no such thing", "mysql://host/gains", "nosuchthing://x/y"])
def test_what_is_no_url(url) -> None:
    with pytest.raises(UsageError, match="sqlite:///"):
        GainStore.open(url)


def test_a_password_is_not_shown() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(DataError) as caught:
        GainStore.open("postgresql+psycopg://me:secret@127.0.0.1:1/gains")
    assert "secret" not in str(caught.value)
    assert "***" in str(caught.value)


def test_without_sqlalchemy(monkeypatch) -> None:
    import sys

    from engine import MissingDependencyError

    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(MissingDependencyError, match=r"sqlalchemy.*\[train\]"):
        GainStore.open("sqlite:///gains.db")


def test_another_experiment_is_another_matter(store) -> None:
    one = store.register(experiment())
    changed = replace(experiment(), settings=replace(experiment().settings, epochs=7))
    two = store.register(changed)
    store.save(one, trained(SINGLES, 0))
    assert store.done(two) == {}
    assert len(store.claim(two, [(row, 0) for row in SINGLES], "me", 60)) == 4
