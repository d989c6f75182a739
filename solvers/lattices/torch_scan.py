"""The scan of a separable model on a GPU, or wherever torch computes."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np

from engine.solving.control import Control
from solvers.kernels.lanes import NEVER
from solvers.lattices.form import Floats, LatticeForm, Prices
from solvers.lattices.separable_scan import SeparableScan

CELLS = 1 << 24
"""So many groups are evaluated at once: a few hundred megabytes of a GPU's memory."""

GPU_TASKS = 24
"""From so many tasks on a pass over all groups is worth loading torch."""


def gpu_pays(form: LatticeForm) -> bool:
    """Whether the first look at all groups should be a GPU's: there is one, torch, and work enough."""
    if form.n_tasks < GPU_TASKS or importlib.util.find_spec("torch") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())


class TorchScan(SeparableScan):
    """Evaluates every group in single precision on a device; the second look stays in compiled code.

    Parameters
    ----------
    form, threads
        As for :class:`~solvers.lattices.separable_scan.SeparableScan`.
    device
        Where torch computes, for instance ``"cuda"``.
    """

    def __init__(self, form: LatticeForm, threads: int, device: str) -> None:
        super().__init__(form, threads)
        import torch

        self._torch, self._device = torch, torch.device(device)
        effects, _, sums, member, weights = self.tables[0]
        self._effects, self._sums, self._member, self._weights = map(
            self._tensor, (effects, sums, member, weights)
        )

    def bests(self, prices: Prices, control: Control) -> Floats | None:
        """Return the largest worth in each block, None if interrupted."""
        torch, form = self._torch, self.form
        tables = self._tables(prices, exact=False)
        base, hold = self._tensor(tables.low_base), self._tensor(tables.hold)
        forbidden = torch.tensor(tables.low_bad.astype(np.int64), device=self._device)
        step = max(1, CELLS >> self.low)
        bests = np.empty(self.n_blocks)
        with torch.inference_mode():
            for first in range(0, self.n_blocks, step):
                if control.should_stop():
                    return None
                blocks = torch.arange(first, min(first + step, self.n_blocks), device=self._device)
                high = blocks[:, None] >> torch.arange(form.n_tasks - self.low, device=self._device) & 1
                inside = high.to(torch.float32)
                size = high.sum(dim=1)
                # What the high members do to every task: a product of matrices.
                sums = inside @ self._effects[self.low :]
                weights = self._weights[size]
                worth = base[size] - (inside @ hold[self.low :])[:, None]
                for task in range(form.n_tasks):
                    rows = slice(None) if task < self.low else high[:, task - self.low] > 0
                    gain = (sums[rows, task, None] + self._sums[task]) * weights[rows]
                    value = gain * float(tables.gain_worth[task]) + float(tables.over[task])
                    able = gain >= float(tables.least[task])
                    if not tables.rigid:
                        worth[rows] += torch.where(able, value, 0.0)
                    else:
                        value = torch.where(able, value, NEVER)
                        worth[rows] += value * self._member[task] if task < self.low else value
                for index, kind in enumerate(tables.demands):
                    tasks = [
                        task for task in range(high.shape[1]) if int(tables.high_parts[0, index]) >> task & 1
                    ]
                    held = high[:, tasks].sum(dim=1)
                    # The state of the high part, as the compiled scan has it.
                    if kind == 0:
                        state, split = (held == 1).long(), held > 1
                    else:
                        state = (held == len(tasks)).long() if tasks else torch.full_like(held, 2)
                        split = (held > 0) & (held < len(tasks))
                    worth[(forbidden >> index & 1)[state] > 0] = NEVER
                    worth[split] = NEVER
                bests[first : first + len(blocks)] = worth.amax(dim=1).double().cpu().numpy()
        return bests

    def _tensor(self, array: Any) -> Any:
        return self._torch.tensor(np.asarray(array, dtype=np.float32), device=self._device)
