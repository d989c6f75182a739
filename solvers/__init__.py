"""Solvers: one module each, found by entry point, over one shared presolve."""
