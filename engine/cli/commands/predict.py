"""``engine predict``: gains of groups that nobody trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.options.gains import GainsOptions, reading_options
from engine.cli.options.kinds import Assignment
from engine.cli.options.shared import pick
from engine.cli.options.training import TrainingOptions, refuse_training, training_options

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.gains.model import GainModel
    from engine.gains.source import Predictor
    from engine.gains.tensor import GainTensor

MOST_LISTED = 16
"""Up to so many tasks, an affinity is extended to all groups unless others are named."""

FOLDS = 5
"""Parts in which known groups are left out to judge a predictor."""


@click.command(short_help="Predict the gains of groups that were not trained.")
@training_options
@click.option("--store", metavar="URL", help="Fit on collected gains: a gain store, with --experiment.")
@click.option("--experiment", metavar="NAME", help="Name, number or digest of an experiment in the store.")
@click.option(
    "--source",
    "--model",
    metavar="NAME",
    help="A predictor, or a source of an affinity. Default: the preferred predictor.",
)
@click.option(
    "--measure",
    type=click.IntRange(1),
    metavar="K",
    help="Fit only on K·N recorded groups that the predictor asks for itself, step by step.",
)
@click.option("--source-option", type=Assignment(), multiple=True, help="An option of the source.")
@click.option(
    "--groups",
    metavar="LIST",
    help="listed, all, pairs, sizes:2-4, random:100[:3-6], a|b, or a file. Default: listed; of an affinity, "
    "all.",
)
@click.option(
    "--group-seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of random groups."
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    default=0,
    show_default=True,
    help="Of a training, of the folds of --calibrate, or of --measure.",
)
@click.option("--predict-all", is_flag=True, help="Predict measured groups too, instead of keeping them.")
@click.option(
    "--calibrate",
    is_flag=False,
    flag_value=2,
    type=click.IntRange(2),
    metavar="[SIZE]",
    help="Leave known groups out in turn, those of 2 tasks or of SIZE or more, and tell how far a predictor "
    "is off and whether it knows.",
)
@click.option("--format", type=click.Choice(["table", "json", "csv"]), help="Of --calibrate. Default: table.")
@reading_options
@click.option(
    "--output", metavar="FILE", help="Gains to write: .csv, .tsv, .parquet, .npz. Default: CSV on stdout."
)
@click.option(
    "--affinity-output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the affinity itself (JSON).",
)
@click.option(
    "--embeddings-output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the task embeddings of the model (CSV).",
)
@click.option(
    "--embeddings-plot",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw the task embeddings: .png, .svg or .pdf.",
)
def predict(
    store: str | None,
    experiment: str | None,
    source: str | None,
    source_option: tuple[tuple[str, str], ...],
    measure: int | None,
    groups: str | None,
    group_seed: int,
    seed: int,
    predict_all: bool,
    calibrate: int | None,
    format: str | None,
    output: str | None,
    affinity_output: Path | None,
    embeddings_output: Path | None,
    embeddings_plot: Path | None,
    **given: Any,
) -> int:
    """Predict the gains of groups that were not trained, and say which are predictions.

    A predictor (ridge, gaussian-process, mtgnet, …) is fitted on known gains; a source of an affinity
    trains once, and HOA extends its pairs to groups.

    \b
    Examples:
      engine predict --instance mimic27 --source ridge --groups random:1000 --output predicted.csv
      engine predict --store sqlite:///gains.db --experiment digits10 --groups all --output all.npz
      engine predict --instance mimic27 --source ridge --calibrate
      engine predict --instance mimic27 --model mtgnet --measure 3 --output predicted.csv
    """  # noqa: D301  (click reads the backspace)
    from engine.cli.options.text import read_fields
    from engine.cli.telling.messages import say
    from engine.cli.telling.output import check_output
    from engine.errors import UsageError
    from engine.gains.formats.gains_file import writable_paths
    from engine.gains.source import GainSource, Predictor, Purpose, choose_source, make_gain_source
    from engine.plugins import GAIN_SOURCES
    from engine.training.collector import AffinitySource

    if output is None:
        written = []
    else:
        written = [Path(output)] if calibrate is not None else list(writable_paths(output))
    for path in (*written, affinity_output, embeddings_output, embeddings_plot):
        check_output(path)
    source = source or choose_source(Purpose.PREDICT)
    cls = GAIN_SOURCES.load(source)
    made = make_gain_source(source, GainSource, read_fields(cls, source_option, f"gain source {source!r}"))
    if made.caution:
        say(f"{made.caution}.")
    training = pick(TrainingOptions, given)
    if calibrate is not None:
        if not isinstance(made, Predictor):
            raise UsageError(f"The gain source {source!r} fits no known gains: --calibrate cannot judge it.")
        if groups is not None or predict_all or affinity_output is not None:
            raise UsageError(
                "--calibrate predicts known groups: no --groups, --predict-all, --affinity-output."
            )
        if measure is not None or embeddings_output is not None or embeddings_plot is not None:
            raise UsageError("--calibrate judges a predictor: no --measure and no embeddings.")
        from engine.cli.telling.calibration import CalibrationView
        from engine.cli.telling.view import show
        from engine.gains.calibration import calibrate as measure_calibration

        judge = _known(training, store, experiment, pick(GainsOptions, given))
        found = measure_calibration(made, judge, FOLDS, seed, least_size=calibrate)
        show(CalibrationView(found), format or "table", Path(output) if output else None)
        return 0
    if format is not None:
        raise UsageError("--format is about --calibrate; gains are written by the suffix of --output.")
    known: GainTensor | None = None
    if isinstance(made, Predictor):
        if affinity_output is not None:
            raise UsageError(f"The gain source {source!r} has no affinity to write.")
        if embeddings_plot is not None:
            from engine.plots.drawing import check_plot

            check_plot(embeddings_plot)
        known = _known(training, store, experiment, pick(GainsOptions, given))
        seeds = (group_seed, seed)
        model, tensor = _fitted(made, source, known, measure, groups or "listed", seeds, predict_all)
        _write_embeddings(model, embeddings_output, embeddings_plot)
    elif isinstance(made, AffinitySource):
        if store is not None or experiment is not None or predict_all or measure is not None:
            raise UsageError(
                f"The gain source {source!r} trains to get an affinity: give --instance or --data, without "
                "--store, --experiment, --measure and --predict-all."
            )
        if embeddings_output is not None or embeddings_plot is not None:
            raise UsageError(f"The gain source {source!r} embeds no tasks: mtgnet does.")
        tensor = _extended(made, training, groups, group_seed, seed, affinity_output)
    else:
        raise UsageError(f"The gain source {source!r} trains groups: use engine collect --source {source}.")
    measured = int(tensor.measured.sum())
    _write(tensor, output)
    guessed = "" if known is None or known.measured.any() else f" from predictions of {known.source}"
    say(
        f"{tensor.n_groups - measured} groups predicted by {source}{guessed}, {measured} measured"
        + ("" if output is None else f"; written to {output}")
        + "."
    )
    return 0


def _known(
    options: TrainingOptions, store: str | None, experiment: str | None, reading: GainsOptions
) -> GainTensor:
    """Return the gains to fit on."""
    from engine.errors import UsageError

    refuse_training(options, "a predictor only fits known gains")
    if (options.instance is None) == (store is None):
        raise UsageError("Give the known gains: --instance NAME|FILE, or --store URL --experiment NAME.")
    if store is not None:
        name = f"{store}#{experiment}" if experiment else store
    elif experiment is not None:
        raise UsageError("--experiment names one of a gain store: give --store URL as well.")
    else:
        name = str(options.instance)
    return reading.open(name).gains()


def _fitted(
    source: Predictor,
    name: str,
    gains: GainTensor,
    measure: int | None,
    groups: str,
    seeds: tuple[int, int],
    predict_all: bool,
) -> tuple[GainModel, GainTensor]:
    """Return the fitted model, and its gains of the groups asked for."""
    from engine.collection.groups import unique
    from engine.gains.predictions import fit_provenance, predictions

    group_seed, seed = seeds
    known = gains
    if measure is None:
        model = source.fit(known)
    else:
        from engine.guided.active import measured_actively

        study = measured_actively(source, gains, measure, seed=seed)
        model, known = study.model(), study.known
    if groups == "listed":
        membership: NDArray[np.bool_] = unique([gains.membership], gains.n_tasks)
    else:
        membership = _parsed(groups, known.tasks, group_seed)
    tensor = predictions(model, membership, known, predict_all=predict_all)
    return model, replace(tensor, provenance=fit_provenance(name, known))


def _extended(
    source: Any,
    options: TrainingOptions,
    groups: str | None,
    group_seed: int,
    seed: int,
    affinity_output: Path | None,
) -> GainTensor:
    from engine.cli.asking.experiments import make_experiment
    from engine.errors import UsageError
    from engine.gains.formats import write_affinity
    from engine.gains.model import tabulate
    from engine.gains.pair_mean import PairMeanModel
    from engine.gains.provenance import Provenance

    experiment = make_experiment(options)
    if groups is None:
        if len(experiment.tasks) > MOST_LISTED:
            raise UsageError(
                f"{len(experiment.tasks)} tasks have too many groups to write all: name some with --groups."
            )
        groups = "all"
    elif groups == "listed":
        raise UsageError("An affinity has no listed groups: name some with --groups, for instance pairs.")
    membership = _parsed(groups, experiment.tasks, group_seed)
    affinity = source.affinity(experiment, seed)
    if affinity_output is not None:
        write_affinity(affinity, affinity_output)
    tensor = tabulate(PairMeanModel.from_affinity(affinity), membership)
    described = f"{affinity.source} of {experiment.data.name}, {experiment.backbone}, seed {seed}; pair means"
    return replace(tensor, provenance=Provenance(described))


def _parsed(groups: str, tasks: Sequence[str], seed: int) -> NDArray[np.bool_]:
    from engine.collection.groups import parse_groups
    from engine.errors import UsageError

    if "listed" in groups.split(","):
        raise UsageError("'listed' stands alone: it means the groups whose gains are known.")
    return parse_groups(groups, tasks, seed=seed)


def _write_embeddings(model: GainModel, output: Path | None, plot: Path | None) -> None:
    """Write and draw the task embeddings of a model."""
    from engine.errors import UsageError
    from engine.gains.embeddings import write_embeddings
    from engine.gains.model import EmbeddedModel
    from engine.plots.embeddings import plot_embeddings

    if output is None and plot is None:
        return
    if not isinstance(model, EmbeddedModel):
        raise UsageError(f"The gain source {model.source!r} embeds no tasks: mtgnet does.")
    if output is not None:
        write_embeddings(model, output)
    if plot is not None:
        plot_embeddings(model, plot)


def _write(tensor: GainTensor, output: str | None) -> None:
    from engine.gains.formats import write_gains

    if output is not None:
        write_gains(tensor, output)
        return
    import tempfile

    from engine.cli.telling.output import emit

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gains.csv"
        write_gains(tensor, path)
        emit(path.read_text(encoding="utf-8"), None)
