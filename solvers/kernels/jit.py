"""How kernels are compiled, and when what was compiled is used again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast, get_type_hints

import numba
from numba.core import event

from solvers.kernels.arrays import Layout, layouts

F = TypeVar("F", bound=Callable[..., Any])

PRECISIONS = ("float32", "float64")

NUMBERS = {int: numba.int64, float: numba.float64, bool: numba.boolean}


def digest_of(folder: Path) -> str:
    """Return what stands for the state of all files of Python in a folder and below."""
    told = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        told.update(f"{path.relative_to(folder).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return told.hexdigest()[:12]


_DIGEST = digest_of(Path(__file__).parent)


def kernel(function: F) -> F:
    """Compile a function to machine code for the types in its annotations, or load it from disk.

    Numba looks only at a function's own file to see whether its code on disk is out of date, but the
    code holds that of every kernel it calls. So the name under which it is kept tells the state of
    all files with kernels.

    Other types than those annotated are refused: each would be compiled anew, unseen.
    """
    return _compiled(function, {})


def inner(function: F) -> F:
    """Compile a function that only kernels call, which spares the way into it from Python."""
    return _compiled(function, {"no_cpython_wrapper": True})


def _compiled(function: F, options: dict[str, Any]) -> F:
    function.__qualname__ = f"{function.__qualname__}_{_DIGEST}"
    # Reassociation lets sums use vector registers; infinities keep their meaning.
    options = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": {"reassoc", "nsz"},
        "no_cfunc_wrapper": True,
        **options,
    }
    signatures = _signatures(function)
    try:
        made = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no folder for the cache can be written
        made = numba.njit(**options)(function)
    if len(signatures) == 1:
        made.compile(signatures[0])
        made.disable_compile()
    return cast(F, made)


def prepared(function: F, precision: str) -> F:
    """Return a kernel that takes arrays of either precision, compiled for this one.

    Parameters
    ----------
    function
        A kernel whose annotations leave the precision of some array open.
    precision
        One of ``PRECISIONS``.
    """
    dispatcher = cast(Any, function)
    dispatcher.disable_compile(False)
    dispatcher.compile(_signatures(dispatcher.py_func)[PRECISIONS.index(precision)])
    dispatcher.disable_compile()
    return function


def _signatures(function: Callable[..., Any]) -> list[tuple[Any, ...]]:
    """Return the types of the arguments, twice where they may have either precision."""
    hints = get_type_hints(function, include_extras=True)
    hints.pop("return", None)
    kinds = [getattr(hint, "__metadata__", (hint,))[0] for hint in hints.values()]
    made = [tuple(_numba_type(kind, precision) for kind in kinds) for precision in PRECISIONS]
    return made[:1] if made[0] == made[1] else made


def _numba_type(kind: Layout | type, precision: str) -> Any:
    """Return what Numba calls an array, a number, or a named tuple of such."""
    if isinstance(kind, Layout):
        dtype = getattr(numba, {"bool": "boolean"}.get(kind.dtype or precision, kind.dtype or precision))
        return numba.types.Array(dtype, kind.ndim, "C", readonly=not kind.written)
    if kind in NUMBERS:
        return NUMBERS[kind]
    fields = [_numba_type(field, precision) for field in layouts(kind).values()]
    return numba.types.BaseTuple.from_types(fields, kind)  # type: ignore[no-untyped-call]


class _Watch(event.Listener):
    """Reports the first compilation it sees."""

    def __init__(self, report: Callable[[], None]) -> None:
        self.report = report
        self.reported = False

    def on_start(self, _: Any) -> None:
        """See a compilation begin."""
        if not self.reported:
            self.reported = True
            self.report()

    def on_end(self, _: Any) -> None:
        """See a compilation end."""


@contextmanager
def watched(report: Callable[[], None]) -> Iterator[None]:
    """Call a function once, before the first compilation in the block; loading from disk is none."""
    watch = _Watch(report)
    event.register("numba:compile", watch)  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        event.unregister("numba:compile", watch)  # type: ignore[no-untyped-call]
