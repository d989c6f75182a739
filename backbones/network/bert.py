"""BERT encoder, its parameters named as in published weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional


@dataclass(frozen=True)
class BertShape:
    """Sizes of a BERT encoder.

    Attributes
    ----------
    vocabulary, positions, types
        Number of tokens, of places and of sentence types.
    hidden, layers, heads, intermediate
        Width, depth, attention heads, width within a layer.
    epsilon
        Of layer normalisation.
    dropout
        Probability of dropping a unit or an attention weight while training.
    """

    vocabulary: int
    positions: int
    types: int
    hidden: int
    layers: int
    heads: int
    intermediate: int
    epsilon: float = 1e-12
    dropout: float = 0.1


class Embeddings(nn.Module):
    """Sum of token, position and type embedding, normalised.

    Parameters
    ----------
    shape
        Sizes.
    """

    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(shape.vocabulary, shape.hidden)
        self.position_embeddings = nn.Embedding(shape.positions, shape.hidden)
        self.token_type_embeddings = nn.Embedding(shape.types, shape.hidden)
        self.LayerNorm = nn.LayerNorm(shape.hidden, shape.epsilon)
        self.dropout = nn.Dropout(shape.dropout)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return (batch, length, hidden) for tokens (batch, length), all of the first type."""
        positions = self.position_embeddings.weight[: tokens.shape[1]]
        values = self.word_embeddings(tokens) + positions + self.token_type_embeddings.weight[0]
        embedded: torch.Tensor = self.dropout(self.LayerNorm(values))
        return embedded


class BertLayer(nn.Module):
    """Self-attention and a hidden layer, each added to its input and normalised.

    Parameters
    ----------
    shape
        Sizes.
    """

    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        hidden = shape.hidden
        self.heads = shape.heads
        attended = nn.ModuleDict({name: nn.Linear(hidden, hidden) for name in ("query", "key", "value")})
        self.attention = nn.ModuleDict({"self": attended, "output": _output(hidden, hidden, shape.epsilon)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(hidden, shape.intermediate)})
        self.output = _output(shape.intermediate, hidden, shape.epsilon)
        self.dropout = nn.Dropout(shape.dropout)

    def forward(self, values: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
        """Return (batch, length, hidden); ``visible`` (batch, 1, 1, length) says what may be seen."""
        query, key, value = (
            self.attention["self"].get_submodule(name)(values).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for name in ("query", "key", "value")
        )
        seen = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=visible, dropout_p=self.dropout.p if self.training else 0.0
        )
        values = self._add(self.attention["output"], seen.transpose(1, 2).flatten(-2), values)
        wide = functional.gelu(self.intermediate["dense"](values))
        return self._add(self.output, wide, values)

    def _add(self, output: nn.Module, change: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        added: torch.Tensor = output.get_submodule("LayerNorm")(
            values + self.dropout(output.get_submodule("dense")(change))
        )
        return added


def _output(entering: int, hidden: int, epsilon: float) -> nn.ModuleDict:
    return nn.ModuleDict({"dense": nn.Linear(entering, hidden), "LayerNorm": nn.LayerNorm(hidden, epsilon)})


class Bert(nn.Module):
    """Mean over the tokens of a sentence of the last layer's features; token 0 is padding.

    Parameters
    ----------
    shape
        Sizes.
    """

    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        self.embeddings = Embeddings(shape)
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList(BertLayer(shape) for _ in range(shape.layers))})
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return (batch, hidden) for tokens (batch, length)."""
        # The first place always counts, since attention over nothing would be NaN.
        first = torch.arange(tokens.shape[1], device=tokens.device) == 0
        known = (tokens != 0) | first
        values = self.embeddings(tokens)
        for layer in self.encoder["layer"].children():
            values = layer(values, known[:, None, None, :])
        mask = known.unsqueeze(-1).to(values.dtype)
        mean: torch.Tensor = (values * mask).sum(dim=1) / mask.sum(dim=1)
        return mean
