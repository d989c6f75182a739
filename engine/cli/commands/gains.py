"""``engine gains``: what a gain store holds, in and out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.options.shared import output_options

if TYPE_CHECKING:
    from engine.gains.tensor import GainTensor
    from engine.store import GainStore
    from engine.store.saving import Taken

store_option = click.option(
    "--store", metavar="URL", help="Where gains are kept. [default: ENGINE_STORE or sqlite:///gains.db]"
)
keep_option = click.option(
    "--keep",
    type=click.Choice(["refuse", "ours", "theirs"]),
    default="refuse",
    show_default=True,
    help="What counts where a run is there already with other results.",
)


@click.group(short_help="List, show, export, import, merge and repair collected gains.")
def gains() -> None:
    """List, show, export, import, merge and repair the gains that engine collect keeps."""


def _open(url: str | None, *, create: bool = False) -> GainStore:
    from engine.catalogue.trainable import default_store
    from engine.store import GainStore

    return GainStore.open(url or default_store(), create=create)


@gains.command("list", short_help="List the experiments of a store.")
@store_option
@output_options
def list_(store: str | None, format: str, output: Path | None) -> int:
    """List the experiments of a store."""
    from engine.cli.telling.experiments import ExperimentsView
    from engine.cli.telling.output import check_output
    from engine.cli.telling.view import show as show_view

    check_output(output)
    with _open(store) as kept:
        view = ExperimentsView(kept.experiments())
    show_view(view, format, output)
    return 0


@gains.command(short_help="Show one experiment: settings, groups by size, seeds.")
@click.argument("experiment", metavar="NAME|NUMBER|DIGEST")
@store_option
@output_options
def show(experiment: str, store: str | None, format: str, output: Path | None) -> int:
    """Show one experiment: settings, groups by size, seeds.

    As CSV: the groups by size.
    """
    from engine.cli.telling.experiments import ExperimentView
    from engine.cli.telling.output import check_output
    from engine.cli.telling.view import show as show_view

    check_output(output)
    with _open(store) as kept:
        number = kept.find(experiment)
        view = ExperimentView(kept.experiment(number), kept.done(number), kept.url)
    show_view(view, format, output)
    return 0


@gains.command(short_help="Write the gains of an experiment to a file.")
@click.argument("experiment", metavar="NAME|NUMBER|DIGEST")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--split", default="valid", show_default=True, help="valid or test.")
@click.option("--of", type=click.Choice(["metric", "loss"]), default="metric", show_default=True)
@click.option("--form", type=click.Choice(["relative", "log-ratio"]), default="relative", show_default=True)
@click.option(
    "--raw", is_flag=True, help="All results of all seeds and splits as CSV, for engine gains import."
)
@store_option
def export(experiment: str, file: Path, split: str, of: Any, form: Any, raw: bool, store: str | None) -> int:
    """Write the gains of an experiment to FILE (.csv, .parquet, .npz or any other format of gains)."""
    from engine.cli.telling.messages import say
    from engine.cli.telling.output import check_output
    from engine.gains.formats.gains_file import writable_paths
    from engine.store.text import export_results

    for path in (file,) if raw else writable_paths(str(file)):
        check_output(path)
    with _open(store) as kept:
        number = kept.find(experiment)
        if raw:
            say(f"{export_results(kept, number, file)} runs written to {file}.")
            return 0
        found: GainTensor = kept.tensor(number, split=split, of=of, form=form)
    from engine.gains.formats import write_gains

    write_gains(found, str(file))
    say(f"{found.n_groups} groups of {found.n_tasks} tasks written to {file}: {found.provenance}.")
    return 0


@gains.command("import", short_help="Take over raw results that engine gains export --raw wrote.")
@click.argument("file", type=click.Path(path_type=Path))
@keep_option
@store_option
def import_(file: Path, keep: Any, store: str | None) -> int:
    """Take over raw results from FILE, which engine gains export --raw wrote; all of it, or nothing."""
    from engine.cli.telling.messages import say
    from engine.store.text import described, import_results

    described(file)  # no store is made for what is no such file
    with _open(store, create=True) as kept:
        number, taken = import_results(kept, file, keep=keep)
    say(f"experiment {number}: {_taken(taken)}.")
    return 0


@gains.command(short_help="Take over everything from another store.")
@click.argument("other", metavar="URL")
@keep_option
@store_option
def merge(other: str, keep: Any, store: str | None) -> int:
    """Take over all experiments and results from the store at URL; all of it, or nothing.

    Merging once more changes nothing.
    """
    from engine.cli.telling.messages import say
    from engine.store.transfer import merge as merge_stores

    with _open(other) as source, _open(store, create=True) as kept:
        for number, taken in merge_stores(kept, source, keep=keep).items():
            say(f"experiment {number}: {_taken(taken)}.")
    return 0


def _taken(taken: Taken) -> str:
    words = {"added": "runs added", "same": "were there", "ours": "differ and stay", "theirs": "replaced"}
    return ", ".join(
        f"{count} {words[name]}" for name, count in asdict(taken).items() if count or name == "added"
    )


@gains.command(short_help="Remove damaged runs, so that they are trained again.")
@click.argument("experiment", metavar="NAME|NUMBER|DIGEST")
@store_option
def repair(experiment: str, store: str | None) -> int:
    """Remove the runs whose results are not what was stored; engine collect trains them again."""
    from engine.cli.telling.messages import say

    with _open(store) as kept:
        removed = kept.repair(kept.find(experiment))
    say(f"{removed} damaged runs removed." if removed else "no run is damaged.")
    return 0
