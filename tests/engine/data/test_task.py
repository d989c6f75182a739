from __future__ import annotations

from typing import Any

import pytest

from engine import EngineError, Task


@pytest.mark.parametrize(
    ("given", "loss", "metric", "direction"),
    [
        ({"kind": "binary"}, "binary-cross-entropy", "binary-cross-entropy", "lower"),
        ({"kind": "binary", "metric": "auroc"}, "binary-cross-entropy", "auroc", "higher"),
        ({"kind": "multiclass", "outputs": 3}, "cross-entropy", "cross-entropy", "lower"),
        ({"outputs": 6, "loss": "huber"}, "huber", "huber", "lower"),
        ({"metric": "r2", "direction": "lower"}, "squared-error", "r2", "lower"),
    ],
)
def test_what_is_left_open_follows_from_the_kind(
    given: dict[str, Any], loss: str, metric: str, direction: str
) -> None:
    task = Task("a", **given)
    assert (task.loss, task.metric, task.direction) == (loss, metric, direction)
    assert task.sign == (1 if direction == "higher" else -1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": ""}, "Task name ''"),
        ({"name": "a|b"}, r"Task name 'a\|b'"),
        ({"kind": "ordinal"}, "kind of task 'a'.*Valid: binary, multiclass, regression"),
        ({"kind": "binary", "outputs": 2}, "'a': a binary task cannot have 2 outputs"),
        ({"outputs": 0}, "cannot have 0 outputs"),
        ({"kind": "multiclass"}, "two at least"),
        ({"kind": "binary", "loss": "huber"}, "loss of binary task 'a'"),
        ({"metric": "auroc"}, "'auroc' is not for regression"),
        ({"metric": "aurock"}, "metric of task 'a'.*Did you mean 'auroc'"),
        ({"direction": "up"}, "direction of task 'a'"),
        ({"weight": 0.0}, "weights must be above 0"),
        ({"kind": "binary", "positive_weight": float("nan")}, "weights must be above 0"),
    ],
)
def test_what_does_not_fit_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(EngineError, match=message):
        Task(**{"name": "a", **given})
