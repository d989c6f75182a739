"""MTG-Net's network, many at once: attention among the tasks of a group, one prediction per member."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Weights = dict[str, "Tensor"]
"""The weights of R networks by name; the first axis of each is the network."""

TEMPERATURE = 0.2
"""Scores are divided by it before the softmax."""

PROJECTIONS = ("query", "key", "value", "output")


def initial_weights(
    tasks: Sequence[str], width: int, layers: int, seed: int, restarts: Iterable[int], dtype: torch.dtype
) -> Weights:
    """Draw the weights of some networks.

    Embeddings are standard normal and depend on the name of the task, not on its place; linear maps are
    uniform within ±1/√D as torch draws them. A network depends on the seed and its own number alone.

    Parameters
    ----------
    tasks
        N names.
    width, layers
        D, and the number of layers L.
    seed
        Of all draws.
    restarts
        The numbers of the R networks.
    dtype
        Precision of the weights.

    Returns
    -------
    dict
        ``embedding`` (R, N, D); per projection ``…_weight`` (R, L, D, D), applied to a row from the right,
        and ``…_bias`` (R, L, D); ``norm_weight``, ``norm_bias`` (R, L, D); ``head_weight`` (R, D),
        ``head_bias`` (R,).
    """
    import torch

    drawn = [_one_network(tasks, width, layers, seed, restart) for restart in restarts]
    return {name: torch.as_tensor(np.stack([one[name] for one in drawn]), dtype=dtype) for name in drawn[0]}


def _one_network(
    tasks: Sequence[str], width: int, layers: int, seed: int, restart: int
) -> dict[str, np.ndarray]:
    random = np.random.default_rng([seed, restart])
    limit = 1.0 / math.sqrt(width)
    found = {"embedding": np.stack([_embedding(task, width, seed, restart) for task in tasks])}
    for name in PROJECTIONS:
        found[f"{name}_weight"] = random.uniform(-limit, limit, (layers, width, width))
        found[f"{name}_bias"] = random.uniform(-limit, limit, (layers, width))
    found["norm_weight"], found["norm_bias"] = np.ones((layers, width)), np.zeros((layers, width))
    found["head_weight"] = random.uniform(-limit, limit, width)
    found["head_bias"] = np.asarray(random.uniform(-limit, limit))
    return found


def _embedding(task: str, width: int, seed: int, restart: int) -> np.ndarray:
    words = np.frombuffer(hashlib.sha256(task.encode()).digest(), dtype="<u4")
    return np.random.default_rng([seed, restart, *words.tolist()]).standard_normal(width)


def predicted(weights: Weights, membership: Tensor, members: Tensor | None = None) -> Tensor:
    """Return what R networks predict for some groups.

    A member's token starts as the embedding of its task. In each layer it takes in a mean of the members'
    values, weighted by a softmax of products of queries and keys, and is normalised. The first layer sees
    the same tokens in every group, so that its products are made once for all of them.

    Parameters
    ----------
    weights
        Of R networks.
    membership
        Shape (G, N), boolean.
    members
        Shape (G, S): the members of each group, if all have S; the work is then done for them only.

    Returns
    -------
    Tensor
        Shape (R, G, N), of no meaning off the membership; with ``members`` (R, G, S).
    """
    from torch.nn.functional import layer_norm

    embedding = weights["embedding"]
    restarts, count, width = embedding.shape
    groups, slots = len(membership), count if members is None else members.shape[1]
    layers = weights["query_weight"].shape[1]
    tokens = embedding
    for layer in range(layers):
        scores, value = _scores_and_values(weights, layer, tokens)
        if layer == 0:
            scores = scores[:, None] if members is None else scores[:, members]
            attention = scores.masked_fill(~membership[:, None, :], -math.inf).softmax(-1)
            context = attention.reshape(restarts, groups * slots, count) @ value
            tokens = embedding[:, None] if members is None else embedding[:, members]
            tokens = tokens + context.view(restarts, groups, slots, width)
        else:
            if members is None:
                scores = scores.masked_fill(~membership[:, None, :], -math.inf)
            tokens = tokens + scores.softmax(-1) @ value
        tokens = layer_norm(tokens, (width,))
        scale, shift = weights["norm_weight"][:, layer], weights["norm_bias"][:, layer]
        if layer < layers - 1:
            tokens = tokens * scale[:, None, None] + shift[:, None, None]
    head = weights["head_weight"]
    constant = (shift * head).sum(-1) + weights["head_bias"]
    found = tokens.reshape(restarts, groups * slots, width) @ (scale * head)[:, :, None]
    return found.view(restarts, groups, slots) + constant[:, None, None]


def _scores_and_values(weights: Weights, layer: int, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Return scores before the softmax, (R, …, T, T), and projected values, (R, …, T, D), of tokens.

    Products of two linear maps are made before they meet the tokens. A query times the bias of the keys
    is the same for all members, so that the softmax does not see it; and the weights of a mean sum to 1,
    so that what is averaged may be projected before.
    """
    import torch

    (query, key, value, output), (bias, _, shift, added) = (
        [weights[f"{name}_{part}"][:, layer] for name in PROJECTIONS] for part in ("weight", "bias")
    )
    restarts, width = len(tokens), tokens.shape[-1]
    flat = tokens.reshape(restarts, -1, width)
    unit = 1.0 / (math.sqrt(width) * TEMPERATURE)
    asked = torch.baddbmm(
        (bias[:, None] @ key.transpose(1, 2)) * unit, flat, query @ key.transpose(1, 2) * unit
    )
    told = torch.baddbmm((shift[:, None] @ output) + added[:, None], flat, value @ output)
    return asked.view(tokens.shape) @ tokens.transpose(-1, -2), told.view(tokens.shape)
