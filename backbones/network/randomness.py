"""Random numbers keyed by what they are for, so that a group's training does not depend on its company."""

from __future__ import annotations

import hashlib

import torch


def key(seed: int, *purpose: str | int) -> int:
    """Return a seed for one purpose, for instance ``key(0, "head", "dog")``."""
    text = "\x1f".join(map(str, (seed, *purpose)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *purpose: str | int) -> torch.Generator:
    """Return a generator on the CPU for one purpose."""
    return torch.Generator().manual_seed(key(seed, *purpose))


def seed_generators(number: int) -> None:
    """Seed torch's global generators as ``torch.manual_seed`` does, without its detours through CUDA.

    Where there is no GPU, those cost more than a training step of a small network.
    """
    torch.default_generator.manual_seed(number)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(number)
