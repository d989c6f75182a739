"""The rules of the house that import contracts cannot say; each returns its breaches."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.sources import PACKAGES, PLUGIN_ROOMS, Tree

BESIDE_PLUGINS = frozenset({"__init__", "TEMPLATE"})
PUBLIC_BESIDE_PLUGINS = frozenset({"backbones.testing"})
FACES = frozenset({"engine", "engine.testing", "backbones", "backbones.testing"})
LONGEST_FILE = 400


def strangers(tree: Tree) -> list[str]:
    """Files at the top of a plug-in room that no entry point names."""
    allowed = tree.plugins | PUBLIC_BESIDE_PLUGINS
    return [
        f"{room}/{path.name} is no plug-in: name it by an entry point, or move it to a helper room"
        for room in PLUGIN_ROOMS
        for path in sorted((tree.root / room).glob("*.py"))
        if path.stem not in BESIDE_PLUGINS and f"{room}.{path.stem}" not in allowed
    ]


def lost_plugins(tree: Tree) -> list[str]:
    """Entry points that name no file at the top of their room."""
    outside = {name for name in tree.plugins if name.split(".")[0] in PLUGIN_ROOMS and name.count(".") != 1}
    absent = {name for name in tree.plugins if name not in tree.modules}
    return sorted(outside | absent)


def borrowed_plugins(tree: Tree) -> list[str]:
    """Imports of a plug-in by another plug-in or by a helper room."""
    tops = {name for name in tree.plugins if name.split(".")[0] in PLUGIN_ROOMS}
    return [str(each) for each in tree.imports if each.imported in tops]


def parents_that_know_children(tree: Tree) -> list[str]:
    """Imports, by the file of a base class, of a file with a child of it."""
    imported = {(each.importer, each.imported): each for each in tree.imports}
    found = []
    for module, child in tree.classes():
        origins = tree.origins(module)
        for base in child.bases:
            name = base.id if isinstance(base, ast.Name) else ""
            parent = origins.get(name, module)
            if parent != module and (parent, module) in imported:
                found.append(f"{imported[parent, module]}, where {child.name} inherits {name}")
    return sorted(found)


def names_of_plugins(tree: Tree, names: frozenset[str]) -> list[str]:
    """Places in ``engine`` where a string is the name of a plug-in; docstrings are free to name them."""
    return [
        f"{module}, line {node.lineno}: {node.value!r}"
        for module, source in tree.modules.items()
        if module.split(".")[0] == "engine"
        for node in ast.walk(source)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in names
    ]


def numba_elsewhere(tree: Tree) -> list[str]:
    """Imports of numba outside the room of compiled code."""
    return [
        f"{module}, line {node.lineno}, imports numba"
        for module, source in tree.modules.items()
        if not module.startswith("solvers.kernels")
        for node in ast.walk(source)
        if isinstance(node, ast.Import | ast.ImportFrom)
        and any(name.split(".")[0] == "numba" for name in _imported_by(node))
    ]


def kernels_that_know_solvers(tree: Tree) -> list[str]:
    """Imports, by compiled code, of other rooms of ``solvers``."""
    return [
        str(each)
        for each in tree.imports
        if each.importer.startswith("solvers.kernels")
        and each.imported.split(".")[0] == "solvers"
        and not each.imported.startswith("solvers.kernels")
    ]


def deep_imports(paths: list[Path]) -> list[str]:
    """Imports, in examples, pages and templates, of what is not a public face."""
    found = []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        blocks = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S) if path.suffix == ".md" else [text]
        for module in (name for block in blocks for name in _imported(block)):
            own = path.stem == "TEMPLATE" and module == path.parent.name
            if module.split(".")[0] in PACKAGES and module not in FACES and not own:
                found.append(f"{path.name} imports {module}")
    return found


def _imported(block: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(block)):
        yield from _imported_by(node)


def _imported_by(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.module


def long_files(tree: Tree) -> list[str]:
    """Files with more lines than a reader takes in."""
    return [
        f"{path.relative_to(tree.root)} has {lines} lines"
        for package in PACKAGES
        for path in sorted((tree.root / package).rglob("*.py"))
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE
    ]
