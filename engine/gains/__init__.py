"""Gains of tasks in groups: tensors, affinities and models, and the contract of what makes them."""
