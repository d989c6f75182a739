"""Tables of the gain store."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

VERSION = 1
"""Of the tables; a store of another version is refused rather than misread."""

metadata = MetaData()

about = Table("gain_store", metadata, Column("version", Integer, primary_key=True, autoincrement=False))

experiments = Table(
    "experiments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("tasks", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("created", Double, nullable=False),
)

# SQLite numbers rows by INTEGER alone.
_NUMBER = BigInteger().with_variant(Integer, "sqlite")

runs = Table(
    "runs",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("experiment", ForeignKey("experiments.id"), nullable=False),
    Column("members", Text, nullable=False),
    Column("seed", Integer, nullable=False),
    Column("status", String(8), nullable=False),
    Column("owner", Text),
    Column("expires", Double),
    Column("epochs", Integer),
    Column("best_epoch", Integer),
    Column("seconds", Double),
    Column("n_results", Integer),
    Column("checksum", BigInteger),
    Column("curves", LargeBinary),
    UniqueConstraint("experiment", "members", "seed"),
    Index("runs_by_owner", "experiment", "owner"),
    Index("runs_in_order", "experiment", "id"),
)
"""One row per (experiment, group, seed): leased, done or diverged."""

results = Table(
    "results",
    metadata,
    Column("run", ForeignKey("runs.id"), primary_key=True),
    Column("split", String(16), primary_key=True),
    Column("task", Integer, primary_key=True),
    Column("metric", Double),
    Column("loss", Double),
    sqlite_with_rowid=False,
)
"""One row per (experiment, group, seed, split, task)."""

LEASED, DONE, DIVERGED = "leased", "done", "diverged"
