"""Options of the built-in backbones are checked by name before torch sees them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backbones import make_backbone
from engine import DataError, UsageError

SIZES = {
    "linear": ("width",),
    "mlp": ("hidden", "layers"),
    "gru": ("hidden", "layers"),
    "cnn": ("channels", "hidden"),
    "resnet18": ("channels",),
    "transformer": ("hidden", "layers", "heads"),
    "xception": ("channels",),
    "text-encoder": ("hidden", "layers", "heads", "vocabulary"),
    "autoformer": ("horizon", "label", "hidden", "inner", "encoder_layers", "decoder_layers", "window"),
}
WITH_DROPOUT = ("mlp", "cnn", "transformer", "text-encoder", "autoformer")


@pytest.mark.parametrize(("name", "option"), [(name, one) for name, of in SIZES.items() for one in of])
def test_sizes_are_whole_numbers(name: str, option: str) -> None:
    for value in (0, -1, 2.5, "8", True, None):
        with pytest.raises(UsageError, match=f"Backbone '{name}': {option} must be a whole number of 1"):
            make_backbone(name, {option: value})


@pytest.mark.parametrize("name", WITH_DROPOUT)
def test_dropout_is_a_probability(name: str) -> None:
    for value in (-0.1, 1, 1.5, float("nan"), "0.1"):
        with pytest.raises(UsageError, match=f"Backbone '{name}': dropout must be from 0 to below 1"):
            make_backbone(name, {"dropout": value})


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("xception", {"middle_blocks": -1}, "middle_blocks must be a whole number of 0 or more"),
        ("autoformer", {"window": 4}, "window must be odd, not 4"),
        ("autoformer", {"factor": float("nan")}, "factor must be above 0"),
        ("autoformer", {"factor": -1.0}, "factor must be above 0"),
    ],
)
def test_other_options_are_checked(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_backbone(name, options)


@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_tokens_are_no_quantities(name: str) -> None:
    with pytest.raises(DataError, match=f"Backbone '{name}' takes floats or bytes; these samples are int64"):
        make_backbone(name).encoder((4,), np.dtype(np.int64))
