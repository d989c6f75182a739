"""Gain sources: one module each, found by entry point."""
