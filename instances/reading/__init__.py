"""Readers of published data: downloads with checksums, caches, formats."""
