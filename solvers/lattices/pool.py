"""The groups of the lattice that are known so far, with what they are worth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solvers.lattices.form import Floats, LatticeForm, Members, Prices

Ints = NDArray[np.int64]


class Pool:
    """Admitted groups, each once.

    Parameters
    ----------
    form
        The program; it says which groups are admitted.

    Attributes
    ----------
    membership, values
        Shape (P, N): the groups, and the value of serving each task, −inf where not served.
    """

    def __init__(self, form: LatticeForm) -> None:
        self.form = form
        self.membership: Members = np.zeros((0, form.n_tasks), dtype=bool)
        self.values: Floats = np.zeros((0, form.n_tasks))
        self._known: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self.membership)

    def add(self, membership: Members) -> Ints:
        """Add the admitted ones among some groups; return the places of those that are new.

        Parameters
        ----------
        membership
            Shape (m, N), none empty.
        """
        keys = [row.tobytes() for row in np.packbits(membership, axis=1)]
        last = {key: row for row, key in enumerate(keys)}
        rows = membership[sorted(row for key, row in last.items() if key not in self._known)]
        values = self.form.values(rows)
        allowed = self.form.admitted(rows, values)
        rows, values = rows[allowed], values[allowed]
        before = len(self)
        for place, row in enumerate(np.packbits(rows, axis=1)):
            self._known[row.tobytes()] = before + place
        self.membership = np.concatenate([self.membership, rows])
        self.values = np.concatenate([self.values, values])
        return np.arange(before, len(self))

    def worth(self, prices: Prices) -> Floats:
        """Return what each group is worth at some prices, shape (P,)."""
        return self.form.worth(self.membership, self.values, prices)

    def served(self, places: Ints, prices: Prices) -> Members:
        """Return which tasks some groups serve at some prices, shape (k, N)."""
        if self.form.is_partition:
            return self.membership[places]
        served: Members = self.values[places] > prices.serve
        return served
