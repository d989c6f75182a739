"""Instances opened by what is given: a name of the catalogue, a file, or a gain store."""

from __future__ import annotations

from pathlib import Path

from engine.catalogue.affinities import AffinityInstance, is_affinity_file
from engine.catalogue.files import FileInstance
from engine.catalogue.instance import Instance, is_path, load_instance
from engine.catalogue.stored import StoredInstance, is_store_url
from engine.errors import UsageError
from engine.gains.formats.gains_file import DEFAULTS, GainsPath
from engine.gains.formats.options import ReadOptions
from engine.plugins import INSTANCES

ONLY_FILES = {
    "evaluation": "evaluation gains (--evaluate)",
    "merge_duplicates": "merging (--merge-duplicates)",
    "single_task_baseline": "another baseline (--baseline)",
    "tasks": "task names",
}
"""What can only be said of a file, by its name in Python."""


def open_instance(
    name_or_path: str | Path,
    *,
    data_dir: str | Path | None = None,
    evaluation: GainsPath | None = None,
    options: ReadOptions = DEFAULTS,
    pairs: bool = False,
) -> Instance:
    """Return an instance of the catalogue, or one read from a file or a gain store.

    Parameters
    ----------
    name_or_path
        A database URL and an experiment, as ``sqlite:///gains.db#digits10``; or a name of the
        catalogue, which wins; else a path, which is what has a suffix, a folder, a comma, or exists.
    data_dir
        Folder with the data of the catalogue, to be looked in before the usual places.
    evaluation
        Gains that the result is judged on, for a path.
    options
        How a file is read.
    pairs
        Whether the pairs of an affinity file are enough, so that not all groups have to be listed.

    Raises
    ------
    DataError
        If a file is missing or malformed.
    UsageError
        If there is no such instance, or an option does not fit it.
    """
    text = str(name_or_path)
    if is_store_url(text):
        _refuse("A gain store has its own evaluation gains, task names and baseline", evaluation, options)
        return StoredInstance(text)
    if text in INSTANCES.names() or not is_path(text):
        instance = load_instance(text, data_dir)
        _refuse(f"The instance {text!r} comes from the catalogue", evaluation, options)
        return instance
    if pairs and is_affinity_file(text):
        return AffinityInstance(text, evaluation, options)
    return FileInstance(text, evaluation, options)


def _refuse(what: str, evaluation: GainsPath | None, options: ReadOptions) -> None:
    """Refuse what only fits a file of one's own."""
    given = (["evaluation"] if evaluation is not None else []) + list(options.changed())
    if given:
        words = " and ".join(ONLY_FILES.get(name, name) for name in given)
        raise UsageError(f"{what}: {words} can only be given with a file of your own.")
