"""Regressions from memberships, pair scores and other predictions to gains, with their errors."""
