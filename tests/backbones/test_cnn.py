from __future__ import annotations

import numpy as np
import pytest
import torch

from backbones import make_backbone
from engine import DataError, UsageError


def test_parameters_of_the_published_network() -> None:
    network, width = make_backbone("cnn").encoder((1, 28, 28), np.dtype(np.uint8))
    convolutions = (25 + 1) * 32 + (9 * 32 + 1) * 64 + (9 * 64 + 1) * 64
    assert width == 128
    assert sum(one.numel() for one in network.parameters()) == convolutions + (3136 + 1) * 128


@pytest.mark.parametrize("size", [(8, 8), (9, 13), (32, 32)])
def test_takes_any_size_from_eight(size: tuple[int, int]) -> None:
    network, width = make_backbone("cnn", {"channels": 2}).encoder((3, *size), np.dtype(np.float32))
    assert network(torch.rand(2, 3, *size)).shape == (2, width)


def test_refuses_tokens_and_unknown_options_by_name() -> None:
    with pytest.raises(DataError, match=r"'cnn' takes images.*int64"):
        make_backbone("cnn").encoder((3, 8, 8), np.dtype(np.int64))
    with pytest.raises(UsageError, match=r"'cnn'.*depth"):
        make_backbone("cnn", {"depth": 3})
