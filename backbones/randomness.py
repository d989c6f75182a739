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
