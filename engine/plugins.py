"""Plug-in look-up: entry points and run-time registration, nothing imported before it is used."""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from engine.errors import MissingDependencyError, UsageError, unknown_name


@cache
def _installed(group: str) -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=group):
        other = found.get(point.name)
        if other is not None and other.value != point.value:
            raise UsageError(
                f"Two installed packages provide {point.name!r} in {group!r}: "
                f"{other.value} and {point.value}. Uninstall one of them."
            )
        found[point.name] = point
    return found


class Registry:
    """Names of one kind of plug-in.

    A plug-in is found by an entry point of group ``taskgrouping.<plural>``, or registered
    at run time, for instance in a notebook.

    Parameters
    ----------
    kind
        Singular noun for messages, for instance ``"solver"``.
    group
        Entry-point group.
    """

    def __init__(self, kind: str, group: str) -> None:
        self.kind = kind
        self.group = group
        self._registered: dict[str, Any] = {}

    def register(self, name: str, target: Any) -> None:
        """Add a plug-in for this process.

        Parameters
        ----------
        name
            The name users will give. A registered name hides an installed one.
        target
            The plug-in itself, or ``"module:attribute"``.
        """
        self._registered[name] = target

    def unregister(self, name: str) -> None:
        """Remove what :meth:`register` added."""
        self._registered.pop(name, None)

    def names(self) -> tuple[str, ...]:
        """Return every known name, sorted, without importing a plug-in."""
        return tuple(sorted({*_installed(self.group), *self._registered}))

    def load(self, name: str) -> Any:
        """Import and return the plug-in.

        Parameters
        ----------
        name
            A known name, or ``"module:attribute"`` for one that is not registered.

        Raises
        ------
        UsageError
            If the name is unknown or its module cannot be imported.
        """
        if name in self._registered:
            target = self._registered[name]
            return _resolve(self.kind, target) if isinstance(target, str) else target
        point = _installed(self.group).get(name)
        if point is not None:
            return _resolve(self.kind, point.value)
        if ":" in name:
            return _resolve(self.kind, name)
        raise unknown_name(self.kind, name, self.names())


def _resolve(kind: str, target: str) -> Any:
    module_name, _, attribute = target.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and module_name.split(".")[0] != error.name.split(".")[0]:
            raise MissingDependencyError(
                f"The {kind} {target!r} needs the module {error.name!r}: install it with pip."
            ) from error
        raise UsageError(
            f"The {kind} {target!r} cannot be imported: no module named {error.name!r}. "
            "Give package.module:Name of something Python can import here."
        ) from error
    except Exception as error:
        raise UsageError(
            f"The {kind} {target!r} cannot be imported: importing {module_name!r} raised "
            f"{type(error).__name__}: {error}"
        ) from error
    try:
        return getattr(module, attribute)
    except AttributeError as error:
        raise UsageError(
            f"The {kind} {target!r} cannot be imported: module {module_name!r} has no {attribute!r}."
        ) from error


def missing_modules(modules: tuple[str, ...]) -> tuple[str, ...]:
    """Return which of these modules are not installed, without importing any."""
    return tuple(name for name in modules if importlib.util.find_spec(name) is None)


SOLVERS = Registry("solver", "taskgrouping.solvers")
GAIN_SOURCES = Registry("gain source", "taskgrouping.gain_sources")
BACKBONES = Registry("backbone", "taskgrouping.backbones")
INSTANCES = Registry("instance", "taskgrouping.instances")
OBJECTIVES = Registry("objective", "taskgrouping.objectives")
