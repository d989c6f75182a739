"""What decisions are worth after so many measurements: guided collection, random groups, published methods.

Recorded gains stand for training: a method sees the source gains of the groups that it asked for, chooses
groups within each budget, and is judged by their evaluation gains. Runs count groups of two or more tasks
beyond the full set, which everybody is given, as the single tasks are.

One command per table: ``python -m benchmarks.decision_quality mimic27`` (or ``ettm1``, ``taskonomy5``);
``--methods`` picks rows. The defaults of the engine were chosen on source gains alone, on draws with other
seeds than these; see ``RESULTS.md``.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

import engine
from benchmarks.common import print_header, print_table
from engine.guided.acquisition import ExpectedImprovement, Optimistic, RandomGroups, Thompson

RUNS = {"mimic27": (27, 54, 135), "ettm1": (7, 14, 21), "taskonomy5": (3, 5, 8, 10)}
BUDGETS = {
    "mimic27": (2.0, 4.0, 6.0, 8.0, 13.0, 25.0),
    "ettm1": (2.0, 3.0, 4.0, 5.0, 6.0, 7.0),
    "taskonomy5": (2.0, 3.0, 4.0, 5.0),
}


@dataclass(frozen=True)
class Method:
    """A row of the table: how a study is made.

    Attributes
    ----------
    predictor
        A predictor by name.
    acquisition
        What is worth measuring.
    options
        Of the predictor.
    initial
        Groups before the predictor is asked; None for the default.
    batch
        Groups measured at once.
    """

    predictor: str
    acquisition: engine.Acquisition
    options: dict[str, object]
    initial: int | None = None
    batch: int = 3


METHODS = {
    "guided (default)": Method("gaussian-process", ExpectedImprovement(), {}),
    "guided, optimistic": Method("gaussian-process", Optimistic(), {}),
    "guided, Thompson": Method("gaussian-process", Thompson(), {}),
    "guided, extra-trees": Method("extra-trees", ExpectedImprovement(), {}),
    "guided, ridge": Method("ridge", ExpectedImprovement(), {}),
    "random groups": Method("ridge", RandomGroups(), {}, initial=1),
}


def judged(solutions: Sequence[engine.Solution], evaluation: engine.GainTensor) -> list[float]:
    """Return the mean evaluation gain of each solution, in percent."""
    return [100.0 * solution.evaluate(evaluation).mean for solution in solutions]


def outcomes(
    instance: engine.Instance,
    method: Method,
    runs: Sequence[int],
    budgets: Sequence[float],
    seed: int,
    choices: Sequence[str],
) -> tuple[dict[int, dict[str, list[float]]], float]:
    """Return the evaluated gains after each number of runs, and seconds per round.

    Parameters
    ----------
    instance
        With recorded source and evaluation gains.
    method
        Says what to measure.
    runs
        When to decide.
    budgets
        Of the decisions.
    seed
        Of everything.
    choices
        What to tell; all but "measured only" and "promised" cost fits of the predictor.
    """
    gains, evaluation = instance.gains(), instance.evaluation()
    assert evaluation is not None
    candidates = gains.membership
    if isinstance(method.acquisition, RandomGroups) and gains.n_tasks > 20:
        # As in the published comparison: random groups are large ones.
        candidates = candidates[(gains.sizes != 2)]
    predictor = engine.make_gain_source(method.predictor, engine.Predictor, method.options)
    study = engine.Study(
        gains.tasks,
        budgets,
        candidates=candidates,
        predictor=predictor,
        acquisition=method.acquisition,
        initial=method.initial,
        seed=seed,
    )
    found: dict[int, dict[str, list[float]]] = {}
    rounds, begin = 0, time.perf_counter()
    seconds = 0.0
    for count in runs:
        begin = time.perf_counter()
        engine.collect_guided(study, engine.recorded(gains), count + 1, batch=method.batch)
        seconds += time.perf_counter() - begin
        rounds = max(count + 1 - study.initial, 0) // method.batch
        measured = list(study.question.solutions(study.known).values())
        costly = set(choices) - {"measured only", "promised"}
        decisions = [study.decide(budget) for budget in budgets] if costly else []
        promised = [100.0 * float(solution.mean or 0.0) for solution in measured]
        found[count] = {
            "measured only": judged(measured, evaluation),
            "cautious": judged([one.cautious for one in decisions], evaluation),
            "plain": judged([one.plain for one in decisions], evaluation),
            "promised": promised,
            "expected optimism": [
                float("nan") if one.optimism is None else 100.0 * one.optimism for one in decisions
            ],
        }
    return found, seconds / max(rounds, 1)


def table(name: str, methods: Sequence[str], seeds: int, first_seed: int, choices: Sequence[str]) -> None:
    """Print mean and spread over seeds."""
    instance = engine.load_instance(name)
    runs, budgets = RUNS[name], BUDGETS[name]
    rows: list[tuple[object, ...]] = []
    for label in methods:
        results = []
        times = []
        for seed in range(first_seed, first_seed + seeds):
            found, seconds = outcomes(instance, METHODS[label], runs, budgets, seed, choices)
            results.append(found)
            times.append(seconds)
        for count in runs:
            for choice in choices:
                values = np.array([one[count][choice] for one in results])
                cells = [
                    f"{mean:.2f} ± {spread:.2f}"
                    for mean, spread in zip(values.mean(axis=0), values.std(axis=0), strict=True)
                ]
                rows.append((label, count, choice, *cells, float(np.median(times))))
    print_table(("method", "runs", "choice", *(f"B={one:g}" for one in budgets), "s per round"), rows)


def published(name: str, variants: Sequence[str], multiples: Sequence[int], seeds: int) -> None:
    """Print what MTG-Net's own active selection decides, with its predictions used as they are."""
    from engine.gains.predictions import predictions
    from engine.guided.active import measured_actively

    instance = engine.load_instance(name)
    gains, evaluation = instance.gains(), instance.evaluation()
    assert evaluation is not None
    rows: list[tuple[object, ...]] = []
    for variant in variants:
        for multiple in multiples:
            values: dict[str, list[list[float]]] = {"with predictions": [], "measured only": []}
            for seed in range(seeds):
                source = engine.make_gain_source(
                    "mtgnet", engine.Predictor, {"variant": variant, "seed": seed}
                )
                study = measured_actively(source, gains, multiple, seed=seed)
                tensor = predictions(study.model(), gains.membership, study.known)
                for choice, known in (("with predictions", tensor), ("measured only", study.known)):
                    found = engine.frontier(engine.Problem(known), BUDGETS[name], time_limit=20)
                    values[choice].append(judged(list(found.values()), evaluation))
            for choice, lists in values.items():
                array = np.array(lists)
                cells = [
                    f"{mean:.2f} ± {spread:.2f}"
                    for mean, spread in zip(array.mean(axis=0), array.std(axis=0), strict=True)
                ]
                rows.append((f"mtgnet, {variant}", multiple * gains.n_tasks, choice, *cells))
    print_table(("method", "runs", "choice", *(f"B={one:g}" for one in BUDGETS[name])), rows)


