"""A grouping on gains that it was not chosen by: as far as those gains hold its groups."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.errors import DataError
from engine.gains.tensor import GainTensor
from engine.solving.scores import Scores
from engine.solving.solution import ChosenGroup, Solution


@dataclass(frozen=True)
class Judgement:
    """What other gains say about a grouping.

    Attributes
    ----------
    scores
        The serving decisions on these gains, None where a task cannot be judged.
    partial
        The same for the tasks that can be judged, where only some can.
    unjudged
        The tasks that cannot: no gains of the group that serves them were measured or given.
    why
        Why there are no scores; empty if there are.
    """

    scores: Scores | None = None
    partial: Scores | None = None
    unjudged: tuple[str, ...] = ()
    why: str = ""

    @property
    def explanation(self) -> str:
        """Why there are no scores, and for which tasks; empty if there are."""
        if not self.why:
            return ""
        names = ", ".join(self.unjudged) if self.partial else "any task"
        return f"{self.why}: there are none for {names}."

    @property
    def best(self) -> Scores | None:
        """The scores of all tasks or, failing that, of those that can be judged."""
        return self.scores or self.partial


def judgement(solution: Solution, gains: GainTensor, name: str) -> Judgement:
    """Score a grouping on other gains.

    Parameters
    ----------
    solution
        Holds a grouping.
    gains
        The gains to judge on.
    name
        What these gains are, for messages: ``"evaluation"``.
    """
    try:
        return Judgement(solution.evaluate(gains))
    except DataError as error:
        if set(solution.tasks) != set(gains.tasks):
            return Judgement(unjudged=solution.tasks, why=str(error).rstrip("."))
    held = {index: _holds(gains, solution.groups[index]) for index in set(solution.serving.values())}
    kept = {task: index for task, index in solution.serving.items() if held[index]}
    unjudged = tuple(task for task in solution.serving if task not in kept)
    partial = None
    if kept:
        values = {task: solution.task_values[task] for task in kept}
        partial = replace(solution, serving=kept, task_values=values).evaluate(gains)
    lacking = [solution.groups[index] for index, there in held.items() if not there]
    absent = (
        f"the group {'|'.join(lacking[0].tasks)}"
        if len(lacking) == 1
        else f"{len(lacking)} of the {len(held)} serving groups"
    )
    return Judgement(None, partial, unjudged, f"The {name} gains lack {absent}")


def _holds(gains: GainTensor, group: ChosenGroup) -> bool:
    return any(gains.cost[row] == group.cost for row in gains.find(group.tasks))
