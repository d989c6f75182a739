"""Every way of pricing the lattice finds what looking at every group finds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine import (
    Apart,
    Budget,
    Constraint,
    Floor,
    Forbidden,
    GainTensor,
    GroupSize,
    LatticeProblem,
    PairMeanModel,
    PairSumModel,
    Partition,
    TabulatedModel,
    Together,
    UnsupportedError,
    UsageError,
    WeightedGain,
    all_groups,
    solve,
)
from engine.solving.control import Control
from engine.testing.dice import task_names
from solvers.lattices.branching import Branching, can_branch
from solvers.lattices.enumeration import Enumeration
from solvers.lattices.form import LatticeForm, Prices
from solvers.lattices.pricing import Pricer
from solvers.lattices.separable_scan import SeparableScan, can_scan
from solvers.lattices.table_scan import TableScan

PRICINGS = ("auto", "branching", "enumeration", "table")


def random_form(seed: int) -> tuple[LatticeForm, Prices]:
    """Return a random problem over a model of pairs, and random prices."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 12))
    tasks, nothing = task_names(count), np.zeros(count)
    pairs = rng.normal(size=(count, count))
    if seed % 3 == 0:
        model = PairSumModel(tasks, pairs, rng.normal(size=count), rng.normal(size=count))
    else:
        losses = seed % 3 == 1
        model = PairMeanModel(tasks, pairs, rng.normal(size=count), quantity="loss" if losses else "gain")  # type: ignore[assignment]
    demands: list[Constraint] = []
    for chance, make in (
        (0.4, lambda: Partition()),
        (0.3, lambda: Floor(float(rng.normal()))),
        (0.3, lambda: GroupSize(int(rng.integers(1, count + 1)))),
        (0.4, lambda: Apart(list(rng.choice(tasks, min(count, 3), replace=False)))),
        (0.4, lambda: Together(list(rng.choice(tasks, 2, replace=False)))),
        (0.3, lambda: Forbidden(list(tasks[:2]))),
    ):
        if rng.random() < chance:
            demands.append(make())
    objective = None
    if model.quantity == "gain" and rng.random() < 0.4:
        objective = WeightedGain({task: float(rng.choice([0.0, -1.0, 0.5, 2.0])) for task in tasks})
    problem = LatticeProblem(model, objective, tuple(demands))  # type: ignore[arg-type]
    form = LatticeForm.of(problem)
    hold = nothing if form.is_partition or rng.random() < 0.5 else 0.3 * rng.random(count)
    return form, Prices(rng.normal(size=count), hold)


def pricers(form: LatticeForm) -> list[Pricer]:
    table = TableScan(form, 1, 2.0**30)
    assert table.fill(Control())
    found: list[Pricer] = [Enumeration(form, table), Enumeration(form, TableScan(form, 1, 0.0))]
    if can_scan(form):
        found += [Enumeration(form, SeparableScan(form, threads)) for threads in (1, 2)]
    if can_branch(form):
        found += [Branching(form, threads) for threads in (1, 2)]
    return found


@pytest.mark.parametrize("seed", range(40))
def test_the_largest_worth_and_all_groups_above_a_threshold(seed: int) -> None:
    form, prices = random_form(seed)
    membership = all_groups(form.n_tasks)
    values = form.values(membership)
    admitted = form.admitted(membership, values)
    worth = form.worth(membership[admitted], values[admitted], prices)
    for pricer in pricers(form):
        priced = pricer.price(prices, 5, -np.inf, Control())
        if not len(worth):
            assert not len(priced.membership)
            continue
        assert priced.bound == pytest.approx(worth.max(), abs=1e-10)
        assert priced.bound >= worth.max() - 1e-15
        assert priced.worth[0] == pytest.approx(worth.max(), abs=1e-12)
        threshold = float(np.median(worth))
        above = pricer.above(prices, threshold, 1 << 12, Control())
        assert above is not None
        assert {tuple(row) for row in above} == {
            tuple(row) for row in membership[admitted][worth > threshold]
        }
        few = int((worth > threshold).sum()) - form.n_tasks - 1
        if few > 0:
            assert pricer.above(prices, threshold, few, Control()) is None


