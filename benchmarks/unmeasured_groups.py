"""Predictors on the groups of a published table that they were not shown, by number of known groups."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import engine
from engine.gains.calibration import PredictionScores, score_predictions

PREDICTORS: dict[str, tuple[str, dict[str, object]]] = {
    "ridge": ("ridge", {}),
    "additive": ("additive", {}),
    "two-step": ("two-step", {}),
    "extra-trees": ("extra-trees", {}),
    "gaussian-process": ("gaussian-process", {}),
    "stacked": ("stacked", {}),
    "mtgnet": ("mtgnet", {}),
    "mtgnet, paper": ("mtgnet", {"variant": "paper"}),
    "hoa, all pairs": ("hoa", {}),
}
"""Name in the table → name and options of the source."""

SIZES = {"mimic27": (27, 54, 135, 351), "ettm1": (7, 14, 21)}
"""Number of random groups that are known beyond the single tasks and the group of all."""

COLUMNS = ("known", "source", "MAE", "Spearman", "within 50 %", "within 90 %", "fit s", "draws")


@dataclass(frozen=True)
class Trial:
    """One predictor on one draw of known groups."""

    scores: PredictionScores
    seconds: float


def measured_gains(instance: str) -> engine.GainTensor:
    """Return the published gains of the source split.

    Raises
    ------
    SystemExit
        If they are not at hand: predictions would be judged by predictions.
    """
    gains = engine.load_instance(instance).gains()
    if not gains.measured.all():
        raise SystemExit(f"{instance}: the published gains are not here. Set ENGINE_DATA to their folder.")
    return gains


def drawn_rows(gains: engine.GainTensor, count: int, seed: int) -> NDArray[np.int64]:
    """Return the rows of the single tasks, of the group of all, and of some random groups."""
    free = (gains.sizes == 1) | (gains.sizes == gains.n_tasks)
    drawn = np.random.default_rng(seed).choice(np.flatnonzero(~free), count, replace=False)
    return np.sort(np.concatenate([np.flatnonzero(free), drawn]))


def trial(name: str, gains: engine.GainTensor, count: int, seed: int) -> Trial | None:
    """Fit a predictor on random known groups and judge it on all others; None where it cannot be fitted.

    The pair-mean rule is fitted on all pairs instead, where they are as many groups.
    """
    source, options = PREDICTORS[name]
    if source == "hoa":
        if (gains.sizes == 2).sum() != count or seed > 0:
            return None
        known = np.flatnonzero((gains.sizes <= 2) | (gains.sizes == gains.n_tasks))
    else:
        known = drawn_rows(gains, count, seed)
    asked = gains.select(np.setdiff1d(np.arange(gains.n_groups), known))
    predictor = engine.make_gain_source(source, engine.Predictor, options)
    begin = time.perf_counter()
    try:
        model = predictor.fit(gains.select(known))
    except engine.DataError:
        return None
    seconds = time.perf_counter() - begin
    member = asked.membership
    values, mean = asked.gains[member], model.predict(member)[member]
    std = (
        model.std(member)[member] if isinstance(model, engine.UncertainModel) else np.full_like(mean, np.nan)
    )
    return Trial(score_predictions("", values, mean, std), seconds)


def unmeasured_rows(
    instance: str, names: Sequence[str], seeds: int, sizes: Sequence[int] = ()
) -> Iterator[tuple[object, ...]]:
    """Yield the lines of the table, mean and standard deviation over the draws.

    Parameters
    ----------
    instance
        ``"mimic27"`` or ``"ettm1"``.
    names
        Of :data:`PREDICTORS`.
    seeds
        Number of draws of known groups; the same for every predictor.
    sizes
        Numbers of known groups; those of :data:`SIZES` by default.
    """
    gains = measured_gains(instance)
    for count in sizes or SIZES[instance]:
        for name in names:
            found = [one for seed in range(seeds) if (one := trial(name, gains, count, seed))]
            if not found:
                continue
            scores = [one.scores for one in found]
            yield (
                count,
                name,
                spread([one.error for one in scores], 4),
                spread([one.spearman for one in scores], 3),
                *(spread([one.coverage[level] for one in scores], 2) for level in (0, 1)),
                round(statistics.median(one.seconds for one in found), 2),
                len(found),
            )


def spread(values: Sequence[float | None], digits: int) -> str:
    """Return mean ± standard deviation; a dash where one is unknown."""
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return "–"
    mean = f"{statistics.fmean(known):.{digits}f}"
    return f"{mean} ± {statistics.stdev(known):.{digits}f}" if len(known) > 1 else mean
