"""Compiled code, all of it, and the cache that is named after all of it."""
