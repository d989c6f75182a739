from __future__ import annotations

import numpy as np
import pytest
import torch

from backbones import make_backbone
from engine import UsageError


@pytest.mark.parametrize(
    ("size", "stem", "expected"),
    [(32, "small", 11_173_962 - 5_130), (224, "large", 11_689_512 - 513_000)],
    ids=["as for CIFAR-10", "as for ImageNet"],
)
def test_parameters_are_those_of_the_paper_without_the_head(size: int, stem: str, expected: int) -> None:
    for option in (stem, "auto"):
        network, width = make_backbone("resnet18", {"stem": option}).encoder(
            (3, size, size), np.dtype(np.float32)
        )
        assert width == 512
        assert sum(one.numel() for one in network.parameters()) == expected


def test_the_large_stem_reduces_the_image_thirty_two_times() -> None:
    network, _ = make_backbone("resnet18", {"channels": 2}).encoder((3, 64, 96), np.dtype(np.float32))
    assert isinstance(network, torch.nn.Sequential)
    assert network[:-2].eval()(torch.rand(1, 3, 64, 96)).shape == (1, 16, 2, 3)


def test_refuses_an_unknown_stem() -> None:
    with pytest.raises(UsageError, match=r"stem of backbone 'resnet18'.*Did you mean 'large'"):
        make_backbone("resnet18", {"stem": "larg"})
