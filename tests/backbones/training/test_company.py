"""A group's results are its own: not of its company, its place, or when others are done."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from backbones import DeviceData, TrainerOptions, suggested_chunk, train_groups
from backbones.network import memory
from backbones.training.preparation import prepare
from backbones.training.stack import StackTraining
from engine.data import MultiTaskData, Task
from tests.backbones.training.sets import MIXED, data, experiment, groups, some_groups

CASES = {
    "double": ("mlp", {"precision": "float64"}),
    "single": ("mlp", {}),
    "clipping": ("mlp", {"clip_norm": 0.05}),
    "odd batches": ("mlp", {"batch_size": 7, "optimiser": "sgd"}),
    "patience": ("mlp", {"patience": 1, "epochs": 10, "learning_rate": 0.2}),
    "recurrent": ("gru", {}),
    "recurrent, patience": ("gru", {"patience": 1, "epochs": 5, "learning_rate": 0.2, "batch_size": 7}),
}


def same(left, right, rows=None):
    """Check that results are equal bit for bit; ``right`` may be those of some rows."""
    rows = np.arange(len(right.membership)) if rows is None else np.asarray(rows)
    np.testing.assert_array_equal(left.membership[rows], right.membership)
    for name in ("losses", "metrics"):
        for split in ("valid", "test"):
            np.testing.assert_array_equal(getattr(left, name)[split][rows], getattr(right, name)[split])
    np.testing.assert_array_equal(left.epochs[rows], right.epochs)
    np.testing.assert_array_equal(left.best_epoch[rows], right.best_epoch)
    for row, curve in zip(rows, right.curves["valid"], strict=True):
        np.testing.assert_array_equal(left.curves["valid"][row], curve)


@pytest.mark.parametrize("separate", [False, True], ids=["shared", "separate"])
@pytest.mark.parametrize("case", CASES)
def test_results_do_not_depend_on_the_company_bit_for_bit(case, separate):
    backbone, settings = CASES[case]
    of = data(MIXED, (4, 2), separate=separate, missing=0.1)
    one = experiment(of, backbone, {"hidden": 6}, **{"precision": "float32", "epochs": 2, **settings})
    membership = some_groups(8, 8)
    together = train_groups(one, membership, 1, TrainerOptions(method="stack"))
    for rows in ([0], [3, 7, 1, 6]):
        same(together, train_groups(one, membership[rows], 1, TrainerOptions(method="stack")), rows)
    same(together, train_groups(one, membership, 1, TrainerOptions(method="stack", stack_size=3)))


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("width", [1, 5, 13])
@pytest.mark.parametrize("hidden", [1, 8, 33])
def test_company_does_not_matter_for_any_width(width, hidden, precision):
    one = experiment(
        data(shape=(width,)), "mlp", {"hidden": hidden}, precision=precision, patience=1, learning_rate=0.2
    )
    membership = some_groups(3, 5)
    together = train_groups(one, membership, 1, TrainerOptions(method="stack"))
    for rows in ([0], [3, 1]):
        same(together, train_groups(one, membership[rows], 1, TrainerOptions(method="stack")), rows)


@pytest.mark.parametrize("method", ["stack", "loop"])
def test_the_order_and_the_place_of_tasks_do_not_matter(method):
    one = experiment(data(MIXED, missing=0.1))
    order = np.random.default_rng(0).permutation(8)
    shuffled = experiment(
        MultiTaskData(
            tuple(one.data.tasks[task] for task in order),
            one.data.inputs,
            tuple(one.data.targets[task] for task in order),
            one.data.splits,
        )
    )
    membership = some_groups(8, 6)
    first = train_groups(one, membership, 0, TrainerOptions(method=method))
    second = train_groups(shuffled, membership[:, order], 0, TrainerOptions(method=method))
    np.testing.assert_allclose(
        first.losses["test"][:, order], second.losses["test"], rtol=1e-12, equal_nan=True
    )


@pytest.mark.parametrize("separate", [False, True], ids=["shared", "separate"])
def test_labels_of_tasks_outside_a_group_do_not_matter(separate):
    one = data(MIXED, separate=separate)
    targets = list(one.targets)
    targets[5] = 1 - targets[5]
    targets[7] = targets[7] * np.nan
    targets[7][[part[7 if separate else 0][0] for part in one.splits.values()]] = 1e6
    other = experiment(MultiTaskData(one.tasks, one.inputs, targets, one.splits))
    membership = groups(8, [0], [1, 3], [0, 2, 4, 6], [1, 2, 3, 4, 6])
    same(
        train_groups(experiment(one), membership, 0, TrainerOptions(method="stack")),
        train_groups(other, membership, 0, TrainerOptions(method="stack")),
    )


@pytest.mark.parametrize("method", ["stack", "vmap", "loop"])
def test_seeds_differ_and_repeat(method):
    one, membership = experiment(), some_groups(3, 4)
    first = train_groups(one, membership, 0, TrainerOptions(method=method))
    torch.rand(3)
    state = torch.random.get_rng_state()
    same(first, train_groups(one, membership, 0, TrainerOptions(method=method)))
    assert torch.equal(state, torch.random.get_rng_state())
    other = train_groups(one, membership, 1, TrainerOptions(method=method))
    assert (first.losses["valid"] != other.losses["valid"])[membership].all()


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
@pytest.mark.parametrize("method", ["stack", "vmap"])
def test_members_that_are_done_leave_without_a_trace(method, optimiser):
    one = experiment(
        data(MIXED, rows=120),
        patience=2,
        epochs=30,
        learning_rate=0.1,
        precision="float32",
        batch_size=32,
        optimiser=optimiser,
        weight_decay=0.01,
    )
    preparation = prepare(one, 0, DeviceData(one), method)
    members = [[0, 1], [1, 2], [0, 4], [3, 7], [5, 6], [2, 4], [1, 6]]
    by_counts = {}
    for group in members:
        by_counts.setdefault(preparation.counts_of(group), []).append(group)
    saved = 0
    for counts, alike in by_counts.items():
        compact, whole = (
            StackTraining(preparation, counts, alike, compact=compact) for compact in (True, False)
        )
        # torch.func chooses the layout of its products by itself, which changes their rounding.
        tolerance = {"stack": 0.0, "vmap": 1e-5}[method]
        for left, right in zip(compact.run(), whole.run(), strict=True):
            np.testing.assert_allclose(left.curve, right.curve, rtol=tolerance, atol=0)
            assert left.best_epoch == right.best_epoch
            for split in ("valid", "test"):
                np.testing.assert_allclose(left.losses[split], right.losses[split], rtol=tolerance, atol=0)
                np.testing.assert_allclose(left.metrics[split], right.metrics[split], rtol=tolerance, atol=0)
        assert whole.count.taken == whole.count.uncompacted == compact.count.uncompacted
        saved += whole.count.taken - compact.count.taken
    assert saved > 0


@pytest.mark.parametrize("method", ["stack", "vmap", "loop"])
def test_a_group_that_diverges_leaves_and_harms_no_other(method):
    clean = data((*MIXED[:3], Task("wild", loss="squared-error")))
    targets = [*clean.targets[:3], clean.targets[3] * 1e30]
    one = experiment(
        MultiTaskData(clean.tasks, clean.inputs, targets, clean.splits), precision="float32", epochs=4
    )
    membership = groups(4, [0, 1], [1, 3], [0, 2], [0, 3], [3])
    found = train_groups(one, membership, 0, TrainerOptions(method=method))
    assert found.diverged.tolist() == [False, True, False, True, True]
    assert (found.epochs[found.diverged] == 1).all()
    assert np.isnan(found.losses["test"][found.diverged]).all()
    calm = train_groups(one, membership[[0, 2]], 0, TrainerOptions(method=method))
    np.testing.assert_allclose(found.losses["test"][[0, 2]], calm.losses["test"], rtol=1e-5)
    assert (found.epochs[[0, 2]] == 4).all()


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: not enough memory: you tried"
        ),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)"),
    ],
    ids=["gpu", "python", "cpu", "library of a gpu"],
)
def test_stacks_are_halved_where_memory_runs_out(error, monkeypatch):
    sizes = []
    plain = StackTraining.__init__

    def limited(self, preparation, counts, members, **more):
        sizes.append(len(members))
        if len(members) > 2:
            raise error
        plain(self, preparation, counts, members, **more)

    one, membership = experiment(), groups(3, [0], [1], [2], [0, 1], [1, 2], [0, 2], [0])
    expected = train_groups(one, membership, 0, TrainerOptions(method="stack"))
    monkeypatch.setattr(StackTraining, "__init__", limited)
    same(expected, train_groups(one, membership, 0, TrainerOptions(method="stack")))
    assert sizes == [7, 3, 1, 1, 1, 1, 1, 1, 1]


def test_what_torch_raises_without_memory_on_this_machine_is_known():
    with pytest.raises(RuntimeError) as raised:
        torch.empty(1 << 60)
    assert memory.is_out_of_memory(raised.value)


@pytest.mark.parametrize("batch_size", [29, 41])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_company_does_not_matter_where_batches_are_normalised(batch_size, precision):
    of = data(MIXED, (18,), missing=0.1, rows=100)
    normed = "tests.backbones.training.stacked_networks:Normed"
    one = experiment(of, normed, {}, precision=precision, batch_size=batch_size, epochs=2)
    membership = some_groups(8, 9)
    together = train_groups(one, membership, 1, TrainerOptions(method="stack"))
    for rows in ([0], [3, 1], [2, 4, 5, 6, 7, 8]):
        same(together, train_groups(one, membership[rows], 1, TrainerOptions(method="stack")), rows)


@pytest.mark.parametrize("seed", [13, 30, 36, 37])
def test_company_does_not_matter_where_gradients_are_clipped(seed):
    of = data(MIXED, (2,), missing=0.3, rows=70, seed=seed)
    one = experiment(of, "mlp", {"hidden": 8}, precision="float32", clip_norm=0.1, learning_rate=0.3)
    membership = some_groups(8, 9, seed)
    together = train_groups(one, membership, seed, TrainerOptions(method="stack"))
    for row in range(9):
        same(together, train_groups(one, membership[[row]], seed, TrainerOptions(method="stack")), [row])


def test_other_errors_and_one_group_without_memory_are_raised(monkeypatch):
    def fail(self, *arguments, **more):
        raise error

    monkeypatch.setattr(StackTraining, "__init__", fail)
    for error in (RuntimeError("sizes do not match"), MemoryError("not even one")):
        with pytest.raises(type(error), match=str(error)):
            train_groups(experiment(), groups(3, [0], [1]), 0, TrainerOptions(method="stack"))


def test_halving_keeps_the_order():
    seen = []

    def work(part):
        seen.append(len(part))
        if len(part) > 3:
            raise MemoryError
        return [2 * one for one in part]

    assert memory.halving(work, list(range(10)), 8) == [2 * one for one in range(10)]
    assert seen == [8, 4, 2, 2, 2, 2, 2]


def test_no_groups_give_no_results():
    found = train_groups(experiment(), np.zeros((0, 3), dtype=bool), 0)
    assert found.losses["valid"].shape == (0, 3)
    assert len(found.epochs) == 0


def test_a_chunk_is_a_full_stack():
    assert suggested_chunk(experiment()) == 32
    assert suggested_chunk(experiment(), TrainerOptions(method="stack", stack_size=5)) == 5
    assert suggested_chunk(experiment(data(shape=(1, 8, 8)), "cnn")) == 8
