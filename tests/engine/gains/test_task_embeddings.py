from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine import DataError, UsageError
from engine.gains.embeddings import principal_axes, write_embeddings
from engine.plots.embeddings import plot_embeddings


class Embedded:
    source = "fake"
    tasks = ("one", 'with "quotes", and a comma', "three")

    def __init__(self, points: NDArray[np.float64]) -> None:
        self.points = points

    def predict(self, membership: NDArray[np.bool_]) -> NDArray[np.float64]:
        raise AssertionError("nothing is predicted here")

    def embeddings(self) -> NDArray[np.float64]:
        return self.points


def points(rows: int, columns: int) -> NDArray[np.float64]:
    return np.random.default_rng(0).normal(1, 2, (rows, columns))


@pytest.mark.parametrize("shape", [(6, 3), (3, 6), (1, 4)])
def test_principal_axes_keep_distances_and_order_the_spread(shape: tuple[int, int]) -> None:
    given = points(*shape)
    found, shares = principal_axes(given)
    between, expected = (np.linalg.norm(one[:, None] - one[None], axis=2) for one in (found, given))
    assert between == pytest.approx(expected)
    spread = found.var(axis=0)
    assert (np.diff(spread) <= 1e-12).all()
    assert found.mean(axis=0) == pytest.approx(0.0)
    if shape[0] > 1:
        covariance = np.cov(given.T, bias=True)
        largest = np.linalg.eigvalsh(covariance)[::-1][: len(spread)]
        assert spread == pytest.approx(largest, abs=1e-9)
        assert shares == pytest.approx(largest / np.trace(covariance), abs=1e-9)
    else:
        assert shares.tolist() == [0.0]


def test_turned_points_lie_where_the_points_did() -> None:
    given = points(5, 3)
    turn = np.linalg.qr(points(3, 3))[0]
    assert principal_axes(given @ turn)[0] == pytest.approx(principal_axes(given)[0])


def test_a_table_has_every_number_of_every_task(tmp_path: Path) -> None:
    model, path = Embedded(points(3, 4)), tmp_path / "embeddings.csv"
    write_embeddings(model, path)
    with path.open(newline="", encoding="utf-8") as stream:
        header, *rows = csv.reader(stream)
    assert header == ["task", "1", "2", "3", "4"]
    assert tuple(row[0] for row in rows) == model.tasks
    assert np.array_equal(np.array([row[1:] for row in rows], dtype=float), model.points)


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
@pytest.mark.parametrize("columns", [1, 4])
def test_a_plot_is_written(tmp_path: Path, ending: str, columns: int) -> None:
    path = tmp_path / f"embeddings.{ending}"
    plot_embeddings(Embedded(points(3, columns)), path)
    begins = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[ending]
    assert path.read_bytes().startswith(begins)


def test_a_plot_names_the_tasks(tmp_path: Path) -> None:
    import matplotlib

    with matplotlib.rc_context({"svg.fonttype": "none"}):
        plot_embeddings(Embedded(points(3, 4)), tmp_path / "plot.svg")
    text = (tmp_path / "plot.svg").read_text()
    assert ">three<" in text
    assert "Tasks as fake sees them" in text


def test_wrong_embeddings_and_endings_are_named(tmp_path: Path) -> None:
    for wrong in (points(2, 4), points(3, 1)[:, 0], np.full((3, 2), np.nan)):
        with pytest.raises(DataError, match="'fake' must give one embedding of finite numbers"):
            write_embeddings(Embedded(wrong), tmp_path / "table.csv")
    with pytest.raises(UsageError, match="ends in"):
        plot_embeddings(Embedded(points(3, 2)), tmp_path / "plot.txt")
    assert not list(tmp_path.iterdir())
