"""Trained groups on disk, and served from there."""
