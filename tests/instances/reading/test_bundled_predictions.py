"""What the bundled predictions hold, that they are made again byte for byte, and when they are used."""

from __future__ import annotations

import subprocess
import sys
import warnings
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from engine import (
    INSTANCES,
    DataError,
    GainTensor,
    Instance,
    PredictedGainsWarning,
    Predictor,
    UsageError,
    load_instance,
    make_gain_source,
)
from instances.reading import published_files
from instances.reading.bundled_predictions import (
    DECIMALS,
    FOLDER,
    BundledPredictions,
    FitRecord,
    FittedSplit,
    read_predictions,
    write_predictions,
)
from instances.reading.mtgnet_gains import MTGNET, MtgNetInstance
from tests.waiting import HANGING

ROOT = Path(__file__).parent.parent.parent
NAMES = ("mimic27", "ettm1", "taskonomy5")
SIZES = {
    "mimic27": {1: 27, 2: 351, 3: 2925, 27: 1},
    "ettm1": {1: 7, 2: 21, 3: 35, 4: 35, 5: 21, 6: 7, 7: 1},
    "taskonomy5": {1: 5, 2: 10, 3: 10, 4: 5, 5: 1},
}
SAMPLED = {"mimic27": 2000, "ettm1": 0, "taskonomy5": 0}
MOST_BYTES = 300_000
ROUNDING = 0.01
"""What another processor may make of a gain, after a search for the best parameters."""


def bundle(name: str) -> BundledPredictions:
    return read_predictions(FOLDER / f"{name}.npz")


def published_class(name: str) -> type[MtgNetInstance]:
    cls: type[MtgNetInstance] = INSTANCES.load(name)
    return cls