def everything(name: str) -> None:
    """Print what is decided when every recorded group is measured."""
    instance = engine.load_instance(name)
    evaluation = instance.evaluation()
    assert evaluation is not None
    found = engine.frontier(engine.Problem(instance.gains()), BUDGETS[name])
    cells = [f"{value:.2f}" for value in judged(list(found.values()), evaluation)]
    print_table(("everything measured", *(f"B={one:g}" for one in BUDGETS[name])), [("", *cells)])


def main() -> None:
    """Print the tables asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instance", choices=sorted(RUNS))
    parser.add_argument("--methods", help="rows, separated by ';'; all by default", default=";".join(METHODS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--choices", default="measured only,promised")
    parser.add_argument("--mtgnet", help="variants of MTG-Net's own loop, for instance paper,default")
    parser.add_argument("--multiples", default="1", help="K of MTG-Net's loop: groups per task")
    arguments = parser.parse_args()
    # The bundled predictions would flatter: nothing here may run on them.
    warnings.simplefilter("error", engine.PredictedGainsWarning)
    print_header("decision_quality", "scikit-learn")
    steps: list[Callable[[], None]] = []
    if arguments.mtgnet:
        multiples = [int(one) for one in arguments.multiples.split(",")]
        variants = arguments.mtgnet.split(",")
        steps.append(lambda: published(arguments.instance, variants, multiples, arguments.seeds))
    else:
        choices = arguments.choices.split(",")
        methods = [one for one in arguments.methods.split(";") if one]
        steps.append(lambda: everything(arguments.instance))
        steps.append(
            lambda: table(arguments.instance, methods, arguments.seeds, arguments.first_seed, choices)
        )
    for step in steps:
        step()
        print()


if __name__ == "__main__":
    main()
