from __future__ import annotations

import numpy as np
import torch

from backbones import make_backbone
from backbones.xception import separable_convolution


def test_parameters_are_those_of_the_paper_without_the_head() -> None:
    network, width = make_backbone("xception", {"channels": 32, "middle_blocks": 8}).encoder(
        (3, 299, 299), np.dtype(np.float32)
    )
    assert width == 2048
    assert sum(one.numel() for one in network.parameters()) == 22_855_952 - (2048 + 1) * 1000


def test_a_separable_convolution_is_a_convolution_of_rank_one() -> None:
    module = separable_convolution(3, 5).double()
    within, across = module[0].weight, module[1].weight
    assert within.numel() + across.numel() == 9 * 3 + 3 * 5
    images = torch.rand(2, 3, 6, 7, dtype=torch.float64)
    full = across * within[:, 0].unsqueeze(0)
    expected = torch.nn.functional.conv2d(images, full, padding=1)
    torch.testing.assert_close(module[:2](images), expected)


def test_large_images_are_halved_once_more() -> None:
    backbone = make_backbone("xception", {"channels": 1, "middle_blocks": 0})
    for size, left in ((32, 2), (64, 2)):
        network, _ = backbone.encoder((3, size, size), np.dtype(np.uint8))
        assert isinstance(network, torch.nn.Sequential)
        assert network[:-2].eval()(torch.rand(1, 3, size, size)).shape == (1, 64, left, left)
