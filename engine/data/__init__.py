"""Data of many tasks: tasks, inputs, targets, splits, and metrics; NumPy only."""

from engine.data.multi_task_data import MultiTaskData
from engine.data.task import Task

__all__ = ["MultiTaskData", "Task"]
