"""A network run with other values of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn


class ParameterSwap:
    """Runs of a module with other values of some parameters; the module keeps its own.

    ``torch.func.functional_call`` leaves a module that is registered under two names with the values of
    the call. Here every place that holds a parameter is swapped once.

    Parameters
    ----------
    module
        The module.
    """

    def __init__(self, module: nn.Module) -> None:
        self._module = module
        canonical = {id(value): name for name, value in module.named_parameters()}
        self._places: dict[str, list[str]] = {name: [] for name in canonical.values()}
        for path, owner in module.named_modules():
            for attribute, value in owner.named_parameters(recurse=False, remove_duplicate=False):
                self._places[canonical[id(value)]].append(f"{path}.{attribute}" if path else attribute)

    def __call__(self, parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        """Return the outputs.

        Parameters
        ----------
        parameters
            Values by the names of ``module.named_parameters()``; those left out stay.
        inputs
            What the module takes.
        """
        from torch.func import functional_call

        values = {place: value for name, value in parameters.items() for place in self._places[name]}
        outputs: Tensor = functional_call(self._module, values, (inputs,), tie_weights=False)
        return outputs
