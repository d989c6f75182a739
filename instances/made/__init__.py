"""Generators of gains and groups."""
