"""Models on a device: a soft penalty on memory and a hard limit on latency, in Pyomo.

Run it with ``python examples/device_limits.py [instance]``; ``toy4`` by default.
"""

from __future__ import annotations

import sys

import engine
from engine.testing import check_extension

ENCODER_GB = 0.5
HEAD_GB = 0.1
DEVICE_GB = 1.6
GAIN_PER_GB = 0.1

ENCODER_MS = 4.0
HEAD_MS = 1.0
LIMIT_MS = 11.0
AT_ONCE = 3  # so many tasks, the first of the instance, are needed in every request


def gigabytes(group) -> float:
    return ENCODER_GB + HEAD_GB * len(group)


def milliseconds(group) -> float:
    return ENCODER_MS + HEAD_MS * len(group)


class Memory:
    """Beyond the memory of the device, every gigabyte costs as much as 10 % of gain."""

    name = f"{GAIN_PER_GB:.0%} per GB beyond {DEVICE_GB:g} GB"

    def build(self, block, decisions):
        import pyomo.environ as pyo

        gains = decisions.gains
        used = sum(gigabytes(gains.group(row)) * chosen for row, chosen in decisions.chosen.items())
        block.excess = pyo.Var(domain=pyo.NonNegativeReals)
        block.covers = pyo.Constraint(expr=block.excess >= used - DEVICE_GB)
        return -GAIN_PER_GB * block.excess

    def value(self, grouping):
        used = sum(gigabytes(group) for group in grouping.groups)
        return -GAIN_PER_GB * max(0.0, used - DEVICE_GB)


class Latency:
    """The models that serve the tasks of a request run one after another, and that takes time."""

    name = f"{AT_ONCE} tasks at once within {LIMIT_MS:g} ms"

    def __init__(self, tasks):
        self.tasks = tuple(tasks)[:AT_ONCE]

    def build(self, block, decisions):
        import pyomo.environ as pyo

        gains, serves = decisions.gains, decisions.serves
        asked = [(row, task) for row, task in serves if task in self.tasks]
        block.runs = pyo.Var(list(decisions.chosen), bounds=(0, 1))
        block.needed = pyo.Constraint(
            asked, rule=lambda block, row, task: block.runs[row] >= serves[row, task]
        )
        return sum(milliseconds(gains.group(row)) * block.runs[row] for row in decisions.chosen) <= LIMIT_MS

    def broken(self, grouping):
        running = {index for task, index in grouping.serving.items() if task in self.tasks}
        taken = sum(milliseconds(grouping.groups[index]) for index in running)
        return f"a request takes {taken:g} ms" if taken > LIMIT_MS + 1e-6 else None


def main(name: str = "toy4") -> None:
    gains = engine.load_instance(name).gains()
    memory, latency = Memory(), Latency(gains.tasks)
    soft = engine.ExtendedObjective(engine.TotalGain(), memory.build, memory.value, memory.name)
    hard = engine.PyomoConstraint(latency.build, latency.broken, latency.name)
    problems = {
        "no limits": engine.Problem(gains, constraints=[engine.Budget(3)]),
        "memory": engine.Problem(gains, soft, [engine.Budget(3)]),
        "memory and latency": engine.Problem(gains, soft, [engine.Budget(3), hard]),
    }
    for label, problem in problems.items():
        solution = engine.solve(problem, "milp")
        if engine.Feature.EXTENSION in problem.features:
            check_extension(problem, samples=5)
        groups = [group.tasks for group in solution.groups]
        print(f"{label}: {solution.status}, value {solution.value:.4f}")
        print(f"  total gain {sum(solution.task_values.values()):.4f}")
        print(f"  memory     {sum(map(gigabytes, groups)):.1f} GB")
        running = {solution.serving[task] for task in latency.tasks}
        print(f"  a request  {sum(milliseconds(groups[index]) for index in running):g} ms")
        print("  groups     " + ", ".join("|".join(group) for group in groups))

    tight = engine.Problem(gains, constraints=[engine.Budget(4), hard, engine.GroupSize(at_most=1)])
    refused = engine.solve(tight, "milp")
    print(f"{refused.status}: {' and '.join(refused.conflict)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
