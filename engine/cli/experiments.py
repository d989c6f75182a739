"""From a command's options to an experiment."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from typing import Any

from engine.cli.training_options import TrainingOptions
from engine.errors import EngineError, UsageError, unknown_name
from engine.experiment import Experiment
from engine.instance import load_instance
from engine.plugins import BACKBONES, INSTANCES
from engine.trainable_instance import TrainableInstance
from engine.training_settings import TrainingSettings


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
    if options.instance is not None:
        experiment = _of_instance(options.instance, options)
    else:
        experiment = _of_table(options)
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


def _of_instance(name: str, options: TrainingOptions) -> Experiment:
    given = [f"--{one}" for one in ("targets", "inputs", "kind") if getattr(options, one)]
    if given:
        raise UsageError(f"{' and '.join(given)} can only be given with --data.")
    instance = load_instance(name, options.data_dir)
    if not isinstance(instance, TrainableInstance):
        raise UsageError(
            f"The gains of instance {name!r} are recorded; it has no data to train on. "
            f"Those that train: {', '.join(trainable_instances())}."
        )
    return instance.experiment()


def _of_table(options: TrainingOptions) -> Experiment:
    from engine.data.readers.tables import read_table_data

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
    return Experiment(data)


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


def read_fields(cls: Any, given: tuple[tuple[str, str], ...], what: str) -> dict[str, Any]:
    """Turn options given as text into the types of a dataclass's fields.

    Raises
    ------
    UsageError
        If there is no such field, or the text is no value of its type.
    """
    if not given:
        return {}
    known: Mapping[str, Any] = {one.name: one for one in fields(cls)} if is_dataclass(cls) else {}
    hints = typing.get_type_hints(cls) if known else {}
    read: dict[str, Any] = {}
    for name, text in given:
        name = name.replace("-", "_")
        if name not in known:
            raise unknown_name(f"option of {what}:", name, known)
        default = known[name].default
        kind = type(default) if default not in (MISSING, None) else hints.get(name, str)
        read[name] = _value(text, kind, f"option {name} of {what}")
    return read


def _value(text: str, kind: Any, what: str) -> Any:
    readers: dict[Any, Callable[[str], Any]] = {int: int, float: float, str: str}
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise UsageError(f"The {what} is true or false, not {text!r}.")
        return text.lower() == "true"
    for one in (kind, *typing.get_args(kind)):
        if one in readers or (inspect.isclass(one) and one in readers):
            try:
                return readers[one](text)
            except ValueError:
                continue
    raise UsageError(f"The {what} cannot be {text!r}: it takes {getattr(kind, '__name__', kind)}.")
