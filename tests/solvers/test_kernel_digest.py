from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from solvers.kernels import jit

FOLDER = Path(jit.__file__).parent


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.py")))
def test_a_change_of_any_file_renames_the_compiled_code(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "kernels"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("__pycache__"))
    before = jit.digest_of(copy)
    with (copy / name).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert jit.digest_of(copy) != before


def test_a_new_file_and_a_new_name_rename_it_too(tmp_path: Path) -> None:
    copy = tmp_path / "kernels"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("__pycache__"))
    before = jit.digest_of(copy)
    (copy / "more.py").touch()
    added = jit.digest_of(copy)
    (copy / "more.py").rename(copy / "other.py")
    assert len({before, added, jit.digest_of(copy)}) == 3


def test_a_kernel_is_named_by_the_digest() -> None:
    from solvers.kernels.ranking import nth_largest

    assert nth_largest.__qualname__.endswith(jit.digest_of(FOLDER))
