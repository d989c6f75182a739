from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine import DataError, MultiTaskData, UsageError
from engine.errors import MissingDependencyError
from instances.celeba import Celeba

NAMES = ["Bald", "Mustache", "Wearing_Hat"]
COUNT = 12


def write(folder: Path) -> np.ndarray:
    """Write twelve grey images, number n of brightness 10 n, and return the attributes as 0 and 1."""
    (folder / "img_align_celeba").mkdir(parents=True)
    values = np.random.default_rng(0).integers(0, 2, (COUNT, len(NAMES)))
    attributes = [str(COUNT), " ".join(NAMES)]
    parts = []
    for number in range(COUNT):
        file = f"{number + 1:06d}.jpg"
        Image.new("RGB", (178, 218), (10 * number,) * 3).save(folder / "img_align_celeba" / file)
        attributes.append(f"{file}  " + "  ".join("1" if value else "-1" for value in values[number]))
        parts.append(f"{file} {number % 3}")
    (folder / "list_attr_celeba.txt").write_text("\n".join(attributes) + "\n")
    (folder / "list_eval_partition.txt").write_text("\n".join(parts) + "\n")
    return values


def read(folder: Path, **options: Any) -> MultiTaskData:
    return Celeba("celeba", folder=folder, **{"n_images": None, **options}).data()


def test_images_attributes_and_parts(tmp_path: Path, own_cache: Path) -> None:
    values = write(tmp_path)
    data = read(tmp_path, attributes=None, height=8, width=6)
    assert data.task_names == tuple(NAMES)
    assert data.input_shape == (3, 8, 6)
    assert data.input_dtype == np.uint8
    assert np.array_equal(np.stack(data.targets, axis=1), values)
    assert np.abs(data.inputs[0].mean(axis=(1, 2, 3)) - 10 * np.arange(COUNT)).max() < 1
    for number, split in enumerate(("train", "valid", "test")):
        assert data.rows(split).tolist() == list(range(number, COUNT, 3))


def test_images_are_decoded_once_and_again_when_a_file_changes(tmp_path: Path, own_cache: Path) -> None:
    write(tmp_path)
    first = read(tmp_path, attributes=("Bald",), height=4, width=4)
    (kept,) = (own_cache / "celeba").iterdir()
    before = kept.stat().st_mtime_ns
    again = read(tmp_path, attributes=("Bald",), height=4, width=4)
    assert again.digest == first.digest
    assert kept.stat().st_mtime_ns == before
    Image.new("RGB", (20, 20), (255, 255, 255)).save(tmp_path / "img_align_celeba" / "000001.jpg")
    changed = read(tmp_path, attributes=("Bald",), height=4, width=4)
    assert changed.inputs[0][0].min() == 255
    assert np.array_equal(changed.inputs[0][1:], first.inputs[0][1:])


def test_some_images_are_drawn_with_their_attributes(tmp_path: Path, own_cache: Path) -> None:
    values = write(tmp_path)
    data = read(tmp_path, attributes=("Mustache",), height=4, width=4, n_images=9, seed=1)
    drawn = np.rint(data.inputs[0].mean(axis=(1, 2, 3)) / 10).astype(int)
    assert len(set(drawn)) == 9
    assert np.array_equal(data.targets[0], values[drawn, 1])
    for number, split in enumerate(("train", "valid", "test")):
        assert np.array_equal(drawn[data.rows(split)] % 3, np.full(len(data.rows(split)), number))


def test_unusable_options_are_refused(tmp_path: Path, own_cache: Path) -> None:
    write(tmp_path)
    with pytest.raises(UsageError, match="Did you mean 'Mustache'"):
        read(tmp_path, attributes=("mustache",))
    with pytest.raises(UsageError, match="12 images; 13 cannot be drawn"):
        read(tmp_path, attributes=None, n_images=13)


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        path = folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return spoil


def no_image(folder: Path) -> None:
    (folder / "img_align_celeba" / "000004.jpg").unlink()


def broken_image(folder: Path) -> None:
    (folder / "img_align_celeba" / "000004.jpg").write_bytes(b"GIF?")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (edit("list_attr_celeba.txt", "12\n", "13\n"), "13 images are announced, but 12 follow"),
        (edit("list_attr_celeba.txt", "12\n", ""), "the number of images, a line of attributes"),
        (edit("list_attr_celeba.txt", "Bald ", ""), "line 3: 3 words are needed, not 4"),
        (edit("list_attr_celeba.txt", "-1", "0"), "an attribute is 1 or -1, not '0'"),
        (edit("list_eval_partition.txt", "000002.jpg 1\n", ""), "the image 000002.jpg is missing"),
        (edit("list_eval_partition.txt", "000002.jpg 1", "000002.jpg 3"), "line 2: a file and 0, 1 or 2"),
        (no_image, "000004.jpg: cannot be read"),
        (broken_image, "000004.jpg: this image cannot be read"),
    ],
)
def test_malformed_folders_are_refused_and_leave_nothing_in_the_cache(
    tmp_path: Path, own_cache: Path, spoil: Callable[[Path], None], message: str
) -> None:
    write(tmp_path)
    spoil(tmp_path)
    with pytest.raises(DataError) as caught:
        read(tmp_path, attributes=None, height=4, width=4)
    assert message in str(caught.value)
    assert not list(own_cache.rglob("*.npy"))


def test_without_pillow_the_extra_is_named(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingDependencyError, match=r"task-grouping-engine\[images\]"):
        read(tmp_path, attributes=None, height=4, width=4)


def test_the_folder_is_looked_for_below_a_data_folder(tmp_path: Path, own_cache: Path) -> None:
    write(tmp_path / "celeba")
    instance = Celeba("celeba", tmp_path, attributes=("Bald",), n_images=None, height=4, width=4)
    assert instance.data().task_names == instance.info.tasks == ("Bald",)
    with pytest.raises(DataError, match=r"CelebA is not here.*holds celeba/list_attr_celeba\.txt"):
        Celeba("celeba", tmp_path / "elsewhere").data()
