"""Training many groups as one stack against one by one, and what early stopping and memory cost.

Usage: python -m benchmarks.training [--quick]

Both sides run on one thread. Times are CPU time, not wall time, since the machine may be shared; the
methods take turns within a run, and medians of the repeats are given. Two opponents are written here
by hand:

* the usual loop: a DataLoader, a head per task, the default Adam, ``loss.item()`` at every step;
* the tight loop: the batches of an epoch gathered at once, all heads as one layer, fused Adam, nothing
  read back within an epoch.

Both train the groups that the stack trains (every fourth of them, to save time), for as many epochs, with
a validation loss after each and the test loss at the end.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from backbones import Batches, DeviceData, TrainerOptions, make_backbone, suggested_chunk, train_groups
from backbones.training.preparation import prepare
from backbones.training.stack import StackTraining
from backbones.training.train_groups import alike
from benchmarks.common import median, print_header, print_table
from engine import TrainableInstance, load_instance
from engine.data import MultiTaskData, Task
from engine.data.splits import random_splits
from engine.training.experiment import Experiment
from engine.training.settings import TrainingSettings

SIZES = (1, 8, 32, 128)
REPEATS = 3


def digits(**settings: Any) -> Experiment:
    """Return ten digits and four tasks of random labels, with the default network (two layers of 32)."""
    instance = load_instance("digits10", options={"n_noise": 4})
    assert isinstance(instance, TrainableInstance)
    return instance.experiment(settings=replace(instance.settings, **settings))


def vectors(epochs: int) -> Experiment:
    """Return 14 binary tasks on 32 numbers, for two layers of 32."""
    source = np.random.default_rng(0)
    inputs = source.normal(size=(2000, 32)).astype(np.float32)
    tasks = tuple(Task(f"task_{index}", "binary") for index in range(14))
    targets = tuple((inputs @ source.normal(size=32) > 0).astype(float) for _ in tasks)
    settings = TrainingSettings(epochs=epochs, patience=0)
    return Experiment(
        MultiTaskData(tasks, (inputs,), targets, random_splits(2000)), "mlp", {"hidden": 32}, settings
    )


def series(epochs: int) -> Experiment:
    """Return seven regression tasks on series of seven channels, 24 steps each."""
    source = np.random.default_rng(0)
    walk = np.cumsum(source.normal(size=(1048, 7)), axis=0)
    walk = (walk - walk.mean(axis=0)) / walk.std(axis=0)
    windows = np.lib.stride_tricks.sliding_window_view(walk.astype(np.float32), 24, axis=0)[:1024]
    tasks = tuple(Task(f"channel_{index}") for index in range(7))
    targets = tuple(walk[24:1048, index] for index in range(7))
    settings = TrainingSettings(epochs=epochs, patience=0)
    data = MultiTaskData(tasks, (windows.transpose(0, 2, 1),), targets, random_splits(1024))
    return Experiment(data, "gru", {"hidden": 32}, settings)


def random_groups(n_tasks: int, count: int, seed: int = 0) -> np.ndarray:
    """Return groups of 2 to half of the tasks, in no order."""
    source = np.random.default_rng(seed)
    found = np.zeros((count, n_tasks), dtype=bool)
    for row in found:
        row[source.choice(n_tasks, source.integers(2, max(3, n_tasks // 2 + 1)), replace=False)] = True
    return found


def usual_loop(experiment: Experiment, membership: np.ndarray) -> None:
    """Train groups one by one as it is usually written."""
    data, device = experiment.data, DeviceData(experiment)
    targets = torch.stack(device.targets, 1)
    train = device.rows("train")
    for row in membership:
        members = np.flatnonzero(row).tolist()
        encoder, width = make_backbone(experiment.backbone, experiment.backbone_options).encoder(
            data.input_shape, data.input_dtype
        )
        heads = nn.ModuleList(nn.Linear(width, 1) for _ in members)
        optimiser = torch.optim.Adam([*encoder.parameters(), *heads.parameters()])
        of = TensorDataset(device.input(train), targets[train][:, members])
        loader = DataLoader(of, experiment.settings.batch_size, shuffle=True, drop_last=True)
        binary = data.tasks[0].kind == "binary"
        loss_of = functional.binary_cross_entropy_with_logits if binary else functional.mse_loss

        @torch.no_grad()
        def judge(split: str, encoder=encoder, heads=heads, members=members, loss_of=loss_of) -> None:
            rows = device.rows(split)
            features = encoder(device.input(rows))
            for head, task in zip(heads, members, strict=True):
                loss_of(head(features)[:, 0], device.targets[task][rows]).item()

        for _ in range(experiment.settings.epochs):
            total = 0.0
            for inputs, labels in loader:
                features = encoder(inputs)
                losses = [loss_of(head(features)[:, 0], labels[:, at]) for at, head in enumerate(heads)]
                loss = torch.stack(losses).mean()
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                total += loss.item()
            judge("valid")
        judge("test")


def tight_loop(experiment: Experiment, membership: np.ndarray, device: str = "cpu") -> None:
    """Train groups one by one with nothing that could be spared."""
    data, placed = experiment.data, DeviceData(experiment, device)
    targets = torch.stack(placed.targets, 1)
    batches = Batches(experiment, 0)
    binary = data.tasks[0].kind == "binary"
    loss_of = functional.binary_cross_entropy_with_logits if binary else functional.mse_loss
    judged = {split: (placed.rows(split), placed.input(placed.rows(split))) for split in ("valid", "test")}
    for row in membership:
        members = torch.from_numpy(np.flatnonzero(row)).to(device)
        encoder, width = make_backbone(experiment.backbone, experiment.backbone_options).encoder(
            data.input_shape, data.input_dtype
        )
        model = nn.Sequential(encoder, nn.Linear(width, len(members))).to(device)
        optimiser = torch.optim.Adam(model.parameters(), fused=True)
        labels = targets[:, members]
        for epoch in range(experiment.settings.epochs):
            order = batches.order(epoch).to(device)
            inputs, wanted = placed.input(order), labels[order]
            for step in range(batches.steps):
                optimiser.zero_grad()
                loss_of(model(inputs[step]), wanted[step]).backward()
                optimiser.step()
            with torch.no_grad():
                loss_of(model(judged["valid"][1]), labels[judged["valid"][0]]).item()
        with torch.no_grad():
            loss_of(model(judged["test"][1]), labels[judged["test"][0]]).item()


def cpu_seconds(function: Callable[[], object]) -> float:
    """Return the CPU time of a call."""
    begin = time.process_time()
    function()
    return time.process_time() - begin


def stacked(experiment: Experiment, membership: np.ndarray, size: int = 0, method: str = "stack") -> None:
    """Train groups as the engine does."""
    train_groups(experiment, membership, 0, TrainerOptions("cpu", method, size))


def speed(repeats: int, quick: bool) -> None:
    """Print times per group of every method, and the ratios."""
    epochs = 2 if quick else 5
    cases = {
        "digits, 14 tasks, MLP 64-32-32": digits(epochs=epochs, patience=0),
        "14 tasks, MLP 32-32-32": vectors(epochs),
        "7 series, GRU 7→32, window 24": series(1 if quick else 5),
    }
    rows = []
    for name, experiment in cases.items():
        membership = random_groups(experiment.data.n_tasks, 32)
        few = membership[::4]
        works: dict[str, tuple[Callable[[], object], int]] = {
            "usual": (lambda e=experiment, m=few: usual_loop(e, m), len(few)),
            "tight": (lambda e=experiment, m=few: tight_loop(e, m), len(few)),
            "loop": (lambda e=experiment, m=few: stacked(e, m, method="loop"), len(few)),
            "stack": (lambda e=experiment, m=membership: stacked(e, m), len(membership)),
        }
        if experiment.backbone == "mlp":
            works["vmap"] = (lambda e=experiment, m=membership: stacked(e, m, method="vmap"), len(membership))
        times: dict[str, list[float]] = {method: [] for method in works}
        for _ in range(repeats):
            for method, (work, count) in works.items():
                times[method].append(1000 * cpu_seconds(work) / count)
        of = {method: median(values) for method, values in times.items()}
        rows.append(
            [
                name,
                *(of.get(method, "–") for method in ("usual", "tight", "loop", "vmap", "stack")),
                of["usual"] / of["stack"],
                of["tight"] / of["stack"],
            ]
        )
    print("## Speed: 32 groups, CPU ms per group\n")
    print_table(
        ["set", "usual loop", "tight loop", "engine loop", "vmap", "stack", "usual ÷ stack", "tight ÷ stack"],
        rows,
    )


def sizes(repeats: int, quick: bool) -> None:
    """Print the speed of stacks of several sizes, all groups filling equally many slots."""
    rows = []
    for name, experiment in (
        ("digits MLP", digits(epochs=2 if quick else 5, patience=0)),
        ("GRU", series(1 if quick else 3)),
    ):
        pairs = np.zeros((128, experiment.data.n_tasks), dtype=bool)
        for index, row in enumerate(pairs):
            row[[index % len(row), (index + 1 + index // len(row)) % len(row)]] = True
        counts = [size for size in SIZES if not (quick and size > 32)]
        times: dict[int, list[float]] = {size: [] for size in counts}
        tight: list[float] = []
        for _ in range(repeats):
            tight.append(1000 * cpu_seconds(lambda e=experiment, m=pairs: tight_loop(e, m[:4])) / 4)
            for size in counts:
                used = pairs[: max(size, 8)]
                times[size].append(
                    1000 * cpu_seconds(lambda e=experiment, m=used, s=size: stacked(e, m, s)) / len(used)
                )
        for size in counts:
            of = median(times[size])
            rows.append([name, size, of, median(tight) / of])
    print("## Stacks of pairs: CPU ms per group, and against the tight loop\n")
    print_table(["set", "stack", "ms per group", "tight ÷ stack"], rows)


def compaction(quick: bool) -> None:
    """Print how many steps of members early stopping saves, and whether results stay the same."""
    experiment = digits(epochs=40 if quick else 100)
    n_tasks = experiment.data.n_tasks
    groups = [[first, second] for first in range(n_tasks) for second in range(first)]
    preparation = prepare(experiment, 0, DeviceData(experiment), "stack")
    taken, whole, seconds, same = 0, 0, {True: 0.0, False: 0.0}, True
    for counts, rows in alike(preparation, groups):
        for start in range(0, len(rows), 32):
            part = [groups[row] for row in rows[start : start + 32]]
            results = {}
            for compact in (True, False):
                training = StackTraining(preparation, counts, part, compact=compact)
                begin = time.process_time()
                results[compact] = training.run()
                seconds[compact] += time.process_time() - begin
                if compact:
                    taken += training.steps
                else:
                    whole += training.steps
            same &= all(
                np.array_equal(left.curve, right.curve)
                and all(np.array_equal(left.losses[split], right.losses[split]) for split in left.losses)
                for left, right in zip(results[True], results[False], strict=True)
            )
    print(
        f"## Early stopping: {len(groups)} pairs of digits, at most {experiment.settings.epochs} epochs, "
        "patience 5\n"
    )
    print_table(
        ["member-steps", "without compaction", "saved", "CPU time saved", "bit-identical"],
        [[taken, whole, f"{1 - taken / whole:.0%}", f"{1 - seconds[True] / seconds[False]:.0%}", same]],
    )


def memory(quick: bool) -> None:
    """Print the peak memory of processes that train more and more groups, in chunks as a collection does."""
    rows = []
    for count in (1, 32, 512) if quick else (1, 32, 512, 4096):
        command = [sys.executable, "-m", "benchmarks.training", "--peak", str(count)]
        peak = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1]
        rows.append([count, int(peak) / 1024])
    print("## Peak memory of a process by groups trained (digits, one epoch)\n")
    print_table(["groups", "MiB"], rows)


def print_peak(count: int) -> None:
    """Train so many groups, and print the peak memory in KiB."""
    experiment, options = digits(epochs=1, patience=0), TrainerOptions(device="cpu")
    groups, chunk = random_groups(14, count), suggested_chunk(experiment, options)
    for start in range(0, count, chunk):
        train_groups(experiment, groups[start : start + chunk], 0, options)
    # What getrusage calls the peak counts the parent's memory before the program started, too.
    lines = Path("/proc/self/status").read_text().splitlines()
    print(next(line.split()[1] for line in lines if line.startswith("VmHWM")))


def on_gpu(repeats: int) -> None:
    """Print groups per second on a GPU for stacks of several sizes, and for the tight loop there."""
    experiment = digits(epochs=5, patience=0)

    def per_second(work: Callable[[], object], count: int) -> float:
        found = []
        for _ in range(repeats):
            torch.cuda.synchronize()
            begin = time.perf_counter()
            work()
            torch.cuda.synchronize()
            found.append(count / (time.perf_counter() - begin))
        return median(found)

    pairs = np.zeros((2048, 14), dtype=bool)
    source = np.random.default_rng(0)
    for row in pairs:
        row[source.choice(14, 2, replace=False)] = True
    tight_loop(experiment, pairs[:1], "cuda")
    alone = per_second(lambda: tight_loop(experiment, pairs[:8], "cuda"), 8)
    rows: list[list[object]] = [["tight loop", alone, 1.0]]
    for size in (1, 32, 512, 2048):
        used = pairs[: max(size, 8)]
        options = TrainerOptions("cuda", "stack", size)
        found = per_second(lambda u=used, o=options: train_groups(experiment, u, 0, o), len(used))
        rows.append([f"stack of {size}", found, found / alone])
    print(f"## On {torch.cuda.get_device_name()}: groups per second (digits, 5 epochs, wall time)\n")
    print_table(["", "groups/s", "÷ tight loop"], rows)


def main() -> None:
    """Run all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer epochs and groups")
    parser.add_argument("--peak", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.peak:
        print_peak(arguments.peak)
        return
    print_header("Training many groups", "torch")
    speed(REPEATS, arguments.quick)
    sizes(REPEATS, arguments.quick)
    compaction(arguments.quick)
    memory(arguments.quick)
    if torch.cuda.is_available():
        on_gpu(REPEATS)
    else:
        print("No GPU here: the section on GPUs was left out.")


if __name__ == "__main__":
    main()
