"""A predictor of MTG-Net's size over all groups: how fast it is evaluated, and the exact solution.

The network has the published shape (an embedding per task, layers of single-head attention among the members
of a group, one shared linear head; Song et al., NeurIPS 2022) with random weights: what counts here is the
cost of an evaluation. Needs torch. On a GPU: ``--device cuda``, which also times the passes of the structured
scan there.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

import engine
from benchmarks.common import median, print_header, print_table, seconds_of
from engine.solving.control import Control
from instances.made.generators import low_rank_affinity
from solvers.lattices.form import LatticeForm, Prices
from solvers.lattices.separable_scan import SeparableScan
from solvers.lattices.torch_scan import TorchScan

TEMPERATURE = 0.2


class NeuralPredictor:
    """Predicts the gains of groups by a small attention network with random weights.

    Parameters
    ----------
    count
        N.
    width, layers
        Size of the network.
    device
        Where torch computes.
    """

    source = "neural predictor"

    def __init__(self, count: int, width: int, layers: int, device: str, seed: int = 0) -> None:
        import torch

        self.tasks = tuple(f"task {index}" for index in range(count))
        self.torch, self.device = torch, torch.device(device)
        generator = torch.Generator().manual_seed(seed)

        def weights(*shape: int) -> Any:
            return (torch.randn(*shape, generator=generator) / shape[0] ** 0.5).to(self.device)

        self.embedding = torch.randn(count, width, generator=generator).to(self.device)
        self.layers = [tuple(weights(width, width) for _ in range(4)) for _ in range(layers)]
        self.head = weights(width)

    def predict(self, membership: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the gains of some groups."""
        torch = self.torch
        with torch.inference_mode():
            member = torch.from_numpy(np.ascontiguousarray(membership)).to(self.device)
            tokens = self.embedding.expand(len(member), -1, -1)
            bias = torch.where(member, 0.0, -1e15)[:, None, :]
            for query, key, value, out in self.layers:
                scores = (tokens @ query) @ (tokens @ key).transpose(1, 2) / tokens.shape[2] ** 0.5
                context = torch.softmax((scores + bias) / TEMPERATURE, dim=2) @ (tokens @ value)
                tokens = torch.nn.functional.layer_norm(tokens + context @ out, tokens.shape[2:])
            gains = 0.05 * (tokens @ self.head).double().cpu().numpy()
        gains[membership.sum(axis=1) == 1] = 0.0
        gains[~membership] = np.nan
        return gains


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=14)
    parser.add_argument("--budgets", default="2,4")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--memory", type=float, default=2.0, help="GiB for the table of predictions")
    parser.add_argument("--cache", help="folder for a table that does not fit")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    print_header("a neural predictor over all groups", "torch")
    model = NeuralPredictor(arguments.tasks, arguments.width, arguments.layers, arguments.device)
    rng = np.random.default_rng(0)
    rows: list[tuple[object, ...]] = []
    for block in (1024, 4096, 16384):
        membership = rng.random((block, arguments.tasks)) < 0.5
        model.predict(membership)
        seconds = median(seconds_of(lambda m=membership: model.predict(m), arguments.repeats))
        per_second = block / seconds
        rows.append((block, per_second, 2**27 / per_second))
    print_table(("groups at once", "groups per s", "2^27 groups would take, s"), rows)

    options = {"memory": arguments.memory, "cache": arguments.cache}
    rows = []
    for budget in map(int, arguments.budgets.split(",")):
        begin = time.perf_counter()
        problem = engine.LatticeProblem(model, constraints=(engine.Budget(budget),))
        solution = engine.solve(problem, "lattice", options=options)
        stages = solution.certificate.seconds
        predicted = stages.get("predict", 0.0)
        rows.append(
            (
                budget,
                solution.status.value,
                solution.value,
                time.perf_counter() - begin,
                predicted,
                solution.gap,
            )
        )
    print_table(
        (f"{arguments.tasks} tasks, budget", "status", "value", "seconds", "of these predicting", "gap"), rows
    )

    if arguments.device != "cpu":
        pairs = engine.PairMeanModel.from_affinity(low_rank_affinity(27))
        form = LatticeForm.of(engine.LatticeProblem(pairs))
        prices, control = Prices(np.full(27, 0.01), np.zeros(27)), Control(threads=2)
        rows = []
        for name, scan in (
            ("compiled, 2 threads", SeparableScan(form, 2)),
            (arguments.device, TorchScan(form, 2, arguments.device)),
        ):
            scan.bests(prices, control)
            seconds = median(seconds_of(lambda s=scan: s.bests(prices, control), arguments.repeats))
            rows.append((name, seconds, 1 / seconds))
        print_table(("one pass over 2^27 − 1 groups of a HOA model", "median s", "passes per s"), rows)


if __name__ == "__main__":
    main()
