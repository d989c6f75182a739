"""Metrics of one task, over many networks at once.

Every metric takes raw outputs (logits or numbers) of shape ``(..., n, outputs)`` and targets of shape
``(n,)`` or ``(n, outputs)`` without missing labels, and returns shape ``(...)``; the leading axes are
networks. A metric is NaN where the targets leave it undefined: without rows; ``auroc`` and ``matthews``
with one class; ``average-precision`` and ``f1`` without positives; ``r2``, ``pearson`` and ``spearman``
where the targets do not vary. It is NaN, too, for a network with outputs that are not finite.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.data import classification_metrics as classification
from engine.data import regression_metrics as regression
from engine.errors import DataError, UsageError, unknown_name
from engine.plugins import Registry

Numbers = NDArray[np.float64]
Metric = Callable[[Numbers, Numbers], Numbers]

_BOTH = ("binary", "multiclass")


@dataclass(frozen=True)
class _Declared:
    function: Metric
    kinds: tuple[str, ...]
    higher: bool = False


_METRICS = {
    "binary-cross-entropy": _Declared(classification.binary_cross_entropy, ("binary",)),
    "cross-entropy": _Declared(classification.cross_entropy, ("multiclass",)),
    "squared-error": _Declared(regression.squared_error, ("regression",)),
    "root-squared-error": _Declared(regression.root_squared_error, ("regression",)),
    "absolute-error": _Declared(regression.absolute_error, ("regression",)),
    "huber": _Declared(regression.huber, ("regression",)),
    "r2": _Declared(regression.explained, ("regression",), higher=True),
    "pearson": _Declared(regression.pearson, ("regression",), higher=True),
    "spearman": _Declared(regression.spearman, ("regression",), higher=True),
    "accuracy": _Declared(classification.accuracy, _BOTH, higher=True),
    "balanced-accuracy": _Declared(classification.balanced_accuracy, _BOTH, higher=True),
    "matthews": _Declared(classification.matthews, _BOTH, higher=True),
    "macro-f1": _Declared(classification.macro_f1, _BOTH, higher=True),
    "f1": _Declared(classification.f1, ("binary",), higher=True),
    "auroc": _Declared(classification.auroc, ("binary",), higher=True),
    "average-precision": _Declared(classification.average_precision, ("binary",), higher=True),
}
_OWN: Registry = Registry("metric", "taskgrouping.metrics")

HIGHER = frozenset(name for name, declared in _METRICS.items() if declared.higher)
"""The metrics where higher is better."""


def evaluate(metric: str, outputs: Numbers, targets: Numbers) -> Numbers:
    """Return a metric of each network; NaN where it is undefined, for instance AUROC with one class.

    Parameters
    ----------
    metric
        A name of :func:`metric_names`, or ``"module:function"`` of one's own, which takes the outputs
        of one network, shape (n, outputs), and the targets, and returns a number.
    outputs
        Shape (..., n, outputs): logits, or predictions.
    targets
        Shape (n,), or (n, outputs) for regression: class numbers or values.

    Raises
    ------
    UsageError
        If there is no such metric.
    DataError
        If a metric of one's own returns no number.
    """
    given = np.asarray(outputs, dtype=np.float64)
    wanted = np.asarray(targets, dtype=np.float64)
    if ":" not in metric and metric not in _METRICS:
        raise unknown_name("metric", metric, metric_names())
    if not len(wanted):
        return np.full(given.shape[:-2], np.nan)
    broken = np.asarray(~np.isfinite(given).all(axis=(-2, -1)))
    # Zeros stand in, so that no metric warns; the results are thrown away.
    usable = np.where(broken[..., None, None], 0.0, given) if broken.any() else given
    values = _own(metric, usable, wanted) if ":" in metric else _METRICS[metric].function(usable, wanted)
    return np.where(broken, np.nan, values)


def metric_names() -> tuple[str, ...]:
    """Return every metric that is built in."""
    return tuple(sorted(_METRICS))


def metric_tasks(metric: str) -> tuple[str, ...]:
    """Return the kinds of task that a built-in metric is for."""
    return _METRICS[metric].kinds


def load_metric(metric: str) -> Callable[[Numbers, Numbers], float]:
    """Return a metric of one's own.

    Parameters
    ----------
    metric
        ``"module:function"``.

    Raises
    ------
    UsageError
        If it cannot be imported or called.
    """
    function: Callable[[Numbers, Numbers], float] = _OWN.load(metric)
    if not callable(function):
        raise UsageError(f"The metric {metric!r} is not a function of outputs and targets.")
    return function


def _own(metric: str, outputs: Numbers, targets: Numbers) -> Numbers:
    function = load_metric(metric)
    networks = outputs.reshape(-1, *outputs.shape[-2:])
    values = [function(network, targets) for network in networks]
    try:
        return np.array([float(value) for value in values]).reshape(outputs.shape[:-2])
    except (TypeError, ValueError):
        raise DataError(f"The metric {metric!r} must return one number, not {values[0]!r:.80}.") from None
