"""How kernels are compiled, and when what was compiled is used again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

_SOURCES = sorted(Path(__file__).parent.glob("*.py"))
_DIGEST = hashlib.sha256(b"".join(path.read_bytes() for path in _SOURCES)).hexdigest()[:12]


def kernel(function: F) -> F:
    """Compile a function to machine code on its first call, kept on disk.

    Numba looks only at a function's own file to see whether its code on disk is out of date, but the
    code holds that of every kernel it calls. So the name under which it is kept tells the state of
    all files with kernels.
    """
    function.__qualname__ = f"{function.__qualname__}_{_DIGEST}"
    # Reassociation lets sums use vector registers; infinities keep their meaning.
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"reassoc", "nsz"}}
    try:
        return cast(F, numba.njit(cache=True, **options)(function))
    except RuntimeError:  # no folder for the cache can be written
        return cast(F, numba.njit(**options)(function))
