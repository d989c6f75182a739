"""Solving over tables of groups: presolve, local search, bounds, models and the tree."""
