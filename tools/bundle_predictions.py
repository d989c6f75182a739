"""Makes the predictions that come with the engine: fits a model on published gains and tabulates it.

``python -m tools.bundle_predictions`` writes instances/predictions; ``--compare ridge,additive`` prints what
the choice of the predictor rests on, ``--decide 6`` what decisions by such predictions are worth. All need
the published gains: ENGINE_DATA, the cache or a download.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, spearmanr
from threadpoolctl import threadpool_info, threadpool_limits

import engine
from instances.reading.bundled_predictions import (
    FOLDER,
    BundledPredictions,
    FitRecord,
    FittedSplit,
    write_predictions,
)
from instances.reading.mtgnet_gains import MTGNET, MtgNetInstance

SOURCE = "gaussian-process"
OPTIONS: Mapping[str, Any] = {}
"""The predictor, the same for all instances, and its options. It ranks groups better than ``ridge`` on every
split, and errs less on mimic27 and taskonomy5; on ettm1 neither errs less than means (``--compare``)."""
GROUPS = {
    "mimic27": "singles,pairs,triples,full,random:2000:4-26",
    "ettm1": "all",
    "taskonomy5": "all",
}
GROUP_SEED, FOLDS, FOLD_SEED = 0, 5, 0
RECIPE = 1
"""To be raised with every change of the procedure here that changes a number."""
DIGITS = 4


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Predictions of measured groups of two or more by models that did not see them.

    Attributes
    ----------
    gains, std
        Shape (M, N), NaN off the membership and for singles.
    """

    gains: NDArray[np.float64]
    std: NDArray[np.float64]


def left_out(source: engine.Predictor, measured: engine.GainTensor) -> LeftOut:
    """Predict every group of two or more from the groups of the other folds and the singles."""
    several = np.flatnonzero(measured.sizes > 1)
    fold = np.random.default_rng(FOLD_SEED).permutation(len(several)) % FOLDS
    gains, std = np.full((2, measured.n_groups, measured.n_tasks), np.nan)
    for one in range(FOLDS):
        hidden = several[fold == one]
        model = source.fit(measured.select(np.setdiff1d(np.arange(measured.n_groups), hidden)))
        asked = measured.membership[hidden]
        gains[hidden] = model.predict(asked)
        if isinstance(model, engine.UncertainModel):
            std[hidden] = model.std(asked)
    return LeftOut(gains, std)


def errors(source: engine.Predictor, measured: engine.GainTensor) -> dict[str, float]:
    """Return the figures of :class:`FittedSplit` about a predictor."""
    predicted = left_out(source, measured)
    asked = np.isfinite(predicted.gains)
    truth = measured.gains[asked]
    off = np.abs(predicted.gains[asked] - truth)
    means = np.nanmean(np.where(asked, measured.gains, np.nan), axis=0)
    figures = {
        "mean_error": off.mean(),
        "error_of_means": np.abs(truth - np.broadcast_to(means, asked.shape)[asked]).mean(),
        "rank_correlation": spearmanr(predicted.gains[asked], truth).statistic,
        "within_90": (off <= norm.ppf(0.95) * predicted.std[asked]).mean(),
    }
    return {name: round(float(figure), DIGITS) for name, figure in figures.items()}


def measured_gains(instance: MtgNetInstance) -> dict[str, engine.GainTensor]:
    """Return the measured gains by split."""
    return {split: instance.recorded("measured", split) for split in instance.info.splits}


def bundle(instance: MtgNetInstance, name: str) -> BundledPredictions:
    """Fit the model on every split by itself and predict the fixed groups.

    Measured groups are predicted as all others are: no measurement is handed through.
    """
    source = engine.make_gain_source(SOURCE, engine.Predictor, OPTIONS)
    membership = engine.parse_groups(GROUPS[name], instance.info.tasks, seed=GROUP_SEED)
    gains, splits = {}, {}
    for split, measured in measured_gains(instance).items():
        gains[split] = engine.tabulate(source.fit(measured), membership, split=split)
        files = (instance.membership, instance.files["measured", split])
        splits[split] = FittedSplit(
            measured.n_groups, {file.path: file.sha256 for file in files}, **errors(source, measured)
        )
    fit = FitRecord(
        instance=name,
        command=f"python -m tools.bundle_predictions {name}",
        engine=version("task-grouping-engine"),
        recipe=RECIPE,
        platform=platform_name(),
        source=SOURCE,
        options=dict(vars(source)),
        groups=GROUPS[name],
        group_seed=GROUP_SEED,
        folds=FOLDS,
        fold_seed=FOLD_SEED,
        origin=MTGNET.origin,
        splits=splits,
    )
    return BundledPredictions(fit, gains)


