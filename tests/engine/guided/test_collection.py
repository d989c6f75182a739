from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engine import DataError, GainTensor, Study, UsageError, all_groups, collect_guided, recorded
from engine.guided.active import measured_actively
from engine.guided.collection import GuidedProgress
from tests.engine.guided.worlds import Linear, World, listed, names

FOUR = names(4)


def study(**given: object) -> Study:
    return Study(FOUR, [2], predictor="ridge", **given)  # type: ignore[arg-type]


def test_what_was_killed_goes_on_without_measuring_twice() -> None:
    world, store = World.drawn(6, 0), []
    whole = Study(names(6), [2, 3], predictor="ridge")
    collect_guided(whole, world.measure, 9)

    def measure(groups: NDArray[np.bool_]) -> GainTensor:
        if len(store) == 4:
            raise SystemExit
        store.append(world.measure(groups))
        return store[-1]

    with pytest.raises(SystemExit):
        collect_guided(Study(names(6), [2, 3], predictor="ridge"), measure, 9)
    resumed = Study(names(6), [2, 3], predictor="ridge")
    for one in reversed(store):
        resumed.tell(one)
    seen = [group for one in store for group in listed(one.membership, names(6))]
    collect_guided(resumed, lambda groups: seen.extend(listed(groups, names(6))) or world.measure(groups), 9)
    assert len(seen) == len(set(seen)) == 9
    assert resumed.known.digest == whole.known.digest


def test_ctrl_c_ends_with_what_was_told_and_lets_the_study_go_on() -> None:
    world, known = World.drawn(4, 0), study()
    calls = []

    def measure(groups: NDArray[np.bool_]) -> GainTensor:
        calls.append(groups)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return world.measure(groups)

    result = collect_guided(known, measure, 8, batch=2)
    assert (result.reason, result.measured) == ("interrupted", 4)
    assert collect_guided(known, measure, 8, batch=2).measured == 8
    assert np.array_equal(calls[2], calls[3])


def test_ctrl_c_while_a_solver_searches_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.plugins import SOLVERS
    from tests.engine import fakes

    SOLVERS.register("interrupted", fakes.Interrupted)
    try:
        result = collect_guided(study(solver="interrupted", initial=2), World.drawn(4, 0).measure, 8)
    finally:
        SOLVERS.unregister("interrupted")
    assert result.reason == "interrupted"
    assert result.measured < 8


def test_a_group_that_diverges_counts_as_a_run_and_is_not_asked_for_again() -> None:
    world, asked = World.drawn(4, 0), []

    def measure(groups: NDArray[np.bool_]) -> GainTensor | None:
        asked.extend(listed(groups, FOUR))
        left = groups[groups.sum(axis=1) != 3]
        return world.measure(left) if len(left) else None

    result = collect_guided(study(), measure, 11, batch=3)
    assert len(asked) == len(set(asked)) == 11
    assert (result.reason, result.measured) == ("runs", 7)


def test_observers_are_told() -> None:
    seen: list[GuidedProgress] = []
    known = study(initial=2)
    collect_guided(known, World.drawn(4, 0).measure, 5, batch=2, stop_below=1e-9, observers=[seen.append])
    assert [one.measured for one in seen] == [2, 4, 5]
    assert [len(one.latest) for one in seen] == [2, 2, 1]
    assert all(one.runs == 5 and one.improvement is not None for one in seen)
    promised = [one.promised[0] for one in seen if one.promised[0] is not None]
    assert promised == sorted(promised)


@pytest.mark.parametrize("given", [{"runs": 0}, {"runs": 3, "batch": 0}])
def test_numbers_out_of_range_are_refused(given: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="1 or more"):
        collect_guided(study(), World.drawn(4, 0).measure, **given)


def test_what_is_not_recorded_is_named_and_the_standard_network_preferred() -> None:
    pair = np.array([[True, True, False, False]])
    gains = GainTensor.from_dense(
        FOUR, np.repeat(pair, 2, 0), [[0.1, 0.2, 0, 0], [0.3, 0.4, 0, 0]], cost=[0.5, 1.0]
    )
    assert recorded(gains)(pair).values.tolist() == [0.3, 0.4]
    with pytest.raises(UsageError, match=r"t02\|t03' is not recorded"):
        recorded(gains)(~pair)


def test_active_selection_measures_one_by_one_and_then_n_at_a_time() -> None:
    gains = World.drawn(5, 0).measure(all_groups(5))
    known = measured_actively(Linear(), gains, 2)
    assert known.measured == 1 + 2 * 5
    assert known.known.find(names(5))
    assert measured_actively(Linear(), gains, 2).known.digest == known.known.digest
    assert measured_actively(Linear(), gains, 50).measured == 26
    with pytest.raises(UsageError, match="K 1 or more"):
        measured_actively(Linear(), gains, 0)


def test_active_selection_is_that_of_the_paper() -> None:
    """Written anew: fit, and take the largest absolute prediction of task r mod N."""
    gains = World.drawn(5, 4).measure(all_groups(5))
    groups, table = gains.membership, gains.gains
    known = np.flatnonzero(gains.sizes == 5).tolist()
    alone = np.flatnonzero(gains.sizes == 1).tolist()

    def picked(count: int, first: int) -> list[int]:
        model = Linear().fit(gains.select(sorted([*known, *alone])))
        sizes = np.abs(np.nan_to_num(model.predict(groups)))
        sizes[[*known, *alone]] = 0.0
        found = []
        for step in range(count):
            found.append(int(sizes[:, (first + step) % 5].argmax()))
            sizes[found[-1]] = 0.0
        return found

    for step in range(5):
        known += picked(1, step)
    known += picked(5, 5)
    found = measured_actively(Linear(), gains, 2).known
    assert set(listed(found.membership, names(5))) == set(listed(groups[[*known, *alone]], names(5)))
    assert np.isfinite(table[groups]).all()


def test_predictions_are_no_measurements() -> None:
    gains = World.drawn(4, 0).measure(all_groups(4))
    half = GainTensor.from_dense(FOUR, gains.membership, gains.gains, measured=gains.sizes < 3)
    with pytest.raises(DataError, match="predicted in part"):
        measured_actively(Linear(), half, 1)
    with pytest.raises(DataError, match="predicted"):
        collect_guided(study(), recorded(half), 3)
