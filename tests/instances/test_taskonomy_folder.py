from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine import DataError, MultiTaskData, UsageError
from instances.taskonomy_folder import FIVE_DOMAINS, TaskonomyFolder

BUILDINGS = ("adairsville", "brown", "corder", "darnestown", "eagan")
DOMAINS = (*FIVE_DOMAINS, "principal_curvature", "reshading")
SIDE = 10
VIEWS = 3


def pixels(domain: str, draws: np.random.Generator) -> np.ndarray:
    if domain in ("rgb", "normal", "principal_curvature", "reshading"):
        return draws.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    if domain == "segment_semantic":
        return draws.integers(0, 18, (SIDE, SIDE), dtype=np.uint8)
    return draws.integers(0, 60000, (SIDE, SIDE), dtype=np.uint16)


def write(folder: Path, *, building_first: bool = False) -> dict[tuple[str, str, int], np.ndarray]:
    """Write three views of five buildings and return the pixels by domain, building and view."""
    draws = np.random.default_rng(0)
    written = {}
    for domain in ("rgb", *DOMAINS):
        for building in BUILDINGS:
            place = folder / building / domain if building_first else folder / domain / building
            place.mkdir(parents=True)
            for view in range(VIEWS):
                values = written[domain, building, view] = pixels(domain, draws)
                Image.fromarray(values).save(place / f"point_7_view_{view}_domain_{domain}.png")
    return written


def reference(domain: str, values: np.ndarray, grid: int) -> list[float]:
    """Reduce pixel by pixel."""
    if domain == "segment_semantic":
        counts = {number: int((values == number).sum()) for number in range(2, 18)}
        return [float(max(counts, key=counts.__getitem__))]
    layers = np.atleast_3d(values).astype(float)
    if domain == "normal":
        channels = [layers[:, :, place] / 255 * 2 - 1 for place in range(3)]
    elif domain == "principal_curvature":
        channels = [layers[:, :, place] / 255 * 2 - 1 for place in range(2)]
    elif domain == "reshading":
        channels = [(layers[:, :, 0] + layers[:, :, 1] + layers[:, :, 2]) / 3 / 255]
    else:
        channels = [layers[:, :, 0] / (512 if domain.startswith("depth") else 65535)]
    bounds = [int(SIDE * edge / grid) for edge in range(grid + 1)]
    cells = []
    for channel in channels:
        for row in range(grid):
            for column in range(grid):
                cell = channel[bounds[row] : bounds[row + 1], bounds[column] : bounds[column + 1]]
                cells.append(float(cell.mean()))
    return cells


def read(folder: Path, domains: tuple[str, ...] = FIVE_DOMAINS, **options: Any) -> MultiTaskData:
    return TaskonomyFolder("taskonomy_folder", folder=folder, domains=domains, **options).data()


@pytest.mark.parametrize("building_first", [False, True])
def test_targets_are_cell_means_and_the_dominant_class(
    tmp_path: Path, own_cache: Path, building_first: bool
) -> None:
    written = write(tmp_path, building_first=building_first)
    data = read(tmp_path, DOMAINS, side=5, grid=3, standardise=False)
    keys = [(building, view) for building in BUILDINGS for view in range(VIEWS)]
    assert data.task_names == DOMAINS
    assert data.inputs[0].shape == (15, 3, 5, 5)
    for row, (building, view) in enumerate(keys):
        picture = written["rgb", building, view].reshape(5, 2, 5, 2, 3).mean(axis=(1, 3)).transpose(2, 0, 1)
        # Pillow averages rows, rounds, averages columns, and rounds again.
        assert np.abs(data.inputs[0][row] - picture).max() <= 1
        for task, target in zip(data.tasks, data.targets, strict=True):
            wanted = reference(task.name, written[task.name, building, view], 3)
            assert np.atleast_1d(target[row]) == pytest.approx(wanted)
            assert task.outputs == (18 if task.kind == "multiclass" else len(wanted))


def test_a_building_is_in_one_part(tmp_path: Path, own_cache: Path) -> None:
    write(tmp_path)
    owners = np.repeat(BUILDINGS, VIEWS)
    drawn = read(tmp_path, ("normal",), seed=3)
    parts = [set(owners[drawn.rows(split)]) for split in ("train", "valid", "test")]
    assert [len(part) for part in parts] == [3, 1, 1]
    assert set.union(*parts) == set(BUILDINGS)
    chosen = {"train": ["brown", "eagan"], "valid": ["corder"], "test": ["adairsville"]}
    given = read(tmp_path, ("normal",), buildings=chosen)
    for split, names in chosen.items():
        assert set(owners[given.rows(split)]) == set(names)


