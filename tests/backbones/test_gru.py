from __future__ import annotations

import numpy as np
import torch

from backbones import make_backbone


def test_gives_the_last_state_of_the_recurrence() -> None:
    torch.manual_seed(0)
    network, width = make_backbone("gru", {"hidden": 3}).encoder((5, 2), np.dtype(np.float64))
    network.double()
    series = np.random.default_rng(0).normal(size=(4, 5, 2))
    weights = {name.split(".")[-1]: one.detach().numpy() for name, one in network.named_parameters()}
    state = np.zeros((4, width))
    for step in range(5):
        from_input = series[:, step] @ weights["weight_ih_l0"].T + weights["bias_ih_l0"]
        from_state = state @ weights["weight_hh_l0"].T + weights["bias_hh_l0"]
        (r, z, n), (hr, hz, hn) = np.split(from_input, 3, axis=1), np.split(from_state, 3, axis=1)
        reset, update = 1 / (1 + np.exp(-r - hr)), 1 / (1 + np.exp(-z - hz))
        state = (1 - update) * np.tanh(n + reset * hn) + update * state
    np.testing.assert_allclose(network(torch.from_numpy(series)).detach().numpy(), state, atol=1e-12)
