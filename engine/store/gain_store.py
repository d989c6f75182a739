"""The gain store: experiments, leases, results."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError, unknown_name
from engine.gains.provenance import Provenance
from engine.gains.tensor import GainTensor
from engine.store import claims, saving
from engine.store.curves import unpack_curves
from engine.store.database import Database, connect, insert_into
from engine.store.keys import members_text, membership_of
from engine.store.reading import read_blocks, read_values
from engine.store.run_batch import RunBatch
from engine.store.seed_values import Form, SeedValues
from engine.store.stored_experiment import StoredExperiment, list_experiments
from engine.training.experiment import Experiment
from engine.training.trained_groups import TrainedGroups


class GainStore:
    """A gain store; a context manager. Made by :meth:`open`.

    Every method raises :class:`engine.DataError` where the database fails; what was stored is kept.
    What a method writes is written whole or not at all. Several processes and threads may use one
    store at the same time. A SQLite file must lie on a disk of the machine itself, since network
    file systems do not lock it reliably.

    Parameters
    ----------
    database
        Its tables exist.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tasks: dict[int, tuple[str, ...]] = {}

    @property
    def url(self) -> str:
        """Where it is, without passwords."""
        return self._database.url

    @classmethod
    def open(cls, url: str, *, create: bool = True) -> GainStore:
        """Open a store.

        Parameters
        ----------
        url
            ``sqlite:///gains.db``, or ``postgresql+psycopg://user@host/gains`` for a team.
        create
            Whether to make it where there is none.

        Raises
        ------
        DataError
            If it cannot be reached, or is no gain store of this version.
        UsageError
            If the URL cannot be understood.
        MissingDependencyError
            If SQLAlchemy or the driver is not installed.
        """
        return cls(connect(url, create=create))

    def __enter__(self) -> GainStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._database.engine.dispose()

    def transaction(self, *, writes: bool) -> AbstractContextManager[Any]:
        """Give a connection in a transaction, for what spans several of these methods.

        Parameters
        ----------
        writes
            Whether it will write; if not, all that is read belongs to one state of the store.
        """
        return self._database.transaction(writes=writes)

    def register(self, experiment: Experiment) -> int:
        """Return the number of an experiment, making its row the first time."""
        with self.transaction(writes=True) as connection:
            return register(connection, experiment.description, experiment.digest)

    def experiments(self) -> list[StoredExperiment]:
        """Return every experiment, in the order they were made."""
        with self.transaction(writes=False) as connection:
            return list_experiments(connection)

    def experiment(self, number: int) -> StoredExperiment:
        """Return one experiment.

        Raises
        ------
        DataError
            If there is none of this number.
        """
        known = self.experiments()
        for one in known:
            if one.id == number:
                return one
        raise self._no_experiment(str(number), known)

    def find(self, text: str) -> int:
        """Return the number of an experiment told by its number, name or the beginning of its digest.

        A number goes before a name, and a name before a digest; of several of one name, the newest is
        meant.

        Raises
        ------
        DataError
            If there is none; those that are there are listed.
        """
        known = self.experiments()
        by_number = [one.id for one in known if str(one.id) == text]
        by_name = [one.id for one in reversed(known) if one.name == text]
        by_digest = [one.id for one in known if len(text) >= 6 and one.digest.startswith(text)]
        for number in (*by_number, *by_name, *by_digest):
            return number
        raise self._no_experiment(text, known)

    def _no_experiment(self, text: str, known: Sequence[StoredExperiment]) -> DataError:
        if not known:
            return DataError(f"The gain store {self.url} is empty. Collect first: engine collect --help.")
        listed = {name for one in known for name in (str(one.id), one.name)}
        error = unknown_name(f"experiment in {self.url}:", text, listed)
        return DataError(f"{error} Collect another one with engine collect.")

    def claim(
        self, experiment: int, wanted: Sequence[claims.Run], owner: str, seconds: float
    ) -> list[claims.Run]:
        """Lease runs that are neither done nor leased by another living collector.

        Parameters
        ----------
        experiment
            Its number.
        wanted
            Groups and seeds.
        owner
            Who leases, a text of its own for every collector.
        seconds
            How long the lease lasts unless it is renewed. The clocks of machines that share a store
            should agree far better than that.

        Returns
        -------
        list
            What was granted, in the order wanted; nobody else was or will be granted these until the
            lease expires.
        """
        with self.transaction(writes=True) as connection:
            return claims.claim(connection, experiment, wanted, owner, seconds)

    def renew(self, experiment: int, owner: str, seconds: float) -> None:
        """Let all leases of an owner last for so many seconds from now."""
        with self.transaction(writes=True) as connection:
            claims.renew(connection, experiment, owner, seconds)

    def release(self, experiment: int, owner: str) -> None:
        """Give back all leases of an owner."""
        with self.transaction(writes=True) as connection:
            claims.release(connection, experiment, owner)

    def save(self, experiment: int, results: TrainedGroups, owner: str = "") -> int:
        """Keep the results of some groups, all or, where this fails, none.

        What is done already is left as it is. A group with a member whose metric or loss is not
        finite is kept as diverged: it is not trained again, and no tensor holds it.

        Returns
        -------
        int
            How many groups were kept.
        """
        batch = RunBatch.of(results)
        with self.transaction(writes=True) as connection:
            return saving.save(connection, experiment, batch, owner)

    def done(self, experiment: int) -> dict[int, NDArray[np.bool_]]:
        """Return what is trained, diverged groups included: seed → shape (G, N)."""
        from sqlalchemy import select

        from engine.store.schema import LEASED, runs

        if experiment not in self._tasks:
            self._tasks[experiment] = self.experiment(experiment).tasks
        query = (
            select(runs.c.seed, runs.c.members)
            .where(runs.c.experiment == experiment, runs.c.status != LEASED)
            .order_by(runs.c.id)
        )
        by_seed: dict[int, list[str]] = {}
        with self.transaction(writes=False) as connection:
            for seed, members in connection.execute(query):
                if not isinstance(seed, int):
                    raise DataError(
                        f"The gain store {self.url} is damaged: {seed!r} is no seed. Remove such runs with "
                        f"engine gains repair {experiment}, then collect again."
                    )
                by_seed.setdefault(seed, []).append(members)
        count = len(self._tasks[experiment])
        return {seed: membership_of(texts, count) for seed, texts in by_seed.items()}

    def results(
        self, experiment: int, split: str = "valid", of: Literal["metric", "loss"] = "metric"
    ) -> SeedValues:
        """Return the metric or loss of every seed on a split, after all checksums were checked.

        Raises
        ------
        DataError
            If a run is damaged, it is named; or if there are no results on the split.
        """
        known = self.experiment(experiment)
        with self.transaction(writes=False) as connection:
            return read_values(connection, known, self.url, split, of)

    def seed_gains(
        self,
        experiment: int,
        *,
        split: str = "valid",
        of: Literal["metric", "loss"] = "metric",
        form: Form = "relative",
    ) -> SeedValues:
        """Return the gains of every seed over the single-task run of the same seed."""
        known = self.experiment(experiment)
        signs = known.signs if of == "metric" else -np.ones(len(known.tasks))
        return self.results(experiment, split, of).gains(signs, form)

    def tensor(
        self,
        experiment: int,
        *,
        split: str = "valid",
        of: Literal["metric", "loss"] = "metric",
        form: Form = "relative",
    ) -> GainTensor:
        """Return the gain tensor: the mean over seeds, with standard errors.

        Parameters
        ----------
        experiment
            Its number.
        split
            ``valid`` or ``test``.
        of
            Whether gains are of the metric or of the loss.
        form
            Relative gains, or the log ratio.

        Raises
        ------
        DataError
            If single-task runs are missing, or a value cannot be compared.
        """
        known = self.experiment(experiment)
        gains = self.seed_gains(experiment, split=split, of=of, form=form)
        words = [f"{known.name}, {known.description['backbone']}, experiment {known.digest[:12]}"]
        words += [f"{len(gains.seeds)} seeds", f"{form} gain of the {of}"]
        if known.diverged:
            words.append(f"{known.diverged} runs diverged and are left out")
        provenance = Provenance("; ".join(words), self.url, known.digest, of, form)
        return gains.tensor(source=str(known.description["source"]), split=split, provenance=provenance)

    def curves(self, experiment: int, group: NDArray[np.bool_], seed: int) -> dict[str, NDArray[np.float64]]:
        """Return the loss curves of a run, split → shape (epochs, N).

        Raises
        ------
        DataError
            If the group was not trained here with this seed, or the curves are damaged.
        """
        from sqlalchemy import select

        from engine.store.schema import runs

        member = np.asarray(group, dtype=bool)
        (text,) = members_text(member[None])
        query = select(runs.c.curves).where(
            runs.c.experiment == experiment, runs.c.members == text, runs.c.seed == seed
        )
        with self.transaction(writes=False) as connection:
            packed = connection.execute(query).scalar_one_or_none()
        if packed is None:
            raise DataError(
                f"No curves of this group with seed {seed} in experiment {experiment}: it was not trained, "
                "or came from a text file, which holds no curves."
            )
        return unpack_curves(packed, member)

    def repair(self, experiment: int) -> int:
        """Remove the runs of an experiment that are damaged, and return how many those were.

        ``engine collect`` trains them again.
        """
        with self.transaction(writes=True) as connection:
            damaged = [
                number
                for block in read_blocks(connection, experiment)
                for number in block.numbers[block.damaged].tolist()
            ]
            saving.remove(connection, damaged)
        return len(damaged)


def register(connection: Any, description: dict[str, Any], digest: str, created: float | None = None) -> int:
    """Return the number of an experiment that is told by its description and digest."""
    from sqlalchemy import select

    from engine.store.schema import experiments

    row = {
        "digest": digest,
        "name": description["name"],
        "tasks": json.dumps([task["name"] for task in description["tasks"]]),
        "description": json.dumps(description, sort_keys=True),
        "created": time.time() if created is None else created,
    }
    connection.execute(insert_into(connection, experiments).values(row).on_conflict_do_nothing())
    found = connection.execute(select(experiments.c.id).where(experiments.c.digest == digest))
    return int(found.scalar_one())
