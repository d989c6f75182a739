"""What column generation works with: exact pricing, local search for groups, local search for partitions."""

from __future__ import annotations

from dataclasses import dataclass

from engine.gains.separable import SeparableModel
from engine.solving.control import Control
from solvers.lattices.climbing import Climber, make_climber
from solvers.lattices.form import Floats, LatticeForm
from solvers.lattices.partition_search import (
    ListedPartitionSearch,
    PartitionSearch,
    SeparablePartitionSearch,
)
from solvers.lattices.pricing import Pricer


@dataclass(frozen=True)
class Means:
    """How groups and partitions are found; the same for any number of groups.

    Attributes
    ----------
    pricer
        Finds the groups worth most, and bounds all others.
    climber
        Finds groups that are worth much.
    partitions
        Finds partitions that are worth much, None where groups may overlap or nothing is known of them.
    """

    pricer: Pricer
    climber: Climber
    partitions: PartitionSearch | None

    @classmethod
    def of(cls, form: LatticeForm, pricer: Pricer, control: Control, totals: Floats | None = None) -> Means:
        """Return the means that suit a form.

        Parameters
        ----------
        form, pricer
            What to solve, and its exact pricing.
        control
            Told of compiling, which its time limit does not count.
        totals
            Shape (2^N,): the total value of each group by its code, where groups are disjoint and listed.
        """
        partitions: PartitionSearch | None = None
        if totals is not None:
            partitions = ListedPartitionSearch(form, control, totals)
        elif form.is_partition and isinstance(form.model, SeparableModel):
            partitions = SeparablePartitionSearch(form, control)
        return cls(pricer, make_climber(form, control), partitions)
