"""Options of plug-ins, given as text and read as what their fields or arguments are."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any

from engine.errors import UsageError, unknown_name

Given = Iterable[tuple[str, str]]
"""Pairs of name and text."""


def read_fields(cls: Any, given: Given, what: str) -> dict[str, Any]:
    """Turn options given as text into the types of a dataclass's fields.

    Parameters
    ----------
    cls
        The plug-in's class; one that is no dataclass has no options.
    given
        The options; a dash in a name stands for an underscore.
    what
        The plug-in, for messages: ``"solver 'cpsat'"``.

    Raises
    ------
    UsageError
        If there is no such field, or the text is no value of its type.
    """
    known = {one.name: one.default for one in fields(cls)} if is_dataclass(cls) else {}
    return _read(known, _hints(cls), given, what)


def read_keywords(cls: Any, given: Given, what: str) -> dict[str, Any]:
    """Turn options given as text into the types of a constructor's keyword arguments.

    Those that a constructor passes on to its base are arguments of it, too.

    Parameters
    ----------
    cls, given, what
        As in :func:`read_fields`, for any class.

    Raises
    ------
    UsageError
        If there is no such argument, or the text is no value of its type.
    """
    known: dict[str, Any] = {}
    hints: dict[str, Any] = {}
    for base in inspect.getmro(cls):
        make = base.__dict__.get("__init__")
        if make is None:
            continue
        arguments = inspect.signature(make).parameters.values()
        own = {one.name: one.default for one in arguments if one.kind is one.KEYWORD_ONLY}
        known, hints = {**own, **known}, {**_hints(make), **hints}
        if not any(one.kind is one.VAR_KEYWORD for one in arguments):
            break
    return _read(known, hints, given, what)


def _hints(of: Any) -> Mapping[str, Any]:
    try:
        return typing.get_type_hints(of)
    except NameError:  # a name that is imported for type checking alone
        return {}


def _read(known: Mapping[str, Any], hints: Mapping[str, Any], given: Given, what: str) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for name, text in given:
        name = name.replace("-", "_")
        if name not in known:
            raise unknown_name(f"option of {what}:", name, known)
        kinds = set(_kinds(hints.get(name, Any), known[name]))
        read[name] = _value(text, [one for one in _READERS if one in kinds], f"option {name} of {what}")
    return read


def _kinds(hint: Any, default: Any) -> tuple[type, ...]:
    """Return what an option may be: as it is annotated, or else what its default is."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, UnionType):
        return tuple(kind for one in typing.get_args(hint) for kind in _kinds(one, default))
    if origin is typing.Literal:
        return tuple(type(one) for one in typing.get_args(hint))
    kind = origin or hint
    if kind in _READERS:
        return (kind,)
    if default not in (MISSING, inspect.Parameter.empty, None):
        return (type(default),)
    return (str,) if hint is Any else ()


def _value(text: str, kinds: Iterable[type], what: str) -> Any:
    for kind in kinds:
        try:
            return _READERS[kind](text)
        except (KeyError, ValueError):
            continue
    told = " or ".join(_TOLD[kind] for kind in kinds) or "nothing that can be written as text"
    raise UsageError(f"The {what} cannot be {text!r}: it takes {told}.")


_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_READERS: dict[type, Callable[[str], Any]] = {
    NoneType: lambda text: {"none": None}[text.lower()],
    bool: lambda text: _WORDS[text.lower()],
    int: int,
    float: float,
    tuple: lambda text: tuple(one.strip() for one in text.split(",")),
    str: str,
}
"""How a text is read, the narrower kinds first."""
_TOLD = {
    NoneType: "none",
    bool: "true or false",
    int: "int, a whole number",
    float: "float, a number",
    tuple: "names with commas between them",
    str: "text",
}


def solver_settings(solver: str, given: Iterable[tuple[str, str]]) -> Mapping[str, Any]:
    """Read the options of a solver, each as what its field is.

    Parameters
    ----------
    solver
        A registered name or ``module:Class``.
    given
        Pairs of name and text.

    Raises
    ------
    UsageError
        If an option is unknown or its text does not fit.
    """
    pairs = dict(given)
    if not pairs:
        return {}
    from engine.plugins import SOLVERS

    return read_fields(SOLVERS.load(solver), pairs.items(), f"solver {solver!r}")
