"""The groups of a program as kernels take them."""

from __future__ import annotations

from engine.problem.program import Program
from solvers.kernels.arrays import fitted
from solvers.kernels.programs import GroupArrays


def groups_of(program: Program) -> GroupArrays:
    """Return the groups and limits of a program; its arrays are shared."""
    return fitted(
        GroupArrays,
        indptr=program.indptr,
        members=program.members,
        serve=program.serve,
        opening=program.open,
        cost=program.cost,
        most=program.max_groups,
        least=program.min_groups,
        shares=program.max_memberships or 0,
        cap=program.max_cost,
        rigid=program.is_partition,
    )
