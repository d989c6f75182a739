"""Small image data in the formats of their publishers."""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def write_idx(path: Path, values: NDArray[np.uint8]) -> None:
    """Write an IDX file, compressed as its suffix says."""
    header = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    content = header + values.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_fashion(folder: Path, n_train: int = 200, n_test: int = 60) -> dict[str, NDArray[np.uint8]]:
    """Write the four files of Fashion-MNIST with random images, and return their arrays."""
    folder.mkdir(parents=True, exist_ok=True)
    draws = np.random.default_rng(0)
    written = {}
    for part, count in (("train", n_train), ("t10k", n_test)):
        for what, values in (
            ("images-idx3", draws.integers(0, 256, (count, 28, 28))),
            ("labels-idx1", draws.permutation(count) % 10),
        ):
            name = f"{part}-{what}-ubyte.gz"
            written[name] = values.astype(np.uint8)
            write_idx(folder / name, written[name])
    return written


def cifar_images(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return random images, shape (count, 3, 32, 32), and labels."""
    draws = np.random.default_rng(seed)
    images = draws.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)
    return images, (draws.permutation(count) % 10).astype(np.uint8)


def write_cifar10(folder: Path, layout: str, count: int = 40) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Write CIFAR-10 with random images, and return the training images and labels."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [(f"data_batch_{number}", *cifar_images(count, number)) for number in range(1, 6)]
    parts.append(("test_batch", *cifar_images(count, 6)))
    for name, images, labels in parts:
        if layout == "binary":
            records = [bytes([label]) + image.tobytes() for image, label in zip(images, labels, strict=True)]
            (folder / f"{name}.bin").write_bytes(b"".join(records))
        else:
            rows = images.reshape(count, 3, 1024).transpose(0, 2, 1)
            Image.fromarray(np.ascontiguousarray(rows)).save(folder / f"{name}.png")
    if layout != "binary":
        train = np.concatenate([labels for _, _, labels in parts[:5]])
        (folder / "train_lables.json").write_text(json.dumps(train.tolist()))
        (folder / "test_lables.json").write_text(json.dumps(parts[5][2].tolist()))
    return np.concatenate([one for _, one, _ in parts[:5]]), np.concatenate([one for _, _, one in parts[:5]])
