"""Gradients while networks train: one shared run, look-ahead steps, and gradients of samples."""