def published(name: str, data_dir: Path | None) -> MtgNetInstance:
    """Return the published instance, never what stands in for it."""
    cls = engine.INSTANCES.load(name)
    instance = cls(name, data_dir)
    assert isinstance(instance, MtgNetInstance)
    return instance


def platform_name() -> str:
    """Return what decides how sums are rounded: processor, kernels of the linear algebra, libraries."""
    kernels = {one["architecture"] for one in threadpool_info() if one["user_api"] == "blas"}
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy"))
    return f"{platform.system()} {platform.machine()}, {'/'.join(sorted(kernels))}, {libraries}"


def compare(sources: Sequence[str], names: Sequence[str], data_dir: Path | None) -> None:
    """Print the errors of some predictors on groups left out of the fit."""
    print(f"{'instance':12}{'split':11}{'source':20}", end="")
    print(f"{'mean error':>11}{'of means':>10}{'Spearman':>10}{'in 90 %':>9}")
    for name in names:
        for split, measured in measured_gains(published(name, data_dir)).items():
            for one in sources:
                found = errors(engine.make_gain_source(one, engine.Predictor), measured)
                print(
                    f"{name:12}{split:11}{one:20}{found['mean_error']:11.4f}{found['error_of_means']:10.4f}"
                    f"{found['rank_correlation']:10.3f}{found['within_90']:9.3f}"
                )


def decide(names: Sequence[str], budget: float, data_dir: Path | None) -> None:
    """Print what choices among the measured groups promise, and keep on the measured evaluation gains."""
    source = engine.make_gain_source(SOURCE, engine.Predictor, OPTIONS)
    for name in names:
        instance = published(name, data_dir)
        gains = measured_gains(instance)
        measured, judged = gains[instance.info.source_split], gains[instance.info.evaluation_split]
        values = np.where(measured.sizes[:, None] > 1, left_out(source, measured).gains, measured.gains)
        predicted = engine.GainTensor.from_dense(measured.tasks, measured.membership, values)
        everything = judged.gains[judged.find(judged.tasks)[0]].mean()
        print(f"{name}, {budget:g} groups of the measured ones; one network for all keeps {everything:.2%}")
        for told, tensor in (("predictions that left them out", predicted), ("measured gains", measured)):
            solution = engine.solve(engine.Problem(tensor).with_budget(budget))
            assert solution.mean is not None
            kept = solution.evaluate(judged).mean
            print(f"  by {told}: promise {solution.mean:.2%}, keep {kept:.2%}")


def main() -> None:
    """Write the files, or show how good such predictions are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="INSTANCE", help=f"of {', '.join(GROUPS)}; default: all")
    parser.add_argument("--data-dir", type=Path, help="folder with the published gains")
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder to write to")
    parser.add_argument("--compare", metavar="a,b", help="print the errors of these predictors instead")
    parser.add_argument(
        "--decide", metavar="B", type=float, help="print what B groups promise and keep instead"
    )
    arguments = parser.parse_args()
    names = arguments.names or list(GROUPS)
    if not set(names) <= set(GROUPS):
        parser.error(f"there are predictions of {', '.join(GROUPS)} only")
    try:
        with threadpool_limits(1):  # sums in another order may round otherwise
            if arguments.compare:
                compare(arguments.compare.split(","), names, arguments.data_dir)
                return
            if arguments.decide:
                decide(names, arguments.decide, arguments.data_dir)
                return
            for name in names:
                path = arguments.output / f"{name}.npz"
                write_predictions(bundle(published(name, arguments.data_dir), name), path)
                print(f"{path}: {path.stat().st_size:,} bytes")
    except engine.EngineError as error:
        parser.exit(error.exit_code, f"{error}\n")


if __name__ == "__main__":
    main()
