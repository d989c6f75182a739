"""The rules of the house hold; and each is shown to fail on a breach planted in a small tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house import rules
from tests.house.sources import PACKAGES, ROOT, Tree

READ_BY_USERS = [
    *sorted((ROOT / "examples").rglob("*.py")),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "README.md",
    *sorted(ROOT.glob("*/TEMPLATE.py")),
]

WORDS_OF_THE_FIELD = frozenset({"measured", "random"})
"""Names of plug-ins that are words of the engine, too: gains are measured, a split is random."""

ENTRY_POINTS = """
[project.entry-points."taskgrouping.solvers"]
greedy = "solvers.greedy:Greedy"
beam = "solvers.beam:Beam"
"""


@pytest.fixture(scope="module")
def house() -> Tree:
    return Tree()


def planted(folder: Path, **files: str) -> Tree:
    """Return a tree of the five packages with two plug-ins, and with these files."""
    for package in PACKAGES:
        (folder / package).mkdir()
        (folder / package / "__init__.py").touch()
    (folder / "pyproject.toml").write_text(ENTRY_POINTS)
    for name, text in {"solvers/greedy": "", "solvers/beam": "", **files}.items():
        path = folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Tree(folder)


def test_the_top_of_a_plugin_room_holds_plugins_only(house: Tree) -> None:
    assert rules.strangers(house) == []
    assert rules.lost_plugins(house) == []


def test_a_stranger_and_a_lost_plugin_are_found(tmp_path: Path) -> None:
    tree = planted(tmp_path, **{"solvers/helper": "", "solvers/TEMPLATE": ""})
    assert rules.strangers(tree) == [
        "solvers/helper.py is no plug-in: name it by an entry point, or move it to a helper room"
    ]
    (tmp_path / "solvers" / "beam.py").unlink()
    assert rules.lost_plugins(Tree(tmp_path)) == ["solvers.beam"]


def test_no_plugin_is_imported_by_another_or_by_a_helper(house: Tree) -> None:
    assert rules.borrowed_plugins(house) == []


@pytest.mark.parametrize(
    ("importer", "line"),
    [
        ("solvers/beam", "from solvers.greedy import Greedy"),
        ("solvers/tables/moves", "from solvers import greedy"),
        ("solvers/tables/moves", "def run():\n    import solvers.greedy"),
    ],
)
def test_a_borrowed_plugin_is_found(tmp_path: Path, importer: str, line: str) -> None:
    assert len(rules.borrowed_plugins(planted(tmp_path, **{importer: line}))) == 1


def test_no_base_class_knows_its_children(house: Tree) -> None:
    assert rules.parents_that_know_children(house) == []


def test_a_base_class_that_makes_its_children_is_found(tmp_path: Path) -> None:
    tree = planted(
        tmp_path,
        **{
            "engine/base": "class Base:\n    def make(self):\n        from engine.child import Child",
            "engine/child": "from engine.base import Base\nclass Child(Base):\n    pass",
        },
    )
    assert rules.parents_that_know_children(tree) == [
        "engine.base, line 3, imports engine.child, where Child inherits Base"
    ]


def test_what_users_read_imports_public_faces_only() -> None:
    assert rules.deep_imports(READ_BY_USERS) == []


def test_a_deep_import_of_a_page_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nimport engine\nfrom engine.gains.tensor import GainTensor\n```\n")
    assert rules.deep_imports([page]) == ["page.md imports engine.gains.tensor"]


def test_no_file_is_long(house: Tree) -> None:
    assert rules.long_files(house) == []


def test_a_long_file_is_found(tmp_path: Path) -> None:
    tree = planted(tmp_path, **{"engine/long": "x = 1\n" * 401})
    assert rules.long_files(tree) == ["engine/long.py has 401 lines"]


def test_the_engine_names_no_plugin(house: Tree) -> None:
    assert rules.names_of_plugins(house, house.plugin_names - WORDS_OF_THE_FIELD) == []


def test_a_name_of_a_plugin_is_found(tmp_path: Path) -> None:
    text = '"""greedy may stand in a docstring that says more."""\nDEFAULT = "greedy"\n'
    tree = planted(tmp_path, **{"engine/choice": text})
    assert tree.plugin_names == {"greedy", "beam"}
    assert rules.names_of_plugins(tree, tree.plugin_names) == ["engine.choice, line 2: 'greedy'"]


def test_compiled_code_stands_in_one_room(house: Tree) -> None:
    assert rules.numba_elsewhere(house) == []
    assert rules.kernels_that_know_solvers(house) == []


def test_compiled_code_elsewhere_is_found(tmp_path: Path) -> None:
    tree = planted(
        tmp_path,
        **{
            "solvers/tables/loops": "def compile():\n    from numba import njit",
            "solvers/kernels/loops": "import numba\nfrom solvers.tables import loops",
        },
    )
    assert rules.numba_elsewhere(tree) == ["solvers.tables.loops, line 2, imports numba"]
    assert rules.kernels_that_know_solvers(tree) == [
        "solvers.kernels.loops, line 2, imports solvers.tables.loops"
    ]
