"""What a solver claims, before anything of it is checked."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.solving.certificate import Termination

Choice = NDArray[Any]
"""A grouping: tensor rows, or, on a lattice, the membership of its groups, shape (k, N)."""


@dataclass
class Claim:
    """What a solver claims. The engine checks it and makes the solution.

    Attributes
    ----------
    rows
        Tensor rows of the chosen groups, or, on a lattice, their membership, shape (k, N); None
        without a grouping.
    bound
        Proven upper bound on the program value, infinite where nothing is proven.
    termination
        Why it stopped.
    infeasible
        Whether it proved that there is no grouping.
    details
        Anything worth telling, JSON values only.
    """

    rows: Choice | None
    _: KW_ONLY
    bound: float = np.inf
    termination: Termination = Termination.COMPLETED
    infeasible: bool = False
    details: dict[str, Any] = field(default_factory=dict)
