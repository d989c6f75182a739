"""What kinds of problem there are, and what a problem may ask of a solver."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What groups a problem chooses from."""

    TABLE = "a table of groups"
    LATTICE = "all groups of a gain model"
    GRAPH = "partitions of a pairwise graph"

    @property
    def word(self) -> str:
        """The kind in one word: ``table``, ``lattice`` or ``graph``."""
        return self.name.lower()


class Feature(StrEnum):
    """What a problem may ask of a solver."""

    SUM = "sum objectives"
    WORST = "worst-task objectives"
    OPENING = "values for choosing a group"
    SET_FUNCTION = "black-box set functions"
    EXTENSION = "extra Pyomo expressions"
    COST = "cost budgets"
    MIN_GROUPS = "a least number of groups"
    MEMBERSHIPS = "membership limits"
    PARTITION = "partitions"
    MANDATORY = "mandatory groups"


PROGRAM_FEATURES = frozenset(Feature) - {Feature.SET_FUNCTION, Feature.EXTENSION}
"""What the integer program of a problem tells completely."""
