from __future__ import annotations

import math
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as oracle

from engine import DataError, Task, UsageError
from engine.data.metrics import HIGHER, evaluate, metric_names, metric_tasks

LIGHT = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def sigmoid(values: Any) -> Any:
    return 1 / (1 + np.exp(-values))


def softmax(values: Any) -> Any:
    return np.exp(values) / np.exp(values).sum(axis=-1, keepdims=True)


def predicted(outputs: Any) -> Any:
    return (outputs[:, 0] > 0).astype(int) if outputs.shape[1] == 1 else outputs.argmax(axis=1)


REFERENCES: dict[str, Callable[[Any, Any], float]] = {
    "binary-cross-entropy": lambda out, y: oracle.log_loss(y, sigmoid(out[:, 0]), labels=[0, 1]),
    "cross-entropy": lambda out, y: oracle.log_loss(y, softmax(out), labels=range(out.shape[1])),
    "squared-error": lambda out, y: oracle.mean_squared_error(y, out),
    "root-squared-error": lambda out, y: math.sqrt(oracle.mean_squared_error(y, out)),
    "absolute-error": lambda out, y: oracle.mean_absolute_error(y, out),
    "huber": lambda out, y: float(
        np.mean([abs(d) - 0.5 if abs(d) > 1 else d * d / 2 for d in (out - y.reshape(out.shape)).ravel()])
    ),
    "r2": lambda out, y: oracle.r2_score(y, out),
    "pearson": lambda out, y: float(
        np.mean([stats.pearsonr(a, b)[0] for a, b in zip(out.T, y.reshape(out.shape).T, strict=True)])
    ),
    "spearman": lambda out, y: float(
        np.mean([stats.spearmanr(a, b)[0] for a, b in zip(out.T, y.reshape(out.shape).T, strict=True)])
    ),
    "accuracy": lambda out, y: oracle.accuracy_score(y, predicted(out)),
    "balanced-accuracy": lambda out, y: oracle.recall_score(
        y, predicted(out), labels=np.unique(y), average="macro"
    ),
    "matthews": lambda out, y: oracle.matthews_corrcoef(y, predicted(out)),
    "macro-f1": lambda out, y: oracle.f1_score(y, predicted(out), average="macro", zero_division=0),
    "f1": lambda out, y: oracle.f1_score(y, predicted(out), zero_division=0),
    "auroc": lambda out, y: oracle.roc_auc_score(y, out[:, 0]),
    "average-precision": lambda out, y: oracle.average_precision_score(y, out[:, 0]),
}


def sample(kind: str, rows: int, seed: int, ties: bool, outputs: int) -> tuple[Any, Any]:
    """Three networks' outputs and targets with at least two values."""
    random = np.random.default_rng(seed)
    width = 1 if kind == "binary" else outputs
    made = random.normal(size=(3, rows, width)) * 2
    if ties:
        made = np.round(made)
    if kind == "regression":
        targets = (
            np.round(random.normal(size=(rows, width)), 1) if ties else random.normal(size=(rows, width))
        )
        targets[0] = targets[1] + 1
        return made, targets
    classes = max(width, 2)
    targets = random.integers(0, classes, rows).astype(float)
    targets[:2] = [0, 1]
    return made, targets


def test_every_metric_has_a_reference() -> None:
    assert set(REFERENCES) == set(metric_names())
    assert set(metric_names()) >= HIGHER


@LIGHT
@given(
    st.sampled_from([(name, kind) for name in sorted(REFERENCES) for kind in metric_tasks(name)]),
    st.integers(4, 40),
    st.integers(0, 2**31),
    st.booleans(),
    st.integers(2, 4),
)
def test_metrics_agree_with_scikit_learn(
    which: tuple[str, str], rows: int, seed: int, ties: bool, outputs: int
) -> None:
    name, kind = which
    made, targets = sample(kind, rows, seed, ties, outputs)
    if name in ("pearson", "spearman") and ties:
        made[:, 0] = made[:, 1] + 1  # the reference warns of constant outputs
    found = evaluate(name, made, targets)
    assert found.shape == (3,)
    assert found == pytest.approx([REFERENCES[name](one, targets) for one in made], abs=1e-12)


@pytest.mark.parametrize("name", metric_names())
def test_leading_axes_are_networks(name: str) -> None:
    kind = metric_tasks(name)[0]
    made, targets = sample(kind, 12, 5, False, 3)
    stacked = np.stack([made, -made])
    found = evaluate(name, stacked, targets)
    assert found.shape == (2, 3)
    apart = [[float(evaluate(name, one, targets)) for one in several] for several in stacked]
    assert found == pytest.approx(np.array(apart), rel=1e-12)


