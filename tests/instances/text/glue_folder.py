"""Small data in the format of GLUE, and a small model in the format of MiniLM."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

_LINES = (
    "the a red green old young cat dog bird horse runs walks sings sleeps over under near house river hill "
    "slowly quickly never often with without friend stone cloud garden"
)
WORDS = _LINES.split()


def sentence(draws: np.random.Generator) -> str:
    return " ".join(draws.choice(WORDS, int(draws.integers(4, 9))))


def write_glue(folder: Path, n_train: int = 90, n_dev: int = 20) -> None:
    """Write four corpora of random sentences with quotation marks, the byte-order mark of MRPC and so on."""
    draws = np.random.default_rng(0)
    for file, count in (("train.tsv", n_train), ("dev.tsv", n_dev)):
        lines: dict[str, list[str]] = {
            "RTE": ["index\tsentence1\tsentence2\tlabel"],
            "MRPC": ["\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String"],
            "STS-B": [
                "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore"
            ],
            "CoLA": [],
        }
        for number in range(count):
            one, two = sentence(draws), sentence(draws)
            label = number % 2
            lines["RTE"].append(f"{number}\t{one}\t{two}\t{('not_entailment', 'entailment')[label]}")
            lines["MRPC"].append(f'{label}\t7\t8\t"{one}\t" {two}')
            score = number % 6
            lines["STS-B"].append(f"{number}\tg\tf\t2012\t1\tn\tn\t{one}\t{two}\t{score}.000")
            lines["CoLA"].append(f"gj04\t{label}\t{'*' * (1 - label)}\t{one} {two}")
        for corpus, of in lines.items():
            (folder / corpus).mkdir(parents=True, exist_ok=True)
            # STS-B is published without a line feed at the end.
            end = "" if corpus == "STS-B" else "\n"
            (folder / corpus / file).write_text("\n".join(of) + end, encoding="utf-8")


def write_model(folder: Path, width: int = 384, heads: int = 2, layers: int = 2) -> dict[str, np.ndarray]:
    """Write a model with random weights, and return them."""
    from safetensors.numpy import save_file

    draws = np.random.default_rng(1)
    vocabulary = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        *WORDS,
        *"abcdefghijklmnopqrstuvwxyz",
        "##s",
        "##ly",
        ".",
    ]
    shapes = {
        "embeddings.word_embeddings.weight": (len(vocabulary), width),
        "embeddings.position_embeddings.weight": (256, width),
        "embeddings.token_type_embeddings.weight": (2, width),
        "embeddings.LayerNorm": (width,),
    }
    for layer in range(layers):
        at = f"encoder.layer.{layer}"
        shapes |= {f"{at}.attention.self.{part}": (width, width) for part in ("query", "key", "value")}
        shapes[f"{at}.attention.output.dense"] = (width, width)
        shapes[f"{at}.attention.output.LayerNorm"] = (width,)
        shapes[f"{at}.intermediate.dense"] = (3 * width, width)
        shapes[f"{at}.output.dense"] = (width, 3 * width)
        shapes[f"{at}.output.LayerNorm"] = (width,)
    weights = {}
    for name, shape in shapes.items():
        if name.endswith("weight"):
            weights[name] = draws.normal(size=shape).astype(np.float32)
        else:
            around = 1.0 if len(shape) == 1 else 0.0
            weights[f"{name}.weight"] = (around + draws.normal(size=shape) / 10).astype(np.float32)
            weights[f"{name}.bias"] = (draws.normal(size=shape[0]) / 10).astype(np.float32)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / "model.safetensors")
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    (folder / "config.json").write_text(
        json.dumps(
            {
                "vocab_size": len(vocabulary),
                "max_position_embeddings": 256,
                "type_vocab_size": 2,
                "hidden_act": "gelu",
                "hidden_size": width,
                "intermediate_size": 3 * width,
                "num_attention_heads": heads,
                "num_hidden_layers": layers,
                "layer_norm_eps": 1e-12,
            }
        )
    )
    return weights
