"""How groups are trained, as far as results do not depend on it but for rounding."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from engine import UsageError
from engine.errors import unknown_name

METHODS = ("auto", "loop", "stack", "vmap")


@dataclass(frozen=True)
class TrainerOptions:
    """How groups are trained; none of it changes the results beyond rounding.

    Attributes
    ----------
    device
        ``"auto"``: a GPU when there is one; or a torch device, for example ``"cuda:1"``.
    method
        ``"loop"``: one group after the other. ``"stack"``: many groups as one network of hand-batched
        layers. ``"vmap"``: the same through ``torch.func``, for other layers. ``"auto"``: what
        :mod:`backbones.training.methods` says.
    stack_size
        Most groups in one stack; 0: as the size of the network and the device suggest. Out of memory
        it is halved.

    Raises
    ------
    UsageError
        If a name is unknown or a number is out of range.
    """

    device: str = "auto"
    method: str = "auto"
    stack_size: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise unknown_name("training method", self.method, METHODS)
        if self.stack_size < 0:
            raise UsageError(f"stack_size must be 0 or more, not {self.stack_size}.")

    @property
    def torch_device(self) -> torch.device:
        """The device.

        Raises
        ------
        UsageError
            If torch knows no such device, or has none of this kind here.
        """
        if self.device == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        try:
            device = torch.device(self.device)
        except RuntimeError:
            raise UsageError(
                f"Device {self.device!r} is not one of torch's, such as cpu or cuda:0."
            ) from None
        if device.type == "cuda" and not torch.cuda.is_available():
            raise UsageError(f"Device {self.device!r}: torch finds no GPU here; use cpu or auto.")
        try:
            torch.zeros(1, device=device).item()
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            told = str(error).partition("\n")[0]
            raise UsageError(
                f"Device {self.device!r}: torch cannot compute there ({told:.120}); use cpu or auto."
            ) from error
        return device