@pytest.mark.parametrize("seed", range(40))
def test_torch_scans_as_the_compiled_code_does(seed: int) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    from solvers.lattices.torch_scan import TorchScan

    form, prices = random_form(seed)
    if not can_scan(form):
        pytest.skip("nothing to scan")
    compiled = SeparableScan(form, 1).bests(prices, Control())
    torched = TorchScan(form, 1, "cpu").bests(prices, Control())
    assert compiled is not None
    assert torched is not None
    admitted = compiled > -1e28
    assert np.array_equal(admitted, torched > -1e28)
    assert np.allclose(compiled[admitted], torched[admitted], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("demands", [(Budget(3),), (Partition(), Budget(4)), (Budget(4), GroupSize(5))])
def test_every_pricing_gives_the_same_optimum(demands: tuple[Constraint, ...]) -> None:
    rng = np.random.default_rng(7)
    model = PairMeanModel(task_names(13), rng.normal(size=(13, 13)), np.zeros(13))
    problem = LatticeProblem(model, constraints=demands)
    solutions = [solve(problem, "lattice", options={"pricing": pricing}, threads=2) for pricing in PRICINGS]
    assert {one.status for one in solutions} == {"OPTIMAL"}
    assert np.ptp([one.value for one in solutions]) < 1e-9


@pytest.mark.parametrize("demands", [(Budget(3),), (Partition(), Budget(4))])
@pytest.mark.parametrize("table", ["single precision", "half precision", "none"])
def test_a_table_that_does_not_fit(demands: tuple[Constraint, ...], table: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    member = all_groups(10)
    values = np.where(member, rng.normal(0, 0.3, member.shape), np.nan)
    model = TabulatedModel(GainTensor.from_dense(task_names(10), member, values, single_task_baseline=False))
    problem = LatticeProblem(model, constraints=demands)
    cells = 2**10 * (1 if demands[0] == Partition() else 10)
    memory = {"single precision": 4.0 * cells, "half precision": 1.0, "none": 1.0}[table] / 2**30
    options: dict[str, object] = {"memory": memory}
    if table == "half precision":
        options["cache"] = str(tmp_path)
    exact, solution = solve(problem, "lattice"), solve(problem, "lattice", options=options)
    assert exact.status == "OPTIMAL"
    assert exact.value is not None
    assert solution.value is not None
    assert solution.bound is not None
    assert solution.bound >= exact.value - 1e-9
    assert solution.value <= exact.value + 1e-9
    if table != "half precision":
        assert solution.status == "OPTIMAL"
    assert not list(tmp_path.iterdir()), "the table is not removed"


def test_noise_over_all_groups_of_sixteen_tasks_is_proven() -> None:
    """No structure at all: every gain of every group is independent."""
    rng = np.random.default_rng(0)
    tasks = task_names(16)
    noise = rng.normal(0, 0.05, (2**16, 16))

    class Noise:
        source = "noise"

        def __init__(self) -> None:
            self.tasks = tasks

        def predict(self, membership: np.ndarray) -> np.ndarray:
            values = noise[membership @ (1 << np.arange(16))]
            return np.where(membership, values, np.nan)

    for demands in ((Budget(3),), (Budget(6),), (Partition(), Budget(5))):
        solution = solve(LatticeProblem(Noise(), constraints=demands), "lattice")
        assert solution.status == "OPTIMAL"
        assert solution.certificate.verified


def test_more_demands_than_a_word_has_bits() -> None:
    rng = np.random.default_rng(5)
    tasks = task_names(13)
    apart = [Apart([tasks[i], tasks[j]]) for i in range(13) for j in range(i) if (i + j) % 7]
    assert len(apart) > 64
    model = PairMeanModel(tasks, rng.normal(size=(13, 13)), np.zeros(13))
    problem = LatticeProblem(model, constraints=(*apart, Budget(8)))
    assert solve(problem, "lattice").value == pytest.approx(
        solve(problem.listed, "branch-and-bound").value, abs=1e-9
    )


def test_thirty_six_tasks_need_no_list() -> None:
    """Nothing of size 2^36 can be held or looked at, and the partition is proven all the same."""
    rng = np.random.default_rng(1)
    traits = rng.normal(size=(36, 3))
    pairs = traits @ traits.T / 50
    model = PairMeanModel(task_names(36), pairs, np.zeros(36))
    problem = LatticeProblem(model, constraints=(Partition(), Budget(18)))
    solution = solve(problem, "lattice")
    assert solution.status == "OPTIMAL"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pricing": "guess"}, "pricing"),
        ({"memory": 0.0}, "memory"),
        ({"cache": "no/such/folder"}, "folder"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, object], message: str) -> None:
    model = PairMeanModel(task_names(3), np.zeros((3, 3)), np.zeros(3))
    with pytest.raises(UsageError, match=message):
        solve(LatticeProblem(model), "lattice", options=options)


@pytest.mark.parametrize("pricing", ["branching", "enumeration"])
def test_structure_is_not_asked_of_a_model_without(pricing: str) -> None:
    member = all_groups(4)
    model = TabulatedModel(
        GainTensor.from_dense(
            task_names(4), member, np.where(member, 0.1, np.nan), single_task_baseline=False
        )
    )
    with pytest.raises(UnsupportedError, match="pricing"):
        solve(LatticeProblem(model), "lattice", options={"pricing": pricing})
