"""What fairness costs: the total gain under max-min and under floors, against the best total, by budget.

Run it with ``python examples/price_of_fairness.py [--instance NAME] [--output FILE]``. Without the data of
``mimic27`` it takes the bundled instance ``planted`` and says so.
"""

from __future__ import annotations

import argparse
import math
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import engine

SOLVER = "branch-and-bound"
FRONTS = (2, 3, 4)  # budgets whose trade-off between total and worst gain is drawn


@dataclass(frozen=True)
class Costs:
    """Totals of one budget; None where no grouping meets the floor.

    Attributes
    ----------
    best
        The best total gain.
    worst_of_best
        The gain of the task that fares worst in that grouping.
    level
        The best gain that the task faring worst can have.
    max_min
        The best total at that level.
    nobody_loses
        The best total with no task below 0.
    """

    budget: float
    best: float
    worst_of_best: float
    level: float
    max_min: float
    nobody_loses: float | None


def best_total(gains: engine.GainTensor, budget: float, floor: float | None = None) -> engine.Solution:
    """Return the grouping with the largest total among those that keep a floor."""
    floors = [] if floor is None else [engine.Floor(floor)]
    solution = engine.solve(engine.Problem(gains, constraints=[engine.Budget(budget), *floors]), SOLVER)
    assert solution.status in (engine.Status.OPTIMAL, engine.Status.INFEASIBLE), solution.status
    return solution


def total(solution: engine.Solution) -> float:
    """Return the value of a grouping that is there."""
    assert solution.value is not None
    return solution.value


def costs(gains: engine.GainTensor, budget: float) -> Costs:
    """Solve the four problems of one budget, each proven."""
    best = best_total(gains, budget)
    fair = engine.solve(engine.Problem(gains, engine.WorstGain(), [engine.Budget(budget)]), SOLVER)
    assert fair.status is engine.Status.OPTIMAL, fair.status
    # Of all groupings as good for the worst task, the one with the largest total.
    max_min = best_total(gains, budget, total(fair))
    return Costs(
        budget,
        total(best),
        min(best.task_values.values()),
        total(fair),
        total(max_min),
        best_total(gains, budget, 0.0).value,
    )


def price(best: float, fair: float | None) -> float | None:
    """Return the share of the total given up: the price of fairness (Bertsimas et al., 2011)."""
    return None if fair is None or best <= 0 else (best - fair) / best


def front(gains: engine.GainTensor, budget: float) -> list[tuple[float, float]]:
    """Return every pair of worst and total gain that no grouping beats in both.

    The ε-constraint method (Haimes, Lasdon and Wismer, 1971): after each best total, the floor moves just
    above the worst gain of its grouping.
    """
    points: list[tuple[float, float]] = []
    floor = None
    while (solution := best_total(gains, budget, floor)).found:
        worst = min(solution.task_values.values())
        points.append((worst, total(solution)))
        floor = math.nextafter(worst, math.inf)
    return points


def draw(
    name: str,
    n_tasks: int,
    found: list[Costs],
    fronts: dict[int, list[tuple[float, float]]],
    path: Path,
) -> None:
    """Save the figure: mean gain by budget, its price, and the trade-off at some budgets."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(12, 3.6), layout="constrained", dpi=150)
    totals, prices, floors = figure.subplots(1, 3)
    budgets = [one.budget for one in found]
    series: dict[str, tuple[str, str, list[float | None]]] = {
        "best total": ("#000000", "o", [one.best for one in found]),
        "nobody loses": ("#0072b2", "s", [one.nobody_loses for one in found]),
        "max-min": ("#d55e00", "^", [one.max_min for one in found]),
    }
    best = [one.best for one in found]
    for label, (colour, marker, values) in series.items():
        style: dict[str, Any] = {"color": colour, "marker": marker, "markersize": 4, "label": label}
        totals.plot(budgets, [_percent(value, n_tasks) for value in values], **style)
        if label != "best total":
            given_up = [price(one, fair) for one, fair in zip(best, values, strict=True)]
            prices.plot(budgets, [_percent(share) for share in given_up], **style)
    for budget, points in fronts.items():
        floors.plot(
            [100 * worst for worst, _ in points],
            [_percent(total, n_tasks) for _, total in points],
            ".-",
            drawstyle="steps-pre",
            label=f"budget {budget}",
        )
    totals.set(title=name, ylabel="mean gain in %")
    prices.set(title="price of fairness", ylabel="share of the total given up, in %")
    floors.set(title="trade-off", xlabel="gain of the task that fares worst, in %", ylabel="mean gain in %")
    for ax in (totals, prices):
        ax.set_xlabel("budget (number of groups)")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    for ax in (totals, prices, floors):
        ax.legend(frameon=False, fontsize=8)
        ax.grid(visible=True, color="0.9")
        ax.set_axisbelow(True)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def _percent(value: float | None, n_tasks: int = 1) -> float:
    return float("nan") if value is None else 100 * value / n_tasks


def load(name: str) -> tuple[str, engine.GainTensor]:
    """Return the measured gains of an instance, or made-up ones where its data are not here."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", engine.PredictedGainsWarning)
            return name, engine.load_instance(name).gains()
    except (engine.DataError, engine.PredictedGainsWarning):
        print(f"the data of {name} are not here (set ENGINE_DATA): planted instead", file=sys.stderr)
        return "planted", engine.load_instance("planted").gains()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instance", default="mimic27")
    parser.add_argument("--output", type=Path, default=Path("price_of_fairness.png"))
    parser.add_argument("--most", type=int, default=12, help="the largest budget")
    options = parser.parse_args(arguments)
    name, gains = load(options.instance)
    n = gains.n_tasks
    print(f"{name}: means over {n} tasks in %; price: share of the best total given up, in %\n")
    names = [
        "best mean",
        "its worst task",
        "nobody loses",
        "price",
        "max-min mean",
        "its worst task",
        "price",
    ]
    print(f"| budget | {' | '.join(names)} |")
    print("|---:" * 8 + "|")
    found = []
    for budget in range(1, min(options.most, n) + 1):
        one = costs(gains, budget)
        found.append(one)
        cells = [
            _percent(one.best, n),
            _percent(one.worst_of_best),
            _percent(one.nobody_loses, n),
            _percent(price(one.best, one.nobody_loses)),
            _percent(one.max_min, n),
            _percent(one.level),
            _percent(price(one.best, one.max_min)),
        ]
        shown = ["–" if cell != cell else f"{cell:.2f}" for cell in cells]
        print(f"| {budget} | {' | '.join(shown)} |")
    fronts = {budget: front(gains, budget) for budget in FRONTS if budget <= options.most}
    for budget, points in fronts.items():
        # The last point is reached by floors alone, the level by the objective: two ways, one answer.
        assert points[-1][0] == found[budget - 1].level
    draw(name, n, found, fronts, options.output)
    print(f"\nfigure: {options.output}")


if __name__ == "__main__":
    main()
