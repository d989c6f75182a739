"""Predictors on groups that they have not seen: against the truth where it is known, and on real gains."""

from __future__ import annotations

import argparse
import time

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

import engine
from benchmarks.common import print_header, print_table
from benchmarks.unmeasured_groups import COLUMNS, PREDICTORS, SIZES, unmeasured_rows
from engine.gains.source import source_names
from gain_sources.additive import Additive
from gain_sources.hoa import Hoa
from gain_sources.ridge import Ridge

SOURCES = {
    "ridge": Ridge(),
    "additive": Additive(),
    "additive, mean": Additive(mean=True),
    "hoa": Hoa(),
}


def synthetic(
    tasks: int, groups: int, noise: float, interaction: float, seed: int
) -> tuple[engine.GainTensor, engine.GainTensor]:
    """Return one-seed gains of all pairs and random groups, and the true gains of the same groups.

    Parameters
    ----------
    tasks, groups
        N, and the number of random groups.
    noise
        Standard deviation of one seed, in units of that of the true gains.
    interaction
        Standard deviation of what no sum of pair effects tells, in the same units.
    seed
        Of everything.
    """
    random = np.random.default_rng(seed)
    pairs = engine.parse_groups(f"pairs,random:{groups}:3-{tasks}", [f"t{one}" for one in range(tasks)])
    effects, own = random.normal(0, 1, (tasks, tasks)), random.normal(0, 1, tasks)
    np.fill_diagonal(effects, 0.0)
    truth = pairs @ effects + own
    spread = float(truth[pairs].std())
    truth += random.normal(0, interaction * spread, truth.shape)
    seen = truth + random.normal(0, noise * spread, truth.shape)
    names = [f"t{one}" for one in range(tasks)]
    return tuple(  # type: ignore[return-value]
        engine.GainTensor.from_dense(names, pairs, np.where(pairs, values / spread, np.nan))
        for values in (seen, truth)
    )


def held_out_predictions(
    source: engine.Predictor, gains: engine.GainTensor, folds: int
) -> NDArray[np.float64]:
    """Return predictions of every group of three or more by a model that did not see it, else NaN."""
    larger = np.flatnonzero(gains.sizes > 2)
    fold = np.random.default_rng(0).integers(0, folds, len(larger))
    found = np.full((gains.n_groups, gains.n_tasks), np.nan)
    for one in range(folds):
        hidden = larger[fold == one]
        known = gains.select(np.setdiff1d(np.arange(gains.n_groups), hidden))
        found[hidden] = source.fit(known).predict(gains.membership[hidden])
    return found


def known_truth(arguments: argparse.Namespace) -> None:
    """Print correlation with the truth: of one seed's measurement, and of predictions from others."""
    rows = []
    for noise in (0.3, 1.0, 2.0):
        for interaction in (0.0, 0.5):
            scores: dict[str, list[float]] = {name: [] for name in ("own measurement", *SOURCES)}
            for seed in range(arguments.repeats):
                seen, truth = synthetic(arguments.tasks, arguments.groups, noise, interaction, seed)
                asked = np.isfinite(truth.gains) & (truth.sizes > 2)[:, None]
                found = {"own measurement": seen.gains}
                found |= {name: held_out_predictions(one, seen, 5) for name, one in SOURCES.items()}
                for name, values in found.items():
                    scores[name].append(float(np.corrcoef(values[asked], truth.gains[asked])[0, 1]))
            rows.append((noise, interaction, *(float(np.median(of)) for of in scores.values())))
    print(f"Correlation with the true gains of groups of three or more of {arguments.tasks} tasks:")
    print(
        f"all pairs and {arguments.groups} random groups of one seed, five folds, {arguments.repeats} sets\n"
    )
    print_table(("noise", "interaction", "own measurement", *SOURCES), rows)


def real(arguments: argparse.Namespace) -> None:
    """Print errors on groups of a published table that were held out."""
    gains = engine.load_instance(arguments.instance).gains()
    random = np.random.default_rng(0)
    larger = np.flatnonzero(gains.sizes > 2)
    hidden = random.choice(larger, arguments.held_out, replace=False)
    asked = gains.select(hidden)
    others = np.setdiff1d(np.arange(gains.n_groups), hidden)
    pairs = np.flatnonzero(gains.sizes <= 2)
    few = random.choice(np.intersect1d(larger, others), arguments.held_out, replace=False)
    rows = []
    for name, known in (
        ("all others", others),
        (f"pairs + {len(few)} random", np.union1d(pairs, few)),
        ("pairs", pairs),
    ):
        for source, one in SOURCES.items():
            begin = time.perf_counter()
            model = one.fit(gains.select(known))
            seconds = time.perf_counter() - begin
            values = asked.gains[asked.membership]
            predicted = model.predict(asked.membership)[asked.membership]
            constant = np.ptp(predicted) < 1e-12
            row = [name, len(known), source, float(np.abs(predicted - values).mean())]
            row.append("–" if constant else float(spearmanr(predicted, values).statistic))
            if isinstance(model, engine.UncertainModel):
                error = model.std(asked.membership)[asked.membership]
                row.append(float((np.abs(predicted - values) < 1.96 * error).mean()))
            else:
                row.append("–")
            rows.append((*row, seconds))
    print(f"{arguments.instance}: {len(hidden)} random groups of three or more held out\n")
    print_table(
        ("fitted on", "groups", "source", "mean error", "Spearman", "within 1.96 std", "seconds"), rows
    )


def unmeasured(arguments: argparse.Namespace) -> None:
    """Print how every installed predictor does on groups that were not measured."""
    installed = source_names(engine.Predictor)
    names = [name for name, (source, _) in PREDICTORS.items() if source in installed]
    chosen = [name for name in names if not arguments.predictors or name in arguments.predictors]
    for instance in arguments.unmeasured:
        print(f"{instance}: groups known beyond single tasks and the group of all")
        print(f"{arguments.draws} random draws, mean ± standard deviation, judged on all other groups\n")
        sizes = arguments.known or SIZES[instance]
        print_table(COLUMNS, list(unmeasured_rows(instance, chosen, arguments.draws, sizes)))


def main() -> None:
    """Print the tables that are asked for, by default all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--tasks", type=int, default=14)
    parser.add_argument("--groups", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--instance", default="mimic27")
    parser.add_argument("--held-out", type=int, default=351)
    parser.add_argument("--unmeasured", nargs="+", choices=SIZES, default=list(SIZES), metavar="INSTANCE")
    parser.add_argument("--predictors", nargs="+", choices=PREDICTORS, metavar="NAME", help="by default all")
    parser.add_argument("--known", nargs="+", type=int, help="numbers of known groups")
    parser.add_argument("--draws", type=int, default=5)
    arguments = parser.parse_args()
    print_header("predictors", "scipy", "scikit-learn")
    for table in arguments.tables:
        TABLES[table](arguments)


TABLES = {"known-truth": known_truth, "held-out": real, "unmeasured": unmeasured}

if __name__ == "__main__":
    main()
