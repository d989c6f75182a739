"""Affinities against plain loops: per-sample gradients one by one, and look-ahead steps one by one."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from backbones import Batches, DeviceData, build_group_model, make_optimiser, sample_losses, task_loss
from benchmarks.common import median, print_header, print_table
from engine import Experiment, TrainingSettings
from engine.data import MultiTaskData, Task
from gain_sources.gradients.sample_distances import SampleBlock
from gain_sources.landscape import Landscape
from gain_sources.tag import Tag


def synthetic(tasks: int, shape: tuple[int, ...], backbone: str, rows: int, **settings: Any) -> Experiment:
    """Return an experiment on normal inputs, whose binary targets are signs of noisy linear maps."""
    random = np.random.default_rng(0)
    inputs = random.normal(0, 1, (rows, *shape)).astype(np.float32)
    flat = inputs.reshape(rows, -1)
    factors = random.normal(0, 1, (flat.shape[1], 5)) @ random.normal(0, 1, (5, tasks))
    latent = flat @ factors / np.sqrt(flat.shape[1]) + random.normal(0, 1, (rows, tasks))
    order = np.arange(rows)
    cuts = (rows * 3 // 5, rows * 4 // 5)
    parts = dict(zip(("train", "valid", "test"), np.split(order, cuts), strict=True))
    options: dict[str, Any] = {"mlp": {"hidden": 32, "layers": 2}, "cnn": {"channels": 8, "hidden": 32}}
    return Experiment(
        MultiTaskData(
            tuple(Task(f"task{index:03d}", "binary") for index in range(tasks)),
            (inputs,),
            tuple((latent.T > 0).astype(float)),
            {name: (part,) for name, part in parts.items()},
        ),
        backbone,
        options[backbone],
        TrainingSettings(patience=0, batch_size=64, **settings),
    )


def naive_landscape(experiment: Experiment, block: SampleBlock) -> NDArray[np.float64]:
    """Return distances by one pass forward and backward per sample and task, and one subtraction per pair."""
    model = build_group_model(experiment, range(len(experiment.tasks)), 0).eval()
    for head in model.heads:
        head.load_state_dict(model.heads[0].state_dict())
    shared = list(model.encoder.parameters())
    count = len(experiment.tasks)
    total = torch.zeros(count, count, dtype=torch.float64)
    for sample in range(block.samples):
        rows = []
        inputs = block.inputs[0][sample : sample + 1]
        for task in range(count):
            of_task = experiment.data.tasks[task]
            target = block.targets[task][sample : sample + 1]
            loss = sample_losses(of_task, model.forward_member(inputs, task), target).sum()
            gradients = torch.autograd.grad(loss, shared)
            rows.append(torch.cat([one.flatten() for one in gradients]))
        for one in range(count):
            for other in range(one + 1, count):
                total[one, other] += (rows[one] - rows[other]).abs().sum().double()
    return ((total + total.T) / block.samples).numpy()


def naive_tag(experiment: Experiment) -> NDArray[np.float64]:
    """Return the look-ahead affinity of plain descent by one step, one evaluation and one undoing per task.

    A tight loop: one run of the network serves all gradients, and nothing is copied.
    """
    tasks = experiment.data.tasks
    count = len(tasks)
    rate = experiment.settings.learning_rate
    model = build_group_model(experiment, range(count), 0).train()
    shared = list(model.encoder.parameters())
    optimiser = make_optimiser(model.parameters(), experiment.settings)
    batches, data = Batches(experiment, 0), DeviceData(experiment)
    total: NDArray[np.float64] = np.zeros((count, count))

    def losses(network: torch.nn.Module, rows: torch.Tensor) -> list[torch.Tensor]:
        outputs = network(data.input(rows))
        return [
            task_loss(task, output, target[rows])
            for task, output, target in zip(tasks, outputs, data.targets, strict=True)
        ]

    for epoch in range(experiment.settings.epochs):
        for (rows,) in batches.epoch(epoch):
            of_tasks = losses(model, rows)
            before = torch.stack(of_tasks).detach()
            kept = [one.detach().clone() for one in shared]
            for source, loss in enumerate(of_tasks):
                gradients = torch.autograd.grad(loss, shared, retain_graph=True)
                with torch.no_grad():
                    for one, gradient in zip(shared, gradients, strict=True):
                        one.data.sub_(gradient, alpha=rate)
                    after = torch.stack(losses(model, rows))
                    for one, value in zip(shared, kept, strict=True):
                        one.data.copy_(value)
                total[source] += (1 - after / before).double().numpy()
            optimiser.zero_grad()
            torch.stack(losses(model, rows)).mean().backward()
            optimiser.step()
    return total / (experiment.settings.epochs * batches.steps)


def training_seconds(experiment: Experiment) -> float:
    """Return the time of the training that both sides do, measured by measuring nothing but its start."""
    begin = time.perf_counter()
    Tag(order="first", every=1 << 30, device="cpu").affinity(experiment)
    return time.perf_counter() - begin


def timed(function: Callable[[], NDArray[np.float64]]) -> tuple[float, NDArray[np.float64]]:
    """Return the time and the result."""
    begin = time.perf_counter()
    found = function()
    return time.perf_counter() - begin, found


def compare_landscape(arguments: argparse.Namespace) -> None:
    """Print ratios of times and the largest relative error."""
    rows = []
    cases: list[tuple[str, tuple[int, ...], int, int]] = [
        ("mlp", (64,), tasks, arguments.samples) for tasks in arguments.tasks
    ]
    cases += [("cnn", (1, 28, 28), tasks, arguments.images) for tasks in arguments.image_tasks]
    for backbone, shape, tasks, samples in cases:
        experiment = synthetic(tasks, shape, backbone, max(512, 2 * samples))
        source = Landscape(samples=samples, normalise="none", device="cpu")
        block = source.draw(DeviceData(experiment), 0)
        source.distances(experiment)
        ratios, slow, fast = [], [], []
        for _ in range(arguments.repeats):
            seconds, wanted = timed(lambda: naive_landscape(experiment, block))  # noqa: B023
            own, found = timed(lambda: source.distances(experiment))  # noqa: B023
            slow.append(seconds)
            fast.append(own)
            ratios.append(seconds / own)
        off = ~np.eye(tasks, dtype=bool)
        error = float((np.abs(found - wanted)[off] / wanted[off]).max())
        rows.append((backbone, tasks, samples, median(slow), median(fast), median(ratios), error))
    print("Landscape: distances of per-sample gradients against loops over samples, tasks and pairs\n")
    print_table(
        ("backbone", "tasks", "samples", "loops s", "engine s", "ratio", "largest relative error"), rows
    )


def compare_tag(arguments: argparse.Namespace) -> None:
    """Print ratios of the times that measuring takes, and the correlation with the loop."""
    rows = []
    for rate in arguments.rates:
        for tasks in arguments.tasks:
            experiment = synthetic(
                tasks,
                (64,),
                "mlp",
                1600,
                epochs=arguments.epochs,
                optimiser="sgd",
                momentum=0.0,
                learning_rate=rate,
            )
            ratios: dict[str, list[float]] = {"exact": [], "first": []}
            whole: dict[str, list[float]] = {"exact": [], "first": []}
            correlation = {}
            training_seconds(experiment)
            for _ in range(arguments.repeats):
                base = training_seconds(experiment)
                slow, wanted = timed(lambda: naive_tag(experiment))  # noqa: B023
                for order in ratios:
                    source = Tag(order=order, every=1, device="cpu")
                    fast, found = timed(lambda: source.affinity(experiment).matrix)  # noqa: B023
                    ratios[order].append((slow - base) / max(fast - base, 1e-9))
                    whole[order].append(slow / fast)
                    correlation[order] = float(np.corrcoef(found.ravel(), wanted.ravel())[0, 1])
            rows += [
                (order, rate, tasks, median(ratios[order]), median(whole[order]), correlation[order])
                for order in ratios
            ]
    print("TAG on the MLP, plain descent, measured at every step, against a tight loop of steps\n")
    print_table(
        ("order", "learning rate", "tasks", "ratio of measuring", "ratio with training", "correlation"), rows
    )


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, nargs="+", default=[10, 27, 100])
    parser.add_argument("--image-tasks", type=int, nargs="+", default=[10, 27])
    parser.add_argument("--samples", type=int, default=512)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--rates", type=float, nargs="+", default=[0.001, 0.01])
    parser.add_argument("--epochs", type=int, default=2, help="Of TAG; 15 steps each.")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print_header("affinities, one thread", "torch")
    compare_landscape(arguments)
    compare_tag(arguments)


if __name__ == "__main__":
    main()
