"""The arrays that kernels take, and how they must lie in memory.

A kernel is compiled once, for the types in its annotations. What a kernel only reads is declared read-only,
so that read-only arrays of a problem may be handed over too; what it writes has a name that begins with
``Out``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, TypeVar, get_type_hints

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Layout:
    """How an array must lie in memory: contiguous, in the order of C.

    Attributes
    ----------
    dtype
        Name of its data type; None for either precision of floating-point numbers, each of which gets a
        compiled version of its own.
    ndim
        Number of axes.
    written
        Whether a kernel may write to it.
    """

    dtype: str | None
    ndim: int = 1
    written: bool = False


Floats = Annotated[NDArray[np.float64], Layout("float64")]
Floats2 = Annotated[NDArray[np.float64], Layout("float64", 2)]
Floats3 = Annotated[NDArray[np.float64], Layout("float64", 3)]
OutFloats = Annotated[NDArray[np.float64], Layout("float64", 1, True)]
OutFloats2 = Annotated[NDArray[np.float64], Layout("float64", 2, True)]
Ints = Annotated[NDArray[np.int64], Layout("int64")]
Ints2 = Annotated[NDArray[np.int64], Layout("int64", 2)]
OutInts = Annotated[NDArray[np.int64], Layout("int64", 1, True)]
OutInts2 = Annotated[NDArray[np.int64], Layout("int64", 2, True)]
Members = Annotated[NDArray[np.int32], Layout("int32")]
Bools = Annotated[NDArray[np.bool_], Layout("bool")]
Bools2 = Annotated[NDArray[np.bool_], Layout("bool", 2)]
OutBools = Annotated[NDArray[np.bool_], Layout("bool", 1, True)]
OutBools2 = Annotated[NDArray[np.bool_], Layout("bool", 2, True)]
Signs = Annotated[NDArray[np.int8], Layout("int8")]
OutSigns = Annotated[NDArray[np.int8], Layout("int8", 1, True)]
Bits2 = Annotated[NDArray[np.uint64], Layout("uint64", 2)]
Random = Annotated[NDArray[np.uint64], Layout("uint64", 1, True)]
"""State of a random generator, one word."""
Singles = Annotated[NDArray[np.floating[Any]], Layout(None)]
Singles2 = Annotated[NDArray[np.floating[Any]], Layout(None, 2)]
OutSingles = Annotated[NDArray[np.floating[Any]], Layout(None, 1, True)]
"""In single precision for a first look, in double precision for a second."""

T = TypeVar("T", bound=tuple[Any, ...])


@cache
def layouts(kind: type) -> dict[str, Layout | type]:
    """Return what the fields of a named tuple hold: the layout of an array, or a type of numbers."""
    hints = get_type_hints(kind, include_extras=True)
    return {name: getattr(hint, "__metadata__", (hint,))[0] for name, hint in hints.items()}


def fitted(kind: type[T], **fields: Any) -> T:
    """Make a named tuple of arrays and numbers that a kernel takes.

    Arrays are copied only where their type or layout is another; read-only ones become read-only views.

    Parameters
    ----------
    kind
        The class of the named tuple.
    **fields
        Its fields. What a kernel writes must already be as declared.
    """
    made = []
    for name, layout in layouts(kind).items():
        value = fields[name]
        if isinstance(layout, Layout):
            if not layout.written:
                value = np.ascontiguousarray(value, dtype=layout.dtype).view()
                value.setflags(write=False)
        else:
            value = layout(value)
        made.append(value)
    return kind(*made)


def random_word(*seed: int) -> Random:
    """Return the state of a random generator, shape (1,), above 0."""
    return np.random.default_rng(seed).integers(1, 2**63, size=1, dtype=np.uint64)
