"""From the encoder of one member to that of a stack, or the reason why there is none."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping

import torch
from torch import nn
from torch.func import functional_call, vmap

from backbones.network.backbone import Backbone, StackedFunction
from backbones.network.behaviour import Behaviour
from backbones.network.last_state import LastState
from backbones.stacked.encoder import (
    PREFIX,
    AutogradEncoder,
    FrozenEncoder,
    LayeredEncoder,
    StackedEncoder,
)
from backbones.stacked.layer import Layer
from backbones.stacked.normalisation import StackedBatchNorm, StackedLayerNorm
from backbones.stacked.recurrent import StackedGru
from backbones.stacked.vector_layers import (
    ELEMENTWISE,
    StackedDropout,
    StackedElementwise,
    StackedLinear,
    StackedRelu,
)


class NoStack(Exception):
    """There is no stack of this network; the message says why."""


def is_frozen(encoder: nn.Module) -> bool:
    """Return whether nothing of an encoder is trained."""
    return not any(one.requires_grad for one in encoder.parameters())


def refuse_ties(encoder: nn.Module) -> None:
    """Check that no weight is used under two names: in a stack each name has weights of its own.

    Raises
    ------
    NoStack
        If one is.
    """
    first: dict[int, str] = {}
    for name, one in encoder.named_parameters(remove_duplicate=False):
        if first.setdefault(id(one), name) != name:
            raise NoStack(f"{name!r} and {first[id(one)]!r} are the same weights")


def frozen(encoder: nn.Module, device_type: str, seen: Behaviour) -> StackedEncoder:
    """Return an encoder that all members share.

    Parameters
    ----------
    encoder, device_type
        Of one member.
    seen
        What it does while training.

    Raises
    ------
    NoStack
        If it draws random numbers, or keeps running statistics or another state.
    """
    if seen.noisy:
        raise NoStack("its frozen encoder has dropout or other noise")
    if any(isinstance(one, nn.modules.batchnorm._NormBase) for one in encoder.modules()):
        raise NoStack("its frozen encoder normalises by batch")
    _refuse_state(encoder, seen)
    return FrozenEncoder(encoder, device_type)


def layered(encoder: nn.Module, shape: tuple[int, ...], *, separate: bool, lower: bool) -> StackedEncoder:
    """Return an encoder of layers differentiated by hand.

    Parameters
    ----------
    encoder
        Of one member.
    shape
        Of one sample.
    separate
        Whether each task has its own samples.
    lower
        Whether products are to be computed in bfloat16.

    Raises
    ------
    NoStack
        If a layer is of another kind; it is named.
    """
    layers: list[Layer] = []
    series, flat, dropouts = False, len(shape) == 1, 0
    seen: set[int] = set()
    for name, module in _leaves(encoder, PREFIX):
        if id(module) in seen or _hooked(module):
            raise NoStack(f"layer {_shown(name)} is used twice or has hooks")
        seen.add(id(module))
        if type(module) is nn.Identity:
            continue
        if type(module) is nn.Flatten and module.start_dim == 1 and module.end_dim == -1:
            flat = True
        elif type(module) is LastState and not layers and not flat:
            layers.append(_recurrent(module, name, lower=lower))
            series = flat = True
        elif not flat:
            raise NoStack(f"layer {_shown(name)}, {type(module).__name__}, is not of vectors")
        elif type(module) is nn.Dropout:
            layers.append(StackedDropout(module.p, dropouts))
            dropouts += 1
        else:
            layers.append(_of_vectors(module, name, separate=separate, lower=lower))
    if not layers:
        raise NoStack("its encoder has no layers")
    return LayeredEncoder(layers, series)


def _leaves(module: nn.Module, prefix: str) -> Iterator[tuple[str, nn.Module]]:
    if type(module) is nn.Sequential and not _hooked(module):
        for name, child in module._modules.items():
            if child is not None:
                yield from _leaves(child, f"{prefix}{name}.")
    else:
        yield prefix, module


def _hooked(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks)


def _shown(name: str) -> str:
    return repr(name.removeprefix(PREFIX).removesuffix(".") or "encoder")


def _of_vectors(module: nn.Module, name: str, *, separate: bool, lower: bool) -> Layer:
    if type(module) is nn.Linear:
        return StackedLinear(f"{name}weight", f"{name}bias" if module.bias is not None else "")
    if type(module) is nn.ReLU:
        return StackedRelu()
    if type(module) in ELEMENTWISE:
        return StackedElementwise(module)
    if lower and isinstance(module, nn.BatchNorm1d | nn.LayerNorm):
        raise NoStack(f"layer {_shown(name)}, {type(module).__name__}, is not stacked in bfloat16")
    if type(module) is nn.BatchNorm1d:
        if separate:
            raise NoStack(f"layer {_shown(name)} normalises by batch and each task has its own samples")
        return StackedBatchNorm(module, name)
    if type(module) is nn.LayerNorm and len(module.normalized_shape) == 1:
        return StackedLayerNorm(module, name)
    raise NoStack(f"layer {_shown(name)}, {type(module).__name__}, has no hand-batched form")


def _recurrent(module: LastState, name: str, *, lower: bool) -> Layer:
    if lower:
        raise NoStack(f"layer {_shown(name)}, GRU, is not stacked in bfloat16")
    if module.gru.bidirectional or module.gru.dropout or not module.gru.batch_first:
        raise NoStack(f"layer {_shown(name)}, GRU, is bidirectional or has dropout")
    return StackedGru(module.gru, f"{name}gru.")


def own(backbone: Backbone, encoder: nn.Module, device_type: str, seen: Behaviour) -> StackedEncoder:
    """Return the encoder that the backbone itself stacks.

    Parameters
    ----------
    backbone
        Whose function it is.
    encoder, device_type, seen
        As in :func:`frozen`.

    Raises
    ------
    NoStack
        If it offers none, or the encoder has dropout, other noise or a state.
    """
    function = backbone.stacked(encoder)
    if function is None:
        raise NoStack("it offers no stacked encoder")
    _refuse_state(encoder, seen)
    if seen.noisy:
        raise NoStack("a stacked encoder of its own cannot have dropout")
    return _autograd(function, encoder, device_type)


def vmapped(
    encoder: nn.Module,
    sample: torch.Tensor,
    seen: Behaviour,
    *,
    separate: bool,
    lower: bool,
    device_type: str,
) -> StackedEncoder:
    """Return an encoder through ``torch.func``.

    Parameters
    ----------
    encoder
        Of one member, on the device.
    sample
        Two samples, on which the encoder is tried.
    seen
        What it does while training.
    separate, lower, device_type
        As in :func:`layered`.

    Raises
    ------
    NoStack
        If it keeps running statistics or another state, if its noise would not be that of a member alone,
        or if torch cannot vectorise it.
    """
    _refuse_state(encoder, seen)
    if seen.noisy_beyond_dropout:
        raise NoStack("it draws random numbers elsewhere than in layers of dropout")
    if seen.noisy and separate:
        raise NoStack("it has dropout and each task has its own samples")

    def one(weights: Mapping[str, torch.Tensor], inputs: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = functional_call(encoder, dict(weights), (inputs,))
        return features

    shared, apart = (vmap(one, in_dims=(0, axis), randomness="same") for axis in (None, 0))

    def function(weights: Mapping[str, torch.Tensor], inputs: torch.Tensor) -> torch.Tensor:
        with warnings.catch_warnings():
            # Of operations that torch vectorises by a loop; slow, but right.
            warnings.filterwarnings("ignore", message="There is a performance drop")
            alike = len(inputs) == 1
            found: torch.Tensor = shared(weights, inputs[0]) if alike else apart(weights, inputs)
            return found

    weights = {name: torch.stack([value.detach()] * 2) for name, value in encoder.state_dict().items()}
    try:
        with torch.random.fork_rng(), torch.enable_grad():
            tried = {name: value.requires_grad_(value.is_floating_point()) for name, value in weights.items()}
            with torch.autocast(device_type, torch.bfloat16, enabled=lower):
                function(tried, sample.unsqueeze(0)).sum().backward()  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError, NotImplementedError) as error:
        raise NoStack(f"torch cannot vectorise it ({str(error).splitlines()[0]:.120})") from error
    return _autograd(function, encoder, device_type)


def _autograd(function: StackedFunction, encoder: nn.Module, device_type: str) -> StackedEncoder:
    trainable = [name for name, one in encoder.named_parameters() if one.requires_grad]
    return AutogradEncoder(function, encoder, list(encoder.state_dict()), trainable, device_type)


def _refuse_state(encoder: nn.Module, seen: Behaviour) -> None:
    for name, module in encoder.named_modules():
        if isinstance(module, nn.modules.batchnorm._NormBase) and module.track_running_stats:
            raise NoStack(f"layer {name!r}, {type(module).__name__}, keeps running statistics")
    if seen.state:
        raise NoStack(f"its encoder changes the buffer {seen.state!r} while training")