@pytest.mark.parametrize("name", ["auroc", "matthews"])
@pytest.mark.parametrize("one", [0.0, 1.0])
def test_a_metric_of_two_classes_is_undefined_with_one(name: str, one: float) -> None:
    assert np.isnan(evaluate(name, np.ones((2, 5, 1)), np.full(5, one))).all()


@pytest.mark.parametrize("name", ["f1", "average-precision"])
def test_a_metric_of_positives_is_undefined_without_them(name: str) -> None:
    assert np.isnan(evaluate(name, np.ones((2, 5, 1)), np.zeros(5))).all()
    assert evaluate(name, np.ones((5, 1)), np.ones(5)) == 1


@pytest.mark.parametrize("name", ["r2", "pearson", "spearman"])
def test_a_metric_of_variance_is_undefined_where_targets_do_not_vary(name: str) -> None:
    assert np.isnan(evaluate(name, np.arange(10.0).reshape(2, 5, 1), np.full(5, 0.1))).all()
    assert np.isnan(evaluate(name, np.ones((1, 1)), np.ones(1)))


@pytest.mark.parametrize("name", ["pearson", "spearman"])
def test_constant_outputs_correlate_with_nothing(name: str) -> None:
    assert evaluate(name, np.full((7, 1), 0.1), np.arange(7.0)) == 0


def test_constant_predictions_have_no_matthews_correlation() -> None:
    assert evaluate("matthews", np.ones((4, 1)), np.array([0.0, 1, 1, 0])) == 0


@pytest.mark.parametrize("name", metric_names())
def test_a_single_row_raises_and_warns_of_nothing(name: str) -> None:
    width = 3 if metric_tasks(name) == ("multiclass",) else 1
    value = evaluate(name, np.full((2, 1, width), 0.5), np.ones(1))
    assert value.shape == (2,)


@pytest.mark.parametrize("name", metric_names())
def test_no_row_is_undefined(name: str) -> None:
    assert np.isnan(evaluate(name, np.zeros((2, 0, 1)), np.zeros(0))).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", metric_names())
def test_a_network_that_broke_is_undefined_and_harms_no_other(name: str, value: float) -> None:
    made, targets = sample(metric_tasks(name)[0], 9, 3, False, 3)
    broken = made.copy()
    broken[1, 4, 0] = value
    found, whole = evaluate(name, broken, targets), evaluate(name, made, targets)
    assert np.isnan(found[1])
    assert found[[0, 2]] == pytest.approx(whole[[0, 2]])


def test_large_logits_do_not_overflow() -> None:
    assert evaluate("binary-cross-entropy", np.array([[1e4], [-1e4]]), np.array([1.0, 0])) == 0
    assert evaluate("cross-entropy", np.array([[1e4, 0.0]]), np.array([1.0])) == 1e4


def test_an_unknown_metric_is_refused() -> None:
    with pytest.raises(UsageError, match="Did you mean 'auroc'"):
        evaluate("aurock", np.zeros((1, 1)), np.zeros(1))


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module: Any = ModuleType("own_metrics")
    module.worst = lambda outputs, targets: np.abs(outputs[:, 0] - targets).max()
    module.broken = lambda outputs, targets: "much"
    module.number = 3
    monkeypatch.setitem(sys.modules, "own_metrics", module)
    return module


@pytest.mark.usefixtures("own")
def test_a_metric_of_ones_own() -> None:
    task = Task("price", metric="own_metrics:worst", direction="lower")
    assert task.sign == -1
    found = evaluate(task.metric, np.array([[[1.0], [5.0]], [[2.0], [2.0]]]), np.array([1.0, 2.0]))
    assert found.tolist() == [3.0, 1.0]


@pytest.mark.usefixtures("own")
def test_a_metric_of_ones_own_is_checked() -> None:
    with pytest.raises(DataError, match="'price': say whether"):
        Task("price", metric="own_metrics:worst")
    with pytest.raises(UsageError, match="no 'absent'"):
        Task("price", metric="own_metrics:absent", direction="lower")
    with pytest.raises(UsageError, match="not a function"):
        Task("price", metric="own_metrics:number", direction="lower")
    with pytest.raises(DataError, match="one number, not 'much'"):
        evaluate("own_metrics:broken", np.zeros((2, 1)), np.zeros(2))
