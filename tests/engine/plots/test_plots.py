from __future__ import annotations

import importlib.util
import sys

import pytest

from engine import (
    Floor,
    GainTensor,
    MissingDependencyError,
    Problem,
    Solver,
    UsageError,
    WorstGain,
    compare,
    frontier,
)
from engine.plots.charts import Curve, Panel, comparison_chart, frontier_chart
from engine.plots.drawing import check_plot, draw, save_figure
from engine.solving.comparison import Case, Comparison
from tests.engine.fakes import Cheat, Nothing, Singles, ToyLoss, gains

BUDGETS = (1, 2, 3)
JUDGED = gains(1, split="test")


def chart(problem: Problem, solver: str | Solver, evaluation: GainTensor | None = None) -> tuple[Panel, ...]:
    return frontier_chart(problem, frontier(problem, BUDGETS, solver), evaluation, title="toy")


def test_frontier_numbers() -> None:
    problem = Problem(gains(), constraints=[Floor(-1)])
    solutions = frontier(problem, BUDGETS, "brute-force")
    (panel,) = frontier_chart(problem, solutions, JUDGED, title="toy")
    assert (panel.title, panel.quantity) == ("toy · measured", "gain")
    assert panel.subtitle == "maximize total gain subject to no task worse than -1"
    assert panel.budget == "number of groups"
    assert (panel.source, panel.evaluation) == ("valid", "test")
    assert panel.curves == (
        Curve(
            "brute-force",
            BUDGETS,
            tuple(solutions[budget].mean for budget in BUDGETS),
            tuple(solutions[budget].evaluate(JUDGED).mean for budget in BUDGETS),
            tuple(solutions[budget].bound / 4 for budget in BUDGETS),
            (True, True, True),
        ),
    )


def test_a_frontier_without_evaluation_or_bound() -> None:
    (panel,) = chart(Problem(gains()), Singles())
    assert panel.evaluation == ""
    (curve,) = panel.curves
    assert curve.evaluation == (None,) * 3
    assert curve.proven == (False,) * 3


def test_a_bound_is_drawn_only_where_it_bounds_the_mean() -> None:
    (panel,) = chart(Problem(gains(), WorstGain()), "brute-force")
    assert panel.curves[0].bound == (None,) * 3


def test_predictions_are_marked() -> None:
    guessed = gains(measured=False, source="guess")
    (panel,) = chart(Problem(guessed), "greedy")
    assert panel.title == "toy · guess, predicted"
    comparison = compare({"toy": Problem(guessed)}, ["greedy"], BUDGETS)
    assert comparison_chart(comparison)[0].title == "toy · guess, predicted"


def test_a_predicted_evaluation_is_marked() -> None:
    guessed = gains(1, split="test", measured=False)
    (panel,) = chart(Problem(gains()), "greedy", guessed)
    assert panel.title == "toy · measured · test predicted"
    comparison = compare([Case("toy", Problem(gains()), guessed)], ["greedy"], BUDGETS)
    assert comparison_chart(comparison)[0].title == "toy · measured · test predicted"


def test_comparison_numbers() -> None:
    cases = [
        Case("toy", Problem(gains()), JUDGED),
        Case("toy", Problem(gains(5, source="guess"))),
        Case("loss", Problem(ToyLoss("x").recorded("measured", "all"))),
    ]
    comparison = compare(cases, ["brute-force", Singles(), Nothing()], BUDGETS)
    panels = comparison_chart(comparison)
    assert [panel.title for panel in panels] == ["toy · measured", "toy · guess", "loss · measured"]
    assert [panel.source for panel in panels] == ["valid", "valid", "all"]
    assert [panel.evaluation for panel in panels] == ["test", "", ""]
    assert [panel.budget for panel in panels] == ["number of groups"] * 2 + ["total cost of the groups"]
    assert [panel.quantity for panel in panels] == ["gain", "gain", "loss"]
    assert [curve.label for curve in panels[0].curves] == ["brute-force", "Singles"]
    rows = [row for row in comparison.rows if row.solver == "Singles" and row.source == "measured"]
    assert panels[0].curves[1].source == tuple(row.mean for row in rows if row.instance == "toy")
    assert panels[0].curves[1].evaluation == tuple(
        row.evaluation_mean for row in rows if row.instance == "toy"
    )


def test_drawing_says_what_is_what() -> None:
    figure = draw(chart(Problem(gains()), Singles(), JUDGED))
    (ax,) = figure.axes
    assert ax.get_title("left") == "toy · measured"
    assert [text.get_text() for text in ax.texts] == ["maximize total gain"]
    assert ax.get_xlabel() == "budget (number of groups)"
    assert ax.get_ylabel() == "mean gain in %"
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend[:4] == ["Singles", "valid: seen by the solver", "test: judged on", "not proven optimal"]
    assert ax.lines[0].get_ydata()[0] == pytest.approx(100 * gains().values[-4:].mean())


def test_curves_that_coincide_are_all_seen() -> None:
    comparison = compare({"toy": Problem(gains())}, ["brute-force", "cpsat"], BUDGETS)
    (ax,) = draw(comparison_chart(comparison)).axes
    first, second = (line for line in ax.lines if line.get_linestyle() == "-")
    assert first.get_ydata() == pytest.approx(second.get_ydata())
    assert first.get_linewidth() > second.get_linewidth()
    assert first.get_markersize() > second.get_markersize()
    assert first.get_zorder() < second.get_zorder()


def test_losses_have_their_own_axis() -> None:
    problem = Problem(ToyLoss("x").recorded("measured", "all"))
    figure = draw(chart(problem, "brute-force"))
    assert figure.axes[0].get_ylabel() == "mean loss"


def test_nothing_to_draw() -> None:
    assert chart(Problem(gains()), Nothing()) == ()
    assert comparison_chart(Comparison(())) == ()
    with pytest.raises(UsageError, match="nothing to plot"):
        draw(())


def test_a_refuted_value_is_not_drawn_as_proven() -> None:
    (panel,) = chart(Problem(gains()), Cheat())
    assert panel.curves[0].proven == (False,) * 3


@pytest.mark.parametrize("ending", ["png", "svg", "pdf", "PNG"])
def test_files(tmp_path, ending: str) -> None:
    path = tmp_path / f"plot.{ending}"
    before = "matplotlib.pyplot" in sys.modules
    save_figure(draw(chart(Problem(gains()), "greedy", JUDGED)), path)
    assert path.stat().st_size > 1000
    assert ("matplotlib.pyplot" in sys.modules) == before


def test_an_unknown_ending_is_refused(tmp_path) -> None:
    with pytest.raises(UsageError, match=r"\.svg"):
        check_plot(tmp_path / "plot.gif")


def test_without_matplotlib(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match="plot"):
        check_plot(tmp_path / "plot.png")
