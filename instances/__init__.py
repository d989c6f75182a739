"""Instances: named problems with their data, found by entry point."""
