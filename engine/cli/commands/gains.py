"""``engine gains``: what a gain store holds, in and out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.options.shared import output_options

if TYPE_CHECKING:
    from rich.console import RenderableType

    from engine.gains.tensor import GainTensor
    from engine.store import GainStore, StoredExperiment
    from engine.store.saving import Taken

COLUMNS = ["id", "name", "tasks", "groups", "seeds", "done", "diverged", "leased", "backbone", "source"]
COLUMNS += ["created", "digest"]

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
    from engine.cli.telling.output import check_output, emit_csv, emit_json, emit_table

    check_output(output)
    with _open(store) as kept:
        listed = [_row(one) for one in kept.experiments()]
    if format == "json":
        emit_json({"experiments": listed}, output)
    elif format == "csv":
        emit_csv(COLUMNS, listed, output)
    else:
        emit_table(_table(listed), output)
    return 0


def _row(one: StoredExperiment) -> dict[str, Any]:
    row = {name: getattr(one, name) for name in COLUMNS if hasattr(one, name)}
    row |= {
        "tasks": len(one.tasks),
        "created": datetime.fromtimestamp(one.created, UTC).isoformat("T", "seconds"),
    }
    return row | {"backbone": one.description["backbone"], "source": one.description["source"]}


def _table(listed: Sequence[dict[str, Any]]) -> Iterator[RenderableType]:
    from engine.cli.telling.tables import Column, Fitted

    if not listed:
        yield "no experiments yet: engine collect makes one."
        return
    columns = [
        Column("id", [str(one["id"]) for one in listed]),
        Column("name", [one["name"] for one in listed], right=False),
    ]
    columns += [
        Column(name, [str(one[name]) for one in listed])
        for name in ("tasks", "groups", "seeds", "done", "diverged", "leased")
    ]
    columns += [
        Column("backbone", [one["backbone"] for one in listed], right=False, spare=1),
        Column("created", [one["created"] for one in listed], right=False, spare=2),
        Column("digest", [one["digest"][:12] for one in listed], right=False, spare=3),
    ]
    yield Fitted(columns)


@gains.command(short_help="Show one experiment: settings, groups by size, seeds.")
@click.argument("experiment", metavar="NAME|NUMBER|DIGEST")
@store_option
@output_options
def show(experiment: str, store: str | None, format: str, output: Path | None) -> int:
    """Show one experiment: settings, groups by size, seeds.

    As CSV: the groups by size.
    """
    from engine.cli.telling.output import check_output, emit_csv, emit_json, emit_table

    check_output(output)
    with _open(store) as kept:
        number = kept.find(experiment)
        known, done, url = kept.experiment(number), kept.done(number), kept.url
    sizes: dict[int, list[int]] = {}
    groups: dict[int, set[bytes]] = {}
    for membership in done.values():
        for row, size in zip(membership, membership.sum(axis=1).tolist(), strict=True):
            groups.setdefault(size, set()).add(row.tobytes())
            sizes.setdefault(size, []).append(1)
    by_size = [
        {"size": size, "groups": len(groups[size]), "runs": len(sizes[size])} for size in sorted(sizes)
    ]
    if format == "json":
        shown = {**_row(known), "tasks": known.tasks, "description": known.description}
        emit_json(
            {**shown, "runs_by_seed": {k: len(v) for k, v in sorted(done.items())}, "sizes": by_size}, output
        )
    elif format == "csv":
        emit_csv(["size", "groups", "runs"], by_size, output)
    else:
        runs = {seed: len(membership) for seed, membership in sorted(done.items())}
        emit_table(_facts(known, runs, by_size, url), output)
    return 0


def _facts(
    known: StoredExperiment, runs: dict[int, int], by_size: Sequence[dict[str, int]], url: str
) -> Iterator[RenderableType]:
    from engine.cli.telling.tables import Column, Fitted, facts

    about = known.description
    options = ", ".join(f"{key}={value}" for key, value in about["backbone_options"].items())
    seeds = ", ".join(f"{seed} ({count} runs)" for seed, count in list(runs.items())[:8])
    more = f" and {len(runs) - 8} more" if len(runs) > 8 else ""
    yield facts(
        [
            ("experiment", f"{known.id}: {known.name}, digest {known.digest[:12]}"),
            ("store", url),
            ("created", datetime.fromtimestamp(known.created, UTC).isoformat(" ", "seconds")),
            ("source", str(about["source"])),
            ("backbone", f"{about['backbone']}{f' ({options})' if options else ''}"),
            ("settings", ", ".join(f"{key}={value}" for key, value in about["settings"].items())),
            (
                "tasks",
                ", ".join(f"{one['name']} ({one['metric']}, {one['direction']})" for one in about["tasks"]),
            ),
            ("seeds", f"{seeds}{more}" or "none yet"),
            ("runs", f"{known.done} done, {known.diverged} diverged, {known.leased} leased"),
        ]
    )
    yield ""
    yield Fitted([Column(name, [str(one[name]) for one in by_size]) for name in ("size", "groups", "runs")])


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
