"""What a task is: a prediction target with its loss, its metric, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from engine.data.metrics import HIGHER, load_metric, metric_names, metric_tasks
from engine.errors import DataError, unknown_name
from engine.gains.names import task_name_flaw

TaskKind = Literal["binary", "multiclass", "regression"]
Loss = Literal["binary-cross-entropy", "cross-entropy", "squared-error", "absolute-error", "huber"]

LOSSES: dict[TaskKind, tuple[Loss, ...]] = {
    "binary": ("binary-cross-entropy",),
    "multiclass": ("cross-entropy",),
    "regression": ("squared-error", "absolute-error", "huber"),
}
"""The losses of each kind; the first is the default."""


@dataclass(frozen=True)
class Task:
    """One prediction target.

    Attributes
    ----------
    name
        Printable text without ``|``.
    kind
        ``"binary"`` (targets 0 or 1, one logit), ``"multiclass"`` (targets 0 … outputs − 1, as many
        logits), or ``"regression"`` (as many numbers as outputs).
    outputs
        How many numbers the head of the task gives.
    loss
        What training minimises, a name of :data:`LOSSES`; empty: the default of the kind.
    metric
        What gains are computed from, a name of :mod:`engine.data.metrics`; empty: the loss itself,
        which is smoother than any accuracy, so that gains need fewer seeds. One's own is given as
        ``"module:function"``, see :func:`engine.data.metrics.evaluate`.
    direction
        ``"higher"`` or ``"lower"`` where that is better; empty: as the metric has it. A metric of
        one's own needs it.
    weight
        Factor of this task's loss in the loss of its group.
    positive_weight
        Factor of the positive samples in a binary loss, for rare classes.

    Raises
    ------
    DataError
        If these do not fit together.
    UsageError
        If a name is unknown.
    """

    name: str
    kind: TaskKind = "regression"
    outputs: int = 1
    loss: str = ""
    metric: str = ""
    direction: str = ""
    weight: float = 1.0
    positive_weight: float = 1.0

    def __post_init__(self) -> None:
        flaw = task_name_flaw(self.name)
        if flaw:
            raise DataError(f"Task name {self.name!r} {flaw}.")
        where = f"Task {self.name!r}:"
        if self.kind not in get_args(TaskKind):
            raise unknown_name(f"kind of task {self.name!r}:", str(self.kind), get_args(TaskKind))
        if self.outputs < 1 or (self.kind == "binary" and self.outputs != 1):
            raise DataError(f"{where} a {self.kind} task cannot have {self.outputs} outputs.")
        if self.kind == "multiclass" and self.outputs < 2:
            raise DataError(f"{where} a multiclass task has as many outputs as classes, two at least.")
        if not (self.weight > 0 and self.positive_weight > 0):
            raise DataError(f"{where} weights must be above 0.")
        object.__setattr__(self, "loss", self.loss or LOSSES[self.kind][0])
        if self.loss not in LOSSES[self.kind]:
            raise unknown_name(f"loss of {self.kind} task {self.name!r}:", self.loss, LOSSES[self.kind])
        object.__setattr__(self, "metric", self.metric or self.loss)
        if ":" in self.metric:
            load_metric(self.metric)
            if not self.direction:
                raise DataError(f"{where} say whether {self.metric!r} is better 'higher' or 'lower'.")
        elif self.metric not in metric_names():
            raise unknown_name(f"metric of task {self.name!r}:", self.metric, metric_names())
        elif self.kind not in metric_tasks(self.metric):
            raise DataError(f"{where} the metric {self.metric!r} is not for {self.kind} tasks.")
        if self.direction not in ("", "higher", "lower"):
            raise unknown_name(f"direction of task {self.name!r}:", self.direction, ("higher", "lower"))
        object.__setattr__(
            self, "direction", self.direction or ("higher" if self.metric in HIGHER else "lower")
        )

    @property
    def sign(self) -> float:
        """1 where a higher metric is better, −1 where a lower one is."""
        return 1.0 if self.direction == "higher" else -1.0
