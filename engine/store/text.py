"""Raw results of an experiment as a text file: a long CSV that another store can take over.

The first line is ``# engine results`` with the experiment as JSON; then comes one line per (group,
seed, split, task), or one line with empty results for a run that diverged; the last line is ``# end``
with the number of runs. Numbers are written so that they read back exactly. Every run carries its
checksum, so that a file that was cut or altered is refused. Curves stay behind.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from engine.errors import DataError
from engine.files import replacing
from engine.store.gain_store import GainStore, register
from engine.store.keys import members_text
from engine.store.reading import BLOCK, sound_batches
from engine.store.run_batch import RunBatch
from engine.store.saving import Keep, Taken, take_over
from engine.store.stored_experiment import StoredExperiment

ENCODING = "utf-8-sig"
"""Some editors mark the beginning of a file."""
HEADER, END = "# engine results ", "# end "
COLUMNS = ("group", "seed", "split", "task", "metric", "loss", "epochs", "best_epoch", "seconds", "checksum")


def export_results(store: GainStore, experiment: int, path: Path) -> int:
    """Write all results of an experiment as text, whole or not at all, and return the number of runs.

    Raises
    ------
    DataError
        If a run is damaged or the file cannot be written.
    """
    known = store.experiment(experiment)
    about = {"digest": known.digest, "created": known.created, "description": known.description}
    count = 0
    with (
        store.transaction(writes=False) as connection,
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        file.write(HEADER + json.dumps(about, sort_keys=True, ensure_ascii=False) + "\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for batch in sound_batches(connection, known, store.url):
            writer.writerows(_lines(batch, known.tasks))
            count += len(batch.members)
        file.write(f"{END}{count}\n")
    return count


def _lines(batch: RunBatch, tasks: tuple[str, ...]) -> Iterator[list[Any]]:
    first = 0
    checksums = batch.checksums.tolist()
    for run, count in enumerate(batch.counts.tolist()):
        begin = [batch.group(run, tasks), batch.seeds[run]]
        end = [batch.epochs[run], batch.best_epoch[run], repr(float(batch.seconds[run])), checksums[run]]
        if not count:
            yield [*begin, "", "", "", "", *end]
        for entry in range(first, first + count):
            metric, loss = float(batch.metric[entry]), float(batch.loss[entry])
            yield [*begin, batch.split[entry], tasks[batch.task[entry]], repr(metric), repr(loss), *end]
        first += count


def import_results(store: GainStore, path: Path, *, keep: Keep = "refuse") -> tuple[int, Taken]:
    """Take over a file of :func:`export_results`, all of it or, where this fails, nothing.

    Parameters
    ----------
    store
        Takes the results.
    path
        The file.
    keep
        What counts where a run is there already with other results.

    Returns
    -------
    tuple
        The experiment's number, and what came of the runs.

    Raises
    ------
    DataError
        If the file is no such file, was cut or altered, or a run differs and ``keep`` is
        ``"refuse"``.
    """
    try:
        with path.open(encoding=ENCODING, newline="") as file:
            known = _header(path, file)
            with store.transaction(writes=True) as connection:
                number = register(connection, known.description, known.digest, known.created)
                taken = Taken()
                for batch in _batches(path, file, known.tasks):
                    taken += take_over(connection, number, batch, known.tasks, keep)
                return number, taken
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error}).") from error


def described(path: Path) -> StoredExperiment:
    """Return the experiment that a file of :func:`export_results` is of, without a number.

    Raises
    ------
    DataError
        If the file is no such file.
    """
    try:
        with path.open(encoding=ENCODING, newline="") as file:
            return _header(path, file)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error}).") from error


def _header(path: Path, file: TextIO) -> StoredExperiment:
    first = file.readline()
    wrong = DataError(f"{path}: not a file of raw results; make one with engine gains export --raw.")
    if not first.startswith(HEADER):
        raise wrong
    try:
        about = json.loads(first.removeprefix(HEADER))
        digest, text = about["digest"], json.dumps(about["description"], sort_keys=True)
        created = about["created"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise wrong from None
    if hashlib.sha256(text.encode()).hexdigest() != digest:
        raise DataError(f"{path}, line 1: the description of the experiment was altered; export it anew.")
    try:
        known = StoredExperiment.of(0, digest, text, created)
    except DataError:
        raise wrong from None
    if file.readline().rstrip("\r\n") != ",".join(COLUMNS):
        raise DataError(f"{path}, line 2: the columns must be {','.join(COLUMNS)}.")
    return known


def _batches(path: Path, file: TextIO, tasks: tuple[str, ...]) -> Iterator[RunBatch]:
    column = {name: index for index, name in enumerate(tasks)}
    ended: list[str] = []

    def lines() -> Iterator[tuple[int, list[str]]]:
        for number, line in enumerate(file, start=3):
            if ended and line.strip():
                raise DataError(
                    f"{path}, line {number}: more follows after the end; import files one by one."
                )
            if ended:
                continue
            row = _cells(path, number, line)
            # A group whose first task is called so does not stand alone.
            if line.startswith(END) and len(row) == 1:
                ended.append(line.removeprefix(END).strip())
                continue
            if len(row) != len(COLUMNS):
                raise DataError(f"{path}, line {number}: {len(COLUMNS)} columns are needed, not {len(row)}.")
            yield number, row

    count = 0
    waiting: list[list[tuple[int, list[str]]]] = []
    for _, run in groupby(lines(), key=lambda one: (one[1][0], one[1][1])):
        waiting.append(list(run))
        count += 1
        if len(waiting) == BLOCK:
            yield _batch(path, waiting, column)
            waiting = []
    if ended != [str(count)]:
        raise DataError(
            f"{path}: the file was cut: {ended[0] if ended else 'unknown how many'} runs were written, "
            f"{count} are there. Nothing was taken over; export it anew."
        )
    if waiting:
        yield _batch(path, waiting, column)


def _cells(path: Path, number: int, line: str) -> list[str]:
    csv.field_size_limit(max(csv.field_size_limit(), len(line)))
    try:
        return next(csv.reader([line]), [])
    except csv.Error as error:
        raise DataError(f"{path}, line {number}: {error}.") from None


def _batch(path: Path, found: list[list[tuple[int, list[str]]]], column: dict[str, int]) -> RunBatch:
    line = 0
    membership = np.zeros((len(found), len(column)), dtype=bool)
    split, results, counts = [], [], []
    try:
        for index, run in enumerate(found):
            line = run[0][0]
            membership[index, [column[name] for name in run[0][1][0].split("|")]] = True
            alive = [row for _, row in run if row[2]]
            split += [row[2] for row in alive]
            results += [(column[row[3]], float(row[4]), float(row[5])) for row in alive]
            counts.append(len(alive))
        heads = [run[0][1] for run in found]
        task, metric, loss = zip(*results, strict=True) if results else ((), (), ())
        batch = RunBatch(
            members_text(membership),
            np.array([int(row[1]) for row in heads], dtype=np.int64),
            np.array([int(row[6]) for row in heads], dtype=np.int64),
            np.array([int(row[7]) for row in heads], dtype=np.int64),
            np.array([float(row[8]) for row in heads]),
            np.array(counts, dtype=np.int64),
            split,
            np.array(task, dtype=np.int64),
            np.array(metric, dtype=np.float64),
            np.array(loss, dtype=np.float64),
        )
        stored = np.array([int(row[9]) for row in heads], dtype=np.int64)
    except KeyError as error:
        raise DataError(f"{path}, line {line} or below: {error} is no task of the experiment.") from None
    except (ValueError, OverflowError) as error:
        raise DataError(f"{path}, line {line} or below: {error}.") from None
    bad = np.flatnonzero(batch.checksums != stored)
    if len(bad):
        first = int(bad[0])
        raise DataError(
            f"{path}, line {found[first][0][0]}: the results of {batch.label(first, list(column))} were "
            "altered or cut. Nothing was taken over; export them anew."
        )
    return batch
