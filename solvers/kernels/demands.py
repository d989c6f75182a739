"""The demands on partitions of a graph, as kernels take them."""

from __future__ import annotations

from typing import NamedTuple

from solvers.kernels.arrays import Bools2, Floats, Floats2, Ints

TOLERANCE = 1e-12
"""Improvements below this part of all weights are rounding."""


class Demands(NamedTuple):
    """The weights of a graph, and what a violation of each demand costs.

    Attributes
    ----------
    weights
        Shape (n, n): the weights, less ``cost`` where two nodes must stand apart.
    sizes
        Shape (n,).
    min_size, max_size, min_groups, max_groups
        Bounds on the size and the number of groups.
    cost
        What a violation of 1 costs.
    floor_node, floor_effect, floor_need
        Shapes (F,), (F, n), (F,): the floors, each divided by the magnitude of its effects.
    forbidden
        Shape (Q, n).
    """

    weights: Floats2
    sizes: Ints
    min_size: int
    max_size: int
    min_groups: int
    max_groups: int
    cost: float
    floor_node: Ints
    floor_effect: Floats2
    floor_need: Floats
    forbidden: Bools2
