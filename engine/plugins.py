"""Plug-in look-up: entry points and run-time registration, nothing imported before it is used."""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, requires
from operator import attrgetter
from typing import Any

from engine.errors import MissingDependencyError, UsageError, unknown_name

DISTRIBUTION = "task-grouping-engine"
"""The name under which the engine is installed."""


@cache
def _installed(group: str) -> dict[str, tuple[EntryPoint, ...]]:
    """Return the entry points of each name: one, or several where packages clash."""
    found: dict[str, dict[str, EntryPoint]] = {}
    for point in entry_points(group=group):
        found.setdefault(point.name, {}).setdefault(point.value, point)
    return {name: tuple(points.values()) for name, points in found.items()}


def _told(point: EntryPoint) -> str:
    """Return where an entry point leads and which distribution made it."""
    return f"{point.value} of the package {point.dist.name}" if point.dist else point.value


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
            If the name is unknown, two packages provide it, or its module cannot be imported.
        """
        if name in self._registered:
            target = self._registered[name]
            return _resolve(f"{self.kind} {name!r}", target) if isinstance(target, str) else target
        points = _installed(self.group).get(name, ())
        if len(points) > 1:
            raise UsageError(
                f"Two installed packages provide the {self.kind} {name!r}: "
                f"{' and '.join(map(_told, points))}. Uninstall one of them, or name the one you mean "
                f"as module:Name, for instance {points[0].value!r}."
            )
        if points:
            return _resolve(
                f"{self.kind} {name!r} ({_told(points[0])})", f"{points[0].module}:{points[0].attr}"
            )
        if ":" in name:
            return _resolve(
                f"{self.kind} {name!r}", name, "Give package.module:Name of something Python can import here."
            )
        raise unknown_name(self.kind, name, self.names())

    def loaded(self) -> Iterator[tuple[str, Any]]:
        """Import and yield every plug-in with its name; one that cannot be imported hides no other."""
        for name in self.names():
            try:
                plugin = self.load(name)
            except UsageError:
                continue
            yield name, plugin


def _bringing(module: str) -> str:
    """Return how a missing module is installed: by the extra of the engine that names it, if one does."""
    try:
        lines = requires(DISTRIBUTION) or ()
    except PackageNotFoundError:
        lines = ()
    for line in lines:
        wanted, _, marker = line.partition(";")
        extra = re.search(r"extra == ['\"](?!dev)([\w-]+)", marker)
        if extra and re.match(rf"{re.escape(module)}(?![\w.-])", wanted):
            return f"pip install '{DISTRIBUTION}[{extra[1]}]'."
    return "install it with pip."


def _resolve(what: str, target: str, advice: str = "Reinstall or uninstall what provides it.") -> Any:
    module_name, _, attribute = target.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and module_name.split(".")[0] != error.name.split(".")[0]:
            raise MissingDependencyError(
                f"The {what} needs the module {error.name!r}: {_bringing(error.name)}"
            ) from error
        raise UsageError(
            f"The {what} cannot be imported: no module named {error.name!r}. {advice}"
        ) from error
    except Exception as error:
        raise UsageError(
            f"The {what} cannot be imported: {module_name!r} raised {type(error).__name__}: {error}"
        ) from error
    try:
        return attrgetter(attribute)(module)
    except AttributeError as error:
        raise UsageError(
            f"The {what} cannot be imported: module {module_name!r} has no {attribute!r}. {advice}"
        ) from error


def missing_modules(modules: tuple[str, ...]) -> tuple[str, ...]:
    """Return which of these modules are not installed, without importing any but parent packages."""
    return tuple(name for name in modules if not _importable(name))


def _importable(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # the parent package is missing
        return False


SOLVERS = Registry("solver", "taskgrouping.solvers")
GAIN_SOURCES = Registry("gain source", "taskgrouping.gain_sources")
BACKBONES = Registry("backbone", "taskgrouping.backbones")
INSTANCES = Registry("instance", "taskgrouping.instances")
OBJECTIVES = Registry("objective", "taskgrouping.objectives")
