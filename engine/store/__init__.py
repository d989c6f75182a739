"""The gain store: results of training in a relational database, never trained twice, never lost."""

from engine.store.gain_store import GainStore
from engine.store.seed_values import SeedValues
from engine.store.stored_experiment import StoredExperiment

__all__ = ["GainStore", "SeedValues", "StoredExperiment"]