def offline(name: str) -> Instance:
    with pytest.warns(PredictedGainsWarning):
        return load_instance(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_small_group_the_full_set_and_a_sample_are_there(name: str) -> None:
    info = published_class(name).info
    made = bundle(name)
    assert set(made.gains) == set(info.splits)
    for split, gains in made.gains.items():
        assert (gains.tasks, gains.split, gains.quantity) == (info.tasks, split, "gain")
        assert len(np.unique(gains.packed, axis=0)) == gains.n_groups
        assert gains.n_groups == sum(SIZES[name].values()) + SAMPLED[name]
        counts = dict(zip(*(one.tolist() for one in np.unique(gains.sizes, return_counts=True)), strict=True))
        assert {size: counts.pop(size) for size in SIZES[name]} == SIZES[name]
        assert sum(counts.values()) == SAMPLED[name]
        if counts:
            assert set(counts) == set(range(4, 27))
            held = gains.membership[gains.sizes > 3].sum(axis=0)
            assert held.max() < 1.05 * held.min()
    assert f"predictions of {gains.n_groups} groups" in info.bundled
    assert (FOLDER / f"{name}.npz").stat().st_size < MOST_BYTES


@pytest.mark.parametrize("name", NAMES)
def test_every_row_is_a_prediction_with_an_error(name: str) -> None:
    for gains in bundle(name).gains.values():
        assert not gains.measured.any()
        assert gains.std is not None
        several = gains.sizes[gains.entry_rows] > 1
        assert (gains.std[several] > 0).all()
        assert not gains.std[~several].any()
        assert not gains.values[~several].any()
        for numbers in (gains.values, gains.std):
            assert np.array_equal(numbers, np.round(numbers, DECIMALS))


@pytest.mark.parametrize("name", NAMES)
def test_the_file_says_how_it_was_made_and_how_far_it_is_off(name: str) -> None:
    cls = published_class(name)
    told = bundle(name).fit
    assert told.instance == name
    assert told.command == f"python -m tools.bundle_predictions {name}"
    assert told.origin == MTGNET.origin
    assert told.options == vars(make_gain_source(told.source, Predictor, told.options))
    assert "dd361da" in MTGNET.origin
    assert set(told.splits) == set(cls.info.splits)
    for split, fitted in told.splits.items():
        assert fitted.fitted_on == cls.info.n_groups
        assert fitted.files == {
            file.path: file.sha256 for file in (cls.membership, cls.files["measured", split])
        }
        assert 0 < fitted.mean_error < 1.1 * fitted.error_of_means
        assert 0.3 < fitted.rank_correlation < 1
        assert 0.8 < fitted.within_90 < 1


@pytest.mark.parametrize("name", NAMES)
def test_no_measurement_is_handed_through(data_dir: Path, name: str) -> None:
    """Entries equal a measurement to all decimals as often as entries close to it do by chance."""
    for split, predicted in bundle(name).gains.items():
        measured = published_class(name)(name, data_dir).recorded("measured", split)
        off = [
            measured.values[measured.row(row)] - predicted.values[predicted.row(found)]
            for row in np.flatnonzero(measured.sizes > 1).tolist()
            for found in predicted.find(measured.group(row))
        ]
        assert len(off) >= 26
        steps = np.abs(np.rint(np.concatenate(off) * 10**DECIMALS))
        window = 50
        expected = (steps <= window).sum() / (2 * window + 1)
        assert (steps == 0).sum() <= expected + 4 * np.sqrt(expected) + 2


@pytest.mark.parametrize("name", ["ettm1", "taskonomy5"])
def test_the_errors_told_are_not_those_of_the_fit(data_dir: Path, name: str) -> None:
    made = bundle(name)
    for split, predicted in made.gains.items():
        measured = published_class(name)(name, data_dir).recorded("measured", split)
        rows = [predicted.find(measured.group(row))[0] for row in range(measured.n_groups)]
        off = np.abs(predicted.gains[rows] - measured.gains)[measured.sizes > 1]
        assert np.nanmean(off) < made.fit.splits[split].mean_error


@pytest.mark.parametrize(
    "names", [("ettm1", "taskonomy5"), pytest.param(("mimic27",), marks=pytest.mark.slow)], ids="-".join
)
def test_the_files_are_made_again_byte_for_byte(
    data_dir: Path, tmp_path: Path, names: tuple[str, ...]
) -> None:
    """Where this fails after a change of the predictor, run ``make predictions``.

    Another processor rounds sums otherwise; what is made there may differ by that.
    """
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tools.bundle_predictions", *names),
            *("--data-dir", str(data_dir), "--output", str(tmp_path)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=HANGING,
    )
    assert done.returncode == 0, done.stderr
    for name in names:
        path = tmp_path / f"{name}.npz"
        made, ours = read_predictions(path), bundle(name)
        if made.fit.platform == ours.fit.platform:
            assert made.fit == ours.fit
            assert path.read_bytes() == (FOLDER / f"{name}.npz").read_bytes()
        for split, gains in made.gains.items():
            assert np.array_equal(gains.packed, ours.gains[split].packed)
            assert np.abs(gains.values - ours.gains[split].values).max() < ROUNDING


def small() -> BundledPredictions:
    groups = [group for size in (1, 2) for group in combinations("abc", size)]
    values = [dict.fromkeys(group, 0.01234567 * (len(group) - 1)) for group in groups]
    gains = {}
    for split, sign in (("valid", 1), ("test", -1)):
        signed = [{task: sign * gain for task, gain in one.items()} for one in values]
        tensor = GainTensor.from_groups(signed, split=split)
        gains[split] = replace(tensor, std=np.abs(tensor.values) / 3, measured=np.zeros(6, dtype=bool))
    splits = {split: FittedSplit(6, {"x.csv": "0" * 64}, 0.1, 0.2, 0.5, 0.9) for split in gains}
    told = FitRecord(
        "small", "make it", "0.1.0", 1, "here", "ridge", {}, "all", 0, 10, 0, "somewhere", splits
    )
    return BundledPredictions(told, gains)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    given = small()
    for name in ("one.npz", "two.npz"):
        write_predictions(given, tmp_path / name)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    found = read_predictions(tmp_path / "one.npz")
    assert found.fit == given.fit
    for split, gains in found.gains.items():
        there = given.gains[split]
        assert gains.tasks == there.tasks
        assert np.array_equal(gains.packed, there.packed)
        assert there.std is not None
        assert gains.std is not None
        assert gains.values.tolist() == [round(one, 4) for one in there.values.tolist()]
        assert gains.std.tolist() == [round(one, 4) for one in there.std.tolist()]
        assert str(gains.provenance) == f"ridge fitted on 6 measured {split} gains of somewhere"


def test_what_does_not_fit_the_file_is_refused(tmp_path: Path) -> None:
    given = small()
    valid, test = given.gains["valid"], given.gains["test"]
    for wrong, message in (
        (replace(valid, std=None), "standard errors"),
        (replace(valid, std=np.full(9, np.nan)), "std of split 'valid' must be numbers"),
        (replace(valid, values=np.where(valid.values > 0, 40.0, 0.0)), "gain of split 'valid' must be"),
        (valid.select([0, 1, 2, 4, 3, 5]), "the groups of the others"),
    ):
        path = tmp_path / "wrong.npz"
        with pytest.raises(DataError, match=message):
            write_predictions(replace(given, gains={"test": test, "valid": wrong}), path)
        assert not path.exists()


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "other"])
def test_a_damaged_file_is_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "small.npz"
    write_predictions(small(), path)
    data = bytearray(path.read_bytes())
    if damage == "changed":
        data[len(data) // 3] ^= 0xFF
    path.write_bytes({"cut": data[:-40], "changed": data, "empty": b"", "other": b"1 2 3\n"}[damage])
    with pytest.raises(DataError, match=r"small\.npz: this file is damaged"):
        read_predictions(path)


def test_predictions_stand_in_where_nothing_can_be_had_and_tell_so(own_cache: Path) -> None:
    with pytest.warns(PredictedGainsWarning) as caught:
        instance = load_instance("mimic27")
    (told,) = (str(one.message) for one in caught)
    source = bundle("mimic27").fit.source
    for word in (
        f"predicted by {source}",
        "points on average",
        "none is measured",
        "--data-dir",
        "ENGINE_DATA",
    ):
        assert word in told
    assert str(own_cache / "mtgnet" / "mimic27") in told
    assert "\n" not in told
    gains, judged = instance.gains(), instance.evaluation()
    assert judged is not None
    assert (gains.split, judged.split) == ("valid", "test")
    for tensor in (gains, judged):
        assert not tensor.measured.any()
        assert tensor.source == source
        assert tensor.provenance.text.startswith(f"{source} fitted on 3185 measured")
    assert instance.info.sources == (source,)
    assert instance.info.n_groups == gains.n_groups
    assert instance.info.default_budget == published_class("mimic27").info.default_budget
    assert "redistributed" in instance.info.licence


def test_the_note_keeps_what_is_about_the_tasks(own_cache: Path) -> None:
    for name, words in (("ettm1", "order of the series"), ("taskonomy5", "order of the tasks")):
        note = offline(name).info.note
        assert note.startswith("Every gain is predicted")
        assert words in note
        assert "tag" not in note


def test_other_predictors_are_fitted_on_the_predictions_and_say_so(own_cache: Path) -> None:
    instance = offline("ettm1")
    known, hoa = instance.gains(), instance.gains("hoa")
    assert not hoa.measured.any()
    assert hoa.provenance.text.startswith(f"hoa fitted on predicted {known.source} valid gains; ")
    pairs = {known.group(row): known.gains[row] for row in range(known.n_groups) if known.sizes[row] == 2}
    (row,) = hoa.find(["HUFL", "MUFL", "OT"])
    first, second = pairs["HUFL", "MUFL"][0], pairs["HUFL", "OT"][0]
    assert hoa.gains[row, 0] == pytest.approx((first + second) / 2)


@pytest.mark.parametrize("source", ["measured", "tag"])
def test_what_was_published_is_refused_with_the_ways_to_it(own_cache: Path, source: str) -> None:
    instance = offline("mimic27")
    with pytest.raises(UsageError, match=f"no gains of '{source}' on 'valid' here.*ENGINE_DATA"):
        instance.gains(source)
    with pytest.raises(UsageError, match=r"predictions of '.*' on valid and test"):
        instance.recorded(instance.info.sources[0], "absent")
    with pytest.raises(UsageError, match="Unknown source"):
        instance.gains("no-such-source")


def test_the_measured_gains_are_preferred(
    data_dir: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_instance("ettm1", data_dir).gains().measured.all()
    monkeypatch.setenv("ENGINE_DATA", str(data_dir))
    assert load_instance("ettm1").gains().measured.all()
    monkeypatch.delenv("ENGINE_DATA")
    for file in published_class("ettm1")("ettm1").measured_files():
        target = own_cache / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((data_dir / file.path).read_bytes())
    assert load_instance("ettm1").gains().measured.all()
    target.unlink()  # one split alone is not enough: measured and predicted gains are not mixed
    assert not offline("ettm1").gains().measured.any()


@pytest.mark.parametrize("way", ["option", "environment"])
def test_a_folder_that_was_named_must_hold_the_gains(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    if way == "environment":
        monkeypatch.setenv("ENGINE_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"is missing.*predictions of ours: leave out --data-dir and unset"):
        load_instance("mimic27", tmp_path if way == "option" else None)


def test_what_is_not_the_published_file_is_never_replaced_by_predictions(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / published_class("ettm1").membership.path
    path.parent.mkdir(parents=True)
    path.write_text("0 1\n", encoding="utf-8")
    with pytest.raises(DataError, match="not the published file"):
        load_instance("ettm1", tmp_path)
    monkeypatch.setenv("ENGINE_OFFLINE", "0")

    def other(_: str, output: str, __: object) -> None:
        Path(output).write_bytes(b"something else")

    monkeypatch.setattr(published_files, "_fetch", other)
    with pytest.raises(DataError, match="does not match the known hash"):
        load_instance("ettm1")


def test_a_download_that_fails_gives_predictions(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_OFFLINE", "0")

    def fail(*_: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(published_files, "_fetch", fail)
    with pytest.warns(PredictedGainsWarning, match="which failed: OSError: no route to host"):
        load_instance("ettm1")


def test_whoever_wants_measured_gains_only_makes_the_warning_an_error(own_cache: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", PredictedGainsWarning)
        with pytest.raises(PredictedGainsWarning):
            load_instance("taskonomy5")
