"""Gaussian processes over groups of tasks: kernels, likelihood, learning and posterior."""
