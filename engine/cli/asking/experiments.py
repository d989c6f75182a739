"""From a command's options to an experiment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from engine.catalogue.instance import load_instance
from engine.catalogue.trainable import TrainableInstance
from engine.cli.options.text import read_fields, read_keywords
from engine.cli.options.training import TrainingOptions
from engine.errors import EngineError, UsageError
from engine.plugins import BACKBONES, INSTANCES
from engine.training.experiment import Experiment, choose_backbone
from engine.training.settings import TrainingSettings


def make_experiment(options: TrainingOptions) -> Experiment:
    """Return the experiment that the options ask for.

    Raises
    ------
    UsageError
        If an option does not fit.
    DataError
        If the data cannot be had or are malformed.
    """
    if (options.instance is None) == (options.data is None):
        raise UsageError(
            "Give an instance that trains (--instance digits10) or a table (--data my.csv --targets a,b)."
        )
    instance = open_trainable(options)
    experiment = _of_table(options) if instance is None else instance.experiment()
    changed = {
        one.name: getattr(options, one.name)
        for one in fields(TrainingSettings)
        if getattr(options, one.name) is not None
    }
    settings = TrainingSettings(**{**asdict(experiment.settings), **changed})
    backbone = options.backbone or experiment.backbone
    kept = experiment.backbone_options if backbone == experiment.backbone else {}
    chosen = {
        **kept,
        **read_fields(BACKBONES.load(backbone), options.backbone_option, f"backbone {backbone!r}"),
    }
    return Experiment(experiment.data, backbone, chosen, settings)


def open_trainable(options: TrainingOptions) -> TrainableInstance | None:
    """Return the instance that is asked for, None where a table is.

    Raises
    ------
    UsageError
        If an option does not fit, or the instance has no data to train on.
    """
    name = options.instance
    if name is None:
        return None
    given = [f"--{one}" for one in ("targets", "inputs", "kind") if getattr(options, one)]
    given += ["--split"] if options.split != "random" else []
    given += ["--task-column"] if options.task_column else []
    if given:
        raise UsageError(f"{' and '.join(given)} can only be given with --data.")
    asked: Mapping[str, Any] = {}
    if options.instance_option:
        asked = read_keywords(INSTANCES.load(name), options.instance_option, f"instance {name!r}")
    instance = load_instance(name, options.data_dir, asked)
    if not isinstance(instance, TrainableInstance):
        raise UsageError(
            f"The gains of instance {name!r} are recorded; it has no data to train on. "
            f"Those that train: {', '.join(trainable_instances())}."
        )
    return instance


def _of_table(options: TrainingOptions) -> Experiment:
    from engine.data.readers import read_table_data

    if options.instance_option:
        raise UsageError("--instance-option can only be given with --instance.")
    if not options.targets:
        raise UsageError("Name the columns that are the tasks: --targets a,b,c.")
    assert options.data is not None
    data = read_table_data(
        options.data,
        list(options.targets),
        kinds=dict(options.kind) or None,
        inputs=None if options.inputs is None else list(options.inputs),
        split=options.split,
        task_column=options.task_column,
    )
    return Experiment(data, options.backbone or choose_backbone())


def trainable_instances() -> tuple[str, ...]:
    """Return the names of the instances that train."""
    found = []
    for name in INSTANCES.names():
        try:
            cls = INSTANCES.load(name)
        except EngineError:
            continue
        if isinstance(cls, type) and issubclass(cls, TrainableInstance):
            found.append(name)
    return tuple(found)
