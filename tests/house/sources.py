"""The source of a tree of packages, read without importing it."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("engine", "solvers", "gain_sources", "backbones", "instances")
PLUGIN_ROOMS = PACKAGES[1:]


@dataclass(frozen=True)
class Import:
    """One name that a module takes from another module of the tree."""

    importer: str
    imported: str
    line: int

    def __str__(self) -> str:
        return f"{self.importer}, line {self.line}, imports {self.imported}"


@dataclass(frozen=True)
class Tree:
    """Five packages in a folder."""

    root: Path = ROOT

    @cached_property
    def modules(self) -> dict[str, ast.Module]:
        """Every module by its dotted name."""
        found = {}
        for package in PACKAGES:
            for path in sorted((self.root / package).rglob("*.py")):
                name = ".".join(path.relative_to(self.root).with_suffix("").parts)
                found[name.removesuffix(".__init__")] = ast.parse(path.read_text(encoding="utf-8"))
        return found

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """Every import between modules of the tree, those inside functions and for types included."""
        return tuple(
            each
            for name, module in self.modules.items()
            for node in ast.walk(module)
            for each in self._named(name, node)
            if each.imported != name
        )

    def _named(self, importer: str, node: ast.AST) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name in self.modules:
                    yield Import(importer, alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                imported = inner if inner in self.modules else node.module
                if imported in self.modules:
                    yield Import(importer, imported, node.lineno)

    @cached_property
    def plugins(self) -> frozenset[str]:
        """The modules that an entry point names."""
        project = tomllib.loads((self.root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        return frozenset(
            target.partition(":")[0]
            for points in project["entry-points"].values()
            for target in points.values()
        )

    @cached_property
    def plugin_names(self) -> frozenset[str]:
        """The names that entry points give to what stands outside ``engine``."""
        project = tomllib.loads((self.root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        return frozenset(
            name
            for points in project["entry-points"].values()
            for name, target in points.items()
            if not target.startswith("engine.")
        )

    def classes(self) -> Iterator[tuple[str, ast.ClassDef]]:
        """Yield every class with the name of its module."""
        for name, module in self.modules.items():
            for node in ast.walk(module):
                if isinstance(node, ast.ClassDef):
                    yield name, node

    def origins(self, name: str) -> dict[str, str]:
        """Return the module from which each name comes that a module imports or defines."""
        found: dict[str, str] = {}
        for node in ast.walk(self.modules[name]):
            if isinstance(node, ast.ImportFrom) and node.module in self.modules:
                found |= {alias.asname or alias.name: str(node.module) for alias in node.names}
            elif isinstance(node, ast.ClassDef):
                found[node.name] = name
        return found
