"""What a solver found, and what is proven about it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import DataError
from engine.gains.provenance import Provenance
from engine.solving.certificate import Certificate, Status, Termination

if TYPE_CHECKING:
    from engine.gains.tensor import GainTensor
    from engine.solving.scores import Scores

FORMAT_VERSION = 1


@dataclass(frozen=True)
class ChosenGroup:
    """One chosen group.

    Attributes
    ----------
    tasks
        Its members.
    cost
        Its cost.
    measured
        Whether its gains were measured.
    """

    tasks: tuple[str, ...]
    cost: float = 1.0
    measured: bool = True


@dataclass(frozen=True)
class Event:
    """An incumbent or a bound, while solving.

    Attributes
    ----------
    kind
        ``"incumbent"`` or ``"bound"``.
    seconds
        Since the start.
    value, bound
        The best known at that time, in the objective's unit, None where unknown.
    """

    kind: str
    seconds: float
    value: float | None
    bound: float | None


@dataclass(frozen=True)
class Solution:
    """A grouping with its certificate.

    Attributes
    ----------
    tasks
        All tasks of the problem.
    groups
        The chosen groups; empty where there is no grouping.
    serving
        The serving group of each task, as an index into ``groups``.
    task_values
        The source value (gain or loss) of each task in the group that serves it.
    certificate
        What is proven.
    objective, quantity
        The objective in words, and what the values are (``"gain"`` or ``"loss"``).
    gains
        Source, split and provenance of the gains, the number of groups, and how many of the chosen
        serving decisions rest on predictions.
    conflict
        For an infeasible problem, demands of the user that cannot all be met, each once.
    reasons
        What about the gains makes these demands clash, where that shows without search.
    trace
        Incumbents and bounds in order of time.
    details
        What the solver tells beyond that, by name.
    """

    tasks: tuple[str, ...]
    groups: tuple[ChosenGroup, ...]
    serving: Mapping[str, int]
    task_values: Mapping[str, float]
    certificate: Certificate
    objective: str = ""
    quantity: str = "gain"
    gains: Mapping[str, Any] = field(default_factory=dict)
    conflict: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    trace: tuple[Event, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def found(self) -> bool:
        """Whether there is a grouping."""
        return bool(self.groups)

    @property
    def status(self) -> Status:
        """What we hold."""
        return self.certificate.status

    @property
    def value(self) -> float | None:
        """The objective, as checked."""
        return self.certificate.value

    @property
    def bound(self) -> float | None:
        """The proven limit on the objective."""
        return self.certificate.bound

    @property
    def gap(self) -> float | None:
        """The relative gap (fraction)."""
        return self.certificate.gap

    @property
    def mean(self) -> float | None:
        """Mean over tasks of the source value, gain or loss, in the serving groups; None without any."""
        return math.fsum(self.task_values.values()) / len(self.tasks) if self.found else None

    @property
    def cost(self) -> float:
        """Total cost of the chosen groups."""
        return math.fsum(group.cost for group in self.groups)

    @property
    def provenance(self) -> Provenance:
        """Where the gains come from that it was solved on.

        Raises
        ------
        DataError
            If a file says it in another way than the engine writes it.
        """
        return Provenance.from_dict(self.gains.get("provenance", {}))

    def evaluate(self, gains: GainTensor) -> Scores:
        """Score the same groups and serving decisions on other gains, the test split for instance.

        Parameters
        ----------
        gains
            A tensor over the same tasks that holds every serving group.

        Raises
        ------
        DataError
            If there is no grouping, or the tensor lacks a task or a serving group.
        """
        from engine.solving.scores import score

        if not self.found:
            raise DataError("This solution holds no grouping to score.")
        groups = {task: self.groups[index] for task, index in self.serving.items()}
        served = {task: (group.tasks, group.cost) for task, group in groups.items()}
        return score(self.tasks, served, self.task_values, gains)

    def __repr__(self) -> str:
        told = [str(self.status)]
        told += [] if self.value is None else [f"value={self.value:.6g}"]
        told += [] if self.bound is None else [f"bound={self.bound:.6g}"]
        told += [f"{len(self.groups)} group{'' if len(self.groups) == 1 else 's'}"] if self.found else []
        return f"Solution({', '.join([*told, f'solver={self.certificate.solver!r}'])})"

    def without_trace(self) -> Solution:
        """Return this solution without its trace, which can be long."""
        return replace(self, trace=())

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        certificate = self.certificate
        return {
            "format_version": FORMAT_VERSION,
            "tasks": list(self.tasks),
            "groups": [list(group.tasks) for group in self.groups],
            "costs": [group.cost for group in self.groups],
            "measured": [group.measured for group in self.groups],
            "serving": dict(self.serving),
            "task_values": dict(self.task_values),
            "objective": self.objective,
            "quantity": self.quantity,
            "value": certificate.value,
            f"mean_{self.quantity}": self.mean,
            "cost": self.cost,
            "bound": certificate.bound,
            "gap": certificate.gap,
            "absolute_gap": certificate.absolute_gap,
            "status": certificate.status.value,
            "termination": certificate.termination.value,
            "verified": certificate.verified,
            "problems": list(certificate.problems),
            "conflict": list(self.conflict),
            "reasons": list(self.reasons),
            "gains": dict(self.gains),
            "solver": certificate.solver,
            "seed": certificate.seed,
            "threads": certificate.threads,
            "presolve": certificate.presolve,
            "options": dict(certificate.options),
            "seconds": dict(certificate.seconds),
            "versions": dict(certificate.versions),
            "digest": certificate.digest,
            "digest_covers": certificate.digest_covers,
            "details": dict(self.details),
            "trace": [asdict(event) for event in self.trace],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Solution:
        """Rebuild a solution from :meth:`to_dict`.

        Raises
        ------
        DataError
            If a field is missing or malformed.
        """
        if not isinstance(data, Mapping):
            raise DataError("This is not a solution of the engine: it is no JSON object.")
        if isinstance(data.get("solutions"), list):
            raise DataError(
                f"These are {len(data['solutions'])} solutions, as engine frontier writes them, not one: "
                "give one item of its list 'solutions'."
            )
        try:
            if data["format_version"] != FORMAT_VERSION:
                raise DataError(
                    f"Solution format {data['format_version']!r} is not {FORMAT_VERSION}, the one known here."
                )
            return cls(
                tasks=tuple(data["tasks"]),
                groups=tuple(
                    ChosenGroup(tuple(tasks), cost, measured)
                    for tasks, cost, measured in zip(
                        data["groups"], data["costs"], data["measured"], strict=True
                    )
                ),
                serving=dict(data["serving"]),
                task_values=dict(data["task_values"]),
                certificate=Certificate(
                    value=data["value"],
                    bound=data["bound"],
                    status=Status(data["status"]),
                    termination=Termination(data["termination"]),
                    verified=data["verified"],
                    solver=data["solver"],
                    problems=tuple(data["problems"]),
                    seed=data["seed"],
                    threads=data["threads"],
                    presolve=data["presolve"],
                    options=dict(data["options"]),
                    seconds=dict(data["seconds"]),
                    versions=dict(data["versions"]),
                    digest=data["digest"],
                    digest_covers=data["digest_covers"],
                ),
                objective=data["objective"],
                quantity=data["quantity"],
                gains=dict(data["gains"]),
                conflict=tuple(data["conflict"]),
                reasons=tuple(data["reasons"]),
                trace=tuple(Event(**event) for event in data["trace"]),
                details=dict(data["details"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            what = f"it has no {error}" if isinstance(error, KeyError) else f"{type(error).__name__} {error}"
            raise DataError(f"This is not a solution of the engine: {what}.") from error

    def to_json(self, *, indent: int | None = 2) -> str:
        """Return the solution as JSON text."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Solution:
        """Rebuild a solution from :meth:`to_json`."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DataError(f"This is not JSON: {error}.") from error
        return cls.from_dict(data)

    def save(self, path: str | Path) -> None:
        """Write the solution as JSON, whole or not at all."""
        from engine.files import write_text

        write_text(Path(path), self.to_json() + "\n")

    @classmethod
    def load(cls, path: str | Path) -> Solution:
        """Read what :meth:`save` wrote.

        Raises
        ------
        DataError
            If the file is missing, or holds no solution; the message names it.
        """
        from engine.files import read_json

        data = read_json(Path(path))
        try:
            return cls.from_dict(data)
        except DataError as error:
            raise DataError(f"{path}: {error}") from error