def test_standardised_targets_have_the_training_mean_and_deviation(tmp_path: Path, own_cache: Path) -> None:
    write(tmp_path)
    raw = read(tmp_path, ("depth_zbuffer",), grid=2, standardise=False)
    data = read(tmp_path, ("depth_zbuffer",), grid=2)
    train = data.rows("train")
    assert data.targets[0][train].mean() == pytest.approx(0, abs=1e-12)
    assert data.targets[0][train].std() == pytest.approx(1)
    known = raw.targets[0][train]
    assert data.targets[0] == pytest.approx((raw.targets[0] - known.mean()) / known.std())


def test_what_is_absent_has_no_label(tmp_path: Path, own_cache: Path) -> None:
    write(tmp_path)
    (tmp_path / "normal" / "brown" / "point_7_view_1_domain_normal.png").unlink()
    depth = np.full((SIDE, SIDE), 65535, np.uint16)
    depth[:5, :5] = 512
    depth[:5, 9] = 1024
    Image.fromarray(depth).save(
        tmp_path / "depth_zbuffer" / "brown" / "point_7_view_0_domain_depth_zbuffer.png"
    )
    classes = np.ones((SIDE, SIDE), np.uint8)
    Image.fromarray(classes).save(
        tmp_path / "segment_semantic" / "brown" / "point_7_view_2_domain_segment_semantic.png"
    )
    names = ("normal", "depth_zbuffer", "segment_semantic")
    data = read(tmp_path, names, grid=2, standardise=False)
    normal, depths, semantic = data.targets
    assert np.isnan(normal).all(axis=1).nonzero()[0].tolist() == [4]
    assert np.array_equal(depths[3], [1.0, 2.0, np.nan, np.nan], equal_nan=True)
    assert np.isnan(semantic).nonzero()[0].tolist() == [5]


def test_unusable_options_are_refused(tmp_path: Path, own_cache: Path) -> None:
    write(tmp_path)
    with pytest.raises(UsageError, match="Did you mean 'normal'"):
        read(tmp_path, ("normals",))
    with pytest.raises(UsageError, match="1 or more, not 64 and 0"):
        read(tmp_path, grid=0)
    with pytest.raises(DataError, match="no building 'frankfort'"):
        read(tmp_path, ("normal",), buildings={"train": ["frankfort"]})


def place(name: str) -> Callable[[Path], Path]:
    return lambda folder: folder / name / "brown" / f"point_7_view_1_domain_{name}.png"


def broken(folder: Path) -> None:
    place("normal")(folder).write_bytes(b"no image")


def grey_normals(folder: Path) -> None:
    Image.fromarray(np.zeros((SIDE, SIDE), np.uint8)).save(place("normal")(folder))


def far_class(folder: Path) -> None:
    Image.fromarray(np.full((SIDE, SIDE), 40, np.uint8)).save(place("segment_semantic")(folder))


def tiny(folder: Path) -> None:
    Image.fromarray(np.zeros((2, 2), np.uint16)).save(place("keypoints2d")(folder))


def no_domain(folder: Path) -> None:
    (folder / "normal").rename(folder / "normals")


def no_rgb(folder: Path) -> None:
    (folder / "rgb").rename(folder / "images")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (broken, "point_7_view_1_domain_normal.png: this image cannot be read"),
        (
            grey_normals,
            "point_7_view_1_domain_normal.png: an image of the domain 'normal' has 3 channels, not 1",
        ),
        (far_class, "pixel of class 40; the classes are 0 to 17"),
        (tiny, "an image of 2 × 2 has no 4 × 4 cells"),
        (no_domain, "no image of rgb has one of the domain 'normal' beside it"),
        (no_rgb, "there is no image rgb/<building>/"),
    ],
)
def test_malformed_folders_are_refused(
    tmp_path: Path, own_cache: Path, spoil: Callable[[Path], None], message: str
) -> None:
    write(tmp_path)
    spoil(tmp_path)
    with pytest.raises(DataError) as caught:
        read(tmp_path, DOMAINS)
    assert message in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_the_folder_is_looked_for_below_a_data_folder(tmp_path: Path, own_cache: Path) -> None:
    write(tmp_path / "taskonomy_folder")
    instance = TaskonomyFolder("taskonomy_folder", tmp_path, domains=("normal", "depth_zbuffer"))
    assert instance.data().task_names == instance.info.tasks == ("normal", "depth_zbuffer")
    with pytest.raises(DataError, match="Taskonomy is not here"):
        TaskonomyFolder("taskonomy_folder", tmp_path / "elsewhere").data()
