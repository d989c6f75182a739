"""Guided collection: which groups to measure next, when to stop, and what to choose in the end."""
