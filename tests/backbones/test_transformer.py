from __future__ import annotations

import numpy as np
import pytest
import torch

from backbones import make_backbone
from backbones.transformer import sinusoids
from engine import UsageError


def test_positions_are_sines_and_cosines() -> None:
    expected = np.array(
        [
            [(np.cos if column % 2 else np.sin)(row / 10000 ** (column // 2 * 2 / 5)) for column in range(5)]
            for row in range(7)
        ]
    )
    np.testing.assert_allclose(sinusoids(7, 5).numpy(), expected, atol=1e-6)


def test_order_matters_only_by_positions() -> None:
    network, _ = make_backbone("transformer", {"hidden": 8}).encoder((6, 2), np.dtype(np.float32))
    network.eval()
    series = torch.rand(3, 6, 2)
    turned = series.flip(1)
    assert not torch.allclose(network(series), network(turned), atol=1e-5)
    network.positions.zero_()
    torch.testing.assert_close(network(series), network(turned))


def test_last_pooling_and_the_setting_of_mimic() -> None:
    options = {"hidden": 128, "layers": 2, "heads": 2, "dropout": 0.5, "pooling": "last"}
    network, width = make_backbone("transformer", options).encoder((48, 10), np.dtype(np.float32))
    assert width == 128
    assert network.eval()(torch.rand(2, 48, 10)).shape == (2, 128)


def test_refuses_heads_that_do_not_fit_and_unknown_pooling() -> None:
    with pytest.raises(UsageError, match="3 heads cannot share a width of 8"):
        make_backbone("transformer", {"hidden": 8, "heads": 3})
    with pytest.raises(UsageError, match=r"pooling.*'mean'"):
        make_backbone("transformer", {"pooling": "meen"})
