from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine import DataError, UsageError
from instances.fashion10 import Fashion10
from instances.images.idx_images import read_idx
from tests.instances.images.image_folders import write_fashion, write_idx

TRAIN = "train-images-idx3-ubyte.gz"
LABELS = "train-labels-idx1-ubyte.gz"


@pytest.fixture
def folder(tmp_path: Path, own_cache: Path) -> Path:
    return tmp_path / "data" / "fashion-mnist"


def test_images_stay_bytes_and_every_task_is_one_class_against_the_rest(folder: Path) -> None:
    written = write_fashion(folder)
    data = Fashion10("fashion10", folder.parent, n_train=None, n_test=None).data()
    images = np.concatenate([written[TRAIN], written["t10k-images-idx3-ubyte.gz"]])
    labels = np.concatenate([written[LABELS], written["t10k-labels-idx1-ubyte.gz"]])
    assert data.input_dtype == np.uint8
    assert np.array_equal(data.inputs[0], images[:, None])
    assert np.array_equal(np.stack(data.targets, axis=1).argmax(axis=1), labels)
    assert np.stack(data.targets).sum(axis=0).tolist() == [1.0] * 260
    assert [len(data.rows(split)) for split in ("train", "valid", "test")] == [160, 40, 60]
    assert data.rows("test").tolist() == list(range(200, 260))


def test_a_draw_keeps_images_and_labels_together_and_depends_on_the_seed(folder: Path) -> None:
    written = write_fashion(folder)
    label = {image.tobytes(): one for image, one in zip(written[TRAIN], written[LABELS], strict=True)}
    drawn = [
        Fashion10("fashion10", folder.parent, n_train=100, n_test=50, multiclass=True, seed=seed).data()
        for seed in (1, 1, 2)
    ]
    first = drawn[0]
    for row in (*first.rows("train"), *first.rows("valid")):
        assert first.targets[-1][row] == label[first.inputs[0][row].tobytes()]
    assert first.digest == drawn[1].digest != drawn[2].digest
    assert [len(first.rows(split)) for split in ("train", "valid", "test")] == [80, 20, 50]


def test_options_change_the_tasks(folder: Path) -> None:
    write_fashion(folder)
    instance = Fashion10(
        "fashion10", folder.parent, n_train=None, n_test=None, positive_weight=9, multiclass=True
    )
    tasks = instance.data().tasks
    assert instance.info.tasks == tuple(task.name for task in tasks)
    assert [task.kind for task in tasks] == ["binary"] * 10 + ["multiclass"]
    assert {task.positive_weight for task in tasks[:10]} == {9}
    assert {task.metric for task in tasks[:10]} == {"balanced-accuracy"}
    assert Fashion10.info.tasks == Fashion10("fashion10").info.tasks


def test_more_images_than_there_are_cannot_be_drawn(folder: Path) -> None:
    write_fashion(folder)
    with pytest.raises(UsageError, match="200 training images"):
        Fashion10("fashion10", folder.parent).data()


def test_without_the_files_the_message_says_how_to_get_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Fashion10, "layouts", (*Fashion10.layouts[:1], (str(folder / "absent"), TRAIN)))
    with pytest.raises(DataError) as caught:
        Fashion10("fashion10", folder.parent).data()
    for word in ("--data-dir", "ENGINE_DATA", str(folder.parent), f"fashion-mnist/{TRAIN}", "Debian"):
        assert word in str(caught.value)


def test_the_files_are_found_where_debian_puts_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_fashion(folder)
    monkeypatch.setattr(Fashion10, "layouts", (*Fashion10.layouts[:1], (str(folder), TRAIN)))
    assert Fashion10("fashion10", n_train=100, n_test=50).data().input_shape == (1, 28, 28)


def cut(folder: Path) -> None:
    content = gzip.decompress((folder / TRAIN).read_bytes())
    (folder / TRAIN).write_bytes(gzip.compress(content[:-1]))


def cut_compressed(folder: Path) -> None:
    (folder / TRAIN).write_bytes((folder / TRAIN).read_bytes()[:-20])


def not_compressed(folder: Path) -> None:
    (folder / TRAIN).write_bytes(gzip.decompress((folder / TRAIN).read_bytes()))


def text(folder: Path) -> None:
    (folder / TRAIN).write_bytes(gzip.compress(b"<html>"))


def header_only(folder: Path) -> None:
    (folder / TRAIN).write_bytes(gzip.compress(struct.pack(">BBBBI", 0, 0, 8, 3, 10)))


def floats(folder: Path) -> None:
    (folder / TRAIN).write_bytes(gzip.compress(struct.pack(">BBBBI", 0, 0, 13, 1, 0)))


def labels_for_images(folder: Path) -> None:
    (folder / TRAIN).write_bytes((folder / LABELS).read_bytes())


def too_few_labels(folder: Path) -> None:
    write_idx(folder / LABELS, np.zeros(199, np.uint8))


def no_class(folder: Path) -> None:
    write_idx(folder / LABELS, np.arange(200, dtype=np.uint8) % 11)


def no_labels(folder: Path) -> None:
    (folder / LABELS).unlink()


def other_size(folder: Path) -> None:
    write_idx(folder / "t10k-images-idx3-ubyte.gz", np.zeros((60, 8, 8), np.uint8))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (cut, "200 × 28 × 28 = 156800 bytes, but 156799 follow"),
        (cut_compressed, "cannot be decompressed"),
        (not_compressed, "cannot be decompressed"),
        (text, "not an IDX file"),
        (header_only, "ends within its header"),
        (floats, "has type 0x8, not 0xd"),
        (labels_for_images, "3 dimensions are needed, but the file has 1"),
        (too_few_labels, "199 labels for 200 images"),
        (no_class, "label 10 of image 11 is not a class from 0 to 9"),
        (no_labels, "no such file"),
        (other_size, "differ in size"),
    ],
)
def test_malformed_files_are_refused_by_name(
    folder: Path, spoil: Callable[[Path], None], message: str
) -> None:
    write_fashion(folder)
    spoil(folder)
    with pytest.raises(DataError) as caught:
        Fashion10("fashion10", folder.parent, n_train=None, n_test=None).data()
    assert message in str(caught.value)
    assert str(folder) in str(caught.value)


def test_a_file_may_be_plain(tmp_path: Path) -> None:
    values = np.arange(12, dtype=np.uint8).reshape(3, 4)
    write_idx(tmp_path / "labels", values)
    assert np.array_equal(read_idx(tmp_path / "labels", 2), values)


def test_the_published_images_can_be_told_apart(data_dir: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    try:
        data = Fashion10("fashion10", data_dir, n_train=2000, n_test=1000, multiclass=True).data()
    except DataError as error:
        if "is not here" not in str(error):
            raise
        pytest.skip(str(error))
    pixels = data.inputs[0].reshape(3000, -1)[:, ::2] / 255
    train, test = data.rows("train"), data.rows("test")
    model = LogisticRegression(C=0.1, max_iter=500).fit(pixels[train], data.targets[-1][train])
    assert model.score(pixels[test], data.targets[-1][test]) > 0.7
