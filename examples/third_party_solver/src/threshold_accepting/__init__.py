"""Threshold accepting, a solver for the task-grouping engine."""
