"""Instances: named in the catalogue, read from a file or a store, trainable, or made of an affinity."""
